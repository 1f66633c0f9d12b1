package heal

import (
	"fmt"
	"math"
	"time"
)

const (
	// clean is the loss below which there is no parity: at 0.03 % a frame of 107 datagrams loses
	// one in 30, which resends mend; a single datagram in 5000 must not cost a per cent of bytes.
	clean = 0.0003
	// cleanAgain is the loss below which parity ends: it must not come and go with every lost datagram.
	cleanAgain = 0.0002
	// Parity is mostUsual of the data at most, where the loss does not call for more: manyTimes what makes up for the loss on
	// average, and most. At a loss of 30 % frames of 47 datagrams need 0.8.
	mostUsual, manyTimes, most = 0.5, 2.2, 1.0
	// headroom is how much more than the estimate is expected.
	headroom = 1.2
	// margin is what detecting a loss and sending again take beside the round trip.
	margin = 4 * time.Millisecond
	// leastLimit and mostLimit bound how long a viewer waits for resends: the time between two frames, and no longer
	// than it keeps an incomplete one. A newer frame that is complete ends it, too: that is soonest overdueAfter
	// times that interval.
	leastLimit, mostLimit = 20 * time.Millisecond, 100 * time.Millisecond
	overdueAfter          = 1.25
)

// targets are how often more may be lost of a block than parity can give back: as nothing can be
// sent again in time, once, or twice.
var targets = [3]float64{1e-5, 2e-3, 1e-2}

// Policy is what one destination's frames need. The zero value wants no parity.
type Policy struct {
	loss  float64 // 0 = clean
	times int     // that a fragment can be sent again in time: 0..2
	least float64 // share of the data that is asked for in any case
	table [201]uint8
}

// Times is how often a fragment can be asked for and come within a frame of that interval. More
// often than it was set before only with a sixteenth to spare: round trips are never the same.
func (p *Policy) Times(rtt, interval time.Duration) int {
	limit := min(max(interval, leastLimit), mostLimit, time.Duration(overdueAfter*float64(interval)))
	return min(within(rtt, limit), max(within(rtt, limit-limit/16), p.times))
}

func within(rtt, limit time.Duration) int {
	switch {
	case 2*(rtt+margin) <= limit:
		return 2
	case rtt+margin <= limit:
		return 1
	}
	return 0
}

// Set says what parity is to be chosen for: a share of datagrams lost, how often each can be sent again in
// time, and the least share of the data. It is cheap where little has changed.
func (p *Policy) Set(loss float64, times int, least float64) {
	if loss < cleanAgain || p.loss == 0 && loss < clean {
		loss = 0
	}
	if near(loss, p.loss) && times == p.times && least == p.least {
		return
	}
	*p = Policy{loss: loss, times: min(max(times, 0), 2), least: least}
}

// near is whether two losses are so alike that parity need not change: it must not flap.
func near(a, b float64) bool {
	return a == b || a != 0 && b != 0 && math.Abs(a-b) < 0.15*b
}

// Loss is the share of datagrams that parity is chosen for, 0 where there is next to none.
func (p *Policy) Loss() float64 { return p.loss }

// Parity is how many fragments of parity a block of k data fragments needs, 0..k or what the
// least share makes.
func (p *Policy) Parity(k int) int {
	if p.loss == 0 && p.least == 0 || k < 1 || k >= len(p.table) {
		return 0
	}
	if p.table[k] == 0 {
		p.table[k] = uint8(p.find(k) + 1)
	}
	return int(p.table[k]) - 1
}

func (p *Policy) find(k int) int {
	least := int(math.Ceil(p.least*float64(k) - 1e-9))
	if p.loss == 0 {
		return least
	}
	loss, target := min(p.loss*headroom, 0.9), targets[p.times]
	limit := max(int(min(max(mostUsual, manyTimes*loss/(1-loss)), most)*float64(k)), 2)
	n := 1
	for n < limit && exceeds(k+n, n, loss) > target {
		n++
	}
	return max(n, least)
}

// exceeds is how likely more than m of n are lost, each with that probability (0..1).
func exceeds(n, m int, loss float64) float64 {
	term, sum := math.Pow(1-loss, float64(n)), 0.0 // of none
	for i := 0; ; i++ {
		sum += term
		if i == m {
			return max(1-sum, 0)
		}
		term *= float64(n-i) / float64(i+1) * loss / (1 - loss)
	}
}

// String says it for people.
func (p *Policy) String() string {
	if p.loss == 0 {
		return "clean"
	}
	return fmt.Sprintf("loss %.2g %%", 100*p.loss)
}
