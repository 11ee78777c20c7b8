package design

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"concert"
)

// Limits of a list's address.
const (
	filterTextMost = 200 // characters of one value
	cursorMost     = 600 // bytes of a cursor as it stands in the address
)

// Sizes are the rows that a page of a list may have; the first is what it has
// where none is asked for.
var sizes = [...]int{50, 100, 200}

// Sizes lists them.
func Sizes() []int { return slices.Clone(sizes[:]) }

// FilterKind is what a filter's value looks like.
type FilterKind int

// The kinds of filter.
const (
	FilterChoice FilterKind = iota // one of a closed list
	FilterDay                      // a date, 2006-01-02, in the reader's zone
	FilterText                     // text that is matched as a whole, never as a pattern
	FilterHidden                   // as FilterText, set by a link and shown as a word one can take away
)

// Choice is one value that a filter may have, with what it is called. Said is
// for names that stand in no catalogue: an authority's, a provider's.
type Choice struct {
	Value string
	Label Text
	Said  string
}

// Filter is one question that a list may be asked. An empty value asks nothing.
type Filter struct {
	Name    string // in the address
	Label   Text
	Kind    FilterKind
	Choices []Choice
	Default string // what counts where the address names none; the word "any" then asks nothing
	Hint    Text
}

// Any is the value that asks nothing of a filter that has a Default.
const Any = "any"

// Order is a way a list can be sorted: one that an index serves.
type Order struct {
	Name  string
	Label Text
}

// ListForm is how a list may be asked: the page's name and address, its filters
// and its orders, of which the first is the default.
type ListForm struct {
	Name    string // as saved filters and cursors carry it
	Path    string
	Filters []Filter
	Orders  []Order
	Also    []string // other names in the address that are the page's own
}

// Cursor is a place in a list: the keys of the row at which the page begins, in
// the terms of its order, and whether the page lies before that row.
type Cursor struct {
	Keys []string
	Back bool
}

// Query is a list as somebody asked for it.
type Query struct {
	form   *ListForm
	zone   *time.Location
	values map[string]string // as given and valid, without empty ones

	Order string
	Size  int
	At    Cursor // no keys for the first page
}

// own are the names that every list has in its address beside its filters.
var own = [...]string{"order", "size", "at"}

// Parse reads the address of a list. What it does not know, or cannot read, is
// refused with the field at fault: a filter that is silently left out would show
// more than was asked for.
func (f *ListForm) Parse(q url.Values, zone *time.Location) (Query, error) {
	if zone == nil {
		zone = time.UTC
	}
	out := Query{form: f, zone: zone, values: map[string]string{}, Size: sizes[0]}
	if len(f.Orders) > 0 {
		out.Order = f.Orders[0].Name
	}
	for name, given := range q {
		if slices.Contains(f.Also, name) {
			continue
		}
		if len(given) != 1 {
			return out, concert.Refuse(concert.Invalid, "list.twice", name, "the address says %q more than once: say it once", plainText(name))
		}
		value := strings.TrimSpace(given[0])
		if value == "" {
			continue
		}
		if err := out.take(name, value); err != nil {
			return out, err
		}
	}
	// The cursor belongs to the other values, so it is read last.
	if at := strings.TrimSpace(q.Get("at")); at != "" {
		var err error
		if out.At, err = out.openCursor(at); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (q *Query) take(name, value string) error {
	if slices.Contains(own[:], name) {
		return q.takeOwn(name, value)
	}
	i := slices.IndexFunc(q.form.Filters, func(f Filter) bool { return f.Name == name })
	if i < 0 {
		return concert.Refuse(concert.Invalid, "list.filter", name, "this list has no filter %q: nothing is shown, since more would be shown than was asked for", plainText(name))
	}
	f := q.form.Filters[i]
	if !utf8.ValidString(value) || utf8.RuneCountInString(value) > filterTextMost || strings.ContainsFunc(value, unicode.IsControl) {
		return concert.Refuse(concert.Invalid, "list.text", name, "%s has at most %d characters, all of them printable", name, filterTextMost)
	}
	switch f.Kind {
	case FilterChoice:
		known := value == Any && f.Default != "" || slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == value })
		if !known {
			return concert.Refuse(concert.Invalid, "list.choice", name, "%q is none of the values of %s: choose one from the list", value, name)
		}
	case FilterDay:
		if _, err := time.ParseInLocation(time.DateOnly, value, q.zone); err != nil {
			return concert.Refuse(concert.Invalid, "list.date", name, "%q is no date: write it like 2019-11-21", value)
		}
	case FilterText, FilterHidden:
	}
	q.values[name] = value
	return nil
}

func (q *Query) takeOwn(name, value string) error {
	switch name {
	case "order":
		if !slices.ContainsFunc(q.form.Orders, func(o Order) bool { return o.Name == value }) {
			return concert.Refuse(concert.Invalid, "list.order", name, "this list cannot be sorted by %q: choose an order from the list", plainText(value))
		}
		q.Order = value
	case "size":
		n, err := strconv.Atoi(value)
		if err != nil || !slices.Contains(sizes[:], n) {
			return concert.Refuse(concert.Invalid, "list.size", name, "a page has 50, 100 or 200 rows, not %q", plainText(value))
		}
		q.Size = n
	}
	return nil
}

