package display

import (
	"slices"
	"testing"
	"time"
)

func TestRecordClock(t *testing.T) {
	const s = time.Second
	for name, tt := range map[string]struct {
		captured, arrived, want []time.Duration // since some start
	}{
		"as captured":        {[]time.Duration{0, 33333333, 66666667}, []time.Duration{5 * s, 6 * s, 6*s + 1}, []time.Duration{0, 33333333, 66666667}},
		"arrives in a burst": {[]time.Duration{0, s, 2 * s, 3 * s}, []time.Duration{0, 3 * s, 3 * s, 3 * s}, []time.Duration{0, s, 2 * s, 3 * s}},
		"a real gap":         {[]time.Duration{0, s, 9000 * s}, []time.Duration{0, s, 9000 * s}, []time.Duration{0, s, 9000 * s}},
		"clock set back":     {[]time.Duration{9000 * s, 9001 * s, 5 * s, 6 * s}, []time.Duration{0, s, 3 * s, 4 * s}, []time.Duration{0, s, 3 * s, 4 * s}},
		"clock set forward":  {[]time.Duration{0, s, 9000 * s, 9001 * s}, []time.Duration{0, s, 2 * s, 3 * s}, []time.Duration{0, s, 2 * s, 3 * s}},
		"a little forward":   {[]time.Duration{0, s, 3 * s}, []time.Duration{0, s, 2 * s}, []time.Duration{0, s, 3 * s}},
		"more than a little": {[]time.Duration{0, s, 3*s + 1}, []time.Duration{0, s, 2 * s}, []time.Duration{0, s, 2 * s}},
		"stands still":       {[]time.Duration{7 * s, 7 * s, 7 * s}, []time.Duration{0, s, 2 * s}, []time.Duration{0, s, 2 * s}},
		"our clock set back": {[]time.Duration{0, s, 0}, []time.Duration{9 * s, 8 * s, 7 * s}, []time.Duration{0, s, s}},
	} {
		t.Run(name, func(t *testing.T) {
			var c recordClock
			var got []time.Duration
			zero := time.UnixMicro(1_700_000_000_000_000)
			for i := range tt.captured {
				got = append(got, c.next(zero.Add(tt.captured[i]), zero.Add(tt.arrived[i])))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Whatever a stranger writes into the time of a frame, time advances.
func TestRecordClockTakesAnyTime(t *testing.T) {
	var c recordClock
	now, last := time.UnixMicro(1_700_000_000_000_000), time.Duration(-1)
	for i, us := range []int64{1<<63 - 1, -1 << 63, 0, 5, 1<<62 + 1, -1, 1 << 51} {
		now = now.Add(40 * time.Millisecond)
		at := c.next(time.UnixMicro(us), now)
		if at <= last || at > time.Duration(i+1)*(maxLeap+time.Second) {
			t.Errorf("frame %d at %v, the one before at %v", i, at, last)
		}
		last = at
	}
}
