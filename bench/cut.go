package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Missing is a run that was planned and not made, or thrown away before it had shown
// anything, since the user ended the bench.
type Missing struct {
	What   string `json:"what"` // the transport, and what was swept: "udp auto loss=1%"
	Repeat int    `json:"repeat"`
}

// mostMissing bounds how many kinds of runs are named; JSON has all.
const mostMissing = 8

// CutShort says of a bench that the user ended which runs are complete and which are
// not; empty for one that ran to its end.
func (r *Report) CutShort() string {
	var partly []string
	for i := range r.Runs {
		run := &r.Runs[i]
		if run.Measured.Duration > 0 {
			partly = append(partly, fmt.Sprintf("%s, run %d, has %s of %s s", run.place(), cmp.Or(run.Repeat, 1),
				short(run.Measured.Seconds()), short(run.Scenario.Length.Seconds())))
		}
	}
	if len(partly)+len(r.Meta.Missing) == 0 {
		return ""
	}
	says := fmt.Sprintf("cut short: %d of %s complete", len(r.Runs)-len(partly), count(len(r.Runs)+len(r.Meta.Missing), "run"))
	if len(partly) > 0 {
		says += "; " + strings.Join(partly, "; ")
	}
	if len(r.Meta.Missing) > 0 {
		says += "; missing: " + strings.Join(missing(r.Meta.Missing), "; ")
	}
	return says
}

// missing names the repeats of each kind together: "udp auto, runs 2 and 3".
func missing(all []Missing) (says []string) {
	var kinds []string
	repeats := map[string][]string{}
	for _, m := range all {
		if !slices.Contains(kinds, m.What) {
			kinds = append(kinds, m.What)
		}
		repeats[m.What] = append(repeats[m.What], number(m.Repeat))
	}
	for _, what := range kinds[:min(len(kinds), mostMissing)] {
		word := ", run "
		if len(repeats[what]) > 1 {
			word = ", runs "
		}
		says = append(says, plain(what)+word+list(repeats[what]))
	}
	if more := len(kinds) - len(says); more > 0 {
		says = append(says, fmt.Sprintf("and %d more such", more))
	}
	return says
}
