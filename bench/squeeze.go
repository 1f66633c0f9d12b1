package bench

import (
	"math"
	"slices"
)

// Squeeze is a time within the measured span in which the link was slower.
type Squeeze struct {
	Rate int64    `json:"rate_bit_s"`
	At   Duration `json:"at_ms"` // from the begin of the span
	For  Duration `json:"for_ms"`
}

// Squeezed is what a squeeze did. A frame belongs to the phase in which it was due.
type Squeezed struct {
	Before Phase `json:"before"`
	During Phase `json:"during"`
	After  Phase `json:"after"`

	// Freeze is the longest time without a new picture from the begin of the squeeze to
	// the end of the span.
	Freeze float64 `json:"freeze_ms"`

	// How long after the end of the squeeze it was as before for half a second: the mean
	// JPEG at least nine tenths of that before, and nine tenths of the frames due shown
	// within the 99th percentile of before and 10 ms. Never = not within the span.
	SizeBack    Figure `json:"size_back_ms"`
	LatencyBack Figure `json:"latency_back_ms"`
}

// Phase is a part of a span.
type Phase struct {
	Due     int          `json:"due"`   // frames
	Shown   int          `json:"shown"` // of those
	Latency *Percentiles `json:"latency_ms,omitempty"`
	Bytes   float64      `json:"mean_jpeg_bytes"` // of the frames that were encoded
}

func (p Phase) shown() float64 { return ratio(p.Shown, p.Due) }

// squeezed is nil without a squeeze within the span.
func squeezed(q *Squeeze, s span, all []*frame) *Squeezed {
	if q == nil {
		return nil
	}
	begin := s.start + q.At.Microseconds()
	end := min(begin+q.For.Microseconds(), s.end)
	if begin >= s.end {
		return nil
	}
	at := func(t int64) int {
		i, _ := slices.BinarySearchFunc(s.slots, t, func(slot slot, t int64) int {
			if slot.at < t {
				return -1
			}
			return 1
		})
		return i
	}
	i, k := at(begin), at(end)
	out := &Squeezed{
		Before: phase(s.slots[:i]), During: phase(s.slots[i:k]), After: phase(s.slots[k:]),
		Freeze: inMS(freeze(span{start: begin, end: s.end}, all)), SizeBack: Never, LatencyBack: Never,
	}
	within := int64(math.MaxInt64)
	if p := out.Before.Latency; p != nil {
		within = int64(float64(p.P99)*1e3) + 10_000
	}
	const window = 500_000 // µs
	for n := k; n < len(s.slots); n++ {
		from := s.slots[n].at
		if from+window > s.end {
			break
		}
		part := s.slots[n:at(from+window)]
		if out.SizeBack == Never && phase(part).Bytes >= .9*out.Before.Bytes {
			out.SizeBack = Figure(inMS(max(0, from-end)))
		}
		good := 0
		for _, slot := range part {
			if f := slot.frame; f != nil && f.shown && f.latency() <= within {
				good++
			}
		}
		if out.LatencyBack == Never && ratio(good, len(part)) >= .9 {
			out.LatencyBack = Figure(inMS(max(0, from-end)))
		}
	}
	return out
}

func phase(slots []slot) Phase {
	p := Phase{Due: len(slots)}
	var latencies []int64
	bytes, encoded := 0, 0
	for _, s := range slots {
		f := s.frame
		if f == nil {
			continue
		}
		if f.bytes > 0 {
			bytes, encoded = bytes+f.bytes, encoded+1
		}
		if f.shown {
			latencies = append(latencies, max(0, f.latency()))
		}
	}
	slices.Sort(latencies)
	p.Shown, p.Latency = len(latencies), percentiles(latencies, len(latencies))
	if encoded > 0 {
		p.Bytes = float64(bytes) / float64(encoded)
	}
	return p
}

// squeezeTables tell what squeezes did, one of shares and latencies, one of sizes and of the
// way back; nil when nothing was squeezed. Figures are medians of the runs, with their
// ranges if there is room.
func squeezeTables(groups [][]*Summary, room bool) (tables []plainTable) {
	one := plainTable{
		title: "The squeeze",
		note:  "before / during / after it, by when a frame was due",
		head:  []string{placeHead(groups), "transport", "whole %", "p50 ms", "p99 ms", "max ms"},
	}
	two := plainTable{
		title: "Sizes by the same, and how it came back",
		note:  "the longest freeze from the squeeze's begin on, and how long after its end JPEGs were nine tenths as large as before, and frames as soon, for half a second",
		head:  []string{placeHead(groups), "transport", "mean JPEG kB", "freeze ms", "size back s", "latency back s"},
	}
	for _, group := range groups {
		where := plain(swept(group[0]))
		for _, s := range group {
			of := func(value func(*Squeezed) float64) (Spread, bool) {
				var values []float64
				for _, run := range s.runs {
					if q := run.Stats.Squeeze; q != nil {
						if v := value(q); !math.IsNaN(v) {
							values = append(values, v)
						}
					}
				}
				if len(values) == 0 {
					return Spread{}, false
				}
				return spread(values), true
			}
			cell := func(f figure, scale float64, value func(*Squeezed) float64) string {
				v, ok := of(func(q *Squeezed) float64 { return value(q) * scale })
				switch {
				case !ok:
					return "–"
				case !room:
					v = Spread{Median: v.Median}
				}
				return v.text(f)
			}
			phases := func(f figure, scale float64, value func(Phase) float64) string {
				text := ""
				for i, pick := range []func(*Squeezed) Phase{func(q *Squeezed) Phase { return q.Before }, func(q *Squeezed) Phase { return q.During }, func(q *Squeezed) Phase { return q.After }} {
					if i > 0 {
						text += " / "
					}
					text += cell(f, scale, func(q *Squeezed) float64 { return value(pick(q)) })
				}
				return text
			}
			if _, ok := of(func(*Squeezed) float64 { return 0 }); !ok {
				continue
			}
			latency := func(pick func(*Percentiles) Figure) func(Phase) float64 {
				return func(p Phase) float64 {
					if p.Latency == nil {
						return math.NaN()
					}
					return float64(pick(p.Latency))
				}
			}
			ms := figure{unit: "ms"}
			one.rows = append(one.rows, []string{where, s.Name(), phases(figure{unit: "share"}, 1, Phase.shown),
				phases(ms, 1, latency(func(p *Percentiles) Figure { return p.P50 })),
				phases(ms, 1, latency(func(p *Percentiles) Figure { return p.P99 })),
				phases(ms, 1, latency(func(p *Percentiles) Figure { return p.Max }))})
			two.rows = append(two.rows, []string{where, s.Name(), phases(ms, 1e-3, func(p Phase) float64 { return p.Bytes }),
				cell(ms, 1, func(q *Squeezed) float64 { return q.Freeze }),
				cell(ms, 1e-3, func(q *Squeezed) float64 { return float64(q.SizeBack) }),
				cell(ms, 1e-3, func(q *Squeezed) float64 { return float64(q.LatencyBack) })})
			where = ""
		}
	}
	if len(one.rows) == 0 {
		return nil
	}
	return []plainTable{one, two}
}

// check refuses what cannot be.
func (q *Squeezed) check() bool {
	if q == nil {
		return true
	}
	for _, p := range []Phase{q.Before, q.During, q.After} {
		if p.Due < 0 || p.Shown < 0 || p.Shown > p.Due || !(p.Bytes >= 0 && p.Bytes <= 1e12) {
			return false
		}
	}
	return q.Freeze >= 0 && q.Freeze <= maxMS && q.SizeBack >= 0 && q.LatencyBack >= 0
}
