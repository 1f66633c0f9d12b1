package heal

import (
	"math/rand/v2"
	"testing"
	"time"
)

// link loses datagrams, in bursts of that mean length.
type link struct {
	r           *rand.Rand
	loss, burst float64
	bad         bool
}

func (l *link) lost() bool {
	if l.loss == 0 {
		return false
	}
	if l.burst <= 1 {
		return l.r.Float64() < l.loss
	}
	if l.bad { // Gilbert: in the bad state all are lost
		l.bad = l.r.Float64() >= 1/l.burst
	} else {
		l.bad = l.r.Float64() < l.loss/(1-l.loss)/l.burst
	}
	return l.bad
}

// outcome is what came of a simulated run.
type outcome struct {
	frames, whole int
	bytes         float64 // IP packets over JPEG
	parity        float64 // mean p
	changes       int     // of p
}

// simulate has frames of k fragments sent for so many seconds, with a report a second. What is
// missing beyond parity is asked for, with the loss of both ways, as often as comes in time.
func simulate(l *link, seconds, fps, k int, rtt time.Duration, p *Policy, loss *Loss, start time.Time, warm int) (o outcome) {
	var r Report
	interval := time.Second / time.Duration(fps)
	times := p.Times(rtt, interval)
	last := -1
	for s := range seconds {
		for range fps {
			parity := p.Parity(k)
			if parity > 0 {
				parity = max(parity, 2)
			}
			if last >= 0 && parity != last {
				o.changes++
			}
			last = parity
			sent, missing := k+parity, 0
			for range k + parity {
				if l.lost() {
					missing++
				}
			}
			r.Missing += uint64(missing)
			r.Received += uint64(sent - missing)
			need := missing - parity
			for range times {
				if need <= 0 || l.lost() {
					continue // the request is lost
				}
				again := need
				for range again {
					sent++
					if l.lost() {
						r.Missing++
					} else {
						r.Received++
						need--
					}
				}
			}
			if s >= warm {
				o.frames++
				o.bytes += float64(sent) * (1408 + 76)
				o.parity += float64(parity)
			}
			if need > 0 {
				r.Lost++
				continue
			}
			r.Shown++
			if s >= warm {
				o.whole++
			}
		}
		r.RTT = rtt
		now := start.Add(time.Duration(s+1) * time.Second)
		loss.Report(now, r)
		share, _ := loss.Share(now)
		p.Set(share, times, 0)
	}
	o.bytes /= float64(o.frames) * (float64(k) - 0.5) * 1408
	o.parity /= float64(o.frames)
	return o
}

// What is promised of 720p30 at 65 kB a frame and 1080p60 at 120 kB, 5 ms away.
func TestFramesSurviveLoss(t *testing.T) {
	for _, c := range []struct {
		name        string
		fps, k      int
		loss, burst float64
		whole       float64 // share at least
		bytes       float64 // on the wire over JPEG bytes, at most; 0 = any
	}{
		{"720p30, 0.1 %", 30, 47, 0.001, 1, 0.9995, 1.13},
		{"720p30, 1 %", 30, 47, 0.01, 1, 0.9995, 1.15},
		{"720p30, 5 %", 30, 47, 0.05, 1, 0.999, 1.35},
		{"720p30, 10 %", 30, 47, 0.10, 1, 0.99, 1.6},
		{"720p30, bursts at 2 %", 30, 47, 0.02, 5, 0.995, 1.6},
		{"1080p60, 1 %", 60, 86, 0.01, 1, 0.9995, 1.15},
		{"1080p60, 5 %", 60, 86, 0.05, 1, 0.999, 1.35},
		{"1080p60, 10 %", 60, 86, 0.10, 1, 0.99, 1.6},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &link{r: rand.New(rand.NewPCG(1, 2)), loss: c.loss, burst: c.burst}
			o := simulate(l, 300, c.fps, c.k, 10*time.Millisecond, &Policy{}, &Loss{}, time.Unix(0, 0), 5)
			whole := float64(o.whole) / float64(o.frames)
			t.Logf("%.3f %% whole, %.3f times the bytes, parity %.1f, %d changes", 100*whole, o.bytes, o.parity, o.changes)
			if whole < c.whole || o.bytes > c.bytes {
				t.Errorf("%.3f %% of the frames are whole with %.3f times the bytes, want %.2f %% and %.2f", 100*whole, o.bytes, 100*c.whole, c.bytes)
			}
			if o.changes > 150 { // in 300 s: no more than one every other second
				t.Errorf("parity changes %d times in 300 s", o.changes)
			}
		})
	}
}

// Where nothing that is sent again comes in time, parity has to do it alone.
func TestParityAloneIsEnough(t *testing.T) {
	l := &link{r: rand.New(rand.NewPCG(3, 4)), loss: 0.01}
	o := simulate(l, 300, 30, 47, 80*time.Millisecond, &Policy{}, &Loss{}, time.Unix(0, 0), 5)
	if share := float64(o.whole) / float64(o.frames); share < 0.9995 {
		t.Errorf("%.3f %% whole, parity %.1f", 100*share, o.parity)
	}
}

