//go:build race

package hamming

// pairs is how many planted pairs are looked for, most the rows of the largest segment of a test: the race detector makes each ten times as dear.
const (
	pairs = 5_000
	most  = 20_000
)
