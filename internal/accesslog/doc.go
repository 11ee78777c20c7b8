// Package accesslog counts what access logs of web servers hold: whole logs in
// one pass, on all cores, in memory that does not grow with the number of lines.
//
// Every line is accounted for: lines = parsed + rejected + blank, and a rejected
// line is known by file, offset, length and reason. Every number of a Report
// carries its definition. What identifies a person does not leave the package:
// addresses are counted and, where they must go to disk, replaced by a keyed
// hash (HMAC-SHA-256, RFC 2104, cut to 16 bytes) whose key is drawn for one run
// and kept nowhere; values in queries, user names and agents' texts are never
// kept; a part of a path that looks like an e-mail address, an address, a name
// or a token is replaced by what it looked like (Redact). No error message holds
// a piece of a log.
//
// It is an engine that knows no case. Visitors are counts here and never
// suspects: an address is not a person.
package accesslog
