package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// verdictList is a list of cells with what stands above it.
type verdictList struct {
	title string
	cells []CellVerdict
}

// lists are the verdicts of a matrix. Those that are empty are left out.
func (m *Matrix) lists() []verdictList {
	all := []verdictList{
		{"FAILED: udp shows nothing where tcp shows something", m.Failed()},
		{"Behind tcp: cells in which tcp shows more of the frames within 200 ms, by more than 2 points", m.Behind()},
		{"Not measured", m.Unmeasured()},
	}
	return slices.DeleteFunc(all, func(l verdictList) bool { return len(l.cells) == 0 })
}

// matrixLegend explains the cells of a table.
const matrixLegend = "In each column: the time from the capture of the first frame due to the first picture shown, " +
	"in ms, and the share of the frames due that were decoded within 200 ms of their capture, in %. " +
	"Frames are due by the schedule from the first one captured on, over udp subscribe from the start of the " +
	"viewer's process on; what the sender left out was not shown."

// WriteMatrixText writes the tables and the verdicts for a terminal.
func WriteMatrixText(w io.Writer, m *Matrix) error {
	out := bufio.NewWriter(w)
	line := func(indent, text string) {
		for _, l := range wrap(indent, plain(text)) {
			out.WriteString(l + "\n")
		}
	}
	if len(m.Runs) == 0 {
		line("", "nothing was measured")
		return out.Flush()
	}
	line("", matrixLegend)
	line("", m.counts())
	for _, t := range m.tables() {
		out.WriteString("\n" + t.title + "\n\n")
		for _, row := range aligned(append([][]string{t.head}, brieflyNamed(t.rows)...), false) {
			out.WriteString(row + "\n")
		}
	}
	for _, list := range m.lists() {
		out.WriteString("\n")
		line("", fmt.Sprintf("%s (%d)", list.title, len(list.cells)))
		for _, v := range list.cells {
			line("  ", v.Cell.String()+": "+v.Says)
		}
	}
	return out.Flush()
}

// WriteMatrixMarkdown writes the same, to be pasted into a document.
func WriteMatrixMarkdown(w io.Writer, m *Matrix) error {
	out := bufio.NewWriter(w)
	if len(m.Runs) == 0 {
		out.WriteString("Nothing was measured.\n")
		return flushed(out)
	}
	paragraph := func(text string) { fmt.Fprintf(out, "%s\n\n", markdown(text)) }
	fmt.Fprintf(out, "    %s\n\n", strings.Join(strings.Fields(plain(m.Meta.Command)), " "))
	paragraph(fmt.Sprintf("%s; %v; framegram %s, %s.",
		m.Meta.Time.UTC().Format("2006-01-02 15:04 UTC"), m.Meta.Machine, m.Meta.Version, m.Meta.Go))
	paragraph(matrixLegend)
	paragraph(m.counts())
	for _, t := range m.tables() {
		fmt.Fprintf(out, "### %s\n\n", markdown(t.title))
		writeTable(out, t.head, t.rows, false)
	}
	for _, list := range m.lists() {
		paragraph(fmt.Sprintf("%s (%d):", list.title, len(list.cells)))
		for _, v := range list.cells {
			fmt.Fprintf(out, "- %s\n", markdown(v.Cell.String()+": "+v.Says))
		}
		out.WriteString("\n")
	}
	return flushed(out)
}

// counts sums the matrix up in a line.
func (m *Matrix) counts() string {
	says := fmt.Sprintf("%s of %v in %s: %d failed; udp is behind tcp in %d.",
		count(len(m.Runs), "run"), m.Length, count(len(m.byCell()), "cell"), len(m.Failed()), len(m.Behind()))
	if n := len(m.Unmeasured()); n > 0 {
		says += " " + count(n, "run") + " could not be measured."
	}
	if m.Missed > 0 {
		says += " The user ended it before " + count(m.Missed, "more run") + "."
	}
	return says
}

// tables has one for every picture. Each row names its rate, queue and loss.
func (m *Matrix) tables() (all []plainTable) {
	ways := m.ways()
	head := []string{"rate", "queue", "loss"}
	for _, w := range ways {
		head = append(head, plain(m.name(w)))
	}
	at := map[Picture]int{}
	for _, runs := range m.byCell() {
		c := runs[0].Cell
		i, ok := at[c.Picture]
		if !ok {
			i = len(all)
			at[c.Picture] = i
			all = append(all, plainTable{title: c.Picture.String(), head: head})
		}
		row := []string{c.rate(), c.Queue.String(), c.loss()}
		for _, w := range ways {
			row = append(row, cellText(runs, w))
		}
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

// cellText is what a way has achieved: "52 / 98.3".
func cellText(runs []*CellRun, w way) string {
	i := slices.IndexFunc(runs, func(r *CellRun) bool { return r.way() == w })
	switch {
	case i < 0:
		return "–"
	case runs[i].Err != "":
		return "not measured"
	case runs[i].First == nil:
		return "none / 0"
	}
	return fmt.Sprintf("%.0f / %s", math.Round(*runs[i].First), percent(runs[i].Prompt))
}

// brieflyNamed are the rows without the rate and the queue where the row before has the same.
func brieflyNamed(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = slices.Clone(row)
		if i > 0 && rows[i-1][0] == row[0] {
			out[i][0] = ""
			if rows[i-1][1] == row[1] {
				out[i][1] = ""
			}
		}
	}
	return out
}
