package udp

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// guestsShareSockets says that guests are sent to by the listener's socket.
const guestsShareSockets = false

// openGuest opens a guest's own socket: bound to the address of ours that it asked and to
// the listener's port, and connected to it. So the guest sees one conversation, while its
// refusals, its path's MTU and its queue are its own. Of sockets that share a port the
// kernel gives a datagram to the one connected to where it comes from, and to the listener
// if there is none such; between bind and connect a stranger's may get here instead.
func openGuest(l *listener, local netip.Addr, to netip.AddrPort) (conn *net.UDPConn, shared bool, err error) {
	v6, family := to.Addr().Is6(), unix.AF_INET
	if v6 {
		family = unix.AF_INET6
	}
	if !local.IsValid() {
		return nil, false, fmt.Errorf("serving %v: the address that it asked is not known", to)
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, false, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "udp")
	defer f.Close() // FileConn duplicates it
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	if err == nil && v6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err != nil {
		return nil, false, os.NewSyscallError("setsockopt", err)
	}
	from := netip.AddrPortFrom(local, l.addr.Port())
	if err := unix.Bind(fd, sockaddr(from, v6)); err != nil {
		return nil, false, fmt.Errorf("serving %v from %v: %w", to, from, os.NewSyscallError("bind", err))
	}
	if err := unix.Connect(fd, sockaddr(to, v6)); err != nil {
		return nil, false, fmt.Errorf("serving %v from %v: %w", to, from, os.NewSyscallError("connect", err))
	}
	c, err := net.FileConn(f)
	if err != nil {
		return nil, false, err
	}
	return c.(*net.UDPConn), false, nil
}
