package casework_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/testkit"
	"concert/tlog"
)

// remedied takes an item of North's back after it went out, for a reason of the category, and gives its reference.
func remedied(t *testing.T, h *testkit.House, n int, kind concert.RemedyKind, category concert.RemedyCategory) string {
	t.Helper()
	it := h.Approved(testkit.Page(n))[0]
	testkit.Await(t, "the item is referred", func() bool { return h.Item(it.Ref).ReferredAs != "" })
	out, err := h.RemedyItems(t.Context(), h.North.Officers[0], []casework.Remedying{{Item: it.Ref, Version: h.Item(it.Ref).Version, Kind: kind, Category: category, Reason: "EXERCISE secret ground"}})
	testkit.Must(t, err)
	if out[0].Err != nil {
		t.Fatal(out[0].Err)
	}
	return it.Ref
}

// What went out and was wrong stands in public, with why and how it was put right, without place, person or words; and stays.
func TestG17ErrorRegisterIsPublicAndStays(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		testkit.Run(t, h.Service)
		first := remedied(t, h, 1, concert.RemedyWithdrawal, concert.RemedyProtected)
		remedied(t, h, 2, concert.RemedyCorrection, concert.RemedyWrongFacts)
		// One that never went out is no false notice.
		stay := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(3)))[0]
		if out, err := h.RemedyItems(t.Context(), h.North.Officers[0], []casework.Remedying{{Item: stay.Ref, Version: stay.Version, Kind: concert.RemedyWithdrawal, Category: "nonsense", Reason: "EXERCISE secret ground"}}); err != nil || code(out[0].Err) != "remedy.category" {
			t.Errorf("a category that is none: %v, %v", out, err)
		}
		shown, counts, err := h.ErrorRegister(t.Context(), concert.RemedySearch{}, concert.Page{Limit: 10})
		testkit.Must(t, err)
		if len(shown.Rows) != 2 || shown.Rows[0].Category != concert.RemedyWrongFacts || shown.Rows[1].Category != concert.RemedyProtected || shown.Rows[1].Kind != concert.RemedyWithdrawal {
			t.Errorf("the register shows %+v", shown.Rows)
		}
		if want := []concert.RemedyCount{{Kind: concert.RemedyCorrection, Category: concert.RemedyWrongFacts, N: 1}, {Kind: concert.RemedyWithdrawal, Category: concert.RemedyProtected, N: 1}}; !slices.Equal(counts, want) {
			t.Errorf("counts %v", counts)
		}
		text := fmt.Sprintf("%+v", shown)
		for _, secret := range []string{first, "secret ground", "ex000001", string(h.North.Officers[0].Person)} {
			if strings.Contains(text, secret) {
				t.Errorf("the public register tells %q: %s", secret, text)
			}
		}
		if _, err := testkit.Raw(t, h.Service).Exec("DELETE FROM remedy"); err == nil {
			t.Error("an entry of the error register could be deleted")
		}
		own, err := h.SearchRemedies(t.Context(), testkit.Scope(t, h.North.Officers[1]), concert.RemedySearch{Kind: concert.RemedyWithdrawal}, "", concert.Page{Limit: 10})
		testkit.Must(t, err)
		if len(own.Rows) != 1 || own.Rows[0].Reason != "EXERCISE secret ground" || own.Rows[0].ItemRef != first {
			t.Errorf("the authority's own register shows %+v", own.Rows)
		}
		other, err := h.SearchRemedies(t.Context(), testkit.Scope(t, h.South.Officers[0]), concert.RemedySearch{}, "", concert.Page{Limit: 10})
		if err != nil || len(other.Rows) != 0 {
			t.Errorf("another authority reads %+v, %v", other.Rows, err)
		}
	})
}

