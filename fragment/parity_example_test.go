package fragment

import (
	"bytes"
	"testing"

	"github.com/klauspost/reedsolomon"
)

// The example of docs/PROTOCOL.md, section 7 is what the Splitter sends, and its formula
// is the library's.
func TestParityExample(t *testing.T) {
	page := examples(t)
	s := mustSplitter(t, 64)
	s.SetParity(fixed(2))
	datagrams, err := s.Split(7, 1790000000123456, exampleFrame())
	if err != nil || len(datagrams) != 4 {
		t.Fatalf("got %d datagrams, %v, want 4", len(datagrams), err)
	}
	s.Stamp(0, len(datagrams), exampleSession, 0)
	if got := append(bytes.Clone(datagrams[2].Header), datagrams[2].Payload...); !bytes.Equal(got, page["data-parity"]) {
		t.Errorf("first parity fragment: got\n% x, want\n% x", got, page["data-parity"])
	}
	if second := plainBlock(t, "and the 64 bytes of the second one are"); !bytes.Equal(datagrams[3].Payload, second) {
		t.Errorf("second parity fragment: got % x, want % x", datagrams[3].Payload, second)
	}
	// The data is as without parity, but that it says so and is padded.
	for i, name := range []string{"data-first-fragment", "data-last-fragment-padded"} {
		want := page[name]
		want[35] = 2
		if got := append(bytes.Clone(datagrams[i].Header), datagrams[i].Payload...); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n% x, want\n% x", name, got, want)
		}
	}
}

func TestParityFormula(t *testing.T) {
	for _, n := range []struct{ k, p int }{{1, 1}, {2, 1}, {3, 2}, {5, 3}, {7, 2}, {200, 32}, {128, 128}, {192, 64}, {252, 4}} {
		h := Header{Shard: 64, Length: 64 * n.k, Parity: uint8(n.p)}
		if err := h.check(); err != nil {
			t.Fatalf("%d + %d fragments: %v", n.k, n.p, err)
		}
		shards := make([][]byte, n.k+n.p)
		for i := range shards {
			shards[i] = picture(uint64(i), 64)
		}
		want := formula(shards[:n.k], n.p)
		code, err := reedsolomon.New(n.k, n.p, reedsolomon.WithLeopardGF(true))
		if err != nil {
			t.Fatal(err)
		}
		if err := code.Encode(shards); err != nil {
			t.Fatal(err)
		}
		for j := range want {
			if !bytes.Equal(shards[n.k+j], want[j]) {
				t.Errorf("%d + %d fragments: parity %d differs from the page's formula", n.k, n.p, j)
			}
		}
	}
}

// formula is section 7's formula, word for word.
func formula(data [][]byte, p int) [][]byte {
	m := ceilPow2(p)
	parity := make([][]byte, p)
	for j := range parity {
		parity[j] = make([]byte, len(data[0]))
		for i := range data {
			l := weight(byte(j), byte(m+i), m)
			for t, b := range data[i] {
				parity[j][t] ^= field.mul(b, l)
			}
		}
	}
	return parity
}

// weight is L(j, x).
func weight(j, x byte, m int) byte {
	l := byte(1)
	first := int(x) / m * m
	for y := first; y < first+m; y++ {
		if byte(y) != x {
			l = field.mul(l, field.div(j^byte(y), x^byte(y)))
		}
	}
	return l
}

// gf256 is the field with elements written in Leopard's basis.
type gf256 struct{ polynomial, written, inverse [256]byte }

var field = newGF256()

func newGF256() *gf256 {
	g := &gf256{}
	for x := range 256 {
		for bit, base := range [8]byte{1, 214, 152, 146, 86, 200, 88, 230} {
			if x>>bit&1 != 0 {
				g.polynomial[x] ^= base
			}
		}
		g.written[g.polynomial[x]] = byte(x)
	}
	for a := 1; a < 256; a++ {
		for b := 1; b < 256; b++ {
			if g.mul(byte(a), byte(b)) == 1 {
				g.inverse[a] = byte(b)
			}
		}
	}
	return g
}

func (g *gf256) div(a, b byte) byte { return g.mul(a, g.inverse[b]) }

func (g *gf256) mul(a, b byte) byte {
	x, product := int(g.polynomial[a]), 0
	for y := int(g.polynomial[b]); y > 0; y >>= 1 {
		if y&1 != 0 {
			product ^= x
		}
		if x <<= 1; x >= 256 {
			x ^= 0x11d
		}
	}
	return g.written[product]
}
