package casework_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
)

// journal is a process log that the test can read.
type journal struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write takes one line.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// sealings are the words that bind what is sealed under a subject's key.
var sealings = []string{"item", "assessment", "approval", "answer", "remedy", "event", "referral", "referral.frame", "referral_item", "erasure", "hold", "hold contact", "second_look", "reason", "grounds", "message", "capture", "atrocity", "preservation", "slip"}

// readAll is every column of every row of every table as text: as it stands there, and opened with every key that is left.
func readAll(t *testing.T, h *testkit.House) string {
	t.Helper()
	raw := testkit.Raw(t, h.Service)
	var out strings.Builder
	var blobs [][]byte
	for _, c := range testkit.Cells(t, raw, h.DB.Dialect()) {
		fmt.Fprintf(&out, "%s.%s %s %x\n", c.Table, c.Column, c.Text, c.Bytes)
		if len(c.Bytes) > 0 {
			blobs = append(blobs, c.Bytes)
		}
	}
	ring := testkit.Ring(t)
	answers := ring.Derive("stored answers")
	names := testkit.Column(t, raw, "SELECT name FROM idempotency")
	for subject, wrapped := range testkit.SubjectKeys(t, raw) {
		key, err := ring.UnwrapKey(wrapped, []byte(subject))
		testkit.Must(t, err)
		s := identity.NewSealer(key)
		for _, b := range blobs {
			for _, what := range sealings {
				if text, err := s.Open(b, []byte(what+":"+subject)); err == nil {
					fmt.Fprintf(&out, "opened %s of %s: %s\n", what, subject, text)
					var e concert.Envelope
					if json.Unmarshal(text, &e) == nil {
						fmt.Fprintf(&out, "payload %s\n", e.Payload)
					}
				}
			}
		}
	}
	for _, b := range blobs {
		for _, name := range names {
			if text, err := identity.Open(answers, b, []byte(name)); err == nil {
				fmt.Fprintf(&out, "opened answer %s: %s\n", name, text)
			}
		}
	}
	return out.String()
}

const (
	erasedPlace = "http://video.example/watch?v=canaryplace1"
	keptPlace   = "http://video.example/watch?v=keptplace22"
)

// canaries are what must be gone with the item, one for each place where text of it is kept.
var canaries = []string{"canaryplace1", "canary facts", "canary judgement", "canary mark", "canary corner", "canary ground", "canary note", "canary forward", "canary correction", "canary answer stored", "canary reason to erase", "canary legal", strings.Repeat("cafe", 16)}

// planted takes two items through the whole chain in one referral, the first with a canary in every text, and returns both and the referral.
func planted(t *testing.T, h *testkit.House) (gone, kept, referral string) {
	t.Helper()
	ctx := t.Context()
	h.At(day, brisk)
	items, err := h.SubmitItems(ctx, h.North.Officers[0], []casework.Submission{
		{Location: erasedPlace, Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "A1", Source: "form", SHA256: strings.Repeat("cafe", 16), Captures: testkit.Seen(erasedPlace)},
		{Location: keptPlace, Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "A1", Source: "form", Captures: testkit.Seen(keptPlace)}})
	testkit.Must(t, err)
	a := testkit.Judgement()
	a.Facts, a.Judgement, a.Mark, a.MarkWhere = "EXERCISE canary facts", "EXERCISE canary judgement", "canary mark", "canary corner"
	b := testkit.Judgement()
	b.Facts = "EXERCISE what is kept"
	judged, err := h.AssessItems(ctx, h.North.Officers[0], []casework.Judging{{Item: items[0].Ref, Version: 1, Outlet: h.Outlet.Ref, Assessment: a}, {Item: items[1].Ref, Version: 1, Outlet: h.Outlet.Ref, Assessment: b}})
	testkit.Must(t, err)
	for i, ground := range []string{"EXERCISE canary ground of twenty characters", ""} {
		out, err := h.DecideItems(ctx, h.North.Reviewers[0], []casework.Deciding{{Item: items[i].Ref, Version: judged[i].Version, Decision: concert.Approve, Ground: ground}})
		if err != nil || out[0].Err != nil {
			t.Fatal(err, outcomes(out))
		}
	}
	stop := testkit.Run(t, h.Service)
	referral = sent(h, t, items[0].Ref)
	stop()
	answer(h, t, h.Answerer, referral, concert.Answer{Code: concert.AnswerNotOurs, Note: "EXERCISE canary note", Forwarded: "canary forward"}, items[0].Ref)
	out, err := h.RemedyItems(ctx, h.North.Officers[0], []casework.Remedying{{Item: items[0].Ref, Version: h.Item(items[0].Ref).Version, Kind: concert.RemedyCorrection, Reason: "EXERCISE canary correction"}})
	if err != nil || out[0].Err != nil {
		t.Fatal(err, out)
	}
	_, err = h.Observe(ctx, h.North.Officers[0], items[0].Ref, h.Item(items[0].Ref).Version, concert.ObservedDown, "EXERCISE desk")
	testkit.Must(t, err)
	raw := testkit.Raw(t, h.Service)
	_, err = raw.Exec("UPDATE recheck SET digest = '" + strings.Repeat("cafe", 16) + "'")
	testkit.Must(t, err)
	for _, s := range []casework.StoredAnswer{{Status: 200, Body: []byte("canary answer stored"), Item: items[0].Ref}, {Status: 200, Body: []byte("kept answer stored"), Item: items[1].Ref}} {
		testkit.Must(t, h.Keep(ctx, h.North.Officers[0].Person, "key of "+s.Item, []byte(s.Body), s))
	}
	return items[0].Ref, items[1].Ref, referral
}