// A list tells nobody but the author that an item is held: not by its state, not by a filter, not by missing elsewhere.
func TestG07ListsTellNobodyOfAHold(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		// South found both first, North judged them.
		in := h.Submit(h.South.Officers[0], testkit.Page(1), testkit.Page(2))
		h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))
		h.Hold(h.South.Officers[0], testkit.Page(1), "EXERCISE desk", "")
		h.Approve(h.North.Reviewers[0], h.Assess(h.North.Officers[0], in))
		testkit.Run(t, h.Service)
		h.Status(in[0].Ref, concert.ItemHeld)
		search := func(by concert.Actor, q concert.ItemSearch) ([]concert.Item, error) {
			found, err := h.SearchItems(t.Context(), testkit.Scope(t, by), q, "", concert.Page{Limit: 10})
			return found.Rows, err
		}
		if _, err := search(h.South.Officers[1], concert.ItemSearch{Found: true, Status: concert.ItemHeld}); code(err) != "list.choice" {
			t.Errorf("asked for held items of others: %v", err)
		}
		approved, err := search(h.South.Officers[1], concert.ItemSearch{Found: true, Status: concert.ItemApproved})
		if err != nil || len(approved) != 1 || approved[0].Ref != in[0].Ref || approved[0].Status != concert.ItemApproved {
			t.Errorf("approved by others: %+v, %v", approved, err)
		}
		held, err := search(h.North.Officers[1], concert.ItemSearch{Status: concert.ItemHeld})
		if err != nil || len(held) != 1 || held[0].Ref != in[0].Ref {
			t.Errorf("its author lists %+v, %v", held, err)
		}
		if desk, err := search(h.South.Officers[1], concert.ItemSearch{}); err != nil || len(desk) != 0 {
			t.Errorf("on South's own desk lie %+v, %v", desk, err)
		}
	})
}

// Whoever lists names is recorded with what was asked, before anything is shown.
func TestG19ListsAndEventsAreRecordedAndNeedAReason(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Submit(h.North.Officers[0], testkit.Page(1))
		mute, err := concert.NewScope(h.North.Officers[0], "")
		testkit.Must(t, err)
		if _, err := h.SearchItems(t.Context(), mute, concert.ItemSearch{}, "", concert.Page{Limit: 5}); code(err) != "scope.justification" {
			t.Errorf("items without a reason: %v", err)
		}
		if _, err := h.SearchRemedies(t.Context(), mute, concert.RemedySearch{}, "", concert.Page{Limit: 5}); code(err) != "scope.justification" {
			t.Errorf("remedies without a reason: %v", err)
		}
		_, err = h.SearchItems(t.Context(), testkit.Scope(t, h.North.Officers[0]), concert.ItemSearch{Type: concert.TypeVideo}, "kind=video", concert.Page{Limit: 5})
		testkit.Must(t, err)
		cs, err := h.Consultations(t.Context(), testkit.Scope(t, h.Auditor), casework.ConsultationQuery{Limit: 5})
		testkit.Must(t, err)
		if len(cs) == 0 || cs[0].What != concert.ReadItemList || cs[0].Filter != "kind=video" || cs[0].Count != 1 {
			t.Errorf("recorded is %+v", cs)
		}
	})
}

func TestAnExactPlaceIsFoundByWhoMayReadIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		spelled := strings.Replace(testkit.Page(1), "http://video", "hxxp://VIDEO", 1) + "&utm_source=x"
		for _, by := range []concert.Actor{h.North.Officers[1], h.Auditor, h.Coordinator} {
			if got, err := h.ItemAtPlace(t.Context(), testkit.Scope(t, by), spelled); err != nil || got != ref {
				t.Errorf("%v finds %q, %v", by.Roles, got, err)
			}
		}
		for name, got := range map[string]error{
			"another authority": func() error {
				_, err := h.ItemAtPlace(t.Context(), testkit.Scope(t, h.South.Officers[0]), spelled)
				return err
			}(),
			"nothing there": func() error {
				_, err := h.ItemAtPlace(t.Context(), testkit.Scope(t, h.North.Officers[0]), testkit.Page(9))
				return err
			}(),
		} {
			if got != concert.ErrNotFound {
				t.Errorf("%s: %v", name, got)
			}
		}
		if _, err := h.ItemAtPlace(t.Context(), testkit.Scope(t, h.North.Officers[0]), "no place"); code(err) != "search.place" {
			t.Errorf("no place: %v", err)
		}
	})
}

