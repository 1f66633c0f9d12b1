package bench

import (
	"slices"
	"strings"
)

// chance is the outcome of runs of which somebody has only one.
const chance = "one run each, so it may be chance"

// chanceOnce says behind all of them what several lines would say each.
func chanceOnce(lines []string, groups [][]*Summary) []string {
	n, once := 0, true
	for _, line := range lines {
		n += strings.Count(line, chance)
	}
	if n < 2 {
		return lines
	}
	for i, line := range lines {
		line = strings.ReplaceAll(line, ": "+chance+".", ".") // at the end
		line = strings.ReplaceAll(line, chance+": ", "")      // before the numbers of the only place
		lines[i] = strings.ReplaceAll(line, chance+" ", "")   // before the names of places
	}
	for _, s := range slices.Concat(groups...) {
		once = once && s.Runs < 2
	}
	if once {
		return append(lines, "One run each: what differs may be chance; --repeat 3 tells.")
	}
	return append(lines, "One run only: where no outcome is told above, somebody was measured once, and what differs may be chance.")
}
