package leopard

import "testing"

// What the tables say is multiplication of polynomials, for all pairs of elements.
func TestTablesAreThoseOfTheField(t *testing.T) {
	plain := func(e int) (p int) {
		for i, b := range basis {
			p ^= e >> i & 1 * int(b)
		}
		return p
	}
	for a := range order {
		for b := range order {
			product := 0
			for i := range 8 {
				product ^= plain(a) << i * (plain(b) >> i & 1)
			}
			for i := 14; i >= 8; i-- {
				product ^= polynomial << (i - 8) * (product >> i & 1)
			}
			if got := plain(int(affine(matrices[a], byte(b)))); got != product {
				t.Fatalf("%d times %d by matrix: got %#02x, want %#02x", a, b, got, product)
			}
			if a == 0 || b == 0 {
				continue
			}
			sum := int(logs[a]) + int(logs[b])
			if got := plain(int(powers[sum])); got != product {
				t.Fatalf("%d times %d by logarithm: got %#02x, want %#02x", a, b, got, product)
			}
			if got := powers[sum-int(logs[b])+order-1]; int(got) != a {
				t.Fatalf("%d times %d, divided by that again: got %d", a, b, got)
			}
		}
	}
}

// affine is VGF2P8AFFINEQB on one byte, as Intel's manual has it.
func affine(matrix uint64, x byte) (y byte) {
	for i := range 8 {
		row := byte(matrix>>(8*(7-i))) & x
		for bit := range 8 {
			y ^= row >> bit & 1 << i
		}
	}
	return y
}
