package formats

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"concert"
)

func exercisePublic() concert.PublicEdition {
	return concert.PublicEdition{AsOf: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Size: 7, Root: "00", Exercise: true,
		Records: []concert.PublicRecord{
			{Index: 5, Kind: concert.PublicOrder, Ref: "OR-1", Authority: "AU-1", Provider: "PR-1", On: "2026-02-01", ChangedOn: "2026-02-01", Types: []concert.ContentType{concert.Incites}, Items: concert.BandFew, Status: "executed", Answers: []string{"removed", "access_disabled"}},
			{Index: 3, Kind: concert.PublicReferral, Ref: "RF-1", Authority: "AU-1", Provider: "PR-1", On: "2026-02-01", ChangedOn: "2026-02-01", Contents: []concert.ItemType{concert.TypeVideo, concert.TypeBot}, Items: concert.BandSome, Status: "answered", Answers: []string{"refused_not_violating"}, Article16: true},
		},
		Authorities: []concert.PublicParty{{Ref: "AU-1", State: "ES"}}}
}

// TestARecordSpeaksTheWordsOfTheDSADatabase: an order's ground is illegality, a referral's the provider's terms, and only where the
// provider claims an effect.
func TestARecordSpeaksTheWordsOfTheDSADatabase(t *testing.T) {
	t.Parallel()
	table := registerOf(exercisePublic())
	at := func(row int, column string) string {
		for i, c := range table.columns {
			if c == column {
				return table.rows[row][i]
			}
		}
		t.Fatalf("no column %s", column)
		return ""
	}
	for _, c := range []struct {
		row          int
		column, want string
	}{
		{0, "decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT"}, {0, "decision_visibility", `["DECISION_VISIBILITY_CONTENT_REMOVED","DECISION_VISIBILITY_CONTENT_DISABLED"]`}, {0, "territorial_scope", `["EU"]`}, {0, "source_type", ""},
		{0, "category_specification", `["KEYWORD_TERRORIST_CONTENT"]`}, {0, "automated_decision", "AUTOMATED_DECISION_NOT_AUTOMATED"},
		{1, "decision_ground", ""}, {1, "decision_visibility", ""}, {1, "source_type", "SOURCE_ARTICLE_16"}, {1, "content_type", `["CONTENT_TYPE_VIDEO","CONTENT_TYPE_OTHER"]`}, {1, "items", "5-19"},
	} {
		if got := at(c.row, c.column); got != c.want {
			t.Errorf("%s of row %d is %q, want %q", c.column, c.row, got, c.want)
		}
	}
}

func publishedFiles(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, name := range []string{RegisterFile, ErrorsFile, FiguresFile} {
		var b bytes.Buffer
		if err := WritePublic(&b, name, exercisePublic()); err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Bytes())
	}
	r, err := exercisePublic().Report(8, "AU-1", 2026)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteReportCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	return append(out, b.Bytes())
}

// TestAPublishedFileSaysAsOfWhen: one without rows does not, and is refused with a way out.
func TestAPublishedFileSaysAsOfWhen(t *testing.T) {
	t.Parallel()
	files := publishedFiles(t)
	if _, err := ReadPublished(bytes.NewReader(files[1])); err == nil || !strings.Contains(err.Error(), FiguresFile) {
		t.Errorf("an error register without entries: %v", err)
	}
	for _, i := range []int{0, 2, 3} {
		p, err := ReadPublished(bytes.NewReader(files[i]))
		if err != nil || !p.AsOf.Equal(exercisePublic().AsOf) {
			t.Fatalf("file %d: as of %s, %v", i, p.AsOf, err)
		}
		if d, err := p.Compare(exercisePublic()); d != nil || err != nil {
			t.Errorf("file %d differs from itself: %v %v", i, d, err)
		}
	}
}

func FuzzReadPublished(f *testing.F) {
	for _, data := range publishedFiles(f) {
		f.Add(data)
	}
	f.Add([]byte("hello,world\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPublished(bytes.NewReader(data))
		if err != nil {
			return
		}
		if d, err := p.Compare(exercisePublic()); err == nil && d != nil && d.String() == "" {
			t.Error("a difference that says nothing")
		}
	})
}
