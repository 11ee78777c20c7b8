package casework_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"concert"
	"concert/internal/testkit"
)

// Custody in the log of the house: what was recorded cannot be taken away, and a handing over has two ends.
func TestG25CustodyStandsInTheLogAndCannotBeTakenAway(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		s, c := testkit.Seal(t), opened(h, t)
		if _, err := h.AddExhibit(ctx, h.South.Officers[0], c.Ref, "EXERCISE server", s.Files(t)); code(err) != "not_found" {
			t.Errorf("a stranger adds an exhibit: %v", err)
		}
		x, err := h.AddExhibit(ctx, h.North.Officers[0], c.Ref, "EXERCISE server", s.Files(t))
		testkit.Must(t, err)
		if _, err := h.AddExhibit(ctx, h.North.Officers[0], c.Ref, "EXERCISE server", s.Files(t)); code(err) != "exhibit.known" {
			t.Errorf("added twice: %v", err)
		}
		before := s.Files(t)
		s.Verify(t)
		s.Verify(t)
		if x, err = h.AddCustody(ctx, h.North.Officers[1], x.Ref, s.Files(t)); err != nil || x.Head.N != 3 {
			t.Fatalf("custody: %v, head %+v", err, x.Head)
		}
		// Somebody takes the last two records out of the bag, head and all: the log of the house knows better.
		if _, err := h.AddCustody(ctx, h.North.Officers[0], x.Ref, before); code(err) != "exhibit.custody_broken" || !strings.Contains(err.Error(), "truncated") {
			t.Errorf("records were taken away: %v", err)
		}
		changed := s.Files(t)
		changed.Log = bytes.Replace(changed.Log, []byte(`"outcome":"valid"`), []byte(`"outcome":"VALID"`), 1)
		if _, err := h.AddCustody(ctx, h.North.Officers[0], x.Ref, changed); code(err) != "exhibit.custody_broken" || !strings.Contains(err.Error(), "edited") {
			t.Errorf("a record was changed: %v", err)
		}
		s.Hand(t)
		if _, err = h.HandExhibit(ctx, h.North.Officers[0], x.Ref, h.South.Authority.Ref, s.Files(t)); err != nil {
			t.Fatal(err)
		}
		coming, err := h.HandedExhibits(ctx, testkit.Scope(t, h.South.Officers[0]))
		if err != nil || len(coming) != 1 || coming[0].Ref != x.Ref {
			t.Fatalf("on its way to the south: %v, %+v", err, coming)
		}
		now := h.Now()
		theirs, err := h.OpenCase(ctx, h.South.Officers[0], concert.Case{Title: "EXERCISE other case", Mandate: concert.Mandate{Reference: "EXERCISE file 8", Issuer: "EXERCISE court", On: now.AddDate(0, 0, -1), Until: now.AddDate(6, 0, 0)}})
		testkit.Must(t, err)
		s.Receive(t)
		got, err := h.ReceiveExhibit(ctx, h.South.Officers[0], x.Ref, theirs.Ref, s.Files(t))
		if err != nil || got.Authority != h.South.Authority.ID || got.Head.N != 5 {
			t.Fatalf("received: %v, %+v", err, got)
		}
		s.Verify(t)
		if _, err := h.AddCustody(ctx, h.North.Officers[0], x.Ref, s.Files(t)); code(err) != "not_found" {
			t.Errorf("whoever gave it goes on: %v", err)
		}
		_, err = h.AddCustody(ctx, h.South.Officers[0], x.Ref, s.Files(t))
		testkit.Must(t, err)
		v, err := h.ReadExhibit(ctx, testkit.Scope(t, h.Auditor), x.Ref)
		testkit.Must(t, err)
		var acts []string
		for _, m := range v.Timeline {
			var b concert.ExhibitBody
			testkit.Must(t, json.Unmarshal(m.Body, &b))
			acts = append(acts, string(m.Kind)+" "+b.Act)
		}
		if want := []string{"exhibit.added sealed", "exhibit.custody sealed", "exhibit.custody verified", "exhibit.custody verified", "exhibit.handed handed over", "exhibit.received received", "exhibit.custody verified"}; !slices.Equal(acts, want) {
			t.Errorf("custody in the log: %v", acts)
		}
		testkit.Must(t, h.PublishLog(ctx))
		verified, err := h.VerifyLog(ctx, nil)
		if err != nil || !verified.Verified {
			t.Errorf("the log: %+v, %v", verified, err)
		}
		if at := found(h, t, "EXERCISE server", "EXERCISE Nobody"); at != "" {
			t.Errorf("in the clear: %s", at)
		}
	})
}

// askFor is a request that nothing is wrong with.
func askFor(h *testkit.House, pseudonym string, kinds ...string) concert.Reidentification {
	r := concert.Reidentification{Purpose: concert.ReidentifyProsecution, Selection: concert.SelectNamed, Instrument: concert.Instrument{Kind: concert.InstrumentCourt, Issuer: "EXERCISE court", Reference: "EXERCISE 7/26", Until: h.Now().AddDate(0, 1, 0)}}
	sub := concert.ReidentifySubject{Pseudonym: pseudonym, Category: concert.SubjectSuspect, Ground: "EXERCISE: uploaded what was judged"}
	for _, k := range kinds {
		sub.Facts = append(sub.Facts, concert.SourceFact{Kind: k, At: h.Now().Add(-time.Hour), File: "access.log", Length: 8, Line: strings.Repeat("ab", 32), Rule: "EXERCISE", Evaluation: "A2"})
	}
	r.Subjects = []concert.ReidentifySubject{sub}
	return r
}

