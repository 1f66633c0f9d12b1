package fragment

import (
	"testing"
	"time"
)

// What is lost comes again in time, whether parity helps or not.
func TestAskedForFragmentsComeInTime(t *testing.T) {
	for _, c := range []struct {
		name        string
		loss, burst float64
		parity      float64
		size        int
		interval    time.Duration
		spacing     time.Duration
		whole       float64 // share at least
		limit       time.Duration
	}{
		{"1 %", 0.01, 1, 0, 55_000, second30, 20 * time.Microsecond, 0.998, 34 * time.Millisecond},
		{"5 %", 0.05, 1, 0, 55_000, second30, 20 * time.Microsecond, 0.95, 34 * time.Millisecond},
		{"5 %, paced", 0.05, 1, 0, 55_000, second30, 300 * time.Microsecond, 0.85, 34 * time.Millisecond},
		{"5 % and parity", 0.05, 1, 0.1, 55_000, second30, 20 * time.Microsecond, 0.995, 34 * time.Millisecond},
		{"bursts at 2 %", 0.02, 5, 0, 55_000, second30, 20 * time.Microsecond, 0.985, 34 * time.Millisecond},
		{"1080p60", 0.01, 1, 0.03, 110_000, time.Second / 60, 12 * time.Microsecond, 0.995, 21 * time.Millisecond},
		{"several blocks", 0.01, 1, 0, 700_000, second30, 8 * time.Microsecond, 0.98, 34 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames := 1000
			if c.size > 500_000 {
				frames = 150
			}
			if raceDetector {
				frames /= 5
			}
			w := newSimulation(t, Config{})
			w.loss, w.burst = c.loss, c.burst
			got := w.play(frames, c.size, c.interval, c.spacing, c.parity)
			t.Logf("%+v", got.Incomplete)
			t.Logf("%d of %d whole, %d repaired, %d rebuilt; %d requests for %d fragments, %d answered, %d in vain; the longest took %v",
				w.whole, frames, got.Repaired, got.Rebuilt, got.Asked.Requests, got.Asked.Fragments, got.Asked.Answered, got.Asked.Vain, w.longest)
			if float64(w.whole) < c.whole*float64(frames) {
				t.Errorf("%d of %d frames are whole, want %.1f %%", w.whole, frames, 100*c.whole)
			}
			if w.longest > c.limit {
				t.Errorf("a frame took %v", w.longest)
			}
			if got.Asked.Requests > uint64(8*frames) || got.Asked.Vain > got.Asked.Answered/5+10 {
				t.Errorf("asked too much: %+v", got.Asked)
			}
			if b := got.Bytes; b.Data == 0 || (c.parity == 0) != (b.Parity == 0) || (b.Again == 0) != (got.Asked.Answered == 0) || !raceDetector && b.Again == 0 {
				t.Errorf("bytes: %+v", b)
			}
		})
	}
}

// What is merely overtaken is not asked for, once it is known how late it comes.
func TestReorderedFragmentsAreNotAskedFor(t *testing.T) {
	for _, jitter := range []time.Duration{200 * time.Microsecond, 2 * time.Millisecond} {
		w := newSimulation(t, Config{})
		w.jitter = jitter
		const frames = 500
		c := w.play(frames, 55_000, second30, 20*time.Microsecond, 0)
		t.Logf("%v: %+v, %d whole", jitter, c.Asked, w.whole)
		if w.whole != frames {
			t.Errorf("%v: %d of %d frames are whole: %+v", jitter, w.whole, frames, c.Incomplete)
		}
		if c.Asked.Fragments > frames/4 {
			t.Errorf("%v: %d fragments were asked for of %d frames, and none was lost", jitter, c.Asked.Fragments, frames)
		}
	}
}

// Nobody asks whose answer cannot come in time, or where nobody answers; then a frame that is lost is
// given up before its deadline.
func TestNoAskingInVain(t *testing.T) {
	for name, path := range map[string]Path{
		"too far":         {Ask: true, RTT: 60 * time.Millisecond},
		"nobody answers":  {RTT: time.Millisecond},
		"limit too short": {Ask: true, RTT: 10 * time.Millisecond, Limit: 5 * time.Millisecond},
	} {
		w := newSimulation(t, Config{Deadline: 10 * time.Second})
		w.loss, w.path = 0.02, path
		c := w.play(300, 55_000, second30, 20*time.Microsecond, 0)
		if c.Asked.Requests != 0 {
			t.Errorf("%s: asked %d times", name, c.Asked.Requests)
		}
		if c.Incomplete.Hopeless == 0 || c.Incomplete.Expired > 2 { // the last ones
			t.Errorf("%s: %+v", name, c.Incomplete)
		}
	}
}

// In steady state neither asking nor the answers allocate.
func TestAskingDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("pools reuse nothing")
	}
	r, err := NewReassembler(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, _ := NewSplitter(1408)
	jpeg := make([]byte, 60_000)
	now, seq, id := time.Unix(1000, 0), uint64(0), uint32(0)
	var to Repair
	b := make([]byte, 0, 2000)
	asked := 0
	n := testing.AllocsPerRun(300, func() {
		all, _ := s.Split(id, now.UnixMicro(), jpeg)
		s.Stamp(0, len(all), 5, seq)
		seq += uint64(len(all))
		for i, d := range all {
			if i == 7 || i == len(all)-1 {
				continue
			}
			r.Push(now, addrA, append(append(b[:0], d.Header...), d.Payload...))
		}
		for range 3 {
			now = now.Add(3 * time.Millisecond)
			for {
				whom, _ := r.Ask(now, Path{Ask: true, RTT: time.Millisecond, Limit: time.Second}, &to)
				if !whom.IsValid() {
					break
				}
				asked++
			}
		}
		for _, i := range []int{7, len(all) - 1} {
			d := all[i]
			d.Header[3] |= FlagRepair
			s.Stamp(i, i+1, 5, seq-uint64(i))
			seq++
			if f := r.Push(now, addrA, append(append(b[:0], d.Header...), d.Payload...)); f != nil {
				f.Release()
			}
		}
		id++
		now = now.Add(20 * time.Millisecond)
	})
	if c := r.Counters(); c.Repaired < 300 || asked < 300 {
		t.Fatalf("%d frames repaired, asked %d times: %+v", c.Repaired, asked, c)
	}
	if n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
