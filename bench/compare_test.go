package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// reportOf has a run of udp with each of the repairs, and one of tcp.
func reportOf(repairs ...string) *Report {
	r := &Report{Meta: meta()}
	for _, repair := range repairs {
		run := synthetic("udp", "", "loopback", Sweep{}, 0, 1, 2*time.Second)
		run.Repair = repair
		r.Add(run)
	}
	r.Add(synthetic("tcp", "cubic", "loopback", Sweep{}, 0, 1, 2*time.Second))
	return r
}

// A udp of which an older report does not say how it repaired is compared with the only udp
// there is, and that is said; with several nobody knows which.
func TestCompareOfUDPThatDoesNotSayHowItRepaired(t *testing.T) {
	const warns = "report does not say what its udp did about losses"
	for name, c := range map[string]struct {
		a, b     *Report
		has, not []string
	}{
		"older first":        {reportOf(""), reportOf("auto"), []string{"the first " + warns, "udp → udp auto at loopback (1 run → 1 run)", "tcp cubic at loopback"}, []string{"only in"}},
		"older second":       {reportOf("none"), reportOf(""), []string{"the second " + warns, "udp none → udp at loopback"}, []string{"only in"}},
		"several to choose":  {reportOf(""), reportOf("none", "auto"), []string{"the first " + warns, "only in the first: udp at", "only in the second: udp none at", "only in the second: udp auto at"}, []string{"udp →"}},
		"several before":     {reportOf("fec", "auto"), reportOf(""), []string{"the second " + warns, "only in the second: udp at", "only in the first: udp fec at"}, []string{"→ udp at"}},
		"both of them older": {reportOf(""), reportOf(""), []string{"udp at loopback (1 run"}, []string{warns, "only in"}},
		"two other repairs":  {reportOf("none"), reportOf("auto"), []string{"only in the first: udp none", "only in the second: udp auto"}, []string{warns, "udp none →"}},
		"no udp on one side": {reportOf(""), reportOf(), []string{"only in the first: udp at"}, []string{warns}},
	} {
		out := strings.Join(strings.Fields(string(written(t, func(b *bytes.Buffer) error { return WriteCompare(b, c.a, c.b) }))), " ")
		for _, want := range c.has {
			if !strings.Contains(out, want) {
				t.Errorf("%s: it does not say %q:\n%s", name, want, out)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(out, bad) {
				t.Errorf("%s: it says %q:\n%s", name, bad, out)
			}
		}
	}
}

// Points that differ in their slices are at the same place, and are told apart by name.
func TestSlicesAreComparedAtOnePlace(t *testing.T) {
	r := &Report{Meta: meta()}
	for _, n := range []string{"1", "auto"} {
		run := synthetic("udp", "", "loopback", Sweep{}, 0, 1, 2*time.Second)
		run.Repair, run.Slices = "auto", n
		r.Add(run)
	}
	out := string(text(t, r))
	for _, want := range []string{"udp auto slices=1 ", "udp auto slices=auto ", "udp auto slices=1 shows 100 % of the frames due"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if n := len(places(Summarise(r))); n != 1 {
		t.Errorf("%d places, want 1", n)
	}
}
