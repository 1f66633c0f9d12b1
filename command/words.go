package command

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
)

// status is the live line on a terminal, in parts, the most important first.
func status(f *figures) (parts []string) {
	if v := f.View; v != nil {
		switch {
		case v.FPS == 0 && v.stalled() != "":
			parts = append(parts, f.Role+": no frame complete", fmt.Sprintf("%.1f Mbit/s", v.Mbit))
		case v.Frames.Received == 0:
			parts = append(parts, f.Role+": waiting for a sender")
		default:
			parts = append(parts, fmt.Sprintf("%s: %.1f fps", f.Role, v.FPS), fmt.Sprintf("%.1f Mbit/s", v.Mbit), latencyWords(v.LatencyMS))
		}
		if f.Send != nil && f.Send.rateText() != "" {
			parts = append(parts, f.Send.rateText())
		}
		return append(parts, troubles(viewTroubles(v))...)
	}
	if r := f.Relay; r != nil {
		switch {
		case r.FPS == 0 && r.In.stalled() != "":
			parts = append(parts, f.Role+": no frame complete")
		case r.Frames.Received == 0:
			parts = append(parts, f.Role+": waiting for a sender")
		default:
			parts = append(parts, fmt.Sprintf("%s: %.1f fps", f.Role, r.FPS), fmt.Sprintf("%.1f Mbit/s", r.Mbit), fmt.Sprintf("%d frames passed on", r.Frames.Sent))
		}
		return append(parts, troubles(relayTroubles(r))...)
	}
	s := f.Send
	parts = append(parts, fmt.Sprintf("%s: %.1f fps", f.Role, s.FPS), fmt.Sprintf("%.1f Mbit/s", s.Mbit), fmt.Sprintf("%d frames sent", s.Frames.Sent))
	if text := s.rateText(); text != "" {
		parts = append(parts, text)
	}
	return append(parts, troubles(sendTroubles(s))...)
}

// attributes are the same for a log line.
func attributes(f *figures) (a []slog.Attr) {
	if s := f.Send; s != nil {
		a = append(a, slog.Uint64("sent", s.Frames.Sent))
		if f.View == nil {
			a = append(a, slog.String("fps", fmt.Sprintf("%.1f", s.FPS)), slog.String("mbit_s", fmt.Sprintf("%.1f", s.Mbit)))
		}
		if text := s.rateText(); text != "" {
			a = append(a, slog.String("rate", text))
		}
		a = append(a, countAttrs(sendTroubles(s))...)
	}
	if v := f.View; v != nil {
		a = append(a, slog.Uint64("shown", v.Frames.Shown), slog.String("fps", fmt.Sprintf("%.1f", v.FPS)), slog.String("mbit_s", fmt.Sprintf("%.1f", v.Mbit)))
		if l := v.LatencyMS; l != nil {
			a = append(a, slog.Float64("latency_p50_ms", l.P50), slog.Float64("latency_p99_ms", l.P99))
		}
		a = append(a, countAttrs(viewTroubles(v))...)
	}
	if r := f.Relay; r != nil {
		a = append(a, slog.Uint64("passed_on", r.Frames.Sent), slog.String("fps", fmt.Sprintf("%.1f", r.FPS)), slog.String("mbit_s", fmt.Sprintf("%.1f", r.Mbit)))
		a = append(a, countAttrs(relayTroubles(r))...)
	}
	if what, _, _ := strings.Cut(f.stalled(), ": "); what != "" { // why has been said in a line of its own
		a = append(a, slog.String("stalled", what))
	}
	return a
}

// summary is what is said at the end.
func summary(f *figures) string {
	var lines []string
	if s := f.Send; s != nil {
		lines = append(lines, fmt.Sprintf("sent %d frames in %.1f s (%.1f fps, %.1f Mbit/s) to %s%s",
			s.Frames.Sent, f.Elapsed, s.FPS, s.Mbit, s.receivers(), inBrackets(troubles(sendTroubles(s)))))
	}
	if r := f.Relay; r != nil {
		lines = append(lines, fmt.Sprintf("passed %d of %d frames on in %.1f s (%.1f fps, %.1f Mbit/s) to %s%s",
			r.Frames.Sent, r.Frames.Received+r.Frames.LeftOut+r.Frames.Lost, f.Elapsed, r.FPS, r.Mbit, r.Out.receivers(), inBrackets(troubles(relayTroubles(r))))+r.In.advice())
		if why := r.In.why(); why != "" {
			lines = append(lines, fmt.Sprintf("no frame was received (%s)%s", r.In.heard(), why))
		}
	}
	if f.View != nil {
		lines = append(lines, viewSummary(f))
	}
	if f.Record != nil {
		lines = append(lines, f.Record.String())
	}
	return strings.Join(lines, "\n")
}

