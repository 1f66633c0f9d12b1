package bench

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
)

// connected has a run of udp for each of the ways to connect; "" is push.
func connected(connects ...string) *Report {
	r := &Report{Meta: meta()}
	for _, connect := range connects {
		run := synthetic("udp", "", "loopback", Sweep{}, 0, 1, 2*time.Second)
		run.Repair, run.Connect = "auto", connect
		r.Add(run)
	}
	return r
}

// Every form of a report tells the ways to connect apart, and puts them at one place.
func TestReportsTellHowViewersConnect(t *testing.T) {
	r := connected("", "subscribe", "group")
	if n := len(places(Summarise(r))); n != 1 {
		t.Errorf("%d places, want 1", n)
	}
	for name, write := range map[string]func(b *bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return WriteText(b, r) },
		"markdown": func(b *bytes.Buffer) error { return WriteMarkdown(b, r) },
		"html":     func(b *bytes.Buffer) error { return WriteHTML(b, r) },
	} {
		out := strings.Join(strings.Fields(string(written(t, write))), " ")
		for _, want := range []string{"udp auto ", "udp auto subscribe", "udp auto group"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, out)
			}
		}
		for _, explains := range []string{"subscribe: the viewer asked", "group: the sender sent"} {
			if name != "html" && !strings.Contains(out, explains) {
				t.Errorf("%s does not say %q:\n%s", name, explains, out)
			}
		}
	}
	if out := string(text(t, connected(""))); strings.Contains(out, "the viewer asked") {
		t.Errorf("push is explained:\n%s", out)
	}
	lines := written(t, func(b *bytes.Buffer) error { return WriteCSV(b, r) })
	rows, err := csv.NewReader(bytes.NewReader(lines)).ReadAll()
	if err != nil || rows[0][3] != "connect" || rows[1][3] != "" || rows[2][3] != "subscribe" || rows[3][3] != "group" {
		t.Errorf("%v: the column is %s, %q, %q, %q", err, rows[0][3], rows[1][3], rows[2][3], rows[3][3])
	}
	file := written(t, func(b *bytes.Buffer) error { return WriteJSON(b, r, false) })
	if n := bytes.Count(file, []byte(`"connect":`)); n != 2*2 { // of runs and of their summary
		t.Errorf("JSON has it %d times, want none for push:\n%s", n, file)
	}
	again, err := ReadReport(bytes.NewReader(file))
	if err != nil || again.Runs[0].Connect != "" || again.Runs[1].Connect != "subscribe" {
		t.Errorf("read again: %v", err)
	}
}

// Of two reports only the same way to connect is compared. One from before there were several had
// push.
func TestCompareKeepsWaysToConnectApart(t *testing.T) {
	compare := func(before, after *Report) string {
		out := written(t, func(b *bytes.Buffer) error { return WriteCompare(b, before, after) })
		return strings.Join(strings.Fields(string(out)), " ")
	}
	out := compare(connected("", "subscribe"), connected("group", "subscribe"))
	for _, want := range []string{
		"udp auto subscribe at loopback (1 run → 1 run)", "only in the first: udp auto at", "only in the second: udp auto group at",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	unsaid := connected("")
	unsaid.Runs[0].Repair = ""
	if out := compare(unsaid, connected("subscribe")); !strings.Contains(out, "no point in common") {
		t.Errorf("push is compared with subscribe:\n%s", out)
	}
}
