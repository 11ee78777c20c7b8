package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"concert"
)

// How many rows one page of a list looks through at most for those that it asks
// for, so that no question is slow however seldom it is met: the page then says
// how far it looked, and goes on from there. Rows that lie beside each other cost
// a sixth of those that an index leads to. It looks a little way first, which
// most pages are full after.
const (
	lookMost   = 2000 // along indexes
	lookBeside = 8000 // along the ids
	lookFirst  = 8    // the part of it that is looked through first
)

// pageMost is the most rows of one page, and one to see whether more follow.
const pageMost = 501

// key is a row's values in the columns of an order; the last one is its id.
type key []any

// keyColumn is one column that a list is sorted by.
type keyColumn struct {
	name   string
	number bool
}

// walk is one way along one index: what fixes its first columns. It is then
// sorted by the columns of the order.
type walk struct {
	fixed string
	args  []any
}

// asking is a question to a list: walks that together hold every row of it, and
// what else a row must fulfil.
type asking struct {
	table string // with its alias: "item i"
	keys  []keyColumn
	down  bool // the largest first
	walks []walk
	rest  []string
	args  []any // of rest
}

// only adds a condition that no walk serves.
func (a *asking) only(condition string, args ...any) {
	a.rest = append(a.rest, condition)
	a.args = append(a.args, args...)
}

// onlyIf adds it where the value asks something.
func (a *asking) onlyIf(value, condition string) {
	if value != "" {
		a.only(condition, value)
	}
}

// open reads the keys of a page's cursor.
func (a *asking) open(p concert.Page) (key, error) {
	if len(p.Keys) == 0 {
		return nil, nil
	}
	bad := concert.Refuse(concert.Invalid, "cursor.malformed", "at", "this page's address is broken: begin with the first page of the list")
	if len(p.Keys) != len(a.keys) {
		return nil, bad
	}
	k := make(key, len(p.Keys))
	for i, s := range p.Keys {
		k[i] = s
		if a.keys[i].number {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return nil, bad
			}
			k[i] = n
		}
	}
	return k, nil
}

func (k key) texts() []string {
	out := make([]string, len(k))
	for i, v := range k {
		out[i] = fmt.Sprint(v)
	}
	return out
}

// beyond is the condition that a row's key lies beyond one, in the direction.
func (a *asking) beyond(sign string) string {
	if len(a.keys) == 1 {
		return a.keys[0].name + " " + sign + " ?"
	}
	names := make([]string, len(a.keys))
	for i, c := range a.keys {
		names[i] = c.name
	}
	return "(" + strings.Join(names, ", ") + ") " + sign + " (?" + repeat(", ?", len(names)-1) + ")"
}

