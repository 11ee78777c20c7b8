//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"
)

const (
	// cpuSeconds is the processor time of a child's whole life, cpuLong that of a
	// program that reads a long file.
	cpuSeconds = 120
	cpuLong    = 600
	// dataMost bounds what a child may write to in memory; the collector works
	// harder from memorySoft on, long before.
	dataMost   = 1 << 30
	memorySoft = 512 << 20
	filesMost  = 32

	prSetNoNewPrivs = 38
	prSetDumpable   = 4

	landlockCreate   = 444
	landlockRestrict = 446
	landlockVersion  = 1
)

// Confine limits this process, for ever, and says what is in force. It is a
// child's first act.
func Confine() Report { return ConfineFor(cpuSeconds, 0, 0) }

// ConfineFor is Confine with so many seconds of processor time, so many bytes that
// may be written to a file that was handed over open, and so many such files; no
// other can be opened.
func ConfineFor(seconds, written, files uint64) Report {
	r := Report{Limits: limit(seconds, written, files) == nil}
	debug.SetMemoryLimit(memorySoft)
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); e != 0 {
		r.Limits = false
	}
	if err := landlock(everything, syscall.AllThreadsSyscall); err != nil {
		r.Landlock = err.Error()
	}
	if err := seccomp(append(denied(), deniedFiles()...)); err != nil {
		r.Seccomp = err.Error()
	}
	return r
}

// Become limits this process and becomes another program, which may read files
// and write none, and reaches no network. Where the kernel has no Landlock it may
// still make files, empty ones, and take files away that this user may. It
// returns only where it cannot.
func Become(program string, args []string) error { return become(cpuSeconds, program, args) }

// BecomeLong is Become with ten minutes of processor time instead of two.
func BecomeLong(program string, args []string) error { return become(cpuLong, program, args) }

func become(cpu uint64, program string, args []string) error {
	if err := limit(cpu, 0, 0); err != nil {
		return err
	}
	// Both are this thread's alone, and exec keeps them.
	runtime.LockOSThread()
	_ = landlock(changes, syscall.RawSyscall) // an old kernel has none: Confine reports it
	if err := seccomp(denied()); err != nil {
		return err
	}
	return syscall.Exec(program, append([]string{program}, args...), []string{"PATH=/usr/bin:/bin"})
}

// limit leaves room for files of the runtime's own above those that were handed over.
func limit(cpu, written, files uint64) error {
	for resource, most := range map[int]uint64{syscall.RLIMIT_CPU: cpu, syscall.RLIMIT_DATA: dataMost, syscall.RLIMIT_FSIZE: written, syscall.RLIMIT_CORE: 0, syscall.RLIMIT_NOFILE: filesMost + files} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limit %d: %w", resource, err)
		}
	}
	return nil
}

// Rights that Landlock takes away: all of the file system, or to change anything
// in it (include/uapi/linux/landlock.h, version 1).
const (
	everything = 1<<13 - 1
	changes    = everything &^ (1<<0 | 1<<2 | 1<<3) // but to run, read and list
)

// landlock takes rights away, and from version 4 on TCP. Later versions have more
// rights, which change something, too.
func landlock(rights uint64, call func(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno)) error {
	version, _, e := syscall.RawSyscall(landlockCreate, 0, 0, landlockVersion)
	if e != 0 {
		return fmt.Errorf("the kernel has no Landlock: %w", e)
	}
	rules := struct{ fs, net uint64 }{rights, 0}
	size := unsafe.Sizeof(rules.fs)
	for at, bit := range map[uintptr]uint64{2: 1 << 13, 3: 1 << 14, 5: 1 << 15} {
		if version >= at {
			rules.fs |= bit
		}
	}
	if version >= 4 {
		rules.net, size = 3, unsafe.Sizeof(rules)
	}
	fd, _, e := syscall.RawSyscall(landlockCreate, uintptr(unsafe.Pointer(&rules)), size, 0)
	if e != 0 {
		return fmt.Errorf("no Landlock ruleset: %w", e)
	}
	defer syscall.Close(int(fd))
	if _, _, e := call(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); e != 0 {
		return fmt.Errorf("not for all threads (built with cgo?): %w", e)
	}
	if _, _, e := call(landlockRestrict, fd, 0, 0); e != 0 {
		return fmt.Errorf("restrict by Landlock: %w", e)
	}
	return nil
}

