#include "textflag.h"

// Rows a, b, c, d are in Z0 to Z3, the factors in Z16 (a and b), Z17 (c and d) and Z18 (the layer
// of twice the distance).

// FACTORS loads them. index is the first one's: Z17's is the next but one, since its group begins
// two distances further on, and Z18's half of it.
#define FACTORS(index) \
	VPBROADCASTQ (BX)(index*8), Z16 \
	VPBROADCASTQ 16(BX)(index*8), Z17 \
	VPBROADCASTQ (BX)(index*4), Z18

// BACK leaves the last two sums to its user: Z4 belongs to a, Z5 to b.
#define BACK \
	VPXORQ Z0, Z1, Z1 \
	VPXORQ Z2, Z3, Z3 \
	VGF2P8AFFINEQB $0, Z16, Z1, Z4 \
	VGF2P8AFFINEQB $0, Z17, Z3, Z5 \
	VPXORQ Z4, Z0, Z0 \
	VPTERNLOGQ $0x96, Z0, Z5, Z2 \
	VPXORQ Z1, Z3, Z3 \
	VGF2P8AFFINEQB $0, Z18, Z2, Z4 \
	VGF2P8AFFINEQB $0, Z18, Z3, Z5

// func back4from(work []byte, rows [][]byte, from, n, point int)
TEXT ·back4from(SB), NOSPLIT, $0-72
	MOVQ work_base+0(FP), DI
	MOVQ rows_base+24(FP), SI
	MOVQ rows_len+32(FP), CX
	MOVQ n+56(FP), R8
	MOVQ point+64(FP), R9
	LEAQ ·matrices(SB), BX
	LEAQ (R8)(R8*2), R10

fromNext4:
	SUBQ $4, CX
	JB fromDone
	FACTORS(R9)
	ADDQ $4, R9
	MOVQ from+48(FP), AX
	MOVQ (SI), R11
	MOVQ 24(SI), R12
	MOVQ 48(SI), R13
	MOVQ 72(SI), DX
	ADDQ AX, R11
	ADDQ AX, R12
	ADDQ AX, R13
	ADDQ AX, DX
	ADDQ $96, SI
	XORL AX, AX

fromNext64:
	VMOVDQU64 (R11)(AX*1), Z0
	VMOVDQU64 (R12)(AX*1), Z1
	VMOVDQU64 (R13)(AX*1), Z2
	VMOVDQU64 (DX)(AX*1), Z3
	BACK
	VPXORQ Z4, Z0, Z0
	VPXORQ Z5, Z1, Z1
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R8*1)
	VMOVDQU64 Z2, (DI)(R8*2)
	VMOVDQU64 Z3, (DI)(R10*1)
	ADDQ $64, DI
	ADDQ $64, AX
	CMPQ AX, R8
	JB fromNext64
	ADDQ R10, DI
	JMP fromNext4

fromDone:
	VZEROUPPER
	RET

// func back4(work []byte, n, factor int)
TEXT ·back4(SB), NOSPLIT, $0-40
	MOVQ work_base+0(FP), DI
	MOVQ work_len+8(FP), CX
	MOVQ n+24(FP), R8
	MOVQ factor+32(FP), R9
	LEAQ ·matrices(SB), BX
	LEAQ (R8)(R8*2), R10
	ADDQ DI, CX

back4Group:
	CMPQ DI, CX
	JAE back4Done
	FACTORS(R9)
	ADDQ $4, R9
	LEAQ (DI)(R8*1), AX

back4Next64:
	VMOVDQU64 (DI), Z0
	VMOVDQU64 (DI)(R8*1), Z1
	VMOVDQU64 (DI)(R8*2), Z2
	VMOVDQU64 (DI)(R10*1), Z3
	BACK
	VPXORQ Z4, Z0, Z0
	VPXORQ Z5, Z1, Z1
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R8*1)
	VMOVDQU64 Z2, (DI)(R8*2)
	VMOVDQU64 Z3, (DI)(R10*1)
	ADDQ $64, DI
	CMPQ DI, AX
	JB back4Next64
	ADDQ R10, DI
	JMP back4Group

back4Done:
	VZEROUPPER
	RET

// func back4add(sums, work []byte, factor int)
TEXT ·back4add(SB), NOSPLIT, $0-56
	MOVQ sums_base+0(FP), DI
	MOVQ sums_len+8(FP), R8
	MOVQ work_base+24(FP), SI
	MOVQ factor+48(FP), R9
	LEAQ ·matrices(SB), BX
	SHRQ $2, R8
	LEAQ (R8)(R8*2), R10
	LEAQ (DI)(R8*1), AX
	FACTORS(R9)

addNext64:
	VMOVDQU64 (SI), Z0
	VMOVDQU64 (SI)(R8*1), Z1
	VMOVDQU64 (SI)(R8*2), Z2
	VMOVDQU64 (SI)(R10*1), Z3
	BACK
	VPTERNLOGQ $0x96, (DI), Z4, Z0
	VPTERNLOGQ $0x96, (DI)(R8*1), Z5, Z1
	VPXORQ (DI)(R8*2), Z2, Z2
	VPXORQ (DI)(R10*1), Z3, Z3
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R8*1)
	VMOVDQU64 Z2, (DI)(R8*2)
	VMOVDQU64 Z3, (DI)(R10*1)
	ADDQ $64, SI
	ADDQ $64, DI
	CMPQ DI, AX
	JB addNext64
	VZEROUPPER
	RET

