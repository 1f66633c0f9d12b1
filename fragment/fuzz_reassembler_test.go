package fragment

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// FuzzReassembler runs a stream of operations on a Reassembler and on the model.
// As long as nothing was damaged, both must say the same of every datagram; always,
// the counters must balance, IDs go up while one sender is followed, no frame come
// out that was not sent, and memory stay in bounds.
func FuzzReassembler(f *testing.F) {
	emit, deliver := []byte{0, 0}, []byte{20, 0}
	repeat := func(n int, parts ...[]byte) []byte { return bytes.Repeat(bytes.Join(parts, nil), n) }
	f.Add(repeat(60, emit, deliver))                                             // all in order
	f.Add(append(repeat(40, emit), repeat(40, []byte{20, 7})...))                // all out of order
	f.Add(repeat(40, emit, deliver, []byte{40, 3}, []byte{50, 10}))              // copies, time
	f.Add(repeat(40, emit, deliver, emit, []byte{30, 0}, []byte{5, 1}, deliver)) // loss and repair
	f.Add(repeat(12, emit, deliver, []byte{10, 0}, []byte{21, 0}, []byte{51, 250}))
	f.Add(repeat(30, emit, deliver, []byte{45, 1}, []byte{51, 255}, []byte{60, 0}))            // replays by a stranger
	f.Add(append(repeat(30, emit, deliver), repeat(30, []byte{70, 0}, emit, deliver)...))      // restarts
	f.Add(repeat(30, emit, deliver, emit, []byte{80, 77}, []byte{50, 33}, []byte{60, 0}))      // damage
	f.Add(repeat(30, emit, deliver, emit, []byte{90, 12}, []byte{50, 33}, []byte{20, 3}))      // rubbish
	f.Add(append(repeat(20, emit, deliver), repeat(60, []byte{1, 0}, []byte{30, 0}, emit)...)) // leaps
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 4000 {
			return
		}
		newWorld(t).run(ops)
	})
}

// The same with long random streams, on every run of the tests.
func TestReassemblerAgainstModel(t *testing.T) {
	rounds := uint64(300)
	switch {
	case raceDetector:
		rounds = 30
	case testutil.Long():
		rounds = 1000
	}
	var total Counters
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(seed, 10))
		ops := make([]byte, 4000)
		for i := 0; i < len(ops); i += 2 {
			ops[i] = [...]byte{0, 0, 0, 1, 10, 20, 20, 20, 20, 21, 25, 30, 40, 45, 5, 50, 50, 60}[rng.IntN(18)]
			ops[i+1] = byte(rng.IntN(4))
			if rng.IntN(8) == 0 {
				ops[i+1] = byte(rng.IntN(256))
			}
			if rng.IntN(120) == 0 {
				ops[i], ops[i+1] = [...]byte{51, 51, 70, 2}[rng.IntN(4)], 100+byte(rng.IntN(156))
			}
			if seed%5 == 0 && rng.IntN(100) == 0 {
				ops[i] = 80 + byte(rng.IntN(20))
			}
		}
		w := newWorld(t)
		w.run(ops)
		if c := w.g.r.Counters(); !w.damaged {
			total.Complete += c.Complete
			total.Takeovers += c.Takeovers
			total.Rebuilt += c.Rebuilt
			for i, n := range dropFields(&c.Dropped) {
				*dropFields(&total.Dropped)[i] += *n
			}
			total.Incomplete.Superseded += c.Incomplete.Superseded
			total.Incomplete.Expired += c.Incomplete.Expired
			total.Incomplete.Evicted += c.Incomplete.Evicted
			total.Incomplete.Abandoned += c.Incomplete.Abandoned
		}
	}
	for _, n := range []uint64{
		total.Complete / 10, total.Takeovers, total.Rebuilt / 10, total.Dropped.Surplus / 10, total.Dropped.Stranger, total.Dropped.Duplicate, total.Dropped.Late, total.Dropped.NoRoom,
		total.Incomplete.Superseded, total.Incomplete.Expired, total.Incomplete.Evicted, total.Incomplete.Abandoned,
	} {
		if n < rounds/10 {
			t.Errorf("in %d undamaged runs too little has happened to show anything: %+v", rounds, total)
		}
	}
}
