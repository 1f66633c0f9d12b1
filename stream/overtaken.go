package stream

import (
	"context"
	"time"
)

// Overtaken is what is known of a frame that a newer one replaced before it was taken.
type Overtaken struct {
	Captured, First, Ready time.Time // as in Frame
	Bytes                  int       // of the JPEG
}

type overtakenKey struct{}

// WithOvertaken returns a context that has note told of the frames that a [Mailbox]
// replaced, oldest first, when the one that replaced them is taken with it; the same for
// a [Pump] that runs with it, and the Source that it reads. note is called from the
// goroutines that take, of which a Pump has two, and with no lock held.
//
// It is for measuring: nothing else should hang on it.
func WithOvertaken(ctx context.Context, note func(Overtaken)) context.Context {
	return context.WithValue(ctx, overtakenKey{}, note)
}

// mostNoted bounds what a mailbox remembers that nobody takes from: 17 s at 60 fps.
const mostNoted = 1024

func noted(passed []Overtaken, f *Frame) []Overtaken {
	if len(passed) >= mostNoted {
		return passed
	}
	return append(passed, Overtaken{f.Captured, f.First, f.Ready, len(f.JPEG)})
}
