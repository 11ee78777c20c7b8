// Package archive reads archives and compressed streams to the end and says what
// is in them: each entry with its name as it stands there, its size and digests,
// and what is inside archives inside. It writes nothing, follows no link and
// makes no path of a name.
//
// The invariant: an archive takes no more than its limits, whatever it claims,
// and what is wrong with it is an outcome, not an end: entries before the fault
// are told. It works on hostile bytes with libraries of others, so it is called in
// a child that may die (internal/sandbox).
package archive
