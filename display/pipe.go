package display

import (
	"context"
	"io"
	"time"

	"github.com/framegram/framegram/stream"
)

// pipe writes from a goroutine of its own, because a write to a pipe whose reader
// has stopped reading cannot be interrupted: neither a deadline nor Close ends it
// while the descriptor is in blocking mode, and the mode is not ours to change (it
// belongs to everyone who holds the pipe). Whoever waits for it still can be.
type pipe struct {
	todo  chan write
	done  chan error // one for each write, in order
	ended chan struct{}
	stuck bool // a write was given up; nothing follows it
}

// write is bytes to write; frame, if not nil, owns them.
type write struct {
	bytes []byte
	frame *stream.Frame
}

// grace is how long a write in progress may take once nobody wants more, so that a
// reader who keeps up does not find half a picture at the end.
const grace = 250 * time.Millisecond

func newPipe(out io.Writer) *pipe {
	p := &pipe{todo: make(chan write), done: make(chan error, 1), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for w := range p.todo {
			_, err := out.Write(w.bytes)
			if w.frame != nil {
				w.frame.Release()
			}
			p.done <- err
		}
	}()
	return p
}

// write returns when b is written, or, once ctx is done, after no more than grace.
// Then b is still being read: it must not be changed any more, and if it is frame's,
// frame is kept for as long as that takes.
func (p *pipe) write(ctx context.Context, b []byte, frame *stream.Frame) error {
	if p.stuck {
		return context.Cause(ctx)
	}
	if frame != nil {
		frame.Retain()
	}
	p.todo <- write{b, frame}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-p.done:
		return err
	case <-time.After(grace):
		p.stuck = true
		return context.Cause(ctx)
	}
}

// close ends the goroutine. Only one whose write is stuck in the kernel remains,
// for as long as the reader neither reads nor leaves.
func (p *pipe) close() {
	close(p.todo)
	if !p.stuck {
		<-p.ended
	}
}
