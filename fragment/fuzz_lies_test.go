package fragment

import (
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/leopard"
	"github.com/framegram/framegram/stream"
)

// liar makes datagrams that are well-formed, each for itself, and of which no two need agree: other
// numbers of blocks, lengths, offsets, parities and CRCs within a block, from the sender that is followed.
type liar struct {
	t      *testing.T
	r      *Reassembler
	cfg    Config
	now    time.Time
	seq    uint64
	frame  uint32
	shapes [3]liarShape
	claims map[uint64][]claim // of a frame's block, all that have been made
	codes  codes
	bytes  []byte // what pictures consist of
	out    []byte
	whole  int
	filled int
	last   uint32 // the newest frame shown
	any    bool   // one has been
}

// liarShape is a frame as it might be: its blocks have length bytes each.
type liarShape struct{ shard, length, blocks, parity int }

func newLiar(t *testing.T) *liar {
	l := &liar{t: t, cfg: Config{Frames: 3, MaxFrame: 100_000}, now: time.Unix(1000, 0), claims: map[uint64][]claim{}, bytes: make([]byte, 200_000)}
	for i := range l.bytes {
		l.bytes[i] = byte(i * i >> 7)
	}
	r, err := NewReassembler(l.cfg)
	if err != nil {
		t.Fatal(err)
	}
	l.r = r
	l.shapes = [3]liarShape{{64, 200, 2, 1}, {64, 64 * 9, 1, 4}, {128, 1000, 3, 2}}
	return l
}

// Whole and Fill make liar a Filler that shows whatever there is.
func (l *liar) Whole(*stream.Frame, uint8) {}

func (l *liar) Fill(part *stream.Frame, _ uint8, gaps []Gap, _ bool) *stream.Frame {
	end := -1
	for _, g := range gaps {
		if g.From <= end || g.To <= g.From || g.To > len(part.JPEG) {
			l.t.Fatalf("gaps %v of %d bytes", gaps, len(part.JPEG))
		}
		end = g.To
	}
	return part.Retain()
}

// shows takes a frame that is shown: newer than all before.
func (l *liar) shows(f *stream.Frame) {
	if l.any && !stream.Newer(f.ID, l.last) {
		l.t.Fatalf("frame %d is shown behind %d", f.ID, l.last)
	}
	l.any, l.last = true, f.ID
	f.Release()
}

// run takes three bytes for each datagram. With one byte more what is lost for good is filled.
func (l *liar) run(ops []byte) {
	if len(ops)%3 == 1 {
		l.r.cfg.Filler = l
	}
	for ; len(ops) >= 3; ops = ops[3:] {
		l.datagram(ops[0], ops[1], ops[2])
		l.check()
	}
	l.r.Close()
}

func (l *liar) datagram(what, where, how byte) {
	shape := l.shapes[what%3]
	h := Header{Common: Common{Session: 5, Sequence: l.seq}, Frame: l.frame, Captured: int64(l.frame), Blocks: uint8(shape.blocks), Shard: shape.shard, Length: shape.length, Parity: uint8(shape.parity)}
	l.seq++
	k := h.DataFragments()
	at := int(where) % (shape.blocks * (k + shape.parity))
	h.Block, h.Index = uint8(at%shape.blocks), uint8(at/shape.blocks)
	h.Offset = int(h.Block) * shape.length
	h.CRC = crc32.Checksum(l.bytes[h.Offset:h.Offset+h.Length], castagnoli)
	switch what / 3 % 16 { // the lie, if any
	case 1:
		h.Length = 1 + int(how)*int(where)
	case 2:
		h.Offset = int(how) * 397
	case 3:
		h.Parity = how
	case 4:
		h.Blocks = how
	case 5:
		h.Block = how
	case 6:
		h.Index = how
	case 7:
		h.Shard = ShardUnit * (1 + int(how))
	case 8:
		h.CRC ^= uint32(how)
	case 9:
		h.Frame += uint32(int8(how))
	case 10:
		h.Flags |= FlagRepair
	case 11:
		h.Captured += int64(how & 1)
	case 12:
		l.frame += uint32(how % 3)
	case 13:
		l.now = l.now.Add(time.Duration(how) * 200 * time.Microsecond)
	}
	if h.check() != nil {
		return
	}
	payload := make([]byte, h.fragmentLen())
	if i := int(h.Index); i < h.DataFragments() {
		if from := h.Offset + i*h.Shard; from+len(payload) < len(l.bytes) {
			copy(payload, l.bytes[from:])
		}
	} else if k := h.DataFragments(); leopard.Check(k, int(h.Parity)) == nil { // parity that is true
		shards := make([][]byte, k+int(h.Parity))
		for j := range shards {
			shards[j] = make([]byte, h.Shard)
			if from := h.Offset + j*h.Shard; j < k && from < len(l.bytes) {
				copy(shards[j], l.bytes[from:min(from+h.Shard, h.Offset+h.Length, len(l.bytes))])
			}
		}
		if l.codes.leopard.Encode(k, shards) != nil {
			return
		}
		payload = shards[i]
	}
	of := uint64(h.Frame)<<8 | uint64(h.Block)
	if c := (claim{length: h.Length, offset: h.Offset, crc: h.CRC}); !slices.Contains(l.claims[of], c) {
		l.claims[of] = append(l.claims[of], c)
	}
	l.out = append(h.append(l.out[:0]), payload...)
	if f := l.r.Push(l.now, addrA, l.out); f != nil {
		l.whole++
		if !l.proved(f.ID, 0, 0, f.JPEG) {
			l.t.Fatalf("frame %d of %d bytes is none whose CRCs hold", f.ID, len(f.JPEG))
		}
		l.shows(f)
	}
}

