//go:build !race

package hamming

// pairs is how many planted pairs are looked for, most the rows of the largest segment of a test.
const (
	pairs = 100_000
	most  = 401_000
)
