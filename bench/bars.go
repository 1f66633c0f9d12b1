package bench

import (
	"math"
	"slices"
	"strings"
)

// bar is a row of a bar plot.
type bar struct {
	series int
	name   string
	parts  []part
	lo, hi float64 // range of the repeats, drawn when hi > lo
	label  string  // behind the bar
}

// sum is how long it is.
func (b bar) sum() (sum float64) {
	for _, p := range b.parts {
		sum += max(0, p.value)
	}
	return sum
}

// part of a bar, with the class that colours it.
type part struct {
	class string
	name  string
	value float64
}

// bars draws rows under a heading for each place. Where the longest would leave no room
// to see the shortest, rows of several parts are all drawn equally long: then it is the
// proportions that they show.
func bars(id, title, unit string, headings []string, rows [][]bar) string {
	const (
		left   = 108
		height = 22 // of a row
		head   = 24 // of a heading
	)
	least, most, total := math.Inf(1), 0.0, 0.0
	several := false
	var says []string
	for i, group := range rows {
		total += head + height*float64(len(group))
		for _, b := range group {
			least, most = min(least, b.sum()), max(most, b.sum(), b.hi)
			several = several || len(b.parts) > 1
			says = append(says, headings[i]+", "+b.name+": "+b.label)
		}
	}
	scale := func(bar) float64 { return 1 }
	x := linearAxis(unit, most*1.02)
	if several && most > 5*least {
		scale = func(b bar) float64 { return 1 / max(b.sum(), 1e-9) }
		x = percentAxis("share of the latency, %")
	}
	d := begin(id, 560, total+58, title, strings.Join(says, "; ")+".")
	x.a, x.b = left, d.w-86
	foot := total + 6
	d.group("axes")
	for _, t := range x.ticks {
		d.line("grid", x.to(t.at), 8, x.to(t.at), foot)
		d.text("tick", "middle", x.to(t.at), foot+17, t.label)
	}
	d.line("base", x.a, 8, x.a, foot)
	d.text("label", "middle", (x.a+x.b)/2, d.h-5, x.label)
	d.ungroup()
	y := 0.0
	for i, group := range rows {
		y += head
		d.text("heading", "start", 0, y-4, cut(headings[i], 60))
		for _, b := range group {
			d.group(colour(b.series), "data-series", b.name, "data-place", headings[i])
			d.text("row", "end", x.a-8, y+height/2+4, b.name)
			at, end := 0.0, 0.0
			for _, p := range b.parts {
				length := max(0, p.value) * scale(b)
				width := x.to(at+length) - x.to(at)
				says := b.name + ", " + p.name + ": " + short(p.value) + " " + unit
				d.group("part", "data-part", p.name, "data-value", exact(p.value))
				d.rect(p.class, x.to(at)+.5, y+3, width-1, height-6, says)
				inside := p.name + " " + short(p.value)
				if width < 8+6.2*float64(len(inside)) {
					inside = short(p.value)
				}
				if len(b.parts) > 1 && width > 8+6.2*float64(len(inside)) {
					d.text("inside", "middle", x.to(at)+width/2, y+height/2+4, inside)
				}
				d.ungroup()
				at += length
				end = x.to(at)
			}
			if b.hi > b.lo {
				mid := y + height/2
				d.path("range", "M"+px(x.to(b.lo))+" "+px(mid)+"H"+px(x.to(b.hi))+"M"+px(x.to(b.lo))+" "+px(mid-3)+"v6M"+px(x.to(b.hi))+" "+px(mid-3)+"v6")
				end = max(end, x.to(b.hi))
			}
			d.text("total", "start", end+6, y+height/2+4, b.label)
			d.ungroup()
			y += height
		}
	}
	return d.end()
}

// headings of bar plots are the places.
func headings(groups [][]*Summary) []string {
	all := make([]string, len(groups))
	for i, group := range groups {
		all[i] = group[0].where()
	}
	return all
}

// stageBars draws where the time went, of the run in the middle: of the mean frame, or
// of the slowest ones.
func stageBars(id, title string, groups [][]*Summary, series []string, pick func(*Stages) StageTimes) string {
	rows := make([][]bar, len(groups))
	for i, group := range groups {
		for _, s := range group {
			run := s.typical()
			if run == nil || run.Stats.Stages == nil {
				continue
			}
			b := bar{series: slices.Index(series, s.Name()), name: s.Name()}
			sum := 0.0
			for n, v := range pick(run.Stats.Stages).list() {
				b.parts = append(b.parts, part{"stage-" + stageNames[n], stageNames[n], v})
				sum += v
			}
			b.label = short(sum) + " ms"
			rows[i] = append(rows[i], b)
		}
	}
	return bars(id, title, "ms", headings(groups), rows)
}

// figureBars draws a figure, with the range of the repeats.
func figureBars(id, title, name string, groups [][]*Summary, series []string) string {
	f := by(name)
	rows := make([][]bar, len(groups))
	for i, group := range groups {
		for _, s := range group {
			if v, ok := s.Figures[name]; ok && v.Max != Never {
				rows[i] = append(rows[i], bar{
					series: slices.Index(series, s.Name()), name: s.Name(), lo: float64(v.Min), hi: float64(v.Max),
					parts: []part{{"fill", f.title, float64(v.Median)}}, label: short(float64(v.Median)),
				})
			}
		}
	}
	return bars(id, title, f.unit, headings(groups), rows)
}
