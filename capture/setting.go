package capture

import (
	"context"
	"image"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/rate"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// Rate decides, picture by picture, how a source is encoded and what is left out.
// [rate.Controller] is one. It is called by the goroutine that calls Next of the source, and
// after that of a source that was opened again by another.
type Rate interface {
	// Next is asked before each raw picture is encoded; false leaves it out.
	Next(now time.Time, p rate.Picture) (s rate.Setting, ok bool)
	// Made is told what came out. True asks for the same picture once more, at the quality
	// of again, and is told of that.
	Made(now time.Time, p rate.Picture, s rate.Setting, bytes int) (again rate.Setting, ok bool)
	// Pass is asked before each JPEG that passes untouched; false leaves it out.
	Pass(now time.Time, bytes int) bool
}

// full is the size in which p goes out at scale 100.
func (e *encoder) full(p *picture) rate.Picture {
	size := p.img.Bounds().Size()
	if _, planar := p.img.(*image.YCbCr); planar && e.size != (image.Point{}) {
		size = e.size
	}
	return rate.Picture{Width: size.X, Height: size.Y, Least: leastScale(size)}
}

// leastScale is how far, in %, a picture may be reduced: to the least that a timecode strip
// can be painted into, with a strip or without.
func leastScale(size image.Point) int {
	across := (100*timecode.MinWidth + size.X - 1) / max(size.X, 1)
	down := (100*timecode.MinHeight + size.Y - 1) / max(size.Y, 1)
	return min(max(across, down, 1), 100)
}

// reduced is a size at a scale in %, with even sides, which every ratio of chroma divides.
func reduced(size image.Point, scale int) image.Point {
	if scale <= 0 || scale >= 100 {
		return size
	}
	return image.Pt(max(size.X*scale/100&^1, 2), max(size.Y*scale/100&^1, 2))
}

// scale makes p's picture of that size.
func (e *encoder) scale(p *picture, size image.Point) {
	if p.img.Bounds().Size() == size {
		return
	}
	switch src := p.img.(type) {
	case *image.YCbCr:
		e.scaled = codec.ReuseYCbCr(e.scaled, size.X, size.Y, src.SubsampleRatio)
		codec.Scale(e.scaled, src)
		p.img = e.scaled
	case *codec.BGR:
		e.scaledBGR = codec.ReuseBGR(e.scaledBGR, size.X, size.Y)
		codec.ScaleBGR(e.scaledBGR, src)
		p.img = e.scaledBGR
	}
}

// passing leaves out JPEGs of a source whose pictures are not encoded here.
type passing struct {
	*jpegs
	rate Rate
}

// Next implements [stream.Source].
func (p *passing) Next(ctx context.Context) (*stream.Frame, error) {
	for {
		f, err := p.jpegs.Next(ctx)
		if err != nil || p.rate.Pass(time.Now(), len(f.JPEG)) {
			return f, err
		}
		f.Release()
		p.thinned.Add(1)
	}
}
