package fragment

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func reversed(d [][]byte) [][]byte {
	d = slices.Clone(d)
	slices.Reverse(d)
	return d
}

func shuffled(rng *rand.Rand, d [][]byte) [][]byte {
	d = slices.Clone(d)
	rng.Shuffle(len(d), func(i, j int) { d[i], d[j] = d[j], d[i] })
	return d
}

func TestFragmentsInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 63, 64, 65, 1000, 64 * 200, 64*200 + 1, 64*1500 + 7} {
		g, s := newRig(t, Config{}), newSender(t, 1)
		for _, order := range []func([][]byte) [][]byte{
			slices.Clone[[][]byte], reversed, func(d [][]byte) [][]byte { return shuffled(rng, d) },
		} {
			f := s.frame(size)
			g.wants(g.push(addrA, order(f.datagrams)...), f)
		}
		if c := g.r.Counters(); c.Complete != 3 || c.Dropped.Sum() != 0 || c.Missing != 0 || c.Lost != 0 || c.Used != s.seq || c.Sequenced != s.seq {
			t.Errorf("%d bytes: %+v", size, c)
		}
	}
}

func TestRandomSizesShardsAndOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	g, s := newRig(t, Config{}), newSender(t, 1)
	for range 300 {
		if err := s.cut.SetShard(64 * (1 + rng.IntN(40))); err != nil { // as when the MTU changes
			t.Fatal(err)
		}
		f := s.frame(1 + rng.IntN(100_000))
		for i := range f.datagrams { // some senders pad the last fragment
			h, payload := header(t, f.datagrams[i])
			if rng.IntN(2) == 0 {
				f.datagrams[i] = append(f.datagrams[i], make([]byte, h.Shard-len(payload))...)
			}
		}
		g.wants(g.push(addrA, shuffled(rng, f.datagrams)...), f)
		g.out[0].Release()
		g.out = g.out[:0]
	}
	if c := g.r.Counters(); c.Complete != 300 || c.Dropped.Sum() != 0 || c.Missing != 0 {
		t.Errorf("got %+v", c)
	}
}

// Four frames whose fragments come in turn are all completed, in order.
func TestInterleavedFrames(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	g.push(addrA, s.frame(10).datagrams...) // from now on it is followed
	var frames []sent
	for range 4 {
		frames = append(frames, s.frame(640))
	}
	for i := range 9 {
		for _, f := range frames {
			g.nothing(g.push(addrA, f.datagrams[i]))
		}
	}
	if n := g.r.InProgress(); n != 4 {
		t.Fatalf("%d frames in progress, want 4", n)
	}
	for _, f := range frames {
		g.wants(g.push(addrA, f.datagrams[9]), f)
	}
}

// A newer frame that completes first retires the older one, whose last fragment
// then is late.
func TestNewerFrameFirst(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	g.push(addrA, s.frame(10).datagrams...)
	older, newer := s.frame(640), s.frame(640)
	g.nothing(g.push(addrA, older.datagrams[:9]...))
	g.wants(g.push(addrA, newer.datagrams...), newer)
	before := g.r.Counters().Dropped
	g.nothing(g.push(addrA, older.datagrams[9]))
	g.dropped(before, Dropped{Late: 1})
	if c := g.r.Counters(); c.Incomplete.Superseded != 1 || c.Lost != 1 || c.Reordered != 1 || c.Missing != 0 {
		t.Errorf("got %+v, want one superseded, lost and reordered, none missing", c)
	}
}

func TestDuplicates(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	for range 5 {
		f := s.frame(640)
		before := g.r.Counters().Dropped
		for _, d := range f.datagrams[:9] {
			g.nothing(g.push(addrA, d, d, d))
		}
		g.wants(g.push(addrA, f.datagrams[9], f.datagrams[9]), f)
		g.nothing(g.push(addrA, f.datagrams...))
		g.dropped(before, Dropped{Duplicate: 18 + 1 + 10})
	}
	if c := g.r.Counters(); c.Complete != 5 || c.Sequenced != 50 || c.Missing != 0 {
		t.Errorf("got %+v, want 5 frames of 50 datagrams, none missing", c)
	}
}

// A repair takes the next sequence number. It completes the frame like the first
// sending would have; one that was not needed is a duplicate, one for a complete
// frame is surplus.
func TestRepairs(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	f := s.frame(640)
	repair := func(i int) []byte {
		return s.edited(f.datagrams[i], func(h *Header) { h.Flags |= FlagRepair })
	}
	g.nothing(g.push(addrA, slices.Delete(slices.Clone(f.datagrams), 4, 5)...))
	before := g.r.Counters().Dropped
	g.nothing(g.push(addrA, repair(3)))
	g.dropped(before, Dropped{Duplicate: 1})
	g.wants(g.push(addrA, repair(4)), f)
	g.nothing(g.push(addrA, repair(5)))
	g.dropped(before, Dropped{Duplicate: 1, Surplus: 1})
	if c := g.r.Counters(); c.Missing != 1 { // the first sending of 4
		t.Errorf("%d missing, want 1", c.Missing)
	}
}

// A session joined in the middle: the partial frame is given up, the next one shown.
func TestJoinInTheMiddle(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	for range 50 {
		s.frame(640)
	}
	first, second := s.frame(640), s.frame(640)
	g.nothing(g.push(addrA, first.datagrams[6:]...))
	g.wants(g.push(addrA, second.datagrams...), second)
	if c := g.r.Counters(); c.Incomplete.Evicted != 1 || c.Missing != 0 || c.Lost != 0 || c.Takeovers != 0 {
		t.Errorf("got %+v, want one evicted, none missing, lost or taken over", c)
	}
	if g.r.Followed() != addrA {
		t.Errorf("following %v, want %v", g.r.Followed(), addrA)
	}
}
