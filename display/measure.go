package display

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// Measure returns a Sink that decodes every frame, reads the timecode painted into
// its picture, notes how old the picture is by then, and passes the frame on to
// next. What it notes is the way of the pixels themselves: painting, encoding,
// transport, reassembly and decoding; not next, and no screen.
//
// The age is by this machine's clock against the one that painted: between two
// machines it is wrong by the difference of their clocks.
//
// note, unless nil, is called for every frame that could be decoded, with or without a
// strip, with the time at which it was, before the frame goes on to next.
//
// It is a [stream.Poller] if next is. Its Close closes next.
func Measure(next stream.Sink, note func(f *stream.Frame, decoded time.Time)) (stream.Sink, *Latency, error) {
	d, err := codec.NewDecoder()
	if err != nil {
		return nil, nil, fmt.Errorf("display: %w", err)
	}
	if note == nil {
		note = func(*stream.Frame, time.Time) {}
	}
	m := &measure{next: next, note: note, decoder: d, latency: newLatency()}
	if p, ok := next.(stream.Poller); ok {
		return &polledMeasure{m, p}, m.latency, nil
	}
	return m, m.latency, nil
}

type measure struct {
	next    stream.Sink
	note    func(*stream.Frame, time.Time)
	decoder *codec.Decoder
	picture *image.YCbCr // reused
	latency *Latency
}

func (m *measure) Write(ctx context.Context, f *stream.Frame) error {
	decoded, code, err := m.read(f.JPEG)
	if !decoded.IsZero() {
		m.note(f, decoded)
	}
	m.latency.add(decoded.Sub(code.Captured), err)
	return m.next.Write(ctx, f)
}

// read decodes the picture, notes the time, and reads the strip.
func (m *measure) read(jpeg []byte) (decoded time.Time, code timecode.Code, err error) {
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return decoded, code, err
	}
	m.picture = codec.ReuseYCbCr(m.picture, h.Width, h.Height, h.Ratio)
	if err := m.decoder.DecodeYCbCr(m.picture, jpeg); err != nil {
		return decoded, code, err
	}
	decoded = time.Now()
	code, err = timecode.Read(m.picture)
	return decoded, code, err
}

func (m *measure) Close() error {
	return errors.Join(m.next.Close(), m.decoder.Close())
}

// polledMeasure passes Poll on to a next that wants it.
type polledMeasure struct {
	*measure
	poller stream.Poller
}

func (m *polledMeasure) PollEvery() time.Duration       { return m.poller.PollEvery() }
func (m *polledMeasure) Poll(ctx context.Context) error { return m.poller.Poll(ctx) }

// Latency is what Measure noted. Stats may be called from any goroutine.
type Latency struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram // microseconds
	counts    LatencyStats            // those of its fields that count something else than Frames
}

// longest is the greatest age that is told apart from nonsense.
const longest = time.Minute

func newLatency() *Latency {
	return &Latency{histogram: hdrhistogram.New(1, longest.Microseconds(), 3)}
}

// add notes a frame's age, or with err why there is none.
func (l *Latency) add(age time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(err, timecode.ErrNoCode), errors.Is(err, timecode.ErrChecksum):
		l.counts.Unreadable++
	case err != nil:
		l.counts.Undecodable++
	case age < 0 || age > longest || l.histogram.RecordValue(age.Microseconds()) != nil:
		l.counts.Implausible++
	}
}

// LatencyStats are since the start. Every frame is counted in one of Frames,
// Implausible, Unreadable and Undecodable. Durations are exact to 0.1 %, and zero
// while Frames is.
type LatencyStats struct {
	Frames      uint64 // measured
	Implausible uint64 // captured in the future or over a minute ago: the clocks differ
	Unreadable  uint64 // without a timecode, or with one that cannot be trusted
	Undecodable uint64

	P50, P90, P99, Max time.Duration
}

// Stats is what was noted up to now.
func (l *Latency) Stats() LatencyStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := func(percent float64) time.Duration {
		return time.Duration(l.histogram.ValueAtPercentile(percent)) * time.Microsecond
	}
	s := l.counts
	s.Frames = uint64(l.histogram.TotalCount())
	s.P50, s.P90, s.P99, s.Max = at(50), at(90), at(99), at(100)
	return s
}
