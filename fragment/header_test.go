package fragment

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// plainHeader is valid: the first of three data fragments.
func plainHeader() Header {
	return Header{
		Common: Common{Type: TypeData, Session: 1, Sequence: 2}, Frame: 3, Captured: 4,
		Blocks: 1, Shard: 1024, Length: 2100, CRC: 5,
	}
}

// Every rule of docs/PROTOCOL.md, section 3, from both sides of its edge.
func TestHeaderRules(t *testing.T) {
	set := func(change func(h *Header)) Header { h := plainHeader(); change(&h); return h }
	tests := []struct {
		name string
		h    Header
		ok   bool
	}{
		{"plain", plainHeader(), true},
		{"shard 0", set(func(h *Header) { h.Shard = 0 }), false},
		{"shard negative", set(func(h *Header) { h.Shard = -64 }), false},
		{"shard 64", set(func(h *Header) { h.Shard = 64 }), true},
		{"shard 63", set(func(h *Header) { h.Shard = 63 }), false},
		{"shard 65", set(func(h *Header) { h.Shard = 65 }), false},
		{"shard 16320", set(func(h *Header) { h.Shard = 16320 }), true},
		{"shard 16384", set(func(h *Header) { h.Shard = 16384 }), false},
		{"length 0", set(func(h *Header) { h.Length = 0 }), false},
		{"length negative", set(func(h *Header) { h.Length = -1 }), false},
		{"length 1", set(func(h *Header) { h.Length = 1 }), true},
		{"length beyond 3 bytes", set(func(h *Header) { h.Shard, h.Length = 16320, 1<<24 }), false},
		{"256 fragments", set(func(h *Header) { h.Length = 256 * 1024 }), true},
		{"257 fragments", set(func(h *Header) { h.Length = 256*1024 + 1 }), false},
		{"256 fragments and a parity", set(func(h *Header) { h.Length, h.Parity = 256*1024, 1 }), false},
		{"200 + 32", set(func(h *Header) { h.Length, h.Parity = 200*1024, 32 }), true},
		{"200 + 33, which round up to 64", set(func(h *Header) { h.Length, h.Parity = 200*1024, 33 }), false},
		{"192 + 33", set(func(h *Header) { h.Length, h.Parity = 192*1024, 33 }), true},
		{"128 + 128", set(func(h *Header) { h.Length, h.Parity = 128*1024, 128 }), true},
		{"129 + 128", set(func(h *Header) { h.Length, h.Parity = 129*1024, 128 }), false},
		{"1 + 129", set(func(h *Header) { h.Length, h.Parity = 1, 129 }), false},
		{"1 + 255", set(func(h *Header) { h.Length, h.Parity = 1, 255 }), false},
		{"index k-1", set(func(h *Header) { h.Index = 2 }), true},
		{"index k", set(func(h *Header) { h.Index = 3 }), false},
		{"index k+p-1", set(func(h *Header) { h.Index, h.Parity = 7, 5 }), true},
		{"index k+p", set(func(h *Header) { h.Index, h.Parity = 8, 5 }), false},
		{"offset negative", set(func(h *Header) { h.Offset = -1 }), false},
		{"ends at 2^24", set(func(h *Header) { h.Offset = 1<<24 - 2100 }), true},
		{"ends behind 2^24", set(func(h *Header) { h.Offset = 1<<24 - 2099 }), false},
		{"offset 2^24-1", set(func(h *Header) { h.Offset, h.Length = 1<<24-1, 1 }), true},
		{"offset that overflows", set(func(h *Header) { h.Offset = math.MaxInt }), false},
		{"block 254 of 255", set(func(h *Header) { h.Block, h.Blocks = 254, 255 }), true},
		{"block 255 of 255", set(func(h *Header) { h.Block, h.Blocks = 255, 255 }), false},
		{"block 1 of 1", set(func(h *Header) { h.Block = 1 }), false},
		{"block 254 of unknown", set(func(h *Header) { h.Block, h.Blocks = 254, 0 }), true},
		{"block 255 of unknown", set(func(h *Header) { h.Block, h.Blocks = 255, 0 }), false},
		{"captured before 1970", set(func(h *Header) { h.Captured = math.MinInt64 }), true},
	}
	for _, tt := range tests {
		b, err := tt.h.AppendBinary([]byte("x"))
		if tt.ok != (err == nil) || (!tt.ok && (!errors.Is(err, ErrInvalid) || string(b) != "x")) {
			t.Errorf("%s: AppendBinary gave % x, %v", tt.name, b, err)
		}
		if !tt.ok && !onWire(&tt.h) {
			continue
		}
		datagram := tt.h.append(nil) // whatever is wrong with it
		if tt.h.Shard > 0 {
			datagram = append(datagram, make([]byte, tt.h.fragmentLen())...)
		}
		var got Header
		payload, err := got.Parse(datagram)
		switch {
		case !tt.ok && !errors.Is(err, ErrInvalid):
			t.Errorf("%s: Parse gave %v, want ErrInvalid", tt.name, err)
		case tt.ok && (err != nil || got != tt.h || len(payload) != tt.h.fragmentLen()):
			t.Errorf("%s: Parse gave %+v, %d bytes, %v", tt.name, got, len(payload), err)
		}
	}
}

