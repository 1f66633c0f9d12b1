package capture

import (
	"image"
	"math"
)

// dot is one dot of the ring: how much of each of its pixels it covers, 0..255.
type dot struct {
	rect  image.Rectangle
	cover []uint8
}

const tail = 6 // dots that fade behind the one of the picture

// newRing arranges n dots clockwise in r, the first one on top.
func newRing(r image.Rectangle, n int) []dot {
	centre := float64(r.Dx()) / 2
	// Dots touch neither each other nor the square.
	radius := min(centre*math.Pi/float64(n)*0.7, centre/9)
	orbit := centre - radius - 1
	ring := make([]dot, n)
	for i := range ring {
		angle := 2 * math.Pi * float64(i) / float64(n)
		x := float64(r.Min.X) + centre + orbit*math.Sin(angle)
		y := float64(r.Min.Y) + centre - orbit*math.Cos(angle)
		ring[i] = newDot(x, y, radius)
	}
	return ring
}

func newDot(x, y, radius float64) dot {
	d := dot{rect: image.Rect(int(x-radius-1), int(y-radius-1), int(x+radius+2), int(y+radius+2))}
	for py := d.rect.Min.Y; py < d.rect.Max.Y; py++ {
		for px := d.rect.Min.X; px < d.rect.Max.X; px++ {
			away := math.Hypot(float64(px)+0.5-x, float64(py)+0.5-y)
			d.cover = append(d.cover, uint8(255*min(max(radius+0.5-away, 0), 1)))
		}
	}
	return d
}

// paint sets the dot's pixels to luma on the panel's ground.
func (d *dot) paint(img *image.YCbCr, luma int) {
	w := d.rect.Dx()
	for row := range d.rect.Dy() {
		line := img.Y[(d.rect.Min.Y+row)*img.YStride+d.rect.Min.X:][:w]
		for i, cover := range d.cover[row*w:][:w] {
			if cover == 0 {
				continue // the corner may be a neighbour's
			}
			line[i] = uint8(panelLuma + (luma-panelLuma)*int(cover)/255)
		}
	}
}

// paintRing lights the dot of the picture: one further round each time, a round in
// about a second, with the count in the middle.
func (c *card) paintRing(id uint32) {
	n := len(c.ring)
	for i := range tail {
		c.ring[(c.lit-i+n)%n].paint(c.img, dotLuma)
	}
	c.lit = int(id % uint32(n))
	for i := tail - 1; i >= 0; i-- {
		bright := (tail - i) * (tail - i)
		c.ring[(c.lit-i+n)%n].paint(c.img, dotLuma+(inkLuma-dotLuma)*bright/(tail*tail))
	}
	x := c.count.put(c.img, c.at.count.X, c.at.count.Y, '0'+byte(c.lit/10))
	c.count.put(c.img, x, c.at.count.Y, '0'+byte(c.lit%10))
}
