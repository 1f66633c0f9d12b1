package leopard

import "golang.org/x/sys/cpu"

// kernels is whether this processor has what the kernels need, and its system keeps the 512-bit
// registers.
var kernels = cpu.X86.HasAVX512F && cpu.X86.HasAVX512GFNI

// In all of these n is a multiple of 64 and at least that, and so are the lengths of rows in bytes.
// Nothing overlaps, but to may be a.

// back4from does the layers of distances 1 and 2 on bytes from to from+n of rows, of which there are
// none or a multiple of 4, and writes the result to work, len(rows)*n bytes. point is that of
// the first row.
//
//go:noescape
func back4from(work []byte, rows [][]byte, from, n, point int)

// back4 does the layers of distances d and 2d where they are, on groups of 4d rows. n is the length of d rows,
// factor the point of the first row divided by d.
//
//go:noescape
func back4(work []byte, n, factor int)

// back4add is back4 on one group, and adds the result to sums.
//
//go:noescape
func back4add(sums, work []byte, factor int)

// back2add does the last layer only.
//
//go:noescape
func back2add(sums, work []byte, factor int)

// forth4 is the inverse of back4 with a factor of 0.
//
//go:noescape
func forth4(work []byte, n int)

// xor writes a + b. All three are of one length.
//
//go:noescape
func xor(to, a, b []byte)

// combine writes the sum of rows, each multiplied by its factor. Rows lie one behind the other,
// each as long as to.
//
//go:noescape
func combine(to, rows, factors []byte)
