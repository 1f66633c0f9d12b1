package codec

import (
	"fmt"
	"image"
	"testing"
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

// BenchmarkSlices is 1080p in strips, on as many cores as -cpu says: compare
// slices=1, which is a whole picture.
func BenchmarkSlices(b *testing.B) {
	const w, h = 1920, 1080
	in := toBGR(photo(w, h))
	planar := toYCbCr(photo(w, h), image.YCbCrSubsampleRatio420)
	for _, n := range []int{1, 2, 4, 8, 16} {
		e, d := newEncoder(b, EncoderConfig{Slices: n}), newDecoder(b)
		jpeg := encode(b, e, in)
		out := make([]byte, 0, 2*len(jpeg))
		bgr := ReuseBGR(nil, w, h)
		ycc := ReuseYCbCr(nil, w, h, image.YCbCrSubsampleRatio420)
		for _, c := range []struct {
			name string
			call func() error
		}{
			{"encodeBGR", func() (err error) { out, err = e.Append(out[:0], in); return }},
			{"encodePlanar", func() (err error) { out, err = e.Append(out[:0], planar); return }},
			{"decodeBGR", func() error { return d.DecodeBGR(bgr, jpeg) }},
			{"decodePlanar", func() error { return d.DecodeYCbCr(ycc, jpeg) }},
		} {
			b.Run(fmt.Sprintf("%s/slices=%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := c.call(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(jpeg)), "B/frame")
			})
		}
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
