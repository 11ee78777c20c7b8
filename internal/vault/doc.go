// Package vault keeps bytes sealed: a stream of chunks under a key that its
// caller holds, in memory or as a file of a directory. It knows no case, no
// owner and no meaning of a name.
//
// The invariant: what opens is what was sealed, whole and in order. A chunk's
// place and whether it is the last are part of its nonce, the purpose is part of
// the key, so that nothing can be left out, moved, appended or taken for another
// (docs/formats/capture.md). A file either has all of its bytes or has no name.
package vault
