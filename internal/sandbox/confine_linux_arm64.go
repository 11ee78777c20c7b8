package sandbox

const (
	sysSeccomp   = 277
	auditArch    = 0xc00000b7
	foreignCalls = 0
)

// deniedHere are the calls that the package syscall does not name.
var deniedHere = []uint32{
	265,           // open_by_handle_at
	270, 271, 273, // process_vm_readv, process_vm_writev, finit_module
	276, 279, 280, 282, // renameat2, memfd_create, bpf, userfaultfd
}

var deniedFilesHere = []uint32{281 /* execveat */}
