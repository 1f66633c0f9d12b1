package batch

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/framegram/framegram/fragment"
)

var zeros = make([]byte, 1<<17)

// sized are datagrams of those sizes, header and payload parted somewhere.
func sized(sizes ...int) (ds []fragment.Datagram) {
	for i, n := range sizes {
		h := min(n, i%3*24)
		ds = append(ds, fragment.Datagram{Header: zeros[:h], Payload: zeros[:n-h]})
	}
	return ds
}

func times(n, size int) []int { return slices.Repeat([]int{size}, n) }

func TestTrain(t *testing.T) {
	for name, c := range map[string]struct {
		sizes   []int
		n       int
		segment int
	}{
		"one":                              {[]int{1472}, 1, 1472},
		"equal":                            {times(5, 1472), 5, 1472},
		"last shorter":                     {[]int{1472, 1472, 100}, 3, 1472},
		"a shorter one ends it":            {[]int{1472, 100, 100, 1472}, 2, 1472},
		"a longer one is the next train's": {[]int{100, 1472, 1472}, 1, 100},
		"64 segments":                      {times(200, 100), 64, 100},
		"65507 bytes":                      {times(200, 1472), 44, 1472},
		"65507 bytes exactly":              {[]int{32754, 32753, 1}, 2, 32754},
		"one byte over 65507":              {[]int{32754, 32754}, 1, 32754},
		"a short last one that is over":    {[]int{40000, 25508}, 1, 40000},
		"longer than any train":            {[]int{65508, 65508}, 1, 65508},
		"far longer than any train":        {[]int{100_000, 10}, 1, 100_000},
		"as long as any train":             {[]int{65507, 1}, 1, 65507},
		"empty":                            {[]int{0, 0, 5}, 1, 0},
		"an empty one does not end one":    {[]int{5, 5, 0, 5}, 2, 5},
		"one byte each":                    {times(70, 1), 64, 1},
	} {
		if n, segment := train(sized(c.sizes...)); n != c.n || segment != c.segment {
			t.Errorf("%s: got %d segments of %d, want %d of %d", name, n, segment, c.n, c.segment)
		}
	}
}

// Whatever the sizes, all datagrams go, in order, and the kernel would part each train
// into just those that were put in.
func TestTrainsArePartedIntoWhatTheyWereMadeOf(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	choices := []int{0, 1, 2, 63, 64, 112, 1472, 1472, 1472, 1472, 9000, 32753, 32754, 65506, 65507, 65508, 70_000}
	for range 20_000 {
		var sizes []int
		for range 1 + rng.IntN(12) {
			sizes = append(sizes, times(1+rng.IntN(70)/(1+rng.IntN(20)), choices[rng.IntN(len(choices))])...)
		}
		var back []int
		for ds := sized(sizes...); len(ds) > 0; {
			n, segment := train(ds)
			total := 0
			for i := range ds[:n] {
				total += size(&ds[i])
			}
			if n < 1 || n > maxSegments || n > 1 && (total > maxTrainBytes || segment < 1) {
				t.Fatalf("%v: a train of %d datagrams, %d bytes in segments of %d", sizes, n, total, segment)
			}
			if n == 1 {
				segment = 0 // no train
			}
			for _, p := range split(nil, Packet{B: zeros[:total]}, segment) {
				back = append(back, len(p.B))
			}
			ds = ds[n:]
		}
		if !slices.Equal(back, sizes) {
			t.Fatalf("%v came back as %v", sizes, back)
		}
	}
}
