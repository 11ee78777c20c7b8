package formats

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

// HashSet is a list of digests of files that are known: SHA-256, SHA-1 and MD5 in
// one. It says that a file is known, never that it is harmless.
type HashSet struct {
	Name   string
	Lines  int // that name a digest
	sha256 [][32]byte
	sha1   [][20]byte
	md5    [][16]byte
}

const hashSetLine = 64 << 10

// ReadHashSet reads a list as hashdeep, sha256sum or the NSRL write it: of each line
// the fields that are 64, 40 or 32 hexadecimal digits, parted by commas,
// semicolons, quotes or spaces. Lines without one are passed over; a list without
// any is refused.
func ReadHashSet(name string, r io.Reader) (*HashSet, error) {
	s := &HashSet{Name: name}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), hashSetLine)
	for lines.Scan() {
		if s.add(lines.Bytes()) {
			s.Lines++
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if s.Lines == 0 {
		return nil, fmt.Errorf("%s names no digest: a hash set has one SHA-256, SHA-1 or MD5 a line, as sha256sum, hashdeep or the NSRL write them", name)
	}
	slices.SortFunc(s.sha256, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	slices.SortFunc(s.sha1, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	slices.SortFunc(s.md5, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return s, nil
}

func (s *HashSet) add(line []byte) (any bool) {
	if len(line) > 0 && (line[0] == '#' || line[0] == '%') {
		return false
	}
	for field := range bytes.FieldsFuncSeq(line, func(r rune) bool { return bytes.ContainsRune([]byte("\",;| \t\r*"), r) }) {
		var b [32]byte
		if n := len(field); n != 64 && n != 40 && n != 32 {
			continue
		}
		n, err := hex.Decode(b[:], field)
		if err != nil {
			continue
		}
		switch any = true; n {
		case 32:
			s.sha256 = append(s.sha256, b)
		case 20:
			s.sha1 = append(s.sha1, [20]byte(b[:20]))
		case 16:
			s.md5 = append(s.md5, [16]byte(b[:16]))
		}
	}
	return any
}

// Wants says which digests beside SHA-256 the set compares.
func (s *HashSet) Wants() (sha1, md5 bool) { return len(s.sha1) > 0, len(s.md5) > 0 }

// Has reports whether the set has one of a file's digests, as hexadecimal digits.
func (s *HashSet) Has(sha256, sha1, md5 string) bool {
	for _, text := range []string{sha256, sha1, md5} {
		b, err := hex.DecodeString(text)
		if err != nil {
			continue
		}
		found := false
		switch len(b) {
		case 32:
			_, found = slices.BinarySearchFunc(s.sha256, b, func(a [32]byte, b []byte) int { return bytes.Compare(a[:], b) })
		case 20:
			_, found = slices.BinarySearchFunc(s.sha1, b, func(a [20]byte, b []byte) int { return bytes.Compare(a[:], b) })
		case 16:
			_, found = slices.BinarySearchFunc(s.md5, b, func(a [16]byte, b []byte) int { return bytes.Compare(a[:], b) })
		}
		if found {
			return true
		}
	}
	return false
}
