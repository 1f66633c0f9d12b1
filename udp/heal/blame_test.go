package heal

import (
	"testing"
	"time"
)

// reports are a viewer's: of one each period, changed by what happens between two of them.
type reports struct {
	Loss
	r  Report
	at time.Time
}

// every has n come, one each period, and returns the estimate after the last.
func (w *reports) every(period time.Duration, n int, change func(i int, r *Report)) (share float64) {
	if w.at.IsZero() {
		w.at = time.Unix(1000, 0)
	}
	for i := range n {
		w.at = w.at.Add(period)
		change(i, &w.r)
		w.Report(w.at, w.r)
	}
	share, _ = w.Share(w.at)
	return share
}

// What was missing and comes after all, since it was overtaken, was never lost: it neither adds to the loss nor
// has what was lost long ago counted again.
func TestWhatWasOvertakenIsNotLost(t *testing.T) {
	overtaken := func(i int, r *Report) {
		late := uint64(i%2) * 5 // of 600, every other time
		r.Received, r.Missing = r.Received+600-late, r.Missing+late
		if i%2 == 0 && i > 0 {
			r.Received, r.Missing = r.Received+5, r.Missing-5
		}
		r.Shown += 6
	}
	var w reports
	if share := w.every(100*time.Millisecond, 600, overtaken); share > clean {
		t.Errorf("taken for a loss of %.3f %%", 100*share)
	}
	w.every(time.Second, 60, func(_ int, r *Report) {
		r.Received, r.Missing, r.Shown, r.Lost = r.Received+5700, r.Missing+300, r.Shown+55, r.Lost+5
	})
	boost := w.boost
	if share := w.every(100*time.Millisecond, 1800, overtaken); share > clean || w.boost > boost {
		t.Errorf("3 minutes after the last loss it is %.3f %%, taken %.1f times", 100*share, w.boost)
	}
	if share := w.every(time.Second, 30, func(_ int, r *Report) { r.Received, r.Missing = r.Received+990, r.Missing+10 }); share < 0.009 {
		t.Errorf("%.3f %% of a loss of 1", 100*share)
	}
}

// Datagrams that the sender itself could not send are not lost on the way, whether the viewer misses them at once
// or later; what is lost beside them is.
func TestWhatWasNotSentIsNotLost(t *testing.T) {
	var w reports
	w.every(time.Second, 5, func(_ int, r *Report) { r.Received += 3000 })
	if share := w.every(time.Second, 60, func(i int, r *Report) {
		r.Received += 3000
		if i%2 == 0 {
			r.Unsent += 400
		} else {
			r.Missing += 400
		}
	}); share != 0 {
		t.Errorf("taken for a loss of %.2f %%", 100*share)
	}
	if share := w.every(time.Second, 30, func(_ int, r *Report) {
		r.Received, r.Unsent, r.Missing = r.Received+2970, r.Unsent+100, r.Missing+130
	}); share < 0.009 || share > 0.011 {
		t.Errorf("a loss of %.2f %%, want 1", 100*share)
	}
	w.r.Unsent += 5000
	w.every(time.Second, 1, func(_ int, r *Report) { r.Received, r.Missing, r.Shown, r.Lost = 1000, 0, 0, 0 }) // it was started anew
	if share := w.every(time.Second, 5, func(_ int, r *Report) { r.Received, r.Missing = r.Received+900, r.Missing+100 }); share < 0.05 {
		t.Errorf("a loss of %.2f %% of one that was started anew, want 10", 100*share)
	}
}

// Only frames that are lost on the way have the loss taken for more than it is.
func TestOnlyFramesLostOnTheWayRaiseParity(t *testing.T) {
	for name, c := range map[string]struct {
		also func(r *Report)
		more bool
	}{
		"lost on the way":        {func(*Report) {}, true},
		"left out by the sender": {func(r *Report) { r.LeftOut += 30 }, false},
		"dropped by its kernel":  {func(r *Report) { r.Missing, r.KernelDrops = r.Missing+200, r.KernelDrops+200 }, false},
		"a queue is full":        {func(r *Report) { r.Queueing = congested }, false},
	} {
		var w reports
		w.every(time.Second, 1, func(_ int, r *Report) { r.Received, r.Missing, r.Shown = r.Received+2970, r.Missing+30, r.Shown+30 })
		w.every(time.Second, 20, func(_ int, r *Report) {
			r.Received, r.Missing, r.Shown, r.Lost = r.Received+2970, r.Missing+30, r.Shown+30, r.Lost+30
			c.also(r)
		})
		if (w.boost > 1) != c.more {
			t.Errorf("%s: taken %.1f times", name, w.boost)
		}
	}
}
