package udp

import "time"

// wireClock gives wire times: wall time when the sender started, advanced by the
// monotonic clock, so that setting the clock does not bend latencies.
type wireClock struct{ start time.Time }

func newWireClock(now time.Time) wireClock { return wireClock{now} }

// micros is t in µs since the Unix epoch. A time without a monotonic reading (of a
// recording, of another machine) is taken as it is.
func (c wireClock) micros(t time.Time) int64 {
	return c.start.UnixMicro() + t.Sub(c.start).Microseconds()
}