// P9, P10: whom a pseudonym stands for is known to nobody until two custodians and three people of two roles open it, for this request,
// after it was logged; then for this pseudonym alone, and the house keeps nothing.
func TestG34APseudonymIsOpenedByCustodiansForOneRequest(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		s, c := testkit.Seal(t), opened(h, t)
		lead := h.North.Officers[0]
		court, err := h.AddAuthority(ctx, h.Admin, concert.Authority{Name: "EXERCISE Court", Country: "XN", Kind: concert.KindCourt, Unit: "COURT", Contact: "EXERCISE court"})
		testkit.Must(t, err)
		judge := h.Person("judge", court.Ref, "", concert.RoleMagistrate)
		x, err := h.AddExhibit(ctx, lead, c.Ref, "EXERCISE server", s.Files(t))
		testkit.Must(t, err)

		if _, err := h.AskReidentification(ctx, lead, c.Ref, x.Ref, court.Ref, askFor(h, testkit.AddressPseudonym, "upload")); code(err) != "reidentify.no_table" {
			t.Errorf("asked without a table: %v", err)
		}
		raw, keys := testkit.Pseudonyms(t)
		if _, err := h.KeepPseudonyms(ctx, lead, x.Ref, raw[:len(raw)-1]); code(err) != "exhibit.pseudonyms" {
			t.Errorf("a table that is cut short: %v", err)
		}
		_, err = h.KeepPseudonyms(ctx, lead, x.Ref, raw)
		testkit.Must(t, err)
		if _, err := h.KeepPseudonyms(ctx, lead, x.Ref, raw); code(err) != "exhibit.pseudonyms" {
			t.Errorf("a table is replaced: %v", err)
		}

		byCountry := askFor(h, testkit.AddressPseudonym)
		byCountry.Selection, byCountry.Subjects = concert.SelectCountry, nil
		for name, ask := range map[string]concert.Reidentification{concert.ReidentifyBySelection: byCountry, concert.ReidentifyOnViews: askFor(h, testkit.AddressPseudonym, "view")} {
			r, err := h.AskReidentification(ctx, lead, c.Ref, x.Ref, court.Ref, ask)
			if err != nil || r.Status != concert.ReidentifyRefused || r.Code != name || r.Key != "" {
				t.Errorf("%s: %v, %+v", name, err, r)
			}
			if _, err := h.ReadReidentification(ctx, testkit.Scope(t, judge), r.Ref); code(err) != "not_found" {
				t.Errorf("a magistrate is troubled with %s: %v", name, err)
			}
		}

		openedByTwo(t, h, c, x, court, judge, raw, keys)
		leadsLeave(t, h, c, x)
	})
}

