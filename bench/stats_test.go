package bench

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// near compares to a millionth.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*max(1, math.Abs(want)) }

// near compares to what HdrHistogram promises.
func (p *Percentiles) near(want Percentiles) bool {
	equal := func(a, b Figure) bool { return a == b || math.Abs(float64(a-b)) <= float64(b)/1000 }
	return equal(p.P50, want.P50) && equal(p.P90, want.P90) && equal(p.P99, want.P99) && equal(p.P999, want.P999) && p.Max == want.Max
}

// byHand is ten frames at 100 fps, each 2 ms encode, 1 ms send, 3 ms network and 4 ms
// decode, unless changed.
func byHand() Run {
	r := Run{Point: Point{Transport: "udp", Scenario: Scenario{FPS: 100, Length: Duration{100 * time.Millisecond}}}, Began: epoch}
	for i := range int64(10) {
		c := epoch + i*10_000
		r.Sent = append(r.Sent, SentFrame{c, c + 2000, c + 3000, 1250, 0})
		r.Shown = append(r.Shown, ShownFrame{c, c + 2500, c + 6000, c + 10_000, 1250, 0})
	}
	return r
}

func TestStatsByHand(t *testing.T) {
	r := byHand()
	r.Sender = End{Wire: 1500, Payload: 1000, CPU: Duration{time.Second}, Wall: Duration{4 * time.Second}, Peak: 3 << 20}
	r.Shown[4].Decoded += 60_000                   // 70 ms
	r.Shown[7].Decoded, r.Shown[7].Complete = 0, 0 // lost
	s := Analyse(r)
	if s.Due != 10 || s.Captured != 10 || s.Shown != 9 {
		t.Errorf("due %d, captured %d, shown %d, want 10, 10, 9", s.Due, s.Captured, s.Shown)
	}
	want := []Within{{Duration{10 * time.Millisecond}, .8}, {Duration{50 * time.Millisecond}, .8}, {Duration{100 * time.Millisecond}, .9}, {Duration{200 * time.Millisecond}, .9}}
	if !slices.Equal(s.Within, want) {
		t.Errorf("within %v, want %v", s.Within, want)
	}
	if want := (Percentiles{10, 10, 70, 70, 70}); !s.Latency.near(want) {
		t.Errorf("latency %v, want %v", *s.Latency, want)
	}
	if want := (Percentiles{10, 70, Never, Never, Never}); !s.OfDue.near(want) { // ranks 5, 9, 10, 10 of 10
		t.Errorf("latency of due %v, want %v", *s.OfDue, want)
	}
	mean := s.Stages.Mean
	if !near(mean.Encode, 2) || !near(mean.Send, 1) || !near(mean.Network, 3) || !near(mean.Decode, 4+60./9) {
		t.Errorf("stages %+v, want 2, 1, 3 and 10.667 ms", mean)
	}
	if slow := s.Stages.Slowest; slow != (StageTimes{2, 1, 3, 64}) {
		t.Errorf("slowest %+v, want 2, 1, 3, 64 ms", slow)
	}
	if s.Stages.FirstByte.P50 != 2.5 || s.Stages.Arrival.P50 != 3.5 {
		t.Errorf("first byte %v, arrival %v, want 2.5 and 3.5 ms", s.Stages.FirstByte.P50, s.Stages.Arrival.P50)
	}
	// Pictures at 10, 20, 30, 40, then 60, 70, (80 is lost) 90, 100, and 110 after 50 ms + 60.
	if s.Freeze != 20 {
		t.Errorf("freeze %v ms, want 20", s.Freeze)
	}
	if s.Jitter == nil || !near(*s.Jitter, 120./8) { // two changes of 60 ms among 8
		t.Errorf("jitter %v, want 15 ms", *s.Jitter)
	}
	if !near(s.FPS, 90) || !near(s.Goodput, 9*1250*8/1e6/.1) {
		t.Errorf("%v fps, %v Mbit/s, want 90 and 0.9", s.FPS, s.Goodput)
	}
	if *s.Overhead != 1.5 || *s.SenderCPU != .25 || *s.SenderMemory != 3 || s.ViewerCPU != nil {
		t.Errorf("overhead %v, cpu %v, %v, memory %v", *s.Overhead, *s.SenderCPU, s.ViewerCPU, *s.SenderMemory)
	}
	if n := len(s.Series.At); n != 10 || s.Series.Missed[7] != 1 || s.Series.MS[7] != Never || s.Series.MS[4] != 70 {
		t.Errorf("series %+v", s.Series)
	}
}

