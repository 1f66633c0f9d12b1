package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Format is the version of the JSON that WriteJSON writes. A field is only ever added;
// a change of meaning would be another version.
const Format = 1

// file is a report as JSON. Times are in ms but where a name says otherwise, shares
// 0..1, rates in 10^6 bits a second. The fields are documented where their types are;
// summary can be derived from runs, and is not read.
type file struct {
	Format  int        `json:"format"` // 1
	Program string     `json:"program"`
	Meta    Meta       `json:"meta"`
	Runs    []Result   `json:"runs"`
	Summary []*Summary `json:"summary,omitempty"`
}

const program = "framegram bench"

// WriteJSON writes a report with everything that its plots are drawn from; with traces,
// also the traces as they were noted.
func WriteJSON(w io.Writer, r *Report, traces bool) error {
	f := file{Format, program, r.Meta, append([]Result{}, r.Runs...), Summarise(r)}
	if !traces {
		for i := range f.Runs {
			f.Runs[i].Sent, f.Runs[i].Shown = nil, nil
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return fmt.Errorf("bench: writing JSON: %w", err)
	}
	return nil
}

// Bounds of a report that is read.
const (
	maxReport = 256 << 20 // bytes: some traces may be in it
	maxRuns   = 10_000
)

// ErrReport is matched by what ReadReport returns for a file that is none.
var ErrReport = errors.New("bench: not a report of framegram bench --json")

// ReadReport reads what WriteJSON wrote.
func ReadReport(from io.Reader) (*Report, error) {
	limited := &io.LimitedReader{R: from, N: maxReport}
	var f file
	if err := json.NewDecoder(limited).Decode(&f); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("%w: larger than %d MiB", ErrReport, maxReport>>20)
		case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("%w: %w", ErrReport, err)
		}
		return nil, fmt.Errorf("bench: reading a report: %w", err)
	}
	switch {
	case f.Program != program:
		return nil, ErrReport
	case f.Format != Format:
		return nil, fmt.Errorf("%w that this version can read: its format is %d, want %d", ErrReport, f.Format, Format)
	case len(f.Runs) > maxRuns:
		return nil, fmt.Errorf("%w: %d runs, want at most %d", ErrReport, len(f.Runs), maxRuns)
	}
	for i := range f.Runs {
		if err := f.Runs[i].check(); err != nil {
			return nil, fmt.Errorf("%w: run %d: %w", ErrReport, i+1, err)
		}
	}
	return &Report{f.Meta, f.Runs}, nil
}

// check refuses figures that cannot be, before anything is drawn from them.
func (r *Result) check() error {
	s := &r.Stats
	bad := func(what string) error { return fmt.Errorf("its %s cannot be", what) }
	switch {
	case !(r.Scenario.FPS >= 0 && r.Scenario.FPS <= 1e6):
		return bad("fps")
	case s.Arrived != nil && (*s.Arrived < s.Shown || *s.Arrived > s.Captured):
		return bad("count of frames that arrived")
	case s.Shown < 0 || s.Shown > s.Captured || s.Captured > s.Due || s.Negative < 0 || s.Odd < 0:
		return bad("counts of frames")
	case len(s.Within) != 1+len(usual):
		return bad("list of deadlines")
	case len(s.Curve.MS) != len(s.Curve.Share) || len(s.Curve.MS) > 2*maxCurve:
		return bad("distribution")
	case len(s.Series.At) != len(s.Series.MS) || len(s.Series.At) != len(s.Series.Missed) || len(s.Series.At) > maxSeries:
		return bad("series")
	}
	if !s.Squeeze.check() {
		return bad("squeeze")
	}
	for _, f := range figures {
		v := f.of(s)
		if limit := limits[f.unit]; v < -limit || v > limit && !math.IsInf(v, 1) {
			return bad(f.name)
		}
	}
	for i, ms := range s.Curve.MS {
		if share := s.Curve.Share[i]; !(ms >= 0 && ms <= maxMS && share >= 0 && share <= 1) {
			return bad("distribution")
		}
		if i > 0 && (ms < s.Curve.MS[i-1] || s.Curve.Share[i] < s.Curve.Share[i-1]) {
			return bad("distribution: it falls")
		}
	}
	for i, at := range s.Series.At {
		if ms := s.Series.MS[i]; !(math.Abs(at) <= maxMS) || !(ms >= 0 && ms <= maxMS || ms == Never) || s.Series.Missed[i] < 0 {
			return bad("series")
		}
	}
	return nil
}

// limits of the figures by unit; none of them is ever negative but the stage network.
var limits = map[string]float64{"share": 1, "ms": maxMS, "fps": 1e9, "Mbit/s": 1e12, "": 1e9, "cores": 1e6, "kB": 1e9, "MiB": 1e12, "faults": 1e12}
