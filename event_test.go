package concert_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

func TestCanonicalEventIsTheseBytes(t *testing.T) {
	t.Parallel()
	e := concert.RecordedEvent{ID: "0197f0c0-0000-7000-8000-000000000001", Kind: concert.EventItemSubmitted, Version: 1, Subject: "item \"1\"\n", Actor: "person", At: 1574337600000001, Body: []byte(`{"authority":"north","ref":"IT-1"}`)}
	want := `{"actor":"person","at":"1574337600000001","body":{"authority":"north","ref":"IT-1"},"id":"0197f0c0-0000-7000-8000-000000000001","kind":"item.submitted","sealed":"","subject":"item \"1\"\n","version":1}`
	if got := string(e.Canonical(sha256.Sum256(nil))); got != want {
		t.Errorf("without a sealed part:\n got %s\nwant %s", got, want)
	}
	e.Sealed = []byte("ciphertext")
	want = `{"actor":"person","at":"1574337600000001","body":{"authority":"north","ref":"IT-1"},"id":"0197f0c0-0000-7000-8000-000000000001","kind":"item.submitted","sealed":"305531dcc50ebca31cf1d5b31e9fc76ed51f66b3b6dd5a030c6539ae6532f979","subject":"item \"1\"\n","version":1}`
	if got := string(e.Canonical(sha256.Sum256(e.Sealed))); got != want {
		t.Errorf("with a sealed part:\n got %s\nwant %s", got, want)
	}
}

// What Canonical writes by hand is what RFC 8785 asks for, whatever stands in the texts.
func TestCanonicalEventIsRFC8785(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body, err := concert.CanonicalJSON(concert.ItemBody{Ref: rapid.String().Draw(t, "ref"), Countries: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "countries"), Given: rapid.IntRange(-5, 5).Draw(t, "given")})
		if err != nil {
			t.Fatal(err)
		}
		e := concert.RecordedEvent{ID: "id", Kind: concert.EventKind(rapid.String().Draw(t, "kind")), Version: rapid.IntRange(1, 99).Draw(t, "version"), Subject: rapid.String().Draw(t, "subject"), Actor: concert.PersonID(rapid.String().Draw(t, "actor")),
			At: rapid.Int64().Draw(t, "at"), Body: body, Sealed: rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "sealed")}
		got := e.Canonical(sha256.Sum256(e.Sealed))
		want, err := concert.CanonicalJSON(json.RawMessage(got))
		if err != nil || string(want) != string(got) {
			t.Fatalf("Canonical gives\n%s\nits canonical form is\n%s (%v)", got, want, err)
		}
	})
}

func TestG19CommitmentCoversEveryFieldOfAnEvent(t *testing.T) {
	t.Parallel()
	e := concert.RecordedEvent{ID: "id", Kind: "kind", Version: 1, Subject: "subject", Actor: "actor", At: 1, Body: []byte(`{}`), Sealed: []byte("sealed")}
	text := func(e concert.RecordedEvent) string { return string(e.Canonical(sha256.Sum256(e.Sealed))) }
	whole := text(e)
	for name, change := range map[string]func(*concert.RecordedEvent){
		"id": func(e *concert.RecordedEvent) { e.ID = "other" }, "kind": func(e *concert.RecordedEvent) { e.Kind = "other" }, "version": func(e *concert.RecordedEvent) { e.Version = 2 },
		"subject": func(e *concert.RecordedEvent) { e.Subject = "other" }, "actor": func(e *concert.RecordedEvent) { e.Actor = "other" }, "at": func(e *concert.RecordedEvent) { e.At = 2 },
		"body": func(e *concert.RecordedEvent) { e.Body = []byte(`{"a":1}`) }, "sealed": func(e *concert.RecordedEvent) { e.Sealed = []byte("Sealed") }, "erased": func(e *concert.RecordedEvent) { e.Sealed = nil },
	} {
		changed := e
		change(&changed)
		if text(changed) == whole {
			t.Errorf("a changed %s is not committed to", name)
		}
	}
}

