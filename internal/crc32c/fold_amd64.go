package crc32c

import "golang.org/x/sys/cpu"

// fold treats b as a polynomial over GF(2), of which the CRC is the remainder by P, the
// Castagnoli polynomial. A block of 128 bits that lies D bits before another one is moved
// there, without changing the remainder, by multiplying each of its halves by a power of x
// mod P (32 bits) and adding the products (96 bits at most) to the other block: two carry-less
// multiplications for 16 bytes, or for 64 with VPCLMULQDQ on 512 bits. Four such registers
// are under way at a time, since a multiplication takes about four cycles. What is left in the
// end are 128 bits, for which there is the processor's CRC instruction, as for the last 0..63
// bytes. After Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
// Instruction", Intel, 2009.
//
// crc is the register, that is, the complement of a checksum; b has at least 256 bytes.
//
//go:noescape
func fold(crc uint32, b []byte) uint32

// folds is whether this processor can, and its system keeps the 512-bit registers.
var folds = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VPCLMULQDQ && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE42

// least is the fewest bytes that fold takes; it is faster than hash/crc32 from there on.
const least = 256

// powers are the constants of fold, a pair for each distance D in bits: for the first half of
// 128 bits x^(D+63), for the second x^(D-1), mod P. This CRC takes the lowest bit of a byte
// for the highest power, so bit 63 of a constant is x^0 and bit 32 is x^31. The product of two
// numbers that stand that way is x times what it should be, hence 1 less than D+64 and D.
var powers = [...]uint64{
	0xe9a5d8be00000000, 0x1426a81500000000, // D = 2048: 256 bytes on
	0x7ccbbbf200000000, 0x31c9460800000000, // 1536
	0x6577b24500000000, 0x7417153f00000000, // 1024
	0x1c19243b00000000, 0x75bba45b00000000, // 512: one register on
	0xa46ef4aa00000000, 0x6051243f00000000, // 384: from the four quarters of a register to its last
	0x33ccbbbc00000000, 0xa2158b3400000000, // 256
	0x3743f7bd00000000, 0x3171d43000000000, // 128
	0, 0, // 0, where nothing is multiplied
}
