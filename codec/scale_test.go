package codec

import (
	"fmt"
	"image"
	"math"
	"testing"

	"golang.org/x/image/draw"
)

var scalings = []struct{ from, to image.Point }{
	{image.Pt(64, 48), image.Pt(64, 48)},
	{image.Pt(64, 48), image.Pt(32, 24)},
	{image.Pt(66, 50), image.Pt(33, 25)}, // odd chroma: 33x25 to 17x13
	{image.Pt(65, 49), image.Pt(40, 31)},
	{image.Pt(97, 61), image.Pt(7, 5)},
	{image.Pt(97, 61), image.Pt(1, 1)},
	{image.Pt(1, 1), image.Pt(9, 4)},
	{image.Pt(2, 1), image.Pt(1, 2)},
	{image.Pt(31, 17), image.Pt(64, 48)},
	{image.Pt(31, 17), image.Pt(310, 9)}, // up and down at once
	{image.Pt(640, 3), image.Pt(639, 200)},
	{image.Pt(1000, 2), image.Pt(3, 2)},
}

// TestScale compares every sample with the definition, computed in floating point.
func TestScale(t *testing.T) {
	for _, c := range scalings {
		for _, r := range ratios {
			src := toYCbCr(photo(c.from.X, c.from.Y), r)
			dst := ReuseYCbCr(nil, c.to.X, c.to.Y, r)
			Scale(dst, src)
			hs, vs := steps(r)
			from, to := image.Pt(ceil(c.from.X, hs), ceil(c.from.Y, vs)), image.Pt(ceil(c.to.X, hs), ceil(c.to.Y, vs))
			for name, off := range map[string]float64{
				"luma": worst(plane{dst.Y, dst.YStride, c.to}, plane{src.Y, src.YStride, c.from}),
				"Cb":   worst(plane{dst.Cb, dst.CStride, to}, plane{src.Cb, src.CStride, from}),
				"Cr":   worst(plane{dst.Cr, dst.CStride, to}, plane{src.Cr, src.CStride, from}),
			} {
				if off > 0.6 { // half a level of rounding, and a little for weights of 14 bits
					t.Errorf("%v to %v, %v: %s is off by %.2f", c.from, c.to, r, name, off)
				}
			}
		}
	}
}

// worst is by how much dst is off at most.
func worst(dst, src plane) (off float64) {
	across, down := weights(dst.size.X, src.size.X), weights(dst.size.Y, src.size.Y)
	for y := range dst.size.Y {
		for x := range dst.size.X {
			var sum float64
			for _, v := range down[y] {
				for _, h := range across[x] {
					sum += h.weight * v.weight * float64(src.row(v.sample)[h.sample])
				}
			}
			off = max(off, math.Abs(sum-float64(dst.row(y)[x])))
		}
	}
	return off
}

type tap struct {
	sample int
	weight float64
}

// weights returns the source samples that make up each sample of the result.
func weights(dst, src int) [][]tap {
	all := make([][]tap, dst)
	ratio := float64(src) / float64(dst)
	for i := range all {
		if src > dst {
			from, to := float64(i)*ratio, float64(i+1)*ratio
			for s := int(from); s < min(int(to)+1, src); s++ {
				all[i] = append(all[i], tap{s, (min(to, float64(s+1)) - max(from, float64(s))) / ratio})
			}
			continue
		}
		at := min(max((float64(i)+0.5)*ratio-0.5, 0), float64(src-1))
		s := int(at)
		all[i] = []tap{{s, 1 - at + float64(s)}, {min(s+1, src-1), at - float64(s)}}
	}
	return all
}

// TestScaleFlat: a flat picture stays exactly as it is, at any ratio.
func TestScaleFlat(t *testing.T) {
	for _, v := range []byte{0, 1, 127, 254, 255} {
		for _, c := range scalings {
			src, dst := ReuseYCbCr(nil, c.from.X, c.from.Y, image.YCbCrSubsampleRatio420), ReuseYCbCr(nil, c.to.X, c.to.Y, image.YCbCrSubsampleRatio420)
			for _, p := range [][]byte{src.Y, src.Cb, src.Cr} {
				for i := range p {
					p[i] = v
				}
			}
			Scale(dst, src)
			for _, p := range [][]byte{dst.Y, dst.Cb, dst.Cr} {
				for i := range p {
					if p[i] != v {
						t.Fatalf("%v to %v: %d became %d at %d", c.from, c.to, v, p[i], i)
					}
				}
			}
		}
	}
}

// TestScaleView scales from a view into a view.
func TestScaleView(t *testing.T) {
	whole := toYCbCr(photo(120, 90), image.YCbCrSubsampleRatio420)
	from, to := image.Rect(10, 20, 91, 81), image.Rect(6, 4, 55, 35)
	own, want := ReuseYCbCr(nil, from.Dx(), from.Dy(), whole.SubsampleRatio), ReuseYCbCr(nil, to.Dx(), to.Dy(), whole.SubsampleRatio)
	view := whole.SubImage(from).(*image.YCbCr)
	Scale(own, view) // same size: a copy
	Scale(want, own)
	big := image.NewYCbCr(image.Rect(0, 0, 80, 60), whole.SubsampleRatio)
	got := big.SubImage(to).(*image.YCbCr)
	Scale(got, view)
	if luma, chroma := planePSNR(t, got, want); luma != 99 || chroma != 99 {
		t.Errorf("%.1f and %.1f dB", luma, chroma)
	}
	var sum int
	for y := range 60 {
		for x := range 80 {
			if !image.Pt(x, y).In(to) {
				sum += int(big.Y[big.YOffset(x, y)])
			}
		}
	}
	if sum != 0 {
		t.Error("touched what is around the view")
	}
}

func TestScaleRefuses(t *testing.T) {
	a := image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420)
	Scale(a, image.NewYCbCr(image.Rectangle{}, image.YCbCrSubsampleRatio420)) // nothing to do
	short := *a
	short.Cb = short.Cb[:3]
	for name, b := range map[string]*image.YCbCr{
		"another ratio": image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio422),
		"a short plane": &short,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Scale(a, b)
		}()
	}
}

func TestScaleAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops some of what it is given under the race detector")
	}
	src := toYCbCr(photo(321, 241), image.YCbCrSubsampleRatio420)
	dst := ReuseYCbCr(nil, 200, 150, src.SubsampleRatio)
	if n := testing.AllocsPerRun(20, func() { Scale(dst, src) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScale(b *testing.B) {
	for _, c := range []struct{ from, to image.Point }{
		{image.Pt(1920, 1080), image.Pt(1280, 720)},
		{image.Pt(1920, 1080), image.Pt(960, 540)},
		{image.Pt(1280, 720), image.Pt(1920, 1080)},
	} {
		src := toYCbCr(photo(c.from.X, c.from.Y), image.YCbCrSubsampleRatio420)
		run := func(kind string, f func()) {
			b.Run(fmt.Sprintf("%dto%d/%s", c.from.Y, c.to.Y, kind), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		dst := ReuseYCbCr(nil, c.to.X, c.to.Y, src.SubsampleRatio)
		run("planar", func() { Scale(dst, src) })
		// x/image/draw writes no planar picture; the way back from RGBA is not counted.
		rgba := image.NewRGBA(dst.Rect)
		run("ximage-bilinear", func() { draw.BiLinear.Scale(rgba, rgba.Rect, src, src.Rect, draw.Src, nil) })
		run("ximage-approx", func() { draw.ApproxBiLinear.Scale(rgba, rgba.Rect, src, src.Rect, draw.Src, nil) })
	}
}
