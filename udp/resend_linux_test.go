package udp

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// Members of a group ask from sockets of their own, and all hear what is sent again: once.
func TestAGroupHearsWhatOneMemberAsksFor(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	for _, tt := range []struct{ group, iface string }{{"239.1.2.3:5600", "lo"}, {"239.1.2.3:5600", "lan0"}, {"[ff15::42]:5600", "lan0"}} {
		group := ap(tt.group)
		s := speak(t, SenderConfig{To: addrs(tt.group), Interfaces: []string{tt.iface}, Repair: RepairNACK})
		ifi, err := net.InterfaceByName(tt.iface)
		if err != nil {
			t.Fatal(err)
		}
		var members, asking []*beggar
		for range 3 {
			c, err := net.ListenMulticastUDP(network(group.Addr().Is4()), ifi, net.UDPAddrFromAddrPort(group))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			own, err := net.ListenUDP(network(group.Addr().Is4()), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { own.Close() })
			members, asking = append(members, &beggar{t: t, c: c}), append(asking, &beggar{t: t, c: own})
		}
		write(t, s, stream.NewFrame(make([]byte, 10*1344))) // 10 datagrams by either version of IP
		var h fragment.Header
		for i, m := range members {
			for range 10 {
				h, _ = m.data()
			}
			asking[i].to = m.to
		}
		for _, a := range asking {
			a.ask(h.Session, h.Frame, some(3, 7))
		}
		asking[0].ask(h.Session+1, h.Frame, some(4))
		eventually(t, "all requests", func() bool { return balance(t, s).Requests == 3 && s.Stats().RepairsIgnored == 1 })
		r := balance(t, s)
		if r.Wanted != 6 || r.Resent < 2 || r.Refused+r.Unsent+r.Gone > 0 {
			t.Errorf("%s on %s: %+v", tt.group, tt.iface, r)
		}
		for i, m := range members {
			var p []byte
			came := uint64(0)
			for want := uint64(10); m.next(&h, &p, 50*time.Millisecond); want++ {
				if came++; h.Sequence != want || h.Flags != fragment.FlagRepair || h.Index != 3 && h.Index != 7 {
					t.Errorf("%s on %s: member %d hears %+v", tt.group, tt.iface, i, h)
				}
			}
			if came != r.Resent {
				t.Errorf("%s on %s: member %d hears %d again of %d", tt.group, tt.iface, i, came, r.Resent)
			}
		}
		t.Logf("%s on %s: %+v", tt.group, tt.iface, r)
		s.Close()
	}
}

// A flood of strangers' requests leaves a group's member what it asks for.
func TestStrangersDoNotCrowdOutAMember(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	group := ap("239.1.2.3:5600")
	s := speak(t, SenderConfig{To: []netip.AddrPort{group}, Interfaces: []string{"lo"}, Repair: RepairNACK})
	ifi, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenMulticastUDP("udp4", ifi, net.UDPAddrFromAddrPort(group))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, asking, stranger := &beggar{t: t, c: c}, newBeggar(t), newBeggar(t)
	frame := func() (h fragment.Header) {
		write(t, s, frameOf(8))
		for range 8 {
			h, _ = m.data()
		}
		return h
	}
	h := frame()
	wrong := h.Session + 1
	asking.to, stranger.to = m.to, m.to
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for began, sent := time.Now(), 0; ; time.Sleep(time.Millisecond) {
			select {
			case <-over:
				t.Logf("%d strangers' requests in %v", sent, time.Since(began))
				return
			default:
			}
			for due := int(10_000 * time.Since(began).Seconds()); sent < due; sent++ {
				stranger.ask(wrong, 0, some(0))
			}
		}
	})
	eventually(t, "the flood", func() bool { write(t, s, frameOf(1)); m.data(); return s.Stats().RepairsIgnored > 100 })
	const frames = 100
	answered := 0
	for range frames {
		h = frame()
		asking.ask(h.Session, h.Frame, some(1))
		var p []byte
		if m.next(&h, &p, 50*time.Millisecond) {
			answered++
		}
	}
	close(over)
	wg.Wait()
	if answered < frames*9/10 {
		t.Errorf("of %d requests %d are answered: %+v, %d ignored", frames, answered, balance(t, s), s.Stats().RepairsIgnored)
	}
	t.Logf("%d of %d answered, %d ignored", answered, frames, s.Stats().RepairsIgnored)
}
