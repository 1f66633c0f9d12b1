package tcp

import (
	"net"
	"time"
)

const (
	// unsentMark is TCP_NOTSENT_LOWAT in bytes: a write returns when all but about so
	// much has left this machine.
	unsentMark = 32 << 10
	// littleQueued in bytes may always be unacknowledged when the next frame begins: 50
	// ms at 5 Mbit/s, so that the connection never runs dry while we look away.
	littleQueued = 32 << 10
	// queueTime is what may be unacknowledged beyond what one round trip takes, as the
	// time in which the path delivers it.
	queueTime = 20 * time.Millisecond
	// lookAgain is how often a connection that is too full is looked at.
	lookAgain = 5 * time.Millisecond
	// hardly in bytes, or what the path delivers in hardlyTime, may be unacknowledged when
	// a ping is answered. (Nothing at all would mean to wait for delayed
	// acknowledgements, 40 ms.)
	hardly     = 1000
	hardlyTime = time.Millisecond
	// pongWithin is how long a ping waits for that at most, and frames with it;
	// lookForPong how often is looked.
	pongWithin  = 250 * time.Millisecond
	lookForPong = time.Millisecond
	// pathEvery is how often TCP_INFO is read, at most.
	pathEvery = 100 * time.Millisecond
)

// pathInfo is how fast a connection's path is.
type pathInfo struct {
	rate        uint64 // bytes per second that the peer has acknowledged lately; 0 = not known
	minRTT, rtt uint32 // µs
}

// enough is how many bytes may be unacknowledged when the next frame begins.
func (i pathInfo) enough() int {
	window := time.Duration(min(i.minRTT, 10e6))*time.Microsecond + queueTime
	return max(littleQueued, int(min(float64(i.rate)*window.Seconds(), 1<<30)))
}

// pressure decides when a connection has room for a frame. The kernel would take several
// frames (its send buffer grows to megabytes), and a congestion control that fills the
// queues of the path, as cubic does, has them there; in either place they grow old. So a
// frame waits here, where a newer one can take its place, until what was sent before has
// arrived but for what keeps the path busy. How much that is is measured, not configured.
type pressure struct {
	gauge  *gauge
	sent   func() uint64 // bytes written to the connection
	path   pathInfo
	pathAt time.Time
	acked  uint64    // bytes that have arrived, when last seen
	moved  time.Time // when there were more of them
}

func newPressure(c *net.TCPConn, sent func() uint64) (*pressure, error) {
	g, err := newGauge(c)
	if err != nil {
		return nil, err
	}
	return &pressure{gauge: g, sent: sent, moved: time.Now()}, nil
}

// room reports whether a frame may begin. The error is errStalled when nothing has
// arrived for too long.
func (p *pressure) room(now time.Time) (bool, error) {
	queued, err := p.gauge.queued()
	if err != nil { // nobody can tell: the send buffer's size must do
		return true, nil
	}
	if acked := p.sent() - uint64(queued); acked > p.acked {
		p.acked, p.moved = acked, now
	}
	if queued <= littleQueued || queued <= p.look(now).enough() {
		p.moved = now // what is written next has its own time
		return true, nil
	}
	if now.Sub(p.moved) > stall {
		return false, errStalled
	}
	return false, nil
}

// empty reports whether hardly anything waits in the connection, as far as can be told.
func (p *pressure) empty(now time.Time) bool {
	queued, err := p.gauge.queued()
	return err != nil || queued <= hardly || float64(queued) <= float64(p.look(now).rate)*hardlyTime.Seconds()
}

// look is the path as it was measured not long ago.
func (p *pressure) look(now time.Time) pathInfo {
	if now.Sub(p.pathAt) >= pathEvery {
		p.pathAt = now
		if path, err := p.gauge.pathInfo(); err == nil {
			p.path = path
		}
	}
	return p.path
}
