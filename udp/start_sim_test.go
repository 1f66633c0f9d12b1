package udp

import (
	"bytes"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/rate"
	"github.com/framegram/framegram/udp/heal"
	"github.com/framegram/framegram/udp/pace"
)

// startSim plays the start of a stream over one slow link with all that decides about it: rate control, pacing and
// parity at the sender, reassembly and reports at the viewer. It has neither sockets nor a clock, and nothing is
// sent again.
type startSim struct {
	t     *testing.T
	now   time.Time
	rng   *rand.Rand
	queue events

	// Sender.
	ctl      *rate.Controller
	viewers  viewers
	guard    heal.Policy
	cut      *fragment.Splitter
	path     pace.Path
	id       uint32
	seq      uint64
	free     time.Time // when it has sent the frame before
	picture  rate.Picture
	fps      float64
	full     float64 // bytes of a frame at quality 80
	sent     int
	deferred int

	// Link.
	bits  float64 // bit/s
	room  float64 // bytes that its queue holds
	loss  float64
	delay time.Duration
	busy  time.Time // until when the line is

	// Viewer.
	r     *Receiver
	shown int
	first time.Duration
	began time.Time
}

// events are what happens when, the earliest first.
type events []event

type event struct {
	at    time.Time
	order int
	do    func()
}

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

const simSession, simPacket = 5, 1408 + fragment.HeaderLen + 28

var simViewer, simSender = ap("10.0.0.2:5600"), ap("10.0.0.1:7000")

