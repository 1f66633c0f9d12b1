package bench

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var aCell = Cell{Picture{320, 240, 10}, 1e6, Queue{Time: 20 * time.Millisecond}, 0.05}

// at10 is a run of a second at 10 fps. Frame i was captured at the epoch + first + i * 100 ms, and
// decoded after so many ms; 0 = it was never shown, -1 = it was never sent.
func at10(first int64, after ...float64) Run {
	r := Run{Point: Point{Transport: "udp", Scenario: Scenario{FPS: 10, Length: Duration{time.Second}}}, Began: epoch}
	for i, delay := range after {
		captured := epoch + first + int64(i)*100_000
		if delay >= 0 {
			r.Sent = append(r.Sent, SentFrame{captured, captured + 1000, captured + 2000, 1000, 0})
		}
		if delay > 0 {
			decoded := captured + ms(delay)
			r.Shown = append(r.Shown, ShownFrame{captured, decoded - 2000, decoded - 1000, decoded, 1000, 0})
		}
	}
	return r
}

// Frames that were late, lost or left out were due all the same.
func TestInCell(t *testing.T) {
	c := InCell(aCell, at10(70, 0, 30, 200, 201, -1, -1, 50, 0, 50, 450))
	if c.Due != 10 || c.Captured != 8 || c.Arrived != 6 || c.Shown != 6 || c.Prompt != 0.4 || c.Whole != 0.6 {
		t.Errorf("got %+v", c)
	}
	if c.First == nil || *c.First < 130 || *c.First > 130.1 { // the second frame's
		t.Errorf("the first picture after %v ms", *c.First)
	}
	if c.Cell != aCell || c.Transport != "udp" || c.Name() != "udp push" {
		t.Errorf("it is %s in %v", c.Name(), c.Cell)
	}
	nothing := InCell(aCell, at10(70, 0, 0, 0))
	if nothing.First != nil || nothing.Due != 10 || nothing.Shown != 0 || nothing.Freeze < 999 {
		t.Errorf("of nothing: %+v", nothing)
	}
	if none := InCell(aCell, at10(0)); none.First != nil || none.Due != 10 || none.Captured != 0 {
		t.Errorf("of no frame at all: %+v", none)
	}
}

