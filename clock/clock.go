// Package clock estimates how far another machine's clock is ahead of ours, from
// pings that it answers, and says how wrong the estimate can be. It reads no clock
// itself: all times are passed in.
package clock

import "time"

// Offset is what is known of a peer's clock. The truth lies within Ahead ± Bound.
type Offset struct {
	Ahead time.Duration // the peer's clock minus ours
	Bound time.Duration // half the round trip of the best sample, and what clocks may have drifted since
}

// samples is how many are kept: at one ping a second, more than the time after which
// drift makes a LAN's sample worse than a new one.
const samples = 32

// drift is how fast two clocks may part, as a share of the time passed: crystals are
// good for ±50 parts in a million each, and NTP slews by less.
const drift = 100e-6

// Filter keeps the samples of one peer. The zero value is ready; it is not safe for
// several goroutines.
type Filter struct {
	kept [samples]sample
	n    int // samples kept
	next int // where the next one goes
}

// sample is one ping and its answer, in µs.
type sample struct {
	ahead float64 // the peer's clock minus ours
	half  float64 // half the round trip: how wrong ahead can be
	at    int64   // when the answer came, by our clock
}

// bound is how wrong s can be at now.
func (s sample) bound(now int64) float64 {
	return s.half + drift*float64(max(now-s.at, 0)) + 1 // the times are whole µs
}

// Add notes one exchange, in µs since the Unix epoch: we sent the ping at t1 and had
// its answer at t4, by our clock; the peer had it at t2 and answered at t3, by its
// own. As in RFC 5905 section 8 its clock is ahead by ((t2-t1) + (t3-t4)) / 2, give or
// take half the round trip (t4-t1) - (t3-t2), however unequal the two ways are.
//
// Times that cannot be are ignored. A sample that contradicts what was known beyond
// its bounds means that a clock was set: everything older is forgotten.
func (f *Filter) Add(t1, t2, t3, t4 int64) {
	ours, theirs := float64(t4)-float64(t1), float64(t3)-float64(t2) // no overflow, whatever a stranger writes
	if ours < 0 || theirs < 0 || theirs > ours {
		return
	}
	s := sample{
		ahead: ((float64(t2) - float64(t1)) + (float64(t3) - float64(t4))) / 2,
		half:  (ours - theirs) / 2,
		at:    t4,
	}
	if best, ok := f.best(t4); ok {
		if apart := best.ahead - s.ahead; max(apart, -apart) > best.bound(t4)+s.bound(t4) || t4 < best.at {
			*f = Filter{}
		}
	}
	f.kept[f.next] = s
	f.next = (f.next + 1) % samples
	f.n = min(f.n+1, samples)
}

// best is the sample that says most at now.
func (f *Filter) best(now int64) (best sample, ok bool) {
	for _, s := range f.kept[:f.n] {
		if !ok || s.bound(now) < best.bound(now) {
			best, ok = s, true
		}
	}
	return best, ok
}

// Offset is the estimate at now, µs since the Unix epoch by our clock. It is false
// until an answer has come.
func (f *Filter) Offset(now int64) (Offset, bool) {
	s, ok := f.best(now)
	if !ok {
		return Offset{}, false
	}
	return Offset{Ahead: micros(s.ahead), Bound: micros(s.bound(now))}, true
}

// micros bounds what a stranger's times can make of it: a century is far enough.
func micros(us float64) time.Duration {
	const most = 100 * 365 * 24 * float64(time.Hour) / 1e3
	return time.Duration(max(-most, min(us, most)) * 1e3)
}
