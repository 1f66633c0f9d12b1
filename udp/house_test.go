package udp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// caller is a viewer as the house sees it.
type caller struct {
	t       *testing.T
	h       *house
	addr    netip.AddrPort
	session uint64
	cookie  uint64
	takes   uint32
}

func callerAt(t *testing.T, h *house, addr string) *caller {
	return &caller{t: t, h: h, addr: netip.MustParseAddrPort(addr), session: newSession(), takes: fragment.MaxFrameBytes}
}

var ourAddr = netip.MustParseAddr("192.0.2.100")

func (c *caller) send(m interface {
	AppendBinary([]byte) ([]byte, error)
}, now time.Time) []byte {
	c.t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	answer := c.h.receive(c.addr, ourAddr, nil, b, now, nil)
	if len(answer) > len(b) {
		c.t.Errorf("%d bytes answer %d", len(answer), len(b))
	}
	return answer
}

// hello says hello, and keeps the cookie of a Challenge. It returns what came back:
// "challenge", "refuse N" or "".
func (c *caller) hello(now time.Time) string {
	c.t.Helper()
	b := c.send(&fragment.Hello{Common: fragment.Common{Session: c.session}, Cookie: c.cookie, MaxFrame: c.takes}, now)
	if len(b) == 0 {
		return ""
	}
	var challenge fragment.Challenge
	if challenge.Parse(b) == nil {
		if challenge.Cookie == 0 || challenge.Viewer != c.session {
			c.t.Errorf("%+v answers session %x", challenge, c.session)
		}
		c.cookie = challenge.Cookie
		return "challenge"
	}
	var refuse fragment.Refuse
	if err := refuse.Parse(b); err != nil || refuse.Viewer != c.session {
		c.t.Fatalf("answered by % x: %v", b, err)
	}
	return fmt.Sprintf("refuse %d", refuse.Reason)
}

// come says hello until it is served.
func (c *caller) come(now time.Time) {
	c.t.Helper()
	if got := c.hello(now); got != "challenge" {
		c.t.Fatalf("the first hello of %v is answered by %q, want a challenge", c.addr, got)
	}
	if got := c.hello(now); got != "" {
		c.t.Fatalf("the hello of %v with the cookie is answered by %q, want nothing", c.addr, got)
	}
}

// served checks who is served.
func served(t *testing.T, h *house, now time.Time, want ...*caller) []guest {
	t.Helper()
	guests, _ := h.present(now)
	var got, wanted []netip.AddrPort
	for _, g := range guests {
		got = append(got, g.addr)
	}
	for _, c := range want {
		wanted = append(wanted, c.addr)
	}
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		t.Errorf("served are %v, want %v", got, wanted)
	}
	if n := h.figures().Viewers; n != len(want) {
		t.Errorf("the figures say %d viewers, want %d", n, len(want))
	}
	return guests
}

func TestGuestsComeStayAndGo(t *testing.T) {
	now := time.Now()
	h := newHouse(16, nil, now)
	a, b := callerAt(t, h, "10.0.0.1:5000"), callerAt(t, h, "[2001:db8::1]:5000")
	served(t, h, now)
	b.come(now)
	a.come(now)
	guests := served(t, h, now, b, a)
	first := guests[0].id
	if g := guests[1]; g.local != ourAddr || g.maxFrame != fragment.MaxFrameBytes || !g.since.Equal(now) || g.id == first {
		t.Errorf("%+v", g)
	}
	if _, changed := h.present(now); changed {
		t.Error("nobody has come or gone, and the guests have changed")
	}
	for range 10 { // refreshed once a second, by one of them
		now = now.Add(time.Second)
		if got := a.hello(now); got != "" {
			t.Errorf("a refresh is answered by %q", got)
		}
	}
	served(t, h, now, a)
	now = now.Add(3 * time.Second)
	served(t, h, now, a)
	served(t, h, now.Add(1))
	if s := h.figures(); s.Joined != 2 || s.Expired != 2 || s.Left != 0 || s.Challenges != 2 || s.Hellos != 14 {
		t.Errorf("%+v", s)
	}
	b.hello(now) // its cookie is good for a minute
	if again := served(t, h, now, b); again[0].id == first {
		t.Error("another visit has the same number")
	}
}

func TestByeLeavesAtOnce(t *testing.T) {
	now := time.Now()
	h := newHouse(16, nil, now)
	a, stranger := callerAt(t, h, "10.0.0.1:5000"), callerAt(t, h, "10.0.0.2:5000")
	a.come(now)
	stranger.session = a.session
	for _, c := range []struct {
		from    *caller
		session uint64
	}{{stranger, a.session}, {a, a.session + 1}} {
		c.from.send(&fragment.Bye{Common: fragment.Common{Session: c.session}}, now)
		served(t, h, now, a)
	}
	if b := a.send(&fragment.Bye{Common: fragment.Common{Session: a.session}}, now); len(b) != 0 {
		t.Errorf("a bye is answered by % x", b)
	}
	served(t, h, now)
	if s := h.figures(); s.Left != 1 {
		t.Errorf("%+v", s)
	}
}

