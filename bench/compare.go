package bench

import (
	"bufio"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// WriteCompare writes what changed from a to b: a block for every point that both have,
// the points that only one has, and what else differs between the two.
func WriteCompare(w io.Writer, a, b *Report) error {
	out := bufio.NewWriter(w)
	line := func(indent, text string) {
		for _, l := range wrap(indent, plain(text)) {
			out.WriteString(l + "\n")
		}
	}
	for _, says := range differences(a.Meta, b.Meta) {
		line("", "! "+says)
	}
	before, after := Summarise(a), Summarise(b)
	same := func(p Point) Point { // however long it was measured
		p.Scenario.Length, p.Scenario.Warmup = Duration{}, Duration{}
		return p
	}
	later := map[Point]*Summary{}
	for _, s := range after {
		later[same(s.Point)] = s
	}
	common := 0
	scenario := ""
	for _, s := range before {
		t := later[same(s.Point)]
		if t == nil {
			continue
		}
		common++
		says := "sending " + s.Scenario.String()
		if t.Scenario != s.Scenario {
			says += " → " + t.Scenario.Length.String() + " a run after " + t.Scenario.Warmup.String()
		}
		if says != scenario {
			scenario = says
			out.WriteString("\n")
			line("", says)
		}
		out.WriteString("\n")
		line("", s.place()+runsOf(s, t))
		for _, row := range changes(s, t) {
			out.WriteString(row + "\n")
		}
	}
	if common == 0 {
		line("", "the two reports have no point in common")
	}
	only := func(which string, all []*Summary, other []*Summary) {
		for _, s := range all {
			found := false
			for _, o := range other {
				found = found || same(o.Point) == same(s.Point)
			}
			if !found {
				line("", "only in the "+which+": "+s.place()+" ("+s.Scenario.String()+")")
			}
		}
	}
	out.WriteString("\n")
	only("first", before, after)
	only("second", after, before)
	line("", "Medians of the runs (lowest–highest, where they differ). A change is clear when the runs of before and after do not overlap, in more than one run each.")
	return out.Flush()
}

// changes are the rows of one point.
func changes(s, t *Summary) []string {
	rows := [][]string{}
	names := []string{"share_within_deadline", "share_shown", "latency_p50_ms", "latency_p99_ms", "latency_max_ms", "freeze_ms",
		"jitter_ms", "encode_mean_ms", "send_mean_ms", "network_mean_ms", "decode_mean_ms",
		"goodput_mbit_s", "jpeg_mean_kb", "wire_per_payload", "sender_cpu_cores", "viewer_cpu_cores", "sender_rss_peak_mib", "viewer_rss_peak_mib"}
	for _, name := range names {
		f := by(name)
		x, okX := s.Figures[name]
		y, okY := t.Figures[name]
		if !okX && !okY {
			continue
		}
		row := []string{f.title, "–", "→", "–", f.unit, "", ""}
		if f.unit == "share" {
			row[4] = "%"
		}
		if okX {
			row[1] = x.text(f)
		}
		if okY {
			row[3] = y.text(f)
		}
		if okX && okY {
			row[5] = change(f, float64(x.Median), float64(y.Median))
			row[6] = judgement(f, x, y, max(s.bound(), t.bound()))
		}
		rows = append(rows, row)
	}
	widths := make([]int, 7)
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		l := " "
		for i, cell := range row {
			l += " " + pad(cell, widths[i])
		}
		lines[n] = strings.TrimRight(l, " ")
	}
	return lines
}

// change is the difference: in points for shares, in percent for all others.
func change(f figure, x, y float64) string {
	sign := func(v float64, unit string) string {
		s := short(v) + unit
		if v > 0 {
			s = "+" + s
		}
		return s
	}
	switch d := y - x; {
	case math.IsNaN(d) || math.IsInf(d, 0):
		return ""
	case f.unit == "share":
		return sign(d*100, " points")
	case x != 0:
		return sign(d/x*100, " %")
	default:
		return sign(d, "")
	}
}

func judgement(f figure, x, y Spread, bound float64) string {
	switch {
	case !isClear(f, x, y, bound):
		return "no clear change"
	case x.Runs < 2 || y.Runs < 2:
		return "may be chance"
	case !f.good:
		return "clear"
	case (y.Median < x.Median) == f.less:
		return "better"
	default:
		return "worse"
	}
}

func runsOf(s, t *Summary) string {
	say := func(s *Summary) string {
		n := count(s.Runs, "run")
		if s.Failed > 0 {
			n += " and " + number(s.Failed) + " failed"
		}
		return n
	}
	return " (" + say(s) + " → " + say(t) + ")"
}

// differences say why the two may not be comparable.
func differences(a, b Meta) (says []string) {
	differ := func(what, x, y string) {
		if x != y {
			says = append(says, what+" differ: "+x+" → "+y)
		}
	}
	differ("the machines", a.Machine.String(), b.Machine.String())
	peer := func(m *Machine) string {
		if m == nil {
			return "none"
		}
		return m.String()
	}
	differ("the sender's machines", peer(a.Peer), peer(b.Peer))
	differ("the versions of framegram", a.Version, b.Version)
	differ("the versions of Go", a.Go, b.Go)
	differ("the seeds", number(int(a.Seed)), number(int(b.Seed)))
	differ("the commands", a.Command, b.Command)
	return says
}

func (m Machine) String() string {
	return m.CPU + ", " + count(m.Cores, "core") + ", " + m.OS + ", " + m.Kernel
}
