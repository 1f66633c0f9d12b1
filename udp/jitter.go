package udp

import (
	"math"
	"time"

	"github.com/framegram/framegram/fragment"
)

// transit watches how long frames are on their way to us: the time from Captured, by the
// sender's clock, to their first datagram's arrival, by ours. How far the clocks are apart does
// not matter, since only differences are used. All in µs; floating, since what a sender says may
// be any number, and exact for 285 years.
type transit struct {
	head   fragment.Opened // the last frame that was taken
	began  time.Time       // first frame's arrival, from which arrivals are counted: nobody sets the monotonic clock
	last   float64         // of the last frame
	jitter float64

	// The least of the last seconds, in two halves; of the last moment, in two halves; and of the
	// time since the last report.
	least, before     float64
	halfAt            time.Time
	moment, momentAgo float64
	momentAt          time.Time
	recent            float64
	fresh             bool  // recent is meaningful
	queue             int64 // what queueing said last
}

// transitHalf is half of what "the last seconds" are at most.
const transitHalf = 5 * time.Second

// momentHalf is half of what "the last moment" is at most, and of two frames at least. A machine, or a
// Wi-Fi channel, that stands still for some 10 ms delays the first frame that comes after it, the next one
// less by their distance: a moment's quickest is as quick as ever, and no queue is seen where none stands.
const momentHalf = 40 * time.Millisecond

// clockStep is a change between two frames, in µs, that no queue makes: the sender's clock was set, or its machine
// or ours slept. What it was before says nothing then.
const clockStep = 5e6

// opened takes the newest frame of which a datagram has come, once. One that never becomes complete tells of queues as well as any
// other: where a queue has no room for a whole frame there are no others.
func (t *transit) opened(o fragment.Opened) {
	if o != t.head {
		t.head = o
		t.frame(o.At, o.Captured)
	}
}

// frame takes a frame whose first datagram came at first and that was captured at
// captured, µs since the Unix epoch by the sender's clock. Frames come in order.
func (t *transit) frame(first time.Time, captured int64) {
	if t.began.IsZero() {
		now := -float64(captured)
		t.start(first, first, now)
		return
	}
	now := float64(first.Sub(t.began).Microseconds()) - float64(captured)
	// RFC 3550 section 6.4.1: D(i-1, i) is the difference of the two transit times.
	d := math.Abs(now - t.last)
	if d > clockStep {
		t.start(t.began, first, now)
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
	if first.Sub(t.momentAt) >= momentHalf {
		t.momentAgo, t.moment, t.momentAt = t.moment, now, first
	}
	t.moment = min(t.moment, now)
	if !t.fresh {
		t.recent, t.fresh = now, true
	}
	t.recent = min(t.recent, now)
}

// start forgets all but the jitter: the first frame, which comes at first, takes now.
func (t *transit) start(began, first time.Time, now float64) {
	*t = transit{
		head: t.head, began: began, last: now, jitter: t.jitter, least: now, before: now, halfAt: first,
		moment: now, momentAgo: now, momentAt: first, recent: now, fresh: true,
	}
}

// standing is what queueing would be of the last moment alone.
func (t *transit) standing() int64 { return t.over(min(t.moment, t.momentAgo)) }

// over is by how much, in µs, a transit time is more than the least of the last seconds.
func (t *transit) over(us float64) int64 {
	return int64(min(us-min(t.least, t.before), math.MaxUint32))
}

// queueing is by how much, in µs, the quickest frame since the last call was slower than
// the quickest of the last 5 to 10 s: what stands in queues on the way, since one frame of many gets through
// without having to wait otherwise. Without a frame since then it is what it was: a queue that lets
// none through has not become shorter.
func (t *transit) queueing() int64 {
	if t.fresh {
		t.fresh = false
		t.queue = t.over(t.recent)
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
