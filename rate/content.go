package rate

import (
	"math"
	"sort"
)

// curve is how many bytes a JPEG has at a quality, in those that it has at 80: pictures of a
// camera, measured with libjpeg-turbo (a smooth one has 0.40 at 40, a drawn one 0.66).
var curve = []struct{ quality, bytes float64 }{
	{1, 0.18}, {5, 0.23}, {10, 0.29}, {15, 0.35}, {20, 0.40}, {25, 0.45}, {30, 0.50}, {35, 0.54}, {40, 0.58},
	{45, 0.61}, {50, 0.64}, {55, 0.67}, {60, 0.71}, {65, 0.76}, {70, 0.82}, {75, 0.89}, {80, 1.00}, {85, 1.15},
	{90, 1.44}, {95, 2.12}, {98, 3.01}, {100, 4.18},
}

func curveAt(quality int) float64 {
	q := min(max(float64(quality), 1), 100)
	i := sort.Search(len(curve), func(i int) bool { return curve[i].quality >= q })
	if i == 0 {
		return curve[0].bytes
	}
	a, b := curve[i-1], curve[i]
	return a.bytes + (b.bytes-a.bytes)*(q-a.quality)/(b.quality-a.quality)
}

// power is how bytes go with something, as an exponent: with the curve for the quality, with
// the side for the size. low and high bound what is believed; until two settings have been
// compared a step down is expected to save as little, and one up to cost as much.
type power struct {
	low, high float64
	learnt    float64 // 0 = not yet
}

// Measured were 0.7 (drawn) to 1.6 (smooth), and 1.36 to 2.3 of the side.
var (
	bendBounds = power{low: 0.7, high: 1.6}
	sideBounds = power{low: 1.3, high: 2.3}
)

// times is the factor for the ratio of two settings.
func (p *power) times(ratio float64) float64 {
	e := p.learnt
	switch {
	case e > 0 && ratio > 1:
		e = min(e+0.1, p.high)
	case e > 0:
		e = max(e-0.1, p.low)
	case ratio > 1:
		e = (1 + p.high) / 2
	default:
		e = p.low
	}
	return math.Pow(ratio, e)
}

// learn takes by how much two pictures differ whose settings do by ratio. Small differences
// are mostly noise.
func (p *power) learn(ratio, bytes float64) {
	if math.Abs(math.Log(ratio)) < 0.15 || bytes <= 0 {
		return
	}
	e := min(max(math.Log(bytes)/math.Log(ratio), p.low), p.high)
	if p.learnt > 0 {
		e = (e + p.learnt) / 2
	}
	p.learnt = e
}

// content is what pictures cost at present.
type content struct {
	at         Setting // with which the last ones were made
	bytes      float64 // that they have; 0 = not known
	area       int     // pixels in full
	bend, side power
}

// learn follows a picture that came out larger almost at once, and one that came out smaller
// in some twenty.
func (c *content) learn(p Picture, s Setting, bytes int) {
	if area := p.Width * p.Height; area != c.area {
		*c = content{area: area, bend: bendBounds, side: sideBounds}
	}
	was, now := c.bytes, float64(bytes)
	quality, side := c.ratios(s)
	c.at = s
	switch {
	case was == 0:
		c.bytes = now
	case side != 1:
		c.side.learn(side, now/was/c.bend.times(quality))
		c.bytes = now
	case quality != 1:
		c.bend.learn(quality, now/was)
		c.bytes = now
	case now > 1.2*was:
		c.bytes = now
	case now > was:
		c.bytes = was + (now-was)/4
	default:
		c.bytes = was + (now-was)/20
	}
}

// ratios are how s differs from the last setting.
func (c *content) ratios(s Setting) (quality, side float64) {
	if c.bytes == 0 {
		return 1, 1
	}
	return curveAt(s.Quality) / curveAt(c.at.Quality), float64(s.Scale) / float64(c.at.Scale)
}

// expect is how many bytes a picture will have; 0 = not known.
func (c *content) expect(s Setting) float64 {
	quality, side := c.ratios(s)
	return c.bytes * c.bend.times(quality) * c.side.times(side)
}
