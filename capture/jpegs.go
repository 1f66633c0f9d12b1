package capture

import (
	"context"
	"log/slog"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// jpegs is a source of JPEGs, which pass through untouched.
type jpegs struct {
	*counters
	info Info
	log  *slog.Logger
	feed feed[*stream.Frame]

	// read appends the next JPEG to dst. It returns errSkip after skip, and io.EOF at
	// the end.
	read func(dst []byte) ([]byte, error)
	name func() string        // of the picture read last, for the log
	time func() time.Duration // media time of a usable picture read last; nil: the rate tells

	// For the feed: what makes a read that waits return, and what frees the device. May
	// be nil.
	interrupt, finish func()
	patience          time.Duration // see feed

	// Of the feed's goroutine:
	pool stream.Pool
	room int // bytes; what the next JPEG probably needs
}

// start begins to read: as it comes if info.Live, otherwise on the schedule of
// info.FPS.
func (j *jpegs) start(thin float64) *jpegs {
	j.feed = feed[*stream.Frame]{read: j.fill, live: j.info.Live, fps: j.info.FPS, thin: thin, count: j.counters}
	j.feed.interrupt, j.feed.close, j.feed.patience = j.interrupt, j.finish, j.patience
	j.feed.start(nil)
	return j
}

func (j *jpegs) fill(it *item[*stream.Frame]) error {
	if it.data == nil {
		it.data = j.pool.Get(j.room)
	}
	f := it.data
	jpeg, err := j.read(f.JPEG[:0])
	if err != nil {
		return err
	}
	f.JPEG = jpeg
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		j.skip(err)
		return errSkip
	}
	if !h.Huffman {
		f.JPEG = codec.Mend(jpeg)
	}
	f.Width, f.Height = h.Width, h.Height
	if j.time != nil {
		it.at, it.timed = j.time(), true
	}
	j.room = len(f.JPEG) + len(f.JPEG)/4
	return nil
}

// skip counts a picture that cannot be used, and says so at most once a second.
func (j *jpegs) skip(err error) {
	j.damage()
	if j.saidPicture.ok() {
		j.log.Warn("picture skipped", slog.String("picture", j.name()), slog.Any("err", err))
	}
}

// Next implements [stream.Source].
func (j *jpegs) Next(ctx context.Context) (*stream.Frame, error) {
	it, err := j.feed.next(ctx)
	if err != nil {
		return nil, err
	}
	f := it.data
	it.data = nil // the frame goes to the caller; fill takes another
	f.ID, f.Captured = it.id, it.captured
	return f, nil
}

// Close implements [stream.Source].
func (j *jpegs) Close() error {
	j.feed.stop()
	return nil
}

// Info implements [Reporter].
func (j *jpegs) Info() Info { return j.info }
