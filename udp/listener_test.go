package udp

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// counter is where viewers ask: a listener with its house, without a Sender.
type counter struct {
	h       *house
	l       *listener
	v       viewers
	running sync.WaitGroup
}

func newCounter(t *testing.T, listen string, most int, log *slog.Logger) *counter {
	t.Helper()
	l, err := openListener(netip.MustParseAddrPort(listen))
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{l: l, h: newHouse(most, log, time.Now())}
	c.h.start(&c.running)
	l.start(newWireClock(time.Now()), &c.running, c.h, &c.v)
	t.Cleanup(c.close)
	return c
}

func (c *counter) close() {
	c.h.close()
	c.l.close()
	c.running.Wait()
}

// visitor is a viewer that does what it is told.
type visitor struct {
	t       *testing.T
	c       *net.UDPConn
	to      netip.AddrPort
	session uint64
	cookie  uint64
	hellos  uint64 // said
}

func newVisitor(t *testing.T, from string, to netip.AddrPort) *visitor {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &visitor{t: t, c: c, to: to, session: newSession()}
}

func (v *visitor) say(m interface {
	AppendBinary([]byte) ([]byte, error)
}) {
	v.t.Helper()
	b, err := m.AppendBinary(nil)
	if err == nil {
		_, err = v.c.WriteToUDPAddrPort(b, v.to)
	}
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) hello() {
	v.t.Helper()
	v.hellos++
	v.say(&fragment.Hello{Common: fragment.Common{Session: v.session}, Cookie: v.cookie, MaxFrame: fragment.MaxFrameBytes})
}

// hear is what comes next, which must be from where it was asked, or nil if nothing comes
// for as long.
func (v *visitor) hear(patience time.Duration) []byte {
	v.t.Helper()
	b := make([]byte, 2000)
	v.c.SetReadDeadline(time.Now().Add(patience))
	n, from, err := v.c.ReadFromUDPAddrPort(b)
	if err != nil {
		return nil
	}
	if !sameMachine(unmap(from), v.to) {
		v.t.Errorf("%v was asked, and %v answers", v.to, from)
	}
	return b[:n]
}

// ask gets a cookie, however often that takes, and says hello with it.
func (v *visitor) ask() {
	v.t.Helper()
	v.cookie = 0
	eventually(v.t, "a challenge", func() bool {
		v.hello()
		var challenge fragment.Challenge
		if challenge.Parse(v.hear(100*time.Millisecond)) != nil || challenge.Viewer != v.session {
			return false
		}
		v.cookie = challenge.Cookie
		return true
	})
	v.hello()
}

// join asks until it is served, and returns the guest that it is then.
func (v *visitor) join(c *counter) (as guest) {
	v.t.Helper()
	v.ask()
	eventually(v.t, "a place", func() bool {
		guests, _ := c.h.present(time.Now())
		for _, g := range guests {
			if g.viewer == v.session {
				as = g
				return true
			}
		}
		v.hello()
		return false
	})
	return as
}

// Viewers ask at the listener, and go on at their own sockets, if they have any: hellos,
// pings, reports and byes are heard there as well.
func TestGuestsAreHeard(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		c := newCounter(t, listen, 16, nil)
		host := "127.0.0.1"
		if listen == "[::1]:0" {
			host = "::1"
		}
		v := newVisitor(t, host, netip.AddrPortFrom(netip.MustParseAddr(host), c.l.addr.Port()))
		ping := func() bool {
			v.say(&fragment.Ping{ID: 7, Sent: 8})
			var pong fragment.Pong
			return pong.Parse(v.hear(100*time.Millisecond)) == nil && pong.ID == 7 && pong.Sent == 8
		}
		eventually(t, "a pong before anybody is served", ping)
		g := v.join(c)

		conn, shared, err := openGuest(g.at, g.local, g.addr)
		if err != nil {
			t.Fatal(err)
		}
		session, r := newSession(), &c.l.reader
		c.v.expect(session, "subscribed", g.addr, true, g.since)
		if !shared {
			r = &reader{clock: c.l.reader.clock, running: &c.running, session: newSession(), viewers: &c.v, house: c.h, at: g.at, local: g.local}
			r.start(conn, false)
			t.Cleanup(func() { conn.Close() })
		}
		pongs := r.pongs.Load()
		eventually(t, "a pong to a guest", ping)
		if r.pongs.Load() == pongs {
			t.Errorf("%s: a guest's ping was not answered by its own socket", listen)
		}
		eventually(t, "a report", func() bool {
			v.say(&fragment.Report{Of: session, Frame: 77})
			rows := c.v.list(time.Now())
			return len(rows) == 1 && rows[0].Frame == 77 && rows[0].Addr == g.addr.String()
		})
		v.hello()
		eventually(t, "a refresh", func() bool {
			c.h.mu.Lock()
			defer c.h.mu.Unlock()
			return c.h.guests[g.addr].heard.After(g.since)
		})
		r.bye(conn, g.addr, fragment.ByeEnd, time.Now().Add(time.Second))
		conn.SetWriteDeadline(time.Time{})
		eventually(t, "the sender's bye", func() bool {
			var bye fragment.Bye
			return bye.Parse(v.hear(100*time.Millisecond)) == nil && bye.Reason == fragment.ByeEnd
		})
		eventually(t, "the viewer's bye", func() bool {
			v.say(&fragment.Bye{Common: fragment.Common{Session: v.session}})
			return c.h.figures().Left == 1
		})
		if !shared {
			conn.Close()
		}
	}
}

// Guests come and go, and pings are answered, while nobody takes the log.
func TestStuckLogHoldsNobodyUp(t *testing.T) {
	out, in := io.Pipe()
	c := newCounter(t, "127.0.0.1:0", 100, slog.New(slog.NewTextHandler(in, nil)))
	for range 40 {
		v := newVisitor(t, "127.0.0.1", c.l.addr)
		v.join(c)
		v.say(&fragment.Bye{Common: fragment.Common{Session: v.session}})
	}
	eventually(t, "all to have gone", func() bool { return c.h.figures().Left == 40 })
	out.Close() // what is written fails from now on
}

func TestGuestsAreLoggedOnce(t *testing.T) {
	var log journal
	c := newCounter(t, "127.0.0.1:0", 1, log.logger())
	v := newVisitor(t, "127.0.0.1", c.l.addr)
	v.join(c)
	for range 100 {
		v.hello()
		newVisitor(t, "127.0.0.1", c.l.addr).ask()
	}
	eventually(t, "100 refusals", func() bool { return c.h.figures().RefusedFull >= 100 })
	v.say(&fragment.Bye{Common: fragment.Common{Session: v.session}})
	eventually(t, "the news", func() bool { return strings.Count(log.String(), "a viewer has gone") == 1 })
	if come, full := strings.Count(log.String(), "a viewer has come"), strings.Count(log.String(), "as many as allowed"); come != 1 || full < 1 || full > 5 {
		t.Errorf("%d lines on who came, want 1; %d on who was turned away, want one a second:\n%s", come, full, log.String())
	}
}

func TestCloseOfAListenerLeavesNoGoroutine(t *testing.T) {
	c := newCounter(t, "127.0.0.1:0", 1, nil)
	newVisitor(t, "127.0.0.1", c.l.addr).join(c)
	c.close() // waits for them
	again := newCounter(t, c.l.addr.String(), 1, nil)
	again.close()
}
