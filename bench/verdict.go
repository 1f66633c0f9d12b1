package bench

import (
	"math"
	"slices"
	"strings"
)

// question is what people ask a comparison.
type question struct {
	asks   string
	figure string
	after  string // what stands behind the numbers
}

// questions beside the first one, which Verdicts answers point by point.
var questions = []question{
	{"Typical latency", "latency_p50_ms", " (p50 of the frames shown, however few)"},
	{"Slow frames", "latency_p99_ms", " (p99 of the frames shown, however few)"},
	{"Longest freeze", "freeze_ms", ""},
	{"Processor", "cpu_cores", " (both ends together)"},
}

// Verdicts answers, a line each, who shows more frames in time at each point, and who
// is ahead in latency, freezes and processor time.
//
// Who is ahead must be so in every repeat: where the spreads overlap, or the difference
// is too small to matter or to be known, there is no clear difference. Of one run each
// nothing is claimed, for nobody knows what a second one would say.
func Verdicts(r *Report) []string {
	groups := places(Summarise(r))
	var lines []string
	for _, group := range groups {
		if line := inTime(group); line != "" {
			lines = append(lines, line)
		}
	}
	for _, q := range questions {
		if line := q.answer(groups); line != "" {
			lines = append(lines, line)
		}
	}
	return chanceOnce(lines, groups)
}

// inTime answers the first question at one place.
func inTime(group []*Summary) string {
	f := figures[0]
	v := judge(f, group)
	if len(v.order) == 0 {
		return ""
	}
	var parts []string
	for i, s := range v.order {
		part := s.Name() + " "
		if i == 0 {
			part += "shows "
		}
		part += s.Figures[f.name].with(f)
		if i == 0 {
			part += " of the frames due within " + brief(group[0].Scenario.deadline())
		}
		parts = append(parts, part)
	}
	line := "In time at " + group[0].where() + ": " + strings.Join(parts, ", ")
	if says := v.says(); says != "" {
		line += ": " + says
	}
	return line + "."
}

// answer sums up all places, those with the same outcome together; of the last of
// these it gives the numbers.
func (q question) answer(groups [][]*Summary) string {
	f := by(q.figure)
	type outcome struct {
		says   string
		places []string
		last   verdict
	}
	var outcomes []*outcome
	for _, group := range groups {
		v := judge(f, group)
		if len(v.order) < 2 {
			continue
		}
		says := v.says()
		i := slices.IndexFunc(outcomes, func(o *outcome) bool { return o.says == says })
		if i < 0 {
			i = len(outcomes)
			outcomes = append(outcomes, &outcome{says: says})
		}
		outcomes[i].places = append(outcomes[i].places, group[0].where())
		outcomes[i].last = v
	}
	var parts []string
	for _, o := range outcomes {
		var numbers []string
		for _, s := range o.last.order {
			n := s.Figures[f.name]
			if len(groups) > 1 { // the table has the ranges
				n = Spread{Median: n.Median}
			}
			numbers = append(numbers, s.Name()+" "+n.with(f))
		}
		at := ": "
		if len(groups) > 1 {
			at = " at " + list(shared(o.places)) + " ("
			if len(o.places) == len(groups) {
				at = " everywhere ("
			}
			if len(o.places) > 1 {
				at += "at " + swept(o.last.order[0]) + ": "
			}
		}
		part := o.says + at + strings.Join(numbers, ", ")
		if len(groups) > 1 {
			part += ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return q.asks + q.after + ": " + strings.Join(parts, "; ") + "."
}

// shared says what all places begin with only once: "loss 0", "1%" and "2%".
func shared(places []string) []string {
	key, _, ok := strings.Cut(places[0], " ")
	if !ok {
		return places
	}
	out := slices.Clone(places)
	for i, p := range out[1:] {
		rest, ok := strings.CutPrefix(p, key+" ")
		if !ok {
			return places
		}
		out[i+1] = rest
	}
	return out
}

// verdict is the order of those who have the figure, best first. The leaders are the
// first so many: nobody among them is clearly behind the first.
type verdict struct {
	group   []*Summary
	order   []*Summary
	leaders int
	chance  bool // somebody was measured only once
	nobody  bool // even the best has none of a share, or never
}

func judge(f figure, group []*Summary) verdict {
	v := verdict{group: group}
	for _, s := range group {
		if spread, ok := s.Figures[f.name]; ok {
			v.order = append(v.order, s)
			v.chance = v.chance || spread.Runs < 2
		}
	}
	if len(v.order) == 0 {
		return v
	}
	slices.SortStableFunc(v.order, func(a, b *Summary) int {
		x, y := a.Figures[f.name].Median, b.Figures[f.name].Median
		if !f.less {
			x, y = y, x
		}
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	best := v.order[0]
	first := best.Figures[f.name]
	v.nobody = f.less && first.Median == Never || !f.less && first.Median == 0
	v.leaders = 1
	for _, s := range v.order[1:] {
		if isClear(f, first, s.Figures[f.name], max(best.bound(), s.bound())) {
			break
		}
		v.leaders++
	}
	return v
}

// bound is how wrong latencies can be for the clocks, ms.
func (s *Summary) bound() (bound float64) {
	for _, r := range s.runs {
		if r.Stats.ClockBound != nil {
			bound = max(bound, *r.Stats.ClockBound)
		}
	}
	return bound
}

// isClear reports whether every run of one is away from every run of the other, by more
// than matters and, for times, than twice the bound of the clocks.
func isClear(f figure, a, b Spread, bound float64) bool {
	if a.Max >= b.Min && b.Max >= a.Min {
		return false
	}
	x, y := float64(a.Median), float64(b.Median)
	apart := math.Abs(x - y) // +Inf when one of them is never
	if math.IsInf(apart, 1) {
		return true
	}
	switch f.unit {
	case "share":
		return apart > 0.005
	case "ms":
		return apart > max(0.1, 0.02*max(x, y), 2*bound)
	case "faults":
		return apart > max(1, 0.02*max(x, y)) // the runtime's own few are chance
	}
	return apart > 0.02*max(x, y)
}

// says is the outcome in words; empty when there is nobody to compare with.
func (v verdict) says() string {
	name := func(some []*Summary) string { // in the group's order, so that the same outcome reads the same
		var found []string
		for _, s := range v.group {
			if slices.Contains(some, s) {
				found = append(found, s.Name())
			}
		}
		return list(found)
	}
	switch {
	case len(v.order) < 2:
		return ""
	case v.nobody:
		return "nobody does"
	case v.leaders == len(v.order):
		return "no clear difference"
	case v.chance:
		return chance
	case v.leaders == 1:
		return v.order[0].Name() + " is ahead"
	default:
		return "no clear difference between " + name(v.order[:v.leaders]) + ", which are ahead of " + name(v.order[v.leaders:])
	}
}

// with is text, the unit behind the median: "81.0 % (79.2–83.1)".
func (s Spread) with(f figure) string {
	median, spread, several := strings.Cut(s.text(f), " ")
	if median != "never" {
		median += " " + unit(f)
	}
	if several {
		median += " " + spread
	}
	return median
}

// text is the median and, of several runs that differ, the range.
func (s Spread) text(f figure) string {
	write := func(v Figure) string {
		if f.unit == "share" {
			return percent(float64(v))
		}
		return short(float64(v))
	}
	if s.Runs < 2 {
		return write(s.Median)
	}
	lowest, highest := write(s.Min), write(s.Max)
	if lowest == highest {
		return lowest
	}
	return write(s.Median) + " (" + lowest + "–" + highest + ")"
}
