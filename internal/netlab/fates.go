package netlab

import "math/rand/v2"

// fate is what happens to one packet, apart from the queue and the line.
type fate struct {
	lost, duplicated, held bool
	jitter                 float64 // -1..1
}

// fates draws the fate of one packet after the other. Each question has a generator of
// its own, asked once per packet whatever the parameters are, so that the answer for
// the k-th packet depends on the seed, the direction and that question's parameters only.
type fates struct {
	loss, duplicate, reorder, jitter *rand.Rand
	bad                              bool // the packet before was lost
	begun                            bool
}

func newFates(seed uint64, direction int) fates {
	generator := func(question int) *rand.Rand {
		return rand.New(rand.NewPCG(seed, uint64(direction)<<32|uint64(question)))
	}
	return fates{loss: generator(0), duplicate: generator(1), reorder: generator(2), jitter: generator(3)}
}

func (f *fates) next(p *Params) fate {
	return fate{
		lost:       f.lose(p, f.loss.Float64()),
		duplicated: f.duplicate.Float64() < p.Duplicate,
		held:       f.reorder.Float64() < p.Reorder,
		jitter:     2*f.jitter.Float64() - 1,
	}
}

// lose decides by u of 0..1. With bursts it is the Gilbert model (E. N. Gilbert,
// "Capacity of a burst-noise channel", Bell System Technical Journal 39, 1960): a state
// in which everything is lost, left with probability 1/Burst, and one in which nothing
// is, left as often as makes Loss the share of the first. The first packet finds it
// running: its state is drawn by Loss.
func (f *fates) lose(p *Params, u float64) bool {
	switch leave := 1 / p.Burst; {
	case p.Burst <= 1 || p.Loss <= 0 || p.Loss >= 1 || !f.begun:
		f.bad = u < p.Loss
	case f.bad:
		f.bad = u >= leave
	default:
		f.bad = u < leave*p.Loss/(1-p.Loss)
	}
	f.begun = true
	return f.bad
}