func TestSavedFiltersAreTheirOwners(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, owner := t.Context(), h.North.Officers[0]
		save := func(by concert.Actor, name, query string, shared bool) (concert.SavedFilter, error) {
			return h.SaveFilter(ctx, by, concert.SavedFilter{List: "items", Name: name, Query: query, Shared: shared})
		}
		own, err := save(owner, "  EXERCISE   mine ", "kind=video", false)
		testkit.Must(t, err)
		shared, err := save(owner, "EXERCISE ours", "kind=text", true)
		testkit.Must(t, err)
		if _, err := save(owner, "EXERCISE mine", "kind=bot", false); code(err) != "filter.name_taken" {
			t.Errorf("the same name again: %v", err)
		}
		if _, err := save(h.Auditor, "EXERCISE", "", true); code(err) != "filter.shared" {
			t.Errorf("shared with no authority: %v", err)
		}
		if _, err := save(owner, " ", "", false); code(err) != "filter.name" {
			t.Errorf("without a name: %v", err)
		}
		seen := func(by concert.Actor) (out []string) {
			fs, err := h.SavedFilters(ctx, by, "items")
			testkit.Must(t, err)
			for _, f := range fs {
				out = append(out, f.Name)
			}
			return out
		}
		if got := seen(owner); !slices.Equal(got, []string{"EXERCISE mine", "EXERCISE ours"}) {
			t.Errorf("the owner sees %q", got)
		}
		if got := seen(h.North.Reviewers[0]); !slices.Equal(got, []string{"EXERCISE ours"}) {
			t.Errorf("a colleague sees %q", got)
		}
		if got := seen(h.South.Officers[0]); len(got) != 0 {
			t.Errorf("another authority sees %q", got)
		}
		for _, id := range []string{own.ID, shared.ID, "none"} {
			if _, err := h.DropFilter(ctx, h.North.Reviewers[0], id); err != concert.ErrNotFound {
				t.Errorf("a colleague takes it away: %v", err)
			}
		}
		_, err = h.DropFilter(ctx, owner, own.ID)
		testkit.Must(t, err)
		for n := range concert.SavedFilters {
			if _, err = save(owner, fmt.Sprint("EXERCISE ", n), "", false); err != nil {
				break
			}
		}
		if code(err) != "filter.too_many" {
			t.Errorf("one too many: %v", err)
		}
		for _, row := range testkit.Column(t, testkit.Raw(t, h.Service), "SELECT query || list || id FROM saved_filter") {
			if strings.Contains(row, "EXERCISE") {
				t.Errorf("the name of a filter lies in the clear: %s", row)
			}
		}
	})
}

func TestEventsAreReadByWhomTheyConcern(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		judged := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(1)))[0]
		testkit.Must(t, h.PublishLog(ctx))
		list := func(by concert.Actor, q casework.EventQuery) ([]casework.ListedEvent, error) {
			found, err := h.SearchEvents(ctx, testkit.Scope(t, by), q, "", concert.Page{Limit: 50})
			return found.Rows, err
		}
		own, err := list(h.North.Reviewers[0], casework.EventQuery{Ref: judged.Ref})
		testkit.Must(t, err)
		var kinds []concert.EventKind
		for _, e := range own {
			kinds = append(kinds, e.Kind)
			if e.Ref != judged.Ref || e.Index < 0 || e.Operator != h.North.Officers[0].Operator {
				t.Errorf("%s: of %q at %d by %q", e.Kind, e.Ref, e.Index, e.Operator)
			}
		}
		if !slices.Equal(kinds, []concert.EventKind{concert.EventItemAssessed, concert.EventCaptureAdded, concert.EventItemSubmitted}) {
			t.Errorf("of the item there are %v", kinds)
		}
		for _, by := range []concert.Actor{h.South.Officers[0], h.South.Reviewers[0]} {
			if _, err := list(by, casework.EventQuery{Ref: judged.Ref}); err != concert.ErrNotFound {
				t.Errorf("another authority lists them: %v", err)
			}
			if _, err := h.ReadEvent(ctx, testkit.Scope(t, by), own[0].Index, ""); err != concert.ErrNotFound {
				t.Errorf("another authority reads one: %v", err)
			}
		}
		if _, err := list(h.North.Officers[0], casework.EventQuery{}); code(err) != "events.subject" {
			t.Errorf("an officer lists all: %v", err)
		}
		if _, err := list(h.Answerer, casework.EventQuery{}); code(err) != "events.reader" {
			t.Errorf("a provider's person lists events: %v", err)
		}
		all, err := list(h.Auditor, casework.EventQuery{})
		if err != nil || len(all) < 20 {
			t.Errorf("an auditor lists %d events, %v", len(all), err)
		}
		for kind := range map[concert.EventKind]bool{concert.EventScopeProposed: true, concert.EventItemSubmitted: true, concert.EventConsulted: true} {
			some, err := list(h.Auditor, casework.EventQuery{Kind: kind})
			if err != nil || len(some) == 0 || slices.ContainsFunc(some, func(e casework.ListedEvent) bool { return e.Kind != kind }) {
				t.Errorf("events of kind %s: %d, %v", kind, len(some), err)
			}
		}
		if mine, err := list(h.Auditor, casework.EventQuery{Operator: h.North.Officers[0].Operator}); err != nil || len(mine) != 3 {
			t.Errorf("of one officer: %d, %v", len(mine), err)
		}
	})
}

