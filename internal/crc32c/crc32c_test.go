package crc32c

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"testing"
)

var reference = crc32.MakeTable(crc32.Castagnoli)

// bothWays runs f with fold, where there is one, and without.
func bothWays(t *testing.T, f func(t *testing.T)) {
	is := folds
	defer func() { folds = is }()
	for _, folds = range []bool{false, is} {
		t.Run("fold="+strconv.FormatBool(folds), f)
		if !is {
			t.Log("this processor has no fold: hash/crc32 only")
			return
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

// The vectors of RFC 3720, appendix B.4, and what every CRC's catalogue has for "123456789".
func TestKnownChecksums(t *testing.T) {
	up, down := make([]byte, 32), make([]byte, 32)
	for i := range up {
		up[i], down[i] = byte(i), byte(31-i)
	}
	read := make([]byte, 48) // an iSCSI SCSI read (10) command
	binary.BigEndian.PutUint32(read, 0x01c00000)
	read[16], read[20+2], read[24+3], read[28+3] = 0x14, 0x04, 0x14, 0x18
	read[32], read[40] = 0x28, 0x02
	bothWays(t, func(t *testing.T) {
		for _, c := range []struct {
			name string
			b    []byte
			want uint32
		}{
			{"nothing", nil, 0},
			{"123456789", []byte("123456789"), 0xe3069283},
			{"zeros", make([]byte, 32), 0x8a9136aa},
			{"ones", bytes.Repeat([]byte{0xff}, 32), 0x62a8ab43},
			{"incrementing", up, 0x46dd794e},
			{"decrementing", down, 0x113fdb5c},
			{"read command", read, 0xd9963a56},
		} {
			if got := Checksum(c.b); got != c.want {
				t.Errorf("%s: %#08x, want %#08x", c.name, got, c.want)
			}
		}
	})
}

func TestChecksumIsThatOfHashCRC32(t *testing.T) {
	b := random(4096 + 64)
	bothWays(t, func(t *testing.T) {
		for n := range 4097 {
			for _, at := range []int{0, 1, 63} {
				if got, want := Checksum(b[at:at+n]), crc32.Checksum(b[at:at+n], reference); got != want {
					t.Fatalf("%d bytes at %d: %#08x, want %#08x", n, at, got, want)
				}
			}
		}
		for at := range 65 {
			for _, n := range []int{255, 256, 257, 320, 511, 512, 1408, 2047} {
				if got, want := Checksum(b[at:at+n]), crc32.Checksum(b[at:at+n], reference); got != want {
					t.Fatalf("%d bytes at %d: %#08x, want %#08x", n, at, got, want)
				}
			}
		}
		for _, n := range []int{1 << 14, 120_000, 1408 * 200, 300_001, 1<<20 + 255, 5<<20 - 1} {
			big := random(n)
			if got, want := Checksum(big), crc32.Checksum(big, reference); got != want {
				t.Errorf("%d bytes: %#08x, want %#08x", n, got, want)
			}
		}
	})
}

// One bit anywhere is seen, and where it is: a constant that is wrong for some of the input
// only would leave some bit with the wrong weight.
func TestEveryBitCounts(t *testing.T) {
	b := make([]byte, 1024+64+15)
	bothWays(t, func(t *testing.T) {
		for i := range len(b) * 8 {
			b[i/8] = 1 << (i % 8)
			if got, want := Checksum(b), crc32.Checksum(b, reference); got != want {
				t.Fatalf("bit %d: %#08x, want %#08x", i, got, want)
			}
			b[i/8] = 0
		}
	})
}

func TestUpdateContinues(t *testing.T) {
	b := random(3000)
	want := crc32.Checksum(b, reference)
	bothWays(t, func(t *testing.T) {
		for cut := range len(b) + 1 {
			if got := Update(Checksum(b[:cut]), b[cut:]); got != want {
				t.Fatalf("cut at %d: %#08x, want %#08x", cut, got, want)
			}
		}
		crc, step := uint32(0), 1
		for rest := b; len(rest) > 0; step = step*2 + 1 {
			n := min(step, len(rest))
			crc, rest = Update(crc, rest[:n]), rest[n:]
		}
		if crc != want {
			t.Errorf("in growing steps: %#08x, want %#08x", crc, want)
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add(uint32(0), []byte("123456789"))
	f.Add(uint32(0xdeadbeef), random(256))
	f.Add(^uint32(0), random(700))
	f.Fuzz(func(t *testing.T, crc uint32, b []byte) {
		// A fuzzer's inputs are short: both the input and many of it.
		for _, b := range [][]byte{b, bytes.Repeat(b, 1+600/(len(b)+1))} {
			if got, want := Update(crc, b), crc32.Update(crc, reference, b); got != want {
				t.Errorf("%d bytes after %#08x: %#08x, want %#08x", len(b), crc, got, want)
			}
		}
	})
}

var sizes = []int{64, 256, 512, 1408, 30_000, 120_000, 300_000}

// BenchmarkChecksum compares this with hash/crc32 on the same bytes.
func BenchmarkChecksum(b *testing.B) {
	for _, size := range sizes {
		data := random(size)
		for _, by := range []struct {
			name string
			of   func([]byte) uint32
		}{{"crc32c", Checksum}, {"hash", func(b []byte) uint32 { return crc32.Checksum(b, reference) }}} {
			b.Run(strconv.Itoa(size)+"/"+by.name, func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					by.of(data)
				}
			})
		}
	}
}
