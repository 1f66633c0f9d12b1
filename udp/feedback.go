package udp

import (
	"math"
	"net/netip"
	"time"

	"github.com/framegram/framegram/fragment"
)

// Feedback is what a viewer tells a source that it does not follow yet, a candidate: how its datagrams fare.
// Without it the sender of frames that are too large for the path would learn nothing, and go on sending them
// (docs/PROTOCOL.md, section 6, Report). Anybody can make up a candidate, so all that is sent to one is bounded:
// never more bytes than have come from its address, at most twice feedbackRate messages in any second, and only in
// answer to its datagrams.
const (
	// feedbackRate is how many messages a candidate gets a second, and at once.
	feedbackRate = 5
	// candidateFirst is how many datagrams the first report waits for. They leave the sender together (see
	// pace.Path), so the time between them tells how fast the path is.
	candidateFirst = 4
	// candidateFirstWithin is how long it waits for them: on a slow path, or where most are lost, they take longer.
	candidateFirstWithin = 20 * time.Millisecond
)

// feedback is the state of the feedback to all candidates. Receiver.mu guards it.
type feedback struct {
	to    [fragment.MaxCandidates]candidate
	seen  []fragment.Progress             // scratch
	out   [fragment.MaxCandidates]request // to be sent once mu is free
	ready int                             // of which are
}

// candidate is one of them.
type candidate struct {
	from    netip.AddrPort
	session uint64 // the candidate's

	common  fragment.Common // of our next report: a session of ours for this candidate alone
	spent   uint64          // bytes of IP packets sent to it
	heard   uint64          // bytes of UDP payload that had come from it when it was sent to last
	asking  uint64          // the same when mayAsk said yes
	tokens  budget          // for all of them
	drops   uint64          // the kernel's when it was first seen
	transit transit

	reported bool
	at       time.Time // of the last report, before it of the first datagram seen
	arrivals fragment.Arrivals
}

// of is the state of a candidate that has been seen, or nil.
func (f *feedback) of(from netip.AddrPort, session uint64) *candidate {
	for i := range f.to {
		if c := &f.to[i]; c.from == from && c.session == session {
			return c
		}
	}
	return nil
}

// enter is the state of a candidate, new in the place of one that is none any more. What was sent to that one is
// forgotten with what it sent itself: the Reassembler counts its bytes from 0, too, should it come again.
func (f *feedback) enter(p *fragment.Progress, drops uint64, now time.Time) *candidate {
	if c := f.of(p.From, p.Session); c != nil {
		return c
	}
	place := &f.to[0]
	for i := range f.seen {
		if q := &f.seen[i]; q.From == place.from && q.Session == place.session {
			place = &f.to[1]
		}
	}
	*place = candidate{
		from: p.From, session: p.Session, common: fragment.Common{Session: newSession()},
		tokens: budget{rate: feedbackRate}, at: now, drops: drops,
	}
	return place
}

// mayAsk is for [fragment.Path]. The last token is a report's, which is of more use.
func (f *feedback) mayAsk(from netip.AddrPort, session, bytes uint64, now time.Time) bool {
	c := f.of(from, session)
	if c == nil || bytes <= c.heard || c.spent+fragment.MaxRepairLen+uint64(overhead(from.Addr())) > bytes {
		return false
	}
	c.asking = bytes
	return c.tokens.refill(now) >= 2
}

// asked notes a request of n bytes to one that may be a candidate.
func (f *feedback) asked(from netip.AddrPort, session uint64, n int, now time.Time) {
	if c := f.of(from, session); c != nil {
		c.spent += uint64(n + overhead(from.Addr()))
		c.heard = c.asking
		c.tokens.take(now)
	}
}

// reportCandidates makes the reports that are due to the candidates of r, some of whose datagrams have come at now.
// mu is held.
func (r *Receiver) reportCandidates(now time.Time) {
	f := &r.candidates
	f.ready = 0
	f.seen = r.frames.Candidates(now, f.seen[:0])
	for i := range f.seen {
		p := &f.seen[i]
		c := f.enter(p, r.stats.KernelDrops, now)
		c.transit.opened(p.Head)
		q := &f.out[f.ready]
		common := c.common
		if r.ask != nil {
			// The session by which the sender knows its subscriber.
			common = fragment.Common{Session: r.ask.session, Sequence: r.ask.seq}
		}
		b, ok := c.report(p, common, now, r.stats.KernelDrops, q.b[:0])
		if !ok {
			continue
		}
		if r.ask != nil {
			r.ask.seq++
		}
		q.to, q.b = p.From, b
		f.ready++
		r.stats.Reports++
		r.stats.Candidate++
	}
}

// report appends the report on p to b, if it is due.
func (c *candidate) report(
	p *fragment.Progress, common fragment.Common, now time.Time, drops uint64, b []byte,
) ([]byte, bool) {
	elapsed := now.Sub(c.at)
	switch {
	case c.reported && elapsed < reportSoon:
		return b, false
	case !c.reported && p.Received < candidateFirst && p.Missing == 0 && elapsed < candidateFirstWithin:
		return b, false
	case p.Bytes <= c.heard || c.spent+fragment.ReportLen+uint64(overhead(p.From.Addr())) > p.Bytes || !c.tokens.take(now):
		return b, false
	}
	report := fragment.Report{
		Common: common, Of: p.Session, Frame: p.Frame, Lost: uint32(p.GivenUp), KernelDrops: uint32(drops - c.drops),
		Highest: p.Highest, Received: p.Received, Missing: p.Missing, Reordered: uint32(p.Reordered),
		Jitter: micros32(int64(min(c.transit.jitter, math.MaxUint32))), Queueing: micros32(c.transit.queueing()),
		Arrival: kbit32(p.Arrivals.Rate(c.arrivals, overhead(p.From.Addr()))),
	}
	b, err := report.AppendBinary(b)
	if err != nil {
		return b, false // cannot be: a Report has no field that could be wrong
	}
	c.common.Sequence++
	c.spent += uint64(len(b) + overhead(p.From.Addr()))
	c.heard = p.Bytes
	c.reported, c.at, c.arrivals = true, now, p.Arrivals
	return b, true
}

// kbit32 is a rate in bit/s as a report has room for it.
func kbit32(rate float64) uint32 { return uint32(min(max(rate/1e3, 0), math.MaxUint32)) }

// overhead is what a datagram has more as an IP packet, in bytes.
func overhead(peer netip.Addr) int { return ipHeader(peer.Unmap()) + udpHeader }

// tellCandidates sends what feedback has made. It is called by the read loop alone.
func (r *Receiver) tellCandidates() {
	for _, q := range r.candidates.out[:r.candidates.ready] {
		_, err := r.asking().WriteToUDPAddrPort(q.b, numbered(q.to)) // what is lost is told in the next one
		r.nobody(err)
	}
	r.candidates.ready = 0
}
