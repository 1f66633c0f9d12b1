package pace

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// way is one way of waiting for a moment: begin and end enclose a row of waits.
type way struct {
	name       string
	begin, end func()
	until      func(time.Time)
}

func nothing() {}

func ways() []way {
	var w Waiter
	t := time.NewTimer(0)
	<-t.C
	return append([]way{
		{"Waiter", nothing, w.End, w.Until},
		{"time.Sleep", nothing, nothing, func(at time.Time) { time.Sleep(time.Until(at)) }},
		{"time.Timer", nothing, nothing, func(at time.Time) { t.Reset(time.Until(at)); <-t.C }},
	}, systemWays()...)
}

// BenchmarkWays tells how much later than asked each way of waiting comes back, with nothing
// else to do and with a goroutine that keeps one processor busy, and in the first case what a wait costs of a
// processor (all threads of this process together):
//
//	go test -run '^$' -bench Ways -benchtime 1000x ./udp/pace
func BenchmarkWays(b *testing.B) {
	for _, load := range []string{"idle", "busy"} {
		for _, w := range ways() {
			for _, d := range []time.Duration{12, 50, 118, 200, 500, 1200} {
				d *= time.Microsecond
				b.Run(fmt.Sprintf("%s/%s/%v", load, w.name, d), func(b *testing.B) {
					defer keepBusy(load == "busy")()
					w.begin()
					defer w.end()
					var late []time.Duration
					before := usedCPU()
					for b.Loop() {
						at := time.Now().Add(d)
						w.until(at)
						late = append(late, time.Since(at))
					}
					if used := usedCPU() - before; load == "idle" {
						b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(len(late)), "µs-CPU/wait")
					}
					reportLate(b, late)
				})
			}
		}
	}
}

func reportLate(b *testing.B, late []time.Duration) {
	slices.Sort(late)
	for _, p := range []int{50, 90, 99} {
		b.ReportMetric(float64(late[len(late)*p/100].Nanoseconds())/1e3, fmt.Sprintf("µs-late-p%d", p))
	}
	b.ReportMetric(0, "ns/op") // it says no more than the wait
}

// keepBusy has a goroutine compute until the function that it returns is called.
func keepBusy(wanted bool) (stop func()) {
	if !wanted {
		return nothing
	}
	var done atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for !done.Load() {
		}
	}()
	return func() { done.Store(true); <-stopped }
}
