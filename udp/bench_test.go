package udp_test

import (
	"fmt"
	"testing"

	"github.com/framegram/framegram/stream"
)

// BenchmarkLoopback sends frames of random bytes over 127.0.0.1, one at a time:
// Splitter, sockets, Reassembler, CRC at both ends.
func BenchmarkLoopback(b *testing.B) {
	for _, size := range []int{120_000, 300_000} {
		b.Run(fmt.Sprintf("%dkB", size/1000), func(b *testing.B) {
			s, r := link(b, "127.0.0.1")
			f := stream.NewFrame(randomBytes(size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Write(b.Context(), f); err != nil {
					b.Fatal(err)
				}
				got, err := r.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				got.Release()
			}
			st := r.Stats()
			b.ReportMetric(float64(st.Fragments.Lost), "frames-lost")
			b.ReportMetric(float64(st.Datagrams)/float64(b.N), "datagrams/frame")
		})
	}
}
