package fragment

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// world is two senders, a network that holds what they have sent, a Reassembler and
// the model.
type world struct {
	t       *testing.T
	g       *rig
	m       *model
	senders [2]*worldSender
	pending []packet // sent, not delivered
	history []packet // sent, ever
	frames  map[string]bool
	damaged bool // from now on only the invariants count
	leader  *track
	newest  uint32
}

type packet struct {
	addr  netip.AddrPort
	bytes []byte
	told  modelDatagram
}

type worldSender struct {
	*sender
	addr   netip.AddrPort
	recent []worldFrame // the newest last
	next   int          // fragment of the newest that is sent next
}

type worldFrame struct {
	id      uint32
	blocks  int
	packets [][]byte // their sequence numbers are set when they are sent
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, g: newRig(t, Config{}), m: &model{}, frames: map[string]bool{}}
	w.m.kept = func(s source) bool {
		places := w.g.r.candidates[:]
		if places[0] == nil && places[1] == nil { // it has just been followed
			places = []*track{w.g.r.followed}
		}
		return slices.ContainsFunc(places, func(t *track) bool { return t != nil && t.from == s })
	}
	for i := range w.senders {
		w.senders[i] = &worldSender{sender: newSender(t, uint64(i+1)), addr: []netip.AddrPort{addrA, addrB}[i]}
		w.senders[i].id = uint32(i) - 3 // over the wrap
	}
	return w
}

// run takes two bytes for each operation.
func (w *world) run(ops []byte) {
	for ; len(ops) >= 2; ops = ops[2:] {
		arg := int(ops[1])
		s := w.senders[ops[0]/10%2]
		switch op := ops[0] % 100; {
		case op == 5 || op == 15: // a repair of one of the last frames
			w.repair(s, arg)
		case op == 1 || op == 2 || op == 11 || op == 12: // IDs leap
			s.recent, s.next = nil, 0
			s.id += uint32(arg) << (7 * (op%10 - 1))
		case op < 20:
			w.emit(s)
		case op < 30: // deliver what waits
			if n := len(w.pending); n > 0 {
				i := arg % n
				p := w.pending[i]
				w.pending = append(w.pending[:i], w.pending[i+1:]...)
				w.deliver(p)
			}
		case op < 40: // lose it
			if n := len(w.pending); n > 0 {
				i := arg % n
				w.pending = append(w.pending[:i], w.pending[i+1:]...)
			}
		case op < 50: // an old one again, by itself or from elsewhere
			if n := len(w.history); n > 0 {
				p := w.history[n-1-arg%n]
				if op >= 45 {
					p.addr, p.told.from.addr = addrC, addrC
				}
				w.deliver(p)
			}
		case op == 51:
			w.g.now = w.g.now.Add(time.Duration(arg) * 5 * time.Millisecond)
		case op < 60:
			w.g.now = w.g.now.Add(time.Duration(arg) * time.Millisecond)
		case op < 70:
			w.g.r.Expire(w.g.now)
			w.m.expire(w.g.now)
		case op < 80: // a restart: new session, new IDs
			s.session += 2
			s.seq, s.recent, s.next = 0, nil, 0
			s.id = uint32(arg) << 24
		case op < 90:
			w.flip(arg, int(ops[0]))
		default:
			w.rubbish(arg)
		}
		w.check()
	}
}

// emit sends the next fragment of a sender's newest frame, or the first one of a new
// frame: one to three blocks of one to four fragments, their number not always known, and
// of none to three of parity.
func (w *world) emit(s *worldSender) {
	if len(s.recent) == 0 || s.next == len(s.recent[len(s.recent)-1].packets) {
		f := sent{id: s.id, captured: int64(s.session)<<32 | int64(s.id)}
		rng := rand.New(rand.NewPCG(s.session, uint64(s.id)))
		var all []chunk
		end, blocks, known := 0, 1+rng.IntN(3), rng.IntN(2) == 0
		for b := range blocks {
			n := 1 + rng.IntN(4*64)
			all = append(all, chunk{uint8(b), 0, end, n})
			if known || b == blocks-1 {
				all[b].blocks = uint8(blocks)
			}
			end += n
		}
		s.parity = max(0, rng.IntN(6)-2)
		f.jpeg = picture(s.session<<32|uint64(s.id), end)
		w.frames[string(f.jpeg)] = true
		for _, c := range all { // a damaged header may end the frame behind a block
			w.frames[string(f.jpeg[:c.offset+c.length])] = true
		}
		seq := s.seq
		s.recent = append(s.recent, worldFrame{id: s.id, blocks: blocks, packets: s.chunks(f, all...)})
		s.seq, s.next = seq, 0
		s.id++
	}
	s.next++
	w.send(s, len(s.recent)-1, s.next-1, 0)
}

