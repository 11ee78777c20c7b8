// Package filesystem reads what lies on the media of an image: partition tables
// (MBR with its logical volumes, GPT), and on their volumes ext2, ext3, ext4,
// FAT12, FAT16, FAT32, NTFS and ISO 9660. It writes none and opens no files: its
// caller hands it the media as an io.ReaderAt, in a child that may die. What is
// deleted is not looked for: only what is allocated is listed.
//
// ext, FAT and ISO 9660 are read here, NTFS by go-ntfs. A kept library was tried
// for the three (go-diskfs 1.9.4): it refuses ext2 and ext3, the real image in our
// tests among them, gives no bytes of a file with holes, breaks on fragmented
// extents (its issue 429), and names no time of FAT but the last change.
//
// The invariant: no number of the media is believed before it was compared with
// the volume's size or with a limit. Links are recorded and never followed, each
// directory is read once, and whatever is wrong with one file, one directory or
// one volume is an outcome of that one; the rest goes on.
package filesystem
