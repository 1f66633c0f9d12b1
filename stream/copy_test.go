package stream_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/stream"
)

var errTest = errors.New("of the test")

func TestCopyEnds(t *testing.T) {
	endless := func() *source { return &source{pace: 10 * time.Millisecond} }
	failing := func() *source { s := frames(3); s.end = errTest; return s }
	for name, c := range map[string]struct {
		source    *source
		sink      *sink // nil takes everything at once
		maxFrames uint64
		cancel    time.Duration
		want      error
		got       int // frames at the sink
	}{
		"source ends":            {source: frames(5), got: 5},
		"source ends at once":    {source: frames(0), got: 0},
		"source fails":           {source: failing(), want: errTest, got: 3},
		"sink wants no more":     {source: endless(), sink: &sink{failAt: 4, err: stream.ErrStop}, got: 3},
		"sink fails":             {source: endless(), sink: &sink{failAt: 4, err: errTest}, want: errTest, got: 3},
		"sink fails with an EOF": {source: endless(), sink: &sink{failAt: 1, err: io.EOF}, want: io.EOF},
		"limit":                  {source: endless(), maxFrames: 7, got: 7},
		"canceled":               {source: endless(), cancel: 95 * time.Millisecond, want: errTest, got: 9},
		"canceled while the sink is busy": {source: endless(), sink: &sink{slow: time.Hour},
			cancel: 95 * time.Millisecond, want: errTest, got: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				sink := cmp.Or(c.sink, &sink{})
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, func() { cancel(errTest) })
				}
				pump := stream.Pump{Source: c.source, Sink: sink, MaxFrames: c.maxFrames}
				err := pump.Run(ctx)
				if err != c.want {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if !c.source.returned {
					t.Error("Run returned before the source's goroutine ended")
				}
				if len(sink.ids) != c.got {
					t.Errorf("the sink got %v, want %d frames", sink.ids, c.got)
				}
				if sink.closed != 0 {
					t.Error("Run closed the sink")
				}
				s := pump.Stats()
				if s.Written != uint64(c.got) || s.Read != uint64(c.source.next) || s.Read-s.Written-s.Replaced > 2 {
					t.Errorf("%d frames came from the source, stats are %+v", c.source.next, s)
				}
				c.source.check(t)
			})
		})
	}
}

// A sink three times too slow sees every third frame, and never an old one.
func TestCopyShowsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, sink := frames(100), &sink{slow: 35 * time.Millisecond}
		pump := stream.Pump{Source: source, Sink: sink}
		if err := pump.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(sink.ids); n < 28 || n > 31 {
			t.Errorf("%d of 100 frames written, want about 29: %v", n, sink.ids)
		}
		if !slices.IsSorted(sink.ids) || sink.ids[len(sink.ids)-1] != 100 {
			t.Errorf("got %v, want a rising row up to the last frame", sink.ids)
		}
		if s := pump.Stats(); s.Read != 100 || s.Written+s.Replaced != 100 {
			t.Errorf("stats do not add up: %+v", s)
		}
		source.check(t)
	})
}

func TestCopyPolls(t *testing.T) {
	for name, pace := range map[string]time.Duration{"idle": time.Hour, "flooded": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &source{pace: pace}
				sink := &polled{sink: sink{slow: 5 * time.Millisecond}, every: 10 * time.Millisecond, stopAt: 50, stop: stream.ErrStop}
				start := time.Now()
				if err := stream.Copy(t.Context(), sink, source); err != nil {
					t.Fatal(err)
				}
				// 50 polls are due after 500 ms; a frame in hand may delay one, and a
				// tick competes with the frames that wait.
				if d := time.Since(start); d < 500*time.Millisecond || d > 2*time.Second {
					t.Errorf("50 polls took %v", d)
				}
				source.check(t)
			})
		})
	}
}

func TestPollFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &polled{every: 10 * time.Millisecond, stopAt: 2, stop: errTest}
		if err := stream.Copy(t.Context(), sink, &source{pace: time.Hour}); err != errTest {
			t.Errorf("got %v, want %v", err, errTest)
		}
	})
}

// What is on its way when a run ends was not skipped for a sink that was too slow.
func TestTheEndSkipsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &source{pace: 10 * time.Millisecond}
		pump := stream.Pump{Source: source, Sink: &sink{slow: 10 * time.Millisecond}, MaxFrames: 5}
		if err := pump.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := pump.Stats(); s.Written != 5 || s.Replaced != 0 || s.Read <= s.Written {
			t.Errorf("%+v, want a frame on its way and none replaced", s)
		}
	})
}
