package formats_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/internal/formats"
	"concert/tlog"
)

const (
	origin = "exercise.invalid/bundle"
	events = 300 // one full tile and a partial one
)

// exported is a bundle with what made it.
type exported struct {
	lines [][]byte // without line ends: header, events, tiles, checkpoint
	key   string
}

func (x exported) text() []byte { return append(bytes.Join(x.lines, []byte("\n")), '\n') }

// recorded is event i of an invented log: a tenth are items, the rest readings.
func recorded(t testing.TB, i int) concert.RecordedEvent {
	t.Helper()
	e := concert.RecordedEvent{ID: concert.EventID(fmt.Sprintf("0190-%04d", i)), Index: int64(i), Kind: concert.EventConsulted, Version: 1, Subject: fmt.Sprintf("subject-%d", i), Actor: "EXERCISE", At: int64(1574323200000000 + i), Body: json.RawMessage(`{}`)}
	if i%10 == 0 {
		body, err := concert.CanonicalJSON(concert.ItemBody{Ref: fmt.Sprintf("IT-%d", i), Action: "action", Authority: "unit", To: &concert.Facet{Status: concert.ItemOpen}})
		if err != nil {
			t.Fatal(err)
		}
		e.Kind, e.Body, e.Sealed = concert.EventItemSubmitted, body, fmt.Appendf(nil, "sealed %d", i)
	}
	salt := sha256.Sum256(fmt.Appendf(nil, "EXERCISE salt %d", i))
	e.Salt = salt[:]
	c := tlog.Commit(e.Salt, e.Canonical(sha256.Sum256(e.Sealed)))
	e.Commit = c[:]
	return e
}

// export writes a bundle of n events, cosigned by the witnesses.
func export(t testing.TB, n int, witnesses ...note.Signer) exported {
	t.Helper()
	skey, vkey, err := tlog.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tlog.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := formats.NewBundleWriter(&out, formats.BundleHeader{Origin: origin, LogKey: vkey, ExportedAt: "2019-11-24T20:00:00.000Z", Exercise: true})
	if err != nil {
		t.Fatal(err)
	}
	var leaves []tlog.Hash
	for i := range n {
		e := recorded(t, i)
		leaves = append(leaves, tlog.LeafHash(tlog.Hash(e.Commit)))
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	head, tiles, err := tlog.Grow(tlog.Empty(), leaves, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tile := range tiles {
		if err := w.Tile(tile); err != nil {
			t.Fatal(err)
		}
	}
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Head: head}, append([]note.Signer{signer}, witnesses...)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(string(msg)); err != nil {
		t.Fatal(err)
	}
	return exported{bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n")), vkey}
}

func verify(t testing.TB, x exported, key string, witnesses ...string) formats.Verification {
	t.Helper()
	v, err := formats.VerifyBundle(bytes.NewReader(x.text()), key, witnesses)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAWholeBundleVerifiesAndRecounts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 255, 256, 257, events} {
		x := export(t, n)
		v := verify(t, x, x.key)
		if !v.Verified || v.Problem != "" || v.FirstBad != -1 || v.Size != int64(n) || !v.SelfAttested || !v.Exercise || v.Origin != origin {
			t.Errorf("%d events: %+v", n, v)
		}
		if got, want := v.Counts.Totals("action")[concert.Unique], int64(n+9)/10; got != want {
			t.Errorf("%d events recount to %d items, want %d", n, got, want)
		}
	}
}

func TestAWitnessedBundleIsNotSelfAttested(t *testing.T) {
	t.Parallel()
	skey, _, err := tlog.GenerateKey("witness.invalid/w1")
	if err != nil {
		t.Fatal(err)
	}
	witness, err := tlog.NewCosigner(skey, func() time.Time { return time.Unix(1574323200, 0) })
	if err != nil {
		t.Fatal(err)
	}
	x := export(t, 5, witness)
	if v := verify(t, x, x.key, witness.Verifier().String()); !v.Verified || v.SelfAttested || !slices.Equal(v.Witnesses, []string{"witness.invalid/w1"}) {
		t.Errorf("with the witness's key: %+v", v)
	}
	if v := verify(t, x, x.key); !v.Verified || !v.SelfAttested {
		t.Errorf("a witness that the reader does not know vouches for nothing: %+v", v)
	}
}

// edit changes the event in a line.
func edit(t testing.TB, x exported, line int, change func(*concert.RecordedEvent)) {
	t.Helper()
	var l struct {
		Event *concert.RecordedEvent `json:"event"`
	}
	if err := json.Unmarshal(x.lines[line], &l); err != nil || l.Event == nil {
		t.Fatalf("line %d holds no event: %v", line, err)
	}
	change(l.Event)
	var err error
	if x.lines[line], err = json.Marshal(l); err != nil {
		t.Fatal(err)
	}
}

func TestTamperingNamesTheFirstBadEvent(t *testing.T) {
	t.Parallel()
	const at = 120 // an item's event; its line is at+1
	for name, c := range map[string]struct {
		do       func(*exported)
		firstBad int64
		says     string
	}{
		"changed body": {func(x *exported) {
			edit(t, *x, at+1, func(e *concert.RecordedEvent) {
				e.Body = json.RawMessage(strings.Replace(string(e.Body), "IT-120", "IT-121", 1))
			})
		}, at, "event 120"},
		"changed time":  {func(x *exported) { edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.At++ }) }, at, "event 120"},
		"changed actor": {func(x *exported) { edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Actor = "somebody" }) }, at, "event 120"},
		"changed sealed part": {func(x *exported) {
			edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Sealed = []byte("other") })
		}, at, "event 120"},
		"removed sealed part": {func(x *exported) { edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Sealed = nil }) }, at, "event 120"},
		"removed salt":        {func(x *exported) { edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Salt = nil }) }, at, "event 120"},
		"changed commit":      {func(x *exported) { edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Commit[7] ^= 1 }) }, at, "event 120"},
		"short commit":        {func(x *exported) { edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Commit = e.Commit[:31] }) }, at, "event 120"},
		"changed body and commit": {func(x *exported) {
			edit(t, *x, at+1, func(e *concert.RecordedEvent) {
				e.Body = json.RawMessage(`{}`)
				c := tlog.Commit(e.Salt, e.Canonical(sha256.Sum256(e.Sealed)))
				e.Commit = c[:]
			})
		}, at, "120"},
		"dropped event": {func(x *exported) { x.lines = slices.Delete(x.lines, at+1, at+2) }, at, "event 120 is missing"},
		"dropped and renumbered": {func(x *exported) {
			x.lines = slices.Delete(x.lines, at+1, at+2)
			for i := at + 1; i < events; i++ {
				edit(t, *x, i, func(e *concert.RecordedEvent) { e.Index-- })
			}
		}, at, "120"},
		"reordered events": {func(x *exported) { x.lines[at+1], x.lines[at+2] = x.lines[at+2], x.lines[at+1] }, at, "event 120"},
		"reordered and renumbered": {func(x *exported) {
			x.lines[at+1], x.lines[at+2] = x.lines[at+2], x.lines[at+1]
			edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Index = at })
			edit(t, *x, at+2, func(e *concert.RecordedEvent) { e.Index = at + 1 })
		}, at, "120"},
		"doubled event": {func(x *exported) { x.lines = slices.Insert(x.lines, at+1, x.lines[at+1]) }, at + 1, "event 121"},
		"added event": {func(x *exported) {
			more, err := json.Marshal(map[string]any{"event": recorded(t, events)})
			if err != nil {
				t.Fatal(err)
			}
			x.lines = slices.Insert(x.lines, events+1, more)
		}, events, "event 300"},
		"last events dropped": {func(x *exported) { x.lines = slices.Delete(x.lines, 296, events+1) }, 295, "leaf 295"},
		"unreadable body": {func(x *exported) {
			edit(t, *x, at+1, func(e *concert.RecordedEvent) { e.Body = json.RawMessage(`[]`) })
		}, at, "event 120"},
		"cut before the checkpoint": {func(x *exported) { x.lines = x.lines[:len(x.lines)-1] }, -1, "cut off"},
		"cut in the middle":         {func(x *exported) { x.lines = x.lines[:at] }, -1, "cut off"},
		"header of another log": {func(x *exported) {
			x.lines[0] = bytes.Replace(x.lines[0], []byte(origin), []byte("other.invalid/log"), 1)
		}, -1, "checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := export(t, events)
			c.do(&x)
			v := verify(t, x, x.key)
			if v.Verified {
				t.Fatal("it verifies")
			}
			if v.FirstBad != c.firstBad || !strings.Contains(v.Problem, c.says) {
				t.Errorf("first bad %d, problem %q; want %d, %q", v.FirstBad, v.Problem, c.firstBad, c.says)
			}
		})
	}
}

