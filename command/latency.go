package command

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/framegram/framegram/stream"
)

// latencies collects how old frames were when the display had taken them. Between two
// machines that is only as true as their clocks are known (Frame.Ahead).
type latencies struct {
	mu    sync.Mutex
	spans [spans]span
	first time.Time // when the first frame was shown,
	last  time.Time // and the last one
}

// What latencies are collected over.
const (
	wholeRun = iota
	lastPrint
	lastPage
	spans
)

type span struct {
	ages     *hdrhistogram.Histogram // µs
	negative uint64                  // shown before they were captured, by the clocks; not in ages
}

// Latencies up to a minute are told apart, to within 1 %.
const maxLatency = time.Minute

func newLatencies() *latencies {
	l := &latencies{}
	for i := range l.spans {
		l.spans[i].ages = hdrhistogram.New(1, maxLatency.Microseconds(), 2)
	}
	return l
}

func (l *latencies) record(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.spans {
		if d < 0 {
			l.spans[i].negative++
		} else {
			l.spans[i].ages.RecordValue(min(d, maxLatency).Microseconds()) // in range: cannot fail
		}
	}
}

// shown notes that a frame was.
func (l *latencies) shown(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = now
	if l.first.IsZero() {
		l.first = now
	}
}

// forget begins all spans anew.
func (l *latencies) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.spans {
		l.spans[i].ages.Reset()
		l.spans[i].negative = 0
	}
}

// showing is from when on and until when frames were shown, as many of them as that: the last one stands for as long
// as those before it. Both are zero for fewer than two.
func (l *latencies) showing(frames uint64) (from, to time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first.IsZero() || frames < 2 {
		return time.Time{}, time.Time{}
	}
	return l.first, l.last.Add(l.last.Sub(l.first) / time.Duration(frames-1))
}

// latencyFigures are in milliseconds.
type latencyFigures struct {
	P50      float64 `json:"p50"`
	P90      float64 `json:"p90"`
	P99      float64 `json:"p99"`
	Max      float64 `json:"max"`
	Count    int64   `json:"count"`              // frames that the above are of
	Negative uint64  `json:"negative,omitempty"` // more frames, shown before they were captured: the clocks differ

	Bound *float64 `json:"bound_ms,omitempty"` // how wrong the above can be, by the clocks; nil = not known: they are taken to be equal
}

// within notes how well the sender's clock is known.
func (l *latencyFigures) within(c *clockFigures) *latencyFigures {
	if l != nil && c != nil {
		l.Bound = &c.Bound
	}
	return l
}

// take gives the figures of a span, nil for no frames, and begins it anew unless it
// is the whole run.
func (l *latencies) take(which int) *latencyFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.spans[which]
	ms := func(us int64) float64 { return float64(us) / 1000 }
	f := &latencyFigures{
		P50: ms(s.ages.ValueAtQuantile(50)), P90: ms(s.ages.ValueAtQuantile(90)), P99: ms(s.ages.ValueAtQuantile(99)),
		Max: ms(s.ages.Max()), Count: s.ages.TotalCount(), Negative: s.negative,
	}
	if which != wholeRun {
		s.ages.Reset()
		s.negative = 0
	}
	if f.Count == 0 && f.Negative == 0 {
		return nil
	}
	return f
}

// timed records the age of every frame that next has taken.
func timed(next stream.Sink, l *latencies) stream.Sink {
	t := &timedSink{Sink: next, ages: l}
	if p, ok := next.(stream.Poller); ok {
		return &timedPoller{t, p}
	}
	return t
}

type timedSink struct {
	stream.Sink
	ages    *latencies
	unknown time.Time // since when the sender's clock has not been known; zero when it is
	guessed bool      // ages were recorded as if the clocks were equal
}

// clockWithin is how long ages are left out because the sender's clock will be known in
// a moment. Without it the first ones could be as wrong as the clocks are apart.
const clockWithin = time.Second

func (t *timedSink) Write(ctx context.Context, f *stream.Frame) error {
	err := t.Sink.Write(ctx, f)
	if err == nil {
		t.record(f, time.Now())
	}
	return err
}

func (t *timedSink) record(f *stream.Frame, now time.Time) {
	t.ages.shown(now)
	switch {
	case f.Synced && t.guessed:
		t.ages.forget()
		t.guessed = false
		fallthrough
	case f.Synced:
		t.unknown = time.Time{}
	case t.unknown.IsZero():
		t.unknown = now
		return
	case now.Sub(t.unknown) < clockWithin:
		return
	default:
		t.guessed = true
	}
	t.ages.record(f.Age(now))
}

type timedPoller struct {
	*timedSink
	poller stream.Poller
}

func (t *timedPoller) PollEvery() time.Duration       { return t.poller.PollEvery() }
func (t *timedPoller) Poll(ctx context.Context) error { return t.poller.Poll(ctx) }
