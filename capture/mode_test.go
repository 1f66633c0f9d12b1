package capture

import (
	"image"
	"testing"
)

func TestPickMode(t *testing.T) {
	pt := image.Pt
	at := func(w, h int, rates ...float64) FrameSize {
		s := FrameSize{Min: pt(w, h), Max: pt(w, h), Step: pt(1, 1)}
		for _, r := range rates {
			s.Rates = append(s.Rates, RateRange{r, r})
		}
		return s
	}
	usual := []FrameSize{
		at(320, 240, 30, 15), at(640, 480, 60, 30, 15), at(800, 600, 30), at(1280, 720, 30, 10), at(1920, 1080, 30, 5),
	}
	slow := []FrameSize{at(640, 480, 30), at(1280, 720, 10)}
	large := []FrameSize{at(2592, 1944, 15), at(1920, 1080, 30)}
	ranged := []FrameSize{{Min: pt(32, 24), Max: pt(2592, 1944), Step: pt(16, 8), Rates: []RateRange{{1, 90}}}}
	unknown := []FrameSize{at(640, 480), at(1280, 720)}
	for name, tt := range map[string]struct {
		sizes []FrameSize
		size  image.Point
		fps   float64
		want  mode
	}{
		"720p by default":               {usual, pt(0, 0), 0, mode{pt(1280, 720), 30}},
		"smaller rather than jerky":     {slow, pt(0, 0), 0, mode{pt(640, 480), 30}},
		"largest at the rate asked for": {usual, pt(0, 0), 60, mode{pt(640, 480), 60}},
		"a lower rate is offered":       {usual, pt(0, 0), 12, mode{pt(1280, 720), 30}},
		"none that small":               {large, pt(0, 0), 0, mode{pt(1920, 1080), 30}},
		"exactly":                       {usual, pt(640, 480), 0, mode{pt(640, 480), 30}},
		"exactly, and as fast":          {usual, pt(640, 480), 50, mode{pt(640, 480), 60}},
		"exactly, as fast as it can":    {usual, pt(1920, 1080), 60, mode{pt(1920, 1080), 30}},
		"the next larger":               {usual, pt(700, 500), 0, mode{pt(800, 600), 30}},
		"larger both ways":              {usual, pt(1000, 300), 0, mode{pt(1280, 720), 30}},
		"the largest":                   {usual, pt(3840, 2160), 0, mode{pt(1920, 1080), 30}},
		"in a range":                    {ranged, pt(640, 480), 50, mode{pt(640, 480), 50}},
		"between the steps of a range":  {ranged, pt(650, 481), 200, mode{pt(656, 488), 90}},
		"beyond a range":                {ranged, pt(9999, 9999), 0.5, mode{pt(2592, 1944), 1}},
		"a range, 720p":                 {ranged, pt(0, 0), 0, mode{pt(1280, 720), 30}},
		"rates not told":                {unknown, pt(0, 0), 0, mode{pt(1280, 720), 30}},
		"nothing told":                  {nil, pt(0, 0), 0, mode{pt(1280, 720), 30}},
		"nothing told, asked":           {nil, pt(640, 360), 25, mode{pt(640, 360), 25}},
		"29.97 is enough for 30":        {[]FrameSize{at(640, 480, 60, 30000.0/1001)}, pt(0, 0), 30, mode{pt(640, 480), 30000.0 / 1001}},
	} {
		if got := pickMode(tt.sizes, tt.size, tt.fps); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
