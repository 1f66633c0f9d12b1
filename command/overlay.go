package command

import (
	"fmt"
	"maps"
	"slices"
)

// overlay is what the window shows over the picture, as display.Config.Overlay asks
// for it: the figures of the last second.
func (s *session) overlay() []string {
	f := s.latest.Load()
	if f == nil || f.View == nil {
		return []string{"no figures yet"}
	}
	v := f.View
	lines := []string{
		fmt.Sprintf("%.1f fps, %.1f Mbit/s", v.FPS, v.Mbit),
		latencyWords(v.LatencyMS) + latencyTail(v.LatencyMS),
	}
	shown := fmt.Sprintf("%d shown", v.Frames.Shown)
	if from := v.from(); from != "" {
		shown += " from " + from
	}
	lines = append(lines, shown)
	lost := v.inFigures.lostByReason()
	for _, reason := range slices.Sorted(maps.Keys(lost)) {
		lines = append(lines, fmt.Sprintf("lost: %s %d", reason, lost[reason]))
	}
	return append(lines, troubles(append([]count{
		{"frames skipped", v.Frames.Skipped}, {"frames undecodable", v.Frames.Undecodable},
	}, v.inFigures.troubles()...))...)
}
