package netlab

import (
	"math"
	"testing"
)

// draw is the fates of the first n packets.
func draw(p Params, direction, n int) []fate {
	p = p.withDefaults()
	f := newFates(p.Seed, direction)
	all := make([]fate, n)
	for i := range all {
		all[i] = f.next(&p)
	}
	return all
}

// measure returns the share of lost packets and the mean number lost in a row.
func measure(all []fate) (loss, burst float64) {
	lost, bursts := 0, 0
	for i, f := range all {
		if f.lost {
			lost++
			if i == 0 || !all[i-1].lost {
				bursts++
			}
		}
	}
	return float64(lost) / float64(len(all)), float64(lost) / float64(max(bursts, 1))
}

// Over many packets a share p that is drawn packet by packet comes within 5
// standard deviations; in bursts of mean b the deviation is about sqrt(2b-1) times as
// large. The length of a burst has the deviation sqrt(b(b-1)).
func TestLossAndBurstAreWhatIsAsked(t *testing.T) {
	const n = 100_000
	for _, p := range []Params{
		{}, {Loss: 0.001}, {Loss: 0.01}, {Loss: 0.5}, {Loss: 1}, {Loss: 1, Burst: 7},
		{Loss: 0.01, Burst: 1.5}, {Loss: 0.01, Burst: 3}, {Loss: 0.05, Burst: 10}, {Loss: 0.5, Burst: 2}, {Loss: 0.75, Burst: 3}, {Loss: 0.9, Burst: 50},
	} {
		for seed := range uint64(2) {
			p.Seed = seed + 1
			loss, burst := measure(draw(p, 0, n))
			q := p.withDefaults()
			if tolerance := 5 * math.Sqrt(q.Loss*(1-q.Loss)/n*(2*q.Burst-1)); math.Abs(loss-q.Loss) > tolerance {
				t.Errorf("%v: lost %.5f, want %.5f ± %.5f", p, loss, q.Loss, tolerance)
			}
			want := q.Burst
			if q.Burst == 1 { // by chance some are neighbours
				want = 1 / (1 - q.Loss)
			}
			if tolerance := 5 * math.Sqrt(want*(want-1)/(n*q.Loss/want)); q.Loss > 0 && q.Loss < 1 && math.Abs(burst-want) > tolerance {
				t.Errorf("%v: bursts of %.3f, want %.3f ± %.3f", p, burst, want, tolerance)
			}
		}
	}
}

func TestSharesAndJitterAreWhatIsAsked(t *testing.T) {
	const n = 1_000_000
	var duplicated, held, low, sum, squares float64
	for _, f := range draw(Params{Duplicate: 0.02, Reorder: 0.005}, 0, n) {
		if f.duplicated {
			duplicated++
		}
		if f.held {
			held++
		}
		if f.jitter < -0.5 {
			low++
		}
		if f.jitter < -1 || f.jitter > 1 {
			t.Fatalf("jitter of %v", f.jitter)
		}
		sum += f.jitter
		squares += f.jitter * f.jitter
	}
	for _, c := range []struct {
		name                 string
		got, want, tolerance float64
	}{
		{"duplicated", duplicated / n, 0.02, 0.0007}, {"held back", held / n, 0.005, 0.0004}, {"jitter in its lowest quarter", low / n, 0.25, 0.0022},
		{"mean jitter", sum / n, 0, 0.003}, {"jitter's variance", squares / n, 1. / 3, 0.0015},
	} {
		if math.Abs(c.got-c.want) > c.tolerance {
			t.Errorf("%s: got %.5f, want %.5f ± %.5f", c.name, c.got, c.want, c.tolerance)
		}
	}
}

// agree is the share of packets for which two drawings agree about being lost.
func agree(a, b []fate) float64 {
	n := 0
	for i := range a {
		if a[i].lost == b[i].lost {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// Half are lost, so drawings that know nothing of each other agree about half.
func TestSeedsAndDirectionsAreIndependent(t *testing.T) {
	const n = 200_000
	p := Params{Loss: 0.5, Duplicate: 0.5, Reorder: 0.5}
	first := draw(p, 0, n)
	other := func(seed uint64, direction int) []fate {
		p := p
		p.Seed = seed
		return draw(p, direction, n)
	}
	if got := agree(first, other(1, 0)); got != 1 {
		t.Errorf("the same seed agrees about %v", got)
	}
	shifted := append(first[1:n:n], first[0])
	questions := make([]fate, n)
	for i, f := range first {
		questions[i].lost = f.held
	}
	for name, all := range map[string][]fate{
		"the other direction": other(1, 1), "the next seed": other(2, 0), "a distant seed": other(1<<63, 0),
		"the next seed's other direction": other(2, 1), "the packet before": shifted, "another question": questions,
	} {
		if got := agree(first, all); math.Abs(got-0.5) > 0.0056 { // 5 standard deviations
			t.Errorf("%s agrees about %.4f, want 0.5 ± 0.0056", name, got)
		}
	}
}

// A fate depends on its own question's parameters only, and with single losses a higher
// share loses the same packets and more.
func TestFatesDoNotDependOnOtherParameters(t *testing.T) {
	const n = 100_000
	base := draw(Params{Loss: 0.01}, 0, n)
	more := draw(Params{Loss: 0.03, Duplicate: 0.3, Reorder: 0.2, Rate: 1e6, MTU: 1400}, 0, n)
	same := draw(Params{Loss: 0.01, Duplicate: 0.3, Reorder: 0.2, Delay: 1, Queue: 5}, 0, n)
	extra := 0
	for i := range base {
		if base[i].lost != same[i].lost || base[i].jitter != same[i].jitter {
			t.Fatalf("packet %d: %+v and %+v", i, base[i], same[i])
		}
		if base[i].lost && !more[i].lost {
			t.Fatalf("packet %d is lost at 1 %% and not at 3 %%", i)
		}
		if more[i].lost && !base[i].lost {
			extra++
		}
	}
	if extra == 0 {
		t.Error("3 % lose no more than 1 %")
	}
}

// A change of the share in the middle changes nothing for the packets after it that
// would have been lost by both.
func TestFatesGoOnAfterAChange(t *testing.T) {
	dead, alive := Params{Loss: 1, Burst: 1}, Params{Loss: 0.1, Burst: 1}
	f, want := newFates(1, 0), draw(alive, 0, 300)
	for i := range want {
		p := &alive
		if i >= 100 && i < 200 {
			p = &dead
		}
		if got := f.next(p); got.lost != (want[i].lost || p == &dead) {
			t.Fatalf("packet %d: lost is %v", i, got.lost)
		}
	}
}

// A burst does not outlive the losses.
func TestNothingIsLostAfterLossesAreTurnedOff(t *testing.T) {
	f := newFates(1, 0)
	for !f.next(&Params{Loss: 0.5, Burst: 1000}).lost {
	}
	for range 1000 {
		if f.next(&Params{Burst: 1000}).lost {
			t.Fatal("a packet is lost")
		}
	}
}
