package codec

import (
	"fmt"
	"image"
	"slices"
	"testing"
	"time"
)

// One picture in, one out, at the default quality. Throughput counts 3 bytes a pixel
// whatever the layout, so that all paths compare.
var benchSizes = []struct {
	name string
	size image.Point
}{{"720p", image.Pt(1280, 720)}, {"1080p", image.Pt(1920, 1080)}}

func BenchmarkEncode(b *testing.B) {
	for _, s := range benchSizes {
		rgba := photo(s.size.X, s.size.Y)
		for _, in := range []struct {
			name string
			img  image.Image
		}{
			{"BGR", toBGR(rgba)},
			{"RGBA", rgba},
			{"planar420", toYCbCr(rgba, image.YCbCrSubsampleRatio420)},
			{"gray", toGray(rgba)},
		} {
			b.Run(s.name+"/"+in.name, func(b *testing.B) {
				e := newEncoder(b, EncoderConfig{})
				out := encode(b, e, in.img)
				b.SetBytes(int64(3 * s.size.X * s.size.Y))
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if out, err = e.Append(out[:0], in.img); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(out)), "B/frame")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, s := range benchSizes {
		jpeg := encode(b, newEncoder(b, EncoderConfig{}), photo(s.size.X, s.size.Y))
		d := newDecoder(b)
		run := func(name string, decode func() error) {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(3 * s.size.X * s.size.Y))
				b.ReportAllocs()
				for b.Loop() {
					if err := decode(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		bgr := ReuseBGR(nil, s.size.X, s.size.Y)
		run("BGR", func() error { return d.DecodeBGR(bgr, jpeg) })
		planar := ReuseYCbCr(nil, s.size.X, s.size.Y, image.YCbCrSubsampleRatio420)
		run("planar420", func() error { return d.DecodeYCbCr(planar, jpeg) })
	}
}

// BenchmarkSlices is a film's 1080p in strips, on as many cores as -cpu says, in turns with the same
// as a whole, which takes one.
func BenchmarkSlices(b *testing.B) {
	const w, h = 1920, 1080
	in := clipPictures(b)[4]
	wholeE, d := newEncoder(b, EncoderConfig{}), newDecoder(b)
	planar := ReuseYCbCr(nil, w, h, image.YCbCrSubsampleRatio420)
	if err := d.DecodeYCbCr(planar, encode(b, newEncoder(b, EncoderConfig{Quality: 100}), in)); err != nil {
		b.Fatal(err)
	}
	whole := encode(b, wholeE, in)
	bgr := ReuseBGR(nil, w, h)
	ycc := ReuseYCbCr(nil, w, h, image.YCbCrSubsampleRatio420)
	for _, n := range []int{2, 4, 8, 16} {
		e := newEncoder(b, EncoderConfig{Slices: n})
		sliced := encode(b, e, in)
		out := make([]byte, 0, 2*len(sliced))
		encodes := func(e *Encoder, in image.Image) func() error {
			return func() (err error) { out, err = e.Append(out[:0], in); return }
		}
		for _, c := range []struct {
			name         string
			apart, whole func() error
		}{
			{"encodeBGR", encodes(e, in), encodes(wholeE, in)},
			{"encodePlanar", encodes(e, planar), encodes(wholeE, planar)},
			{"decodeBGR", func() error { return d.DecodeBGR(bgr, sliced) }, func() error { return d.DecodeBGR(bgr, whole) }},
			{"decodePlanar", func() error { return d.DecodeYCbCr(ycc, sliced) }, func() error { return d.DecodeYCbCr(ycc, whole) }},
		} {
			b.Run(fmt.Sprintf("%s/slices=%d", c.name, n), func(b *testing.B) {
				inTurns(b, []turn{{"slices", c.apart}, {"whole", c.whole}})
				b.ReportMetric(float64(len(sliced)), "slices-B")
				b.ReportMetric(float64(len(whole)), "whole-B")
			})
		}
	}
}

// turn is something to measure.
type turn struct {
	name string
	call func() error
}

// inTurns measures several things in turns, so that what else the machine does meets all of them
// alike, and reports the median of each.
func inTurns(b *testing.B, turns []turn) {
	took := make([][]time.Duration, len(turns))
	b.ReportAllocs()
	for b.Loop() {
		for i, t := range turns {
			start := time.Now()
			if err := t.call(); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	for i, t := range turns {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2])/1e6, t.name+"-ms")
	}
}

func BenchmarkParseHeader(b *testing.B) {
	jpeg := encode(b, newEncoder(b, EncoderConfig{}), photo(640, 360))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseHeader(jpeg); err != nil {
			b.Fatal(err)
		}
	}
}
