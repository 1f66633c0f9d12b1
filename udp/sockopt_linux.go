package udp

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// control runs f on c's descriptor.
func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	return errors.Join(raw.Control(func(fd uintptr) { inner = f(int(fd)) }), inner)
}

// forbidFragments sets DF: a datagram that does not fit is refused with EMSGSIZE
// instead of being cut by IP, where one lost piece loses all (IP_MTU_DISCOVER in
// ip(7), IPV6_MTU_DISCOVER in ipv6(7)).
func forbidFragments(c *net.UDPConn, v4 bool) error {
	return control(c, func(fd int) error {
		if v4 {
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
		}
		return errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1))
	})
}

// pathMTU is what the kernel knows of the path of a connected socket, in bytes of
// IP packet: the route's or the interface's MTU, or less where ICMP said so (IP_MTU).
func pathMTU(c *net.UDPConn, v4 bool) (mtu int, err error) {
	err = control(c, func(fd int) (err error) {
		if v4 {
			mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU)
		} else {
			mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU)
		}
		return err
	})
	return mtu, err
}

// setReadBuffer asks for a receive buffer of size bytes, beyond net.core.rmem_max
// where we are allowed to, and returns what was granted. The kernel doubles what is
// asked, for its own bookkeeping, and reports the double (SO_RCVBUF in socket(7)).
func setReadBuffer(c *net.UDPConn, size int) (granted int, err error) {
	err = control(c, func(fd int) (err error) {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil { // needs CAP_NET_ADMIN
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size); err != nil {
				return err
			}
		}
		granted, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return err
	})
	return granted / 2, err
}

// raiseBufferLimit is the command that lets setReadBuffer succeed.
const raiseBufferLimit = "sysctl -w net.core.rmem_max="

// countDrops asks for the socket's overflow counter with every datagram
// (SO_RXQ_OVFL in socket(7)).
func countDrops(c *net.UDPConn) error {
	return control(c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	})
}

// dropsSpace is the room that counter needs in a message's OOB.
var dropsSpace = unix.CmsgSpace(4)

// drops finds the counter in a message's OOB: datagrams the kernel has dropped on
// this socket since it was opened, modulo 2^32.
func drops(oob []byte) (uint32, bool) {
	for len(oob) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(oob) {
			return 0, false
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && size >= unix.CmsgLen(4) {
			return binary.NativeEndian.Uint32(oob[unix.CmsgLen(0):]), true
		}
		oob = oob[min(unix.CmsgSpace(size-unix.CmsgLen(0)), len(oob)):]
	}
	return 0, false
}
