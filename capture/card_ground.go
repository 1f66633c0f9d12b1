package capture

import (
	"image"
	"image/color"
	"math"
)

// Luma of the ground and of what stands on it. All of that is grey, so that what
// moves has to change luma only.
const (
	panelLuma = 18
	trackLuma = 40
	dotLuma   = 58  // of the ring, unlit
	tickLuma  = 90  // of the ruler
	tenthLuma = 170 // every tenth tick
	textLuma  = 200
)

// barColors are the bars at 75 %, as broadcasting has had them since the 1950s: in
// the order of their luma.
var barColors = []color.RGBA{
	{191, 191, 191, 255}, {191, 191, 0, 255}, {0, 191, 191, 255}, {0, 191, 0, 255},
	{191, 0, 191, 255}, {191, 0, 0, 255}, {0, 0, 191, 255}, {16, 16, 16, 255},
}

var nameColor = color.RGBA{255, 180, 56, 255}

// paintGround paints what stands still, and prepares what does not.
func (c *card) paintGround(fps float64) error {
	c.img = image.NewYCbCr(image.Rectangle{Max: c.at.size}, image.YCbCrSubsampleRatio420)
	for i := range c.img.Cb {
		c.img.Cb[i], c.img.Cr[i] = 128, 128
	}
	c.paintBars()
	c.fill(c.at.panel, panelLuma)
	c.fill(image.Rectangle{Min: c.at.track.Min, Max: c.at.size}, panelLuma)
	c.fill(c.at.track, trackLuma)
	c.paintRuler()
	if c.at.panel.Empty() {
		return nil
	}
	c.paintPlate(c.at.plate)
	c.paintGratings()
	c.ring = newRing(c.at.ring, min(max(int(math.Round(fps)), 2*tail), 60))
	for i := range c.ring {
		c.ring[i].paint(c.img, dotLuma)
	}
	return c.paintText(fps)
}

// fill makes r grey. It leaves chroma alone.
func (c *card) fill(r image.Rectangle, luma uint8) {
	r = r.Intersect(c.img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.img.Y[y*c.img.YStride:][r.Min.X:r.Max.X]
		for i := range row {
			row[i] = luma
		}
	}
}

// tint gives the chroma samples of r a colour. r starts at even pixels.
func (c *card) tint(r image.Rectangle, cb, cr uint8) {
	r = r.Intersect(c.img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		for x := r.Min.X; x < r.Max.X; x += 2 {
			i := c.img.COffset(x, y)
			c.img.Cb[i], c.img.Cr[i] = cb, cr
		}
	}
}

// paintBars paints the colour bars, eleven steps of grey from black to white, and a
// ramp the other way, in which banding shows.
func (c *card) paintBars() {
	part := func(r image.Rectangle, i, n int) image.Rectangle {
		return image.Rect(even(r.Dx()*i/n), r.Min.Y, even(r.Dx()*(i+1)/n+1), r.Max.Y)
	}
	for i, rgb := range barColors {
		luma, cb, cr := color.RGBToYCbCr(rgb.R, rgb.G, rgb.B)
		r := part(c.at.bars, i, len(barColors))
		c.fill(r, luma)
		c.tint(r, cb, cr)
	}
	for i := range 11 {
		c.fill(part(c.at.steps, i, 11), uint8(255*i/10))
	}
	for y := c.at.ramp.Min.Y; y < c.at.ramp.Max.Y; y++ {
		for x := range c.at.size.X {
			c.img.Y[y*c.img.YStride+x] = uint8(255 - 255*x/(c.at.size.X-1))
		}
	}
}

// paintRuler paints a tick for each position of the bar, a long one every tenth.
func (c *card) paintRuler() {
	r := c.at.ruler
	for i := range c.at.ticks {
		tick := image.Rect(i*c.at.tick, r.Min.Y, i*c.at.tick+max(1, c.at.size.X/640), r.Max.Y)
		if i%10 == 0 {
			c.fill(tick, tenthLuma)
			continue
		}
		tick.Max.Y -= r.Dy() / 2
		c.fill(tick, tickLuma)
	}
}

// paintPlate paints a zone plate: rings that get finer outwards, up to a line a pixel
// at the rim. Rings that are not there, curves in the corners, come from scaling or
// from the codec.
func (c *card) paintPlate(r image.Rectangle) {
	radius := float64(r.Dx()) / 2
	cx, cy := float64(r.Min.X)+radius-0.5, float64(r.Min.Y)+radius-0.5
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			away := math.Hypot(float64(x)-cx, float64(y)-cy)
			inside := min(max(radius-away, 0), 1)
			// In periods; its slope, away/(2*radius), is the periods a pixel.
			phase := away * away / (4 * radius)
			wave := 128 + 110*math.Cos(2*math.Pi*phase)
			c.img.Y[y*c.img.YStride+x] = uint8(panelLuma + inside*(wave-panelLuma))
		}
	}
}

// paintGratings paints lines 1, 2, 3 and 4 pixels wide, side by side: upright ones
// and level ones.
func (c *card) paintGratings() {
	for i := range 4 {
		width := i + 1
		for _, r := range []image.Rectangle{c.at.across, c.at.down} {
			part := image.Rect(r.Min.X+even(r.Dx()*i/4), r.Min.Y, r.Min.X+even(r.Dx()*(i+1)/4)-2, r.Max.Y)
			for y := part.Min.Y; y < part.Max.Y; y++ {
				for x := part.Min.X; x < part.Max.X; x++ {
					at := x - part.Min.X
					if r == c.at.down {
						at = y - part.Min.Y
					}
					c.img.Y[y*c.img.YStride+x] = uint8(30 + 200*(at/width%2))
				}
			}
		}
	}
}
