//go:build cgo && !noturbo

package codec

/*
#cgo pkg-config: libturbojpeg
#include "turbo.h"
*/
import "C"

import (
	"fmt"
	"image"
	"unsafe"
)

// Backend names the JPEG library in this build.
func Backend() string { return C.GoString(C.fg_version()) }

// session is one TurboJPEG handle with its buffers, all of it C memory.
//
// What goes to C are single pointers into pictures, never a pointer to Go memory
// that holds pointers, and C keeps none of them: they are borrowed for the call.
// What comes back (the JPEG, the text of an error) is C memory and copied out
// before the next call can overwrite it.
type session struct{ c *C.fg_session }

func (s *session) close() error {
	C.fg_close(s.c)
	s.c = nil
	return nil
}

func (s *session) failure() string { return C.GoString(&s.c.err[0]) }

func ptr(b []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))) }

type nativeEncoder struct {
	session
	luma []byte // scratch
}

func (e *nativeEncoder) open(Subsampling) error {
	if e.c = C.fg_open(1); e.c == nil {
		return fmt.Errorf("codec: TurboJPEG has no memory for a compressor")
	}
	return nil
}

// chromaOf is how TurboJPEG calls a subsampling.
func chromaOf(s Subsampling) C.int {
	return [...]C.int{Sub420: C.TJSAMP_420, Sub422: C.TJSAMP_422, Sub444: C.TJSAMP_444, SubGray: C.TJSAMP_GRAY}[s]
}

// chromaOfRatio is how TurboJPEG calls a ratio; false for one it does not know.
func chromaOfRatio(r image.YCbCrSubsampleRatio) (C.int, bool) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return C.TJSAMP_444, true
	case image.YCbCrSubsampleRatio422:
		return C.TJSAMP_422, true
	case image.YCbCrSubsampleRatio420:
		return C.TJSAMP_420, true
	case image.YCbCrSubsampleRatio440:
		return C.TJSAMP_440, true
	case image.YCbCrSubsampleRatio411:
		return C.TJSAMP_411, true
	}
	return 0, false
}

func formatOf(o order) C.int {
	return [...]C.int{orderGray: C.TJPF_GRAY, orderBGR: C.TJPF_BGR, orderRGBA: C.TJPF_RGBX}[o]
}

func (e *nativeEncoder) packedPicture(dst []byte, p packed, sub Subsampling, quality int) ([]byte, error) {
	if e.c == nil {
		return dst, ErrClosed
	}
	return e.result(dst, C.fg_encode_packed(e.c, ptr(p.pix), C.int(p.size.X), C.int(p.stride), C.int(p.size.Y),
		formatOf(p.order), chromaOf(sub), C.int(quality)))
}

func (e *nativeEncoder) planarPicture(dst []byte, p *image.YCbCr, quality int) ([]byte, error) {
	if e.c == nil {
		return dst, ErrClosed
	}
	sub, ok := chromaOfRatio(p.SubsampleRatio)
	if !ok {
		return dst, fmt.Errorf("%w: libjpeg-turbo writes no planar %v", ErrUnsupported, p.SubsampleRatio)
	}
	size := p.Rect.Size()
	y, stride := p.Y, p.YStride
	if full := padded(size, p.SubsampleRatio); full != size {
		y, stride = e.pad(p, full), full.X
	}
	return e.result(dst, C.fg_encode_planar(e.c, ptr(y), ptr(p.Cb), ptr(p.Cr), C.int(size.X), C.int(stride), C.int(p.CStride), C.int(size.Y),
		sub, C.int(quality)))
}

// padded is the size of the luma plane as TurboJPEG wants it: rounded up to whole
// chroma samples (tjPlaneWidth, tjPlaneHeight). Where it is more than the picture
// has, going on from the caller's rows would touch memory outside the picture.
func padded(size image.Point, ratio image.YCbCrSubsampleRatio) image.Point {
	hs, vs := steps(ratio)
	c := chromaSize(size, ratio)
	return image.Pt(c.X*hs, c.Y*vs)
}

// pad copies luma into scratch memory, its last column and row repeated.
func (e *nativeEncoder) pad(p *image.YCbCr, full image.Point) []byte {
	e.luma = resize(e.luma, full.X*full.Y)
	size := p.Rect.Size()
	for y := range full.Y {
		row := e.luma[y*full.X:][:full.X]
		n := copy(row, p.Y[min(y, size.Y-1)*p.YStride:][:size.X])
		for x := n; x < full.X; x++ {
			row[x] = row[n-1]
		}
	}
	return e.luma
}

func (e *nativeEncoder) result(dst []byte, rc C.int) ([]byte, error) {
	if rc != 0 {
		return dst, fmt.Errorf("codec: %s", e.failure())
	}
	return append(dst, unsafe.Slice((*byte)(e.c.buf), e.c.len)...), nil
}

type nativeDecoder struct {
	session
	luma []byte // scratch
}

func (d *nativeDecoder) open() error {
	if d.c = C.fg_open(0); d.c == nil {
		return fmt.Errorf("codec: TurboJPEG has no memory for a decompressor")
	}
	return nil
}

func (d *nativeDecoder) bgrPicture(dst *BGR, jpeg []byte, h Header) error {
	if d.c == nil {
		return ErrClosed
	}
	return d.result(C.fg_decode_bgr(d.c, ptr(jpeg), C.ulong(len(jpeg)), ptr(dst.Pix),
		C.int(h.Width), C.int(dst.Stride), C.int(h.Height), chromaOfHeader(h)))
}

func (d *nativeDecoder) planarPicture(dst *image.YCbCr, jpeg []byte, h Header) error {
	if d.c == nil {
		return ErrClosed
	}
	size := image.Pt(h.Width, h.Height)
	y, stride := dst.Y, dst.YStride
	full := padded(size, h.Ratio)
	if h.Gray {
		full = size
	}
	if full != size {
		d.luma = resize(d.luma, full.X*full.Y)
		y, stride = d.luma, full.X
	}
	err := d.result(C.fg_decode_planar(d.c, ptr(jpeg), C.ulong(len(jpeg)), ptr(y), ptr(dst.Cb), ptr(dst.Cr),
		C.int(h.Width), C.int(stride), C.int(dst.CStride), C.int(h.Height), chromaOfHeader(h)))
	if err == nil && full != size {
		copyPlane(dst.Y, dst.YStride, d.luma, full.X, size.X, size.Y)
	}
	return err
}

func chromaOfHeader(h Header) C.int {
	if h.Gray {
		return C.TJSAMP_GRAY
	}
	sub, _ := chromaOfRatio(h.Ratio) // ParseHeader gives no other
	return sub
}

func (d *nativeDecoder) result(rc C.int) error {
	if rc != 0 {
		return fmt.Errorf("%w: %s", ErrFormat, d.failure())
	}
	return nil
}
