package testkit

import (
	"database/sql"
	"fmt"
	"testing"
)

// Column is the first column of what a query past the house gives, as text.
func Column(t testing.TB, raw *sql.DB, query string) []string {
	t.Helper()
	rows, err := raw.Query(query)
	Must(t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		Must(t, rows.Scan(&s))
		out = append(out, s)
	}
	Must(t, rows.Err())
	return out
}

// SubjectKeys are the wrapped keys of all subjects that have one.
func SubjectKeys(t testing.TB, raw *sql.DB) map[string][]byte {
	t.Helper()
	rows, err := raw.Query("SELECT subject, wrapped FROM subject_key")
	Must(t, err)
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var s string
		var w []byte
		Must(t, rows.Scan(&s, &w))
		out[s] = w
	}
	Must(t, rows.Err())
	return out
}

// Cell is one value of one row of one table: as text, and as bytes where it is no text.
type Cell struct {
	Table, Column, Text string
	Bytes               []byte
}

// Cells is every column of every row of every table, whatever tables there are.
func Cells(t testing.TB, raw *sql.DB, dialect string) []Cell {
	t.Helper()
	tables := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if dialect == "postgres" {
		tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	var out []Cell
	for _, table := range Column(t, raw, tables) {
		rows, err := raw.Query(`SELECT * FROM "` + table + `"`)
		Must(t, err)
		cols, err := rows.Columns()
		Must(t, err)
		for rows.Next() {
			vals, ptrs := make([]any, len(cols)), make([]any, len(cols))
			for i := range vals {
				ptrs[i] = &vals[i]
			}
			Must(t, rows.Scan(ptrs...))
			for i, v := range vals {
				c := Cell{Table: table, Column: cols[i]}
				if b, ok := v.([]byte); ok {
					c.Bytes, c.Text = b, string(b)
				} else if v != nil {
					c.Text = fmt.Sprint(v)
				}
				out = append(out, c)
			}
		}
		Must(t, rows.Err())
		Must(t, rows.Close())
	}
	return out
}

// Count asks the tables for one number.
func Count(t testing.TB, raw *sql.DB, text string) (n int) {
	t.Helper()
	Must(t, raw.QueryRow(text).Scan(&n))
	return n
}
