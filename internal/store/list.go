package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"concert"
)

// How many rows one page of a list looks through at most for those that it asks
// for, so that no question is slow however seldom it is met: the page then says
// how far it looked, and goes on from there. Rows that lie beside each other cost
// a sixth of those that an index leads to.
const (
	lookMost   = 2000 // along an index, half of it where there are several walks
	lookBeside = 8000 // along the ids
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

// compare orders two keys as the index does.
func (k key) compare(other key) int {
	for i := range k {
		var c int
		switch a := k[i].(type) {
		case int64:
			b, _ := other[i].(int64)
			c = int(min(max(a-b, -1), 1))
		case string:
			b, _ := other[i].(string)
			c = strings.Compare(a, b)
		}
		if c != 0 {
			return c
		}
	}
	return 0
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

func (a *asking) columns(suffix string) string {
	names := make([]string, len(a.keys))
	for i, c := range a.keys {
		names[i] = c.name + suffix
	}
	return strings.Join(names, ", ")
}

// sql is the walk's question: from after on (nil for its beginning), up to and
// with until (nil for its end).
func (a *asking) sql(w walk, down bool, after, until key, rest bool, tail string) (string, []any) {
	var where []string
	var args []any
	if w.fixed != "" {
		where, args = append(where, w.fixed), append(args, w.args...)
	}
	sign, suffix := ">", ""
	if down {
		sign, suffix = "<", " DESC"
	}
	if after != nil {
		where, args = append(where, a.beyond(sign)), append(args, after...)
	}
	if until != nil {
		where, args = append(where, a.beyond(map[string]string{">": "<=", "<": ">="}[sign])), append(args, until...)
	}
	if rest {
		where, args = append(where, a.rest...), append(args, a.args...)
	}
	text := "SELECT " + a.columns("") + " FROM " + a.table
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return text + " ORDER BY " + a.columns(suffix) + tail, args
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

// search answers with the keys of one page, going on as often as it may where a
// look ends before the page is full.
func (tx *Tx) search(ctx context.Context, a asking, p concert.Page) (concert.Listed[key], error) {
	limit := min(max(p.Limit, 1), pageMost)
	var out concert.Listed[key]
	for {
		p.Limit = limit - len(out.Rows)
		got, err := tx.lookOnce(ctx, a, p)
		if err != nil {
			return out, err
		}
		out.Rows, out.Rest, out.Looked = append(out.Rows, got.Rows...), got.Rest, out.Looked+got.Looked
		if got.Rest == nil || p.Far <= 0 {
			if out.Rest == nil {
				out.Looked = 0
			}
			return out, nil
		}
		p.Keys, p.Far = got.Rest, p.Far-1
	}
}

// lookOnce is one look along the walks. Where something is asked that no
// walk serves, the walks go as far as the first of them has gone its most rows
// from the cursor, and no further, so that no row before that is left out.
func (tx *Tx) lookOnce(ctx context.Context, a asking, p concert.Page) (concert.Listed[key], error) {
	var out concert.Listed[key]
	after, err := a.open(p)
	if err != nil {
		return out, err
	}
	limit := p.Limit
	down := a.down != p.Back
	further := func(x, y key) int {
		if down {
			x, y = y, x
		}
		return x.compare(y)
	}
	look := lookMost
	switch {
	case len(a.walks) > 1:
		look /= 2 // each of them may go as far
	case a.walks[0].fixed == "":
		look = lookBeside
	}
	var end key
	for _, w := range a.walks {
		if len(a.rest) == 0 {
			break
		}
		text, args := a.sql(w, down, after, nil, false, " LIMIT 1 OFFSET ?")
		switch k, err := a.scan(tx.row(ctx, text, append(args, look-1)...)); {
		case err == nil && (end == nil || further(k, end) < 0):
			end = k
		case err != nil && err != concert.ErrNotFound:
			return out, fmt.Errorf("how far to look: %w", err)
		}
	}
	for _, w := range a.walks {
		text, args := a.sql(w, down, after, end, true, " LIMIT ?")
		got, err := list(ctx, tx, a.scan, text, append(args, limit)...)
		if err != nil {
			return out, fmt.Errorf("list: %w", err)
		}
		out.Rows = append(out.Rows, got...)
	}
	if len(a.walks) > 1 {
		slices.SortFunc(out.Rows, further)
	}
	if out.Rows = out.Rows[:min(len(out.Rows), limit)]; end != nil && len(out.Rows) < limit {
		out.Looked, out.Rest = look, end.texts()
	}
	return out, nil
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
