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

	// Slices is in how many strips a picture is written, 1..MaxSlices, or AutoSlices;
	// zero means 1. Strips are encoded at the same time, on all cores, and are
	// restart intervals of one ordinary JPEG whose pixels are the same. There are
	// fewer in a picture of fewer than 16 rows for each.
	Slices int
}

// Encoder writes baseline JPEGs. Close it to free its native memory, and to end the
// goroutines that encode strips.
type Encoder struct {
	quality int
	sub     Subsampling
	slices  int
	native  nativeEncoder // of whole pictures
	slicer  slicer        // of the others
	closed  bool
}

// NewEncoder fails for a quality out of range, and with ErrUnsupported for a
// subsampling that this build cannot write.
func NewEncoder(cfg EncoderConfig) (*Encoder, error) {
	e := &Encoder{sub: cfg.Subsampling, slices: cfg.Slices}
	if err := e.SetQuality(cmp.Or(cfg.Quality, DefaultQuality)); err != nil {
		return nil, err
	}
	if cfg.Subsampling < Sub420 || cfg.Subsampling > SubGray {
		return nil, fmt.Errorf("codec: Subsampling is %d, want %d..%d", cfg.Subsampling, Sub420, SubGray)
	}
	if e.slices = cmp.Or(cfg.Slices, 1); e.slices > MaxSlices || e.slices < 1 && e.slices != AutoSlices {
		return nil, fmt.Errorf("codec: Slices is %d, want 1..%d or AutoSlices", cfg.Slices, MaxSlices)
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

// Close frees the native memory. No goroutine is left. A second Close does nothing.
func (e *Encoder) Close() error {
	e.closed = true
	e.slicer.close()
	return e.native.close()
}

// Append encodes img and appends the JPEG to dst, as append does: the result is
// the caller's. img is borrowed; it is a *image.YCbCr, *image.Gray, *BGR or
// *image.RGBA (alpha is ignored), of at least 1x1 pixel, and may be a view of a
// larger picture. A view of a planar picture must start with a chroma sample.
//
// Planar pictures are written in their own ratio; image/jpeg, for want of better,
// writes all of them as 4:2:0. On error dst comes back as it was.
func (e *Encoder) Append(dst []byte, img image.Image) ([]byte, error) {
	return e.AppendEach(dst, img, nil)
}

// AppendEach is Append for who can use a JPEG before it is whole. ready is called, by
// the same goroutine, with dst and the JPEG up to some strip and the marker behind it
// (see Strips.Piece), each time longer, at last all of it; what has been shown stays as
// it is, though it may move. If it ends with an error, so does the JPEG where it is.
// The time that ready takes is lost for encoding on one core.
func (e *Encoder) AppendEach(dst []byte, img image.Image, ready func(jpeg []byte)) ([]byte, error) {
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return dst, fmt.Errorf("%w: %dx%d pixels", ErrUnsupported, size.X, size.Y)
	}
	if err := checkSize(size.X, size.Y); err != nil {
		return dst, err
	}
	src, err := e.source(img)
	if err != nil {
		return dst, err
	}
	if e.closed {
		return dst, ErrClosed
	}
	if high := stripHeight(size, e.slices); high < size.Y {
		return e.slicer.append(dst, src, high, e.quality, e.sub, ready)
	}
	out, err := e.native.encode(dst, src, e.quality)
	if err == nil && ready != nil {
		ready(out)
	}
	return out, err
}

// source makes sure that img's memory holds what it says.
func (e *Encoder) source(img image.Image) (source, error) {
	p := packed{size: img.Bounds().Size()}
	sub := e.sub
	switch m := img.(type) {
	case *image.YCbCr:
		if err := checkYCbCr(m); err != nil {
			return source{}, err
		}
		if e.sub != SubGray {
			return source{planar: m}, nil
		}
		p.pix, p.stride, p.order = m.Y, m.YStride, orderGray
	case *image.Gray:
		p.pix, p.stride, p.order, sub = m.Pix, m.Stride, orderGray, SubGray
	case *BGR:
		p.pix, p.stride, p.order = m.Pix, m.Stride, orderBGR
	case *image.RGBA:
		p.pix, p.stride, p.order = m.Pix, m.Stride, orderRGBA
	default:
		return source{}, fmt.Errorf("%w: %T", ErrUnsupported, img)
	}
	return source{packed: p, sub: sub}, checkPlane(len(p.pix), p.size.X*p.order.bytes(), p.size.Y, p.stride)
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
