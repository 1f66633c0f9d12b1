package rate

import (
	"math"
	"time"
)

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
	first, silent := l.seen.IsZero(), now.Sub(l.before.at)
	if first || r.Received < l.before.received { // a viewer that was started again knows nothing of the last one
		l.joined, l.wasSwamped = now, false
	}
	l.seen, l.queue, l.rtt = now, max(r.Queueing, 0), min(max(r.RTT, 0), time.Second)
	// Another session of its, or an interruption of the way (not if that is how often it reports):
	// of what the way carries now the counts tell nothing.
	late := silent > apart && !l.gap
	if r.Nothing || now.Sub(l.joined) < starting {
		if l.overwhelmed(now, r, cfg, sent) || r.Nothing {
			l.base, l.before, l.begun, l.gap = m, m, m, false
			return 0, 0
		}
	}
	if first || r.Received < l.before.received || silent <= 0 || late {
		l.base, l.before, l.begun, l.gap = m, m, m, late
		return 0, 0
	}
	if silent < together {
		return 0, 0
	}
	l.gap = silent > apart
	if l.base.at.Before(l.turn.Add(l.rtt + settle)) {
		l.base = l.before // of what was sent since the turn nothing can have been counted by then
	}
	if m.at.Sub(l.base.at) > apart {
		l.base = l.before
	}
	arrived, loss, n := l.base.until(m, cfg.Packet)
	if r.Arrival > 0 && m.received-l.before.received >= enoughCount && sent(now.Add(-usedOver)) < spareShare*r.Arrival {
		l.queue = 0 // we do not fill the link: what waits there, or is lost, is not for our sake
	}
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

// overwhelmed judges a link of which little is known yet, and cuts the rate if it carries less than it is sent.
func (l *link) overwhelmed(now time.Time, r Report, cfg *Config, sent func(time.Time) float64) bool {
	before := l.before
	if r.Received < before.received {
		before = mark{}
	}
	_, loss, n := before.until(mark{now, r.Received, r.Missing}, cfg.Packet)
	arrived := min(r.Arrival, mostBelief)
	// What the viewer measured is the link's rate if enough came: a few datagrams may have been held up together.
	measured := arrived > 0 && (n >= enoughCount || arrived*enoughTime.Seconds() < n*float64(cfg.Packet)*8)
	settled, since := now.Sub(l.turn) >= l.rtt+settle+startSettle, now.Add(-time.Second)
	if l.wasSwamped {
		since = later(since, l.turn)
	}
	switch {
	case !measured || l.wasSwamped && !settled:
		return false
	case (r.Nothing || !l.wasSwamped) && arrived < startShare*sent(since):
	case r.Nothing && l.queue >= fullQueue:
	case r.Nothing && loss > lossAlone && now.Sub(l.joined) >= startPatience:
	default:
		return false
	}
	l.wasSwamped = true
	l.cut(now, arrived, sent)
	return true
}

// until is what came from a to b: bit/s, the share that was lost, and of how many datagrams.
func (a mark) until(b mark, packet int) (arrived, loss, n float64) {
	got, missing := float64(b.received-a.received), max(float64(b.missing)-float64(a.missing), 0)
	if n = got + missing; n > 0 {
		loss = missing / n
	}
	return min(got*float64(packet)*8/b.at.Sub(a.at).Seconds(), mostBelief), loss, n
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
