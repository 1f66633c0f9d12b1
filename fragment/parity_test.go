package fragment

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fixed is SetParity's argument for n fragments whatever the block.
func fixed(n int) func(int) int { return func(int) int { return n } }

// Blocks and parity of a frame, as few blocks as there is room for.
func TestPlan(t *testing.T) {
	tests := []struct {
		total     int
		of        func(int) int
		blocks, p int
	}{
		{1, ParityShare(0.1), 1, 2}, // never one alone
		{47, ParityShare(0.1), 1, 5},
		{30, ParityShare(0.1), 1, 3}, // 0.1 * 30 is no more than 3
		{200, ParityShare(0.16), 1, 32},
		{200, ParityShare(0.17), 2, 17}, // 34 + 200 do not fit
		{201, ParityShare(0.1), 2, 11},
		{1, ParityShare(1), 1, 2},
		{128, ParityShare(1), 1, 128},
		{129, ParityShare(1), 2, 65},
		{129, ParityShare(9), 2, 65}, // all that makes sense
		{192, fixed(64), 1, 64},
		{193, fixed(64), 2, 64},
		{193, fixed(1000), 2, 128},
		{200 * 255, ParityShare(0.1), 255, 20},
		{200 * 255, ParityShare(1), 255, 32}, // no more blocks: no more parity than that
		{192*255 - 1, ParityShare(1), 255, 64},
		{128 * 255, ParityShare(1), 255, 128},
		{300, fixed(0), 2, 0},
		{300, fixed(-3), 2, 0},
		{300, ParityShare(0), 2, 0},
		{300, ParityShare(-1), 2, 0},
		{300, ParityShare(math.NaN()), 2, 0},
	}
	for _, tt := range tests {
		s := mustSplitter(t, 64)
		s.SetParity(tt.of)
		if got, want := s.plan(tt.total), (plan{tt.total, tt.blocks, tt.p}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// Whatever is asked for, every plan is within section 3's limits.
func TestPlansAreValid(t *testing.T) {
	s := mustSplitter(t, 64)
	for _, want := range []int{2, 3, 16, 17, 32, 33, 64, 65, 127, 128, 5000} {
		s.SetParity(fixed(want))
		for total := 1; total <= 255*maxData; total += 1 + total/50 {
			n := s.plan(total)
			if n.blocks > 255 || n.p < 2 || n.p > 128 || n.k(0)+ceilPow2(n.p) > 256 || n.p < min(want, 32) {
				t.Fatalf("%d wanted: %+v", want, n)
			}
			if least := n.k(n.blocks - 1); n.first(n.blocks) != total || n.k(0)-least > 1 || least < 1 {
				t.Fatalf("%+v: blocks of %d to %d", n, least, n.k(0))
			}
		}
	}
}

// With parity every datagram is whole; of as many in a row as there are blocks no two are of one block; all data
// is before all parity, which is that of the page's formula; and the frame is all there.
func TestSplitWithParity(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 13))
	s := mustSplitter(t, 64)
	for range 60 {
		shard := 64 * (1 + rng.IntN(3))
		s.SetShard(shard)
		s.SetParity(ParityShare(rng.Float64() * 0.3))
		jpeg := picture(rng.Uint64(), 1+rng.IntN(50_000))
		datagrams, err := s.Split(7, 8, jpeg)
		if err != nil {
			t.Fatal(err)
		}
		checkParityCut(t, datagrams, shard, jpeg)
	}
}

func checkParityCut(t *testing.T, datagrams []Datagram, shard int, jpeg []byte) {
	t.Helper()
	data, parity := map[uint8][][]byte{}, map[uint8][][]byte{}
	var blocks []uint8
	got := make([]byte, len(jpeg))
	for i, d := range datagrams {
		var h Header
		payload, err := h.Parse(append(bytes.Clone(d.Header), d.Payload...))
		if err != nil {
			t.Fatalf("datagram %d: %v", i, err)
		}
		if len(d.Payload) != shard || h.Frame != 7 || h.Captured != 8 || h.Parity < 2 {
			t.Fatalf("datagram %d carries %d bytes of %d: %+v", i, len(d.Payload), shard, h)
		}
		if slices.Contains(blocks[max(0, i+1-int(h.Blocks)):], h.Block) {
			t.Fatalf("datagram %d is of block %d, as one of the last %d", i, h.Block, h.Blocks-1)
		}
		blocks = append(blocks, h.Block)
		if int(h.Index) != len(data[h.Block])+len(parity[h.Block]) {
			t.Fatalf("datagram %d is fragment %d of block %d, want %d", i, h.Index, h.Block, len(data[h.Block]))
		}
		isParity := int(h.Index) >= h.DataFragments()
		if !isParity && len(parity) > 0 {
			t.Fatalf("datagram %d: data behind parity", i)
		}
		if isParity {
			parity[h.Block] = append(parity[h.Block], d.Payload)
		} else {
			data[h.Block] = append(data[h.Block], d.Payload)
			copy(got[h.Offset+int(h.Index)*shard:], payload)
			if pad := d.Payload[len(payload):]; len(bytes.Trim(pad, "\x00")) != 0 {
				t.Fatalf("datagram %d is padded with % x", i, pad)
			}
		}
	}
	if !bytes.Equal(got, jpeg) {
		t.Errorf("%d bytes: the pieces do not make the frame", len(jpeg))
	}
	for b := range data {
		if len(data[b]) > 30 { // the formula is slow
			continue
		}
		for j, want := range formula(data[b], len(parity[b])) {
			if !bytes.Equal(parity[b][j], want) {
				t.Errorf("block %d: parity %d is not the page's", b, j)
			}
		}
	}
}

// Switching parity on and off again leaves no trace, and neither does an error.
func TestParityOff(t *testing.T) {
	s, jpeg := mustSplitter(t, 64), picture(1, 64*1000+3)
	plain := wire(t, mustSplitter(t, 64), jpeg)
	for _, of := range []func(int) int{nil, fixed(0), ParityShare(0)} {
		s.SetParity(fixed(9))
		if with := wire(t, s, jpeg); bytes.HasPrefix(with, plain) || len(with) <= len(plain) {
			t.Error("parity changes nothing")
		}
		var large *FrameTooLargeError
		if d, err := s.Split(1, 1, make([]byte, s.MaxFrame()+1)); len(d) != 0 || !errors.As(err, &large) {
			t.Errorf("a frame over the limit: %d datagrams, %v", len(d), err)
		}
		s.SetParity(of)
		if !bytes.Equal(wire(t, s, jpeg), plain) {
			t.Error("without parity the datagrams are not what they were")
		}
	}
}

func wire(t *testing.T, s *Splitter, jpeg []byte) (all []byte) {
	t.Helper()
	datagrams, err := s.Split(5, 6, jpeg)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range datagrams {
		all = append(append(all, d.Header...), d.Payload...)
	}
	return all
}

// The largest frame goes with any parity.
func TestLargestFrameWithParity(t *testing.T) {
	for _, shard := range []int{64, 448, 1408, MaxShard} {
		s := mustSplitter(t, shard)
		s.SetParity(ParityShare(1))
		jpeg := picture(1, s.MaxFrame())
		datagrams, err := s.Split(1, 1, jpeg)
		if err != nil {
			t.Fatalf("shard %d: %v", shard, err)
		}
		r, err := NewReassembler(Config{})
		if err != nil {
			t.Fatal(err)
		}
		s.Stamp(0, len(datagrams), 1, 0)
		var out []byte
		for i, d := range datagrams {
			if i%11 == 0 { // 9 %: at the smallest shard there is room for 14 %
				continue
			}
			if f := r.Push(rigStart, addrA, append(bytes.Clone(d.Header), d.Payload...)); f != nil {
				out = f.JPEG
			}
		}
		if !bytes.Equal(out, jpeg) {
			t.Errorf("shard %d: the frame did not arrive: %+v", shard, r.Counters())
		}
	}
}

func ExampleParityShare() {
	of := ParityShare(0.1)
	fmt.Println(of(47), of(50), of(200))
	// Output: 5 5 20
}
