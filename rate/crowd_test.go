package rate

import (
	"fmt"
	"testing"
	"time"
)

// crowd feeds a controller with viewers whose links carry a given rate: who is sent more
// reports a queue, and that as much arrived.
type crowd struct {
	c        *Controller
	received map[string]uint64
	now      time.Time
}

func newCrowd(t *testing.T, cfg Config) *crowd {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &crowd{c: c, received: map[string]uint64{}, now: epoch}
}

// pass sends for some seconds, 10 reports a second; viewers are links in bit/s by name, of
// a group if the name begins with a g. Who skips frames is sent less.
func (c *crowd) pass(length time.Duration, viewers map[string]float64) {
	p := Picture{1280, 720, 25}
	for end, n := c.now.Add(length), 0; c.now.Before(end); n++ {
		set, ok := c.c.Next(c.now, p)
		if ok {
			bytes := int(150e3 * curveAt(set.Quality) * float64(set.Scale*set.Scale) / 1e4)
			if again, ok := c.c.Made(c.now, p, set, bytes); ok {
				c.c.Made(c.now, p, again, int(float64(bytes)*curveAt(again.Quality)/curveAt(set.Quality)))
			}
		}
		if n%3 == 0 {
			sent := float64(c.c.Stats(c.now).Sent)
			for name, link := range viewers {
				had, queueing := sent/float64(c.c.EveryFor(name)), time.Duration(0)
				if had > link {
					had, queueing = link, 60*time.Millisecond
				}
				c.received[name] += uint64(had / 8 / packet / 10)
				c.c.Report(c.now, Report{Viewer: name, Group: name[0] == 'g', Received: c.received[name], Queueing: queueing, RTT: 10 * time.Millisecond})
			}
		}
		c.now = c.now.Add(time.Second / 30)
	}
}

func TestSlowViewerDoesNotDragTheOthersDown(t *testing.T) {
	c := newCrowd(t, Config{})
	c.pass(20*time.Second, map[string]float64{"fast": 1e9, "slow": 8e6})
	if s := c.c.Stats(c.now); s.Quality != 80 || s.Scale != 100 || s.Every != 1 {
		t.Errorf("the encode is at %v", s)
	}
	if fast, slow := c.c.EveryFor("fast"), c.c.EveryFor("slow"); fast != 1 || slow < 4 || slow > 8 {
		t.Errorf("the fast viewer gets one frame of %d, and the slow one of 8 Mbit/s one of %d, of 36 Mbit/s or so", fast, slow)
	}
	if n := c.c.EveryFor("somebody"); n != 1 {
		t.Errorf("who has not reported gets one frame of %d", n)
	}
	// When the fast one has left, the encode is for the slow one, which then gets every frame.
	c.pass(40*time.Second, map[string]float64{"slow": 8e6})
	if s := c.c.Stats(c.now); s.Rate == 0 || s.Rate > 12e6 {
		t.Errorf("the encode is at %v", s)
	}
	if n := c.c.EveryFor("slow"); n > 2 {
		t.Errorf("it gets one frame of %d", n)
	}
}

func TestGroupFollowsItsSlowestMemberDownToAQuarter(t *testing.T) {
	for _, tt := range []struct {
		slow, low, high float64
	}{
		{12e6, 7e6, 16e6}, // followed
		{1e6, 4e6, 16e6},  // not further than a quarter of what the others have
	} {
		t.Run(fmt.Sprintf("%.0f Mbit/s", tt.slow/1e6), func(t *testing.T) {
			c := newCrowd(t, Config{})
			viewers, mean := map[string]float64{"g1": 20e6, "g2": 20e6, "g3": tt.slow}, 0.0
			c.pass(15*time.Second, viewers)
			for range 10 { // probes are above
				c.pass(time.Second, viewers)
				mean += float64(c.c.Stats(c.now).Rate) / 10
			}
			if mean < tt.low || mean > tt.high {
				t.Errorf("the rate is %.1f Mbit/s, want %.0f..%.0f", mean/1e6, tt.low/1e6, tt.high/1e6)
			}
			if n := c.c.EveryFor("g3"); n != 1 {
				t.Errorf("a member of a group is sent what all are, and it gets one of %d", n)
			}
		})
	}
}

