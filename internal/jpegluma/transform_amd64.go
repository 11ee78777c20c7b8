package jpegluma

import "golang.org/x/sys/cpu"

func transform(block *[64 + 8]int32, to []uint8, stride int) {
	if !cpu.X86.HasAVX2 {
		transformPlain(block, to, stride)
		return
	}
	_ = to[7*stride+7]
	transformAVX2(block, &to[0], stride)
}

// transformAVX2 is transformPlain.
//
//go:noescape
func transformAVX2(block *[64 + 8]int32, to *uint8, stride int)
