package command

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/framegram/framegram/stream"
)

// latencies collects how old frames were when the display had taken them: now minus
// Frame.Captured. Between two machines that is only as true as their clocks are
// equal.
type latencies struct {
	mu       sync.Mutex
	all      *hdrhistogram.Histogram // µs, since the start
	interval *hdrhistogram.Histogram // µs, since the last call of lastInterval
	negative uint64                  // shown before they were captured, by the clocks
	first    time.Time               // when the first frame was shown
}

// Latencies up to a minute are told apart, to within 1 %.
const maxLatency = time.Minute

func newLatencies() *latencies {
	fresh := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, maxLatency.Microseconds(), 2) }
	return &latencies{all: fresh(), interval: fresh()}
}

func (l *latencies) record(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d < 0 {
		l.negative++
	}
	if l.first.IsZero() {
		l.first = time.Now()
	}
	us := min(max(d, 0), maxLatency).Microseconds()
	l.all.RecordValue(us) // in range: cannot fail
	l.interval.RecordValue(us)
}

// firstAt is when the first frame was shown, or otherwise if none was.
func (l *latencies) firstAt(otherwise time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first.IsZero() {
		return otherwise
	}
	return l.first
}

// latencyFigures are in milliseconds.
type latencyFigures struct {
	P50      float64 `json:"p50"`
	P90      float64 `json:"p90"`
	P99      float64 `json:"p99"`
	Max      float64 `json:"max"`
	Count    int64   `json:"count"`
	Negative uint64  `json:"negative,omitempty"` // the two clocks differ by more than the latency
}

func (l *latencies) total() *latencyFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.figures(l.all)
}

// lastInterval gives the figures since it was called last.
func (l *latencies) lastInterval() *latencyFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.figures(l.interval)
	l.interval.Reset()
	return f
}

func (l *latencies) figures(h *hdrhistogram.Histogram) *latencyFigures {
	if h.TotalCount() == 0 {
		return nil
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return &latencyFigures{
		P50: ms(h.ValueAtQuantile(50)), P90: ms(h.ValueAtQuantile(90)), P99: ms(h.ValueAtQuantile(99)),
		Max: ms(h.Max()), Count: h.TotalCount(), Negative: l.negative,
	}
}

// timed records the age of every frame that next has taken.
func timed(next stream.Sink, l *latencies) stream.Sink {
	t := &timedSink{next, l}
	if p, ok := next.(stream.Poller); ok {
		return &timedPoller{t, p}
	}
	return t
}

type timedSink struct {
	stream.Sink
	ages *latencies
}

func (t *timedSink) Write(ctx context.Context, f *stream.Frame) error {
	err := t.Sink.Write(ctx, f)
	if err == nil {
		t.ages.record(time.Since(f.Captured))
	}
	return err
}

type timedPoller struct {
	*timedSink
	poller stream.Poller
}

func (t *timedPoller) PollEvery() time.Duration       { return t.poller.PollEvery() }
func (t *timedPoller) Poll(ctx context.Context) error { return t.poller.Poll(ctx) }