// The proof of an event holds offline, and of a changed one it does not.
func TestG19AnEventIsProvenOfflineAndAChangedOneIsNot(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, scope := t.Context(), testkit.Scope(t, h.Auditor)
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		testkit.Must(t, h.PublishLog(ctx))
		earlier, err := h.LogCheckpoint(ctx)
		testkit.Must(t, err)
		h.Submit(h.North.Officers[0], testkit.Page(2), testkit.Page(3))
		found, err := h.SearchEvents(ctx, scope, casework.EventQuery{Ref: ref, Kind: concert.EventItemSubmitted}, "", concert.Page{Limit: 5})
		testkit.Must(t, err)
		v, err := h.ReadEvent(ctx, scope, found.Rows[0].Index, strings.ReplaceAll(earlier, "\n", "\r\n"))
		testkit.Must(t, err)
		verify := func(p concert.EventProof, key string) formats.Verification {
			text, err := json.Marshal(p)
			testkit.Must(t, err)
			got, err := formats.VerifyEvent(bytes.NewReader(text), key, nil)
			testkit.Must(t, err)
			return got
		}
		good := verify(v.Proof, h.LogKey)
		if !good.Verified || good.Event.Kind != string(concert.EventItemSubmitted) || good.Event.Index != v.Index || good.Event.Earlier == 0 {
			t.Fatalf("the proof does not hold: %+v %+v", good, good.Event)
		}
		for what, change := range map[string]func(*concert.EventProof){
			"event":       func(p *concert.EventProof) { p.Event = strings.Replace(p.Event, ref, "IT-OTHER", 1) },
			"place":       func(p *concert.EventProof) { p.Index++ },
			"salt":        func(p *concert.EventProof) { p.Salt = bytes.Repeat([]byte{1}, tlog.SaltSize) },
			"commitment":  func(p *concert.EventProof) { p.Commit = bytes.Repeat([]byte{1}, 32) },
			"path":        func(p *concert.EventProof) { p.Inclusion = p.Inclusion[1:] },
			"short hash":  func(p *concert.EventProof) { p.Inclusion = [][]byte{{1}} },
			"head":        func(p *concert.EventProof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n", "\n1", 1) },
			"consistency": func(p *concert.EventProof) { p.Earlier = &concert.EarlierProof{Checkpoint: p.Earlier.Checkpoint} },
			"no salt":     func(p *concert.EventProof) { p.Salt = nil },
		} {
			p := v.Proof
			change(&p)
			if got := verify(p, h.LogKey); got.Verified || got.Problem == "" {
				t.Errorf("with another %s the proof still holds: %+v", what, got)
			}
		}
		_, other, err := tlog.GenerateKey(h.Origin)
		testkit.Must(t, err)
		if got := verify(v.Proof, other); got.Verified {
			t.Error("the proof holds under a key that signed nothing")
		}
		for pasted, want := range map[string]string{"nonsense": "event.earlier_head", strings.Replace(earlier, "exercise", "forged", 1): "event.earlier_head"} {
			if _, err := h.ReadEvent(ctx, scope, v.Index, pasted); code(err) != want {
				t.Errorf("a head that is none: %v", err)
			}
		}
		if _, err := h.ReadEvent(ctx, scope, 1<<40, ""); code(err) == "" {
			t.Error("an event beyond the log was shown")
		}
	})
}
