package codec

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// photo returns a picture that a JPEG codec finds as hard as a photograph: soft
// gradients, edges at all angles, fine texture and sensor noise, in colour. It is
// the same every time.
func photo(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	rnd := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(max(w, h)), float64(y)/float64(max(w, h))
			r := 90 + 80*math.Sin(3*u+5*v)
			g := 110 + 70*math.Cos(4*u-2*v)
			b := 120 + 60*math.Sin(7*v)
			if d := math.Hypot(u-0.4, v-0.25); d < 0.15 { // a ball with a texture
				shade := 60 * math.Sin(90*u) * math.Sin(70*v)
				r, g, b = 200+shade-400*d, 120+shade-300*d, 60+shade/2
			}
			if int(18*(u+0.6*v))%4 == 0 { // stripes with hard edges
				r, g, b = r*0.5, g*0.6, b*0.9
			}
			noise := rnd.NormFloat64() * 2
			m.SetRGBA(x, y, color.RGBA{R: clamp(r + noise), G: clamp(g + noise), B: clamp(b + noise), A: 255})
		}
	}
	return m
}

func clamp(v float64) uint8 { return uint8(min(max(v, 0), 255)) }

func toBGR(m *image.RGBA) *BGR {
	p := NewBGR(m.Rect)
	for i, j := 0, 0; i < len(m.Pix); i, j = i+4, j+3 {
		p.Pix[j], p.Pix[j+1], p.Pix[j+2] = m.Pix[i+2], m.Pix[i+1], m.Pix[i]
	}
	return p
}

func toGray(m *image.RGBA) *image.Gray {
	p := image.NewGray(m.Rect)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			p.Set(x, y, m.At(x, y))
		}
	}
	return p
}

// toYCbCr converts with chroma averaged over the pixels that share it.
func toYCbCr(m *image.RGBA, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	p := image.NewYCbCr(m.Rect, ratio)
	hs, vs := steps(ratio)
	for cy := m.Rect.Min.Y; cy < m.Rect.Max.Y; cy += vs {
		for cx := m.Rect.Min.X; cx < m.Rect.Max.X; cx += hs {
			var cb, cr, n int
			for y := cy; y < min(cy+vs, m.Rect.Max.Y); y++ {
				for x := cx; x < min(cx+hs, m.Rect.Max.X); x++ {
					c := m.RGBAAt(x, y)
					yy, b, r := color.RGBToYCbCr(c.R, c.G, c.B)
					p.Y[p.YOffset(x, y)] = yy
					cb, cr, n = cb+int(b), cr+int(r), n+1
				}
			}
			i := p.COffset(cx, cy)
			p.Cb[i], p.Cr[i] = uint8((cb+n/2)/n), uint8((cr+n/2)/n)
		}
	}
	return p
}

// psnr compares two pictures in RGB, in dB; more is better, 99 for equal ones.
func psnr(t testing.TB, a, b image.Image) float64 {
	t.Helper()
	if a.Bounds().Size() != b.Bounds().Size() {
		t.Fatalf("sizes differ: %v and %v", a.Bounds(), b.Bounds())
	}
	var sum float64
	size := a.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			r1, g1, b1, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			r2, g2, b2, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			for _, d := range [3]int{int(r1>>8) - int(r2>>8), int(g1>>8) - int(g2>>8), int(b1>>8) - int(b2>>8)} {
				sum += float64(d * d)
			}
		}
	}
	return toDB(sum / float64(3*size.X*size.Y))
}

// planePSNR compares the planes of two pictures of one ratio, in dB.
func planePSNR(t testing.TB, a, b *image.YCbCr) (luma, chroma float64) {
	t.Helper()
	if a.Rect.Size() != b.Rect.Size() || a.SubsampleRatio != b.SubsampleRatio {
		t.Fatalf("%v %v and %v %v", a.Rect, a.SubsampleRatio, b.Rect, b.SubsampleRatio)
	}
	hs, vs := steps(a.SubsampleRatio)
	w, h := a.Rect.Dx(), a.Rect.Dy()
	cw, ch := (w+hs-1)/hs, (h+vs-1)/vs
	luma = meanSquare(a.Y, a.YStride, b.Y, b.YStride, w, h)
	cb := meanSquare(a.Cb, a.CStride, b.Cb, b.CStride, cw, ch)
	cr := meanSquare(a.Cr, a.CStride, b.Cr, b.CStride, cw, ch)
	return toDB(luma), toDB((cb + cr) / 2)
}

func meanSquare(a []byte, as int, b []byte, bs int, w, h int) float64 {
	var sum float64
	for y := range h {
		for x := range w {
			d := float64(a[y*as+x]) - float64(b[y*bs+x])
			sum += d * d
		}
	}
	return sum / float64(w*h)
}

func toDB(meanSquare float64) float64 {
	if meanSquare == 0 {
		return 99
	}
	return 10 * math.Log10(255*255/meanSquare)
}

var sizes = []image.Point{{1, 1}, {1, 9}, {2, 2}, {3, 3}, {7, 5}, {8, 8}, {15, 17}, {16, 16}, {17, 15}, {31, 33}, {64, 48}, {97, 61}, {321, 241}}

var ratios = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio444,
	image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411,
}

func newEncoder(t testing.TB, cfg EncoderConfig) *Encoder {
	t.Helper()
	e, err := NewEncoder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func newDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func encode(t testing.TB, e *Encoder, m image.Image) []byte {
	t.Helper()
	b, err := e.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readTestdata(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func name(size image.Point) string { return fmt.Sprintf("%dx%d", size.X, size.Y) }
