// Package crc32c is hash/crc32 for CRC-32C (Castagnoli, RFC 3720, appendix B.4) only, with the
// same results, several times as fast on processors with AVX-512 and VPCLMULQDQ (Intel from
// Ice Lake, AMD from Zen 4 on). Everywhere else, and for short inputs, it is hash/crc32, which
// uses the processor's CRC instruction where there is one.
//
// Measured on a Sapphire Rapids Xeon, from the L2 cache, hash/crc32 in brackets: 300 kB in 4 µs
// (16), 1408 bytes in 27 ns (125), 256 bytes in 8 ns (28). BenchmarkChecksum repeats that.
package crc32c

import "hash/crc32"

var table = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the CRC-32C of b.
func Checksum(b []byte) uint32 { return Update(0, b) }

// Update is the CRC-32C of what crc is the checksum of, followed by b. 0 is the checksum of
// nothing.
func Update(crc uint32, b []byte) uint32 {
	if folds && len(b) >= least {
		return ^fold(^crc, b)
	}
	return crc32.Update(crc, table, b)
}