func TestUnevennessIsTheDeviationOfIntervals(t *testing.T) {
	r := byHand()
	for i := range r.Shown { // intervals 8, 12, 8, 12…: deviation 2, but for the odd one
		if i%2 == 1 {
			r.Shown[i].Decoded -= 2000
		}
	}
	s := Analyse(r)
	// Nine intervals, five of 8 and four of 12: mean 88/9, variance 16*20/81.
	if want := math.Sqrt(16 * 20 / 81.); !near(*s.Unevenness, want) || !near(*s.Jitter, 2) {
		t.Errorf("unevenness %v, jitter %v, want %v and 2", *s.Unevenness, *s.Jitter, want)
	}
}

// What happened before the warm-up is over counts for nothing, but for the picture that
// is on the screen by then.
func TestWarmupIsLeftOut(t *testing.T) {
	r := byHand()
	r.Scenario.Warmup, r.Scenario.Length = Duration{50 * time.Millisecond}, Duration{50 * time.Millisecond}
	for i := range 5 {
		r.Shown[i].Decoded += 900_000
	}
	s := Analyse(r)
	if s.Due != 5 || s.Shown != 5 || s.Latency.Max != 10 || s.Main().Share != 1 {
		t.Errorf("due %d, shown %d, max %v, share %v, want 5, 5, 10, 1", s.Due, s.Shown, s.Latency.Max, s.Main().Share)
	}
}

// The stall: for two of ten seconds nothing is captured at all. A measurement that only
// asks the frames that came finds a perfect run.
func TestStallIsNotOmitted(t *testing.T) {
	make := func(stall func(i int, c int64) (captured int64, sent, shown bool)) Stats {
		r := Run{Point: Point{Transport: "tcp", Scenario: Scenario{FPS: 30, Length: Duration{10 * time.Second}}}, Began: epoch}
		for i := range 300 {
			c, sent, shown := stall(i, epoch+int64(i)*1_000_000/30)
			if sent {
				r.Sent = append(r.Sent, SentFrame{c, c + 1000, c + 2000, 1, 0})
			}
			if shown {
				r.Shown = append(r.Shown, ShownFrame{c, c + 3000, c + 4000, c + 5000, 1, 0})
			}
		}
		return Analyse(r)
	}
	for name, stall := range map[string]func(int, int64) (int64, bool, bool){
		"the source stops":       func(i int, c int64) (int64, bool, bool) { on := i < 120 || i >= 180; return c, on, on },
		"the network stops":      func(i int, c int64) (int64, bool, bool) { return c, true, i < 120 || i >= 180 },
		"it never comes back":    func(i int, c int64) (int64, bool, bool) { return c, i < 240, i < 240 },
		"it comes late":          func(i int, c int64) (int64, bool, bool) { return c, i >= 60, i >= 60 },
		"the source is too slow": func(i int, c int64) (int64, bool, bool) { return c + int64(i)*8_333, i < 240, i < 240 },
	} {
		s := make(stall)
		if s.Due != 300 || s.Shown != 240 || !near(s.Main().Share, .8) {
			t.Errorf("%s: %d of %d shown, share %v, want 240 of 300, 0.8", name, s.Shown, s.Due, s.Main().Share)
		}
		if s.Latency.P99 != 5 {
			t.Errorf("%s: p99 of the frames shown is %v, want 5", name, s.Latency.P99)
		}
		if s.OfDue.P50 != 5 || s.OfDue.P90 != Never || s.OfDue.P99 != Never {
			t.Errorf("%s: percentiles of due %v, want 5 and never", name, *s.OfDue)
		}
		if slow := name == "the source is too slow"; !slow && (s.Freeze < 1980 || s.Freeze > 2060) {
			t.Errorf("%s: freeze %v ms, want about 2000", name, s.Freeze)
		}
		if missed := sum(s.Series.Missed); missed != 60 {
			t.Errorf("%s: %d missed in the series, want 60", name, missed)
		}
	}
}

