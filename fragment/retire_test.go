package fragment

import (
	"testing"
	"time"
)

// A frame whose fragments keep coming is kept for longer than the deadline, but not for ever.
func TestFrameThatComesSlowlyIsKept(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	slow := s.frame(640)
	for i, d := range slow.datagrams[:9] {
		g.now = g.now.Add(90 * time.Millisecond)
		g.nothing(g.push(addrA, d))
		g.r.Expire(g.now)
		if n := g.r.InProgress(); n != 1 {
			t.Fatalf("after fragment %d there are %d frames in progress", i, n)
		}
	}
	g.now = g.now.Add(99 * time.Millisecond)
	g.r.Expire(g.now)
	g.wants(g.push(addrA, slow.datagrams[9]), slow)

	slower, began := s.frame(1280), g.now // 20 fragments
	for i, d := range slower.datagrams[:11] {
		g.now = began.Add(time.Duration(i) * 99 * time.Millisecond)
		g.push(addrA, d)
	}
	if due := g.r.Expire(g.now); due != began.Add(MaxAge) {
		t.Errorf("after %v the frame is due %v after its first fragment, want %v", g.now.Sub(began), due.Sub(began), MaxAge)
	}
	g.r.Expire(began.Add(MaxAge))
	if c := g.r.Counters(); c.Incomplete != (Incomplete{Expired: 1}) {
		t.Errorf("got %+v, want one frame expired", c.Incomplete)
	}
}

// Expire gives frames up at their deadline, not before, and says when it is due.
func TestExpire(t *testing.T) {
	g, s := newRig(t, Config{Deadline: 80 * time.Millisecond}), newSender(t, 1)
	if next := g.r.Expire(g.now); !next.IsZero() {
		t.Errorf("before the first datagram Expire is due at %v", next)
	}
	g.push(addrA, s.frame(10).datagrams...)
	if next := g.r.Expire(g.now); !next.IsZero() {
		t.Errorf("with nothing in progress Expire is due at %v", next)
	}
	start := g.now
	first, second := s.frame(640), s.frame(640)
	g.push(addrA, first.datagrams[1:]...)
	g.now = start.Add(30 * time.Millisecond)
	g.push(addrA, second.datagrams[1:]...)
	for _, step := range []struct{ at, next, expired time.Duration }{
		{30, 80, 0}, {79, 80, 0}, {80, 110, 1}, {109, 110, 1}, {110, 0, 2}, {500, 0, 2},
	} {
		next := g.r.Expire(start.Add(step.at * time.Millisecond))
		assertBalanced(t, g.r)
		if want := start.Add(step.next * time.Millisecond); step.next == 0 && !next.IsZero() || step.next != 0 && !next.Equal(want) {
			t.Errorf("after %d ms Expire is due at %v, want %v", step.at, next.Sub(start), step.next*time.Millisecond)
		}
		if got := g.r.Counters().Incomplete.Expired; got != uint64(step.expired) {
			t.Errorf("after %d ms %d frames have expired, want %d", step.at, got, step.expired)
		}
	}
	g.nothing(g.push(addrA, first.datagrams[0], second.datagrams[0]))
}

// With Frames in progress a newer frame displaces the oldest, up to 64 ahead of the
// newest complete one.
func TestEvictionAndThe64Rule(t *testing.T) {
	g, s := newRig(t, Config{Frames: 3}), newSender(t, 1)
	g.push(addrA, s.frame(10).datagrams...) // frame 100
	var frames []sent
	for range 3 {
		frames = append(frames, s.frame(640))
		g.push(addrA, frames[len(frames)-1].datagrams[0])
	}
	at := func(ahead uint32) sent { s.id = 100 + ahead; return s.frame(640) }

	g.push(addrA, at(65).datagrams[0])
	if c := g.r.Counters(); c.Dropped.NoRoom != 1 || c.Incomplete.Evicted != 0 {
		t.Errorf("65 ahead: %+v, want no room", c)
	}
	edge := at(64)
	g.push(addrA, edge.datagrams[0])
	if c := g.r.Counters(); c.Dropped.NoRoom != 1 || c.Incomplete.Evicted != 1 {
		t.Errorf("64 ahead: %+v, want one evicted", c)
	}
	before := g.r.Counters().Dropped
	g.nothing(g.push(addrA, frames[0].datagrams[1:]...)) // the oldest was the one
	g.dropped(before, Dropped{Late: 9})
	g.wants(g.push(addrA, frames[1].datagrams[1:]...), frames[1])
	g.wants(g.push(addrA, edge.datagrams[1:]...), edge)
	if c := g.r.Counters(); c.Incomplete.Superseded != 1 {
		t.Errorf("got %+v, want one superseded", c)
	}
}

// A block whose CRC does not hold ends its frame at once, and nothing of it opens
// the frame again.
func TestBrokenCRC(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	g.push(addrA, s.frame(10).datagrams...)
	f := s.frame(64 * 250)
	spare := s.edited(f.datagrams[0], func(*Header) {})
	f.datagrams[200][60] ^= 1 // in the second block's picture
	g.nothing(g.push(addrA, f.datagrams...))
	g.nothing(g.push(addrA, spare))
	c := g.r.Counters()
	if c.Incomplete.Broken != 1 || c.Dropped != (Dropped{Late: 1}) || g.r.InProgress() != 0 {
		t.Errorf("got %+v, want one broken and one late", c)
	}
	next := s.frame(640)
	g.wants(g.push(addrA, next.datagrams...), next)
	if c := g.r.Counters(); c.Lost != 1 {
		t.Errorf("%d lost, want 1", c.Lost)
	}
}

// What is still under way to frames given up does not open them again, however many
// there were.
func TestGivenUpStaysGivenUp(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	g.push(addrA, s.frame(10).datagrams...)
	var rest [][]byte
	for range 16 {
		f := s.frame(128)
		g.push(addrA, f.datagrams[0])
		rest = append(rest, f.datagrams[1])
		g.wait(100 * time.Millisecond)
	}
	before := g.r.Counters()
	g.nothing(g.push(addrA, rest...))
	g.dropped(before.Dropped, Dropped{Late: 16})
	if c := g.r.Counters(); c.Opened != before.Opened || c.Incomplete.Expired != 16 {
		t.Errorf("got %+v, want 16 expired and none opened again", c)
	}
}

func TestConfig(t *testing.T) {
	bad := []Config{
		{Frames: -1}, {Frames: 65}, {MaxFrame: -1}, {MaxFrame: MaxFrameBytes + 1}, {Deadline: -1}, {Silence: -1},
	}
	for _, cfg := range bad {
		if _, err := NewReassembler(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	for _, cfg := range []Config{{}, {Frames: 1, MaxFrame: 1, Deadline: 1, Silence: 1}, {Frames: 64, MaxFrame: MaxFrameBytes}} {
		if _, err := NewReassembler(cfg); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
