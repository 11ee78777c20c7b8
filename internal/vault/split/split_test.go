package split

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
)

func secretOf(n int) []byte {
	s := make([]byte, n)
	rand.Read(s)
	return s
}

// Any k of n put the secret together, in whatever order; more do, too.
func TestAnyKOfNPutItTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, k int }{{2, 2}, {3, 2}, {5, 3}, {7, 7}, {255, 2}} {
		secret := secretOf(37)
		shares, err := Split(secret, c.n, c.k)
		if err != nil {
			t.Fatal(err)
		}
		subsets(min(c.n, 7), func(set []int) {
			var some []Share
			for _, i := range set {
				some = append(some, shares[c.n-1-i])
			}
			got, err := Combine(some)
			switch {
			case len(set) >= c.k && (err != nil || !bytes.Equal(got, secret)):
				t.Errorf("%d of %d, the shares %v: %v", c.k, c.n, set, err)
			case len(set) < c.k && err == nil && bytes.Equal(got, secret):
				t.Errorf("%d of %d: the shares %v alone have the secret", c.k, c.n, set)
			}
		})
	}
}

func subsets(n int, f func([]int)) {
	for bits := 1; bits < 1<<n; bits++ {
		var set []int
		for i := range n {
			if bits>>i&1 == 1 {
				set = append(set, i)
			}
		}
		f(set)
	}
}

// One share fewer than needed fits every secret equally well: for each byte that the secret might have been there is one value of the
// missing share that makes it so.
func TestFewerSharesSayNothing(t *testing.T) {
	t.Parallel()
	shares, err := Split([]byte{42}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	var met [256]bool
	for y := range 256 {
		got, err := Combine([]Share{shares[0], {2, byte(y)}})
		if err != nil {
			t.Fatal(err)
		}
		met[got[0]] = true
	}
	for b, ok := range met {
		if !ok {
			t.Errorf("a share rules the secret %d out", b)
		}
	}
}

func TestFieldIsTheField(t *testing.T) {
	t.Parallel()
	if got := mul(0x57, 0x83); got != 0xc1 { // the example of FIPS 197, 4.2
		t.Errorf("57 times 83 is %x, want c1", got)
	}
	for a := range 256 {
		if got := mul(byte(a), inverse(byte(a))); a != 0 && got != 1 || a == 0 && got != 0 {
			t.Errorf("%d times its inverse is %d", a, got)
		}
	}
}

func TestSplitAndCombineRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, n, k int }{{0, 3, 2}, {SecretMost + 1, 3, 2}, {5, 3, 1}, {5, 1, 1}, {5, 2, 3}, {5, 256, 2}} {
		if _, err := Split(make([]byte, c.size), c.n, c.k); err == nil {
			t.Errorf("%d bytes, %d of %d: split", c.size, c.k, c.n)
		}
	}
	good, err := Split([]byte("EXERCISE"), 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, shares := range map[string][]Share{"none": nil, "one": good[:1], "twice": {good[0], good[0]}, "number 0": {good[0], append(Share{0}, good[1][1:]...)}, "short": {good[0], good[1][:4]}, "empty": {{1}, {2}}} {
		if _, err := Combine(shares); !errors.Is(err, ErrShares) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCombine(f *testing.F) {
	f.Add([]byte{1, 5, 2, 9}, 2)
	f.Add([]byte{1, 1, 1, 2, 2, 2, 3, 3, 3}, 3)
	f.Fuzz(func(t *testing.T, raw []byte, n int) {
		if n < 1 || len(raw)/n == 0 {
			return
		}
		var shares []Share
		for part := len(raw) / n; len(raw) >= part && len(shares) < n; raw = raw[part:] {
			shares = append(shares, raw[:part])
		}
		got, err := Combine(shares)
		if err == nil && len(got) != len(shares[0])-1 {
			t.Errorf("%d bytes of shares of %d", len(got), len(shares[0]))
		}
	})
}
