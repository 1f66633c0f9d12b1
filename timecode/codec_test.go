package timecode_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/timecode"
)

// TestSurvives takes the strip through what it is made for: JPEG at quality 50 and
// more, then scaling to half or double the size, then JPEG again, on pictures whose
// rest is as hard to encode as can be.
func TestSurvives(t *testing.T) {
	for _, size := range []image.Point{{192, 160}, {320, 240}, {640, 360}, {642, 362}, {1280, 720}, {1920, 1080}} {
		for _, quality := range []int{50, 100} {
			if size.X > 1000 && quality > 50 {
				continue // the smaller ones are harder
			}
			t.Run(fmt.Sprintf("%dx%d q%d", size.X, size.Y, quality), func(t *testing.T) {
				survive(t, size, quality)
			})
		}
	}
}

func survive(t *testing.T, size image.Point, quality int) {
	c := newCodec(t, quality)
	rnd := rand.New(rand.NewPCG(uint64(size.X), uint64(quality)))
	for range max(1, 960/size.X) { // the smallest cells, the most often
		code := timecode.Code{ID: rnd.Uint32(), Captured: time.UnixMicro(1_700_000_000_000_000 + rnd.Int64N(1e15))}
		planar := background(size, rnd)
		packed := codec.NewBGR(planar.Rect)
		noise(packed.Pix, rnd)
		for _, img := range []image.Image{planar, packed} {
			if err := timecode.Paint(img, code); err != nil {
				t.Fatal(err)
			}
			check := func(where string, img image.Image) {
				t.Helper()
				if got, err := timecode.Read(img); err != nil || got != code {
					t.Errorf("%T %s: got %v, %v, want %v", img, where, got, err, code)
				}
			}
			jpeg := c.encode(img)
			bgr, ycc := c.decode(jpeg)
			check("after JPEG", bgr)
			check("after JPEG", ycc)

			half := codec.ReuseYCbCr(nil, size.X/2, size.Y/2, ycc.SubsampleRatio)
			codec.Scale(half, ycc)
			check("at half the size", half)
			bgr, ycc2 := c.decode(c.encode(half))
			check("at half the size, after JPEG", bgr)
			check("at half the size, after JPEG", ycc2)

			if size.X > 1000 {
				continue
			}
			double := codec.ReuseYCbCr(nil, size.X*2, size.Y*2, ycc.SubsampleRatio)
			codec.Scale(double, ycc)
			check("at twice the size", double)
			odd := codec.ReuseYCbCr(nil, size.X*7/10, size.Y*8/10, ycc.SubsampleRatio)
			codec.Scale(odd, ycc)
			check("squeezed", odd)
		}
	}
}

// background is noise in colour at the luma levels of the strip, in blocks of 1, 2, 4
// and 8 pixels.
func background(size image.Point, rnd *rand.Rand) *image.YCbCr {
	m := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
	noise(m.Cb, rnd)
	noise(m.Cr, rnd)
	for y := range size.Y {
		for x := range size.X {
			block := 1 << (x * 4 / size.X)
			if rnd.IntN(block*block) == 0 || x == 0 {
				m.Y[y*m.YStride+x] = 16 + 219*byte(rnd.IntN(2))
			} else {
				m.Y[y*m.YStride+x] = m.Y[y*m.YStride+x-1]
			}
		}
	}
	return m
}

func noise(p []byte, rnd *rand.Rand) {
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
}

type testCodec struct {
	t   *testing.T
	enc *codec.Encoder
	dec *codec.Decoder
}

func newCodec(t *testing.T, quality int) testCodec {
	enc, err := codec.NewEncoder(codec.EncoderConfig{Quality: quality})
	if err != nil {
		t.Fatal(err)
	}
	dec, err := codec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { enc.Close(); dec.Close() })
	return testCodec{t, enc, dec}
}

func (c testCodec) encode(img image.Image) []byte {
	c.t.Helper()
	jpeg, err := c.enc.Append(nil, img)
	if err != nil {
		c.t.Fatal(err)
	}
	return jpeg
}

func (c testCodec) decode(jpeg []byte) (*codec.BGR, *image.YCbCr) {
	c.t.Helper()
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		c.t.Fatal(err)
	}
	bgr, ycc := codec.ReuseBGR(nil, h.Width, h.Height), codec.ReuseYCbCr(nil, h.Width, h.Height, h.Ratio)
	if err := c.dec.DecodeBGR(bgr, jpeg); err != nil {
		c.t.Fatal(err)
	}
	if err := c.dec.DecodeYCbCr(ycc, jpeg); err != nil {
		c.t.Fatal(err)
	}
	return bgr, ycc
}

var _ timecode.Packed = (*codec.BGR)(nil)
