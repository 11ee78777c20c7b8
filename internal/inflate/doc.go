// Package inflate decompresses DEFLATE (RFC 1951) in gzip members (RFC 1952),
// faster than a decoder that gives its output away symbol by symbol: bits are
// refilled eight bytes at a time, short codes are decoded by one look into a
// table, and matches are copied within one buffer that is the window as well.
//
// It trusts nothing: a code that is over-subscribed or incomplete, a match from
// before the beginning, a length or a checksum that does not agree is ErrCorrupt,
// an early end is io.ErrUnexpectedEOF, and what came before either is given.
package inflate
