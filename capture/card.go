package capture

import (
	"image"
	"time"
)

// card is the test card's picture. What stands still is painted once; paint redraws
// only the frame number, the clock, the ring and the bar. They lie on ground of even
// chroma, so that only luma has to be touched.
type card struct {
	img *image.YCbCr
	at  layout

	number, zeros       *glyphs // big digits, and the same for leading zeros
	clock, marks, count *glyphs
	ring                []dot
	lit                 int // the dot lit last
	bar                 int // where the bar was painted last, in pixels
}

// numberDigits is how many digits of the frame number are shown: at 30 pictures a
// second it starts again at 0 after 38 days.
const numberDigits = 8

// Luma of what moves.
const (
	inkLuma   = 240
	clockLuma = 210
	faintLuma = 52
	barLuma   = 250
)

func newCard(size image.Point, fps float64) (*card, error) {
	c := &card{at: newLayout(size, fps)}
	if err := c.paintGround(fps); err != nil {
		return nil, err
	}
	return c, nil
}

// paint makes the picture with number id, seen at the given time.
func (c *card) paint(id uint32, at time.Time) {
	c.paintBar(id)
	if c.number == nil {
		return // too small for more
	}
	c.paintNumber(id)
	c.paintClock(at)
	c.paintRing(id)
}

// paintNumber writes leading zeros faintly: the number stays where it is.
func (c *card) paintNumber(id uint32) {
	x, g := c.at.number.X, c.zeros
	for div := uint32(1e7); div > 0; div /= 10 {
		digit := byte(id / div % 10)
		if digit > 0 || div == 1 {
			g = c.number
		}
		x = g.put(c.img, x, c.at.number.Y, '0'+digit)
	}
}

// paintClock writes hh:mm:ss.mmm, local time.
func (c *card) paintClock(at time.Time) {
	h, m, s := at.Clock()
	ms := at.Nanosecond() / 1e6
	x := c.at.clock.X
	for i, two := range [...]int{h, m, s, ms / 10} {
		if i > 0 {
			x = c.marks.put(c.img, x, c.at.clock.Y, ":::."[i])
		}
		x = c.clock.put(c.img, x, c.at.clock.Y, '0'+byte(two/10))
		x = c.clock.put(c.img, x, c.at.clock.Y, '0'+byte(two%10))
	}
	c.clock.put(c.img, x, c.at.clock.Y, '0'+byte(ms%10))
}

// paintBar moves the bar one tick of the ruler a picture, so a picture that is
// missing shows as a jump of two.
func (c *card) paintBar(id uint32) {
	x := int(uint64(id)%uint64(c.at.ticks)) * c.at.tick
	bar := image.Rect(0, 0, c.at.bar, c.at.track.Dy()).Add(c.at.track.Min)
	c.fill(bar.Add(image.Pt(c.bar, 0)), trackLuma)
	c.fill(bar.Add(image.Pt(x, 0)), barLuma)
	c.bar = x
}
