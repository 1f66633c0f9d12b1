package bench

import (
	"cmp"
	"slices"
)

// Stages is where the time of the frames went that were shown and of which all times
// are known. The package comment says where each begins and ends.
type Stages struct {
	Frames int `json:"frames"`

	Mean StageTimes `json:"mean_ms"`
	// Slowest is the mean over the slowest twentieth of them, one at least: what a bad
	// frame waited for.
	Slowest StageTimes `json:"slowest_5_percent_ms"`

	Encode  Percentiles `json:"encode_ms"`
	Send    Percentiles `json:"send_ms"`
	Network Percentiles `json:"network_ms"`
	Decode  Percentiles `json:"decode_ms"`

	FirstByte Percentiles `json:"first_byte_ms"` // captured → first; overlaps the stages
	Arrival   Percentiles `json:"arrival_ms"`    // first → complete; overlaps the stages
}

// StageTimes add up to the latency, in ms. Network is negative when the clocks are
// further apart than was known.
type StageTimes struct {
	Encode  float64 `json:"encode"`
	Send    float64 `json:"send"`
	Network float64 `json:"network"`
	Decode  float64 `json:"decode"`
}

// stageNames are in the order of StageTimes.list.
var stageNames = []string{"encode", "send", "network", "decode"}

func (t StageTimes) list() []float64 { return []float64{t.Encode, t.Send, t.Network, t.Decode} }

// split is the latency of a frame in its stages, µs.
func (f *frame) split() [4]int64 {
	sent := max(f.encoded, min(f.sent, f.complete))
	return [4]int64{f.encoded - f.captured, sent - f.encoded, f.complete - sent, f.decoded - f.complete}
}

func stages(shown []*frame) *Stages {
	known := slices.DeleteFunc(slices.Clone(shown), func(f *frame) bool {
		return f.encoded == 0 || f.sent == 0 || f.first == 0 || f.complete == 0
	})
	n := len(known)
	if n == 0 {
		return nil
	}
	slices.SortStableFunc(known, func(a, b *frame) int { return cmp.Compare(a.latency(), b.latency()) })
	of := func(value func(*frame) int64) Percentiles {
		values := make([]int64, n)
		for i, f := range known {
			values[i] = max(0, value(f))
		}
		slices.Sort(values)
		return *percentiles(values, n)
	}
	stage := func(i int) Percentiles { return of(func(f *frame) int64 { return f.split()[i] }) }
	return &Stages{
		Frames: n, Mean: mean(known), Slowest: mean(known[n-max(1, n/20):]),
		Encode: stage(0), Send: stage(1), Network: stage(2), Decode: stage(3),
		FirstByte: of(func(f *frame) int64 { return f.first - f.captured }),
		Arrival:   of(func(f *frame) int64 { return f.complete - f.first }),
	}
}

func mean(frames []*frame) StageTimes {
	var sum [4]int64
	for _, f := range frames {
		for i, us := range f.split() {
			sum[i] += us
		}
	}
	of := func(i int) float64 { return float64(sum[i]) / float64(len(frames)) / 1e3 }
	return StageTimes{of(0), of(1), of(2), of(3)}
}

// stageTable tells how the latency splits at every point, in medians of the runs.
func stageTable(groups [][]*Summary) plainTable {
	t := plainTable{
		title: "Where the time goes",
		note: "p50 / p99 of each stage in ms, of the frames shown; encode: captured → encoded, send: → all handed to the kernel, " +
			"network: → complete at the viewer, decode: → decoded. Arrival, first byte → complete, overlaps send and network",
		head: []string{placeHead(groups), "transport"},
	}
	columns := append(slices.Clone(stageNames), "arrival")
	for _, name := range columns {
		t.head = append(t.head, name+" ms")
	}
	for _, group := range groups {
		where := plain(swept(group[0]))
		for _, s := range group {
			row := []string{where, s.Name()}
			for _, name := range columns {
				p50, ok := s.Figures[name+"_p50_ms"]
				if !ok {
					break
				}
				row = append(row, short(float64(p50.Median))+" / "+short(float64(s.Figures[name+"_p99_ms"].Median)))
			}
			if len(row) == len(t.head) {
				t.rows, where = append(t.rows, row), ""
			}
		}
	}
	return t
}
