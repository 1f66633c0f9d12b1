package leopard

// The transform is that of Lin, Chung and Han, "Novel Polynomial Basis and Its Application to
// Reed-Solomon Erasure Codes", 2014. Let m be p rounded up to a power of two. The data stands for the values of a
// polynomial at the points m, m+1, ...; each m of them in a row are transformed back to
// coefficients, all these are added, and the sum is transformed to the values at 0, 1, ..., p-1, which are the
// parity. A transform of m rows has log2 m layers. In the layer of distance d = 1, 2, 4, ..., m/2, rows
// a and a+d make a butterfly, whose factor is the point of the first row of its 2d rows, divided by d:
//
//	back:    row[a+d] += row[a],            then row[a] += factor * row[a+d]
//	forth:   row[a] += factor * row[a+d],   then row[a+d] += row[a]
//
// The kernels do two layers at a time. All works on strips: as many bytes of every row as fit
// into the L1 cache for all of them. More layers at a time, in registers, were no faster: the additions and
// multiplications are what takes the time.

// space is the kernels' memory. A strip's rows lie one behind the other.
type space struct {
	work [room]byte // of m rows
	sums [room]byte // of m rows
	solving
}

// room is how much m rows of a strip may be, in bytes: twice that is an L1 cache of 32 KiB; Intel's have 48.
const room = 16 << 10

// strip is how many bytes of fragments of that size are done at a time in m rows, m <= MaxParity. Strips
// are of one length, to within a Unit.
func strip(size, m int) int {
	units, most := size/Unit, room/(m*Unit)
	if most > 2 { // rows at distances of powers of two are in each other's way in the cache: a seventh slower
		most = (most - 1) | 1
	}
	strips := (units + most - 1) / most
	return (units + strips - 1) / strips * Unit
}

func (c *Codec) memory() *space {
	if c.space == nil {
		c.space = new(space)
	}
	return c.space
}

func (c *Codec) encode(data, parity [][]byte, size int) {
	s, m := c.memory(), ceilPow2(len(parity))
	for from, n := 0, strip(size, m); from < size; from += n {
		n = min(n, size-from)
		s.strip(data, m, len(parity), from, n)
		for j, p := range parity {
			copy(p[from:from+n], s.sums[j*n:])
		}
	}
}

// strip makes bytes from to from+n of p parity fragments, one behind the other in s.sums.
func (s *space) strip(data [][]byte, m, p, from, n int) {
	clear(s.sums[:m*n])
	for first := 0; first < len(data); first += m {
		s.add(data[first:min(first+m, len(data))], m+first, m, from, n)
	}
	forth(s.sums[:m*n], p, m, n)
}

// add transforms rows, the values at point and the points behind it, back to coefficients, and adds
// these to s.sums. Of the m rows those that are not there are 0.
func (s *space) add(rows [][]byte, point, m, from, n int) {
	work, there, d := s.work[:m*n], 0, 1
	if m >= 4 {
		there, d = len(rows)&^3, 4
		back4from(work[:there*n], rows[:there], from, n, point)
	}
	rest := work[there*n:]
	for _, row := range rows[there:] {
		rest = rest[copy(rest, row[from:from+n]):]
	}
	clear(rest)
	if d == 4 && there < len(rows) {
		back4(work[there*n:(there+4)*n], n, point+there)
	}
	for ; 4*d < m; d *= 4 {
		groups := (len(rows) + 4*d - 1) / (4 * d)
		back4(work[:groups*4*d*n], d*n, point/d)
	}
	switch sums := s.sums[:m*n]; m / d {
	case 4:
		back4add(sums, work, point/d)
	case 2:
		back2add(sums, work, point/d)
	case 1: // m is 1, or 4
		xor(sums, sums, work)
	}
}

// forth transforms m rows of n bytes to the values at 0, 1, ..., p-1, p > m/2.
func forth(rows []byte, p, m, n int) {
	d := m / 4
	if half := len(rows) / 2; m&0x55 == 0 { // an odd number of layers: the first one's only factor is 0
		xor(rows[half:], rows[half:], rows[:half])
		d = m / 8
	}
	for ; d > 0; d /= 4 {
		groups := (p + 4*d - 1) / (4 * d)
		forth4(rows[:groups*4*d*n], d*n)
	}
}
