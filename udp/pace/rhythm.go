package pace

import (
	"slices"
	"time"
)

const (
	// usual is taken for the interval of frames until it is known: that of 30 a second.
	usual = 33 * time.Millisecond
	// pause is what lies between frames that do not belong to one rhythm, unless the last
	// gaps are all as long: then that is the rhythm, up to slowest.
	pause   = time.Second
	slowest = 5 * time.Second
	// enough gaps tell a rhythm; after fewer, one that is longer than usual is not believed.
	enough = 4
	// alike are gaps of which none is longer than so many times the shortest: a frame may
	// have been left out.
	alike = 3
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
	if g := now.Sub(r.last); !r.last.IsZero() && g <= slowest {
		r.gaps[r.known%len(r.gaps)] = max(g, 0)
		r.known++
	}
	r.last = now
}

// Interval is the mean of the last gaps without the shortest and the longest quarter: neither
// a frame that came late and the next one that made up for it, nor a pause, bends it, and where frames
// come in twos it is half of what lies between the pairs.
func (r *Rhythm) Interval() time.Duration {
	if slow := r.slow(); slow > 0 {
		return slow
	}
	sorted, n := [len(r.gaps)]time.Duration{}, 0
	for _, g := range r.gaps[:min(r.known, len(r.gaps))] {
		if g < pause {
			sorted[n] = g
			n++
		}
	}
	if n == 0 {
		return usual
	}
	slices.Sort(sorted[:n])
	m := mean(sorted[n/4 : n-n/4])
	if n < enough {
		return min(m, usual)
	}
	return m
}

// Last is the last gap, and the interval where it is not known. By it who waits within the interval notices
// at once that frames come more often.
func (r *Rhythm) Last() time.Duration {
	if r.known == 0 {
		return r.Interval()
	}
	return r.gaps[(r.known-1)%len(r.gaps)]
}

// slow is the interval of frames that come as slowly as pauses do, and regularly; else 0.
func (r *Rhythm) slow() time.Duration {
	var last [enough]time.Duration
	if r.known < enough {
		return 0
	}
	for i := range last {
		last[i] = r.gaps[(r.known-1-i)%len(r.gaps)]
	}
	if least := slices.Min(last[:]); least < pause/2 || slices.Max(last[:]) > alike*least {
		return 0
	}
	return mean(last[:])
}

func mean(gaps []time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, g := range gaps {
		sum += g
	}
	return sum / time.Duration(len(gaps))
}
