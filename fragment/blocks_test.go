package fragment

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// chunk is one block as a test wants it cut.
type chunk struct {
	index, blocks  uint8
	offset, length int
}

// cut makes the datagrams of a frame whose blocks lie as the test says, which the
// Splitter would not do.
func (s *sender) chunks(f sent, all ...chunk) (datagrams [][]byte) {
	s.t.Helper()
	const shard = 64
	for _, c := range all {
		part := f.jpeg[c.offset : c.offset+c.length]
		h := Header{
			Common: Common{Type: TypeData, Session: s.session, Sequence: s.seq},
			Frame:  f.id, Captured: f.captured, Block: c.index, Blocks: c.blocks, Parity: uint8(s.parity),
			Shard: shard, Length: c.length, Offset: c.offset, CRC: crc32.Checksum(part, castagnoli),
		}
		for at := 0; at < len(part); at += shard {
			datagrams = append(datagrams, append(h.append(nil), part[at:min(at+shard, len(part))]...))
			h.Index++
			h.Sequence++
		}
		for _, parity := range s.parityFor(part, shard) {
			datagrams = append(datagrams, append(h.append(nil), parity...))
			h.Index++
			h.Sequence++
		}
		s.seq = h.Sequence
	}
	return datagrams
}

// parityFor is the parity of a block.
func (s *sender) parityFor(part []byte, shard int) [][]byte {
	s.t.Helper()
	p := s.parity
	if p == 0 {
		return nil
	}
	k := (len(part) + shard - 1) / shard
	memory := append(bytes.Clone(part), make([]byte, (k+p)*shard-len(part))...)
	shards := make([][]byte, k+p)
	for i := range shards {
		shards[i] = memory[i*shard : (i+1)*shard]
	}
	if err := s.cut.codes.leopard.Encode(k, shards); err != nil {
		s.t.Fatal(err)
	}
	return shards[k:]
}

func (s *sender) whole(n int) sent {
	s.id++
	return sent{id: s.id - 1, captured: int64(s.id), jpeg: picture(uint64(s.id), n)}
}

// Any cutting that covers the frame is the frame; the number of blocks may come
// last (slices are sent before it is known), in any order.
func TestBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	tests := map[string][]chunk{
		"one":                         {{0, 1, 0, 1000}},
		"uneven":                      {{0, 3, 0, 1}, {1, 3, 1, 998}, {2, 3, 999, 1}},
		"count only in the last":      {{0, 0, 0, 300}, {1, 0, 300, 300}, {2, 3, 600, 400}},
		"count in the middle as well": {{0, 0, 0, 300}, {1, 3, 300, 300}, {2, 3, 600, 400}},
	}
	var many []chunk
	for i := range 255 {
		many = append(many, chunk{uint8(i), 0, i * 3, 3})
	}
	many[254].blocks, many[254].length = 255, 1000-254*3
	tests["255, count only in the last"] = many
	for name, all := range tests {
		g, s := newRig(t, Config{}), newSender(t, 1)
		for range 20 {
			f := s.whole(1000)
			g.wants(g.push(addrA, s.chunks(f, all...)...), f)
			f = s.whole(1000)
			g.wants(g.push(addrA, reversed(s.chunks(f, all...))...), f)
			f = s.whole(1000)
			g.wants(g.push(addrA, shuffled(rng, s.chunks(f, all...))...), f)
		}
		if c := g.r.Counters(); c.Complete != 60 || c.Dropped.Sum() != 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Blocks that overlap or leave a gap never make a frame, even with every CRC right.
func TestBlocksThatDoNotFit(t *testing.T) {
	tests := map[string][]chunk{
		"gap":                      {{0, 2, 0, 400}, {1, 2, 401, 599}},
		"overlap":                  {{0, 2, 0, 400}, {1, 2, 399, 601}},
		"the same place twice":     {{0, 2, 0, 500}, {1, 2, 0, 500}},
		"late start":               {{0, 1, 1, 999}},
		"other way round":          {{0, 2, 500, 500}, {1, 2, 0, 500}},
		"one inside the other":     {{0, 2, 0, 1000}, {1, 2, 100, 100}},
		"overlap, count unknown":   {{0, 0, 0, 400}, {1, 2, 64, 400}},
		"first block missing half": {{0, 3, 0, 100}, {1, 3, 200, 100}, {2, 3, 300, 700}},
	}
	for name, all := range tests {
		for _, backwards := range []bool{false, true} {
			g, s := newRig(t, Config{}), newSender(t, 1)
			d := s.chunks(s.whole(1000), all...)
			if backwards {
				d = reversed(d)
			}
			g.nothing(g.push(addrA, d...))
			if c := g.r.Counters(); c.Incomplete.Broken != 1 {
				t.Errorf("%s: %+v, want one broken", name, c)
			}
			f := s.frame(640)
			g.wants(g.push(addrA, f.datagrams...), f)
		}
	}
}

// One shard for the whole frame, and one time: a block cannot have its own.
func TestBlockOfAnotherFrame(t *testing.T) {
	for name, change := range map[string]func(h *Header){
		"shard":    func(h *Header) { h.Shard = 1024 },
		"captured": func(h *Header) { h.Captured++ },
	} {
		t.Run(name, func(t *testing.T) {
			g, s := newRig(t, Config{}), newSender(t, 1)
			d := s.chunks(s.whole(100), chunk{0, 2, 0, 50}, chunk{1, 2, 50, 50})
			g.nothing(g.push(addrA, d[0], s.edited(d[1], change)))
			g.dropped(Dropped{}, Dropped{Inconsistent: 1})
		})
	}
}

// What one datagram says of the number of blocks binds the others.
func TestNumberOfBlocksContradicted(t *testing.T) {
	tests := []struct {
		name         string
		first, other chunk
	}{
		{"2, then 3", chunk{0, 2, 0, 500}, chunk{1, 3, 500, 500}},
		{"2, then block 2", chunk{0, 2, 0, 500}, chunk{2, 0, 500, 500}},
		{"block 2, then 2", chunk{2, 0, 500, 500}, chunk{0, 2, 0, 500}},
		{"block 254, then 1", chunk{254, 0, 500, 500}, chunk{0, 1, 0, 500}},
	}
	for _, tt := range tests {
		g, s := newRig(t, Config{}), newSender(t, 1)
		f := s.whole(1000)
		g.nothing(g.push(addrA, s.chunks(f, tt.first)...))
		before := g.r.Counters().Dropped
		g.nothing(g.push(addrA, s.chunks(f, tt.other)...))
		g.dropped(before, Dropped{Inconsistent: 8})
	}
}
