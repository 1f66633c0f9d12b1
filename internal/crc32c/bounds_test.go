//go:build linux || darwin

package crc32c

import (
	"hash/crc32"
	"testing"

	"golang.org/x/sys/unix"
)

// Every length and place that ends, or begins, at a page that must not be touched: a read of
// one byte too many is a fault, which ends the test.
func TestReadsNothingOutsideItsBytes(t *testing.T) {
	b := guarded(t)
	bothWays(t, func(t *testing.T) {
		for n := range min(len(b), 2048) + 1 {
			for _, part := range [][]byte{b[:n], b[len(b)-n:]} {
				if got, want := Checksum(part), crc32.Checksum(part, reference); got != want {
					t.Fatalf("%d bytes: %#08x, want %#08x", n, got, want)
				}
			}
		}
	})
}

// The same of what is dealt, and of where it goes.
func TestDealsNothingOutsideItsBytes(t *testing.T) {
	b, to := guarded(t), guarded(t)
	bothWays(t, func(t *testing.T) {
		for n := 1; n < len(b)/2; n++ {
			for _, piece := range []int{64, 192, 1408} {
				part, need := b[len(b)-n:], n+(n-1)/piece*48
				if need > len(to) {
					continue
				}
				if got, want := Deal(to[len(to)-need:], piece+48, part, piece), crc32.Checksum(part, reference); got != want {
					t.Fatalf("%d bytes: %#08x, want %#08x", n, got, want)
				}
				Deal(to, piece+48, b[:n], piece)
			}
		}
	})
}

// guarded is a page of random bytes between two that must not be touched.
func guarded(t *testing.T) []byte {
	page := unix.Getpagesize()
	m, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	copy(m[page:], random(page))
	for _, guard := range [][]byte{m[:page], m[2*page:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return m[page : 2*page : 2*page]
}
