package capture

import (
	"cmp"
	"context"
	"errors"
	"image"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/stream"
)

const (
	firstRetry, lastRetry = 250 * time.Millisecond, 2 * time.Second // the wait doubles between them
	steadyAfter           = 5 * time.Second                         // of pictures, the wait begins anew
	lostEvery             = 5 * time.Second                         // it is said that a source is lost, at most
	placeholderEvery      = 500 * time.Millisecond
	stallAfter            = 5 * time.Second // without anything from a device or a server
)

// opener opens a device or an address, counting in c. It may hang: then it is
// abandoned. ctx is for the opening only.
type opener func(ctx context.Context, c *counters) (stream.Source, error)

// reopening is a live source that outlives its device: when that fails it is opened
// again, for ever, and a placeholder is shown meanwhile. IDs go on counting, because
// all openings share the counters.
type reopening struct {
	*counters
	name string // for people: without a password
	open opener
	log  *slog.Logger

	info atomic.Pointer[Info]

	// Of the goroutine that calls Next:
	now      stream.Source // nil while there is none
	showing  bool          // a picture of now has come
	first    time.Time     // when the first of now did
	latest   time.Time     // and the last
	settled  chan bool     // to the goroutine that opened: whether a picture came; nil once told
	last     uint32        // ID of the frame before
	any      bool          // there was one
	lastSize image.Point
	card     *placeholder
	lost     time.Time // when the last picture came, while there is none
	due      time.Time // of the next placeholder
	every    time.Duration

	// Of the goroutine that opens, while there is one. They follow each other.
	wait                time.Duration // before the next attempt
	losses              uint64
	absent              bool   // it was said last that the source is lost, not that it is back
	said                string // why
	saidLost, saidStill seldom
	back                chan stream.Source
	ctx                 context.Context // done with Close
	cancel              context.CancelFunc
	ended               chan struct{} // closed when that goroutine has ended; nil if there never was one
}

// errPlaceholder ends the waiting for a picture, for a placeholder.
var errPlaceholder = errors.New("capture: time for a placeholder")

// openAgain opens a source that is opened again whenever it fails. Only what fails
// now is an error.
func openAgain(ctx context.Context, cfg Config, name string, open opener) (stream.Source, error) {
	r := &reopening{counters: new(counters), name: name, open: open, log: cfg.Log, wait: firstRetry, back: make(chan stream.Source)}
	r.every = placeholderEvery
	if cfg.FPS > 0 {
		r.every = max(r.every, mediaTime(1, cfg.FPS))
	}
	s, err := abandonable(ctx, r.attempt, closeSource)
	if err != nil {
		return nil, err
	}
	if !s.(Reporter).Info().Live {
		return s, nil // a file at an address
	}
	if cfg.Loop {
		s.Close()
		return nil, &ConfigError{"loop", errors.New("needs a file: " + name + " is live")}
	}
	r.card = newPlaceholder(cfg, name)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.adopt(s)
	r.showing, r.lost = true, time.Now() // no placeholder before something was lost
	return r, nil
}

func (r *reopening) attempt(ctx context.Context) (stream.Source, error) {
	return r.open(ctx, r.counters)
}

func closeSource(s stream.Source) { s.Close() }

func (r *reopening) adopt(s stream.Source) {
	r.now, r.showing, r.first, r.latest = s, false, time.Time{}, time.Time{}
	info := s.(Reporter).Info()
	r.info.Store(&info)
}

// Next implements [stream.Source].
func (r *reopening) Next(ctx context.Context) (*stream.Frame, error) {
	for {
		var f *stream.Frame
		var err error
		if r.now == nil {
			err = r.await(ctx)
		} else if f, err = r.picture(ctx); f != nil {
			return f, nil
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == errPlaceholder:
			if f = r.placeholder(); f != nil {
				return f, nil
			}
		case err != nil:
			r.lose(err)
		}
	}
}