func sum(values []int) (n int) {
	for _, v := range values {
		n += v
	}
	return n
}

// Missing frames lie where the source skipped.
func TestSkippedFramesLieInTheGap(t *testing.T) {
	r := byHand()
	r.Sent = slices.Delete(slices.Clone(r.Sent), 3, 6)
	r.Shown = slices.Delete(slices.Clone(r.Shown), 3, 6)
	s := Analyse(r)
	if want := []int{0, 0, 0, 1, 1, 1, 0, 0, 0, 0}; !slices.Equal(s.Series.Missed, want) {
		t.Errorf("missed %v, want %v", s.Series.Missed, want)
	}
	if want := []float64{5, 15, 25, 35, 45, 55, 65, 75, 85, 95}; !slices.Equal(s.Series.At, want) {
		t.Errorf("at %v, want %v", s.Series.At, want)
	}
}

// Capture may jitter by just under half an interval, and begin anywhere in it, without
// one frame more or less being due.
func TestJitterOfCaptureMissesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		r := Run{Point: Point{Transport: "udp", Scenario: Scenario{FPS: 30, Length: Duration{3 * time.Second}, Warmup: Duration{time.Second}}}, Began: epoch}
		phase := random.Int64N(33_333)
		for i := range int64(150) {
			c := epoch + phase + i*1_000_000/30 + random.Int64N(8_000)
			r.Sent = append(r.Sent, SentFrame{c, c + 1, c + 2, 1, 0})
			r.Shown = append(r.Shown, ShownFrame{c, c + 3, c + 4, c + 5, 1, 0})
		}
		if s := Analyse(r); s.Due != 90 || s.Shown != 90 {
			t.Fatalf("round %d: %d of %d shown, want 90 of 90", round, s.Shown, s.Due)
		}
	}
}

func TestFasterCameraOwesAllItCaptured(t *testing.T) {
	r := byHand()
	r.Scenario.FPS = 50
	if s := Analyse(r); s.Due != 9 || s.Shown != 9 { // the tenth is captured half an interval of 20 ms before the end
		t.Errorf("%d of %d, want 9 of 9", s.Shown, s.Due)
	}
}

func TestInterruptedRunOwesOnlyWhatWasMeasured(t *testing.T) {
	r := byHand()
	r.Scenario.Length, r.Measured = Duration{time.Hour}, Duration{100 * time.Millisecond}
	if s := Analyse(r); s.Due != 10 || s.Shown != 10 {
		t.Errorf("%d of %d, want 10 of 10", s.Shown, s.Due)
	}
}

func TestNothingShown(t *testing.T) {
	for name, change := range map[string]func(*Run){
		"no traces":     func(r *Run) { r.Sent, r.Shown = nil, nil },
		"nothing sent":  func(r *Run) { r.Sent, r.Shown, r.Began = nil, nil, 0 },
		"nothing shown": func(r *Run) { r.Shown = nil },
		"none decoded": func(r *Run) {
			for i := range r.Shown {
				r.Shown[i].Decoded = 0
			}
		},
	} {
		r := byHand()
		change(&r)
		s := Analyse(r)
		if s.Due != 10 || s.Shown != 0 || s.Main().Share != 0 || s.Latency != nil || s.Stages != nil || s.OfDue.P50 != Never || s.Freeze != 100 {
			t.Errorf("%s: %+v", name, s)
		}
		sane(t, r, s)
		if says := (&Result{r, s}).Trouble(); says == "" {
			t.Errorf("%s: no trouble", name)
		}
	}
}

