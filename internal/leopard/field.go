package leopard

// A byte stands for an element of GF(2)[x] / (x⁸ + x⁴ + x³ + x² + 1): its bit i for basis[i], whose own
// bits are the coefficients of x⁰ to x⁷ (Cantor's basis: the transform's factors become plain
// numbers in it). Addition is XOR.

const (
	order      = 256   // elements
	polynomial = 0x11d // as above
)

var basis = [8]byte{1, 214, 152, 146, 86, 200, 88, 230}

// logs are logarithms to the base x, of all but 0. powers are their inverse, three times, so that a sum of two
// logarithms is an index, and such a sum less a third one, plus 255. matrices are what VGF2P8AFFINEQB takes to multiply by an element: the byte
// of 8-i, counted from 1 at the lowest, says from which bits of its argument bit i of the product is the sum.
var logs, powers, matrices = tables()

func tables() (logs [order]uint8, powers [3 * (order - 1)]byte, matrices [order]uint64) {
	var plain [order]byte // the element's coefficients
	var named [order]byte // and back
	for e := range order {
		for i, b := range basis {
			if e>>i&1 == 1 {
				plain[e] ^= b
			}
		}
		named[plain[e]] = byte(e)
	}
	x := 1
	for n := range order - 1 {
		logs[named[x]] = uint8(n)
		for ; n < len(powers); n += order - 1 {
			powers[n] = named[x]
		}
		if x <<= 1; x >= order {
			x ^= polynomial
		}
	}
	for e := 1; e < order; e++ {
		for bit := range 8 { // of the argument
			product := powers[int(logs[e])+int(logs[1<<bit])]
			for i := range 8 { // of the product
				matrices[e] |= uint64(product>>i&1) << (8*(7-i) + bit)
			}
		}
	}
	return logs, powers, matrices
}
