package fragment

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// The circle of frame IDs has no special place: the same stream, with a loss, a
// frame that is overtaken and one that is late, runs from every edge.
func TestFrameIDsWrap(t *testing.T) {
	for _, edge := range []uint32{0, 1, 1 << 31, 1<<31 - 1, math.MaxUint32} {
		for back := uint32(0); back <= 8; back++ {
			start := edge - back
			t.Run(fmt.Sprint(start), func(t *testing.T) {
				g, s := newRig(t, Config{}), newSender(t, 1)
				s.id = start
				for i := range 5 {
					f := s.frame(640)
					g.wants(g.push(addrA, f.datagrams...), f)
					s.frame(640) // lost
					old, newer := s.frame(640), s.frame(640)
					g.nothing(g.push(addrA, old.datagrams[:5]...))
					g.wants(g.push(addrA, newer.datagrams...), newer)
					g.nothing(g.push(addrA, old.datagrams[5:]...))
					c := g.r.Counters()
					n := uint64(i + 1)
					if c.Complete != 2*n || c.Lost != 2*n || c.Incomplete.Superseded != n || c.Dropped != (Dropped{Late: 5 * n}) {
						t.Fatalf("round %d: %+v", i, c)
					}
				}
			})
		}
	}
}

// Half the circle ahead is new, one more is old: RFC 1982.
func TestHalfTheCircle(t *testing.T) {
	for _, start := range []uint32{0, 1, 1 << 31, math.MaxUint32} {
		g, s := newRig(t, Config{}), newSender(t, 1)
		s.id = start
		g.push(addrA, s.frame(10).datagrams...)
		for _, tt := range []struct {
			ahead uint32
			late  bool
		}{{0, true}, {1 << 31, true}, {1<<31 + 1, true}, {math.MaxUint32, true}, {1<<31 - 1, false}} {
			s.id = start + tt.ahead
			before := g.r.Counters()
			g.nothing(g.push(addrA, s.frame(640).datagrams[0]))
			after := g.r.Counters().Dropped
			if late := after.Late+after.Surplus > before.Dropped.Late+before.Dropped.Surplus; late != tt.late {
				t.Errorf("%d ahead of %d: late is %v, want %v", tt.ahead, start, late, tt.late)
			}
		}
	}
}

// The oldest frame in progress is the oldest on the circle, not the lowest number.
func TestEvictionAcrossTheWrap(t *testing.T) {
	for _, start := range []uint32{math.MaxUint32 - 2, 1<<31 - 3} {
		g, s := newRig(t, Config{Frames: 3}), newSender(t, 1)
		s.id = start
		g.push(addrA, s.frame(10).datagrams...)
		var frames []sent
		for range 4 { // begins before the edge, ends behind it
			frames = append(frames, s.frame(640))
			g.nothing(g.push(addrA, frames[len(frames)-1].datagrams[:9]...))
		}
		g.nothing(g.push(addrA, frames[0].datagrams[9])) // evicted
		for _, f := range frames[1:] {
			g.wants(g.push(addrA, f.datagrams[9]), f)
		}
	}
}

// A gap in the IDs counts as that many frames lost; an absurd one does not.
func TestLostFrames(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	s.id = math.MaxUint32 - 10
	g.push(addrA, s.frame(10).datagrams...)
	s.id, s.seq = s.id+1000, s.seq+1000
	g.push(addrA, s.frame(10).datagrams...)
	if c := g.r.Counters(); c.Lost != 1000 || c.LeftOut != 0 {
		t.Errorf("%d lost and %d left out, want 1000 and none", c.Lost, c.LeftOut)
	}
	s.id, s.seq = s.id+maxGap, s.seq+1
	g.push(addrA, s.frame(10).datagrams...)
	if c := g.r.Counters(); c.Lost != 1000 || c.LeftOut != 0 || c.Complete != 3 {
		t.Errorf("got %+v, want 3 complete and still 1000 lost", c)
	}
	g.wait(time.Second)
}

// Frames that the sender leaves out for this viewer use no sequence numbers, and are not lost; others are, also
// where some are left out. What is asked for may take the time between those that are sent.
func TestLeftOutFramesAreNotLost(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	for range 20 {
		f := s.frame(640)
		g.wants(g.push(addrA, f.datagrams...), f)
		s.id += 2 // one of three is sent
	}
	if c := g.r.Counters(); c.Lost != 0 || c.LeftOut != 2*19 {
		t.Errorf("%d lost and %d left out, want none and 38", c.Lost, c.LeftOut)
	}
	if want := 3 * 33_333 * time.Microsecond; g.r.followed.interval != want {
		t.Errorf("frames come every %v, want %v", g.r.followed.interval, want)
	}
	for range 4 {
		s.frame(640) // is lost
		s.id += 2
		f := s.frame(640)
		g.wants(g.push(addrA, f.datagrams...), f)
		s.id += 2
	}
	if c := g.r.Counters(); c.Lost != 4 || c.LeftOut != 2*19+2*8 {
		t.Errorf("%d lost and %d left out, want 4 and 54", c.Lost, c.LeftOut)
	}
	if want := 3 * 33_333 * time.Microsecond; g.r.followed.interval != want {
		t.Errorf("frames come every %v, want %v", g.r.followed.interval, want)
	}
	s.id -= 2
	for range 3 { // all of them again
		f := s.frame(640)
		g.wants(g.push(addrA, f.datagrams...), f)
	}
	if c := g.r.Counters(); c.Lost != 4 || c.LeftOut != 2*19+2*8 {
		t.Errorf("%d lost and %d left out, want 4 and 54", c.Lost, c.LeftOut)
	}
}
