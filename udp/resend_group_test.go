package udp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// crowded is a sender to many whose datagrams go nowhere. It has sent a frame of so many of them.
func crowded(t *testing.T, datagrams int) (s *Sender, d *destination, ask func(from string, now time.Time, m ...fragment.Missing) RepairStats) {
	t.Helper()
	s = speak(t, SenderConfig{To: addrs("127.0.0.1:9"), Repair: RepairNACK})
	d = s.dests[0]
	d.writer, d.many = &script{}, true
	s.viewers.expect(d.session, "group", netip.AddrPort{}, false, time.Now())
	write(t, s, frameOf(datagrams))
	return s, d, func(from string, now time.Time, m ...fragment.Missing) RepairStats {
		t.Helper()
		b, err := (&fragment.Repair{Of: d.session, Frame: s.frame - 1, Missing: m}).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.resends.request(ap(from), b, &fragment.Repair{}, now)
		return balance(t, s)
	}
}

// A fragment that several members miss is sent once; who asks again a round trip later has
// not got it, and does.
func TestAGroupIsSentAFragmentOnce(t *testing.T) {
	s, d, ask := crowded(t, 50)
	now := time.Now()
	ask("10.0.0.2:1", now, some(1, 2, 3))
	got := ask("10.0.0.3:1", now.Add(unknownRTT-1), some(2, 3, 4))
	if got.Resent != 4 || got.Repeated != 2 {
		t.Errorf("two ask: %+v", got)
	}
	got = ask("10.0.0.2:1", now.Add(unknownRTT), some(1))
	if got.Resent != 5 || got.Repeated != 2 {
		t.Errorf("one asks again: %+v", got)
	}
	s.viewers.report(ap("10.0.0.4:1"), bytesOf(t, &fragment.Report{Of: d.session, RTT: 30_000}), now)
	s.viewers.report(ap("10.0.0.5:1"), bytesOf(t, &fragment.Report{Of: d.session, RTT: 20}), now)
	now = now.Add(time.Second / 10)
	ask("10.0.0.2:1", now, some(10, 11, 12))
	for i, tt := range []struct {
		from             string
		after            time.Duration
		index            int
		resent, repeated uint64
	}{
		{"10.0.0.4:1", 30*time.Millisecond - 1, 10, 0, 1},
		{"10.0.0.4:1", 30 * time.Millisecond, 10, 1, 0},
		{"10.0.0.5:1", leastRepeat - 1, 11, 0, 1},
		{"10.0.0.5:1", leastRepeat, 11, 1, 0},
	} {
		before := balance(t, s)
		got := ask(tt.from, now.Add(tt.after), some(tt.index))
		if got.Resent-before.Resent != tt.resent || got.Repeated-before.Repeated != tt.repeated {
			t.Errorf("step %d: %+v after %+v", i, got, before)
		}
	}
}

// One member that asks for everything leaves half of it to the others; made-up ones take
// no memory.
func TestOneMemberLeavesTheOthersTheirShare(t *testing.T) {
	s, d, ask := crowded(t, 190)
	now := time.Now()
	d.again.purse = purse{floor: 100 * (1408 + fragment.HeaderLen)}
	if got := ask("10.0.0.2:1", now, fragment.Missing{}); got.Resent != 50 || got.Refused != 140 {
		t.Errorf("one has asked for all: %+v", got)
	}
	if got := ask("10.0.0.2:1", now, some(60)); got.Resent != 50 {
		t.Errorf("and once more: %+v", got)
	}
	if got := ask("10.0.0.3:1", now, some(100, 101)); got.Resent != 52 {
		t.Errorf("another asks: %+v", got)
	}
	for i := range 1000 {
		ask(fmt.Sprintf("10.1.%d.%d:1", i/256, i%256), now, some(1))
	}
	if n := len(d.again.group.members); n != maxAskers {
		t.Errorf("%d members are told apart", n)
	}
	later := now.Add(reportLife + 1)
	s.resends.history.Keep(s.frame-1, frameOf(190), s.cut, later)
	before := balance(t, s)
	if got := ask("10.2.0.1:1", later, some(150)); got.Resent != before.Resent+1 || len(d.again.group.members) != 1 {
		t.Errorf("after the flood: %+v, %d members", got, len(d.again.group.members))
	}
}

// All destinations of an interface together are bounded, too.
func TestALaneIsBounded(t *testing.T) {
	var l lane
	l.repairs.floor = 10_000
	now := time.Now()
	paid := 0
	for range 20 {
		a := again{purse: purse{floor: 5000}, lane: &l}
		for range 10 {
			if a.pay(now, 1000, nil) {
				paid++
			}
		}
		if paid == 10 && a.purse.have != 5000 && a.purse.have != 0 {
			t.Errorf("a datagram that was not sent is paid for: %.0f of 5000 left", a.purse.have)
		}
	}
	if paid != 10 {
		t.Errorf("%d datagrams of 1000 bytes, want 10", paid)
	}
	l.repairs.earn(now, 8000)
	a := again{purse: purse{floor: 5000}, lane: &l}
	for i, want := range []bool{true, true, false} {
		if a.pay(now, 1000, nil) != want {
			t.Errorf("of a quarter of 8000 bytes, datagram %d of 1000 is paid for: %t", i, !want)
		}
	}
	a.refund(1000)
	if !a.pay(now, 1000, nil) {
		t.Error("what is refunded is not there")
	}
}
