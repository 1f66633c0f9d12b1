package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/rate"
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
	rate   Rate        // nil: all of them, at one quality
	scaled *image.YCbCr
	pool   stream.Pool
	room   int // bytes; what the next JPEG probably needs

	scaledBGR *codec.BGR

	log *slog.Logger
}

// errLeftOut is for a picture that is left out to keep a rate.
var errLeftOut = errors.New("capture: left out")

// newEncoder takes p over, and closes it if it fails.
func newEncoder(p pictures, cfg Config, size image.Point) (stream.Source, error) {
	e := &encoder{pictures: p, size: size, strip: cfg.Timecode, rate: cfg.Rate, log: cfg.Log}
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
		count := e.tally()
		switch err {
		case nil:
			return f, nil
		case errLeftOut:
			count.thinned.Add(1)
			continue
		}
		count.damaged.Add(1)
		if count.saidPicture.ok() {
			e.log.Warn("picture skipped", slog.Uint64("picture", uint64(p.id)), slog.Any("err", err))
		}
	}
}

func (e *encoder) encode(p *picture) (*stream.Frame, error) {
	full := e.full(p)
	how := rate.Setting{Scale: 100}
	if e.rate != nil {
		var ok bool
		if how, ok = e.rate.Next(time.Now(), full); !ok {
			return nil, errLeftOut
		}
		if err := e.enc.SetQuality(how.Quality); err != nil {
			return nil, err
		}
	}
	e.scale(p, reduced(image.Pt(full.Width, full.Height), how.Scale))
	if err := e.mark(p); err != nil {
		return nil, err
	}
	size := p.img.Bounds().Size()
	// The first JPEG is guessed at half a byte a pixel; later ones are like the last.
	f := e.pool.Get(cmp.Or(e.room, size.X*size.Y/2))
	if err := e.fill(f, p, full, how); err != nil {
		f.Release()
		return nil, err
	}
	e.room = len(f.JPEG) + len(f.JPEG)/4
	f.ID, f.Captured, f.Width, f.Height = p.id, p.captured, size.X, size.Y
	return f, nil
}

// fill encodes p into f; once more, at a lower quality, if it came out far too large.
func (e *encoder) fill(f *stream.Frame, p *picture, full rate.Picture, how rate.Setting) (err error) {
	if f.JPEG, err = e.enc.Append(f.JPEG, p.img); err != nil || e.rate == nil {
		return err
	}
	how, again := e.rate.Made(time.Now(), full, how, len(f.JPEG))
	if !again {
		return nil
	}
	if err = e.enc.SetQuality(how.Quality); err != nil {
		return err
	}
	if f.JPEG, err = e.enc.Append(f.JPEG[:0], p.img); err == nil {
		e.rate.Made(time.Now(), full, how, len(f.JPEG))
	}
	return err
}

// mark paints the timecode.
func (e *encoder) mark(p *picture) error {
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
