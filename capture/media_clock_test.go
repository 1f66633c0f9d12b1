package capture

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestMediaClock(t *testing.T) {
	nan, ms := math.NaN(), time.Millisecond
	for name, tt := range map[string]struct {
		fps  float64
		says []float64 // ms
		want []time.Duration
	}{
		"even":               {25, []float64{0, 40, 80}, []time.Duration{0, 40 * ms, 80 * ms}},
		"starts late":        {25, []float64{400, 440, 480}, []time.Duration{0, 40 * ms, 80 * ms}},
		"starts below zero":  {25, []float64{-80, -40, 0}, []time.Duration{0, 40 * ms, 80 * ms}},
		"variable":           {25, []float64{0, 10, 5000, 5040}, []time.Duration{0, 10 * ms, 5000 * ms, 5040 * ms}},
		"no times at all":    {25, []float64{0, 0, 0}, []time.Duration{0, 40 * ms, 80 * ms}},
		"not a number":       {25, []float64{nan, nan, nan}, []time.Duration{0, 40 * ms, 80 * ms}},
		"unset":              {25, []float64{-7.686143364045646e+15, -7.686143364045606e+15}, []time.Duration{0, 40 * ms}},
		"back once":          {25, []float64{0, 40, 20, 60}, []time.Duration{0, 40 * ms, 80 * ms, 120 * ms}},
		"jump":               {25, []float64{0, 40, 9e6, 9e6 + 40}, []time.Duration{0, 40 * ms, 80 * ms, 120 * ms}},
		"jump back":          {25, []float64{9e6, 9e6 + 40, 0, 40}, []time.Duration{0, 40 * ms, 80 * ms, 120 * ms}},
		"absurd rate":        {1.2e6, []float64{nan, nan}, []time.Duration{0, time.Second / 30}},
		"rate not a number":  {nan, []float64{nan, nan}, []time.Duration{0, time.Second / 30}},
		"one time is broken": {25, []float64{0, 40, nan, 120}, []time.Duration{0, 40 * ms, 80 * ms, 120 * ms}},
	} {
		c := newMediaClock(tt.fps, 0)
		for i, says := range tt.says {
			got := c.next(says)
			if d := got - tt.want[i]; d > ms || d < -ms {
				t.Errorf("%s: picture %d is at %v, want %v", name, i, got, tt.want[i])
			}
		}
	}
}

func TestMediaClockRounds(t *testing.T) {
	c := newMediaClock(25, 3)
	for i := range 9 {
		if i > 0 && i%3 == 0 {
			c.restart()
		}
		if got, want := c.next(float64(1000+40*(i%3))), time.Duration(40*i)*time.Millisecond; got != want {
			t.Errorf("picture %d is at %v, want %v", i, got, want)
		}
	}
}

func TestMediaClockFindsCuts(t *testing.T) {
	for name, tt := range map[string]struct {
		fps, total float64
		n          int
		interval   float64 // ms
		want       string
	}{
		"whole":                  {30, 166, 166, 1000.0 / 30, ""},
		"one less":               {30, 167, 166, 1000.0 / 30, ""},
		"half":                   {30, 166, 79, 1000.0 / 30, "ended after 79 of 166 frames (2.6 of 5.5 s)"},
		"AVI that counts double": {60, 332, 166, 1000.0 / 30, ""},
		"the same, cut":          {60, 332, 63, 1000.0 / 30, "ended after 63 of 332 frames (2.1 of 5.5 s)"},
		"nothing promised":       {30, 0, 5, 33, ""},
		"rubbish promised":       {30, -2.3e14, 5, 33, ""},
		"count without rate":     {1.2e6, 500, 5, 33, ""},
	} {
		c := newMediaClock(tt.fps, tt.total)
		for i := range tt.n {
			c.next(float64(i) * tt.interval)
		}
		err := c.cut("clip.mp4")
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}
