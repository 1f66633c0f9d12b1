package rate

import (
	"fmt"
	"testing"
	"time"
)

// streams are 1080p60 at 120 kB a frame and 720p30 at 150 kB.
var streams = map[string]func(*sim){
	"1080p60": func(s *sim) { s.fps, s.full, s.pic = 60, constant(120e3), Picture{1920, 1080, 25} },
	"720p30":  func(s *sim) { s.full = constant(150e3) },
}

// each runs a test for all queues and losses.
func each(t *testing.T, do func(t *testing.T, s *sim)) {
	for name, stream := range streams {
		for _, queue := range []float64{64e3, 128e3, 256e3} {
			for _, loss := range []float64{0, 0.01} {
				t.Run(fmt.Sprintf("%s, queue %.0f kB, loss %v", name, queue/1e3, loss), func(t *testing.T) {
					s := newSim(t, Config{})
					s.queue, s.loss = queue, loss
					stream(s)
					do(t, s)
				})
			}
		}
	}
}

func TestSqueezedLinkNeitherFreezesNorQueues(t *testing.T) {
	each(t, func(t *testing.T, s *sim) {
		s.rate = squeezed
		s.run(40 * time.Second)
		before, during, after := s.between(4*time.Second, 10*time.Second), s.between(10*time.Second, 20*time.Second), s.between(25*time.Second, 40*time.Second)
		t.Logf("before: %v", before)
		t.Logf("during: %v", during)
		t.Logf("20-25 s: %v", s.between(20*time.Second, 25*time.Second))
		t.Logf("after: %v", after)
		if s.thinned > 0 {
			t.Errorf("the only viewer, which the encode follows, was not sent %d frames", s.thinned)
		}
		if before.quality < 79.9 || before.changes > 0 {
			t.Errorf("the link that carries all was not used: %v", before)
		}
		if during.freeze > 500*time.Millisecond || during.p99 > 200*time.Millisecond {
			t.Errorf("a freeze over 500 ms, or a latency over 200 ms: %v", during)
		}
		// Once it has been found out what the link carries, it is used, and next to nothing lost.
		settled := s.between(11*time.Second, 20*time.Second)
		if carried := settled.bytes * float64(settled.frames) * 8 / 9; carried < 0.7*20e6/s.c.over {
			t.Errorf("only %.1f Mbit/s of JPEG were sent over 20: %v", carried/1e6, settled)
		}
		if settled.whole < settled.frames*95/100 {
			t.Errorf("too many frames were lost: %v", settled)
		}
		if during.changes > 14 {
			t.Errorf("the setting changed too often: %v", during)
		}
		if after.quality < 79.9 || after.changes > 1 || after.bytes < 0.99*before.bytes {
			t.Errorf("5 s after the squeeze it is not as before: %v", after)
		}
	})
}

func TestSlowLinkIsNotTriedOverAndOver(t *testing.T) {
	each(t, func(t *testing.T, s *sim) {
		s.rate = constant(20e6)
		s.run(4 * time.Minute)
		first, last := s.between(5*time.Second, time.Minute), s.between(2*time.Minute, 4*time.Minute)
		t.Logf("first minute: %v", first)
		t.Logf("the last two: %v", last)
		if first.freeze > 500*time.Millisecond || last.freeze > 500*time.Millisecond || last.p99 > 100*time.Millisecond {
			t.Errorf("freeze %v and %v, p99 %v", first.freeze, last.freeze, last.p99)
		}
		// A probe a half to a quarter minute, three steps each.
		if first.changes > 55 || last.changes > 40 {
			t.Errorf("the setting changed %d times in the first minute, and %d in the last two", first.changes, last.changes)
		}
		if last.whole < last.frames*98/100 {
			t.Errorf("too many frames were lost: %v", last)
		}
	})
}

func TestLinkTooSlowFromTheFirstFrameIsFoundOut(t *testing.T) {
	for _, rate := range []float64{4e6, 8e6, 15e6} {
		for name, stream := range streams {
			t.Run(fmt.Sprintf("%s over %.0f Mbit/s", name, rate/1e6), func(t *testing.T) {
				s := newSim(t, Config{})
				stream(s)
				s.queue, s.rate = 64e3, constant(rate)
				s.run(30 * time.Second)
				start, then := s.between(0, 3*time.Second), s.between(3*time.Second, 30*time.Second)
				t.Logf("start: %v", start)
				t.Logf("then: %v", then)
				if start.whole == 0 || then.freeze > 500*time.Millisecond || then.p99 > 250*time.Millisecond {
					t.Errorf("start %v, then %v", start, then)
				}
				if then.whole < then.frames*95/100 {
					t.Errorf("too many frames were lost: %v", then)
				}
			})
		}
	}
}

func TestLossOfTheLinksOwnChangesNothing(t *testing.T) {
	for _, loss := range []float64{0.01, 0.05, 0.1} {
		t.Run(fmt.Sprint(loss), func(t *testing.T) {
			s := newSim(t, Config{})
			s.loss, s.spare = loss, 0.35
			s.run(time.Minute)
			if b := s.between(4*time.Second, time.Minute); b.changes > 0 || b.quality < 79.9 {
				t.Errorf("%v", b)
			}
			if st := s.c.Stats(epoch.Add(time.Minute)); st.Cuts > 0 {
				t.Errorf("%d cuts", st.Cuts)
			}
		})
	}
}

func TestHeavyLossWithoutQueueIsCongestion(t *testing.T) {
	s := newSim(t, Config{})
	s.rate, s.queue = func(at time.Duration) float64 {
		if at > 5*time.Second {
			return 12e6 // of 17: and a queue that holds 4 ms
		}
		return 100e6
	}, 6e3
	s.fps, s.full = 60, constant(32e3)
	s.run(20 * time.Second)
	if b := s.between(8*time.Second, 20*time.Second); b.whole < b.frames*90/100 || s.c.Stats(epoch.Add(20*time.Second)).Cuts == 0 {
		t.Errorf("%v", b)
	}
}

// Frames become five times as large, again and again, on a link that then is too slow.
func TestContentThatJumpsIsFollowedAtOnce(t *testing.T) {
	s := newSim(t, Config{Most: 20e6})
	s.full = func(at time.Duration) float64 {
		if int(at/(5*time.Second))%2 == 1 {
			return 200e3
		}
		return 40e3
	}
	s.rate = constant(25e6)
	s.run(time.Minute)
	b := s.between(2*time.Second, time.Minute)
	t.Logf("%v, %+v", b, s.c.Stats(epoch.Add(time.Minute)))
	if b.freeze > 100*time.Millisecond || b.whole < b.frames {
		t.Errorf("a jump was to be seen: %v", b)
	}
	budget := 20e6 / 8 / 30 / s.c.over
	for _, o := range s.frames {
		if float64(o.bytes) > 1.6*budget {
			t.Fatalf("at %v: a frame of %d bytes for a budget of %.0f", o.at, o.bytes, budget)
		}
	}
	if again := s.c.Stats(epoch.Add(time.Minute)).Again; again == 0 || again > 12 {
		t.Errorf("%d pictures were encoded again, of 6 jumps", again)
	}
}

func TestSimulationsAreDeterministic(t *testing.T) {
	run := func() []outcome {
		s := newSim(t, Config{})
		s.rate, s.loss = squeezed, 0.01
		streams["1080p60"](s)
		s.run(25 * time.Second)
		return s.frames
	}
	a, b := run(), run()
	if len(a) != len(b) {
		t.Fatalf("%d and %d frames", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("frame %d: %+v and %+v", i, a[i], b[i])
		}
	}
}
