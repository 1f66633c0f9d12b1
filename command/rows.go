package command

import (
	"fmt"
	"time"

	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

// rows tell of each viewer, one row each, in parts, the most important first.
func rows(f *figures) (all [][]string) {
	for _, out := range outs(f) {
		if out.UDP != nil {
			for i := range out.UDP.Viewers {
				all = append(all, udpRow(&out.UDP.Viewers[i]))
			}
		}
		if out.TCP != nil {
			for i := range out.TCP.Viewers {
				all = append(all, tcpRow(&out.TCP.Viewers[i]))
			}
		}
	}
	return all
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
func udpRow(v *udp.ViewerStats) []string {
	row := []string{"  " + v.Addr + " udp"}
	if v.ReportAge < 0 {
		return append(row, "no report", v.To)
	}
	if v.Complete == 0 {
		row = append(row, nothingComplete(v)...)
	} else {
		row = append(row, fmt.Sprintf("%d shown", v.Shown))
	}
	row = append(row, troubles([]count{
		{"lost", uint64(v.Lost)}, {"datagrams missing", v.Missing}, {"dropped by its kernel", uint64(v.KernelDrops)}, {"reordered", uint64(v.Reordered)},
	})...)
	if v.Parity > 0 {
		row = append(row, fmt.Sprintf("parity %.0f %% for %s loss", 100*v.Parity, percent(v.Loss)))
	}
	if v.RTT > 0 {
		row = append(row, fmt.Sprintf("round trip %.2f ms", inMilliseconds(v.RTT)))
	}
	row = append(row, fmt.Sprintf("jitter %.2f ms", inMilliseconds(v.Jitter)))
	if v.To != v.Addr {
		row = append(row, v.To)
	}
	return row
}

// nothingComplete tells how the datagrams fare of a viewer that cannot show a picture yet.
func nothingComplete(v *udp.ViewerStats) []string {
	parts := []string{"no frame complete"}
	if all := v.Received + v.Missing; v.Missing > 0 {
		parts = append(parts, percent(float64(v.Missing)/float64(all))+" of the datagrams lost")
	}
	if v.Arrival > 0 { // on a fast path that is far more than what is sent
		parts = append(parts, "within a frame "+mbit(float64(v.Arrival))+" arrive")
	}
	if v.Shown > 0 { // concealed
		parts = append(parts, fmt.Sprintf("%d shown", v.Shown))
	}
	return parts
}

// percent is a share for people.
func percent(share float64) string {
	if share *= 100; share < 9.95 {
		return fmt.Sprintf("%.2g %%", share)
	}
	return fmt.Sprintf("%.0f %%", share)
}

// mbit is a rate in bit/s for people.
func mbit(rate float64) string {
	if rate /= 1e6; rate < 99.95 {
		return fmt.Sprintf("%.3g Mbit/s", rate)
	}
	return fmt.Sprintf("%.0f Mbit/s", rate)
}

func tcpRow(v *tcp.ViewerStats) []string {
	row := append([]string{"  " + v.Addr + " tcp", fmt.Sprintf("%d sent", v.Frames)}, troubles([]count{{"left out", v.Skipped}})...)
	if v.RTT > 0 {
		row = append(row, fmt.Sprintf("round trip %.2f ms", inMilliseconds(v.RTT)))
	}
	return row
}

// inMilliseconds is µs in ms.
func inMilliseconds(us uint32) float64 {
	return float64(us) * float64(time.Microsecond) / float64(time.Millisecond)
}
