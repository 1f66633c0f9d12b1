package udp

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The formula of RFC 3550 section 6.4.1, word for word:
//
//	D(i,j) = (Rj - Ri) - (Sj - Si)
//	J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16
func TestJitterIsThatOfTheRFC(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var tr transit
	var J float64
	var Ri, Si int64
	S := int64(5_000_000) // the sender's clock is elsewhere
	arrived := time.Unix(1000, 0)
	for i := range 500 {
		S += 33_000 + random.Int64N(2000)
		arrived = arrived.Add(time.Duration(33_000+random.IntN(9000)-4500) * time.Microsecond)
		tr.frame(arrived, S)
		Rj := arrived.UnixMicro()
		if i > 0 {
			J += (math.Abs(float64((Rj-Ri)-(S-Si))) - J) / 16
		}
		Ri, Si = Rj, S
		if math.Abs(tr.jitter-J) > 1e-6 {
			t.Fatalf("after %d frames it is %v, want %v", i+1, tr.jitter, J)
		}
	}
	if J < 1000 {
		t.Fatalf("the test has no jitter to speak of: %v", J)
	}
}

// A queue that stands for seconds is told; jitter that frames get by is not.
func TestQueueingIsWhatStands(t *testing.T) {
	var tr transit
	random := rand.New(rand.NewPCG(3, 4))
	now := time.Unix(1000, 0)
	second := func(queue int64) int64 {
		for range 30 {
			now = now.Add(33 * time.Millisecond)
			tr.frame(now, now.UnixMicro()-1000-queue-random.Int64N(8000))
		}
		return tr.queueing()
	}
	for range 20 {
		if q := second(0); q > 2000 {
			t.Errorf("no queue, and %d µs", q)
		}
	}
	for range 4 {
		if q := second(20_000); q < 18_000 || q > 22_500 {
			t.Errorf("a queue of 20 ms, and %d µs", q)
		}
	}
	for range 12 {
		second(0)
	}
	before := second(5000)
	if q := tr.queueing(); q != before {
		t.Errorf("no frame since, and %d µs, want %d as before", q, before)
	}
}

func TestRoundTripsForget(t *testing.T) {
	var r roundTrips
	now := time.Unix(1000, 0)
	if r.us(now) != 0 {
		t.Error("nothing is known, and there is a round trip")
	}
	r.add(now, 300)
	r.add(now.Add(time.Second), 500)
	if got := r.us(now.Add(2 * time.Second)); got != 300 {
		t.Errorf("got %d, want the least, 300", got)
	}
	for i := range 12 {
		r.add(now.Add(time.Duration(2+i)*time.Second), 800)
	}
	if got := r.us(now.Add(14 * time.Second)); got != 800 {
		t.Errorf("got %d, want 800: the lesser one is long ago", got)
	}
	if got := r.us(now.Add(time.Minute)); got != 0 {
		t.Errorf("got %d, want 0: nothing has been heard for long", got)
	}
}

// A pause is no queue, and clocks that drift in it neither.
func TestPausesAreForgotten(t *testing.T) {
	var tr transit
	var r roundTrips
	now, drift := time.Unix(1000, 0), int64(0)
	for range 3 {
		for range 30 {
			now = now.Add(33 * time.Millisecond)
			tr.frame(now, now.UnixMicro()-1000-drift)
		}
		r.add(now, 300+drift)
		if q, rtt := tr.queueing(), r.us(now); q != 0 || rtt != 300+drift {
			t.Errorf("%d µs of queueing, want 0; a round trip of %d µs, want %d", q, rtt, 300+drift)
		}
		now, drift = now.Add(time.Hour), drift+50_000
	}
}

// What a sender says of its frames may be any number.
func TestImpossibleTimesStayInTheReport(t *testing.T) {
	var tr transit
	now := time.Unix(1000, 0)
	for i, captured := range []int64{math.MinInt64, math.MaxInt64, 0, math.MinInt64, now.UnixMicro(), math.MaxInt64} {
		now = now.Add(33 * time.Millisecond)
		tr.frame(now, captured)
		q := tr.queueing()
		if q < 0 || q > math.MaxUint32 || !(tr.jitter >= 0) || math.IsInf(tr.jitter, 0) {
			t.Errorf("frame %d: queueing %d, jitter %v", i, q, tr.jitter)
		}
	}
}

// A clock that is set, or a machine that slept, is neither a queue nor jitter; a queue is told as before.
func TestASteppedClockIsNoQueue(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		var tr transit
		now, ahead := time.Unix(1000, 0), time.Duration(0)
		second := func(queue time.Duration) int64 {
			for range 30 {
				now = now.Add(33 * time.Millisecond)
				tr.frame(now, now.Add(ahead-queue).UnixMicro())
			}
			return tr.queueing()
		}
		second(0)
		ahead = step
		if q := second(0); q != 0 || tr.jitter != 0 {
			t.Errorf("the sender's clock is set by %v: %d µs of queueing, %v of jitter", step, q, tr.jitter)
		}
		if q := second(20 * time.Millisecond); q != 20_000 {
			t.Errorf("a queue of 20 ms after that, and %d µs", q)
		}
	}
}
