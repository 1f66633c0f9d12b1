package fragment

import (
	"math/rand/v2"
	"testing"
	"time"
)

// play sends one frame each 33 ms, and reports how many came out.
func (g *rig) play(s *sender, frames int) (out int) {
	g.t.Helper()
	for range frames {
		out += len(g.push(addrA, s.frame(640).datagrams...))
		g.wait(33 * time.Millisecond)
	}
	return out
}

// A sender that was restarted, here or on another machine, is followed after 500 ms
// of silence and one whole frame, not before.
func TestRestart(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   *sender
		from int // 0 = the same address
	}{
		{"new session", newSender(t, 2), 0},
		{"new session, older IDs", func() *sender { s := newSender(t, 2); s.id = 1 << 31; return s }(), 0},
		{"new address", newSender(t, 2), 1},
		{"same session from a new address", newSender(t, 1), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, old := newRig(t, Config{}), newSender(t, 1)
			addr := addrA
			if tt.from == 1 {
				addr = addrB
			}
			if n := g.play(old, 10); n != 10 {
				t.Fatalf("%d of 10 frames came out", n)
			}
			g.wait(460 * time.Millisecond) // 493 ms since the last frame
			g.nothing(g.push(addr, tt.to.frame(640).datagrams...))
			if c := g.r.Counters(); c.Dropped != (Dropped{Stranger: 10}) {
				t.Errorf("before the silence is over: %+v", c.Dropped)
			}
			g.wait(7 * time.Millisecond) // 500 ms
			g.nothing(g.push(addr, tt.to.frame(640).datagrams[:9]...))
			if g.r.Followed() != addrA || g.r.Counters().Takeovers != 0 {
				t.Error("taken over by a partial frame")
			}
			f := tt.to.frame(640)
			g.wants(g.push(addr, f.datagrams...), f)
			if c := g.r.Counters(); g.r.Followed() != addr || c.Takeovers != 1 || c.Sequenced != old.seq+tt.to.seq-11 {
				t.Errorf("following %v, %+v", g.r.Followed(), c)
			}
			g.nothing(g.push(addrA, old.frame(640).datagrams...)) // the old one is a stranger now
			f = tt.to.frame(640)
			g.wants(g.push(addr, f.datagrams...), f)
		})
	}
}

// A recording played back by somebody else changes nothing while the sender lives.
func TestReplayByStranger(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	g.push(addrA, s.frame(640).datagrams...)
	for range 30 {
		f := s.frame(640)
		g.nothing(g.push(addrB, f.datagrams...)) // even when it comes first
		g.wants(g.push(addrA, f.datagrams...), f)
		g.nothing(g.push(addrB, f.datagrams...))
		g.wait(33 * time.Millisecond)
		if g.r.Followed() != addrA {
			t.Fatalf("following %v", g.r.Followed())
		}
	}
}

// A pause of any length is not an end.
func TestPause(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	for _, pause := range []time.Duration{499, 500, 501, 5000, 3_600_000} {
		f := s.frame(640)
		g.wants(g.push(addrA, f.datagrams...), f)
		g.wait(pause * time.Millisecond)
	}
	if c := g.r.Counters(); c.Takeovers != 0 || c.Dropped.Sum() != 0 {
		t.Errorf("got %+v, want no takeover and no drop", c)
	}
}

// A pause in which another sender begins but does not finish a frame is not an end
// either, and that sender is a stranger again.
func TestPauseWithRival(t *testing.T) {
	g, s, rival := newRig(t, Config{}), newSender(t, 1), newSender(t, 2)
	g.push(addrA, s.frame(640).datagrams...)
	g.wait(600 * time.Millisecond)
	half := rival.frame(640)
	g.nothing(g.push(addrB, half.datagrams[:9]...))
	f := s.frame(640)
	g.wants(g.push(addrA, f.datagrams...), f)
	g.nothing(g.push(addrB, half.datagrams[9]))
	if c := g.r.Counters(); c.Dropped != (Dropped{Stranger: 1}) || c.Takeovers != 0 || g.r.InProgress() != 1 {
		t.Errorf("got %+v", c)
	}
}

// What was in progress of the old sender and of other candidates is abandoned.
func TestTakeoverAbandons(t *testing.T) {
	g, a, b, c := newRig(t, Config{}), newSender(t, 1), newSender(t, 2), newSender(t, 3)
	g.push(addrA, a.frame(640).datagrams...)
	g.push(addrA, a.frame(640).datagrams[:5]...)
	g.now = g.now.Add(600 * time.Millisecond) // nobody called Expire
	g.push(addrB, b.frame(640).datagrams[:5]...)
	f := c.frame(640)
	g.wants(g.push(addrC, f.datagrams...), f)
	if c := g.r.Counters(); c.Incomplete.Abandoned != 2 || g.r.InProgress() != 0 || c.Takeovers != 1 {
		t.Errorf("got %+v, want two abandoned", c)
	}
}

// Noise takes the candidates' places, but a real sender gets one within a few frames,
// whether nobody was followed yet or somebody has stopped.
func TestFloodOfSessions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for _, ratio := range []int{1, 10, 50} {
		for _, every := range []time.Duration{33 * time.Millisecond, time.Second} {
			worst := 0
			for round := range 20 {
				followed := round%2 == 0
				g := newRig(t, Config{})
				if followed {
					g.play(newSender(t, 1), 5)
					g.wait(500 * time.Millisecond)
				}
				s, noise := newSender(t, 2), newSender(t, 3)
				noiseBase := noise.frame(640).datagrams[0]
				s.seq = rng.Uint64N(1 << 40)
				frames := 0
				for out := false; !out && frames < 100; frames++ {
					for _, d := range s.frame(640).datagrams {
						for range ratio {
							junk := noise.edited(d, func(h *Header) { h.Session, h.Sequence, h.Frame = rng.Uint64(), rng.Uint64(), rng.Uint32() })
							g.nothing(g.push(addrB, junk))
						}
						out = len(g.push(addrA, d)) == 1 || out
					}
					for until := g.now.Add(every); g.now.Before(until); g.wait(time.Millisecond) { // it goes on meanwhile
						g.nothing(g.push(addrB, noise.edited(noiseBase, func(h *Header) { h.Session, h.Sequence = rng.Uint64(), rng.Uint64() })))
					}
				}
				if worst = max(worst, frames); frames == 100 {
					t.Fatalf("ratio %d, round %d: not followed after 100 frames", ratio, round)
				}
			}
			if worst > 10 {
				t.Errorf("ratio %d, a frame each %v: followed only after %d frames, want at most 10", ratio, every, worst)
			}
		}
	}
}

// Two senders that never complete anything do not keep a third out for ever.
func TestRubbishSendersDoNotLockOut(t *testing.T) {
	g := newRig(t, Config{})
	junk := []*sender{newSender(t, 5), newSender(t, 6)}
	s := newSender(t, 1)
	for i := range 60 { // two seconds at 30 a second
		for k, j := range junk {
			addr := addrB
			if k == 1 {
				addr = addrC
			}
			g.nothing(g.push(addr, j.frame(640).datagrams[:9]...))
		}
		if i < 3 {
			continue // they come first
		}
		if len(g.push(addrA, s.frame(640).datagrams...)) == 1 {
			if since := time.Duration(i-3) * 33 * time.Millisecond; since > 1500*time.Millisecond {
				t.Errorf("followed only after %v", since)
			}
			return
		}
		g.wait(33 * time.Millisecond)
	}
	t.Error("never followed")
}
