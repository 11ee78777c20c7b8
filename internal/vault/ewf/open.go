package ewf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

const (
	// ChunkMost is the largest chunk that is read, in bytes; programs write 32 KiB,
	// seldom up to 16 MiB.
	ChunkMost = 16 << 20
	// complaintsMost bounds what is said of one image.
	complaintsMost = 1000
	errorsMost     = 100_000
)

// Range is a stretch of the media, in bytes.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"` // the byte after its last
}

// Image is an opened image. It may be read by many goroutines.
type Image struct {
	Fields     []Field // of the header
	MD5, SHA1  []byte  // as stored; nil where none is
	Size       int64   // of the media in bytes, as the image claims
	ChunkSize  int64
	SectorSize int64
	Chunks     int64    // how many the tables list
	Complaints []string // what is wrong with its structure; empty where it is sound
	// BadSectors is what the acquiring program could not read (section error2).
	BadSectors []Range

	segments []Segment
	tables   []table
	complete bool // the section done was met
	many     int  // complaints that were left out
}

// complain notes what is wrong with the structure.
func (m *Image) complain(format string, args ...any) {
	if len(m.Complaints) >= complaintsMost {
		m.many++
		return
	}
	m.Complaints = append(m.Complaints, fmt.Sprintf(format, args...))
}

// Open reads the structure of the image whose segments these are, in their order.
// What is damaged stands in Complaints; the error says that nothing can be read.
func Open(segments []Segment) (*Image, error) {
	if len(segments) == 0 {
		return nil, errors.New("an image has at least one segment")
	}
	if len(segments) > SegmentsMost {
		return nil, fmt.Errorf("an image has at most %d segments, not %d", SegmentsMost, len(segments))
	}
	m := &Image{segments: segments}
	for i, seg := range segments {
		if err := m.readSegment(i, seg); err != nil {
			if i == 0 && m.ChunkSize == 0 {
				return nil, err
			}
			m.complain("%v", err)
		}
	}
	if m.ChunkSize == 0 {
		return nil, fmt.Errorf("%s: no section says how large the media and its chunks are: the image cannot be read", segments[0].Name)
	}
	if !m.complete {
		m.complain("the last segment that is there, %s, does not end the image: more belong to it, or it is cut short", segments[len(segments)-1].Name)
	}
	m.compareSizes()
	if m.many > 0 {
		m.Complaints = append(m.Complaints, fmt.Sprintf("and %d more of the kind", m.many))
	}
	return m, nil
}

// compareSizes says where the tables list more or less than the header promises.
func (m *Image) compareSizes() {
	if promised := m.promised(); m.Chunks > promised {
		m.complain("the header promises %d bytes in %d chunks, and the tables list %d: what is beyond is in no digest of the media", m.Size, promised, m.Chunks)
	} else if m.Chunks < promised {
		m.complain("the header promises %d bytes in %d chunks, and the tables list only %d", m.Size, promised, m.Chunks)
	}
}

// promised is how many chunks the media has by its header.
func (m *Image) promised() int64 {
	n := m.Size / m.ChunkSize
	if m.Size%m.ChunkSize > 0 {
		n++
	}
	return n
}

func (m *Image) readSegment(i int, seg Segment) error {
	var head [HeadLen]byte
	if seg.Size < HeadLen {
		return fmt.Errorf("%s has %d bytes: it is no segment of an image", seg.Name, seg.Size)
	}
	if err := readAt(seg, head[:], 0); err != nil {
		return err
	}
	n, ok, err := Kind(head[:])
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", seg.Name, err)
	case !ok:
		return fmt.Errorf("%s does not begin like a segment of an image", seg.Name)
	case n != i+1:
		m.complain("%s says of itself that it is segment %d, and stands as number %d", seg.Name, n, i+1)
	}
	return m.readSections(i, seg)
}

func (m *Image) readSections(i int, seg Segment) error {
	at, sectors := int64(HeadLen), section{}
	lastTable := -1
	for range sectionsMost {
		s, sound, err := readSection(seg, at)
		if err != nil {
			return err
		}
		if !sound {
			m.complain("%s: the section at byte %d has another checksum than its own", seg.Name, at)
			if !knownSection(s.kind) {
				return fmt.Errorf("%s: nothing behind byte %d can be found", seg.Name, at)
			}
		}
		switch s.kind {
		case "sectors":
			sectors = s
		case "table":
			lastTable = m.readTable(i, seg, s, sectors)
		case "table2":
			m.readTable2(i, seg, s, sectors, lastTable)
			lastTable = -1
		case "done":
			m.complete = i == len(m.segments)-1
			if !m.complete {
				m.complain("%s ends the image, but %d more segments follow", seg.Name, len(m.segments)-1-i)
			}
			return nil
		case "next":
			return nil
		default:
			m.readOther(seg, s)
		}
		if s.next <= at {
			return fmt.Errorf("%s: the section %q at byte %d leads back to byte %d", seg.Name, s.kind, at, s.next)
		}
		at = s.next
	}
	return fmt.Errorf("%s has more than %d sections", seg.Name, sectionsMost)
}

