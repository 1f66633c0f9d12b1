package bench

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// plainTable is a table whose first column is a place, empty where it is that of the row
// before.
type plainTable struct {
	title, note string
	head        []string
	rows        [][]string
}

// wide are the columns where there is room: of Markdown.
var wide = []column{
	{head: "whole %", figure: "share_shown"},
	{head: "arrived %", figure: "share_arrived"},
	{head: "in time %", figure: "share_within_deadline"},
	{head: "within 100 ms %", figure: "share_within_100ms"},
	{head: "p50 ms", figure: "latency_p50_ms"},
	{head: "p99 ms", figure: "latency_p99_ms"},
	{head: "max ms", figure: "latency_max_ms"},
	{head: "longest freeze ms", figure: "freeze_ms"},
	{head: "JPEG kB", figure: "jpeg_mean_kb"},
	{head: "wire ×", figure: "wire_per_payload"},
	{head: "CPU sender", figure: "sender_cpu_cores"},
	{head: "CPU viewer", figure: "viewer_cpu_cores"},
	{head: "faults/frame sender", figure: "sender_faults_per_frame"},
	{head: "faults/frame viewer", figure: "viewer_faults_per_frame"},
}

// WriteMarkdown writes the report's tables, with what stands around them, to be pasted
// into a document.
func WriteMarkdown(w io.Writer, r *Report) error {
	out := bufio.NewWriter(w)
	all := Summarise(r)
	if len(all) == 0 {
		out.WriteString("Nothing was measured.\n")
		return flushed(out)
	}
	paragraph := func(text string) { fmt.Fprintf(out, "%s\n\n", markdown(text)) }
	fmt.Fprintf(out, "    %s\n\n", strings.Join(strings.Fields(plain(r.Meta.Command)), " "))
	paragraph(r.Meta.Machine.String() + "; framegram " + r.Meta.Version + ", " + r.Meta.Go + ".")
	for _, says := range setting(all) {
		paragraph(strings.ToUpper(says[:1]) + says[1:] + ".")
	}
	if says := r.CutShort(); says != "" {
		paragraph(strings.ToUpper(says[:1]) + says[1:] + ".")
	}
	groups := places(all)
	rows := cells(groups, wide, len(wide))
	single := len(groups) == 1 // and the place is told above
	writeTable(out, rows[0], rows[1:], single)
	says := legend(all)
	paragraph(strings.ToUpper(says[:1]) + says[1:] + " Faults: minor page faults of a process, in the measured time.")
	for _, t := range more(groups, true) {
		paragraph(t.title + ": " + t.note + ":")
		writeTable(out, t.head, t.rows, single)
	}
	for _, says := range r.Troubles() {
		paragraph("Failed: " + says + ".")
	}
	for _, says := range Verdicts(r) {
		fmt.Fprintf(out, "- %s\n", markdown(says))
	}
	return flushed(out)
}

func flushed(out *bufio.Writer) error {
	if err := out.Flush(); err != nil {
		return fmt.Errorf("bench: writing Markdown: %w", err)
	}
	return nil
}

// more are the tables beside the first that have something to tell.
func more(groups [][]*Summary, room bool) (tables []plainTable) {
	for _, t := range []plainTable{stageTable(groups), repairTable(groups)} {
		if len(t.rows) > 0 {
			tables = append(tables, t)
		}
	}
	return append(tables, squeezeTables(groups, room)...)
}

// writeTable names the place in every row, for rows are read by themselves, or in none.
func writeTable(out *bufio.Writer, head []string, rows [][]string, single bool) {
	row := func(cells []string) {
		if single {
			cells = cells[1:]
		}
		for _, cell := range cells {
			fmt.Fprintf(out, "| %s ", markdown(cell))
		}
		out.WriteString("|\n")
	}
	row(head)
	if !single {
		out.WriteString("|---")
	}
	out.WriteString("|---" + strings.Repeat("|---:", len(head)-2) + "|\n")
	where := ""
	for _, cells := range rows {
		if cells[0] != "" {
			where = cells[0]
		}
		row(append([]string{where}, cells[1:]...))
	}
	out.WriteString("\n")
}

// markdown is text that means nothing but itself there.
func markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", `\<`, "`", "\\`", "[", `\[`, "#", `\#`).Replace(plain(text))
}
