package batch

import "net/netip"

// Packet is one datagram. B is borrowed until the next Read.
type Packet struct {
	B    []byte
	From netip.AddrPort // an IPv4 address is never an IPv6 one in disguise
	// Where it was sent to and the index of the interface it came by, if the socket was
	// asked for them (IP_PKTINFO in ip(7), IPV6_RECVPKTINFO in ipv6(7)); else not valid, 0.
	To        netip.Addr
	Interface int
}

// split appends the datagrams of which p.B was glued together, each of segment bytes but
// for the last, which may be shorter. segment is the kernel's word: 0 or less means that
// nothing was glued, and so does one that exceeds p.B. An empty datagram is one, too. Of a
// train cut off at the end of the buffer the last piece is short: whoever parses it
// notices and counts it.
func split(to []Packet, p Packet, segment int) []Packet {
	for b := p.B; segment > 0 && len(b) > segment; b = p.B {
		p.B = b[:segment:segment]
		to = append(to, p)
		p.B = b[segment:]
	}
	return append(to, p)
}
