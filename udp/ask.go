package udp

import (
	"net/netip"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// helloEvery is how often a viewer that is served says so.
	helloEvery = time.Second
	// helloFast is how often one asks that is not, and missing after how long without a
	// datagram it is one: a sender that was started again is to be back within a second.
	helloFast = 250 * time.Millisecond
	missing   = 300 * time.Millisecond
	// answerRate bounds the Hellos a second that answer Challenges at once.
	answerRate = 10
)

// asker asks one sender to be served, and says what there is to say of it. It knows no
// socket and reads no clock. Only who receives our Hellos knows our session: nobody else can
// change what it thinks.
type asker struct {
	peer     netip.AddrPort // who is asked; not valid: not known yet
	session  uint64         // of our control messages
	seq      uint64
	cookie   uint64
	maxFrame int
	due      time.Time // the next Hello
	last     time.Time // when a datagram of data came last, or it began
	answers  budget

	heard   bool     // anything since it was last missed
	deaf    bool     // ICMP says that nobody listens there
	told    askState // what was said last
	state   askState
	refused fragment.RefuseReason

	hellos, challenges, refusals uint64
}

// askState is how things stand with a sender that is asked.
type askState string

const (
	stAsking  askState = "asking"
	stSilent  askState = "no answer"
	stDeaf    askState = "nobody listens"
	stServed  askState = "served"
	stRefused askState = "refused"
	stEnded   askState = "ended"
)

func newAsker(maxFrame int, now time.Time) *asker {
	return &asker{session: newSession(), maxFrame: maxFrame, last: now, state: stAsking, told: stAsking, answers: budget{rate: answerRate}}
}

// ask has it ask another address, at once.
func (a *asker) ask(peer netip.AddrPort) {
	if peer != a.peer {
		a.peer, a.cookie, a.due = peer, 0, time.Time{}
	}
}

// data notes that a datagram of data has come from who is asked.
func (a *asker) data(now time.Time) {
	a.last, a.heard, a.deaf = now, true, false
	a.state = stServed
}

// deafened notes that ICMP says that nobody listens there.
func (a *asker) deafened(now time.Time) {
	a.deaf = true
	if wait := now.Add(helloFast); a.due.After(wait) {
		a.due = wait
	}
}

// next appends the Hello that is due, or nothing, to b.
func (a *asker) next(b []byte, now time.Time) []byte {
	gone := a.state != stServed || now.Sub(a.last) >= missing
	if gone && a.state == stServed && a.due.Sub(now) > helloFast {
		a.due = now // it has just stopped
	}
	if !a.peer.IsValid() || now.Before(a.due) {
		return b
	}
	a.due = now.Add(helloEvery)
	if gone && a.state != stRefused {
		a.due = now.Add(helloFast)
	}
	return a.hello(b)
}

func (a *asker) hello(b []byte) []byte {
	h := fragment.Hello{Common: a.common(), Cookie: a.cookie, MaxFrame: uint32(a.maxFrame)}
	b, err := h.AppendBinary(b)
	if err != nil {
		return b[:0] // cannot be: a Hello has no field that could be wrong
	}
	a.hellos++
	return b
}

func (a *asker) common() fragment.Common {
	a.seq++
	return fragment.Common{Session: a.session, Sequence: a.seq - 1}
}

// hear takes a control message from who is asked, and appends what is to be answered at
// once to out.
func (a *asker) hear(b []byte, now time.Time, out []byte) []byte {
	var c fragment.Challenge
	var r fragment.Refuse
	var y fragment.Bye
	switch {
	case c.Parse(b) == nil:
		if c.Viewer != a.session || c.Cookie == 0 {
			return out
		}
		a.heard, a.deaf, a.cookie = true, false, c.Cookie
		a.challenges++
		if !a.answers.take(now) {
			return out // it can be sent with the next one
		}
		a.due = now.Add(helloFast)
		return a.hello(out)
	case r.Parse(b) == nil:
		if r.Viewer == a.session {
			a.heard, a.deaf, a.state, a.refused = true, false, stRefused, r.Reason
			a.refusals++
			a.due = now.Add(helloEvery)
		}
	case y.Parse(b) == nil:
		if a.heard {
			a.state = stEnded
		}
	}
	return out
}

// bye appends what ends being served.
func (a *asker) bye(b []byte) []byte {
	y := fragment.Bye{Common: a.common(), Reason: fragment.ByeLeaving}
	b, err := y.AppendBinary(b)
	if err != nil {
		return b[:0] // cannot be, as above
	}
	return b
}

// news returns what a person should hear, once each time that things change, and whether
// it is trouble.
func (a *asker) news(now time.Time) (what string, trouble bool) {
	quiet := now.Sub(a.last)
	switch {
	case a.state == stServed && quiet >= silent:
		a.state, a.last, a.heard = stSilent, now, false
	case (a.state == stAsking || a.state == stEnded || a.state == stRefused) && quiet >= silent && !a.heard:
		a.state = stSilent
	}
	state := a.state
	if a.deaf && state != stServed {
		state = stDeaf
	}
	if state == a.told || state == stDeaf && a.told == stSilent || state == stSilent && a.told == stDeaf {
		return "", false
	}
	a.told = state
	switch state {
	case stSilent:
		return "no answer: is the sender running with --listen, on this address and port? Does a firewall on its side let the port in? Asking on", true
	case stDeaf:
		return "nobody listens there: start `framegram send --listen` on that machine and port. Asking on", true
	case stEnded:
		return "the sender has ended. Asking on, in case it is started again", false
	case stRefused:
		switch a.refused {
		case fragment.RefuseFull:
			return "the sender serves as many viewers as it may (its --max-viewers): waiting until one leaves", true
		case fragment.RefuseLimits:
			return "the sender's frames are larger than this viewer takes. Asking on", true
		case fragment.RefuseClosing:
			return "the sender is ending. Asking on, in case it is started again", false
		}
		return "the sender does not serve us. Asking on", true
	}
	return "", false
}
