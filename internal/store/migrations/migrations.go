// Package migrations holds the numbered, forward-only steps of the schema, a
// folder a dialect with the same numbers in both.
package migrations

import "embed"

// Files are the SQL steps, under "sqlite" and "postgres".
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
