package udp

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp/batch"
)

// beggar is a viewer that asks for what it likes.
type beggar struct {
	t  *testing.T
	c  *net.UDPConn
	to netip.AddrPort // the sender, once a datagram has come
}

func newBeggar(t *testing.T) *beggar {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	setReadBuffer(c, 4<<20)
	return &beggar{t: t, c: c}
}

// data is the next data datagram, which must come; its header is valid, and its payload the caller's.
func (b *beggar) data() (h fragment.Header, payload []byte) {
	b.t.Helper()
	if !b.next(&h, &payload, 10*time.Second) {
		b.t.Fatal("nothing comes")
	}
	return h, payload
}

func (b *beggar) next(h *fragment.Header, payload *[]byte, patience time.Duration) bool {
	buf := make([]byte, 2000)
	for {
		b.c.SetReadDeadline(time.Now().Add(patience))
		n, from, err := b.c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return false
		}
		if from = unmap(from); b.to != from { // who asks meanwhile reads it
			b.to = from
		}
		if *payload, err = h.Parse(buf[:n]); err == nil {
			return true
		}
	}
}

// ask asks for fragments of blocks.
func (b *beggar) ask(session uint64, frame uint32, missing ...fragment.Missing) {
	b.t.Helper()
	m, err := (&fragment.Repair{Of: session, Frame: frame, Missing: missing}).AppendBinary(nil)
	if err == nil {
		_, err = b.c.WriteToUDPAddrPort(m, b.to)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// some asks for single fragments of block 0.
func some(list ...int) (m fragment.Missing) {
	for _, i := range list {
		m.Bits[i/8] |= 1 << (i % 8)
	}
	return m
}

// balance checks that everything asked for is accounted for.
func balance(t *testing.T, s *Sender) (sum RepairStats) {
	t.Helper()
	s.publish()
	st := s.Stats()
	for _, d := range st.To {
		sum.add(d.Repairs)
	}
	for _, r := range append([]RepairStats{st.Repairs}, sum) {
		if r.Wanted != r.Resent+r.Repeated+r.Gone+r.Refused+r.Unsent {
			t.Errorf("the figures do not balance: %+v", r)
		}
	}
	return sum
}

func pictureOf(datagrams int) *stream.Frame {
	f := frameOf(datagrams)
	rand.NewChaCha8([32]byte{byte(datagrams)}).Read(f.JPEG)
	return f
}

// Who asks gets the same fragments again, flagged, with the session's next numbers; trains or
// not, at an address that was named or subscribed.
func TestAskedForFragmentsAreSentAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		noOffload, subscribe, shared bool
		mode                         Repair
	}{
		"trains":                   {mode: RepairNACK},
		"single ones":              {noOffload: true, mode: RepairAuto},
		"to who has come":          {subscribe: true, mode: RepairAuto},
		"by the listener's socket": {subscribe: true, shared: true, mode: RepairAuto},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBeggar(t)
			cfg := SenderConfig{Repair: tt.mode, NoOffload: tt.noOffload}
			if tt.subscribe {
				cfg.Listen = addrs("127.0.0.1:0")
			} else {
				cfg.To = []netip.AddrPort{localAddr(b.c)}
			}
			s := speak(t, cfg)
			f := pictureOf(10)
			if tt.subscribe {
				v := &visitor{t: t, c: b.c, to: s.LocalAddrs()[0], session: newSession()}
				v.ask()
				v.hello()
				eventually(t, "the guest", func() bool { return s.Stats().House.Viewers == 1 })
			}
			if tt.shared { // as on other systems than Linux
				s.attend(time.Now())
				d, l := s.dests[0], s.listeners[0]
				d.close()
				d.mu, d.conn, d.shared, d.to, d.writer = &l.sending, l.conn, true, d.addr, batch.NewWriter(l.conn, batch.Config{})
			}
			write(t, s, f)
			var parts [][]byte
			var first fragment.Header
			for i := range 10 {
				h, p := b.data()
				if i == 0 {
					first = h
				}
				parts = append(parts, bytes.Clone(p))
			}
			sequence := uint64(10)
			expect := func(frame uint32, index ...int) {
				t.Helper()
				for _, i := range index {
					h, p := b.data()
					if h.Session != first.Session || h.Frame != frame || h.Flags != fragment.FlagRepair || int(h.Index) != i || h.Sequence != sequence ||
						h.CRC != first.CRC || h.Captured != first.Captured || !bytes.Equal(p, parts[i]) {
						t.Errorf("asked for fragment %d of frame %d, as number %d: %+v", i, frame, sequence, h)
					}
					sequence++
				}
			}
			b.ask(first.Session, first.Frame, some(2, 5))
			expect(first.Frame, 2, 5)
			write(t, s, pictureOf(3))
			for range 3 {
				if h, _ := b.data(); h.Sequence != sequence || h.Flags != 0 || h.Frame != first.Frame+1 {
					t.Errorf("the next frame has %+v, want number %d", h, sequence)
				}
				sequence++
			}
			b.ask(first.Session, first.Frame, fragment.Missing{Block: 0})
			expect(first.Frame, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			b.ask(first.Session, first.Frame-1, some(0, 1, 2)) // never was
			b.ask(first.Session, first.Frame, fragment.Missing{Block: 1})
			b.ask(first.Session, first.Frame, some(9, 10))
			expect(first.Frame, 9)
			eventually(t, "all requests", func() bool { return balance(t, s).Requests == 5 })
			got := balance(t, s)
			want := RepairStats{Requests: 5, Wanted: 18, Resent: 13, Gone: 5, ResentBytes: 13 * (1408 + fragment.HeaderLen)}
			if got != want || s.Stats().Repairs != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if st := s.Stats().To[0]; st.Datagrams != 13 || st.Datagrams+got.Resent != sequence {
				t.Errorf("%+v, and %d numbers used", st, sequence)
			}
		})
	}
}

