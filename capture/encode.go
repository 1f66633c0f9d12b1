package capture

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"log/slog"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// pictures is a source of raw pictures.
type pictures interface {
	// next blocks until there is a picture, under the rules of stream.Source.Next.
	next(ctx context.Context) (picture, error)
	// Close is called once, after the last next.
	Close() error
	Reporter
	tally() *counters
}

// picture is borrowed from the source until the following next. Until then whoever
// has it may paint on it.
type picture struct {
	img      image.Image // *image.YCbCr or *codec.BGR
	id       uint32
	captured time.Time
}

// encoder makes a Source of pictures: it scales, paints the timecode and encodes.
type encoder struct {
	pictures
	enc    *codec.Encoder
	size   image.Point // zero: as they come
	strip  bool        // paint the timecode
	scaled *image.YCbCr
	pool   stream.Pool
	room   int // bytes; what the next JPEG probably needs

	log *slog.Logger
}

// newEncoder takes p over, and closes it if it fails.
func newEncoder(p pictures, cfg Config, size image.Point) (stream.Source, error) {
	e := &encoder{pictures: p, size: size, strip: cfg.Timecode, log: cfg.Log}
	known := e.Info().Size
	if e.strip && known != (image.Point{}) && (known.X < timecode.MinWidth || known.Y < timecode.MinHeight) {
		p.Close()
		return nil, &ConfigError{"timecode", fmt.Errorf("needs pictures of at least %dx%d, and these are %dx%d",
			timecode.MinWidth, timecode.MinHeight, known.X, known.Y)}
	}
	var err error
	if e.enc, err = codec.NewEncoder(codec.EncoderConfig{Quality: cfg.Quality, Slices: cmp.Or(cfg.Slices, codec.AutoSlices)}); err != nil {
		p.Close()
		return nil, fmt.Errorf("capture: %w", err)
	}
	return e, nil
}

// Next implements [stream.Source]. A picture that cannot be marked or encoded (a
// source may change its size at any time) is counted and left out.
func (e *encoder) Next(ctx context.Context) (*stream.Frame, error) {
	for {
		p, err := e.next(ctx)
		if err != nil {
			return nil, err
		}
		f, err := e.encode(&p)
		if err == nil {
			return f, nil
		}
		count := e.tally()
		count.damaged.Add(1)
		if count.saidPicture.ok() {
			e.log.Warn("picture skipped", slog.Uint64("picture", uint64(p.id)), slog.Any("err", err))
		}
	}
}

func (e *encoder) encode(p *picture) (*stream.Frame, error) {
	if err := e.prepare(p); err != nil {
		return nil, err
	}
	size := p.img.Bounds().Size()
	// The first JPEG is guessed at half a byte a pixel; later ones are like the last.
	f := e.pool.Get(cmp.Or(e.room, size.X*size.Y/2))
	var err error
	if f.JPEG, err = e.enc.Append(f.JPEG, p.img); err != nil {
		f.Release()
		return nil, err
	}
	e.room = len(f.JPEG) + len(f.JPEG)/4
	f.ID, f.Captured, f.Width, f.Height = p.id, p.captured, size.X, size.Y
	return f, nil
}

// prepare scales and marks a picture.
func (e *encoder) prepare(p *picture) error {
	if src, ok := p.img.(*image.YCbCr); ok && e.size != (image.Point{}) && e.size != src.Rect.Size() {
		e.scaled = codec.ReuseYCbCr(e.scaled, e.size.X, e.size.Y, src.SubsampleRatio)
		codec.Scale(e.scaled, src)
		p.img = e.scaled
	}
	if !e.strip {
		return nil
	}
	return timecode.Paint(p.img, timecode.Code{ID: p.id, Captured: p.captured})
}

// Close implements [stream.Source].
func (e *encoder) Close() error {
	err := e.pictures.Close()
	if encErr := e.enc.Close(); err == nil && encErr != nil {
		err = fmt.Errorf("capture: %w", encErr)
	}
	return err
}

// Info implements [Reporter].
func (e *encoder) Info() Info {
	info := e.pictures.Info()
	info.Size = cmp.Or(e.size, info.Size)
	return info
}
