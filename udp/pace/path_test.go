package pace

import (
	"testing"
	"time"
)

const mtu = 1500

// leave sends a frame of n packets by p, and returns when each left, after its begin.
func leave(
	p *Path, n int, s State, interval time.Duration, learn func(after time.Duration) (State, bool),
) (left []time.Duration) {
	began := time.Unix(1000, 0)
	now := began
	p.Begin(now, n*mtu, s, interval)
	for len(left) < n {
		if learn != nil {
			if s, ok := learn(now.Sub(began)); ok {
				p.Learn(now, s)
			}
		}
		some, due := p.Next(now)
		if due.After(now) {
			now = now.Add(min(due.Sub(now), 100*time.Microsecond))
			continue
		}
		some = min(some, n-len(left))
		p.Sent(now, some*mtu)
		for range some {
			left = append(left, now.Sub(began))
		}
	}
	return left
}

const interval30 = time.Second / 30

// While nothing is known of a path a frame's first datagrams leave together, and the others over most of the time
// between two frames.
func TestUnknownPathSpreadsAFrame(t *testing.T) {
	left := leave(&Path{}, 47, Unknown, interval30, nil)
	if left[leading-1] != 0 || left[leading] == 0 {
		t.Errorf("the first %d datagrams leave at %v", leading, left[:leading+1])
	}
	if last := left[46]; last < interval30/2 || last > interval30*8/10+time.Millisecond {
		t.Errorf("the last one leaves after %v of %v", last, interval30)
	}
	for i := leading + 1; i < len(left); i++ {
		if gap := left[i] - left[i-1]; gap > 2*time.Millisecond {
			t.Errorf("datagram %d leaves %v after the one before", i, gap)
		}
	}
	if last := leave(&Path{}, 47, Unknown, 5*time.Second, nil)[46]; last > MostPathSpread+time.Millisecond {
		t.Errorf("of a frame each 5 s the last datagram leaves after %v", last)
	}
}

// A report that comes while a frame leaves has the rest of it leave as fast as the path carries it.
func TestFrameLeavesFasterOnceThePathIsKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		s    State
		most time.Duration
	}{
		"all at once":   {State{}, 2 * time.Millisecond},
		"100 Mbit/s":    {State{Spread: true, Rate: 100e6}, 8 * time.Millisecond},
		"slower":        {State{Spread: true, Rate: 1e6}, interval30*8/10 + time.Millisecond},
		"still unknown": {Unknown, interval30*8/10 + time.Millisecond},
	} {
		learn := func(after time.Duration) (State, bool) { return tt.s, after >= 2*time.Millisecond }
		left := leave(&Path{}, 47, Unknown, interval30, learn)
		if left[46] > tt.most {
			t.Errorf("%s: the last datagram leaves after %v, want %v", name, left[46], tt.most)
		}
	}
}

func TestPathThatIsNotSpreadHoldsNothingUp(t *testing.T) {
	if left := leave(&Path{}, 200, State{}, interval30, nil); left[199] != 0 {
		t.Errorf("the last datagram leaves after %v", left[199])
	}
}

// What reports make of a path.
func TestEstimate(t *testing.T) {
	now := time.Unix(1000, 0)
	var e Estimate
	if e.State() != Unknown {
		t.Fatalf("before a report: %+v", e.State())
	}
	var r Report
	tell := func(what string, want State, change func()) {
		t.Helper()
		now = now.Add(100 * time.Millisecond)
		r.Received += 100
		change()
		if e.Report(now, r); e.State() != want {
			t.Errorf("%s: %+v, want %+v", what, e.State(), want)
		}
	}
	tell("nothing complete, nothing lost", State{true, 20e6}, func() { r.Arrival = 10e6 })
	tell("nothing complete, much lost", State{true, 11e6}, func() { r.Missing += 50 })
	tell("complete", State{true, 20e6}, func() { r.Complete = true })
	tell("a queue", State{true, 11e6}, func() { r.Queueing = 30 * time.Millisecond })
	tell("no queue any more", State{true, 11e6}, func() { r.Queueing = 0 })
	now = now.Add(narrowFor)
	tell("for some time", State{true, 24e6}, func() { r.Arrival = 12e6 })
	tell("more than is measured", State{}, func() { r.Arrival = mostMeasured })
	tell("all at one time", State{}, func() { r.Arrival = 0 })
	tell("another session", State{true, 2e6}, func() { r.Received, r.Missing, r.Arrival = 10, 0, 1e6 })
}

// Loss of the network's own does not slow a path down for longer than it takes to find that out; that of a queue
// too short to be seen does.
func TestLossIsTriedAtALowerRate(t *testing.T) {
	for name, cured := range map[string]bool{"own": false, "queue": true} {
		now, slow := time.Unix(1000, 0), 0
		var e Estimate
		r := Report{Complete: true, Arrival: 10e6}
		e.Report(now, r)
		const reports = 90 // 9 s
		for range reports {
			now = now.Add(100 * time.Millisecond)
			narrow := e.State().Rate < 20e6
			r.Received += 70
			if !narrow || !cured {
				r.Missing += 30
			}
			if e.Report(now, r); e.State().Rate < 20e6 {
				slow++
			}
		}
		if cured && slow < reports-5 || !cured && slow > 12 {
			t.Errorf("%s: after %d of %d reports the path is sent at %v times what arrives", name, slow, reports, narrowPath)
		}
	}
}

// However few datagrams a frame has, and however rarely frames come, no pause within one is so long that viewers give it up.
func TestNoPauseIsTooLong(t *testing.T) {
	for _, s := range []State{Unknown, {Spread: true, Rate: 20_000}, {Spread: true, Rate: 1e6}} {
		for _, interval := range []time.Duration{interval30, 200 * time.Millisecond, 5 * time.Second} {
			for _, n := range []int{1, 2, 3, 5, 7, 12, 47} {
				left := leave(&Path{}, n, s, interval, nil)
				for i := 1; i < n; i++ {
					if gap := left[i] - left[i-1]; gap > mostPause+time.Millisecond {
						t.Errorf("%+v, a frame of %d each %v: datagram %d leaves %v after the one before", s, n, interval, i, gap)
					}
				}
			}
		}
	}
}
