package stream_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

func TestPoolGet(t *testing.T) {
	var pool stream.Pool
	for _, size := range []int{0, 1, 1 << 16, 1<<16 + 1, 3 << 20, 5} {
		f := pool.Get(size)
		if len(f.JPEG) != 0 || cap(f.JPEG) < size {
			t.Errorf("Get(%d): length %d, room for %d", size, len(f.JPEG), cap(f.JPEG))
		}
		if f.ID != 0 || !f.Captured.IsZero() || f.Width != 0 || f.Height != 0 {
			t.Errorf("Get(%d) returned what the last user left: %d, %v, %d x %d", size, f.ID, f.Captured, f.Width, f.Height)
		}
		f.ID, f.Captured, f.Width, f.Height = 7, time.Now(), 640, 480
		f.JPEG = append(f.JPEG, "left over"...)
		f.Release()
	}
}

func TestFrameLivesUntilTheLastRelease(t *testing.T) {
	var pool stream.Pool
	f := pool.Get(4)
	f.JPEG = append(f.JPEG, "jpeg"...)
	f.Retain()
	f.Release()
	other := pool.Get(4)
	other.JPEG = append(other.JPEG, "else"...)
	if other == f || !bytes.Equal(f.JPEG, []byte("jpeg")) {
		t.Errorf("a frame that is still held was given out again: it reads %q", f.JPEG)
	}
	f.Release()
	other.Release()
}

// Many goroutines pass frames around; the race detector and the marks see whether
// one is ever given to two.
func TestPoolConcurrently(t *testing.T) {
	var pool stream.Pool
	var wg sync.WaitGroup
	for mark := range byte(8) {
		wg.Go(func() {
			for range 1000 {
				f := pool.Get(64)
				f.JPEG = append(f.JPEG, mark)
				f.Retain()
				done := make(chan struct{})
				go func() {
					defer close(done)
					if f.JPEG[0] != mark {
						t.Errorf("a frame of %d reads %d", mark, f.JPEG[0])
					}
					f.Release()
				}()
				f.Release()
				<-done
			}
		})
	}
	wg.Wait()
}
