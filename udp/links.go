package udp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// lookEvery is how often the interfaces are looked at: they come and go.
const lookEvery = time.Second

// maxLinks bounds on how many interfaces one group is spoken or heard unasked. Linux
// grants a socket 20 memberships (net.ipv4.igmp_max_memberships).
const maxLinks = 16

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// link is a network interface as it was when looked at.
type link struct {
	net.Interface
	addrs    []netip.Prefix // address and length of its network, as configured
	enslaved bool           // part of a bridge or a bond, which speaks and hears in its place
}

// links are this machine's interfaces, by index.
func links() ([]link, error) {
	ifis, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ifis, func(a, b net.Interface) int { return a.Index - b.Index })
	bound := enslaved()
	all := make([]link, 0, len(ifis))
	for _, ifi := range ifis {
		l := link{Interface: ifi, enslaved: bound[ifi.Index]}
		if l.up() {
			l.addrs = prefixes(ifi)
		}
		all = append(all, l)
	}
	return all, nil
}

// prefixes are none when the interface has just gone.
func prefixes(ifi net.Interface) (found []netip.Prefix) {
	addrs, err := ifi.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if ip, ok := netip.AddrFromSlice(n.IP); ok {
			ones, _ := n.Mask.Size()
			found = append(found, netip.PrefixFrom(ip.Unmap(), ones))
		}
	}
	return found
}

func (l *link) up() bool       { return l.Flags&net.FlagUp != 0 }
func (l *link) loopback() bool { return l.Flags&net.FlagLoopback != 0 }

// has reports whether l has an address of a family.
func (l *link) has(v4 bool) bool {
	return slices.ContainsFunc(l.addrs, func(p netip.Prefix) bool { return p.Addr().Is4() == v4 })
}

// same reports whether l is o, as it was: what a membership depends on.
func (l *link) same(o *link) bool {
	return l.Index == o.Index && l.Flags == o.Flags && slices.Equal(l.addrs, o.addrs)
}

// broadcasts reports whether a is the broadcast address of one of l's networks.
func (l *link) broadcasts(a netip.Addr) bool {
	if !a.Is4() || l.Flags&net.FlagBroadcast == 0 {
		return false
	}
	return slices.ContainsFunc(l.addrs, func(p netip.Prefix) bool {
		return p.Addr().Is4() && p.Bits() <= 30 && p.Contains(a) && last(p) == a
	})
}

// last is the last address of an IPv4 network.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// broadcastLink is the link of which a is the broadcast address, or nil.
func broadcastLink(all []link, a netip.Addr) *link {
	for i := range all {
		if all[i].broadcasts(a) {
			return &all[i]
		}
	}
	return nil
}

func find(all []link, name string) *link {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func linkNames(all []link) string {
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	return strings.Join(names, ", ")
}

// wish is a group, or 255.255.255.255, and on which interfaces it is wanted.
type wish struct {
	addr  netip.Addr // without a zone
	names []string   // none: on every one that is fit
}

// newWish checks what was configured against the interfaces there are: names, which
// may be none, and a's zone. field is the flag that a comes from.
func newWish(all []link, field string, a netip.Addr, names []string) (wish, error) {
	w := wish{addr: a.WithZone("").Unmap(), names: slices.Clone(names)}
	for _, name := range names {
		l := find(all, name)
		switch {
		case l == nil:
			return w, wrong("iface", "%q is unknown here: there are %s", name, linkNames(all))
		case !l.up():
			return w, wrong("iface", "%q is down: bring it up, or name another of %s", name, linkNames(all))
		case !w.carries(l):
			return w, wrong("iface", "%q can carry neither multicast nor broadcast (such is a tunnel): name another of %s", name, linkNames(all))
		}
	}
	zone := a.Zone()
	if zone == "" {
		return w, nil
	}
	if i, err := strconv.Atoi(zone); err == nil {
		for _, l := range all {
			if l.Index == i {
				zone = l.Name
			}
		}
	}
	switch {
	case len(names) > 0 && !slices.Contains(names, zone):
		return w, wrong("iface", "%s contradicts the group %v, which names %s: leave one out", strings.Join(names, ", "), a, zone)
	case len(names) > 1:
		return w, wrong("iface", "%s are more than the group %v names: leave them out", strings.Join(names, ", "), a)
	case len(names) == 0:
		if _, err := newWish(all, field, w.addr, []string{zone}); err != nil {
			return w, wrong(field, "%v: interface %w", a, err.(*ConfigError).Err)
		}
	}
	w.names = []string{zone}
	return w, nil
}

func (w *wish) group() bool { return w.addr.IsMulticast() }

// carries reports whether l can carry it at all. Linux's loopback can, though it does
// not say so.
func (w *wish) carries(l *link) bool {
	if w.group() {
		return l.Flags&net.FlagMulticast != 0 || l.loopback()
	}
	return l.Flags&net.FlagBroadcast != 0
}

// choose are the links to speak on now: what was named, as far as it is up and has an
// address, or every fit one but loopback, or for a group if there is none then loopback. To hear,
// loopback is among them always: a sender on this machine may have nothing else.
func (w *wish) choose(all []link, hear bool) (chosen []link) {
	var loop []link
	for _, l := range all {
		switch {
		case !l.up() || !l.has(w.addr.Is4()) || !w.carries(&l):
		case len(w.names) > 0:
			if slices.Contains(w.names, l.Name) {
				chosen = append(chosen, l)
			}
		case l.loopback():
			loop = append(loop, l)
		case !hear && !w.addr.Is4() && l.Flags&net.FlagRunning == 0: // without a carrier IPv6 has no address to send from
		case !l.enslaved && len(chosen) < maxLinks:
			chosen = append(chosen, l)
		}
	}
	if hear || len(chosen) == 0 {
		chosen = append(chosen, loop...)
	}
	return chosen
}

func (w *wish) String() string {
	if len(w.names) == 0 {
		return w.addr.String()
	}
	return fmt.Sprintf("%v on %s", w.addr, strings.Join(w.names, ", "))
}

// lookout looks at the interfaces again and again, so that who sends need not.
type lookout struct {
	seen atomic.Pointer[[]link]
	stop chan struct{}
	done chan struct{}
}

func newLookout(all []link) *lookout {
	o := &lookout{stop: make(chan struct{}), done: make(chan struct{})}
	o.seen.Store(&all)
	go o.run()
	return o
}

func (o *lookout) run() {
	defer close(o.done)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			return
		case <-tick.C:
			if all, err := links(); err == nil { // next time, then
				o.seen.Store(&all)
			}
		}
	}
}

func (o *lookout) close() {
	close(o.stop)
	<-o.done
}
