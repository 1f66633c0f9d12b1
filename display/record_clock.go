package display

import "time"

// recordClock turns the times at which frames were captured into times that always
// advance, for a recording.
//
// Between two frames pass as many microseconds as their sender says. That is not
// believed where it goes back, stands still, or leaps more than maxLeap further than
// our own clock went meanwhile, as when another sender is followed, or one starts anew
// or sets its clock. Then as much time passes as between the frames' arrivals. So a
// real gap, however long, stays one, and nothing else becomes one.
type recordClock struct {
	captured, arrived time.Time // of the frame before
	at                time.Duration
	any               bool
}

// maxLeap is what a sender's clock may gain at once: a frame may have waited in a network
// or a device without its time being wrong. More is another sender, or a clock that was
// set.
const maxLeap = time.Second

// next returns the time of a frame since the first one. now is when it arrived.
func (c *recordClock) next(captured, now time.Time) time.Duration {
	if c.any {
		passed := max(0, now.Sub(c.arrived))
		step := captured.Sub(c.captured)
		if step <= 0 || step > passed+maxLeap {
			step = passed
		}
		c.at += step
	}
	c.captured, c.arrived, c.any = captured, now, true
	return c.at
}
