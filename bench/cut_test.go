package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func reports(t *testing.T, r *Report) map[string]string {
	return map[string]string{
		"text":     strings.Join(strings.Fields(string(text(t, r))), " "),
		"html":     string(written(t, func(b *bytes.Buffer) error { return WriteHTML(b, r) })),
		"markdown": string(written(t, func(b *bytes.Buffer) error { return WriteMarkdown(b, r) })),
	}
}

// Who reads a report that its user ended early is told what it lacks.
func TestCutShortIsTold(t *testing.T) {
	r := single()
	if says := r.CutShort(); says != "" {
		t.Errorf("a whole report says %q", says)
	}
	r.Runs[1].Measured = Duration{4200 * time.Millisecond}
	r.Meta.Missing = []Missing{{"udp auto loss=1%", 1}, {"udp auto loss=1%", 2}, {"tcp loss=1%", 2}}
	const want = "ut short: 2 of 6 runs complete; tcp cubic at loopback, run 1, has 4.20 of 10.0 s; missing: udp auto loss=1%, runs 1 and 2; tcp loss=1%, run 2"
	for form, out := range reports(t, r) {
		if !strings.Contains(out, want) {
			t.Errorf("%s does not say %q:\n%.600s", form, want, out)
		}
	}
	compared := string(written(t, func(b *bytes.Buffer) error { return WriteCompare(b, single(), r) }))
	if !strings.Contains(compared, "! the second report was cut short: 2 of 6 runs complete") || strings.Contains(compared, "the first report") {
		t.Errorf("compare:\n%s", compared)
	}
	b := written(t, func(b *bytes.Buffer) error { return WriteJSON(b, r, false) })
	got, err := ReadReport(bytes.NewReader(b))
	if err != nil || got.CutShort() != r.CutShort() {
		t.Errorf("JSON: %v, %q", err, got.CutShort())
	}
	r.Meta.Missing = nil
	for i := range 100 {
		r.Meta.Missing = append(r.Meta.Missing, Missing{"loss=" + number(i), 1})
	}
	if says := r.CutShort(); !strings.HasSuffix(says, "; and 92 more such") {
		t.Errorf("of very many: %q", says)
	}
}

// A preset is called by its name, and what it means is told once.
func TestPresetsAreCalledByName(t *testing.T) {
	const all = "rate=200mbit,delay=2ms,jitter=1.5ms,loss=0.1%,seed=1"
	r := &Report{Meta: meta()}
	for _, transport := range []string{"udp", "tcp"} {
		run := synthetic(transport, map[string]string{"tcp": "cubic"}[transport], all, Sweep{}, .001, 1, 2*time.Second)
		run.LinkName = "wifi"
		r.Add(run)
	}
	for form, out := range reports(t, r) {
		if n := strings.Count(out, all); n != 1 || !strings.Contains(out, "ver wifi ("+all+")") {
			t.Errorf("%s names the link's parameters %d times, want once", form, n)
		}
		if !strings.Contains(out, "In time at wifi") {
			t.Errorf("%s: the verdict does not name the preset", form)
		}
	}
	p := r.Runs[0].Point
	p.Sweep, p.LinkName = Sweep{"loss", "0.1%"}, "wifi"
	if got, want := p.base(), "wifi (rate=200mbit,delay=2ms,jitter=1.5ms,seed=1)"; got != want || p.where() != "loss 0.1%" {
		t.Errorf("swept: %q at %q, want %q", got, p.where(), want)
	}

	// A report of before links had names is of the same links.
	old := &Report{Meta: r.Meta}
	for _, run := range r.Runs {
		run.LinkName = ""
		old.Runs = append(old.Runs, run)
	}
	out := string(written(t, func(b *bytes.Buffer) error { return WriteCompare(b, old, r) }))
	if strings.Contains(out, "only in the") {
		t.Errorf("not compared:\n%s", out)
	}
}

func TestChanceIsToldOnce(t *testing.T) {
	chances := func(r *Report) (n int, all string) {
		all = strings.Join(Verdicts(r), "\n")
		return strings.Count(all, "chance"), all
	}
	once := sweepReport(1, 2*time.Second, "cubic")
	if n, all := chances(once); n != 1 || !strings.HasSuffix(all, "One run each: what differs may be chance; --repeat 3 tells.") {
		t.Errorf("one run each:\n%s", all)
	}
	some := sweepReport(2, 2*time.Second, "cubic")
	some.Runs = some.Runs[:len(some.Runs)-2] // one place has only one
	if n, all := chances(some); n != 1 || !strings.Contains(all, "\nOne run only: ") {
		t.Errorf("one run at one place:\n%s", all)
	}
	if n, all := chances(sweepReport(3, 2*time.Second, "cubic")); n != 0 {
		t.Errorf("three runs each:\n%s", all)
	}
}
