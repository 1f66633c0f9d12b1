package rate

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// A way that was interrupted is as fast as it was when it is there again. (After half a second that
// cannot be told from a slow one.)
func TestInterruptionIsNoSlowLink(t *testing.T) {
	const from = 12 * time.Second
	for _, length := range []time.Duration{2 * time.Second, 4 * time.Second, 30 * time.Second} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			s := newSim(t, Config{})
			s.gone = func(at time.Duration) bool { return at >= from && at < from+length }
			s.run(from + length + 10*time.Second)
			if b := s.between(from+length, from+length+10*time.Second); b.quality < 79 || b.changes > 1 {
				t.Errorf("after it: %v", b)
			}
		})
	}
}

// Reports that come late all the time are heeded like others.
func TestLinkOfAViewerThatReportsSeldomIsFoundSlow(t *testing.T) {
	c := newCrowd(t, Config{})
	received := uint64(0)
	for range 20 {
		c.pass(2*time.Second, nil)
		received += 2 * 5_000_000 / 8 / packet
		c.c.Report(c.now, Report{Viewer: "v", Received: received, Queueing: 60 * time.Millisecond})
	}
	if s := c.c.Stats(c.now); s.Rate == 0 || s.Rate > 6e6 {
		t.Errorf("of a link of 5 Mbit/s: %v", s)
	}
}

// A queue that does not become shorter when less is sent is not ours: another stream's, or what
// a step of the sender's clock looks like until the viewer has forgotten what was before it.
func TestQueueThatIsNotOursDoesNotStarveUs(t *testing.T) {
	const from = 12 * time.Second
	for queue, low := range map[time.Duration]float64{30 * time.Millisecond: 20e3, 100 * time.Millisecond: 16e3, time.Second: 10e3} {
		t.Run(fmt.Sprint(queue), func(t *testing.T) {
			s := newSim(t, Config{})
			s.lie = func(at time.Duration) time.Duration {
				if at >= from && at < from+9*time.Second {
					return queue
				}
				return 0
			}
			s.run(from + 20*time.Second)
			if b := s.between(from+5*time.Second, from+9*time.Second); b.bytes < low || b.frames < 4*30 {
				t.Errorf("during it, of frames of 65 kB: %v", b)
			}
			if b := s.between(from+16*time.Second, from+20*time.Second); b.quality < 79 || b.bytes < 60e3 {
				t.Errorf("5 s after the viewer has forgotten it: %v", b)
			}
		})
	}
}

// A viewer who lies, leaves or comes and goes leaves figures that make sense, and takes nothing
// from the others.
func TestLiarIsNotBelieved(t *testing.T) {
	for name, lie := range map[string]func(i uint64) Report{
		"everything came": func(i uint64) Report {
			return Report{Received: i << 40, Queueing: time.Hour}
		},
		"it all came at once": func(i uint64) Report {
			return Report{Received: min(i, 1) << 62, Queueing: time.Duration(i%2) * time.Hour}
		},
		"counts that wrap": func(i uint64) Report {
			return Report{Received: i * (math.MaxUint64 / 3), Missing: math.MaxUint64 - i, Queueing: time.Second}
		},
		"nothing came":     func(i uint64) Report { return Report{Missing: i * 1e6, Queueing: time.Hour, RTT: time.Hour} },
		"now and then":     func(i uint64) Report { return Report{Received: i % 2 * 1e6, Queueing: -time.Hour, RTT: -time.Hour} },
		"nothing was sent": func(uint64) Report { return Report{Queueing: 60 * time.Millisecond} },
	} {
		for _, alone := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, alone %v", name, alone), func(t *testing.T) {
				c, others := newCrowd(t, Config{}), map[string]float64{"honest": 1e9}
				if alone {
					others = nil
				}
				c.pass(4*time.Second, others)
				for i := range uint64(200) {
					c.pass(100*time.Millisecond, others)
					r := lie(i)
					r.Viewer = "liar"
					c.c.Report(c.now, r)
					if s := c.c.Stats(c.now); s.Rate < 0 || s.Budget < 0 || s.Quality < floor || s.Quality > 80 {
						t.Fatalf("report %d: %+v", i, s)
					}
				}
				if s := c.c.Stats(c.now); !alone && (s.Quality != 80 || s.Scale != 100 || s.Every != 1 || c.c.EveryFor("honest") != 1) {
					t.Errorf("the honest viewer gets one frame of %d, of %v", c.c.EveryFor("honest"), s)
				}
			})
		}
	}
}

