package fragment

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSequenceVerdicts(t *testing.T) {
	const top = math.MaxUint64
	tests := []struct {
		name string
		seen []uint64
		n    uint64
		want verdict
	}{
		{"anything is fresh at first", nil, 1 << 60, fresh},
		{"the same again", []uint64{5}, 5, again},
		{"next", []uint64{5}, 6, fresh},
		{"before the first", []uint64{5}, 4, fresh},
		{"0 after 1", []uint64{1}, 0, fresh},
		{"the window's oldest", []uint64{5000}, 5000 - windowSize + 1, fresh},
		{"just behind the window", []uint64{5000}, 5000 - windowSize, stale},
		{"the window's oldest, which came", []uint64{5000 - windowSize + 1, 5000}, 5000 - windowSize + 1, again},
		{"what left the window and its bit", []uint64{5000, 5000 + windowSize}, 5000, stale},
		{"a bit that another number used", []uint64{5000, 5000 + windowSize, 5001 + windowSize}, 5001, stale},
		{"a hole left by a leap", []uint64{5000, 5100}, 5050, fresh},
		{"a hole left by a leap over the window", []uint64{5000, 5000 + 3*windowSize}, 5000 + 3*windowSize - 7, fresh},
		{"largest leap", []uint64{7}, 7 + maxLeap, fresh},
		{"too large a leap", []uint64{7}, 8 + maxLeap, farAhead},
		{"the last number there is", []uint64{top - 1}, top, fresh},
		{"the last number again", []uint64{top - 1, top}, top, again},
		{"0 after the last number", []uint64{top}, 0, stale},
		{"before the last number", []uint64{top}, top - 1, fresh},
		{"window at the top", []uint64{top - windowSize, top}, top - windowSize + 1, fresh},
		{"behind the window at the top", []uint64{top - windowSize, top}, top - windowSize, stale},
	}
	for _, tt := range tests {
		var s sequences
		for _, n := range tt.seen {
			s.see(n)
		}
		if got := s.check(tt.n); got != tt.want {
			t.Errorf("%s: %d after %d: got %d, want %d", tt.name, tt.n, tt.seen, got, tt.want)
		}
	}
}

func TestSequenceCounts(t *testing.T) {
	tests := []struct {
		name                  string
		seen                  []uint64
		received, lost, later uint64
	}{
		{"nothing", nil, 0, 0, 0},
		{"one", []uint64{9}, 1, 0, 0},
		{"in order", []uint64{0, 1, 2}, 3, 0, 0},
		{"one lost", []uint64{0, 2}, 2, 1, 0},
		{"one late", []uint64{0, 2, 1}, 3, 0, 1},
		{"the first one goes backwards", []uint64{10, 9, 8}, 3, 0, 2},
		{"backwards with a hole", []uint64{10, 8}, 2, 1, 1},
		{"a leap", []uint64{0, maxLeap}, 2, maxLeap - 1, 0},
		{"up to the last number", []uint64{math.MaxUint64 - 2, math.MaxUint64}, 2, 1, 0},
	}
	for _, tt := range tests {
		var s sequences
		for _, n := range tt.seen {
			s.see(n)
		}
		if s.received != tt.received || s.lost() != tt.lost || s.reorder != tt.later {
			t.Errorf("%s: received %d, lost %d, reordered %d, want %d, %d, %d",
				tt.name, s.received, s.lost(), s.reorder, tt.received, tt.lost, tt.later)
		}
	}
}

// Against a set of all numbers that came, for orders that leap, hold back and
// repeat.
func TestSequencesAgainstSet(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var s sequences
		came := map[uint64]bool{}
		next := rng.Uint64N(3 * windowSize)
		var highest uint64
		for range 20_000 {
			n := next
			switch rng.IntN(10) {
			case 0:
				n -= min(n, rng.Uint64N(windowSize+windowSize/2))
			case 1:
				next += rng.Uint64N(windowSize * 2)
				n = next
			}
			if n == next {
				next++
			}
			want := fresh
			switch {
			case len(came) > 0 && n+windowSize <= highest:
				want = stale
			case came[n]:
				want = again
			}
			if got := s.check(n); got != want {
				t.Fatalf("seed %d: %d with highest %d: got %d, want %d", seed, n, highest, got, want)
			}
			if want == fresh {
				s.see(n)
				came[n], highest = true, max(highest, n)
			}
		}
		first := highest
		for n := range came {
			first = min(first, n)
		}
		if want := highest - first + 1 - uint64(len(came)); s.lost() != want {
			t.Errorf("seed %d: lost %d, want %d", seed, s.lost(), want)
		}
	}
}

func TestBitmap(t *testing.T) {
	var m bitmap
	for i := range 256 {
		if !m.set(uint8(i)) {
			t.Errorf("%d is not new", i)
		}
		if m.set(uint8(i)) {
			t.Errorf("%d is new again", i)
		}
	}
}
