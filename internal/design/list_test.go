package design_test

import (
	"context"
	"encoding/csv"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/design"
)

func exampleForm() *design.ListForm {
	return &design.ListForm{
		Name: "example", Path: "/example", Also: []string{"done"},
		Filters: []design.Filter{
			{Name: "status", Kind: design.FilterChoice, Default: "open", Choices: []design.Choice{{Value: "open"}, {Value: "closed"}}},
			{Name: "kind", Kind: design.FilterChoice, Choices: []design.Choice{{Value: "video"}}},
			{Name: "from", Kind: design.FilterDay},
			{Name: "text", Kind: design.FilterText},
		},
		Orders: []design.Order{{Name: "urgent"}, {Name: "newest"}},
	}
}

func codeOf(err error) string {
	var e *concert.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestAListIsAskedStrictly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, code, field string }{
		{"", "", ""},
		{"status=closed&kind=video&from=2019-11-21&text=a+b&order=newest&size=200&done=x", "", ""},
		{"status=&kind=", "", ""},
		{"status=any", "", ""},
		{"kind=any", "list.choice", "kind"},
		{"status=nonsense", "list.choice", "status"},
		{"stauts=open", "list.filter", "stauts"},
		{"status=open&status=closed", "list.twice", "status"},
		{"from=21.11.2019", "list.date", "from"},
		{"from=2019-02-30", "list.date", "from"},
		{"text=" + strings.Repeat("x", 201), "list.text", "text"},
		{"text=a%00b", "list.text", "text"},
		{"text=a%ffb", "list.text", "text"},
		{"order=size", "list.order", "order"},
		{"size=51", "list.size", "size"},
		{"size=-1", "list.size", "size"},
		{"at=nonsense", "cursor.malformed", "at"},
		{"at=a" + strings.Repeat("A", 700), "cursor.malformed", "at"},
	} {
		v, err := url.ParseQuery(c.address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = exampleForm().Parse(v, nil)
		var e *concert.Error
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s: refused: %v", c.address, err)
		case c.code != "" && (!errors.As(err, &e) || e.Code != c.code || e.Field != c.field):
			t.Errorf("%s: got %v, want %s at %s", c.address, err, c.code, c.field)
		}
	}
}

func TestACursorOpensItsOwnListOnly(t *testing.T) {
	t.Parallel()
	ask := func(address string) (design.Query, error) {
		_, query, _ := strings.Cut(address, "?")
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		return exampleForm().Parse(v, nil)
	}
	q, err := ask("/example?kind=video&size=100")
	if err != nil {
		t.Fatal(err)
	}
	next, err := ask(q.Next("3", "id-7"))
	if err != nil || !slices.Equal(next.At.Keys, []string{"3", "id-7"}) || next.At.Back || next.Value("kind") != "video" || next.Size != 100 {
		t.Fatalf("next page: %+v, %v", next, err)
	}
	back, err := ask(next.Previous("4", "id-8"))
	if err != nil || !back.At.Back || back.At.Keys[1] != "id-8" {
		t.Fatalf("page before: %+v, %v", back, err)
	}
	at := url.Values{"at": {mustQuery(t, q.Next("3", "id-7")).Get("at")}}
	for _, other := range []string{"", "status=closed&kind=video", "kind=video&order=newest"} {
		if _, err := ask("/example?" + other + "&" + at.Encode()); codeOf(err) != "cursor.other_list" {
			t.Errorf("the cursor opened %q: %v", other, err)
		}
	}
	// Another size of page is the same list.
	if _, err := ask("/example?kind=video&size=200&" + at.Encode()); err != nil {
		t.Errorf("another size: %v", err)
	}
	if got := q.CSV(); got != "/example.csv?kind=video&size=100" {
		t.Errorf("address of the file: %s", got)
	}
}

func mustQuery(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestADefaultFilterIsSaidOrTakenAway(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"": "open", "status=closed": "closed", "status=any": ""} {
		v, _ := url.ParseQuery(address)
		q, err := exampleForm().Parse(v, nil)
		if err != nil || q.Value("status") != want {
			t.Errorf("%q: status %q, %v; want %q", address, q.Value("status"), err, want)
		}
	}
}

func TestADayIsTheReadersOwn(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("EXERCISE", 5*3600)
	q, err := exampleForm().Parse(url.Values{"from": {"2019-11-21"}}, zone)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Day("from").UTC().Format(time.RFC3339); got != "2019-11-20T19:00:00Z" {
		t.Errorf("begins %s", got)
	}
	if got := q.DayAfter("from").Sub(q.Day("from")); got != 24*time.Hour {
		t.Errorf("the day has %s", got)
	}
}

