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

// Luma of what moves and of the ground it lies on.
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
	x, leading := c.at.number.X, true
	for div := uint32(1e7); div > 0; div /= 10 {
		digit := byte(id / div % 10)
		leading = leading && digit == 0 && div > 1
		g := c.number
		if leading {
			g = c.zeros
		}
		g.put(c.img, x, c.at.number.Y, '0'+digit)
		x += g.w
	}
}

// paintClock writes hh:mm:ss.mmm, local time.
func (c *card) paintClock(at time.Time) {
	h, m, s := at.Clock()
	p := c.at.clock
	put := func(g *glyphs, ch byte) {
		g.put(c.img, p.X, p.Y, ch)
		p.X += g.w
	}
	two := func(v int) {
		put(c.clock, '0'+byte(v/10))
		put(c.clock, '0'+byte(v%10))
	}
	two(h)
	put(c.marks, ':')
	two(m)
	put(c.marks, ':')
	two(s)
	put(c.marks, '.')
	ms := at.Nanosecond() / 1e6
	put(c.clock, '0'+byte(ms/100))
	two(ms % 100)
}

// paintBar moves the bar one tick of the ruler a picture, so a picture that is
// missing shows as a jump of two.
func (c *card) paintBar(id uint32) {
	x := int(uint64(id)%uint64(c.at.ticks)) * c.at.tick
	c.fillTrack(c.bar, trackLuma)
	c.fillTrack(x, barLuma)
	c.bar = x
}

func (c *card) fillTrack(x int, luma uint8) {
	r := image.Rect(x, 0, x+c.at.bar, c.at.track.Dy()).Add(c.at.track.Min).Intersect(c.at.track)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.img.Y[y*c.img.YStride:][r.Min.X:r.Max.X]
		for i := range row {
			row[i] = luma
		}
	}
}
