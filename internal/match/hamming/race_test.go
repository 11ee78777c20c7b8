//go:build race

package hamming

// pairs is how many planted pairs are looked for: the race detector makes each ten times as dear.
const pairs = 5_000
