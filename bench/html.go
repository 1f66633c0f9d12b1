package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// page is what the template shows. Everything but the SVG is text, and escaped by it.
type page struct {
	Title, Subtitle string
	Setting         []string
	CutShort        string
	Failures        []string
	Verdicts        []verdictLine
	Legend          []legendEntry
	Share, Freeze   template.HTML
	Curves, Times   []panel
	Single          bool // one place: no more than a panel each
	Stages, CPU     []panel
	Tables          []htmlTable
	Runs            htmlTable
	Facts           []fact
	Bound           string
}

// verdictLine is a verdict, divided at its first colon.
type verdictLine struct{ Asks, Says string }

type legendEntry struct {
	Swatch template.HTML
	Name   string
}

type panel struct {
	Title string
	Plot  template.HTML
}

type htmlTable struct {
	Caption, Note string
	Head          []string
	Rows          []htmlRow
}

type htmlRow struct {
	Colour int    // of the series; its name is the second cell
	First  string // the place, empty on all rows but the first of one
	Cells  []htmlCell
}

type htmlCell struct{ Main, Range string }

type fact struct{ Name, Value string }

// WriteHTML writes the report as one page that needs nothing else: no script, no font,
// no image from anywhere.
func WriteHTML(w io.Writer, r *Report) error {
	if err := pageTemplate.Execute(w, newPage(r)); err != nil {
		return fmt.Errorf("bench: writing HTML: %w", err)
	}
	return nil
}

func newPage(r *Report) *page {
	all := Summarise(r)
	groups := places(all)
	series := names(all)
	p := &page{
		Title:    "framegram bench: " + list(series),
		Subtitle: r.Meta.Time.Format("2 January 2006, 15:04 MST") + " · " + r.Meta.Machine.String(),
		Setting:  setting(all), CutShort: r.CutShort(), Failures: r.Troubles(), Facts: facts(r), Runs: runsTable(r, series),
	}
	if len(all) == 0 {
		p.Title = "framegram bench: nothing was measured"
		return p
	}
	for _, v := range Verdicts(r) {
		asks, says, _ := strings.Cut(v, ": ")
		p.Verdicts = append(p.Verdicts, verdictLine{asks, says})
	}
	for i, name := range series {
		p.Legend = append(p.Legend, legendEntry{template.HTML(swatch(i)), name})
	}
	p.plot(all, groups, series)
	p.Tables = tables(groups, series)
	for _, s := range all {
		if b := s.bound(); b > 0 {
			p.Bound = short(max(b, all[0].bound()))
		}
	}
	return p
}

// plot draws everything.
func (p *page) plot(all []*Summary, groups [][]*Summary, series []string) {
	const freeze = "Longest time without a new picture"
	wide := 420.0
	if len(groups) > 1 {
		title := "Share of the frames due that were shown within " + brief(groups[0][0].Scenario.deadline())
		p.Share = template.HTML(against("share", title, figures[0], groups, series))
		p.Freeze = template.HTML(against("freeze", freeze, by("freeze_ms"), groups, series))
	} else {
		p.Share = template.HTML(within("share", "Share of the frames due that were shown within a deadline", groups[0], series))
		p.Freeze = template.HTML(figureBars("freeze", freeze, "freeze_ms", groups, series))
		p.Single, wide = true, 560
	}
	least, most := extremes(all)
	for i, group := range groups {
		where := group[0].where()
		p.Curves = append(p.Curves, panel{where, template.HTML(distribution(fmt.Sprint("curve", i), "Distribution of the latency at "+where, wide, group, series, least, most))})
		p.Times = append(p.Times, panel{where, template.HTML(overTime(fmt.Sprint("time", i), "Latency over time at "+where, group, series, least, most))})
	}
	p.Stages = []panel{
		{"All frames, mean", template.HTML(stageBars("stages-mean", "Where the time of the mean frame goes", groups, series, func(s *Stages) StageTimes { return s.Mean }))},
		{"The slowest twentieth, mean", template.HTML(stageBars("stages-slowest", "Where the time of the slowest frames goes", groups, series, func(s *Stages) StageTimes { return s.Slowest }))},
	}
	p.CPU = []panel{
		{"Sender", template.HTML(figureBars("cpu-sender", "Processor time of the sender", "sender_cpu_cores", groups, series))},
		{"Viewer", template.HTML(figureBars("cpu-viewer", "Processor time of the viewer", "viewer_cpu_cores", groups, series))},
	}
}

