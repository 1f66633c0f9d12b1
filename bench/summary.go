package bench

import (
	"math"
	"slices"
)

// Summary is what the repeats at one point say together.
type Summary struct {
	Point
	Runs    int               `json:"runs"`    // without those that failed
	Failed  int               `json:"failed"`  // left out of all figures
	Figures map[string]Spread `json:"figures"` // by the names of the CSV columns; what no run has is missing

	runs []*Result // those that count, as measured
}

// Spread is a figure over the repeats.
type Spread struct {
	Median Figure `json:"median"`
	Min    Figure `json:"min"`
	Max    Figure `json:"max"`
	Runs   int    `json:"runs"` // that have the figure
}

// figure is one of the numbers that every run is judged by.
type figure struct {
	name  string // of the CSV column and in JSON
	title string
	unit  string // "share" is shown as percent
	less  bool   // less is better; without good it is neither
	good  bool
	of    func(*Stats) float64 // NaN = this run has none
}

// figures are all of them, in the order of the CSV columns.
var figures = slices.Concat([]figure{
	{name: "share_within_deadline", title: "in time", unit: "share", good: true, of: func(s *Stats) float64 { return s.within(0) }},
	{name: "share_within_50ms", title: "within 50 ms", unit: "share", good: true, of: func(s *Stats) float64 { return s.within(1) }},
	{name: "share_within_100ms", title: "within 100 ms", unit: "share", good: true, of: func(s *Stats) float64 { return s.within(2) }},
	{name: "share_within_200ms", title: "within 200 ms", unit: "share", good: true, of: func(s *Stats) float64 { return s.within(3) }},
	{name: "share_shown", title: "whole", unit: "share", good: true, of: func(s *Stats) float64 {
		if s.Due == 0 {
			return math.NaN()
		}
		return ratio(s.Shown, s.Due)
	}},
	{name: "share_arrived", title: "arrived", unit: "share", good: true, of: func(s *Stats) float64 {
		if s.Due == 0 || s.Arrived == nil {
			return math.NaN()
		}
		return ratio(*s.Arrived, s.Due)
	}},
}, percentileFigures("latency", "", func(s *Stats) *Percentiles { return s.Latency }),
	percentileFigures("latency_due", " of due", func(s *Stats) *Percentiles { return s.OfDue }),
	stageFigures("encode", func(s *Stages) (float64, Percentiles) { return s.Mean.Encode, s.Encode }),
	stageFigures("send", func(s *Stages) (float64, Percentiles) { return s.Mean.Send, s.Send }),
	stageFigures("network", func(s *Stages) (float64, Percentiles) { return s.Mean.Network, s.Network }),
	stageFigures("decode", func(s *Stages) (float64, Percentiles) { return s.Mean.Decode, s.Decode }),
	percentileFigures("arrival", " of arrival", func(s *Stats) *Percentiles {
		if s.Stages == nil {
			return nil
		}
		return &s.Stages.Arrival
	}),
	[]figure{
		{name: "freeze_ms", title: "longest freeze", unit: "ms", good: true, less: true, of: func(s *Stats) float64 { return s.Freeze }},
		{name: "jitter_ms", title: "jitter", unit: "ms", good: true, less: true, of: func(s *Stats) float64 { return known(s.Jitter) }},
		{name: "interval_stddev_ms", title: "unevenness", unit: "ms", good: true, less: true, of: func(s *Stats) float64 { return known(s.Unevenness) }},
		{name: "fps", title: "shown a second", unit: "fps", good: true, of: func(s *Stats) float64 { return s.FPS }},
		{name: "goodput_mbit_s", title: "goodput", unit: "Mbit/s", of: func(s *Stats) float64 { return s.Goodput }},
		{name: "jpeg_mean_kb", title: "mean JPEG", unit: "kB", of: func(s *Stats) float64 { return known(s.JPEG) }},
		{name: "wire_per_payload", title: "wire per payload", good: true, less: true, of: func(s *Stats) float64 { return known(s.Overhead) }},
		{name: "sender_cpu_cores", title: "sender CPU", unit: "cores", good: true, less: true, of: func(s *Stats) float64 { return known(s.SenderCPU) }},
		{name: "viewer_cpu_cores", title: "viewer CPU", unit: "cores", good: true, less: true, of: func(s *Stats) float64 { return known(s.ViewerCPU) }},
		{name: "cpu_cores", title: "CPU of both", unit: "cores", good: true, less: true, of: func(s *Stats) float64 { return known(s.SenderCPU) + known(s.ViewerCPU) }},
		{name: "sender_rss_peak_mib", title: "sender memory", unit: "MiB", good: true, less: true, of: func(s *Stats) float64 { return known(s.SenderMemory) }},
		{name: "viewer_rss_peak_mib", title: "viewer memory", unit: "MiB", good: true, less: true, of: func(s *Stats) float64 { return known(s.ViewerMemory) }},
		{name: "sender_faults_per_frame", title: "sender faults/frame", unit: "faults", good: true, less: true, of: func(s *Stats) float64 { return known(s.SenderFaults) }},
		{name: "viewer_faults_per_frame", title: "viewer faults/frame", unit: "faults", good: true, less: true, of: func(s *Stats) float64 { return known(s.ViewerFaults) }},
	})

