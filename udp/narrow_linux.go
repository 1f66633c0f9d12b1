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
// our address, and with it the port, anew.
func narrow(c *net.UDPConn, peer netip.AddrPort, again bool) error {
	return control(c, func(fd int) error {
		family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil {
			return os.NewSyscallError("getsockopt", err)
		}
		if again {
			unspecified := unix.RawSockaddr{Family: unix.AF_UNSPEC}
			if _, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspecified)), unsafe.Sizeof(unspecified)); e != 0 {
				return os.NewSyscallError("connect", e)
			}
		}
		return os.NewSyscallError("connect", unix.Connect(fd, sockaddr(numbered(peer), family == unix.AF_INET6)))
	})
}
