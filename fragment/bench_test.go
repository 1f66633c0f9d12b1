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

func BenchmarkSplit(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dkB", size/1000), func(b *testing.B) {
			s, jpeg := mustSplitter(b, benchShard), picture(1, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			id, seq := uint32(0), uint64(0)
			for b.Loop() {
				id++
				if _, err := s.Split(id, int64(id), jpeg); err != nil {
					b.Fatal(err)
				}
				seq = s.Stamp(1, seq)
			}
			b.ReportMetric(float64(seq)/float64(b.N), "datagrams/frame")
		})
	}
}

// BenchmarkReassemble pushes whole frames. Making the datagrams is not timed: the
// same ones are renumbered where they stand.
func BenchmarkReassemble(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dkB", size/1000), func(b *testing.B) {
			r, err := NewReassembler(Config{})
			if err != nil {
				b.Fatal(err)
			}
			s := newSender(b, 1)
			if err := s.cut.SetShard(benchShard); err != nil {
				b.Fatal(err)
			}
			f, now := s.frame(size), time.Unix(1_790_000_000, 0)
			id, seq := uint32(0), uint64(0)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				id++
				now = now.Add(33 * time.Millisecond)
				for _, d := range f.datagrams {
					renumber(d, id, seq)
					seq++
					if out := r.Push(now, addrA, d); out != nil {
						out.Release()
					}
				}
			}
			if c := r.Counters(); c.Complete != uint64(id) || c.Dropped.Sum() != 0 {
				b.Fatalf("%d frames sent, got %+v", id, c)
			}
			b.ReportMetric(float64(seq)/float64(b.N), "datagrams/frame")
		})
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
