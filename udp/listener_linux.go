package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// admitGuests lets guests' sockets, of this program's user, share the port from now on.
// Asking so after the socket is bound keeps others out: a port in use is shared only with
// who asks before, as another listener does not (SO_REUSEPORT in socket(7)). On a
// wildcard it also has the kernel note which address each datagram came to.
func admitGuests(c *net.UDPConn, bound netip.Addr) error {
	return control(c, func(fd int) error {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		switch {
		case !bound.IsUnspecified():
			return nil
		case bound.Is4():
			return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
		}
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1))
	})
}

// noteSpace is the room that the note takes in bytes.
var noteSpace = unix.CmsgSpace(unix.SizeofInet6Pktinfo)

// notedLocal is the address that a datagram came to, or not valid where it is not told,
// or none that one could answer from. An IPv6 socket tells IPv4's as ::ffff:1.2.3.4; an
// address of one link's scope has the interface's number for its zone.
func notedLocal(oob []byte) (local netip.Addr) {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			local = netip.AddrFrom4([4]byte(data[8:12])) // behind the interface and the address by the routes (ip(7))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
			if local.IsLinkLocalUnicast() && local.Is6() {
				local = local.WithZone(strconv.Itoa(int(binary.NativeEndian.Uint32(data[16:]))))
			}
		}
		oob = rest
	}
	if local.IsMulticast() || local == limitedBroadcast {
		return netip.Addr{}
	}
	return local
}

// reply sends b to a viewer from the address that it asked, or from the one that the
// routes say where local is not valid. It never waits: a datagram that there is no room
// for is lost, or what is sent to forged addresses, which linger while their neighbours
// are looked for, would keep those who are there waiting.
func (l *listener) reply(to netip.AddrPort, local netip.Addr, b []byte) error {
	v6 := l.addr.Addr().Is6()
	var oob []byte
	switch {
	case !l.addr.Addr().IsUnspecified() || !local.IsValid():
	case v6:
		oob = unix.PktInfo6(&unix.Inet6Pktinfo{Addr: local.As16()})
	default:
		oob = unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: local.As4()})
	}
	return send(l.conn, b, oob, sockaddr(to, v6))
}

// sendNow sends b to an address of the socket's family, or where the connected socket leads. It
// never waits.
func sendNow(c *net.UDPConn, b []byte, to netip.AddrPort) error {
	if !to.IsValid() {
		return send(c, b, nil, nil)
	}
	return send(c, b, nil, sockaddr(to, to.Addr().Is6()))
}

// send does not wait for room, nor, as RawConn.Write would, for who waits for it.
func send(c *net.UDPConn, b, oob []byte, to unix.Sockaddr) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		inner = unix.Sendmsg(int(fd), b, oob, to, unix.MSG_DONTWAIT)
	})
	return firstError(err, inner)
}

// sockaddr is a for a socket of IPv6 or of IPv4. The interface that a zone names by a
// name is looked up now; 0 if there is none. An IPv6 address is not what an IPv4 socket
// takes: the kernel answers EAFNOSUPPORT.
func sockaddr(a netip.AddrPort, v6 bool) unix.Sockaddr {
	if ip := a.Addr().Unmap(); !v6 && !ip.Is6() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: as4(ip)}
	}
	zone, _ := strconv.ParseUint(numbered(a).Addr().Zone(), 10, 32)
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: uint32(zone)}
}
