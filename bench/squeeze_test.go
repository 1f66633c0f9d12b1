package bench

import (
	"bytes"
	"encoding/json"
	"html"
	"math"
	"strings"
	"testing"
	"time"
)

// squeezedRun is 12 s at 10 fps, squeezed from 4 s to 8 s: 100 kB and 20 ms before, 30 kB and 120
// ms within, of which every fourth is never shown, and back in two steps: the latency after
// 500 ms, the size after 1 s.
func squeezedRun() Run {
	r := Run{
		Point:   Point{Transport: "udp", Repair: "auto", Link: "rate=100mbit,squeeze=20mbit@4s+4s", Scenario: Scenario{FPS: 10, Length: Duration{12 * time.Second}}},
		Repeat:  1,
		Began:   epoch,
		Squeeze: &Squeeze{Rate: 20e6, At: Duration{4 * time.Second}, For: Duration{4 * time.Second}},
		Repairs: &Repairs{AtOnce: 80, Rebuilt: 20, Repaired: 10, GivenUp: 10, Resent: 60},
	}
	for i := range 120 {
		c := epoch + 50_000 + int64(i)*100_000
		size, latency, shown := 100_000, int64(20_000), true
		switch at := float64(i) / 10; {
		case at >= 4 && at < 8:
			size, latency, shown = 30_000, 120_000, i%4 != 3
		case at >= 8 && at < 8.5:
			size, latency = 60_000, 80_000
		case at >= 8.5 && at < 9:
			size = 60_000
		}
		r.Sent = append(r.Sent, SentFrame{c, c + 1000, c + 2000, size, 0})
		if shown {
			r.Shown = append(r.Shown, ShownFrame{c, c + 5000, c + latency - 5000, c + latency, size, 0})
		}
	}
	return r
}

func TestSqueezeIsToldByPhases(t *testing.T) {
	q := Analyse(squeezedRun()).Squeeze
	if q == nil {
		t.Fatal("nothing is told of it")
	}
	for name, c := range map[string]struct {
		Phase
		due, shown int
		p99, bytes float64
	}{"before": {q.Before, 40, 40, 20, 100_000}, "during": {q.During, 40, 30, 120, 30_000}, "after": {q.After, 40, 40, 80, 90_000}} {
		if c.Due != c.due || c.Shown != c.shown || math.Abs(float64(c.Latency.P99)-c.p99) > .1 || c.Bytes != c.bytes {
			t.Errorf("%s: %+v %+v, want %d due, %d shown, p99 %v ms, %v bytes", name, c.Phase, c.Latency, c.due, c.shown, c.p99, c.bytes)
		}
	}
	// In half a second from 8.95 s on, one frame of five has 60 kB: 92 in the mean.
	if q.Freeze != 200 || q.SizeBack != 950 || q.LatencyBack != 550 {
		t.Errorf("froze for %v ms, size back after %v, latency after %v, want 200, 950, 550", q.Freeze, q.SizeBack, q.LatencyBack)
	}
}

// What never comes back within the span is said to be never, not to be back at its end.
func TestSqueezeThatNothingComesBackFrom(t *testing.T) {
	r := squeezedRun()
	for i := 80; i < 120; i++ {
		r.Sent[i].Bytes = 20_000
	}
	r.Shown = r.Shown[:70]
	q := Analyse(r).Squeeze
	if q.SizeBack != Never || q.LatencyBack != Never || q.After.Shown != 0 || q.Freeze < 4000 {
		t.Errorf("got %+v", q)
	}
	r.Squeeze.At = Duration{12 * time.Second}
	if q := Analyse(r).Squeeze; q != nil {
		t.Errorf("a squeeze behind the span: %+v", q)
	}
	rep := &Report{}
	r.Squeeze.At = Duration{4 * time.Second}
	rep.Add(r)
	if out := string(text(t, rep)); !strings.Contains(out, "never") {
		t.Errorf("the table does not say so:\n%s", out)
	}
}

// repaired is a report with both tables beside the first, over three seeds.
func repaired() *Report {
	r := &Report{Meta: meta()}
	for repeat := range 3 {
		for _, way := range []string{"none", "auto"} {
			run := squeezedRun()
			run.Repair, run.Repeat, run.Seed = way, repeat+1, uint64(repeat+1)
			for i := range run.Shown {
				run.Shown[i].Decoded += int64(repeat) * 1000
			}
			run.Sender = End{Wire: 1_150_000, Payload: 1_000_000, CPU: Duration{time.Second}, Wall: Duration{10 * time.Second}}
			if way == "none" {
				run.Repairs = &Repairs{AtOnce: 110, GivenUp: 10}
			}
			r.Add(run)
		}
		tcp := squeezedRun()
		tcp.Transport, tcp.Repair, tcp.Congestion, tcp.Repairs, tcp.Repeat = "tcp", "", "cubic", nil, repeat+1
		r.Add(tcp)
	}
	return r
}

