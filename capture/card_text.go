package capture

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/font"
)

// line is one line of the panel's text, set as large as its box allows.
type line struct {
	text          string
	width, height float64 // most it may take, as parts of the text's box
	face          font.Face
	size          float64 // height of its digits and capitals in pixels
}

// paintText writes the name and the caption, and sets the numbers' type and place.
func (c *card) paintText(fps float64) error {
	face, err := newTypeface()
	if err != nil {
		return err
	}
	lines := [...]line{
		{text: "framegram", width: 0.55, height: 0.10},
		{text: "00000000", width: 1, height: 0.35},
		{text: "00:00:00.000", width: 0.78, height: 0.18},
		{text: fmt.Sprintf("%d×%d @ %.5g fps", c.at.size.X, c.at.size.Y, fps), width: 0.78, height: 0.08},
	}
	box := c.at.text
	gap := float64(box.Dy())
	for i := range lines {
		l := &lines[i]
		if l.face, l.size, err = face.fit(l.text, l.width*float64(box.Dx()), l.height*float64(box.Dy())); err != nil {
			return err
		}
		gap -= l.size
	}
	gap /= float64(len(lines) - 1)
	base := [len(lines)]int{} // baselines
	y := float64(box.Min.Y)
	for i, l := range lines {
		base[i] = int(y + l.size)
		y += l.size + gap
	}

	centre := (box.Min.X + box.Max.X) / 2
	c.writeName(lines[0], centre, base[0])
	luma := &image.Gray{Pix: c.img.Y, Stride: c.img.YStride, Rect: c.img.Rect}
	write(luma, lines[3].face, textLuma, centre, base[3], lines[3].text)

	c.number = newGlyphs(lines[1].face, "0123456789", inkLuma)
	c.zeros = newGlyphs(lines[1].face, "0123456789", faintLuma)
	c.clock = newGlyphs(lines[2].face, "0123456789", clockLuma)
	c.marks = newGlyphs(lines[2].face, ":.", clockLuma)
	c.at.number = image.Pt(centre-numberDigits*c.number.w/2, base[1])
	c.at.clock = image.Pt(centre-(9*c.clock.w+3*c.marks.w)/2, base[2])

	count, _, err := face.fit("00", float64(c.at.ring.Dx())/2, float64(c.at.ring.Dy())/5)
	if err != nil {
		return err
	}
	c.count = newGlyphs(count, "0123456789", clockLuma)
	mid := c.at.ring.Min.Add(c.at.ring.Max).Div(2)
	c.at.count = mid.Add(image.Pt(-c.count.w, c.count.base-c.count.h/2))
	return nil
}

// writeName writes a line in colour. Chroma follows the letters, averaged over the
// four pixels of a sample.
func (c *card) writeName(l line, x, y int) {
	cover := image.NewGray(c.at.panel)
	write(cover, l.face, 255, x, y, l.text)
	luma, cb, cr := color.RGBToYCbCr(nameColor.R, nameColor.G, nameColor.B)
	for p, stride := cover.Rect.Min, c.img.YStride; p.Y < cover.Rect.Max.Y; p.Y++ {
		for p.X = cover.Rect.Min.X; p.X < cover.Rect.Max.X; p.X++ {
			on := int(cover.GrayAt(p.X, p.Y).Y)
			if on == 0 {
				continue
			}
			c.img.Y[p.Y*stride+p.X] = uint8(panelLuma + (int(luma)-panelLuma)*on/255)
			i := c.img.COffset(p.X, p.Y)
			c.img.Cb[i] += uint8((int(cb) - 128) * on / (4 * 255))
			c.img.Cr[i] += uint8((int(cr) - 128) * on / (4 * 255))
		}
	}
}
