package casework_test

import (
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func TestItemWaitsForAReaderOrAPersonsTranslation(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		speak := func(by concert.Actor, tags ...string) concert.Actor {
			p, err := h.StateLanguages(ctx, by, "", tags)
			testkit.Must(t, err)
			return p.Actor()
		}
		ann, mia := speak(h.North.Officers[0], "en"), speak(h.North.Officers[1], "ar", "en")
		rex, roy := speak(h.North.Reviewers[0], "en-GB"), speak(h.North.Reviewers[1])
		if _, err := h.StateLanguages(ctx, ann, mia.Operator, []string{"ar"}); code(err) != "role.missing" {
			t.Errorf("stated for a colleague: %v", err)
		}
		items := h.Submit(ann, testkit.Page(1), testkit.Page(2))
		judge := func(by concert.Actor, it casework.Result, tag string) casework.Result {
			a := testkit.Judgement()
			a.Language = tag
			out, err := h.AssessItems(ctx, by, []casework.Judging{{Item: it.Ref, Version: it.Version, Outlet: h.Outlet.Ref, Assessment: a}})
			testkit.Must(t, err)
			return out[0]
		}
		translate := func(by concert.Actor, ref string, kind concert.TranslationKind, maker string) {
			t.Helper()
			_, err := h.RecordTranslation(ctx, by, ref, concert.Translation{Kind: kind, Source: "ar", Target: "en", Translator: maker, Text: "EXERCISE: invented words."})
			testkit.Must(t, err)
		}
		if r := judge(ann, items[0], "ar-EG"); code(r.Err) != "assessment.language" {
			t.Errorf("judged unread: %+v", r)
		}
		translate(ann, items[0].Ref, concert.TranslationMachine, "EXERCISE engine 1")
		if r := judge(ann, items[0], "ar"); code(r.Err) != "assessment.language" {
			t.Errorf("judged by a machine's translation: %+v", r)
		}
		translate(mia, items[0].Ref, concert.TranslationHuman, "")
		first := judge(ann, items[0], "ar")
		second := judge(mia, items[1], "ar")
		if outcomes([]casework.Result{first, second}) != "assessed assessed" {
			t.Fatalf("judged: %+v, %+v", first, second)
		}
		decide := func(by concert.Actor, r casework.Result) string {
			out, err := h.DecideItems(ctx, by, []casework.Deciding{{Item: r.Ref, Version: r.Version, Decision: concert.Approve}})
			testkit.Must(t, err)
			return outcomes(out)
		}
		if got := decide(roy, first); got != "approval.language" {
			t.Errorf("approved by who reads nothing: %s", got)
		}
		if got := decide(rex, first); got != "approved" {
			t.Errorf("approved by a third person's translation: %s", got)
		}
		translate(mia, second.Ref, concert.TranslationHuman, "")
		translate(ann, second.Ref, concert.TranslationMachine, "EXERCISE engine 1")
		if got := decide(rex, second); got != "approval.language" {
			t.Errorf("approved by the assessor's own translation: %s", got)
		}
		// Lists can leave out what the reader cannot judge.
		for _, by := range []concert.Actor{rex, roy} {
			if got, err := h.SearchApprovals(ctx, testkit.Scope(t, by), concert.ItemSearch{Languages: append([]string{}, by.Languages...)}, "", concert.Page{Limit: 10}); err != nil || len(got.Rows) != 0 {
				t.Errorf("%v lists %d, %v", by.Languages, len(got.Rows), err)
			}
		}
		rex = speak(rex, "ar")
		got, err := h.SearchApprovals(ctx, testkit.Scope(t, rex), concert.ItemSearch{Languages: rex.Languages}, "", concert.Page{Limit: 10})
		if err != nil || len(got.Rows) != 1 || got.Rows[0].Ref != second.Ref {
			t.Errorf("a reader lists %d, %v", len(got.Rows), err)
		}
		if got := decide(rex, second); got != "approved" {
			t.Errorf("approved by a reader: %s", got)
		}
		ts, names, err := h.Translations(ctx, testkit.Scope(t, rex), first.Ref)
		if err != nil || len(ts) != 2 || ts[0].Translator != "EXERCISE engine 1" || names[ts[1].Maker] != mia.Operator || ts[1].Text != "EXERCISE: invented words." {
			t.Errorf("translations: %+v, %v", ts, err)
		}
		for _, by := range []concert.Actor{h.South.Officers[0], h.Admin, h.Answerer} {
			if _, _, err := h.Translations(ctx, testkit.Scope(t, by), first.Ref); code(err) != "not_found" {
				t.Errorf("%v reads translations: %v", by.Roles, err)
			}
			if _, err := h.RecordTranslation(ctx, by, first.Ref, concert.Translation{Kind: concert.TranslationMachine, Source: "ar", Target: "en", Translator: "EXERCISE", Text: "EXERCISE"}); code(err) != "not_found" {
				t.Errorf("%v translates: %v", by.Roles, err)
			}
		}
		if where := found(h, t, "invented words"); where != "" {
			t.Errorf("in the clear: %s", where)
		}
		// What its finder said is in another language waits in the queue, too.
		out, err := h.SubmitItems(ctx, ann, []casework.Submission{{Location: testkit.Page(3), Language: "ru"}, {Location: testkit.Page(4), Language: "en-GB"}, {Location: testkit.Page(5)}, {Location: testkit.Page(6), Language: "Russian"}})
		if err != nil || outcomes(out) != "created created created item.language" {
			t.Fatalf("handed in: %s, %v", outcomes(out), err)
		}
		open, err := h.ListItems(ctx, testkit.Scope(t, ann), casework.ItemQuery{Status: concert.ItemOpen, Limit: 10, Read: true})
		if err != nil || len(open) != 2 {
			t.Errorf("the queue of who reads English: %d, %v", len(open), err)
		}
		if r := judge(ann, out[0], "en"); code(r.Err) != "assessment.language" {
			t.Errorf("another language named to get past it: %+v", r)
		}
	})
}
