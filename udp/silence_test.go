package udp

import (
	"strings"
	"testing"
	"time"
)

func TestSilence(t *testing.T) {
	start := time.Now()
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	s := silence{since: start}
	expect := func(seconds float64, want, hint string) {
		t.Helper()
		what, also, yes := s.broken(at(seconds))
		if yes != (want != "") || what != want || hint == "" && also != "" || !strings.Contains(also, hint) {
			t.Errorf("after %v s: %q, %q, %t; want %q, %q", seconds, what, also, yes, want, hint)
		}
	}
	expect(2.9, "", "")
	expect(3, "nothing received for 3 s", "")
	expect(9, "", "") // said
	for i := range 100 {
		s.heard(at(10 + float64(i)))
		expect(10.5+float64(i), "", "")
	}
	expect(112.25, "received until 3.2 s ago", "")
	expect(120, "", "")
	for i := range 130 {
		s.heard(at(200 + 2*float64(i)))
	}
	expect(461.5, "received until 3.5 s ago", "cut after 258 s: a switch")
	expect(500, "", "")
}

func TestBudget(t *testing.T) {
	now := time.Now()
	b := budget{rate: 100}
	count := func(n int) (yes int) {
		for range n {
			if b.take(now) {
				yes++
			}
		}
		return yes
	}
	if got := count(1000); got != 100 {
		t.Errorf("%d at once, want 100", got)
	}
	now = now.Add(500 * time.Millisecond)
	if got := count(1000); got != 50 {
		t.Errorf("%d after half a second, want 50", got)
	}
	now = now.Add(time.Hour)
	if got := count(1000); got != 100 {
		t.Errorf("%d after an hour, want 100", got)
	}
}