// erased asks for an item's erasure and confirms it.
func erased(t *testing.T, h *testkit.House, ref string) {
	t.Helper()
	testkit.Must(t, h.AskErasure(t.Context(), h.North.Officers[0], ref, h.Item(ref).Version, concert.ErasureSubject, "EXERCISE canary reason to erase"))
	testkit.Must(t, h.EraseItem(t.Context(), h.North.Reviewers[0], ref, h.Item(ref).Version))
}

// digests counts what is left of the bytes' keyed digest of an item.
func digests(t *testing.T, h *testkit.House, id concert.ItemID) (n int) {
	t.Helper()
	testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT (SELECT count(*) FROM item WHERE content IS NOT NULL AND id = '"+string(id)+"') + (SELECT count(*) FROM approval a JOIN assessment s ON s.id = a.assessment WHERE a.content IS NOT NULL AND s.item = '"+string(id)+"')").Scan(&n))
	return n
}

func tallies(t *testing.T, h *testkit.House) (d concert.Deltas) {
	t.Helper()
	testkit.Must(t, h.DB.View(t.Context(), func(tx *store.Tx) (err error) { d, err = tx.Tallies(t.Context(), h.Action.ID); return err }))
	return d
}

func TestG20NothingOfAnErasedItemIsLeft(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		var log journal
		h.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		gone, kept, referral := planted(t, h)
		testkit.Must(t, h.PlaceLegalHold(ctx, h.North.Reviewers[0], gone, h.Item(gone).Version, "EXERCISE canary legal"))
		testkit.Must(t, h.LiftLegalHold(ctx, h.North.Reviewers[1], gone, h.Item(gone).Version, "EXERCISE canary legal, lifted"))
		testkit.Must(t, h.AskErasure(ctx, h.North.Officers[0], gone, h.Item(gone).Version, concert.ErasureSubject, "EXERCISE canary reason to erase"))
		before := readAll(t, h)
		for _, c := range canaries {
			if !strings.Contains(before, c) {
				t.Errorf("%q was not planted, or is not found where it is: the search after the erasure would show nothing", c)
			}
		}
		counted := tallies(t, h)
		v := h.Item(gone)
		if n := digests(t, h, v.ID); n != 2 {
			t.Errorf("%d digests of its bytes before the erasure, not those of item and approval", n)
		}
		raw := testkit.Raw(t, h.Service)
		wrapped := testkit.SubjectKeys(t, raw)[string(v.ID)]
		var sealed []byte
		testkit.Must(t, raw.QueryRow("SELECT sealed FROM item WHERE ref = '"+gone+"'").Scan(&sealed))
		digest := h.DB.Place(v.Location.Kind, v.Location.Canonical)

		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[0], gone, v.Version))

		if n := digests(t, h, v.ID); n != 0 {
			t.Errorf("%d digests of its bytes are left", n)
		}
		after := readAll(t, h)
		for _, c := range append(canaries, hex.EncodeToString(wrapped), hex.EncodeToString(sealed), hex.EncodeToString(digest[:])) {
			if i := strings.Index(after, c); i >= 0 {
				t.Errorf("after the erasure %.40q is left: %.300s", c, after[strings.LastIndex(after[:i], "\n")+1:])
			}
		}
		for _, c := range []string{"keptplace22", "what is kept", "kept answer stored"} {
			if !strings.Contains(after, c) {
				t.Errorf("the erasure took %q of another item with it", c)
			}
		}
		if diff := cmp.Diff(counted, tallies(t, h)); diff != "" {
			t.Errorf("the erasure changed the counters:\n%s", diff)
		}
		inFiles(t, h, wrapped, sealed)
		var bundle bytes.Buffer
		testkit.Must(t, h.Export(ctx, &bundle))
		for _, c := range append(canaries, base64.StdEncoding.EncodeToString(sealed)) {
			if bytes.Contains(bundle.Bytes(), []byte(c)) {
				t.Errorf("the export bundle holds %q", c)
			}
			if strings.Contains(log.text(), c) {
				t.Errorf("the process log holds %q", c)
			}
		}
		verified(t, h, bundle.Bytes())
		partly(t, h, referral, kept)
		over(t, h, gone, v.Version)
	})
}

