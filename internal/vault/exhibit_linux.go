package vault

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openSource opens for reading what is to be sealed: it follows no link, waits
// for no pipe, and leaves the time of last access alone where the system lets it
// (the owner's and root's files).
func openSource(path string) (*os.File, error) {
	const how = os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	f, err := os.OpenFile(path, how|syscall.O_NOATIME, 0)
	if errors.Is(err, syscall.EPERM) {
		f, err = os.OpenFile(path, how, 0)
	}
	return f, err
}

// syncAll makes all that was written to the file system of the directory survive
// power loss: one call for thousands of files.
func syncAll(dir *os.File) error {
	for {
		if err := unix.Syncfs(int(dir.Fd())); err != syscall.EINTR {
			return err
		}
	}
}

func inode(info os.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// accessed and changed are times that only the system's own record of a file has.
func accessed(info os.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Atim.Unix())
	}
	return time.Time{}
}

func changed(info os.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return time.Time{}
}
