// The vector kernels do, lane by lane, what the plain ones do, in the same order
// and without a fused operation. Each function's Go declaration says what it is.

#include "textflag.h"

// TRANSPOSE turns eight rows in Y0 to Y7 into eight columns in Y8 to Y15.
#define TRANSPOSE \
	VUNPCKLPS Y1, Y0, Y8; \
	VUNPCKHPS Y1, Y0, Y9; \
	VUNPCKLPS Y3, Y2, Y10; \
	VUNPCKHPS Y3, Y2, Y11; \
	VUNPCKLPS Y5, Y4, Y12; \
	VUNPCKHPS Y5, Y4, Y13; \
	VUNPCKLPS Y7, Y6, Y14; \
	VUNPCKHPS Y7, Y6, Y15; \
	VSHUFPS $0x44, Y10, Y8, Y0; \
	VSHUFPS $0xee, Y10, Y8, Y1; \
	VSHUFPS $0x44, Y11, Y9, Y2; \
	VSHUFPS $0xee, Y11, Y9, Y3; \
	VSHUFPS $0x44, Y14, Y12, Y4; \
	VSHUFPS $0xee, Y14, Y12, Y5; \
	VSHUFPS $0x44, Y15, Y13, Y6; \
	VSHUFPS $0xee, Y15, Y13, Y7; \
	VPERM2F128 $0x20, Y4, Y0, Y8; \
	VPERM2F128 $0x20, Y5, Y1, Y9; \
	VPERM2F128 $0x20, Y6, Y2, Y10; \
	VPERM2F128 $0x20, Y7, Y3, Y11; \
	VPERM2F128 $0x31, Y4, Y0, Y12; \
	VPERM2F128 $0x31, Y5, Y1, Y13; \
	VPERM2F128 $0x31, Y6, Y2, Y14; \
	VPERM2F128 $0x31, Y7, Y3, Y15
// func columnsAVX2(sums, turned *float32, add, sub *[]float32, counts *float32, n int)
TEXT ·columnsAVX2(SB), NOSPLIT, $0-48
	MOVQ sums+0(FP), DI
	MOVQ turned+8(FP), SI
	MOVQ add+16(FP), R8
	MOVQ sub+24(FP), R9
	MOVQ counts+32(FP), R10
	MOVQ n+40(FP), DX
	SHLQ $2, DX
	XORQ CX, CX

