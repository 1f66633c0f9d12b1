package capture

import (
	"cmp"
	"image"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// placeholder is the picture shown while a source has none: a dark ground that says
// since when.
type placeholder struct {
	cfg  Config
	name string
	enc  *codec.Encoder
	img  *image.YCbCr
	pool stream.Pool
}

func newPlaceholder(cfg Config, name string) *placeholder {
	return &placeholder{cfg: cfg, name: name}
}

// say paints the picture anew, in the size that viewers have seen.
func (p *placeholder) say(size image.Point, since time.Time) {
	size = cmp.Or(size, p.cfg.Size, DefaultSize)
	p.img = codec.ReuseYCbCr(p.img, size.X, size.Y, image.YCbCrSubsampleRatio420)
	for i := range p.img.Y {
		p.img.Y[i] = panelLuma
	}
	for i := range p.img.Cb {
		p.img.Cb[i], p.img.Cr[i] = 128, 128
	}
	face, err := newTypeface()
	if err != nil {
		return // never: the font is compiled in. The ground alone says something, too
	}
	luma := &image.Gray{Pix: p.img.Y, Stride: p.img.YStride, Rect: p.img.Rect}
	for i, l := range []struct {
		text   string
		height float64 // as a part of the picture's
		ink    uint8
	}{
		{p.name, 0.05, clockLuma},
		{"no picture since " + since.Format(time.TimeOnly), 0.07, inkLuma},
		{"reopening", 0.05, textLuma},
	} {
		f, height, err := face.fit(l.text, 0.9*float64(size.X), l.height*float64(size.Y))
		if err != nil || height < 4 { // pixels: nobody could read it
			continue
		}
		write(luma, f, l.ink, size.X/2, size.Y*(40+13*i)/100, l.text)
	}
}

// frame encodes the picture. It carries the timecode strip if all others do.
func (p *placeholder) frame(id uint32) (*stream.Frame, error) {
	if p.enc == nil {
		var err error
		if p.enc, err = codec.NewEncoder(codec.EncoderConfig{Quality: p.cfg.Quality}); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	if p.cfg.Timecode {
		if err := timecode.Paint(p.img, timecode.Code{ID: id, Captured: now}); err != nil {
			return nil, err
		}
	}
	size := p.img.Rect.Size()
	f := p.pool.Get(size.X * size.Y / 16)
	var err error
	if f.JPEG, err = p.enc.Append(f.JPEG, p.img); err != nil {
		f.Release()
		return nil, err
	}
	f.ID, f.Captured, f.Width, f.Height = id, now, size.X, size.Y
	return f, nil
}

func (p *placeholder) close() error {
	if p.enc == nil {
		return nil
	}
	return p.enc.Close()
}
