package clock

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const second = 1_000_000 // µs

// exchange is a ping at t1 to a peer whose clock is ahead by ahead µs; out, busy and
// back are µs.
func exchange(t1, ahead, out, busy, back int64) (int64, int64, int64, int64) {
	t2 := t1 + out + ahead
	return t1, t2, t2 + busy, t1 + out + busy + back
}

func offset(t *testing.T, f *Filter, now int64) Offset {
	t.Helper()
	o, ok := f.Offset(now)
	if !ok {
		t.Fatal("no estimate")
	}
	return o
}

func TestNoSampleNoEstimate(t *testing.T) {
	var f Filter
	if o, ok := f.Offset(second); ok {
		t.Errorf("got %+v", o)
	}
}

func TestTheTruthLiesWithinTheBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var f Filter
		ahead, now := random.Int64N(2*second)-second, int64(1_790_000_000)*second
		for range 40 {
			t1, t2, t3, t4 := exchange(now, ahead, random.Int64N(20_000), random.Int64N(500), random.Int64N(20_000))
			f.Add(t1, t2, t3, t4)
			o := offset(t, &f, t4)
			if off := o.Ahead - time.Duration(ahead)*time.Microsecond; off.Abs() > o.Bound {
				t.Fatalf("ahead by %d µs, estimated %v ± %v", ahead, o.Ahead, o.Bound)
			}
			now += second
		}
	}
}

func TestTheQuickestAnswerCounts(t *testing.T) {
	var f Filter
	f.Add(exchange(0, 5000, 100, 10, 100))
	f.Add(exchange(second, 5000, 100, 10, 30_000)) // the way back was congested
	if o := offset(t, &f, 2*second); (o.Ahead-5*time.Millisecond).Abs() > time.Microsecond || o.Bound > 400*time.Microsecond {
		t.Errorf("got %v ± %v", o.Ahead, o.Bound)
	}
}

func TestTheBoundGrowsWithAge(t *testing.T) {
	var f Filter
	f.Add(exchange(0, 0, 100, 0, 100))
	if o := offset(t, &f, 100*second); o.Bound < 10*time.Millisecond {
		t.Errorf("after 100 s the bound is %v", o.Bound)
	}
}

func TestAClockThatWasSetIsNoticed(t *testing.T) {
	for _, step := range []int64{3 * second, -3 * second} {
		var f Filter
		for i := range int64(10) {
			f.Add(exchange(i*second, 0, 100, 10, 100))
		}
		f.Add(exchange(10*second, step, 200, 10, 200))
		if o := offset(t, &f, 10*second+410); (o.Ahead - time.Duration(step)*time.Microsecond).Abs() > o.Bound {
			t.Errorf("set by %d µs: got %v ± %v", step, o.Ahead, o.Bound)
		}
	}
	// Our own, backwards.
	var f Filter
	f.Add(exchange(1000*second, 0, 100, 10, 100))
	f.Add(exchange(10*second, 990*second, 100, 10, 100))
	if o := offset(t, &f, 11*second); (o.Ahead - 990*time.Second).Abs() > o.Bound {
		t.Errorf("got %v ± %v", o.Ahead, o.Bound)
	}
}

func TestImpossibleTimesAreIgnored(t *testing.T) {
	const least, most = math.MinInt64, math.MaxInt64
	for _, ts := range [][4]int64{
		{10, 0, 0, 5},        // answered before it was asked
		{0, 100, 50, 1000},   // answered before it came
		{0, 0, 5000, 1000},   // the peer took longer than the round trip
		{0, least, most, 10}, // nonsense
	} {
		var f Filter
		f.Add(ts[0], ts[1], ts[2], ts[3])
		if o, ok := f.Offset(second); ok {
			t.Errorf("%v gave %+v", ts, o)
		}
	}
	var f Filter
	f.Add(0, most, most, 10) // possible, and absurd
	if o := offset(t, &f, 10); o.Ahead < 99*365*24*time.Hour {
		t.Errorf("got %v", o.Ahead)
	}
}