// proved reports whether what is left of a frame from block on is made of blocks whose CRCs hold.
func (l *liar) proved(frame uint32, block, offset int, left []byte) bool {
	for _, c := range l.claims[uint64(frame)<<8|uint64(block)] {
		if c.offset == offset && c.length <= len(left) && crc32.Checksum(left[:c.length], castagnoli) == c.crc &&
			(c.length == len(left) || l.proved(frame, block+1, offset+c.length, left[c.length:])) {
			return true
		}
	}
	return false
}

// check has everything said that is to be said at this time, and looks at the bounds.
func (l *liar) check() {
	var to Repair
	for i := 0; ; i++ {
		whom, next := l.r.Ask(l.now, Path{Ask: true, RTT: time.Millisecond}, &to)
		if !whom.IsValid() {
			if !next.IsZero() && !next.After(l.now) {
				l.t.Fatal("Ask wants to be called at once, for ever")
			}
			break
		}
		if b, err := to.AppendBinary(nil); err != nil || len(b) > 1200 {
			l.t.Fatalf("%+v: %d bytes, %v", to, len(b), err)
		}
		if i == maxAsks*(l.cfg.Frames+maxCandidates) {
			l.t.Fatal("Ask asks without end")
		}
	}
	l.r.Expire(l.now)
	if f := l.r.Filled(); f != nil {
		l.filled++
		l.shows(f)
	}
	assertBalanced(l.t, l.r)
	if c := l.r.Counters(); c.Received != c.Used+c.Dropped.Sum() || c.Asked.Answered+c.Asked.Vain > c.Received {
		l.t.Fatalf("%+v", c)
	}
	if n := l.r.InProgress(); n > l.cfg.Frames+maxCandidates {
		l.t.Fatalf("%d frames in progress", n)
	}
	for _, t := range l.r.tracks() {
		if t == nil {
			continue
		}
		for i := range t.slots {
			s := &t.slots[i]
			if len(s.blocks) > 255 || s.frame != nil && cap(s.frame.JPEG) > 2*l.cfg.MaxFrame {
				l.t.Fatalf("%d blocks in a buffer of %d bytes", len(s.blocks), cap(s.frame.JPEG))
			}
		}
	}
}

// FuzzLies: whatever headers claim, nothing panics, memory and requests stay in bounds, the counters balance,
// and no frame comes out whose blocks' CRCs do not hold.
func FuzzLies(f *testing.F) {
	for lie := range byte(14) {
		var ops []byte
		for i := range byte(40) {
			ops = append(ops, i%3, i, 0, 3*lie+i%3, i, i*7+1, 36, 0, i%5/4)
		}
		f.Add(ops)
		f.Add(append(ops, 0))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) <= 1500 {
			newLiar(t).run(ops)
		}
	})
}

// The same at random, on every run of the tests; and enough of it is true for frames to come out.
func TestRandomLiesAreNeverShown(t *testing.T) {
	whole, filled, broken := 0, 0, uint64(0)
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 11))
		ops := make([]byte, 6000+seed/20)
		for i := 0; i+3 <= len(ops); i += 3 {
			ops[i], ops[i+1], ops[i+2] = byte(seed%3), byte(rng.IntN(256)), byte(rng.IntN(256))
			switch rng.IntN(30) {
			case 0:
				ops[i] = byte(rng.IntN(256))
			case 1, 2:
				ops[i], ops[i+2] = 36+byte(seed%3), 1
			}
		}
		l := newLiar(t)
		l.run(ops)
		whole, filled = whole+l.whole, filled+l.filled
		c := l.r.Counters()
		broken += c.Incomplete.Broken + c.Dropped.Inconsistent
	}
	if whole < 100 || filled < 20 || broken < 100 {
		t.Errorf("%d frames came out, %d were filled and %d lies found out: too few to show anything", whole, filled, broken)
	}
	t.Logf("%d frames, %d filled, %d lies found out", whole, filled, broken)
}
