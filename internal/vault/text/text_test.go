package text

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func extracted(t testing.TB, media string, b []byte) (string, string) {
	t.Helper()
	var all strings.Builder
	name, err := Extract(media, bytes.NewReader(b), func(p string) error {
		if len(p) > 3*PartMost || !utf8.ValidString(p) {
			t.Fatalf("a part of %d bytes", len(p))
		}
		all.WriteString(p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String(), name
}

// Each real text in each encoding that has its letters is told and read back.
func TestEncodingsAreToldByTheTextItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, name string
		enc        encoding.Encoding
	}{
		{"ar", "windows-1256", charmap.Windows1256}, {"ru", "windows-1251", charmap.Windows1251}, {"de", "iso-8859-1", charmap.ISO8859_1}, {"fr", "iso-8859-1", charmap.Windows1252},
		{"es", "iso-8859-1", charmap.ISO8859_1}, {"ar", "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)}, {"ru", "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)},
		{"ar", "utf-8", nil}, {"ps", "utf-8", nil}, {"tr", "utf-8", nil}, {"en", "utf-8", nil},
	} {
		raw, err := os.ReadFile("../../../../shared/data/language/" + c.file + ".txt")
		if err != nil {
			t.Skip("the real texts are not there: ../shared/data/language beside the repository")
		}
		want, b := string(raw), raw
		if c.enc != nil {
			b = nil
			var kept strings.Builder
			for _, r := range want {
				if one, err := c.enc.NewEncoder().Bytes([]byte(string(r))); err == nil || c.name[:3] == "utf" {
					_ = one
					kept.WriteRune(r)
				}
			}
			want = kept.String()
			if b, err = c.enc.NewEncoder().Bytes([]byte(want)); err != nil {
				t.Fatal(err)
			}
		}
		// A short note must be told as well as a long text.
		for _, n := range []int{len(b), 400} {
			got, name := extracted(t, "text/plain", b[:min(n, len(b))])
			if name != c.name {
				t.Errorf("%s in %s (%d bytes) is taken for %s", c.file, c.name, n, name)
			}
			if n == len(b) && got != want {
				t.Errorf("%s in %s is read as %.60q", c.file, c.name, got)
			}
		}
	}
}

func TestAPageGivesWhatIsSeen(t *testing.T) {
	t.Parallel()
	page := `<html><head><meta charset=windows-1256><title>EXERCISE</title><style>p{color:red}</style><script>var hidden="no"</script></head><body><p>one<b>word</b></p><p>two &amp; three</p><img alt="a picture"><a href="http://exercise.example/x">link</a>` + "\xc7\xe1\xd3\xe1\xc7\xe3" + `</body></html>`
	got, name := extracted(t, "text/html", []byte(page))
	if name != "windows-1256" {
		t.Errorf("read as %s", name)
	}
	for _, want := range []string{"EXERCISE", "oneword", "two & three", "a picture", "http://exercise.example/x", "السلام"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	for _, no := range []string{"hidden", "color"} {
		if strings.Contains(got, no) {
			t.Errorf("%q is in %q", no, got)
		}
	}
}

func TestPartsAreCutBetweenWords(t *testing.T) {
	t.Parallel()
	word := "تمرين "
	var list []string
	all := strings.Repeat(word, 3*PartMost/len(word))
	if _, err := Extract("text/plain", strings.NewReader(all), func(p string) error { list = append(list, p); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(list) < 3 || strings.Join(list, "") != all {
		t.Fatalf("%d parts that are not the text", len(list))
	}
	for _, p := range list {
		if !strings.HasSuffix(p, word) {
			t.Errorf("a part ends %q", p[len(p)-12:])
		}
	}
	one := strings.Repeat("ت", PartMost)
	list = nil
	if _, err := Extract("text/plain", strings.NewReader(one), func(p string) error { list = append(list, p); return nil }); err != nil || strings.Join(list, "") != one {
		t.Errorf("a long word is not the same any more: %v", err)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add([]byte("EXERCISE \xff\xfe text"), false)
	f.Add([]byte("<p>EXERCISE<script></p>"), true)
	f.Add([]byte("\xff\xfea\x00\x00\xd8"), false)
	f.Fuzz(func(t *testing.T, b []byte, page bool) {
		media := "text/plain"
		if page {
			media = "text/html"
		}
		a, _ := extracted(t, media, b)
		if again, _ := extracted(t, media, b); a != again {
			t.Error("the same bytes give another text")
		}
	})
}
