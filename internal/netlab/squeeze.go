package netlab

import (
	"fmt"
	"strings"
	"time"

	"github.com/framegram/framegram/internal/units"
)

// Squeeze is a time in which the line is slower, in both directions. The zero value is
// none. It counts from the first packet that the link carries, in whichever direction:
// so it meets two transports alike, however long their programs take to start. The
// queue keeps its bytes meanwhile, as a device's buffer does: 250 kB, 20 ms at 100 Mbit/s,
// are 100 ms at 20 Mbit/s.
type Squeeze struct {
	Rate  int64         // bit/s of IP packets, 8 kbit/s and less than Params.Rate
	After time.Duration // 0..1 h
	For   time.Duration // 1 ms..1 h
}

// String is the form that Parse reads.
func (s Squeeze) String() string {
	if s == (Squeeze{}) {
		return "none"
	}
	return units.Format(s.Rate, units.Rates) + "@" + units.Format(int64(s.After), units.Times) + "+" + units.Format(int64(s.For), units.Times)
}

// setSqueeze reads RATE@TIME+TIME.
func setSqueeze(p *Params, value string) error {
	p.Squeeze = Squeeze{}
	if strings.EqualFold(value, "none") {
		return nil
	}
	all := part{value, 0, len(value)}
	rate, rest, hasTimes := all.cut("@")
	after, length, hasLength := rest.cut("+")
	var times [2]int64
	n, err := units.Parse(rate.String(), units.Rates)
	switch {
	case err != nil:
		return &misfit{rate, err, "bit/s such as 20mbit"}
	case !hasTimes:
		return &misfit{all, fmt.Errorf("does not say when"), "RATE@TIME+TIME such as 20mbit@5s+10s"}
	}
	for i, t := range []part{after, length} {
		if i == 1 && !hasLength {
			return &misfit{all, fmt.Errorf("does not say for how long"), "RATE@TIME+TIME such as 20mbit@5s+10s"}
		}
		if times[i], err = units.Parse(t.String(), units.Times); err != nil {
			return &misfit{t, err, "a time such as 5s (ns, us, ms, s)"}
		}
	}
	p.Squeeze = Squeeze{n, time.Duration(times[0]), time.Duration(times[1])}
	return nil
}

// check says what is wrong with s on a link of that rate.
func (s Squeeze) check(rate int64) error {
	switch {
	case s == Squeeze{}:
		return nil
	case rate == 0:
		return fmt.Errorf("is %v, and there is no rate to squeeze: rate=100mbit", s)
	case s.Rate < 8_000 || s.Rate >= rate:
		return fmt.Errorf("is %v, want 8kbit up to less than the rate, %s", s, units.Format(rate, units.Rates))
	case s.After < 0 || s.After > time.Hour:
		return fmt.Errorf("is %v, want it to begin after 0..1h (3600s)", s)
	case s.For < time.Millisecond || s.For > time.Hour:
		return fmt.Errorf("is %v, want it for 1ms..1h (3600s)", s)
	}
	return nil
}

// rateAt is the rate at a time, and until when it is so.
func (l *line) rateAt(p *Params, at time.Duration) (rate int64, until time.Duration) {
	begin := l.first + p.Squeeze.After
	end := begin + p.Squeeze.For
	switch {
	case p.Squeeze.Rate == 0 || at >= end:
		return p.Rate, 1<<63 - 1
	case at < begin:
		return p.Rate, begin
	}
	return p.Squeeze.Rate, end
}

// finish is when size bytes have left that begin to leave at a time.
func (l *line) finish(p *Params, begin time.Duration, size int) time.Duration {
	for left := int64(size) * 8e9; ; { // billionths of a bit
		rate, until := l.rateAt(p, begin)
		if need := time.Duration(left / rate); need <= until-begin {
			return begin + need
		}
		left -= int64(until-begin) * rate
		begin = until
	}
}

// between is how many bytes leave from one time to a later one.
func (l *line) between(p *Params, from, to time.Duration) int {
	var bytes float64
	for from < to {
		rate, until := l.rateAt(p, from)
		until = min(until, to)
		bytes += float64(until-from) * float64(rate) / 8e9
		from = until
	}
	return int(bytes)
}
