package udp

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/framegram/framegram/clock"
	"github.com/framegram/framegram/fragment"
)

const (
	// firstPings come one every pingFast, so that the offset is soon good; later ones
	// keep it so.
	firstPings = 8
	pingFast   = 100 * time.Millisecond
	pingEvery  = time.Second
	// pingWhile is how long after its last frame a sender is still asked.
	pingWhile = 10 * time.Second
)

// pinger learns how far the clock of the sender that is followed is ahead of ours. A
// sender that does not answer leaves it without knowledge, and does no other harm.
type pinger struct {
	peer   netip.AddrPort // not valid: nobody is followed
	term   uint64         // takeovers when it began to be: the same address may be another sender
	filter clock.Filter
	asked  [8]question // of the last pings, those not answered
	sent   int         // pings to peer
	due    time.Time
	last   time.Time // peer's last frame

	trips roundTrips

	session, seq uint64 // of our control messages to peer
}

// question is what only the answer to a ping can know.
type question struct {
	id   uint32
	sent int64     // t1, in µs; 0 = none
	at   time.Time // the same by the monotonic clock, which nobody sets while the answer is on its way
}

// follow notes that a frame of peer's has come, who has been followed since term, and
// reports whether that is news: then there is no time to lose. A sender that was started
// again on the same machine has the same clock; if not, its first answer contradicts
// what was known, and the filter forgets it.
func (p *pinger) follow(now time.Time, peer netip.AddrPort, term uint64) (news bool) {
	if peer != p.peer || term != p.term {
		next := pinger{peer: peer, term: term, session: newSession()}
		if peer.Addr() == p.peer.Addr() {
			next.filter, next.trips = p.filter, p.trips
		}
		*p, news = next, true
	}
	p.last = now
	return news
}

// next appends the ping that is due to b, or nothing.
func (p *pinger) next(b []byte, now time.Time) []byte {
	if !p.peer.IsValid() || now.Before(p.due) || now.Sub(p.last) > pingWhile {
		return b
	}
	p.due = now.Add(pingEvery)
	if p.sent < firstPings {
		p.due = now.Add(pingFast)
	}
	q := question{id: rand.Uint32(), sent: now.UnixMicro(), at: now}
	ping := fragment.Ping{Common: fragment.Common{Session: p.session, Sequence: p.seq}, ID: q.id, Sent: q.sent}
	b, err := ping.AppendBinary(b)
	if err != nil {
		return b[:0] // cannot be: a Ping has no field that could be wrong
	}
	p.asked[p.sent%len(p.asked)] = q
	p.sent++
	p.seq++
	return b
}

// pong takes a datagram that came at t4, and reports whether it answers a question.
// Each is answered once.
func (p *pinger) pong(from netip.AddrPort, b []byte, t4 time.Time) bool {
	var pong fragment.Pong
	if from != p.peer || pong.Parse(b) != nil {
		return false
	}
	for i, q := range p.asked {
		if q.sent != 0 && q.id == pong.ID && q.sent == pong.Sent {
			p.asked[i] = question{}
			p.filter.Add(pong.Sent, pong.Received, pong.Answered, t4.UnixMicro())
			p.trips.add(t4, t4.Sub(q.at).Microseconds()-(pong.Answered-pong.Received))
			return true
		}
	}
	return false
}

// Clock is how far the clock of the sender that is followed is ahead of ours; false
// until it has answered. Captured of its frames is by its clock.
func (r *Receiver) Clock() (clock.Offset, bool) {
	now := time.Now().UnixMicro() // by the wall: who compares Captured to the time reads that
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pinger.filter.Offset(now)
}

// pong takes a datagram that is no data; mu is held.
func (r *Receiver) pong(from netip.AddrPort, b []byte, now time.Time) {
	if r.pinger.pong(from, b, now) {
		r.stats.Pongs++
	}
}

// ping asks, and reports, when it is time to.
func (r *Receiver) ping(buf []byte) {
	now := time.Now()
	r.mu.Lock()
	ping, to := r.pinger.next(buf[:0], now), r.pinger.peer
	if len(ping) > 0 {
		r.stats.Pings++
	}
	report := r.report(ping[len(ping):], now)
	r.mu.Unlock()
	for _, b := range [...][]byte{ping, report} {
		if len(b) > 0 {
			_, err := r.asking().WriteToUDPAddrPort(b, numbered(to)) // what goes wrong shows in Pings without Pongs
			r.nobody(err)                                            // what ICMP said of an earlier one is told only once
		}
	}
}

// numbered is a with the number of the interface that its zone names, by now: package
// net remembers for a minute what a name meant before the interface was made anew.
func numbered(a netip.AddrPort) netip.AddrPort {
	zone := a.Addr().Zone()
	if zone == "" {
		return a
	}
	ifi, err := net.InterfaceByName(zone)
	if err != nil {
		return a
	}
	return netip.AddrPortFrom(a.Addr().WithZone(strconv.Itoa(ifi.Index)), a.Port())
}
