package leopard

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkEncode compares the kernels with the library, on the blocks of frames of 120 and 300 kB with
// a tenth of parity, of the largest with as much, and of small ones.
func BenchmarkEncode(b *testing.B) {
	for _, kp := range [][2]int{{86, 9}, {107, 11}, {200, 20}, {82, 4}, {20, 2}, {128, 128}} {
		compare(b, kp, func(c *Codec, k int, fragments [][]byte) error { return c.Encode(k, fragments) })
	}
}

// BenchmarkRebuild is what a block costs of which so many are lost.
func BenchmarkRebuild(b *testing.B) {
	for _, lost := range []struct{ k, p, n int }{{107, 11, 1}, {200, 20, 10}, {200, 20, 20}, {192, 64, 64}, {128, 128, 128}} {
		b.Run(fmt.Sprint(lost.n), func(b *testing.B) {
			compare(b, [2]int{lost.k, lost.p}, func(c *Codec, k int, fragments [][]byte) error {
				for i := range lost.n {
					fragments[i*k/lost.n] = fragments[i*k/lost.n][:0]
				}
				return c.Rebuild(k, fragments)
			})
		})
	}
}

func compare(b *testing.B, kp [2]int, f func(*Codec, int, [][]byte) error) {
	const size = 1408 // of an MTU of 1500
	is := kernels
	defer func() { kernels = is }()
	for _, by := range []struct {
		name    string
		kernels bool
	}{{"kernels", true}, {"library", false}} {
		if by.kernels && !is {
			continue
		}
		kernels = by.kernels
		b.Run(fmt.Sprintf("%d+%d/%s", kp[0], kp[1], by.name), func(b *testing.B) {
			var c Codec
			memory := make([]byte, (kp[0]+kp[1])*size) // as in a frame: one behind the other, at multiples of 64
			scribble(rand.New(rand.NewPCG(8, 8)), memory)
			all := make([][]byte, kp[0]+kp[1])
			for i := range all {
				all[i] = memory[i*size : (i+1)*size : (i+1)*size]
			}
			if err := c.Encode(kp[0], all); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(kp[0] * size))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(&c, kp[0], all); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
