package fragment

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/leopard"
)

// allocations runs f, which must already be in its steady state, and fails if it
// allocates at all.
func allocations(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s allocates %v times, want 0", what, n)
	}
}

func skipWithRaceDetector(t *testing.T) {
	if raceDetector { // in these builds stream.Pool allocates every frame, on purpose
		t.Skip("counts allocations: runs without the race detector only")
	}
}

func TestSplitAllocatesNothing(t *testing.T) {
	skipWithRaceDetector(t)
	s, jpeg := mustSplitter(t, 1408), picture(1, 300_000)
	sizes, i := []int{300_000, 1, 120_000, 281_601}, 0
	s.Split(0, 0, jpeg)
	allocations(t, "Split and Stamp of a frame", func() {
		i++
		datagrams, err := s.Split(uint32(i), 1, jpeg[:sizes[i%4]])
		if err != nil {
			t.Fatal(err)
		}
		s.Stamp(0, len(datagrams), 1, 2)
	})
}

// In steady state neither a datagram nor a frame costs an allocation, whatever
// becomes of it.
func TestPushAllocatesNothing(t *testing.T) {
	skipWithRaceDetector(t)
	r, err := NewReassembler(Config{})
	if err != nil {
		t.Fatal(err)
	}
	now, s, stranger := time.Unix(1_790_000_000, 0), newSender(t, 1), newSender(t, 2).frame(64*300)
	var frames []sent
	for range 260 {
		frames = append(frames, s.frame(64*300))
	}
	junk := bytes.Repeat([]byte("FG\x11"), 400)
	n := 0
	step := func() {
		f := frames[n]
		n++
		for i, d := range f.datagrams {
			out := r.Push(now, addrA, d)
			r.Push(now, addrA, d) // again
			if n > 1 {
				r.Push(now, addrB, stranger.datagrams[i])
				r.Push(now, addrA, frames[n-2].datagrams[i]) // of a frame already shown, or given up
			}
			r.Push(now, addrA, junk)
			if n%3 == 0 && i > 200 {
				break // given up, by being superseded
			}
			if n%5 == 0 && i > 200 {
				now = now.Add(150 * time.Millisecond)
				r.Expire(now)
				break // given up, at its deadline
			}
			if out != nil {
				out.Release()
			}
		}
		now = now.Add(33 * time.Millisecond)
		r.Expire(now)
	}
	for range 20 { // every slot's memory grows once
		step()
	}
	allocations(t, "a frame and its datagrams", step)
	if c := r.Counters(); c.Complete < 100 || c.Incomplete.Superseded+c.Incomplete.Expired < 50 || c.Dropped.Stranger < 10_000 {
		t.Errorf("the run was not what it was meant to be: %+v", c)
	}
}

// Parity costs no allocation either, nor do losses. Where package leopard has no kernels its library allocates
// lists of a block's fragments: two to make parity, one to rebuild.
func TestParityAllocatesNothing(t *testing.T) {
	skipWithRaceDetector(t)
	lists := 1.0
	if leopard.Kernels() {
		lists = 0
	}
	s := protected(t, 1, ParityShare(0.1))
	jpeg := picture(1, 64*300)
	step := func() {
		for _, n := range []int{300, 220, 271} { // two blocks each
			if _, err := s.cut.Split(1, 1, jpeg[:64*n-1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n > lists*2*2*3 {
		t.Errorf("Split of 6 blocks allocates %v times, want at most %v", n, lists*12)
	}
	for _, lost := range []int{0, 1, 10} {
		r, err := NewReassembler(Config{})
		if err != nil {
			t.Fatal(err)
		}
		var frames []sent
		for range 260 {
			frames = append(frames, s.frame(64*300-1))
		}
		n := 0
		step := func() {
			f := frames[n]
			n++
			for i, d := range f.datagrams {
				if i < 2*lost {
					continue
				}
				if out := r.Push(rigStart, addrA, d); out != nil {
					out.Release()
				}
			}
		}
		for range 20 {
			step()
		}
		if n, want := testing.AllocsPerRun(200, step), lists*float64(2*min(lost, 1)); n > want {
			t.Errorf("%d of each block lost: a frame allocates %v times, want at most %v", lost, n, want)
		}
		if c := r.Counters(); c.Complete != uint64(n) || c.Recovered != uint64(2*lost*n) {
			t.Errorf("the run was not what it was meant to be: %+v", c)
		}
	}
}

// Nor does noise that makes up sessions, or that repeats itself with sequence numbers
// out of nowhere, and gets a candidate's place all the time.
func TestNoiseAllocatesNothing(t *testing.T) {
	skipWithRaceDetector(t)
	for name, mask := range map[string]byte{"ever new sessions": 0xff, "few sessions": 0x01} {
		r, err := NewReassembler(Config{})
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(4, 4))
		s, now := newSender(t, 1), time.Unix(1_790_000_000, 0)
		d := s.frame(640).datagrams[0]
		step := func() {
			for range 1000 { // a thousand at once, so that a rare allocation is not rounded away
				now = now.Add(20 * time.Microsecond) // 50 000 a second
				for i := range 8 {
					d[4+i], d[12+i], d[20+i%4] = byte(rng.Uint32())&mask, byte(rng.Uint32()), byte(rng.Uint32())
				}
				r.Push(now, addrA, d)
			}
		}
		step()
		allocations(t, "noise with "+name, step)
		if c := r.Counters(); c.Complete != 0 || c.Incomplete.Abandoned < 20 {
			t.Errorf("%s: got %+v, want the candidates to change", name, c)
		}
	}
}

func TestHeaderAllocatesNothing(t *testing.T) {
	skipWithRaceDetector(t)
	d := newSender(t, 1).frame(10).datagrams[0]
	buf := make([]byte, 0, 100)
	var h Header
	allocations(t, "parsing and appending a header", func() {
		if _, err := h.Parse(d); err != nil {
			t.Fatal(err)
		}
		if _, err := h.AppendBinary(buf); err != nil {
			t.Fatal(err)
		}
	})
	allocations(t, "refusing a datagram", func() {
		if _, err := h.Parse(d[:47]); err != ErrShort {
			t.Fatal(err)
		}
	})
}
