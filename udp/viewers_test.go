package udp

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

func reportOf(t testing.TB, session uint64, frame uint32) []byte {
	t.Helper()
	b, err := (&fragment.Report{
		Of: session, Frame: frame, Shown: 2, Lost: 3, KernelDrops: 4, Highest: 5, Received: 6, Missing: 7, Reordered: 8, Jitter: 9, RTT: 10, Queueing: 11, Complete: 12, Arrival: 13,
	}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// addrs reads a list of addresses with ports.
func addrs(list ...string) (all []netip.AddrPort) {
	for _, a := range list {
		all = append(all, netip.MustParseAddrPort(a))
	}
	return all
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestReportsBecomeRows(t *testing.T) {
	now := time.Now()
	var v viewers
	v.expect(1, "239.0.0.1:5600 on eth0", netip.AddrPort{}, false, now)
	v.expect(2, "10.0.0.2:5600", ap("10.0.0.2:5600"), false, now)
	v.expect(3, "subscribed", ap("10.0.0.3:1"), true, now)
	v.report(ap("10.0.0.2:5600"), reportOf(t, 2, 22), now.Add(time.Second))
	v.report(ap("10.0.0.9:9"), reportOf(t, 1, 19), now.Add(time.Second))
	v.report(ap("10.0.0.8:8"), reportOf(t, 1, 18), now.Add(2*time.Second))
	v.report(ap("10.0.0.9:9"), reportOf(t, 1, 20), now.Add(2*time.Second))
	v.protected(1, 0.25)
	got := v.list(now.Add(3 * time.Second))
	full := ViewerStats{Shown: 2, Loss: 1. / 3, Parity: 0.25, Lost: 3, KernelDrops: 4, Received: 6, Missing: 7, Reordered: 8, Jitter: 9, RTT: 10, Queueing: 11, Complete: 12, Arrival: 13_000}
	row := func(addr, to string, since, age time.Duration, frame uint32) ViewerStats {
		r := full
		r.Addr, r.To, r.Since, r.ReportAge, r.Frame = addr, to, now.Add(since), age.Milliseconds(), frame
		return r
	}
	want := []ViewerStats{
		row("10.0.0.9:9", "239.0.0.1:5600 on eth0", time.Second, time.Second, 20),
		row("10.0.0.8:8", "239.0.0.1:5600 on eth0", 2*time.Second, time.Second, 18),
		row("10.0.0.2:5600", "10.0.0.2:5600", time.Second, 2*time.Second, 22),
		{Addr: "10.0.0.3:1", To: "subscribed", Since: now, ReportAge: -1},
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d: %+v", len(got), len(want), got)
	}
	want[2].Parity = 0 // of another destination
	for i := range want {
		if want[i].ReportAge < 0 {
			want[i].Loss = 0
		}
		if (got[i].Loss > 0.3) == (want[i].Loss > 0.3) { // 3 of 9, or nearly, of who has reported twice
			got[i].Loss = want[i].Loss
		}
		if got[i] != want[i] {
			t.Errorf("row %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
	v.report(ap("10.0.0.3:1"), reportOf(t, 3, 33), now.Add(3*time.Second))
	if got := v.list(now.Add(3 * time.Second)); got[3].Frame != 33 || got[3].ReportAge != 0 || got[3].Loss == 0 {
		t.Errorf("%+v", got[3])
	}
	b, err := json.Marshal(want[0])
	if err != nil || !strings.Contains(string(b), `"jitter_us":9,"rtt_us":10,"queueing_us":11`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestReportsExpire(t *testing.T) {
	now := time.Now()
	var v viewers
	v.expect(1, "group", netip.AddrPort{}, false, now)
	v.expect(2, "one", ap("10.0.0.2:2"), false, now)
	v.expect(3, "subscribed", ap("10.0.0.3:3"), true, now)
	for session, from := range []string{1: "10.0.0.1:1", 2: "10.0.0.2:2", 3: "10.0.0.3:3"} {
		if from != "" {
			v.report(ap(from), reportOf(t, uint64(session), 7), now)
		}
	}
	if got := v.list(now.Add(5 * time.Second)); len(got) != 3 || got[2].Frame != 7 {
		t.Errorf("after 5 s: %+v", got)
	}
	got := v.list(now.Add(5*time.Second + 1))
	if len(got) != 1 || got[0].Addr != "10.0.0.3:3" || got[0].ReportAge != -1 || got[0].Frame != 0 {
		t.Errorf("later: %+v, want who has subscribed, without figures", got)
	}
	v.forget(3)
	v.forget(3)
	if got := v.list(now); len(got) != 0 {
		t.Errorf("after that has gone: %+v", got)
	}
}

func TestReportsOfStrangersDoNotCount(t *testing.T) {
	now := time.Now()
	var v viewers
	v.report(ap("10.0.0.2:2"), reportOf(t, 2, 0), now)
	v.expect(2, "one", ap("10.0.0.2:2"), false, now)
	v.expect(3, "link", ap("[fe80::1%eth0]:3"), false, now)
	for _, from := range addrs("10.0.0.2:3", "10.0.0.3:2", "[2001:db8::1]:2") {
		v.report(from, reportOf(t, 2, 0), now)
	}
	v.report(ap("10.0.0.2:2"), reportOf(t, 4, 0), now)
	v.report(ap("10.0.0.2:2"), reportOf(t, 2, 0)[:83], now) // no report at all
	if got := v.list(now); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if taken, ignored := v.counts(); taken != 0 || ignored != 5 {
		t.Errorf("%d taken, %d ignored, want 0 and 5", taken, ignored)
	}
	v.report(ap("[fe80::1%2]:3"), reportOf(t, 3, 1), now)
	v.report(ap("[fe80::1%eth0]:3"), reportOf(t, 3, 2), now)
	if got := v.list(now); len(got) != 1 || got[0].Frame != 2 {
		t.Errorf("one viewer, whose zone is written in two ways: %+v", got)
	}
}

// Who makes up addresses fills the table of a group for as long as reports live, and no
// more of the memory.
func TestReportersAreBounded(t *testing.T) {
	now := time.Now()
	var v viewers
	flood := func(session uint64) {
		for i := range 1000 {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(session), byte(i >> 8), byte(i)}), 1)
			v.report(from, reportOf(t, session, 0), now)
		}
	}
	for session := uint64(1); session <= 6; session++ {
		v.expect(session, "group", netip.AddrPort{}, false, now)
		flood(session)
		if got, want := len(v.list(now)), min(int(session)*maxReporters, maxReportersInAll); got != want {
			t.Errorf("%d rows after %d groups, want %d", got, session, want)
		}
	}
	v.expect(7, "one", ap("10.0.0.2:2"), true, now)
	v.report(ap("10.0.0.2:2"), reportOf(t, 7, 9), now)
	if got := v.list(now); got[len(got)-1].Frame != 9 {
		t.Errorf("a subscriber's report has no place: %+v", got[len(got)-1])
	}
	v.forget(1)
	flood(6)
	if got := len(v.list(now)); got != maxReportersInAll+1 {
		t.Errorf("%d rows, want %d: what a group that is gone had is free", got, maxReportersInAll+1)
	}
	now = now.Add(reportLife + 1)
	v.report(ap("10.9.9.9:9"), reportOf(t, 2, 5), now)
	if got := v.list(now); len(got) != 2 || got[0].Frame != 5 {
		t.Errorf("a real viewer has no place after the flood: %+v", got)
	}
}

// FuzzReports: nothing that comes makes a row for a session that is not ours, or more
// rows than viewers.
func FuzzReports(f *testing.F) {
	now := time.Now()
	f.Add(reportOf(f, 1, 1), uint64(1))
	f.Add(reportOf(f, 1, 1), uint64(2))
	f.Add(reportOf(f, 1, 1)[:50], uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, session uint64) {
		var v viewers
		v.expect(session, "one", ap("10.0.0.1:1"), false, now)
		v.expect(session+1, "group", netip.AddrPort{}, false, now)
		for _, from := range addrs("10.0.0.1:1", "10.0.0.2:2", "10.0.0.2:2") {
			v.report(from, b, now)
		}
		var r fragment.Report
		want := 0
		if r.Parse(b) == nil {
			switch r.Of {
			case session:
				want = 1
			case session + 1:
				want = 2
			}
		}
		if got := v.list(now); len(got) != want {
			t.Fatalf("% x of session %d makes %+v", b, session, got)
		}
	})
}

// A report that a later one has overtaken is none of a viewer that starts anew.
func TestOvertakenReportsDoNotCount(t *testing.T) {
	now := time.Now()
	var v viewers
	v.expect(1, "one", ap("10.0.0.2:2"), false, now)
	tell := func(session, sequence, received, missing uint64) {
		v.report(ap("10.0.0.2:2"), bytesOf(t, &fragment.Report{
			Common: fragment.Common{Session: session, Sequence: sequence}, Of: 1, Received: received, Missing: missing,
		}), now)
	}
	tell(7, 0, 500, 500)
	tell(7, 2, 1_000_000_500, 500)
	tell(7, 1, 1000, 500)
	if got := v.list(now)[0]; got.Received != 1_000_000_500 || got.Loss > 0.001 {
		t.Errorf("%+v", got)
	}
	if taken, ignored := v.counts(); taken != 2 || ignored != 1 {
		t.Errorf("%d taken, %d ignored, want 2 and 1", taken, ignored)
	}
	tell(8, 0, 900, 100) // it has started anew
	if got := v.list(now)[0]; got.Received != 900 || got.Loss < 0.09 {
		t.Errorf("%+v", got)
	}
}
