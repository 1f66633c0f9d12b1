package command

import (
	"fmt"
	"time"

	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

// rowsShown bounds the viewers that have a row of their own on a terminal, or in the log.
const rowsShown = 12

// rows tell of each viewer, one line each.
func rows(f *figures) (lines []string) {
	for _, out := range outs(f) {
		if out.UDP != nil {
			for i := range out.UDP.Viewers {
				lines = append(lines, udpRow(&out.UDP.Viewers[i]))
			}
		}
		if out.TCP != nil {
			for i := range out.TCP.Viewers {
				lines = append(lines, tcpRow(&out.TCP.Viewers[i]))
			}
		}
	}
	if more := len(lines) - rowsShown; more > 0 {
		lines = append(lines[:rowsShown], fmt.Sprintf("  and %s more", plural(more, "viewer")))
	}
	return lines
}

// outs are the ways out that f has.
func outs(f *figures) (all []*outFigures) {
	if f.Send != nil && f.View == nil { // a demo's viewer is told of anyway
		all = append(all, &f.Send.outFigures)
	}
	if f.Relay != nil {
		all = append(all, &f.Relay.Out)
	}
	return all
}

// udpRow tells what a viewer has reported.
func udpRow(v *udp.ViewerStats) string {
	line := "  " + v.Addr + " udp"
	if v.To != v.Addr {
		line += ", " + v.To
	}
	if v.ReportAge < 0 {
		return line + ": no report"
	}
	line += fmt.Sprintf(": %d frames shown, jitter %.2f ms", v.Shown, microseconds(v.Jitter))
	if v.RTT > 0 {
		line += fmt.Sprintf(", round trip %.2f ms", microseconds(v.RTT))
	}
	return line + inBrackets(troubles([]count{
		{"frames lost", uint64(v.Lost)}, {"datagrams missing", v.Missing}, {"reordered", uint64(v.Reordered)}, {"dropped by its kernel", uint64(v.KernelDrops)},
	}))
}

func tcpRow(v *tcp.ViewerStats) string {
	line := fmt.Sprintf("  %s tcp: %d frames", v.Addr, v.Frames)
	if v.RTT > 0 {
		line += fmt.Sprintf(", round trip %.1f ms", microseconds(v.RTT))
	}
	return line + inBrackets(troubles([]count{{"left out", v.Skipped}}))
}

// microseconds is µs in ms.
func microseconds(us uint32) float64 {
	return float64(us) * float64(time.Microsecond) / float64(time.Millisecond)
}
