package pace

import (
	"testing"
	"time"
)

func TestWaiterIsNeverEarly(t *testing.T) {
	var w Waiter
	defer w.End()
	for range 50 {
		for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 120 * time.Microsecond, 3 * time.Millisecond} {
			until := time.Now().Add(d)
			w.Until(until)
			if now := time.Now(); now.Before(until) {
				t.Fatalf("it was %v early", until.Sub(now))
			}
		}
	}
	w.End()
	began := time.Now()
	w.Until(began.Add(time.Hour))
	if d := time.Since(began); d < longestWait || d > 100*longestWait {
		t.Errorf("the longest wait took %v, want %v", d, longestWait)
	}
}

func TestWaiterDoesNotAllocate(t *testing.T) {
	var w Waiter
	if n := testing.AllocsPerRun(100, func() {
		w.Until(time.Now().Add(50 * time.Microsecond))
		w.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
