package fragment

import (
	"math/bits"
	"net/netip"
	"time"
)

const (
	// maxRounds is how often the same is asked for without any answer, and maxAsks how often anything of a frame is.
	maxRounds, maxAsks = 4, 32
	// assumedRTT is taken for the round trip as long as it is not known.
	assumedRTT = 10 * time.Millisecond
	// askMargin is the least that is allowed for the answer beside the round trip: the sender's work, and the
	// timers of both sides, which wake up to a millisecond late. It grows, up to mostMargin, when answers turn out to be
	// slower than that.
	askMargin  = time.Millisecond
	mostMargin = 10 * time.Millisecond
	// leastLimit is how long after its first datagram a frame is repaired at least.
	leastLimit = 20 * time.Millisecond
	// firstLimit is the same as long as the time between two frames is not known.
	firstLimit = 50 * time.Millisecond
	// surrender is for how long all that is missing must have been lost for certain before its frame
	// is given up: what is reordered by more than ever before comes after all.
	surrender = 5 * time.Millisecond
)

// Path is what a Reassembler must know of the way to the sender to ask for repairs.
type Path struct {
	Ask   bool          // somebody will send again what is asked for
	RTT   time.Duration // round trip; 0 = not known
	Limit time.Duration // from a frame's first datagram until no answer is of use; 0 = the time between two frames, 20 ms at least, 50 ms as long as it is not known

	// Candidate reports whether a candidate that has sent so many bytes of UDP payload may be asked now; nil = all may.
	Candidate func(from netip.AddrPort, session, bytes uint64) bool
}

// Ask gives up frames that can no longer be completed, and fills to with what is to be asked now, but for
// Common. whom is the sender to be asked, not valid if there is nothing; if there is, Ask is to be called again at
// once. What it has said is taken for sent. next is when to call it again, zero when a datagram comes.
// As long as nobody is followed, or the followed source has fallen silent, candidates are asked, if Path.Candidate allows it,
// too, each for its newest frame.
//
// A fragment is asked for once it is lost for certain: when fragments behind it have come and the
// patience with reordering is over, or the frame has come to its end; and only as far as the block's
// parity cannot stand in for it. It is asked for again when the answer is overdue. Nothing is
// asked for whose answer cannot come before the limit.
//
// A frame of which nothing has come is not asked for: that it exists is known when the next one comes, whose
// completion is the end of it.
func (r *Reassembler) Ask(now time.Time, p Path, to *Repair) (whom netip.AddrPort, next time.Time) {
	if p.RTT == 0 {
		p.RTT = assumedRTT
	}
	for _, t := range r.tracks() {
		if t == nil || t != r.followed && p.Candidate != nil && !p.Candidate(t.from.addr, t.from.session, t.bytes) {
			continue
		}
		whom, due := r.ask(now, t, p, to)
		if whom.IsValid() {
			return whom, due
		}
		next = sooner(next, due)
		if t == r.followed && now.Sub(t.last) < r.cfg.Silence {
			break
		}
	}
	return whom, next
}

func (r *Reassembler) ask(now time.Time, t *track, p Path, to *Repair) (whom netip.AddrPort, next time.Time) {
	if p.Limit == 0 {
		p.Limit = max(t.interval, leastLimit)
		if t.interval == 0 {
			p.Limit = firstLimit
		}
	}
	p.Limit = min(p.Limit, r.cfg.Deadline)
	patience := surrender
	if r.cfg.Filler != nil && t.any { // which has to be quicker than the next frame
		patience = 0
	}
	to.Of, to.Missing = t.from.session, to.Missing[:0]
	for i := range t.slots {
		s := &t.slots[i]
		if !s.open {
			continue
		}
		wait := patience
		if r.cfg.Filler != nil && 2*s.progress.count < s.expected() {
			wait = mostTail // too little for the Filler: it gains nothing by giving up now
		}
		due, hope := t.ask(now, s, p, wait, to)
		switch {
		case len(to.Missing) > 0:
			to.Frame = s.id
			r.c.Asked.Requests++
			for i := range to.Missing {
				r.c.Asked.Fragments += uint64(max(to.Missing[i].Count(), 1))
			}
			return t.from.addr, now
		case !hope:
			r.giveUp(now, t, s, &r.c.Incomplete.Hopeless)
		default:
			next = sooner(next, due)
		}
	}
	return whom, next
}

