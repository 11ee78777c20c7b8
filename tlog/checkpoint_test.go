package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"concert/tlog"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

const origin = "concert.example.org/exercise"

// seededKey returns the text of a signing key made from a fixed seed.
func seededKey(name string, seed byte) string {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public := append([]byte{1}, private.Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), public...))
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(id[:]), base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...)))
}

func logKey(t testing.TB, name string, seed byte) (note.Signer, note.Verifier) {
	t.Helper()
	skey := seededKey(name, seed)
	s, err := tlog.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := tlog.VerifierKey(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func witnessKey(t testing.TB, name string, seed byte, at time.Time) *tlog.Cosigner {
	t.Helper()
	c, err := tlog.NewCosigner(seededKey(name, seed), func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// example is the checkpoint in https://c2sp.org/tlog-checkpoint.
const example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

func TestCheckpointTextIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	c, err := tlog.ParseCheckpoint(example)
	if err != nil {
		t.Fatal(err)
	}
	if c.Origin != "example.com/behind-the-sofa" || c.Size != 20852163 || fmt.Sprintf("%x", c.Root[:4]) != "0ac5186a" || c.Extension != nil {
		t.Errorf("parsed %+v", c)
	}
	if got := c.Marshal(); got != example {
		t.Errorf("Marshal = %q", got)
	}
}

// The golden bytes were computed a second time by a program of a few lines
// that shares no code with this package.
func TestSignedCheckpointGolden(t *testing.T) {
	t.Parallel()
	signer, verifier := logKey(t, origin, 1)
	witness := witnessKey(t, "witness.example.net/w1", 2, time.Unix(1679315147, 0))
	head, _ := grown(t, 300)
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Head: head}, signer, witness)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"concert.example.org/exercise",
		"300",
		"BtRgyli1LyvuFl8LBGs06nUNSyUPO+MTq07ZZjqWOOI=",
		"",
		"— concert.example.org/exercise y6MrWPjIi4pUR+vMWvdgj4cNcFbmIXSDTzGeigijhIdS3tCFfCo7KMDiBIt4WjJnbHvcY2cQxgQgTZPQ71qBVD+B3ww=",
		"— witness.example.net/w1 CrwfGQAAAABkGFDLfsl2cxfOMlCGgktMO1YhrUmbbLYLmPWI5qRxil9O5OWrVdqa10xxMqAfSIv2nasTNjO3G8xl/3uP6RAXyZh8DQ==",
		"",
	}, "\n")
	if diff := cmp.Diff(want, string(msg)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page, err := os.ReadFile("../docs/formats/log.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, msg) {
		t.Error("docs/formats/log.md does not show this checkpoint")
	}
	known := note.VerifierList(verifier, witness.Verifier())
	c, n, err := tlog.OpenCheckpoint(msg, origin, known)
	if err != nil || c.Head != head {
		t.Fatalf("OpenCheckpoint = %+v, %v", c, err)
	}
	wantSigs := []tlog.Cosignature{{Name: "witness.example.net/w1", KeyHash: witness.KeyHash(), Time: time.Unix(1679315147, 0).UTC()}}
	if diff := cmp.Diff(wantSigs, tlog.Cosignatures(n, known)); diff != "" {
		t.Errorf("cosignatures (-want +got):\n%s", diff)
	}
}

func TestAnyChangedByteOfACheckpointIsRefused(t *testing.T) {
	t.Parallel()
	signer, verifier := logKey(t, origin, 1)
	head, _ := grown(t, 5)
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Head: head, Extension: []string{"EXERCISE"}}, signer)
	if err != nil {
		t.Fatal(err)
	}
	for at := range msg {
		for bit := range 8 {
			bad := bytes.Clone(msg)
			bad[at] ^= 1 << bit
			if c, _, err := tlog.OpenCheckpoint(bad, origin, note.VerifierList(verifier)); err == nil {
				t.Errorf("bit %d of byte %d: accepted as %+v", bit, at, c)
			}
		}
	}
	// The last character of the signature has bits that lenient decoding ignores.
	for value := range 256 {
		bad := bytes.Clone(msg)
		at := bytes.LastIndexByte(bad, '=') - 1
		if bad[at] = byte(value); bytes.Equal(bad, msg) {
			continue
		}
		if c, _, err := tlog.OpenCheckpoint(bad, origin, note.VerifierList(verifier)); err == nil {
			t.Errorf("last character %#x: accepted as %+v", value, c)
		}
	}
	for _, cut := range []int{0, 1, len(msg) / 2, len(msg) - 1} {
		if _, _, err := tlog.OpenCheckpoint(msg[:cut], origin, note.VerifierList(verifier)); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
}

