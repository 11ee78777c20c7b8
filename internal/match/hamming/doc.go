// Package hamming finds all 256-bit hashes within a number of differing bits of one, exactly. It knows no image, no case and no
// database: ids, banks and hashes come in, ids, banks and distances go out. What it keeps in files is a cache of the database,
// refused by name when it cannot be relied upon, and made anew by [Index.Rebuild].
//
// The invariant: a search gives every entry within the radius whose newest record was applied before the search began, once,
// and nothing else; that is so whatever is written, merged or read in behind the scenes meanwhile.
//
// An [Index] is a log-structured merge tree. Records go to a memtable that each search scans; full ones become immutable
// segments with multi-index tables (multi-index hashing: Norouzi, Punjani and Fleet, 2014), each in one file that can be mapped;
// newer segments are merged into older ones. docs/hamming.md describes the files byte by byte, and what a search costs.
package hamming
