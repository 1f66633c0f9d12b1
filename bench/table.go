package bench

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// width of the terminal that a table fits.
const width = 100

// column of the table: a figure, how it is headed, and how soon its spread is dropped
// when there is no room: the highest first.
type column struct {
	head, figure string
	drop         int
}

// columns stand behind the place and the transport.
var columns = []column{
	{"in time %", "share_within_deadline", 0},
	{"whole %", "share_shown", 4},
	{"arrived %", "share_arrived", 7},
	{"p50 ms", "latency_p50_ms", 3},
	{"p99 ms", "latency_p99_ms", 1},
	{"freeze ms", "freeze_ms", 2},
	{"wire ×", "wire_per_payload", 5},
	{"CPU", "cpu_cores", 6},
}

// WriteText writes the report for a terminal: the table, a row for every point and
// transport, what went wrong, and the verdicts.
func WriteText(w io.Writer, r *Report) error {
	out := bufio.NewWriter(w)
	line := func(indent, text string) {
		for _, l := range wrap(indent, plain(text)) {
			out.WriteString(l + "\n")
		}
	}
	all := Summarise(r)
	if len(all) == 0 {
		line("", "nothing was measured")
		return out.Flush()
	}
	for _, says := range setting(all) {
		line("", says)
	}
	if says := r.CutShort(); says != "" {
		line("", "! "+says)
	}
	out.WriteString("\n")
	groups := places(all)
	for _, row := range table(groups) {
		out.WriteString(row + "\n")
	}
	out.WriteString("\n")
	line("", legend(all))
	for _, t := range more(groups, false) {
		out.WriteString("\n")
		line("", t.title+": "+t.note)
		out.WriteString("\n")
		for _, row := range aligned(slices.Concat([][]string{t.head}, t.rows), len(groups) == 1) {
			out.WriteString(row + "\n")
		}
	}
	troubles := r.Troubles()
	if len(troubles) > 0 {
		out.WriteString("\n")
	}
	for _, says := range troubles {
		line("  ", "! "+says)
	}
	out.WriteString("\n")
	for _, says := range Verdicts(r) {
		line("  ", says)
	}
	return out.Flush()
}

// setting says what was sent over which link, once for all points that share it.
func setting(all []*Summary) []string {
	var says []string
	add := func(text string) {
		if len(says) == 0 || says[len(says)-1] != text {
			says = append(says, text)
		}
	}
	for _, s := range all {
		add("sending " + s.Scenario.String())
	}
	for _, s := range all {
		switch base := s.base(); {
		case s.Sweep.Key == "":
			add("over " + base)
		case base == "":
			add("over a link with " + s.Sweep.Key + " as listed")
		default:
			add("over " + base + ", " + s.Sweep.Key + " as listed")
		}
	}
	return says
}

// legend explains the table.
func legend(all []*Summary) string {
	deadline := brief(all[0].Scenario.deadline())
	for _, s := range all {
		if brief(s.Scenario.deadline()) != deadline {
			deadline = "the scenario's deadline"
		}
	}
	says := "in time: share of the frames due that were decoded within " + deadline + " of capture; whole: that were shown at all, before a newer one; " +
		"arrived: that were complete at the viewer, also those that a newer one overtook before they could be decoded: " +
		"what arrived lacks was never captured, sent or complete, and what whole lacks beside it fell to the viewer's processor; " +
		"p50, p99: latency of those shown; wire: bytes of IP that the sender put on the link for each of JPEG; " +
		"CPU: cores, both ends together. Medians of the runs (lowest–highest, where they differ and there is room)."
	if bound := all[0].bound(); bound > 0 {
		for _, s := range all {
			bound = max(bound, s.bound())
		}
		says += " The ends' clocks are compared to within ±" + short(bound) + " ms, and so are the latencies."
	}
	return says + connects(all)
}

// connects explains how viewers came by the stream, where they were not sent it unasked.
func connects(all []*Summary) (says string) {
	for _, c := range []struct{ name, says string }{
		{"subscribe", " subscribe: the viewer asked the sender for the stream; its frames, those of the warm-up too, " +
			"are due from the start of its process on."},
		{"group", " group: the sender sent to a multicast group, which the viewer had joined."},
	} {
		if slices.ContainsFunc(all, func(s *Summary) bool { return s.Connect == c.name }) {
			says += c.says
		}
	}
	return says
}

// table lays the rows out, a header first.
func table(groups [][]*Summary) []string {
	for spreads := len(columns); ; spreads-- {
		rows := cells(groups, columns, spreads)
		if spreads == 0 || measured(rows) <= width {
			return aligned(rows, len(groups) == 1)
		}
	}
}

// measured is how wide aligned rows are.
func measured(rows [][]string) int {
	total := -2
	for i := range rows[0] {
		total += broadest(rows, i) + 2
	}
	return total
}

func broadest(rows [][]string, column int) (n int) {
	for _, row := range rows {
		n = max(n, utf8.RuneCountInString(row[column]))
	}
	return n
}

// aligned sets the cells below one another. The first two columns, long names, are cut to
// what room the others leave; the first one, of a single place that is told above, is
// left out before the other is cut.
func aligned(rows [][]string, single bool) []string {
	over, names := measured(rows)-width, 2
	if single && over > 0 {
		short := make([][]string, len(rows))
		for i, row := range rows {
			short[i] = row[1:]
		}
		rows, over, names = short, measured(short)-width, 1
	}
	widths := make([]int, len(rows[0]))
	for i := range widths {
		widths[i] = broadest(rows, i)
		if less := max(0, min(over, widths[i]-8)); i < names {
			widths[i], over = widths[i]-less, over-less
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(pad(cell, widths[i]) + "  ")
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// cells are those of a table with these columns, the spread given in so many of them.
func cells(groups [][]*Summary, columns []column, spreads int) [][]string {
	head := []string{"link", "transport"}
	if key := groups[0][0].Sweep.Key; key != "" {
		head[0] = plain(key)
	}
	for _, c := range columns {
		head = append(head, c.head)
	}
	rows := [][]string{append(head, "runs")}
	for _, group := range groups {
		where := plain(group[0].link())
		if s := group[0].Sweep; s.Key != "" {
			where = plain(s.Value)
		}
		for _, s := range group {
			row := []string{where, s.Name()}
			where = ""
			for i, c := range columns {
				f := by(c.figure)
				spread, ok := s.Figures[c.figure]
				switch {
				case !ok && s.Runs == 0 && i == 0:
					row = append(row, "failed")
				case !ok:
					row = append(row, "–")
				case c.drop >= spreads:
					row = append(row, Spread{Median: spread.Median}.text(f))
				default:
					row = append(row, spread.text(f))
				}
			}
			runs := number(s.Runs)
			if s.Failed > 0 {
				runs += " of " + number(s.Runs+s.Failed)
			}
			rows = append(rows, append(row, runs))
		}
	}
	return rows
}

// pad cuts or fills a cell.
func pad(cell string, to int) string {
	if n := utf8.RuneCountInString(cell); n <= to {
		return cell + strings.Repeat(" ", to-n)
	}
	return string([]rune(cell)[:to-1]) + "…"
}

// wrap breaks text at spaces into lines of at most width. All but the first are
// indented by two more spaces.
func wrap(indent, text string) (lines []string) {
	line := indent
	used := utf8.RuneCountInString(line)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			line += word
			used += n
		case used+1+n > width:
			lines = append(lines, line)
			line = indent + "  " + word
			used = utf8.RuneCountInString(line)
		default:
			line += " " + word
			used += 1 + n
		}
	}
	return append(lines, line)
}
