package capture

import (
	"fmt"
	"io"
	"math"
	"time"
)

// mediaClock makes times that always advance of what a container says of its
// pictures. Containers are often wrong: a raw H.264 stream has no times, a raw MJPEG
// one gives 1.2 million pictures a second, an AVI file can count two for each.
type mediaClock struct {
	fps    float64 // nominal; sound
	total  float64 // pictures that the container promises; 0 = unknown
	n      int     // pictures since the start of the file
	first  time.Duration
	last   time.Duration // media time of the picture before, over all rounds
	base   time.Duration // media time at which the file began this round
	timed  bool          // the container's times are usable
	looped bool
}

// maxGap is the longest a picture may stand, as in a recording of a screen. A longer
// step is a broken time.
const maxGap = time.Minute

func newMediaClock(fps, total float64) mediaClock {
	if !(fps >= 0.1 && fps <= maxFPS) {
		fps, total = DefaultFPS, 0 // a count is often worked out from the rate
	}
	if !(total > 0 && total < 1<<40) {
		total = 0
	}
	return mediaClock{fps: fps, total: total}
}

// next returns the time of the next picture, of which the container says ms.
func (c *mediaClock) next(ms float64) time.Duration {
	interval := mediaTime(1, c.fps)
	at := time.Duration(math.MinInt64)
	if math.Abs(ms) < 1e12 { // 30 years; also false for NaN
		at = time.Duration(ms * float64(time.Millisecond))
	}
	defer func() { c.n++ }()
	if c.n == 0 {
		c.first, c.timed = at, at != math.MinInt64
		c.last = c.base
		return c.last
	}
	step := c.base + at - c.first - c.last
	if !c.timed || step <= 0 || step > maxGap {
		step = interval
		c.first = at - (c.last + step - c.base) // go on from here
	}
	c.last += step
	return c.last
}

// restart begins another round: its first picture follows the last one.
func (c *mediaClock) restart() {
	c.base, c.n, c.looped = c.last+mediaTime(1, c.fps), 0, true
}

// cut tells whether the file ended before it should: by its count of pictures and by
// its times, since either alone is often wrong in a file that is whole.
func (c *mediaClock) cut(path string) error {
	promised := mediaTime(1, c.fps/max(c.total, 1)) // total/fps
	played := c.last - c.base + mediaTime(1, c.fps)
	if c.total == 0 || float64(c.n) > c.total*0.98-2 || float64(played) > float64(promised)*0.98 {
		return nil
	}
	return fmt.Errorf("capture: %s ended after %d of %.0f frames (%.1f of %.1f s): it is cut off or damaged: %w",
		path, c.n, c.total, played.Seconds(), promised.Seconds(), io.ErrUnexpectedEOF)
}
