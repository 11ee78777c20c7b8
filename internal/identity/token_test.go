package identity

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTokenRoundTripAndKinds(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{SessionToken, OneTimeToken, APIKeyToken} {
		plain, digest := NewToken(prefix)
		if len(plain) != 53 || !strings.HasPrefix(plain, prefix) || digest != sha256.Sum256([]byte(plain)) {
			t.Errorf("token %q", plain)
		}
		got, err := Digest(plain)
		if got != digest || err != nil {
			t.Errorf("Digest = %x, %v", got, err)
		}
		for _, other := range []string{SessionToken, OneTimeToken, APIKeyToken} {
			if _, err := DigestOf(other, plain); (err == nil) != (other == prefix) {
				t.Errorf("DigestOf(%s) of a %s token: %v", other, prefix, err)
			}
		}
		if !strings.HasPrefix(APIKeyID(digest), "ak_") || len(APIKeyID(digest)) != 19 {
			t.Errorf("key id %q", APIKeyID(digest))
		}
	}
}

func TestTypoInTokenIsFoundWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	plain, _ := NewToken(APIKeyToken)
	for i := range plain {
		for _, c := range []byte("0aZ_ ") {
			b := []byte(plain)
			if b[i] == c {
				continue
			}
			b[i] = c
			if _, err := Digest(string(b)); !errors.Is(err, ErrToken) {
				t.Errorf("typo at %d was taken", i)
			} else if strings.Contains(err.Error(), plain[4:20]) {
				t.Error("the error carries the secret")
			}
		}
	}
	for _, bad := range []string{"", "csk_", plain[:52], plain + "0", " " + plain, "xyz_" + plain[4:]} {
		if _, err := Digest(bad); !errors.Is(err, ErrToken) {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestTokenDigitsAreEven(t *testing.T) {
	t.Parallel()
	var count [256]int
	for range 2000 {
		plain, _ := NewToken(SessionToken)
		for _, c := range []byte(plain[4:47]) {
			count[c]++
		}
	}
	// 86,000 digits over 62 places: 1387 each, sigma 37.
	for _, c := range []byte(base62) {
		if count[c] < 1150 || count[c] > 1630 {
			t.Errorf("digit %c occurs %d times, expected about 1387", c, count[c])
		}
	}
}

func TestReferenceRoundTripAndHumanSpelling(t *testing.T) {
	t.Parallel()
	for range 500 {
		ref := NewReference("CR")
		if len(ref) != 18 || ref[2] != '-' || ref[7] != '-' || ref[12] != '-' {
			t.Fatalf("reference %q", ref)
		}
		human := strings.NewReplacer("0", "o", "1", "l").Replace(strings.ToLower(ref[3:]))
		for _, s := range []string{ref, strings.ToLower(ref), " " + ref + " ", "cr-" + strings.ReplaceAll(human, "-", ""), "Cr-" + strings.ReplaceAll(human, "-", " ")} {
			prefix, got, err := ParseReference(s)
			if prefix != "CR" || got != ref || err != nil {
				t.Errorf("ParseReference(%q) = %q, %q, %v", s, prefix, got, err)
			}
		}
	}
}

func TestOneWrongDigitOrASwapIsAlwaysFound(t *testing.T) {
	t.Parallel()
	for range 50 {
		ref := []byte(NewReference("RAD"))
		at := []int{4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 18}
		for n, i := range at {
			for _, c := range []byte(crockford) {
				b := slices.Clone(ref)
				b[i] = c
				if _, _, err := ParseReference(string(b)); (err == nil) != (c == ref[i]) {
					t.Errorf("%s with %c at %d: %v", ref, c, i, err)
				}
			}
			for _, j := range at[n+1:] {
				b := slices.Clone(ref)
				b[i], b[j] = b[j], b[i]
				if _, _, err := ParseReference(string(b)); (err == nil) != (b[i] == b[j]) {
					t.Errorf("%s with %d and %d swapped: %v", ref, i, j, err)
				}
			}
		}
	}
}

func TestIDsAscendAcrossGoroutinesAndNeverRepeat(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := ""
			for range 5000 {
				id := NewID()
				if id <= last {
					t.Errorf("%s after %s", id, last)
				}
				last = id
				mu.Lock()
				if seen[id] {
					t.Errorf("%s twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if !ValidID(NewID()) || ValidID(strings.ToUpper(NewID())) || ValidID("") || ValidID("{"+NewID()[1:]) ||
		ValidID("6ba7b810-9dad-11d1-80b4-00c04fd430c8") {
		t.Error("ValidID takes more or less than version 7 in lower case")
	}
}

func TestLoginWaitGrowsAndIsBounded(t *testing.T) {
	t.Parallel()
	last := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		failures int
		after    time.Duration
		want     time.Duration
	}{
		{0, 0, 0}, {3, 0, 0}, {4, 0, time.Second}, {5, 0, 2 * time.Second}, {5, time.Second, time.Second},
		{5, time.Minute, 0}, {13, 0, 512 * time.Second}, {14, 0, 15 * time.Minute}, {1 << 30, 0, 15 * time.Minute},
		{1 << 30, 25 * time.Hour, 0}, {6, -time.Hour, 4 * time.Second}, {-5, 0, 0},
	} {
		if got := LoginWait(tc.failures, last, last.Add(tc.after)); got != tc.want {
			t.Errorf("LoginWait(%d, %s later) = %s, want %s", tc.failures, tc.after, got, tc.want)
		}
	}
	if got := LoginWait(0, time.Time{}, last); got != 0 {
		t.Errorf("first log-in ever waits %s", got)
	}
}

func FuzzDigest(f *testing.F) {
	plain, _ := NewToken(OneTimeToken)
	f.Add(plain)
	f.Add("cst_0000000000000000000000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Digest(s)
		if err == nil && (d != sha256.Sum256([]byte(s)) || TokenPrefix(s) == "") || err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("Digest(%q) = %x, %v", s, d, err)
		}
	})
}

func FuzzParseReference(f *testing.F) {
	f.Add(NewReference("CR"))
	f.Add("cr-oooo iiii-LLLLO")
	f.Add("CR-7K3M-9QXT-4D2FH")
	f.Fuzz(func(t *testing.T, s string) {
		prefix, ref, err := ParseReference(s)
		if err != nil {
			if !errors.Is(err, ErrReference) {
				t.Errorf("error %v is no ErrReference", err)
			}
			return
		}
		p2, again, err := ParseReference(ref)
		if p2 != prefix || again != ref || err != nil {
			t.Errorf("%q reads as %q, which reads as %q, %v", s, ref, again, err)
		}
	})
}

func BenchmarkNewID(b *testing.B) {
	for b.Loop() {
		NewID()
	}
}

func BenchmarkNewToken(b *testing.B) {
	for b.Loop() {
		NewToken(SessionToken)
	}
}
