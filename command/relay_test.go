package command

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// frames is a source of the frames it holds.
type frames []*stream.Frame

func (s *frames) Next(context.Context) (*stream.Frame, error) {
	if len(*s) == 0 {
		return nil, io.EOF
	}
	f := (*s)[0]
	*s = (*s)[1:]
	return f, nil
}

func (s *frames) Close() error { return nil }

// came is a frame that was captured at one time by the sender's clock and came at
// another by ours.
func came(jpeg string, captured, first time.Time) *stream.Frame {
	f := stream.NewFrame([]byte(jpeg))
	f.Captured, f.First = captured, first
	return f
}

func relayed(in *frames, now *time.Time, said io.Writer) *passed {
	return &passed{in: in, log: slog.New(slog.NewTextHandler(said, nil)), now: func() time.Time { return *now }}
}

func next(t *testing.T, p *passed) *stream.Frame {
	t.Helper()
	f, err := p.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A relay passes capture times on by its own clock; while it does not know the sender's,
// by when the frame came, and after a while as they are.
func TestRelayRebases(t *testing.T) {
	now := time.Now()
	behind := now.Round(0).Add(-5 * time.Second) // the sender's clock is 5 s behind
	at := func(ms int) (captured, first time.Time) {
		d := time.Duration(ms) * time.Millisecond
		return behind.Add(d), now.Add(d + time.Millisecond)
	}
	f := func(name string, ms int, synced bool) *stream.Frame {
		captured, first := at(ms)
		f := came(name, captured, first)
		if synced {
			f.Ahead, f.Synced = -5*time.Second, true
		}
		return f
	}
	in := &frames{f("a", 0, false), f("b", 33, false), f("c", 66, true), f("d", 99, true), f("e", 133, false), f("f", 2200, false), f("g", 2300, true)}
	start, clock := now, now
	p := relayed(in, &clock, io.Discard)
	for i, want := range []time.Duration{
		1 * time.Millisecond, 34 * time.Millisecond, // as they came
		66 * time.Millisecond, 99 * time.Millisecond, // as captured, by our clock
		134 * time.Millisecond,                // the clock is unknown again
		2200*time.Millisecond - 5*time.Second, // and stays so: as it is
		2300 * time.Millisecond,
	} {
		clock = (*in)[0].First.Add(time.Millisecond)
		got := next(t, p)
		if d := got.Captured.Sub(start) - want; d.Abs() > 2*time.Microsecond || !got.Synced || got.Ahead != 0 {
			t.Errorf("frame %d: captured %v after the start, want %v", i, got.Captured.Sub(start), want)
		}
		// The monotonic reading must survive: a step of this machine's clock is no step of
		// the stream.
		if i < 5 && !strings.Contains(got.Captured.String(), "m=") {
			t.Errorf("frame %d has lost its monotonic reading", i)
		}
	}
}

// What has been passed on before is dropped, though its time is not quite the same; what
// only looks the same is not.
func TestRelayDropsWhatComesBack(t *testing.T) {
	now := time.Now()
	synced := func(jpeg string, captured time.Time) *stream.Frame {
		f := came(jpeg, captured, now)
		f.Synced = true
		return f
	}
	var said bytes.Buffer
	in := &frames{
		synced("picture", now), synced("other", now.Add(33*time.Millisecond)),
		synced("picture", now.Add(time.Millisecond)),    // back again
		synced("picture", now.Add(66*time.Millisecond)), // a still picture, captured anew
		synced("picture", now.Add(-time.Millisecond)),   // back again, the other way
		synced("last", now.Add(99*time.Millisecond)),
	}
	p := relayed(in, &now, &said)
	var got []string
	for {
		f, err := p.Next(t.Context())
		if err != nil {
			break
		}
		got = append(got, string(f.JPEG))
	}
	if want := "picture other picture last"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if p.looped.Load() != 2 || strings.Count(said.String(), "relays stand in a ring") != 1 {
		t.Errorf("%d came back, and it was said: %s", p.looped.Load(), &said)
	}
}

// Ages that were recorded before the sender's clock was known are as wrong as the clocks
// are apart: they are left out for a moment, and forgotten when the clock becomes known.
func TestAgesWaitForTheClock(t *testing.T) {
	ages := newLatencies()
	s := &timedSink{ages: ages}
	now := time.Now()
	show := func(after, age time.Duration, synced bool) {
		f := came("", now.Add(after-age), now)
		f.Synced = synced
		s.record(f, now.Add(after))
	}
	show(0, 5*time.Second, false)
	show(500*time.Millisecond, 5*time.Second, false)
	if got := ages.take(wholeRun); got != nil {
		t.Errorf("got %+v before the clock could be known", got)
	}
	show(600*time.Millisecond, 10*time.Millisecond, true)
	if got := ages.take(wholeRun); got == nil || got.Count != 1 || got.Max > 11 {
		t.Errorf("got %+v", got)
	}
	show(700*time.Millisecond, 5*time.Second, false) // another sender, which does not answer
	show(1800*time.Millisecond, 5*time.Second, false)
	if got := ages.take(wholeRun); got.Count != 2 || got.Max < 4999 {
		t.Errorf("got %+v of a sender that does not answer", got)
	}
	show(1900*time.Millisecond, 10*time.Millisecond, true) // late
	if got := ages.take(wholeRun); got.Count != 1 || got.Max > 11 {
		t.Errorf("got %+v once it has", got)
	}
}
