package udp

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// membership keeps a socket in its group, on the interfaces as they come and go.
type membership struct {
	wish
	source netip.Addr // valid: hear only this one (RFC 4607)
	conn   joiner
	joined []link // as they were then
	failed map[string]string
	log    *slog.Logger
}

// joiner is what ipv4.PacketConn and ipv6.PacketConn have in common.
type joiner interface {
	JoinGroup(*net.Interface, net.Addr) error
	LeaveGroup(*net.Interface, net.Addr) error
	JoinSourceSpecificGroup(ifi *net.Interface, group, source net.Addr) error
	LeaveSourceSpecificGroup(ifi *net.Interface, group, source net.Addr) error
}

func newMembership(w wish, source netip.Addr, c *net.UDPConn, log *slog.Logger) *membership {
	m := &membership{wish: w, source: source, failed: map[string]string{}, log: log}
	if w.addr.Is4() {
		m.conn = ipv4.NewPacketConn(c)
	} else {
		m.conn = ipv6.NewPacketConn(c)
	}
	return m
}

// update joins where the group is wanted and not joined, or where the interface has
// changed since; it leaves where it cannot be heard any longer. It reports whether
// anything changed. What cannot be joined is tried again next time, and said once.
func (m *membership) update(all []link) (changed bool) {
	chosen := m.choose(all, true)
	kept := m.joined[:0]
	for _, l := range m.joined {
		if now := find(chosen, l.Name); now != nil && now.same(&l) {
			kept = append(kept, l)
			continue
		}
		changed = true
		m.leave(&l) // also of an index that is gone: the kernel counts it until then
		if find(chosen, l.Name) == nil {
			m.log.Warn("the interface is down, gone or without an address: its group is joined again when it is back", slog.String("group", m.addr.String()), slog.String("interface", l.Name))
		}
	}
	m.joined = kept
	for i := range chosen {
		l := &chosen[i]
		if find(m.joined, l.Name) != nil {
			continue
		}
		err := m.join(l)
		if err != nil && !isUsed(err) { // that is: a member still
			if m.failed[l.Name] != err.Error() && len(m.failed) < 2*maxLinks {
				m.failed[l.Name] = err.Error()
				m.log.Warn("joining the group", slog.String("group", m.addr.String()), slog.String("interface", l.Name), slog.Any("error", err))
			}
			continue
		}
		delete(m.failed, l.Name)
		m.joined = append(m.joined, *l)
		changed = true
	}
	return changed
}

// again leaves and joins everywhere, so that switches hear of it.
func (m *membership) again() {
	for i := range m.joined {
		m.leave(&m.joined[i])
		if m.join(&m.joined[i]) != nil {
			m.joined[i].Index = -1 // update sees to it
		}
	}
}

func (m *membership) join(l *link) error {
	if m.source.IsValid() {
		return m.conn.JoinSourceSpecificGroup(&l.Interface, ip(m.addr), ip(m.source))
	}
	return m.conn.JoinGroup(&l.Interface, ip(m.addr))
}

func (m *membership) leave(l *link) {
	if m.source.IsValid() {
		m.conn.LeaveSourceSpecificGroup(&l.Interface, ip(m.addr), ip(m.source))
		return
	}
	m.conn.LeaveGroup(&l.Interface, ip(m.addr))
}

// ip is a as package net/ipv4 and ipv6 want it.
func ip(a netip.Addr) net.Addr { return &net.UDPAddr{IP: a.AsSlice()} }

// where says on which interfaces the group is joined.
func (m *membership) where() string {
	if len(m.joined) == 0 {
		return "no interface"
	}
	return linkNames(m.joined)
}

// reasons are why nothing of the group may come, for people; the likely ones first.
func (m *membership) reasons(port uint16) string {
	var r []string
	if len(m.joined) == 0 {
		r = append(r, "no interface is up that can hear it")
	}
	for i := range m.joined {
		l := &m.joined[i]
		if l.Flags&net.FlagRunning == 0 {
			r = append(r, l.Name+" has no carrier (cable, Wi-Fi)")
		}
		r = append(r, obstacles(l, m.addr.Is4(), m.source.IsValid())...)
	}
	if m.source.IsValid() {
		r = append(r, fmt.Sprintf("another source than %v sends (--multicast-source)", m.source))
	} else if ssm.Contains(m.addr) {
		r = append(r, fmt.Sprintf("%v is source-specific (RFC 4607): routers want --multicast-source", m.addr))
	}
	r = append(r, "the sender is not running",
		"it sends by, or this viewer listens on, another interface (--iface)",
		"a router lies between, which a TTL of 1 does not cross (--ttl)",
		fmt.Sprintf("a firewall drops UDP port %d", port),
		m.protocol()+" snooping in a switch without a querier")
	for i := range m.joined {
		if wireless(m.joined[i].Name) {
			r = append(r, m.joined[i].Name+" is Wi-Fi, where much multicast is lost or filtered by the access point")
		}
	}
	return strings.Join(r, "; ")
}

func (m *membership) protocol() string {
	if m.addr.Is4() {
		return "IGMP"
	}
	return "MLD"
}

// ssm are the groups of IPv4 that exist only together with a source.
var ssm = netip.MustParsePrefix("232.0.0.0/8")
