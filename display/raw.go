package display

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/framegram/framegram/codec"
)

// rawPicture decodes JPEGs into the bytes of a raw format. The first one decides
// the size, and for Y4M the chroma ratio; others are brought to it.
type rawPicture struct {
	format  string // "y4m" or "bgr24"
	fps     float64
	decoder *codec.Decoder

	buf     []byte       // of the first frame: stream header, then what every frame repeats
	started int          // where a frame begins in buf: behind the stream header
	begun   bool         // the stream header was rendered
	planar  *image.YCbCr // the pixels in buf, for Y4M
	packed  *codec.BGR   // the pixels in buf, for BGR

	other, fitted *image.YCbCr // a picture of another size or ratio; the same at the first one's size
}

func newRawPicture(format string, fps float64) (*rawPicture, error) {
	d, err := codec.NewDecoder()
	if err != nil {
		return nil, fmt.Errorf("display: %w", err)
	}
	return &rawPicture{format: format, fps: fps, decoder: d}, nil
}

func (r *rawPicture) Close() error { return r.decoder.Close() }

// size is that of the first picture.
func (r *rawPicture) size() string {
	b := r.bounds()
	return fmt.Sprintf("%dx%d", b.Dx(), b.Dy())
}

func (r *rawPicture) bounds() image.Rectangle {
	if r.planar != nil {
		return r.planar.Rect
	}
	return r.packed.Rect
}

// render returns the bytes to write for one frame, valid until the next call, and
// whether the picture had to be scaled.
func (r *rawPicture) render(jpeg []byte) (b []byte, scaled bool, err error) {
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return nil, false, err
	}
	if !r.begun { // again until a picture decodes: a torn one shall not decide the size
		r.begin(h)
	}
	if scaled, err = r.decode(h, jpeg); err != nil {
		return nil, false, err
	}
	if !r.begun {
		r.begun = true
		return r.buf, scaled, nil
	}
	return r.buf[r.started:], scaled, nil
}

// begin lays out buf for pictures like h's, so that they decode in place.
func (r *rawPicture) begin(h codec.Header) {
	if r.format == "bgr24" {
		r.packed = codec.NewBGR(image.Rect(0, 0, h.Width, h.Height))
		r.buf = r.packed.Pix
		return
	}
	ratio, name := y4mRatio(h.Ratio)
	num, den := fraction(r.fps)
	head := fmt.Appendf(nil, "YUV4MPEG2 W%d H%d F%d:%d Ip A1:1 %s XCOLORRANGE=FULL\n", h.Width, h.Height, num, den, name)
	r.started = len(head)
	head = append(head, "FRAME\n"...)
	m := codec.ReuseYCbCr(nil, h.Width, h.Height, ratio)
	ny, nc := len(m.Y), len(m.Cb)
	r.buf = append(head, make([]byte, ny+2*nc)...)
	pix := r.buf[len(head):]
	m.Y, m.Cb, m.Cr = pix[:ny:ny], pix[ny:ny+nc:ny+nc], pix[ny+nc:]
	r.planar = m
}

func (r *rawPicture) decode(h codec.Header, jpeg []byte) (scaled bool, err error) {
	want := r.bounds()
	scaled = h.Width != want.Dx() || h.Height != want.Dy()
	if !scaled && r.packed != nil {
		return false, r.decoder.DecodeBGR(r.packed, jpeg)
	}
	if !scaled && r.planar.SubsampleRatio == h.Ratio {
		return false, r.decoder.DecodeYCbCr(r.planar, jpeg)
	}
	r.other = codec.ReuseYCbCr(r.other, h.Width, h.Height, h.Ratio)
	if err := r.decoder.DecodeYCbCr(r.other, jpeg); err != nil {
		return false, err
	}
	m := r.other
	if scaled {
		r.fitted = codec.ReuseYCbCr(r.fitted, want.Dx(), want.Dy(), h.Ratio)
		codec.Scale(r.fitted, r.other)
		m = r.fitted
	}
	if r.packed != nil {
		toBGR(r.packed, m)
	} else {
		toRatio(r.planar, m)
	}
	return scaled, nil
}

// y4mRatio is the ratio in which a picture is written, and the name that Y4M has for
// it. There is none for 4:4:0, whose rows and columns are both kept in 4:4:4.
func y4mRatio(r image.YCbCrSubsampleRatio) (image.YCbCrSubsampleRatio, string) {
	switch r {
	case image.YCbCrSubsampleRatio420:
		return r, "C420jpeg" // chroma sited in the middle of its pixels, as JFIF has it
	case image.YCbCrSubsampleRatio422:
		return r, "C422"
	case image.YCbCrSubsampleRatio411:
		return r, "C411"
	default:
		return image.YCbCrSubsampleRatio444, "C444"
	}
}

// fraction writes a frame rate as Y4M does: 30 as 30:1, 29.97 as 30000:1001 (NTSC's
// rates are whole ones over 1.001), others to a thousandth.
func fraction(fps float64) (num, den int) {
	if n := math.Round(fps); n > 0 && math.Abs(fps-n) < 1e-4 {
		return int(n), 1
	}
	if n := math.Round(fps * 1.001); n > 0 && math.Abs(fps-n/1.001) < 0.006 {
		return int(n) * 1000, 1001
	}
	return int(max(1, math.Round(fps*1000))), 1000
}

// toRatio copies src into dst, of the same size, taking as each chroma sample the one
// of a pixel that it covers. It serves streams that change in mid-course, and 4:4:0,
// where being right matters more than being smooth.
func toRatio(dst, src *image.YCbCr) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	for y := range h {
		copy(dst.Y[y*dst.YStride:][:w], src.Y[y*src.YStride:])
	}
	for y := range h {
		for x := range w {
			d, s := dst.COffset(x, y), src.COffset(x, y)
			dst.Cb[d], dst.Cr[d] = src.Cb[s], src.Cr[s]
		}
	}
}

// toBGR converts src into dst, of the same size.
func toBGR(dst *codec.BGR, src *image.YCbCr) {
	for y := range dst.Rect.Dy() {
		row := dst.Pix[y*dst.Stride:]
		for x := range dst.Rect.Dx() {
			c := src.COffset(x, y)
			r, g, b := color.YCbCrToRGB(src.Y[y*src.YStride+x], src.Cb[c], src.Cr[c])
			row[3*x], row[3*x+1], row[3*x+2] = b, g, r
		}
	}
}
