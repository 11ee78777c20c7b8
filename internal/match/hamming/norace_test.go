//go:build !race

package hamming

// pairs is how many planted pairs are looked for.
const pairs = 100_000
