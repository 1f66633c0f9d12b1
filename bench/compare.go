package bench

import (
	"bufio"
	"io"
	"math"
	"slices"
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
	for i, r := range []*Report{a, b} {
		if says := r.CutShort(); says != "" {
			line("", "! the "+[]string{"first", "second"}[i]+" report was "+says)
		}
	}
	before, after := Summarise(a), Summarise(b)
	pairs := matched(before, after)
	for i, which := range []string{"first", "second"} {
		if unsaid([][]*Summary{before, after}[i], [][]*Summary{after, before}[i]) {
			line("", "! the "+which+" report does not say what its udp did about losses, and the other does: "+
				"the two are compared where each has one udp only, and are not the same thing for sure")
		}
	}
	scenario := ""
	for _, pair := range pairs {
		s, t := pair[0], pair[1]
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
		place := s.place()
		if s.Name() != t.Name() {
			place = s.Name() + " → " + t.place()
		}
		line("", place+runsOf(s, t))
		for _, row := range changes(s, t) {
			out.WriteString(row + "\n")
		}
	}
	if len(pairs) == 0 {
		line("", "the two reports have no point in common")
	}
	out.WriteString("\n")
	for i, all := range [][]*Summary{before, after} {
		for _, s := range all {
			if !slices.ContainsFunc(pairs, func(pair [2]*Summary) bool { return pair[i] == s }) {
				line("", "only in the "+[]string{"first", "second"}[i]+": "+s.place()+" ("+s.Scenario.String()+")")
			}
		}
	}
	line("", "Medians of the runs (lowest–highest, where they differ). A change is clear when the runs of before and after do not overlap, in more than one run each.")
	return out.Flush()
}

// matched are the points that both have, in the order of before. A udp of which it is
// not known what it did about losses is the same as the only udp of the other report at
// its place, if it is the only one of its own; which of several it was nobody knows.
func matched(before, after []*Summary) (pairs [][2]*Summary) {
	at := func(all []*Summary, is func(Point) Point, p Point) (found []*Summary) {
		for _, s := range all {
			if is(s.Point) == is(p) {
				found = append(found, s)
			}
		}
		return found
	}
	for _, s := range before {
		same := at(after, Point.however, s.Point)
		if len(same) == 0 && s.Transport == "udp" && len(at(before, Point.whatever, s.Point)) == 1 {
			same = at(after, Point.whatever, s.Point)
			if len(same) != 1 || s.Repair != "" && same[0].Repair != "" {
				continue
			}
		}
		if len(same) > 0 {
			pairs = append(pairs, [2]*Summary{s, same[len(same)-1]})
		}
	}
	return pairs
}

// however is the point without how long it was measured, and how its link was called.
func (p Point) however() Point {
	p.Scenario.Length, p.Scenario.Warmup = Duration{}, Duration{}
	p.LinkName = ""
	return p
}

// whatever is the point without that, and without what udp did about losses.
func (p Point) whatever() Point {
	p.Repair = ""
	return p.however()
}

// unsaid reports whether some of all are a udp of which it is not said what it did about
// losses, while it is of the other report's at the same place.
func unsaid(all, other []*Summary) bool {
	return slices.ContainsFunc(all, func(s *Summary) bool {
		return s.Transport == "udp" && s.Repair == "" && slices.ContainsFunc(other, func(o *Summary) bool {
			return o.Repair != "" && o.whatever() == s.whatever()
		})
	})
}

// changes are the rows of one point.
func changes(s, t *Summary) []string {
	rows := [][]string{}
	names := []string{"share_within_deadline", "share_shown", "share_arrived", "latency_p50_ms", "latency_p99_ms", "latency_max_ms", "freeze_ms",
		"jitter_ms", "encode_mean_ms", "send_mean_ms", "network_mean_ms", "decode_mean_ms",
		"goodput_mbit_s", "jpeg_mean_kb", "wire_per_payload", "sender_cpu_cores", "viewer_cpu_cores", "sender_rss_peak_mib", "viewer_rss_peak_mib",
		"sender_faults_per_frame", "viewer_faults_per_frame"}
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
