package udp

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// giver is a sender made by hand: it sends what of a frame it likes, and sees what is asked for.
type giver struct {
	t       *testing.T
	c       *net.UDPConn
	to      netip.AddrPort
	cut     *fragment.Splitter
	history fragment.History
	session uint64
	seq     uint64
	id      uint32
	asked   int // requests read
}

func newGiver(t *testing.T, to netip.AddrPort) *giver {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	g := &giver{t: t, c: c, to: to, cut: cut, session: newSession()}
	t.Cleanup(func() { c.Close(); g.history.Drop() })
	return g
}

// send sends a frame without some of its datagrams.
func (g *giver) send(f *stream.Frame, without ...int) {
	g.t.Helper()
	g.id++
	now := time.Now()
	all, err := g.cut.Split(g.id, now.UnixMicro(), f.JPEG)
	if err != nil {
		g.t.Fatal(err)
	}
	g.history.Keep(g.id, f, g.cut, now)
	g.cut.Stamp(0, len(all), g.session, g.seq)
	g.seq += uint64(len(all))
	for _, i := range without {
		all[i].Header = nil
	}
	for _, d := range all {
		if d.Header != nil {
			g.write(d)
		}
	}
}

func (g *giver) write(d fragment.Datagram) {
	if _, err := g.c.WriteToUDPAddrPort(append(bytes.Clone(d.Header), d.Payload...), g.to); err != nil {
		g.t.Error(err)
	}
}

// next is the next request, false if none comes by a time.
func (g *giver) next(by time.Time) (ask fragment.Repair, ok bool) {
	g.t.Helper()
	buf := make([]byte, 2000)
	g.c.SetReadDeadline(by)
	for {
		n, from, err := g.c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return ask, false
		}
		if from = unmap(from); from != g.to {
			g.t.Errorf("asked from %v, and the viewer is %v", from, g.to)
		}
		if ask.Parse(buf[:n]) == nil {
			g.asked++
			return ask, true
		}
	}
}

// answer sends what is asked for again.
func (g *giver) answer(ask fragment.Repair) (fragments int) {
	k := g.history.Frame(ask.Frame, time.Now())
	pieces, _ := k.Wanted(nil, &ask)
	for _, p := range pieces {
		g.write(k.Again(make([]byte, fragment.HeaderLen), p, g.session, g.seq))
		g.seq++
	}
	return len(pieces)
}

func hearing(t *testing.T, cfg ReceiverConfig) *Receiver {
	t.Helper()
	cfg.Listen = ap("127.0.0.1:0")
	r, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// shown is the next frame, which must come.
func shown(t *testing.T, r *Receiver) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	f, err := r.Next(ctx)
	if err != nil {
		t.Fatalf("%v: %+v", err, r.Stats().Fragments)
	}
	defer f.Release()
	return bytes.Clone(f.JPEG)
}

// What is missing of a frame is asked for by the socket the frame comes to, and what is sent again makes it whole: gaps, and
// an end that nothing follows.
func TestReceiverAsksForWhatIsMissing(t *testing.T) {
	r := hearing(t, ReceiverConfig{Repair: true, Deadline: 5 * time.Second})
	g := newGiver(t, r.LocalAddr())
	g.send(frameOf(1))
	shown(t, r)
	for round, without := range [][]int{{3}, {1, 7, 8, 20}, {39}, {30, 31, 32, 33, 34, 35, 36, 37, 38, 39}} {
		f := pictureOf(40)
		g.send(f, without...)
		lacking := map[int]bool{}
		for _, i := range without {
			lacking[i] = true
		}
		for by := time.Now().Add(10 * time.Second); len(lacking) > 0; {
			ask, ok := g.next(by)
			if !ok {
				t.Fatalf("round %d: nobody asks for %v: %+v", round, lacking, r.Stats().Fragments)
			}
			if ask.Of != g.session || ask.Frame != g.id || len(ask.Missing) != 1 || ask.Missing[0].Block != 0 {
				t.Fatalf("round %d: %+v", round, ask)
			}
			for i := range 256 {
				if ask.Missing[0].Bits[i/8]>>(i%8)&1 != 0 {
					delete(lacking, i) // what is merely late is asked for, too, where the machine is busy
				}
			}
			g.answer(ask)
		}
		if got := shown(t, r); !bytes.Equal(got, f.JPEG) {
			t.Fatalf("round %d: another frame is shown", round)
		}
	}
	c := r.Stats().Fragments
	if c.Complete != 5 || c.Repaired != 4 || c.Asked.Requests < 4 || c.Asked.Answered < 16 || c.Bytes.Again == 0 {
		t.Errorf("%+v", c)
	}
	if sum := c.Bytes.Sum(); sum != r.Stats().Bytes {
		t.Errorf("%d bytes are accounted for of %d", sum, r.Stats().Bytes)
	}
}

// Who is not told to ask does not.
func TestReceiverAsksOnlyIfTold(t *testing.T) {
	r := hearing(t, ReceiverConfig{Deadline: time.Second})
	g := newGiver(t, r.LocalAddr())
	g.send(frameOf(1))
	shown(t, r)
	g.send(pictureOf(40), 3, 39)
	if ask, ok := g.next(time.Now().Add(300 * time.Millisecond)); ok {
		t.Errorf("asked for %+v", ask)
	}
	if c := r.Stats().Fragments; c.Asked != (fragment.Asked{}) {
		t.Errorf("%+v", c.Asked)
	}
}

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

func TestDeadlineIsChecked(t *testing.T) {
	for _, d := range []time.Duration{-1, 10*time.Second + 1} {
		_, err := Listen(ReceiverConfig{Listen: ap("127.0.0.1:0"), Deadline: d})
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != "deadline" {
			t.Errorf("%v: %v", d, err)
		}
	}
	hearing(t, ReceiverConfig{Deadline: 10 * time.Second})
}
