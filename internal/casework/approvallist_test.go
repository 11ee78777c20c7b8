package casework_test

import (
	"slices"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// What waits for an approval is narrowed by what a reviewer asks, and shows nobody what is not theirs to decide.
func TestApprovalsAreFilteredForTheirReviewer(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		ann, rex, roy := h.North.Officers[0], h.North.Reviewers[0], h.North.Reviewers[1]
		second := h.ListedOutlet("EXERCISE Second outlet")
		names := map[string]string{}
		assess := func(by concert.Actor, name, place string, change func(*casework.Submission, *casework.Judging)) casework.Result {
			t.Helper()
			in, j := casework.Submission{Location: place, Type: concert.TypeVideo, Evaluation: "A1", Captures: testkit.Seen(place)}, casework.Judging{Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}
			change(&in, &j)
			out, err := h.SubmitItems(ctx, by, []casework.Submission{in})
			testkit.Must(t, err)
			j.Item, j.Version = out[0].Ref, out[0].Version
			out, err = h.AssessItems(ctx, by, []casework.Judging{j})
			testkit.Must(t, err)
			if out[0].Err != nil {
				t.Fatal(out[0].Err)
			}
			names[out[0].Ref] = name
			return out[0]
		}
		assess(ann, "old", testkit.Page(1), func(*casework.Submission, *casework.Judging) {})
		h.StopClockAt(day.Add(48 * time.Hour))
		assess(ann, "sound", testkit.Sound(1), func(in *casework.Submission, _ *casework.Judging) { in.Type = concert.TypeAudio })
		assess(ann, "serious", testkit.Page(2), func(_ *casework.Submission, j *casework.Judging) {
			j.Assessment.Severity, j.Assessment.Language = concert.SeveritySerious, "tr"
		})
		assess(ann, "outlet", testkit.Page(3), func(_ *casework.Submission, j *casework.Judging) { j.Outlet = second.Ref })
		both := h.Person("north-both", h.North.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		assess(both, "own", testkit.Page(4), func(*casework.Submission, *casework.Judging) {})
		twice := assess(ann, "twice", testkit.Page(5), func(_ *casework.Submission, j *casework.Judging) {
			j.Assessment.Unbranded, j.Assessment.Mark, j.Assessment.MarkWhere = true, "", ""
		})
		if out, err := h.DecideItems(ctx, rex, []casework.Deciding{{Item: twice.Ref, Version: twice.Version, Decision: concert.Approve, Ground: ground}}); err != nil || outcomes(out) != "assessed" {
			t.Fatalf("the first of two: %s, %v", outcomes(out), err)
		}
		assess(h.South.Officers[0], "south", testkit.Page(6), func(*casework.Submission, *casework.Judging) {})
		want := func(by concert.Actor, q concert.ItemSearch, want ...string) {
			t.Helper()
			got := pages(t, "approvals", func(p concert.Page) (concert.Listed[casework.Awaiting], error) {
				p.Order = concert.OrderOldest
				return h.SearchApprovals(ctx, testkit.Scope(t, by), q, "", p)
			}, func(a casework.Awaiting) string { return names[a.Ref] }, func(a casework.Awaiting) []string { return []string{string(a.ID)} })
			if !slices.Equal(got, want) {
				t.Errorf("%s asks %+v: %v, want %v", by.Operator, q, got, want)
			}
		}
		want(roy, concert.ItemSearch{}, "old", "sound", "serious", "outlet", "own", "twice")
		want(roy, concert.ItemSearch{Decider: roy.Person}, "old", "sound", "serious", "outlet", "own", "twice")
		want(rex, concert.ItemSearch{Decider: rex.Person}, "old", "sound", "serious", "outlet", "own")
		want(rex, concert.ItemSearch{Decider: rex.Person, Involved: true}, "twice")
		want(both, concert.ItemSearch{Decider: both.Person}, "old", "sound", "serious", "outlet", "twice")
		want(both, concert.ItemSearch{Decider: both.Person, Involved: true}, "own")
		want(roy, concert.ItemSearch{Provider: h.Pulled.ID}, "sound")
		want(roy, concert.ItemSearch{Type: concert.TypeAudio}, "sound")
		want(roy, concert.ItemSearch{Outlet: second.ID}, "outlet")
		want(roy, concert.ItemSearch{Severity: concert.SeveritySerious}, "serious")
		want(roy, concert.ItemSearch{Language: "tr"}, "serious")
		want(roy, concert.ItemSearch{Languages: []string{"tr", "fr"}}, "serious")
		want(roy, concert.ItemSearch{Languages: []string{}})
		want(roy, concert.ItemSearch{Rested: h.Now().Add(-24 * time.Hour)}, "old")
		want(roy, concert.ItemSearch{Desk: h.South.ID, Status: concert.ItemOpen, Found: true}, "old", "sound", "serious", "outlet", "own", "twice") // whose and what is no question here
		want(h.South.Reviewers[0], concert.ItemSearch{}, "south")
		for _, by := range []concert.Actor{ann, h.Auditor, h.Coordinator, h.Answerer} {
			if _, err := h.SearchApprovals(ctx, testkit.Scope(t, by), concert.ItemSearch{}, "", concert.Page{Limit: 5}); err == nil {
				t.Errorf("%v list approvals", by.Roles)
			}
		}
	})
}
