package hamming

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

const hugePage = 2 << 20

// region is memory outside the garbage collector's: that of a built segment, or a file mapped read-only.
type region struct {
	whole []byte // what the kernel gave
	data  []byte // what is used of it
}

// newRegion takes size bytes of zeroes, on huge pages where the kernel has them: a look-up touches thousands of places, and
// with small pages each would cost a walk through the page tables.
func newRegion(size int) (region, error) {
	if size < hugePage {
		whole, err := syscall.Mmap(-1, 0, max(size, 1), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return region{}, fmt.Errorf("take %d bytes of memory: %w", size, err)
		}
		return region{whole, whole[:size]}, nil
	}
	whole, err := syscall.Mmap(-1, 0, size+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return region{}, fmt.Errorf("take %d bytes of memory: %w", size, err)
	}
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(whole))) & (hugePage - 1))
	data := whole[skip : skip+size]
	adviseHuge(data)
	return region{whole, data}, nil
}

// mapFile maps size bytes of an open file read-only.
func mapFile(f *os.File, size int) (region, error) {
	whole, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return region{}, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	return region{whole, whole}, nil
}

// free gives the memory back; nobody may read it any more.
func (r *region) free() {
	if r.whole != nil {
		_ = syscall.Munmap(r.whole) // fails only for memory that was never mapped
		*r = region{}
	}
}