func TestEventBodiesHoldNoFreeTextAndNoPlace(t *testing.T) {
	t.Parallel()
	it := openItem()
	it.Location = concert.Location{Kind: "web", Canonical: "https://secret.example/x", Submitted: "https://secret.example/x", Display: "secret"}
	it, found, err := concert.Found(officer("ann"), it, noon)
	if err != nil {
		t.Fatal(err)
	}
	a := judgement()
	a.Facts, a.Judgement, a.Mark = "secret facts here", "secret judgement here", "secret mark"
	it, _, judged, err := it.Assessed(officer("ann"), a, scopeList(), noon)
	if err != nil {
		t.Fatal(err)
	}
	_, _, decided, err := it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Reject, Ground: "secret ground, long enough"}, nil, scopeList(), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []concert.Event{found, judged, decided} {
		body, err := json.Marshal(e.Body)
		if err != nil || bytes.Contains(body, []byte("secret")) || e.Sealed == nil {
			t.Errorf("%s: body %s, sealed %v, %v", e.Kind, body, e.Sealed, err)
		}
	}
}

func TestEventIDsOfOneActAreNeighboursInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var base [16]byte
		copy(base[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "base"))
		base[6] = base[6]&0x0f | 0x70
		base[8] = base[8]&0x1f | 0x80 // an act of 2^61 events does not happen
		n := rapid.IntRange(1, 50_000).Draw(t, "events")
		first, last, next := concert.EventIDAt(base, 0), concert.EventIDAt(base, n), concert.EventIDAt(base, n+1)
		if first >= last || last >= next || len(first) != 36 || len(next) != 36 {
			t.Fatalf("%s, %s, %s are not in order", first, last, next)
		}
		for _, id := range []concert.EventID{first, last, next} {
			if id[14] != '7' || id[19] < '8' || id[19] > 'b' || id[:18] != first[:18] {
				t.Fatalf("%s is no UUIDv7 of the same act as %s", id, first)
			}
		}
	})
}

func TestCaseTimeRunsAsFastAsItSays(t *testing.T) {
	t.Parallel()
	wall := time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("X", 3600))
	if got := (concert.CaseTime{}).At(wall); !got.Equal(wall) || got.Location() != time.UTC {
		t.Errorf("live: %v", got)
	}
	if got := (concert.CaseTime{}).Wall(time.Hour); got != time.Hour {
		t.Errorf("live: an hour takes %v", got)
	}
	c := concert.CaseTime{Since: wall, Start: noon, Rate: 3600}
	for _, x := range []struct{ wall, want time.Duration }{{0, 0}, {time.Second, time.Hour}, {-time.Second, -time.Hour}, {24 * time.Second, 24 * time.Hour}} {
		if got := c.At(wall.Add(x.wall)); !got.Equal(noon.Add(x.want)) {
			t.Errorf("%v after the start: %v", x.wall, got)
		}
	}
	if got := c.Wall(48 * time.Hour); got != 48*time.Second {
		t.Errorf("two days take %v on the wall", got)
	}
}

func TestMicrosRoundTrip(t *testing.T) {
	t.Parallel()
	if concert.Micros(time.Time{}) != 0 || !concert.FromMicros(0).IsZero() {
		t.Error("no time is not 0")
	}
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(1, 4_000_000_000_000_000).Draw(t, "microseconds")
		if got := concert.Micros(concert.FromMicros(us)); got != us {
			t.Fatalf("%d comes back as %d", us, got)
		}
	})
}

func TestEveryClockHasItsJob(t *testing.T) {
	t.Parallel()
	for _, k := range []concert.ClockKind{concert.ClockDispatch, concert.ClockDeliver, concert.ClockRecheck, concert.ClockRemind, concert.ClockHold, concert.ClockProbe, concert.ClockOverride, concert.ClockErase, concert.ClockCaptures, concert.ClockCaseReview, concert.ClockIncident, concert.ClockWatch, concert.ClockConsignment, concert.ClockAnalysis} {
		j, err := concert.Clock{Kind: k, Subject: "subject"}.JobFor()
		if err != nil || j.Kind() != string(k) {
			t.Errorf("%s: %v, %v", k, j, err)
		}
		text, err := json.Marshal(j)
		if err != nil || !bytes.Contains(text, []byte("subject")) {
			t.Errorf("%s: job %s, %v", k, text, err)
		}
	}
	if _, err := (concert.Clock{Kind: "newer"}).JobFor(); code(err) != "clock.kind" {
		t.Errorf("a clock of a newer version: %v", err)
	}
}
