package udp

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// What a destination could not be sent, and what was left out for it, is known where its viewers' reports are read.
func TestReportsAreReadWithWhatWasNotSent(t *testing.T) {
	b := newBeggar(t)
	s := speak(t, SenderConfig{To: []netip.AddrPort{localAddr(b.c)}, Repair: RepairAuto})
	v := &teller{beggar: b}
	write(t, s, pictureOf(100))
	v.take(0, 100)
	v.tell(s, 100, 0)
	d := s.dests[0]
	real := d.writer
	d.writer = &script{errs: []error{syscall.EMSGSIZE}}
	write(t, s, pictureOf(100))
	if d.stats.Unsent != 100 {
		t.Fatalf("%+v", d.stats)
	}
	d.writer, v.seq = real, v.seq+100
	write(t, s, pictureOf(100))
	v.take(2, 100)
	v.tell(s, 100, 100)
	if loss, _ := s.viewers.loss(d.session, time.Now()); loss != 0 {
		t.Errorf("what was not sent is taken for a loss of %.2f %%", 100*loss)
	}
	v.tell(s, 90, 10)
	if loss, _ := s.viewers.loss(d.session, time.Now()); loss == 0 {
		t.Error("what is lost besides is not")
	}
	s.cfg.Every = func(string) int { return 1000 }
	for range 3 {
		write(t, s, pictureOf(1))
	}
	s.viewers.mu.Lock()
	defer s.viewers.mu.Unlock()
	if a := s.viewers.to[d.session]; a.skipped != 3 || a.unsent != d.stats.Unsent {
		t.Errorf("%+v, and %+v sent", a, d.stats)
	}
}

// A clock that is set while a question is on its way says nothing of the round trip.
func TestSettingTheClockLeavesTheRoundTrip(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, time.Hour} {
		peer, now := ap("192.0.2.1:5000"), time.Now()
		var p pinger
		p.follow(now, peer, 0)
		pings := askedBy(t, &p, now, 10*time.Millisecond)
		if len(pings) != 1 {
			t.Fatal(pings)
		}
		// The clock showed another time when it asked: by the one that is not set, the answer takes 30 ms.
		p.asked[0].sent -= step.Microseconds()
		pong := fragment.Pong{ID: pings[0].ID, Sent: p.asked[0].sent, Received: 5000, Answered: 5000}
		if !p.pong(peer, bytesOf(t, &pong), now.Add(30*time.Millisecond)) {
			t.Fatal("not taken for an answer")
		}
		if us := p.trips.us(now.Add(30 * time.Millisecond)); us != 30_000 {
			t.Errorf("the clock is set by %v, and the round trip is %d µs, want 30000", step, us)
		}
	}
}

// What is lost of a large frame's first datagrams is sent again while the last ones have not left, also where
// nothing has been saved up, since frames are rare.
func TestAFrameEarnsItsRepairsWhileItIsSent(t *testing.T) {
	const each = 1000
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	f := pictureOf(each)
	datagrams, err := cut.Split(1, 0, f.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s := &Sender{}
	d := s.newDestination(ap("127.0.0.1:9"), nil)
	w := &script{}
	d.conn, d.writer, d.lane = newBeggar(t).c, w, &lane{repairs: commonPurse{purse: purse{floor: laneFloor}}}
	s.resends.on = true
	s.resends.expect(d)
	s.resends.keep(1, f, cut, now)
	if !d.board(now, len(datagrams), len(f.JPEG)) {
		t.Fatal("it is not sent there")
	}
	for range each * 3 / 4 / 50 {
		d.step(now, cut, datagrams, 50)
	}
	w.took = 0
	var own onesOwn
	ask := func(blocks int) {
		r := fragment.Repair{Of: d.session, Frame: 1}
		for b := range blocks {
			m := fragment.Missing{Block: uint8(b)}
			m.Bits[0], m.Bits[1], m.Bits[2], m.Bits[3], m.Bits[4] = 255, 255, 255, 255, 255
			r.Missing = append(r.Missing, m)
		}
		s.resends.request(d.addr, bytesOf(t, &r), &own.ask, now)
	}
	ask(4) // 160 of the 750 that have been sent; the floor is for 64
	if got := d.repaired(); got.Resent != 160 || w.took != 160 {
		t.Errorf("%+v, want 160 sent again", got)
	}
	for range 10 {
		ask(4)
	}
	most := uint64(repairShare*float64(d.tookBytes)) + repairFloor
	if got := d.repaired(); got.ResentBytes > most || got.Refused == 0 {
		t.Errorf("%+v, want up to %d bytes", got, most)
	}
	s.resends.close()
}

// The figures of repairs are those of now: also of what came after the last frame.
func TestFiguresTellOfRepairsAfterTheLastFrame(t *testing.T) {
	b := newBeggar(t)
	s := speak(t, SenderConfig{To: []netip.AddrPort{localAddr(b.c)}, Repair: RepairNACK})
	write(t, s, pictureOf(5))
	var h fragment.Header
	for range 5 {
		h, _ = b.data()
	}
	b.ask(h.Session, h.Frame, some(1, 3))
	b.data()
	b.data()
	for _, when := range []string{"now", "after Close"} {
		if st := s.Stats(); st.Repairs.Resent != 2 || st.To[0].Repairs != st.Repairs {
			t.Errorf("%s: %+v", when, st.Repairs)
		}
		s.Close()
	}
}

// Figures may be asked for while the viewer ends, with a frame in progress.
func TestStatsWhileTheViewerEnds(t *testing.T) {
	b := newBeggar(t)
	r := hear(t, ReceiverConfig{Listen: ap("127.0.0.1:0")})
	b.to = r.LocalAddr()
	s, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := s.Split(1, 0, pictureOf(2).JPEG)
	if err != nil {
		t.Fatal(err)
	}
	r.Stats()
	if _, err := b.c.WriteToUDPAddrPort(append(datagrams[0].Header, datagrams[0].Payload...), b.to); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the fragment", func() bool { return r.Stats().Fragments.Opened == 1 })
	done, seen := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(seen)
		for {
			select {
			case <-done:
				return
			default:
				r.Stats()
			}
		}
	}()
	r.Close()
	close(done)
	<-seen
	if c := r.Stats().Fragments; c.Opened != c.Complete+c.Incomplete.Sum() {
		t.Errorf("%+v", c)
	}
}
