package ewf

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const testChunk = 4096

// picture is what a test's image is made of.
type picture struct {
	media    []byte
	sectors  uint64 // 0 for the truth
	segments int    // 0 for 1
	plain    bool   // not compressed
	noSums   bool
}

type writer struct{ bytes.Buffer }

func (w *writer) section(kind string, data []byte, last bool) {
	var d [sectionSize]byte
	copy(d[:16], kind)
	at := uint64(w.Len())
	next := at + sectionSize + uint64(len(data))
	if last {
		next = at
	}
	binary.LittleEndian.PutUint64(d[16:], next)
	binary.LittleEndian.PutUint64(d[24:], sectionSize+uint64(len(data)))
	binary.LittleEndian.PutUint32(d[72:], adler32.Checksum(d[:72]))
	w.Write(d[:])
	w.Write(data)
}

func summed(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, adler32.Checksum(b)) }

func deflated(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// image writes a picture as EnCase would, a test's own writer beside libewf's.
func (p picture) image() []Segment {
	sectors := p.sectors
	if sectors == 0 {
		sectors = uint64(len(p.media) / 512)
	}
	volume := make([]byte, 1048)
	volume[0] = 1
	binary.LittleEndian.PutUint32(volume[8:], testChunk/512)
	binary.LittleEndian.PutUint32(volume[12:], 512)
	binary.LittleEndian.PutUint64(volume[16:], sectors)
	var chunks [][]byte
	for b := p.media; len(b) > 0; b = b[min(testChunk, len(b)):] {
		chunks = append(chunks, b[:min(testChunk, len(b))])
	}
	n := max(1, p.segments)
	per := (len(chunks) + n - 1) / n
	var out []Segment
	for i := range n {
		w := new(writer)
		w.WriteString(signature)
		w.Write([]byte{1, byte(i + 1), byte((i + 1) >> 8), 0, 0})
		if i == 0 {
			w.section("header", deflated([]byte("1\nmain\nc\tn\te\nEXERCISE-1\tE1\tA. Nobody\n\n")), false)
			w.section("volume", summed(volume), false)
		}
		mine := chunks[min(i*per, len(chunks)):min((i+1)*per, len(chunks))]
		base := w.Len() + sectionSize
		var data []byte
		var entries []byte
		for _, c := range mine {
			e := uint32(len(data))
			if p.plain {
				data = append(data, summed(bytes.Clone(c))...)
			} else {
				e |= compressed
				data = append(data, deflated(c)...)
			}
			entries = binary.LittleEndian.AppendUint32(entries, e)
		}
		w.section("sectors", data, false)
		head := make([]byte, 20)
		binary.LittleEndian.PutUint32(head, uint32(len(mine)))
		binary.LittleEndian.PutUint64(head[8:], uint64(base))
		table := append(summed(head), summed(entries)...)
		w.section("table", table, false)
		w.section("table2", table, false)
		if i < n-1 {
			w.section("next", nil, true)
		} else {
			if !p.noSums {
				h, s := md5.Sum(p.media), sha1.Sum(p.media)
				d := make([]byte, 76)
				copy(d, h[:])
				copy(d[16:], s[:])
				w.section("digest", summed(d), false)
			}
			w.section("done", nil, true)
		}
		out = append(out, Segment{"EXERCISE" + Extension('E', i+1), int64(w.Len()), bytes.NewReader(w.Bytes())})
	}
	return out
}

func media(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(b[:n/2])
	return b
}

func raw(s Segment) []byte {
	b := make([]byte, s.Size)
	_, _ = s.ReadAt(b, 0)
	return b
}

func of(b []byte) Segment { return Segment{"EXERCISE.E01", int64(len(b)), bytes.NewReader(b)} }

func verdict(t *testing.T, segments ...Segment) Verdict {
	t.Helper()
	m, err := Open(segments)
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnImageIsReadWholeHoweverItIsCut(t *testing.T) {
	t.Parallel()
	for _, n := range []int{512, testChunk, 10*testChunk + 1024, 700 * testChunk} {
		for _, p := range []picture{{media: media(n)}, {media: media(n), plain: true}, {media: media(n), segments: 3}, {media: media(n), noSums: true}} {
			v := verdict(t, p.image()...)
			sum := sha256.Sum256(p.media)
			want := Equal
			if p.noSums {
				want = None
			}
			if !v.Whole() || v.Media != want || v.SHA256 != hex.EncodeToString(sum[:]) || v.Size != int64(n) {
				t.Errorf("%d bytes, plain %v, %d segments: %+v", n, p.plain, p.segments, v)
			}
			m, err := Open(p.image())
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(io.NewSectionReader(m, 0, m.Size))
			if err != nil || !bytes.Equal(got, p.media) {
				t.Errorf("read by place: %d bytes, %v", len(got), err)
			}
			if len(m.Fields) != 3 || m.Fields[0] != (Field{"c", "case number", "EXERCISE-1"}) {
				t.Errorf("fields %v", m.Fields)
			}
		}
	}
}

// Each verdict falls alone: a damaged chunk leaves the structure sound, a damaged table with its copy leaves chunks and media.
func TestTheThreeVerdictsAreApart(t *testing.T) {
	t.Parallel()
	p := picture{media: media(64 * testChunk), plain: true}
	whole := raw(p.image()[0])
	find := func(kind string) int {
		at := bytes.Index(whole, append([]byte(kind), 0))
		for at >= 0 && binary.LittleEndian.Uint32(whole[at+72:]) != adler32.Checksum(whole[at:at+72]) {
			at += 1 + bytes.Index(whole[at+1:], append([]byte(kind), 0))
		}
		return at
	}
	flip := func(at int) Segment {
		b := bytes.Clone(whole)
		b[at] ^= 0x40
		return of(b)
	}
	chunk := find("sectors") + sectionSize + 5*(testChunk+4) + 17
	if v := verdict(t, flip(chunk)); v.Structure != Sound || v.Chunks != Damaged || v.Media != Differs || v.DamagedCount != 1 || len(v.DamagedRanges) != 1 || v.DamagedRanges[0] != (Range{5 * testChunk, 6 * testChunk}) {
		t.Errorf("a damaged chunk: %+v", v)
	}
	if v := verdict(t, flip(find("table")+sectionSize+tableHead+8)); v.Structure != Damaged || v.Chunks != Sound || v.Media != Equal || v.Whole() {
		t.Errorf("a damaged table whose copy is whole: %+v", v)
	}
	if v := verdict(t, flip(find("digest")+sectionSize+3)); v.Structure != Damaged || v.Chunks != Sound || v.Media != None {
		t.Errorf("damaged stored digests: %+v", v)
	}
	other := picture{media: bytes.Clone(p.media), plain: true}
	other.media[7] ^= 1
	b := bytes.Clone(whole)
	at := find("sectors") + sectionSize
	copy(b[at:], summed(bytes.Clone(other.media[:testChunk])))
	if v := verdict(t, of(b)); v.Structure != Sound || v.Chunks != Sound || v.Media != Differs {
		t.Errorf("a chunk changed together with its checksum: %+v", v)
	}
	if v := verdict(t, of(whole[:len(whole)-3*testChunk])); v.Structure != Damaged || v.Chunks != Damaged {
		t.Errorf("a file cut short: %+v", v)
	}
	two := picture{media: p.media, segments: 2}.image()
	if v := verdict(t, two[0]); v.Structure != Damaged || v.Chunks != Damaged || v.DamagedCount != 32 {
		t.Errorf("a missing segment: %+v", v)
	}
}

func TestImagesThatLieAboutTheirSize(t *testing.T) {
	t.Parallel()
	small := picture{media: media(8 * testChunk), sectors: 4 * testChunk / 512}
	if v := verdict(t, small.image()...); v.Structure != Damaged || !strings.Contains(strings.Join(v.Complaints, "\n"), "the tables list 8") {
		t.Errorf("hidden chunks: %+v", v)
	}
	for _, sectors := range []uint64{1 << 20, 1 << 50} {
		large := picture{media: media(8 * testChunk), sectors: sectors}
		v := verdict(t, large.image()...)
		if v.Structure != Damaged || v.Chunks != Damaged || v.DamagedCount != int64(sectors*512/testChunk)-8 {
			t.Errorf("a size that is not there: %+v", v)
		}
	}
	if _, err := Open((picture{media: media(512), sectors: 1 << 62}).image()); err == nil {
		t.Error("a media of 2^71 bytes opens")
	}
}

func TestRelativesAreRefusedByNameWithTheWayOut(t *testing.T) {
	t.Parallel()
	for begins, name := range map[string]string{"EVF2\r\n\x81\x00": "Ex01", "LVF\x09\r\n\xff\x00": "L01", "LEF2\r\n\x81\x00": "Lx01", "AFF10\r\n\x00": "AFF"} {
		b := append([]byte(begins), make([]byte, 100)...)
		if _, err := Open([]Segment{of(b)}); !errors.Is(err, ErrNotRead) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "export it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open([]Segment{of([]byte("EXERCISE"))}); err == nil {
		t.Error("a text opens")
	}
}

func TestExtensionsFollowEachOther(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: ".E01", 99: ".E99", 100: ".EAA", 126: ".EBA", 100 + 26*26: ".FAA", 99 + 22*26*26: ".ZZZ", 0: "", 100 + 22*26*26: ""} {
		if got := Extension('E', n); got != want {
			t.Errorf("segment %d is %q, wanted %q", n, got, want)
		}
	}
}

const realImage = "../../../../shared/data/evidence/ext2.E01"

// The image is libewf's and Plaso's own example: 4 MiB of an ext2 file system, made in 2021, with an MD5 and no SHA-1.
func TestTheRealImage(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(realImage)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the real image is not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	v := verdict(t, of(b))
	if !v.Whole() || v.Media != Equal || v.Size != 4<<20 || v.StoredMD5 != "196066add11fb71c4c49cf1bb50d6d24" || v.StoredSHA1 != "" || v.SHA256 != "a6c2f0e39afe6c6ab432ca5465349fcefe8dc944398e97b2d957d3f89dbb5d80" {
		t.Errorf("%+v", v)
	}
	m, err := Open([]Segment{of(b)})
	if err != nil {
		t.Fatal(err)
	}
	var super [2]byte
	if _, err := m.ReadAt(super[:], 1024+56); err != nil || super != [2]byte{0x53, 0xef} {
		t.Errorf("the mark of ext2 is %x, %v", super, err)
	}
}

// libewf writes every variant of the format, and its ewfinfo says what stands in each: we must say the same.
func TestEveryVariantOfLibewfIsReadAsItReadsIt(t *testing.T) {
	t.Parallel()
	acquire, err := exec.LookPath("ewfacquire")
	if err != nil {
		t.Skip("ewfacquire is not installed (Debian: ewf-tools)")
	}
	dir := t.TempDir()
	src := filepath.Join(dir, "raw")
	b := media(3<<20 + 512)
	if err := os.WriteFile(src, b, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	for _, format := range []string{"ewf", "smart", "ftk", "encase1", "encase3", "encase5", "encase6", "encase7", "linen7", "ewfx"} {
		for _, how := range []string{"none", "best"} {
			target := filepath.Join(dir, format+how)
			if out, err := exec.CommandContext(t.Context(), acquire, "-u", "-q", "-f", format, "-c", how, "-S", "1MiB", "-d", "sha1", "-C", "EXERCISE-1", "-e", "A. Nobody", "-t", target, src).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", format, err, out)
			}
			files, err := filepath.Glob(target + ".*")
			if err != nil || len(files) == 0 {
				t.Fatal(err)
			}
			var segments []Segment
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				segments = append(segments, Segment{filepath.Base(f), int64(len(b)), bytes.NewReader(b)})
			}
			v := verdict(t, segments...)
			if !v.Whole() || v.Media != Equal || v.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("%s %s: %+v", format, how, v)
			}
			info, err := exec.CommandContext(t.Context(), "ewfinfo", files[0]).Output()
			if err != nil {
				t.Fatal(err)
			}
			if md5 := regexp.MustCompile(`MD5:\s+([0-9a-f]{32})`).FindSubmatch(info); md5 == nil || string(md5[1]) != v.StoredMD5 {
				t.Errorf("%s: ewfinfo says MD5 %s, we %s", format, md5, v.StoredMD5)
			}
			if sha1 := regexp.MustCompile(`SHA1:\s+([0-9a-f]{40})`).FindSubmatch(info); sha1 != nil && string(sha1[1]) != v.StoredSHA1 {
				t.Errorf("%s: ewfinfo says SHA-1 %s, we %s", format, sha1[1], v.StoredSHA1)
			}
		}
	}
}

func FuzzImage(f *testing.F) {
	for _, p := range []picture{{media: media(3 * testChunk)}, {media: media(2*testChunk + 512), plain: true}, {media: media(512), noSums: true}} {
		f.Add(raw(p.image()[0]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// Its checksums are made to fit half of the time, or nothing behind them is ever reached.
		if len(b) > 2 && b[len(b)-1]&1 == 0 {
			for at := HeadLen; at+sectionSize <= len(b); {
				binary.LittleEndian.PutUint32(b[at+72:], adler32.Checksum(b[at:at+72]))
				next := binary.LittleEndian.Uint64(b[at+16:])
				if next <= uint64(at) || next > uint64(len(b)) {
					break
				}
				at = int(next)
			}
		}
		m, err := Open([]Segment{of(b)})
		if err != nil {
			return
		}
		if m.ChunkSize > 1<<20 {
			return // true, and slow
		}
		if _, err := m.Verify(t.Context()); err != nil {
			t.Errorf("an image that opens cannot be judged: %v", err)
		}
		var p [100]byte
		_, _ = m.ReadAt(p[:], m.Size/2)
	})
}
