package capture

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/framegram/framegram/stream"
)

// input is standard input: a pipe, which is live, or a file, which is played.
type input struct {
	r      *bufio.Reader
	cfg    Config
	file   *os.File // not nil if it can be read again
	start  int64    // where it began in the file
	name   string   // for messages
	header string   // first line of YUV4MPEG2
	empty  bool     // no picture has come since the start, or since it was begun anew
}

func openStdin(ctx context.Context, cfg Config) (stream.Source, error) {
	in := newInput(cfg)
	if in.file == nil && cfg.Loop {
		return nil, &ConfigError{"loop", errors.New("needs a file: a pipe cannot be read again")}
	}
	if f, ok := cfg.Stdin.(*os.File); ok && prepare(f) {
		return nil, in.fail(errors.New("is a terminal: pipe a JPEG or YUV4MPEG2 stream into it"))
	}
	format, err := in.probe(ctx)
	if err != nil {
		return nil, err
	}
	switch format {
	case "y4m":
		return in.openY4M()
	case "bgr24":
		return in.openBGR()
	default:
		return in.openMJPEG()
	}
}

func newInput(cfg Config) *input {
	in := &input{r: bufio.NewReaderSize(cfg.Stdin, 64<<10), cfg: cfg, name: "standard input", empty: true}
	if f, ok := cfg.Stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			if in.start, err = f.Seek(0, io.SeekCurrent); err == nil {
				in.file = f
			}
		}
	}
	return in
}

// prepare reports whether f is a terminal, and gives a pipe more room.
func prepare(f *os.File) (terminal bool) {
	conn, err := f.SyscallConn() // unlike f.Fd it leaves the mode of f alone
	if err != nil {
		return false
	}
	conn.Control(func(fd uintptr) {
		terminal = term.IsTerminal(int(fd))
		widenPipe(fd)
	})
	return terminal
}

// probe finds the format, waiting for the first bytes if it must.
func (in *input) probe(ctx context.Context) (string, error) {
	// If ctx ends it, the goroutine is left behind: see Open.
	return abandonable(ctx, func(context.Context) (string, error) { return in.detect() }, nil)
}

func (in *input) detect() (format string, err error) {
	switch format = in.cfg.Format; format {
	case "mjpeg", "bgr24":
		return format, nil
	case "":
		if format, err = in.sniff(); err != nil {
			return "", err
		}
	}
	if format == "y4m" {
		in.header, err = in.headerLine()
	}
	return format, err
}

func (in *input) headerLine() (string, error) {
	line, err := readLine(in.r)
	switch {
	case err == io.EOF:
		return "", in.fail(errEmpty)
	case err != nil:
		return "", in.fail(fmt.Errorf("its first line, which should be a %s header: %w", y4mMagic, err))
	}
	return line, nil
}

var soi = []byte{0xFF, 0xD8}

// sniff tells the formats apart by their first bytes.
func (in *input) sniff() (string, error) {
	head, err := in.r.Peek(len(y4mMagic))
	switch {
	case bytes.HasPrefix(head, soi):
		return "mjpeg", nil
	case string(head) == y4mMagic:
		return "y4m", nil
	case len(head) == 0 && err == io.EOF:
		return "", in.fail(errEmpty)
	case err != nil && err != io.EOF:
		return "", in.fail(err)
	}
	return "", in.fail(fmt.Errorf("starts with % x, which is neither a JPEG (ff d8) nor YUV4MPEG2: for raw pictures say --format bgr24 --size WxH, for JPEGs behind something else --format mjpeg", head))
}

var errEmpty = fmt.Errorf("ended before the first picture: %w", io.ErrUnexpectedEOF)

// fail says where an error happened.
func (in *input) fail(err error) error { return fmt.Errorf("capture: %s: %w", in.name, err) }

// info describes the input; rate is its own, 0 if it has none.
func (in *input) info(format string, rate float64) Info {
	info := Info{Name: in.name + " (" + format + ")", Live: in.file == nil}
	if info.Live {
		info.FPS = rate
		if rate == 0 || in.cfg.FPS > 0 && in.cfg.FPS < rate {
			info.FPS = in.cfg.FPS
		}
	} else {
		info.FPS = cmp.Or(in.cfg.FPS, rate, DefaultFPS)
	}
	return info
}

// thin is how many pictures a second may pass, 0 for all: a file has its schedule.
func (in *input) thin() float64 {
	if in.file != nil {
		return 0
	}
	return in.cfg.FPS
}

// ended is called when no whole picture is left to read. It returns nil if the input
// begins anew, and what ends the source otherwise.
func (in *input) ended() error {
	if in.empty {
		return in.fail(errEmpty)
	}
	if !in.cfg.Loop {
		return io.EOF
	}
	if _, err := in.file.Seek(in.start, io.SeekStart); err != nil {
		return in.fail(err)
	}
	in.r.Reset(in.file)
	in.empty = true
	return nil
}

// truncated counts and says that the end of the input was part of a picture.
func (in *input) truncated(c *counters, got, want int) {
	c.damage()
	c.garbage.Add(uint64(got))
	in.cfg.Log.Warn("input ends within a picture", slog.String("input", in.name), slog.Int("bytes", got), slog.Int("want_bytes", want))
}