// A clean link costs nothing, one datagram in a minute next to nothing, and an episode of loss is over
// within a minute.
func TestParityEndsWithTheLoss(t *testing.T) {
	var p Policy
	var loss Loss
	at := time.Unix(0, 0)
	o := simulate(&link{}, 60, 30, 47, 10*time.Millisecond, &p, &loss, at, 0)
	if o.parity != 0 {
		t.Fatalf("parity %.2f on a clean link", o.parity)
	}
	at = at.Add(time.Minute)
	r := loss.last
	var with int
	for s := range 60 {
		r.Received += 1410
		if s == 3 {
			r.Missing++
		}
		loss.Report(at.Add(time.Duration(s)*time.Second), r)
		share, _ := loss.Share(at.Add(time.Duration(s) * time.Second))
		if p.Set(share, 2, 0); p.Parity(47) > 0 {
			with++
		}
	}
	if with > 5 {
		t.Errorf("one lost datagram costs parity for %d s", with)
	}
	at = at.Add(time.Minute)
	simulate(&link{r: rand.New(rand.NewPCG(5, 6)), loss: 0.05}, 10, 30, 47, 10*time.Millisecond, &p, &loss, at, 0)
	if p.Parity(47) < 6 {
		t.Errorf("parity %d after 10 s of 5 %%", p.Parity(47))
	}
	r = loss.last
	at = at.Add(10 * time.Second)
	until := -1
	for s := range 120 {
		now := at.Add(time.Duration(s+1) * time.Second)
		r.Received += 1410
		loss.Report(now, r)
		share, _ := loss.Share(now)
		if p.Set(share, 2, 0); p.Parity(47) == 0 && until < 0 {
			until = s
		}
	}
	if until < 0 || until > 90 {
		t.Errorf("parity ends after %d s without loss", until)
	}
}

// What its own kernel dropped, what came late and what a full queue drops is no reason for parity.
func TestWhatIsNoLossOfTheNetworks(t *testing.T) {
	at := time.Unix(0, 0)
	for name, more := range map[string]Report{
		"dropped by its kernel": {Received: 1300, Missing: 100, KernelDrops: 100},
		"a queue is full":       {Received: 1000, Missing: 400, Queueing: 30 * time.Millisecond},
	} {
		var l Loss
		var r Report
		for s := range 20 {
			r.Received += more.Received
			r.Missing += more.Missing
			r.KernelDrops += more.KernelDrops
			r.Queueing = more.Queueing
			l.Report(at.Add(time.Duration(s)*time.Second), r)
		}
		if share, fresh := l.Share(at.Add(20 * time.Second)); share > 0 || !fresh {
			t.Errorf("%s: taken for a loss of %.2f %%", name, 100*share)
		}
	}
}

// A viewer that starts anew is not taken for one that has lost everything, nor one that is silent for
// one that loses nothing.
func TestReportsMayBeginAnewOrEnd(t *testing.T) {
	at := time.Unix(0, 0)
	var l Loss
	l.Report(at, Report{Received: 100000, Missing: 5000})
	l.Report(at.Add(time.Second), Report{Received: 1000})
	if share, _ := l.Share(at.Add(time.Second)); share != 0 {
		t.Errorf("%.2f %% after a restart", 100*share)
	}
	l.Report(at.Add(2*time.Second), Report{Received: 1900, Missing: 100})
	if share, fresh := l.Share(at.Add(3 * time.Second)); share < 0.05 || !fresh {
		t.Errorf("%.2f %%, fresh %v", 100*share, fresh)
	}
	if share, fresh := l.Share(at.Add(8 * time.Second)); share != 0 || fresh {
		t.Errorf("%.2f %%, fresh %v after 6 s of silence", 100*share, fresh)
	}
}

