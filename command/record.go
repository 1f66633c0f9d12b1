package command

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/stream"
)

func recordFlag() []cli.Flag {
	return withEnv(&cli.StringFlag{Name: "record", Category: catPicture,
		Usage: "write the frames, untouched, to `FILE.mkv` as well (Matroska); `--source FILE.mkv` plays it"})
}

// recorder is what --record asks for. A nil one records nothing.
type recorder struct {
	s    *session
	path string
	sink *display.Recorder
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
	return stream.Tee(func(_ stream.Sink, err error) {
		if err != nil {
			r.s.log.Warn(fmt.Sprintf("recording ended: %v; %d frames are in %s; the picture goes on", err, r.sink.Stats().Frames, r.path))
		}
	}, main, r.sink)
}

func (r *recorder) totals() *display.RecordStats {
	if r == nil {
		return nil
	}
	stats := r.sink.Stats()
	return &stats
}
