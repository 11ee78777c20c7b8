package tlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	modtlog "golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 value: a commitment, a leaf hash, a node or a root.
type Hash = [HashSize]byte

const (
	// HashSize is the length of a [Hash] in bytes.
	HashSize = 32
	// SaltSize is the length in bytes that a salt for [Commit] must have. Who
	// is handed a salt checks it: HMAC pads short keys with zero bytes and
	// hashes long ones, so salts of other lengths open a commitment as well.
	SaltSize = 32
	// MaxSize is the largest tree this package handles, in leaves. A
	// checkpoint may claim any size; beyond this bound the index arithmetic of
	// RFC 6962 over int64 would overflow, so larger claims are malformed.
	MaxSize = 1 << 60
)

// Sentinels a caller may branch on with [errors.Is]. Errors of this package
// wrap exactly the ones their functions name.
var (
	// ErrMalformed: a path, bundle, key, checkpoint or argument is not well formed.
	ErrMalformed = errors.New("malformed")
	// ErrCorrupt: stored tiles have a wrong length or do not give the recorded root.
	ErrCorrupt = errors.New("stored tiles are corrupt")
	// ErrProof: a proof does not lead from what it starts with to the root.
	ErrProof = errors.New("proof does not hold")
	// ErrRollback: a later head is smaller than an earlier one.
	ErrRollback = errors.New("log has shrunk")
	// ErrFork: two heads of one log cannot both be true.
	ErrFork = errors.New("log has forked")
	// ErrOrigin: a checkpoint belongs to another log.
	ErrOrigin = errors.New("checkpoint of another log")
	// ErrUnsigned: a checkpoint bears no valid signature of the log's pinned key.
	ErrUnsigned = errors.New("not signed by a pinned key of the log")
	// ErrAltered: an audit found commitments or tiles that differ from the signed log.
	ErrAltered = errors.New("log differs from what was signed")
)

// Head is the state of a log: its number of leaves and the RFC 6962 root over
// them. The zero value is not a head; a new log starts from [Empty].
type Head struct {
	Size int64
	Root Hash
}

// Empty returns the head of a log without leaves. Its root is the SHA-256 of
// the empty string (RFC 6962 section 2.1).
func Empty() Head { return Head{Root: sha256.Sum256(nil)} }

// Commit returns HMAC-SHA256(key = salt, message = canonical), the 32 bytes
// that stand in the log for an event. canonical is the event's one byte form
// (RFC 8785 for JSON); salt is [SaltSize] secret random bytes of its own for
// each event. Without the salt the commitment tells nothing about the event;
// with it the event cannot be exchanged for another.
func Commit(salt, canonical []byte) Hash {
	mac := hmac.New(sha256.New, salt)
	mac.Write(canonical)
	var c Hash
	mac.Sum(c[:0])
	return c
}

// LeafHash returns the leaf hash of a commitment, SHA-256(0x00 || commitment)
// (RFC 6962 section 2.1). The commitment itself is the log entry.
func LeafHash(commitment Hash) Hash {
	var buf [1 + HashSize]byte
	copy(buf[1:], commitment[:])
	return sha256.Sum256(buf[:])
}

func nodeHash(left, right Hash) Hash {
	return Hash(modtlog.NodeHash(modtlog.Hash(left), modtlog.Hash(right)))
}

func validSize(size int64) bool { return 0 <= size && size <= MaxSize }

func base64Hash(h Hash) string { return base64.StdEncoding.EncodeToString(h[:]) }
