package udp

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/udp/batch"
)

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