// rowsFrom reads like a keyset query: after or before a number, one row more
// than the page has.
func rowsFrom(all int, c design.Cursor, limit int) []int {
	at := -1
	if len(c.Keys) > 0 {
		at, _ = strconv.Atoi(c.Keys[0])
	}
	var out []int
	for i, step := at+1, 1; i >= 0 && i < all && len(out) < limit; i += step {
		if c.Back {
			i, step = at-1-len(out), 0
			if i < 0 {
				break
			}
		}
		out = append(out, i)
	}
	return out
}

func TestPagesLeadForthAndBack(t *testing.T) {
	t.Parallel()
	form := exampleForm()
	columns := []design.Column[int]{{Name: "n", Label: "Number", Cell: func(_ context.Context, n int) design.Cell { return design.Cell{Text: strconv.Itoa(n)} }}}
	page := func(address string) design.Shown[int] {
		q, err := form.Parse(mustQuery(t, address), nil)
		if err != nil {
			t.Fatal(err)
		}
		return design.Paged(q, columns, rowsFrom(120, q.At, q.Size+1), func(n int) []string { return []string{strconv.Itoa(n)} })
	}
	check := func(s design.Shown[int], first, last int, next, back bool) {
		t.Helper()
		if len(s.Rows) == 0 || s.Rows[0] != first || s.Rows[len(s.Rows)-1] != last || (s.Next != "") != next || (s.Back != "") != back {
			t.Fatalf("rows %v, next %q, back %q; want %d to %d, %v, %v", s.Rows, s.Next, s.Back, first, last, next, back)
		}
	}
	one := page("/example")
	check(one, 0, 49, true, false)
	two := page(one.Next)
	check(two, 50, 99, true, true)
	three := page(two.Next)
	check(three, 100, 119, false, true)
	check(page(three.Back), 50, 99, true, true)
	check(page(two.Back), 0, 49, true, false)
}

func TestAFileIsTheListAndNoFormula(t *testing.T) {
	t.Parallel()
	columns := []design.Column[string]{
		{Name: "a", Label: "Name", Cell: func(_ context.Context, s string) design.Cell { return design.Cell{Text: s, Href: "/x"} }},
		{Name: "b", Label: "Also", Cell: func(_ context.Context, s string) design.Cell { return design.Cell{Text: "b" + s} }},
	}
	pieces := [][]string{{"=1+1", "-5", " @x", "a \"b\", c\nd"}, {"＝cmd", "-five", "\tx", "last"}, {"too many"}}
	var b strings.Builder
	n, err := design.WriteCSV(context.Background(), &b, columns, 8, func() ([]string, error) {
		if len(pieces) == 0 {
			return nil, nil
		}
		p := pieces[0]
		pieces = pieces[1:]
		return p, nil
	})
	if err != nil || n != 8 {
		t.Fatalf("%d rows, %v", n, err)
	}
	rest, ok := strings.CutPrefix(b.String(), "\uFEFF")
	if !ok {
		t.Error("a spreadsheet would not know that this is UTF-8")
	}
	got, err := csv.NewReader(strings.NewReader(rest)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Name", "'=1+1", "-5", "' @x", "a \"b\", c\nd", "'＝cmd", "'-five", "'\tx", "last"}
	for i, w := range want {
		if got[i][0] != w {
			t.Errorf("line %d: %q, want %q", i, got[i][0], w)
		}
	}
	if len(got) != 10 || !strings.HasPrefix(got[9][0], "Only the first") {
		t.Errorf("the file does not say that it ends early: %q", got[len(got)-1])
	}
}

func TestAFileThatBreaksOffSaysSo(t *testing.T) {
	t.Parallel()
	columns := []design.Column[string]{{Label: "Name", Cell: func(_ context.Context, s string) design.Cell { return design.Cell{Text: s} }}}
	gone := errors.New("gone")
	if _, err := design.WriteCSV(context.Background(), &strings.Builder{}, columns, 8, func() ([]string, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func FuzzListAddress(f *testing.F) {
	f.Add("status=closed&kind=video&from=2019-11-21&text=a&order=newest&size=200")
	f.Add("at=aeyJvIjoiIiwiayI6WyIxIl19")
	f.Add("status=open&at=a%00")
	f.Fuzz(func(t *testing.T, address string) {
		v, err := url.ParseQuery(address)
		if err != nil {
			return
		}
		q, err := exampleForm().Parse(v, time.UTC)
		if err != nil {
			if codeOf(err) == "" {
				t.Fatalf("%q: an error that is no refusal: %v", address, err)
			}
			return
		}
		again, err := exampleForm().Parse(mustQuery(t, q.First()), time.UTC)
		if err != nil || again.Filters() != q.Filters() || again.Size != q.Size {
			t.Fatalf("%q became %q, which reads as %q, %v", address, q.First(), again.Filters(), err)
		}
		next, err := exampleForm().Parse(mustQuery(t, q.Next("1", "x")), time.UTC)
		if err != nil || len(next.At.Keys) != 2 {
			t.Fatalf("%q: its next page does not open: %v", address, err)
		}
	})
}
