package fragment

import (
	"fmt"
	"testing"
	"time"
)

// Frames of 720p and 1080p at quality 80 are about this large; 1408 is the shard of
// an MTU of 1500.
var benchSizes = []int{120_000, 300_000}

const benchShard = 1408

// benchParity is how much parity a benchmark has, and how many fragments of each block are lost.
var benchParity = []struct {
	name string
	of   func(int) int
	lost int
}{{"", nil, 0}, {"/parity10", ParityShare(0.1), 0}, {"/parity10lost1", ParityShare(0.1), 1}, {"/parity10lost5percent", ParityShare(0.1), 5}}

func BenchmarkSplit(b *testing.B) {
	for _, size := range benchSizes {
		for _, with := range benchParity[:2] {
			b.Run(fmt.Sprintf("%dkB%s", size/1000, with.name), func(b *testing.B) {
				s, jpeg := mustSplitter(b, benchShard), picture(1, size)
				s.SetParity(with.of)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				id, seq := uint32(0), uint64(0)
				for b.Loop() {
					id++
					datagrams, err := s.Split(id, int64(id), jpeg)
					if err != nil {
						b.Fatal(err)
					}
					s.Stamp(0, len(datagrams), 1, seq)
					seq += uint64(len(datagrams))
				}
				b.ReportMetric(float64(seq)/float64(b.N), "datagrams/frame")
			})
		}
	}
}

// BenchmarkReassemble pushes whole frames. Making the datagrams is not timed: the
// same ones are renumbered where they stand.
func BenchmarkReassemble(b *testing.B) {
	for _, size := range benchSizes {
		for _, with := range benchParity {
			b.Run(fmt.Sprintf("%dkB%s", size/1000, with.name), func(b *testing.B) {
				r, err := NewReassembler(Config{})
				if err != nil {
					b.Fatal(err)
				}
				s := protected(b, 1, with.of)
				if err := s.cut.SetShard(benchShard); err != nil {
					b.Fatal(err)
				}
				f, now := s.frame(size), time.Unix(1_790_000_000, 0)
				id, seq, lost := uint32(0), uint64(0), lostOf(with.lost, len(f.datagrams))
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					id++
					now = now.Add(33 * time.Millisecond)
					for i, d := range f.datagrams {
						renumber(d, id, seq)
						seq++
						if lost[i] {
							continue
						}
						if out := r.Push(now, addrA, d); out != nil {
							out.Release()
						}
					}
				}
				if c := r.Counters(); c.Complete != uint64(id) || c.Dropped.Sum() != c.Dropped.Surplus || with.lost > 0 && c.Rebuilt != c.Complete {
					b.Fatalf("%d frames sent, got %+v", id, c)
				}
				b.ReportMetric(float64(seq)/float64(b.N), "datagrams/frame")
			})
		}
	}
}

// lostOf spreads the losses of n datagrams: 1 is one, more is a percentage.
func lostOf(lost, n int) map[int]bool {
	all := map[int]bool{}
	switch {
	case lost == 1:
		all[n/3] = true
	case lost > 1:
		for i := 0; i < n*lost/100; i++ {
			all[i*100/lost+3] = true
		}
	}
	return all
}

// BenchmarkRebuild is one block of 200 + 20 of which 10 are lost, from the first datagram to the frame.
func BenchmarkRebuild(b *testing.B) {
	var c codes
	s := slot{shard: benchShard}
	cfg, err := Config{}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	h := Header{Parity: 20, Shard: benchShard, Length: 200 * benchShard, Index: 209}
	s.grow(&cfg, 0, h.Length)
	payload := make([]byte, benchShard)
	parked := make([]waiting, 9)
	b.ReportAllocs()
	for b.Loop() {
		bl := block{claim: claim{length: h.Length, parity: 20}, got: 190, parked: parked}
		for i := range 200 {
			if i%20 != 7 {
				bl.have.set(uint8(i))
			}
		}
		for i := range parked {
			parked[i] = waiting{uint8(200 + i), uint8(20*i + 7)}
		}
		if n, err := s.finish(&bl, &h, 200, payload, &c); n != 10 || err != nil {
			b.Fatalf("%d rebuilt, %v", n, err)
		}
	}
}

// BenchmarkStranger is what a datagram costs that is not for this viewer.
func BenchmarkStranger(b *testing.B) {
	r, err := NewReassembler(Config{})
	if err != nil {
		b.Fatal(err)
	}
	now := time.Unix(1_790_000_000, 0)
	r.Push(now, addrA, newSender(b, 1).frame(10).datagrams[0]).Release()
	d := newSender(b, 2).frame(640).datagrams[0]
	b.ReportAllocs()
	for b.Loop() {
		r.Push(now, addrB, d)
	}
}

// renumber puts frame ID and sequence number where the header has them.
func renumber(d []byte, id uint32, seq uint64) {
	for i := range 8 {
		d[12+i] = byte(seq >> (56 - 8*i))
	}
	for i := range 4 {
		d[20+i] = byte(id >> (24 - 8*i))
	}
}
