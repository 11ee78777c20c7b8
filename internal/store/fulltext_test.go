package store

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concert/internal/match"
)

// fullText indexes texts by their paths and opens the file.
func fullText(t testing.TB, texts map[string]string) *FullText {
	t.Helper()
	path := filepath.Join(t.TempDir(), "EXERCISE % ? #.fulltext")
	w, err := CreateFullText(t.Context(), path, "EXERCISE-1")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	w.most = 100 // so that several transactions make the file
	for i, name := range names {
		one, cancel := context.WithCancel(t.Context())
		err := w.Part(one, match.Fold(texts[name]))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		d := TextDocument{Source: "bag", Place: "data/" + name, Inside: []string{"x", name}, Path: "data/" + name, Media: "text/plain", Language: match.Language(texts[name]).Language, Modified: time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)}
		if strings.HasSuffix(name, "known.txt") {
			d.Known = "EXERCISE set"
		}
		if err := w.Document(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if _, err := CreateFullText(t.Context(), path, "EXERCISE-1"); err == nil {
		t.Error("an index was written over")
	}
	f, err := OpenFullText(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func found(t testing.TB, f *FullText, query string, s TextSearch) (paths []string) {
	t.Helper()
	q, err := ParseTextQuery(query)
	if err != nil {
		t.Fatalf("%q: %v", query, err)
	}
	s.Query = q
	hits, _, err := f.Search(t.Context(), s)
	if err != nil {
		t.Fatalf("%q as %s: %v", query, q.match, err)
	}
	for _, h := range hits {
		paths = append(paths, strings.TrimPrefix(h.Path, "data/"))
	}
	return paths
}

func TestFullTextFindsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := fullText(t, map[string]string{
		"a.txt":     "EXERCISE: the manual of the printing house. The printing of leaflets is easy.",
		"b.txt":     "EXERCISE: a house with a manual, and no printing.",
		"c/ar.txt":  "تمرين: كِتَابُ الإسلاميّة في ٢٠١٤ عن المدرسة الكبيرة في المدينة القديمة",
		"c/fa.txt":  "تمرین: کتاب\u200cهای مدرسه در ۲۰۱۴ برای همه\u200cی مردم شهر است و خواهد بود",
		"d.txt":     "EXERCISE Straße in İstanbul, l'école",
		"known.txt": "a house, printing printing printing printing",
	})
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"printing house", []string{"a.txt", "b.txt", "known.txt"}},
		{`"printing house"`, []string{"a.txt"}},
		{`“Printing House”`, []string{"a.txt"}},
		{"leaf*", []string{"a.txt"}},
		{`"printing ho"*`, []string{"a.txt"}},
		{"leaflets OR école", []string{"a.txt", "d.txt"}},
		{"manual NOT leaflets", []string{"b.txt"}},
		{"manual AND (leaflets OR wall)", []string{"a.txt"}},
		{"الاسلامية", []string{"c/ar.txt"}},
		{"كتاب", []string{"c/ar.txt"}},
		{"كتابهاي", []string{"c/fa.txt"}},
		{"2014", []string{"c/ar.txt", "c/fa.txt"}},
		{"strasse istanbul ecole", []string{"d.txt"}},
		{"nothing-of-the-kind", nil},
	} {
		got := found(t, f, c.query, TextSearch{})
		known := slices.Index(got, "known.txt")
		if known >= 0 && known != len(got)-1 {
			t.Errorf("%s: what is known does not stand last: %v", c.query, got)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s finds %v, wanted %v", c.query, got, c.want)
		}
	}
	if got := found(t, f, "printing", TextSearch{}); got[0] != "a.txt" {
		t.Errorf("the one with the word twice is not the first: %v", got)
	}
	all := "exercise OR تمرين"
	for _, c := range []struct {
		name string
		s    TextSearch
		want []string
	}{
		{"path", TextSearch{Path: "data/c/*"}, []string{"c/ar.txt", "c/fa.txt"}},
		{"language", TextSearch{Language: "ar"}, []string{"c/ar.txt"}},
		{"type", TextSearch{Media: "text/html"}, nil},
		{"from", TextSearch{From: time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC)}, []string{"c/fa.txt", "d.txt"}},
		{"to", TextSearch{To: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}, []string{"a.txt"}},
	} {
		got := found(t, f, all, c.s)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s finds %v, wanted %v", c.name, got, c.want)
		}
	}
	q, _ := ParseTextQuery(all)
	if hits, more, err := f.Search(t.Context(), TextSearch{Query: q, Most: 2}); err != nil || !more || len(hits) != 2 || hits[0].Inside[0] != "x" || hits[0].Modified.IsZero() || hits[0].Score <= 0 {
		t.Errorf("%+v %v %v", hits, more, err)
	}
}

func TestASearchForNothingIsRefusedWithTheWayOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "  ", "NOT x", "()", "***", `""`, "AND", "!?", strings.Repeat("x", queryMost+1), strings.Repeat("x ", queryTermsMost+1)} {
		if _, err := ParseTextQuery(text); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

func TestASnippetIsTheTextAsItStands(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("كلام آخر ", 60) + "في كِتَابُ الإسلاميّة الأول" + strings.Repeat(" كلام آخر", 60)
	q, err := ParseTextQuery("كتاب الاسلاميه")
	if err != nil {
		t.Fatal(err)
	}
	snippet, hits := q.Snippet(text)
	if len(hits) != 2 || snippet[hits[0].From:hits[0].To] != "كِتَابُ" || snippet[hits[1].From:hits[1].To] != "الإسلاميّة" || !strings.Contains(text, snippet) {
		t.Errorf("%q %v", snippet, hits)
	}
	if s, _ := q.Snippet("nothing"); s != "" {
		t.Errorf("%q", s)
	}
}

// Whatever a person types, FTS5 takes what is made of it.
func FuzzTextQuery(f *testing.F) {
	for _, s := range []string{`a "b c"* NOT (d OR e) AND`, `"`, `((((`, `col:x ^y {a b}: NEAR(a b, 3)`, "a*b -c +d", "NOT NOT NOT a", "a NOT (b NOT c)", "恐怖 * كتاب", "\x00'; DROP TABLE word; --"} {
		f.Add(s)
	}
	text := fullText(f, map[string]string{"a.txt": "EXERCISE a b c"})
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseTextQuery(s)
		if err != nil {
			return
		}
		if _, _, err := text.Search(t.Context(), TextSearch{Query: q}); err != nil {
			t.Errorf("%q becomes %s: %v", s, q.match, err)
		}
		q.Snippet(s)
	})
}