columns:
	VMOVUPS (DI)(CX*1), Y8
	MOVQ 0(R8), AX
	MOVQ 0(R9), BX
	VBROADCASTSS 0(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y0
	MOVQ 24(R8), AX
	MOVQ 24(R9), BX
	VBROADCASTSS 4(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y1
	MOVQ 48(R8), AX
	MOVQ 48(R9), BX
	VBROADCASTSS 8(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y2
	MOVQ 72(R8), AX
	MOVQ 72(R9), BX
	VBROADCASTSS 12(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y3
	MOVQ 96(R8), AX
	MOVQ 96(R9), BX
	VBROADCASTSS 16(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y4
	MOVQ 120(R8), AX
	MOVQ 120(R9), BX
	VBROADCASTSS 20(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y5
	MOVQ 144(R8), AX
	MOVQ 144(R9), BX
	VBROADCASTSS 24(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y6
	MOVQ 168(R8), AX
	MOVQ 168(R9), BX
	VBROADCASTSS 28(R10), Y9
	VADDPS (AX)(CX*1), Y8, Y8
	VSUBPS (BX)(CX*1), Y8, Y8
	VDIVPS Y9, Y8, Y7
	VMOVUPS Y8, (DI)(CX*1)
	TRANSPOSE
	VMOVUPS Y8, 0(SI)
	VMOVUPS Y9, 32(SI)
	VMOVUPS Y10, 64(SI)
	VMOVUPS Y11, 96(SI)
	VMOVUPS Y12, 128(SI)
	VMOVUPS Y13, 160(SI)
	VMOVUPS Y14, 192(SI)
	VMOVUPS Y15, 224(SI)
	ADDQ $256, SI
	ADDQ $32, CX
	CMPQ CX, DX
	JLT columns
	VZEROUPPER
	RET

// func rowsAVX2(first, second *float32, back int, steps *[side]int64, counts *[side]float32, out *[block * side]float32)
TEXT ·rowsAVX2(SB), NOSPLIT, $0-48
	MOVQ first+0(FP), SI
	MOVQ second+8(FP), DI
	MOVQ back+16(FP), AX
	MOVQ steps+24(FP), R8
	MOVQ counts+32(FP), R9
	MOVQ out+40(FP), R10
	MOVQ SI, R11
	SUBQ AX, R11
	MOVQ DI, R12
	SUBQ AX, R12
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	XORQ CX, CX
	XORQ BX, BX

remaining:
	MOVQ (R8)(CX*8), DX
	SHLQ $5, DX
	ADDQ BX, DX
	JMP test

step:
	VADDPS (SI)(BX*1), Y0, Y0
	VADDPS (DI)(BX*1), Y1, Y1
	VSUBPS (R11)(BX*1), Y0, Y0
	VSUBPS (R12)(BX*1), Y1, Y1
	ADDQ $32, BX

test:
	CMPQ BX, DX
	JLT step
	VBROADCASTSS (R9)(CX*4), Y2
	VDIVPS Y2, Y0, Y3
	VDIVPS Y2, Y1, Y4
	VMOVUPS Y3, (R10)
	VMOVUPS Y4, 2048(R10)
	ADDQ $32, R10
	INCQ CX
	CMPQ CX, $64
	JLT remaining
	VZEROUPPER
	RET

DATA lastLane<>+0(SB)/4, $7
DATA lastLane<>+4(SB)/4, $7
DATA lastLane<>+8(SB)/4, $7
DATA lastLane<>+12(SB)/4, $7
DATA lastLane<>+16(SB)/4, $7
DATA lastLane<>+20(SB)/4, $7
DATA lastLane<>+24(SB)/4, $7
DATA lastLane<>+28(SB)/4, $7
GLOBL lastLane<>(SB), RODATA|NOPTR, $32

// func bytesAVX2(out *float32, come, leave *uint8, n, sum int, count float32) int
TEXT ·bytesAVX2(SB), NOSPLIT, $0-56
	MOVQ out+0(FP), DI
	MOVQ come+8(FP), SI
	MOVQ leave+16(FP), R8
	MOVQ n+24(FP), DX
	MOVQ sum+32(FP), AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	VBROADCASTSS count+40(FP), Y1
	VMOVDQU lastLane<>(SB), Y5
	XORQ CX, CX

bytes:
	// What changes from place to place, then its sums from the first lane on.
	VPMOVZXBD (SI)(CX*1), Y2
	VPMOVZXBD (R8)(CX*1), Y3
	VPSUBD Y3, Y2, Y2
	VPSLLDQ $4, Y2, Y3
	VPADDD Y3, Y2, Y2
	VPSLLDQ $8, Y2, Y3
	VPADDD Y3, Y2, Y2
	VPSHUFD $0xff, Y2, Y3
	VPERM2I128 $0x08, Y3, Y3, Y3
	VPADDD Y3, Y2, Y2
	VPERMD Y2, Y5, Y4
	VPADDD Y2, Y0, Y2
	VPADDD Y4, Y0, Y0
	VCVTDQ2PS Y2, Y3
	VDIVPS Y1, Y3, Y3
	VMOVUPS Y3, (DI)(CX*4)
	ADDQ $8, CX
	CMPQ CX, DX
	JLT bytes
	VMOVD X0, AX
	MOVL AX, AX
	MOVQ AX, ret+48(FP)
	VZEROUPPER
	RET

DATA hundred<>+0(SB)/4, $100.0
GLOBL hundred<>(SB), RODATA|NOPTR, $4
DATA brightest<>+0(SB)/4, $255.0
GLOBL brightest<>(SB), RODATA|NOPTR, $4

// sevenLanes leaves out the pair that reaches over the end of a row.
DATA sevenLanes<>+0(SB)/8, $-1
DATA sevenLanes<>+8(SB)/8, $-1
DATA sevenLanes<>+16(SB)/8, $-1
DATA sevenLanes<>+24(SB)/8, $0x00000000ffffffff
GLOBL sevenLanes<>(SB), RODATA|NOPTR, $32

// STEPS adds to Y0 the whole hundredths between Y3 and the values at an address.
#define STEPS(other) \
	VSUBPS other, Y3, Y4; \
	VMULPS Y1, Y4, Y4; \
	VDIVPS Y2, Y4, Y4; \
	VCVTTPS2DQ Y4, Y4; \
	VPABSD Y4, Y4

// func gradientAVX2(a *field) int
TEXT ·gradientAVX2(SB), NOSPLIT, $0-16
	MOVQ a+0(FP), SI
	VPXOR Y0, Y0, Y0
	VBROADCASTSS hundred<>(SB), Y1
	VBROADCASTSS brightest<>(SB), Y2
	VMOVDQU sevenLanes<>(SB), Y6
	XORQ CX, CX

down:
	VMOVUPS (SI)(CX*1), Y3
	STEPS(256(SI)(CX*1))
	VPADDD Y4, Y0, Y0
	ADDQ $32, CX
	CMPQ CX, $16128
	JLT down
	XORQ CX, CX

across:
	VMOVUPS (SI)(CX*1), Y3
	STEPS(4(SI)(CX*1))
	MOVQ CX, AX
	ANDQ $0xe0, AX
	CMPQ AX, $0xe0
	JNE whole
	VPAND Y6, Y4, Y4

whole:
	VPADDD Y4, Y0, Y0
	ADDQ $32, CX
	CMPQ CX, $16384
	JLT across
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VPADDD X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VPADDD X1, X0, X0
	VMOVD X0, AX
	MOVLQSX AX, AX
	MOVQ AX, ret+8(FP)
	VZEROUPPER
	RET

// func tileAVX2(to *float32, toRow int, left, right *float32, rightRow int)
TEXT ·tileAVX2(SB), NOSPLIT, $0-40
	MOVQ to+0(FP), DI
	MOVQ toRow+8(FP), AX
	MOVQ left+16(FP), SI
	MOVQ right+24(FP), BX
	MOVQ rightRow+32(FP), DX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	XORQ CX, CX

product:
	VMOVUPS (BX), Y8
	VMOVUPS 32(BX), Y9
	VBROADCASTSS 0(SI)(CX*4), Y10
	VMULPS Y8, Y10, Y11
	VMULPS Y9, Y10, Y12
	VADDPS Y11, Y0, Y0
	VADDPS Y12, Y1, Y1
	VBROADCASTSS 256(SI)(CX*4), Y10
	VMULPS Y8, Y10, Y11
	VMULPS Y9, Y10, Y12
	VADDPS Y11, Y2, Y2
	VADDPS Y12, Y3, Y3
	VBROADCASTSS 512(SI)(CX*4), Y10
	VMULPS Y8, Y10, Y11
	VMULPS Y9, Y10, Y12
	VADDPS Y11, Y4, Y4
	VADDPS Y12, Y5, Y5
	VBROADCASTSS 768(SI)(CX*4), Y10
	VMULPS Y8, Y10, Y11
	VMULPS Y9, Y10, Y12
	VADDPS Y11, Y6, Y6
	VADDPS Y12, Y7, Y7
	ADDQ DX, BX
	INCQ CX
	CMPQ CX, $64
	JLT product
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ AX, DI
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	ADDQ AX, DI
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, 32(DI)
	ADDQ AX, DI
	VMOVUPS Y6, (DI)
	VMOVUPS Y7, 32(DI)
	ADDQ AX, DI
	VZEROUPPER
	RET