// func back2add(sums, work []byte, factor int)
TEXT ·back2add(SB), NOSPLIT, $0-56
	MOVQ sums_base+0(FP), DI
	MOVQ sums_len+8(FP), R8
	MOVQ work_base+24(FP), SI
	MOVQ factor+48(FP), R9
	LEAQ ·matrices(SB), BX
	SHRQ $1, R8
	LEAQ (DI)(R8*1), AX
	VPBROADCASTQ (BX)(R9*8), Z16

add2Next64:
	VMOVDQU64 (SI), Z0
	VPXORQ (SI)(R8*1), Z0, Z1
	VGF2P8AFFINEQB $0, Z16, Z1, Z4
	VPTERNLOGQ $0x96, (DI), Z4, Z0
	VPXORQ (DI)(R8*1), Z1, Z1
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R8*1)
	ADDQ $64, SI
	ADDQ $64, DI
	CMPQ DI, AX
	JB add2Next64
	VZEROUPPER
	RET

// func forth4(work []byte, n int)
TEXT ·forth4(SB), NOSPLIT, $0-32
	MOVQ work_base+0(FP), DI
	MOVQ work_len+8(FP), CX
	MOVQ n+24(FP), R8
	LEAQ ·matrices(SB), BX
	LEAQ (R8)(R8*2), R10
	ADDQ DI, CX
	XORL R9, R9

forthGroup:
	CMPQ DI, CX
	JAE forthDone
	FACTORS(R9)
	ADDQ $4, R9
	LEAQ (DI)(R8*1), AX

forthNext64:
	VMOVDQU64 (DI), Z0
	VMOVDQU64 (DI)(R8*1), Z1
	VMOVDQU64 (DI)(R8*2), Z2
	VMOVDQU64 (DI)(R10*1), Z3
	VGF2P8AFFINEQB $0, Z18, Z2, Z4
	VGF2P8AFFINEQB $0, Z18, Z3, Z5
	VPXORQ Z4, Z0, Z0
	VPXORQ Z5, Z1, Z1
	VPXORQ Z0, Z2, Z2
	VPXORQ Z1, Z3, Z3
	VGF2P8AFFINEQB $0, Z16, Z1, Z4
	VGF2P8AFFINEQB $0, Z17, Z3, Z5
	VPXORQ Z4, Z0, Z0
	VPXORQ Z5, Z2, Z2
	VPXORQ Z0, Z1, Z1
	VPXORQ Z2, Z3, Z3
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, (DI)(R8*1)
	VMOVDQU64 Z2, (DI)(R8*2)
	VMOVDQU64 Z3, (DI)(R10*1)
	ADDQ $64, DI
	CMPQ DI, AX
	JB forthNext64
	ADDQ R10, DI
	JMP forthGroup

forthDone:
	VZEROUPPER
	RET

// func xor(to, a, b []byte)
TEXT ·xor(SB), NOSPLIT, $0-72
	MOVQ to_base+0(FP), DI
	MOVQ to_len+8(FP), CX
	MOVQ a_base+24(FP), SI
	MOVQ b_base+48(FP), DX
	XORL AX, AX

xorNext64:
	VMOVDQU64 (SI)(AX*1), Z0
	VPXORQ (DX)(AX*1), Z0, Z0
	VMOVDQU64 Z0, (DI)(AX*1)
	ADDQ $64, AX
	CMPQ AX, CX
	JB xorNext64
	VZEROUPPER
	RET

// func combine(to, rows, factors []byte)
TEXT ·combine(SB), NOSPLIT, $0-72
	MOVQ to_base+0(FP), DI
	MOVQ to_len+8(FP), R8
	MOVQ rows_base+24(FP), SI
	MOVQ factors_base+48(FP), R10
	MOVQ factors_len+56(FP), R11
	LEAQ ·matrices(SB), BX
	LEAQ -64(DI)(R8*1), AX // the last 64 bytes

combineNext128:
	CMPQ DI, AX
	JAE combineLast
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	MOVQ SI, DX
	XORL R9, R9

combineNextRow:
	MOVBLZX (R10)(R9*1), R12
	VPBROADCASTQ (BX)(R12*8), Z16
	VMOVDQU64 (DX), Z2
	VMOVDQU64 64(DX), Z3
	VGF2P8AFFINEQB $0, Z16, Z2, Z2
	VGF2P8AFFINEQB $0, Z16, Z3, Z3
	VPXORQ Z2, Z0, Z0
	VPXORQ Z3, Z1, Z1
	ADDQ R8, DX
	INCQ R9
	CMPQ R9, R11
	JB combineNextRow
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z1, 64(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	JMP combineNext128

combineLast:
	JA combineDone
	VPXORQ Z0, Z0, Z0
	XORL R9, R9

combineLastRow:
	MOVBLZX (R10)(R9*1), R12
	VPBROADCASTQ (BX)(R12*8), Z16
	VMOVDQU64 (SI), Z2
	VGF2P8AFFINEQB $0, Z16, Z2, Z2
	VPXORQ Z2, Z0, Z0
	ADDQ R8, SI
	INCQ R9
	CMPQ R9, R11
	JB combineLastRow
	VMOVDQU64 Z0, (DI)

combineDone:
	VZEROUPPER
	RET