// The first picture counts from where the run began, also if the first frames were not sent. For
// a subscriber it counts from the first capture after that.
func TestFirstPicture(t *testing.T) {
	for name, c := range map[string]struct {
		run  Run
		want float64
	}{
		"at once":                             {at10(70, 20, 20, 20), 20.07},
		"a frame that overtakes":              {at10(0, 250, 20, 20), 120},
		"two frames before the connection":    {at10(70, -1, -1, 20), 220.07},
		"a subscriber":                        {subscribed(at10(80_000, 20, 20)), 20},
		"a subscriber who missed two frames":  {subscribed(at10(80_000, -1, -1, 20)), 220},
		"a subscriber and frames before that": {subscribed(at10(-120_000, 20, 20, 20, 20)), 20},
	} {
		got := InCell(aCell, c.run).First
		if got == nil || *got < c.want-0.01 || *got > c.want+0.01 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	unknown := at10(70, 20)
	unknown.Began = 0
	if got := InCell(aCell, unknown).First; got == nil || *got != 20 {
		t.Errorf("a begin that is not known: %v, want 20", got)
	}
}

func subscribed(r Run) Run {
	r.Connect = "subscribe"
	return r
}

// outcome is a run's, in short. A share of 0 is one in which nothing was shown.
func outcome(cell Cell, transport, connect string, share float64) CellRun {
	c := CellRun{
		Cell: cell, Transport: transport, Connect: connect, Due: 100, Captured: 100,
		Prompt: share, Whole: share, Freeze: 1000 * (1 - share),
	}
	c.Shown = int(share * 100)
	c.Arrived = c.Shown
	if transport == "tcp" {
		c.Congestion = "cubic"
	}
	if share > 0 {
		first := 20 / share
		c.First = &first
	}
	return c
}

// aMatrix has two pictures and several cells, of which all that the verdicts tell apart.
func aMatrix() *Matrix {
	m := &Matrix{Meta: meta(), Length: 3 * time.Second}
	m.Meta.Command = "framegram bench matrix"
	queues := []Queue{{Time: 20 * time.Millisecond}, {Bytes: 64000}}
	cells := Cells([]Picture{{320, 240, 10}, {3840, 2160, 30}}, []int64{1e6, 1e9}, queues, []float64{0, 0.3})
	for i, shares := range [][4]float64{ // udp push, subscribe, group, tcp
		{0, 0, 0, 0.933},         // both of udp fail
		{0, 0, 0, 0},             // nobody shows anything
		{0.5, 0, 0, 0.3},         // subscribe fails
		{0.98, 0.98, 0, 1},       // 2 points behind, and a group is not judged
		{0.97, 0.99, 0.9, 1},     // push is behind
		{0.5, 0.5, 0.5, 0.2},     // tcp is behind
		{1, 1, 1, 1},             //
		{0.123, 0.1, 0.11, 0.95}, // both are behind
	} {
		for j, connect := range []string{"", "subscribe", "group"} {
			m.Runs = append(m.Runs, outcome(cells[i], "udp", connect, shares[j]))
		}
		m.Runs = append(m.Runs, outcome(cells[i], "tcp", "", shares[3]))
	}
	for _, died := range []struct{ transport, connect, err string }{ // what died is not judged
		{"udp", "", "sender: it died: killed"}, {"udp", "subscribe", ""}, {"udp", "group", ""},
		{"tcp", "", "viewer: it ended by itself"},
	} {
		c := outcome(cells[8], died.transport, died.connect, 0)
		c.Err = died.err
		m.Runs = append(m.Runs, c)
	}
	return m
}

func TestMatrixVerdicts(t *testing.T) {
	m := aMatrix()
	for name, c := range map[string]struct {
		got  []CellVerdict
		want []string
	}{
		"failed": {m.Failed(), []string{
			"320x240@10, 1mbit, queue 20ms, loss 0%: tcp cubic shows 93.3 %, the first after 21.4 ms, " +
				"udp push shows nothing, udp subscribe shows nothing",
			"320x240@10, 1mbit, queue 64kB, loss 0%: tcp cubic shows 30.0 %, the first after 66.7 ms, " +
				"udp subscribe shows nothing",
		}},
		"behind": {m.Behind(), []string{
			"320x240@10, 1mbit, queue 20ms, loss 0%: tcp cubic 93.3 %, udp push 0 %, udp subscribe 0 %",
			"320x240@10, 1mbit, queue 64kB, loss 0%: tcp cubic 30.0 %, udp subscribe 0 %",
			"320x240@10, 1gbit, queue 20ms, loss 0%: tcp cubic 100 %, udp push 97.0 %",
			"320x240@10, 1gbit, queue 64kB, loss 30%: tcp cubic 95.0 %, udp push 12.3 %, udp subscribe 10.0 %",
		}},
		"not measured": {m.Unmeasured(), []string{
			"3840x2160@30, 1mbit, queue 20ms, loss 0%: udp push: sender: it died: killed",
			"3840x2160@30, 1mbit, queue 20ms, loss 0%: tcp cubic: viewer: it ended by itself",
		}},
	} {
		var got []string
		for _, v := range c.got {
			got = append(got, v.Cell.String()+": "+v.Says)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestMatrixForms(t *testing.T) {
	m := aMatrix()
	m.Missed = 1
	out := written(t, func(b *bytes.Buffer) error { return WriteMatrixText(b, m) })
	golden(t, "matrix.txt", out)
	for l := range strings.Lines(string(out)) {
		if n := utf8.RuneCountInString(l) - 1; n > width {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	golden(t, "matrix.md", written(t, func(b *bytes.Buffer) error { return WriteMatrixMarkdown(b, m) }))
	for _, write := range []func(b *bytes.Buffer) error{
		func(b *bytes.Buffer) error { return WriteMatrixText(b, &Matrix{}) },
		func(b *bytes.Buffer) error { return WriteMatrixMarkdown(b, &Matrix{}) },
	} {
		if got := string(written(t, write)); !strings.Contains(strings.ToLower(got), "nothing was measured") {
			t.Errorf("of nothing: %s", got)
		}
	}
}

// Tcp that ran with several congestion controls is called tcp, and one that is not known changes nothing.
func TestMatrixNamesItsWays(t *testing.T) {
	m := aMatrix()
	m.Runs[3].Congestion = ""
	if got := m.name(way{"tcp", ""}); got != "tcp cubic" {
		t.Errorf("it is called %s", got)
	}
	m.Runs[3].Congestion = "bbr"
	if got := m.name(way{"tcp", ""}); got != "tcp" {
		t.Errorf("it is called %s", got)
	}
}

func TestMatrixJSON(t *testing.T) {
	out := written(t, func(b *bytes.Buffer) error { return WriteMatrixJSON(b, aMatrix()) })
	var got struct {
		Program string
		Length  float64 `json:"length_ms"`
		Failed  []struct{ Cell, Says any }
		Runs    []map[string]any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Program != "framegram bench matrix" || got.Length != 3000 || len(got.Failed) != 2 || len(got.Runs) != 36 {
		t.Errorf("got %+v", got)
	}
	run := got.Runs[29]
	for name, want := range map[string]any{
		"picture": "320x240@10", "rate_bit_s": 1e9, "queue": "64kB", "loss": 0.3, "transport": "udp", "connect": "subscribe",
		"due": 100., "shown": 10., "share_within_200ms": 0.1, "share_shown": 0.1, "freeze_ms": 900., "first_picture_ms": 200.,
	} {
		if run[name] != want {
			t.Errorf("%s is %v, want %v", name, run[name], want)
		}
	}
	if _, err := ReadReport(bytes.NewReader(out)); err == nil {
		t.Error("bench compare takes it for a report of bench")
	}
	out = written(t, func(b *bytes.Buffer) error { return WriteMatrixJSON(b, &Matrix{}) })
	if bytes.Contains(out, []byte("null")) {
		t.Errorf("of nothing: %s", out)
	}
}