func percentileFigures(name, of string, get func(*Stats) *Percentiles) []figure {
	one := func(suffix, title string, pick func(*Percentiles) Figure) figure {
		return figure{name: name + suffix + "_ms", title: title + of, unit: "ms", good: true, less: true, of: func(s *Stats) float64 {
			if p := get(s); p != nil {
				return float64(pick(p))
			}
			return math.NaN()
		}}
	}
	return []figure{
		one("_p50", "p50", func(p *Percentiles) Figure { return p.P50 }),
		one("_p90", "p90", func(p *Percentiles) Figure { return p.P90 }),
		one("_p99", "p99", func(p *Percentiles) Figure { return p.P99 }),
		one("_p99_9", "p99.9", func(p *Percentiles) Figure { return p.P999 }),
		one("_max", "max", func(p *Percentiles) Figure { return p.Max }),
	}
}

func stageFigures(name string, get func(*Stages) (float64, Percentiles)) []figure {
	one := func(suffix string, pick func(float64, Percentiles) float64) figure {
		return figure{name: name + suffix + "_ms", title: name + " " + suffix[1:], unit: "ms", good: true, less: true, of: func(s *Stats) float64 {
			if s.Stages == nil {
				return math.NaN()
			}
			return pick(get(s.Stages))
		}}
	}
	return []figure{
		one("_mean", func(mean float64, _ Percentiles) float64 { return mean }),
		one("_p50", func(_ float64, p Percentiles) float64 { return float64(p.P50) }),
		one("_p99", func(_ float64, p Percentiles) float64 { return float64(p.P99) }),
	}
}

func (s *Stats) within(i int) float64 {
	if s.Due == 0 || i >= len(s.Within) {
		return math.NaN()
	}
	return s.Within[i].Share
}

func known(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// by finds a figure.
func by(name string) figure {
	for _, f := range figures {
		if f.name == name {
			return f
		}
	}
	panic("bench: no figure " + name)
}

// Summarise puts the repeats of every point together, in the order in which each was
// first measured.
func Summarise(r *Report) []*Summary {
	var all []*Summary
	for i := range r.Runs {
		run := &r.Runs[i]
		at := slices.IndexFunc(all, func(s *Summary) bool { return s.Point == run.Point })
		if at < 0 {
			at = len(all)
			all = append(all, &Summary{Point: run.Point, Figures: map[string]Spread{}})
		}
		if run.Err != "" {
			all[at].Failed++
		} else {
			all[at].Runs++
			all[at].runs = append(all[at].runs, run)
		}
	}
	for _, s := range all {
		for _, f := range figures {
			var values []float64
			for _, run := range s.runs {
				if v := f.of(&run.Stats); !math.IsNaN(v) {
					values = append(values, v)
				}
			}
			if len(values) > 0 {
				s.Figures[f.name] = spread(values)
			}
		}
	}
	return all
}

// places puts together who was measured at the same place: the same link and scenario,
// whatever the transport.
func places(all []*Summary) [][]*Summary {
	var groups [][]*Summary
	at := map[Point]int{}
	for _, s := range all {
		key := s.Point
		key.Transport, key.Congestion, key.Repair, key.Connect, key.Slices = "", "", "", "", ""
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

// spread of at least one value. The median of an even number is the mean of the two
// in the middle.
func spread(values []float64) Spread {
	slices.Sort(values)
	n := len(values)
	return Spread{
		Median: Figure((values[(n-1)/2] + values[n/2]) / 2),
		Min:    Figure(values[0]), Max: Figure(values[n-1]), Runs: n,
	}
}

// typical is the run whose share in time is in the middle: the one to plot. Nil when
// all failed.
func (s *Summary) typical() *Result {
	if len(s.runs) == 0 {
		return nil
	}
	runs := slices.Clone(s.runs)
	slices.SortStableFunc(runs, func(a, b *Result) int {
		switch x, y := a.Stats.Main().Share, b.Stats.Main().Share; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return runs[len(runs)/2]
}
