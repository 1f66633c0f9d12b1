package capture

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := pace{fps: 30}, time.Now()
		for want := range uint64(9001) {
			slot, err := p.wait(t.Context())
			if err != nil || slot != want {
				t.Fatalf("got slot %d, %v, want %d", slot, err, want)
			}
			time.Sleep(7 * time.Millisecond) // work that fits the interval
		}
		// Slot 9000 was due after exactly 300 s.
		if got := time.Since(start) - 7*time.Millisecond; got != 300*time.Second {
			t.Errorf("slot 9000 came after %v, want 5m0s", got)
		}
	})
}

func TestPaceSkipsToThePresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := pace{fps: 10}, time.Now()
		var slots []uint64
		var times []time.Duration
		for _, work := range []time.Duration{0, 150, 0, 0, 1030, 0, 0} { // ms
			slot, err := p.wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			slots, times = append(slots, slot), append(times, time.Since(start)/time.Millisecond)
			time.Sleep(work * time.Millisecond)
		}
		// Late by half an interval: at once. Late by more than one: what lies between is gone.
		if want := []uint64{0, 1, 2, 3, 4, 14, 15}; !slices.Equal(slots, want) {
			t.Errorf("got slots %v, want %v", slots, want)
		}
		if want := []time.Duration{0, 100, 250, 300, 400, 1430, 1500}; !slices.Equal(times, want) {
			t.Errorf("got them after %d ms, want %d", times, want)
		}
	})
}

func TestPaceLeavesWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		p, start := pace{fps: 0.001}, time.Now()
		if _, err := p.wait(ctx); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := p.wait(ctx); err != why || time.Since(start) != time.Second {
			t.Errorf("got %v after %v, want %v after 1s", err, time.Since(start), why)
		}
		if _, err := p.wait(ctx); err != why {
			t.Errorf("again: got %v, want %v", err, why)
		}
	})
}

// play runs pictures 1/10 s apart through a playback, reading each takes the given
// time, and returns the ones shown and when.
func play(t *testing.T, read, show func(i int) time.Duration) (shown []int, at []time.Duration) {
	var p playback
	start := time.Now()
	for i := range 20 {
		time.Sleep(read(i))
		ok, err := p.due(t.Context(), time.Duration(i)*100*time.Millisecond, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			shown, at = append(shown, i), append(at, time.Since(start)/time.Millisecond)
			time.Sleep(show(i))
		}
	}
	return shown, at
}

func TestPlayback(t *testing.T) {
	no := func(int) time.Duration { return 0 }
	t.Run("on time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shown, at := play(t, func(int) time.Duration { return 30 * time.Millisecond }, no)
			if len(shown) != 20 || at[0] != 30 || at[19] != 1930 {
				t.Errorf("got %v at %d ms", shown, at)
			}
		})
	})
	t.Run("one slow to show", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shown, at := play(t, no, func(i int) time.Duration {
				if i == 3 {
					return 420 * time.Millisecond
				}
				return 0
			})
			// 3 ends at 720 ms: 4, 5 and 6 are over 100 ms late, 7 is shown at once.
			if want := []int{0, 1, 2, 3, 7, 8, 9}; !slices.Equal(shown[:7], want) {
				t.Errorf("got %v, want %v", shown[:7], want)
			}
			if want := []time.Duration{0, 100, 200, 300, 720, 800, 900}; !slices.Equal(at[:7], want) {
				t.Errorf("got them at %d ms, want %d", at[:7], want)
			}
		})
	})
	t.Run("slow to read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shown, _ := play(t, func(int) time.Duration { return 250 * time.Millisecond }, no)
			if len(shown) < 8 { // it shows something, at its own pace, to the end
				t.Errorf("shown are only %v of 20", shown)
			}
		})
	})
}

func TestThinner(t *testing.T) {
	jitter := []float64{0, 0.1, -0.15, 0.2, -0.2, 0.05, -0.1} // of an interval
	for name, tt := range map[string]struct {
		fps, rate float64 // asked for, and coming
		min, max  int     // of 600 pictures
	}{
		"all":            {0, 60, 600, 600},
		"same rate":      {30, 30, 600, 600},
		"slower source":  {60, 30, 600, 600},
		"half":           {30, 60, 299, 301},
		"third":          {20, 60, 199, 201},
		"25 of 60":       {25, 60, 248, 252},
		"25 of 30":       {25, 30, 496, 504},
		"one in a hour":  {1.0 / 3600, 30, 1, 1},
		"a little more":  {30, 30.3, 592, 600},
		"1000 of 1000.0": {1000, 1000, 600, 600},
	} {
		t.Run(name, func(t *testing.T) {
			th, n := thinner{fps: tt.fps}, 0
			for i := range 600 {
				at := (float64(i) + jitter[i%len(jitter)]) / tt.rate
				if th.pass(time.Duration(at * 1e9)) {
					n++
				}
			}
			if n < tt.min || n > tt.max {
				t.Errorf("%d of 600 passed, want %d..%d", n, tt.min, tt.max)
			}
		})
	}
}

func TestThinnerAfterPause(t *testing.T) {
	th := thinner{fps: 10}
	var got []bool
	for _, ms := range []int{0, 50, 100, 5000, 5020, 5050, 5100} {
		got = append(got, th.pass(time.Duration(ms)*time.Millisecond))
	}
	if want := []bool{true, false, true, true, false, false, true}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: a pause must not be made up for", got, want)
	}
}