func TestNobodyWhoReportsMeansNoLimit(t *testing.T) {
	c := newCrowd(t, Config{})
	c.pass(time.Second, nil)
	if s := c.c.Stats(c.now); s.Rate != Start {
		t.Errorf("it begins with %d bit/s", s.Rate)
	}
	c.pass(5*time.Second, nil)
	if s := c.c.Stats(c.now); s.Rate != 0 || s.Quality != 80 || s.Scale != 100 {
		t.Errorf("it is at %v", s)
	}
}

func TestCeilingHoldsWithoutReports(t *testing.T) {
	for _, most := range []int64{2e6, 10e6, 30e6} {
		c := newCrowd(t, Config{Most: most, Blind: true})
		c.pass(10*time.Second, nil)
		if s := c.c.Stats(c.now); s.Sent > most || s.Sent < most*6/10 {
			t.Errorf("%d bit/s are sent of %d", s.Sent, most)
		}
	}
}

// Finished JPEGs are left out as evenly as it goes.
func TestPassKeepsTheCeiling(t *testing.T) {
	c := newCrowd(t, Config{Most: 10e6, Blind: true})
	passed, gap, most := 0, 0, 0
	for i := range 300 {
		if c.c.Pass(epoch.Add(time.Duration(i)*time.Second/30), 100e3) {
			passed, gap = passed+1, 0
		} else {
			gap++
		}
		most = max(most, gap)
	}
	// 10 Mbit/s are 11.4 frames of 100 kB and 10 % a second.
	if passed < 108 || passed > 120 || most > 2 {
		t.Errorf("%d frames of 300 passed, with %d left out in a row", passed, most)
	}
}

func TestPassLeavesNothingOutBeforeALinkWasFoundSlow(t *testing.T) {
	c := newCrowd(t, Config{})
	for i := range 300 {
		if !c.c.Pass(epoch.Add(time.Duration(i)*time.Second/30), 1e6) {
			t.Fatalf("frame %d was left out", i)
		}
	}
}

func TestViewersAreBounded(t *testing.T) {
	c := newCrowd(t, Config{})
	for i := range 2 * maxViewers {
		c.c.Report(epoch, Report{Viewer: fmt.Sprint(i)})
	}
	if n := len(c.c.links); n != maxViewers {
		t.Errorf("%d are kept", n)
	}
	c.c.Report(epoch.Add(time.Minute), Report{Viewer: "new"})
	if n := len(c.c.links); n != 1 {
		t.Errorf("%d are kept of those silent for a minute", n)
	}
}

// Whatever viewers say, the setting stays one that can be used.
func FuzzReports(f *testing.F) {
	f.Add(uint64(10), uint64(0), int64(0), int64(5e6), uint16(1000), true)
	f.Add(uint64(1<<63), uint64(1<<63), int64(-1), int64(-1), uint16(0), false)
	f.Fuzz(func(t *testing.T, received, missing uint64, queueing, rtt int64, after uint16, group bool) {
		c, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		p, now := Picture{1280, 720, 25}, epoch
		for i := range uint64(20) {
			now = now.Add(time.Duration(after) * time.Millisecond)
			c.Report(now, Report{Viewer: "v", Group: group, Received: received * i, Missing: missing / (i + 1), Queueing: time.Duration(queueing), RTT: time.Duration(rtt)})
			s, ok := c.Next(now, p)
			if s.Quality < 1 || s.Quality > 80 || s.Scale < 25 || s.Scale > 100 || s.Every < 1 || s.Every > 4 {
				t.Fatalf("%+v", s)
			}
			if ok {
				c.Made(now, p, s, 50000)
			}
			if n := c.EveryFor("v"); n < 1 || n > 10 {
				t.Fatalf("one of %d", n)
			}
			if st := c.Stats(now); st.Rate < 0 || st.Budget < 0 {
				t.Fatalf("%+v", st)
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	c := newCrowd(t, Config{})
	c.pass(2*time.Second, map[string]float64{"a": 10e6, "b": 20e6, "g": 9e6})
	p, r := Picture{1280, 720, 25}, Report{Viewer: "a"}
	if n := testing.AllocsPerRun(100, func() {
		c.now = c.now.Add(time.Second / 30)
		set, _ := c.c.Next(c.now, p)
		c.c.Made(c.now, p, set, 50000)
		r.Received += 1000
		c.c.Report(c.now, r)
		c.c.EveryFor("a")
		c.c.Stats(c.now)
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
