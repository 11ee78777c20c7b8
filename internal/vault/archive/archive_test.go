package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func kindOf(head []byte) string {
	for _, k := range [...]struct{ begins, kind string }{{"PK\x03\x04", Zip}, {"7z\xbc\xaf\x27\x1c", Seven}, {"\x1f\x8b", Gzip}, {"BZh", Bzip2}, {"\xfd7zXZ\x00", Xz}, {"\x28\xb5\x2f\xfd", Zstd}, {"EVF\x09", "ewf"}} {
		if bytes.HasPrefix(head, []byte(k.begins)) {
			return k.kind
		}
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return Tar
	}
	return ""
}

var normal = Limits{Depth: 4, Entries: 1000, Bytes: 64 << 20, Name: 4096}

func walk(t testing.TB, b []byte, kind string, l Limits) (list []Entry, outcome, note string) {
	t.Helper()
	outcome, note, err := Walk(bytes.NewReader(b), int64(len(b)), kind, "EXERCISE.bin", l, kindOf, func(e Entry) error {
		list = append(list, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, outcome, note
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

type item struct {
	name, text string
	kind       byte
}

func tarOf(items ...item) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		if i.kind == 0 {
			i.kind = tar.TypeReg
		}
		h := &tar.Header{Name: i.name, Typeflag: i.kind, Mode: 0o600, Format: tar.FormatPAX}
		if i.kind == tar.TypeReg {
			h.Size = int64(len(i.text))
		} else {
			h.Linkname = i.text
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if i.kind == tar.TypeReg {
			_, _ = w.Write([]byte(i.text))
		}
	}
	_ = w.Close()
	return b.Bytes()
}

func zipOf(items ...item) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		f, err := w.Create(i.name)
		if err != nil {
			panic(err)
		}
		_, _ = f.Write([]byte(i.text))
	}
	_ = w.Close()
	return b.Bytes()
}

func gzOf(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func TestWhatIsInsideIsToldAtEveryDepth(t *testing.T) {
	t.Parallel()
	inner := tarOf(item{name: "a", text: "EXERCISE a"}, item{name: "dir/b", text: "EXERCISE b"})
	var x, z bytes.Buffer
	xw, err := xz.NewWriter(&x)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = xw.Write(inner)
	_ = xw.Close()
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = zw.Write(inner)
	_ = zw.Close()
	outer := zipOf(item{name: "t.tar", text: string(inner)}, item{name: "t.tgz", text: string(gzOf(inner))}, item{name: "t.txz", text: x.String()}, item{name: "t.tar.zst", text: z.String()}, item{name: "plain", text: "EXERCISE"}, item{name: "disk", text: "EVF\x09 EXERCISE"})
	list, outcome, note := walk(t, outer, Zip, normal)
	if outcome != "" {
		t.Fatalf("%s: %s", outcome, note)
	}
	got := map[string]Entry{}
	for _, e := range list {
		got[strings.Join(e.Name, " // ")] = e
	}
	for name, text := range map[string]string{"plain": "EXERCISE", "t.tar": string(inner), "t.tar // a": "EXERCISE a", "t.tar // dir/b": "EXERCISE b", "t.tgz // t.tar // a": "EXERCISE a", "t.tgz // t.tar": string(inner), "t.txz // t.tar // dir/b": "EXERCISE b", "t.tar.zst // t.tar // a": "EXERCISE a", "t.txz": x.String()} {
		if e := got[name]; e.SHA256 != sum(text) || e.Size != int64(len(text)) || e.Outcome != "" || e.Type != File {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := got["disk"]; e.Outcome != NotRead || e.SHA256 == "" {
		t.Errorf("an image inside: %+v", e)
	}
}

func TestNamesThatLeadOutAndLinksAreOnlyTold(t *testing.T) {
	t.Parallel()
	list, outcome, _ := walk(t, tarOf(item{name: "../../etc/EXERCISE", text: "x"}, item{name: "/abs", text: "y"}, item{"loop", "loop", tar.TypeSymlink}, item{"hard", "../x", tar.TypeLink}, item{"dev", "", tar.TypeChar}), Tar, normal)
	if outcome != "" || len(list) != 5 {
		t.Fatalf("%d entries, %s", len(list), outcome)
	}
	if !strings.Contains(list[0].Note, "leads out") || list[0].SHA256 != sum("x") || !strings.Contains(list[1].Note, "absolute") {
		t.Errorf("%+v", list[:2])
	}
	if list[2].Type != Link || list[2].Link != "loop" || list[3].Type != Link || list[4].Type != Other {
		t.Errorf("%+v", list[2:])
	}
	if list, _, _ := walk(t, zipOf(item{name: "..\\..\\EXERCISE", text: "x"}), Zip, normal); !strings.Contains(list[0].Note, "leads out") {
		t.Errorf("%+v", list)
	}
}

func TestBombsEndAtTheirLimit(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 8<<20)
	small := normal
	small.Bytes = 1 << 20
	for kind, b := range map[string][]byte{Gzip: gzOf(zeros), Zip: zipOf(item{name: "z", text: string(zeros)})} {
		list, outcome, _ := walk(t, b, kind, small)
		if outcome != Limit || len(list) != 1 || list[0].Outcome != Limit || list[0].Size != 1<<20 {
			t.Errorf("%s: %s, %+v", kind, outcome, list)
		}
	}
	// The levels share one budget, and a bomb deep inside ends what is outside.
	bomb := gzOf(zeros)
	list, outcome, _ := walk(t, zipOf(item{name: "a", text: "EXERCISE"}, item{name: "b.gz", text: string(bomb)}, item{name: "c", text: "EXERCISE"}), Zip, small)
	if outcome != Limit || list[0].Outcome != "" || list[0].SHA256 != sum("EXERCISE") {
		t.Errorf("inside: %s, %+v", outcome, list)
	}
	deep := []byte("EXERCISE")
	for range 10 {
		deep = gzOf(deep)
	}
	list, _, _ = walk(t, deep, Gzip, normal)
	if len(list) != 4 || !slices.ContainsFunc(list, func(e Entry) bool { return e.Outcome == Limit }) {
		t.Errorf("depth: %+v", list)
	}
	few := normal
	few.Entries = 3
	var many []item
	for i := range 10 {
		many = append(many, item{name: fmt.Sprint(i), text: "x"})
	}
	if list, outcome, _ := walk(t, tarOf(many...), Tar, few); outcome != Limit || len(list) != 3 {
		t.Errorf("entries: %s, %d", outcome, len(list))
	}
	short := normal
	short.Name = 10
	if list, _, _ := walk(t, tarOf(item{name: strings.Repeat("n", 50), text: "x"}), Tar, short); len(list[0].Name[0]) != 10 || list[0].Outcome != Limit {
		t.Errorf("name: %+v", list)
	}
}

func TestWhatIsBrokenIsToldAndWhatIsBeforeIsKept(t *testing.T) {
	t.Parallel()
	b := tarOf(item{name: "a", text: "EXERCISE"}, item{name: "b", text: strings.Repeat("x", 5000)})
	list, outcome, _ := walk(t, b[:2048], Tar, normal)
	if outcome != Damaged && list[len(list)-1].Outcome != Damaged || list[0].SHA256 != sum("EXERCISE") {
		t.Errorf("a cut tar: %s, %+v", outcome, list)
	}
	z := zipOf(item{name: "a", text: "EXERCISE"})
	at := bytes.Index(z, binaryCRC("EXERCISE"))
	z[at] ^= 1
	at = bytes.LastIndex(z, binaryCRC("EXERCISE"))
	if at > 0 {
		z[at] ^= 1
	}
	if list, _, _ := walk(t, z, Zip, normal); list[0].Outcome != Damaged {
		t.Errorf("another checksum: %+v", list)
	}
	g := gzOf([]byte("EXERCISE"))
	g[len(g)-6] ^= 1
	if _, outcome, _ := walk(t, g, Gzip, normal); outcome != Damaged {
		t.Errorf("gzip with another checksum: %q", outcome)
	}
	if _, outcome, _ := walk(t, []byte("PK\x03\x04 EXERCISE"), Zip, normal); outcome != Damaged {
		t.Errorf("no zip: %q", outcome)
	}
}

func binaryCRC(s string) []byte {
	c := crc32.ChecksumIEEE([]byte(s))
	return []byte{byte(c), byte(c >> 8), byte(c >> 16), byte(c >> 24)}
}

// 7z is written by the program that made the format.
func TestSevenZipIsReadAsItsProgramWroteIt(t *testing.T) {
	t.Parallel()
	seven, err := exec.LookPath("7z")
	if err != nil {
		t.Skip("7z is not installed (Debian: p7zip-full)")
	}
	dir := t.TempDir()
	big := strings.Repeat("EXERCISE ", 100_000)
	for name, text := range map[string]string{"a": "EXERCISE a", "b": big} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, how := range [][]string{{"-m0=lzma2"}, {"-m0=bzip2"}, {"-m0=ppmd"}, {"-m0=deflate"}, {"-pEXERCISE"}, {"-pEXERCISE", "-mhe=on"}} {
		to := filepath.Join(dir, strings.Join(how, "")+".7z")
		cmd := exec.CommandContext(t.Context(), seven, append(append([]string{"a", "-bd"}, how...), to, "a", "b")...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		list, outcome, note := walk(t, b, Seven, normal)
		switch {
		case len(how) == 2:
			if outcome != Locked {
				t.Errorf("%v: %s %s", how, outcome, note)
			}
		case how[0] == "-pEXERCISE":
			if len(list) != 2 || list[0].Outcome != Locked {
				t.Errorf("%v: %+v", how, list)
			}
		default:
			if len(list) != 2 || list[0].SHA256 != sum("EXERCISE a") || list[1].SHA256 != sum(big) || outcome != "" {
				t.Errorf("%v: %s %s %+v", how, outcome, note, list)
			}
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(tarOf(item{name: "a", text: "EXERCISE"}), byte(0))
	f.Add(zipOf(item{name: "a", text: "EXERCISE"}), byte(1))
	f.Add(gzOf(tarOf(item{name: "a", text: "EXERCISE"})), byte(3))
	f.Add([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), byte(2))
	kinds := []string{Tar, Zip, Seven, Gzip, Bzip2, Xz, Zstd}
	limits := Limits{Depth: 3, Entries: 50, Bytes: 1 << 20, Name: 100}
	f.Fuzz(func(t *testing.T, b []byte, k byte) {
		kind := kinds[int(k)%len(kinds)]
		if kind == Seven && len(b) > 1<<16 || kind == Xz {
			return // they may take memory, which a child's limit bounds and this process has none
		}
		list, _, _ := walk(t, b, kind, limits)
		total := int64(0)
		for _, e := range list {
			if len(e.Name[len(e.Name)-1]) > limits.Name {
				t.Errorf("a name of %d bytes", len(e.Name[len(e.Name)-1]))
			}
			if len(e.Name) == 1 {
				total += e.Size
			}
		}
		if total > limits.Bytes || len(list) > 50 {
			t.Errorf("%d entries, %d bytes", len(list), total)
		}
	})
}
