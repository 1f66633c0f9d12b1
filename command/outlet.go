package command

import (
	"io"
	"slices"
	"sync"
	"time"
)

const (
	outletLines = 64                     // waiting to be written; more are dropped
	outletGrace = 250 * time.Millisecond // what a slow reader is given at the end
)

// outlet writes from a goroutine of its own, so that whoever reads our output (a
// pager, a paused terminal, a program that is stuck) never holds up video or Ctrl-C.
// What a reader is too slow for is dropped. A write that blocks for good is left
// behind when the program ends: nothing can interrupt it.
type outlet struct {
	w      io.Writer
	lines  chan []byte
	failed func(error) // told of the first error, from the goroutine

	once    sync.Once
	closing chan struct{}
	done    chan struct{}
	err     error // after done
}

// newOutlet writes to w. failed may be nil.
func newOutlet(w io.Writer, failed func(error)) *outlet {
	o := &outlet{w: w, lines: make(chan []byte, outletLines), failed: failed, closing: make(chan struct{}), done: make(chan struct{})}
	go o.run()
	return o
}

func (o *outlet) run() {
	defer close(o.done)
	for {
		select {
		case line := <-o.lines:
			o.write(line)
			continue
		case <-o.closing:
		}
		for { // what was written before Close
			select {
			case line := <-o.lines:
				o.write(line)
			default:
				return
			}
		}
	}
}

func (o *outlet) write(line []byte) {
	if o.err != nil {
		return
	}
	if _, o.err = o.w.Write(line); o.err != nil && o.failed != nil {
		o.failed(o.err)
	}
}

// Write implements io.Writer; it keeps a copy of p, never blocks and never fails.
// After Close nothing is written any more.
func (o *outlet) Write(p []byte) (int, error) {
	select {
	case o.lines <- slices.Clone(p):
	default:
	}
	return len(p), nil
}

// Close waits a moment for what was written, and returns the first error. A reader
// that is stuck is no error. It may be called more than once.
func (o *outlet) Close() error {
	o.once.Do(func() { close(o.closing) })
	select {
	case <-o.done:
		return o.err
	case <-time.After(outletGrace):
		return nil
	}
}
