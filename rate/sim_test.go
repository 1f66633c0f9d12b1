package rate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// sim sends a stream through a simulated bottleneck to a viewer that reports as
// udp.Receiver does. All is driven by its own clock.
type sim struct {
	c    *Controller
	rnd  *rand.Rand
	pic  Picture
	fps  float64
	full func(time.Duration) float64 // bytes of a frame at quality 80

	rate  func(time.Duration) float64 // bit/s of the bottleneck
	queue float64                     // bytes that it holds
	loss  float64                     // before it
	delay time.Duration
	spare float64                           // parity, share of a frame's datagrams
	gone  func(time.Duration) bool          // the way is interrupted; nil is never
	lie   func(time.Duration) time.Duration // that reports say of the queue on top; nil is none

	// What happens.
	free     time.Duration // when the bottleneck has sent all it holds
	received uint64
	missing  uint64
	least    time.Duration // one-way
	recent   time.Duration // since the last report
	fresh    bool
	told     time.Duration // last report
	toldQ    time.Duration
	news     bool
	pending  []event
	frames   []outcome
	reports  int
	thinned  int // frames that were not sent to this viewer, but encoded
}

type event struct {
	at  time.Duration
	rep Report
}

// outcome is what became of a frame.
type outcome struct {
	at      time.Duration // captured
	set     Setting
	bytes   int
	whole   bool
	latency time.Duration
}

const packetBytes, shardBytes = 1500, 1440

var epoch = time.Unix(1e9, 0)

func newSim(t *testing.T, cfg Config) *sim {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &sim{
		c: c, rnd: rand.New(rand.NewPCG(1, 2)), pic: Picture{Width: 1280, Height: 720, Least: 25}, fps: 30,
		full: constant(65e3), rate: constant(100e6), queue: 128e3, delay: 5 * time.Millisecond, spare: 0.1,
	}
}

func constant(v float64) func(time.Duration) float64 { return func(time.Duration) float64 { return v } }

// squeezed is 100 Mbit/s, but 20 from 10 s to 20 s.
func squeezed(at time.Duration) float64 {
	if at >= 10*time.Second && at < 20*time.Second {
		return 20e6
	}
	return 100e6
}

func (s *sim) run(length time.Duration) {
	for i := 0; ; i++ {
		at := time.Duration(float64(i) / s.fps * 1e9)
		if at >= length {
			return
		}
		s.deliver(at)
		set, ok := s.c.Next(epoch.Add(at), s.pic)
		if !ok {
			continue
		}
		bytes := s.encode(at, set)
		if lower, again := s.c.Made(epoch.Add(at), s.pic, set, bytes); again {
			set = lower
			bytes = s.encode(at, set)
			s.c.Made(epoch.Add(at), s.pic, set, bytes)
		}
		if n := s.c.EveryFor("viewer"); i%n != 0 { // as udp.Sender does
			s.thinned++
			continue
		}
		s.send(at, set, bytes)
	}
}

// encode gives sizes that the model does not expect: another curve, another power of the
// side, and 4 % of noise.
func (s *sim) encode(at time.Duration, set Setting) int {
	quality := math.Pow(curveAt(set.Quality), 1.3)
	return int(s.full(at) * quality * math.Pow(float64(set.Scale)/100, 1.7) * (1 + 0.04*(2*s.rnd.Float64()-1)))
}

// send paces a frame over half its time.
func (s *sim) send(at time.Duration, set Setting, bytes int) {
	data := (bytes + shardBytes - 1) / shardBytes
	parity := int(math.Ceil(float64(data) * s.spare))
	n := data + parity
	lost, last, first := 0, time.Duration(0), time.Duration(-1)
	for i := range n {
		t := at + time.Duration(float64(i)/float64(n)*0.5/s.fps*1e9)
		rate := s.rate(t)
		waiting := max(s.free-t, 0).Seconds() * rate / 8
		if s.rnd.Float64() < s.loss || s.gone != nil && s.gone(t) || waiting+packetBytes > s.queue {
			lost++
			continue
		}
		s.free = max(s.free, t) + time.Duration(packetBytes*8/rate*1e9)
		last = s.free + s.delay
		if first < 0 {
			first = last
		}
	}
	s.received += uint64(n - lost)
	s.missing += uint64(lost)
	o := outcome{at, set, bytes, lost <= parity, last - at}
	s.frames = append(s.frames, o)
	if first < 0 {
		return
	}
	if s.lie != nil {
		first += s.lie(at)
	}
	s.report(last, first-at, o.whole)
}

// report is the viewer's, when a frame has come or was given up.
func (s *sim) report(now, oneWay time.Duration, whole bool) {
	if s.least == 0 || oneWay < s.least {
		s.least = oneWay
	}
	if !s.fresh || oneWay < s.recent {
		s.recent, s.fresh = oneWay, true
	}
	q := oneWay - s.least
	s.news = s.news || !whole || q > s.toldQ+10*time.Millisecond
	if d := now - s.told; d < time.Second && !(s.news && d >= 100*time.Millisecond) {
		return
	}
	s.told, s.toldQ, s.news, s.fresh = now, s.recent-s.least, false, false
	s.reports++
	s.pending = append(s.pending, event{now + s.delay, Report{
		Viewer: "viewer", Received: s.received, Missing: s.missing, Queueing: s.recent - s.least, RTT: 2 * s.delay,
	}})
}

func (s *sim) deliver(at time.Duration) {
	for len(s.pending) > 0 && s.pending[0].at <= at {
		s.c.Report(epoch.Add(s.pending[0].at), s.pending[0].rep)
		s.pending = s.pending[1:]
	}
}

// between are the figures of the frames captured in a time.
type between struct {
	frames, whole, changes int
	freeze                 time.Duration
	p99                    time.Duration
	bytes, quality         float64 // means
}

func (s *sim) between(from, to time.Duration) (b between) {
	shown := from
	var late []time.Duration
	var before *outcome
	for i := range s.frames {
		o := &s.frames[i]
		if o.at < from || o.at >= to {
			continue
		}
		b.frames++
		b.bytes += float64(o.bytes)
		b.quality += float64(o.set.Quality)
		if before != nil && before.set != o.set {
			b.changes++
		}
		before = o
		if o.whole {
			b.whole++
			late = append(late, o.latency)
			b.freeze = max(b.freeze, o.at+o.latency-shown)
			shown = o.at + o.latency
		}
	}
	b.bytes /= float64(b.frames)
	b.quality /= float64(b.frames)
	b.p99 = quantile(late, 0.99)
	return b
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return math.MaxInt64
	}
	sorted := append([]time.Duration(nil), d...)
	for i := range sorted {
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

func (b between) String() string {
	return fmt.Sprintf("%d frames, %d whole, %d changes, freeze %v, p99 %v, %.0f bytes, q%.0f", b.frames, b.whole, b.changes,
		b.freeze.Round(time.Millisecond), b.p99.Round(time.Millisecond), b.bytes, b.quality)
}
