package tcp

import (
	"fmt"
	"testing"

	"github.com/framegram/framegram/stream"
)

// BenchmarkLoopback sends frames to one viewer in this process, each after the one before
// has come.
func BenchmarkLoopback(b *testing.B) {
	for _, size := range []int{120_000, 300_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, r := pair(b, false)
			jpeg := randomBytes(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			f := newFrame(jpeg)
			for b.Loop() {
				roundTrip(b, s, r, f)
			}
		})
	}
}

func roundTrip(t testing.TB, s *Sender, r *Receiver, f *stream.Frame) {
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	got, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got.Release()
}

// In steady state neither side allocates anything per frame.
func TestFramesCostNoAllocation(t *testing.T) {
	if raceDetector { // in these builds stream.Pool allocates every frame, on purpose
		t.Skip("counts allocations: runs without the race detector only")
	}
	s, r := pair(t, true)
	sizes, i := []int{300_000, 10, 120_000, 299_999}, 0
	jpeg := randomBytes(300_000)
	f := newFrame(jpeg)
	step := func() {
		f.JPEG = jpeg[:sizes[i%4]]
		i++
		roundTrip(t, s, r, f)
	}
	for range 20 { // every buffer grows once
		step()
	}
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("a frame allocates %v times, want 0", n)
	}
}