// inFiles looks for erased bytes in the embedded database's files as they lie on the disk.
func inFiles(t *testing.T, h *testkit.House, secrets ...[]byte) {
	t.Helper()
	if h.DB.Dialect() != "sqlite" {
		return
	}
	testkit.Await(t, "the write-ahead file to be emptied", func() bool {
		done, err := h.DB.Scrub(t.Context())
		testkit.Must(t, err)
		return done
	})
	for _, name := range []string{"", "-wal"} {
		text, err := os.ReadFile(testkit.AddressOf(t, h.Service) + name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, s := range secrets {
			if bytes.Contains(text, s) {
				t.Errorf("the file %s holds %x", name, s)
			}
		}
	}
}

func verified(t *testing.T, h *testkit.House, bundle []byte) {
	t.Helper()
	v, err := h.VerifyLog(t.Context(), nil)
	if err != nil || !v.Verified || v.Erased == 0 {
		t.Errorf("the log after an erasure: %+v, %v", v, err)
	}
	v, err = formats.VerifyBundle(bytes.NewReader(bundle), h.LogKey, nil)
	if err != nil || !v.Verified || v.Erased == 0 {
		t.Errorf("the bundle after an erasure: %+v, %v", v, err)
	}
}

// partly sees that a referral shows what is left of it and no signature.
func partly(t *testing.T, h *testkit.House, referral, kept string) {
	t.Helper()
	r, err := h.ReadReferral(t.Context(), testkit.Scope(t, h.Answerer), referral)
	testkit.Must(t, err)
	if len(r.Items) != 1 || r.Items[0].Ref != kept || len(r.Payload.Items) != 1 || r.Payload.Items[0].Ref != kept || r.Payload.Items[0].Location.Submitted != keptPlace {
		t.Errorf("of the referral is left: %+v", r.Payload.Items)
	}
	if r.Erased != 1 || len(r.Digest) != 64 || len(r.Signed.Signatures) != 0 || len(r.Signed.Payload) != 0 || r.Payload.Voluntary != concert.VoluntaryNotice {
		t.Errorf("%d erased, digest %q, %d signatures", r.Erased, r.Digest, len(r.Signed.Signatures))
	}
}

// over sees that nothing can be done with an erased item, that it shows nothing, and that its place can be found anew.
func over(t *testing.T, h *testkit.House, ref string, version int64) {
	t.Helper()
	ctx := t.Context()
	v := h.Item(ref)
	if v.ErasedAt.IsZero() || v.Erasure.Code != concert.ErasureSubject || v.Location != (concert.Location{}) || v.Judged.ID != "" || v.Language != "" || v.Erasure.Reason != "" || len(v.Answers)+len(v.Rechecks)+len(v.Remedies)+len(v.Approvals) > 0 {
		t.Errorf("an erased item shows %+v", v)
	}
	r := h.Item(ref).Version
	one := func(rs []casework.Result, err error) string {
		if err != nil {
			return code(err)
		}
		return outcomes(rs)
	}
	refs := testkit.Column(t, testkit.Raw(t, h.Service), "SELECT ref FROM referral")
	_, stale := h.Observe(ctx, h.North.Officers[0], ref, r, concert.ObservedUp, "EXERCISE desk")
	answered, _, err := h.AnswerReferral(ctx, h.Answerer, refs[0], h.Referral(refs[0]).Version, []casework.Replying{{Item: ref, Answer: concert.Answer{Code: concert.AnswerInReview}}})
	for what, got := range map[string]string{
		"assess":  one(h.AssessItems(ctx, h.North.Officers[0], []casework.Judging{{Item: ref, Version: r, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})),
		"decide":  one(h.DecideItems(ctx, h.North.Reviewers[1], []casework.Deciding{{Item: ref, Version: r, Decision: concert.Approve}})),
		"correct": one(h.RemedyItems(ctx, h.North.Officers[0], []casework.Remedying{{Item: ref, Version: r, Kind: concert.RemedyCorrection, Reason: ground}})),
		"observe": code(stale),
		"answer":  one(answered, err),
		"ask":     code(h.AskErasure(ctx, h.North.Officers[0], ref, r, concert.ErasureSubject, ground)),
		"erase":   code(h.EraseItem(ctx, h.North.Reviewers[0], ref, r)),
		"hold":    code(h.PlaceLegalHold(ctx, h.North.Reviewers[0], ref, r, ground)),
		"handle":  code(h.ChangeHandling(ctx, h.North.Reviewers[0], ref, r, concert.HandlingNotShared, ground)),
	} {
		if got != "item.erased" {
			t.Errorf("%s after the erasure: %s", what, got)
		}
	}
	again := h.Submit(h.North.Officers[0], erasedPlace)
	if again[0].Outcome != casework.OutcomeCreated || again[0].Ref == ref {
		t.Errorf("the place found anew: %+v", again[0])
	}
}

func TestG20TheErasureItselfHoldsNoneOfTheDataAndCanBeProven(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		gone, _, _ := planted(t, h)
		if _, err := h.ErasureProof(ctx, testkit.Scope(t, h.North.Officers[0]), gone); code(err) != "erasure.not_yet" {
			t.Errorf("a proof before the erasure: %v", err)
		}
		erased(t, h, gone)
		var body string
		var sealed []byte
		raw := testkit.Raw(t, h.Service)
		testkit.Must(t, raw.QueryRow("SELECT body, sealed FROM event WHERE kind = 'item.erased'").Scan(&body, &sealed))
		for _, c := range append(canaries, "video.example") {
			if strings.Contains(body, c) || strings.Contains(string(sealed), c) || len(sealed) > 0 {
				t.Errorf("the erasure event holds %q or a sealed part: %s", c, body)
			}
		}
		p, err := h.ErasureProof(ctx, testkit.Scope(t, h.North.Officers[0]), gone)
		testkit.Must(t, err)
		text, err := json.Marshal(p)
		testkit.Must(t, err)
		for _, c := range append(canaries, "video.example") {
			if bytes.Contains(text, []byte(c)) {
				t.Errorf("the proof holds %q", c)
			}
		}
		v, err := formats.VerifyErasure(bytes.NewReader(text), h.LogKey, nil)
		if err != nil || !v.Verified || v.Erasure.Item != gone || v.Erasure.Code != concert.ErasureSubject || v.Erased == 0 {
			t.Errorf("the proof: %+v, %v", v, err)
		}
		other := *cp(p)
		other.Event = strings.Replace(p.Event, string(concert.ErasureSubject), string(concert.ErasureOrdered), 1)
		text, err = json.Marshal(other)
		testkit.Must(t, err)
		if v, err := formats.VerifyErasure(bytes.NewReader(text), h.LogKey, nil); err != nil || v.Verified {
			t.Errorf("a proof with another reason: %+v, %v", v, err)
		}
		if _, err := h.ErasureProof(ctx, testkit.Scope(t, h.Auditor), gone); err != nil {
			t.Errorf("an auditor: %v", err)
		}
		if _, err := h.ErasureProof(ctx, testkit.Scope(t, h.South.Officers[0]), gone); code(err) != "not_found" {
			t.Errorf("another authority: %v", err)
		}
	})
}

