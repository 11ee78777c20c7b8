package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

func pseudonymsOf() []Identified {
	return []Identified{
		{Pseudonym: strings.Repeat("0a", 16), Kind: "address", Plain: "192.0.2.77"},
		{Pseudonym: strings.Repeat("1b", 16), Kind: "user", Plain: "EXERCISE\xff\n<name>"},
		{Pseudonym: strings.Repeat("2c", 16), Kind: "host", Plain: "host.example.org"},
	}
}

// openFile opens a list that lies in a file.
func openFile(ctx context.Context, file string, shares []GivenShare, holder *age.X25519Identity, wanted []string) ([]Identified, error) {
	locked, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	raw := make([][]byte, len(shares))
	for i, g := range shares {
		if raw[i], err = json.Marshal(g); err != nil {
			return nil, err
		}
	}
	return OpenPseudonyms(ctx, locked, raw, holder.String(), wanted)
}

// A list opens for those who were named, byte for byte; nothing of it or of its key is in the file, which its own head vouches for.
func TestG25PseudonymsOpenForWhomTheyWereAsked(t *testing.T) {
	t.Parallel()
	who, keys := custodiansOf(t, 3)
	analyst, err := age.GenerateX25519Identity()
	must(t, err)
	file := filepath.Join(t.TempDir(), "list.locked")
	secret := bytes.Repeat([]byte{9}, 32)
	job := LockJob{Out: FilePlace(file), Case: "CS-1", By: "EXERCISE", At: time.Unix(1700000000, 0), Custodians: who, Needed: 2}
	_, err = LockPseudonyms(t.Context(), job, PseudonymKey{Case: "CS-1", Epoch: "2026", Key: secret}, slices.Values(pseudonymsOf()))
	must(t, err)
	raw, err := os.ReadFile(file)
	must(t, err)
	for _, plain := range []string{"192.0.2.77", "EXERCISE\xff", "host.example.org", string(secret)} {
		if bytes.Contains(raw, []byte(plain)) {
			t.Errorf("%q stands in the locked list", plain)
		}
	}
	shares := []GivenShare{given(t, file, keys[0], analyst), given(t, file, keys[2], analyst)}
	ids := []age.Identity{analyst}
	for _, want := range pseudonymsOf() {
		got, err := openFile(t.Context(), file, shares, analyst, []string{want.Pseudonym, strings.Repeat("ff", 16)})
		must(t, err)
		if len(got) != 1 || got[0].Text() != want.Plain || got[0].Kind != want.Kind {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if _, err := UnlockExhibit(t.Context(), FilePlace(file), shares, ids, filepath.Join(t.TempDir(), "out"), nil); err == nil || !strings.Contains(err.Error(), "never opened whole") {
		t.Errorf("a list is unlocked like an exhibit: %v", err)
	}
	key, err := OpenPseudonymKey(t.Context(), file, shares, ids)
	must(t, err)
	if !bytes.Equal(key.Key, secret) || key.Epoch != "2026" || key.Case != "CS-1" {
		t.Errorf("key %+v", key)
	}
	one := pseudonymsOf()[0].Pseudonym
	changed := filepath.Join(t.TempDir(), "changed.locked")
	raw[len(raw)-9] ^= 1
	must(t, os.WriteFile(changed, raw, 0o600))
	_, exhibit, exhibitKeys, stranger := locked(t)
	for name, c := range map[string]struct {
		file   string
		shares []GivenShare
		id     *age.X25519Identity
		wanted []string
		want   string
	}{
		"nobody is named":       {file, shares, analyst, nil, "name the pseudonyms"},
		"an address":            {file, shares, analyst, []string{"192.0.2.77"}, "no pseudonym"},
		"one custodian":         {file, shares[:1], analyst, []string{one}, "2 shares are needed"},
		"the same one twice":    {file, []GivenShare{shares[0], shares[0]}, analyst, []string{one}, "2 shares are needed"},
		"somebody else's key":   {file, shares, stranger, []string{one}, "not opened by your key"},
		"a bit was changed":     {changed, shares, analyst, []string{one}, "damaged"},
		"an exhibit, no list":   {exhibit, []GivenShare{given(t, exhibit, exhibitKeys[0], stranger), given(t, exhibit, exhibitKeys[1], stranger)}, stranger, []string{one}, "no list of pseudonyms"},
		"the file is not there": {file + "~", shares, analyst, []string{one}, "no such file"},
	} {
		if got, err := openFile(t.Context(), c.file, c.shares, c.id, c.wanted); err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", name, got, err, c.want)
		}
	}
}

// Whoever stops the reading gets nothing.
func TestPseudonymsAreNotReadByHalves(t *testing.T) {
	t.Parallel()
	who, keys := custodiansOf(t, 2)
	analyst, err := age.GenerateX25519Identity()
	must(t, err)
	file := filepath.Join(t.TempDir(), "list.locked")
	_, err = LockPseudonyms(t.Context(), LockJob{Out: FilePlace(file), Case: "CS-1", By: "EXERCISE", Custodians: who, Needed: 2}, PseudonymKey{}, slices.Values(pseudonymsOf()))
	must(t, err)
	shares := []GivenShare{given(t, file, keys[0], analyst), given(t, file, keys[1], analyst)}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if got, err := openFile(stopped, file, shares, analyst, []string{pseudonymsOf()[0].Pseudonym}); !errors.Is(err, context.Canceled) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// A list that cannot be written leaves no file.
func TestPseudonymsAreLockedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	who, _ := custodiansOf(t, 2)
	file := filepath.Join(t.TempDir(), "list.locked")
	job := LockJob{Out: FilePlace(file), Case: "CS-1", By: "EXERCISE", Custodians: who, Needed: 2, Members: nil}
	times := 0
	growing := func(yield func(Identified) bool) {
		times++
		for range times {
			if !yield(pseudonymsOf()[0]) {
				return
			}
		}
	}
	if _, err := LockPseudonyms(t.Context(), job, PseudonymKey{}, growing); err == nil {
		t.Error("a list that is longer the second time is locked")
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// An attestation is of one kind, about one file, and of whoever's key is in it.
func TestAttestationsHoldForWhatWasSigned(t *testing.T) {
	t.Parallel()
	key, err := NewKey(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	a := Attestation{Kind: "urn:concert:exercise:1", Name: "x.json", SHA256: strings.Repeat("0", 64), Case: "CS-1", By: "EXERCISE", At: "2026-11-26T00:00:00Z"}
	raw, err := key.Attest(a)
	must(t, err)
	got, err := ReadAttestation(raw, a.Kind)
	must(t, err)
	if a.Key = key.Public(); got != a {
		t.Errorf("%+v, want %+v", got, a)
	}
	if _, err := ReadAttestation(raw, predicateType); err == nil {
		t.Error("it is taken for a bag's seal")
	}
	if _, _, err := readSeal(raw); err == nil {
		t.Error("a bag takes it for its seal")
	}
	other, err := NewKey(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	foreign, err := other.Attest(a)
	must(t, err)
	sig := func(b []byte) []byte { return b[bytes.Index(b, []byte(`"signatures"`)):] }
	forged := append(bytes.Clone(raw[:len(raw)-len(sig(raw))]), sig(foreign)...)
	if _, err := ReadAttestation(forged, a.Kind); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Error("another's signature is taken")
	}
}

func FuzzIdentified(f *testing.F) {
	for _, i := range pseudonymsOf() {
		line, err := i.line()
		must(f, err)
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		i, err := parseIdentified(line)
		if err != nil {
			return
		}
		again, err := Identified{Pseudonym: i.Pseudonym, Kind: i.Kind, Plain: i.Text()}.line()
		must(t, err)
		if j, err := parseIdentified(again); err != nil || j.Text() != i.Text() {
			t.Errorf("%q is read again as %q, %v", i.Text(), j.Text(), err)
		}
	})
}
