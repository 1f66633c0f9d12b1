package udp

import (
	"math"
	"time"
)

// transit watches how long frames are on their way to us: the time from Captured, by the
// sender's clock, to their first datagram's arrival, by ours. How far the clocks are apart does
// not matter, since only differences are used. All in µs; floating, since what a sender says may
// be any number, and exact for 285 years.
type transit struct {
	began  time.Time // first frame's arrival, from which arrivals are counted: nobody sets the monotonic clock
	last   float64   // of the last frame
	jitter float64

	// The least of the last seconds, in two halves, and of the time since the last report.
	least, before float64
	halfAt        time.Time
	recent        float64
	fresh         bool  // recent is meaningful
	queue         int64 // what queueing said last
}

// transitHalf is half of what "the last seconds" are at most.
const transitHalf = 5 * time.Second

// clockStep is a change between two frames, in µs, that no queue makes: the sender's clock was set, or its machine
// or ours slept. What it was before says nothing then.
const clockStep = 5e6

// frame takes a frame whose first datagram came at first and that was captured at
// captured, µs since the Unix epoch by the sender's clock. Frames come in order.
func (t *transit) frame(first time.Time, captured int64) {
	if t.began.IsZero() {
		now := -float64(captured)
		*t = transit{began: first, last: now, least: now, before: now, halfAt: first, recent: now, fresh: true}
		return
	}
	now := float64(first.Sub(t.began).Microseconds()) - float64(captured)
	// RFC 3550 section 6.4.1: D(i-1, i) is the difference of the two transit times.
	d := math.Abs(now - t.last)
	if d > clockStep {
		*t = transit{began: t.began, last: now, jitter: t.jitter, least: now, before: now, halfAt: first, recent: now, fresh: true}
		return
	}
	t.jitter += (d - t.jitter) / 16
	t.last = now
	switch half := first.Sub(t.halfAt); {
	case half >= 2*transitHalf: // long ago, and the clocks have drifted
		t.before, t.least, t.halfAt = now, now, first
	case half >= transitHalf:
		t.before, t.least, t.halfAt = t.least, now, first
	}
	t.least = min(t.least, now)
	if !t.fresh {
		t.recent, t.fresh = now, true
	}
	t.recent = min(t.recent, now)
}

// queueing is by how much, in µs, the quickest frame since the last call was slower than
// the quickest of the last 5 to 10 s: what stands in queues on the way, since one frame of many gets through
// without having to wait otherwise. Without a frame since then it is what it was: a queue that lets
// none through has not become shorter.
func (t *transit) queueing() int64 {
	if t.fresh {
		t.fresh = false
		t.queue = int64(min(t.recent-min(t.least, t.before), math.MaxUint32))
	}
	return t.queue
}

// roundTrips keeps the least round trip of the last seconds, in µs.
type roundTrips struct {
	least, before int64 // 0 = not known
	halfAt        time.Time
}

func (r *roundTrips) add(now time.Time, us int64) {
	us = max(us, 1) // 0 would say that it is not known
	switch half := now.Sub(r.halfAt); {
	case half >= 2*transitHalf:
		*r = roundTrips{least: us, halfAt: now}
	case half >= transitHalf:
		r.before, r.least, r.halfAt = r.least, us, now
	}
	r.least = min(r.least, us)
}

// us is 0 when nothing has been added for 10 s.
func (r *roundTrips) us(now time.Time) int64 {
	switch {
	case now.Sub(r.halfAt) >= 2*transitHalf || r.least == 0:
		return 0
	case r.before == 0:
		return r.least
	}
	return min(r.least, r.before)
}
