package leopard

// What is lost is found from the parity: that of the data with zeros for what is lost, added to
// the parity that has come, is the parity of the lost data alone. It is a sum over these for which
// docs/PROTOCOL.md has the factors. With x for the numbers of lost data and j of parity that
// has come, as many of both, they are
//
//	L(j, x) = w(x) / (j + x)    where w(x) = G(x) / G, G(x) = Π (x + y), G = Π y
//
// over all y of 0 ... m-1, and in G without 0: a Cauchy matrix, for whose inverse there is a formula:
//
//	1/w(x) · A(x) · B(j) / (j + x)
//	A(x) = Π (x + j') / Π (x + x')   over all j', and all x' but x
//	B(j) = Π (j + x') / Π (j + j')   over all x', and all j' but j
//
// So t lost fragments cost an Encode, and t² multiplications of a fragment.

// solving is room for the lost fragments of a block and as many of parity.
type solving struct {
	lost    [MaxParity]byte             // numbers x, m + index
	used    [MaxParity]byte             // numbers j
	factors [MaxParity * MaxParity]byte // a row of t for each that is lost
}

func (c *Codec) rebuild(k int, fragments [][]byte, size int) {
	data, parity := fragments[:k], fragments[k:]
	s, m := c.memory(), ceilPow2(len(parity))
	lost, used := s.lost[:0], s.used[:0]
	for i, f := range data {
		if len(f) > 0 {
			continue
		}
		if cap(f) < size {
			f = make([]byte, size)
		}
		data[i] = f[:size]
		clear(data[i])
		lost = append(lost, byte(m+i))
	}
	for j, f := range parity {
		if len(f) > 0 && len(used) < len(lost) {
			used = append(used, byte(j))
		}
	}
	s.invert(lost, used, m)
	t := len(lost)
	for from, n := 0, strip(size, m); from < size; from += n {
		n = min(n, size-from)
		s.strip(data, m, len(parity), from, n)
		rows := s.work[:t*n]
		for r, j := range used {
			xor(rows[r*n:(r+1)*n], s.sums[int(j)*n:int(j+1)*n], parity[j][from:from+n])
		}
		for r, x := range lost {
			combine(data[int(x)-m][from:from+n], rows, s.factors[r*t:(r+1)*t])
		}
	}
}

// invert writes the inverse's factors.
func (s *space) invert(lost, used []byte, m int) {
	var logB [MaxParity]int
	for i, j := range used {
		logB[i] = modulo(product(j, lost) - product(j, used))
	}
	nonzero := 0 // log G
	for y := 1; y < m; y++ {
		nonzero += int(logs[y])
	}
	logW, group := 0, -1 // G(x), and so w(x), is the same for all x of a group of m
	for r, x := range lost {
		if int(x)/m != group {
			group, logW = int(x)/m, -nonzero
			for y := range m {
				logW += int(logs[int(x)^y])
			}
		}
		logA := modulo(product(x, used) - product(x, lost) - logW)
		row := s.factors[r*len(used) : (r+1)*len(used)]
		for i, j := range used {
			row[i] = powers[logA+logB[i]-int(logs[j^x])+order-1]
		}
	}
}

// product is the logarithm, multiples of 255 aside, of the product of x + y over all y but x itself.
func product(x byte, of []byte) (log int) {
	for _, y := range of {
		log += int(logs[x^y]) // for x itself that is logs[0], which is 0
	}
	return log
}

// modulo is what a logarithm is between 0 and 254.
func modulo(log int) int {
	if log %= order - 1; log < 0 {
		log += order - 1
	}
	return log
}
