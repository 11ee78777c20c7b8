//go:build concert_newer

package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// newer adds a column and a table, as a next version might.
func newer() []*goose.Migration {
	return []*goose.Migration{goose.NewGoMigration(90000, &goose.GoFunc{RunTx: func(ctx context.Context, t *sql.Tx) error {
		for _, text := range []string{"ALTER TABLE item ADD COLUMN newer TEXT NOT NULL DEFAULT ''", "CREATE TABLE newer (id TEXT PRIMARY KEY)"} {
			if _, err := t.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}}, nil)}
}
