package stream_test

import (
	"fmt"
	"testing"

	"github.com/framegram/framegram/stream"
)

func TestNewer(t *testing.T) {
	const half = 1 << 31
	edges := []uint32{0, 1, 2, half - 1, half, half + 1, 1<<32 - 2, 1<<32 - 1}
	for _, b := range edges {
		for _, c := range []struct {
			ahead uint32
			want  bool
		}{
			{0, false}, {1, true}, {2, true}, {half - 1, true},
			{half, false}, // the unordered pair of RFC 1982
			{half + 1, false}, {1<<32 - 1, false},
		} {
			if got := stream.Newer(b+c.ahead, b); got != c.want {
				t.Errorf("Newer(%d+%d, %d) = %v", b, c.ahead, b, got)
			}
		}
		for _, a := range edges {
			if stream.Newer(a, b) && stream.Newer(b, a) {
				t.Errorf("%d and %d are newer than each other", a, b)
			}
		}
	}
}

func TestMisusePanics(t *testing.T) {
	var pool stream.Pool
	for name, newFrame := range map[string]func() *stream.Frame{
		"pooled": func() *stream.Frame { return pool.Get(1) },
		"bare":   func() *stream.Frame { return stream.NewFrame([]byte{1}) },
	} {
		mustPanic(t, name+": released twice", func() {
			f := newFrame()
			f.Release()
			f.Release()
		})
		mustPanic(t, name+": released once too often", func() {
			f := newFrame().Retain()
			f.Release()
			f.Release()
			f.Release()
		})
		mustPanic(t, name+": retained after release", func() {
			f := newFrame()
			f.Release()
			f.Retain()
		})
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r == nil {
			t.Errorf("%s: no panic", what)
		} else if _, ok := r.(string); !ok {
			t.Errorf("%s: panic with %v, want a message", what, fmt.Sprintf("%T %[1]v", r))
		}
	}()
	f()
}
