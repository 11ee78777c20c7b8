//go:build !concert_newer

package store

import "github.com/pressly/goose/v3"

// newer are migrations that only the build with the tag concert_newer has: it
// plays the next version of the program in tests of upgrades.
func newer() []*goose.Migration { return nil }
