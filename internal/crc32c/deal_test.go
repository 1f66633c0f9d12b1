package crc32c

import (
	"bytes"
	"hash/crc32"
	"testing"
)

// What is dealt stands where it should, nothing else has changed, and the checksum is that of the whole.
func TestDeal(t *testing.T) {
	b := random(8192)
	bothWays(t, func(t *testing.T) {
		for _, c := range []struct{ piece, stride int }{{64, 64}, {64, 112}, {128, 176}, {1408, 1456}, {1408, 2912}, {16320, 16368}, {100, 148}, {1, 2}} {
			for n := range 3000 {
				if n > 700 && n%61 != 0 {
					continue
				}
				src := b[n%64:][:n]
				var want []byte
				for rest := src; len(rest) > 0; {
					p := min(c.piece, len(rest))
					want = append(want, rest[:p]...)
					if rest = rest[p:]; len(rest) > 0 {
						want = append(want, bytes.Repeat([]byte{0xA5}, c.stride-c.piece)...)
					}
				}
				got := bytes.Repeat([]byte{0xA5}, len(want)+64)
				sum := Deal(got[:len(want)], c.stride, src, c.piece)
				if sum != crc32.Checksum(src, reference) {
					t.Fatalf("%d bytes in pieces of %d: %#08x, want %#08x", n, c.piece, sum, crc32.Checksum(src, reference))
				}
				if !bytes.Equal(got, append(want, bytes.Repeat([]byte{0xA5}, 64)...)) {
					t.Fatalf("%d bytes in pieces of %d every %d are not where they belong", n, c.piece, c.stride)
				}
			}
		}
	})
}

// A place that is too small is refused before anything is written.
func TestDealRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct{ dst, stride, b, piece int }{{1000, 1456, 1409, 1408}, {1456, 1456, 1409, 1408}, {99, 64, 100, 64}, {100, 64, 100, 65}, {100, 64, 10, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is taken", c)
				}
			}()
			Deal(make([]byte, c.dst), c.stride, make([]byte, c.b), c.piece)
		}()
	}
	if Deal(nil, 10, nil, 10) != 0 {
		t.Error("nothing has a checksum")
	}
}

func BenchmarkDeal(b *testing.B) {
	const piece, stride = 1408, 1456
	src, dst := random(120_000), make([]byte, 120_000*stride/piece+stride)
	b.Run("one pass", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			Deal(dst, stride, src, piece)
		}
	})
	b.Run("two", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			Checksum(src)
			to := dst
			for rest := src; len(rest) > 0; to = to[stride:] {
				rest = rest[copy(to[:piece], rest):]
			}
		}
	})
}