func TestACheckpointNeedsTheLogsOwnPinnedKey(t *testing.T) {
	t.Parallel()
	signer, verifier := logKey(t, origin, 1)
	_, stranger := logKey(t, origin, 3)
	witness := witnessKey(t, "witness.example.net/w1", 2, time.Unix(1679315147, 0))
	head, _ := grown(t, 5)
	c := tlog.Checkpoint{Origin: origin, Head: head}
	msg, err := tlog.SignCheckpoint(c, signer, witness)
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := tlog.OpenCheckpoint(msg, origin, note.VerifierList(verifier)); err != nil || len(tlog.Cosignatures(n, note.VerifierList(verifier))) != 0 {
		t.Errorf("an unknown witness is ignored: %v", err)
	}
	for name, known := range map[string]note.Verifiers{
		"no keys": nil, "a stranger's key": note.VerifierList(stranger), "a witness alone": note.VerifierList(witness.Verifier()),
	} {
		if _, _, err := tlog.OpenCheckpoint(msg, origin, known); !errors.Is(err, tlog.ErrUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := tlog.OpenCheckpoint(msg, "concert.example.org/other", note.VerifierList(verifier)); !errors.Is(err, tlog.ErrOrigin) {
		t.Errorf("another origin: %v", err)
	}
	forged := bytes.Replace(msg, []byte("\n5\n"), []byte("\n6\n"), 1)
	if _, _, err := tlog.OpenCheckpoint(forged, origin, note.VerifierList(verifier)); !errors.Is(err, tlog.ErrUnsigned) {
		t.Errorf("another size: %v", err)
	}
	if _, _, err := tlog.OpenCheckpoint(bytes.Repeat([]byte("a"), 300<<10), origin, note.VerifierList(verifier)); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("300 KiB: %v", err)
	}
}

func TestOnlyCheckpointsThatCanBeReadBackAreSigned(t *testing.T) {
	t.Parallel()
	signer, _ := logKey(t, origin, 1)
	other, _ := logKey(t, "concert.example.org/other", 2)
	good := tlog.Checkpoint{Origin: origin, Head: tlog.Empty()}
	for name, tt := range map[string]struct {
		change  func(*tlog.Checkpoint)
		signers []note.Signer
	}{
		"no signer":         {func(*tlog.Checkpoint) {}, nil},
		"another's key":     {func(*tlog.Checkpoint) {}, []note.Signer{other}},
		"no origin":         {func(c *tlog.Checkpoint) { c.Origin = "" }, []note.Signer{signer}},
		"negative size":     {func(c *tlog.Checkpoint) { c.Size = -1 }, []note.Signer{signer}},
		"too large":         {func(c *tlog.Checkpoint) { c.Size = tlog.MaxSize + 1 }, []note.Signer{signer}},
		"empty extension":   {func(c *tlog.Checkpoint) { c.Extension = []string{""} }, []note.Signer{signer}},
		"newline":           {func(c *tlog.Checkpoint) { c.Extension = []string{"a\nb"} }, []note.Signer{signer}},
		"control character": {func(c *tlog.Checkpoint) { c.Extension = []string{"a\tb"} }, []note.Signer{signer}},
	} {
		c := good
		tt.change(&c)
		if _, err := tlog.SignCheckpoint(c, tt.signers...); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherSpellingsOfACheckpointAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "\n", "a\n1\n", strings.TrimSuffix(example, "\n"), example + "\n", "\n" + example,
		strings.Replace(example, "2085", "02085", 1), strings.Replace(example, "2085", "+2085", 1), strings.Replace(example, "20852163", "-1", 1),
		strings.Replace(example, "20852163", "9223372036854775807", 1), strings.Replace(example, "20852163", "99999999999999999999", 1),
		strings.Replace(example, "q2I=", "q2J=", 1), strings.Replace(example, "q2I=", "q2I", 1), strings.Replace(example, "q2I=", "q2I=\r", 1),
		strings.Replace(example, "CsUY", "CsUYAAAA", 1), strings.Replace(example, "sofa", "so\x00fa", 1), strings.Replace(example, "sofa", "so\xfffa", 1),
		example + strings.Repeat("x\n", 200<<10),
	} {
		if c, err := tlog.ParseCheckpoint(text); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("ParseCheckpoint(%.90q) = %+v, %v", text, c, err)
		}
	}
}