// picture waits for one of the device, or for the time of a placeholder.
func (r *reopening) picture(ctx context.Context) (*stream.Frame, error) {
	if !r.showing {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, r.due, errPlaceholder)
		defer cancel()
	}
	f, err := r.now.Next(ctx)
	if err != nil {
		return nil, err
	}
	if r.any && !stream.Newer(f.ID, r.last) { // it came before the last placeholder
		f.Release()
		r.replaced.Add(1)
		return nil, nil
	}
	r.latest = time.Now()
	if r.first.IsZero() {
		r.first = r.latest
	}
	r.showing = true
	r.settle(true)
	r.lastSize = image.Pt(f.Width, f.Height)
	r.passed(f)
	return f, nil
}

func (r *reopening) passed(f *stream.Frame) { r.last, r.any = f.ID, true }

// await waits for the device to come back, or for the time of a placeholder.
func (r *reopening) await(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, r.due, errPlaceholder)
	defer cancel()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s := <-r.back:
		r.adopt(s)
		r.reopened.Add(1)
		return nil
	}
}

// lose gives the device up and starts to open it again.
func (r *reopening) lose(err error) {
	r.now.Close()
	r.now = nil
	r.settle(false)
	if r.latest.Sub(r.first) >= steadyAfter {
		r.wait = firstRetry
	}
	if r.showing {
		r.lost = time.Now()
		r.due = r.lost.Add(r.every)
		r.card.say(cmp.Or(r.lastSize, r.Info().Size), r.lost)
	}
	before := r.ended
	r.ended, r.settled = make(chan struct{}), make(chan bool, 1)
	go r.retry(err, before, r.ended, r.settled)
}

// settle tells the goroutine that opened what became of it.
func (r *reopening) settle(shows bool) {
	if r.settled != nil {
		r.settled <- shows
		r.settled = nil
	}
}

// retry opens until that succeeds or the source is closed. It does the logging, too,
// up to the first picture: a log that is stuck must not hold up Next. before is closed
// when the last retry has ended, if there was one.
func (r *reopening) retry(err error, before <-chan struct{}, ended chan<- struct{}, settled <-chan bool) {
	defer close(ended)
	if before != nil {
		<-before
	}
	r.losses++
	for {
		r.sayLost(err)
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(r.wait):
		}
		r.wait = min(2*r.wait, lastRetry)
		s, openErr := r.attempt(r.ctx)
		if openErr == nil {
			select {
			case r.back <- s:
			case <-r.ctx.Done():
				s.Close()
				return
			}
			break
		}
		if err = openErr; r.ctx.Err() != nil {
			return
		}
	}
	select {
	case shows := <-settled:
		if shows && r.absent {
			r.absent = false
			r.log.Info("source is back", slog.String("source", r.name))
		}
	case <-r.ctx.Done():
	}
}

// sayLost says that the source is lost, and then when the reason changes, neither more
// than once in lostEvery: a source may come and go all the time. While a loss has not
// been said, neither is that the source is back.
func (r *reopening) sayLost(err error) {
	text := err.Error()
	switch {
	case !r.absent && r.saidLost.okAfter(lostEvery):
		r.absent, r.said = true, text
		r.log.Warn("source lost, opening it again", slog.String("source", r.name), slog.Any("err", err), slog.Uint64("losses_so_far", r.losses))
	case r.absent && text != r.said && r.saidStill.okAfter(lostEvery):
		r.said = text
		r.log.Warn("source still lost", slog.String("source", r.name), slog.Any("err", err))
	}
}

// placeholder makes the frame that stands in for a picture; nil if it cannot.
func (r *reopening) placeholder() *stream.Frame {
	r.due = time.Now().Add(r.every)
	f, err := r.card.frame(r.ids.Add(1) - 1)
	if err != nil {
		return nil
	}
	r.counters.placeholder.Add(1)
	r.passed(f)
	return f
}

// Close implements [stream.Source]. An opening that hangs is left behind.
func (r *reopening) Close() error {
	r.cancel()
	if r.now != nil {
		r.now.Close()
	}
	if r.ended != nil {
		select {
		case <-r.ended:
		case <-time.After(50 * time.Millisecond):
		}
	}
	return r.card.close()
}

// Info implements [Reporter].
func (r *reopening) Info() Info { return *r.info.Load() }
