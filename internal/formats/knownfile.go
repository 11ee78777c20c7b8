package formats

import (
	"bufio"
	"fmt"
	"io"

	"concert/internal/match"
)

// headMost is how much of a file tells a list of frames from others.
const headMost = 512

// ReadKnown reads one file of a bank: a list of hashes ([ReadHashList]), or what
// exchanges hold of one video, which is then one entry of the file's name: a vPDQ
// list in lines or as JSON, or a TMK+PDQF hash. The error is the reader's own, or
// says what is wrong with the one video.
func ReadKnown(name string, r io.Reader) ([]match.Known, []HashFault, error) {
	b := bufio.NewReader(r)
	k, found, err := readFilm(name, b)
	switch {
	case err != nil:
		return nil, nil, err
	case found:
		return []match.Known{k}, nil, nil
	}
	return ReadHashList(b)
}

// readFilm reads what is known of one video, if that is what stands there.
func readFilm(name string, b *bufio.Reader) (k match.Known, found bool, err error) {
	head, err := b.Peek(headMost)
	if err != nil && err != io.EOF {
		return k, false, err
	}
	k.Name = name
	switch {
	case match.IsTMK(head):
		k.TMK, err = match.ReadTMK(b)
	case match.IsFrameList(head):
		k.Frames, err = match.ReadFrameList(b)
	default:
		return k, false, nil
	}
	if err != nil {
		return k, true, fmt.Errorf("%s: %w", name, err)
	}
	return k, true, nil
}

// ReadSought reads a file that is what exchanges hold of one video, to look for it
// in a bank; false where it is not.
func ReadSought(name string, r io.Reader) (match.Sought, bool, error) {
	k, found, err := readFilm(name, bufio.NewReader(r))
	s := match.Sought{TMK: k.TMK}
	if len(k.Frames) > 0 {
		s.Frames = [][]match.Frame{k.Frames}
	}
	return s, found, err
}
