//go:build !amd64

package jpegluma

func transform(block *[64 + 8]int32, to []uint8, stride int) { transformPlain(block, to, stride) }
