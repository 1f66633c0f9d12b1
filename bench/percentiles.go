package bench

import (
	"encoding/json"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Figure is a number that can be Never: null in JSON.
type Figure float64

// Never is the latency of a frame that was not shown.
var Never = Figure(math.Inf(1))

// MarshalJSON implements [json.Marshaler].
func (f Figure) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(f), 0) || math.IsNaN(float64(f)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (f *Figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Never
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// Percentiles are in ms, exact to 0.1 %; Max is exact. Of fewer than 1000 frames p99.9
// is the slowest one.
type Percentiles struct {
	P50  Figure `json:"p50"`
	P90  Figure `json:"p90"`
	P99  Figure `json:"p99"`
	P999 Figure `json:"p99_9"`
	Max  Figure `json:"max"`
}

// percentiles of total values, in µs, of which only the sorted ones are known: all
// others are beyond them. Nil for none at all.
func percentiles(sorted []int64, total int) *Percentiles {
	if total == 0 {
		return nil
	}
	h := hdrhistogram.New(1, longest, 3)
	for _, v := range sorted {
		h.RecordValue(max(0, min(v, longest))) // in range: cannot fail
	}
	known := len(sorted)
	at := func(percent float64) Figure {
		rank := min(max(int(percent/100*float64(total)+0.5), 1), total) // as HdrHistogram has it
		if rank > known {
			return Never
		}
		// Its buckets are named after their upper end, which may be over the greatest value.
		return Figure(inMS(min(h.ValueAtPercentile(100*float64(rank)/float64(known)), sorted[known-1])))
	}
	p := &Percentiles{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: Never}
	if known == total {
		p.Max = Figure(inMS(sorted[known-1]))
	}
	return p
}
