package rate

import (
	"testing"
	"time"
)

// feed has the ladder choose for pictures that have full bytes at quality 80, for a time.
func feed(c *Controller, p Picture, full float64, from time.Time, length time.Duration) (now time.Time, settings []Setting) {
	for now = from; now.Before(from.Add(length)); now = now.Add(time.Second / 30) {
		s, ok := c.Next(now, p)
		if len(settings) == 0 || settings[len(settings)-1] != s {
			settings = append(settings, s)
		}
		if ok {
			side := float64(s.Scale) / 100
			c.Made(now, p, s, int(full*curveAt(s.Quality)*side*side))
		}
	}
	return now, settings
}

func blind(t *testing.T, most int64) *Controller {
	t.Helper()
	c, err := New(Config{Most: most, Blind: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQualityGoesFirstThenSizeThenRate(t *testing.T) {
	p := Picture{1280, 720, 25}
	for _, tt := range []struct {
		most int64
		ok   func(Setting) bool
	}{
		{100e6, func(s Setting) bool { return s == Setting{80, 100, 1} }},
		{28e6, func(s Setting) bool { return s.Quality < 80 && s.Quality >= worst && s.Scale == 100 && s.Every == 1 }},
		{16e6, func(s Setting) bool { return s.Scale < 100 && s.Quality >= worst && s.Every == 1 }},
		{4e6, func(s Setting) bool { return s.Scale < 50 && s.Quality >= worst && s.Every == 1 }},
		{1e6, func(s Setting) bool { return s.Scale == 25 && s.Every >= 2 }},
	} {
		c := blind(t, tt.most)
		feed(c, p, 130e3, epoch, 20*time.Second)
		if s := c.ladder.set; !tt.ok(s) {
			t.Errorf("%d Mbit/s: %+v", tt.most/1e6, s)
		}
	}
}

func TestPictureIsNotMadeSmallerThanIsOfUse(t *testing.T) {
	for least, want := range map[int]int{100: 100, 80: 100, 75: 75, 60: 75, 50: 50, 30: 35, 25: 25, 1: 25} {
		c := blind(t, 200e3)
		feed(c, Picture{320, 240, least}, 40e3, epoch, 5*time.Second)
		if s := c.ladder.set; s.Scale != want || s.Every < 4 {
			t.Errorf("least %d %%: %+v, want %d %%", least, s, want)
		}
	}
}

func TestSettingsStayForASecondUnlessOverBudget(t *testing.T) {
	c := blind(t, 20e6)
	p := Picture{1280, 720, 25}
	now, _ := feed(c, p, 130e3, epoch, 10*time.Second)
	at, was := c.ladder.at, c.ladder.set
	for range 600 {
		now, _ = feed(c, p, 60e3, now, time.Second/30) // smaller: there is room
		if s := c.ladder.set; s != was {
			if d := now.Sub(at); d < hold {
				t.Fatalf("%+v became %+v after %v", was, s, d)
			}
			if s.Scale == was.Scale && s.Quality != 80 && s.Quality-was.Quality < grid {
				t.Fatalf("%+v became %+v: too small a step", was, s)
			}
			at, was = now, s
		}
	}
	if was != (Setting{80, 100, 1}) {
		t.Errorf("with room for all it is at %+v", was)
	}
	// Over the budget: at once.
	if _, s := feed(c, p, 150e3, now, 3*time.Second/30); len(s) < 2 {
		t.Error("it stayed")
	}
}

func TestPictureFarOverItsBudgetIsEncodedOnceMore(t *testing.T) {
	c := blind(t, 20e6)
	p := Picture{1280, 720, 25}
	now, _ := feed(c, p, 60e3, epoch, 5*time.Second)
	set, _ := c.Next(now, p)
	again, ok := c.Made(now, p, set, 300e3)
	if !ok || again.Quality >= set.Quality || again.Scale != set.Scale {
		t.Fatalf("after %+v came %+v, %v", set, again, ok)
	}
	if _, more := c.Made(now, p, again, 290e3); more {
		t.Error("a third time")
	}
	next, _ := c.Next(now.Add(time.Second/30), p)
	if next.Scale == 100 && next.Quality >= again.Quality {
		t.Errorf("the next is %+v", next)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{{Quality: 101}, {Quality: -1}, {Most: 10}, {Packet: 3}, {Start: 5}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

func TestStatusNamesWhatWasChanged(t *testing.T) {
	for want, s := range map[string]Stats{
		"q80":                      {Quality: 80, Scale: 100, Every: 1},
		"q65 x0.75 18 Mbit/s":      {Quality: 65, Scale: 75, Every: 1, Rate: 18e6},
		"q40 x0.5 1/2 2.35 Mbit/s": {Quality: 40, Scale: 50, Every: 2, Rate: 2.35e6},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
