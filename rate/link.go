package rate

import (
	"math"
	"time"
)

// The law, as the package comment states it.
const (
	fullQueue = 25 * time.Millisecond // stands for congestion by itself
	someQueue = 5 * time.Millisecond  // does with loss
	noQueue   = 10 * time.Millisecond // has drained

	lossTail  = 0.02 // over the usual, with someQueue
	lossProbe = 0.03 // over the usual, after a raise
	lossAlone = 0.12 // whatever the queue
	lossMore  = 0.05 // over the usual, if that is high

	cut, cutProbe = 0.85, 0.9 // of what arrived
	rest, probe   = 0.95, 1.2
	carried       = 1.03 // of the knee: what a probe must have sent to tell anything
	onward        = 1.12 // for a probe that has not: settings have steps

	restAfter  = 500 * time.Millisecond
	restFrom   = 2500 * time.Millisecond // a probe that comes sooner is the first step up
	stepAfter  = 900 * time.Millisecond  // reports come once a second
	startAfter = 100 * time.Millisecond  // the same at the start, if reports come sooner
	probeAfter = 800 * time.Millisecond
	freeAfter  = 10 * time.Second
	soonest    = time.Second             // between a cut and the next probe
	latest     = 30 * time.Second        // the same
	patience   = 8                       // share of the time for which the link has been slow
	usualFor   = 3 * time.Second         // in which the usual loss is learnt
	settle     = 60 * time.Millisecond   // for a frame to be made and sent, beside the round trip
	together   = 30 * time.Millisecond   // reports that come closer tell no rate
	apart      = 1500 * time.Millisecond // nor does what came in the time between two that are further apart
	mostBelief = 1e12                    // bit/s; nobody is believed that more arrived

	// Of links of which little is known yet.
	starting      = 2 * time.Second        // after the first report, and while nothing has come whole
	startShare    = 0.75                   // of what is sent, less than which cannot be the pace of our own frames
	startSettle   = 60 * time.Millisecond  // between two cuts, beside settle and the round trip
	startPatience = 200 * time.Millisecond // that parity has to mend what is lost
	enoughCount   = 20                     // datagrams that tell a rate
	enoughTime    = 40 * time.Millisecond  // in which fewer do

	// The datagrams of a frame come one behind the other as fast as the link carries them: sent a smaller share than
	// this, over that time, it has no queue of ours.
	spareShare = 0.7
	usedOver   = 500 * time.Millisecond

	inVain = 0.9                    // of what was sent, which arrives where a queue stands that is not ours
	vainly = 700 * time.Millisecond // in which that must have been so
)

type phase uint8

const (
	rising  phase = iota // no limit in sight: the rate grows
	cutting              // congested, until the queue has drained
	resting              // a little under the knee
	probing              // a little over it
	free                 // no limit
)

// link is what one viewer's reports say of the way to it.
type link struct {
	group  bool
	seen   time.Time // last report
	joined time.Time // first report
	phase  phase
	target float64   // bit/s
	knee   float64   // bit/s that arrived under congestion; 0 = not known
	good   float64   // bit/s that it was sent before it became slow; infinite if not known
	slow   time.Time // when it became
	cutAt  time.Time
	turn   time.Time // when target was changed
	wasCut bool      // by the last report
	floor  float64   // bit/s that this congestion cuts to at most, since cutting was of no use; 0 = not known
	gap    bool      // the last report came late

	wasSwamped bool // it was cut at the start

	usual  float64 // loss without congestion
	knows  bool
	queue  time.Duration
	base   mark // of what is counted since the last turn
	before mark // the last report
	begun  mark // of a second or more, for the overhead
	rtt    time.Duration

	every int // of so many frames it gets one
	calm  time.Time
}

// cut lowers the rate to what arrived; it never raises it, so while a queue stands that is
// as long as the link is busy, it says the same again. Where all that was sent arrives and the
// queue stands all the same, it is another stream's, or a step of a clock: that costs half at most.
func (l *link) cut(now time.Time, arrived float64, sent func(time.Time) float64) {
	factor := cut
	switch l.phase {
	case probing:
		factor = cutProbe
	case free, rising:
		if l.phase == rising && l.knee > 0 && arrived < 1.3*l.knee {
			break // a probe that was believed too soon: it is as slow as it was
		}
		l.good, l.slow = max(sent(now.Add(-1500*time.Millisecond)), arrived), now
	}
	switch most := sent(l.base.at); {
	case l.phase != cutting:
		l.wasCut, l.floor = true, 0
	case arrived < inVain*most:
		l.floor = 0
	case l.floor == 0 && now.Sub(l.base.at) >= vainly:
		l.floor = l.target / 2
	}
	l.phase, l.cutAt = cutting, now
	if arrived <= 0 { // nothing came, of what a lot was sent
		arrived = sent(now.Add(-time.Second)) / 2
	}
	if lower := max(factor*arrived, l.floor, least); lower < l.target {
		l.target, l.turn, l.knee = lower, now, arrived
	} else if l.knee == 0 {
		l.knee = l.target
	}
}

// raise lets the rate grow, a step a second.
func (l *link) raise(now time.Time, sent func(time.Time) float64, top bool) {
	since := now.Sub(l.turn)
	switch l.phase {
	case cutting:
		if l.queue < noQueue && now.Sub(l.cutAt) >= restAfter {
			l.phase = resting
			if l.wait(now) > restFrom {
				l.to(max(l.target, rest*l.knee), now)
			}
		}
	case resting:
		if now.Sub(l.cutAt) >= l.wait(now) {
			l.phase = probing
			l.to(max(l.target, probe*l.knee), now)
		}
	case probing:
		if since < probeAfter {
			break
		}
		switch had := sent(later(l.turn.Add(settle), now.Add(-700*time.Millisecond))); {
		case had >= carried*l.knee:
			l.phase = rising
			l.grow(now)
		case !top:
			l.to(min(l.target*onward, 2*l.knee), now)
		}
	case rising:
		switch {
		case since < stepAfter && !(math.IsInf(l.good, 1) && since >= startAfter):
		case top && since >= freeAfter:
			l.phase, l.target, l.turn = free, math.Inf(1), now
		case sent(l.turn.Add(settle)) >= 0.6*l.target:
			l.grow(now)
		}
	}
}

// wait is how long after a cut the link is probed.
func (l *link) wait(now time.Time) time.Duration {
	return min(max(now.Sub(l.slow)/patience, soonest), latest)
}

func (l *link) to(target float64, now time.Time) { l.target, l.turn = target, now }

// grow doubles up to what there was, with room for the next step, and goes on more slowly.
func (l *link) grow(now time.Time) {
	switch goal := 1.25 * l.good; {
	case math.IsInf(goal, 1):
		l.to(4*l.target, now)
	case l.target < goal:
		l.to(min(2*l.target, goal), now)
	default:
		l.to(1.25*l.target, now)
	}
}

// share finds how many of the frames the link carries. More at once, fewer when it has been
// so for two seconds.
func (l *link) share(now time.Time, encode float64) {
	n := min(max(int(math.Ceil(0.95*encode/l.target)), 1), 10)
	switch {
	case l.group:
		l.every = 1
	case n >= l.every:
		l.every, l.calm = n, now
	case now.Sub(l.calm) >= 2*time.Second:
		l.every, l.calm = l.every-1, now
	}
}
