package match_test

import (
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"concert/internal/match"
)

func TestBankFindsTheNearestOnceAndNothingElse(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	hash := func() (h [32]byte) {
		for i := range h {
			h[i] = byte(r.Uint32())
		}
		return h
	}
	flipped := func(h [32]byte, n int) string {
		for _, bit := range r.Perm(256)[:n] {
			h[bit/8] ^= 1 << (bit % 8)
		}
		return hex.EncodeToString(h[:])
	}
	entry := func(name string, hashes map[match.HashKind]string) match.Known {
		k := match.Known{Name: name}
		var err error
		for kind, h := range hashes {
			if k, err = k.With(kind, h); err != nil {
				t.Fatal(err)
			}
		}
		return k
	}
	q, turned := hash(), hash()
	sha, md5 := strings.Repeat("a", 64), strings.Repeat("B", 32)
	known := []match.Known{
		entry("EXERCISE far", map[match.HashKind]string{match.HashPDQ: flipped(q, 32)}),
		entry("EXERCISE edge", map[match.HashKind]string{match.HashPDQ: flipped(q, 31)}),
		entry("EXERCISE turned", map[match.HashKind]string{match.HashPDQ: strings.ToUpper(flipped(turned, 3))}),
		entry("EXERCISE both", map[match.HashKind]string{match.HashPDQ: flipped(q, 7), match.HashSHA256: sha}),
		entry("EXERCISE bytes", map[match.HashKind]string{match.HashMD5: md5}),
	}
	for range 5000 {
		known = append(known, entry("EXERCISE stranger", map[match.HashKind]string{match.HashPDQ: flipped(hash(), 0)}))
	}
	b, err := match.NewBank(t.Context(), known)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	sought := match.Sought{PDQ: [][32]byte{q, turned}, Digest: map[match.HashKind]string{match.HashSHA256: sha, match.HashMD5: strings.ToLower(md5), match.HashSHA1: ""}}
	got, err := b.Find(sought, 31)
	if err != nil {
		t.Fatal(err)
	}
	want := []match.Hit{{Entry: 3, By: match.HashSHA256}, {Entry: 4, By: match.HashMD5}, {Entry: 2, By: match.HashPDQ, Distance: 3, Turn: 1}, {Entry: 1, By: match.HashPDQ, Distance: 31}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v", got)
	}
	if got, err = b.Find(sought, 0); err != nil || len(got) != 2 {
		t.Errorf("within no bits: %+v, %v", got, err)
	}
	if _, err := b.Find(sought, 65); err == nil {
		t.Error("65 bits were searched")
	}
	for kind, bad := range map[match.HashKind]string{match.HashPDQ: "12", match.HashMD5: strings.Repeat("g", 32), "photodna": sha} {
		if _, err := (match.Known{}).With(kind, bad); err == nil {
			t.Errorf("%s %s is taken", kind, bad)
		}
	}
}
