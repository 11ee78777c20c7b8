// Command bench-peer runs SQL with DuckDB as it comes, for measurements beside it: the
// statements on standard input one after another, the last one's rows as tab-separated
// text. It reads and writes whatever the SQL names; the product has no use for it.
package main

import (
	"bufio"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"

	duck "github.com/duckdb/duckdb-go/v2"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench-peer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, from io.Reader, to io.Writer) error {
	sql, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	connector, err := duck.NewConnector(":memory:", nil)
	if err != nil {
		return err
	}
	defer connector.Close()
	conn, err := connector.Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, string(sql), nil)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(to)
	values := make([]driver.Value, len(rows.Columns()))
	for err = rows.Next(values); err == nil; err = rows.Next(values) {
		for i, v := range values {
			if i > 0 {
				w.WriteByte('\t')
			}
			if v != nil {
				fmt.Fprint(w, v)
			}
		}
		w.WriteByte('\n')
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close(), w.Flush())
}
