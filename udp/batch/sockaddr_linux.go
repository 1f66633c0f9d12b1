package batch

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr is room for the address of either family. The families have the field of the
// port in common, and IPv4's address stands where IPv6 has its flow label.
type sockaddr struct{ unix.RawSockaddrInet6 }

func (s *sockaddr) inet4() *unix.RawSockaddrInet4 {
	return (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.RawSockaddrInet6))
}

// get reads the address, of which the kernel wrote n bytes.
func (s *sockaddr) get(n uint32, z *zones) netip.AddrPort {
	switch {
	case n >= unix.SizeofSockaddrInet4 && s.Family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4(s.inet4().Addr), hostOrder(s.Port))
	case n >= unix.SizeofSockaddrInet6 && s.Family == unix.AF_INET6:
		ip := netip.AddrFrom16(s.Addr).Unmap()
		if s.Scope_id != 0 && ip.Is6() {
			ip = ip.WithZone(z.name(int(s.Scope_id), time.Now()))
		}
		return netip.AddrPortFrom(ip, hostOrder(s.Port))
	}
	return netip.AddrPort{}
}

// set writes the address as a socket of that family wants it, and returns how many bytes
// it takes. An IPv6 address does not go into an IPv4 socket: EAFNOSUPPORT.
func (s *sockaddr) set(a netip.AddrPort, v4 bool, z *zones) (n uint32, err error) {
	ip := a.Addr().Unmap()
	if v4 {
		if !ip.Is4() {
			return 0, syscall.EAFNOSUPPORT
		}
		*s.inet4() = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: hostOrder(a.Port()), Addr: ip.As4()}
		return unix.SizeofSockaddrInet4, nil
	}
	s.RawSockaddrInet6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: hostOrder(a.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		s.Scope_id = uint32(z.index(zone, time.Now()))
	}
	return unix.SizeofSockaddrInet6, nil
}

// hostOrder turns a port from network byte order, or to it.
func hostOrder(port uint16) uint16 {
	return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(make([]byte, 0, 2), port))
}

// domain reports whether c is an IPv4 socket; one of both families is IPv6's.
func domain(raw syscall.RawConn) (v4 bool) {
	raw.Control(func(fd uintptr) {
		d, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		v4 = err == nil && d == unix.AF_INET
	})
	return v4
}

// rawConn is c's, or one that answers every call with c's trouble.
func rawConn(c *net.UDPConn) syscall.RawConn {
	raw, err := c.SyscallConn()
	if err != nil { // of no real socket
		return broken{err}
	}
	return raw
}

type broken struct{ err error }

func (b broken) Control(func(uintptr)) error    { return b.err }
func (b broken) Read(func(uintptr) bool) error  { return b.err }
func (b broken) Write(func(uintptr) bool) error { return b.err }
