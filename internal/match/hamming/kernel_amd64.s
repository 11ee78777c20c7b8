#include "go_asm.h"
#include "textflag.h"

// The structs of kernel.go are read and written through the offsets that the compiler puts into go_asm.h.

#define LINE_MAGIC $18635790302

// func locateAMD64(p *probe)
TEXT ·locateAMD64(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), DI
	MOVQ probe_dir(DI), SI
	MOVQ probe_masks(DI), R8
	MOVQ probe_n(DI), CX
	MOVL probe_key(DI), R9
	MOVQ LINE_MAGIC, R10
	TESTQ CX, CX
	JZ   done

loop:
	MOVL (R8), AX
	XORL R9, AX
	IMULQ R10, AX
	SHRQ $40, AX
	SHLQ $6, AX
	PREFETCHT2 (SI)(AX*1)
	ADDQ $4, R8
	DECQ CX
	JNZ  loop

done:
	RET

// func spansAMD64(p *probe)
//
// Without a branch on what a bucket holds: an empty one is written over by the next, and its row list is not asked for.
TEXT ·spansAMD64(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), DI
	MOVQ probe_dir(DI), SI
	MOVQ probe_masks(DI), R8
	MOVQ probe_n(DI), CX
	MOVL probe_key(DI), R9
	MOVQ probe_spans(DI), R10
	MOVQ probe_list(DI), R11
	MOVL probe_rows(DI), R12
	MOVL probe_width(DI), R13
	MOVQ LINE_MAGIC, R15
	MOVQ $0, probe_nover(DI)
	TESTQ CX, CX
	JZ   done

loop:
	MOVL (R8), AX
	XORL R9, AX
	MOVL AX, BX
	IMULQ R15, AX
	SHRQ $40, AX
	IMUL3Q $59, AX, DX
	SUBL DX, BX
	SHLQ $6, AX
	ADDQ SI, AX
	MOVL (AX), DX
	TESTL DX, DX
	JMI  over
	MOVBLZX 5(AX)(BX*1), R14
	MOVBLZX 4(AX)(BX*1), AX
	SUBL AX, R14
	ADDL DX, AX
	LEAL (AX)(R14*1), DX
	XORL BX, BX
	CMPL DX, R12
	CMOVLHI BX, R14
	MOVL AX, (R10)
	MOVL R14, 4(R10)
	IMULQ R13, AX
	ADDQ R11, AX
	TESTL R14, R14
	CMOVQLE R11, AX
	SETGT BX
	LEAQ (R10)(BX*8), R10
	PREFETCHT2 (AX)

next:
	ADDQ $4, R8
	DECQ CX
	JNZ  loop

done:
	SUBQ probe_spans(DI), R10
	SHRQ $3, R10
	MOVQ R10, probe_nspans(DI)
	RET

over:
	MOVL (R8), AX
	XORL R9, AX
	MOVQ probe_nover(DI), BX
	MOVQ probe_over(DI), DX
	MOVL AX, (DX)(BX*4)
	INCQ BX
	MOVQ BX, probe_nover(DI)
	JMP  next

// Four rows of three bytes each, and of four, as four words.
DATA rows3<>+0(SB)/8, $0xff050403ff020100
DATA rows3<>+8(SB)/8, $0xff0b0a09ff080706
GLOBL rows3<>(SB), RODATA|NOPTR, $16
DATA rows4<>+0(SB)/8, $0x0706050403020100
DATA rows4<>+8(SB)/8, $0x0f0e0d0c0b0a0908
GLOBL rows4<>(SB), RODATA|NOPTR, $16

