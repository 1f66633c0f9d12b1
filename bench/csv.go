package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
)

// WriteCSV writes a row for every run, failed ones too, with the names of the figures
// in the first row. A figure that a run does not have is empty; a percentile of the
// frames due that falls on one that was never shown is "never".
func WriteCSV(w io.Writer, r *Report) error {
	out := csv.NewWriter(w)
	head := []string{"transport", "congestion", "repair", "connect", "slices",
		"link", "sweep_key", "sweep_value", "repeat", "seed",
		"width", "height", "fps_asked", "quality", "source", "deadline_ms", "error", "due", "captured", "arrived", "shown",
		"frames_at_once", "frames_rebuilt", "frames_repaired", "frames_given_up", "datagrams_missing", "datagrams_resent"}
	for _, f := range figures {
		head = append(head, f.name)
	}
	out.Write(head)
	decimal := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for i := range r.Runs {
		run := &r.Runs[i]
		p, s := run.Point, &run.Stats
		row := []string{p.Transport, p.Congestion, p.Repair, p.Connect, p.Slices,
			p.Link, p.Sweep.Key, p.Sweep.Value, number(run.Repeat), strconv.FormatUint(run.Seed, 10),
			number(p.Scenario.Width), number(p.Scenario.Height), decimal(p.Scenario.FPS), number(p.Scenario.Quality), p.Scenario.Source,
			decimal(inMS(p.Scenario.deadline().Microseconds())), run.Err, number(s.Due), number(s.Captured), "", number(s.Shown)}
		if s.Arrived != nil {
			row[len(row)-2] = number(*s.Arrived)
		}
		if q := run.Repairs; q != nil {
			for _, n := range []uint64{q.AtOnce, q.Rebuilt, q.Repaired, q.GivenUp, q.Missing, q.Resent} {
				row = append(row, strconv.FormatUint(n, 10))
			}
		} else {
			row = append(row, make([]string, 6)...)
		}
		for _, f := range figures {
			switch v := f.of(s); {
			case math.IsNaN(v):
				row = append(row, "")
			case math.IsInf(v, 0):
				row = append(row, "never")
			default:
				row = append(row, decimal(v))
			}
		}
		out.Write(row)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("bench: writing CSV: %w", err)
	}
	return nil
}