func knownSection(kind string) bool {
	return slices.Contains([]string{"header", "header2", "volume", "disk", "data", "sectors", "table", "table2", "next", "done", "hash", "digest", "error2", "session", "xheader", "xhash", "ltree", "ltypes"}, kind)
}

// readOther reads the sections that describe.
func (m *Image) readOther(seg Segment, s section) {
	var err error
	switch s.kind {
	case "header", "header2":
		var fields []Field
		if fields, err = readHeader(seg, s); len(fields) > len(m.Fields) {
			m.Fields = fields
		}
	case "volume", "disk", "data":
		err = m.readVolume(seg, s)
	case "hash":
		err = m.readStored(seg, s, 36, &m.MD5, nil)
	case "digest":
		err = m.readStored(seg, s, 80, &m.MD5, &m.SHA1)
	case "error2":
		err = m.readErrors(seg, s)
	case "xhash":
		err = m.readXHash(seg, s)
	case "session", "xheader", "incomplete":
	case "ltree", "ltypes":
		err = fmt.Errorf("%s: the section %q belongs to a logical image (L01), which is not read", seg.Name, s.kind)
	default:
		err = fmt.Errorf("%s: a section %q at byte %d, which nothing describes; it is passed over", seg.Name, s.kind, s.at)
	}
	if err != nil {
		m.complain("%v", err)
	}
}

// readStored reads the digests that the image keeps of its media.
func (m *Image) readStored(seg Segment, s section, size int64, md5, sha1 *[]byte) error {
	b, sound, err := checked(seg, s, size)
	if err != nil {
		return err
	}
	if !sound {
		return fmt.Errorf("%s: the section %q with the stored digests is damaged; what it holds is not believed", seg.Name, s.kind)
	}
	if some(b[:16]) {
		if *md5 != nil && !slices.Equal(*md5, b[:16]) {
			m.complain("%s: two stored MD5 digests that differ, %x and %x", seg.Name, *md5, b[:16])
		}
		*md5 = slices.Clone(b[:16])
	}
	if sha1 != nil && some(b[16:36]) {
		*sha1 = slices.Clone(b[16:36])
	}
	return nil
}

func some(b []byte) bool { return slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

// readVolume reads how large the media is. EnCase's section has 1052 bytes, that
// of SMART and of EWF-S01 94.
func (m *Image) readVolume(seg Segment, s section) error {
	size := int64(1052)
	if s.end-s.data() < size {
		size = 94
	}
	b, sound, err := checked(seg, s, size)
	if err != nil {
		return err
	}
	if !sound {
		m.complain("%s: the section %q at byte %d has another checksum than its own", seg.Name, s.kind, s.at)
	}
	sectorsPer, sectorSize, sectors := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:]), binary.LittleEndian.Uint64(b[16:])
	if size == 94 {
		sectors &= math.MaxUint32
	}
	over, chunk := bits.Mul64(uint64(sectorsPer), uint64(sectorSize))
	high, media := bits.Mul64(sectors, uint64(sectorSize))
	if over != 0 || chunk == 0 || chunk > ChunkMost || high != 0 || media > math.MaxInt64 {
		return fmt.Errorf("%s: the section %q at byte %d claims %d sectors of %d bytes, %d to a chunk; chunks have at most %d MiB", seg.Name, s.kind, s.at, sectors, sectorSize, sectorsPer, ChunkMost>>20)
	}
	if m.ChunkSize == 0 {
		m.ChunkSize, m.SectorSize, m.Size = int64(chunk), int64(sectorSize), int64(media)
	} else if m.ChunkSize != int64(chunk) || m.Size != int64(media) && s.kind != "data" {
		m.complain("%s: the section %q at byte %d claims another size of the media or its chunks than the first, which stands", seg.Name, s.kind, s.at)
	}
	return nil
}

// readErrors reads which sectors the acquiring program could not read.
func (m *Image) readErrors(seg Segment, s section) error {
	const head = 520
	b, sound, err := checked(seg, s, head)
	if err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if !sound || n > errorsMost || s.end-s.data()-head < 8*n {
		return fmt.Errorf("%s: the list of sectors that were not read, at byte %d, is damaged", seg.Name, s.at)
	}
	list := make([]byte, 8*n)
	if err := readAt(seg, list, s.data()+head); err != nil {
		return err
	}
	for ; len(list) > 0; list = list[8:] {
		first, count := int64(binary.LittleEndian.Uint32(list)), int64(binary.LittleEndian.Uint32(list[4:]))
		m.BadSectors = append(m.BadSectors, Range{first * m.SectorSize, (first + count) * m.SectorSize})
	}
	return nil
}
