package fragment

import (
	"net/netip"
	"time"
)

// Progress is what has come of one session since its first datagram.
type Progress struct {
	From      netip.AddrPort
	Session   uint64
	Complete  uint64 // frames that became complete
	GivenUp   uint64 // frames given up before the first complete one
	Frame     uint32 // newest complete frame; while there is none, the newest of which a fragment came
	Highest   uint64 // sequence number received
	Received  uint64 // datagrams, copies not counted
	Missing   uint64 // sequence numbers up to Highest that have not come
	Reordered uint64 // datagrams that came after one with a higher number
	Arrivals  Arrivals
	Head      Opened
	Bytes     uint64 // UDP payload that came from a candidate, copies and dropped datagrams included; else 0
}

// Opened is the newest frame of which a fragment came, complete or not: when, and when it was captured, in µs by
// the sender's clock. By it the delay on the way is known also while no frame becomes complete.
type Opened struct {
	Frame    uint32
	At       time.Time
	Captured int64
}

// Arrivals tell how fast the datagrams of a session came, one behind the other within the same frame: how many,
// after the first of each frame, and in which time. Where a queue stands before the slowest link of the path, that
// is the link's own rate. Repairs do not count, nor datagrams that were read at the same moment as the first of
// their frame.
type Arrivals struct {
	Bytes uint64 // of UDP payload
	Count uint64 // datagrams
	Time  time.Duration
}

// Rate is what came from the time of an earlier value of the same session to a, in bit/s of IP packets with
// overhead bytes of headers each. It is 0 if nothing can be said.
func (a Arrivals) Rate(since Arrivals, overhead int) float64 {
	if a.Time <= since.Time || a.Count <= since.Count {
		return 0
	}
	bytes := a.Bytes - since.Bytes + (a.Count-since.Count)*uint64(overhead)
	return float64(bytes) * 8 / (a.Time - since.Time).Seconds()
}

// arrivals are those of the frame in s.
func (s *slot) arrivals() Arrivals {
	p := &s.progress
	if p.leading == 0 {
		return Arrivals{}
	}
	n := uint64(p.count - p.leading)
	return Arrivals{Bytes: n * uint64(HeaderLen+s.shard), Count: n, Time: p.latest.Sub(p.first)}
}

func (a *Arrivals) add(b Arrivals) {
	a.Bytes, a.Count, a.Time = a.Bytes+b.Bytes, a.Count+b.Count, a.Time+b.Time
}

// progress is what has come of t.
func (t *track) progress() Progress {
	p := Progress{
		From: t.from.addr, Session: t.from.session, Complete: t.completed, GivenUp: t.givenUp, Frame: t.newest,
		Highest: t.seq.highest, Received: t.seq.received, Missing: t.seq.lost(), Reordered: t.seq.reorder,
		Arrivals: t.arrivals, Head: t.head,
	}
	for i := range t.slots {
		if s := &t.slots[i]; s.open {
			p.Arrivals.add(s.arrivals())
		}
	}
	return p
}

// Progress is that of the session that is followed; false as long as nobody is.
func (r *Reassembler) Progress() (Progress, bool) {
	if r.followed == nil {
		return Progress{}, false
	}
	return r.followed.progress(), true
}

// Head is the newest frame opened of the session that is followed; false as long as nobody is.
func (r *Reassembler) Head() (Opened, bool) {
	if r.followed == nil {
		return Opened{}, false
	}
	return r.followed.head, true
}

// overdueAfter is how many intervals between frames a frame may take to come before that says something: the
// sender's machine, or ours, may have stood still for one.
const overdueAfter = 2

// stillComing is how long after its last fragment a frame is still taken to be coming.
const stillComing = 50 * time.Millisecond

// Overdue is how much longer than two intervals between frames the newest frame of the followed session has been
// arriving: the frames behind it stand in a queue for so long at least. It is 0 when that frame is complete, or when
// nothing of it arrives any more.
func (r *Reassembler) Overdue(now time.Time) time.Duration {
	t := r.followed
	if t == nil || t.interval == 0 {
		return 0
	}
	for i := range t.slots {
		s := &t.slots[i]
		if s.open && s.id == t.head.Frame && now.Sub(s.progress.latest) < stillComing {
			return max(s.progress.latest.Sub(s.began)-overdueAfter*t.interval, 0)
		}
	}
	return 0
}

// MaxCandidates is how many Candidates there are at most.
const MaxCandidates = maxCandidates

// Candidates appends to b the progress of the sources that may be followed as soon as they complete a frame: those
// with at least two matching fragments, the last of them recent. There are none while the followed source sends.
func (r *Reassembler) Candidates(now time.Time, b []Progress) []Progress {
	if t := r.followed; t != nil && now.Sub(t.last) < r.cfg.Silence {
		return b
	}
	for _, t := range r.candidates {
		if t == nil || t.used < 2 || t.idle(now) {
			continue
		}
		p := t.progress()
		p.Frame, p.Bytes = t.head.Frame, t.bytes
		b = append(b, p)
	}
	return b
}