// swatch is a piece of a series' line with its marker.
func swatch(i int) string {
	return fmt.Sprintf(`<svg class="swatch" viewBox="0 0 30 14" aria-hidden="true"><g class="%s"><path class="curve" d="M1 7H29"/><g class="marker">%s</g></g></svg>`,
		colour(i), shape(i, 15, 7, 4.5))
}

// tables of all figures, a few columns each.
func tables(groups [][]*Summary, series []string) []htmlTable {
	own := brief(groups[0][0].Scenario.deadline())
	all := []htmlTable{
		figuresTable("What is seen: shares of the frames due, in percent", groups, series,
			[]string{"≤ " + own, "≤ 50 ms", "≤ 100 ms", "≤ 200 ms", "whole", "arrived", "freeze, ms", "jitter, ms", "unevenness, ms"},
			[]string{"share_within_deadline", "share_within_50ms", "share_within_100ms", "share_within_200ms", "share_shown", "share_arrived", "freeze_ms", "jitter_ms", "interval_stddev_ms"}),
		figuresTable("Latency, captured → decoded, in ms", groups, series,
			[]string{"p50", "p90", "p99", "p99.9", "max", "p50 of due", "p90 of due", "p99 of due"},
			[]string{"latency_p50_ms", "latency_p90_ms", "latency_p99_ms", "latency_p99_9_ms", "latency_max_ms", "latency_due_p50_ms", "latency_due_p90_ms", "latency_due_p99_ms"}),
		figuresTable("Stages, in ms", groups, series,
			[]string{"encode p50", "p99", "send p50", "p99", "network p50", "p99", "decode p50", "p99", "arrival p50", "p99"},
			[]string{"encode_p50_ms", "encode_p99_ms", "send_p50_ms", "send_p99_ms", "network_p50_ms", "network_p99_ms", "decode_p50_ms", "decode_p99_ms", "arrival_p50_ms", "arrival_p99_ms"}),
		figuresTable("What it costs", groups, series,
			[]string{"shown, fps", "goodput, Mbit/s", "mean JPEG, kB", "wire per payload", "CPU sender, cores", "CPU viewer, cores", "memory sender, MiB", "memory viewer, MiB", "faults/frame, sender", "faults/frame, viewer"},
			[]string{"fps", "goodput_mbit_s", "jpeg_mean_kb", "wire_per_payload", "sender_cpu_cores", "viewer_cpu_cores", "sender_rss_peak_mib", "viewer_rss_peak_mib", "sender_faults_per_frame", "viewer_faults_per_frame"}),
	}
	for _, t := range slices.Concat([]plainTable{repairTable(groups)}, squeezeTables(groups, true)) {
		if len(t.rows) > 0 {
			all = append(all, t.html(series))
		}
	}
	return all
}

