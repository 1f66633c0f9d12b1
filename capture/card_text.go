package capture

import (
	"fmt"
	"image"

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
func (c *card) paintText(m *image.RGBA, fps float64) error {
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
	write(m, lines[0].face, nameColor, centre, base[0], lines[0].text)
	write(m, lines[3].face, textColor, centre, base[3], lines[3].text)

	c.number = newGlyphs(lines[1].face, "0123456789", inkLuma)
	c.zeros = newGlyphs(lines[1].face, "0123456789", faintLuma)
	c.clock = newGlyphs(lines[2].face, "0123456789", clockLuma)
	c.marks = newGlyphs(lines[2].face, ":.", clockLuma)
	c.at.number = image.Pt(centre-numberDigits*c.number.w/2, base[1]-c.number.base)
	c.at.clock = image.Pt(centre-(9*c.clock.w+3*c.marks.w)/2, base[2]-c.clock.base)

	count, _, err := face.fit("00", float64(c.at.ring.Dx())/2, float64(c.at.ring.Dy())/5)
	if err != nil {
		return err
	}
	c.count = newGlyphs(count, "0123456789", clockLuma)
	mid := c.at.ring.Min.Add(c.at.ring.Max).Div(2)
	c.at.count = mid.Sub(image.Pt(c.count.w, c.count.h/2))
	return nil
}
