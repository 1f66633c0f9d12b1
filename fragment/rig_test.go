package fragment

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// What the tests of the Reassembler share: a rig that owns one with its clock and
// checks the balance after every step, and a sender that makes its datagrams.

var (
	addrA = netip.MustParseAddrPort("192.0.2.1:40000")
	addrB = netip.MustParseAddrPort("[2001:db8::2]:40000")
	addrC = netip.MustParseAddrPort("192.0.2.3:40000")
)

// rigStart is when every rig's clock begins.
var rigStart = time.Unix(1_790_000_000, 0)

type rig struct {
	t   testing.TB
	r   *Reassembler
	now time.Time
	out []*stream.Frame // every frame that came out, held
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r, err := NewReassembler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, r: r, now: rigStart}
	t.Cleanup(g.close)
	return g
}

// close releases everything, and checks that then nobody holds anything.
func (g *rig) close() {
	var inside []*stream.Frame
	for _, t := range g.tracks() {
		for i := range t.slots {
			if f := t.slots[i].frame; f != nil {
				inside = append(inside, f)
			}
		}
	}
	g.r.Close()
	g.r.Close()
	if n := g.r.InProgress(); n != 0 {
		g.t.Errorf("%d frames in progress after Close", n)
	}
	assertBalanced(g.t, g.r)
	for _, f := range inside {
		if held(f) {
			g.t.Errorf("Close has not released a frame in progress")
		}
	}
	for _, f := range g.out {
		f.Release()
		if held(f) {
			g.t.Errorf("frame %d is held by more than its receiver", f.ID)
		}
	}
}

// held reports whether anybody holds f: a frame that nobody holds cannot be
// retained.
func held(f *stream.Frame) (yes bool) {
	defer func() { yes = recover() == nil }()
	f.Retain()
	return
}

// tracks are the followed one and the candidates.
func (g *rig) tracks() (all []*track) {
	for _, t := range append(g.r.candidates[:], g.r.followed) {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

func assertBalanced(t testing.TB, r *Reassembler) {
	c := r.Counters()
	if c.Received != c.Used+c.Dropped.Sum() {
		t.Helper() // not earlier: it takes longer than all the rest
		t.Fatalf("received %d, but used %d and dropped %d: %+v", c.Received, c.Used, c.Dropped.Sum(), c)
	}
	if open := uint64(r.InProgress()); c.Opened != c.Complete+c.Incomplete.Sum()+open {
		t.Helper()
		t.Fatalf("opened %d frames, but complete %d, given up %d and in progress %d: %+v",
			c.Opened, c.Complete, c.Incomplete.Sum(), open, c)
	}
}

// push gives the datagrams one by one and returns what came out.
func (g *rig) push(from netip.AddrPort, datagrams ...[]byte) (out []*stream.Frame) {
	for _, d := range datagrams {
		b := bytes.Clone(d)
		f := g.r.Push(g.now, from, b)
		for i := range b {
			b[i] = 0xdd // Push has only borrowed it
		}
		assertBalanced(g.t, g.r)
		if f != nil {
			out = append(out, f)
			g.out = append(g.out, f)
		}
	}
	return out
}

// wait lets time pass, with Expire called as often as a receiver does.
func (g *rig) wait(d time.Duration) {
	until := g.now.Add(d)
	for g.now.Before(until) {
		next := g.r.Expire(g.now)
		assertBalanced(g.t, g.r)
		g.now = until
		if !next.IsZero() && next.Before(until) {
			g.now = next
		}
	}
	g.r.Expire(g.now)
	assertBalanced(g.t, g.r)
}

// wants checks that out is exactly the frame, and that its fields are the sender's.
func (g *rig) wants(out []*stream.Frame, f sent) {
	g.t.Helper()
	if len(out) != 1 {
		g.t.Fatalf("%d frames came out, want frame %d: %+v", len(out), f.id, g.r.Counters())
	}
	if out[0].ID != f.id || !bytes.Equal(out[0].JPEG, f.jpeg) || out[0].Captured.UnixMicro() != f.captured {
		g.t.Fatalf("frame %d of %d bytes at %v came out, want frame %d of %d bytes at %d",
			out[0].ID, len(out[0].JPEG), out[0].Captured, f.id, len(f.jpeg), f.captured)
	}
}

func (g *rig) nothing(out []*stream.Frame) {
	g.t.Helper()
	if len(out) != 0 {
		g.t.Fatalf("frame %d came out, want none: %+v", out[0].ID, g.r.Counters())
	}
}

// dropped checks that the drops since before are exactly these.
func (g *rig) dropped(before, want Dropped) {
	g.t.Helper()
	b := before
	for i, f := range dropFields(&b) {
		*f += *dropFields(&want)[i]
	}
	if got := g.r.Counters().Dropped; got != b {
		g.t.Errorf("dropped %+v, want %+v", got, b)
	}
}

func dropFields(d *Dropped) []*uint64 {
	return []*uint64{&d.Malformed, &d.OtherVersion, &d.Sealed, &d.TooLarge, &d.Stranger,
		&d.Duplicate, &d.Late, &d.NoRoom, &d.Inconsistent, &d.Surplus}
}

// sent is a frame and the datagrams it was cut into, in order.
type sent struct {
	id        uint32
	captured  int64
	jpeg      []byte
	datagrams [][]byte
}

// sender is one session of a program that sends.
type sender struct {
	t       testing.TB
	session uint64
	seq     uint64
	id      uint32 // next frame's
	cut     *Splitter
	parity  int // of every block that chunks cuts
}

// newSender sends shards of 64 bytes.
func newSender(t testing.TB, session uint64) *sender {
	return &sender{t: t, session: session, id: 100, cut: mustSplitter(t, 64)}
}

// frame cuts a picture of n bytes, under the next frame ID and sequence numbers.
func (s *sender) frame(n int) sent {
	s.t.Helper()
	f := sent{id: s.id, captured: 1_790_000_000_000_000 + int64(s.id)*33_333, jpeg: picture(uint64(s.id)<<8+s.session, n)}
	datagrams, err := s.cut.Split(f.id, f.captured, f.jpeg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cut.Stamp(0, len(datagrams), s.session, s.seq)
	s.seq += uint64(len(datagrams))
	for _, d := range datagrams {
		f.datagrams = append(f.datagrams, append(bytes.Clone(d.Header), d.Payload...))
	}
	s.id++
	return f
}

// header parses a datagram's, to be changed and put back with edited.
func header(t testing.TB, datagram []byte) (h Header, payload []byte) {
	t.Helper()
	payload, err := h.Parse(datagram)
	if err != nil {
		t.Fatal(err)
	}
	return h, payload
}

// edited is the datagram with its header changed and the next sequence number.
func (s *sender) edited(datagram []byte, change func(h *Header)) []byte {
	s.t.Helper()
	h, payload := header(s.t, datagram)
	h.Sequence = s.seq
	s.seq++
	change(&h)
	return append(h.append(nil), payload...)
}
