package pace

import (
	"fmt"
	"slices"
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

// BenchmarkWaiter tells how much later it is than asked.
func BenchmarkWaiter(b *testing.B) {
	for _, method := range []struct {
		name string
		wait func(w *Waiter, until time.Time)
	}{
		{"Waiter", (*Waiter).Until},
		{"time.Sleep", func(_ *Waiter, until time.Time) { time.Sleep(time.Until(until)) }},
	} {
		for _, d := range []time.Duration{50, 118, 200, 500, 1200} {
			d *= time.Microsecond
			b.Run(fmt.Sprintf("%s/%v", method.name, d), func(b *testing.B) {
				var w Waiter
				defer w.End()
				var late []time.Duration
				for b.Loop() {
					until := time.Now().Add(d)
					method.wait(&w, until)
					late = append(late, time.Since(until))
				}
				slices.Sort(late)
				b.ReportMetric(float64(late[len(late)/2])/1e3, "µs-late-p50")
				b.ReportMetric(float64(late[len(late)*99/100])/1e3, "µs-late-p99")
			})
		}
	}
}
