//go:build cgo && !nocv && linux

package display

import (
	"image"
	"math"
	"strings"
	"testing"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/codec"
)

// Text can be read on black and on white: its contrast is at least 7:1, what WCAG 2.1
// (1.4.6) asks for at the strictest.
func TestLabelLegible(t *testing.T) {
	for _, ground := range []uint8{0, 128, 255} {
		picture := codec.NewBGR(image.Rect(0, 0, 300, 100))
		for i := range picture.Pix {
			picture.Pix[i] = ground
		}
		var l label
		if err := l.set("±0.4 ms", 20, image.Pt(300, 100)); err != nil {
			t.Fatal(err)
		}
		at := image.Pt(30, 20)
		blend(picture, at, l.box)
		darkest, lightest := uint8(255), uint8(0)
		for y := range 100 {
			for x := range 300 {
				v := picture.Pix[y*picture.Stride+3*x]
				if p := image.Pt(x, y); p.In(l.box.Rect.Add(at)) {
					darkest, lightest = min(darkest, v), max(lightest, v)
				} else if v != ground {
					t.Fatalf("on %d: %v, outside of the box, became %d", ground, p, v)
				}
			}
		}
		box := l.box.Rect.Add(at).Inset(4) // its corners are round
		inside := picture.Pix[box.Min.Y*picture.Stride+3*(box.Min.X+box.Max.X)/2:][0]
		if c := (luminance(240) + 0.05) / (luminance(inside) + 0.05); c < 7 || lightest < 235 {
			t.Errorf("on %d: text of up to %d on %d (and %d), a contrast of %.1f:1", ground, lightest, inside, darkest, c)
		}
	}
}

// luminance is the relative luminance of a grey, as WCAG 2.1 defines it.
func luminance(v uint8) float64 { return math.Pow((float64(v)/255+0.055)/1.055, 2.4) }

// A box fits where it is to stand: its text becomes smaller, down to what can be read,
// and is then cut off.
func TestLabelFits(t *testing.T) {
	wide, high := strings.Repeat("a long line ", 6), strings.Repeat("line\n", 12)+"line"
	for _, bound := range []image.Point{{1000, 400}, {330, 400}, {1000, 150}, {24, 24}} {
		for _, text := range []string{wide, high, strings.Repeat(wide, 100), "\xff\t\x00"} {
			var l label
			if err := l.set(text, 20, bound); err != nil {
				t.Fatal(err)
			}
			if size := l.box.Rect.Size(); size.X > bound.X || size.Y > bound.Y {
				t.Errorf("%.10q in %v: the box is %v", text, bound, size)
			}
		}
	}
}

func TestLetterbox(t *testing.T) {
	for _, tt := range []struct{ size, window, want image.Rectangle }{
		{image.Rect(0, 0, 640, 360), image.Rect(0, 0, 640, 360), image.Rect(0, 0, 640, 360)},
		{image.Rect(0, 0, 640, 360), image.Rect(0, 0, 900, 300), image.Rect(183, 0, 716, 300)},
		{image.Rect(0, 0, 640, 360), image.Rect(0, 0, 1024, 768), image.Rect(0, 96, 1024, 672)},
		{image.Rect(0, 0, 320, 240), image.Rect(0, 0, 1920, 1080), image.Rect(240, 0, 1680, 1080)},
		{image.Rect(0, 0, 1, 65500), image.Rect(0, 0, 100, 100), image.Rect(49, 0, 50, 100)},
		{image.Rect(0, 0, 65500, 1), image.Rect(0, 0, 100, 1), image.Rect(0, 0, 100, 1)},
		{image.Rect(0, 0, 640, 360), image.Rect(0, 0, 1, 1), image.Rect(0, 0, 1, 1)},
	} {
		if got := letterbox(tt.size.Size(), tt.window); got != tt.want {
			t.Errorf("%v in %v: got %v, want %v", tt.size, tt.window, got, tt.want)
		}
	}
}

// A picture that is made much smaller is averaged, not sampled: a fine pattern becomes
// its mean and not stripes.
func TestShrinkAverages(t *testing.T) {
	picture, pix, err := newMat(image.Pt(1280, 720))
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	for i := range pix {
		pix[i] = 0
		if x, y := i/3%1280, i/3/1280; x%4/2 != x%2 && y%4/2 != y%2 { // the middle of every 4x4
			pix[i] = 200
		}
	}
	c := newCanvas()
	defer c.close()
	if err := c.resize(image.Pt(320, 180)); err != nil {
		t.Fatal(err)
	}
	c.place(picture)
	for i, v := range c.bgr.Pix {
		if v < 49 || v > 51 {
			t.Fatalf("byte %d is %d, want 50", i, v)
		}
	}
}

// What a frame costs between decoding and imshow. Labels are the figures, a note and
// the help at once.
func BenchmarkPaint(b *testing.B) {
	for _, bm := range []struct {
		name          string
		picture, view image.Point
	}{
		{"720p", image.Pt(1280, 720), image.Pt(1280, 720)},
		{"1080p", image.Pt(1920, 1080), image.Pt(1920, 1080)},
		{"1080p_to_720p", image.Pt(1920, 1080), image.Pt(1280, 720)},
		{"720p_to_1080p", image.Pt(1280, 720), image.Pt(1920, 1080)},
		{"1080p_letterboxed_900x300", image.Pt(1920, 1080), image.Pt(900, 300)},
	} {
		picture := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(50, 100, 150, 0), bm.picture.Y, bm.picture.X, gocv.MatTypeCV8UC3)
		c := newCanvas()
		if err := c.resize(bm.view); err != nil {
			b.Fatal(err)
		}
		figures := "30.0 fps, 1920×1080, 23.4 Mbit/s\nlatency 12.3 ms ±0.4 ms\nlost 3 of 1200: 2 incomplete, 1 late\nfrom 192.168.1.20:5600"
		b.Run(bm.name+"/place", func(b *testing.B) {
			for b.Loop() {
				c.place(picture)
			}
		})
		b.Run(bm.name+"/figures", func(b *testing.B) {
			for b.Loop() {
				c.write([labelCount]string{topLeft: figures})
			}
		})
		b.Run(bm.name+"/all_labels", func(b *testing.B) {
			for b.Loop() {
				c.write([labelCount]string{topLeft: figures, bottomLeft: "saved framegram-20261122-140509.123.jpg", middle: helpText})
			}
		})
		c.close()
		picture.Close()
	}
	b.Run("text_anew", func(b *testing.B) { // four times a second at most
		for b.Loop() {
			var l label
			l.set("30.0 fps, 1920×1080, 23.4 Mbit/s\nlatency 12.3 ms ±0.4 ms\nlost 3 of 1200: 2 incomplete, 1 late\nfrom 192.168.1.20:5600", 27, image.Pt(1900, 1000))
		}
	})
}
