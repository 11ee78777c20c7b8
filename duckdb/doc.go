// Package duckdb answers free SQL about one lake with DuckDB, on one machine. It is a
// module of its own, since DuckDB comes as C libraries of several hundred megabytes for
// five systems, which nobody else should have to fetch. It releases nothing: its
// answers are for use within the case. Its one invariant: a query is one SELECT that
// reads the parts of the lake, each as the manifest says, and nothing else of the
// machine; and it gives the whole of what it asks for, or an error.
package duckdb
