// Package identity holds the mechanics by which people and machines prove who
// they are, and the keys under which their words are kept: passwords, opaque
// tokens, references, sealing, signing keys. It decides nothing about roles
// and stores nothing; digests and sealed bytes are what callers store.
//
// The invariant: whatever leaves this package for storage is useless to a
// reader of the database. Passwords are argon2id hashes, tokens are digests,
// personal text is sealed under a key that is itself wrapped under the master
// secret, which stands apart from the database.
package identity

import (
	"encoding/hex"

	"github.com/google/uuid"
)

// NewID returns a UUIDv7 in its 36-character text form (RFC 9562). Ids of one
// process ascend strictly, so that rows written in order sort in order.
func NewID() string {
	return uuid.Must(uuid.NewV7()).String()
}

// ValidID reports whether s is a UUID in the form NewID writes: lower case,
// with hyphens, version 7.
func ValidID(s string) bool {
	if len(s) != 36 {
		return false
	}
	id, err := uuid.Parse(s)
	return err == nil && id.Version() == 7 && id.Variant() == uuid.RFC4122 && id.String() == s
}

// APIKeyID is the public name of an API key in lists and in the log: "ak_" and
// the first 16 hex digits of its digest. It identifies the key to whoever
// holds it and helps nobody to guess it.
func APIKeyID(digest [32]byte) string {
	return "ak_" + hex.EncodeToString(digest[:8])
}
