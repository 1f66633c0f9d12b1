package stream

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// Copy moves frames from source to sink until the source ends, the sink wants no
// more (both: nil), ctx is done (context.Cause(ctx)) or one of them fails. It
// closes neither. The sink is called from the calling goroutine, the source from
// one that has ended when Copy returns; between them a newer frame replaces an
// older one.
func Copy(ctx context.Context, sink Sink, source Source) error {
	return (&Pump{Source: source, Sink: sink}).Run(ctx)
}

// Pump is a Copy that can be limited, and read while it runs.
type Pump struct {
	Source    Source
	Sink      Sink
	MaxFrames uint64 // stop after so many frames were written; 0 = no limit

	read, written, replaced atomic.Uint64
}

// PumpStats are frames since the start; Read = Written + Replaced + those on their way, or
// caught there by the end of Run (at most 2).
type PumpStats struct {
	Read     uint64 `json:"read"`     // came from the source
	Written  uint64 `json:"written"`  // taken by the sink
	Replaced uint64 `json:"replaced"` // not written: a newer one came before the sink was ready
}

// Stats may be called at any time, from any goroutine.
func (p *Pump) Stats() PumpStats {
	return PumpStats{Read: p.read.Load(), Written: p.written.Load(), Replaced: p.replaced.Load()}
}

// Run is Copy. It is called once.
func (p *Pump) Run(ctx context.Context) error {
	readCtx, stop := context.WithCancel(ctx)
	box, done := NewMailbox(), make(chan struct{})
	go func() {
		defer close(done)
		p.fill(readCtx, box)
	}()
	err := p.drain(ctx, box)
	stop()
	<-done
	if f, _ := box.TryTake(); f != nil {
		f.Release()
	}
	return err
}

func (p *Pump) fill(ctx context.Context, box *Mailbox) {
	for {
		f, err := p.Source.Next(ctx)
		if err != nil {
			box.Close(err)
			return
		}
		if f.Ready.IsZero() {
			f.Ready = time.Now()
		}
		p.read.Add(1)
		box.Put(f)
		p.replaced.Store(box.Replaced())
	}
}

func (p *Pump) drain(ctx context.Context, box *Mailbox) error {
	poll := func(context.Context) error { return nil }
	var tick <-chan time.Time
	if s, ok := p.Sink.(Poller); ok {
		t := time.NewTicker(s.PollEvery())
		defer t.Stop()
		poll, tick = s.Poll, t.C
	}
	for p.MaxFrames == 0 || p.written.Load() < p.MaxFrames {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick:
			err = poll(ctx)
		case <-box.Ready():
			var f *Frame
			if f, err = box.tryTake(ctx); f != nil {
				err = p.write(ctx, f)
			} else if errors.Is(err, io.EOF) {
				return nil
			}
		}
		switch {
		case errors.Is(err, ErrStop):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

func (p *Pump) write(ctx context.Context, f *Frame) error {
	defer f.Release()
	if err := p.Sink.Write(ctx, f); err != nil {
		return err
	}
	p.written.Add(1)
	return nil
}
