package codec

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
)

// Every channel comes out as Scale makes the plane of a grey picture.
func TestScaleBGRIsScaleForEachChannel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct{ from, to image.Point }{
		{image.Pt(64, 48), image.Pt(48, 36)}, {image.Pt(64, 48), image.Pt(32, 24)}, {image.Pt(61, 47), image.Pt(16, 12)},
		{image.Pt(5, 3), image.Pt(9, 7)}, {image.Pt(1, 1), image.Pt(3, 2)}, {image.Pt(40, 30), image.Pt(40, 30)},
	} {
		t.Run(fmt.Sprintf("%v to %v", c.from, c.to), func(t *testing.T) {
			whole := NewBGR(image.Rectangle{Max: c.from.Add(image.Pt(4, 2))})
			for i := range whole.Pix {
				whole.Pix[i] = byte(rnd.Uint32())
			}
			src := whole.SubImage(image.Rectangle{Min: image.Pt(3, 1), Max: c.from.Add(image.Pt(3, 1))}).(*BGR)
			dst := NewBGR(image.Rectangle{Max: c.to})
			ScaleBGR(dst, src)
			var s scaler
			for ch := range 3 {
				plain := plane{make([]byte, c.from.X*c.from.Y), c.from.X, c.from}
				for y := range c.from.Y {
					for x := range c.from.X {
						plain.pix[y*c.from.X+x] = src.Pix[y*src.Stride+3*x+ch]
					}
				}
				want := plane{make([]byte, c.to.X*c.to.Y), c.to.X, c.to}
				s.plane(want, plain)
				got := make([]byte, 0, len(want.pix))
				for i := ch; i < len(dst.Pix); i += 3 {
					got = append(got, dst.Pix[i])
				}
				if !bytes.Equal(got, want.pix) {
					t.Fatalf("channel %d differs", ch)
				}
			}
		})
	}
}

func TestScaleBGRRefusesWhatItsMemoryDoesNotHold(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was scaled")
		}
	}()
	ScaleBGR(NewBGR(image.Rect(0, 0, 2, 2)), &BGR{Pix: make([]byte, 11), Stride: 6, Rect: image.Rect(0, 0, 2, 2)})
}

func BenchmarkScaleBGR(b *testing.B) {
	src := NewBGR(image.Rect(0, 0, 1920, 1080))
	for _, percent := range []int{75, 50, 25} {
		b.Run(fmt.Sprint(percent), func(b *testing.B) {
			dst := NewBGR(image.Rect(0, 0, 1920*percent/100, 1080*percent/100))
			b.ReportAllocs()
			for b.Loop() {
				ScaleBGR(dst, src)
			}
		})
	}
}

// The ways made for one ratio give what the general one does, but for rounding.
func TestRatiosAgreeWithResampling(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	src := plane{make([]byte, 128*96), 128, image.Pt(128, 96)}
	for i := range src.pix {
		src.pix[i] = byte(rnd.Uint32())
	}
	for _, to := range []image.Point{{96, 72}, {64, 48}} {
		want, got := plane{make([]byte, to.X*to.Y), to.X, to}, plane{make([]byte, to.X*to.Y), to.X, to}
		var s scaler
		s.resample(want, src)
		s.plane(got, src)
		for i := range want.pix {
			if d := int(want.pix[i]) - int(got.pix[i]); d < -1 || d > 1 {
				t.Fatalf("to %v: sample %d is %d, want %d", to, i, got.pix[i], want.pix[i])
			}
		}
	}
}
