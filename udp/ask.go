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
	// probeAfter is how long after the last answer a Hello comes without the cookie, which has a
	// sender that is there say so, by a Challenge: one whose source rests says nothing else.
	probeAfter = time.Second
	// answerRate bounds the Hellos a second that answer Challenges at once.
	answerRate = 10
	// newsEvery is how often there is something to say at most.
	newsEvery = time.Second
)

// asker asks one sender to be served, and says what there is to say of it. It knows no
// socket and reads no clock. Only who receives our Hellos knows our session: nobody else can
// change what it believes, but by a forged Bye, which the next datagram of data undoes.
type asker struct {
	peer     netip.AddrPort // who is asked; not valid: not known yet
	session  uint64         // of our control messages
	seq      uint64
	cookie   uint64
	maxFrame int
	due      time.Time // the next Hello
	last     time.Time // when a datagram of data came last, or it began to wait for one
	heard    time.Time // when anything came last that is believed, or it began
	answers  budget
	left     bool // it has said Bye, and says nothing more

	deaf    bool     // ICMP says that nobody listens there
	told    askState // what was said last
	toldAt  time.Time
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
	stIdle    askState = "no frames" // the sender answers
	stRefused askState = "refused"
	stEnded   askState = "ended"
)

func newAsker(maxFrame int, now time.Time) *asker {
	return &asker{session: newSession(), maxFrame: maxFrame, last: now, heard: now, state: stAsking, told: stAsking, answers: budget{rate: answerRate}}
}

// ask has it ask another address, at once.
func (a *asker) ask(peer netip.AddrPort) {
	if peer != a.peer {
		a.peer, a.cookie, a.due, a.deaf = peer, 0, time.Time{}, false
	}
}

// data notes that a datagram of data has come from who is asked.
func (a *asker) data(now time.Time) {
	a.last, a.heard, a.deaf = now, now, false
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
	if a.left || !a.peer.IsValid() || now.Before(a.due) {
		return b
	}
	a.due = now.Add(helloEvery)
	if gone && a.state != stRefused {
		a.due = now.Add(helloFast)
	}
	cookie := a.cookie
	if now.Sub(a.heard) >= probeAfter && a.seq%2 == 0 { // every other one: with the cookie it is served also by who has too many to answer
		cookie = 0
	}
	return a.hello(b, cookie)
}

func (a *asker) hello(b []byte, cookie uint64) []byte {
	h := fragment.Hello{Common: a.common(), Cookie: cookie, MaxFrame: uint32(a.maxFrame)}
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
	case a.left:
	case c.Parse(b) == nil:
		if c.Viewer != a.session || c.Cookie == 0 {
			return out
		}
		if a.deaf || a.state == stSilent || a.state == stEnded { // it is another one, or there again
			a.state, a.last = stAsking, now
		}
		a.heard, a.deaf, a.cookie = now, false, c.Cookie
		a.challenges++
		if !a.answers.take(now) {
			return out // it can be sent with the next one
		}
		a.due = now.Add(helloFast)
		return a.hello(out, a.cookie)
	case r.Parse(b) == nil:
		if r.Viewer != a.session {
			return out
		}
		a.heard, a.deaf = now, false
		a.refusals++
		if r.Reason == fragment.RefuseClosing {
			a.state = stEnded
			return out
		}
		if a.state == stRefused && a.refused != r.Reason {
			a.told = stAsking // that is news
		}
		a.state, a.refused, a.due = stRefused, r.Reason, now.Add(helloEvery)
	case y.Parse(b) == nil:
		if a.cookie != 0 { // it has been heard of
			a.state = stEnded // heard stands: a Bye proves nothing, since it does not name our session
		}
	}
	return out
}

// bye appends what ends being served.
func (a *asker) bye(b []byte) []byte {
	a.left = true
	y := fragment.Bye{Common: a.common(), Reason: fragment.ByeLeaving}
	b, err := y.AppendBinary(b)
	if err != nil {
		return b[:0] // cannot be, as above
	}
	return b
}

// news returns what a person should hear, once each time that things change and at most
// every newsEvery, and whether it is trouble. What has passed by then is not said.
func (a *asker) news(now time.Time) (what string, trouble bool) {
	switch {
	case !a.peer.IsValid():
		return "", false // who looks it up says so
	case a.state == stEnded:
	case now.Sub(a.heard) >= silent:
		a.state = stSilent
	case (a.state == stServed || a.state == stAsking) && now.Sub(a.last) >= silent:
		a.state = stIdle
	}
	state := a.state
	if a.deaf && state != stServed {
		state = stDeaf
	}
	if state == a.told || state == stDeaf && a.told == stSilent || state == stSilent && a.told == stDeaf {
		return "", false
	}
	if now.Sub(a.toldAt) < newsEvery {
		return "", false
	}
	what, trouble = a.say(state)
	if a.told = state; what != "" {
		a.toldAt = now
	}
	return what, trouble
}

// say puts a state into words, or into none where it goes without saying.
func (a *asker) say(state askState) (what string, trouble bool) {
	switch state {
	case stServed:
		if a.told != stAsking {
			return "frames come again", false
		}
	case stSilent:
		return "no answer: is the sender running with --listen, on this address and port? Does a firewall on its side let the port in? Asking on", true
	case stIdle:
		return "the sender answers, and sends no frames: waiting for its source", false
	case stDeaf:
		return "nobody listens there over udp: start `framegram send --listen` on that machine and port, or ask over tcp, if it serves that. Asking on", true
	case stEnded:
		return "the sender has ended. Asking on, in case it is started again", false
	case stRefused:
		switch a.refused {
		case fragment.RefuseFull:
			return "the sender serves as many viewers as it may (its --max-viewers): waiting until one leaves", true
		case fragment.RefuseLimits:
			return "the sender's frames are larger than this viewer takes. Asking on", true
		}
		return "the sender does not serve us. Asking on", true
	}
	return "", false
}
