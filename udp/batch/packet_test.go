package batch

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		n, segment int
		want       []int
	}{
		"not glued":                   {1472, 0, []int{1472}},
		"a size below zero":           {1472, -5, []int{1472}},
		"the smallest size":           {3, 1, []int{1, 1, 1}},
		"one segment":                 {1472, 1472, []int{1472}},
		"larger than the buffer":      {100, 1472, []int{100}},
		"far larger than the buffer":  {100, 1 << 30, []int{100}},
		"equal":                       {4416, 1472, []int{1472, 1472, 1472}},
		"last shorter":                {3000, 1472, []int{1472, 1472, 56}},
		"last of one byte":            {1473, 1472, []int{1472, 1}},
		"empty":                       {0, 0, []int{0}},
		"empty with a size":           {0, 1472, []int{0}},
		"cut off in the last segment": {65536, 1472, append(times(44, 1472), 65536-44*1472)},
	} {
		b := make([]byte, c.n, c.n+10)
		for i := range b {
			b[i] = byte(i * 7)
		}
		from := netip.MustParseAddrPort("192.0.2.1:5")
		ps := split(nil, Packet{B: b, From: from, Interface: 3}, c.segment)
		var got []int
		var joined []byte
		for _, p := range ps {
			got, joined = append(got, len(p.B)), append(joined, p.B...)
			if p.From != from || p.Interface != 3 {
				t.Errorf("%s: a piece is from %v by %d", name, p.From, p.Interface)
			}
		}
		if !slices.Equal(got, c.want) || !bytes.Equal(joined, b) {
			t.Errorf("%s: got %v, want %v, with all bytes in order", name, got, c.want)
		}
	}
}

// What appends to one datagram must not write over the next.
func TestPiecesAreApart(t *testing.T) {
	b := []byte("abcdef")
	ps := split(nil, Packet{B: b}, 2)
	_ = append(ps[0].B, 'X')
	if string(b) != "abcdef" {
		t.Errorf("the second piece became %q", ps[1].B)
	}
}
