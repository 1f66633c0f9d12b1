package udp

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// With frames kept, and asked for, a frame costs no allocation.
func TestSendingAgainDoesNotAllocate(t *testing.T) {
	s := speak(t, SenderConfig{To: addrs("127.0.0.1:9"), Repair: RepairNACK})
	d := s.dests[0]
	d.writer = &script{}
	f, ask, parsed := frameOf(48), []byte(nil), fragment.Repair{}
	step := func() {
		write(t, s, f)
		ask, _ = (&fragment.Repair{Of: d.session, Frame: s.frame - 1, Missing: oneBlock}).AppendBinary(ask[:0])
		s.resends.request(d.addr, ask, &parsed, time.Now())
	}
	for range 20 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	if r := balance(t, s); r.Resent == 0 || s.resends.ignored.Load() != 0 {
		t.Errorf("%+v", r)
	}
}

var oneBlock = []fragment.Missing{some(1, 2, 40)}

// What is asked for is counted also where it cannot be sent, and uses no number.
func TestRepairsThatCannotBeSent(t *testing.T) {
	s := speak(t, SenderConfig{To: addrs("127.0.0.1:9"), Repair: RepairNACK})
	d := s.dests[0]
	fake := &script{}
	d.writer = fake
	write(t, s, frameOf(100))
	request := func(m fragment.Missing) {
		t.Helper()
		b, err := (&fragment.Repair{Of: d.session, Frame: 0, Missing: []fragment.Missing{m}}).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.resends.request(d.addr, b, &fragment.Repair{}, time.Now())
	}
	before := d.again.purse.have
	fake.noRoom = true
	request(fragment.Missing{})
	if r := balance(t, s); d.seq != 100 || r.Unsent != 100 || r.Wanted != 100 || d.again.purse.have < before {
		t.Errorf("without room: number %d, %+v", d.seq, r)
	}
	fake.noRoom = false
	request(some(0, 1))
	if r := balance(t, s); d.seq != 102 || r.Resent != 2 || r.Wanted != 102 {
		t.Errorf("with room again: number %d, %+v", d.seq, r)
	}
	fake.errs = []error{syscall.ECONNREFUSED} // met by who was there before
	request(some(0, 1))
	if r := balance(t, s); d.seq != 104 || r.Resent != 4 || !d.reader.refused.Load() {
		t.Errorf("after a refusal: number %d, %+v", d.seq, r)
	}
	d.again.aloft, d.next = true, 50 // as while the frame is being sent
	request(some(49, 50, 99))
	d.again.aloft = false
	if r := balance(t, s); d.seq != 105 || r.Repeated != 2 {
		t.Errorf("half of the frame is sent: number %d, %+v", d.seq, r)
	}
	d.close()
	request(some(1))
	if r := balance(t, s); r.Unsent != 101 {
		t.Errorf("without a socket: %+v", r)
	}
	s.resends.forget(d.session)
	request(some(1))
	if s.resends.ignored.Load() != 1 {
		t.Error("a destination that has gone is served")
	}
}

// A request for three fragments, from its bytes to the datagrams.
func BenchmarkSendAgain(b *testing.B) {
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{localAddr(to)}, Repair: RepairNACK})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Write(b.Context(), frameOf(86))
	d, parsed := s.dests[0], fragment.Repair{}
	ask, _ := (&fragment.Repair{Of: d.session, Missing: oneBlock}).AppendBinary(nil)
	d.again.purse.floor, d.lane.repairs.floor = 1e15, 1e15
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond / 100)
		s.resends.request(d.addr, ask, &parsed, now)
	}
}
