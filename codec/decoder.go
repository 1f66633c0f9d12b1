package codec

import (
	"fmt"
	"image"
)

// Decoder reads JPEGs. Those with restart markers (see Strips) it decodes on all
// cores; the pixels are the same. Close it to free its native memory, and to end the
// goroutines that do so.
type Decoder struct {
	native   nativeDecoder // of whole pictures
	parallel parallel      // of the others
	closed   bool
}

// NewDecoder fails only when memory does.
func NewDecoder() (*Decoder, error) {
	d := new(Decoder)
	if err := d.native.open(); err != nil {
		return nil, err
	}
	return d, nil
}

// Close frees the native memory. No goroutine is left. A second Close does nothing.
func (d *Decoder) Close() error {
	d.closed = true
	d.parallel.close()
	return d.native.close()
}

// DecodeYCbCr decodes jpeg into dst, which has exactly the size and the ratio that
// ParseHeader gives; a grey JPEG is decoded as 4:2:0 with neutral chroma. Nothing is
// converted or resampled: it is the fastest way to the pixels. dst may be a view of
// some rows or columns of a larger picture, and what lies outside the view is not
// touched; the view must start with a chroma sample.
//
// A JPEG without Huffman tables is read with the standard ones (see Mend). After an
// error dst is undefined.
func (d *Decoder) DecodeYCbCr(dst *image.YCbCr, jpeg []byte) error {
	h, err := d.header(jpeg, dst.Rect)
	if err != nil {
		return err
	}
	if dst.SubsampleRatio != h.Ratio {
		return fmt.Errorf("codec: the JPEG is %v, dst %v", h.Ratio, dst.SubsampleRatio)
	}
	if err := checkYCbCr(dst); err != nil {
		return err
	}
	if err := d.decode(target{planar: dst}, jpeg, h); err != nil {
		return err
	}
	if h.Gray {
		neutral(dst)
	}
	return nil
}

// DecodeBGR is DecodeYCbCr into packed pixels. Chroma samples are repeated for the
// pixels that share them. dst.Pix may be memory of a native library, such as a gocv
// Mat's.
func (d *Decoder) DecodeBGR(dst *BGR, jpeg []byte) error {
	h, err := d.header(jpeg, dst.Rect)
	if err != nil {
		return err
	}
	if err := checkPlane(len(dst.Pix), 3*h.Width, h.Height, dst.Stride); err != nil {
		return err
	}
	return d.decode(target{bgr: *dst}, jpeg, h)
}

func (d *Decoder) decode(dst target, jpeg []byte, h Header) error {
	if d.closed {
		return ErrClosed
	}
	if done, err := d.parallel.decode(dst, jpeg, h); done {
		return err
	}
	return d.native.whole(&dst, jpeg, h)
}

func (d *Decoder) header(jpeg []byte, dst image.Rectangle) (Header, error) {
	h, err := ParseHeader(jpeg)
	if err == nil && (h.Width != dst.Dx() || h.Height != dst.Dy()) {
		err = fmt.Errorf("codec: the JPEG is %dx%d, dst %dx%d", h.Width, h.Height, dst.Dx(), dst.Dy())
	}
	return h, err
}

// neutral takes the colour out of p.
func neutral(p *image.YCbCr) {
	c := chromaSize(p.Rect.Size(), p.SubsampleRatio)
	for y := range c.Y {
		cb, cr := p.Cb[y*p.CStride:][:c.X], p.Cr[y*p.CStride:][:c.X]
		for x := range cb {
			cb[x], cr[x] = 128, 128
		}
	}
}
