package pace

import (
	"slices"
	"time"
)

const (
	// usual is taken for the interval of frames until it is known: that of 30 a second.
	usual = 33 * time.Millisecond
	// pause is what lies between frames that do not belong to one rhythm.
	pause = time.Second
	// enough gaps tell a rhythm; after fewer, one that is longer than usual is not believed.
	enough = 4
)

// Rhythm tells from when frames came how long the next one is off. Its zero value is
// ready. It reads no clock.
type Rhythm struct {
	last  time.Time
	gaps  [9]time.Duration // the last ones, in a ring
	known int              // of them, ever
}

// Frame notes that a frame has come.
func (r *Rhythm) Frame(now time.Time) {
	if g := now.Sub(r.last); !r.last.IsZero() && g < pause {
		r.gaps[r.known%len(r.gaps)] = max(g, 0)
		r.known++
	}
	r.last = now
}

// Interval is the mean of the last gaps without the shortest and the longest quarter: neither
// a frame that came late and the next one that made up for it, nor a pause, bends it, and where frames
// come in twos it is half of what lies between the pairs.
func (r *Rhythm) Interval() time.Duration {
	n := min(r.known, len(r.gaps))
	if n == 0 {
		return usual
	}
	sorted := r.gaps
	slices.Sort(sorted[:n])
	middle, sum := sorted[n/4:n-n/4], time.Duration(0)
	for _, g := range middle {
		sum += g
	}
	mean := sum / time.Duration(len(middle))
	if n < enough {
		return min(mean, usual)
	}
	return mean
}