// plainText is a value of others as a message may repeat it.
func plainText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if utf8.RuneCountInString(s) > 40 {
		s = string([]rune(s)[:40]) + "…"
	}
	return s
}

// Value is what was asked of a filter, "" for nothing; its default where the
// address named none.
func (q Query) Value(name string) string {
	v, ok := q.values[name]
	if !ok {
		if i := slices.IndexFunc(q.Form().Filters, func(f Filter) bool { return f.Name == name }); i >= 0 {
			v = q.Form().Filters[i].Default
		}
	}
	if v == Any {
		return ""
	}
	return v
}

// Given is the value as the address has it: for the form's fields.
func (q Query) Given(name string) string { return q.values[name] }

// Day is the beginning of a date filter's day in the reader's zone; the zero
// time where none was asked for.
func (q Query) Day(name string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, q.values[name], q.zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// DayAfter is the beginning of the day after a date filter's: the end of "until".
func (q Query) DayAfter(name string) time.Time {
	t := q.Day(name)
	if t.IsZero() {
		return t
	}
	return t.AddDate(0, 0, 1)
}

// Filtered reports whether anything was asked that the bare page does not ask.
func (q Query) Filtered() bool { return len(q.values) > 0 }

// Filters is what was asked, without page and size, in one form for one
// question: what a saved filter keeps and a record of the reading names.
func (q Query) Filters() string {
	v := q.encode()
	v.Del("size")
	return v.Encode()
}

func (q Query) encode() url.Values {
	v := url.Values{}
	for name, value := range q.values {
		v.Set(name, value)
	}
	if len(q.Form().Orders) > 0 && q.Order != q.Form().Orders[0].Name {
		v.Set("order", q.Order)
	}
	if q.Size != sizes[0] {
		v.Set("size", strconv.Itoa(q.Size))
	}
	return v
}

func (q Query) address(suffix string, v url.Values) string {
	if len(v) == 0 {
		return q.Form().Path + suffix
	}
	return q.Form().Path + suffix + "?" + v.Encode()
}

// First is the address of the first page.
func (q Query) First() string { return q.address("", q.encode()) }

// Next is the address of the page after the row with these keys.
func (q Query) Next(keys ...string) string { return q.beside(Cursor{Keys: keys}) }

// Previous is the address of the page before the row with these keys.
func (q Query) Previous(keys ...string) string { return q.beside(Cursor{Keys: keys, Back: true}) }

func (q Query) beside(c Cursor) string {
	v := q.encode()
	v.Set("at", q.cursor(c))
	return q.address("", v)
}

// CSV is the address of the file with exactly this list.
func (q Query) CSV() string { return q.address(".csv", q.encode()) }

// With is the address of the first page with one value changed; "" takes it
// away.
func (q Query) With(name, value string) string {
	v := q.encode()
	v.Del(name)
	if value != "" {
		v.Set(name, value)
	}
	return q.address("", v)
}

// Form is what the list can be asked, for the page's filter form; an empty one
// where nothing was parsed.
func (q Query) Form() *ListForm {
	if q.form == nil {
		return &ListForm{}
	}
	return q.form
}

// cursorVersion begins each cursor; another form of it gets another letter.
const cursorVersion = "b"

// cursor names a place in this very list: it opens for the same page, order and
// filters only.
func (q Query) cursor(c Cursor) string {
	v := url.Values{"of": {q.mark()}, "key": c.Keys}
	if c.Back {
		v.Set("back", "")
	}
	return cursorVersion + base64.RawURLEncoding.EncodeToString([]byte(v.Encode()))
}

func (q Query) mark() string {
	sum := sha256.Sum256([]byte(q.Form().Name + "\n" + q.Order + "\n" + q.Filters()))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

func (q Query) openCursor(s string) (Cursor, error) {
	bad := concert.Refuse(concert.Invalid, "cursor.malformed", "at", "this page's address is broken: begin with the first page of the list")
	rest, ok := strings.CutPrefix(s, cursorVersion)
	if !ok || len(s) > cursorMost {
		return Cursor{}, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		return Cursor{}, bad
	}
	v, err := url.ParseQuery(string(raw))
	if err != nil || len(v["key"]) == 0 || len(v["key"]) > 4 {
		return Cursor{}, bad
	}
	c := Cursor{Keys: v["key"], Back: v.Has("back")}
	for _, k := range c.Keys {
		if k == "" || len(k) > 200 || !utf8.ValidString(k) || strings.ContainsFunc(k, unicode.IsControl) {
			return Cursor{}, bad
		}
	}
	if v.Get("of") != q.mark() {
		return Cursor{}, concert.Refuse(concert.Invalid, "cursor.other_list", "at", "this page's address belongs to another order or other filters: begin with the first page of the list")
	}
	return c, nil
}
