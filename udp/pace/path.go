package pace

import "time"

const (
	// unknownShare is the share of the time between two frames over which a frame is spread while nothing is known
	// of the path. The rest is for late wake-ups, and for the next frame to find an empty queue.
	unknownShare = 0.8
	// knownShare is the same at most where a rate is known: what arrives shows then whether the path carries more
	// than is sent.
	knownShare = 0.65
	// MostPathSpread is how long a frame is spread at most. Write waits for so long, so that a source that becomes
	// quicker is not held up by what is known of a slow one.
	MostPathSpread = 100 * time.Millisecond
	// mostPause is the longest pause between two datagrams of a frame: viewers give up a frame of which nothing
	// has come for 100 ms.
	mostPause = 50 * time.Millisecond
	// learnEvery is how often it is asked what is known of a path while a frame waits for it.
	learnEvery = 2 * time.Millisecond
	// leading is how many datagrams of a frame leave at once while nothing is known of the path: from the time
	// between them the viewer measures the rate of its slowest link (packet-train dispersion). 6 kB fit nearly
	// every queue.
	leading = 4
	// pathChunk is how much time of the path's rate leaves at once: a queue may hold no more than 20 ms of it.
	pathChunk = time.Millisecond
	// packetBits is a full datagram's IP packet, in bits.
	packetBits = 1500 * 8
)

// Path spreads the frames to one destination over time, because the slowest link on the way to it may be slower
// than our own, with a queue that does not hold a frame. Its zero value holds nothing up. It reads no clock.
type Path struct {
	lane    Lane
	state   State
	within  time.Duration
	leading bool      // nothing of the frame has left
	sent    time.Time // when a datagram of it left last, or it began
	learnt  time.Time // when Learn was told last
}

// State is what is known of a path.
type State struct {
	Spread bool  // frames are to be spread over most of the time between them
	Rate   int64 // bit/s of IP packets that the path carries, so that frames may leave at this; 0 = not known
}

// Unknown is the state of a path from which no report has come.
var Unknown = State{Spread: true}

// Begin is told that a frame of so many bytes of IP packets begins to leave at now, and how long after it the next
// one is likely to.
func (p *Path) Begin(now time.Time, bytes int, s State, interval time.Duration) {
	p.state, p.leading, p.sent, p.learnt = s, s.Rate == 0, now, now
	if !s.Spread {
		p.lane.SetLimit(0, false)
		p.lane.Begin(now, bytes, interval)
		return
	}
	share := unknownShare
	if s.Rate > 0 {
		share = knownShare
	}
	p.within = max(min(time.Duration(share*float64(interval)), MostPathSpread), leastSpread)
	p.lane.SetLimit(max(s.Rate, int64(float64(bytes)*8/p.within.Seconds()), 1), false)
	p.lane.begin(now, bytes, p.within)
}

// Stale reports whether Learn is to be told again what is known by now.
func (p *Path) Stale(now time.Time) bool { return p.state.Spread && now.Sub(p.learnt) >= learnEvery }

// Learn is told what is known at now, while a frame leaves: the rest of it leaves accordingly.
func (p *Path) Learn(now time.Time, s State) {
	p.learnt = now
	if s == p.state || !p.state.Spread {
		return
	}
	p.state = s
	switch {
	case !s.Spread:
		p.lane.rate = 0
	case s.Rate > p.lane.rate:
		p.lane.rate = s.Rate
		p.lane.due = now
	}
}

// Next returns how many datagrams may leave at once, and when: at once, if that is not after now.
func (p *Path) Next(now time.Time) (datagrams int, due time.Time) {
	if !p.state.Spread {
		return 1 << 20, now
	}
	_, due = p.lane.Next(now)
	if latest := p.sent.Add(mostPause); due.After(latest) {
		due = latest
	}
	if p.leading {
		return leading, due
	}
	return int(min(max(p.lane.rate*int64(pathChunk)/int64(time.Second)/packetBits, 1), Chunk)), due
}

