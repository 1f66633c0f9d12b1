package udp

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/stream"
)

// Two viewers on one host hear every frame of their group, and one of another group on
// the same port hears nothing.
func TestGroups(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	addLAN(t, "lan1", 2)
	for _, tt := range []struct{ group, other, iface, from string }{
		{"239.1.2.3:5600", "239.1.2.4:5600", "lan1", "10.2.0.1"},
		{"239.1.2.3:5600", "239.1.2.4:5600", "lo", ""},
		{"[ff15::42]:5600", "[ff15::43]:5600", "lan1", "fd77:2::1"},
		{"[ff15::42%lan1]:5600", "[ff15::43%lan1]:5600", "", "fd77:2::1"},
		{"[ff02::42%lan0]:5600", "[ff02::43%lan0]:5600", "", "fe80::"},
		{"[ff02::42]:5600", "[ff02::43]:5600", "lan0", "fe80::"},
	} {
		t.Run(tt.group+" "+tt.iface, func(t *testing.T) {
			var on []string
			if tt.iface != "" {
				on = []string{tt.iface}
			}
			group := addrs(tt.group)
			s := speak(t, SenderConfig{To: group, Interfaces: on})
			var viewers []*Receiver
			for range 2 {
				viewers = append(viewers, hear(t, ReceiverConfig{Listen: group[0], Interfaces: on}))
			}
			stranger := hear(t, ReceiverConfig{Listen: addrs(tt.other)[0], Interfaces: on})
			for want := range uint32(200) {
				write(t, s, frameOf(5))
				for i, r := range viewers {
					if got := next(t, r); got != want {
						t.Fatalf("viewer %d got frame %d, want %d", i, got, want)
					}
				}
			}
			for i, r := range viewers {
				st := r.Stats()
				if st.Fragments.Complete != 200 || st.Fragments.Lost != 0 || !strings.HasPrefix(strings.Trim(st.From, "["), tt.from) {
					t.Errorf("viewer %d: %+v", i, st)
				}
				if r.LocalAddr() != group[0] {
					t.Errorf("viewer %d listens on %v, want %v", i, r.LocalAddr(), group[0])
				}
			}
			for _, r := range viewers {
				sendUntil(t, s, "the sender's clock", func() bool { _, ok := r.Clock(); return ok })
				if o, _ := r.Clock(); o.Ahead.Abs() > o.Bound {
					t.Errorf("offset is %v ± %v", o.Ahead, o.Bound)
				}
				if st := r.Stats(); st.Asides == 0 || st.Control != 0 {
					t.Errorf("the answers did not come to the viewer's own socket: %+v", st)
				}
			}
			if st := stranger.Stats(); st.Datagrams != 0 {
				t.Errorf("the viewer of %s heard %+v", tt.other, st)
			}
			if st := s.Stats().To; len(st) != 1 || st[0].Frames < 200 || st[0].Unsent != 0 || st[0].Interface == "" {
				t.Errorf("sent %+v", st)
			}
		})
	}
}

// What comes to the port but not to the group is not heard, also where the socket had
// to be bound to the wildcard.
func TestOnlyTheGroupIsHeard(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	for _, tt := range []struct {
		group, unicast string
		elsewhere      uint64 // reaches the socket, and is ignored there
	}{
		{"239.1.2.3:5600", "", 0},
		{"[ff15::42]:5601", "", 0},
		{"[ff02::42%lan0]:5602", "[fd77:1::1]:5602", 3},
	} {
		r := hear(t, ReceiverConfig{Listen: addrs(tt.group)[0]})
		if tt.unicast != "" {
			poke(t, addrs(tt.unicast)[0], []byte("1"), []byte("2"), []byte("3"))
		} else if c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv6loopback, Port: int(r.LocalAddr().Port())}); err != nil {
			t.Errorf("beside %s: %v", tt.group, err) // its socket is not the wildcard's
		} else {
			c.Close()
		}
		s := speak(t, SenderConfig{To: addrs(tt.group)})
		write(t, s, stream.NewFrame([]byte("one datagram")))
		next(t, r)
		if st := r.Stats(); st.Elsewhere != tt.elsewhere || st.Datagrams != 1 {
			t.Errorf("%s: %+v, want one datagram, and %d elsewhere", tt.group, st, tt.elsewhere)
		}
	}
}

