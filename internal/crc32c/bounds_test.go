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
	page := unix.Getpagesize()
	m, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(m)
	copy(m[page:], random(page))
	for _, guard := range [][]byte{m[:page], m[2*page:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	b := m[page : 2*page : 2*page]
	bothWays(t, func(t *testing.T) {
		for n := range min(page, 2048) + 1 {
			for _, part := range [][]byte{b[:n], b[page-n:]} {
				if got, want := Checksum(part), crc32.Checksum(part, reference); got != want {
					t.Fatalf("%d bytes: %#08x, want %#08x", n, got, want)
				}
			}
		}
	})
}
