package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"concert"
)

// chunks are the numbers of rows one statement carries: few sizes, so that few
// texts are prepared, and large ones, so that a network is crossed seldom.
var chunks = [...]int{64, 16, 4, 1}

// insert writes the rows in as few statements as it can. tail is "" or an ON
// CONFLICT clause.
func (tx *Tx) insert(ctx context.Context, table, cols string, rows [][]any, tail string) (int64, error) {
	width := strings.Count(cols, ",") + 1
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	var n int64
	for len(rows) > 0 {
		k := chunk(len(rows), width)
		text := "INSERT INTO " + table + " (" + cols + ") VALUES " + strings.TrimSuffix(strings.Repeat(one+",", k), ",") + " " + tail
		m, err := tx.exec(ctx, text, flatten(rows[:k], width)...)
		if err != nil {
			return n, fmt.Errorf("insert into %s: %w", table, err)
		}
		n += m
		rows = rows[k:]
	}
	return n, nil
}

// rankColumn only ever falls: what raised a priority meanwhile without a new
// version (RaiseFound) is not undone by who loaded the row before.
const rankColumn = "rank"

// typed is a column with the type that PostgreSQL must be told where a value
// stands in a list of VALUES.
type typed struct{ name, cast string }

// update sets the columns of many versioned rows. Each row is id, expected
// version, then the values of cols; the version grows by one. A row that moved
// on meanwhile makes the whole update stale.
func (tx *Tx) update(ctx context.Context, table string, cols []typed, rows [][]any) error {
	width := len(cols) + 2
	all := append([]typed{{"id", "TEXT"}, {"version", "BIGINT"}}, cols...)
	names := make([]string, len(all))
	casts := make([]string, len(all))
	sets := make([]string, 0, len(all))
	for i, c := range all {
		names[i] = "c" + fmt.Sprint(i)
		casts[i] = "CAST(? AS " + c.cast + ")"
		switch {
		case c.name == rankColumn:
			sets = append(sets, c.name+" = CASE WHEN v."+names[i]+" < "+table+"."+c.name+" THEN v."+names[i]+" ELSE "+table+"."+c.name+" END")
		case i >= 2:
			sets = append(sets, c.name+" = v."+names[i])
		}
	}
	first := "(" + strings.Join(casts, ",") + ")"
	more := ",(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	for len(rows) > 0 {
		k := chunk(len(rows), width)
		text := "WITH v (" + strings.Join(names, ",") + ") AS (VALUES " + first + strings.Repeat(more, k-1) + ") UPDATE " + table +
			" SET version = " + table + ".version + 1, " + strings.Join(sets, ", ") + " FROM v WHERE " + table + ".id = v.c0 AND " + table + ".version = v.c1"
		n, err := tx.exec(ctx, text, flatten(rows[:k], width)...)
		if err != nil {
			return fmt.Errorf("update %s: %w", table, err)
		}
		if n != int64(k) {
			return concert.ErrStale
		}
		rows = rows[k:]
	}
	return nil
}

func chunk(n, width int) int {
	for _, c := range chunks {
		if c <= n && c*width < 32000 {
			return c
		}
	}
	return 1
}

func flatten(rows [][]any, width int) []any {
	args := make([]any, 0, len(rows)*width)
	for _, r := range rows {
		args = append(args, r...)
	}
	return args
}

// in runs a query whose text has one list of ids in place of %s, in chunks.
func in[T any](ctx context.Context, tx *Tx, scan func(rowScanner) (T, error), text string, ids []any) ([]T, error) {
	var out []T
	for len(ids) > 0 {
		k := chunk(len(ids), 1)
		part, err := list(ctx, tx, scan, fmt.Sprintf(text, strings.TrimSuffix(strings.Repeat("?,", k), ",")), ids[:k]...)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
		ids = ids[k:]
	}
	return out, nil
}

func anys[T any](vs []T) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// stmtCache keeps prepared statements of the embedded database, where the
// driver has no cache of its own. Each pool has few connections, so that a
// statement is prepared a handful of times in a process's life.
type stmtCache struct {
	mu    sync.Mutex // guards both maps
	read  map[string]*sql.Stmt
	write map[string]*sql.Stmt
}

// cacheMost bounds the texts kept; the program has fewer.
const cacheMost = 512

func (tx *Tx) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	db := tx.db
	if db.d.numbered {
		return nil, nil
	}
	c := &db.stmts
	c.mu.Lock()
	m, pool := &c.write, db.write
	if tx.ro {
		m, pool = &c.read, db.read
	}
	st := (*m)[text]
	full := len(*m) >= cacheMost
	c.mu.Unlock()
	if st == nil {
		if full {
			return nil, nil
		}
		// Preparing takes a connection of the pool, and this transaction holds
		// one: were all of them to wait for one more, none would ever get it. So
		// the text is prepared once the transaction is over, for the next one.
		tx.after = append(tx.after, func() { db.prepare(pool, m, text) })
		return nil, nil
	}
	return tx.tx.StmtContext(tx.steady(ctx), st), nil
}

// steadyPlan hides values from SQLite's planner, which otherwise plans a statement
// anew each time they are bound: a limit (since 3.46, ExprIsInteger), and what is
// compared with the same column as a partial index's condition (exprCompareVariable).
var steadyPlan = strings.NewReplacer("LIMIT ?", "LIMIT ?+0", "i.status = ?", "i.status = +?", "i.author = ?", "i.author = +?")

// prepare adds a statement to the cache; a text that cannot be prepared fails
// where it is run, with its own error.
func (db *DB) prepare(pool *sql.DB, m *map[string]*sql.Stmt, text string) {
	c := &db.stmts
	c.mu.Lock()
	known := (*m)[text] != nil
	c.mu.Unlock()
	if known {
		return
	}
	st, err := pool.Prepare(steadyPlan.Replace(text))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if *m == nil {
		*m = map[string]*sql.Stmt{}
	}
	if (*m)[text] != nil {
		st.Close()
		return
	}
	(*m)[text] = st
}

func (c *stmtCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range []map[string]*sql.Stmt{c.read, c.write} {
		for _, st := range m {
			st.Close()
		}
	}
}