func TestMarkdown(t *testing.T) {
	write := func(r *Report) []byte {
		return written(t, func(b *bytes.Buffer) error { return WriteMarkdown(b, r) })
	}
	golden(t, "squeeze.md", write(repaired()))
	golden(t, "sweep.md", write(sweepReport(3, 10*time.Second, "cubic")))
	if got := string(write(&Report{})); got != "Nothing was measured.\n" {
		t.Errorf("of nothing: %q", got)
	}
	r := single()
	r.Runs[0].Link = "a|b\nc`d"
	want := 0
	for line := range strings.Lines(string(write(r))) {
		if !strings.HasPrefix(line, "|") {
			want = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if want == 0 {
			want = n
		}
		if n != want {
			t.Errorf("%d bars and not %d, as its head has: %s", n, want, line)
		}
	}
}

func TestRepairsAndSqueezeInText(t *testing.T) {
	golden(t, "squeeze.txt", text(t, repaired()))
	for l := range strings.Lines(string(text(t, repaired()))) {
		if n := len([]rune(l)); n > width+1 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	// Where nothing was missing there is nothing to tell.
	r := repaired()
	for i := range r.Runs {
		r.Runs[i].Repairs = &Repairs{AtOnce: 120}
	}
	if out := string(text(t, r)); strings.Contains(out, "rebuilt") {
		t.Errorf("a table of nothing:\n%s", out)
	}
}

// They come back from JSON as they were, and nonsense is refused.
func TestSqueezeRoundTrip(t *testing.T) {
	b := written(t, func(b *bytes.Buffer) error { return WriteJSON(b, repaired(), false) })
	r, err := ReadReport(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text(t, r), text(t, repaired())) {
		t.Error("another table")
	}
	bad := bytes.Replace(b, []byte(`"before":{"due":40`), []byte(`"before":{"due":-1`), 1)
	if _, err := ReadReport(bytes.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "its squeeze cannot be") {
		t.Errorf("got %v", err)
	}
	var any struct {
		Runs []struct {
			Repair  string
			Seed    int
			Repairs map[string]int
			Stats   struct{ Squeeze map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal(b, &any); err != nil {
		t.Fatal(err)
	}
	if run := any.Runs[1]; run.Repair != "auto" || run.Seed != 1 || run.Repairs["rebuilt"] != 20 || run.Stats.Squeeze["size_back_ms"] == nil {
		t.Errorf("got %+v", run)
	}
}

// What is not all is never said to be all, and from 99 % on hundredths are told.
func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0", 1e-9: "<0.1", .5: "50.0", .98949: "98.9", .99: "99.00", .9995: "99.95", .999999: "99.99", 1: "100"} {
		if got := percent(share); got != want {
			t.Errorf("%v: got %s, want %s", share, got, want)
		}
	}
}

// The page has the tables that terminal and Markdown have, in the same words.
func TestRepairsAndSqueezeOnThePage(t *testing.T) {
	page := func(r *Report) string {
		return html.UnescapeString(string(written(t, func(b *bytes.Buffer) error { return WriteHTML(b, r) })))
	}
	r := repaired()
	got := page(r)
	groups := places(Summarise(r))
	tables := append(squeezeTables(groups, true), repairTable(groups))
	if len(tables) != 3 {
		t.Fatalf("%d tables, want 3", len(tables))
	}
	for _, table := range tables {
		if !strings.Contains(got, "<b>"+table.title+"</b><small>"+table.note+"</small>") {
			t.Errorf("the page has no table %q", table.title)
		}
		for _, row := range table.rows {
			if cells := "</i>" + strings.Join(row[1:], "</td><td>") + "</td>"; !strings.Contains(got, cells) {
				t.Errorf("%s: the page has no row %q", table.title, row)
			}
		}
	}
	for i := range r.Runs {
		r.Runs[i].Repairs, r.Runs[i].Stats.Squeeze = &Repairs{AtOnce: 120}, nil
	}
	if got := page(r); strings.Contains(got, "became whole") || strings.Contains(got, "The squeeze") {
		t.Error("the page has tables of nothing")
	}
}
