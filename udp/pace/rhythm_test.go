package pace

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// after has n frames come, the i-th gap(i) after the one before, and returns the intervals
// that were told after each.
func (r *Rhythm) after(n int, gap func(i int) time.Duration) (told []time.Duration) {
	if r.last.IsZero() {
		r.Frame(time.Unix(0, 0))
	}
	for i := range n {
		r.Frame(r.last.Add(gap(i)))
		told = append(told, r.Interval())
	}
	return told
}

func TestRhythmIsTheUsualUntilKnown(t *testing.T) {
	var r Rhythm
	if r.Interval() != usual {
		t.Errorf("before the first frame, it is %v", r.Interval())
	}
	told := r.after(6, func(i int) time.Duration {
		return []time.Duration{700 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms}[i]
	})
	for i, d := range told[:enough-1] {
		if d != usual {
			t.Errorf("after %d long gaps, it is %v", i+1, d)
		}
	}
	if told[5] != 100*ms {
		t.Errorf("after 6 gaps of 100 ms but the first, it is %v", told[5])
	}
	var fast Rhythm
	if d := fast.after(1, func(int) time.Duration { return 8 * ms })[0]; d != 8*ms {
		t.Errorf("after one gap of 8 ms, it is %v", d)
	}
}

func TestRhythmIsNotBentByOneFrame(t *testing.T) {
	var r Rhythm
	told := r.after(60, func(i int) time.Duration {
		switch i % 10 {
		case 3:
			return 30 * ms // late,
		case 4:
			return 2 * ms // and made up for
		case 7:
			return 10 * time.Second // a pause
		}
		return 16 * ms
	})
	for i, d := range told[10:] {
		if d != 16*ms {
			t.Fatalf("after %d frames, it is %v", i+10, d)
		}
	}
}

func TestRhythmForgetsPauses(t *testing.T) {
	var r Rhythm
	r.after(9, func(int) time.Duration { return 33 * ms })
	for i, d := range r.after(60, func(i int) time.Duration {
		if i%9 < 3 { // one, or a few
			return 2 * time.Second
		}
		return 33 * ms
	}) {
		if d != 33*ms {
			t.Fatalf("%d frames after the first pause, it is %v", i, d)
		}
	}
	if d := r.after(20, func(int) time.Duration { return time.Minute })[19]; d != 33*ms {
		t.Errorf("after 20 pauses of a minute, it is %v", d)
	}
}

// Frames that come regularly, however slowly, have a rhythm and no pauses.
func TestRhythmOfSlowFrames(t *testing.T) {
	for _, every := range []time.Duration{600 * ms, time.Second, 2 * time.Second, 4 * time.Second} {
		for name, before := range map[string]int{"from the first": 0, "after 30 a second": 20} {
			var r Rhythm
			r.after(before, func(int) time.Duration { return 33 * ms })
			told := r.after(20, func(i int) time.Duration { return every + time.Duration(i%2*2-1)*ms })
			for i, d := range told[enough-1:] {
				if d < every-ms || d > every+ms {
					t.Errorf("%v, %s: after %d it is %v", every, name, i+enough, d)
				}
			}
			left := r.after(20, func(i int) time.Duration { return every + min(every, slowest-every)*time.Duration(i/10%2) })
			if d := left[10]; d < every || d > 2*every {
				t.Errorf("%v, %s: with a frame left out, it is %v", every, name, d)
			}
			if d := r.after(1, func(int) time.Duration { return 33 * ms })[0]; d != 33*ms {
				t.Errorf("%v, %s: with the first of 30 a second, it is %v", every, name, d)
			}
		}
	}
}

func TestRhythmFollowsAnotherRate(t *testing.T) {
	var r Rhythm
	r.after(20, func(int) time.Duration { return 16 * ms })
	told := r.after(9, func(int) time.Duration { return 40 * ms })
	if told[6] != 40*ms || told[8] != 40*ms {
		t.Errorf("as 16 ms become 40, it is %v", told)
	}
}

func TestRhythmOfFramesInGroups(t *testing.T) {
	var r Rhythm
	for i, d := range r.after(40, func(i int) time.Duration { return []time.Duration{2 * ms, 64 * ms}[i%2] })[9:] {
		if d < 25*ms || d > 41*ms {
			t.Errorf("after %d frames in pairs, 33 ms each on average, it is %v", i+9, d)
		}
	}
	var all Rhythm
	if d := all.after(9, func(int) time.Duration { return 0 })[8]; d != 0 {
		t.Errorf("of frames all at once, it is %v", d)
	}
	var back Rhythm
	if d := back.after(9, func(int) time.Duration { return -time.Hour })[8]; d != 0 {
		t.Errorf("of a clock that runs backwards, it is %v", d)
	}
}
