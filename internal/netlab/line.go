package netlab

import "time"

// line is the arithmetic of one direction: when which packet leaves. Times count from
// any fixed moment.
type line struct {
	free time.Duration // when the last packet that was accepted has left the line
	last time.Duration // when the packet before is released; none is earlier

	first time.Duration // when the link carried its first packet
}

// enter puts size bytes on the line at now and returns when the last of them has left
// it, and how many bytes are then queued: those not yet sent, of all packets. There is
// no room for the packet when they would be more than the queue holds.
func (l *line) enter(p *Params, now time.Duration, size int) (sent time.Duration, queued int, room bool) {
	if p.Rate == 0 {
		l.free = now
		return now, 0, true
	}
	queued = size
	if l.free > now {
		queued += l.between(p, now, l.free)
	}
	if queued > p.queue() {
		return 0, queued, false
	}
	l.free = l.finish(p, max(l.free, now), size)
	return l.free, queued, true
}

// delay returns when a packet sent at that time is released, in the order in which they
// are sent. Packets that are closer together than the jitter wait for one another, so
// they arrive in clumps and the mean delay rises.
func (l *line) delay(p *Params, sent time.Duration, jitter float64) time.Duration {
	l.last = max(l.last, sent+p.Delay+time.Duration(jitter*float64(p.Jitter)))
	return l.last
}
