package capture

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// The ground of everything that moves is grey, so that chroma there is 128.
const (
	panelLuma = 18
	trackLuma = 40
	dotLuma   = 58
)

var (
	panelColor = color.Gray{Y: panelLuma}
	trackColor = color.Gray{Y: trackLuma}
	textColor  = color.Gray{Y: 200}
	tickColor  = color.Gray{Y: 90}
	tenthColor = color.Gray{Y: 170}
	nameColor  = color.RGBA{R: 0xFF, G: 0xB4, B: 0x38, A: 0xFF}
)

// barColors are the bars at 75 %, as broadcasting has had them since the 1950s: in
// the order of their luma.
var barColors = []color.RGBA{
	{191, 191, 191, 255}, {191, 191, 0, 255}, {0, 191, 191, 255}, {0, 191, 0, 255},
	{191, 0, 191, 255}, {191, 0, 0, 255}, {0, 0, 191, 255}, {16, 16, 16, 255},
}

// paintGround paints what stands still, and prepares what does not.
func (c *card) paintGround(fps float64) error {
	m := image.NewRGBA(image.Rectangle{Max: c.at.size})
	fill(m, m.Rect, color.Black)
	c.paintBars(m)
	fill(m, c.at.panel, panelColor)
	fill(m, image.Rectangle{Min: c.at.track.Min, Max: c.at.size}, panelColor)
	fill(m, c.at.track, trackColor)
	c.paintRuler(m)
	if !c.at.panel.Empty() {
		paintPlate(m, c.at.plate)
		paintGratings(m, c.at.across, true)
		paintGratings(m, c.at.down, false)
		c.ring = newRing(c.at.ring, min(max(int(math.Round(fps)), 2*tail), 60))
		if err := c.paintText(m, fps); err != nil {
			return err
		}
	}
	c.img = toYCbCr(m)
	for i := range c.ring {
		c.ring[i].paint(c.img, dotLuma)
	}
	return nil
}

func fill(m draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// paintBars paints the colour bars, eleven steps of grey from black to white, and a
// ramp the other way, in which banding shows.
func (c *card) paintBars(m *image.RGBA) {
	part := func(r image.Rectangle, i, n int) image.Rectangle {
		return image.Rect(even(r.Dx()*i/n), r.Min.Y, even(r.Dx()*(i+1)/n+1), r.Max.Y)
	}
	for i, col := range barColors {
		fill(m, part(c.at.bars, i, len(barColors)), col)
	}
	for i := range 11 {
		fill(m, part(c.at.steps, i, 11), color.Gray{Y: uint8(255 * i / 10)})
	}
	for x := range c.at.size.X {
		r := image.Rect(x, c.at.ramp.Min.Y, x+1, c.at.ramp.Max.Y)
		fill(m, r, color.Gray{Y: uint8(255 - 255*x/max(1, c.at.size.X-1))})
	}
}

// paintRuler paints a tick for each position of the bar, a long one every tenth.
func (c *card) paintRuler(m *image.RGBA) {
	r := c.at.ruler
	for i := range c.at.ticks {
		tick := image.Rect(i*c.at.tick, r.Min.Y, i*c.at.tick+max(1, c.at.size.X/640), r.Max.Y)
		col := tenthColor
		if i%10 != 0 {
			tick.Max.Y -= r.Dy() / 2
			col = tickColor
		}
		fill(m, tick, col)
	}
}

// paintPlate paints a zone plate: rings that get finer outwards, up to a line a
// pixel at the rim. Rings that are not there, curves in the corners, are the
// scaler's and the codec's.
func paintPlate(m *image.RGBA, r image.Rectangle) {
	radius := float64(r.Dx()) / 2
	cx, cy := float64(r.Min.X)+radius-0.5, float64(r.Min.Y)+radius-0.5
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			away := math.Hypot(float64(x)-cx, float64(y)-cy)
			inside := min(max(radius-away, 0), 1)
			// In periods; its slope, away/(2*radius), is the periods a pixel.
			phase := away * away / (4 * radius)
			wave := 128 + 110*math.Cos(2*math.Pi*phase)
			m.Set(x, y, color.Gray{Y: uint8(panelLuma + inside*(wave-panelLuma))})
		}
	}
}

// paintGratings paints lines 1, 2, 3 and 4 pixels wide, side by side.
func paintGratings(m *image.RGBA, r image.Rectangle, across bool) {
	for i := range 4 {
		width := i + 1
		part := image.Rect(r.Min.X+even(r.Dx()*i/4), r.Min.Y, r.Min.X+even(r.Dx()*(i+1)/4)-2, r.Max.Y)
		for y := part.Min.Y; y < part.Max.Y; y++ {
			for x := part.Min.X; x < part.Max.X; x++ {
				at := x - part.Min.X
				if !across {
					at = y - part.Min.Y
				}
				m.Set(x, y, color.Gray{Y: uint8(30 + 200*(at/width%2))})
			}
		}
	}
}

// toYCbCr converts to 4:2:0. A chroma sample is the mean of its pixels.
func toYCbCr(m *image.RGBA) *image.YCbCr {
	p := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio420)
	w, h := m.Rect.Dx(), m.Rect.Dy()
	for cy := range (h + 1) / 2 {
		for cx := range (w + 1) / 2 {
			cb, cr, n := 0, 0, 0
			for y := 2 * cy; y < min(2*cy+2, h); y++ {
				for x := 2 * cx; x < min(2*cx+2, w); x++ {
					c := m.Pix[m.PixOffset(x, y):]
					luma, b, r := color.RGBToYCbCr(c[0], c[1], c[2])
					p.Y[y*p.YStride+x] = luma
					cb, cr, n = cb+int(b), cr+int(r), n+1
				}
			}
			p.Cb[cy*p.CStride+cx], p.Cr[cy*p.CStride+cx] = uint8((cb+n/2)/n), uint8((cr+n/2)/n)
		}
	}
	return p
}
