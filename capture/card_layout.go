package capture

import (
	"image"
	"math"

	"github.com/framegram/framegram/timecode"
)

// layout is where things are on the test card, from top to bottom: the timecode
// strip, colour bars, grey steps and a grey ramp, the panel with the ring, the
// numbers and the zone plate, and the track with its ruler. Edges between colours are
// at even pixels, where chroma samples begin.
type layout struct {
	size              image.Point
	strip             image.Rectangle
	bars, steps, ramp image.Rectangle
	panel             image.Rectangle // empty if there is no room for it
	ring, plate       image.Rectangle // squares in the panel, left and right
	across, down      image.Rectangle // gratings below them
	text              image.Rectangle // of the panel: the name, the numbers, the caption
	number, clock     image.Point     // where the first digit begins on its baseline; set
	count             image.Point     // by paintText, with the glyphs
	track, ruler      image.Rectangle
	tick, ticks, bar  int // pixels from tick to tick, positions of the bar, its width
}

// The panel is left out below this size, in pixels: nobody could read it.
const minPanelWidth, minPanelHeight = 192, 120

func newLayout(size image.Point, fps float64) layout {
	w, h := size.X, size.Y
	l := layout{size: size}
	rows := func(from, height int) image.Rectangle { return image.Rect(0, from, w, min(h, from+height)) }

	if w >= timecode.MinWidth && h >= timecode.MinHeight {
		l.strip = rows(0, even(timecode.Rows*h/timecode.Division+1))
	}
	panel := w >= minPanelWidth && h >= minPanelHeight
	track, ruler := max(4, even(h/16)), even(h/48)
	below := track + ruler
	if panel {
		below += even(h / 48) // a margin
	}
	rest := h - l.strip.Max.Y - below
	if panel {
		rest = rest * 2 / 5
	}
	l.bars = rows(l.strip.Max.Y, even(rest*7/10))
	l.steps = rows(l.bars.Max.Y, even(rest*3/20))
	l.ramp = rows(l.steps.Max.Y, even(rest*3/20))
	l.track = rows(h-below, track)
	l.ruler = rows(l.track.Max.Y, ruler)
	if panel {
		l.setPanel(image.Rect(0, l.ramp.Max.Y, w, l.track.Min.Y))
	} else {
		l.ramp.Max.Y = l.track.Min.Y
	}

	// The bar crosses in about two seconds.
	l.tick = max(1, int(math.Round(float64(w)/(2*fps))))
	l.ticks = max(1, w/l.tick)
	l.bar = max(2, min(w/48, 4*l.tick))
	return l
}

// setPanel arranges the panel in r: ring, text and zone plate side by side, or the
// text on top where the panel is high.
func (l *layout) setPanel(r image.Rectangle) {
	l.panel = r
	pad := even(min(r.Dx(), r.Dy())/16) + 2
	in := r.Inset(pad)
	figures, across := in, in.Dx()/4
	if 5*in.Dy() > 3*in.Dx() {
		figures.Min.Y, across = in.Min.Y+in.Dy()*3/5, in.Dx()*2/5
	}
	side := even(min(across, figures.Dy()*4/5))
	grating := even(min(side/6, figures.Dy()-side-pad/2))
	top := figures.Min.Y + (figures.Dy()-side-pad/2-grating)/2
	square, strip := image.Rect(0, 0, side, side), image.Rect(0, 0, side, grating)
	l.ring = square.Add(image.Pt(even(in.Min.X), even(top)))
	l.plate = square.Add(image.Pt(even(in.Max.X-side), even(top)))
	l.across = strip.Add(image.Pt(l.ring.Min.X, even(l.ring.Max.Y+pad/2)))
	l.down = strip.Add(image.Pt(l.plate.Min.X, even(l.plate.Max.Y+pad/2)))
	if figures == in {
		l.text = image.Rect(l.ring.Max.X+pad, in.Min.Y, l.plate.Min.X-pad, in.Max.Y)
	} else {
		l.text = image.Rect(in.Min.X, in.Min.Y, in.Max.X, figures.Min.Y-pad)
	}
}

func even(n int) int { return n &^ 1 }
