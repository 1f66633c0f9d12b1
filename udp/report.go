package udp

import (
	"math"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

const (
	// reportEvery is how often a viewer tells the sender that it follows how it fares.
	reportEvery = time.Second
	// reportSoon is how soon it does so again when it fares worse: something is missing, or the queues on
	// the way have grown by worseBy. Who sets the rate cannot wait for a second.
	reportSoon = 100 * time.Millisecond
	worseBy    = 10 * time.Millisecond
	// firstReports is how many reports come reportSoon apart at first: the sender raises its rate by them.
	firstReports = 5
)

// account is what a viewer reports of the session that it follows: counts from its first
// datagram on.
type account struct {
	session uint64 // followed; 0 = none
	due     time.Time
	transit transit

	// What the counts that run from the start were when the session began to be followed.
	lost, drops, shown uint64

	// What the last report said, and when; and how many there were.
	reports  int
	arrivals fragment.Arrivals
	said     time.Time
	missing  uint64
	queueing int64 // µs
}

// frame notes that f has come, of the session that is followed by now. mu is held.
func (r *Receiver) account(f *stream.Frame) {
	p, ok := r.frames.Progress()
	if !ok {
		return // cannot be: f is of who is followed
	}
	if a := &r.books; p.Session != a.session {
		*a = account{
			session: p.Session, due: f.Ready,
			lost: r.frames.Counters().Lost, drops: r.stats.KernelDrops, shown: r.shown.Load(),
		}
		if c := r.candidates.of(p.From, p.Session); c != nil {
			a.transit, a.arrivals, a.drops = c.transit, c.arrivals, c.drops
		}
	}
	r.books.transit.opened(p.Head)
}

// watch notes that a datagram has come of a frame that may be new. mu is held.
func (r *Receiver) watch() {
	if head, ok := r.frames.Head(); ok && r.books.session != 0 {
		r.books.transit.opened(head)
	}
}

// report appends the one that is due to b, or nothing. mu is held.
func (r *Receiver) report(b []byte, now time.Time) []byte {
	a := &r.books
	if a.session == 0 || now.Sub(a.said) < reportSoon-reportSoon/10 || now.Sub(r.pinger.last) > pingWhile {
		return b
	}
	p, ok := r.frames.Progress()
	if !ok || p.Session != a.session {
		return b // another is followed since, and its first frame accounted for in a moment
	}
	standing := max(a.transit.standing(), r.frames.Overdue(now).Microseconds())
	grown := standing > a.queueing+worseBy.Microseconds()
	if worse := p.Missing > a.missing || grown; !worse && now.Before(a.due) {
		return b
	}
	// A queue that has grown the frames before did not know yet; one frame since the last report may have
	// been held up by itself.
	queueing := a.transit.queueing()
	if grown || queueing > standing {
		queueing = standing
	}
	a.said, a.missing, a.queueing = now, p.Missing, queueing
	a.due = now.Add(reportEvery)
	if a.reports++; a.reports < firstReports {
		a.due = now.Add(reportSoon)
	}
	arrival := p.Arrivals.Rate(a.arrivals, overhead(p.From.Addr()))
	a.arrivals = p.Arrivals
	report := fragment.Report{
		Common: fragment.Common{Session: r.pinger.session, Sequence: r.pinger.seq}, Of: a.session,
		Frame: p.Frame, Highest: p.Highest, Received: p.Received, Missing: p.Missing, Reordered: uint32(p.Reordered),
		Shown: uint32(r.shown.Load() - a.shown), Lost: uint32(p.GivenUp + r.frames.Counters().Lost - a.lost), KernelDrops: uint32(r.stats.KernelDrops - a.drops),
		Jitter: micros32(int64(min(a.transit.jitter, math.MaxUint32))), RTT: micros32(r.pinger.trips.us(now)), Queueing: micros32(queueing),
		Complete: uint32(p.Complete), Arrival: kbit32(arrival),
	}
	b, err := report.AppendBinary(b)
	if err != nil {
		return b[:0] // cannot be: a Report has no field that could be wrong
	}
	r.pinger.seq++
	r.stats.Reports++
	return b
}

// micros32 is a time in µs as a report has room for it.
func micros32(us int64) uint32 { return uint32(min(max(us, 0), math.MaxUint32)) }