func newStartSim(t *testing.T, p rate.Picture, fps, full, bits, room, loss float64) *startSim {
	t.Helper()
	ctl, err := rate.New(rate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	s := &startSim{
		t: t, now: time.Unix(1000, 0), rng: rand.New(rand.NewPCG(1, 2)), ctl: ctl, cut: cut, picture: p, fps: fps, full: full,
		bits: bits, room: room, loss: loss, delay: 5 * time.Millisecond,
		r: &Receiver{frames: reassembler(t), wants: newWants(false, 0)},
	}
	s.began, s.busy, s.free = s.now, s.now, s.now
	s.viewers.expect(simSession, simViewer.String(), simViewer, false, s.now)
	s.viewers.reported = func(v ViewerStats) {
		s.ctl.Report(s.now, rate.Report{
			Viewer: v.Addr, Received: v.Received, Missing: v.Missing, Queueing: time.Duration(v.Queueing) * time.Microsecond,
			Nothing: v.Complete == 0, Arrival: float64(v.Arrival), Parity: v.Parity,
		})
	}
	cut.SetParity(func(k int) int { return s.guard.Parity(k) })
	return s
}

func (s *startSim) after(d time.Duration, do func()) {
	s.deferred++
	heap.Push(&s.queue, event{s.now.Add(d), s.deferred, do})
}

func (s *startSim) run(d time.Duration) {
	interval := time.Duration(float64(time.Second) / s.fps)
	for i := range int(d / interval) {
		s.after(time.Duration(i)*interval, s.capture)
	}
	for i := range int(d / pingFast) {
		s.after(time.Duration(i)*pingFast, func() { s.tell(s.r.report(nil, s.now)) })
	}
	for len(s.queue) > 0 && s.queue[0].at.Sub(s.began) < d {
		e := heap.Pop(&s.queue).(event)
		s.now = e.at
		e.do()
	}
}

// capture encodes a picture, unless the one before is still being sent: bytes go with the curve of package rate and
// the side.
func (s *startSim) capture() {
	if s.now.Before(s.free) {
		return
	}
	set, ok := s.ctl.Next(s.now, s.picture)
	if !ok {
		return
	}
	size := s.size(set)
	if lower, again := s.ctl.Made(s.now, s.picture, set, size); again {
		size = s.size(lower)
		s.ctl.Made(s.now, s.picture, lower, size)
	}
	s.sent++
	loss, _ := s.viewers.loss(simSession, s.now)
	s.guard.Set(loss, 0, 0)
	s.id++
	all, err := s.cut.Split(s.id, s.now.UnixMicro(), make([]byte, size))
	if err != nil {
		s.t.Fatal(err)
	}
	s.cut.Stamp(0, len(all), simSession, s.seq)
	s.seq += uint64(len(all))
	var datagrams [][]byte
	for _, g := range all {
		datagrams = append(datagrams, append(bytes.Clone(g.Header), g.Payload...))
	}
	s.path.Begin(s.now, len(all)*simPacket, s.viewers.path(simSession), time.Duration(float64(set.Every)/s.fps*1e9))
	s.free = s.now.Add(time.Hour)
	s.send(datagrams)
}

func (s *startSim) size(set rate.Setting) int {
	side := float64(set.Scale) / 100
	return int(s.full*(0.2+0.8*float64(set.Quality)/80)*side*side) + 600
}

// send puts what the path lets through on the link, and goes on with the rest later.
func (s *startSim) send(datagrams [][]byte) {
	for len(datagrams) > 0 {
		s.path.Learn(s.now, s.viewers.path(simSession))
		n, due := s.path.Next(s.now)
		if due.After(s.now) {
			s.after(due.Sub(s.now), func() { s.send(datagrams) })
			return
		}
		n = min(n, len(datagrams))
		for _, b := range datagrams[:n] {
			s.carry(b)
		}
		s.path.Sent(s.now, n*simPacket)
		datagrams = datagrams[n:]
	}
	s.free = s.now
}

func (s *startSim) carry(b []byte) {
	size := float64(len(b) + 28)
	waiting := max(s.busy.Sub(s.now).Seconds(), 0) * s.bits / 8
	if waiting+size > max(s.room, 1500) {
		return
	}
	if s.busy.Before(s.now) {
		s.busy = s.now
	}
	s.busy = s.busy.Add(time.Duration(size * 8 / s.bits * 1e9))
	if s.rng.Float64() < s.loss {
		return
	}
	s.after(s.busy.Sub(s.now)+s.delay, func() { s.arrive(b) })
}

// arrive is the viewer's read loop.
func (s *startSim) arrive(b []byte) {
	f := s.r.frames.Push(s.now, simSender, b)
	if f != nil {
		if s.shown++; s.shown == 1 {
			s.first = s.now.Sub(s.began)
		}
		s.r.pinger.follow(s.now, simSender, 0)
		s.r.account(f)
		f.Release()
		if s.shown == 1 {
			s.tell(s.r.report(nil, s.now))
		}
	}
	s.r.frames.Expire(s.now)
	s.r.watch()
	s.r.reportCandidates(s.now)
	for _, q := range s.r.candidates.out[:s.r.candidates.ready] {
		s.tell(q.b)
	}
	s.r.wanted(s.now)
}

// tell takes a report to the sender, unless it is lost.
func (s *startSim) tell(report []byte) {
	if len(report) == 0 || s.rng.Float64() < s.loss {
		return
	}
	b := bytes.Clone(report)
	s.after(s.delay, func() { s.viewers.report(simViewer, b, s.now) })
}

// There is a picture on every link: no combination of rate, picture, queue and loss leaves a viewer without one.
func TestPictureOnEveryLink(t *testing.T) {
	for _, p := range []struct {
		name      string
		fps, full float64
		rate.Picture
	}{
		{"320x240@10", 10, 9e3, rate.Picture{Width: 320, Height: 240, Least: 50}},
		{"720p30", 30, 66e3, rate.Picture{Width: 1280, Height: 720, Least: 25}},
		{"1080p60", 60, 118e3, rate.Picture{Width: 1920, Height: 1080, Least: 17}},
		{"2160p30", 30, 440e3, rate.Picture{Width: 3840, Height: 2160, Least: 12}},
	} {
		for _, mbit := range []float64{1, 2, 5, 10, 20, 50, 100} {
			for _, queue := range []float64{mbit * 1e6 / 8 / 50, 64e3} {
				for _, loss := range []float64{0, 0.05, 0.3} {
					name := fmt.Sprintf("%s, %v Mbit/s, queue of %.0f kB, loss %.0f %%", p.name, mbit, queue/1e3, 100*loss)
					s := newStartSim(t, p.Picture, p.fps, p.full, mbit*1e6, queue, loss)
					s.run(4 * time.Second)
					limit := time.Second
					if mbit <= 5 {
						limit = 2 * time.Second
					}
					if mbit <= 2 && loss > 0 { // a frame is one of few, and most of them are lost
						limit = 4 * time.Second
					}
					if s.shown == 0 || s.first > limit {
						t.Errorf("%s: the first of %d pictures is shown after %v; %d frames were sent", name, s.shown, s.first, s.sent)
					}
					if least := int(0.3 * p.fps * 4); mbit >= 20 && s.shown < least {
						t.Errorf("%s: %d pictures are shown in 4 s, want %d", name, s.shown, least)
					}
				}
			}
		}
	}
}

// A stream on a fast link begins in full size, waits for nothing but the first report, and is not spread for long.
func TestFastLinkStartsAtOnce(t *testing.T) {
	s := newStartSim(t, rate.Picture{Width: 1280, Height: 720, Least: 25}, 30, 66e3, 1e9, 64e3, 0)
	s.delay = 200 * time.Microsecond
	s.run(time.Second)
	if s.first > 10*time.Millisecond || s.shown < s.sent-1 || s.sent < 29 {
		t.Errorf("the first picture comes after %v, %d of %d are shown", s.first, s.shown, s.sent)
	}
	if f := s.ctl.Stats(s.now); f.Cuts != 0 || f.Scale != 100 || f.Quality != 80 {
		t.Errorf("after a second: %+v", f)
	}
	if p := s.viewers.path(simSession); p.Spread && p.Rate < 300e6 {
		t.Errorf("the path is %+v", p)
	}
}
