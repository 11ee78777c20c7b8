package formats

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// TaskMoov is the name of the children's task (MoovTask).
const TaskMoov = "moov"

// Moov says how an ISO base media file (ISO/IEC 14496-12: MP4, QuickTime) whose
// index stands behind the pictures is put in order for a reader that cannot turn
// back, such as one at the end of a pipe. The zero value leaves a file as it is.
type Moov struct {
	At    int    `json:"at"`    // where the index goes
	From  int    `json:"from"`  // where it stood
	To    int    `json:"to"`    // and its end
	Index []byte `json:"index"` // the box, with its offsets moved
}

// MoovTask is MoovFirst for a child: the file in, a Moov as JSON out.
func MoovTask(in []byte) ([]byte, error) {
	m, err := MoovFirst(in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// ReadMoov takes what a child said of a file of so many bytes, which its input may
// have taken over.
func ReadMoov(text []byte, size int) (Moov, error) {
	var m Moov
	if err := json.Unmarshal(text, &m); err != nil {
		return Moov{}, fmt.Errorf("index of a video: %w", err)
	}
	if m.At < 0 || m.At > m.From || m.From > m.To || m.To > size || len(m.Index) != m.To-m.From {
		return Moov{}, errors.New("index of a video: places that the file does not have")
	}
	return m, nil
}

// Ordered is the file with its index in front.
func (m Moov) Ordered(in []byte) []byte {
	if len(m.Index) == 0 {
		return in
	}
	return slices.Concat(in[:m.At], m.Index, in[m.At:m.From], in[m.To:])
}

// box is one box of a file: its kind and where its content and its end are.
type box struct {
	kind           string
	from, body, to int
}

// boxAt reads the head of a box; false where there is none that fits.
func boxAt(in []byte, at, end int) (box, bool) {
	if end-at < 8 {
		return box{}, false
	}
	size, b := uint64(binary.BigEndian.Uint32(in[at:])), box{string(in[at+4 : at+8]), at, at + 8, 0}
	switch size {
	case 0:
		size = uint64(end - at)
	case 1:
		if end-at < 16 {
			return box{}, false
		}
		size, b.body = binary.BigEndian.Uint64(in[at+8:]), at+16
	}
	if size < uint64(b.body-at) || size > uint64(end-at) {
		return box{}, false
	}
	b.to = at + int(size)
	return b, true
}

// MoovFirst finds out what Moov says. It reads hostile input: only ever in a
// child (package sandbox).
func MoovFirst(in []byte) (Moov, error) {
	first := -1 // of the pictures
	for at := 0; ; {
		b, ok := boxAt(in, at, len(in))
		switch {
		case !ok:
			return Moov{}, nil // cut short, or none of these files: the reader sees what it can
		case b.kind == "mdat" && first < 0:
			first = b.from
		case b.kind == "moov" && first < 0:
			return Moov{}, nil
		case b.kind == "moov":
			m := Moov{At: first, From: b.from, To: b.to, Index: slices.Clone(in[b.from:b.to])}
			return m, m.shift(b.body-b.from, len(m.Index), 0)
		}
		at = b.to
	}
}

// indexDeep are the boxes on the way to the offsets.
var indexDeep = []string{"trak", "mdia", "minf", "stbl"}

// shift moves each offset of a chunk that lay behind the new place of the index
// and before the old one.
func (m *Moov) shift(from, to, depth int) error {
	for at := from; ; {
		b, ok := boxAt(m.Index, at, to)
		if !ok {
			return nil
		}
		at = b.to
		if depth < len(indexDeep) {
			if b.kind == indexDeep[depth] {
				if err := m.shift(b.body, b.to, depth+1); err != nil {
					return err
				}
			}
			continue
		}
		width := map[string]int{"stco": 4, "co64": 8}[b.kind]
		if width == 0 || b.to-b.body < 8 {
			continue
		}
		table := m.Index[b.body+8 : b.to]
		if n := int64(binary.BigEndian.Uint32(m.Index[b.body+4:])); n*int64(width) > int64(len(table)) {
			return errors.New("the video's index promises more places than it has")
		}
		for i := 0; i+width <= len(table); i += width {
			if width == 8 {
				binary.BigEndian.PutUint64(table[i:], m.moved(binary.BigEndian.Uint64(table[i:])))
			} else {
				binary.BigEndian.PutUint32(table[i:], uint32(m.moved(uint64(binary.BigEndian.Uint32(table[i:])))))
			}
		}
	}
}

func (m *Moov) moved(offset uint64) uint64 {
	if offset >= uint64(m.At) && offset < uint64(m.From) {
		offset += uint64(len(m.Index))
	}
	return offset
}
