package fragment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// picture is n bytes that differ from frame to frame.
func picture(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, rng.Uint64())
	}
	return b[:n:n]
}

func mustSplitter(t testing.TB, shard int) *Splitter {
	t.Helper()
	s, err := NewSplitter(shard)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkCut holds datagrams against every promise of Split, and puts the frame
// together from their headers alone.
func checkCut(t *testing.T, datagrams []Datagram, shard int, jpeg []byte) {
	t.Helper()
	got := make([]byte, len(jpeg))
	var headers []Header
	shortest, longest := 1<<30, 0
	for i, d := range datagrams {
		var h Header
		payload, err := h.Parse(append(bytes.Clone(d.Header), d.Payload...))
		if err != nil {
			t.Fatalf("datagram %d: %v", i, err)
		}
		if len(d.Payload) != shard && i != len(datagrams)-1 {
			t.Errorf("datagram %d of %d carries %d bytes: only the last may be short", i, len(datagrams), len(d.Payload))
		}
		copy(got[h.Offset+int(h.Index)*h.Shard:], payload)
		if h.Index == 0 {
			headers = append(headers, h)
			shortest, longest = min(shortest, h.DataFragments()), max(longest, h.DataFragments())
		} else if last := headers[len(headers)-1]; h.Block != last.Block || int(h.Index) >= h.DataFragments() || h.CRC != last.CRC {
			t.Errorf("datagram %d: %+v behind %+v", i, h, last)
		}
	}
	if !bytes.Equal(got, jpeg) {
		t.Errorf("%d bytes at shard %d: the pieces do not make the frame", len(jpeg), shard)
	}
	if longest-shortest > 1 || longest > maxData {
		t.Errorf("blocks of %d to %d fragments, want equal to within one and at most %d", shortest, longest, maxData)
	}
	end := 0
	for i, h := range headers {
		if int(h.Block) != i || int(h.Blocks) != len(headers) || h.Offset != end || h.Shard != shard || h.Parity != 0 || h.Flags != 0 ||
			h.CRC != crc32.Checksum(jpeg[h.Offset:h.Offset+h.Length], castagnoli) {
			t.Errorf("block %d: %+v", i, h)
		}
		end += h.Length
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		shard, size       int
		datagrams, blocks int
	}{
		{64, 1, 1, 1},
		{1408, 1, 1, 1},
		{1408, 1408, 1, 1},
		{1408, 1409, 2, 1},
		{64, 64 * 199, 199, 1},
		{64, 64*199 + 1, 200, 1},
		{64, 64 * 200, 200, 1}, // exactly k * shard
		{64, 64*200 + 1, 201, 2},
		{64, 64 * 400, 400, 2},
		{64, 64*400 + 1, 401, 3},
		{1408, 300_000, 214, 2},
		{64, 64 * 200 * 255, 51000, 255}, // Splitter.MaxFrame at this shard
		{16320, 1 << 24, 1029, 6},
		{1408, 1 << 24, 11916, 60},
	}
	for _, tt := range tests {
		s, jpeg := mustSplitter(t, tt.shard), picture(1, tt.size)
		datagrams, err := s.Split(9, 8, jpeg)
		if err != nil {
			t.Errorf("%d bytes at shard %d: %v", tt.size, tt.shard, err)
			continue
		}
		blocks := int(datagrams[0].Header[33])
		if len(datagrams) != tt.datagrams || blocks != tt.blocks {
			t.Errorf("%d bytes at shard %d: %d datagrams in %d blocks, want %d in %d",
				tt.size, tt.shard, len(datagrams), blocks, tt.datagrams, tt.blocks)
		}
		checkCut(t, datagrams, tt.shard, jpeg)
	}
}

func TestSplitRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	s := mustSplitter(t, 64)
	for range 200 {
		shard := 64 * (1 + rng.IntN(30))
		if err := s.SetShard(shard); err != nil || s.Shard() != shard {
			t.Fatalf("shard is %d, %v, want %d", s.Shard(), err, shard)
		}
		jpeg := picture(rng.Uint64(), 1+rng.IntN(200_000))
		datagrams, err := s.Split(rng.Uint32(), rng.Int64(), jpeg)
		if err != nil {
			t.Fatal(err)
		}
		checkCut(t, datagrams, shard, jpeg)
	}
}

