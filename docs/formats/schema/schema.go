// Package schema carries the JSON Schemas (2020-12) of the formats that others read
// and write, so that the program can publish the very files that stand here. It knows
// nothing of the types; a test holds the two together.
package schema

import "embed"

// Files are the schemas; each is named by the last part of its $id.
//
//go:embed *.json
var Files embed.FS
