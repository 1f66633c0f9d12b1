package udp

import "time"

const (
	// repairShare is what may be sent again of what is sent, in bytes. At a loss of q every
	// datagram is sent q/(1-q) times more until it has come: a quarter is for a loss of 20 %,
	// so that at 10 % more than half of it is left for repairs that are lost, for bursts, and for
	// chance. It also is the most by which who asks for everything raises the rate.
	repairShare = 0.25
	// repairFloor is what may be sent again to one destination in any case, in bytes a second:
	// 64 datagrams. It is for streams of so few that a quarter of them would be less than
	// one that is lost, and for the first frame.
	repairFloor = 64 * 1500
	// laneFloor is the same for all destinations of one interface together.
	laneFloor = 4 * repairFloor
	// purseWindow is half of what counts as the recent past.
	purseWindow = 500 * time.Millisecond
)

// purse is how many bytes may be sent again: a share of what is sent, and a little in any
// case. What is not used is saved up, as much as the recent past (0.5 to 1 s) and a second of
// the floor have brought. It reads no clock; the times passed in do not go back far.
type purse struct {
	floor  float64 // bytes a second
	have   float64 // bytes
	at     time.Time
	began  time.Time // the window
	window int       // its number
	bytes  float64   // sent in it
	before float64   // and in the one before
}

// roll makes p that of now.
func (p *purse) roll(now time.Time) {
	switch elapsed := now.Sub(p.began); {
	case elapsed >= 2*purseWindow:
		p.window, p.before, p.bytes, p.began = p.window+2, 0, 0, now
	case elapsed >= purseWindow:
		p.window, p.before, p.bytes, p.began = p.window+1, p.bytes, 0, now
	}
	if now.After(p.at) {
		p.have += p.floor * now.Sub(p.at).Seconds()
		p.at = now
	}
	p.have = min(p.have, p.most())
}

// most is how much is saved up at most.
func (p *purse) most() float64 { return repairShare*(p.bytes+p.before) + p.floor }

// earn notes that bytes have been sent.
func (p *purse) earn(now time.Time, bytes int) {
	p.roll(now)
	p.bytes += float64(bytes)
	p.have = min(p.have+repairShare*float64(bytes), p.most())
}

// pay takes bytes out, if there are so many.
func (p *purse) pay(now time.Time, bytes int) bool {
	p.roll(now)
	if p.have < float64(bytes) {
		return false
	}
	p.have -= float64(bytes)
	return true
}

// refund puts back what was not needed.
func (p *purse) refund(bytes int) { p.have += float64(bytes) }
