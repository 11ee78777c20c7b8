package sandbox

import "syscall"

const (
	sysSeccomp   = 317
	auditArch    = 0xc000003e
	foreignCalls = 0x40000000 // the x32 calls begin here
)

// deniedHere are the calls that only this architecture has, or the package
// syscall does not name.
var deniedHere = []uint32{
	syscall.SYS_CREAT, syscall.SYS_UNLINK, syscall.SYS_RENAME, syscall.SYS_LINK, syscall.SYS_SYMLINK, syscall.SYS_MKDIR, syscall.SYS_RMDIR, syscall.SYS_CHMOD, syscall.SYS_CHOWN, syscall.SYS_LCHOWN, syscall.SYS_MKNOD,
	304,           // open_by_handle_at
	310, 311, 313, // process_vm_readv, process_vm_writev, finit_module
	316, 319, 321, 323, // renameat2, memfd_create, bpf, userfaultfd
}

var deniedFilesHere = []uint32{syscall.SYS_OPEN, syscall.SYS_FORK, syscall.SYS_VFORK, 322 /* execveat */}
