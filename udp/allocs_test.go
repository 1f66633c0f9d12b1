package udp_test

import (
	"testing"

	"github.com/framegram/framegram/stream"
)

// In steady state a frame costs no allocation, from one end to the other, whatever its
// size.
func TestAFrameAllocatesNothing(t *testing.T) {
	if raceDetector { // stream.Pool allocates every frame then, on purpose
		t.Skip("counts allocations: runs without the race detector only")
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		s, r := link(t, host)
		var frames []*stream.Frame
		for _, size := range []int{300_000, 120_000, 1, 281_601} {
			frames = append(frames, stream.NewFrame(randomBytes(size)))
		}
		ctx, n := t.Context(), 0
		step := func() {
			n++
			if err := s.Write(ctx, frames[n%len(frames)]); err != nil {
				t.Fatal(err)
			}
			f, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			f.Release()
		}
		for range 50 { // buffers grow
			step()
		}
		// What runs beside it, as a ping, may allocate once in a while, but nothing may in
		// each twentieth frame.
		if n := testing.AllocsPerRun(100, func() {
			for range 20 {
				step()
			}
		}); n != 0 {
			t.Errorf("%s: 20 frames allocate %v times, want 0", host, n)
		}
	}
}
