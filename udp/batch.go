package udp

import (
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
)

// batchSize is how many datagrams one system call moves at most. More than 64 a
// call gained nothing when measured.
const batchSize = 64

// message is x/net's; ipv4.Message and ipv6.Message are the same type.
type message = ipv4.Message

// batchConn moves several datagrams a call where the system can: sendmmsg(2) and
// recvmmsg(2) on Linux, one datagram at a time elsewhere. Both return how many of
// ms were moved; with an error, ms[n] is the one that failed.
type batchConn interface {
	ReadBatch(ms []message, flags int) (int, error)
	WriteBatch(ms []message, flags int) (int, error)
}

func localAddr(c *net.UDPConn) netip.AddrPort {
	return unmap(c.LocalAddr().(*net.UDPAddr).AddrPort())
}

// unmap turns ::ffff:1.2.3.4, as a dual-stack socket reports IPv4 peers, into 1.2.3.4.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
