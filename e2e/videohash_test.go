package e2e

import (
	"strings"
	"testing"

	"concert/internal/match/vpdq"
	"concert/pdq"
)

// A frame's hash in the lists of exchanges is the bytes of package pdq, so that neither has to know the other.
func TestFrameHashesAreThoseOfPDQ(t *testing.T) {
	t.Parallel()
	texts := []string{strings.Repeat("0", 64), "34ada6b96d18d2491a79f80f07f2c9936fe6083dfb6983d8a4a36db40034df54", "0123456789abcdef" + strings.Repeat("f0", 24)}
	for _, a := range texts {
		for _, b := range texts {
			pa, err := pdq.Parse(a)
			if err != nil {
				t.Fatal(err)
			}
			pb, err := pdq.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			va, err := vpdq.ParseHash(a)
			if err != nil {
				t.Fatal(err)
			}
			vb := vpdq.Hash(pb.Bytes())
			if va != vpdq.Hash(pa.Bytes()) || vb.String() != b || va.Distance(&vb) != pa.Distance(pb) {
				t.Errorf("%s, %s: distance %d, want %d", a, b, va.Distance(&vb), pa.Distance(pb))
			}
		}
	}
}
