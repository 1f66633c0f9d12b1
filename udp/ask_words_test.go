package udp

import (
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

func TestAskerSaysThingsOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	session := helloIn(t, a.next(nil, now)).Session
	said := func(d time.Duration) (lines []string) {
		for end := now.Add(d); now.Before(end); now = now.Add(100 * time.Millisecond) {
			a.next(nil, now)
			if what, _ := a.news(now); what != "" {
				lines = append(lines, what)
			}
		}
		return lines
	}
	check := func(when string, lines []string, want ...string) {
		t.Helper()
		if len(lines) != len(want) {
			t.Fatalf("%s: said %q, want %q", when, lines, want)
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("%s: said %q, want %q", when, lines[i], want[i])
			}
		}
	}
	check("at first", said(2*time.Second))
	check("nothing comes", said(10*time.Second), "no answer")
	a.deafened(now)
	check("ICMP says why, and it has been said", said(5*time.Second))
	a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: session}), now, nil)
	a.data(now)
	check("data", said(time.Second), "frames come again")
	a.hear(bytesOf(t, &fragment.Bye{}), now, nil)
	check("bye", said(2*time.Second), "ended")
	a.deafened(now)
	check("and is gone", said(2*time.Second), "nobody listens")
	for range 5 {
		a.hear(bytesOf(t, &fragment.Refuse{Reason: fragment.RefuseFull, Viewer: session}), now, nil)
		if a.stats().State != "refused" {
			t.Errorf("state %q", a.stats().State)
		}
	}
	check("a full house", said(time.Second), "as many viewers as it may")
	for range 10 {
		a.hear(bytesOf(t, &fragment.Refuse{Reason: fragment.RefuseFull, Viewer: session}), now, nil)
		check("still full", said(time.Second))
	}
	a.data(now)
	check("let in", said(200*time.Millisecond), "frames come again")
	check("it falls silent", said(10*time.Second), "no answer")
}

// A sender that answers is not called silent, however long its source rests; one that is
// started again is not called what the one before was.
func TestAskerTellsRestFromSilence(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	alive := true
	// pass lets time go by with a sender that challenges who has no cookie, and has no frames.
	pass := func(d time.Duration) (lines []string) {
		for end := now.Add(d); now.Before(end); now = now.Add(50 * time.Millisecond) {
			if b := a.next(nil, now); len(b) > 0 && alive {
				if h := helloIn(t, b); h.Cookie != 77 {
					answer := helloIn(t, a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: h.Session}), now, nil))
					if answer.Cookie != 77 {
						t.Fatalf("the Challenge is answered with %+v", answer)
					}
				}
			}
			if what, _ := a.news(now); what != "" {
				lines = append(lines, what)
			}
		}
		return lines
	}
	if got := pass(time.Minute); len(got) != 1 || !strings.Contains(got[0], "no frames") || a.stats().State != "no frames" {
		t.Errorf("a source that rests: said %q, state %q", got, a.stats().State)
	}
	if quiet := now.Sub(a.heard); quiet > 2*probeAfter {
		t.Errorf("a sender that answers has not been heard for %v", quiet)
	}
	alive = false
	if got := pass(time.Minute); len(got) != 1 || !strings.Contains(got[0], "no answer") {
		t.Errorf("a sender that is gone: said %q", got)
	}
	alive = true
	if got := pass(2 * time.Second); len(got) != 0 || a.stats().State != "asking" {
		t.Errorf("it is there again: said %q, state %q", got, a.stats().State)
	}
}

// The next sender on a port is not said to be full, or to have ended, because the one before was.
func TestAskerForgetsWhoIsGone(t *testing.T) {
	for name, m := range map[string]func(session uint64) interface{ AppendBinary([]byte) ([]byte, error) }{
		"full": func(session uint64) interface{ AppendBinary([]byte) ([]byte, error) } {
			return &fragment.Refuse{Reason: fragment.RefuseFull, Viewer: session}
		},
		"closing": func(session uint64) interface{ AppendBinary([]byte) ([]byte, error) } {
			return &fragment.Refuse{Reason: fragment.RefuseClosing, Viewer: session}
		},
		"bye": func(uint64) interface{ AppendBinary([]byte) ([]byte, error) } { return &fragment.Bye{} },
	} {
		now := time.Unix(1000, 0)
		a := newAsker(1<<20, now)
		a.ask(door)
		session := helloIn(t, a.next(nil, now)).Session
		a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: session}), now, nil)
		a.hear(bytesOf(t, m(session)), now, nil)
		if what, _ := a.news(now); what == "" {
			t.Errorf("%s: nothing was said", name)
		}
		a.deafened(now)
		a.news(now)
		now = now.Add(time.Second)
		a.hear(bytesOf(t, &fragment.Challenge{Cookie: 78, Viewer: session}), now, nil)
		if what, _ := a.news(now); what != "" || a.state != stAsking {
			t.Errorf("%s: of the next sender is said %q, state %q", name, what, a.state)
		}
	}
}
