package command

import (
	"fmt"
	"log/slog"
	"strings"
)

// status is the live line on a terminal, in parts, the most important first.
func status(f *figures) (parts []string) {
	if v := f.View; v != nil {
		if v.Frames.Received == 0 {
			parts = append(parts, f.Role+": waiting for a sender")
		} else {
			parts = append(parts, fmt.Sprintf("%s: %.1f fps", f.Role, v.FPS), fmt.Sprintf("%.1f Mbit/s", v.Mbit), latencyWords(v.LatencyMS))
		}
		return append(parts, troubles(viewTroubles(v))...)
	}
	s := f.Send
	parts = append(parts, fmt.Sprintf("%s: %.1f fps", f.Role, s.FPS), fmt.Sprintf("%.1f Mbit/s", s.Mbit), fmt.Sprintf("%d frames sent", s.Frames.Sent))
	return append(parts, troubles(sendTroubles(s))...)
}

// attributes are the same for a log line.
func attributes(f *figures) (a []slog.Attr) {
	if s := f.Send; s != nil {
		a = append(a, slog.Uint64("sent", s.Frames.Sent))
		if f.View == nil {
			a = append(a, slog.String("fps", fmt.Sprintf("%.1f", s.FPS)), slog.String("mbit_s", fmt.Sprintf("%.1f", s.Mbit)))
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
	return a
}

// summary is what is said at the end.
func summary(f *figures) string {
	var b strings.Builder
	if s := f.Send; s != nil {
		fmt.Fprintf(&b, "sent %d frames in %.1f s (%.1f fps, %.1f Mbit/s) to %s%s",
			s.Frames.Sent, f.Elapsed, s.FPS, s.Mbit, receivers(s), inBrackets(troubles(sendTroubles(s))))
	}
	if v := f.View; v != nil {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(viewSummary(f))
	}
	return b.String()
}

func receivers(s *sendFigures) string {
	if len(s.Network.To) == 1 {
		return s.Network.To[0].Addr
	}
	return fmt.Sprintf("%d addresses", len(s.Network.To))
}

func viewSummary(f *figures) string {
	v := f.View
	if v.Frames.Received == 0 {
		return fmt.Sprintf("no frame was received (%d datagrams)%s", v.Network.Datagrams, inBrackets(troubles(viewTroubles(v))))
	}
	sent := v.Frames.Received + v.Frames.Lost
	if f.Send != nil { // demo knows
		sent = f.Send.Frames.Sent
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
	return fmt.Sprintf("latency %.1f ms", l.P50)
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
	var unsent, refused uint64
	for _, to := range s.Network.To {
		unsent, refused = unsent+to.Unsent, refused+to.Refused
	}
	return []count{
		{"frames skipped", s.Frames.Skipped}, {"frames over the limit", s.Frames.TooLarge}, {"frames unsent", s.Frames.Unsent},
		{"pictures not in time", s.Capture.Late + s.Capture.Replaced}, {"pictures damaged", s.Capture.Damaged},
		{"datagrams unsent", unsent}, {"refusals", refused},
	}
}

func viewTroubles(v *viewFigures) []count {
	d := v.Network.Fragments.Dropped
	return []count{
		{"frames lost", v.Frames.Lost}, {"frames skipped", v.Frames.Skipped}, {"frames undecodable", v.Frames.Undecodable},
		{"datagrams missing", v.Network.Fragments.Missing}, {"dropped by this machine's kernel", v.Network.KernelDrops},
		{"malformed", d.Malformed}, {"of another version", d.OtherVersion}, {"sealed", d.Sealed}, {"from strangers", d.Stranger},
	}
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
