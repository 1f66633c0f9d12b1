package fragment

import (
	"bytes"
	"testing"

	"github.com/klauspost/reedsolomon"
)

// What docs/PROTOCOL.md, section 7 says of parity is the Leopard code that will be
// used for it: its example is that library's, and so is its formula.
func TestParityExample(t *testing.T) {
	frame := exampleFrame()
	shards := [][]byte{frame[:64], append(frame[64:100:100], make([]byte, 28)...), make([]byte, 64), make([]byte, 64)}
	code, err := reedsolomon.New(2, 2, reedsolomon.WithLeopardGF(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := code.Encode(shards); err != nil {
		t.Fatal(err)
	}
	_, first := header(t, examples(t)["data-parity"])
	if !bytes.Equal(first, shards[2]) {
		t.Errorf("first parity fragment is % x on the page, want % x", first, shards[2])
	}
	if second := plainBlock(t, "and the 64 bytes of the second one are"); !bytes.Equal(second, shards[3]) {
		t.Errorf("second parity fragment is % x on the page, want % x", second, shards[3])
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
		want := leopard(shards[:n.k], n.p)
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

// leopard is section 7's formula, word for word.
func leopard(data [][]byte, p int) [][]byte {
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
