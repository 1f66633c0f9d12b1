package capture

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/matroska"
	"github.com/framegram/framegram/stream"
)

// recording plays a Matroska file of JPEGs, ours or another program's, by the times
// in it; only a gap of over a minute is left out. OpenCV is not needed, and the JPEGs
// pass through untouched.
type recording struct {
	*jpegs
	path     string // fit to be shown
	loop     bool
	maxFrame int // bytes

	ctx    context.Context // ends the reading
	cancel context.CancelCauseFunc

	// Of the feed's goroutine:
	left  int64 // bytes that may still be read, while it is opened
	file  *os.File
	mkv   *matroska.Reader
	times mediaClock
	at    time.Duration // of the picture read last, by the file
	n     int           // pictures of this round so far, usable or not
}

// openRecording returns no source for a file that is OpenCV's to open; why, if there
// is anything to say, says what is in it.
//
// ctx is for the opening only. That ends even if what the file begins with has no end,
// but cannot interrupt the system's own functions.
func openRecording(ctx context.Context, cfg Config, path string) (s stream.Source, why, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, errorf("%w", err)
	}
	r := &recording{path: quoted(path), loop: cfg.Loop, maxFrame: cfg.MaxFrame, file: file, left: maxOpening}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	defer context.AfterFunc(ctx, func() { r.cancel(context.Cause(ctx)) })()
	if why, err = r.open(filepath.Ext(path)); why != nil || err != nil || r.mkv == nil {
		file.Close()
		return nil, why, err
	}
	fps, err := r.rate()
	r.left = math.MaxInt64
	if err == nil {
		err = r.rewind()
	}
	if ctx.Err() != nil { // which may be sooner than AfterFunc tells the reads
		err = context.Cause(ctx)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	r.times = newMediaClock(fps, 0)
	info := Info{Name: named(filepath.Base(path)), FPS: r.times.fps}
	if cfg.FPS > 0 {
		info.FPS = min(info.FPS, cfg.FPS)
	}
	if i := r.mkv.Info(); i.Width <= codec.MaxSide && i.Height <= codec.MaxSide {
		info.Size = image.Pt(i.Width, i.Height)
	}
	r.jpegs = &jpegs{counters: new(counters), info: info, log: cfg.Log, finish: func() { file.Close() }}
	r.interrupt = func() { r.cancel(context.Canceled) }
	r.read, r.time = r.nextJPEG, r.nextTime
	r.jpegs.name = func() string { return fmt.Sprintf("%d of %s", r.n, r.path) }
	s, err = jpegSource(r.start(cfg.FPS), cfg)
	return s, nil, err
}

// maxOpening is how many bytes of a file are read to find the first pictures, in front
// of which others may stand: sound, or what is of no use.
const maxOpening = 256 << 20

var errMaxOpening = fmt.Errorf("%d MiB were read without one", maxOpening>>20)

// Read implements io.Reader for what may read for hours without a picture.
func (r *recording) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	if r.left <= 0 {
		return 0, errMaxOpening
	}
	n, err := r.file.Read(p)
	r.left -= int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (r *recording) Seek(offset int64, whence int) (int64, error) {
	return r.file.Seek(offset, whence)
}

// open begins to read if the file is ours to read. Its first bytes tell, not its name.
func (r *recording) open(ext string) (why, err error) {
	magic := make([]byte, len(matroska.Magic))
	switch _, err := io.ReadFull(r.file, magic); {
	case err != nil && err != io.ErrUnexpectedEOF:
		return nil, errorf("%w", err)
	case !bytes.Equal(magic, []byte(matroska.Magic)):
		if strings.EqualFold(ext, ".mkv") {
			return errors.New("is named .mkv but does not begin as Matroska does"), nil
		}
		return nil, nil
	}
	err = r.rewind()
	var other *matroska.CodecError
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &other) && other.Codec != "":
		return fmt.Errorf("holds %s, which needs OpenCV", other.Codec), nil
	}
	if err == errMaxOpening {
		return nil, errorf("%s begins with no picture: %w", r.path, err)
	}
	return fmt.Errorf("cannot be played as a recording: %w", err), nil
}

// rewind goes to the start of the file.
func (r *recording) rewind() error {
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return errorf("%w", err)
	}
	mkv, err := matroska.NewReader(r, r.maxFrame)
	if err == nil {
		r.mkv, r.n = mkv, 0
	}
	return err
}

// rate looks at the first pictures: there must be one, and their usual interval tells
// how many a second there are, unless the file says so. 0 = not known.
func (r *recording) rate() (float64, error) {
	interval := r.mkv.Info().Interval
	look := 1
	if interval <= 0 {
		look = 31
	}
	var jpeg []byte
	var last time.Duration
	var steps []time.Duration
	n := 0
	for n < look {
		b, at, err := r.mkv.Next(jpeg[:0])
		switch {
		case errors.Is(err, matroska.ErrFrame):
			continue
		case err != nil && n == 0:
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, errorf("%s holds no picture: %w", r.path, err)
		case err != nil:
			look = n
		default:
			if jpeg = b; n > 0 {
				steps = append(steps, at-last)
			}
			last = at
			n++
		}
	}
	if len(steps) > 0 {
		slices.Sort(steps)
		interval = cmp.Or(interval, steps[len(steps)/2])
	}
	if interval <= 0 {
		return 0, nil
	}
	return float64(time.Second) / float64(interval), nil
}

// nextJPEG is the jpegs' read.
func (r *recording) nextJPEG(dst []byte) ([]byte, error) {
	for {
		jpeg, at, err := r.mkv.Next(dst)
		switch {
		case err == nil:
			r.n, r.at = r.n+1, at
			return jpeg, nil
		case errors.Is(err, matroska.ErrFrame):
			r.n++
			r.skip(err)
			return dst, errSkip
		}
		if err := r.ended(err); err != nil {
			return dst, err
		}
	}
}

// nextTime is the jpegs' time.
func (r *recording) nextTime() time.Duration {
	return r.times.next(float64(r.at) / float64(time.Millisecond))
}

// ended returns what ends the source, or begins the file anew. err is why the file
// gives no more.
func (r *recording) ended(err error) error {
	if r.ctx.Err() != nil { // interrupted
		return context.Cause(r.ctx)
	}
	cut := err != io.EOF
	if cut {
		err = errorf("%s ended after %d frames (%.1f s): it is cut off or damaged: %w",
			r.path, r.n, (r.times.last - r.times.base).Seconds(), err)
	}
	switch {
	case r.times.n == 0:
		return errorf("%s holds no picture that can be decoded: %w", r.path, io.ErrUnexpectedEOF)
	case !r.loop:
		return err
	case cut && !r.times.looped:
		r.log.Warn("recording is incomplete", slog.Any("err", err))
	}
	r.times.restart()
	if err := r.rewind(); err != nil {
		return errorf("%s: %w", r.path, err)
	}
	return nil
}
