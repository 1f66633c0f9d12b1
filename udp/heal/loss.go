package heal

import (
	"math"
	"time"
)

const (
	// shortMemory and longMemory are the time constants of the two estimates. Reports come once
	// a second; at 1 % and 1500 datagrams a second the short one errs by a fifth.
	shortMemory = 2 * time.Second
	longMemory  = 15 * time.Second
	// congested is how much queueing makes a loss the queue's: more datagrams would make it worse.
	congested = 20 * time.Millisecond
	// boostMost is how many times the loss is taken for what it is where it comes in bursts.
	boostMost = 8
	// boostedMost is the loss that one is taken for at most for the sake of bursts: more parity would take more from the
	// pictures than it saves.
	boostedMost = 0.2
	boostStep   = 2
	// young is for how long the longer estimate does not count: what is lost until the rate fits the path is soon of the past.
	young = 5 * time.Second
	// boostMemory is the time constant with which that is forgotten, and boostAfter how long a loss must have been known
	// for it to begin.
	boostMemory = time.Minute
	boostAfter  = 3 * time.Second
	// history is how many datagrams a viewer's first report counts for at most, about a second's: it tells
	// of all since the viewer came, which may be hours, and what comes next must show at once.
	history = 1000
	// tolerated is the share of frames that a viewer may lose before that.
	tolerated = 0.002
)

// Report is what a viewer tells of one session since its first datagram, and what its sender knows of it. All but
// Missing only grow, until the viewer starts anew.
type Report struct {
	Received    uint64        // datagrams, copies not counted
	Missing     uint64        // sequence numbers that have not come; fewer again when what was overtaken comes after all
	KernelDrops uint64        // of which its own socket had no room for: at least so many
	Shown       uint64        // frames
	Lost        uint64        // frames that did not become complete
	Unsent      uint64        // by the sender: numbers that it has used up for nothing, so that they are, or soon will be, in Missing
	LeftOut     uint64        // by the sender: frames that it has left out, which the viewer takes for lost
	Queueing    time.Duration // one-way delay above the least of the last seconds
	RTT         time.Duration // 0 = not known
	Nothing     bool          // no frame has become complete there yet
}

// Loss estimates what the network loses on the way to one viewer. The zero value has heard
// nothing.
type Loss struct {
	last        Report
	at          time.Time
	first       time.Time // of the first report that says that a frame is complete
	short, long decayed
	boost       float64   // 1..boostMost; 0 before the first loss
	began       time.Time // when there came to be a loss; zero while there is none
	unsent      float64   // of what the sender has not sent, what has not been missing yet
	rtt         time.Duration
}

// decayed are two sums that forget.
type decayed struct{ lost, all float64 }

func (d *decayed) add(after, memory time.Duration, lost, all float64) {
	keep := math.Exp(-after.Seconds() / memory.Seconds())
	d.lost, d.all = d.lost*keep+lost, d.all*keep+all
}

func (d *decayed) share() float64 {
	if d.all == 0 || d.lost < 0 { // what was missing has come
		return 0
	}
	return d.lost / d.all
}

// Report takes a report that came at now.
func (l *Loss) Report(now time.Time, r Report) {
	before, after := l.last, now.Sub(l.at)
	first := l.at.IsZero()
	anew := first || r.Received < before.Received || r.Received+r.Missing < before.Received+before.Missing || r.KernelDrops < before.KernelDrops ||
		r.Shown < before.Shown || r.Lost < before.Lost
	l.last, l.at, l.rtt = r, now, r.RTT
	if anew {
		before, after, l.unsent = Report{Unsent: r.Unsent, LeftOut: r.LeftOut}, 0, 0 // all that it tells is new
		if !first {
			l.short, l.long = decayed{}, decayed{}
		}
	}
	drops := r.KernelDrops - before.KernelDrops
	lost := float64(r.Missing) - float64(before.Missing)
	all := max(float64(r.Received-before.Received)+lost, 0)
	l.unsent += float64(r.Unsent - before.Unsent)
	own := min(max(lost, 0), l.unsent)
	l.unsent -= own
	own += min(max(lost-own, 0), float64(drops))
	lost, all = lost-own, all-own
	if anew && all > history {
		lost, all = lost*history/all, history
	}
	if r.Queueing >= congested { // the rate has to fall, and parity must not grow meanwhile
		lost = min(lost, all*l.long.share())
	}
	if anew {
		l.first = time.Time{}
	}
	if l.first.IsZero() && !r.Nothing {
		l.first = now
	}
	if r.Nothing || before.Nothing { // the rate is found while nothing is complete: what was lost at another one says little
		l.short, l.long = decayed{}, decayed{}
	}
	l.short.add(after, shortMemory, lost, all)
	l.long.add(after, longMemory, lost, all)
	here := lost > 0 && r.Queueing < congested && drops == 0 && r.LeftOut == before.LeftOut
	l.push(now, after, float64(r.Lost-before.Lost), float64(r.Shown-before.Shown), here)
}

// push moves the boost: up while frames are lost that parity should have saved, as it has had the time to
// do, here on the way and not at one of its ends; and down slowly.
func (l *Loss) push(now time.Time, after time.Duration, lost, shown float64, here bool) {
	l.boost = max(1+(l.boost-1)*math.Exp(-after.Seconds()/boostMemory.Seconds()), 1)
	switch known := !l.began.IsZero(); {
	case max(l.short.share(), l.long.share()) < clean:
		l.began = time.Time{}
	case !known:
		l.began = now
	case now.Sub(l.began) > boostAfter && here && lost > tolerated*(lost+shown):
		l.boost = min(l.boost*boostStep, boostMost)
	}
}

// Share is the estimate at now: the share of datagrams that are lost, 0..1, and whether it is
// from a report that is young enough to count.
func (l *Loss) Share(now time.Time) (share float64, fresh bool) {
	if l.at.IsZero() || now.Sub(l.at) > reportLife {
		return 0, false
	}
	share = l.short.share()
	if !l.first.IsZero() && l.at.Sub(l.first) >= young {
		share = max(share, l.long.share())
	}
	return min(share*max(l.boost, 1), max(share, boostedMost)), true
}

// reportLife is how long a report is news.
const reportLife = 5 * time.Second

// RTT is the round trip to the viewer, 0 if it is not known.
func (l *Loss) RTT() time.Duration { return l.rtt }
