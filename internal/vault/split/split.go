// Package split parts a secret among custodians, so that any k of n together have it
// and fewer know nothing of it: Shamir's scheme (A. Shamir, How to share a secret,
// CACM 22(11), 1979) byte by byte over GF(2^8) with AES's polynomial (FIPS 197, 4.2).
//
// The scheme itself does not notice a wrong share: what is put together is then
// another secret. Whoever keeps one keeps a digest of it beside.
package split

import (
	"crypto/rand"
	"errors"
	"fmt"
)

const (
	// Most is how many shares there can be: each has a number from 1 on, in one byte.
	Most = 255
	// SecretMost bounds a secret, in bytes.
	SecretMost = 1 << 16
)

// ErrShares says that shares do not belong together: one twice, none, or of different
// lengths.
var ErrShares = errors.New("these shares do not belong together")

// Share is one part: its number and then as many bytes as the secret has.
type Share []byte

// Split parts the secret into n shares of which any k put it together again; 2 <= k <= n.
func Split(secret []byte, n, k int) ([]Share, error) {
	switch {
	case len(secret) == 0 || len(secret) > SecretMost:
		return nil, fmt.Errorf("a secret of %d bytes is not split: it has 1 to %d", len(secret), SecretMost)
	case k < 2 || k > n || n > Most:
		return nil, fmt.Errorf("a secret is split so that 2 or more of at most %d are needed: got %d of %d", Most, k, n)
	}
	shares := make([]Share, n)
	for i := range shares {
		shares[i] = append(make(Share, 0, 1+len(secret)), byte(i+1))
	}
	// One polynomial a byte: its value at 0 is the secret's, the rest is chance.
	f := make([]byte, k)
	defer clear(f)
	for _, b := range secret {
		rand.Read(f[1:])
		f[0] = b
		for i := range shares {
			shares[i] = append(shares[i], at(f, byte(i+1)))
		}
	}
	return shares, nil
}

// at is the polynomial's value, by Horner's rule.
func at(f []byte, x byte) byte {
	var y byte
	for i := len(f) - 1; i >= 0; i-- {
		y = mul(y, x) ^ f[i]
	}
	return y
}

// Combine puts a secret together from its shares, at least as many as it needs: with
// fewer it is another, and nothing tells (ErrShares says only what can be seen).
func Combine(shares []Share) ([]byte, error) {
	if len(shares) < 2 || len(shares) > Most {
		return nil, fmt.Errorf("%w: %d of them", ErrShares, len(shares))
	}
	var seen [256]bool
	for _, s := range shares {
		switch {
		case len(s) < 2 || len(s) > 1+SecretMost || len(s) != len(shares[0]):
			return nil, fmt.Errorf("%w: they have different lengths", ErrShares)
		case s[0] == 0 || seen[s[0]]:
			return nil, fmt.Errorf("%w: number %d is there twice, or is none", ErrShares, s[0])
		}
		seen[s[0]] = true
	}
	secret := make([]byte, len(shares[0])-1)
	for i, s := range shares {
		// Lagrange's weight of this share at 0: the product of x_j / (x_j - x_i).
		w := byte(1)
		for j, o := range shares {
			if i != j {
				w = mul(w, mul(o[0], inverse(o[0]^s[0])))
			}
		}
		for b := range secret {
			secret[b] ^= mul(w, s[1+b])
		}
	}
	return secret, nil
}

// mul multiplies in the field, in a time that tells nothing of what it multiplies.
func mul(a, b byte) byte {
	var p byte
	for range 8 {
		p ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return p
}

// inverse is a^254, which is 1/a; 0 for 0.
func inverse(a byte) byte {
	b := mul(a, a) // a^2
	c := b
	for range 6 {
		b = mul(b, b)
		c = mul(c, b)
	}
	return c
}