func cp[T any](v T) *T { return &v }

func TestG20TamperingWithAnErasedEventIsFound(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		gone, kept, _ := planted(t, h)
		erased(t, h, gone)
		testkit.Must(t, h.PublishLog(t.Context()))
		raw := testkit.Raw(t, h.Service)
		on := ""
		if h.DB.Dialect() == "postgres" {
			on = " ON event"
		}
		_, err := raw.Exec("DROP TRIGGER event_append_only" + on)
		testkit.Must(t, err)
		verify := func() formats.Verification {
			t.Helper()
			v, err := h.VerifyLog(t.Context(), nil)
			testkit.Must(t, err)
			var bundle bytes.Buffer
			testkit.Must(t, h.Export(t.Context(), &bundle))
			b, err := formats.VerifyBundle(&bundle, h.LogKey, nil)
			testkit.Must(t, err)
			if b.Verified != v.Verified || b.FirstBad != v.FirstBad || b.Problem != v.Problem {
				t.Errorf("log and bundle differ: %+v, %+v", v, b)
			}
			return v
		}
		if v := verify(); !v.Verified {
			t.Fatalf("untouched: %s", v.Problem)
		}
		id := testkit.Column(t, raw, "SELECT id FROM event WHERE salt IS NULL AND kind = 'item.approved'")[0]
		body := testkit.Column(t, raw, "SELECT body FROM event WHERE id = '"+id+"'")[0]
		put := func(text string) {
			t.Helper()
			_, err := raw.Exec("UPDATE event SET body = '" + text + "' WHERE id = '" + id + "'")
			testkit.Must(t, err)
		}
		put(strings.Replace(body, `"approve"`, `"bpprove"`, 1))
		subject := string(h.Item(gone).ID)
		if v := verify(); v.Verified || v.FirstBad < 0 || !strings.Contains(v.Problem, subject) {
			t.Errorf("a changed body of an erased event: %+v", v)
		}
		put(body)
		if v := verify(); !v.Verified {
			t.Fatalf("put back: %s", v.Problem)
		}
		// One more event loses its salt after the erasure, and one of an item that nobody erased.
		for _, which := range []string{"kind = 'item.approved' AND subject = '" + string(h.Item(kept).ID) + "'", "kind = 'item.erased'"} {
			var salt []byte
			testkit.Must(t, raw.QueryRow("SELECT salt FROM event WHERE "+which).Scan(&salt))
			_, err := raw.Exec("UPDATE event SET salt = NULL WHERE " + which)
			testkit.Must(t, err)
			if v := verify(); v.Verified || !strings.Contains(v.Problem, "without a salt") && !strings.Contains(v.Problem, "has no salt") {
				t.Errorf("without its salt, %s: %+v", which, v)
			}
			_, err = raw.Exec("UPDATE event SET salt = "+map[string]string{"sqlite": "?", "postgres": "$1"}[h.DB.Dialect()]+" WHERE "+which, salt)
			testkit.Must(t, err)
		}
		if v := verify(); !v.Verified {
			t.Fatalf("all put back: %s", v.Problem)
		}
		// What was changed before is not laundered by an erasure.
		victim := testkit.Column(t, raw, "SELECT id FROM event WHERE kind = 'item.approved' AND salt IS NOT NULL")[0]
		_, err = raw.Exec("UPDATE event SET at = at + 1 WHERE id = '" + victim + "'")
		testkit.Must(t, err)
		testkit.Must(t, h.AskErasure(t.Context(), h.North.Officers[0], kept, h.Item(kept).Version, concert.ErasureOrdered, ground))
		if err := h.EraseItem(t.Context(), h.North.Reviewers[0], kept, h.Item(kept).Version); code(err) != "erasure.tampered" {
			t.Errorf("an item whose history was changed: %v", err)
		}
		if v := h.Item(kept); v.Location.Submitted != keptPlace {
			t.Error("the refused erasure took something all the same")
		}
	})
}

