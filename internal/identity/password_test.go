package identity

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func hasher(t testing.TB, p Params, n int) *Hasher {
	t.Helper()
	h, err := NewHasher(p, n)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPasswordVerifiesAndWrongOnesDoNot(t *testing.T) {
	t.Parallel()
	h := hasher(t, ExerciseParams(), 2)
	stored, err := h.Hash(t.Context(), "exercise horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=16,t=1,p=1$") {
		t.Errorf("stored form %q", stored)
	}
	again, _ := h.Hash(t.Context(), "exercise horse battery")
	if again == stored {
		t.Error("two hashes of one password are equal: no salt")
	}
	for _, tc := range []struct {
		stored, password string
		ok               bool
	}{
		{stored, "exercise horse battery", true},
		{stored, "exercise horse batter", false},
		{stored, "", false},
		{"", "", false},
		{"", "exercise horse battery", false},
		{stored, strings.Repeat("x", MaxPassword+1), false},
	} {
		ok, rehash, err := h.Verify(t.Context(), tc.stored, tc.password)
		if ok != tc.ok || rehash || err != nil {
			t.Errorf("Verify(%.12q, %.30q) = %v, %v, %v; want %v", tc.stored, tc.password, ok, rehash, err, tc.ok)
		}
	}
	composed, err := h.Hash(t.Context(), "Änderungsantrag")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := h.Verify(t.Context(), composed, "A\u0308nderungsantrag"); !ok {
		t.Error("a decomposed letter is another password")
	}
}

// The vector is of the argon2 reference program (argon2 -id), as in the tests
// of golang.org/x/crypto, in PHC form.
func TestVerifyReadsOthersHashes(t *testing.T) {
	t.Parallel()
	const stored = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$ZVrRXqxlLcWfcXCnMyv0m4Rpvh/bnCi7"
	ok, rehash, err := hasher(t, DefaultParams(), 1).Verify(t.Context(), stored, "password")
	if !ok || !rehash || err != nil {
		t.Errorf("Verify = %v, rehash %v, %v; want true and rehash", ok, rehash, err)
	}
}

func TestDefaultPriceIsKeptAndRaised(t *testing.T) {
	t.Parallel()
	p := DefaultParams()
	if p.MemoryKiB < 64*1024 || p.Passes < 3 {
		t.Errorf("default is %+v, wanted are at least 64 MiB and 3 passes", p)
	}
	cheap, dear := hasher(t, ExerciseParams(), 1), hasher(t, Params{MemoryKiB: 32, Passes: 1, Lanes: 1}, 1)
	stored, err := cheap.Hash(t.Context(), "exercise horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if cheap.NeedsRehash(stored) || !dear.NeedsRehash(stored) || !dear.NeedsRehash("nonsense") {
		t.Error("rehash is asked for at the wrong time")
	}
	if ok, rehash, _ := dear.Verify(t.Context(), stored, "exercise horse battery"); !ok || !rehash {
		t.Error("the right password does not ask for a rehash")
	}
	if _, rehash, _ := dear.Verify(t.Context(), stored, "wrong"); rehash {
		t.Error("a wrong password asks for a rehash")
	}
}

func TestHasherRefusesBadParameters(t *testing.T) {
	t.Parallel()
	for _, p := range []Params{{}, {16, 0, 1}, {16, 1, 0}, {15, 1, 2}, {1 << 21, 1, 1}, {64, 99, 1}, {1 << 10, 1, 99}} {
		if _, err := NewHasher(p, 1); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
	if _, err := NewHasher(ExerciseParams(), 0); err == nil {
		t.Error("a hasher for no hash at a time was made")
	}
}

func TestAtMostSoManyHashesRunAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hasher(t, ExerciseParams(), 2)
		var inside, most atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := h.enter(t.Context()); err != nil {
					t.Error(err)
					return
				}
				now := inside.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				// Inside the bubble this parks the goroutine until all others wait.
				<-time.After(time.Second)
				inside.Add(-1)
				h.leave()
			})
		}
		wg.Wait()
		if most.Load() != 2 {
			t.Errorf("%d at once, want 2", most.Load())
		}
		_ = h.enter(t.Context())
		_ = h.enter(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Hash behind a full queue: %v, want deadline exceeded", err)
		}
		if _, _, err := h.Verify(ctx, "", "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Verify behind a full queue: %v, want deadline exceeded", err)
		}
	})
}

func TestPasswordPolicy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		password string
		ok       bool
	}{
		{"kestrel over wet fields", true},
		{"пустельга над полем", true},
		{"elevenchars", false},
		{"123456789012", false},
		{"Password1234!", false},
		{"aaaaaaaaaaaaaaaa", false},
		{"abababababababab", false},
		{"officer.example@unit.example", false},
		{"Officer.Example@Unit.Example", false},
		{"officer.example2026!", false},
		{"Example Officer", false},
		{"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4", false},
		{strings.Repeat("kestrel ", 200), false},
	} {
		err := CheckPassword(tc.password, "officer.example@unit.example", "Example Officer", "")
		if (err == nil) != tc.ok {
			t.Errorf("CheckPassword(%.40q) = %v, want ok %v", tc.password, err, tc.ok)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$ZVrRXqxlLcWfcXCnMyv0m4Rpvh/bnCi7")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$$")
	f.Add("$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$ZVrRXqxl")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, hash, err := parsePHC(s)
		if err != nil {
			if !errors.Is(err, ErrHash) {
				t.Errorf("error %v is no ErrHash", err)
			}
			return
		}
		if p.valid() != nil || len(salt) < 8 || len(hash) < 16 {
			t.Errorf("%q was taken as %+v with %d and %d bytes", s, p, len(salt), len(hash))
		}
	})
}

func BenchmarkHashDefault(b *testing.B) {
	h := hasher(b, DefaultParams(), 1)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "exercise horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHashExercise(b *testing.B) {
	h := hasher(b, ExerciseParams(), 1)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "exercise horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}
