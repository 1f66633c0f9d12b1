package udp

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp/pace"
)

const (
	// DefaultMaxViewers is how many may be subscribed at a time unless told otherwise.
	DefaultMaxViewers = 16
	maxMaxViewers     = 1000
)

// SenderConfig configures NewSender.
type SenderConfig struct {
	To   []netip.AddrPort // addresses of machines, multicast groups, or broadcast
	MTU  int              // largest IP packet in bytes, 576..65535; zero means the path's, at most 1500
	DSCP int              // 0..63 in the IP header (RFC 2474); zero is best effort, 34 is AF41
	Log  *slog.Logger     // nil means discard

	Listen     []netip.AddrPort // addresses of this machine that viewers may subscribe at; no address means every one
	MaxViewers int              // subscribed at a time, 1..1000; zero means DefaultMaxViewers

	Repair    Repair  // what is done about lost datagrams
	Parity    float64 // of the data, 0..1: viewers rebuild as much as is lost of each block; zero is none
	Pace      int64   // bits of IP packets a second and interface, or pace.Auto, or pace.Off
	NoOffload bool    // no segmentation by kernel or card: a copy for each datagram

	// Reported is called for each report that a viewer sends, from any goroutine, with no lock held.
	// nil means never.
	Reported func(ViewerStats)

	// Every is asked for each frame which share of them goes to a viewer with an address of its own (as in
	// ViewerStats.Addr): one of so many. What is left out costs the other viewers nothing. nil is all.
	Every func(viewer string) int

	// Head returns how many bytes of a JPEG stand before its first scan's data, 0 if that cannot
	// be told. By its changes viewers know whether strips of an earlier frame fit. nil means never.
	Head func(jpeg []byte) int

	// Sent is called within Write when a frame has been handed to the kernel for all
	// addresses, in part at least, with its time on the wire, in µs. nil means never.
	Sent func(f *stream.Frame, captured int64, at time.Time)

	// Of groups and 255.255.255.255. An IPv6 group's zone names its interface as well.
	Interfaces []string // names; none means every one that is up, fit and not loopback (loopback if there is no other), also those that appear later
	TTL        int      // of a group's datagrams, 1..255: how many networks they may cross; zero means 1
}

// check finds what is wrong without looking at the interfaces.
func (c *SenderConfig) check() error {
	switch {
	case len(c.To)+len(c.Listen) == 0:
		return wrong("to", "is empty, want at least one address, or one to listen on")
	case c.MaxViewers < 0 || c.MaxViewers > maxMaxViewers:
		return wrong("max-viewers", "is %d, want 1..%d", c.MaxViewers, maxMaxViewers)
	case !(c.Parity >= 0 && c.Parity <= 1):
		return wrong("parity", "is %v, want 0..1 of the data", c.Parity)
	case c.Pace < pace.Off:
		return wrong("pace", "is %d bit/s, want more", c.Pace)
	case c.MTU != 0 && (c.MTU < fragment.MinMTU || c.MTU > fragment.MaxMTU):
		return wrong("mtu", "is %d, want %d..%d bytes, or 0 for the path's", c.MTU, fragment.MinMTU, fragment.MaxMTU)
	case c.DSCP < 0 || c.DSCP > 63:
		return wrong("dscp", "is %d, want 0..63", c.DSCP)
	case c.TTL < 0 || c.TTL > 255:
		return wrong("ttl", "is %d, want 1..255", c.TTL)
	}
	for _, a := range c.To {
		switch {
		case !a.IsValid() || a.Port() == 0:
			return wrong("to", "is %v, want an address with a port", a)
		case a.Addr().Unmap().IsUnspecified():
			return wrong("to", "is %v, which is no machine's address: name the viewer's", a)
		}
	}
	for _, a := range c.Listen {
		if ip := a.Addr().Unmap(); ip.IsMulticast() || ip == limitedBroadcast {
			return wrong("listen", "is %v, which is many machines': viewers ask one", ip)
		}
	}
	return nil
}

// crowds are those of To, with their interfaces as configured.
func (c *SenderConfig) crowds(all []link) (found []*crowd, err error) {
	fits := 0 // addresses that Interfaces concern
	for _, a := range c.To {
		a = unmap(a)
		if ip := a.Addr(); ip.IsMulticast() || ip == limitedBroadcast {
			w, err := newWish(all, "to", ip, c.Interfaces)
			if err != nil {
				return nil, err
			}
			found = append(found, &crowd{wish: w, addr: a})
			fits++
		} else if l := broadcastLink(all, ip); l != nil && len(c.Interfaces) > 0 {
			if !slices.Contains(c.Interfaces, l.Name) {
				return nil, wrong("iface", "%s is not where %v broadcasts, which is %s: leave it out", strings.Join(c.Interfaces, ", "), ip, l.Name)
			}
			fits++
		}
	}
	if fits == 0 && len(c.Interfaces) > 0 {
		return nil, wrong("iface", "%s is for multicast and broadcast, and there is no such address", strings.Join(c.Interfaces, ", "))
	}
	return found, nil
}