// Nobody but the viewer itself is served, and nobody where repair is not asked for.
func TestRequestsOfStrangersChangeNothing(t *testing.T) {
	for _, tt := range []struct {
		mode    Repair
		ignored uint64
	}{{RepairNone, 4}, {RepairFEC, 4}, {RepairNACK, 3}, {RepairAuto, 3}} {
		b := newBeggar(t)
		s := speak(t, SenderConfig{To: []netip.AddrPort{localAddr(b.c)}, Listen: addrs("127.0.0.1:0"), Repair: tt.mode})
		write(t, s, frameOf(4))
		var h fragment.Header
		for range 4 {
			h, _ = b.data()
		}
		stranger := newBeggar(t)
		stranger.to = s.LocalAddrs()[0]
		b.ask(h.Session+1, h.Frame, some(1))        // no session of ours
		stranger.ask(h.Session, h.Frame, some(1))   // not its viewer
		stranger.ask(h.Session+1, h.Frame, some(1)) // neither
		b.ask(h.Session, h.Frame, some(2))
		eventually(t, "all requests", func() bool {
			r := balance(t, s)
			return s.Stats().RepairsIgnored+r.Requests == 4
		})
		r := balance(t, s)
		if st := s.Stats(); st.RepairsIgnored != tt.ignored || r.Resent != 4-tt.ignored {
			t.Errorf("%v: %d ignored, %+v", tt.mode, st.RepairsIgnored, r)
		}
		var p []byte
		for _, x := range []*beggar{b, stranger} {
			for x.next(&h, &p, 50*time.Millisecond) {
				if x != b || h.Index != 2 && !(tt.mode == RepairFEC && int(h.Index) >= h.DataFragments()) {
					t.Errorf("%v: %+v came", tt.mode, h)
				}
			}
		}
		if s.resends.on != (tt.mode == RepairNACK || tt.mode == RepairAuto) || s.resends.on != (s.resends.history.Newest() != nil) {
			t.Errorf("%v: frames are kept: %t", tt.mode, s.resends.history.Newest() != nil)
		}
	}
}

