package command

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/stream"
)

// Faults that can be asked for, to see that the bench finds them. Their flags are
// hidden.

func slowDecoderFlag() cli.Flag {
	return &cli.DurationFlag{Name: "fault-slow-decoder", Hidden: true, Usage: "take so much longer to decode"}
}

func queueFlag() cli.Flag {
	return &cli.IntFlag{Name: "fault-queue", Hidden: true, Usage: "have so many frames wait before they are sent"}
}

// slowDecoder takes longer for every frame.
type slowDecoder struct {
	stream.Sink
	by time.Duration
}

func (s slowDecoder) Write(ctx context.Context, f *stream.Frame) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(s.by):
	}
	return s.Sink.Write(ctx, f)
}

// queueing breaks the freshness rule: it sends a frame when more than n newer ones have
// come.
type queueing struct {
	stream.Sink
	n       int
	waiting []*stream.Frame
}

func (q *queueing) Write(ctx context.Context, f *stream.Frame) error {
	q.waiting = append(q.waiting, f.Retain())
	if len(q.waiting) <= q.n {
		return nil
	}
	oldest := q.waiting[0]
	q.waiting = q.waiting[1:]
	defer oldest.Release()
	return q.Sink.Write(ctx, oldest)
}

func (q *queueing) Close() error {
	for _, f := range q.waiting {
		f.Release()
	}
	return q.Sink.Close()
}