// html is the table for the page.
func (t plainTable) html(series []string) htmlTable {
	out := htmlTable{Caption: t.title, Note: t.note, Head: t.head}
	for _, cells := range t.rows {
		row := htmlRow{First: cells[0], Colour: max(0, slices.Index(series, cells[1])) % palette}
		for _, cell := range cells[1:] {
			row.Cells = append(row.Cells, htmlCell{Main: cell})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func figuresTable(caption string, groups [][]*Summary, series, heads, columns []string) htmlTable {
	t := htmlTable{Caption: caption, Head: slices.Concat([]string{placeHead(groups), "transport"}, heads)}
	for _, group := range groups {
		for n, s := range group {
			row := htmlRow{Colour: slices.Index(series, s.Name()) % palette, Cells: []htmlCell{{Main: s.Name()}}}
			if n == 0 {
				row.First = swept(s)
			}
			for _, name := range columns {
				f := by(name)
				v, ok := s.Figures[name]
				cell := htmlCell{Main: "–"}
				if ok {
					cell.Main = Spread{Median: v.Median}.text(f)
					if _, spread, more := strings.Cut(v.text(f), " ("); more {
						cell.Range = strings.TrimSuffix(spread, ")")
					}
				}
				row.Cells = append(row.Cells, cell)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func placeHead(groups [][]*Summary) string {
	if key, _, ok := strings.Cut(sweptLabel(groups), ","); ok {
		return key
	}
	return "link"
}

// runsTable lists every run, as measured.
func runsTable(r *Report, series []string) htmlTable {
	t := htmlTable{Head: []string{"at", "transport", "run", "due", "captured", "arrived", "shown", "in time, %", "p50, ms", "p99, ms", "freeze, ms", "counted by the two ends"}}
	for i := range r.Runs {
		run := &r.Runs[i]
		s := &run.Stats
		cells := []htmlCell{{Main: run.Name()}, {Main: number(run.Repeat)}, {Main: number(s.Due)}, {Main: number(s.Captured)}, {Main: "–"}, {Main: number(s.Shown)}}
		if s.Arrived != nil {
			cells[4].Main = number(*s.Arrived)
		}
		for _, name := range []string{"share_within_deadline", "latency_p50_ms", "latency_p99_ms", "freeze_ms"} {
			f := by(name)
			cells = append(cells, htmlCell{Main: Spread{Median: Figure(f.of(s))}.text(f)})
		}
		cells = append(cells, htmlCell{Main: run.remarks()})
		t.Rows = append(t.Rows, htmlRow{Colour: max(0, slices.Index(series, run.Name())) % palette, First: swept(&Summary{Point: run.Point}), Cells: cells})
	}
	return t
}

// remarks are what the ends counted, and what is wrong with a run.
func (r *Result) remarks() string {
	var says []string
	for _, end := range []struct {
		name string
		End
	}{{"sender", r.Sender}, {"viewer", r.Viewer}} {
		parts := []string{fmt.Sprint(end.Whole, " whole")}
		for _, reason := range slices.Sorted(maps.Keys(end.Lost)) {
			if n := end.Lost[reason]; n > 0 {
				parts = append(parts, fmt.Sprint(n, " ", reason))
			}
		}
		says = append(says, end.name+": "+strings.Join(parts, ", "))
	}
	if n := r.Stats.Negative; n > 0 {
		says = append(says, count(n, "frame")+" decoded before capture, by the clocks")
	}
	if n := r.Stats.Odd; n > 0 {
		says = append(says, count(n, "frame")+" with impossible times")
	}
	if trouble := r.Trouble(); trouble != "" {
		says = append(says, "! "+trouble)
	}
	return strings.Join(says, "; ")
}

// facts are what somebody needs to repeat the measurement.
func facts(r *Report) []fact {
	m := r.Meta
	list := []fact{{"Command", m.Command}, {"Machine", m.Machine.CPU + ", " + count(m.Machine.Cores, "core")}, {"System", m.Machine.OS}, {"Kernel", m.Machine.Kernel}}
	if m.Peer != nil {
		list = append(list, fact{"Sender's machine", m.Peer.String()})
	}
	return append(list, fact{"framegram", m.Version}, fact{"Go", m.Go}, fact{"Seed of the link", fmt.Sprint(m.Seed)},
		fact{"Begun", m.Time.Format(time.RFC3339)}, fact{"Runs", number(len(r.Runs))})
}
