package formats_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/tlog"
)

// history is an invented log: three items of three events each, woven into each other.
func history(t testing.TB) []concert.RecordedEvent {
	t.Helper()
	var out []concert.RecordedEvent
	for i := range 9 {
		body, err := concert.CanonicalJSON(concert.ItemBody{Ref: fmt.Sprintf("IT-%d", i%3), Authority: "unit"})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, committed(concert.RecordedEvent{ID: concert.EventID(fmt.Sprintf("0190-%04d", i)), Index: int64(i), Kind: concert.EventItemSeconded, Version: 1, Subject: fmt.Sprintf("item-%d", i%3), Actor: "EXERCISE", At: int64(i), Body: body, Sealed: []byte("EXERCISE sealed")}))
	}
	return out
}

func committed(e concert.RecordedEvent) concert.RecordedEvent {
	salt := sha256.Sum256([]byte("EXERCISE salt " + e.ID))
	e.Salt = salt[:]
	c := tlog.Commit(e.Salt, e.Canonical(sha256.Sum256(e.Sealed)))
	e.Commit = c[:]
	return e
}

// erase takes the salts of a subject's events and appends the erasure.
func erase(t testing.TB, log []concert.RecordedEvent, subject string) []concert.RecordedEvent {
	t.Helper()
	h, n := sha256.New(), 0
	for i := range log {
		if log[i].Subject == subject {
			log[i].Salt, log[i].Sealed = nil, nil
			h.Write(log[i].Remains())
			n++
		}
	}
	body, err := concert.CanonicalJSON(concert.ErasureBody{Ref: "IT-" + strings.TrimPrefix(subject, "item-"), Authority: "unit", Code: concert.ErasureSubject, AskedBy: "asker", Events: n, Remains: hex.EncodeToString(h.Sum(nil))})
	if err != nil {
		t.Fatal(err)
	}
	return append(log, committed(concert.RecordedEvent{ID: concert.EventID(fmt.Sprintf("0190-%04d", len(log))), Index: int64(len(log)), Kind: concert.EventItemErased, Version: 1, Subject: subject, Actor: "EXERCISE", At: 99, Body: body}))
}

func checked(log []concert.RecordedEvent) formats.Verification {
	c := formats.NewEventChecker()
	a := tlog.NewAuditor(nil)
	for i, e := range log {
		e.Index = int64(i)
		c.Check(e)
		a.Add(tlog.Hash(e.Commit))
	}
	rep := a.Finish()
	return formats.Conclude(origin, formats.Compared{Head: tlog.Head{Size: rep.Size, Root: rep.Root}}, rep, c, time.Now())
}

func TestG20ErasedEventsAreAcceptedOnlyWithTheirErasure(t *testing.T) {
	t.Parallel()
	if v := checked(erase(t, erase(t, history(t), "item-1"), "item-0")); !v.Verified || v.Erased != 6 {
		t.Fatalf("two lawful erasures: %+v", v)
	}
	other := func(e concert.RecordedEvent, change func(*concert.RecordedEvent)) concert.RecordedEvent {
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		log []concert.RecordedEvent
		bad int64
	}{
		"no erasure":                     {erase(t, history(t), "item-1")[:9], 1},
		"the erasure of another":         {append(erase(t, history(t), "item-1")[:9], erase(t, history(t), "item-2")[9]), 1},
		"an erasure that itself is bare": {func() []concert.RecordedEvent { l := erase(t, history(t), "item-1"); l[9].Salt = nil; return l }(), 1},
		"an erasure that was changed":    {func() []concert.RecordedEvent { l := erase(t, history(t), "item-1"); l[9].At++; return l }(), 1},
		"a changed body": {func() []concert.RecordedEvent {
			l := erase(t, history(t), "item-1")
			l[4].Body = json.RawMessage(`{"ref":"IT-9","authority":"unit"}`)
			return l
		}(), 1},
		"a changed actor": {func() []concert.RecordedEvent { l := erase(t, history(t), "item-1"); l[7].Actor = "other"; return l }(), 1},
		"a sealed part that is left": {func() []concert.RecordedEvent {
			l := erase(t, history(t), "item-1")
			l[4].Sealed = []byte("x")
			return l
		}(), 4},
		"one event that kept its salt": {func() []concert.RecordedEvent { l := erase(t, history(t), "item-1"); l[4] = history(t)[4]; return l }(), 1},
		"one bare event more": {func() []concert.RecordedEvent {
			l := erase(t, history(t), "item-1")
			l[3].Salt, l[3].Subject = nil, "item-1"
			return l
		}(), 1},
		"one bare event after it":         {append(erase(t, history(t), "item-1"), other(history(t)[1], func(e *concert.RecordedEvent) { e.Salt, e.Sealed = nil, nil })), 10},
		"an erasure of what was not bare": {append(history(t), erase(t, history(t), "item-1")[9]), 9},
		"two bare events changed over": {func() []concert.RecordedEvent {
			l := erase(t, history(t), "item-1")
			l[1], l[4] = l[4], l[1]
			return l
		}(), 1},
	} {
		v := checked(c.log)
		if v.Verified || v.FirstBad != c.bad || !strings.Contains(v.Problem, "event") {
			t.Errorf("%s: verified %v, first bad %d (want %d): %s", name, v.Verified, v.FirstBad, c.bad, v.Problem)
		}
	}
}

