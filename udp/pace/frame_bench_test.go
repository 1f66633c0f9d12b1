package pace

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkFrames tells what a pace costs a frame in latency: how long after the first chunk
// the last one may leave, by the schedule alone and as it is with a Waiter or time.Sleep, when sending
// itself takes no time. That of the frame's bytes is the most that a queue on the way would have held:
//
//	go test -run '^$' -bench Frames -benchtime 100x ./udp/pace
func BenchmarkFrames(b *testing.B) {
	const ipPacket, shard = 1500, 1408 // bytes: docs/PROTOCOL.md, section 1
	for _, limit := range []int64{80e6, 800e6, 8e9} {
		for _, frame := range []int{67_000, 120_000, 300_000} {
			packets := (frame + shard - 1) / shard
			var ideal Lane
			ideal.SetLimit(limit, true)
			run(&ideal, time.Unix(0, 0), packets, 33*ms, punctual)
			for _, way := range []string{"Waiter", "time.Sleep"} {
				b.Run(fmt.Sprintf("%s/%dkB/%s", Rate(limit), frame/1000, way), func(b *testing.B) {
					var l Lane
					var w Waiter
					l.SetLimit(limit, true)
					until := w.Until
					if way == "time.Sleep" {
						until = func(t time.Time) { time.Sleep(time.Until(t)) }
					}
					var spreads []time.Duration
					used := time.Duration(0)
					for b.Loop() {
						time.Sleep(ms) // what lies between frames
						before := usedCPU()
						l.Begin(time.Now(), packets*ipPacket, 33*ms)
						for left := packets; left > 0; {
							now := time.Now()
							n, due := l.Next(now)
							if due.After(now) {
								until(due)
								continue
							}
							n = min(n, left)
							left -= n
							l.Sent(now, n*ipPacket)
						}
						w.End()
						used += usedCPU() - before
						spreads = append(spreads, l.Spread())
					}
					slices.Sort(spreads)
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(ideal.Spread().Seconds()*1e3, "ms-by-schedule")
					b.ReportMetric(spreads[len(spreads)/2].Seconds()*1e3, "ms-p50")
					b.ReportMetric(spreads[len(spreads)*99/100].Seconds()*1e3, "ms-p99")
					b.ReportMetric(float64(used.Microseconds())/float64(len(spreads)), "µs-CPU/frame")
				})
			}
		}
	}
}