// filter and program are struct sock_filter and struct sock_fprog.
type filter struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

type program struct {
	len  uint16
	list *filter
}

const (
	bpfLoad  = 0x20 // BPF_LD | BPF_W | BPF_ABS
	bpfEqual = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	bpfLeast = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	bpfRet   = 0x06 // BPF_RET | BPF_K

	retKill  = 0x80000000
	retErrno = 0x00050000
	retAllow = 0x7fff0000

	setModeFilter = 1
	flagTSync     = 1
)

// denied are the calls that reach out of a child: other programs, files, the
// network, other processes, the kernel's own machinery. What it needs to
// compute, to wait and to talk over its two pipes is not among them.
func denied() []uint32 {
	return append([]uint32{
		syscall.SYS_SOCKET, syscall.SYS_SOCKETPAIR, syscall.SYS_CONNECT, syscall.SYS_BIND, syscall.SYS_LISTEN, syscall.SYS_ACCEPT, syscall.SYS_ACCEPT4, syscall.SYS_SENDTO, syscall.SYS_SENDMSG, syscall.SYS_RECVFROM, syscall.SYS_RECVMSG,
		syscall.SYS_PTRACE, syscall.SYS_KILL, syscall.SYS_MOUNT, syscall.SYS_UMOUNT2, syscall.SYS_CHROOT, syscall.SYS_PIVOT_ROOT, syscall.SYS_CHDIR, syscall.SYS_FCHDIR,
		syscall.SYS_LINKAT, syscall.SYS_SYMLINKAT, syscall.SYS_MKDIRAT, syscall.SYS_MKNODAT, syscall.SYS_FCHMODAT, syscall.SYS_FCHOWNAT, syscall.SYS_RENAMEAT, syscall.SYS_TRUNCATE,
		syscall.SYS_SETUID, syscall.SYS_SETGID, syscall.SYS_SETSID, syscall.SYS_KEYCTL, syscall.SYS_ADD_KEY, syscall.SYS_REQUEST_KEY, syscall.SYS_PERF_EVENT_OPEN, syscall.SYS_INIT_MODULE, syscall.SYS_DELETE_MODULE, syscall.SYS_REBOOT,
		syscall.SYS_SWAPON, syscall.SYS_SWAPOFF, syscall.SYS_SETTIMEOFDAY, syscall.SYS_UNSHARE, syscall.SYS_SHMGET, syscall.SYS_MSGGET, syscall.SYS_SEMGET, syscall.SYS_INOTIFY_INIT1,
		425, 426, 427, // io_uring
		434, // pidfd_open
	}, deniedHere...)
}

// deniedFiles are the calls that open files or run programs.
func deniedFiles() []uint32 {
	return append([]uint32{syscall.SYS_EXECVE, syscall.SYS_OPENAT, syscall.SYS_UNLINKAT, 437 /* openat2 */}, deniedFilesHere...)
}

func seccomp(calls []uint32) error {
	list := []filter{{bpfLoad, 0, 0, 4}, {bpfEqual, 1, 0, auditArch}, {bpfRet, 0, 0, retKill}, {bpfLoad, 0, 0, 0}}
	refuse := filter{bpfRet, 0, 0, retErrno | uint32(syscall.EPERM)}
	if foreignCalls != 0 {
		list = append(list, filter{bpfLeast, 0, 1, foreignCalls}, refuse)
	}
	for _, nr := range calls {
		list = append(list, filter{bpfEqual, 0, 1, nr}, refuse)
	}
	list = append(list, filter{bpfRet, 0, 0, retAllow})
	if len(list) > math.MaxUint16 {
		return fmt.Errorf("a filter of %d steps", len(list))
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); e != 0 {
		return fmt.Errorf("no_new_privs: %w", e)
	}
	p := program{uint16(len(list)), &list[0]}
	if _, _, e := syscall.RawSyscall(sysSeccomp, setModeFilter, flagTSync, uintptr(unsafe.Pointer(&p))); e != 0 {
		return fmt.Errorf("the kernel has no seccomp filter for this process: %w", e)
	}
	return nil
}
