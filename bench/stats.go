package bench

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Stats are what a Run shows. Every count is of the measured span, without the
// warm-up. A figure that needs frames is nil when there were none.
type Stats struct {
	Due      int `json:"due"`      // frames that the schedule asked for; see the package comment
	Captured int `json:"captured"` // of those
	Shown    int `json:"shown"`    // of those

	// Arrived are those captured that were complete at the viewer: the shown ones, and those
	// that a newer one overtook before they could be decoded. Nil = not known, in a report
	// from before it was noted.
	Arrived *int `json:"arrived,omitempty"`

	// Within are shares of the frames due. The first is the scenario's own deadline, the
	// others are the usual ones.
	Within []Within `json:"within"`

	Latency *Percentiles `json:"latency_ms,omitempty"`     // captured → decoded, of the frames shown
	OfDue   *Percentiles `json:"latency_due_ms,omitempty"` // the same of the frames due: null = such a frame was never shown
	Stages  *Stages      `json:"stages,omitempty"`

	FPS     float64 `json:"fps"`       // shown a second
	Freeze  float64 `json:"freeze_ms"` // the longest time without a new picture, up to the very end of the span
	Goodput float64 `json:"goodput_mbit_s"`

	JPEG *float64 `json:"jpeg_mean_kb,omitempty"` // 1000 bytes, of the frames encoded

	// Jitter is the mean of |D| between neighbours among the frames shown, D the change of
	// latency: what the estimator of RFC 3550 section 6.4.1 smooths.
	Jitter *float64 `json:"jitter_ms,omitempty"`
	// Unevenness is the standard deviation of the time between pictures.
	Unevenness *float64 `json:"interval_stddev_ms,omitempty"`

	Overhead  *float64 `json:"wire_per_payload,omitempty"` // bytes the sender put on the wire for each of payload
	SenderCPU *float64 `json:"sender_cpu_cores,omitempty"`
	ViewerCPU *float64 `json:"viewer_cpu_cores,omitempty"`

	SenderMemory *float64 `json:"sender_rss_peak_mib,omitempty"` // MiB = 2^20 bytes
	ViewerMemory *float64 `json:"viewer_rss_peak_mib,omitempty"`

	// Minor page faults for each frame that the process noted in the measured span.
	SenderFaults *float64 `json:"sender_faults_per_frame,omitempty"`
	ViewerFaults *float64 `json:"viewer_faults_per_frame,omitempty"`

	// ClockBound is how wrong all latencies, and the stage network, can be. Nil = one clock.
	ClockBound *float64 `json:"clock_bound_ms,omitempty"`
	Negative   int      `json:"negative,omitempty"` // frames decoded before they were captured, by the clocks; counted as 0 ms
	Odd        int      `json:"odd,omitempty"`      // frames of all the run with times over an hour apart; taken as never shown

	Squeeze *Squeezed `json:"squeeze,omitempty"` // nil = the link was not squeezed within the span

	Curve  Curve  `json:"cdf"`
	Series Series `json:"series"`
}

// Within is the share of the frames due that were decoded so soon after capture.
type Within struct {
	Deadline Duration `json:"deadline_ms"`
	Share    float64  `json:"share"` // 0..1
}

// usual deadlines are judged in every run, besides its own.
var usual = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}

// Curve is the distribution of the latency: Share[i] of the frames due were decoded
// within MS[i]. It ends below 1 when frames were never shown.
type Curve struct {
	MS    []float64 `json:"ms"`
	Share []float64 `json:"share"`
}

// Series is the latency over time, in at most maxSeries steps of equally many frames
// due.
type Series struct {
	At     []float64 `json:"at_ms"`      // of the step's first frame, from the begin of the span
	MS     []Figure  `json:"latency_ms"` // of its slowest frame; null = none was shown
	Missed []int     `json:"missed"`     // of its frames, never shown
}

