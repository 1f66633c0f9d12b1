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
	soonest    = time.Second           // between a cut and the next probe
	latest     = 30 * time.Second      // the same
	patience   = 8                     // share of the time for which the link has been slow
	usualFor   = 3 * time.Second       // in which the usual loss is learnt
	settle     = 60 * time.Millisecond // for a frame to be made and sent, beside the round trip
	together   = 30 * time.Millisecond // reports that come closer tell no rate
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
	phase  phase
	target float64   // bit/s
	knee   float64   // bit/s that arrived under congestion; 0 = not known
	good   float64   // bit/s that it was sent before it became slow; infinite if not known
	slow   time.Time // when it became
	cutAt  time.Time
	turn   time.Time // when target was changed
	wasCut bool      // by the last report

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

// mark is what a viewer had counted at a time.
type mark struct {
	at                time.Time
	received, missing uint64
}

// report takes one. sent is what was sent since a time, in bit/s; top is whether the stream
// needs no more than it has. It returns the datagrams of the last second or so, and how long that was.
func (l *link) report(now time.Time, r Report, cfg *Config, sent func(time.Time) float64, top bool) (packets float64, span time.Duration) {
	m := mark{now, r.Received, r.Missing}
	l.wasCut = false
	if l.seen.IsZero() || r.Received < l.before.received || !now.After(l.before.at) { // another session of its
		l.seen, l.base, l.before, l.begun = now, m, m, m
		return 0, 0
	}
	silent := now.Sub(l.before.at)
	l.seen, l.queue, l.rtt = now, max(r.Queueing, 0), min(max(r.RTT, 0), time.Second)
	if silent < together {
		return 0, 0
	}
	if l.base.at.Before(l.turn.Add(l.rtt + settle)) {
		l.base = l.before // of what was sent since the turn nothing can have been counted by then
	}
	if m.at.Sub(l.base.at) > 1500*time.Millisecond {
		l.base = l.before
	}
	arrived, loss, n := l.base.until(m, cfg.Packet)
	if l.congested(now, loss, n) {
		l.cut(now, arrived, sent)
		l.base = m
	} else {
		l.learn(loss, n, silent)
		l.raise(now, sent, top)
	}
	if d := now.Sub(l.begun.at); d >= stepAfter {
		packets, span = float64(m.received+m.missing)-float64(l.begun.received+l.begun.missing), d
		l.begun = m
	}
	l.before = m
	return max(packets, 0), span
}

// until is what came from a to b: bit/s, the share that was lost, and of how many datagrams.
func (a mark) until(b mark, packet int) (arrived, loss, n float64) {
	got, missing := float64(b.received-a.received), max(float64(b.missing)-float64(a.missing), 0)
	if n = got + missing; n > 0 {
		loss = missing / n
	}
	return got * float64(packet) * 8 / b.at.Sub(a.at).Seconds(), loss, n
}

func (l *link) congested(now time.Time, loss, n float64) bool {
	if l.queue >= fullQueue {
		return true
	}
	if n == 0 {
		return false
	}
	deviation := math.Sqrt(loss * (1 - loss) / n)
	// Most of what was counted was sent since the last change.
	settled := now.Sub(l.turn.Add(l.rtt+settle)) >= now.Sub(l.base.at)*7/10
	switch {
	case l.queue >= someQueue && n >= 30 && loss-2*deviation > l.usual+lossTail:
		return true
	case !settled:
		return false
	case loss-4*deviation > max(lossAlone, l.usual+lossMore):
		// A link's own loss stays when less is sent. Then it becomes the usual.
		l.learn(loss, n, now.Sub(l.before.at))
		return true
	}
	raised := (l.phase == probing || l.phase == rising) && now.Sub(l.turn) < 3*time.Second
	return raised && l.knows && n >= 200 && loss-3*deviation > l.usual+lossProbe
}

// learn follows the usual loss. The first second's is taken as it is.
func (l *link) learn(loss, n float64, over time.Duration) {
	if n < 30 {
		return
	}
	share := 1 - math.Exp(-over.Seconds()/usualFor.Seconds())
	if !l.knows {
		l.knows, share = true, 1
	}
	l.usual += share * (loss - l.usual)
}

// cut lowers the rate to what arrived; it never raises it, so while a queue stands that is
// as long as the link is busy, it says the same again.
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
	if l.phase != cutting {
		l.wasCut = true
	}
	l.phase, l.cutAt = cutting, now
	if arrived <= 0 { // nothing came, of what a lot was sent
		arrived = sent(now.Add(-time.Second)) / 2
	}
	if lower := max(factor*arrived, least); lower < l.target {
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
