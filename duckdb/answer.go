package duckdb

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"concert/internal/accesslog"
	"concert/internal/lake"
)

// textMost bounds the texts of an answer, in bytes.
const textMost = 256 << 20

// Caveat says what an answer to free SQL is not.
const Caveat = "For use within the case: nothing was left out of this answer, and a small number or a rare value can point to one person. What leaves the case goes by accesslog query -release, or by a lead."

// Answer is what a query gave, with what it was taken from.
type Answer struct {
	SQL     string      `json:"sql"`
	Columns []Column    `json:"columns"`
	Rows    [][]any     `json:"rows"` // null, text, truth values and numbers; a time in UTC and a pseudonym in hexadecimal are texts
	Lake    lake.Source `json:"lake"`
	Caveats []string    `json:"caveats"`
}

// Column is one column of an answer, with DuckDB's name of its type.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Ask answers one SELECT from the whole lake, or not at all.
func (e *Engine) Ask(ctx context.Context, sql string) (*Answer, error) {
	stmt, err := e.prepare(sql)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	a := &Answer{SQL: sql, Rows: [][]any{}, Lake: e.lake.Source(), Caveats: append([]string{Caveat}, accesslog.Caveats()...)}
	rows, err := stmt.QueryContext(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("the query: %w", errors.Join(context.Cause(ctx), err))
	}
	err = a.read(ctx, rows, e.limits.Rows)
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	return a, e.held.unchanged()
}

func (a *Answer) read(ctx context.Context, rows driver.Rows, most int) error {
	types := rows.(driver.RowsColumnTypeDatabaseTypeName)
	for i, name := range rows.Columns() {
		a.Columns = append(a.Columns, Column{name, types.ColumnTypeDatabaseTypeName(i)})
	}
	values, size := make([]driver.Value, len(a.Columns)), 0
	for {
		err := rows.Next(values)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err := errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		if len(a.Rows) == most {
			return fmt.Errorf("the answer has more than %d rows, and no part of it is given: count or choose in the query, add LIMIT, or allow more with -rows", most)
		}
		row := make([]any, len(values))
		for i, v := range values {
			if row[i], err = cell(v, a.Columns[i]); err != nil {
				return err
			}
			if text, ok := row[i].(string); ok {
				size += len(text)
			}
		}
		if size > textMost {
			return fmt.Errorf("the answer has more than %d MiB of text, and no part of it is given: ask for less", textMost>>20)
		}
		a.Rows = append(a.Rows, row)
	}
}

// cell is a value as it is written: nil, a text, a truth value or a number.
func cell(v driver.Value, c Column) (any, error) {
	switch v := v.(type) {
	case nil, bool, string, int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return v, nil
	case float32:
		return float(float64(v), 32), nil
	case float64:
		return float(v, 64), nil
	case *big.Int:
		return json.Number(v.String()), nil
	case duck.Decimal:
		return json.Number(v.String()), nil
	case []byte:
		if c.Type == "BLOB" {
			return hex.EncodeToString(v), nil
		}
	case time.Time:
		switch {
		case c.Type == "DATE":
			return v.UTC().Format(time.DateOnly), nil
		case strings.HasPrefix(c.Type, "TIMESTAMP"):
			return v.UTC().Format("2006-01-02 15:04:05.999999999"), nil
		}
	}
	return nil, fmt.Errorf("column %.80s is of the type %.80s, which has no one way to be written: ask for CAST(… AS VARCHAR) of it", c.Name, c.Type)
}

// float keeps what JSON has no number for as a text.
func float(v float64, bits int) any {
	text := strconv.FormatFloat(v, 'g', -1, bits)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return text
	}
	return json.Number(text)
}

// WriteTSV writes the rows as lake.Result does; \N stands for null.
func (a *Answer) WriteTSV(w io.Writer) error { return (&lake.Result{Rows: a.Rows}).WriteTSV(w) }

// WriteJSON writes the answer with what it was taken from.
func (a *Answer) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(a)
}