// While frames are sent and others asked for, every number is used once, and none left out.
func TestNumbersOfRepairsAndFramesDoNotMeet(t *testing.T) {
	const frames, each = 300, 40
	b := newBeggar(t)
	s := speak(t, SenderConfig{To: []netip.AddrPort{localAddr(b.c)}, Repair: RepairNACK, Pace: 200e6})
	var wg sync.WaitGroup
	seen, newest := map[uint64]int{}, make(chan fragment.Header, 1)
	repairs := 0
	done := make(chan struct{})
	wg.Go(func() { // reads everything
		var h fragment.Header
		var p []byte
		for b.next(&h, &p, time.Second) {
			seen[h.Sequence]++
			if h.Flags&fragment.FlagRepair != 0 {
				repairs++
			}
			select {
			case newest <- h:
			default:
			}
		}
	})
	wg.Go(func() { // asks
		for {
			select {
			case <-done:
				return
			case h := <-newest:
				b.ask(h.Session, h.Frame, some(int(h.Index), (int(h.Index)+7)%each))
			}
		}
	})
	for range frames {
		write(t, s, frameOf(each))
	}
	close(done)
	wg.Wait()
	r := balance(t, s)
	total := s.Stats().To[0].Datagrams + r.Resent
	if s.Stats().To[0].Datagrams != frames*each || repairs == 0 || uint64(repairs) != r.Resent || uint64(len(seen)) != total {
		t.Errorf("%d numbers of %d came, %d of repairs: %+v", len(seen), total, repairs, r)
	}
	for n := range total {
		if seen[n] != 1 {
			t.Fatalf("number %d came %d times", n, seen[n])
		}
	}
	t.Logf("%+v", r)
}

// Who asks for everything 10 000 times a second gets a share of what is sent, and another
// destination every frame.
func TestFloodOfRequestsIsBounded(t *testing.T) {
	t.Parallel()
	const each = 30
	r := hear(t, ReceiverConfig{Listen: ap("127.0.0.1:0")})
	b := newBeggar(t)
	s := speak(t, SenderConfig{To: []netip.AddrPort{localAddr(b.c), r.LocalAddr()}, Repair: RepairAuto})
	write(t, s, frameOf(each))
	h, _ := b.data()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	began, asked := time.Now(), 0
	wg.Go(func() {
		for ; time.Since(began) < time.Second; time.Sleep(time.Millisecond) {
			for due := int(10_000 * time.Since(began).Seconds()); asked < due; asked++ {
				b.ask(h.Session, h.Frame+uint32(asked%60), fragment.Missing{Block: 0})
			}
		}
		cancel()
	})
	wg.Go(func() {
		var h fragment.Header
		var p []byte
		for ctx.Err() == nil {
			b.next(&h, &p, 10*time.Millisecond)
		}
	})
	for ctx.Err() == nil {
		write(t, s, frameOf(each))
		time.Sleep(time.Second / 60)
	}
	wg.Wait()
	took := time.Since(began).Seconds()
	got, st := balance(t, s), s.Stats()
	if most := uint64(repairShare*float64(st.To[0].Bytes) + repairFloor*(took+1)); got.ResentBytes == 0 || got.ResentBytes > most || got.Refused == 0 {
		t.Errorf("%d requests in %.1f s, %d bytes of frames: %+v, want up to %d bytes", asked, took, st.To[0].Bytes, got, most)
	}
	eventually(t, "the last frame", func() bool { return r.Stats().Fragments.Complete >= st.To[1].Frames })
	if other := st.To[1]; other.Repairs != (RepairStats{}) || other.Unsent+other.Skipped > 0 || other.Frames != st.Frames {
		t.Errorf("the other destination: %+v", other)
	}
	if c := r.Stats(); c.Fragments.Missing > 0 || c.Fragments.Lost > 0 {
		t.Errorf("the other viewer: %+v", c)
	}
	t.Logf("%d requests in %.1f s, %d bytes of frames: %+v", asked, took, st.To[0].Bytes, got)
}

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
