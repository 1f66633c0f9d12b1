package stream

import (
	"context"
	"errors"
	"time"
)

// Source gives frames, newest last.
type Source interface {
	// Next blocks until there is a frame and returns it, held once by the caller.
	// At the end of the stream the error is io.EOF. When ctx is done it returns
	// context.Cause(ctx) within 100 ms, whatever a device or a pipe is doing.
	// Only one goroutine calls Next.
	Next(ctx context.Context) (*Frame, error)
	// Close frees what the source holds. It is called once, after the last Next.
	Close() error
}

// Sink takes frames.
type Sink interface {
	// Write takes one frame, which it borrows until it returns. ErrStop means that
	// the sink wants no more and that this is no fault. When ctx is done it returns
	// within 100 ms, with or without having written. Only one goroutine calls Write.
	Write(ctx context.Context, f *Frame) error
	// Close finishes what was written. It is called once, after the last Write.
	Close() error
}

// ErrStop is what a Sink returns when its user is done with it (the window was
// closed, the reader of the pipe left). Copy ends without an error.
var ErrStop = errors.New("stream: the sink wants no more frames")

// Poller is a Sink that must be called now and then although no frame comes, as a
// window must to answer its user. Copy calls Poll from the goroutine that calls
// Write, about once every PollEvery.
type Poller interface {
	Sink
	PollEvery() time.Duration
	Poll(ctx context.Context) error // ErrStop as in Write
}
