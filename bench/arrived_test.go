package bench

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// overtakenRun is 10 s at 10 fps after a second of warm-up. Of ten frames, one is lost, and
// two are complete and overtaken before they could be decoded; in the warm-up none is shown.
// The sender has 50 minor page faults a frame until the span begins and 3 from then on, the
// viewer 90 and one in two.
func overtakenRun(transport string) Run {
	r := Run{
		Point: Point{Transport: transport, Link: "loopback", Scenario: Scenario{FPS: 10, Source: "test", Length: Duration{10 * time.Second}, Warmup: Duration{time.Second}}},
		Began: epoch, Repeat: 1,
	}
	for i := range int64(115) {
		c := epoch + i*100_000
		sent, shown := 1000+50*i, 2000+90*i
		if i > 10 {
			sent, shown = 1000+50*10+3*(i-10), 2000+90*10+(i-10)/2
		}
		r.Sent = append(r.Sent, SentFrame{c, c + 1000, c + 2000, 500, sent})
		frame := ShownFrame{c, c + 3000, c + 4000, c + 6000, 500, shown}
		switch {
		case i%10 == 3:
			continue
		case i < 10, i%10 == 5, i%10 == 6:
			frame.Decoded = 0
		}
		r.Shown = append(r.Shown, frame)
	}
	return r
}

// Frames that arrived whole are told apart from those that were shown, in the measured time
// alone, whatever the transport.
func TestArrivedIsToldFromShown(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		s := Analyse(overtakenRun(transport))
		if s.Due != 100 || s.Shown != 70 || s.Arrived == nil || *s.Arrived != 90 {
			t.Errorf("%s: %d due, %d shown, %v arrived, want 100, 70 and 90", transport, s.Due, s.Shown, s.Arrived)
		}
	}
	r := overtakenRun("udp")
	r.Shown = nil
	if s := Analyse(r); s.Arrived == nil || *s.Arrived != 0 {
		t.Errorf("of nothing %v arrived, want 0", s.Arrived)
	}
}

// Faults are those of the measured time, for each frame; where a process does not tell them
// there is no figure, and none is not the same as unknown.
func TestFaultsOfTheMeasuredTime(t *testing.T) {
	r := overtakenRun("udp")
	s := Analyse(r)
	if s.SenderFaults == nil || *s.SenderFaults != 3 || s.ViewerFaults == nil || *s.ViewerFaults < .5 || *s.ViewerFaults > .6 {
		t.Errorf("%v and %v faults a frame, want 3 and a little over a half", s.SenderFaults, s.ViewerFaults)
	}
	for i := range r.Sent {
		r.Sent[i].Faults = 7000
	}
	for i := range r.Shown {
		r.Shown[i].Faults = 0
	}
	if s := Analyse(r); s.SenderFaults == nil || *s.SenderFaults != 0 || s.ViewerFaults != nil {
		t.Errorf("%v and %v faults a frame, want 0 and not known", s.SenderFaults, s.ViewerFaults)
	}
	slices.Reverse(r.Sent)
	for i := range r.Sent {
		r.Sent[i].Faults = int64(1 + i)
	}
	if s := Analyse(r); s.SenderFaults != nil {
		t.Errorf("a count that falls makes %v faults a frame", *s.SenderFaults)
	}
}

// Every form of a report has the share that arrived, the faults and how the latency splits.
func TestEveryFormHasArrivedFaultsAndStages(t *testing.T) {
	r := &Report{Meta: meta()}
	r.Add(overtakenRun("udp"))
	form := func(write func(*bytes.Buffer) error) string { return string(written(t, write)) }
	markdown := form(func(b *bytes.Buffer) error { return WriteMarkdown(b, r) })
	for name, c := range map[string]struct {
		says string
		want []string
	}{
		"text":     {string(text(t, r)), []string{"arrived %", "70.0     90.0", "arrived: that were complete", "Where the time goes", "1.00 / 1.00  1.00 / 1.00  2.00 / 2.00  2.00 / 2.00  1.00 / 1.00"}},
		"Markdown": {markdown, []string{"| arrived % |", "| 70.0 | 90.0 |", "| 3.00 | 0.55 |", "Where the time goes", "| 1.00 / 1.00 | 1.00 / 1.00 | 2.00 / 2.00 | 2.00 / 2.00 | 1.00 / 1.00 |"}},
		"JSON": {form(func(b *bytes.Buffer) error { return WriteJSON(b, r, true) }),
			[]string{`"arrived":90`, `"sender_faults_per_frame":3`, `"viewer_faults_per_frame":0.5`, `"share_arrived":{"median":0.9`, `"minflt":1503`, `"arrival_p50_ms"`}},
		"HTML": {form(func(b *bytes.Buffer) error { return WriteHTML(b, r) }), []string{"arrived", "<td>90.0", "faults/frame, viewer", "<td>0.55", "arrival p50"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.says, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(form(func(b *bytes.Buffer) error { return WriteCSV(b, r) }))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"arrived": "90", "share_arrived": "0.9", "sender_faults_per_frame": "3", "arrival_p99_ms": "1"} {
		if i := slices.Index(rows[0], name); i < 0 || rows[1][i] != want {
			t.Errorf("CSV: column %d is %s, want one with %s", i, name, want)
		}
	}
}

// A report from before any of it was noted can be read and compared: what it does not know
// is a dash, and nothing is claimed of it.
func TestOlderReportsLackWhatWasNotNoted(t *testing.T) {
	r := &Report{Meta: meta()}
	r.Add(overtakenRun("udp"))
	now := string(written(t, func(b *bytes.Buffer) error { return WriteJSON(b, r, false) }))
	runs, _, _ := strings.Cut(now, `"summary":`)
	then := regexp.MustCompile(`"(arrived|sender_faults_per_frame|viewer_faults_per_frame)":[0-9.]+,`).ReplaceAllString(runs, "")
	if then == runs {
		t.Fatal("nothing was taken away")
	}
	older, err := ReadReport(strings.NewReader(strings.TrimRight(then, ",") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	if s := older.Runs[0].Stats; s.Arrived != nil || s.SenderFaults != nil || s.Shown != 70 {
		t.Errorf("it has %v arrived, %v faults, %d shown", s.Arrived, s.SenderFaults, s.Shown)
	}
	if out := string(text(t, older)); !strings.Contains(out, "70.0     –") {
		t.Errorf("what is not known is not a dash:\n%s", out)
	}
	out := string(written(t, func(b *bytes.Buffer) error { return WriteCompare(b, older, r) }))
	for _, want := range []string{`whole +70\.0 +→ 70\.0 +%`, `arrived +– +→ 90\.0 +%\n`, `sender faults/frame – +→ 3\.00 +faults\n`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("it does not say %s:\n%s", want, out)
		}
	}
}
