package udp

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

var door = netip.MustParseAddrPort("10.0.0.1:5600")

func bytesOf(t *testing.T, m interface{ AppendBinary([]byte) ([]byte, error) }) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func helloIn(t *testing.T, b []byte) fragment.Hello {
	t.Helper()
	var h fragment.Hello
	if err := h.Parse(b); err != nil {
		t.Fatalf("no Hello: %x: %v", b, err)
	}
	return h
}

func TestAskerIsServed(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	if b := a.next(nil, now); len(b) != 0 {
		t.Errorf("it asks nobody: %x", b)
	}
	a.ask(door)
	h := helloIn(t, a.next(nil, now))
	if h.Cookie != 0 || h.MaxFrame != 1<<20 || h.Sequence != 0 {
		t.Errorf("the first is %+v", h)
	}
	if b := a.next(nil, now.Add(200*time.Millisecond)); len(b) != 0 {
		t.Errorf("it asks again at once: %x", b)
	}
	h2 := helloIn(t, a.next(nil, now.Add(helloFast)))
	if h2.Session != h.Session || h2.Sequence != 1 {
		t.Errorf("the second is %+v after %+v", h2, h)
	}
	now = now.Add(helloFast)
	answer := helloIn(t, a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: h.Session}), now, nil))
	if answer.Cookie != 77 || answer.Session != h.Session || answer.Sequence != 2 {
		t.Errorf("the Challenge is answered with %+v", answer)
	}
	// While data flows, once a second.
	asked := 0
	for range 500 {
		now = now.Add(10 * time.Millisecond)
		a.data(now)
		if b := a.next(nil, now); len(b) > 0 {
			asked++
			if h := helloIn(t, b); h.Cookie != 77 {
				t.Errorf("it has forgotten its cookie: %+v", h)
			}
		}
	}
	if asked < 4 || asked > 6 {
		t.Errorf("%d Hellos in 5 s with data, want one a second", asked)
	}
	// When it stops, four.
	asked = 0
	for range 100 {
		now = now.Add(10 * time.Millisecond)
		if len(a.next(nil, now)) > 0 {
			asked++
		}
	}
	if asked < 3 || asked > 4 {
		t.Errorf("%d Hellos in the first second without data, want three: after 300 ms, and every 250", asked)
	}
}

func TestAskerBelievesOnlyWhoKnowsItsSession(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	h := helloIn(t, a.next(nil, now))
	for name, m := range map[string]interface{ AppendBinary([]byte) ([]byte, error) }{
		"challenge":             &fragment.Challenge{Cookie: 77, Viewer: h.Session + 1},
		"challenge, no cookie":  &fragment.Challenge{Viewer: h.Session},
		"refuse":                &fragment.Refuse{Reason: fragment.RefuseFull, Viewer: h.Session + 1},
		"bye of who said never": &fragment.Bye{},
		"report":                &fragment.Report{},
	} {
		before := *a
		if out := a.hear(bytesOf(t, m), now, nil); len(out) != 0 || *a != before {
			t.Errorf("%s: answered with %x, and %+v became %+v", name, out, before, *a)
		}
	}
}

// Challenges that never end, of a sender gone mad, are answered at a bounded rate.
func TestAskerDoesNotPlayPingPong(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	h := helloIn(t, a.next(nil, now))
	n := 0
	for range 1000 {
		now = now.Add(time.Millisecond)
		if len(a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: h.Session}), now, nil)) > 0 {
			n++
		}
	}
	if n > 2*answerRate {
		t.Errorf("%d Hellos in a second", n)
	}
}

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

// One that waits for a full house is not told each time that its cookie has grown old.
func TestAskerIsRefusedOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	session := helloIn(t, a.next(nil, now)).Session
	said := 0
	for cookie := range uint64(5) {
		a.hear(bytesOf(t, &fragment.Challenge{Cookie: cookie + 1, Viewer: session}), now, nil)
		for range 60 {
			a.hear(bytesOf(t, &fragment.Refuse{Reason: fragment.RefuseFull, Viewer: session}), now, nil)
			if what, _ := a.news(now); what != "" {
				said++
			}
			now = now.Add(time.Second)
		}
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
	a.hear(bytesOf(t, &fragment.Refuse{Reason: fragment.RefuseLimits, Viewer: session}), now, nil)
	if what, _ := a.news(now); !strings.Contains(what, "larger than this viewer takes") {
		t.Errorf("another reason: said %q", what)
	}
}

func TestAskerSaysNothingAfterBye(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	session := helloIn(t, a.next(nil, now)).Session
	var y fragment.Bye
	if err := y.Parse(a.bye(nil)); err != nil || y.Session != session || y.Sequence != 1 {
		t.Errorf("its Bye is %+v, %v", y, err)
	}
	now = now.Add(time.Minute)
	if b := a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: session}), now, nil); len(b) > 0 {
		t.Errorf("a Challenge is answered with %x", b)
	}
	if b := a.next(nil, now); len(b) > 0 {
		t.Errorf("it asks again: %x", b)
	}
}

// Whoever can forge the sender's address makes a viewer say a line a second, and nothing else.
func TestAskerIsNotMadeToChatter(t *testing.T) {
	for name, m := range map[string]func(i int, session uint64) interface{ AppendBinary([]byte) ([]byte, error) }{
		"byes": func(int, uint64) interface{ AppendBinary([]byte) ([]byte, error) } { return &fragment.Bye{} },
		"refusals": func(i int, session uint64) interface{ AppendBinary([]byte) ([]byte, error) } {
			return &fragment.Refuse{Reason: []fragment.RefuseReason{fragment.RefuseFull, fragment.RefuseLimits}[i%2], Viewer: session}
		},
	} {
		now := time.Unix(1000, 0)
		a := newAsker(1<<20, now)
		a.ask(door)
		session := helloIn(t, a.next(nil, now)).Session
		a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: session}), now, nil)
		said := 0
		for i := range 1000 { // 10 s, in which data comes too
			now = now.Add(10 * time.Millisecond)
			a.hear(bytesOf(t, m(i, session)), now, nil)
			if i%3 == 0 {
				a.data(now)
			}
			if what, _ := a.news(now); what != "" {
				said++
			}
		}
		if said == 0 || said > 10 {
			t.Errorf("%s: %d lines in 10 s", name, said)
		}
	}
}

// A Bye names no session of ours, so that anybody may have sent it: the sender has not been
// heard of by it, and is looked for all the same.
func TestByeIsNoSignOfLife(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newAsker(1<<20, now)
	a.ask(door)
	session := helloIn(t, a.next(nil, now)).Session
	a.hear(bytesOf(t, &fragment.Challenge{Cookie: 77, Viewer: session}), now, nil)
	heard, probes := a.heard, 0
	for range 500 {
		now = now.Add(10 * time.Millisecond)
		a.hear(bytesOf(t, &fragment.Bye{}), now, nil)
		if b := a.next(nil, now); len(b) > 0 && helloIn(t, b).Cookie == 0 {
			probes++
		}
	}
	if a.heard != heard || probes < 5 {
		t.Errorf("with Byes for 5 s: heard of %v ago, asked without the cookie %d times", now.Sub(a.heard), probes)
	}
	a.data(now)
	if a.state != stServed {
		t.Errorf("with data after them: state %q", a.state)
	}
}
