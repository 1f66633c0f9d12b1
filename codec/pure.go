//go:build !cgo || noturbo

package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
)

// Backend names the JPEG library in this build.
func Backend() string { return "Go image/jpeg" }

type nativeEncoder struct {
	closed bool
	rgba   image.RGBA // scratch
	gray   image.Gray // scratch
	out    appender
}

func (e *nativeEncoder) open(sub Subsampling) error {
	if sub == Sub422 || sub == Sub444 {
		return fmt.Errorf("%w: this build has no libjpeg-turbo and writes 4:2:0 and grey only; build with cgo and without the tag noturbo", ErrUnsupported)
	}
	return nil
}

func (e *nativeEncoder) close() error {
	*e = nativeEncoder{closed: true}
	return nil
}

func (e *nativeEncoder) packedPicture(dst []byte, p packed, sub Subsampling, quality int) ([]byte, error) {
	r := image.Rectangle{Max: p.size}
	switch {
	case p.order == orderGray:
		return e.write(dst, &image.Gray{Pix: p.pix, Stride: p.stride, Rect: r}, quality)
	case sub == SubGray:
		return e.write(dst, e.toGray(p), quality)
	case p.order == orderBGR:
		return e.write(dst, e.toRGBA(p), quality)
	}
	return e.write(dst, &image.RGBA{Pix: p.pix, Stride: p.stride, Rect: r}, quality)
}

func (e *nativeEncoder) planarPicture(dst []byte, p *image.YCbCr, quality int) ([]byte, error) {
	return e.write(dst, p, quality)
}

func (e *nativeEncoder) write(dst []byte, m image.Image, quality int) ([]byte, error) {
	if e.closed {
		return dst, ErrClosed
	}
	e.out.b = dst
	err := jpeg.Encode(&e.out, m, &jpeg.Options{Quality: quality})
	out := e.out.b
	e.out.b = nil
	if err != nil {
		return dst, fmt.Errorf("codec: %w", err)
	}
	return out, nil
}

// toRGBA is for image/jpeg, which knows RGBA and reads anything else pixel by pixel
// through an interface.
func (e *nativeEncoder) toRGBA(p packed) *image.RGBA {
	m := &e.rgba
	m.Pix, m.Stride, m.Rect = resize(m.Pix, 4*p.size.X*p.size.Y), 4*p.size.X, image.Rectangle{Max: p.size}
	for y := range p.size.Y {
		src, dst := p.pix[y*p.stride:][:3*p.size.X], m.Pix[y*m.Stride:][:m.Stride]
		for len(src) >= 3 && len(dst) >= 4 {
			dst[0], dst[1], dst[2], dst[3] = src[2], src[1], src[0], 255
			src, dst = src[3:], dst[4:]
		}
	}
	return m
}

func (e *nativeEncoder) toGray(p packed) *image.Gray {
	m := &e.gray
	m.Pix, m.Stride, m.Rect = resize(m.Pix, p.size.X*p.size.Y), p.size.X, image.Rectangle{Max: p.size}
	n, r, b := p.order.bytes(), 0, 2
	if p.order == orderBGR {
		r, b = 2, 0
	}
	for y := range p.size.Y {
		src := p.pix[y*p.stride:]
		for x := range p.size.X {
			c := src[n*x:][:3]
			m.Pix[y*m.Stride+x], _, _ = color.RGBToYCbCr(c[r], c[1], c[b])
		}
	}
	return m
}

// appender lets image/jpeg write into a slice without a bufio.Writer between: it
// has the methods that jpeg.Encode looks for.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) { a.b = append(a.b, p...); return len(p), nil }
func (a *appender) WriteByte(c byte) error      { a.b = append(a.b, c); return nil }
func (a *appender) Flush() error                { return nil }

type nativeDecoder struct {
	closed bool
	mended []byte // scratch
	in     bytes.Reader
}

func (d *nativeDecoder) open() error { return nil }

func (d *nativeDecoder) close() error {
	*d = nativeDecoder{closed: true}
	return nil
}

func (d *nativeDecoder) decode(data []byte, h Header) (image.Image, error) {
	if d.closed {
		return nil, ErrClosed
	}
	if !h.Huffman {
		d.mended = Mend(append(d.mended[:0], data...))
		data = d.mended
	}
	d.in.Reset(data)
	m, err := jpeg.Decode(&d.in)
	d.in.Reset(nil)
	var unsupported jpeg.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	case m.Bounds().Size() != image.Pt(h.Width, h.Height):
		return nil, fmt.Errorf("%w: its header can be read two ways", ErrFormat)
	}
	return m, nil
}

func (d *nativeDecoder) planarPicture(dst *image.YCbCr, data []byte, h Header) error {
	m, err := d.decode(data, h)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *image.Gray:
		copyPlane(dst.Y, dst.YStride, m.Pix, m.Stride, h.Width, h.Height)
	case *image.YCbCr:
		if m.SubsampleRatio != dst.SubsampleRatio {
			return fmt.Errorf("%w: its header can be read two ways", ErrFormat)
		}
		c := chromaSize(m.Rect.Size(), m.SubsampleRatio)
		copyPlane(dst.Y, dst.YStride, m.Y, m.YStride, h.Width, h.Height)
		copyPlane(dst.Cb, dst.CStride, m.Cb, m.CStride, c.X, c.Y)
		copyPlane(dst.Cr, dst.CStride, m.Cr, m.CStride, c.X, c.Y)
	default:
		return fmt.Errorf("%w: %T", ErrUnsupported, m)
	}
	return nil
}

func (d *nativeDecoder) bgrPicture(dst *BGR, data []byte, h Header) error {
	m, err := d.decode(data, h)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *image.Gray:
		for y := range h.Height {
			row := dst.Pix[y*dst.Stride:][:3*h.Width]
			for x, v := range m.Pix[y*m.Stride:][:h.Width] {
				row[3*x], row[3*x+1], row[3*x+2] = v, v, v
			}
		}
	case *image.YCbCr:
		for y := range h.Height {
			rowToBGR(dst.Pix[y*dst.Stride:][:3*h.Width], m, y)
		}
	default:
		return fmt.Errorf("%w: %T", ErrUnsupported, m)
	}
	return nil
}

// rowToBGR converts row y of m, whose bounds start at the origin, as
// color.YCbCrToRGB does; that is not inlined, and takes twice as long.
func rowToBGR(dst []byte, m *image.YCbCr, y int) {
	hs, _ := steps(m.SubsampleRatio)
	shift := hs >> 1 // 1, 2, 4 pixels a sample: 0, 1, 2
	c := m.COffset(0, y)
	cb, cr := m.Cb[c:], m.Cr[c:]
	for x, luma := range m.Y[y*m.YStride:][:len(dst)/3] {
		yy, b, r := int32(luma)*0x10101, int32(cb[x>>shift])-128, int32(cr[x>>shift])-128
		o := dst[3*x:][:3]
		o[0], o[1], o[2] = whole(yy+116130*b), whole(yy-22554*b-46802*r), whole(yy+91881*r)
	}
}

// whole cuts the 16 bits behind the point off, and limits the rest to 0..255.
func whole(v int32) byte {
	if uint32(v)&0xFF000000 != 0 {
		v = ^(v >> 31) // all ones above the range, 0 below
		return byte(v)
	}
	return byte(v >> 16)
}