func TestNoScheduleAtAll(t *testing.T) {
	for _, fps := range []float64{0, -1, math.NaN(), math.Inf(1), 1e300} {
		r := byHand()
		r.Scenario.FPS = fps
		s := Analyse(r)
		if s.Due != 10 || s.Shown != 10 {
			t.Errorf("%v fps: %d of %d, want what was captured", fps, s.Shown, s.Due)
		}
	}
}

func TestClocks(t *testing.T) {
	r := byHand()
	for i := range r.Shown { // the viewer's clock is 3 s behind
		f := &r.Shown[i]
		f.First, f.Complete, f.Decoded = f.First-3e6, f.Complete-3e6, f.Decoded-3e6
	}
	if s := Analyse(r); s.Negative != 10 || s.Latency.Max != 0 || s.Stages.Mean.Network > -2990 {
		t.Errorf("uncorrected: %d negative, max %v, network %v", s.Negative, s.Latency.Max, s.Stages.Mean.Network)
	}
	r.Clock = &Clock{Ahead: Duration{3 * time.Second}, Bound: Duration{250 * time.Microsecond}}
	s := Analyse(r)
	if s.Negative != 0 || s.Latency.P50 != 10 || s.Stages.Mean != (StageTimes{2, 1, 3, 4}) || *s.ClockBound != .25 {
		t.Errorf("corrected: %+v, latency %v, bound %v", s.Stages.Mean, s.Latency.P50, *s.ClockBound)
	}
	r.Clock.Ahead = Duration{5 * time.Hour}
	if s := Analyse(r); s.Odd != 10 || s.Shown != 0 {
		t.Errorf("absurd: %d odd, %d shown, want 10 and 0", s.Odd, s.Shown)
	}
}

// A frame can be whole before the call that sent its end returns.
func TestCompleteBeforeSentReturns(t *testing.T) {
	r := byHand()
	for i := range r.Sent {
		r.Sent[i].Sent += 5000 // 8 ms after capture; complete at 6
	}
	if mean := Analyse(r).Stages.Mean; mean != (StageTimes{2, 4, 0, 4}) {
		t.Errorf("stages %+v, want 2, 4, 0, 4", mean)
	}
}

// The faults that a bench is for show in the right stage.
func TestFaultsShowInTheirStage(t *testing.T) {
	for stage, change := range map[int]func(*Run, int){
		0: func(r *Run, i int) {
			r.Sent[i].Encoded += 30_000
			r.Sent[i].Sent += 30_000
			delay(&r.Shown[i], 30_000)
		},
		1: func(r *Run, i int) { r.Sent[i].Sent += 30_000; delay(&r.Shown[i], 30_000) },
		2: func(r *Run, i int) { delay(&r.Shown[i], 30_000) },
		3: func(r *Run, i int) { r.Shown[i].Decoded += 30_000 },
	} {
		r := byHand()
		for i := range r.Sent {
			change(&r, i)
		}
		before, after := Analyse(byHand()).Stages.Mean.list(), Analyse(r).Stages.Mean.list()
		for i := range after {
			want := before[i]
			if i == stage {
				want += 30
			}
			if !near(after[i], want) {
				t.Errorf("30 ms more in %s: %s is %v ms, want %v", stageNames[stage], stageNames[i], after[i], want)
			}
		}
	}
}

func delay(f *ShownFrame, us int64) {
	f.First, f.Complete, f.Decoded = f.First+us, f.Complete+us, f.Decoded+us
}