// Sent is told that bytes of IP packets have left at now.
func (p *Path) Sent(now time.Time, bytes int) {
	p.leading, p.sent = false, now
	p.lane.Sent(now, bytes)
}

// Report is what a viewer tells of a path.
type Report struct {
	Complete bool   // a frame has become complete there
	Received uint64 // datagrams so far
	Missing  uint64
	Queueing time.Duration // one-way delay above the least of the last seconds
	Arrival  int64         // bit/s at which the datagrams of a frame came, one behind the other; 0 = not known
}

const (
	fullQueue = 25 * time.Millisecond // stands for a queue that our frames are too large for
	someQueue = 5 * time.Millisecond  // the same where lossTail of the datagrams are lost, too
	lossTail  = 0.05
	// Frames leave at clearPath times the rate at which they arrived: where that is the path's, it delays none of
	// them, and half of a frame has to fit the queue; where it was our own pace, or the viewer's measurement, it
	// doubles with each report. Where a queue was seen less than narrowFor ago they leave at narrowPath times that
	// rate, so that a tenth of a frame has to fit.
	clearPath  = 2
	narrowPath = 1.1
	narrowFor  = 3 * time.Second
	// mostMeasured is the rate from which on frames are not spread for the path's sake, in bit/s: viewers measure
	// no higher ones.
	mostMeasured = 2_000_000_000
)

// Loss without a queue that can be seen is the network's own, or that of a queue which is too short to be seen.
// Sending at narrowPath for trial tells: if that halves the loss, it goes on for trialPays, and otherwise it is not
// tried again for as long.
const (
	trial       = time.Second
	trialSettle = 150 * time.Millisecond // what is reported by then was sent before
	trialPays   = 10 * time.Second
)

// Estimate makes a State of reports. Its zero value knows nothing. It reads no clock.
type Estimate struct {
	state  State
	known  bool
	last   Report
	narrow time.Time // until when frames leave at narrowPath

	trying        bool
	tried         time.Time // when the trial began, or from when on there may be another one
	before, after losses
}

// losses are datagrams, and those of them that were lost.
type losses struct{ all, lost float64 }

// State is what is known.
func (e *Estimate) State() State {
	if !e.known {
		return Unknown
	}
	return e.state
}

// Report takes a report that came at now.
func (e *Estimate) Report(now time.Time, r Report) {
	before := e.last
	if !e.known || r.Received < before.Received {
		before = Report{}
	}
	e.last, e.known = r, true
	n := losses{lost: float64(r.Missing) - float64(before.Missing)}
	n.all = float64(r.Received-before.Received) + n.lost
	tail := n.lost > lossTail*n.all
	switch {
	case r.Queueing >= fullQueue || r.Queueing >= someQueue && tail:
		e.narrow, e.trying = now.Add(narrowFor), false
	case e.trying:
		e.judge(now, n)
	case tail && r.Complete && now.After(e.narrow) && !now.Before(e.tried):
		e.trying, e.tried, e.narrow, e.before, e.after = true, now, now.Add(trial), n, losses{}
	}
	factor := float64(clearPath)
	if now.Before(e.narrow) || !r.Complete && tail {
		factor = narrowPath
	}
	switch {
	case r.Arrival >= mostMeasured:
		e.state = State{}
	case r.Arrival > 0:
		e.state = State{Spread: true, Rate: int64(factor * float64(r.Arrival))}
	case factor == narrowPath:
		e.state.Spread = true
	case n.all > 0: // what there is of each frame came at one time
		e.state = State{}
	}
}

// judge takes what was lost since the last report of a trial.
func (e *Estimate) judge(now time.Time, n losses) {
	if now.Sub(e.tried) >= trialSettle {
		e.after.all, e.after.lost = e.after.all+n.all, e.after.lost+n.lost
	}
	if now.Before(e.narrow) {
		return
	}
	e.trying, e.tried = false, now.Add(trialPays)
	if 2*e.after.lost*e.before.all < e.before.lost*e.after.all {
		e.narrow = e.tried
	}
}