// proof is a proof of the first erasure in an invented log.
func proof(t testing.TB) (concert.ErasureProof, []byte) {
	t.Helper()
	skey, vkey, err := tlog.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tlog.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	log := erase(t, history(t), "item-1")
	var leaves []tlog.Hash
	for _, e := range log {
		leaves = append(leaves, tlog.LeafHash(tlog.Hash(e.Commit)))
	}
	head, tiles, err := tlog.Grow(tlog.Empty(), leaves, nil)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Head: head}, signer)
	if err != nil {
		t.Fatal(err)
	}
	path, err := tlog.InclusionProof(head.Size, 9, func(id tlog.TileID) ([]byte, error) {
		for _, tile := range tiles {
			if tile.Level == id.Level && tile.Index == id.Index {
				return tile.Data[:32*id.Width], nil
			}
		}
		return nil, fmt.Errorf("no tile %s", id.Path())
	})
	if err != nil {
		t.Fatal(err)
	}
	p := concert.ErasureProof{Format: concert.ErasureProofFormat, Origin: origin, LogKey: vkey, Exercise: true, Item: "IT-1", Event: string(log[9].Canonical([32]byte{})), Salt: log[9].Salt, Index: 9, Checkpoint: string(msg)}
	for _, h := range path {
		p.Inclusion = append(p.Inclusion, h[:])
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, text
}

func TestG22ProofOfErasureVerifiesOfflineAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	p, text := proof(t)
	if got := formats.FormatOf(text[:40]); got != concert.ErasureProofFormat {
		t.Errorf("the document's first bytes say %q", got)
	}
	v, err := formats.VerifyErasure(bytes.NewReader(text), p.LogKey, nil)
	if err != nil || !v.Verified || !v.SelfAttested || v.Erased != 3 || v.Erasure == nil || v.Erasure.Item != "IT-1" || v.Size != 10 {
		t.Fatalf("%+v, %v", v, err)
	}
	_, another, err := tlog.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := formats.VerifyErasure(bytes.NewReader(text), another, nil); err != nil || v.Verified {
		t.Errorf("with another key pinned: %+v, %v", v, err)
	}
	for name, change := range map[string]func(*concert.ErasureProof){
		"another item":       func(p *concert.ErasureProof) { p.Item = "IT-2" },
		"another event":      func(p *concert.ErasureProof) { p.Event = strings.Replace(p.Event, "IT-1", "IT-2", 1); p.Item = "IT-2" },
		"another kind":       func(p *concert.ErasureProof) { p.Event = strings.Replace(p.Event, "item.erased", "item.referred", 1) },
		"no event":           func(p *concert.ErasureProof) { p.Event = "" },
		"another salt":       func(p *concert.ErasureProof) { p.Salt[0]++ },
		"no salt":            func(p *concert.ErasureProof) { p.Salt = nil },
		"another index":      func(p *concert.ErasureProof) { p.Index = 8 },
		"a negative index":   func(p *concert.ErasureProof) { p.Index = -1 },
		"no path":            func(p *concert.ErasureProof) { p.Inclusion = nil },
		"a short hash":       func(p *concert.ErasureProof) { p.Inclusion[0] = p.Inclusion[0][:31] },
		"another checkpoint": func(p *concert.ErasureProof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n10\n", "\n11\n", 1) },
	} {
		var q concert.ErasureProof
		if err := json.Unmarshal(text, &q); err != nil {
			t.Fatal(err)
		}
		change(&q)
		raw, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := formats.VerifyErasure(bytes.NewReader(raw), p.LogKey, nil); err != nil || v.Verified || v.Problem == "" {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	for name, raw := range map[string]string{"nothing": "", "no JSON": "x", "another format": `{"format":"concert-export/1"}`, "too long": `{"format":"concert-erasure/1","item":"` + strings.Repeat("x", 70_000) + `"}`} {
		if _, err := formats.VerifyErasure(strings.NewReader(raw), "", nil); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func FuzzErasureProof(f *testing.F) {
	p, text := proof(f)
	f.Add(text)
	f.Add([]byte(`{"format":"concert-erasure/1"}`))
	f.Add([]byte(strings.Replace(string(text), `"index":9`, `"index":9223372036854775807`, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		formats.FormatOf(raw)
		v, err := formats.VerifyErasure(bytes.NewReader(raw), p.LogKey, nil)
		if err != nil {
			return
		}
		// Whatever else stands in the document, only the one event under the one head verifies.
		if v.Verified && (v.Erasure.Item != "IT-1" || v.Erased != 3) {
			t.Errorf("verified: %+v", v)
		}
		if !v.Verified && v.Problem == "" {
			t.Error("refused without a reason")
		}
	})
}
