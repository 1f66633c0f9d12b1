package capture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// raws is a source of raw pictures of one size, read from an input.
type raws struct {
	*counters
	in   *input
	desc Info
	size int                      // bytes of a picture
	head func() error             // reads what stands before a picture; may be nil
	view func([]byte) image.Image // makes a picture of its bytes
	feed feed[[]byte]
}

func (in *input) openBGR() (stream.Source, error) {
	r := image.Rectangle{Max: in.cfg.Size}
	s := &raws{
		in: in, desc: in.info("bgr24", 0), size: 3 * r.Dx() * r.Dy(),
		view: func(b []byte) image.Image { return &codec.BGR{Pix: b, Stride: 3 * r.Dx(), Rect: r} },
	}
	s.desc.Size = r.Max
	return s.start()
}

func (in *input) openY4M() (stream.Source, error) {
	h, err := parseY4M(in.header)
	if err != nil {
		return nil, in.fail(fmt.Errorf("the %s header: %w", y4mMagic, err))
	}
	s := &raws{in: in, desc: in.info("y4m", h.fps), size: h.size(), view: h.viewer()}
	s.desc.Size = image.Pt(h.w, h.h)
	s.head = s.frameLine
	return s.start()
}

func (s *raws) start() (stream.Source, error) {
	s.counters = new(counters)
	s.feed = feed[[]byte]{read: s.fill, live: s.desc.Live, fps: s.desc.FPS, thin: s.in.thin(), count: s.counters}
	s.feed.start(nil)
	return newEncoder(s, s.in.cfg, s.in.cfg.Size)
}

// fill reads a picture into the item's memory, which is reused.
func (s *raws) fill(it *item[[]byte]) error {
	if it.data == nil {
		it.data = make([]byte, s.size)
	}
	for {
		n, err := s.read(it.data)
		switch {
		case err == nil:
			s.in.empty = false
			return nil
		case err == io.EOF:
		case errors.Is(err, io.ErrUnexpectedEOF):
			s.in.truncated(s.counters, n, s.size)
		default:
			return s.in.fail(fmt.Errorf("picture %d: %w", s.pictures.Load(), err))
		}
		if err := s.restart(); err != nil {
			return err
		}
	}
}

// read returns io.EOF at a clean end, and io.ErrUnexpectedEOF within a picture.
func (s *raws) read(b []byte) (n int, err error) {
	if s.head != nil {
		if err := s.head(); err != nil {
			return 0, err
		}
	}
	n, err = io.ReadFull(s.in.r, b)
	if err == io.EOF && s.head != nil {
		err = io.ErrUnexpectedEOF // its head was there
	}
	return n, err
}

// restart begins the input anew, or says why it cannot be.
func (s *raws) restart() error {
	if err := s.in.ended(); err != nil || s.head == nil {
		return err
	}
	_, err := s.in.headerLine()
	return err
}

// frameLine reads the line before a picture of YUV4MPEG2. Its parameters, if any, are
// about interlacing.
func (s *raws) frameLine() error {
	line, err := readLine(s.in.r)
	if err != nil {
		return err
	}
	if line != "FRAME" && !strings.HasPrefix(line, "FRAME ") {
		return fmt.Errorf("starts with %.16q instead of FRAME: the stream is out of step with its header", line)
	}
	return nil
}

// next implements pictures.
func (s *raws) next(ctx context.Context) (picture, error) {
	it, err := s.feed.next(ctx)
	if err != nil {
		return picture{}, err
	}
	return picture{s.view(it.data), it.id, it.captured}, nil
}

// Close implements pictures.
func (s *raws) Close() error {
	s.feed.stop()
	return nil
}

// Info implements [Reporter].
func (s *raws) Info() Info { return s.desc }
