package rate

import (
	"math"
	"time"
)

// rungs are tried from the top: quality goes first, down to worst, then size, then the rate of
// frames. The last ones are for large pictures on links of 1 Mbit/s and less.
var rungs = [...]struct{ scale, every int }{{100, 1}, {75, 1}, {50, 1}, {35, 1}, {25, 1}, {25, 2}, {25, 4}, {12, 4}, {12, 8}, {12, 16}}

// keptRungs are those that are tried while nothing is known of the links. On the last of them, and below, quality goes down to floor.
const keptRungs = 7

const (
	worst = 40 // quality below which a smaller picture looks better
	back  = 45 // quality that a larger picture must have to be worth the step back
	floor = 15
	grid  = 5 // of qualities; and the least step

	hold        = time.Second            // that a setting stays, but if frames are over their budget
	holdAtFirst = 100 * time.Millisecond // the same while no link was found slow
	maxHold     = 16 * time.Second       // before a step up, when some have proved wrong

	over = 1.05 // of the budget, which is tolerated
	fill = 0.92 // of it, which a new setting should have at most
	far  = 1.5  // of it, with which a picture is encoded again
)

// ladder holds the setting.
type ladder struct {
	top     int // best quality
	set     Setting
	at      time.Time // when it was changed
	up      bool      // and whether for the better
	budget  float64   // then
	wait    time.Duration
	changes int
	keep    bool // the size: quality goes down to floor first
}

// best is whether there is nothing better.
func (l *ladder) best() bool { return l.set.Scale == 100 && l.set.Every == 1 && l.set.Quality == l.top }

// choose finds the setting of a picture that may have budget bytes if one is sent each
// interval.
func (l *ladder) choose(now time.Time, p Picture, c *content, budget float64) {
	stay := max(l.wait, hold)
	if l.keep { // a stream begins carefully, and grows with the first reports
		stay = holdAtFirst
	}
	if math.IsInf(budget, 1) && !l.best() && now.Sub(l.at) >= min(stay, hold) {
		l.change(now, Setting{l.top, 100, 1}, budget)
		return
	}
	if l.set.Scale < p.Least { // another picture
		l.change(now, Setting{l.set.Quality, 100, l.set.Every}, budget)
	}
	if c.bytes == 0 {
		if l.changes == 0 && !math.IsInf(budget, 1) {
			l.first(now, p, budget)
		}
		return
	}
	if c.expect(l.set) > over*budget*float64(l.set.Every) {
		l.down(now, p, c, budget)
		return
	}
	if !l.best() && now.Sub(l.at) >= stay {
		l.upward(now, p, c, budget)
	}
}

// first guesses that a picture has a tenth of a byte a pixel at quality 80. What is found
// then may be better, and is taken at once.
func (l *ladder) first(now time.Time, p Picture, budget float64) {
	guess := content{at: Setting{80, 100, 1}, bytes: 0.1 * float64(p.Width*p.Height), bend: bendBounds, side: sideBounds}
	if guess.expect(l.set) > budget {
		l.down(now, p, &guess, budget)
		l.at, l.up = time.Time{}, false
	}
}

// step is rung i for p. Where the picture must not become so small its rate still can.
func step(i int, p Picture) Setting {
	s := Setting{Scale: rungs[i].scale, Every: rungs[i].every}
	for ; s.Scale < p.Least && i > 0; i-- {
		s.Scale = rungs[i-1].scale
	}
	return s
}

// rung is the index of the present one.
func (l *ladder) rung(p Picture) int {
	for i := range rungs {
		if s := step(i, p); s.Scale <= l.set.Scale && s.Every >= l.set.Every {
			return i
		}
	}
	return len(rungs) - 1
}

// fitting is the best quality from low on, on the grid or the top, with which a picture fits, or 0.
func (l *ladder) fitting(s Setting, c *content, budget float64, low int) int {
	for q := l.top; q >= min(low, l.top); q = (q - 1) / grid * grid {
		s.Quality = q
		if c.expect(s) <= fill*budget*float64(s.Every) {
			return q
		}
		if q <= grid {
			break
		}
	}
	return 0
}

// down takes the next setting that fits, or the least.
func (l *ladder) down(now time.Time, p Picture, c *content, budget float64) {
	have, end := l.rung(p), len(rungs)-1
	if l.keep {
		end = keptRungs - 1
	}
	for i := have; i <= end; i++ {
		s, low := step(i, p), worst
		if i >= keptRungs-1 || l.keep {
			low = floor
		}
		if s.Quality = l.fitting(s, c, budget, low); s.Quality == 0 {
			continue
		}
		if i == have && l.set.Quality-s.Quality < grid { // the top may be off the grid
			s.Quality = max(l.set.Quality-grid, min(low, l.set.Quality))
		}
		l.change(now, s, budget)
		return
	}
	s := step(end, p)
	s.Quality = min(floor, l.top)
	l.change(now, s, budget)
}

// upward takes the best setting that fits, if it is a step better.
func (l *ladder) upward(now time.Time, p Picture, c *content, budget float64) {
	have := l.rung(p)
	for i := 0; i <= have; i++ {
		s, low := step(i, p), back
		if i == have {
			low = min(l.set.Quality+grid, l.top)
		}
		if s.Quality = l.fitting(s, c, budget, low); s.Quality == 0 {
			continue
		}
		if i < have || s.Quality > l.set.Quality {
			l.change(now, s, budget)
		}
		return
	}
}

// mend is the setting with which a picture of bytes is to be encoded again. It keeps its
// size: the next one is smaller, if that must be.
func (l *ladder) mend(now time.Time, p Picture, s Setting, c *content, budget float64, bytes int) (Setting, bool) {
	if s != l.set || float64(bytes) <= far*budget*float64(s.Every) {
		return s, false
	}
	l.down(now, p, c, budget)
	had := s.Quality
	if s.Quality = max(l.fitting(s, c, budget, floor), floor); l.set.Scale == s.Scale {
		s.Quality = l.set.Quality
	}
	return s, s.Quality < had
}

// change takes a setting. A step up that had to be taken back soon, though the budget is
// as it was, makes the next one wait twice as long.
func (l *ladder) change(now time.Time, s Setting, budget float64) {
	if s == l.set {
		return
	}
	better := s.Scale > l.set.Scale || s.Scale == l.set.Scale && (s.Every < l.set.Every || s.Every == l.set.Every && s.Quality > l.set.Quality)
	switch {
	case !better && l.up && now.Sub(l.at) < 3*time.Second && budget > 0.9*l.budget:
		l.wait = min(max(2*l.wait, 2*hold), maxHold)
	case better && (budget > 1.2*l.budget || now.Sub(l.at) > 30*time.Second), !better && budget < 0.8*l.budget:
		l.wait = hold
	}
	l.set, l.at, l.up, l.budget = s, now, better, budget
	l.changes++
}
