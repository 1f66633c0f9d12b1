package rate

import "time"

// ledger keeps how many bytes were sent when, for some seconds.
type ledger struct {
	began time.Time
	last  time.Time
	slot  [slots]float64
	at    int64 // newest slot
}

const (
	slots  = 64
	slotOf = 50 * time.Millisecond
)

func (l *ledger) number(t time.Time) int64 { return max(int64(t.Sub(l.began)/slotOf), 0) }

func (l *ledger) add(now time.Time, bytes float64) {
	n := l.number(now)
	for i := max(l.at+1, n-slots+1); i <= n; i++ {
		l.slot[i%slots] = 0
	}
	l.at = max(l.at, n)
	l.last = now
	if n > l.at-slots {
		l.slot[n%slots] += bytes
	}
}

// bytes is what was sent between two times, exact to a slot.
func (l *ledger) bytes(from, to time.Time) (sum float64) {
	for i := max(l.number(from), l.at-slots+1, 0); i <= min(l.number(to), l.at); i++ {
		sum += l.slot[i%slots]
	}
	return sum
}

// rate is that in bit/s.
func (l *ledger) rate(from, to time.Time) float64 {
	from = later(from, l.began)
	span := to.Sub(l.began) - time.Duration(l.number(from))*slotOf
	return l.bytes(from, to) * 8 / max(span, slotOf).Seconds()
}

// recent is the rate in the second before now.
func (l *ledger) recent(now time.Time) float64 { return l.rate(now.Add(-time.Second+slotOf), now) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cadence counts pictures, and learns how far apart they are.
type cadence struct {
	count    uint64
	last     time.Time
	interval time.Duration
	paused   bool // the last one came after what may have been a pause
}

const (
	usualInterval = time.Second / 30
	pause         = 2 * time.Second // without a picture; two in a row are how often they come
)

func (c *cadence) next(now time.Time) (number uint64, interval time.Duration) {
	d := now.Sub(c.last)
	switch {
	case c.count == 0:
		c.interval = usualInterval
	case d <= 0 || d > pause && !c.paused:
	case c.count < 8:
		c.interval += (d - c.interval) / time.Duration(c.count+1)
	default:
		c.interval += (d - c.interval) / 16
	}
	c.last, c.paused = now, c.count > 0 && d > pause
	c.count++
	return c.count - 1, c.interval
}