// What other viewers on this host have joined is not heard by who has not: neither the
// same group on another interface, nor any by a viewer who listens on everything.
func TestOthersMembershipsAreNotHeard(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	addLAN(t, "lan1", 2)
	for _, group := range addrs("239.1.2.3:5600", "[ff15::42]:5600", "[ff02::42]:5600") {
		there := hear(t, ReceiverConfig{Listen: group, Interfaces: []string{"lan1"}})
		here := hear(t, ReceiverConfig{Listen: group, Interfaces: []string{"lan0"}})
		everything := hear(t, ReceiverConfig{Listen: netip.AddrPortFrom(netip.Addr{}, 5601)})
		s := speak(t, SenderConfig{To: []netip.AddrPort{group, netip.AddrPortFrom(group.Addr(), 5601)}, Interfaces: []string{"lan1"}})
		for range 20 {
			write(t, s, frameOf(1))
			next(t, there)
		}
		for what, r := range map[string]*Receiver{"another interface": here, "every address": everything} {
			if st := r.Stats(); st.Datagrams != 0 {
				t.Errorf("%v: the viewer on %s heard %+v", group, what, st)
			}
		}
		everything.Close()
	}
}

// Of two senders to a group only the source asked for is heard.
func TestSourceSpecific(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	ipCommand(t, "addr add 10.1.0.2/24 dev lan0")
	ipCommand(t, "addr add fd77:1::2/64 dev lan0 nodad")
	for _, tt := range []struct{ group, source, other string }{
		{"232.1.2.3:5600", "10.1.0.2", "10.1.0.1"},
		{"[ff35::8000:1]:5600", "fd77:1::2", "fd77:1::1"},
	} {
		group := addrs(tt.group)[0]
		source := netip.MustParseAddr(tt.source)
		one := hear(t, ReceiverConfig{Listen: group, Source: source})
		all := hear(t, ReceiverConfig{Listen: group})
		for _, from := range []string{tt.other, tt.source} {
			c := from4or6(t, from, "lan0")
			if _, err := c.WriteToUDPAddrPort([]byte("from "+from), group); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "both at the viewer without a source", func() bool { return all.Stats().Datagrams == 2 })
		eventually(t, "the source's", func() bool { return one.Stats().Datagrams > 0 })
		if st := one.Stats(); st.Datagrams != 1 || st.Bytes != uint64(len("from "+tt.source)) {
			t.Errorf("%v: the viewer of %v heard %+v", group, source, st)
		}
	}
}

// from4or6 opens a socket that sends to groups on an interface from a given address.
func from4or6(t *testing.T, from, iface string) *net.UDPConn {
	t.Helper()
	addr := netip.MustParseAddr(from)
	c, err := net.ListenUDP(network(addr.Is4()), net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		t.Fatal(err)
	}
	if addr.Is4() {
		err = ipv4.NewPacketConn(c).SetMulticastInterface(ifi)
	} else {
		err = ipv6.NewPacketConn(c).SetMulticastInterface(ifi)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The TTL on the wire is what was configured, and 1 unasked.
func TestTTL(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	lan, err := net.InterfaceByName("lan0")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range addrs("239.1.2.3:5600", "[ff15::42]:5600") {
		for configured, want := range map[int]int{0: 1, 7: 7, 255: 255} {
			c, err := net.ListenUDP(network(group.Addr().Is4()), &net.UDPAddr{Port: 5600})
			if err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			s := speak(t, SenderConfig{To: []netip.AddrPort{group}, TTL: configured})
			var got int
			if group.Addr().Is4() {
				p := ipv4.NewPacketConn(c)
				if err := firstError(p.JoinGroup(lan, ip(group.Addr())), p.SetControlMessage(ipv4.FlagTTL, true)); err != nil {
					t.Fatal(err)
				}
				write(t, s, frameOf(1))
				_, m, _, err := p.ReadFrom(make([]byte, 2000))
				if err != nil {
					t.Fatal(err)
				}
				got = m.TTL
			} else {
				p := ipv6.NewPacketConn(c)
				if err := firstError(p.JoinGroup(lan, ip(group.Addr())), p.SetControlMessage(ipv6.FlagHopLimit, true)); err != nil {
					t.Fatal(err)
				}
				write(t, s, frameOf(1))
				_, m, _, err := p.ReadFrom(make([]byte, 2000))
				if err != nil {
					t.Fatal(err)
				}
				got = m.HopLimit
			}
			if got != want {
				t.Errorf("to %v with TTL %d: %d on the wire, want %d", group, configured, got, want)
			}
			c.Close()
			s.Close()
		}
	}
}
