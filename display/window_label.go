//go:build cgo && !nocv

package display

import (
	"image"
	"image/color"
	"math"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/framegram/framegram/codec"
)

// label is lines of text in a dark, translucent box: light enough to see the picture
// through it, dark enough to read it on a white one. It is painted when the text
// changes, and blended over every picture.
type label struct {
	text  string // lines
	em    int    // size of the text in pixels, from line to line about 1.3 of it
	bound image.Point
	box   *image.RGBA // premultiplied, its corner at 0,0
}

var (
	labelGround = color.RGBA{A: 180} // white text on it has a contrast of 8:1 on a white picture
	labelInk    = color.RGBA{R: 240, G: 243, B: 246, A: 255}
)

var goRegular = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// set paints the text anew, if it is new, in letters of em pixels; in smaller ones
// where the box would not have room within bound.
func (l *label) set(text string, em int, bound image.Point) error {
	if l.box != nil && l.text == text && l.em == em && l.bound == bound {
		return nil
	}
	l.text, l.em, l.bound = text, em, bound
	lines := strings.Split(text, "\n")
	for size := float64(em); ; {
		face, err := newFace(size)
		if err != nil {
			return err
		}
		box := boxSize(face, lines)
		scale := min(float64(bound.X)/float64(box.X), float64(bound.Y)/float64(box.Y))
		if scale >= 1 || size <= minEm {
			l.box = image.NewRGBA(image.Rectangle{Max: box}.Intersect(image.Rectangle{Max: bound}))
			paintBox(l.box, face, lines)
			return face.Close()
		}
		size = max(minEm, size*scale*0.98) // hinting and rounding do not scale
		if err := face.Close(); err != nil {
			return err
		}
	}
}

// minEm is the smallest text that can be read at all.
const minEm = 7.0

func newFace(em float64) (font.Face, error) {
	f, err := goRegular()
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: em, DPI: 72, Hinting: font.HintingFull})
}

// padding is the distance of the text from the box's edge, across and down.
func padding(face font.Face) (x, y int) {
	h := face.Metrics().Height.Ceil()
	return h/2 + 1, h/3 + 1
}

func boxSize(face font.Face, lines []string) image.Point {
	var widest fixed.Int26_6
	for _, line := range lines {
		widest = max(widest, textWidth(face, line))
	}
	x, y := padding(face)
	return image.Pt(widest.Ceil()+2*x, len(lines)*lineHeight(face)+2*y)
}

func lineHeight(face font.Face) int { return face.Metrics().Height.Ceil() * 11 / 10 }

// A tab in a line moves to a column of tabEms, for tables.
const tabEms = 3

func textWidth(face font.Face, line string) (w fixed.Int26_6) {
	for part, rest, tab := strings.Cut(line, "\t"); ; part, rest, tab = strings.Cut(rest, "\t") {
		w += font.MeasureString(face, part)
		if !tab {
			return w
		}
		w = nextTab(face, w)
	}
}

func nextTab(face font.Face, x fixed.Int26_6) fixed.Int26_6 {
	column := tabEms * face.Metrics().Height
	return (x/column + 1) * column
}

func paintBox(dst *image.RGBA, face font.Face, lines []string) {
	size := dst.Rect.Size()
	radius := min(size.Y/6, face.Metrics().Height.Ceil()/3)
	for y := range size.Y {
		inset := cornerInset(radius, min(y, size.Y-1-y))
		for x := inset; x < size.X-inset; x++ {
			dst.SetRGBA(x, y, labelGround)
		}
	}
	padX, padY := padding(face)
	m := face.Metrics()
	leading := lineHeight(face)
	for i, line := range lines {
		// The line's letters stand in the middle of its height.
		baseline := fixed.I(padY+i*leading) + (fixed.I(leading)+m.Ascent-m.Descent)/2
		d := font.Drawer{Dst: dst, Src: image.NewUniform(labelInk), Face: face, Dot: fixed.Point26_6{X: fixed.I(padX), Y: fixed.I(baseline.Round())}}
		for part, rest, tab := strings.Cut(line, "\t"); ; part, rest, tab = strings.Cut(rest, "\t") {
			d.DrawString(part)
			if !tab {
				break
			}
			d.Dot.X = fixed.I(padX) + nextTab(face, d.Dot.X-fixed.I(padX))
		}
	}
}

// cornerInset is by how much a row of a box with round corners is shorter on either
// side: a row y below the nearer of its horizontal edges.
func cornerInset(radius, y int) int {
	if y >= radius {
		return 0
	}
	up := float64(radius) - float64(y) - 0.5
	return radius - int(math.Sqrt(float64(radius*radius)-up*up))
}

// blend lays src over dst with its corner at at; what is outside of dst is left out.
func blend(dst *codec.BGR, at image.Point, src *image.RGBA) {
	r := src.Rect.Add(at).Intersect(dst.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from := src.Pix[src.PixOffset(r.Min.X-at.X, y-at.Y):][:4*r.Dx()]
		to := dst.Pix[y*dst.Stride+3*r.Min.X:][:3*r.Dx()]
		for ; len(from) >= 4 && len(to) >= 3; from, to = from[4:], to[3:] {
			through := uint32(255 - from[3])
			to[0] = from[2] + uint8(uint32(to[0])*through/255)
			to[1] = from[1] + uint8(uint32(to[1])*through/255)
			to[2] = from[0] + uint8(uint32(to[2])*through/255)
		}
	}
}
