package ewf

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// HeadLen is how many first bytes Kind needs.
const HeadLen = 13

const signature = "EVF\x09\x0d\x0a\xff\x00"

// otherKinds are images of the family, and near it, that this package does not
// read.
var otherKinds = [...]struct{ begins, name string }{
	{"EVF2\x0d\x0a\x81\x00", "Ex01 (EWF version 2)"},
	{"LVF\x09\x0d\x0a\xff\x00", "L01 (logical evidence file)"},
	{"LEF2\x0d\x0a\x81\x00", "Lx01 (logical evidence file, version 2)"},
	{"AFF10\x0d\x0a\x00", "AFF (version 3)"},
}

// ErrNotRead is matched by errors about images of a kind that is not read.
var ErrNotRead = errors.New("this kind of image is not read")

// Kind says whether a file that begins with head is a segment of an image that
// this package reads, and which; the first is 1. For a relative that it does not
// read the error matches ErrNotRead and says what to do instead.
func Kind(head []byte) (segment int, ok bool, err error) {
	for _, o := range otherKinds {
		if bytes.HasPrefix(head, []byte(o.begins)) {
			return 0, false, fmt.Errorf("%w: %s; the file itself is sealed whole. To have the media sealed as well, export it as a raw image or as E01 with the program that made it, and seal that beside it", ErrNotRead, o.name)
		}
	}
	if len(head) < HeadLen || !bytes.HasPrefix(head, []byte(signature)) {
		return 0, false, nil
	}
	return int(head[9]) | int(head[10])<<8, true, nil
}

// SegmentsMost is how many segments an image may have: as many as the format has
// extensions for, .E01 to .ZZZ.
const SegmentsMost = 99 + 22*26*26

// Extension is the extension of the segment with the number, from 1, with its dot
// and in capitals, as the first one has its letter: E for .E01, S for .S01.
// The empty text stands for a number that has none.
func Extension(letter byte, segment int) string {
	switch {
	case segment < 1 || segment > SegmentsMost:
		return ""
	case segment < 100:
		return "." + string(letter) + strconv.Itoa(segment/10) + strconv.Itoa(segment%10)
	}
	n := segment - 100
	first := int(letter) + n/(26*26)
	if first > 'Z' {
		return ""
	}
	return "." + string([]byte{byte(first), byte('A' + n/26%26), byte('A' + n%26)})
}

// FirstExtension reports whether a file of the name is by it the first segment of
// a set, and gives the letter of the set.
func FirstExtension(name string) (letter byte, ok bool) {
	if len(name) < 4 {
		return 0, false
	}
	ext := strings.ToUpper(name[len(name)-4:])
	return ext[1], ext[0] == '.' && (ext[1] == 'E' || ext[1] == 'S') && ext[2:] == "01"
}

// Following are the segments behind the first one, in their order, as far as there is
// told of them: names are written as first is, in its case. A name that is no first
// segment's has none.
func Following(first string, there func(name string) bool) []string {
	letter, ok := FirstExtension(first)
	if !ok {
		return nil
	}
	stem, lower := first[:len(first)-4], first[len(first)-3] >= 'a'
	var out []string
	for n := 2; n <= SegmentsMost; n++ {
		ext := Extension(letter, n)
		if lower {
			ext = strings.ToLower(ext)
		}
		if ext == "" || !there(stem+ext) {
			break
		}
		out = append(out, stem+ext)
	}
	return out
}
