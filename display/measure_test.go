package display

import (
	"context"
	"errors"
	"image"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// counting is a Sink that counts what reaches it.
type counting struct {
	frames, polls int
	closed        bool
}

func (c *counting) Write(context.Context, *stream.Frame) error { c.frames++; return nil }
func (c *counting) Close() error                               { c.closed = true; return errors.New("closing failed") }

type polledCounting struct{ counting }

func (c *polledCounting) PollEvery() time.Duration   { return time.Hour }
func (c *polledCounting) Poll(context.Context) error { c.polls++; return stream.ErrStop }

// painted is a JPEG whose timecode says that it was captured then.
func painted(t testing.TB, w, h int, captured time.Time) []byte {
	t.Helper()
	m := gradient(w, h)
	if err := timecode.Paint(m, timecode.Code{ID: 1, Captured: captured}); err != nil {
		t.Fatal(err)
	}
	return encode(t, m)
}

func TestMeasure(t *testing.T) {
	next := new(counting)
	s, latency, err := Measure(next, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := latency.Stats(); got != (LatencyStats{}) {
		t.Errorf("before the first frame: %+v", got)
	}
	if _, ok := s.(stream.Poller); ok {
		t.Error("asks to be polled, and next does not")
	}
	var fs frames
	began := time.Now()
	for i := range 100 { // ages of 1 s to 100 s in steps of a second, of which 60 are plausible
		jpeg := painted(t, 192+48*(i%2), 160, time.Now().Add(-time.Duration(i+1)*time.Second))
		if err := fs.write(t, s, jpeg); err != nil {
			t.Fatal(err)
		}
	}
	for _, jpeg := range [][]byte{
		painted(t, 320, 240, time.Now().Add(time.Hour)),
		encode(t, image.NewGray(image.Rect(0, 0, 320, 240))),
		encode(t, image.NewGray(image.Rect(0, 0, 8, 8))),
		[]byte("rubbish"),
		painted(t, 320, 240, time.Now())[:3000],
	} {
		if err := fs.write(t, s, jpeg); err != nil {
			t.Fatal(err)
		}
	}
	slack := time.Since(began)

	got := latency.Stats()
	if got.Frames+got.Implausible != 101 || got.Unreadable != 2 || got.Undecodable != 2 {
		t.Errorf("got %+v, want 101 frames with a timecode, 2 without, 2 undecodable", got)
	}
	// Frame i is i+1 s old, and not more than slack older; those over 60 s are left out.
	n := time.Duration(got.Frames) * time.Second
	if got.Frames < 59-uint64(slack.Seconds()) || got.Frames > 60 {
		t.Errorf("%d frames of a plausible age, want nearly 60", got.Frames)
	}
	for name, p := range map[string]struct {
		got   time.Duration
		share float64
	}{"p50": {got.P50, .5}, "p90": {got.P90, .9}, "p99": {got.P99, .99}, "max": {got.Max, 1}} {
		want := time.Duration(p.share * float64(n))
		if p.got < want*999/1000-time.Second || p.got > (want+slack)*1001/1000+time.Second {
			t.Errorf("%s: got %v, want %v", name, p.got, want)
		}
	}
	if err := s.Close(); err == nil || !next.closed || next.frames != 105 {
		t.Errorf("closing gave %v; next was given %d frames, closed is %v", err, next.frames, next.closed)
	}
}

// A window stays one when it is measured.
func TestMeasurePolls(t *testing.T) {
	next := new(polledCounting)
	s, _, err := Measure(next, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, ok := s.(stream.Poller)
	if !ok {
		t.Fatal("does not pass Poll on")
	}
	if err := p.Poll(t.Context()); err != stream.ErrStop || next.polls != 1 || p.PollEvery() != time.Hour {
		t.Errorf("got %v after %d polls, every %v", err, next.polls, p.PollEvery())
	}
}

func BenchmarkMeasure(b *testing.B) {
	s, _, err := Measure(none{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	f := stream.NewFrame(painted(b, 1280, 720, time.Now()))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Write(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
}
