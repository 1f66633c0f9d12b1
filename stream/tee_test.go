package stream_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/stream"
)

// ends collects what Tee says of its branches.
type ends chan struct {
	sink stream.Sink
	err  error
}

func (e ends) add(s stream.Sink, err error) {
	e <- struct {
		sink stream.Sink
		err  error
	}{s, err}
}

func TestTeeGivesAllToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, main, a, b := frames(20), &sink{}, &sink{}, &sink{}
		tee := stream.Tee(nil, main, a, b)
		if err := errors.Join(stream.Copy(t.Context(), tee, source), tee.Close()); err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]*sink{"main": main, "a": a, "b": b} {
			if len(s.ids) != 20 || s.closed != 1 {
				t.Errorf("%s: got %v, closed %d times", name, s.ids, s.closed)
			}
		}
		source.check(t)
	})
}

func TestSlowBranchDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, main, slow, quick := frames(100), &sink{}, &sink{slow: 95 * time.Millisecond}, &sink{}
		tee := stream.Tee(nil, main, slow, quick)
		start := time.Now()
		if err := stream.Copy(t.Context(), tee, source); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Second { // 100 frames, 10 ms apart
			t.Errorf("took %v with a slow branch, want 1s", d)
		}
		if err := tee.Close(); err != nil {
			t.Fatal(err)
		}
		if len(main.ids) != 100 || len(quick.ids) != 100 {
			t.Errorf("main got %d frames, the quick branch %d, want 100", len(main.ids), len(quick.ids))
		}
		if n := len(slow.ids); n < 10 || n > 13 || slow.ids[n-1] != 100 || !slices.IsSorted(slow.ids) {
			t.Errorf("the slow branch got %v, want about 11 frames up to the last", slow.ids)
		}
		if n := tee.(interface{ Skipped() uint64 }).Skipped(); n != uint64(100-len(slow.ids)) {
			t.Errorf("%d frames are counted as left out, of 100 %d were written", n, len(slow.ids))
		}
		source.check(t)
	})
}

func TestFailingBranchIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errClose := errors.New("closing")
		source, main := frames(20), &sink{}
		fails := &sink{failAt: 3, err: errTest, closeErr: errClose}
		stops := &sink{failAt: 5, err: stream.ErrStop}
		told := make(ends, 8)
		tee := stream.Tee(told.add, main, fails, stops)
		if err := errors.Join(stream.Copy(t.Context(), tee, source), tee.Close()); err != nil {
			t.Errorf("the failing branch failed the rest: %v", err)
		}
		if len(main.ids) != 20 || len(fails.ids) != 2 || len(stops.ids) != 4 || fails.closed != 1 || stops.closed != 1 {
			t.Errorf("got %d, %d, %d frames; closed %d, %d times", len(main.ids), len(fails.ids), len(stops.ids), fails.closed, stops.closed)
		}
		if e := <-told; e.sink != fails || !errors.Is(e.err, errTest) || !errors.Is(e.err, errClose) {
			t.Errorf("first end: %T, %v, want both errors of the failing one", e.sink, e.err)
		}
		if e := <-told; e.sink != stops || e.err != nil {
			t.Errorf("second end: %T, %v, want the one that stopped, without an error", e.sink, e.err)
		}
		if len(told) != 0 {
			t.Errorf("told of %d more ends", len(told))
		}
		source.check(t)
	})
}

func TestTeePassesOnTheMainSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing, branch := &sink{failAt: 3, err: errTest, closeErr: errTest}, &sink{}
		tee := stream.Tee(nil, failing, branch)
		if err := stream.Copy(t.Context(), tee, frames(20)); err != errTest {
			t.Errorf("Write: got %v, want the main sink's error", err)
		}
		for range 2 { // Close may be called again
			if err := tee.Close(); err != errTest {
				t.Errorf("Close: got %v, want the main sink's error", err)
			}
		}
		if failing.closed != 1 || branch.closed != 1 {
			t.Errorf("closed %d and %d times, want once", failing.closed, branch.closed)
		}
		if _, ok := tee.(stream.Poller); ok {
			t.Error("a Poller without one inside")
		}

		main := &polled{every: 10 * time.Millisecond, stopAt: 3, stop: stream.ErrStop}
		tee = stream.Tee(nil, main, branch)
		if err := stream.Copy(t.Context(), tee, &source{pace: time.Hour}); err != nil || main.polls != 3 {
			t.Errorf("got %v after %d polls, want the end with the third", err, main.polls)
		}
		tee.Close()
	})
}

// Close waits for a branch, but not for ever.
func TestTeeCloseIsBounded(t *testing.T) {
	for _, c := range []struct{ slow, want time.Duration }{
		{300 * time.Millisecond, 300 * time.Millisecond},
		{time.Hour, 500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			source, branch := frames(1), &sink{slow: c.slow}
			told := make(ends, 1)
			tee := stream.Tee(told.add, &sink{}, branch)
			if err := stream.Copy(t.Context(), tee, source); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			start := time.Now()
			if err := tee.Close(); err != nil {
				t.Error(err)
			}
			if d := time.Since(start); d != c.want {
				t.Errorf("Close took %v, want %v", d, c.want)
			}
			if e := <-told; (e.err != nil) != (c.slow > c.want) {
				t.Errorf("the branch ended with %v", e.err)
			}
			source.check(t)
		})
	}
}
