package udp

import (
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/udp/batch"
)

// Where a datagram is from, and where it was sent to.

func localAddr(c *net.UDPConn) netip.AddrPort {
	return unmap(c.LocalAddr().(*net.UDPAddr).AddrPort())
}

// unmap turns ::ffff:1.2.3.4, as a dual-stack socket reports IPv4 peers, into 1.2.3.4.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// tellDestination asks for a note with each datagram on where it was sent to and came
// in by, and reports whether the system gives any: if not, what comes to the port of this
// machine's own addresses is heard, too.
func tellDestination(c *net.UDPConn, v4 bool) bool {
	if v4 {
		return ipv4.NewPacketConn(c).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true) == nil
	}
	return ipv6.NewPacketConn(c).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true) == nil
}

// forGroup reports whether the notes on a datagram, if there are any, allow that it is
// the group's, and came by an interface that was asked for. mu is held.
func (r *Receiver) forGroup(p *batch.Packet) bool {
	return !p.To.IsValid() || p.To == r.addr.Addr().WithZone("") && (!r.oneOf || p.Interface == 0 || slices.Contains(r.indices, p.Interface))
}