// A viewer that was started again at the same address is another visit: the destination
// that served it before is not this one's.
func TestRestartedViewerIsAnotherVisit(t *testing.T) {
	now := time.Now()
	h := newHouse(1, nil, now)
	a := callerAt(t, h, "10.0.0.1:5000")
	a.come(now)
	first := served(t, h, now, a)[0].id
	a.session, a.cookie = newSession(), 0
	if a.hello(now) != "challenge" || served(t, h, now, a)[0].id != first {
		t.Error("without the cookie it counts as started again")
	}
	if got := a.hello(now); got != "" {
		t.Errorf("the one started again is answered by %q, though its place was free", got)
	}
	if served(t, h, now, a)[0].id == first {
		t.Error("the one started again is taken for the one before")
	}
	if s := h.figures(); s.Joined != 2 || s.Restarted != 1 {
		t.Errorf("%+v", s)
	}
}

func TestFullHouseSaysSo(t *testing.T) {
	now := time.Now()
	h := newHouse(2, nil, now)
	a, b, c := callerAt(t, h, "10.0.0.1:5000"), callerAt(t, h, "10.0.0.2:5000"), callerAt(t, h, "10.0.0.3:5000")
	a.come(now)
	b.come(now)
	if got := c.hello(now); got != "challenge" {
		t.Errorf("a third one's first hello is answered by %q: it need not know yet", got)
	}
	if got := c.hello(now); got != "refuse 1" {
		t.Errorf("a third one is answered by %q, want a refusal: full", got)
	}
	if got := a.hello(now); got != "" {
		t.Errorf("one who is served is answered by %q in a full house", got)
	}
	served(t, h, now, a, b)
	b.send(&fragment.Bye{Common: fragment.Common{Session: b.session}}, now)
	if got := c.hello(now); got != "" {
		t.Errorf("answered by %q, with a place free", got)
	}
	served(t, h, now, a, c)
	if s := h.figures(); s.RefusedFull != 1 {
		t.Errorf("%+v", s)
	}
}

func TestViewerOfSmallerFramesIsToldSo(t *testing.T) {
	now := time.Now()
	h := newHouse(2, nil, now)
	a := callerAt(t, h, "10.0.0.1:5000")
	a.takes = 100_000
	h.frame(100_001)
	a.hello(now)
	if got := a.hello(now); got != "refuse 2" {
		t.Errorf("answered by %q, want a refusal: limits", got)
	}
	h.frame(100_000)
	a.hello(now)
	if g := served(t, h, now, a); g[0].maxFrame != 100_000 {
		t.Errorf("%+v", g[0])
	}
	a.takes = 200_000
	a.hello(now)
	if g := served(t, h, now, a); g[0].maxFrame != 200_000 || g[0].id != 1 {
		t.Errorf("it takes larger ones now: %+v", g[0])
	}
}

func TestClosingHouseRefuses(t *testing.T) {
	now := time.Now()
	h := newHouse(2, nil, now)
	a, b := callerAt(t, h, "10.0.0.1:5000"), callerAt(t, h, "10.0.0.2:5000")
	a.come(now)
	b.hello(now)
	h.close()
	h.close()
	if got := b.hello(now); got != "refuse 3" {
		t.Errorf("answered by %q, want a refusal: closing", got)
	}
	if got := a.hello(now); got != "refuse 3" {
		t.Errorf("a guest is answered by %q, want a refusal: closing", got)
	}
	if got := callerAt(t, h, "10.0.0.3:5000").hello(now); got != "" {
		t.Errorf("who has no cookie is answered by %q", got)
	}
}

// A cookie that has grown old is renewed without a break, also while strangers use up
// all other answers.
func TestGuestsOutliveTheirCookies(t *testing.T) {
	now := time.Now()
	h := newHouse(2, nil, now)
	a := callerAt(t, h, "10.0.0.1:5000")
	a.come(now)
	id := served(t, h, now, a)[0].id
	for range 130 { // three windows
		now = now.Add(time.Second)
		flood(t, h, now, challengeRate+100)
		if a.hello(now) == "challenge" {
			if got := a.hello(now); got != "" {
				t.Fatalf("the new cookie is answered by %q", got)
			}
		}
		if g := served(t, h, now, a); len(g) != 1 || g[0].id != id {
			t.Fatal("it was dropped")
		}
	}
	if s := h.figures(); s.Unanswered < 100*100 {
		t.Errorf("the strangers have not used up the answers: %+v", s)
	}
}

