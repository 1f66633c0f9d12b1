package fragment

import (
	"bytes"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/crc32c"
)

// asked is all that r wants to ask at now.
func asked(t *testing.T, r *Reassembler, now time.Time, p Path) (all []Repair) {
	t.Helper()
	for range 100 {
		var to Repair
		whom, _ := r.Ask(now, p, &to)
		if !whom.IsValid() {
			return all
		}
		all = append(all, to)
	}
	t.Fatal("Ask asks without end")
	return nil
}

// named is how many fragments of a block are asked for.
func named(all []Repair, block uint8) (n int) {
	for _, r := range all {
		for _, m := range r.Missing {
			if m.Block == block {
				n += m.Count()
			}
		}
	}
	return n
}

// cutFrame is a frame's datagrams, the second of two so that its sender is followed once the first is pushed.
func cutFrame(t *testing.T, size int, share float64) (r *Reassembler, datagrams [][]byte, now time.Time) {
	t.Helper()
	r, err := NewReassembler(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	s, err := NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	s.SetParity(ParityShare(share))
	now = time.Unix(1000, 0)
	seq := uint64(0)
	for id, n := range []int{100, size} {
		datagrams = datagrams[:0]
		all, err := s.Split(uint32(id), now.UnixMicro(), make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		s.Stamp(0, len(all), 5, seq)
		seq += uint64(len(all))
		for _, d := range all {
			datagrams = append(datagrams, append(bytes.Clone(d.Header), d.Payload...))
		}
		if id == 0 {
			for _, d := range datagrams {
				if f := r.Push(now, addrA, d); f != nil {
					f.Release()
				}
			}
			now = now.Add(second30)
		}
	}
	return r, datagrams, now
}

// A frame whose rest is held up on its way is not given up for that, whether somebody answers or not.
func TestWhatIsHeldUpIsWaitedFor(t *testing.T) {
	for _, ask := range []bool{false, true} {
		r, datagrams, now := cutFrame(t, 60_000, 0)
		for i, d := range datagrams {
			if i == len(datagrams)/2 {
				for range 120 { // 60 ms
					now = now.Add(500 * time.Microsecond)
					asked(t, r, now, Path{Ask: ask, RTT: 10 * time.Millisecond})
				}
			}
			if f := r.Push(now, addrA, d); f != nil {
				f.Release()
			}
		}
		if c := r.Counters(); c.Complete != 2 || c.Incomplete.Sum() > 0 {
			t.Errorf("ask %v: %+v", ask, c)
		}
		assertBalanced(t, r)
	}
}

// What comes of an answer is no reason to ask for the rest of it.
func TestAnAnswerInPiecesIsAskedForOnce(t *testing.T) {
	r, datagrams, now := cutFrame(t, 400_000, 0) // two blocks, one behind the other
	var h Header
	second := 0
	for i, d := range datagrams {
		if _, err := h.Parse(d); err != nil {
			t.Fatal(err)
		}
		if h.Block == 0 {
			r.Push(now, addrA, d)
			second = i + 1
		}
	}
	if second == len(datagrams) || h.Block != 1 {
		t.Fatalf("%d datagrams, the last of block %d", len(datagrams), h.Block)
	}
	path := Path{Ask: true, RTT: 5 * time.Millisecond}
	now = now.Add(10 * time.Millisecond)
	all := asked(t, r, now, path)
	if len(all) != 1 || len(all[0].Missing) != 1 || all[0].Missing[0] != (Missing{Block: 1}) {
		t.Fatalf("asked for %+v, want block 1", all)
	}
	for i, d := range datagrams[second:] {
		now = now.Add(10 * time.Microsecond)
		d[3] |= FlagRepair
		for j := range 8 {
			d[sequenceAt+j] = 0
		}
		d[sequenceAt+8-2], d[sequenceAt+8-1] = byte((1000+i)>>8), byte(1000+i)
		f := r.Push(now, addrA, d)
		if more := asked(t, r, now, path); len(more) > 0 {
			t.Fatalf("asked again behind %d: %+v", i, more)
		}
		if f != nil {
			f.Release()
		}
	}
	if c := r.Counters(); c.Repaired != 1 || c.Asked.Vain > 0 || c.Asked.Answered != uint64(len(datagrams)-second) {
		t.Errorf("%+v", c)
	}
}

// Parity that is there, or may still come, is not asked to be spared.
func TestOnlyWhatParityCannotGiveBackIsAskedFor(t *testing.T) {
	r, datagrams, now := cutFrame(t, 60_000, 0.1) // 43 + 5
	path := Path{Ask: true, RTT: 5 * time.Millisecond}
	data := (60_000 + 1407) / 1408
	parity := len(datagrams) - data
	if parity < 3 {
		t.Fatalf("%d datagrams", len(datagrams))
	}
	drop := parity + 2
	for i, d := range datagrams {
		if i >= 4 && i < 4+drop {
			continue // a burst
		}
		now = now.Add(20 * time.Microsecond)
		r.Push(now, addrA, d)
		if all := asked(t, r, now, path); len(all) > 0 {
			if n := named(all, 0); n != 2 || i >= data {
				t.Errorf("behind %d of %d: %d fragments asked for of %d, want 2", i, data, n, drop)
			}
		}
	}
	if c := r.Counters(); c.Asked.Fragments != 2 {
		t.Errorf("%d fragments asked for, want the 2 that parity cannot give back", c.Asked.Fragments)
	}
}

// Where the round trip is short a paced frame of which one in ten is lost, and one answer in ten,
// is repaired all the same; and nobody looks at it more often than there is reason to.
func TestShortRoundTripsRepairPacedFrames(t *testing.T) {
	w := newSimulation(t, Config{})
	w.loss, w.delay = 0.1, 100*time.Microsecond
	w.path.RTT = 2 * w.delay
	const frames = 500
	c := w.play(frames, 55_000, second30, 300*time.Microsecond, 0)
	t.Logf("%d of %d whole, %+v, %+v, looked %d times", w.whole, frames, c.Asked, c.Incomplete, w.looks)
	if w.whole < frames*99/100 {
		t.Errorf("%d of %d frames are whole", w.whole, frames)
	}
	if c.Asked.Vain > c.Asked.Answered/20 {
		t.Errorf("in vain: %+v", c.Asked)
	}
	if w.looks > frames*90 {
		t.Errorf("looked %d times at %d frames", w.looks, frames)
	}
}

// A sender that starts again is followed although none of its frames comes whole by itself.
func TestARestartedSenderIsRepaired(t *testing.T) {
	w := newSimulation(t, Config{})
	w.play(3, 55_000, second30, 20*time.Microsecond, 0)
	w.now = w.now.Add(time.Second)
	w.session, w.seq, w.loss = 6, 0, 0.1
	w.history.Drop()
	whole := w.whole
	c := w.play(60, 55_000, second30, 20*time.Microsecond, 0)
	if c.Takeovers != 1 || w.whole-whole < 30 {
		t.Errorf("%d frames of it are whole: %+v", w.whole-whole, c)
	}
}

// What somebody else sends is no answer.
func TestStrangersAnswerNothing(t *testing.T) {
	r, datagrams, now := cutFrame(t, 5000, 0)
	for _, d := range datagrams {
		d[3] |= FlagRepair
		r.Push(now, addrB, d)
	}
	if c := r.Counters(); c.Dropped.Stranger != uint64(len(datagrams)) || c.Asked != (Asked{}) || c.Bytes.Vain == 0 {
		t.Errorf("%+v", c)
	}
}

// The worst that headers can claim costs little each time.
func BenchmarkAsk(b *testing.B) {
	for name, blocks := range map[string]int{"1 block": 1, "255 blocks": 255} {
		b.Run(name, func(b *testing.B) {
			r, err := NewReassembler(Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			now := time.Unix(1000, 0)
			h := Header{Common: Common{Session: 5}, Blocks: 1, Shard: 64, Length: 64}
			payload := make([]byte, 64)
			h.CRC = crc32c.Checksum(payload)
			if f := r.Push(now, addrA, append(h.append(nil), payload...)); f == nil {
				b.Fatal("nobody is followed")
			}
			for id := range uint32(4) {
				for i := range blocks {
					h = Header{Common: Common{Session: 5, Sequence: h.Sequence + 1}, Frame: id + 1, Block: uint8(i), Blocks: uint8(blocks), Parity: 64, Index: 100, Shard: 64, Length: 180 * 64, Offset: i * 180 * 64}
					r.Push(now, addrA, append(h.append(nil), payload...))
				}
			}
			if r.InProgress() != 4 {
				b.Fatalf("%+v", r.Counters())
			}
			var to Repair
			b.ReportAllocs()
			for b.Loop() {
				r.Ask(now, Path{}, &to)
			}
		})
	}
}

// Where answers take longer than the round trip that is known, by what the sender or queues need, that is learnt, and
// nothing is asked for again that is on its way.
func TestSlowAnswersAreWaitedFor(t *testing.T) {
	w := newSimulation(t, Config{})
	w.loss = 0.01
	w.path.RTT = 4 * time.Millisecond // it takes 10
	const frames = 500
	c := w.play(frames, 55_000, second30, 20*time.Microsecond, 0)
	t.Logf("%d of %d whole, %+v", w.whole, frames, c.Asked)
	if w.whole < frames*99/100 || c.Asked.Answered < 100 || c.Asked.Vain > 20 {
		t.Errorf("%d of %d frames are whole: %+v", w.whole, frames, c.Asked)
	}
}
