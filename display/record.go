package display

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/matroska"
	"github.com/framegram/framegram/stream"
)

// Recorder writes every frame, untouched, to a Matroska file. It is a sink for
// [stream.Tee], beside a display or a sender.
//
// The file is playable up to the last whole frame at any time, also if the program is
// killed or the disk fills up. (What a killed program wrote is kept by the system; what
// a power cut loses is up to it: nothing is forced onto the disk.) Frames that no
// player could show are left out and counted. A picture size that changes on the way is
// recorded as it comes, although the file names only the first: FFmpeg and the players
// built on it follow each picture's own.
//
// A disk that hangs holds up nobody: Write and Close return as their contracts say, and
// a write the kernel is stuck in is left behind.
type Recorder struct {
	// Software is what the file says it was written by, to be set before the first
	// Write; "" = "framegram".
	Software string

	path string
	log  *slog.Logger
	todo chan *stream.Frame
	done chan error // one for each frame, in order
	end  chan error // of the goroutine
	left bool       // a write was given up; none follows it

	frames, bytes, undecodable atomic.Uint64
	length                     atomic.Int64 // ns

	// Of the goroutine:
	file   recordFile
	writer *matroska.Writer
	clock  recordClock
	size   image.Point // of the first picture
	sized  bool        // it was said that another came
	failed bool
}

// recordFile is an *os.File.
type recordFile interface {
	matroska.File
	Close() error
}

// RecordStats is what was recorded so far.
type RecordStats struct {
	Path        string  `json:"path"`
	Frames      uint64  `json:"frames"`
	Bytes       uint64  `json:"bytes"`       // length of the file
	Seconds     float64 `json:"seconds"`     // from the first frame to the last
	Undecodable uint64  `json:"undecodable"` // left out: not a picture that a player could show
}

// recordGrace is how long Close waits for the disk. With what stream.Tee leaves a
// Write, a command still ends within a second.
const recordGrace = 300 * time.Millisecond

// Record creates the file, whose name must end in .mkv: a *ConfigError says that it
// does not. One that exists is never overwritten. log is told what happens while
// frames flow; nil discards. A file into which no frame was written is removed by Close.
func Record(path string, log *slog.Logger) (*Recorder, error) {
	if !strings.EqualFold(filepath.Ext(path), ".mkv") || filepath.Base(path) == ".mkv" {
		return nil, bad("record", "is %q: recordings are Matroska files, whose name ends in .mkv", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("display: %s exists already and is not overwritten: choose another name to record to", path)
	case err != nil:
		return nil, fmt.Errorf("display: recording: %w: choose a directory that exists and can be written to", err)
	}
	return newRecorder(path, file, log), nil
}

func newRecorder(path string, file recordFile, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{
		path: path, log: log, file: file,
		todo: make(chan *stream.Frame), done: make(chan error, 1), end: make(chan error, 1),
	}
	go r.run()
	return r
}

// Write implements [stream.Sink]. An error means that the recording has ended.
func (r *Recorder) Write(ctx context.Context, f *stream.Frame) error {
	if r.left {
		return fmt.Errorf("display: recording: %s is still being written to", r.path)
	}
	r.todo <- f.Retain() // the goroutine is waiting for it
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		r.left = true
		return context.Cause(ctx)
	}
}

// Close implements [stream.Sink]: it makes the recording seekable and closes the file.
func (r *Recorder) Close() error {
	close(r.todo)
	select {
	case err := <-r.end:
		return err
	case <-time.After(recordGrace):
		return fmt.Errorf("display: recording: writing to %s takes too long: it may lack its last frame and its index", r.path)
	}
}

// Stats may be called at any time, from any goroutine.
func (r *Recorder) Stats() RecordStats {
	return RecordStats{
		Path: r.path, Frames: r.frames.Load(), Bytes: r.bytes.Load(),
		Seconds:     time.Duration(r.length.Load()).Seconds(),
		Undecodable: r.undecodable.Load(),
	}
}

// run does what may take long: it writes, and logs.
func (r *Recorder) run() {
	for f := range r.todo {
		err := r.save(f, time.Now())
		f.Release()
		r.done <- err
	}
	r.end <- r.finish()
}

func (r *Recorder) save(f *stream.Frame, now time.Time) error {
	h, err := codec.ParseHeader(f.JPEG)
	if err != nil {
		r.undecodable.Add(1)
		return nil
	}
	captured := f.Captured
	if captured.IsZero() {
		captured = now
	}
	if r.writer == nil {
		r.size = image.Pt(h.Width, h.Height)
		r.writer = matroska.NewWriter(r.file, matroska.Header{
			Width: h.Width, Height: h.Height, Date: captured, Software: cmp.Or(r.Software, "framegram"),
		})
	}
	if image.Pt(h.Width, h.Height) != r.size && !r.sized {
		r.sized = true
		r.log.Warn("the picture's size changed, which some players cannot follow: recorded as it is", "file", r.path,
			"first_size", fmt.Sprintf("%dx%d", r.size.X, r.size.Y), "size", fmt.Sprintf("%dx%d", h.Width, h.Height))
	}
	at := r.clock.next(captured, now)
	if err := r.writer.Write(at, f.JPEG); err != nil {
		r.failed = true
		return fmt.Errorf("display: recording: %w", err)
	}
	r.frames.Add(1)
	r.bytes.Store(uint64(r.writer.Size()))
	r.length.Store(int64(at))
	return nil
}

// finish completes the file, or removes one without a frame.
func (r *Recorder) finish() error {
	if r.frames.Load() == 0 {
		r.file.Close()
		if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("display: recording: nothing was recorded: %w", err)
		}
		return nil
	}
	err := r.writer.Close()
	r.bytes.Store(uint64(r.writer.Size()))
	if r.failed {
		err = nil // Write has said what is wrong, and the frames are there without an index
	}
	if cerr := r.file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("display: recording: %w", err)
	}
	return nil
}
