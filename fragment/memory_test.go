package fragment

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/framegram/framegram/internal/leopard"
	"github.com/framegram/framegram/stream"
)

// footprint is what the Reassembler holds: bytes of frame buffers, and of its own.
func (g *rig) footprint() (frames, own int) {
	for _, t := range g.tracks() {
		own += int(unsafe.Sizeof(*t)) + cap(t.slots)*int(unsafe.Sizeof(slot{}))
		for i := range t.slots {
			blocks := t.slots[i].blocks[:cap(t.slots[i].blocks)]
			own += cap(blocks) * int(unsafe.Sizeof(block{}))
			for b := range blocks {
				own += cap(blocks[b].parked) * int(unsafe.Sizeof(waiting{}))
			}
			if f := t.slots[i].frame; f != nil {
				frames += cap(f.JPEG)
			}
		}
	}
	return frames, own
}

// Whatever comes, Frames + 2 buffers of MaxFrame (in the pool's steps of 64 KiB) and
// some 20 KiB of its own for each are all that is held.
func TestMemoryIsBounded(t *testing.T) {
	const step = 1 << 16
	for _, cfg := range []Config{{}, {Frames: 1, MaxFrame: 300_000}, {Frames: 64, MaxFrame: 1 << 20}} {
		rng := rand.New(rand.NewPCG(6, 6))
		g, s := newRig(t, cfg), newSender(t, 1)
		g.push(addrA, s.frame(10).datagrams...)
		most, own := 0, 0
		for i := range 500 {
			h := Header{
				Common: Common{Type: TypeData, Session: 1, Sequence: s.seq}, Frame: s.id + rng.Uint32N(3), Captured: 7,
				Block: uint8(rng.IntN(255)), Shard: 64, Length: 100,
			}
			s.seq++
			h.Offset = rng.IntN(g.r.cfg.MaxFrame - h.Length + 1)
			addr := addrA
			if i%2 == 0 { // the candidates take what they can as well
				h.Session, addr = uint64(2+rng.IntN(3)), addrB
				if i%100 == 0 {
					g.now = g.now.Add(600 * time.Millisecond)
				}
			}
			g.r.Push(g.now, addr, append(h.append(nil), make([]byte, 64)...))
			assertBalanced(t, g.r)
			s.id += rng.Uint32N(2)
			f, o := g.footprint()
			most, own = max(most, f), max(own, o)
		}
		bound := (g.r.cfg.Frames + 2) * (g.r.cfg.MaxFrame + step)
		if most > bound || most < bound/4 { // less would mean that the test has not tried
			t.Errorf("%+v: %d bytes of frames, bound %d", cfg, most, bound)
		}
		if limit := (g.r.cfg.Frames + 2) * 52_000; own > limit {
			t.Errorf("%+v: %d bytes of its own, bound %d", cfg, own, limit)
		}
	}
}

// Parity waits in the frame: it takes no buffer of its own, whatever it claims to be, and 64 KiB of
// notes where it waits in every place there is.
func TestParityTakesNoMemory(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	g.push(addrA, s.frame(10).datagrams...)
	const k, p = 128, 128
	f := s.whole(255 * k * 64)
	for b := range 255 {
		for i := range p {
			h := Header{
				Common: Common{Type: TypeData, Session: 1, Sequence: s.seq}, Frame: f.id, Captured: f.captured,
				Block: uint8(b), Blocks: 255, Index: uint8(k + i), Parity: p, Shard: 64, Length: k * 64, Offset: b * k * 64,
			}
			s.seq++
			if i < p-1 { // the last one would complete the block
				g.r.Push(g.now, addrA, append(h.append(nil), make([]byte, 64)...))
			}
		}
	}
	if c := g.r.Counters(); c.Used != 1+255*127 || g.r.InProgress() != 1 {
		t.Fatalf("not all parity waits: %+v", c)
	}
	frames, own := g.footprint()
	if limit := 4 * len(f.jpeg); frames > limit {
		t.Errorf("%d bytes of frames, want at most %d", frames, limit)
	}
	if limit := g.r.cfg.Frames*32_000 + 1<<16 + 8000; own > limit {
		t.Errorf("%d bytes of its own, want at most %d", own, limit)
	}
	if !idle(&g.r.codes) {
		t.Error("memory to rebuild was made though nothing could be rebuilt")
	}
}

// idle is whether c has made nothing of its memory yet.
func idle(c *codes) bool {
	return c.shards == nil && c.rebuilt == nil && c.leopard == leopard.Codec{}
}

// What rebuilding takes is as large as its largest block needs; of a Codec's own its package says how much.
func TestMemoryToRebuildIsBounded(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	s.cut.SetShard(MaxShard)
	s.cut.SetParity(ParityShare(1))
	f := s.frame(128 * MaxShard)
	g.wants(g.push(addrA, f.datagrams[128:]...), f)
	if rebuilt := len(g.r.codes.rebuilt); rebuilt > 129*MaxShard {
		t.Errorf("%d bytes to rebuild", rebuilt)
	}
}

// The buffer that is made ahead for frames like the last one obeys the bound, too.
func TestFirstBufferIsBounded(t *testing.T) {
	g, s := newRig(t, Config{MaxFrame: 1 << 18}), newSender(t, 1)
	f := s.frame(1<<18 - 1000)
	g.wants(g.push(addrA, f.datagrams...), f)
	g.push(addrA, s.frame(640).datagrams[0])
	if got, _ := g.footprint(); got != 1<<18 {
		t.Errorf("a frame in progress holds %d bytes, want %d", got, 1<<18)
	}
}

// Blocks that come in the order that makes the buffer grow most often copy each
// byte a few times, not once per block.
func TestGrowingIsNotQuadratic(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	f := s.whole(255 * 60_000)
	var all []chunk
	for i := range 255 {
		all = append(all, chunk{uint8(i), 255, i * 60_000, 60_000})
	}
	s.cut.SetShard(MaxShard)
	buffers := map[int]bool{}
	var last *stream.Frame
	for _, c := range all {
		h := Header{
			Common: Common{Type: TypeData, Session: 1, Sequence: s.seq}, Frame: f.id, Captured: f.captured,
			Block: c.index, Blocks: c.blocks, Shard: MaxShard, Length: c.length, Offset: c.offset,
		}
		s.seq++
		g.nothing(g.push(addrA, append(h.append(nil), f.jpeg[c.offset:c.offset+MaxShard]...)))
		bytes, _ := g.footprint()
		buffers[bytes] = true
		now := g.r.candidates[1].slots[0].frame
		if last != nil && last != now && held(last) {
			t.Fatal("the buffer that was too small has not been released")
		}
		last = now
	}
	if len(buffers) > 10 {
		t.Errorf("the buffer has had %d sizes, want at most 10", len(buffers))
	}
}
