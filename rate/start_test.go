package rate

import (
	"testing"
	"time"
)

// start feeds a controller a stream of 66 kB frames at 30 a second, and a report every 100 ms from 70 ms on, as
// change makes it of the number of the report. It returns when the first cut came.
func start(t *testing.T, d time.Duration, change func(i int, r *Report)) (c *Controller, cutAt time.Duration) {
	t.Helper()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p, r, reports := Picture{1280, 720, 25}, Report{Viewer: "a"}, 0
	for at := time.Duration(0); at < d; at += 10 * time.Millisecond {
		now := epoch.Add(at)
		if at%(30*time.Millisecond) == 0 {
			if s, ok := c.Next(now, p); ok {
				side := float64(s.Scale) / 100
				c.Made(now, p, s, int(66e3*curveAt(s.Quality)*side*side))
			}
		}
		if at >= 70*time.Millisecond && (at-70*time.Millisecond)%(100*time.Millisecond) == 0 {
			change(reports, &r)
			reports++
			c.Report(now, r)
			if cutAt == 0 && c.Stats(now).Cuts > 0 {
				cutAt = at
			}
		}
	}
	return c, cutAt
}

// A link that carries a quarter of what it is sent is found out by the first report that measured it, before any
// frame is complete.
func TestSlowLinkIsFoundOutByTheFirstReport(t *testing.T) {
	c, at := start(t, 400*time.Millisecond, func(i int, r *Report) {
		r.Nothing, r.Arrival, r.Received, r.Missing = true, 5e6, r.Received+30, r.Missing+60
	})
	if at != 70*time.Millisecond {
		t.Errorf("the first cut comes after %v", at)
	}
	if s := c.Stats(epoch.Add(400 * time.Millisecond)); s.Rate < 4e6 || s.Rate > 4.5e6 || s.Scale == 100 {
		t.Errorf("%+v, want 0.85 of 5 Mbit/s, by a smaller picture", s)
	}
}

// A few datagrams that were held up together tell no rate.
func TestAFewDatagramsAreNoMeasurement(t *testing.T) {
	few := func(i int, r *Report) { r.Nothing, r.Arrival, r.Received = true, 5e6, 8 }
	if _, at := start(t, 160*time.Millisecond, few); at != 0 {
		t.Errorf("8 datagrams at 5 Mbit/s cut the rate after %v", at)
	}
}

// Loss without a queue is left to parity first; only when that does not help either, the rate is cut.
func TestLossIsParitysFirst(t *testing.T) {
	_, at := start(t, 600*time.Millisecond, func(i int, r *Report) {
		r.Nothing, r.Arrival, r.Received, r.Missing = true, 17e6, r.Received+90, r.Missing+40
	})
	if at != 270*time.Millisecond {
		t.Errorf("the first cut comes after %v, want 270 ms", at)
	}
}

// What waits, or is lost, on a link of which we fill a part only is not ours to make room for.
func TestQueueOfALinkThatWeDoNotFillIsNotOurs(t *testing.T) {
	queued := func(arrival float64) func(int, *Report) {
		return func(i int, r *Report) {
			r.Received, r.Arrival, r.Queueing, r.RTT = r.Received+150, arrival, 0, 10*time.Millisecond
			if i > 25 {
				r.Queueing = 40 * time.Millisecond
			}
		}
	}
	if _, at := start(t, 4*time.Second, queued(200e6)); at != 0 {
		t.Errorf("a link of 200 Mbit/s is cut after %v for a queue of 40 ms", at)
	}
	if _, at := start(t, 4*time.Second, queued(18e6)); at < 2*time.Second {
		t.Errorf("a link that we fill is cut after %v, want it when the queue stands", at)
	}
}

// Parity costs at once: a viewer that gets half as much again leaves less for pictures.
func TestParityIsPaidForAtOnce(t *testing.T) {
	budget := func(parity float64) int {
		c, _ := start(t, 500*time.Millisecond, func(i int, r *Report) {
			r.Nothing, r.Arrival, r.Received, r.Missing, r.Parity = true, 5e6, r.Received+30, r.Missing+60, parity
		})
		return c.Stats(epoch.Add(500 * time.Millisecond)).Budget
	}
	if without, with := budget(0), budget(0.5); with > without*3/4 {
		t.Errorf("a frame may have %d bytes, and %d with a half of parity", without, with)
	}
}

// A viewer that is started again at the same address begins anew: what is known of the one before is not held against it.
func TestRestartedViewerBeginsAnew(t *testing.T) {
	c, at := start(t, 2*time.Second, func(i int, r *Report) {
		r.Arrival, r.Received, r.RTT, r.Queueing = 200e6, r.Received+200, time.Millisecond, 0
		if i == 8 {
			r.Received, r.Queueing = 30, 30*time.Millisecond
		}
	})
	if s := c.Stats(epoch.Add(2 * time.Second)); at != 0 || s.Rate != 0 && s.Rate < Start {
		t.Errorf("cut after %v: %+v", at, s)
	}
}
