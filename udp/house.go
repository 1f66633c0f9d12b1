package udp

import (
	"cmp"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// guestPatience is how long a guest is served after its last Hello.
	guestPatience = 3 * time.Second
	// challengeRate bounds the Challenges, and apart from them the Refuses, a second:
	// whoever forges addresses makes us send no more. A viewer among many forged ones
	// asks again until it is among those answered; with its cookie it needs no luck.
	challengeRate = 2000
	// renewRate bounds the Challenges to one guest a second. It needs one a minute, and
	// gets it however many strangers ask.
	renewRate = 10
)

// house keeps who is served because they asked to be: it takes their Hellos and Byes and
// says what to answer. It knows no socket and reads no clock, and remembers nobody who has
// not shown, by bringing back a cookie, that they hear what is sent to their address.
type house struct {
	max     int
	session uint64 // of the answers
	seq     atomic.Uint64
	size    atomic.Int64 // of the newest frame, in bytes
	news    chan news    // for the log
	stop    chan struct{}
	log     houseLog

	mu         sync.Mutex // guards what follows; held for no longer than a hash takes
	cookies    cookies
	guests     map[netip.AddrPort]*guest
	shown      []guest // what present returned last
	stale      bool    // that is no longer so
	last       uint64  // id given
	closing    bool
	challenges budget
	refusals   budget
	stats      HouseStats
}

// HouseStats are figures since the start of those who asked to be served.
type HouseStats struct {
	Viewers       int    `json:"viewers"`        // served now
	Max           int    `json:"max_viewers"`    // at most
	Hellos        uint64 `json:"hellos"`         // came, those of who is served included
	Challenges    uint64 `json:"challenges"`     // sent, to who has no valid cookie
	Unanswered    uint64 `json:"unanswered"`     // Hellos without one that were too many to answer
	Joined        uint64 `json:"joined"`         // visits begun
	Left          uint64 `json:"left"`           // of which ended by a Bye
	Expired       uint64 `json:"expired"`        // by silence
	Restarted     uint64 `json:"restarted"`      // by the next one from the same address
	RefusedFull   uint64 `json:"refused_full"`   // Hellos of who may not come: as many viewers as allowed
	RefusedLimits uint64 `json:"refused_limits"` // because the frames are larger than the viewer takes
}

// guest is a viewer on one visit.
type guest struct {
	id        uint64         // of the visit, from 1; the same address with another one is a viewer that was started again
	addr      netip.AddrPort // the viewer's
	local     netip.Addr     // ours, that its Hellos come to
	at        *listener
	viewer    uint64    // session of its Hellos
	maxFrame  int       // bytes; it wants no larger ones
	canRepair bool      // it understands parity and will ask for repairs
	since     time.Time // its first Hello
	heard     time.Time // its last one
	renewals  budget
}

func newHouse(maxViewers int, log *slog.Logger, now time.Time) *house {
	return &house{
		max: maxViewers, session: newSession(), news: make(chan news, 16), stop: make(chan struct{}), log: newHouseLog(log),
		cookies: newCookies(now), guests: make(map[netip.AddrPort]*guest),
		challenges: budget{rate: challengeRate}, refusals: budget{rate: challengeRate},
	}
}

// receive takes a Hello or a Bye that came from a viewer to our address local by a
// listener, or by the socket of a guest that came by it. It appends to out the one
// datagram to send back, which is no longer than b, or nothing. What is neither, or
// breaks a rule, is ignored.
func (h *house) receive(from netip.AddrPort, local netip.Addr, at *listener, b []byte, now time.Time, out []byte) []byte {
	var hello fragment.Hello
	if hello.Parse(b) == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.hello(guest{
			addr: from, local: local, at: at, viewer: hello.Session, maxFrame: int(min(hello.MaxFrame, fragment.MaxFrameBytes)), canRepair: hello.CanRepair, since: now, heard: now,
			renewals: budget{rate: renewRate},
		}, hello.Cookie, now, out)
	}
	var bye fragment.Bye
	if bye.Parse(b) == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		if g := h.guests[from]; g != nil && g.viewer == bye.Session {
			h.stats.Left++
			h.end(g, "it said goodbye")
		}
	}
	return out
}