// Bounds of what is kept for plots.
const (
	maxSeries = 600
	maxCurve  = 200
)

// Analyse computes the statistics of a run from its traces.
func Analyse(r Run) Stats {
	all, odd := join(&r)
	span := schedule(&r, all)
	var shown []*frame // in the order of capture
	arrived := 0
	for _, s := range span.slots {
		if s.frame != nil && s.frame.shown {
			shown = append(shown, s.frame)
		}
		if s.frame != nil && s.frame.arrived() {
			arrived++
		}
	}
	st := Stats{Due: len(span.slots), Captured: span.captured, Shown: len(shown), Arrived: &arrived, Odd: odd}
	latencies := make([]int64, len(shown))
	for i, f := range shown {
		if latencies[i] = f.latency(); latencies[i] < 0 {
			st.Negative++
			latencies[i] = 0
		}
	}
	slices.Sort(latencies)

	for _, d := range append([]time.Duration{r.Scenario.deadline()}, usual...) {
		st.Within = append(st.Within, Within{Duration{d}, ratio(atMost(latencies, d.Microseconds()), st.Due)})
	}
	st.Latency = percentiles(latencies, len(latencies))
	st.OfDue = percentiles(latencies, st.Due)
	st.Stages = stages(shown)
	st.Curve = curve(latencies, st.Due)
	st.Series = series(span)
	st.JPEG = quotient(phase(span.slots).Bytes, 1e3)
	st.Squeeze = squeezed(r.Squeeze, span, all)

	var bytes int
	for _, f := range shown {
		bytes += f.bytes
	}
	if seconds := float64(span.end-span.start) / 1e6; seconds > 0 {
		st.FPS = float64(len(shown)) / seconds
		st.Goodput = float64(bytes) * 8 / 1e6 / seconds
	}
	st.Freeze = inMS(freeze(span, all))
	st.Jitter, st.Unevenness = jitter(shown)

	st.Overhead = quotient(float64(r.Sender.Wire), float64(r.Sender.Payload))
	st.SenderCPU = quotient(r.Sender.CPU.Seconds(), r.Sender.Wall.Seconds())
	st.ViewerCPU = quotient(r.Viewer.CPU.Seconds(), r.Viewer.Wall.Seconds())
	st.SenderMemory = quotient(float64(r.Sender.Peak), 1<<20)
	st.ViewerMemory = quotient(float64(r.Viewer.Peak), 1<<20)
	st.SenderFaults = faults(span, func(f *frame) int64 { return f.sentFaults })
	st.ViewerFaults = faults(span, func(f *frame) int64 { return f.shownFaults })
	if r.Clock != nil {
		bound := inMS(r.Clock.Bound.Microseconds())
		st.ClockBound = &bound
	}
	return st
}

// atMost is how many of the sorted values are not over limit.
func atMost(sorted []int64, limit int64) int {
	i, _ := slices.BinarySearchFunc(sorted, limit, func(v, limit int64) int {
		if v > limit {
			return 1
		}
		return -1
	})
	return i
}

// ratio is part of whole, and 0 of nothing.
func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// quotient is nil when one side is not known.
func quotient(a, b float64) *float64 {
	if !(a > 0) || !(b > 0) {
		return nil
	}
	q := a / b
	return &q
}

// faults is how many there were for each frame of the span, from the first to the last
// one of which the count is known. Nil = fewer than two, or a count that falls.
func faults(s span, count func(*frame) int64) *float64 {
	var first, last int64
	frames := -1 // the first one is where counting begins
	for _, slot := range s.slots {
		if slot.frame == nil || count(slot.frame) == 0 {
			continue
		}
		last = count(slot.frame)
		if frames++; frames == 0 {
			first = last
		}
	}
	if frames < 1 || last < first {
		return nil
	}
	each := float64(last-first) / float64(frames)
	return &each
}

