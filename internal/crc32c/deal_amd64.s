#include "textflag.h"

// As in fold_amd64.s.
#define MOVE(from, to) \
	VPCLMULQDQ $0x00, Z9, from, Z8 \
	VPCLMULQDQ $0x11, Z9, from, from \
	VPTERNLOGQ $0x96, to, Z8, from

// PUT writes 64 bytes to where they belong: R10 is what is left of the piece, R9 lies between two.
#define PUT(z, next) \
	VMOVDQU64 z, (DI) \
	ADDQ $64, DI \
	SUBQ $64, R10 \
	JNZ next \
	ADDQ R9, DI \
	MOVQ R8, R10 \
next:

// func deal(crc uint32, b []byte, dst *byte, piece, stride int) uint32
TEXT ·deal(SB), NOSPLIT, $0-60
	MOVL crc+0(FP), AX
	MOVQ b_base+8(FP), SI
	MOVQ b_len+16(FP), CX
	MOVQ dst+32(FP), DI
	MOVQ piece+40(FP), R8
	MOVQ stride+48(FP), R9
	SUBQ R8, R9
	MOVQ R8, R10

	VMOVDQU64 (SI), Z0
	VMOVDQU64 64(SI), Z1
	VMOVDQU64 128(SI), Z2
	VMOVDQU64 192(SI), Z3
	PUT(Z0, first1)
	PUT(Z1, first2)
	PUT(Z2, first3)
	PUT(Z3, first4)
	VMOVD AX, X4
	VPXORQ Z4, Z0, Z0
	VBROADCASTI32X4 ·powers+0(SB), Z9 // 2048

next256:
	ADDQ $256, SI
	SUBQ $256, CX
	CMPQ CX, $256
	JB join
	VMOVDQU64 (SI), Z10
	VMOVDQU64 64(SI), Z11
	VMOVDQU64 128(SI), Z12
	VMOVDQU64 192(SI), Z13
	VPCLMULQDQ $0x00, Z9, Z0, Z4
	VPCLMULQDQ $0x00, Z9, Z1, Z5
	VPCLMULQDQ $0x00, Z9, Z2, Z6
	VPCLMULQDQ $0x00, Z9, Z3, Z7
	VPCLMULQDQ $0x11, Z9, Z0, Z0
	VPCLMULQDQ $0x11, Z9, Z1, Z1
	VPCLMULQDQ $0x11, Z9, Z2, Z2
	VPCLMULQDQ $0x11, Z9, Z3, Z3
	VPTERNLOGQ $0x96, Z10, Z4, Z0 // the sum of all three
	VPTERNLOGQ $0x96, Z11, Z5, Z1
	VPTERNLOGQ $0x96, Z12, Z6, Z2
	VPTERNLOGQ $0x96, Z13, Z7, Z3
	PUT(Z10, then1)
	PUT(Z11, then2)
	PUT(Z12, then3)
	PUT(Z13, then4)
	JMP next256

join: // four registers into Z0
	VBROADCASTI32X4 ·powers+16(SB), Z9 // 1536
	MOVE(Z0, Z3)
	VBROADCASTI32X4 ·powers+32(SB), Z9 // 1024
	MOVE(Z1, Z0)
	VBROADCASTI32X4 ·powers+48(SB), Z9 // 512
	MOVE(Z2, Z1)
	VMOVDQA64 Z2, Z0

next64:
	CMPQ CX, $64
	JB rest
	VMOVDQU64 (SI), Z10
	MOVE(Z0, Z10)
	PUT(Z10, last1)
	ADDQ $64, SI
	SUBQ $64, CX
	JMP next64

rest: // the last 0..63 bytes
	MOVQ $-1, R11
	BZHIQ CX, R11, R11
	KMOVQ R11, K1
	VMOVDQU8.Z (SI), K1, Z10
	VMOVDQU8 Z10, K1, (DI)

	// Z0's four into X0
	VEXTRACTI32X4 $3, Z0, X1
	VMOVDQU64 ·powers+64(SB), Z9 // 384, 256, 128, 0
	VPCLMULQDQ $0x00, Z9, Z0, Z8
	VPCLMULQDQ $0x11, Z9, Z0, Z0
	VPXORQ Z8, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y2
	VPXOR Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X2
	VPXOR X2, X0, X0
	VPXOR X1, X0, X0

	VMOVQ X0, DX
	VPEXTRQ $1, X0, BX
	VZEROUPPER
	XORL AX, AX
	CRC32Q DX, AX
	CRC32Q BX, AX

next8:
	CMPQ CX, $8
	JB next1
	CRC32Q (SI), AX
	ADDQ $8, SI
	SUBQ $8, CX
	JMP next8

next1:
	TESTQ CX, CX
	JZ done
	CRC32B (SI), AX
	INCQ SI
	DECQ CX
	JMP next1

done:
	MOVL AX, ret+56(FP)
	RET
