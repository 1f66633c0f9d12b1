package capture

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"
)

// YUV4MPEG2 is a line of text, then for each picture a line beginning with FRAME and
// the planes Y, Cb, Cr (yuv4mpeg(5) of the mjpegtools; FFmpeg's yuv4mpegenc.c adds
// XCOLORRANGE).
const (
	y4mMagic   = "YUV4MPEG2"
	y4mMaxLine = 1024 // bytes; mjpegtools' Y4M_LINE_MAX is 256
)

// y4mHeader is the first line of a stream.
type y4mHeader struct {
	w, h  int
	fps   float64 // 0 = not told
	ratio image.YCbCrSubsampleRatio
	mono  bool // Y only; ratio is 4:2:0, for the neutral chroma added here
	full  bool // luma 0..255, as JPEG has it; otherwise 16..235 and chroma 16..240
}

var y4mRatios = map[string]image.YCbCrSubsampleRatio{
	// The variants of 4:2:0 differ in where chroma is sited, by half a pixel at most,
	// which is ignored, and 4:2:0 is what a header without a C field means.
	"":         image.YCbCrSubsampleRatio420,
	"420":      image.YCbCrSubsampleRatio420,
	"420jpeg":  image.YCbCrSubsampleRatio420,
	"420mpeg2": image.YCbCrSubsampleRatio420,
	"420paldv": image.YCbCrSubsampleRatio420,
	"422":      image.YCbCrSubsampleRatio422,
	"444":      image.YCbCrSubsampleRatio444,
	"mono":     image.YCbCrSubsampleRatio420,
}

// parseY4M reads the header from its line, without the newline. Interlacing (I) and
// the pixel aspect (A) are ignored.
func parseY4M(line string) (h y4mHeader, err error) {
	fields := strings.Fields(line)
	if len(fields) == 0 || fields[0] != y4mMagic {
		return h, fmt.Errorf("does not start with %s", y4mMagic)
	}
	space := ""
	for _, f := range fields[1:] {
		switch value := f[1:]; f[0] {
		case 'W':
			h.w, err = strconv.Atoi(value)
		case 'H':
			h.h, err = strconv.Atoi(value)
		case 'F':
			h.fps, err = parseRate(value)
		case 'C':
			space = value
		case 'X':
			if r, ok := strings.CutPrefix(value, "COLORRANGE="); ok {
				h.full = r == "FULL"
			}
		}
		if err != nil {
			return h, fmt.Errorf("field %q: %w", f, err)
		}
	}
	var known bool
	if h.ratio, known = y4mRatios[space]; !known {
		return h, fmt.Errorf("colour space C%s is not one of C420, C422, C444 (8 bits) and Cmono: convert with ffmpeg -pix_fmt yuv420p", space)
	}
	h.mono = space == "mono"
	if h.w == 0 || h.h == 0 {
		return h, errors.New("width (W) or height (H) is missing")
	}
	if err := checkSize(image.Pt(h.w, h.h), 1, maxSide); err != nil {
		return h, fmt.Errorf("pictures are %w", err)
	}
	return h, nil
}

// parseRate reads pictures a second as a fraction; 0:0 means not known.
func parseRate(s string) (float64, error) {
	num, den, ok := strings.Cut(s, ":")
	n, err1 := strconv.ParseUint(num, 10, 32)
	d, err2 := strconv.ParseUint(den, 10, 32)
	switch {
	case !ok || err1 != nil || err2 != nil:
		return 0, errors.New("the rate is not a fraction like 30000:1001")
	case n == 0 && d == 0:
		return 0, nil
	case n == 0 || d == 0 || n > d*maxFPS:
		return 0, fmt.Errorf("the rate is not over 0 and at most %d", maxFPS)
	}
	return float64(n) / float64(d), nil
}

// chroma is the size of the Cb plane, and of the Cr plane, in samples.
func (h y4mHeader) chroma() (w, ht int) {
	w, ht = h.w, h.h
	if h.ratio != image.YCbCrSubsampleRatio444 {
		w = (w + 1) / 2
	}
	if h.ratio == image.YCbCrSubsampleRatio420 {
		ht = (ht + 1) / 2
	}
	return w, ht
}

// size is how many bytes a picture takes in the stream.
func (h y4mHeader) size() int {
	if h.mono {
		return h.w * h.h
	}
	cw, ch := h.chroma()
	return h.w*h.h + 2*cw*ch
}

// viewer returns the function that makes a picture of its bytes, which it shares and
// may change.
func (h y4mHeader) viewer() func([]byte) image.Image {
	cw, ch := h.chroma()
	luma, n := h.w*h.h, cw*ch
	var neutral []byte
	var toLuma, toChroma *rangeTable
	if !h.full {
		toLuma, toChroma = newRangeTable(16, 235), newRangeTable(16, 240)
	}
	if h.mono {
		neutral = make([]byte, n)
		for i := range neutral {
			neutral[i] = 128
		}
	}
	return func(b []byte) image.Image {
		p := &image.YCbCr{YStride: h.w, CStride: cw, SubsampleRatio: h.ratio, Rect: image.Rect(0, 0, h.w, h.h)}
		if !h.full {
			toLuma.apply(b[:luma])
			toChroma.apply(b[luma:])
		}
		p.Y = b[:luma:luma]
		if h.mono {
			p.Cb, p.Cr = neutral, neutral
		} else {
			p.Cb, p.Cr = b[luma:luma+n:luma+n], b[luma+n:luma+2*n:luma+2*n]
		}
		return p
	}
}

// readLine reads to the newline, which it leaves out.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for len(line) < y4mMaxLine {
		c, err := r.ReadByte()
		if err == io.EOF && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return string(line), err
		}
		if c == '\n' {
			return string(line), nil
		}
		line = append(line, c)
	}
	return "", fmt.Errorf("no end of line within %d bytes", y4mMaxLine)
}