// openedByTwo walks one request from the asking to its end.
func openedByTwo(t *testing.T, h *testkit.House, c concert.Case, x concert.Exhibit, court concert.Authority, judge concert.Actor, locked []byte, keys []*age.X25519Identity) {
	t.Helper()
	ctx, lead, reviewer := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
	r, err := h.AskReidentification(ctx, lead, c.Ref, x.Ref, court.Ref, askFor(h, testkit.AddressPseudonym, "upload"))
	testkit.Must(t, err)
	if _, err := h.ConfirmReidentification(ctx, lead, r.Ref, r.Version); err == nil {
		t.Error("confirmed by who asked")
	}
	stranger := h.Person("other-judge", h.South.Authority.Ref, "", concert.RoleMagistrate)
	for _, by := range []concert.Actor{stranger, h.South.Officers[0], h.North.Reviewers[1], h.Admin, h.Answerer} {
		if _, err := h.ReadReidentification(ctx, testkit.Scope(t, by), r.Ref); code(err) != "not_found" {
			t.Errorf("%v reads the request: %v", by.Roles, err)
		}
	}
	r, err = h.ConfirmReidentification(ctx, reviewer, r.Ref, r.Version)
	testkit.Must(t, err)
	waiting, err := h.ReidentificationsToDecide(ctx, testkit.Scope(t, judge))
	if err != nil || len(waiting) != 1 || waiting[0].Key != "" || len(waiting[0].Subjects) != 1 {
		t.Fatalf("waits for the judge: %v, %+v", err, waiting)
	}
	share := func(custodian int, to string) []byte { return testkit.Share(t, locked, keys[custodian], to) }
	if _, err := h.TakeShare(ctx, lead, r.Ref, r.Version, share(0, r.Recipient)); code(err) != "reidentify.status" {
		t.Errorf("a share before the judge decided: %v", err)
	}
	r, err = h.AuthoriseReidentification(ctx, judge, r.Ref, r.Version)
	testkit.Must(t, err)
	if _, err := h.TakeShare(ctx, lead, r.Ref, r.Version, share(0, mint(t).Recipient().String())); code(err) != "reidentify.share" {
		t.Errorf("a share for another key: %v", err)
	}
	r, err = h.TakeShare(ctx, lead, r.Ref, r.Version, share(0, r.Recipient))
	testkit.Must(t, err)
	if _, err := h.TakeShare(ctx, reviewer, r.Ref, r.Version, share(0, r.Recipient)); code(err) != "reidentify.share" {
		t.Errorf("one custodian twice: %v", err)
	}
	if _, _, err := h.OpenPseudonyms(ctx, lead, r.Ref, r.Version); code(err) != "reidentify.shares" {
		t.Errorf("opened with one share: %v", err)
	}
	r, err = h.TakeShare(ctx, reviewer, r.Ref, r.Version, share(2, r.Recipient))
	testkit.Must(t, err)
	if _, _, err := h.OpenPseudonyms(ctx, reviewer, r.Ref, r.Version); code(err) != "reidentify.reader" {
		t.Errorf("opened by another: %v", err)
	}
	r, who, err := h.OpenPseudonyms(ctx, lead, r.Ref, r.Version)
	if err != nil || len(who) != 1 || who[0].Text() != testkit.SeizedAddress || who[0].Pseudonym != testkit.AddressPseudonym {
		t.Fatalf("opened: %v, %+v", err, who)
	}
	var revealed int
	testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM event WHERE kind = 'reidentification.revealed'").Scan(&revealed))
	if revealed != 1 {
		t.Errorf("%d readings in the log", revealed)
	}
	for _, canary := range []string{testkit.SeizedAddress, testkit.SeizedUser, testkit.AddressPseudonym, keys[0].String(), "AGE-SECRET-KEY"} {
		if at := found(h, t, canary); at != "" {
			t.Errorf("in the clear: %s", at)
		}
	}
	r, err = h.CloseReidentification(ctx, lead, r.Ref, r.Version)
	testkit.Must(t, err)
	if _, _, err := h.OpenPseudonyms(ctx, lead, r.Ref, r.Version); code(err) != "reidentify.status" {
		t.Errorf("opened after its end: %v", err)
	}
}

func mint(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	testkit.Must(t, err)
	return id
}

// leadsLeave: what of the case goes to which state, after its one suspect was opened and decided on.
func leadsLeave(t *testing.T, h *testkit.House, c concert.Case, x concert.Exhibit) {
	t.Helper()
	ctx, lead, reviewer := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
	ask := func(state string, kind concert.LeadRecipientKind, persons ...string) concert.Lead {
		l, err := h.AskLead(ctx, lead, c.Ref, x.Ref, concert.Lead{Recipient: concert.LeadRecipient{Name: "EXERCISE recipient", Kind: kind, State: state}, Persons: persons})
		testkit.Must(t, err)
		return l
	}
	for want, l := range map[string]concert.Lead{concert.LeadThirdCountry: ask("ZZ", concert.LeadToPolice), concert.LeadMilitary: ask("ES", concert.LeadToMilitary), concert.LeadVisitors: ask("ES", concert.LeadToPolice, testkit.UserPseudonym)} {
		if l.Status != concert.LeadRefused || l.Code != want {
			t.Errorf("%s: %+v", want, l)
		}
		if _, err := h.ReleaseLead(ctx, reviewer, l.Ref, l.Version, strings.Repeat("ab", 32)); code(err) != "lead.status" {
			t.Errorf("%s is released: %v", want, err)
		}
	}
	l := ask("ES", concert.LeadToPolice, testkit.AddressPseudonym)
	if l.Status != concert.LeadAsked {
		t.Fatalf("a suspect's row: %+v", l)
	}
	if twice := ask("FR", concert.LeadToPolice, testkit.AddressPseudonym); twice.Code != concert.LeadTwice {
		t.Errorf("one person for two states: %+v", twice)
	}
	l, err := h.ReleaseLead(ctx, reviewer, l.Ref, l.Version, strings.Repeat("ab", 32))
	testkit.Must(t, err)
	l, err = h.ReceiptLead(ctx, lead, l.Ref, l.Version, strings.Repeat("cd", 32))
	if err != nil || l.Status != concert.LeadReceipted {
		t.Errorf("receipt: %v, %+v", err, l)
	}
	v, err := h.ReadCaseEvidence(ctx, testkit.Scope(t, h.Auditor), c.Ref)
	if err != nil || len(v.Exhibits) != 1 || len(v.Requests) != 3 || v.Counts[concert.LeadRefused] != 4 || v.Counts[concert.LeadReceipted] != 1 {
		t.Errorf("the case's evidence: %v, %+v", err, v)
	}
	if _, err := h.ReadCaseEvidence(ctx, testkit.Scope(t, h.North.Reviewers[1]), c.Ref); code(err) != "not_found" {
		t.Errorf("a stranger reads it: %v", err)
	}
	if at := found(h, t, "EXERCISE recipient"); at != "" {
		t.Errorf("in the clear: %s", at)
	}
}