// Who was behind a slow link and has left is forgotten, and the rest of the stream goes out in full.
func TestViewerWhoLeavesDuringASqueezeIsForgotten(t *testing.T) {
	c := newCrowd(t, Config{})
	c.pass(10*time.Second, map[string]float64{"v": 4e6})
	if s := c.c.Stats(c.now); s.Rate == 0 || s.Rate > 8e6 {
		t.Fatalf("while it is there: %v", s)
	}
	c.pass(8*time.Second, nil)
	if s := c.c.Stats(c.now); s.Rate != 0 || s.Quality != 80 || s.Scale != 100 || s.Every != 1 {
		t.Errorf("after it has left: %v", s)
	}
}

// One picture in five seconds has five seconds' bytes.
func TestSeldomPicturesHaveTheirTimesBudget(t *testing.T) {
	c, err := New(Config{Most: 1e6, Blind: true})
	if err != nil {
		t.Fatal(err)
	}
	p, now := Picture{1280, 720, 25}, epoch
	for range 12 {
		now = now.Add(5 * time.Second)
		if set, ok := c.Next(now, p); ok {
			c.Made(now, p, set, int(150e3*curveAt(set.Quality)*float64(set.Scale*set.Scale)/1e4))
		}
	}
	if s := c.Stats(now); s.Quality != 80 || s.Scale != 100 || s.Every != 1 {
		t.Errorf("a picture of 1.2 Mbit each 5 s over 1 Mbit/s is made %v, with a budget of %d bytes", s, s.Budget)
	}
}

// What a recording's header or a pipe takes from the first picture holds for all that follow, on a link
// that carries them.
func TestStreamBeginsInItsFullSize(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, Config{})
			stream(s)
			s.run(6 * time.Second)
			for _, o := range s.frames {
				if o.set.Scale != 100 {
					t.Fatalf("at %v: %+v", o.at, o.set)
				}
			}
			if b := s.between(3*time.Second, 6*time.Second); b.quality < 79.9 || b.freeze > 40*time.Millisecond {
				t.Errorf("after 3 s: %v", b)
			}
		})
	}
}

// A picture that was not encoded here has no quality that could be told.
func TestStatsOfFinishedJPEGsTellWhatIsKnown(t *testing.T) {
	for most, want := range map[int64]string{0: "", 2e6: "2 Mbit/s"} {
		c := newCrowd(t, Config{Most: most})
		for i := range 30 {
			c.c.Pass(epoch.Add(time.Duration(i)*time.Second/30), 100e3)
		}
		if s := c.c.Stats(epoch.Add(time.Second)); s.String() != want || s.Quality != 0 || (s.LeftOut > 0) != (most > 0) {
			t.Errorf("%q, %+v, want %q", s, s, want)
		}
	}
}

// A group of the greatest size costs a frame next to nothing, and no memory.
func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{1, 128, maxViewers} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, err := New(Config{})
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				c.Report(epoch, Report{Viewer: fmt.Sprint(i), Group: true})
				c.links[fmt.Sprint(i)].target = 1e6 + float64(i)*1e4
			}
			p, now := Picture{1280, 720, 25}, epoch
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Microsecond)
				s, _ := c.Next(now, p)
				c.Made(now, p, s, 50000)
			}
		})
	}
}