// sooner is the earlier of two times that matter unless they are zero.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// ask fills to with what is to be asked of s. It returns when to look again, zero when a datagram
// comes, and whether there is hope for the frame, which is given up no sooner than that patience after its end.
func (t *track) ask(now time.Time, s *slot, p Path, patience time.Duration, to *Repair) (next time.Time, hope bool) {
	end, by := t.ended(s)
	over := !now.Before(end)
	s.progress.settle(now, t.patience)
	lost := s.progress.settled
	if over {
		lost = all
	}
	answer := p.RTT + t.margin
	t.forget(now, s, answer)
	inTime := p.Ask && s.asks < maxAsks && s.fails < maxRounds && !now.Add(p.RTT+askMargin).After(s.began.Add(p.Limit))
	s.later = s.asking && now.Sub(s.first) >= answer/2
	beyond := false // more is lost than parity and what is under way can mend
	for i := range max(s.count, len(s.blocks)) {
		short, waiting := s.missing(i, lost, inTime, to)
		beyond = beyond || short > waiting
	}
	if len(to.Missing) > 0 {
		s.awaited.note(now)
		return now, true
	}
	switch {
	case !over:
		next = end
		if s.overtaken() {
			next = sooner(next, s.progress.marked.Add(t.patience))
		}
	case beyond && !inTime && !s.asking:
		switch {
		case !by.IsZero():
			next = by.Add(patience)
		case s.lacking(s.progress.settled):
			next = s.progress.latest.Add(patience)
		case patience == 0:
			next = end
		default: // nothing but silence says so: what is held up comes after all, and until a newer frame does it is not too late
			return time.Time{}, true
		}
		return next, now.Before(next)
	}
	if s.asking {
		next = sooner(next, s.askedAt.Add(answer))
	}
	if least := now.Add(leastPatience); !next.IsZero() && next.Before(least) {
		next = least
	}
	return next, true
}

// missing adds to to what is to be asked of block n, where everything up to the place lost is lost that
// has not come. short is how many fragments it lacks that nobody will send, waiting how many of these
// have been asked for.
func (s *slot) missing(n, lost int, ask bool, to *Repair) (short, waiting int) {
	whole := s.asked.has(uint8(n))
	if n >= len(s.blocks) || s.blocks[n].length == 0 { // nothing of it has come
		switch {
		case s.place(n, 0) >= lost:
			return 0, 0
		case whole:
			return 1, 1
		case ask && len(to.Missing) < maxMissing:
			s.asked.set(uint8(n))
			if s.later {
				s.askedLater.set(uint8(n))
			}
			to.Missing = append(to.Missing, Missing{Block: uint8(n)})
		}
		return 1, 0
	}
	b := &s.blocks[n]
	k := b.data(s.shard)
	if b.got >= k { // complete
		return 0, 0
	}
	behind, parity := s.before(n, lost), int(b.parity)
	gone := b.have.lacks(0, min(k, behind))
	lack := b.have.lacks(k, min(k+parity, behind))
	short = gone.count() - (parity - lack.count())
	if short <= 0 {
		return 0, 0
	}
	if whole { // what comes of the answer is not all of it yet
		return short, short
	}
	for i, w := range gone {
		waiting += bits.OnesCount64(w & b.asked[i])
	}
	if !ask || short <= waiting || len(to.Missing) >= maxMissing {
		return short, waiting
	}
	m := Missing{Block: uint8(n)}
	for i := 0; i < k && waiting < short; i++ {
		if gone.has(uint8(i)) && b.asked.set(uint8(i)) {
			m.Bits[i/8] |= 1 << (i % 8)
			waiting++
			if s.later {
				b.askedLater.set(uint8(i))
			}
		}
	}
	to.Missing = append(to.Missing, m)
	return short, waiting
}

// lacking reports whether some block cannot be completed if all up to the place lost is lost
// that has not come.
func (s *slot) lacking(lost int) bool {
	for i := range max(s.count, len(s.blocks)) {
		if short, _ := s.missing(i, lost, false, nil); short > 0 {
			return true
		}
	}
	return false
}

// overtaken reports whether fragments have come, not long ago, that stand behind one that has not.
func (s *slot) overtaken() bool {
	from, to := s.progress.settled, s.progress.high
	for n := range s.blocks {
		b := &s.blocks[n]
		k := b.data(s.shard)
		switch {
		case b.length == 0:
			if first := s.place(n, 0); first >= from && first < to {
				return true
			}
		case b.got < k && b.have.lacks(s.before(n, from), min(k+int(b.parity), s.before(n, to))).count() > 0:
			return true
		}
	}
	return false
}
