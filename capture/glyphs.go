package capture

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// typeface makes text of any size, in Go Bold.
type typeface struct{ font *opentype.Font }

func newTypeface() (typeface, error) {
	f, err := opentype.Parse(gobold.TTF)
	return typeface{f}, err
}

// face returns the font with capitals and digits of the given height in pixels.
func (t typeface) face(height float64) (font.Face, error) {
	// Go Bold's capitals and digits are 1480 of 2048 units high.
	return opentype.NewFace(t.font, &opentype.FaceOptions{Size: height * 2048 / 1480, DPI: 72, Hinting: font.HintingNone})
}

// fit returns the largest face whose text is at most width wide and whose digits are
// at most height high, in pixels.
func (t typeface) fit(text string, width, height float64) (font.Face, float64, error) {
	f, err := t.face(height)
	if err != nil {
		return nil, 0, err
	}
	if w := float64(font.MeasureString(f, text)) / 64; w > width {
		height *= width / w
		f, err = t.face(height)
	}
	return f, height, err
}

// write writes text in luma ink with its middle at x and its baseline at y.
func write(dst *image.Gray, f font.Face, ink uint8, x, y int, text string) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(color.Gray{Y: ink}), Face: f, Dot: fixed.P(x, y)}
	d.Dot.X -= d.MeasureString(text) / 2
	d.DrawString(text)
}

// glyphs are the characters of numbers as luma, ready to be copied into a picture of
// which nothing else changes.
type glyphs struct {
	w, h  int             // of a cell, in pixels
	base  int             // the baseline's distance from its top
	cells map[byte][]byte // h rows of w bytes
}

// newGlyphs paints chars in luma ink on the panel's ground. All cells are as wide as
// the widest character and as high as all of them together.
func newGlyphs(f font.Face, chars string, ink uint8) *glyphs {
	var above, below fixed.Int26_6
	g := &glyphs{cells: make(map[byte][]byte)}
	for _, c := range chars {
		bounds, advance, _ := f.GlyphBounds(c)
		above, below = max(above, -bounds.Min.Y), max(below, bounds.Max.Y)
		g.w = max(g.w, advance.Ceil())
	}
	g.base = above.Ceil() + 1
	g.h = g.base + below.Ceil() + 1
	for i := range len(chars) {
		m := image.NewGray(image.Rect(0, 0, g.w, g.h))
		for i := range m.Pix {
			m.Pix[i] = panelLuma
		}
		write(m, f, ink, g.w/2, g.base, chars[i:i+1])
		g.cells[chars[i]] = m.Pix
	}
	return g
}

// put copies c's cell to x, its baseline at y, and returns where the next cell goes.
func (g *glyphs) put(img *image.YCbCr, x, y int, c byte) int {
	cell := g.cells[c]
	for row := range g.h {
		copy(img.Y[(y-g.base+row)*img.YStride+x:][:g.w], cell[row*g.w:])
	}
	return x + g.w
}
