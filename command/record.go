package command

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/stream"
)

func recordFlag() []cli.Flag {
	return withEnv(&cli.StringFlag{Name: "record", Category: catPicture,
		Usage: "write the frames, untouched, to `FILE.mkv` as well (Matroska); --source FILE.mkv plays it"})
}

// recorder is what --record asks for. A nil one records nothing.
type recorder struct {
	s      *session
	path   string
	sink   *display.Recorder
	tee    stream.Sink // sink beside another
	ending atomic.Bool // the run is over
}

// openRecorder creates the file, before anything else is opened: an existing one is
// wrong usage that nobody should have to wait for.
func (s *session) openRecorder(c *cli.Context) (*recorder, error) {
	path := c.String("record")
	if path == "" {
		return nil, nil
	}
	sink, err := display.Record(path, s.log)
	if err != nil {
		return nil, err
	}
	sink.Software = "framegram " + Version()
	r := &recorder{s: s, path: path, sink: sink}
	s.record = r
	return r, nil
}

// unused closes the file, since err keeps the run from beginning.
func (r *recorder) unused(err error) error {
	if r != nil {
		err = errors.Join(err, r.sink.Close())
	}
	return err
}

// beside records what main is given. Whatever happens to the file, main goes on.
func (r *recorder) beside(main stream.Sink) stream.Sink {
	if r == nil {
		return main
	}
	r.tee = stream.Tee(func(_ stream.Sink, err error) {
		if err == nil {
			return
		}
		text := fmt.Sprintf("recording ended: %s; %d frames are in %s", oneLine(err), r.sink.Stats().Frames, r.path)
		if !r.ending.Load() {
			text += "; the picture goes on"
		}
		r.s.log.Warn(text)
	}, main, r.sink)
	return r.tee
}

// end notes that the run is over, and that what follows is its end.
func (r *recorder) end() {
	if r != nil {
		r.ending.Store(true)
	}
}

// recordFigures tell of a recording.
type recordFigures struct {
	display.RecordStats
	Skipped uint64 `json:"skipped"`        // the disk was not ready for them
	Gone    bool   `json:"gone,omitempty"` // the file is no longer where it was made
}

// totals are the figures, or nil without a recording.
func (r *recorder) totals() *recordFigures {
	if r == nil {
		return nil
	}
	f := &recordFigures{RecordStats: r.sink.Stats()}
	if t, ok := r.tee.(interface{ Skipped() uint64 }); ok {
		f.Skipped = t.Skipped()
	}
	if f.Frames > 0 && r.ending.Load() {
		_, err := os.Stat(r.path)
		f.Gone = errors.Is(err, os.ErrNotExist)
	}
	return f
}

// String is for the summary.
func (f *recordFigures) String() string {
	if f.Frames == 0 {
		return "recorded nothing: no frame came, and " + f.Path + " was removed"
	}
	text := fmt.Sprintf("recorded %d frames, %.1f s, %.1f MB, in %s", f.Frames, f.Seconds, float64(f.Bytes)/1e6, f.Path)
	if f.Gone {
		text += ", which has been removed meanwhile"
	}
	return text + inBrackets(troubles([]count{{"frames left out for a slow disk", f.Skipped}, {"frames undecodable", f.Undecodable}}))
}
