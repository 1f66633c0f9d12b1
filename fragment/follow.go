package fragment

import (
	"hash/maphash"
	"net/netip"
	"time"

	"github.com/framegram/framegram/stream"
)

const (
	// maxCandidates is how many senders that are not followed (yet) may assemble a
	// frame, one each.
	maxCandidates = 2
	// candidateIdle is how long a candidate keeps its place without another fragment,
	// and proved how long one does that has had two or more: a slow sender's next frame
	// may be a second away.
	candidateIdle   = 200 * time.Millisecond
	candidateProved = 2 * time.Second
	// candidateTerm is how long a candidate that completes nothing is safe from being
	// displaced: two senders of rubbish must not keep the third out for ever.
	candidateTerm = time.Second
)

// source is who sends: a session counts only together with its address.
type source struct {
	addr    netip.AddrPort
	session uint64
}

// pick returns the track that h's datagram belongs to, or nil for a stranger's.
func (r *Reassembler) pick(now time.Time, src source, h *Header) *track {
	if t := r.followed; t != nil {
		live := now.Sub(t.last) < r.cfg.Silence
		switch {
		case t.from == src && (live || t.plausible(h)):
			return t
		case live:
			return nil
		}
	}
	var free, weak **track
	for i := range r.candidates {
		p := &r.candidates[i]
		switch c := *p; {
		case c == nil || c.idle(now):
			free = p
		case c.from == src && c.plausible(h):
			return c
		case c.from == src: // begins anew
			return r.enter(now, src, p)
		case c.used <= 1 || now.Sub(c.began) > candidateTerm:
			weak = p
		}
	}
	switch {
	case free != nil:
		return r.enter(now, src, free)
	case weak != nil && r.suspect(src):
		return r.enter(now, src, weak)
	}
	return nil
}

// enter makes src a candidate, in the place of who had it, and in its memory: noise
// does this all the time.
func (r *Reassembler) enter(now time.Time, src source, place **track) *track {
	if *place == nil {
		*place = &track{slots: make([]slot, 1)}
	}
	c := *place
	c.retireAll(&r.c.Incomplete.Abandoned, everyFrame)
	*c = track{from: src, slots: c.slots, began: now, last: now, patience: leastPatience, margin: askMargin}
	return c
}

// idle reports whether t, a candidate, has lost its place.
func (t *track) idle(now time.Time) bool {
	if t.used > 1 {
		return now.Sub(t.last) > candidateProved
	}
	return now.Sub(t.last) > candidateIdle
}

// plausible reports whether h goes on where this track, a candidate or one that was
// silent for Config.Silence, stopped. When it does not, the sender's numbering, or
// ours by one damaged datagram, has gone wrong: what was merely reordered is not that
// late.
func (t *track) plausible(h *Header) bool {
	switch t.seq.check(h.Sequence) {
	case again:
		return true // nothing but a copy
	case fresh:
		return !t.any || stream.Newer(h.Frame, t.newest)
	}
	return false
}

// suspect reports whether src was seen before, and remembers it, in a table that
// noise with ever new sessions overwrites at random. A real sender's datagrams come
// in bursts and meet their own mark; noise does not.
func (r *Reassembler) suspect(src source) bool {
	mark := maphash.Comparable(r.seed, src)
	p := &r.suspects[mark%uint64(len(r.suspects))]
	seen := *p == mark
	*p = mark
	return seen
}

// follow makes t, which has just completed a frame, the sender that is shown.
func (r *Reassembler) follow(t *track) {
	if old := r.followed; old != nil {
		old.retireAll(&r.c.Incomplete.Abandoned, everyFrame)
		r.addSequences(&r.c, &old.seq)
		r.c.Takeovers++
	}
	for i, c := range r.candidates {
		if c != t {
			c.retireAll(&r.c.Incomplete.Abandoned, everyFrame)
		}
		r.candidates[i] = nil
	}
	t.slots = append(t.slots, make([]slot, r.cfg.Frames-len(t.slots))...)
	r.followed = t
}
