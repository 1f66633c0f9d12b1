package codec

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// BGR is a picture of three bytes a pixel, blue first, as OpenCV lays it out. The
// pixel at (x, y) starts at Pix[(y-Rect.Min.Y)*Stride+(x-Rect.Min.X)*3]. Pix may be
// memory of a native library; then it must outlive the BGR.
type BGR struct {
	Pix    []byte
	Stride int // bytes from one row to the next, at least 3 a pixel
	Rect   image.Rectangle
}

// NewBGR returns a black picture with the given bounds.
func NewBGR(r image.Rectangle) *BGR {
	return &BGR{Pix: make([]byte, 3*r.Dx()*r.Dy()), Stride: 3 * r.Dx(), Rect: r}
}

// ReuseBGR returns a picture of w x h pixels at the origin, in p's memory where
// that is large enough. p may be nil and is not to be used afterwards. What the
// pixels hold is undefined.
func ReuseBGR(p *BGR, w, h int) *BGR {
	if p == nil {
		p = new(BGR)
	}
	p.Pix = resize(p.Pix, 3*w*h)
	p.Stride, p.Rect = 3*w, image.Rect(0, 0, w, h)
	return p
}

// ReuseYCbCr is ReuseBGR for a planar picture, laid out as by [image.NewYCbCr].
func ReuseYCbCr(p *image.YCbCr, w, h int, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	if p == nil {
		p = new(image.YCbCr)
	}
	c := chromaSize(image.Pt(w, h), ratio)
	luma, chroma := w*h, c.X*c.Y
	// One allocation, of which Y keeps the whole capacity for the next time.
	all := resize(p.Y, luma+2*chroma)
	p.Y = all[:luma]
	p.Cb = all[luma : luma+chroma : luma+chroma]
	p.Cr = all[luma+chroma : luma+2*chroma : luma+2*chroma]
	p.YStride, p.CStride, p.SubsampleRatio, p.Rect = w, c.X, ratio, image.Rect(0, 0, w, h)
	return p
}

func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// steps returns how many pixels share a chroma sample across and down.
func steps(ratio image.YCbCrSubsampleRatio) (hs, vs int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// chromaSize is the size of the chroma planes of a picture.
func chromaSize(size image.Point, ratio image.YCbCrSubsampleRatio) image.Point {
	hs, vs := steps(ratio)
	return image.Pt((size.X+hs-1)/hs, (size.Y+vs-1)/vs)
}

// ColorModel implements [image.Image].
func (p *BGR) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements [image.Image].
func (p *BGR) Bounds() image.Rectangle { return p.Rect }

// At implements [image.Image].
func (p *BGR) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	c := p.Pix[p.PixOffset(x, y):]
	return color.RGBA{R: c[2], G: c[1], B: c[0], A: 255}
}

// Set implements [image/draw.Image]. Alpha is ignored.
func (p *BGR) Set(x, y int, c color.Color) {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return
	}
	rgba := color.RGBAModel.Convert(c).(color.RGBA)
	o := p.PixOffset(x, y)
	p.Pix[o], p.Pix[o+1], p.Pix[o+2] = rgba.B, rgba.G, rgba.R
}

// PixOffset is the index in Pix of the pixel at (x, y).
func (p *BGR) PixOffset(x, y int) int {
	return (y-p.Rect.Min.Y)*p.Stride + (x-p.Rect.Min.X)*3
}

// SubImage returns the part of p inside r, sharing p's memory. It is a *BGR.
func (p *BGR) SubImage(r image.Rectangle) image.Image {
	r = r.Intersect(p.Rect)
	if r.Empty() {
		return &BGR{}
	}
	return &BGR{Pix: p.Pix[p.PixOffset(r.Min.X, r.Min.Y):], Stride: p.Stride, Rect: r}
}

// Pixels returns the memory of the picture from its top left pixel on, the bytes
// from one row to the next, and the bytes of a pixel. It lets packages that know
// nothing of this one work on the pixels (see timecode.Packed).
func (p *BGR) Pixels() (pix []byte, stride, size int) { return p.Pix, p.Stride, 3 }

// checkPlane makes sure that h rows of w bytes lie within n bytes of memory: what
// goes to C is not bounds-checked there.
func checkPlane(n, w, h, stride int) error {
	if stride < w || stride > math.MaxInt32 || int64(h-1)*int64(stride)+int64(w) > int64(n) {
		return fmt.Errorf("codec: %d rows of %d bytes, %d apart, do not fit the picture's %d bytes", h, w, stride, n)
	}
	return nil
}

// checkYCbCr makes sure that p's planes hold its rectangle, and that the rectangle
// starts with a chroma sample: a view that starts between two has no picture of
// its own.
func checkYCbCr(p *image.YCbCr) error {
	hs, vs := steps(p.SubsampleRatio)
	if p.Rect.Min.X%hs != 0 || p.Rect.Min.Y%vs != 0 {
		return fmt.Errorf("codec: a view of a %v picture must start at a multiple of %d,%d, not at %v", p.SubsampleRatio, hs, vs, p.Rect.Min)
	}
	size := p.Rect.Size()
	if err := checkPlane(len(p.Y), size.X, size.Y, p.YStride); err != nil {
		return err
	}
	c := chromaSize(size, p.SubsampleRatio)
	return checkPlane(min(len(p.Cb), len(p.Cr)), c.X, c.Y, p.CStride)
}

// copyPlane copies h rows of w bytes.
func copyPlane(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	for y := range h {
		copy(dst[y*dstStride:][:w], src[y*srcStride:][:w])
	}
}
