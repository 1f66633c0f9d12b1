package capture

import (
	"context"
	"fmt"
	"image"
	"log/slog"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// jpegSource finishes a source of JPEGs, which it takes over: as it is if cfg asks
// for nothing that needs the pixels, otherwise decoded and encoded again.
func jpegSource(j *jpegs, cfg Config) (stream.Source, error) {
	if cfg.Size == (image.Point{}) && cfg.Quality == 0 && !cfg.Timecode {
		if cfg.Rate != nil {
			return &passing{j, cfg.Rate}, nil
		}
		return j, nil
	}
	dec, err := codec.NewDecoder()
	if err != nil {
		j.Close()
		return nil, fmt.Errorf("capture: %w", err)
	}
	return newEncoder(&decoded{jpegs: j, dec: dec}, cfg, cfg.Size)
}

// decoded is a source of JPEGs as a source of pictures.
type decoded struct {
	*jpegs
	dec *codec.Decoder
	img *image.YCbCr
}

func (d *decoded) next(ctx context.Context) (picture, error) {
	for {
		f, err := d.jpegs.Next(ctx)
		if err != nil {
			return picture{}, err
		}
		err = d.decode(f)
		p := picture{d.img, f.ID, f.Captured}
		f.Release()
		if err == nil {
			return p, nil
		}
		d.damaged.Add(1)
		if d.saidPicture.ok() {
			d.log.Warn("picture skipped", slog.Uint64("picture", uint64(p.id)), slog.Any("err", err))
		}
	}
}

func (d *decoded) decode(f *stream.Frame) error {
	h, err := codec.ParseHeader(f.JPEG)
	if err != nil {
		return err
	}
	d.img = codec.ReuseYCbCr(d.img, h.Width, h.Height, h.Ratio)
	return d.dec.DecodeYCbCr(d.img, f.JPEG)
}

// Close implements pictures.
func (d *decoded) Close() error {
	d.dec.Close()
	return d.jpegs.Close()
}
