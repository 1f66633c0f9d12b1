package udp

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/framegram/framegram/fragment"
)

// ReceiverConfig configures Listen. The zero value listens on port 0 of every
// address.
type ReceiverConfig struct {
	// Listen is an address of this machine; not valid means every one, IPv4 and IPv6. A
	// multicast group is joined. A broadcast address hears broadcasts only, and like a
	// group's may be listened on by several (broadcasts come to the other addresses, too).
	Listen     netip.AddrPort
	ReadBuffer int    // bytes of receive buffer; zero means DefaultReadBuffer
	From       string // HOST:PORT of a sender that serves who asks, instead of Listen; it is looked up anew when it falls silent
	NoOffload  bool   // read every datagram by itself, not in trains (UDP_GRO in udp(7))
	Frames     fragment.Config
	Repair     bool          // ask the sender for what is missing
	Deadline   time.Duration // how long after a frame's first datagram asking for the others makes sense, 0..10 s; zero is the time between two frames, at least 20 ms
	Log        *slog.Logger  // nil means discard

	// Of groups. An IPv6 group's zone names its interface as well.
	Interfaces []string   // names; none means every one that is up and fit, also those that appear later
	Source     netip.Addr // valid: hear only this sender (source-specific multicast, RFC 4607)
}

func (c *ReceiverConfig) check() error {
	if c.From != "" {
		if _, _, err := hostPort(c.From); err != nil {
			return wrong("from", "is %q, want HOST:PORT: %w", c.From, err)
		}
	}
	ip, group := c.Listen.Addr(), c.Listen.Addr().IsMulticast()
	switch {
	case c.Deadline < 0 || c.Deadline > 10*time.Second:
		return wrong("deadline", "is %v, want 0 to 10s", c.Deadline)
	case c.From != "" && c.Listen.IsValid():
		return wrong("from", "is %s, and there is an address to listen on too: want one of them", c.From)
	case c.From != "" && c.Source.IsValid():
		return wrong("multicast-source", "is for a multicast group, and there is one sender to ask, %s", c.From)
	case c.From != "" && len(c.Interfaces) > 0:
		return wrong("iface", "%s is for a multicast group, and there is one sender to ask, %s", strings.Join(c.Interfaces, ", "), c.From)
	case group && c.Listen.Port() == 0:
		return wrong("listen", "is %v without a port: name the one that is sent to", ip)
	case c.Source.IsValid() && !group:
		return wrong("multicast-source", "is for a multicast group, and %v is none", c.Listen)
	case c.Source.IsValid() && c.Source.Is4() != ip.Is4():
		return wrong("multicast-source", "is %v, which is not of the same family as the group %v", c.Source, ip)
	case c.Source.IsValid() && (c.Source.IsMulticast() || c.Source.IsUnspecified() || c.Source == limitedBroadcast):
		return wrong("multicast-source", "is %v, want the sender's own address", c.Source)
	case len(c.Interfaces) > 0 && !group:
		return wrong("iface", "%s is for a multicast group, and %v is none", strings.Join(c.Interfaces, ", "), c.Listen)
	}
	return nil
}