// However much somebody says to lose, parity is bounded.
func TestParityIsBounded(t *testing.T) {
	var p Policy
	for _, loss := range []float64{0.0001, 0.001, 0.2, 0.5, 1, 2} {
		for times := -1; times < 4; times++ {
			p.Set(min(loss, 1), times, 0)
			for k := range 202 {
				if n := p.Parity(k); n < 0 || n > max(k, 2) || loss <= 0.001 && n > max(k/2, 2) {
					t.Fatalf("loss %v: parity %d for %d", loss, n, k)
				}
			}
		}
	}
	p.Set(0, 2, 0.1)
	if n := p.Parity(47); n != 5 {
		t.Errorf("the least is a tenth: %d of 47, want 5", n)
	}
	p.Set(0.05, 2, 0.5)
	if n := p.Parity(40); n != 20 {
		t.Errorf("the least is a half: %d of 40, want 20", n)
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		rtt, interval time.Duration
		want          int
	}{
		{100 * time.Microsecond, 16 * time.Millisecond, 2},
		{10 * time.Millisecond, 33 * time.Millisecond, 2},
		{10 * time.Millisecond, 16 * time.Millisecond, 1},
		{40 * time.Millisecond, 33 * time.Millisecond, 0},
		{40 * time.Millisecond, 100 * time.Millisecond, 2},
		{40 * time.Millisecond, time.Second, 2},
		{60 * time.Millisecond, time.Second, 1}, // it is given up before the second answer,
		{100 * time.Millisecond, time.Second, 0},
		{10 * time.Millisecond, time.Second / 120, 0}, // and here newer ones are complete by then
		{500 * time.Microsecond, time.Second / 240, 1},
	} {
		if got := new(Policy).Times(c.rtt, c.interval); got != c.want {
			t.Errorf("round trip %v, a frame every %v: %d times, want %d", c.rtt, c.interval, got, c.want)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var p Policy
	var l Loss
	at := time.Unix(0, 0)
	var r Report
	if n := testing.AllocsPerRun(1000, func() {
		at = at.Add(100 * time.Millisecond)
		r.Received += 140
		r.Missing += 7
		l.Report(at, r)
		share, _ := l.Share(at)
		p.Set(share, 1, 0)
		p.Parity(86)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// How a viewer fared for hours before it was first heard, or heard again, says little: what
// it loses now shows in the next report.
func TestHistoryDoesNotHideLoss(t *testing.T) {
	at := time.Unix(0, 0)
	var l Loss
	r := Report{Received: 5_000_000}
	l.Report(at, r)
	r.Received, r.Missing = r.Received+1340, 70
	l.Report(at.Add(time.Second), r)
	if share, _ := l.Share(at.Add(time.Second)); share < 0.03 || share > 0.05 {
		t.Errorf("%.2f %% after a second of 5 %%", 100*share)
	}
}

// Parity does not flap: neither with a round trip at the edge of what comes in time twice, nor
// with a loss at the edge of what is clean.
func TestParityDoesNotFlap(t *testing.T) {
	count := func(set func(p *Policy, i int)) (changes int) {
		var p Policy
		last := -1
		for i := range 200 {
			if set(&p, i); p.Parity(86) != last {
				changes++
			}
			last = p.Parity(86)
		}
		return changes
	}
	edge := leastLimit/2 - margin
	if n := count(func(p *Policy, i int) {
		rtt := edge + time.Duration(i%2*200-100)*time.Microsecond
		p.Set(0.05, p.Times(rtt, 16*time.Millisecond), 0)
	}); n > 2 {
		t.Errorf("%d changes by the round trip", n)
	}
	if n := count(func(p *Policy, i int) { p.Set(clean*(0.9+0.2*float64(i%2)), 2, 0) }); n > 2 {
		t.Errorf("%d changes by the loss", n)
	}
}

// What is lost until the first frame is complete, at rates that the path does not carry, does not count afterwards.
func TestLossBeforeTheFirstFrameIsForgotten(t *testing.T) {
	now := time.Unix(1000, 0)
	var l Loss
	r := Report{Nothing: true}
	for range 5 {
		now, r.Received, r.Missing = now.Add(100*time.Millisecond), r.Received+50, r.Missing+50
		l.Report(now, r)
		if share, _ := l.Share(now); share < 0.45 || share > 0.55 {
			t.Fatalf("a loss of %v while half is lost", share)
		}
	}
	r.Nothing, r.Shown = false, 1
	for range 3 {
		now, r.Received, r.Shown = now.Add(100*time.Millisecond), r.Received+100, r.Shown+3
		l.Report(now, r)
	}
	if share, fresh := l.Share(now); share > clean || !fresh {
		t.Errorf("a loss of %v, and nothing has been lost since", share)
	}
}

// Parity follows a heavy loss to where frames survive it, and bursts alone do not take all of the bytes.
func TestHeavyLossGetsWhatItNeeds(t *testing.T) {
	var p Policy
	for loss, want := range map[float64][2]int{0.1: {15, 24}, 0.2: {24, 35}, 0.3: {35, 47}} {
		p.Set(loss, 0, 0)
		if n := p.Parity(47); n < want[0] || n > want[1] {
			t.Errorf("loss %v: %d of 47, want %v", loss, n, want)
		}
	}
}

// The longer estimate waits until the first frame is complete for some time, however long that took.
func TestLongEstimateWaitsForTheFirstFrame(t *testing.T) {
	w, nothing := reports{}, func(i int, r *Report) { r.Nothing, r.Received, r.Missing = true, r.Received+10, r.Missing+10 }
	w.every(time.Second, 10, nothing)
	w.every(100*time.Millisecond, 1, func(i int, r *Report) {
		r.Nothing, r.Shown, r.Received, r.Missing = false, 1, r.Received+50, r.Missing+50
	})
	clear := func(i int, r *Report) { r.Received, r.Shown = r.Received+300, r.Shown+30 }
	if share := w.every(time.Second, 4, clear); share != w.short.share() || w.long.share() <= share {
		t.Errorf("%v after 4 s, want the shorter estimate: %v and %v", share, w.short.share(), w.long.share())
	}
	if share := w.every(time.Second, 2, clear); share != w.long.share() {
		t.Errorf("%v after 6 s, want the longer estimate: %v and %v", share, w.short.share(), w.long.share())
	}
}