func viewSummary(f *figures) string {
	v := f.View
	if v.Frames.Received == 0 {
		text := fmt.Sprintf("no frame was received (%s)%s%s", v.heard(), v.why(), inBrackets(troubles(viewTroubles(v))))
		if f.Send == nil { // the sender of demo runs, whatever it lacks
			text += v.advice()
		}
		return text
	}
	sent := v.Frames.Received + v.Frames.LeftOut + v.Frames.Lost
	if f.Send != nil { // demo knows
		sent = max(f.Send.Frames.Sent, v.Frames.Shown) // the last one may still be counted
	}
	text := fmt.Sprintf("shown %d of %d frames (%.1f %%), %.1f fps, %.1f Mbit/s, %s%s%s", v.Frames.Shown, sent,
		100*float64(v.Frames.Shown)/float64(max(sent, 1)), v.FPS, v.Mbit, latencyWords(v.LatencyMS), latencyTail(v.LatencyMS), inBrackets(troubles(viewTroubles(v))))
	if t := v.Timecode; t != nil {
		text += "\n" + t.String()
	}
	return text
}

func latencyWords(l *latencyFigures) string {
	switch {
	case l == nil:
		return "no frame shown"
	case l.Negative > uint64(l.Count):
		return "latency unknown: the clocks differ"
	}
	switch {
	case l.Bound == nil:
		return fmt.Sprintf("latency %.1f ms if the clocks are equal", l.P50)
	case *l.Bound == 0: // there is but one
		return fmt.Sprintf("latency %.1f ms", l.P50)
	}
	return fmt.Sprintf("latency %.1f ±%.1f ms", l.P50, math.Ceil(*l.Bound*10)/10)
}

// latencyTail is the rest of latencyWords, for the summary.
func latencyTail(l *latencyFigures) string {
	if l == nil || l.Negative > uint64(l.Count) {
		return ""
	}
	return fmt.Sprintf(" (p99 %.1f, max %.1f)", l.P99, l.Max)
}

// count is one thing that may have gone wrong, and how often.
type count struct {
	name string
	n    uint64
}

func sendTroubles(s *sendFigures) []count {
	var held uint64
	if s.Rate != nil {
		held = uint64(s.Rate.LeftOut)
	}
	return append([]count{
		{"left out to keep the bit rate", held}, {"frames skipped", s.Frames.Skipped}, {"frames over the limit", s.Frames.TooLarge}, {"frames unsent", s.Frames.Unsent},
		{"pictures not in time", s.Capture.Late + s.Capture.Replaced}, {"pictures damaged", s.Capture.Damaged},
	}, s.outFigures.troubles()...)
}

func viewTroubles(v *viewFigures) []count {
	return append([]count{
		{"frames lost", v.Frames.Lost}, {"frames left out by the sender", v.Frames.LeftOut}, {"frames skipped", v.Frames.Skipped},
		{"frames undecodable", v.Frames.Undecodable},
	}, v.inFigures.troubles()...)
}

func relayTroubles(r *relayFigures) []count {
	counts := []count{
		{"frames lost", r.Frames.Lost}, {"frames left out by the sender", r.Frames.LeftOut}, {"frames skipped", r.Frames.Skipped},
		{"frames over the limit", r.Frames.TooLarge}, {"frames unsent", r.Frames.Unsent}, {"frames that came back", r.Frames.Looped},
	}
	return append(append(counts, r.In.troubles()...), r.Out.troubles()...)
}

func troubles(counts []count) (parts []string) {
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", c.name, c.n))
		}
	}
	return parts
}

func countAttrs(counts []count) (a []slog.Attr) {
	for _, c := range counts {
		if c.n > 0 {
			a = append(a, slog.Uint64(strings.NewReplacer(" ", "_", "'", "").Replace(c.name), c.n))
		}
	}
	return a
}

func inBrackets(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return " [" + strings.Join(parts, ", ") + "]"
}