func TestG20ErasureTakesTwoPeopleOfTheItemsAuthority(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		h.Submit(h.South.Officers[0], testkit.Page(1))
		ask := func(by concert.Actor) error {
			return h.AskErasure(ctx, by, ref, h.Item(ref).Version, concert.ErasureMistaken, ground)
		}
		for who, by := range map[string]concert.Actor{"another finder": h.South.Officers[0], "its reviewer": h.South.Reviewers[0], "the administrator": h.Admin, "the auditor": h.Auditor, "a provider": h.Answerer} {
			if err := ask(by); code(err) != "not_found" {
				t.Errorf("%s asks: %v", who, err)
			}
		}
		if err := ask(h.Coordinator); code(err) != "role.missing" {
			t.Errorf("a coordinator asks: %v", err)
		}
		if err := h.EraseItem(ctx, h.North.Reviewers[0], ref, h.Item(ref).Version); code(err) != "erasure.none" {
			t.Errorf("confirmed what nobody asked for: %v", err)
		}
		if err := h.AskErasure(ctx, h.North.Officers[0], ref, 1, "because", ground); code(err) != "erasure.code" {
			t.Errorf("no such reason: %v", err)
		}
		if err := h.AskErasure(ctx, h.North.Officers[0], ref, 1, concert.ErasureMistaken, "short"); code(err) != "erasure.reason" {
			t.Errorf("no reason: %v", err)
		}
		read := h.Item(ref).Version
		testkit.Must(t, ask(h.North.Reviewers[0]))
		if err := h.EraseItem(ctx, h.North.Reviewers[1], ref, read); code(err) != "stale" {
			t.Errorf("confirmed before the request was read: %v", err)
		}
		v, err := h.ReadItem(ctx, testkit.Scope(t, h.North.Reviewers[1]), ref)
		if err != nil || v.Erasure.Reason != ground || v.AskedBy != h.North.Reviewers[0].Operator {
			t.Errorf("who confirms reads %+v, asked by %s, %v", v.Erasure, v.AskedBy, err)
		}
		if v, err := h.ReadItem(ctx, testkit.Scope(t, h.South.Officers[0]), ref); err != nil || v.Erasure.AskedBy != "" {
			t.Errorf("another finder reads the request: %+v, %v", v.Erasure, err)
		}
		for who, c := range map[string]struct {
			by   concert.Actor
			want string
		}{"who asked": {h.North.Reviewers[0], "erasure.same_person"}, "an officer": {h.North.Officers[1], "role.missing"}, "another authority": {h.South.Reviewers[0], "not_found"}} {
			if err := h.EraseItem(ctx, c.by, ref, v.Version); code(err) != c.want {
				t.Errorf("%s confirms: %v, want %s", who, err, c.want)
			}
		}
		raw := testkit.Raw(t, h.Service)
		if _, err := raw.Exec("UPDATE erasure SET confirmed_by = asked_by"); err == nil {
			t.Error("the table takes one person for both")
		}
		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[1], ref, v.Version))
		if h.Item(ref).ErasedAt.IsZero() {
			t.Error("confirmed, and not erased")
		}
	})
}

