package bench

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not as in %s (go test -update writes it anew):\n%s", name, got)
	}
}

func written(t *testing.T, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func text(t *testing.T, r *Report) []byte {
	return written(t, func(b *bytes.Buffer) error { return WriteText(b, r) })
}

// single is a report on one link, with a run each, one of which failed.
func single() *Report {
	r := &Report{Meta: meta()}
	r.Meta.Command = "framegram bench"
	r.Add(synthetic("udp", "", "loopback", Sweep{}, .002, 1, 10*time.Second))
	r.Add(synthetic("tcp", "cubic", "loopback", Sweep{}, .002, 1, 10*time.Second))
	dead := synthetic("tcp", "bbr", "loopback", Sweep{}, .002, 1, 10*time.Second)
	dead.Shown, dead.Err = dead.Shown[:100], "the sender died: exit status 2"
	r.Add(dead)
	return r
}

func TestText(t *testing.T) {
	golden(t, "sweep.txt", text(t, sweepReport(3, 10*time.Second, "cubic", "bbr")))
	golden(t, "single.txt", text(t, single()))
	golden(t, "empty.txt", text(t, &Report{}))
}

func TestTextFitsItsWidth(t *testing.T) {
	r := sweepReport(3, 5*time.Second, "a-congestion-control-with-a-name")
	for i := range r.Runs {
		run := &r.Runs[i]
		run.Sweep = Sweep{}
		run.Link = strings.Repeat("delay=1234567ms,", 9) + run.Link
		run.Stats.Freeze *= 1e5
	}
	for l := range strings.Lines(string(text(t, r))) {
		// A word that is longer than the line cannot be broken.
		if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > width && !strings.Contains(l, "delay=1234567ms,delay=1234567ms,delay=1234567ms,delay=1234567ms,") {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestTextCannotSteerTheTerminal(t *testing.T) {
	r := single()
	r.Runs[0].Link = "lo\x1b[31m\r\nback\u202e"
	r.Runs[2].Err = "died\x1b]0;title\a\nnew line"
	out := string(text(t, r)) + string(written(t, func(b *bytes.Buffer) error { return WriteCompare(b, r, r) }))
	for _, bad := range []string{"\x1b", "\r", "\a", "\u202e"} {
		if strings.Contains(out, bad) {
			t.Errorf("%q got through", bad)
		}
	}
	if !strings.Contains(out, "died?]0;title??new line") {
		t.Error("the error is not told")
	}
}

// of makes summaries of a share at one place.
func of(spreads map[string]Spread, order ...string) (group []*Summary) {
	for _, name := range order {
		group = append(group, &Summary{Point: Point{Transport: name, Link: "here"}, Figures: map[string]Spread{"share_within_deadline": spreads[name]}})
	}
	return group
}

func TestVerdictsClaimNoMoreThanIsKnown(t *testing.T) {
	for _, c := range []struct {
		spreads map[string]Spread
		want    string
	}{
		{map[string]Spread{"a": {.9, .88, .92, 3}, "b": {.5, .4, .6, 3}}, "a is ahead"},
		{map[string]Spread{"a": {.5, .4, .6, 3}, "b": {.9, .88, .92, 3}}, "b is ahead"},
		{map[string]Spread{"a": {.9, .8, .92, 3}, "b": {.7, .6, .81, 3}}, "no clear difference"},
		{map[string]Spread{"a": {.9, .8, .92, 3}, "b": {.7, .6, .8, 3}}, "no clear difference"},
		{map[string]Spread{"a": {.999, .999, .999, 3}, "b": {.996, .996, .996, 3}}, "no clear difference"}, // half a point does not matter
		{map[string]Spread{"a": {.9, .9, .9, 1}, "b": {.5, .5, .5, 1}}, "one run each, so it may be chance"},
		{map[string]Spread{"a": {.9, .9, .9, 3}, "b": {.5, .5, .5, 1}}, "one run each, so it may be chance"},
		{map[string]Spread{"a": {0, 0, 0, 3}, "b": {0, 0, 0, 3}}, "nobody does"},
		{map[string]Spread{"a": {.8, .78, .82, 3}, "b": {.79, .77, .81, 3}, "c": {.3, .2, .4, 3}}, "no clear difference between a and b, which are ahead of c"},
		{map[string]Spread{"a": {.8, .78, .82, 3}}, ""},
	} {
		var order []string
		for _, name := range []string{"a", "b", "c"} {
			if _, ok := c.spreads[name]; ok {
				order = append(order, name)
			}
		}
		group := of(c.spreads, order...)
		if got := judge(figures[0], group).says(); got != c.want {
			t.Errorf("%v: got %q, want %q", c.spreads, got, c.want)
		}
	}
	// Times closer than the clocks are compared differ in nothing that is known.
	bound := 3.0
	near := func(ms Figure, runs ...*Result) *Summary {
		return &Summary{Figures: map[string]Spread{"latency_p50_ms": {ms, ms, ms, 3}}, runs: runs}
	}
	f := by("latency_p50_ms")
	if got := judge(f, []*Summary{near(10), near(15)}).says(); got != " is ahead" {
		t.Errorf("one clock: %q", got)
	}
	if got := judge(f, []*Summary{near(10, &Result{Stats: Stats{ClockBound: &bound}}), near(15)}).says(); got != "no clear difference" {
		t.Errorf("two clocks, 3 ms apart: %q", got)
	}
}

func TestFailedRunsAreNamedAndLeftOut(t *testing.T) {
	r := sweepReport(3, 2*time.Second, "cubic")
	r.Runs[0].Err = "the link died"
	s := Summarise(r)[0]
	if s.Runs != 2 || s.Failed != 1 || s.Figures["share_shown"].Runs != 2 {
		t.Errorf("got %d runs, %d failed", s.Runs, s.Failed)
	}
	if got := r.Troubles(); len(got) == 0 || got[0] != "udp at loss 0, run 1: the link died" {
		t.Errorf("troubles %q", got)
	}
	if !strings.Contains(string(text(t, r)), "2 of 3") {
		t.Error("the table does not tell")
	}
}

func TestDeadlineNeverMetIsTrouble(t *testing.T) {
	r := &Report{}
	run := byHand()
	run.Scenario.Deadline = Duration{5 * time.Millisecond}
	r.Add(run)
	if got := r.Troubles(); len(got) != 1 || !strings.HasSuffix(got[0], "not one of 10 frames due was shown within 5 ms") {
		t.Errorf("got %q", got)
	}
}

func TestEveryTCPFigureNamesItsCongestionControl(t *testing.T) {
	r := single()
	r.Runs[1].Congestion = ""
	for _, out := range [][]byte{text(t, r), written(t, func(b *bytes.Buffer) error { return WriteHTML(b, r) })} {
		for rest := string(out); ; {
			_, after, ok := strings.Cut(rest, "tcp ")
			if !ok {
				break
			}
			if rest = after; !strings.HasPrefix(rest, "bbr") && !strings.HasPrefix(rest, "(unknown)") && !strings.HasPrefix(rest, "\n") {
				t.Fatalf("tcp without its congestion control: tcp %.40q", rest)
			}
		}
	}
}

func TestSpread(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{[]float64{3}, Spread{3, 3, 3, 1}},
		{[]float64{5, 1, 3}, Spread{3, 1, 5, 3}},
		{[]float64{4, 1, 2, 3}, Spread{2.5, 1, 4, 4}},
		{[]float64{1, inf, 2}, Spread{2, 1, Never, 3}},
		{[]float64{inf, 1}, Spread{Never, 1, Never, 2}},
	} {
		if got := spread(slices.Clone(c.values)); got != c.want {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	r := single()
	r.Meta.Peer = &Machine{CPU: "other", Cores: 4, OS: "linux/arm64", Kernel: "6.1"}
	r.Runs[0].Clock = &Clock{Duration{-3 * time.Second}, Duration{250 * time.Microsecond}}
	for _, traces := range []bool{true, false} {
		b := written(t, func(b *bytes.Buffer) error { return WriteJSON(b, r, traces) })
		got, err := ReadReport(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		want := *r
		want.Runs = slices.Clone(r.Runs)
		for i := range want.Runs {
			if !traces {
				want.Runs[i].Sent, want.Runs[i].Shown = nil, nil
			}
		}
		if !reflect.DeepEqual(got, &want) {
			t.Errorf("traces %v: came back different", traces)
		}
		html := func(r *Report) []byte { return written(t, func(b *bytes.Buffer) error { return WriteHTML(b, r) }) }
		if !bytes.Equal(html(got), html(r)) || !bytes.Equal(text(t, got), text(t, r)) {
			t.Errorf("traces %v: other plots or tables", traces)
		}
		if !traces && len(b) > 40_000*len(r.Runs) {
			t.Errorf("%d bytes for %d runs", len(b), len(r.Runs))
		}
	}
}

// The size does not grow with the length of a run, unless the traces are asked for.
func TestJSONIsBounded(t *testing.T) {
	long := &Report{}
	long.Add(synthetic("tcp", "cubic", "loopback", Sweep{}, .01, 1, 20*time.Minute))
	if b := written(t, func(b *bytes.Buffer) error { return WriteJSON(b, long, false) }); len(b) > 60_000 {
		t.Errorf("%d bytes", len(b))
	}
	if c := long.Runs[0].Stats.Curve; len(c.MS) < maxCurve/2 {
		t.Errorf("%d points are left of the distribution", len(c.MS))
	}
}

func TestJSONNames(t *testing.T) {
	var got struct {
		Format  int
		Program string
		Meta    map[string]any
		Runs    []map[string]any
		Summary []struct {
			Transport string
			Figures   map[string]map[string]any
		}
	}
	b := written(t, func(b *bytes.Buffer) error { return WriteJSON(b, single(), true) })
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Format != 1 || got.Program != "framegram bench" || len(got.Runs) != 3 || len(got.Summary) != 3 {
		t.Fatalf("%+v", got)
	}
	has := func(what string, m map[string]any, names ...string) {
		for _, n := range names {
			if _, ok := m[n]; !ok {
				t.Errorf("%s has no %s", what, n)
			}
		}
	}
	has("meta", got.Meta, "time", "machine", "version", "go", "seed", "command")
	has("a run", got.Runs[1], "transport", "congestion", "link", "scenario", "repeat", "began", "sent", "shown", "sender", "viewer", "stats")
	has("its stats", got.Runs[1]["stats"].(map[string]any), "due", "captured", "arrived", "shown", "within", "latency_ms", "latency_due_ms", "stages",
		"fps", "freeze_ms", "goodput_mbit_s", "jitter_ms", "interval_stddev_ms", "wire_per_payload", "sender_cpu_cores", "viewer_cpu_cores",
		"sender_rss_peak_mib", "viewer_rss_peak_mib", "cdf", "series")
	has("a summary", got.Summary[1].Figures["share_within_deadline"], "median", "min", "max", "runs")
}

func TestNotAReport(t *testing.T) {
	good := string(written(t, func(b *bytes.Buffer) error { return WriteJSON(b, single(), false) }))
	for name, c := range map[string]struct{ text, want string }{
		"nothing":        {"", "EOF"},
		"text":           {"hello", "invalid character"},
		"a list":         {"[1,2]", "cannot unmarshal array"},
		"other JSON":     {`{"format":1}`, "not a report"},
		"cut":            {good[:len(good)/2], "unexpected EOF"},
		"the future":     {strings.Replace(good, `"format":1`, `"format":2`, 1), "its format is 2, want 1"},
		"absurd numbers": {strings.Replace(good, `"due":300`, `"due":-1`, 1), "run 1: its counts of frames cannot be"},
		"less arrived":   {strings.Replace(good, `"arrived":269`, `"arrived":268`, 1), "its count of frames that arrived cannot be"},
		"more arrived":   {strings.Replace(good, `"arrived":269`, `"arrived":301`, 1), "its count of frames that arrived cannot be"},
		"huge latency":   {strings.Replace(good, `"freeze_ms":`, `"freeze_ms":1e300,"x":`, 1), "its freeze_ms cannot be"},
		"huge number":    {strings.Replace(good, `"freeze_ms":`, `"freeze_ms":1e999,"x":`, 1), "cannot unmarshal number"},
		"absurd time":    {strings.Replace(good, `"length_ms":`, `"length_ms":1e15,"x":`, 1), "no time in milliseconds"},
		"absurd rate":    {strings.Replace(good, `"fps":30`, `"fps":-30`, 1), "its fps cannot be"},
		"no plots":       {strings.Replace(good, `"cdf":{"ms":[`, `"cdf":{"ms":[1,`, 1), "its distribution cannot be"},
		"falling plot":   {strings.Replace(good, `"cdf":{"ms":[`, `"cdf":{"share":[1,0.5],"ms":[9,8],"x":[`, 1), "cannot be"},
	} {
		_, err := ReadReport(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if name != "absurd time" && !errors.Is(err, ErrReport) {
			t.Errorf("%s: %v is no ErrReport", name, err)
		}
	}
}

func TestCSVHasARowForEveryRun(t *testing.T) {
	r := single()
	r.Runs[0].Scenario.Source = "a \"quoted\", source\nin two lines"
	rows, err := csv.NewReader(bytes.NewReader(written(t, func(b *bytes.Buffer) error { return WriteCSV(b, r) }))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v, want 4", len(rows), err)
	}
	cell := func(row int, name string) string {
		i := slices.Index(rows[0], name)
		if i < 0 {
			t.Fatalf("no column %s in %q", name, rows[0])
		}
		return rows[row][i]
	}
	for _, c := range []struct {
		row        int
		name, want string
	}{
		{1, "transport", "udp"}, {2, "congestion", "cubic"}, {1, "source", r.Runs[0].Scenario.Source}, {1, "due", "300"},
		{1, "latency_due_p99_ms", "never"}, {3, "error", "the sender died: exit status 2"}, {1, "sender_rss_peak_mib", "61"}, {1, "arrived", "269"}, {1, "shown", "269"}, {1, "sender_faults_per_frame", ""},
	} {
		if got := cell(c.row, c.name); got != c.want {
			t.Errorf("row %d, %s: got %q, want %q", c.row, c.name, got, c.want)
		}
	}
	seen := map[string]bool{}
	for _, name := range rows[0] {
		if seen[name] {
			t.Errorf("two columns %s", name)
		}
		seen[name] = true
	}
}

func TestCompare(t *testing.T) {
	a := sweepReport(3, 5*time.Second, "cubic")
	b := sweepReport(3, 5*time.Second, "cubic")
	a.Runs = a.Runs[:12] // loss 0 and 0.1%
	b.Runs = b.Runs[6:18]
	b.Meta.Machine.Cores, b.Meta.Command = 8, "framegram bench --more"
	for i := range b.Runs { // faster decoding, for both
		run := &b.Runs[i].Run
		for k := range run.Shown {
			run.Shown[k].Decoded -= 1000
		}
		b.Runs[i].Stats = Analyse(*run)
	}
	out := written(t, func(w *bytes.Buffer) error { return WriteCompare(w, a, b) })
	golden(t, "compare.txt", out)
	for _, want := range []string{"the machines differ", "the commands differ", "only in the first: udp at loss 0 ", "only in the second: tcp cubic at loss 0.5%", "better"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for i := range b.Runs {
		b.Runs[i].Scenario.Length = Duration{time.Minute}
	}
	if out := written(t, func(w *bytes.Buffer) error { return WriteCompare(w, a, b) }); !strings.Contains(string(out), "5s a run after 1s of warm-up → 1m0s a run") {
		t.Errorf("runs of another length are not compared:\n%s", out)
	}
	for l := range strings.Lines(string(out)) {
		if utf8.RuneCountInString(l) > width+1 {
			t.Errorf("too wide: %s", l)
		}
	}
	if out := written(t, func(w *bytes.Buffer) error { return WriteCompare(w, a, a) }); strings.Contains(string(out), "better") || strings.Contains(string(out), "differ:") {
		t.Errorf("a report differs from itself:\n%s", out)
	}
	if out := written(t, func(w *bytes.Buffer) error { return WriteCompare(w, a, single()) }); !strings.Contains(string(out), "no point in common") {
		t.Errorf("it does not say that nothing is in common:\n%s", out)
	}
}
