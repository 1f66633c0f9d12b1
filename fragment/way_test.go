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
