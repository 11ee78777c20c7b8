// Package shards keeps the rows of a lake on ClickHouse servers and asks the lake's
// catalogue there, when one machine is outgrown: the same questions, the same bytes
// as from the lake's files, or no answer.
//
// A lake has tables of its own on each server, a shard, named from its manifest's
// digest: the rows, each with the number of its part, and a ledger with a row for
// each part that was found whole after it was sent. The manifest stays the truth:
// what the servers hold is compared with it, part by part, before a question is
// asked and again after, over connections that are made once and never again. A
// server that is gone, was away in between, or holds fewer, more or other rows is an
// error that names it, never a smaller or larger number. Whoever may write to the
// servers can still forge rows; nothing here protects against that.
package shards