func (a *asking) columns() string {
	names := make([]string, len(a.keys))
	for i, c := range a.keys {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// sql is the question: from after on (nil for its beginning), up to and with
// until (nil for its end). The database merges the walks, and goes along each
// no further than it must; that each is sorted is said once more since
// PostgreSQL does not see it otherwise.
func (a *asking) sql(down bool, after, until key, rest bool, tail string) (string, []any) {
	order := a.order(down)
	if len(a.walks) == 1 {
		text, args := a.along(a.walks[0], down, after, until, rest)
		return text + order + tail, args
	}
	var args []any
	texts := make([]string, len(a.walks))
	for i, w := range a.walks {
		text, of := a.along(w, down, after, until, rest)
		texts[i], args = "SELECT * FROM ("+text+order+") w"+strconv.Itoa(i), append(args, of...)
	}
	return strings.Join(texts, " UNION ALL ") + order + tail, args
}

// order sorts by the keys: by their places, since columns of what is united have
// no names that both databases know.
func (a *asking) order(down bool) string {
	places := make([]string, len(a.keys))
	for i := range a.keys {
		if places[i] = strconv.Itoa(i + 1); down {
			places[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(places, ", ")
}

// along is one walk of it.
func (a *asking) along(w walk, down bool, after, until key, rest bool) (string, []any) {
	var where []string
	var args []any
	if w.fixed != "" {
		where, args = append(where, w.fixed), append(args, w.args...)
	}
	on, upTo := ">", "<="
	if down {
		on, upTo = "<", ">="
	}
	if after != nil {
		where, args = append(where, a.beyond(on)), append(args, after...)
	}
	if until != nil {
		where, args = append(where, a.beyond(upTo)), append(args, until...)
	}
	if rest {
		where, args = append(where, a.rest...), append(args, a.args...)
	}
	text := "SELECT " + a.columns() + " FROM " + a.table
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return text, args
}

func (a *asking) scan(r rowScanner) (key, error) {
	k := make(key, len(a.keys))
	dest := make([]any, len(k))
	for i, c := range a.keys {
		if c.number {
			dest[i] = new(int64)
		} else {
			dest[i] = new(string)
		}
	}
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	for i := range dest {
		switch v := dest[i].(type) {
		case *int64:
			k[i] = *v
		case *string:
			k[i] = *v
		}
	}
	return k, nil
}

// search answers with the keys of one page: in looks, each longer than the one
// before, until the page is full or it has looked as far as it may.
func (tx *Tx) search(ctx context.Context, a asking, p concert.Page) (concert.Listed[key], error) {
	limit := min(max(p.Limit, 1), pageMost)
	most := lookMost
	if len(a.walks) == 1 && a.walks[0].fixed == "" {
		most = lookBeside
	}
	look, left := most/lookFirst, most*(1+max(p.Far, 0))
	var out concert.Listed[key]
	for {
		p.Limit = limit - len(out.Rows)
		rows, rest, err := tx.look(ctx, a, p, look)
		if err != nil {
			return out, err
		}
		if out.Rows, out.Rest = append(out.Rows, rows...), rest; rest == nil {
			out.Looked = 0
			return out, nil
		}
		out.Looked += look
		if left -= look; left <= 0 {
			return out, nil
		}
		p.Keys, look = rest, min(left, most)
	}
}

// look goes along the walks as far as their first so many rows from the cursor,
// and no further, where something is asked that no walk serves. rest are the
// keys of the last of them, nil where the page is full or the list at its end.
func (tx *Tx) look(ctx context.Context, a asking, p concert.Page, far int) (rows []key, rest []string, err error) {
	after, err := a.open(p)
	if err != nil {
		return nil, nil, err
	}
	down := a.down != p.Back
	var end key
	if len(a.rest) > 0 {
		text, args := a.sql(down, after, nil, false, " LIMIT 1 OFFSET ?")
		if end, err = a.scan(tx.row(ctx, text, append(args, far-1)...)); err != nil && err != concert.ErrNotFound {
			return nil, nil, fmt.Errorf("how far to look: %w", err)
		}
	}
	text, args := a.sql(down, after, end, true, " LIMIT ?")
	if rows, err = list(ctx, tx, a.scan, text, append(args, p.Limit)...); err != nil {
		return nil, nil, fmt.Errorf("list: %w", err)
	}
	if end != nil && len(rows) < p.Limit {
		rest = end.texts()
	}
	return rows, rest, nil
}

// listed is the page of the rows with these keys, loaded by id in one go.
func listed[R any](found concert.Listed[key], load func(ids []any) ([]R, error), id func(R) string) (concert.Listed[R], error) {
	out := concert.Listed[R]{Looked: found.Looked, Rest: found.Rest}
	ids := make([]any, len(found.Rows))
	for i, k := range found.Rows {
		ids[i] = k[len(k)-1]
	}
	rows, err := load(ids)
	if err != nil {
		return out, err
	}
	by := make(map[string]R, len(rows))
	for _, r := range rows {
		by[id(r)] = r
	}
	for _, i := range ids {
		if r, ok := by[i.(string)]; ok {
			out.Rows = append(out.Rows, r)
		}
	}
	return out, nil
}
