package rate

import (
	"math"
	"time"
)

// Pass is asked for each finished JPEG of a source that is not encoded here: false leaves
// it out. What a frame has over its budget is made up for by those left out after it.
func (c *Controller) Pass(now time.Time, bytes int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin(now)
	c.passing = true
	_, interval := c.every.next(now)
	if !c.credit.pass(now, float64(bytes)*c.over, c.limit(now)/8, interval) {
		c.stats.LeftOut++
		return false
	}
	c.sent(now, bytes)
	return true
}

// limit is the target, but none for finished JPEGs as long as no link was found slow: their source
// cannot begin gently, it would only stutter.
func (c *Controller) limit(now time.Time) float64 {
	if c.passing && c.stats.Cuts == 0 && c.cfg.Most == 0 {
		return math.Inf(1)
	}
	return c.target(now)
}

// credit is how many bytes may be sent: a bucket that holds what two frames' time brings.
type credit struct {
	bytes float64
	at    time.Time
}

// pass takes bytes out if there is anything. It may owe what a frame has.
func (c *credit) pass(now time.Time, bytes, perSecond float64, interval time.Duration) bool {
	room := perSecond * 2 * interval.Seconds()
	if c.at.IsZero() {
		c.bytes = room
	} else {
		c.bytes = min(c.bytes+perSecond*max(now.Sub(c.at).Seconds(), 0), room)
	}
	c.at = now
	if room > 1e12 { // no limit
		c.bytes = 0
		return true
	}
	if c.bytes <= 0 {
		return false
	}
	c.bytes -= bytes
	return true
}
