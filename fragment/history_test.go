package fragment

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// cutAndKeep keeps a frame of random bytes, and returns what Split made of it, headers copied.
func cutAndKeep(t testing.TB, h *History, s *Splitter, id uint32, size int, now time.Time) (made []Datagram, f *stream.Frame) {
	t.Helper()
	f = stream.NewFrame(make([]byte, size))
	rand.NewChaCha8([32]byte{byte(id)}).Read(f.JPEG)
	all, err := s.Split(id, int64(id)*1000, f.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		made = append(made, Datagram{bytes.Clone(d.Header), bytes.Clone(d.Payload)})
	}
	h.Keep(id, f, s, now)
	return made, f
}

// Every data fragment of a frame that is kept comes again as it went out but for its flag,
// session and sequence, whatever the frame's size and parity, and also when
// other frames have been cut since.
func TestFragmentsComeAgainAsTheyWere(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, share := range []float64{0, 0.1, 1} {
		for _, size := range []int{1, 63, 64, 65, 640, 6401, 64 * 200, 64*201 + 1, 100_000, 64 * 3000} {
			var h History
			s, _ := NewSplitter(64)
			s.SetParity(ParityShare(share))
			made, _ := cutAndKeep(t, &h, s, 7, size, now)
			cutAndKeep(t, &h, s, 8, 999, now)
			k := h.Frame(7, now)
			if k == nil {
				t.Fatalf("frame 7 of %d bytes is not kept", size)
			}
			var again Header
			header, data := make([]byte, HeaderLen), 0
			for i, d := range made {
				var was Header
				want, err := was.Parse(append(bytes.Clone(d.Header), d.Payload...))
				if err != nil {
					t.Fatal(err)
				}
				if int(was.Index) >= was.DataFragments() {
					continue
				}
				data++
				p := Piece{was.Block, was.Index}
				g := k.Again(header, p, 5, 6)
				got, err := again.Parse(append(bytes.Clone(g.Header), g.Payload...))
				if err != nil {
					t.Fatalf("%d bytes, %v parity, %v: %v", size, share, p, err)
				}
				was.Session, was.Sequence, was.Flags = 5, 6, FlagRepair
				if again != was || !bytes.Equal(got, want) || !bytes.Equal(g.Payload, d.Payload) || k.Len(p) != HeaderLen+len(d.Payload) {
					t.Fatalf("%d bytes, %v parity: %+v with %d bytes comes again as %+v with %d", size, share, was, len(d.Payload), again, len(g.Payload))
				}
				if k.Place(p) != i {
					t.Fatalf("%d bytes, %v parity: %v was datagram %d, and is said to be %d", size, share, p, i, k.Place(p))
				}
			}
			if data != (size+63)/64 {
				t.Errorf("%d data fragments of %d bytes", data, size)
			}
			h.Drop()
		}
	}
}

func TestWanted(t *testing.T) {
	now := time.Unix(1000, 0)
	var h History
	s, _ := NewSplitter(64)
	s.SetParity(ParityShare(0.1))
	cutAndKeep(t, &h, s, 1, 64*250, now) // two blocks of 125
	k := h.Frame(1, now)
	bits := func(list ...int) (b [32]byte) {
		for _, i := range list {
			b[i/8] |= 1 << (i % 8)
		}
		return b
	}
	for name, tt := range map[string]struct {
		k      *KeptFrame
		ask    []Missing
		wanted []Piece
		gone   int
	}{
		"some of both":         {k, []Missing{{0, bits(0, 9, 124)}, {1, bits(3)}}, []Piece{{0, 0}, {0, 9}, {0, 124}, {1, 3}}, 0},
		"parity and beyond":    {k, []Missing{{0, bits(1, 125, 137, 138, 255)}}, []Piece{{0, 1}}, 4},
		"a block beyond":       {k, []Missing{{2, bits(1, 2)}, {254, [32]byte{}}}, nil, 3},
		"a frame not kept":     {nil, []Missing{{0, bits(1, 2)}, {1, [32]byte{}}}, nil, 3},
		"a frame that was not": {h.Frame(2, now), []Missing{{0, bits(1)}}, nil, 1},
	} {
		wanted, gone := tt.k.Wanted(nil, &Repair{Missing: tt.ask})
		if gone != tt.gone || len(wanted) != len(tt.wanted) {
			t.Errorf("%s: %v and %d gone, want %v and %d", name, wanted, gone, tt.wanted, tt.gone)
			continue
		}
		for i := range wanted {
			if wanted[i] != tt.wanted[i] {
				t.Errorf("%s: %v, want %v", name, wanted, tt.wanted)
			}
		}
	}
	whole, gone := k.Wanted(nil, &Repair{Missing: []Missing{{Block: 1}}})
	if len(whole) != 125 || gone != 0 || whole[0] != (Piece{1, 0}) || whole[124] != (Piece{1, 124}) {
		t.Errorf("a whole block is %v, and %d gone", whole, gone)
	}
	h.Drop()
}

