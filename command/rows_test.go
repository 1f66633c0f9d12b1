package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/framegram/framegram/udp"
)

// A viewer that cannot show a picture yet is not said to have shown none: what stands in its row is how its datagrams
// fare.
func TestRowOfAViewer(t *testing.T) {
	const to = "10.0.0.2:5600"
	for _, tt := range []struct {
		name string
		v    udp.ViewerStats
		want string
	}{
		{"no report", udp.ViewerStats{ReportAge: -1}, "no report | 10.0.0.2:5600"},
		{"frames complete",
			udp.ViewerStats{Shown: 300, Complete: 301, Lost: 2, Received: 9000, Missing: 7, RTT: 1500, Arrival: 94e6},
			"300 shown | lost 2 | datagrams missing 7 | round trip 1.50 ms | jitter 0.00 ms"},
		{"parity", udp.ViewerStats{Shown: 300, Complete: 300, Parity: 0.09, Loss: 0.024},
			"300 shown | parity 9 % for 2.4 % loss | jitter 0.00 ms"},
		{"nothing complete", udp.ViewerStats{Received: 450, Missing: 550, Arrival: 9_400_000},
			"no frame complete | 55 % of the datagrams lost | within a frame 9.4 Mbit/s arrive | " +
				"datagrams missing 550 | jitter 0.00 ms"},
		{"at no rate that is known", udp.ViewerStats{Received: 998, Missing: 2},
			"no frame complete | 0.2 % of the datagrams lost | datagrams missing 2 | jitter 0.00 ms"},
		{"nothing lost", udp.ViewerStats{Received: 3, Arrival: 940_000_000},
			"no frame complete | within a frame 940 Mbit/s arrive | jitter 0.00 ms"},
		{"all lost but a few", udp.ViewerStats{Received: 3, Missing: 997},
			"no frame complete | 100 % of the datagrams lost | datagrams missing 997 | jitter 0.00 ms"},
		{"concealed", udp.ViewerStats{Received: 98, Missing: 2, Shown: 12},
			"no frame complete | 2 % of the datagrams lost | 12 shown | datagrams missing 2 | jitter 0.00 ms"},
	} {
		v := tt.v
		v.Addr, v.To = to, to
		if got, want := strings.Join(udpRow(&v), " | "), "  "+to+" udp | "+tt.want; got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
	}
}

// Below the status line stands the note, broken between words, and then as many rows as there is room for.
func TestBelowTheStatusLine(t *testing.T) {
	const note = "datagrams arrive at 9.4 Mbit/s, no frame complete"
	rows := [][]string{{"  a", "1 shown"}, {"  b", "2 shown"}, {"  c", "3 shown"}}
	for _, tt := range []struct {
		note        string
		rows        [][]string
		width, room int
		want        []string
	}{
		{"", nil, 80, 20, nil},
		{"", rows, 80, 20, []string{"  a | 1 shown", "  b | 2 shown", "  c | 3 shown"}},
		{"", rows, 80, 2, []string{"  a | 1 shown", "  and 2 viewers more"}},
		{"", rows, 80, 1, []string{"  and 3 viewers more"}},
		{"", rows, 80, 0, nil},
		{"", rows, 80, -1, nil},
		{note, nil, 80, 20, []string{"  " + note}},
		{note, nil, 30, 20, []string{"  datagrams arrive at 9.4", "  Mbit/s, no frame complete"}},
		{note, nil, 30, 1, []string{"  datagrams arrive at 9.4"}},
		{note, rows, 80, 2, []string{"  " + note, "  and 3 viewers more"}},
		{note, rows, 80, 3, []string{"  " + note, "  a | 1 shown", "  and 2 viewers more"}},
		{note, rows[:1], 80, 2, []string{"  " + note, "  a | 1 shown"}},
	} {
		if got := below(tt.note, tt.rows, tt.width, tt.room); !slices.Equal(got, tt.want) {
			t.Errorf("%q and %d rows in %d columns and %d lines: got %q, want %q",
				tt.note, len(tt.rows), tt.width, tt.room, got, tt.want)
		}
	}
}
