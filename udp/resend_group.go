package udp

import (
	"net/netip"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// maxAskers bounds the members of a group that may ask at a time, as maxReporters those that
	// may report. Another is heard when one of them has not asked for reportLife.
	maxAskers = maxReporters
	// recentlySent is how many fragments sent again are remembered.
	recentlySent = 1024
	// unknownRTT is taken for the round trip to a member that has not reported any.
	unknownRTT = 10 * time.Millisecond
	// leastRepeat and mostRepeat bound the time for which a fragment is not sent to a group
	// again. Members on one network ask within a millisecond of each other, however short the
	// round trip; and after 50 ms most frames are over.
	leastRepeat, mostRepeat = time.Millisecond, 50 * time.Millisecond
)

// audible is what is kept of a group whose members ask. A fragment that several miss is
// sent once, and who asks for everything has at most half of what all may have.
type audible struct {
	recent  [recentlySent]sentAgain // by a hash of what was sent; another takes the place
	members map[netip.AddrPort]*member
}

type sentAgain struct {
	at    time.Time
	frame uint32
	piece fragment.Piece
}

// member is one that asks.
type member struct {
	heard  time.Time
	window int     // of the purse
	bytes  float64 // sent for it in that window
	before float64 // and in the one before
}

// member is who asks from an address, nil if there are too many of them.
func (g *audible) member(from netip.AddrPort, now time.Time) *member {
	m := g.members[from]
	if m == nil {
		if len(g.members) >= maxAskers {
			for a, m := range g.members {
				if now.Sub(m.heard) > reportLife {
					delete(g.members, a)
				}
			}
		}
		if len(g.members) >= maxAskers {
			return nil
		}
		if g.members == nil {
			g.members = make(map[netip.AddrPort]*member)
		}
		m = &member{}
		g.members[from] = m
	}
	m.heard = now
	return m
}

// may reports whether so many bytes more leave half of a purse's recent income to the others.
func (m *member) may(bytes int, p *purse) bool {
	switch p.window - m.window {
	case 0:
	case 1:
		m.before, m.bytes = m.bytes, 0
	default:
		m.before, m.bytes = 0, 0
	}
	m.window = p.window
	return m.before+m.bytes+float64(bytes) <= p.most()/2
}

// repeatWindow is for how long after a fragment was sent again a request for it by somebody
// with that round trip, 0 if not known, was made without knowing of that: exactly the round
// trip. Who asks later has not received it, and gets it once more.
func repeatWindow(rtt time.Duration) time.Duration {
	if rtt == 0 {
		return unknownRTT
	}
	return min(max(rtt, leastRepeat), mostRepeat)
}

func (g *audible) place(frame uint32, p fragment.Piece) *sentAgain {
	n := frame*2654435761 + uint32(p.Block)*40503 + uint32(p.Index) // neighbours do not meet
	return &g.recent[n%recentlySent]
}

// sent notes that a fragment was sent again.
func (g *audible) sent(frame uint32, p fragment.Piece, now time.Time) {
	*g.place(frame, p) = sentAgain{now, frame, p}
}

// sentWithin reports whether that was so within a time before now.
func (g *audible) sentWithin(window time.Duration, frame uint32, p fragment.Piece, now time.Time) bool {
	s := g.place(frame, p)
	return s.frame == frame && s.piece == p && now.Sub(s.at) < window
}

// rtt is the round trip that a viewer has reported last, 0 if none.
func (v *viewers) rtt(session uint64, from netip.AddrPort) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a := v.to[session]; a != nil {
		for i := range a.rows {
			if a.rows[i].from == from {
				return time.Duration(a.rows[i].report.RTT) * time.Microsecond
			}
		}
	}
	return 0
}