// flood says n hellos with addresses and cookies made up, and returns how many were
// answered.
func flood(t testing.TB, h *house, now time.Time, n int) (answered int) {
	t.Helper()
	in, err := (&fragment.Hello{Cookie: 0x0123456789abcdef, MaxFrame: 1 << 24}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 0, 64)
	for i := range n {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), uint16(1+i))
		if i%2 == 0 {
			in[20] ^= 0xff
		}
		out = h.receive(from, ourAddr, nil, in, now, out[:0])
		if len(out) > len(in) {
			t.Fatalf("%d bytes answer %d", len(out), len(in))
		}
		if len(out) > 0 {
			answered++
		}
	}
	return answered
}

// Forged hellos make no guest, and no more answers than challengeRate a second, each no
// longer than what it answers; and cost no memory.
func TestForgedHellos(t *testing.T) {
	now := time.Now()
	h := newHouse(16, nil, now)
	if n := flood(t, h, now, 10_000); n != challengeRate {
		t.Errorf("%d answers at once, want %d", n, challengeRate)
	}
	served(t, h, now)
	if n := flood(t, h, now.Add(500*time.Millisecond), 10_000); n != challengeRate/2 {
		t.Errorf("%d answers half a second later, want %d", n, challengeRate/2)
	}
	if s := h.figures(); s.Hellos != 20_000 || s.Joined != 0 || s.Challenges != challengeRate*3/2 || s.Unanswered != s.Hellos-s.Challenges {
		t.Errorf("%+v", s)
	}
	now = now.Add(time.Hour)
	if n := testing.AllocsPerRun(10, func() { flood(t, h, now, 1000); now = now.Add(time.Second) }); n > 10 {
		t.Errorf("%v allocations for 1000 hellos", n)
	}
	a := callerAt(t, h, "10.0.0.1:5000") // with a cookie one needs no luck
	a.come(now)
	flood(t, h, now, 10_000)
	if got := a.hello(now); got != "" || len(served(t, h, now, a)) != 1 {
		t.Errorf("one who is served is answered by %q in a flood", got)
	}
}

func TestPresentDoesNotAllocate(t *testing.T) {
	now := time.Now()
	h := newHouse(100, nil, now)
	for i := range 100 {
		callerAt(t, h, fmt.Sprintf("10.0.0.%d:5000", i+1)).come(now)
	}
	h.present(now)
	if n := testing.AllocsPerRun(100, func() { h.present(now) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// FuzzHouse: whatever comes, from two addresses, is answered by at most one datagram no
// longer than itself; nobody is served who did not bring back the cookie given to that
// address.
func FuzzHouse(f *testing.F) {
	now := time.Now()
	hello, _ := (&fragment.Hello{MaxFrame: 1}).AppendBinary(nil)
	bye, _ := (&fragment.Bye{}).AppendBinary(nil)
	f.Add([]byte{}, uint16(0), false)
	f.Add(hello, uint16(3), false)
	f.Add(append(hello[:len(hello):len(hello)], 1, 2, 3), uint16(3000), true)
	f.Add(hello[:len(hello)-1], uint16(0), true)
	f.Add(bye, uint16(0), true)
	f.Fuzz(func(t *testing.T, b []byte, wait uint16, bring bool) {
		h := newHouse(1, nil, now)
		here, there := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2")
		brought := false
		for i, from := range []netip.AddrPort{here, there, here, there} {
			at := now.Add(time.Duration(i) * time.Duration(wait) * time.Millisecond)
			in := append([]byte(nil), b...)
			out := h.receive(from, ourAddr, nil, in, at, []byte("x"))
			if string(in) != string(b) || out[0] != 'x' || len(out)-1 > len(b) {
				t.Fatalf("% x is answered by % x", b, out[1:])
			}
			var c fragment.Challenge
			if len(out) == 1 || c.Parse(out[1:]) != nil || !bring || from != here {
				continue
			}
			again := fragment.Hello{Common: fragment.Common{Session: c.Viewer}, Cookie: c.Cookie}
			in, _ = again.AppendBinary(nil)
			out = h.receive(from, ourAddr, nil, in, at, nil)
			brought = len(out) == 0
			if len(out) > len(in) {
				t.Fatalf("% x is answered by % x", in, out)
			}
		}
		guests, _ := h.present(now)
		if len(guests) > 1 || len(guests) == 1 && (!brought || guests[0].addr != here) {
			t.Fatalf("served are %+v after % x", guests, b)
		}
	})
}