// func gatherAMD64(s *gather)
TEXT ·gatherAMD64(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ gather_list(DI), R11
	MOVQ gather_spans(DI), R8
	MOVQ gather_n(DI), CX
	MOVQ gather_cands(DI), R10
	MOVQ gather_limit(DI), R14
	LEAQ (R10)(R14*4), R14
	MOVL gather_width(DI), R13
	VMOVDQU rows3<>(SB), X1
	CMPL R13, $4
	JNE  narrow
	VMOVDQU rows4<>(SB), X1

narrow:
	VPBROADCASTD gather_last(DI), X2
	TESTQ CX, CX
	JZ   done

loop:
	MOVL (R8), AX
	MOVL 4(R8), BX
	IMULQ R13, AX
	ADDQ R11, AX
	ADDQ $8, R8
	LEAQ (R10)(BX*4), DX

four:
	VMOVDQU (AX), X0
	VPSHUFB X1, X0, X0
	VPMINUD X2, X0, X0
	VMOVDQU X0, (R10)
	CMPL BX, $4
	JHI  more
	MOVQ DX, R10
	DECQ CX
	JZ   done
	CMPQ R10, R14
	JCS  loop

done:
	SUBQ gather_spans(DI), R8
	SHRQ $3, R8
	MOVQ R8, gather_used(DI)
	SUBQ gather_cands(DI), R10
	SHRQ $2, R10
	MOVQ R10, gather_count(DI)
	VZEROUPPER
	RET

more:
	SUBL $4, BX
	ADDQ $16, R10
	LEAQ (AX)(R13*4), AX
	JMP  four

// func verifyAMD64(v *verify)
//
// Two of four words tell nearly every stranger; the hashes of candidates further on are asked for meanwhile.
TEXT ·verifyAMD64(SB), NOSPLIT, $0-8
	MOVQ v+0(FP), DI
	MOVQ verify_hashes(DI), SI
	MOVQ verify_cands(DI), R14
	MOVQ verify_hits(DI), R13
	MOVQ verify_n(DI), R15
	MOVQ verify_q+0(DI), R8
	MOVQ verify_q+8(DI), R9
	MOVQ verify_q+16(DI), R10
	MOVQ verify_q+24(DI), R11
	MOVL verify_radius(DI), R12
	XORL CX, CX
	TESTQ R15, R15
	JZ   done

	// The first ones.
	XORL BX, BX
ahead:
	MOVL (R14)(BX*4), AX
	SHLQ $5, AX
	PREFETCHT2 (SI)(AX*1)
	INCQ BX
	CMPQ BX, $32
	JCS  ahead

loop:
	MOVL 128(R14)(CX*4), AX
	SHLQ $5, AX
	PREFETCHT2 (SI)(AX*1)
	MOVL (R14)(CX*4), AX
	SHLQ $5, AX
	ADDQ SI, AX
	MOVQ (AX), BX
	XORQ R8, BX
	POPCNTQ BX, BX
	MOVQ 8(AX), DX
	XORQ R9, DX
	POPCNTQ DX, DX
	ADDL DX, BX
	CMPL BX, R12
	JHI  next
	MOVQ 16(AX), DX
	XORQ R10, DX
	POPCNTQ DX, DX
	ADDL DX, BX
	MOVQ 24(AX), DX
	XORQ R11, DX
	POPCNTQ DX, DX
	ADDL DX, BX
	CMPL BX, R12
	JHI  next
	MOVL CX, (R13)
	ADDQ $4, R13

next:
	INCQ CX
	CMPQ CX, R15
	JCS  loop

done:
	SUBQ verify_hits(DI), R13
	SHRQ $2, R13
	MOVQ R13, verify_count(DI)
	RET

// func blocksAVX512(s *scan)
//
// Three planes, 96 bits, tell all but four strangers in ten thousand; the other five are read for those.
TEXT ·blocksAVX512(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ scan_at(DI), SI
	MOVQ scan_n(DI), R8
	MOVQ scan_index(DI), CX
	MOVQ CX, AX
	SHLQ $9, AX
	ADDQ AX, SI
	VPBROADCASTD scan_q+0(DI), Z16
	VPBROADCASTD scan_q+4(DI), Z17
	VPBROADCASTD scan_q+8(DI), Z18
	VPBROADCASTD scan_q+12(DI), Z19
	VPBROADCASTD scan_q+16(DI), Z20
	VPBROADCASTD scan_q+20(DI), Z21
	VPBROADCASTD scan_q+24(DI), Z22
	VPBROADCASTD scan_q+28(DI), Z23
	VPBROADCASTD scan_radius(DI), Z24
	CMPQ CX, R8
	JCC  done

loop:
	VPXORD (SI), Z16, Z0
	VPXORD 64(SI), Z17, Z1
	VPXORD 128(SI), Z18, Z2
	VPOPCNTD Z0, Z0
	VPOPCNTD Z1, Z1
	VPOPCNTD Z2, Z2
	VPADDD Z1, Z0, Z0
	VPADDD Z2, Z0, Z0
	VPCMPUD $2, Z24, Z0, K1
	KORTESTW K1, K1
	JNZ  near

next:
	ADDQ $512, SI
	INCQ CX
	CMPQ CX, R8
	JCS  loop

done:
	MOVQ CX, scan_index(DI)
	VZEROUPPER
	RET

near:
	VPXORD 192(SI), Z19, Z1
	VPXORD 256(SI), Z20, Z2
	VPXORD 320(SI), Z21, Z3
	VPXORD 384(SI), Z22, Z4
	VPXORD 448(SI), Z23, Z5
	VPOPCNTD Z1, Z1
	VPOPCNTD Z2, Z2
	VPOPCNTD Z3, Z3
	VPOPCNTD Z4, Z4
	VPOPCNTD Z5, Z5
	VPADDD Z1, Z0, Z0
	VPADDD Z2, Z3, Z2
	VPADDD Z4, Z5, Z4
	VPADDD Z2, Z0, Z0
	VPADDD Z4, Z0, Z0
	VPCMPUD $2, Z24, Z0, K1
	KMOVW K1, AX
	TESTL AX, AX
	JZ   next
	MOVL AX, scan_mask(DI)
	VMOVDQU32 Z0, scan_dist(DI)
	JMP  done

DATA bits4<>+0(SB)/8, $0x0302020102010100
DATA bits4<>+8(SB)/8, $0x0403030203020201
GLOBL bits4<>(SB), RODATA|NOPTR, $16
DATA nibble<>+0(SB)/4, $0x0f0f0f0f
GLOBL nibble<>(SB), RODATA|NOPTR, $4
DATA ones8<>+0(SB)/4, $0x01010101
GLOBL ones8<>(SB), RODATA|NOPTR, $4
DATA ones16<>+0(SB)/4, $0x00010001
GLOBL ones16<>(SB), RODATA|NOPTR, $4

// COUNT adds to ACC the set bits of every byte of MEM xor Q; Y8 counts nibbles, Y9 masks them.
#define COUNT(MEM, Q, ACC) \
	VPXOR MEM, Q, Y0       \
	VPAND Y0, Y9, Y1       \
	VPSRLW $4, Y0, Y0      \
	VPAND Y0, Y9, Y0       \
	VPSHUFB Y1, Y8, Y1     \
	VPSHUFB Y0, Y8, Y0     \
	VPADDB Y0, ACC, ACC    \
	VPADDB Y1, ACC, ACC

// SUM turns the counts of bytes into those of 32-bit lanes.
#define SUM(ACC, OUT)         \
	VPMADDUBSW Y10, ACC, OUT  \
	VPMADDWD Y11, OUT, OUT

// func blocksAVX2(s *scan)
TEXT ·blocksAVX2(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ scan_at(DI), SI
	MOVQ scan_n(DI), R8
	MOVQ scan_index(DI), CX
	MOVQ CX, AX
	SHLQ $9, AX
	ADDQ AX, SI
	VBROADCASTI128 bits4<>(SB), Y8
	VPBROADCASTD nibble<>(SB), Y9
	VPBROADCASTD ones8<>(SB), Y10
	VPBROADCASTD ones16<>(SB), Y11
	VPBROADCASTD scan_radius(DI), Y12
	VPBROADCASTD scan_q+0(DI), Y13
	VPBROADCASTD scan_q+4(DI), Y14
	VPBROADCASTD scan_q+8(DI), Y15
	CMPQ CX, R8
	JCC  done

loop:
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	COUNT(0(SI), Y13, Y2)
	COUNT(32(SI), Y13, Y3)
	COUNT(64(SI), Y14, Y2)
	COUNT(96(SI), Y14, Y3)
	COUNT(128(SI), Y15, Y2)
	COUNT(160(SI), Y15, Y3)
	SUM(Y2, Y4)
	SUM(Y3, Y5)
	VPCMPGTD Y12, Y4, Y4
	VPCMPGTD Y12, Y5, Y5
	VPAND Y4, Y5, Y4
	VMOVMSKPS Y4, AX
	CMPL AX, $0xff
	JNE  near

next:
	ADDQ $512, SI
	INCQ CX
	CMPQ CX, R8
	JCS  loop

done:
	MOVQ CX, scan_index(DI)
	VZEROUPPER
	RET

near:
	VPBROADCASTD scan_q+12(DI), Y6
	COUNT(192(SI), Y6, Y2)
	COUNT(224(SI), Y6, Y3)
	VPBROADCASTD scan_q+16(DI), Y6
	COUNT(256(SI), Y6, Y2)
	COUNT(288(SI), Y6, Y3)
	VPBROADCASTD scan_q+20(DI), Y6
	COUNT(320(SI), Y6, Y2)
	COUNT(352(SI), Y6, Y3)
	VPBROADCASTD scan_q+24(DI), Y6
	COUNT(384(SI), Y6, Y2)
	COUNT(416(SI), Y6, Y3)
	VPBROADCASTD scan_q+28(DI), Y6
	COUNT(448(SI), Y6, Y2)
	COUNT(480(SI), Y6, Y3)
	SUM(Y2, Y4)
	SUM(Y3, Y5)
	VPCMPGTD Y12, Y4, Y0
	VPCMPGTD Y12, Y5, Y1
	VMOVMSKPS Y0, AX
	VMOVMSKPS Y1, BX
	SHLL $8, BX
	ORL  BX, AX
	XORL $0xffff, AX
	JZ   next
	MOVL AX, scan_mask(DI)
	VMOVDQU Y4, scan_dist(DI)
	VMOVDQU Y5, (scan_dist+32)(DI)
	JMP  done

// func rowsAVX512(s *scan)
//
// Four rows a step; n is a multiple of four.
TEXT ·rowsAVX512(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ scan_at(DI), SI
	MOVQ scan_n(DI), R8
	MOVQ scan_index(DI), CX
	MOVQ CX, AX
	SHLQ $5, AX
	ADDQ AX, SI
	VBROADCASTI64X4 scan_q(DI), Z16
	MOVL scan_radius(DI), AX
	VPBROADCASTQ AX, Z24
	CMPQ CX, R8
	JCC  done

loop:
	VPXORQ (SI), Z16, Z0
	VPXORQ 64(SI), Z16, Z1
	VPOPCNTQ Z0, Z0
	VPOPCNTQ Z1, Z1
	VPUNPCKLQDQ Z1, Z0, Z2
	VPUNPCKHQDQ Z1, Z0, Z3
	VPADDQ Z2, Z3, Z2
	VPERMQ $0x4e, Z2, Z3
	VPADDQ Z2, Z3, Z2
	VPCMPUQ $2, Z24, Z2, K1
	KORTESTW K1, K1
	JNZ  done
	ADDQ $128, SI
	ADDQ $4, CX
	CMPQ CX, R8
	JCS  loop

done:
	MOVQ CX, scan_index(DI)
	VZEROUPPER
	RET

// func rowsPOPCNT(s *scan)
TEXT ·rowsPOPCNT(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ scan_at(DI), SI
	MOVQ scan_n(DI), R13
	MOVQ scan_index(DI), CX
	MOVQ CX, AX
	SHLQ $5, AX
	ADDQ AX, SI
	MOVQ scan_q+0(DI), R8
	MOVQ scan_q+8(DI), R9
	MOVQ scan_q+16(DI), R10
	MOVQ scan_q+24(DI), R11
	MOVL scan_radius(DI), R12
	CMPQ CX, R13
	JCC  done

loop:
	MOVQ (SI), AX
	MOVQ 8(SI), BX
	MOVQ 16(SI), DX
	MOVQ 24(SI), R14
	XORQ R8, AX
	XORQ R9, BX
	XORQ R10, DX
	XORQ R11, R14
	POPCNTQ AX, AX
	POPCNTQ BX, BX
	POPCNTQ DX, DX
	POPCNTQ R14, R14
	ADDL BX, AX
	ADDL R14, DX
	ADDL DX, AX
	CMPL AX, R12
	JLS  done
	ADDQ $32, SI
	INCQ CX
	CMPQ CX, R13
	JCS  loop

done:
	MOVQ CX, scan_index(DI)
	RET