func TestSplitRefuses(t *testing.T) {
	s := mustSplitter(t, 64)
	s.Split(1, 1, picture(1, 1000))
	if d, err := s.Split(2, 2, nil); d != nil || !errors.Is(err, ErrInvalid) {
		t.Errorf("empty frame: got %d datagrams, %v, want ErrInvalid", len(d), err)
	}
	for _, shard := range []int{64, 384, 1408} {
		s.SetShard(shard)
		left, err := s.Split(3, 3, make([]byte, s.MaxFrame()+1))
		var large *FrameTooLargeError
		if !errors.As(err, &large) || large.Size != s.MaxFrame()+1 || large.Max != s.MaxFrame() {
			t.Errorf("frame over the limit at shard %d: got %v", shard, err)
		} else if !strings.Contains(err.Error(), "lower the quality") {
			t.Errorf("%q does not say what to do", err)
		}
		if len(left) != 0 {
			t.Errorf("after an error %d datagrams are left to send", len(left))
		}
	}
	if got := mustSplitter(t, 1408).MaxFrame(); got != MaxFrameBytes {
		t.Errorf("MaxFrame at shard 1408 is %d, want %d", got, MaxFrameBytes)
	}
	for _, shard := range []int{0, -64, 63, 65, 16384} {
		if _, err := NewSplitter(shard); err == nil {
			t.Errorf("shard %d was accepted", shard)
		}
		if err := s.SetShard(shard); err == nil || s.Shard() != 1408 {
			t.Errorf("SetShard(%d) gave %v, left %d", shard, err, s.Shard())
		}
	}
}

// The datagrams of one cut are stamped for each destination in turn, some at a time.
func TestStamp(t *testing.T) {
	s, jpeg := mustSplitter(t, 64), picture(1, 500)
	datagrams, err := s.Split(9, 8, jpeg)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(datagrams[3].Header)
	for _, to := range []struct{ session, first uint64 }{{1, 0}, {1 << 63, 1<<64 - 8}, {3, 77}} {
		for i := 0; i < len(datagrams); i += 3 {
			s.Stamp(i, min(i+3, len(datagrams)), to.session, to.first)
		}
		for i, d := range datagrams {
			var h Header
			if _, err := h.Parse(append(bytes.Clone(d.Header), d.Payload...)); err != nil {
				t.Fatal(err)
			}
			if h.Session != to.session || h.Sequence != to.first+uint64(i) || h.Frame != 9 || h.Captured != 8 || int(h.Index) != i {
				t.Errorf("datagram %d to session %d: %+v", i, to.session, h)
			}
		}
	}
	s.Stamp(2, 4, 0, ^uint64(2)) // -3
	if untouched := datagrams[4].Header; !bytes.Equal(untouched[4:20], append(make([]byte, 7), 3, 0, 0, 0, 0, 0, 0, 0, 81)) {
		t.Errorf("Stamp of 2 and 3 changed 4: % x", untouched)
	}
	copy(before[12:20], make([]byte, 8))
	if after := bytes.Clone(datagrams[3].Header); !bytes.Equal(after[20:], before[20:]) {
		t.Errorf("Stamp changed more than session and sequence: % x, was % x", after, before)
	}
}

// A train is one piece of memory; the frame is the caller's again; and one datagram's pieces
// cannot be appended into the next one's.
func TestDatagramsLieOneBehindTheOther(t *testing.T) {
	for _, p := range []int{0, 4} {
		s, jpeg := mustSplitter(t, 64), picture(1, 64*299+1)
		s.SetParity(fixed(p))
		datagrams, err := s.Split(1, 1, jpeg)
		if err != nil {
			t.Fatal(err)
		}
		was := bytes.Clone(datagrams[200].Payload)
		clear(jpeg)
		if !bytes.Equal(datagrams[200].Payload, was) {
			t.Error("a payload changes with the frame")
		}
		at := unsafe.Pointer(unsafe.SliceData(datagrams[0].Header))
		for i, d := range datagrams {
			for _, b := range [][]byte{d.Header, d.Payload} {
				if unsafe.Pointer(unsafe.SliceData(b)) != at {
					t.Fatalf("parity %d: datagram %d is not behind the one before", p, i)
				}
				if cap(b) != len(b) {
					t.Fatalf("parity %d: a piece of datagram %d has %d bytes and capacity %d", p, i, len(b), cap(b))
				}
				at = unsafe.Add(at, len(b))
			}
		}
	}
}