func TestG22WhatWasLawfulIsErasedAfterThirtyDays(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 1)
		exempt := testkit.Judgement()
		exempt.Purpose = concert.PurposeExempt
		items := h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Page(4), testkit.Page(5), "http://video.example/search?q=exercise")
		if items[5].Outcome != casework.OutcomeStopped {
			t.Fatalf("the guard let %+v pass", items[5])
		}
		_, err := h.AssessItems(ctx, h.North.Officers[0], []casework.Judging{{Item: items[0].Ref, Version: 1, Assessment: exempt}})
		testkit.Must(t, err)
		judged := h.Assess(h.North.Officers[0], items[1:4])
		_, err = h.DecideItems(ctx, h.North.Reviewers[0], []casework.Deciding{{Item: judged[0].Ref, Version: judged[0].Version, Decision: concert.Reject, Ground: ground}, {Item: judged[1].Ref, Version: judged[1].Version, Decision: concert.Reject, Ground: ground}})
		testkit.Must(t, err)
		h.Approve(h.North.Reviewers[0], judged[2:])
		remedy(h, t, h.North.Officers[0], judged[2].Ref, concert.RemedyWithdrawal)
		held := judged[1].Ref
		testkit.Must(t, h.PlaceLegalHold(ctx, h.North.Reviewers[0], held, h.Item(held).Version, ground))
		counted := tallies(t, h)

		h.At(day.Add(concert.ErasureTerm-time.Hour), 1)
		stop := testkit.Run(t, h.Service)
		testkit.Must(t, h.DB.View(ctx, func(tx *store.Tx) error { _, err := tx.Actions(ctx, 1); return err }))
		stop()
		for _, it := range items {
			if !h.Item(it.Ref).ErasedAt.IsZero() {
				t.Errorf("%s is erased an hour too early", it.Ref)
			}
		}
		h.At(day.Add(concert.ErasureTerm+time.Hour), 1)
		stop = testkit.Run(t, h.Service)
		for ref, want := range map[string]concert.ErasureCode{items[0].Ref: concert.ErasureLawful, judged[0].Ref: concert.ErasureLawful, judged[2].Ref: concert.ErasureTakenBack, items[5].Ref: concert.ErasureStopped} {
			testkit.Await(t, "the erasure of "+ref, func() bool { return !h.Item(ref).ErasedAt.IsZero() })
			if v := h.Item(ref); v.Erasure.Code != want || v.Erasure.AskedBy != concert.House.Person {
				t.Errorf("%s was erased by %s as %s, want %s", ref, v.Erasure.AskedBy, v.Erasure.Code, want)
			}
		}
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the clock of the held item", func() bool {
			return len(testkit.Column(t, raw, "SELECT subject FROM clock WHERE kind = 'item.erase'")) == 0
		})
		stop()
		if v := h.Item(held); !v.ErasedAt.IsZero() || v.Location.Submitted != testkit.Page(3) {
			t.Error("a legal hold did not keep the item")
		}
		if v := h.Item(items[4].Ref); !v.ErasedAt.IsZero() {
			t.Error("an item that nobody judged was erased")
		}
		if err := h.AskErasure(ctx, h.North.Officers[0], held, h.Item(held).Version, concert.ErasureSubject, ground); code(err) != "erasure.legal_hold" {
			t.Errorf("asked for while a legal hold stands: %v", err)
		}
		testkit.Must(t, h.LiftLegalHold(ctx, h.North.Reviewers[0], held, h.Item(held).Version, ground))
		stop = testkit.Run(t, h.Service)
		testkit.Await(t, "the erasure once the legal hold is lifted", func() bool { return !h.Item(held).ErasedAt.IsZero() })
		stop()
		if diff := cmp.Diff(counted, tallies(t, h)); diff != "" {
			t.Errorf("erasures changed the counters:\n%s", diff)
		}
		testkit.Must(t, h.PublishLog(ctx))
		if v, err := h.VerifyLog(ctx, nil); err != nil || !v.Verified || v.Erased < 10 {
			t.Errorf("the log after timed erasures: %+v, %v", v, err)
		}
	})
}

