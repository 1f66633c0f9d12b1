package display

import "time"

// rate tells how much arrived over the last two seconds: long enough for a steady
// figure, short enough to follow.
type rate struct {
	ring  [512]arrival // 256 frames/s
	count int          // arrivals ever; the newest is ring[(count-1)%len]
}

type arrival struct {
	at    time.Time
	bytes int
}

const rateWindow = 2 * time.Second

func (r *rate) add(at time.Time, bytes int) {
	r.ring[r.count%len(r.ring)] = arrival{at, bytes}
	r.count++
}

// last is when something arrived last, zero for never.
func (r *rate) last() time.Time {
	if r.count == 0 {
		return time.Time{}
	}
	return r.ring[(r.count-1)%len(r.ring)].at
}

// perSecond is the rate at time now. A stream younger than the window is measured
// over its age, so that the first figures are not too low.
func (r *rate) perSecond(now time.Time) (frames, bytes float64) {
	held, span := min(r.count, len(r.ring)), rateWindow
	n, sum := 0, 0
	for i := 1; i <= held; i++ {
		a := r.ring[(r.count-i)%len(r.ring)]
		age := now.Sub(a.at)
		if age > rateWindow {
			break
		}
		if i == held { // the window reaches back over all that is known
			span = age
			break // the oldest only says when counting began
		}
		n, sum = n+1, sum+a.bytes
	}
	if span <= 0 {
		return 0, 0
	}
	return float64(n) / span.Seconds(), float64(sum) / span.Seconds()
}
