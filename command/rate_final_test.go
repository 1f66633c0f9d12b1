package command

import (
	"testing"
	"time"
)

// What is said at the end of frames a second is while they came, however long the viewer waited before and after.
func TestFinalRateIsWhileFramesCame(t *testing.T) {
	l := newLatencies()
	if from, to := l.showing(1); !from.IsZero() || !to.IsZero() {
		t.Error("one frame has a rate")
	}
	at := time.Unix(1000, 0)
	for range 90 {
		l.shown(at)
		at = at.Add(20 * time.Millisecond)
	}
	from, to := l.showing(90)
	r := rates{at: from}
	if fps, _ := r.next(to, 90, 0); fps < 49.99 || fps > 50.01 {
		t.Errorf("%.3f frames a second, want 50", fps)
	}
}
