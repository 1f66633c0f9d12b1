package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Matrix is the report of the program's own regression set: every way at every cell.
type Matrix struct {
	Meta   Meta
	Length time.Duration // of each run
	Runs   []CellRun     // in the order of the cells, the ways of a cell side by side
	Missed int           // runs that the user did not wait for
}

// CellRun is what one way of casting has achieved in one cell. Shares are of the frames due,
// which are counted by the schedule alone: a frame that the sender left out was not shown.
type CellRun struct {
	Cell
	Transport  string `json:"transport"`
	Connect    string `json:"connect,omitempty"`    // as in Point
	Congestion string `json:"congestion,omitempty"` // as in Point

	Due      int `json:"due"`
	Captured int `json:"captured"` // of those, and sent at least in part
	Arrived  int `json:"arrived"`  // of those, complete at the viewer
	Shown    int `json:"shown"`    // of those

	// First is the time from the capture of the first frame due to the first picture, ms.
	// Nil = there was none.
	First  *float64 `json:"first_picture_ms,omitempty"`
	Prompt float64  `json:"share_within_200ms"` // decoded within 200 ms of capture
	Whole  float64  `json:"share_shown"`
	Freeze float64  `json:"freeze_ms"` // the longest time without a new picture

	Err string `json:"error,omitempty"` // why this is no measurement: a process or the link died
}

// prompt is how soon a picture must be decoded for the matrix.
const prompt = 200 * time.Millisecond

// InCell is what a run, made in that cell, has achieved.
func InCell(cell Cell, run Run) CellRun {
	c := CellRun{Cell: cell, Transport: run.Transport, Connect: run.Connect, Congestion: run.Congestion, Err: run.Err}
	run.Scenario.Deadline = Duration{prompt} // by which Main goes
	s := Analyse(run)
	c.Due, c.Captured, c.Arrived, c.Shown = s.Due, s.Captured, *s.Arrived, s.Shown
	c.Prompt, c.Whole, c.Freeze = s.Main().Share, ratio(s.Shown, s.Due), s.Freeze
	c.First = firstPicture(&run)
	return c
}

// firstPicture is the time from the capture of the first frame due to the first picture of any
// that was due.
func firstPicture(r *Run) *float64 {
	all, _ := join(r)
	span := schedule(r, all)
	var first *int64
	for _, s := range span.slots {
		if s.frame != nil && s.frame.shown && (first == nil || s.frame.decoded < *first) {
			first = &s.frame.decoded
		}
	}
	if first == nil {
		return nil
	}
	after := max(0, inMS(*first-firstDue(r, all)))
	return &after
}

// firstDue is when the first frame due was captured. Without a subscriber it is where the run
// began. A subscriber comes at any time between two captures, and frames that nobody was there
// for are not in the trace: the first one due was captured a whole number of intervals before
// the first that is.
func firstDue(r *Run, all []*frame) int64 {
	if r.Began == 0 {
		return all[0].captured
	}
	if r.Connect != "subscribe" || !(r.Scenario.FPS > 0) {
		return r.Began
	}
	sent := all[before(all, float64(r.Began))].captured
	interval := 1e6 / r.Scenario.FPS
	return sent - int64(math.Floor(float64(sent-r.Began)/interval)*interval)
}

// way is what tells the runs of a cell apart.
type way struct{ transport, connect string }

func (r *CellRun) way() way { return way{r.Transport, r.Connect} }

func (w way) String() string {
	switch {
	case w.transport != "udp":
		return w.transport
	case w.connect == "":
		return "udp push"
	}
	return "udp " + w.connect
}

// Name is the way: "udp push", "udp subscribe", "tcp cubic".
func (r *CellRun) Name() string {
	if r.Congestion != "" {
		return r.Transport + " " + r.Congestion
	}
	return r.way().String()
}

