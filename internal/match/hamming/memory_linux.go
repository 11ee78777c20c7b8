package hamming

import "syscall"

// adviseHuge asks for huge pages; a kernel without them refuses, and the memory is as good but for its speed.
func adviseHuge(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
