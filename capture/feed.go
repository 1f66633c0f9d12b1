package capture

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// feed reads a device, a pipe or a file in a goroutine of its own, so that next can
// leave when ctx is done although a read hangs, and so that the newest picture of a
// live stream is at hand while an older one is encoded.
//
// A live feed always drains what it reads: a picture still waiting is replaced. A
// played one reads up to two pictures ahead (starting a file again takes some
// milliseconds) and shows each when it is due.
type feed[T any] struct {
	// read fills the item's data, and its media time if the file has one. errSkip
	// means that this picture was none; any other error is the last of the feed.
	read  func(*item[T]) error
	close func()  // called when neither goroutine needs the device and the items; may be nil
	live  bool    // otherwise played
	fps   float64 // played pictures without a time of their own; nominal rate otherwise
	thin  float64 // the most pictures a second; 0 = all
	count *counters

	// interrupt, if there is one, makes a read that waits return. patience, if not
	// zero, is how long after the last usable picture next gives errStalled (at least
	// firstPicture before there was one): a read may hang for ever, or find nothing of
	// use in what never ends.
	interrupt func()
	patience  time.Duration

	free, full chan *item[T]
	quit, done chan struct{}
	err        error // why full was closed
	inUse      *item[T]
	play       playback
	timer      *time.Timer // of patience

	began time.Time
	came  atomic.Int64 // when the last usable picture did, passed on or not: ns since began; 0 = none yet
}

// item is a picture and what is known of it.
type item[T any] struct {
	data     T
	id       uint32
	captured time.Time
	at       time.Duration // live: since the start; played: media time, by read or by the rate
	timed    bool          // read has set at
}

// firstPicture is how long the first one may take: a camera may be slow to begin, the
// next key frame of a video some seconds away.
const firstPicture = 15 * time.Second

// buffers: one in use, one or two waiting, one being read.
const buffers = 3

var (
	errSkip    = errors.New("capture: not a picture")
	errStalled = errors.New("no picture came for too long")
)

// start starts the goroutine. init, if not nil, prepares each item.
func (f *feed[T]) start(init func(*item[T])) {
	f.free, f.full = make(chan *item[T], buffers), make(chan *item[T], buffers-1)
	f.quit, f.done = make(chan struct{}), make(chan struct{})
	f.began = time.Now()
	for range buffers {
		it := new(item[T])
		if init != nil {
			init(it)
		}
		f.free <- it
	}
	go f.run()
}

func (f *feed[T]) run() {
	defer close(f.done)
	defer close(f.full)
	number := numbering{thin: thinner{fps: f.thin}}
	for {
		var it *item[T]
		select {
		case <-f.quit:
			return
		case it = <-f.free:
		}
		it.timed = false
		err := f.read(it)
		if err == nil {
			f.count.pictures.Add(1)
			if f.admit(it, &number) {
				f.put(it)
				continue
			}
			f.count.thinned.Add(1)
		}
		f.free <- it
		if err != nil && err != errSkip {
			f.err = err
			return
		}
	}
}

// numbering is what admit remembers from picture to picture.
type numbering struct {
	read uint64 // pictures so far
	thin thinner
}

// admit stamps a picture, and numbers it if it may pass.
func (f *feed[T]) admit(it *item[T], n *numbering) bool {
	it.captured = time.Now()
	since := it.captured.Sub(f.began)
	f.came.Store(max(1, int64(since)))
	switch {
	case f.live:
		it.at = since
	case !it.timed:
		it.at = mediaTime(n.read, f.fps)
	}
	n.read++
	if !n.thin.pass(it.at) {
		return false
	}
	it.id = f.count.ids.Add(1) - 1
	return true
}

// put leaves it for next. Live, nothing else is left waiting; played, there is room,
// because run took it from the free ones.
func (f *feed[T]) put(it *item[T]) {
	if f.live {
		select {
		case old := <-f.full:
			f.count.replaced.Add(1)
			f.free <- old
		default:
		}
	}
	f.full <- it
}

// next returns the newest picture (live) or the one that is due (played). It is
// borrowed until the following next.
func (f *feed[T]) next(ctx context.Context) (*item[T], error) {
	for {
		if f.inUse != nil {
			f.free <- f.inUse
			f.inUse = nil
		}
		if err := f.take(ctx); err != nil {
			return nil, err
		}
		if f.live {
			return f.inUse, nil
		}
		ok, err := f.play.due(ctx, f.inUse.at, mediaTime(1, f.fps))
		switch {
		case err != nil:
			return nil, err
		case ok:
			f.inUse.captured = time.Now()
			return f.inUse, nil
		}
		f.count.late.Add(1)
	}
}

// take waits for a picture and puts it in use.
func (f *feed[T]) take(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case it, ok := <-f.full:
			if !ok {
				return f.err
			}
			f.inUse = it
			return nil
		case <-f.impatient():
			if f.left() <= 0 && len(f.full) == 0 {
				return errStalled
			}
		}
	}
}

// left is how long patience lasts from now.
func (f *feed[T]) left() time.Duration {
	came, patience := time.Duration(f.came.Load()), f.patience
	if came == 0 {
		patience = max(patience, firstPicture)
	}
	return patience - time.Since(f.began.Add(came))
}

// impatient starts the timer of patience.
func (f *feed[T]) impatient() <-chan time.Time {
	switch {
	case f.patience == 0:
		return nil
	case f.timer == nil:
		f.timer = time.NewTimer(f.left())
	default:
		f.timer.Reset(f.left())
	}
	return f.timer.C
}

// stop ends the goroutine, waiting for it a little. One that hangs in a read is left
// behind, and what it uses is closed when the read returns. No next may follow.
func (f *feed[T]) stop() {
	close(f.quit)
	if f.interrupt != nil {
		f.interrupt()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-f.done
		if f.close != nil {
			f.close()
		}
	}()
	select {
	case <-ended:
	case <-time.After(50 * time.Millisecond):
	}
}