// onWire reports whether the wire's fields can say what h says at all.
func onWire(h *Header) bool {
	return h.Shard >= 0 && h.Shard%64 == 0 && h.Shard/64 < 256 &&
		h.Length >= 0 && h.Length < 1<<24 && h.Offset >= 0 && h.Offset < 1<<24
}

// A fragment is exactly as long as its place, or padded to the shard if it is the
// last of the data.
func TestFragmentLength(t *testing.T) {
	const shard = 128
	tests := []struct {
		name                  string
		length, index, parity int
		sizes                 []int // accepted ones out of 0..2*shard
		want                  int
	}{
		{"first", 300, 0, 0, []int{128}, 128},
		{"middle", 300, 1, 0, []int{128}, 128},
		{"last", 300, 2, 0, []int{44, 128}, 44},
		{"last and full", 256, 1, 0, []int{128}, 128},
		{"only one", 1, 0, 0, []int{1, 128}, 1},
		{"parity", 300, 3, 2, []int{128}, 128},
	}
	for _, tt := range tests {
		for _, flags := range []uint8{0, FlagSealed} {
			h := Header{Common: Common{Flags: flags}, Blocks: 1, Shard: shard, Length: tt.length, Index: uint8(tt.index), Parity: uint8(tt.parity)}
			head, err := h.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			for n := range 2*shard + 1 {
				datagram := append(bytes.Clone(head), bytes.Repeat([]byte{7}, n)...)
				if flags != 0 {
					datagram = append(datagram, make([]byte, SealLen)...)
				}
				payload, err := h.Parse(datagram)
				ok := slices.Contains(tt.sizes, n)
				if ok != (err == nil) || ok && len(payload) != tt.want || !ok && !errors.Is(err, ErrInvalid) {
					t.Errorf("%s, flags %d, %d bytes: got %d bytes, %v", tt.name, flags, n, len(payload), err)
				}
			}
		}
	}
}

// header says where the fragment begins: never before byte 48, never behind the end.
func TestHeaderLength(t *testing.T) {
	h := plainHeader()
	h.Length = 64
	for n := range 256 {
		head, _ := h.AppendBinary(nil)
		head[37] = uint8(n)
		var got Header
		if n < 12 { // even where the length would fit
			if _, err := got.Parse(append(head, make([]byte, max(0, 4*n+64-HeaderLen))...)); !errors.Is(err, ErrInvalid) {
				t.Errorf("header %d: got %v, want ErrInvalid", n, err)
			}
			continue
		}
		payload, err := got.Parse(append(append(head, make([]byte, 4*n-HeaderLen)...), bytes.Repeat([]byte{9}, 64)...))
		if err != nil || !bytes.Equal(payload, bytes.Repeat([]byte{9}, 64)) {
			t.Errorf("header %d: got % x, %v", n, payload, err)
		}
		if _, err := got.Parse(append(head, make([]byte, 4*n-HeaderLen)...)[:max(HeaderLen, 4*n-1)]); n > 12 && !errors.Is(err, ErrShort) {
			t.Errorf("header %d, cut in it: got %v, want ErrShort", n, err)
		}
	}
}

func TestHeaderErrorNamesTheFields(t *testing.T) {
	h := plainHeader()
	h.Index = 77
	if _, err := h.AppendBinary(nil); err == nil || !strings.Contains(err.Error(), "fragment 77") {
		t.Errorf("got %v, want it to name fragment 77", err)
	}
}

func TestCapturedTime(t *testing.T) {
	h := Header{Captured: 1790000000123456}
	if want := time.Date(2026, 9, 21, 14, 13, 20, 123456000, time.UTC); !h.CapturedTime().Equal(want) {
		t.Errorf("got %v, want %v", h.CapturedTime().UTC(), want)
	}
}

func TestCommon(t *testing.T) {
	c := Common{Flags: 0xb0 | FlagSlice}
	if c.Generation() != 11 {
		t.Errorf("generation of flags %#x is %d, want 11", c.Flags, c.Generation())
	}
	for name, want := range map[string]error{
		"": ErrMagic, "F": ErrMagic, "FG": ErrMagic, "GF\x11": ErrMagic, "FG\x21": ErrVersion, "FG\x01": ErrVersion, "FG\x11": ErrShort,
	} {
		if _, err := ParseCommon([]byte(name)); err != want {
			t.Errorf("%q: got %v, want %v", name, err, want)
		}
	}
	for typ, want := range map[Type]string{TypeData: "data", TypeRefuse: "refuse", 0: "type 0", 11: "frame", 12: "type 12"} {
		if typ.String() != want {
			t.Errorf("type %d is %q, want %q", uint8(typ), typ, want)
		}
	}
}