// A History is bounded by frames, by bytes and by age, and gives back what it gives up.
func TestHistoryIsBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	s, _ := NewSplitter(MaxShard)
	kept := func(h *History, upTo uint32, now time.Time) (ids []uint32) {
		for id := range upTo {
			if h.Frame(id, now) != nil {
				ids = append(ids, id)
			}
		}
		return ids
	}
	held := func(f *stream.Frame) (yes bool) { // by anybody else than the test
		f.Release()
		defer func() {
			if recover() != nil {
				yes = false
			}
		}()
		f.Retain().Release()
		return true
	}

	var h History
	for id := range uint32(20) {
		cutAndKeep(t, &h, s, id, 1000, now)
	}
	if ids := kept(&h, 20, now); len(ids) != historyFrames || ids[0] != 12 {
		t.Errorf("of 20 frames these are kept: %v", ids)
	}
	if ids := kept(&h, 20, now.Add(historyAge)); len(ids) != historyFrames {
		t.Errorf("after half a second: %v", ids)
	}
	if ids := kept(&h, 20, now.Add(historyAge+1)); len(ids) != 0 {
		t.Errorf("later: %v", ids)
	}
	_, f := cutAndKeep(t, &h, s, 20, 1000, now.Add(historyAge+1))
	if h.n != 1 {
		t.Errorf("%d frames are kept, want the one that is not old", h.n)
	}
	h.Drop()
	if held(f) || h.size != 0 || h.Frame(20, now) != nil {
		t.Errorf("after Drop it is kept: %+v", h)
	}

	var all []*stream.Frame
	for id := range uint32(6) {
		_, f := cutAndKeep(t, &h, s, id, 6<<20, now)
		all = append(all, f)
	}
	if ids := kept(&h, 6, now); len(ids) != 3 || ids[0] != 3 {
		t.Errorf("of frames of 6 MiB these are kept: %v, want the newest and two", ids)
	}
	h.Drop()
	for id, f := range all {
		if held(f) {
			t.Errorf("frame %d has not been released", id)
		}
	}
}

func TestKeepingAllocatesNothing(t *testing.T) {
	var h History
	s, _ := NewSplitter(1408)
	f := stream.NewFrame(make([]byte, 300_000))
	now, id := time.Unix(1000, 0), uint32(0)
	var pieces []Piece
	header := make([]byte, HeaderLen)
	ask := Repair{Missing: []Missing{{Block: 1}}}
	step := func() {
		id++
		now = now.Add(time.Second / 60)
		if _, err := s.Split(id, 0, f.JPEG); err != nil {
			t.Fatal(err)
		}
		h.Keep(id, f, s, now)
		k := h.Frame(id-3, now)
		pieces, _ = k.Wanted(pieces[:0], &ask)
		for _, p := range pieces {
			k.Again(header, p, 1, 2)
		}
	}
	for range 20 {
		k := h.Frame(id, now)
		if id > 4 && k == nil {
			t.Fatal("nothing is kept")
		}
		id++
		s.Split(id, 0, f.JPEG)
		h.Keep(id, f, s, now)
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// FuzzHistory: whatever is asked for, what comes is of the frame asked for, and of its bytes.
func FuzzHistory(f *testing.F) {
	for _, r := range []Repair{
		{Frame: 3, Missing: []Missing{{Block: 0}}},
		{Frame: 2, Missing: []Missing{{Block: 0, Bits: [32]byte{0x81, 4}}, {Block: 3}}},
		{Frame: 9, Missing: []Missing{{Block: 254, Bits: [32]byte{31: 0xff}}}},
	} {
		b, err := r.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint16(5000), byte(10))
		f.Add(b, uint16(64*64), byte(0))
	}
	now := time.Unix(1000, 0)
	f.Fuzz(func(t *testing.T, b []byte, size uint16, percent byte) {
		var r Repair
		if r.Parse(b) != nil {
			return
		}
		var h History
		defer h.Drop()
		s, _ := NewSplitter(64)
		s.SetParity(ParityShare(float64(percent) / 100))
		frames := map[uint32][]byte{}
		for id := range uint32(12) {
			_, f := cutAndKeep(t, &h, s, id, 1+int(size)+int(id), now)
			frames[id] = f.JPEG
		}
		k := h.Frame(r.Frame, now)
		if k != nil != (r.Frame >= 4 && r.Frame < 12) {
			t.Fatalf("frame %d: %v", r.Frame, k)
		}
		wanted, _ := k.Wanted(nil, &r)
		if k == nil && len(wanted) > 0 {
			t.Fatalf("%v of a frame that is not kept", wanted)
		}
		seen := map[Piece]bool{}
		header := make([]byte, HeaderLen)
		for _, p := range wanted {
			if seen[p] {
				t.Fatalf("%v twice", p)
			}
			seen[p] = true
			g := k.Again(header, p, 1, 2)
			var h Header
			got, err := h.Parse(append(bytes.Clone(g.Header), g.Payload...))
			if err != nil || h.Frame != r.Frame || h.Block != p.Block || h.Index != p.Index || h.Flags != FlagRepair {
				t.Fatalf("%v of frame %d comes as %+v: %v", p, r.Frame, h, err)
			}
			from := h.Offset + int(h.Index)*h.Shard
			if !bytes.Equal(got, frames[r.Frame][from:from+len(got)]) {
				t.Fatalf("%v of frame %d has other bytes", p, r.Frame)
			}
		}
	})
}
