package tlog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// grown is a log of n leaves: its head and what reads its tiles.
func grown(t testing.TB, n int, leaf func(i int) string) (Head, ReadTile) {
	t.Helper()
	stored := map[TileID][]byte{}
	read := func(id TileID) ([]byte, error) {
		data, ok := stored[TileID{Level: id.Level, Index: id.Index}]
		if !ok || len(data) < id.Width*HashSize {
			return nil, fmt.Errorf("no tile %s", id.Path())
		}
		return data[:id.Width*HashSize], nil
	}
	var leaves []Hash
	for i := range n {
		leaves = append(leaves, LeafHash(Commit(nil, []byte(leaf(i)))))
	}
	head, tiles, err := Grow(Empty(), leaves, read)
	if err != nil {
		t.Fatal(err)
	}
	for _, tile := range tiles {
		stored[TileID{Level: tile.Level, Index: tile.Index}] = tile.Data
	}
	return head, read
}

func plain(i int) string { return fmt.Sprintf("EXERCISE %d", i) }

// asking is a log with its key that asks a witness.
type asking struct {
	t      testing.TB
	signer note.Signer
	known  note.Verifiers
}

const askingOrigin = "log.invalid/exercise"

func newAsking(t testing.TB) asking {
	t.Helper()
	skey, vkey, err := GenerateKey(askingOrigin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return asking{t, signer, note.VerifierList(v)}
}

func (a asking) sign(h Head) []byte {
	a.t.Helper()
	msg, err := SignCheckpoint(Checkpoint{Origin: askingOrigin, Head: h}, a.signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return msg
}

func (a asking) request(old int64, h Head, read ReadTile) AddCheckpoint {
	a.t.Helper()
	p, err := ConsistencyProof(h.Size, old, read)
	if err != nil {
		a.t.Fatal(err)
	}
	return AddCheckpoint{Old: old, Proof: p, Checkpoint: a.sign(h)}
}

func TestAWitnessCosignsOnlyWhatGoesOn(t *testing.T) {
	t.Parallel()
	log := newAsking(t)
	h10, read10 := grown(t, 10, plain)
	h300, read300 := grown(t, 300, plain)
	other, readOther := grown(t, 300, func(i int) string {
		if i == 4 {
			return "EXERCISE changed"
		}
		return plain(i)
	})
	other10, readOther10 := grown(t, 10, func(i int) string { return "other" + plain(i) })
	stranger := newAsking(t)
	broken := log.request(0, h10, read10)
	broken.Checkpoint = bytes.Replace(broken.Checkpoint, []byte("\n10\n"), []byte("\n11\n"), 1)
	spare := log.request(10, h300, read300)
	spare.Proof = append(spare.Proof, Hash{})
	for name, c := range map[string]struct {
		last   Head
		ask    AddCheckpoint
		status int // 0: cosigned
	}{
		"first":                       {Empty(), log.request(0, h10, read10), 0},
		"next":                        {h10, log.request(10, h300, read300), 0},
		"the same again":              {h10, log.request(10, h10, read10), 0},
		"other old size":              {h10, log.request(9, h300, read300), 409},
		"first, once more":            {h10, log.request(0, h300, read300), 409},
		"rolled back":                 {h300, log.request(10, h10, read10), 409},
		"old beyond new":              {h300, AddCheckpoint{Old: 300, Checkpoint: log.sign(h10)}, 400},
		"another history":             {h10, log.request(10, other, readOther), 422},
		"another history, same size":  {h10, log.request(10, other10, readOther10), 409},
		"no proof":                    {h10, AddCheckpoint{Old: 10, Checkpoint: log.sign(h300)}, 422},
		"too much proof":              {h10, spare, 422},
		"proof from nothing":          {Empty(), AddCheckpoint{Proof: []Hash{{}}, Checkpoint: log.sign(h10)}, 422},
		"empty with a root":           {Empty(), AddCheckpoint{Checkpoint: log.sign(Head{Root: Hash{1}})}, 422},
		"signed by a stranger":        {Empty(), stranger.request(0, h10, read10), 403},
		"changed after it was signed": {Empty(), broken, 403},
		"no note":                     {Empty(), AddCheckpoint{Checkpoint: []byte("hello\n")}, 400},
		"no checkpoint":               {Empty(), AddCheckpoint{Checkpoint: []byte("hello\n\n— x AAAA\n")}, 400},
	} {
		_, signed, err := c.ask.Decide(c.last, log.known)
		if c.status == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if !bytes.Equal(signed, c.ask.Checkpoint) {
				t.Errorf("%s: what is to be cosigned is %q", name, signed)
			}
			continue
		}
		refused, ok := errors.AsType[*WitnessRefusal](err)
		if !ok || refused.Status != c.status || refused.Size != c.last.Size || refused.Error() == "" {
			t.Errorf("%s: %v, want status %d with size %d", name, err, c.status, c.last.Size)
			continue
		}
		if evidence := strings.HasPrefix(name, "another history"); evidence != (len(refused.Signed) > 0) && name != "no proof" && name != "too much proof" && name != "proof from nothing" && name != "empty with a root" {
			t.Errorf("%s: evidence %q", name, refused.Signed)
		}
	}
}

func TestCosignatureIsTheNotesOfXMod(t *testing.T) {
	t.Parallel()
	log := newAsking(t)
	skey, _, err := GenerateKey("witness.invalid/w1")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_679_315_147, 0)
	w, err := NewCosigner(skey, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	h, read := grown(t, 5, plain)
	ask := log.request(0, h, read)
	// A signature by an unknown key is dropped.
	other, _, err := GenerateKey("stranger.invalid")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := NewSigner(other)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(ask.Checkpoint, log.known)
	if err != nil {
		t.Fatal(err)
	}
	clean := ask.Checkpoint
	if ask.Checkpoint, err = note.Sign(n, stranger); err != nil {
		t.Fatal(err)
	}
	_, signed, err := ask.Decide(Empty(), log.known)
	if err != nil || !bytes.Equal(signed, clean) {
		t.Fatalf("%q, %v", signed, err)
	}
	cosigned, line, err := w.Cosign(signed)
	if err != nil {
		t.Fatal(err)
	}
	want, err := note.Sign(n, w)
	if err != nil || !bytes.Equal(cosigned, want) {
		t.Errorf("cosigned\n%s, x/mod writes\n%s (%v)", cosigned, want, err)
	}
	lines, by, err := ReadCosignatures(signed, []byte(line), note.VerifierList(w.Verifier()))
	if err != nil || lines != line || len(by) != 1 || by[0].Name != "witness.invalid/w1" || !by[0].Time.Equal(at) {
		t.Errorf("%q %v, %v", lines, by, err)
	}
	// An answer for another checkpoint, of another witness, or none is not taken.
	h6, read6 := grown(t, 6, plain)
	if _, _, err := ReadCosignatures(log.request(0, h6, read6).Checkpoint, []byte(line), note.VerifierList(w.Verifier())); !errors.Is(err, ErrUnsigned) {
		t.Errorf("an answer for another checkpoint: %v", err)
	}
	if _, _, err := ReadCosignatures(signed, []byte(line), log.known); !errors.Is(err, ErrUnsigned) {
		t.Errorf("an answer by an unknown witness: %v", err)
	}
	for _, answer := range []string{"", "hello\n", strings.TrimSuffix(line, "\n")} {
		if _, _, err := ReadCosignatures(signed, []byte(answer), note.VerifierList(w.Verifier())); !errors.Is(err, ErrMalformed) {
			t.Errorf("answer %q: %v", answer, err)
		}
	}
	// The log's own signature repeated is no witness's.
	_, own, err := splitNote(signed)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadCosignatures(signed, []byte(own), log.known); !errors.Is(err, ErrUnsigned) {
		t.Errorf("the log as its own witness: %v", err)
	}
}

func TestAddCheckpointReadsOneForm(t *testing.T) {
	t.Parallel()
	hash := base64Hash(Hash{1, 2, 3})
	full := AddCheckpoint{Old: 20852014, Proof: []Hash{{1, 2, 3}, {}}, Checkpoint: []byte("a\n1\nb\n\n— x AAAA\n")}
	want := "old 20852014\n" + hash + "\n" + base64Hash(Hash{}) + "\n\na\n1\nb\n\n— x AAAA\n"
	if got := string(full.Marshal()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got, err := ParseAddCheckpoint([]byte(want))
	if err != nil || !bytes.Equal(got.Marshal(), full.Marshal()) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ParseAddCheckpoint([]byte("old 0\n" + strings.Repeat(hash+"\n", 63) + "\nx")); err != nil {
		t.Errorf("63 hashes: %v", err)
	}
	for _, body := range []string{
		"", "old 1", "old 1\n", "old 01\n\nx", "old -1\n\nx", "old +1\n\nx", "old\n\nx", "old 1 \n\nx", "new 1\n\nx", "old 1\r\n\nx", "old 9223372036854775807\n\nx",
		"old 1\n" + hash + "\n", "old 1\n" + hash[:40] + "\n\nx", "old 1\n" + hash + " \n\nx",
		"old 0\n" + strings.Repeat(hash+"\n", 64) + "\nx", "old 0\n\n" + strings.Repeat("x", MaxAddCheckpoint),
	} {
		if a, err := ParseAddCheckpoint([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.60q was read as %+v, %v", body, a, err)
		}
	}
}

func FuzzParseAddCheckpoint(f *testing.F) {
	f.Add([]byte("old 0\n\nlog.invalid/exercise\n1\n" + base64Hash(Hash{}) + "\n\n— log.invalid/exercise AAAAAAA=\n"))
	f.Add([]byte("old 300\n" + base64Hash(Hash{1}) + "\n\nx"))
	f.Add([]byte("old 1\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAddCheckpoint(body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%v", err)
			}
			return
		}
		if !bytes.Equal(a.Marshal(), body) {
			t.Errorf("%q was read as %q", body, a.Marshal())
		}
		// Nobody signed it: it is never cosigned, whatever it says.
		if _, _, err := a.Decide(Empty(), note.VerifierList()); err == nil {
			t.Error("cosigned without a signature")
		}
	})
}

func FuzzReadCosignatures(f *testing.F) {
	log := newAsking(f)
	h, read := grown(f, 3, plain)
	signed := log.request(0, h, read).Checkpoint
	skey, _, err := GenerateKey("witness.invalid/w1")
	if err != nil {
		f.Fatal(err)
	}
	w, err := NewCosigner(skey, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	_, line, err := w.Cosign(signed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(line))
	f.Add([]byte(line + line))
	f.Add([]byte("— witness.invalid/w1 AAAA\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		lines, by, err := ReadCosignatures(signed, answer, note.VerifierList(w.Verifier()))
		if err == nil && (lines != line || len(by) != 1) {
			t.Errorf("%q gave %q", answer, lines)
		}
	})
}