func (w *world) send(s *worldSender, frame, fragment int, flags uint8) {
	f := s.recent[frame]
	h, payload := header(w.t, f.packets[fragment])
	h.Sequence, h.Flags = s.seq, flags
	s.seq++
	p := packet{addr: s.addr, bytes: append(h.append(nil), payload...), told: modelDatagram{
		from: source{s.addr, s.session}, seq: h.Sequence, frame: f.id, block: int(h.Block), of: f.blocks, index: int(h.Index), needed: h.DataFragments(), again: flags&FlagRepair != 0,
	}}
	w.pending, w.history = append(w.pending, p), append(w.history, p)
}

func (w *world) repair(s *worldSender, arg int) {
	if len(s.recent) == 0 {
		return
	}
	i := len(s.recent) - 1 - arg%min(len(s.recent), 5)
	w.send(s, i, arg/5%len(s.recent[i].packets), FlagRepair)
}

// deliver gives one datagram to both and compares what became of it.
func (w *world) deliver(p packet) {
	before := w.g.r.Counters()
	out := w.g.push(p.addr, p.bytes)
	w.took(out)
	if w.damaged {
		return
	}
	want := w.m.push(w.g.now, p.told)
	if w.m.unsure {
		w.damaged = true
		return
	}
	after := w.g.r.Counters()
	if got := became(w.t, before, after); got != want {
		w.t.Fatalf("%+v: %s, want %s\n%+v", p.told, got, want, after)
	}
	if after.Repaired != w.m.repaired || after.Rebuilt != w.m.rebuilt || after.Recovered != w.m.recovered {
		w.t.Fatalf("%+v: %d frames repaired and %d rebuilt, %d fragments, want %d, %d and %d", p.told, after.Repaired, after.Rebuilt, after.Recovered, w.m.repaired, w.m.rebuilt, w.m.recovered)
	}
	if want == modelComplete && w.newest != p.told.frame {
		w.t.Fatalf("frame %d came out, want %d", w.newest, p.told.frame)
	}
}

// became names the one counter that has grown by one.
func became(t *testing.T, before, after Counters) string {
	switch {
	case after.Complete > before.Complete:
		return modelComplete
	case after.Used > before.Used:
		return modelUsed
	}
	names := map[string]uint64{}
	b, err := json.Marshal(after.Dropped)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &names); err != nil {
		t.Fatal(err)
	}
	old := map[string]uint64{}
	b, _ = json.Marshal(before.Dropped)
	json.Unmarshal(b, &old)
	for name, n := range names {
		if n > old[name] {
			return name
		}
	}
	return "nothing"
}

// took checks what came out against what was sent.
func (w *world) took(out []*stream.Frame) {
	for _, f := range out {
		if !w.frames[string(f.JPEG)] {
			w.t.Fatalf("frame %d of %d bytes came out and was never sent", f.ID, len(f.JPEG))
		}
		if w.leader == w.g.r.followed && !newer(f.ID, w.newest) {
			w.t.Fatalf("frame %d came out after frame %d", f.ID, w.newest)
		}
		w.leader, w.newest = w.g.r.followed, f.ID
		f.Release()
	}
	w.g.out = w.g.out[:0]
}

// flip delivers one of the last datagrams with a bit flipped.
func (w *world) flip(a, b int) {
	if len(w.history) == 0 {
		return
	}
	p := w.history[len(w.history)-1-a%min(len(w.history), 8)]
	p.bytes = bytes.Clone(p.bytes)
	bit := (a*41 + b*997) % (len(p.bytes) * 8)
	p.bytes[bit/8] ^= 1 << (bit % 8)
	w.damaged = true
	w.deliver(p)
}

// rubbish is no datagram of ours, and must change nothing.
func (w *world) rubbish(n int) {
	before := w.g.r.Counters()
	if out := w.g.push(addrB, append([]byte("FG\x1f"), make([]byte, n)...)); len(out) != 0 {
		w.t.Fatal("a frame came out of rubbish")
	}
	before.Received++
	before.Dropped.Malformed++
	before.Bytes.Vain += uint64(3 + n)
	if after := w.g.r.Counters(); after != before {
		w.t.Fatalf("rubbish was counted as %+v, before %+v", after, before)
	}
}

// check holds what must be true after every operation.
func (w *world) check() {
	assertBalanced(w.t, w.g.r)
	largest := 1 << 16
	if w.damaged { // an offset may have been
		largest = MaxFrameBytes
	}
	if frames, _ := w.g.footprint(); frames > 6*largest {
		w.t.Fatalf("%d bytes of frames are held, want at most %d", frames, 6*largest)
	}
	open := 0
	if t := w.g.r.followed; t != nil {
		for i := range t.slots {
			if t.slots[i].open {
				open++
			}
		}
	}
	if want := w.m.inProgress(); !w.damaged && open != want {
		w.t.Fatalf("%d frames of the followed sender in progress, want %d", open, want)
	}
}
