package display

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"golang.org/x/term"

	"github.com/framegram/framegram/stream"
)

// stdout writes the frames to another program. When that program leaves, Write
// returns stream.ErrStop: whoever reads has had enough, and that is no fault.
//
// The raw formats cannot say that the size changes in mid-stream, so every picture
// is brought to the size, and the chroma ratio, of the first.
type stdout struct {
	out  *pipe
	raw  *rawPicture // nil for MJPEG
	log  *slog.Logger
	said seldom

	shown, undecodable, scaled atomic.Uint64
	sigpipe                    chan os.Signal
}

func openStdout(cfg Config) (stream.Sink, error) {
	if f, ok := cfg.Stdout.(*os.File); ok && isTerminal(f) {
		return nil, fmt.Errorf("display: standard output is a terminal, and %s is not for reading: send it to a program "+
			"(... | ffplay -f mjpeg -i -) or into a file (... > video.mjpeg)", cfg.Format)
	}
	s := &stdout{log: cfg.Log, sigpipe: make(chan os.Signal, 1)}
	if cfg.Format != "mjpeg" {
		raw, err := newRawPicture(cfg.Format, cfg.FPS)
		if err != nil {
			return nil, err
		}
		s.raw = raw
	}
	// A write to a broken pipe on descriptor 1 kills a Go program unless it asks for
	// the signal (os/signal, "SIGPIPE"); then the write fails with EPIPE instead.
	signal.Notify(s.sigpipe, syscall.SIGPIPE)
	s.out = newPipe(cfg.Stdout)
	return s, nil
}

// isTerminal asks without File.Fd's side effects on deadlines.
func isTerminal(f *os.File) (yes bool) {
	c, err := f.SyscallConn()
	if err == nil {
		err = c.Control(func(fd uintptr) { yes = term.IsTerminal(int(fd)) })
	}
	return yes && err == nil
}

func (s *stdout) Write(ctx context.Context, f *stream.Frame) error {
	if s.raw == nil {
		return s.send(ctx, f.JPEG, f)
	}
	b, scaled, err := s.raw.render(f.JPEG)
	if err != nil {
		s.undecodable.Add(1)
		if s.said.now() {
			s.log.Warn("frame not decoded", "error", err, "frames_so_far", s.undecodable.Load())
		}
		return nil
	}
	if scaled && s.scaled.Add(1) == 1 {
		s.log.Warn("the picture's size changed, which the output cannot say: scaling to the first size",
			"format", s.raw.format, "first_size", s.raw.size())
	}
	return s.send(ctx, b, nil)
}

func (s *stdout) send(ctx context.Context, b []byte, f *stream.Frame) error {
	err := s.out.write(ctx, b, f)
	switch {
	case err == nil:
		s.shown.Add(1)
	case readerLeft(err):
		return stream.ErrStop
	case ctx.Err() == nil:
		return fmt.Errorf("display: writing to standard output: %w", err)
	}
	return err
}

// Stats implements Reporter.
func (s *stdout) Stats() Stats {
	return Stats{Shown: s.shown.Load(), Undecodable: s.undecodable.Load(), Scaled: s.scaled.Load()}
}

func (s *stdout) Close() error {
	s.out.close()
	signal.Stop(s.sigpipe)
	if s.raw != nil {
		return s.raw.Close()
	}
	return nil
}
