package fragment

import (
	"math/bits"
	"net/netip"
	"time"
)

const (
	// maxRounds is how often the same is asked for, and maxAsks how often anything of a frame is.
	maxRounds, maxAsks = 4, 32
	// assumedRTT is taken for the round trip as long as it is not known.
	assumedRTT = 10 * time.Millisecond
	// askMargin is what is allowed for the answer beside the round trip: the sender's work, and the
	// timers of both sides, which wake up to a millisecond late.
	askMargin = 2 * time.Millisecond
	// leastLimit is how long after its first datagram a frame is repaired at least.
	leastLimit = 20 * time.Millisecond
	// surrender is for how long all that is missing must have been lost for certain before its frame
	// is given up: what is reordered by more than ever before comes after all.
	surrender = 5 * time.Millisecond
)

// Path is what a Reassembler must know of the way to the sender to ask for repairs.
type Path struct {
	Ask   bool          // somebody will send again what is asked for
	RTT   time.Duration // round trip; 0 = not known
	Limit time.Duration // from a frame's first datagram until no answer is of use; 0 = the time between two frames, 20 ms at least
}

// Ask gives up frames that can no longer be completed, and fills to with what is to be asked now, but for
// Common. whom is the sender to be asked, not valid if there is nothing; if there is, Ask is to be called again at
// once. What it has said is taken for sent. next is when to call it again, zero when a datagram comes.
// As long as nobody is followed, candidates are asked.
//
// A fragment is asked for once it is lost for certain: when fragments behind it have come and the
// patience with reordering is over, or the frame has come to its end; and only as far as the block's
// parity cannot stand in for it. It is asked for again when the answer is overdue. Nothing is
// asked for whose answer cannot come before the limit.
func (r *Reassembler) Ask(now time.Time, p Path, to *Repair) (whom netip.AddrPort, next time.Time) {
	if r.followed != nil {
		return r.ask(now, r.followed, p, to)
	}
	for _, t := range r.candidates { // of large frames none might come whole by itself
		if t == nil {
			continue
		}
		whom, due := r.ask(now, t, p, to)
		if whom.IsValid() {
			return whom, due
		}
		if next.IsZero() || !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return whom, next
}

func (r *Reassembler) ask(now time.Time, t *track, p Path, to *Repair) (whom netip.AddrPort, next time.Time) {
	if p.RTT == 0 {
		p.RTT = assumedRTT
	}
	if p.Limit == 0 {
		p.Limit = max(t.interval, leastLimit)
	}
	to.Of, to.Missing = t.from.session, to.Missing[:0]
	for i := range t.slots {
		s := &t.slots[i]
		if !s.open {
			continue
		}
		due := t.ask(now, s, p, to)
		if len(to.Missing) > 0 {
			to.Frame = s.id
			r.c.Asked.Requests++
			for i := range to.Missing {
				r.c.Asked.Fragments += uint64(max(to.Missing[i].count(), 1))
			}
			return t.from.addr, now
		}
		if due.IsZero() { // there is no hope
			t.retire(s, &r.c.Incomplete.Hopeless)
			continue
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return whom, next
}

// ask fills to with what is to be asked of s. It returns when to look again: zero if the frame can no
// longer be completed.
func (t *track) ask(now time.Time, s *slot, p Path, to *Repair) time.Time {
	end := t.ended(s)
	over := !now.Before(end)
	s.progress.settle(now, t.patience)
	lost := s.progress.settled
	if over {
		lost = all
	}
	answer := p.RTT + askMargin
	if s.asking && !now.Before(s.asked.Add(answer)) {
		s.forgetAsked() // it is overdue
	}
	inTime := p.Ask && s.asks < maxAsks && (s.asking || s.rounds < maxRounds) && !now.Add(answer).After(s.began.Add(p.Limit))
	beyond := false // more is lost than parity and what is under way can mend
	for i := 0; i < max(s.count, len(s.blocks)); i++ {
		short, waiting := s.missing(i, lost, inTime, to)
		beyond = beyond || short > waiting
	}
	if len(to.Missing) > 0 {
		if !s.asking {
			s.asking = true
			s.rounds++
		}
		s.asks++
		s.asked = now
		return now
	}
	awaits := s.awaits()
	if beyond && over && !inTime && !awaits && !now.Before(end.Add(surrender)) {
		return time.Time{}
	}
	next := end.Add(surrender)
	if !over {
		next = end
		if gap := s.progress.marked.Add(t.patience); gap.After(now) && gap.Before(next) {
			next = gap
		}
	}
	if overdue := s.asked.Add(answer); awaits && overdue.Before(next) || !next.After(now) {
		next = overdue
	}
	if least := now.Add(leastPatience); next.Before(least) {
		return least
	}
	return next
}

// missing adds to to what is to be asked of block n, where everything up to the place lost is lost that
// has not come. short is how many fragments it lacks that nobody will send, waiting how many of these
// have been asked for.
func (s *slot) missing(n, lost int, ask bool, to *Repair) (short, waiting int) {
	if n >= len(s.blocks) || s.blocks[n].length == 0 { // nothing of it has come
		switch {
		case s.place(n, 0) >= lost:
			return 0, 0
		case s.askedWhole.has(uint8(n)):
			return 1, 1
		case ask && len(to.Missing) < maxMissing:
			s.askedWhole.set(uint8(n))
			to.Missing = append(to.Missing, Missing{Block: uint8(n)})
		}
		return 1, 0
	}
	b := &s.blocks[n]
	k := (b.length + s.shard - 1) / s.shard
	if b.got >= k { // complete
		return 0, 0
	}
	coming := 0 // or there: parity, and data that is not lost for certain
	for i := k; i < k+int(b.parity); i++ {
		if b.have.has(uint8(i)) || s.place(n, i) >= lost {
			coming++
		}
	}
	for i := range k {
		if !b.have.has(uint8(i)) && s.place(n, i) < lost {
			short++
			if b.asked.has(uint8(i)) {
				waiting++
			}
		}
	}
	short -= coming
	if !ask || short <= waiting || len(to.Missing) >= maxMissing {
		return short, waiting
	}
	m := Missing{Block: uint8(n)}
	for i := 0; i < k && waiting < short; i++ {
		if !b.have.has(uint8(i)) && s.place(n, i) < lost && b.asked.set(uint8(i)) {
			m.Bits[i/8] |= 1 << (i % 8)
			waiting++
		}
	}
	to.Missing = append(to.Missing, m)
	return short, waiting
}

// awaits reports whether something that was asked for has not come, nor is overdue.
func (s *slot) awaits() bool {
	for i := range s.blocks {
		b := &s.blocks[i]
		for j := range b.asked {
			if b.length > 0 && b.asked[j]&^b.have[j] != 0 {
				return true
			}
		}
	}
	return s.askedWhole != bitmap{}
}

// forgetAsked has everything asked for anew.
func (s *slot) forgetAsked() {
	s.asking, s.askedWhole = false, bitmap{}
	for i := range s.blocks {
		s.blocks[i].asked = bitmap{}
	}
}

// count is how many fragments m names.
func (m *Missing) count() (n int) {
	for _, b := range m.Bits {
		n += bits.OnesCount8(b)
	}
	return n
}