// sane is what must hold for every run.
func sane(t *testing.T, r Run, s Stats) {
	t.Helper()
	if s.Shown > s.Captured || s.Captured > s.Due || s.Shown < 0 {
		t.Errorf("shown %d, captured %d, due %d", s.Shown, s.Captured, s.Due)
	}
	byDeadline := slices.Clone(s.Within)
	slices.SortFunc(byDeadline, func(a, b Within) int { return int(a.Deadline.Duration - b.Deadline.Duration) })
	for i, w := range byDeadline {
		if w.Share < 0 || w.Share > ratio(s.Shown, s.Due) || i > 0 && w.Share < byDeadline[i-1].Share {
			t.Errorf("shares %v fall, or are over what was shown", byDeadline)
		}
	}
	for _, p := range []*Percentiles{s.Latency, s.OfDue} {
		if p != nil && !(p.P50 >= 0 && p.P50 <= p.P90 && p.P90 <= p.P99 && p.P99 <= p.P999 && p.P999 <= p.Max) {
			t.Errorf("percentiles %v fall", *p)
		}
	}
	if s.Latency != nil && s.OfDue.P50 < s.Latency.P50 {
		t.Errorf("p50 of due %v is under that of shown %v", s.OfDue.P50, s.Latency.P50)
	}
	if missed := sum(s.Series.Missed); missed != s.Due-s.Shown {
		t.Errorf("%d missed in the series, want %d", missed, s.Due-s.Shown)
	}
	if !slices.IsSorted(s.Series.At) {
		t.Error("the series goes back in time")
	}
	if n := len(s.Curve.MS); n > maxCurve+1 || s.Shown > 0 && (s.Curve.Share[n-1] != ratio(s.Shown, s.Due) || s.Curve.MS[n-1] != float64(s.Latency.Max)) {
		t.Errorf("the distribution has %d points and does not end with the slowest frame", n)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	if result := (Result{r, s}); r.Scenario.FPS >= 0 {
		if err := result.check(); err != nil {
			t.Errorf("its own report would be refused: %v", err)
		}
	}
}

func TestWhatMustHoldForEveryRun(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := Run{Point: Point{Transport: "udp", Scenario: Scenario{
			FPS: 1 + random.Float64()*120, Length: Duration{time.Duration(random.Int64N(int64(20 * time.Second)))},
			Warmup: Duration{time.Duration(random.Int64N(int64(time.Second)))}, Deadline: Duration{time.Duration(random.Int64N(int64(time.Second)))},
		}}, Began: epoch}
		at := epoch + random.Int64N(2_000_000)
		for range random.IntN(1500) {
			at += random.Int64N(60_000)
			f := []int64{at}
			for range 5 {
				f = append(f, f[len(f)-1]+random.Int64N(30_000))
			}
			if random.IntN(5) > 0 {
				r.Sent = append(r.Sent, SentFrame{at, f[1], f[2], 1, 0})
			}
			if random.IntN(5) > 0 {
				shown := ShownFrame{at, f[3], f[4], f[5], 1, 0}
				if random.IntN(5) == 0 {
					shown.Decoded = 0
				}
				r.Shown = append(r.Shown, shown)
			}
		}
		random.Shuffle(len(r.Shown), func(i, j int) { r.Shown[i], r.Shown[j] = r.Shown[j], r.Shown[i] })
		sane(t, r, Analyse(r))
		frames, _ := join(&r)
		for _, f := range frames {
			if f.shown && f.encoded != 0 && f.complete != 0 {
				parts := f.split()
				if total := parts[0] + parts[1] + parts[2] + parts[3]; total != f.latency() {
					t.Fatalf("stages %v add up to %d, want %d", parts, total, f.latency())
				}
			}
		}
	}
}

// The percentiles agree with plain counting, to the histogram's 0.1 %.
func TestPercentilesAgreeWithCounting(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 5))
	for range 50 {
		values := make([]int64, 1+random.IntN(3000))
		for i := range values {
			values[i] = int64(random.ExpFloat64() * 50_000)
		}
		slices.Sort(values)
		p := percentiles(values, len(values))
		for q, got := range map[float64]Figure{.5: p.P50, .9: p.P90, .99: p.P99, .999: p.P999, 1: p.Max} {
			rank := min(max(int(q*float64(len(values))+.5), 1), len(values))
			if want := inMS(values[rank-1]); math.Abs(float64(got)-want) > .001*want+.001 {
				t.Errorf("p%v of %d values: got %v, want %v", q*100, len(values), got, want)
			}
		}
	}
}
