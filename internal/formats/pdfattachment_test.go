package formats_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"concert/internal/formats"
)

const mostAttached = 1 << 20

// attached is a PDF of one page with these files, name and content by turns.
func attached(t testing.TB, change func(*fpdf.Fpdf), files ...string) []byte {
	t.Helper()
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCatalogSort(true)
	p.SetCreationDate(time.Unix(1, 0).UTC())
	p.SetModificationDate(time.Unix(1, 0).UTC())
	p.AddPage()
	p.SetFont("Helvetica", "", 12)
	p.Cell(10, 10, "EXERCISE (order) \\ %%EOF")
	var list []fpdf.Attachment
	for i := 0; i+1 < len(files); i += 2 {
		list = append(list, fpdf.Attachment{Filename: files[i], Content: []byte(files[i+1]), Description: "EXERCISE (the order)"})
	}
	p.SetAttachments(list)
	if change != nil {
		change(p)
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPDFAttachmentTakesOutWhatOurWriterPutIn(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`{"format":"concert-order/1"}`, "", strings.Repeat("EXERCISE endstream endobj >> (", 20_000), "\x00\xff\r\n"} {
		for name, change := range map[string]func(*fpdf.Fpdf){
			"plain":      nil,
			"not packed": func(p *fpdf.Fpdf) { p.SetCompression(false) },
			"with metadata": func(p *fpdf.Fpdf) {
				p.SetXmpMetadata([]byte("<x/>"))
				p.SetTitle("EXERCISE (é)", true)
				p.SetLang("fr")
			},
		} {
			got, err := formats.PDFAttachment(attached(t, change, formats.OrderAttachment, content), formats.OrderAttachment, mostAttached)
			if err != nil || string(got) != content {
				t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(content), err)
			}
		}
	}
}

func TestPDFAttachmentRefusesByName(t *testing.T) {
	t.Parallel()
	good := attached(t, nil, formats.OrderAttachment, "EXERCISE")
	edit := func(old, with string) []byte {
		if len(old) != len(with) || bytes.Count(good, []byte(old)) == 0 {
			t.Fatalf("%q: an edit keeps the length, and there must be one", old)
		}
		return bytes.ReplaceAll(good, []byte(old), []byte(with))
	}
	updated := bytes.Replace(good, []byte("trailer\n<<\n"), []byte("trailer\n<<\n/Prev 10\n"), 1)
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"no PDF":              {[]byte("{}"), "does not begin with"},
		"no end":              {good[:len(good)-8], "end is missing"},
		"something behind it": {append(bytes.Clone(good), "%PDF-"...), "end is missing"},
		"no attachment":       {attached(t, nil), "no file is attached"},
		"two":                 {attached(t, nil, "order.json", "a", "order.json", "b"), "2 files"},
		"a foreign one too":   {attached(t, nil, "order.json", "a", "virus.exe", "b"), "2 files"},
		"a foreign one":       {attached(t, nil, "virus.exe", "b"), "virus.exe"},
		"encrypted":           {attached(t, func(p *fpdf.Fpdf) { p.SetProtection(0, "a", "b") }, "order.json", "a"), "encrypted"},
		"changed later":       {updated, "changed after"},
		"another filter":      {edit("/FlateDecode /Params", "/LZWEncoder_ /Params"), "LZWEncoder_"},
		"another size":        {edit("/Size 8 >>", "/Size 9 >>"), "says 9"},
		"another length":      {edit("/Length 24 /Filter", "/Length 23 /Filter"), "does not end"},
		"a length elsewhere":  {edit("/Length 24 /Filter", "/Length 1 0 R /Fil"), "no length of its own"},
		"branches":            {edit("/EmbeddedFiles << /Names [", "/EmbeddedFiles << /Kids  ["), "branches"},
		"no embedded file":    {edit("/Type /EmbeddedFile", "/Type /EmbeddedPile"), "no embedded file"},
		"compressed table":    {edit("\nxref\n", "\nx_ef\n"), "compressed"},
		"a hole":              {edit(" 00000 n \n", " 00001 n \n"), "damaged"},
	} {
		_, err := formats.PDFAttachment(c.raw, formats.OrderAttachment, mostAttached)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	bomb := attached(t, nil, formats.OrderAttachment, strings.Repeat("x", 50<<20))
	if _, err := formats.PDFAttachment(bomb, formats.OrderAttachment, mostAttached); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%d bytes that become 50 MB are taken: %v", len(bomb), err)
	}
	deep := bytes.Replace(good, []byte("/Type /Catalog"), []byte("/Type "+strings.Repeat("[", 100_000)), 1)
	if _, err := formats.PDFAttachment(deep, formats.OrderAttachment, mostAttached); err == nil {
		t.Error("brackets without end are taken")
	}
	for n := range good {
		if got, err := formats.PDFAttachment(good[:n], formats.OrderAttachment, mostAttached); err == nil && string(got) != "EXERCISE" {
			t.Fatalf("%d of %d bytes give %q", n, len(good), got)
		}
	}
}

func FuzzPDFAttachment(f *testing.F) {
	f.Add(attached(f, nil, "order.json", "EXERCISE"))
	f.Add(attached(f, func(p *fpdf.Fpdf) { p.SetCompression(false) }, "order.json", "EXERCISE", "b", "c"))
	f.Add([]byte("%PDF-1.3\n1 0 obj\n<</Names<</EmbeddedFiles<</Names[(a)2 0 R]>>>>>>\nendobj\n2 0 obj\n<</F(order.json)/EF<</F 3 0 R>>>>\nendobj\n3 0 obj\n<</Type/EmbeddedFile/Length 1>>stream\nx\nendstream\nendobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000077 00000 n \n0000000126 00000 n \ntrailer\n<</Root 1 0 R>>\nstartxref\n193\n%%EOF\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		begun := time.Now()
		content, err := formats.PDFAttachment(raw, "order.json", 1000)
		if len(content) > 1000 || err != nil && fmt.Sprint(err) == "" {
			t.Errorf("%d bytes, %v", len(content), err)
		}
		if time.Since(begun) > 5*time.Second {
			t.Errorf("%d bytes took %s", len(raw), time.Since(begun))
		}
	})
}