// hello takes the Hello of who would be the guest g. mu is held.
func (h *house) hello(g guest, cookie uint64, now time.Time, out []byte) []byte {
	h.stats.Hellos++
	known := h.guests[g.addr]
	switch {
	case !h.cookies.valid(cookie, g.addr, now):
		return h.challenge(known, g, now, out)
	case h.closing:
		return h.refuse(g, fragment.RefuseClosing, now, out)
	case known != nil && known.viewer == g.viewer && known.local == g.local && known.at == g.at:
		known.heard, known.canRepair = now, g.canRepair
		if known.maxFrame != g.maxFrame {
			known.maxFrame, h.stale = g.maxFrame, true
		}
		if h.size.Load() > int64(g.maxFrame) { // it keeps its place, and is served again when they shrink
			return h.refuse(g, fragment.RefuseLimits, now, out)
		}
		return out
	case known != nil:
		h.stats.Restarted++
		h.end(known, "it was started again")
	case len(h.guests) >= h.max:
		h.stats.RefusedFull++
		h.tell(news{kind: turnedAway, addr: g.addr, viewers: h.max})
		return h.refuse(g, fragment.RefuseFull, now, out)
	}
	if size := h.size.Load(); int64(g.maxFrame) < size {
		h.stats.RefusedLimits++
		h.tell(news{kind: tooSmall, addr: g.addr, takes: g.maxFrame, size: int(size)})
		return h.refuse(g, fragment.RefuseLimits, now, out)
	}
	h.last++
	joined := g // the parameter's own address would cost an allocation for every Hello
	joined.id = h.last
	h.guests[g.addr], h.stale = &joined, true
	h.stats.Joined++
	h.tell(news{kind: hasCome, addr: g.addr, viewers: len(h.guests)})
	return out
}

// challenge answers a Hello without a valid cookie, of a guest too when its cookie has
// grown old.
func (h *house) challenge(known *guest, g guest, now time.Time, out []byte) []byte {
	allowed := &h.challenges
	if known != nil && known.viewer == g.viewer {
		allowed = &known.renewals
	}
	if h.closing || !allowed.take(now) {
		h.stats.Unanswered++
		return out
	}
	h.stats.Challenges++
	c := fragment.Challenge{Common: h.common(), Cookie: h.cookies.of(g.addr, now), Viewer: g.viewer}
	b, err := c.AppendBinary(out)
	if err != nil {
		return out // cannot be: a Challenge has no field that could be wrong
	}
	return b
}

func (h *house) refuse(g guest, why fragment.RefuseReason, now time.Time, out []byte) []byte {
	if !h.refusals.take(now) {
		return out
	}
	r := fragment.Refuse{Common: h.common(), Reason: why, Viewer: g.viewer}
	b, err := r.AppendBinary(out)
	if err != nil {
		return out // cannot be, as above
	}
	return b
}

func (h *house) common() fragment.Common {
	return fragment.Common{Session: h.session, Sequence: h.seq.Add(1) - 1}
}

// end has a guest gone. mu is held.
func (h *house) end(g *guest, because string) {
	delete(h.guests, g.addr)
	h.stale = true
	h.tell(news{kind: hasGone, addr: g.addr, because: because, viewers: len(h.guests)})
}

// expire ends the visits of who has said nothing for guestPatience. mu is held.
func (h *house) expire(now time.Time) {
	for _, g := range h.guests {
		if now.Sub(g.heard) > guestPatience {
			h.stats.Expired++
			h.end(g, "it has not asked for 3 s")
		}
	}
}

// frame notes that frames are of size bytes now.
func (h *house) frame(size int) { h.size.Store(int64(size)) }

// present returns who is to be served, in the order in which they came, and whether
// that has changed since the last call. The result is valid until the next one.
func (h *house) present(now time.Time) (guests []guest, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(now)
	if !h.stale {
		return h.shown, false
	}
	h.stale, h.shown = false, h.shown[:0]
	for _, g := range h.guests {
		h.shown = append(h.shown, *g)
	}
	slices.SortFunc(h.shown, func(a, b guest) int { return cmp.Compare(a.id, b.id) })
	return h.shown, true
}

// close lets nobody in any more.
func (h *house) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closing {
		h.closing = true
		close(h.stop)
	}
}

// figures may be called from any goroutine.
func (h *house) figures() HouseStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	stats := h.stats
	stats.Viewers, stats.Max = len(h.guests), h.max
	return stats
}