func TestABundleOfAnotherKeyIsNotTheLogs(t *testing.T) {
	t.Parallel()
	x, other := export(t, 5), export(t, 5)
	if v := verify(t, x, other.key); v.Verified || !strings.Contains(v.Problem, "checkpoint") {
		t.Errorf("%+v", v)
	}
	if v := verify(t, x, ""); !v.Verified || !v.SelfAttested {
		t.Errorf("with its own key: %+v", v)
	}
	if v := verify(t, x, "no key"); v.Verified || !strings.Contains(v.Problem, "log key") {
		t.Errorf("%+v", v)
	}
}

func TestWhatIsNoBundleSaysTheLine(t *testing.T) {
	t.Parallel()
	x := export(t, 3)
	half := x.text()[:len(x.text())/2]
	for name, c := range map[string]struct{ text, says string }{
		"empty":         {"", "line 1"},
		"other format":  {`{"format":"concert-export/2"}`, "concert-export/2"},
		"no JSON":       {"hello\n", "line 1"},
		"cut in a line": {string(half), fmt.Sprintf("line %d", bytes.Count(half, []byte("\n"))+1)},
		"bad tile":      {string(x.lines[0]) + "\n" + `{"tile":{"path":"tile/0/1","data":""}}`, "line 2"},
		"endless line":  {string(x.lines[0]) + "\n" + strings.Repeat("x", 5<<20), "too long"},
	} {
		v, err := formats.VerifyBundle(strings.NewReader(c.text), "", nil)
		if err == nil || v.Verified || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.says)
		}
	}
}

func FuzzVerifyBundle(f *testing.F) {
	x := export(f, 3)
	whole := x.text()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"format":"concert-export/1"}` + "\n" + `{"event":{"index":0}}` + "\n" + `{"checkpoint":"x"}`))
	f.Add([]byte(`{"format":"concert-export/1"}` + "\n" + `{"tile":{"path":"tile/0/000.p/1","data":"AA=="}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := formats.VerifyBundle(bytes.NewReader(text), x.key, nil)
		if err != nil || !v.Verified {
			return
		}
		// Only the log's own history carries its signature: whatever verifies says the same as the original.
		if want := verify(t, x, x.key); v.Root != want.Root || v.Size != want.Size || v.Counts.Totals("action")[concert.Unique] != want.Counts.Totals("action")[concert.Unique] {
			t.Fatalf("a changed bundle verifies: %+v", v)
		}
	})
}
