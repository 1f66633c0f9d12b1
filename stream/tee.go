package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// closeGrace is what Close leaves a branch to finish the frame it writes before that
// Write's ctx is done. Ctrl-C must end a command within a second.
const closeGrace = 500 * time.Millisecond

var errLate = fmt.Errorf("stream: still writing %v after the end", closeGrace)

// Tee is a Sink that gives every frame to several. The first one, the main sink,
// is called as if it stood alone. Each of the others has a mailbox and a goroutine
// of its own, so that none of them delays the main sink or another; a slow one
// skips frames. When one of the others fails or wants no more it is closed and
// left out, and the rest goes on. Close closes all and waits: what a branch still
// has to write it may write, but for closeGrace at most.
//
// The result has the method Skipped() uint64: how many frames the others have left out
// because they were slow, all of them together.
//
// onEnd, unless nil, is called once for each of the others, from its goroutine, when
// it was closed: with what it failed with, or nil.
func Tee(onEnd func(Sink, error), main Sink, others ...Sink) Sink {
	ctx, cancel := context.WithCancelCause(context.Background())
	t := &tee{main: main, cancel: cancel}
	for _, s := range others {
		b := &branch{sink: s, box: NewMailbox(), done: make(chan struct{})}
		t.branches = append(t.branches, b)
		go b.run(ctx, onEnd)
	}
	if p, ok := main.(Poller); ok {
		return &polledTee{t, p}
	}
	return t
}

type tee struct {
	main     Sink
	branches []*branch
	cancel   context.CancelCauseFunc // ends the branches' Writes
	close    sync.Once
	err      error
}

func (t *tee) Write(ctx context.Context, f *Frame) error {
	for _, b := range t.branches {
		b.box.Put(f.Retain())
	}
	return t.main.Write(ctx, f)
}

func (t *tee) Skipped() (n uint64) {
	for _, b := range t.branches {
		n += b.box.Replaced()
	}
	return n
}

func (t *tee) Close() error {
	t.close.Do(func() {
		for _, b := range t.branches {
			b.box.Close(io.EOF)
		}
		defer t.cancel(nil)
		defer time.AfterFunc(closeGrace, func() { t.cancel(errLate) }).Stop()
		t.err = t.main.Close()
		for _, b := range t.branches {
			<-b.done
		}
	})
	return t.err
}

// polledTee passes Poll on to a main sink that wants it.
type polledTee struct {
	*tee
	poller Poller
}

func (t *polledTee) PollEvery() time.Duration       { return t.poller.PollEvery() }
func (t *polledTee) Poll(ctx context.Context) error { return t.poller.Poll(ctx) }

type branch struct {
	sink Sink
	box  *Mailbox
	done chan struct{}
}

// run writes until the mailbox is closed or the sink ends, then closes the sink.
func (b *branch) run(ctx context.Context, onEnd func(Sink, error)) {
	defer close(b.done)
	err := b.copy(ctx)
	b.box.Drain(io.EOF)
	err = errors.Join(err, b.sink.Close())
	if onEnd != nil {
		onEnd(b.sink, err)
	}
}

func (b *branch) copy(ctx context.Context) error {
	for {
		f, err := b.box.Take(ctx)
		if f == nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
		err = b.sink.Write(ctx, f)
		f.Release()
		if errors.Is(err, ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
