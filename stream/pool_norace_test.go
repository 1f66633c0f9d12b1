//go:build !race

package stream_test

import (
	"testing"

	"github.com/framegram/framegram/stream"
)

func TestPoolReuses(t *testing.T) {
	var pool stream.Pool
	f := pool.Get(100)
	f.JPEG = append(f.JPEG, 1)
	first := &f.JPEG[0]
	f.Release()
	again := pool.Get(200) // fits: the pool rounds up
	if again != f || &again.JPEG[:1][0] != first {
		t.Error("the released frame was not used again")
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	var pool stream.Pool
	box := stream.NewMailbox()
	n := testing.AllocsPerRun(1000, func() {
		f := pool.Get(6 << 20)
		f.JPEG = f.JPEG[:1000]
		box.Put(f)
		box.Put(pool.Get(6 << 20)) // replaces f
		g, err := box.TryTake()
		if err != nil {
			t.Fatal(err)
		}
		g.Release()
	})
	if n != 0 {
		t.Errorf("%v allocations per frame, want none", n)
	}
}

// The pool does not keep everything that was ever in use at once.
func TestPoolKeepsAtMostMaxIdle(t *testing.T) {
	var pool stream.Pool
	var frames []*stream.Frame
	for range 3 * stream.MaxIdle {
		frames = append(frames, pool.Get(1))
	}
	for _, f := range frames {
		f.Release()
	}
	if n := stream.Idle(&pool); n != stream.MaxIdle {
		t.Errorf("%d frames kept, want %d", n, stream.MaxIdle)
	}
}
