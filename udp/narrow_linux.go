package udp

import (
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// narrow connects a socket that Go does not know to be connected, and that is bound to no
// address of its own, to peer (connect(2)): it hears that address alone from now on, and ICMP's refusals.
// One that was connected before is connected to nothing first, which lets the kernel choose
// our address anew. It would choose another port, too, which would make us another viewer to a
// sender that is still there: so the socket is bound to the one it had, unless somebody has taken it.
func narrow(c *net.UDPConn, peer netip.AddrPort, again bool) error {
	return control(c, func(fd int) error {
		family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil {
			return os.NewSyscallError("getsockopt", err)
		}
		v6 := family == unix.AF_INET6
		if again {
			before, err := boundPort(fd)
			if err != nil {
				return err
			}
			unspecified := unix.RawSockaddr{Family: unix.AF_UNSPEC}
			if _, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspecified)), unsafe.Sizeof(unspecified)); e != 0 {
				return os.NewSyscallError("connect", e)
			}
			if now, err := boundPort(fd); err == nil && now == 0 && before != 0 {
				unix.Bind(fd, sockaddr(netip.AddrPortFrom(wildcard(v6), before), v6)) // or connect chooses one
			}
		}
		return os.NewSyscallError("connect", unix.Connect(fd, sockaddr(numbered(peer), v6)))
	})
}

// boundPort is the socket's own, 0 while it has none.
func boundPort(fd int) (uint16, error) {
	switch a, err := unix.Getsockname(fd); a := a.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port), nil
	case *unix.SockaddrInet6:
		return uint16(a.Port), nil
	default:
		return 0, os.NewSyscallError("getsockname", err)
	}
}

func wildcard(v6 bool) netip.Addr {
	if v6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}
