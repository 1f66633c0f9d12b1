package capture

import (
	"cmp"
	"image"
)

// mode is what a camera is asked for.
type mode struct {
	size image.Point // zero: whatever it gives
	fps  float64     // 0: whatever it gives
}

// steadyFPS is the rate in pictures a second below which a picture looks jerky: where
// nobody asked for a size, a smaller one at this rate is better than a larger one.
const steadyFPS = 25

// pickMode chooses among what a camera offers.
//
// A size that was asked for is taken exactly, or the smallest that is larger both
// ways, or else the largest. Without, it is the largest within 1280x720 that has the
// rate; or the smallest there is. The rate is the lowest that is no lower than the
// one asked for, 30 by default.
func pickMode(sizes []FrameSize, size image.Point, fps float64) mode {
	if len(sizes) == 0 {
		return mode{cmp.Or(size, DefaultSize), cmp.Or(fps, DefaultFPS)}
	}
	best, at := sizes[0], image.Point{}
	if size != (image.Point{}) {
		best, at = pickSize(sizes, size)
	} else {
		best, at = pickLargest(sizes, DefaultSize, cmp.Or(fps, steadyFPS))
	}
	return mode{at, pickRate(best.Rates, cmp.Or(fps, DefaultFPS))}
}

func pickSize(sizes []FrameSize, want image.Point) (best FrameSize, at image.Point) {
	larger := false
	for _, s := range sizes {
		p := s.nearest(want)
		if p == want {
			return s, p
		}
		covers := p.X >= want.X && p.Y >= want.Y
		area, bestArea := p.X*p.Y, at.X*at.Y
		if at == (image.Point{}) || covers && (!larger || area < bestArea) || !covers && !larger && area > bestArea {
			best, at, larger = s, p, covers
		}
	}
	return best, at
}

func pickLargest(sizes []FrameSize, within image.Point, fps float64) (best FrameSize, at image.Point) {
	rank, area := -1, 0
	for _, s := range sizes {
		p := s.nearest(within)
		fits := p.X <= within.X && p.Y <= within.Y
		r, a := 0, -p.X*p.Y // too large: the smaller the better
		if fits {
			r, a = 1, -a
			if len(s.Rates) == 0 || enough(pickRate(s.Rates, fps), fps) {
				r = 2
			}
		}
		if r > rank || r == rank && a > area {
			best, at, rank, area = s, p, r, a
		}
	}
	return best, at
}

// nearest is the size in the range that is nearest to p, no smaller where possible.
func (s FrameSize) nearest(p image.Point) image.Point {
	side := func(low, high, step, want int) int {
		step = max(step, 1)
		up := low + (max(want, low)-low+step-1)/step*step
		if up > high {
			up = low + (high-low)/step*step
		}
		return up
	}
	return image.Pt(side(s.Min.X, s.Max.X, s.Step.X, p.X), side(s.Min.Y, s.Max.Y, s.Step.Y, p.Y))
}

// enough reports whether a rate serves for another: 29.97 does for 30.
func enough(have, want float64) bool { return have >= want*0.99 }

// pickRate is the lowest rate that is enough, else the highest.
func pickRate(rates []RateRange, want float64) float64 {
	best := 0.0
	for _, r := range rates {
		at := min(max(want, r.Min), r.Max)
		ok := enough(at, want)
		if best == 0 || ok && (!enough(best, want) || at < best) || !ok && !enough(best, want) && at > best {
			best = at
		}
	}
	return cmp.Or(best, want)
}