func TestG22LegalHoldIsAReviewersAndStopsAConfirmedErasure(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		v := func() int64 { return h.Item(ref).Version }
		for who, c := range map[string]struct {
			by   concert.Actor
			why  string
			want string
		}{"an officer": {h.North.Officers[0], ground, "role.missing"}, "another authority": {h.South.Reviewers[0], ground, "not_found"}, "without a reason": {h.North.Reviewers[0], "no", "legal_hold.reason"}} {
			if err := h.PlaceLegalHold(ctx, c.by, ref, v(), c.why); code(err) != c.want {
				t.Errorf("%s: %v, want %s", who, err, c.want)
			}
		}
		if err := h.LiftLegalHold(ctx, h.North.Reviewers[0], ref, v(), ground); code(err) != "legal_hold.none" {
			t.Errorf("lifted what does not stand: %v", err)
		}
		testkit.Must(t, h.AskErasure(ctx, h.North.Officers[0], ref, v(), concert.ErasureSubject, ground))
		testkit.Must(t, h.PlaceLegalHold(ctx, h.North.Reviewers[0], ref, v(), ground))
		if err := h.PlaceLegalHold(ctx, h.North.Reviewers[1], ref, v(), ground); code(err) != "legal_hold.placed" {
			t.Errorf("placed twice: %v", err)
		}
		if err := h.EraseItem(ctx, h.North.Reviewers[0], ref, v()); code(err) != "erasure.legal_hold" {
			t.Errorf("confirmed under a legal hold: %v", err)
		}
		testkit.Must(t, h.LiftLegalHold(ctx, h.North.Reviewers[1], ref, v(), ground))
		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[0], ref, v()))
		kinds := strings.Join(testkit.Column(t, testkit.Raw(t, h.Service), "SELECT kind FROM event WHERE subject = '"+string(h.Item(ref).ID)+"' ORDER BY id"), " ")
		if want := "item.submitted capture.added item.erasure_asked item.legal_hold_placed item.legal_hold_lifted item.erased"; kinds != want {
			t.Errorf("recorded: %s, want %s", kinds, want)
		}
	})
}

