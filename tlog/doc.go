// Package tlog is the arithmetic of a transparency log: leaves, tiles, tree
// heads, signed checkpoints, witness cosignatures, proofs and the audit of a
// whole log. It holds no state, opens no file and no connection; the caller
// brings tiles through a [ReadTile] and stores what [Grow] returns.
//
// A log is an append-only list of 32-byte commitments. A [Commit] hides what
// it commits to behind a salt, so a log may be public while its events are
// not; whoever is shown one event and its salt can check that exactly this
// event stands at its place (see the package example).
//
// The formats are those of the public transparency ecosystem, so that other
// people's tools read this log and this package reads theirs:
//
//   - tree: RFC 6962 section 2.1, SHA-256
//   - tiles and entry bundles: https://c2sp.org/tlog-tiles
//   - checkpoints: https://c2sp.org/tlog-checkpoint, which are notes as in
//     https://c2sp.org/signed-note
//   - witness cosignatures, Ed25519: https://c2sp.org/tlog-cosignature
//
// The tree mathematics and the note format are those of
// golang.org/x/mod/sumdb; this package adds the tile layout of tlog-tiles,
// growth in batches, cosignatures and the audit.
//
// The one invariant: a tree only grows. Every head this package computes is
// computed from stored tiles that were first seen to give the head before it,
// so a damaged tile stops the log instead of being signed.
package tlog