// The message is put together here by hand from the specification's text.
func TestCosignatureSignsTheSpecifiedMessage(t *testing.T) {
	t.Parallel()
	at := time.Unix(1679315147, 999)
	w := witnessKey(t, "witness.example.com/w1", 2, at)
	sig, err := w.Sign([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	public := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public().(ed25519.PublicKey)
	if len(sig) != 72 || binary.BigEndian.Uint64(sig) != 1679315147 || !ed25519.Verify(public, []byte("cosignature/v1\ntime 1679315147\n"+example), sig[8:]) {
		t.Errorf("cosignature is %x", sig)
	}
	id := sha256.Sum256(slices.Concat([]byte("witness.example.com/w1\n\x04"), public))
	if got, want := w.KeyHash(), binary.BigEndian.Uint32(id[:]); got != want {
		t.Errorf("key id %08x, want %08x", got, want)
	}
	text := w.Verifier().String()
	v, err := tlog.NewVerifier(text)
	if err != nil || v.Name() != w.Name() || v.KeyHash() != w.KeyHash() || !v.Verify([]byte(example), sig) {
		t.Errorf("NewVerifier(%s) does not verify: %v", text, err)
	}
}

func TestAnyChangedByteOfACosignatureIsRefused(t *testing.T) {
	t.Parallel()
	w := witnessKey(t, "witness.example.com/w1", 2, time.Unix(1679315147, 0))
	sig, err := w.Sign([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		bad, text := bytes.Clone(sig), []byte(example)
		target := bad
		if rapid.Bool().Draw(t, "text") {
			target = text
		}
		target[rapid.IntRange(0, len(target)-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if w.Verifier().Verify(text, bad) {
			t.Fatal("accepted")
		}
	})
	for _, bad := range [][]byte{nil, sig[:71], append(bytes.Clone(sig), 0), bytes.Repeat([]byte{0xff}, 72)} {
		if w.Verifier().Verify([]byte(example), bad) {
			t.Errorf("accepted %x", bad)
		}
	}
}

func TestACosignatureBeyondTheSpecifiedTimeIsRefused(t *testing.T) {
	t.Parallel()
	w := witnessKey(t, "witness.example.com/w1", 2, time.Time{})
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	for seconds, want := range map[uint64]bool{0: true, 1<<63 - 1: true, 1 << 63: false} {
		sig := binary.BigEndian.AppendUint64(nil, seconds)
		sig = append(sig, ed25519.Sign(private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", seconds, example))...)
		if got := w.Verifier().Verify([]byte(example), sig); got != want {
			t.Errorf("time %d: %t", seconds, got)
		}
	}
}

func TestAWitnessSignsCheckpointsOnly(t *testing.T) {
	t.Parallel()
	w := witnessKey(t, "witness.example.com/w1", 2, time.Unix(1679315147, 0))
	if _, err := w.Sign([]byte("EXERCISE: pay me\n")); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("signed a note that is no checkpoint: %v", err)
	}
	old := witnessKey(t, "witness.example.com/w1", 2, time.Unix(-1, 0))
	if _, err := old.Sign([]byte(example)); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("signed in 1969: %v", err)
	}
}

func TestALogIsNotItsOwnWitness(t *testing.T) {
	t.Parallel()
	signer, verifier := logKey(t, origin, 1)
	self := witnessKey(t, origin, 1, time.Unix(1679315147, 0))
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Head: tlog.Empty()}, signer, self)
	if err != nil {
		t.Fatal(err)
	}
	known := note.VerifierList(verifier, self.Verifier())
	_, n, err := tlog.OpenCheckpoint(msg, origin, known)
	if err != nil || len(n.Sigs) != 2 {
		t.Fatalf("OpenCheckpoint: %v", err)
	}
	if got := tlog.Cosignatures(n, known); got != nil {
		t.Errorf("counted %+v", got)
	}
}

func TestGeneratedKeysSignAndVerify(t *testing.T) {
	t.Parallel()
	skey, vkey, err := tlog.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tlog.NewSigner(skey + "\n")
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := tlog.NewVerifier(vkey + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := tlog.VerifierKey(skey); err != nil || again != vkey {
		t.Errorf("VerifierKey = %s, %v; want %s", again, err, vkey)
	}
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Head: tlog.Empty()}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := tlog.OpenCheckpoint(msg, origin, note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
}

func TestBadKeysAreRefusedAndNeverShown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a b", "a+b", "a\nb", "\xff"} {
		if _, _, err := tlog.GenerateKey(name); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("GenerateKey(%q): %v", name, err)
		}
	}
	skey := seededKey(origin, 1)
	secret := skey[strings.LastIndex(skey, "+")+1:]
	for _, bad := range []string{"", "PRIVATE+KEY", strings.Replace(skey, "exercise", "exercisf", 1), skey[:len(skey)-1], skey + "A"} {
		_, err1 := tlog.NewSigner(bad)
		_, err2 := tlog.NewCosigner(bad, time.Now)
		_, err3 := tlog.VerifierKey(bad)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, tlog.ErrMalformed) || strings.Contains(err.Error(), secret[:8]) {
				t.Errorf("key %.20q…: %v", bad, err)
			}
		}
	}
	witness := witnessKey(t, "witness.example.com/w1", 2, time.Time{}).Verifier().String()
	vkey, err := tlog.VerifierKey(skey)
	if err != nil {
		t.Fatal(err)
	}
	mldsa := base64.StdEncoding.EncodeToString(append([]byte{6}, make([]byte, 1312)...))
	for _, bad := range []string{"", "a+b+c", witness + "A", strings.Replace(witness, "w1", "w2", 1), vkey[:len(vkey)-4], "w+00000000+" + mldsa} {
		if _, err := tlog.NewVerifier(bad); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("NewVerifier(%.40q): %v", bad, err)
		}
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(example)
	f.Add(example + "extension\n")
	f.Add("a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	_, verifier := logKey(f, origin, 1)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := tlog.ParseCheckpoint(text)
		if err == nil && (c.Marshal() != text || c.Size < 0 || c.Size > tlog.MaxSize || c.Origin == "") {
			t.Errorf("%q gives %+v", text, c)
		} else if err != nil && !errors.Is(err, tlog.ErrMalformed) {
			t.Error(err)
		}
		if c, _, err := tlog.OpenCheckpoint([]byte(text), c.Origin, note.VerifierList(verifier)); err == nil {
			t.Errorf("%q opened without the key as %+v", text, c)
		}
	})
}

func FuzzNewVerifier(f *testing.F) {
	_, v := logKey(f, origin, 1)
	f.Add(fmt.Sprintf("%s+%08x+", v.Name(), v.KeyHash()))
	f.Add(witnessKey(f, "witness.example.com/w1", 2, time.Time{}).Verifier().String())
	f.Fuzz(func(t *testing.T, vkey string) {
		v, err := tlog.NewVerifier(vkey)
		if err == nil {
			v.Verify([]byte(example), make([]byte, 72))
		} else if !errors.Is(err, tlog.ErrMalformed) {
			t.Error(err)
		}
		if _, err := tlog.NewSigner(vkey); err != nil && !errors.Is(err, tlog.ErrMalformed) {
			t.Error(err)
		}
	})
}
