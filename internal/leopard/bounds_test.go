//go:build linux || darwin

package leopard

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// Every fragment begins, or ends, at a page that must not be touched: a byte too many that is read or written
// is a fault, which ends the test.
func TestTouchesNothingOutsideItsFragments(t *testing.T) {
	page, rng := unix.Getpagesize(), rand.New(rand.NewPCG(9, 9))
	const most = 100
	m, err := unix.Mmap(-1, 0, (2*most+1)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(m)
	for i := range most + 1 {
		if err := unix.Mprotect(m[2*i*page:(2*i+1)*page], unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	bothWays(t, func(t *testing.T) {
		var c Codec
		for _, kp := range [][2]int{{1, 1}, {3, 2}, {9, 4}, {20, 7}, {41, 15}, {50, 32}, {30, 70}} {
			for _, size := range []int{64, 192, 1408} {
				b := newBlock(rng, kp[0], kp[1], size).coded(t)
				want, all := b.fragments(), make([][]byte, b.k+b.p)
				for _, at := range []int{0, page - size} {
					for i := range all {
						from := (2*i+1)*page + at
						all[i] = m[from : from+size : from+size]
						if i < b.k {
							copy(all[i], want[i])
						}
					}
					if err := c.Encode(b.k, all); err != nil {
						t.Fatal(err)
					}
					for _, i := range rng.Perm(b.k + b.p)[:b.p] {
						all[i] = all[i][:0]
					}
					if err := c.Rebuild(b.k, all); err != nil {
						t.Fatal(err)
					}
					for i := range all {
						if (i < b.k || len(all[i]) > 0) && !bytes.Equal(all[i], want[i]) {
							t.Fatalf("%d + %d fragments of %d bytes: fragment %d differs", b.k, b.p, size, i)
						}
					}
				}
			}
		}
	})
}
