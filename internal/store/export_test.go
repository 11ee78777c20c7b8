package store

import (
	"maps"
	"slices"
)

// Asked are the texts that this database has been asked for reading so far; the embedded one keeps them prepared.
func (db *DB) Asked() []string {
	db.stmts.mu.Lock()
	defer db.stmts.mu.Unlock()
	return slices.Sorted(maps.Keys(db.stmts.read))
}

// Rebound is the text as PostgreSQL takes it.
func Rebound(text string) string { return postgresDialect().rebind(text) }

// Alike is the condition on a match m by which two items are copies of one work.
const Alike = alike