// ways are all that were run, in that order.
func (m *Matrix) ways() (all []way) {
	for i := range m.Runs {
		if w := m.Runs[i].way(); !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// name is how a way is called in the head of a table: of tcp the congestion control is told,
// if all runs that know it had the same.
func (m *Matrix) name(w way) string {
	name := ""
	for i := range m.Runs {
		r := &m.Runs[i]
		switch {
		case r.way() != w || r.Congestion == "":
		case name == "":
			name = r.Name()
		case name != r.Name():
			return w.String()
		}
	}
	if name == "" {
		return w.String()
	}
	return name
}

// byCell puts the runs of every cell together.
func (m *Matrix) byCell() (cells [][]*CellRun) {
	at := map[Cell]int{}
	for i := range m.Runs {
		r := &m.Runs[i]
		n, ok := at[r.Cell]
		if !ok {
			n = len(cells)
			at[r.Cell] = n
			cells = append(cells, nil)
		}
		cells[n] = append(cells[n], r)
	}
	return cells
}

// CellVerdict is one line of a list of cells, with the figures that put it there.
type CellVerdict struct {
	Cell Cell   `json:"cell"`
	Says string `json:"says"`
}

// judged reports whether the verdicts are about a way. A group is measured and not judged.
func (r *CellRun) judged() bool { return r.Transport == "udp" && r.Connect != "group" }

// rival is tcp's run of a cell, nil where there is none that counts.
func rival(runs []*CellRun) *CellRun {
	for _, r := range runs {
		if r.Transport == "tcp" && r.Err == "" {
			return r
		}
	}
	return nil
}

// Failed are the cells in which udp, by push or by subscription, shows nothing while tcp shows
// something.
func (m *Matrix) Failed() []CellVerdict {
	return m.verdicts(func(tcp, udp *CellRun) bool { return udp.Shown == 0 && tcp.Shown > 0 }, func(r *CellRun) string {
		if r.Shown == 0 {
			return r.Name() + " shows nothing"
		}
		return fmt.Sprintf("%s shows %s %%, the first after %s ms", r.Name(), percent(r.Whole), short(*r.First))
	})
}

// lead is how much of a share tcp must be ahead by to be listed.
const lead = 0.02

// Behind are the cells in which tcp shows more of the frames within 200 ms than udp does, by
// push or by subscription, and by more than 2 points.
func (m *Matrix) Behind() []CellVerdict {
	return m.verdicts(func(tcp, udp *CellRun) bool { return tcp.Prompt-udp.Prompt > lead+1e-9 }, func(r *CellRun) string {
		return r.Name() + " " + percent(r.Prompt) + " %"
	})
}

// verdicts lists the cells in which worse holds for a way of udp that is judged. Each line tells of
// tcp and of those ways.
func (m *Matrix) verdicts(worse func(tcp, udp *CellRun) bool, tell func(*CellRun) string) (list []CellVerdict) {
	for _, runs := range m.byCell() {
		tcp := rival(runs)
		if tcp == nil {
			continue
		}
		says := tell(tcp)
		for _, r := range runs {
			if r.judged() && r.Err == "" && worse(tcp, r) {
				says += ", " + tell(r)
			}
		}
		if says != tell(tcp) {
			list = append(list, CellVerdict{runs[0].Cell, says})
		}
	}
	return list
}

// Unmeasured are the runs in which a process or the link died.
func (m *Matrix) Unmeasured() (list []CellVerdict) {
	for i := range m.Runs {
		if r := &m.Runs[i]; r.Err != "" {
			list = append(list, CellVerdict{r.Cell, r.Name() + ": " + plain(r.Err)})
		}
	}
	return list
}

// matrixFile is a matrix as JSON. As in file, times are in ms and shares 0..1. The lists can be
// derived from the runs.
type matrixFile struct {
	Format  int           `json:"format"` // 1
	Program string        `json:"program"`
	Meta    Meta          `json:"meta"`
	Length  Duration      `json:"length_ms"`
	Missed  int           `json:"missed,omitempty"`
	Failed  []CellVerdict `json:"failed"`
	Behind  []CellVerdict `json:"behind"`
	Runs    []CellRun     `json:"runs"`
}

// WriteMatrixJSON writes every run and the verdicts.
func WriteMatrixJSON(w io.Writer, m *Matrix) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	f := matrixFile{
		Format, program + " matrix", m.Meta, Duration{m.Length}, m.Missed,
		append([]CellVerdict{}, m.Failed()...), append([]CellVerdict{}, m.Behind()...), append([]CellRun{}, m.Runs...),
	}
	if err := e.Encode(f); err != nil {
		return fmt.Errorf("bench: writing JSON: %w", err)
	}
	return nil
}
