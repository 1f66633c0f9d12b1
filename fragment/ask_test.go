package fragment

import (
	"bytes"
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// simulation is a simulated way between a sender that sends again what it is asked for and a viewer.
type simulation struct {
	t        *testing.T
	rng      *rand.Rand
	now      time.Time
	events   events
	seq      uint64
	history  History
	r        *Reassembler
	path     Path
	pictures map[uint32][]byte

	loss, burst float64       // of each datagram, either way
	delay       time.Duration // one way
	jitter      time.Duration // more, at random: it reorders
	session     uint64
	looks       int // calls of Ask
	bad         bool
	due         time.Time // of Ask

	whole   int
	longest time.Duration // from a frame's first datagram to its completion
}

type event struct {
	at time.Time
	do func()
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any          { old := *e; x := old[len(old)-1]; *e = old[:len(old)-1]; return x }

func newSimulation(t *testing.T, cfg Config) *simulation {
	r, err := NewReassembler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &simulation{t: t, rng: rand.New(rand.NewPCG(7, 8)), now: time.Unix(1000, 0), r: r, pictures: map[uint32][]byte{}, session: 5, delay: 5 * time.Millisecond}
	w.path = Path{Ask: true, RTT: 10 * time.Millisecond}
	t.Cleanup(func() { r.Close(); w.history.Drop() })
	return w
}

func (w *simulation) at(after time.Duration, do func()) {
	heap.Push(&w.events, event{w.now.Add(after), do})
}

func (w *simulation) lost() bool {
	if w.burst <= 1 {
		return w.rng.Float64() < w.loss
	}
	if w.bad {
		w.bad = w.rng.Float64() >= 1/w.burst
	} else {
		w.bad = w.rng.Float64() < w.loss/(1-w.loss)/w.burst
	}
	return w.bad
}

// carry has b arrive at the viewer, or not.
func (w *simulation) carry(b []byte) {
	if w.lost() {
		return
	}
	late := time.Duration(0)
	if w.jitter > 0 {
		late = time.Duration(w.rng.Int64N(int64(w.jitter)))
	}
	w.at(w.delay+late, func() { w.arrive(b) })
}

func (w *simulation) arrive(b []byte) {
	if f := w.r.Push(w.now, addrA, b); f != nil {
		w.whole++
		w.longest = max(w.longest, f.Ready.Sub(f.First))
		if !bytes.Equal(f.JPEG, w.pictures[f.ID]) {
			w.t.Fatalf("frame %d is another than was sent", f.ID)
		}
		f.Release()
	}
	assertBalanced(w.t, w.r)
	w.ask()
}

// ask asks for what the Reassembler wants, and has it called again when it says.
func (w *simulation) ask() {
	var to Repair
	for range 100 {
		w.looks++
		whom, next := w.r.Ask(w.now, w.path, &to)
		if whom.IsValid() {
			w.request(to)
			continue
		}
		if !next.IsZero() && !next.After(w.now) {
			w.t.Fatal("Ask wants to be called at once, for ever")
		}
		if !next.IsZero() && (w.due.IsZero() || !w.due.After(w.now) || next.Before(w.due)) {
			w.due = next
			w.at(next.Sub(w.now), w.ask)
		}
		assertBalanced(w.t, w.r)
		return
	}
	w.t.Fatal("Ask asks without end")
}

func (w *simulation) request(to Repair) {
	b, err := to.AppendBinary(nil)
	if err != nil {
		w.t.Fatalf("%+v: %v", to, err)
	}
	if len(b) > 1200 {
		w.t.Fatalf("a request of %d bytes", len(b))
	}
	if w.lost() {
		return
	}
	w.at(w.delay, func() {
		var ask Repair
		if err := ask.Parse(b); err != nil {
			w.t.Fatal(err)
		}
		k := w.history.Frame(ask.Frame, w.now)
		pieces, _ := k.Wanted(nil, &ask)
		for _, p := range pieces {
			d := k.Again(make([]byte, HeaderLen), p, w.session, w.seq)
			w.seq++
			w.carry(append(bytes.Clone(d.Header), d.Payload...))
		}
	})
}

// play sends n frames of about size bytes, each datagram spacing after the one before.
func (w *simulation) play(n, size int, interval, spacing time.Duration, parity float64) Counters {
	s, err := NewSplitter(1408)
	if err != nil {
		w.t.Fatal(err)
	}
	s.SetParity(ParityShare(parity))
	for i := range n {
		w.at(time.Duration(i)*interval, func() {
			id := uint32(i)
			f := stream.NewFrame(make([]byte, size+w.rng.IntN(size/4+1)))
			for j := range f.JPEG {
				f.JPEG[j] = byte(w.rng.Uint32())
			}
			w.pictures[id] = f.JPEG
			all, err := s.Split(id, w.now.UnixMicro(), f.JPEG)
			if err != nil {
				w.t.Fatal(err)
			}
			w.history.Keep(id, f, s, w.now)
			s.Stamp(0, len(all), w.session, w.seq)
			w.seq += uint64(len(all))
			for j, d := range all {
				b := append(bytes.Clone(d.Header), d.Payload...)
				w.at(time.Duration(j)*spacing, func() { w.carry(b) })
			}
			f.Release()
		})
	}
	for w.events.Len() > 0 {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
		if w.r.Expire(w.now); w.events.Len() == 0 && w.r.InProgress() > 0 {
			w.at(200*time.Millisecond, func() { w.r.Expire(w.now) })
		}
	}
	return w.r.Counters()
}

const second30 = time.Second / 30

// What is lost comes again in time, whether parity helps or not.
func TestAskedForFragmentsComeInTime(t *testing.T) {
	for _, c := range []struct {
		name        string
		loss, burst float64
		parity      float64
		size        int
		interval    time.Duration
		spacing     time.Duration
		whole       float64 // share at least
		limit       time.Duration
	}{
		{"1 %", 0.01, 1, 0, 55_000, second30, 20 * time.Microsecond, 0.998, 34 * time.Millisecond},
		{"5 %", 0.05, 1, 0, 55_000, second30, 20 * time.Microsecond, 0.95, 34 * time.Millisecond},
		{"5 %, paced", 0.05, 1, 0, 55_000, second30, 300 * time.Microsecond, 0.85, 34 * time.Millisecond},
		{"5 % and parity", 0.05, 1, 0.1, 55_000, second30, 20 * time.Microsecond, 0.995, 34 * time.Millisecond},
		{"bursts at 2 %", 0.02, 5, 0, 55_000, second30, 20 * time.Microsecond, 0.985, 34 * time.Millisecond},
		{"1080p60", 0.01, 1, 0.03, 110_000, time.Second / 60, 12 * time.Microsecond, 0.995, 21 * time.Millisecond},
		{"several blocks", 0.01, 1, 0, 700_000, second30, 8 * time.Microsecond, 0.98, 34 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames := 1000
			if c.size > 500_000 {
				frames = 150
			}
			if raceDetector {
				frames /= 5
			}
			w := newSimulation(t, Config{})
			w.loss, w.burst = c.loss, c.burst
			got := w.play(frames, c.size, c.interval, c.spacing, c.parity)
			t.Logf("%+v", got.Incomplete)
			t.Logf("%d of %d whole, %d repaired, %d rebuilt; %d requests for %d fragments, %d answered, %d in vain; the longest took %v",
				w.whole, frames, got.Repaired, got.Rebuilt, got.Asked.Requests, got.Asked.Fragments, got.Asked.Answered, got.Asked.Vain, w.longest)
			if float64(w.whole) < c.whole*float64(frames) {
				t.Errorf("%d of %d frames are whole, want %.1f %%", w.whole, frames, 100*c.whole)
			}
			if w.longest > c.limit {
				t.Errorf("a frame took %v", w.longest)
			}
			if got.Asked.Requests > uint64(8*frames) || got.Asked.Vain > got.Asked.Answered/5+10 {
				t.Errorf("asked too much: %+v", got.Asked)
			}
			if b := got.Bytes; b.Data == 0 || (c.parity == 0) != (b.Parity == 0) || (b.Again == 0) != (got.Asked.Answered == 0) || !raceDetector && b.Again == 0 {
				t.Errorf("bytes: %+v", b)
			}
		})
	}
}

// What is merely overtaken is not asked for, once it is known how late it comes.
func TestReorderedFragmentsAreNotAskedFor(t *testing.T) {
	for _, jitter := range []time.Duration{200 * time.Microsecond, 2 * time.Millisecond} {
		w := newSimulation(t, Config{})
		w.jitter = jitter
		const frames = 500
		c := w.play(frames, 55_000, second30, 20*time.Microsecond, 0)
		t.Logf("%v: %+v, %d whole", jitter, c.Asked, w.whole)
		if w.whole != frames {
			t.Errorf("%v: %d of %d frames are whole: %+v", jitter, w.whole, frames, c.Incomplete)
		}
		if c.Asked.Fragments > frames/4 {
			t.Errorf("%v: %d fragments were asked for of %d frames, and none was lost", jitter, c.Asked.Fragments, frames)
		}
	}
}

// Nobody asks whose answer cannot come in time, or where nobody answers; then a frame that is lost is
// given up before its deadline.
func TestNoAskingInVain(t *testing.T) {
	for name, path := range map[string]Path{
		"too far":         {Ask: true, RTT: 60 * time.Millisecond},
		"nobody answers":  {RTT: time.Millisecond},
		"limit too short": {Ask: true, RTT: 10 * time.Millisecond, Limit: 5 * time.Millisecond},
	} {
		w := newSimulation(t, Config{Deadline: 10 * time.Second})
		w.loss, w.path = 0.02, path
		c := w.play(300, 55_000, second30, 20*time.Microsecond, 0)
		if c.Asked.Requests != 0 {
			t.Errorf("%s: asked %d times", name, c.Asked.Requests)
		}
		if c.Incomplete.Hopeless == 0 || c.Incomplete.Expired > 2 { // the last ones
			t.Errorf("%s: %+v", name, c.Incomplete)
		}
	}
}

// In steady state neither asking nor the answers allocate.
func TestAskingDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("pools reuse nothing")
	}
	r, err := NewReassembler(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, _ := NewSplitter(1408)
	jpeg := make([]byte, 60_000)
	now, seq, id := time.Unix(1000, 0), uint64(0), uint32(0)
	var to Repair
	b := make([]byte, 0, 2000)
	asked := 0
	n := testing.AllocsPerRun(300, func() {
		all, _ := s.Split(id, now.UnixMicro(), jpeg)
		s.Stamp(0, len(all), 5, seq)
		seq += uint64(len(all))
		for i, d := range all {
			if i == 7 || i == len(all)-1 {
				continue
			}
			r.Push(now, addrA, append(append(b[:0], d.Header...), d.Payload...))
		}
		for range 3 {
			now = now.Add(3 * time.Millisecond)
			for {
				whom, _ := r.Ask(now, Path{Ask: true, RTT: time.Millisecond, Limit: time.Second}, &to)
				if !whom.IsValid() {
					break
				}
				asked++
			}
		}
		for _, i := range []int{7, len(all) - 1} {
			d := all[i]
			d.Header[3] |= FlagRepair
			s.Stamp(i, i+1, 5, seq-uint64(i))
			seq++
			if f := r.Push(now, addrA, append(append(b[:0], d.Header...), d.Payload...)); f != nil {
				f.Release()
			}
		}
		id++
		now = now.Add(20 * time.Millisecond)
	})
	if c := r.Counters(); c.Repaired < 300 || asked < 300 {
		t.Fatalf("%d frames repaired, asked %d times: %+v", c.Repaired, asked, c)
	}
	if n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