// freeze is the longest part of the span without a new picture, in µs. Pictures of the
// frames before and after it count, too: what is on the screen is what matters.
func freeze(s span, all []*frame) int64 {
	at := make([]int64, 0, len(all)+2)
	for _, f := range all {
		if f.shown {
			at = append(at, min(max(f.decoded, s.start), s.end))
		}
	}
	at = append(at, s.start, s.end)
	slices.Sort(at)
	var longest int64
	for i := 1; i < len(at); i++ {
		longest = max(longest, at[i]-at[i-1])
	}
	return longest
}

// jitter is explained at Stats. shown are in the order of capture.
func jitter(shown []*frame) (jitter, unevenness *float64) {
	if len(shown) < 2 {
		return nil, nil
	}
	var change float64
	decoded := []int64{shown[0].decoded}
	for i, f := range shown[1:] {
		change += math.Abs(float64(f.latency() - shown[i].latency()))
		decoded = append(decoded, f.decoded)
	}
	slices.Sort(decoded)
	n := float64(len(decoded) - 1)
	mean := float64(decoded[len(decoded)-1]-decoded[0]) / n
	var squares float64
	for i, t := range decoded[1:] {
		d := float64(t-decoded[i]) - mean
		squares += d * d
	}
	change, squares = change/n/1e3, math.Sqrt(squares/n)/1e3
	return &change, &squares
}

// curve thins sorted latencies (µs) out: evenly, but for the slowest, which are all
// kept.
func curve(sorted []int64, due int) Curve {
	c := Curve{MS: []float64{}, Share: []float64{}}
	const tail = maxCurve / 5
	step := max(1, float64(len(sorted)-tail)/(maxCurve-tail))
	for at := 0.0; int(at) < len(sorted); {
		i := int(at)
		c.MS = append(c.MS, inMS(sorted[i]))
		c.Share = append(c.Share, ratio(i+1, due))
		if i >= len(sorted)-tail {
			at = float64(i + 1)
		} else {
			at = min(at+step, float64(len(sorted)-tail))
		}
	}
	return c
}

// series steps through the span.
func series(s span) Series {
	steps := min(maxSeries, len(s.slots))
	out := Series{At: make([]float64, steps), MS: make([]Figure, steps), Missed: make([]int, steps)}
	for i := range steps {
		part := s.slots[i*len(s.slots)/steps : (i+1)*len(s.slots)/steps]
		slowest, any := int64(0), false
		for _, slot := range part {
			if slot.frame == nil || !slot.frame.shown {
				out.Missed[i]++
				continue
			}
			slowest, any = max(slowest, slot.frame.latency()), true
		}
		out.At[i], out.MS[i] = inMS(part[0].at-s.start), Never
		if any {
			out.MS[i] = Figure(inMS(slowest))
		}
	}
	return out
}

// Main is the share within the scenario's own deadline.
func (s *Stats) Main() Within {
	if len(s.Within) == 0 {
		return Within{}
	}
	return s.Within[0]
}

// Trouble says what a run's failure was, or what makes it one without an error: that
// nothing came in time. It is empty for a run that is neither.
func (r *Result) Trouble() string {
	switch s := &r.Stats; {
	case r.Err != "":
		return r.Err
	case s.Due == 0:
		return "no frame was due: the measured time is shorter than a frame"
	case s.Captured == 0:
		return "no frame was captured"
	case s.Shown == 0:
		return "not one of " + count(s.Due, "frame") + " due was shown"
	case s.Main().Share == 0:
		return "not one of " + count(s.Due, "frame") + " due was shown within " + brief(s.Main().Deadline.Duration)
	}
	return ""
}

// Troubles names every run with one: a command that has any should fail.
func (r *Report) Troubles() []string {
	var all []string
	for i := range r.Runs {
		run := &r.Runs[i]
		if says := run.Trouble(); says != "" {
			all = append(all, run.place()+", run "+number(cmp.Or(run.Repeat, 1))+": "+says)
		}
	}
	return all
}
