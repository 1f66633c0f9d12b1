package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// names are the series of all plots, in the order of their colours: udp first, the
// others as they were measured.
func names(all []*Summary) []string {
	list := []string{}
	for _, s := range all {
		if !slices.Contains(list, s.Name()) {
			list = append(list, s.Name())
		}
	}
	slices.SortStableFunc(list, func(a, b string) int {
		rank := func(name string) int {
			if strings.HasPrefix(name, "udp") {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return list
}

// colour is the class of a series.
func colour(i int) string { return fmt.Sprintf("series s%d", i%palette) }

// area lays both axes into the image.
func (d *drawing) area(x, y *axis) {
	x.a, x.b = 58, d.w-14
	y.a, y.b = d.h-42, 12
}

// value is a point of a line, with the range of its repeats.
type value struct{ at, median, min, max float64 }

// against draws figures against what was swept, a line for each series.
func against(id, title string, f figure, groups [][]*Summary, series []string) string {
	labels := make([]string, len(groups))
	for i, group := range groups {
		labels[i] = cut(swept(group[0]), 14)
	}
	lines := make([][]value, len(series))
	for i, group := range groups {
		for _, s := range group {
			if v, ok := s.Figures[f.name]; ok && v.Median != Never {
				n := slices.Index(series, s.Name())
				lines[n] = append(lines[n], value{float64(i), float64(v.Median), float64(v.Min), float64(v.Max)})
			}
		}
	}
	x := categories(sweptLabel(groups), labels)
	return lined(id, title, f, x, lines, series, labels)
}

// within draws the shares against the deadline, where nothing was swept.
func within(id, title string, group []*Summary, series []string) string {
	var labels []string
	deadlines := []time.Duration{group[0].Scenario.deadline()}
	order := []int{0}
	for i, d := range usual {
		if d != deadlines[0] {
			deadlines = append(deadlines, d)
			order = append(order, i+1)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		at := func(i int) time.Duration {
			if i == 0 {
				return deadlines[0]
			}
			return usual[i-1]
		}
		return int(at(a) - at(b))
	})
	for _, i := range order {
		d := deadlines[0]
		if i > 0 {
			d = usual[i-1]
		}
		labels = append(labels, brief(d))
	}
	lines := make([][]value, len(series))
	for _, s := range group {
		n := slices.Index(series, s.Name())
		for at, i := range order {
			if v, ok := s.Figures[figures[i].name]; ok {
				lines[n] = append(lines[n], value{float64(at), float64(v.Median), float64(v.Min), float64(v.Max)})
			}
		}
	}
	return lined(id, title, figures[0], categories("deadline", labels), lines, series, labels)
}

// lined draws lines with markers and the ranges of the repeats.
func lined(id, title string, f figure, x axis, lines [][]value, series, labels []string) string {
	y := percentAxis("share of the frames due, %")
	if f.unit != "share" {
		least, most := math.Inf(1), 0.0
		for _, line := range lines {
			for _, v := range line {
				least, most = min(least, v.min), max(most, finite(v.max, v.median))
			}
		}
		y = logAxis(f.title+", "+f.unit+" (logarithmic)", .95*finite(least, 1), most)
	}
	d := begin(id, 560, 340, title, describe(f, lines, series, labels))
	d.area(&x, &y)
	d.frame(x, y)
	for i, line := range lines {
		if len(line) == 0 {
			continue
		}
		shift := (float64(i) - float64(len(lines)-1)/2) * 7 // so that ranges do not hide each other
		var path strings.Builder
		least, most := math.Inf(1), math.Inf(-1)
		for n, v := range line {
			if n == 0 || line[n-1].at != v.at-1 {
				path.WriteString("M")
			} else {
				path.WriteString("L")
			}
			path.WriteString(px(x.to(v.at)+shift) + " " + px(y.to(v.median)))
			least, most = min(least, v.median), max(most, v.median)
		}
		d.group(colour(i), "data-series", series[i], "data-points", number(len(line)), "data-min", exact(least), "data-max", exact(most))
		d.path("curve", path.String())
		for _, v := range line {
			at := x.to(v.at) + shift
			if v.max > v.min {
				top, foot := y.to(finite(v.max, y.hi)), y.to(v.min)
				d.path("range", fmt.Sprintf("M%s %sV%sM%s %sh6M%s %sh6", px(at), px(top), px(foot), px(at-3), px(top), px(at-3), px(foot)))
			}
			said := Spread{Figure(v.median), Figure(v.min), Figure(v.max), 2}.text(f)
			d.marker(i, at, y.to(v.median), series[i]+" at "+labels[int(v.at)]+": "+said+" "+unit(f))
		}
		d.ungroup()
	}
	return d.end()
}

// distribution draws how much of what was due was there within x ms; the run in the
// middle thick, other repeats thin. The image is w wide.
func distribution(id, title string, w float64, group []*Summary, series []string, least, most float64) string {
	x := logAxis("captured → decoded, ms (logarithmic)", least, most)
	y := percentAxis("share of the frames due, %")
	var says []string
	for _, s := range group {
		if run := s.typical(); run != nil {
			says = append(says, fmt.Sprintf("%s: %s %% within %s, %s %% ever", s.Name(), percent(run.Stats.Main().Share),
				brief(s.Scenario.deadline()), percent(ratio(run.Stats.Shown, run.Stats.Due))))
		}
	}
	d := begin(id, w, 280, title, strings.Join(says, "; ")+".")
	d.area(&x, &y)
	d.frame(x, y)
	d.deadline(x, y, group[0].Scenario.deadline(), true)
	for _, s := range group {
		i := slices.Index(series, s.Name())
		typical := s.typical()
		for n, run := range s.runs[:min(len(s.runs), 10)] {
			if run != typical {
				d.group(colour(i), "data-series", s.Name(), "data-repeat", number(n+1))
				d.path("curve faint", steps(run.Stats.Curve, x, y))
				d.ungroup()
			}
		}
	}
	for _, s := range group {
		run := s.typical()
		if run == nil || len(run.Stats.Curve.MS) == 0 {
			continue
		}
		c := run.Stats.Curve
		last := len(c.MS) - 1
		i := slices.Index(series, s.Name())
		d.group(colour(i), "data-series", s.Name(), "data-points", number(len(c.MS)),
			"data-min", exact(c.MS[0]), "data-max", exact(c.MS[last]), "data-share", exact(c.Share[last]))
		d.path("curve", steps(c, x, y))
		d.ungroup()
	}
	return d.end()
}

// steps is the path of a distribution, from the foot to the right edge.
func steps(c Curve, x, y axis) string {
	var b strings.Builder
	for i, ms := range c.MS {
		if i == 0 {
			b.WriteString("M" + px(x.to(ms)) + " " + px(y.a))
		} else {
			b.WriteString("H" + px(x.to(ms)))
		}
		b.WriteString("V" + px(y.to(c.Share[i])))
	}
	if len(c.MS) > 0 {
		b.WriteString("H" + px(x.b))
	}
	return b.String()
}

// deadline marks it, across or upright.
func (d *drawing) deadline(x, y axis, deadline time.Duration, upright bool) {
	ms := inMS(deadline.Microseconds())
	if upright && ms > x.lo && ms < x.hi {
		d.line("deadline", x.to(ms), y.a, x.to(ms), y.b)
		d.text("note", "start", x.to(ms)+5, y.a-7, brief(deadline))
	}
	if !upright && ms > y.lo && ms < y.hi {
		d.line("deadline", x.a, y.to(ms), x.b, y.to(ms))
		d.text("note", "end", x.b, y.to(ms)-4, brief(deadline))
	}
}

// overTime draws the latency of every frame of the run in the middle, and below it a
// lane for each series with the frames that were never shown.
func overTime(id, title string, group []*Summary, series []string, least, most float64) string {
	y := logAxis("captured → decoded, ms", least, most)
	seconds, lanes := 0.0, 0
	var says []string
	for _, s := range group {
		run := s.typical()
		if run == nil {
			continue
		}
		lanes++
		if at := run.Stats.Series.At; len(at) > 0 {
			seconds = max(seconds, at[len(at)-1]/1e3)
		}
		says = append(says, fmt.Sprintf("%s: %s of %s never shown, longest freeze %s ms", s.Name(),
			count(run.Stats.Due-run.Stats.Shown, "frame"), number(run.Stats.Due), short(run.Stats.Freeze)))
	}
	const lane = 11
	d := begin(id, 560, 280+float64(lanes)*lane, title, strings.Join(says, "; ")+".")
	x := linearAxis("time since the warm-up, s", seconds)
	x.hi = max(seconds, 1e-3)
	x.ticks = slices.DeleteFunc(x.ticks, func(t tick) bool { return t.at > x.hi*1.001 })
	d.area(&x, &y)
	y.a -= float64(lanes)*lane + 6
	d.frame(x, y)
	n := 0
	for _, s := range group {
		run := s.typical()
		if run == nil {
			continue
		}
		var dots, missed strings.Builder
		top := y.a + 8 + float64(n)*lane
		n++
		points, lost, slowest := 0, 0, 0.0
		for i, at := range run.Stats.Series.At {
			if ms := float64(run.Stats.Series.MS[i]); !math.IsInf(ms, 0) {
				points++
				slowest = max(slowest, ms)
				dots.WriteString("M" + px(x.to(at/1e3)) + " " + px(y.to(ms)) + "h0")
			}
			if m := run.Stats.Series.Missed[i]; m > 0 {
				lost += m
				missed.WriteString("M" + px(x.to(at/1e3)) + " " + px(top) + "v" + number(lane-4))
			}
		}
		i := slices.Index(series, s.Name())
		d.group(colour(i), "data-series", s.Name(), "data-points", number(points), "data-missed", number(lost), "data-max", exact(slowest))
		d.line("lane", x.a, top+lane/2-2, x.b, top+lane/2-2)
		d.path("dots", dots.String())
		d.path("missed", missed.String())
		d.ungroup()
	}
	d.deadline(x, y, group[0].Scenario.deadline(), false)
	d.text("note", "end", x.a-7, y.a+8+float64(lanes)*lane/2+2, "missed")
	return d.end()
}

func cut(text string, to int) string {
	if r := []rune(text); len(r) > to {
		return string(r[:to-1]) + "…"
	}
	return text
}

// swept is what a place is called on an axis.
func swept(s *Summary) string {
	if s.Sweep.Key != "" {
		return s.Sweep.Value
	}
	return s.link()
}

// sweptLabel names the axis.
func sweptLabel(groups [][]*Summary) string {
	key := groups[0][0].Sweep.Key
	for _, group := range groups {
		if group[0].Sweep.Key != key {
			return "link"
		}
	}
	if key == "" {
		return "link"
	}
	return key + ", evenly spaced as it was swept"
}

// describe puts a plot into words.
func describe(f figure, lines [][]value, series, labels []string) string {
	var says []string
	for i, line := range lines {
		var parts []string
		for _, v := range line {
			one := Spread{Median: Figure(v.median)}.text(f)
			parts = append(parts, labels[int(v.at)]+": "+one)
		}
		if len(parts) > 0 {
			says = append(says, series[i]+": "+strings.Join(parts, ", ")+" "+unit(f))
		}
	}
	return strings.Join(says, "; ") + "."
}

func unit(f figure) string {
	if f.unit == "share" {
		return "%"
	}
	return f.unit
}

// finite is v, or otherwise when v is not a number.
func finite(v, otherwise float64) float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return otherwise
	}
	return v
}

// extremes are the least and the greatest latency of all plotted runs, so that panels
// beside each other share their axes.
func extremes(all []*Summary) (least, most float64) {
	least, most = math.Inf(1), 0
	for _, s := range all {
		for _, run := range s.runs {
			if c := run.Stats.Curve; len(c.MS) > 0 {
				least, most = min(least, c.MS[0]), max(most, c.MS[len(c.MS)-1])
			}
			most = max(most, 1.2*inMS(s.Scenario.deadline().Microseconds()))
		}
	}
	return finite(least, 1), most
}
