package codec

import (
	"cmp"
	"fmt"
	"image"
)

// Subsampling is how much chroma an Encoder keeps of packed pixels.
type Subsampling int

const (
	Sub420  Subsampling = iota // one chroma sample for 2x2 pixels: the default
	Sub422                     // one for 2x1 pixels
	Sub444                     // one for each pixel
	SubGray                    // none, whatever the input: a JPEG of one component
)

// EncoderConfig sets up an Encoder. The zero value is usable.
type EncoderConfig struct {
	Quality     int         // 1..100, on libjpeg's scale; zero means DefaultQuality
	Subsampling Subsampling // of packed pixels; planar input keeps its own ratio
}

// Encoder writes baseline JPEGs. Close it to free its native memory.
type Encoder struct {
	quality int
	sub     Subsampling
	native  nativeEncoder
}

// NewEncoder fails for a quality out of range, and with ErrUnsupported for a
// subsampling that this build cannot write.
func NewEncoder(cfg EncoderConfig) (*Encoder, error) {
	e := &Encoder{sub: cfg.Subsampling}
	if err := e.SetQuality(cmp.Or(cfg.Quality, DefaultQuality)); err != nil {
		return nil, err
	}
	if cfg.Subsampling < Sub420 || cfg.Subsampling > SubGray {
		return nil, fmt.Errorf("codec: Subsampling is %d, want %d..%d", cfg.Subsampling, Sub420, SubGray)
	}
	if err := e.native.open(cfg.Subsampling); err != nil {
		return nil, err
	}
	return e, nil
}

// SetQuality sets the quality, 1..100, of the pictures to come.
func (e *Encoder) SetQuality(q int) error {
	if q < 1 || q > 100 {
		return fmt.Errorf("codec: Quality is %d, want 1..100", q)
	}
	e.quality = q
	return nil
}

// Close frees the native memory. A second Close does nothing.
func (e *Encoder) Close() error { return e.native.close() }

// Append encodes img and appends the JPEG to dst, as append does: the result is
// the caller's. img is borrowed; it is a *image.YCbCr, *image.Gray, *BGR or
// *image.RGBA (alpha is ignored), of at least 1x1 pixel, and may be a view of a
// larger picture. A view of a planar picture must start with a chroma sample.
//
// Planar pictures are written in their own ratio; image/jpeg, for want of better,
// writes all of them as 4:2:0. On error dst comes back as it was.
func (e *Encoder) Append(dst []byte, img image.Image) ([]byte, error) {
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return dst, fmt.Errorf("%w: %dx%d pixels", ErrUnsupported, size.X, size.Y)
	}
	if err := checkSize(size.X, size.Y); err != nil {
		return dst, err
	}
	switch m := img.(type) {
	case *image.YCbCr:
		if err := checkYCbCr(m); err != nil {
			return dst, err
		}
		if e.sub == SubGray {
			return e.native.packed(dst, packed{m.Y, m.YStride, size, orderGray}, SubGray, e.quality)
		}
		return e.native.planar(dst, m, e.quality)
	case *image.Gray:
		return e.packed(dst, packed{m.Pix, m.Stride, size, orderGray}, SubGray)
	case *BGR:
		return e.packed(dst, packed{m.Pix, m.Stride, size, orderBGR}, e.sub)
	case *image.RGBA:
		return e.packed(dst, packed{m.Pix, m.Stride, size, orderRGBA}, e.sub)
	}
	return dst, fmt.Errorf("%w: %T", ErrUnsupported, img)
}

func (e *Encoder) packed(dst []byte, p packed, sub Subsampling) ([]byte, error) {
	if err := checkPlane(len(p.pix), p.size.X*p.order.bytes(), p.size.Y, p.stride); err != nil {
		return dst, err
	}
	return e.native.packed(dst, p, sub, e.quality)
}

// packed is a picture whose pixels lie side by side.
type packed struct {
	pix    []byte // from the top left pixel on
	stride int    // bytes from one row to the next
	size   image.Point
	order  order
}

// order is how the bytes of a pixel follow each other.
type order int

const (
	orderGray order = iota
	orderBGR
	orderRGBA
)

func (o order) bytes() int { return [...]int{orderGray: 1, orderBGR: 3, orderRGBA: 4}[o] }
