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
