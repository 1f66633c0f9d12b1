package crc32c

import (
	"math/bits"
	"testing"
)

// power is x^n mod P as fold wants it, by n multiplications by x.
func power(n int) uint64 {
	const p = 0x1edc6f41 // without x^32; RFC 3720, section 12.1
	r := uint32(1)
	for range n {
		over := r >> 31
		r = r<<1 ^ over*p
	}
	return uint64(bits.Reverse32(r)) << 32
}

func TestPowersAreThoseOfThePolynomial(t *testing.T) {
	distances := []int{2048, 1536, 1024, 512, 384, 256, 128}
	if len(powers) != 2*len(distances)+2 {
		t.Fatalf("%d constants for %d distances", len(powers), len(distances))
	}
	for i, d := range distances {
		if a, b := power(d+63), power(d-1); powers[2*i] != a || powers[2*i+1] != b {
			t.Errorf("distance %d: %#016x, %#016x, want %#016x, %#016x", d, powers[2*i], powers[2*i+1], a, b)
		}
	}
}