// The signed original is put together again byte for byte; one that an earlier version wrote whole is read, and parted when an item of it is erased.
func TestG20EnvelopeIsKeptInPartsAndStillVerifies(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		gone, kept, referral := planted(t, h)
		raw := testkit.Raw(t, h.Service)
		v := h.Referral(referral)
		check := func(v casework.ReferralView) {
			t.Helper()
			if err := v.Signed.Verify("author", h.North.PublicKey); err != nil {
				t.Error(err)
			}
			if err := v.Signed.Verify("transport", h.TransportKey()); err != nil {
				t.Error(err)
			}
			var b concert.ReferralBody
			testkit.Must(t, json.Unmarshal([]byte(testkit.Column(t, raw, "SELECT body FROM event WHERE kind = 'referral.sent'")[0]), &b))
			if d := sha256.Sum256(v.Signed.Payload); hex.EncodeToString(d[:]) != b.Digest || len(v.Payload.Items) != 2 || v.Erased != 0 {
				t.Errorf("the original has the digest %x, the log says %s", d, b.Digest)
			}
		}
		check(v)
		if n := len(testkit.Column(t, raw, "SELECT ref FROM referral WHERE envelope IS NOT NULL")); n != 0 {
			t.Errorf("%d envelopes lie whole under the referral's key", n)
		}
		// As an earlier version wrote it.
		id := string(v.ID)
		key, err := testkit.Ring(t).UnwrapKey(testkit.SubjectKeys(t, raw)[id], []byte(id))
		testkit.Must(t, err)
		text, err := json.Marshal(v.Signed)
		testkit.Must(t, err)
		_, err = raw.Exec("UPDATE referral SET frame = NULL, envelope = "+map[string]string{"sqlite": "?", "postgres": "$1"}[h.DB.Dialect()], identity.NewSealer(key).Seal(text, []byte("referral:"+id)))
		testkit.Must(t, err)
		_, err = raw.Exec("UPDATE referral_item SET sealed = NULL")
		testkit.Must(t, err)
		check(h.Referral(referral))
		erased(t, h, gone)
		partly(t, h, referral, kept)
		for _, c := range canaries {
			if strings.Contains(readAll(t, h), c) {
				t.Errorf("an envelope of an earlier version holds %q after the erasure", c)
			}
		}
		erased(t, h, kept)
		if v := h.Referral(referral); v.Erased != 2 || len(v.Items) != 0 || len(v.Signed.Signatures) != 0 {
			t.Errorf("with both erased: %d erased, %d items", v.Erased, len(v.Items))
		}
	})
}

func TestG20AnErasedItemIsNeverReferredAndHoldsUpNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		erased(t, h, items[0].Ref)
		testkit.Run(t, h.Service)
		ref := sent(h, t, items[1].Ref)
		if v := h.Referral(ref); len(v.Items) != 1 || v.Erased != 0 || v.Referral.Items != 1 {
			t.Errorf("the referral carries %d items, %d erased", v.Referral.Items, v.Erased)
		}
	})
}
