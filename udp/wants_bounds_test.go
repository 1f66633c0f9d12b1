package udp

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// A sender that never answers is asked a few times and then once a second, until it does.
func TestReceiverTiresOfAskingInVain(t *testing.T) {
	w := newWants(true, 0)
	r := &Receiver{wants: w, frames: reassembler(t)}
	g := newGiver(t, ap("127.0.0.1:9"))
	now, requests := time.Unix(1000, 0), 0
	push := func(d fragment.Datagram) {
		if f := r.frames.Push(now, ap("127.0.0.1:7000"), append(bytes.Clone(d.Header), d.Payload...)); f != nil {
			f.Release()
		}
	}
	play := func(frames int, answered bool) (sent int) {
		for range frames {
			g.id++
			f := pictureOf(20)
			all, err := g.cut.Split(g.id, now.UnixMicro(), f.JPEG)
			if err != nil {
				t.Fatal(err)
			}
			g.history.Keep(g.id, f, g.cut, time.Now())
			g.cut.Stamp(0, len(all), g.session, g.seq)
			g.seq += uint64(len(all))
			for i, d := range all {
				if g.id == 1 || i != 3 {
					push(d)
				}
			}
			for range 33 {
				now = now.Add(time.Millisecond)
				r.frames.Expire(now)
				r.wanted(now)
				sent += r.wants.waiting
				for _, q := range r.wants.out[:r.wants.waiting] {
					var ask fragment.Repair
					if err := ask.Parse(q.b); err != nil {
						t.Fatal(err)
					}
					if !answered {
						continue
					}
					k := g.history.Frame(ask.Frame, time.Now())
					pieces, _ := k.Wanted(nil, &ask)
					for _, p := range pieces {
						push(k.Again(make([]byte, fragment.HeaderLen), p, g.session, g.seq))
						g.seq++
					}
				}
			}
		}
		return sent
	}
	requests = play(300, false) // 10 s
	if requests < patientFor || requests > patientFor+11 {
		t.Errorf("%d requests in 10 s, want %d and one a second", requests, patientFor)
	}
	play(60, true) // 2 s: the next one is answered
	before := r.frames.Counters().Repaired
	if play(30, true); r.frames.Counters().Repaired-before < 28 {
		t.Errorf("of 30 frames that somebody repairs %d are", r.frames.Counters().Repaired-before)
	}
	if c := r.frames.Counters(); c.Asked.Requests != uint64(requestsOf(r)) {
		t.Errorf("%d requests counted and %d sent", c.Asked.Requests, requestsOf(r))
	}
}

// requestsOf is how many requests have been made: each took a number.
func requestsOf(r *Receiver) uint64 { return r.wants.seq }

func reassembler(t *testing.T) *fragment.Reassembler {
	t.Helper()
	f, err := fragment.NewReassembler(fragment.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// However much is missing, requests, and the fragments that they name, stay in proportion to what comes.
func TestRequestsAreBounded(t *testing.T) {
	r := &Receiver{wants: newWants(true, 0), frames: reassembler(t)}
	r.pinger.trips.add(time.Unix(1000, 0), 100)
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	now, seq, sent, came := time.Unix(1000, 0), uint64(0), 0, 0
	rng := rand.New(rand.NewPCG(1, 2))
	for id := range uint32(1200) { // 10 s of which 8 in 10 datagrams are lost
		all, err := cut.Split(id, now.UnixMicro(), make([]byte, 250_000))
		if err != nil {
			t.Fatal(err)
		}
		cut.Stamp(0, len(all), 5, seq)
		seq += uint64(len(all))
		for i, d := range all {
			if id > 0 && rng.IntN(10) < 8 && i > 0 {
				continue
			}
			came++
			if f := r.frames.Push(now, ap("127.0.0.1:7000"), append(bytes.Clone(d.Header), d.Payload...)); f != nil {
				f.Release()
			}
			r.wants.vain = 0 // as if somebody answered
		}
		for range 8 {
			now = now.Add(time.Second / 960)
			r.frames.Expire(now)
			r.wanted(now)
			sent += r.wants.waiting
		}
	}
	c := r.frames.Counters()
	if sent == 0 || sent > 11*requestRate {
		t.Errorf("%d requests in 10 s", sent)
	}
	if most := askShare*float64(came) + 2*askCredit; float64(c.Asked.Fragments) > most {
		t.Errorf("%d fragments asked for of %d that came", c.Asked.Fragments, came)
	}
}
