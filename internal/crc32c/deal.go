package crc32c

import "fmt"

// Deal copies b to dst in pieces of piece bytes, the last one of what is left, each stride bytes
// behind the one before, and returns b's Checksum. Between the pieces dst stays as it is. Where there is
// a fold this takes one pass: 120 kB in pieces of 1408 bytes in 4.4 µs, Checksum and copy in 6.2.
//
// piece is 1..stride, and dst reaches to the end of the last piece; b and dst do not overlap.
func Deal(dst []byte, stride int, b []byte, piece int) uint32 {
	if len(b) == 0 {
		return 0
	}
	if piece < 1 || piece > stride || len(dst) < (len(b)-1)/piece*(stride-piece)+len(b) {
		panic(fmt.Sprintf("crc32c: %d bytes in pieces of %d do not fit into %d in strides of %d", len(b), piece, len(dst), stride))
	}
	if folds && deals && len(b) >= least && piece%64 == 0 {
		return ^deal(^uint32(0), b, &dst[0], piece, stride)
	}
	crc := uint32(0)
	for {
		n := copy(dst[:min(piece, len(b))], b)
		crc = Update(crc, b[:n])
		if b = b[n:]; len(b) == 0 {
			return crc
		}
		dst = dst[stride:]
	}
}
