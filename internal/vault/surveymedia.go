package vault

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"concert/internal/vault/ewf"
)

// ewfFollowing names the segments of an image behind its first.
func ewfFollowing(first string, there func(string) bool) []string { return ewf.Following(first, there) }

// openMedia opens the media of a raw image or of the segments of an E01.
func openMedia(kind string, files []*os.File, names []string) (io.ReaderAt, int64, error) {
	if kind == KindRaw {
		info, err := files[0].Stat()
		if err != nil {
			return nil, 0, err
		}
		size := info.Size()
		if size == 0 { // a block device
			size, err = files[0].Seek(0, io.SeekEnd)
		}
		return files[0], size, err
	}
	var segments []ewf.Segment
	for i, f := range files {
		info, err := f.Stat()
		if err != nil {
			return nil, 0, err
		}
		if i >= len(names) {
			return nil, 0, errors.New("a segment without a name")
		}
		segments = append(segments, ewf.Segment{Name: names[i], Size: info.Size(), ReaderAt: f})
	}
	image, err := ewf.Open(segments)
	if err != nil {
		return nil, 0, err
	}
	return &paged{in: image, size: image.Size}, image.Size, nil
}

// paged keeps the pages of a media that were read last: a chunk of an E01 is
// unpacked whole for every byte of it that is wanted.
type paged struct {
	in   io.ReaderAt
	size int64

	mu    sync.Mutex
	pages [pagesKept]page
	next  int
}

const (
	pageSize  = 64 << 10
	pagesKept = 256
)

type page struct {
	number int64 // from 1
	b      []byte
}

// ReadAt implements io.ReaderAt.
func (p *paged) ReadAt(b []byte, at int64) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(b) {
		off := at + int64(n)
		if off < 0 || off >= p.size {
			return n, io.EOF
		}
		pg, err := p.page(off / pageSize)
		if err != nil {
			return n, err
		}
		n += copy(b[n:], pg[off%pageSize:])
	}
	return n, nil
}

func (p *paged) page(number int64) ([]byte, error) {
	k := slices.IndexFunc(p.pages[:], func(q page) bool { return q.number == number+1 })
	if k >= 0 {
		return p.pages[k].b, nil
	}
	b := make([]byte, min(pageSize, p.size-number*pageSize))
	if n, err := p.in.ReadAt(b, number*pageSize); n < len(b) {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	p.pages[p.next] = page{number + 1, b}
	p.next = (p.next + 1) % pagesKept
	return b, nil
}

const (
	mediaOLE = "application/x-ole-storage"
	mediaZip = "application/zip"
)

// MediaOf is the media type of a file by its first bytes: as Sniff says, and what
// a seized disk holds beside media.
func MediaOf(head []byte) string {
	if len(head) == 0 {
		return "inode/x-empty"
	}
	for _, k := range [...]struct{ begins, media string }{
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", mediaOLE}, {"SQLite format 3\x00", "application/vnd.sqlite3"}, {"\x7fELF", "application/x-elf"}, {"MZ", "application/x-msdownload"},
		{"ElfFile\x00", "application/x-evtx"}, {"regf", "application/x-registry"}, {"\xca\xfe\xba\xbe", "application/java-vm"}, {"{\\rtf", "application/rtf"}, {"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
		{"Rar!\x1a\x07", "application/vnd.rar"}, {"\xfd7zXZ\x00", "application/x-xz"}, {"\x28\xb5\x2f\xfd", "application/zstd"}, {"BZh", "application/x-bzip2"}, {"!BDN", "application/vnd.ms-outlook-pst"}, {"-----BEGIN PGP", "application/pgp-encrypted"},
	} {
		if strings.HasPrefix(string(head[:min(len(head), 32)]), k.begins) {
			return k.media
		}
	}
	if containerKind(head) == KindTar {
		return "application/x-tar"
	}
	media := Sniff(head)
	if media == mediaZip {
		return zipMedia(head)
	}
	return media
}

// zipMedia tells documents that are zips by their first member.
func zipMedia(head []byte) string {
	switch {
	case bytes.Contains(head, []byte("[Content_Types].xml")), bytes.Contains(head, []byte("_rels/.rels")):
		return "application/vnd.openxmlformats-officedocument"
	case bytes.Contains(head, []byte("mimetypeapplication/vnd.oasis.opendocument")):
		return "application/vnd.oasis.opendocument"
	case bytes.Contains(head, []byte("mimetypeapplication/epub+zip")):
		return "application/epub+zip"
	case bytes.Contains(head, []byte("AndroidManifest.xml")):
		return "application/vnd.android.package-archive"
	}
	return mediaZip
}

// office reports whether a type is a document whose text is not taken out.
func office(media string) bool {
	return strings.HasPrefix(media, "application/vnd.o") || media == mediaOLE || media == "application/pdf" || media == "application/epub+zip" || media == "application/rtf"
}

// WordsNotRead reports whether a type has words that are not taken out, so that a
// search does not find them.
func WordsNotRead(media string) bool { return office(media) }
