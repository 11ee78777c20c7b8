package casework_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/internal/testkit"
)

// copiesOf takes places whose bytes have this digest from the northern unit's find to its assessment.
func copiesOf(h *testkit.House, t *testing.T, work byte, places ...string) []casework.Result {
	t.Helper()
	in := make([]casework.Submission, len(places))
	for i, p := range places {
		in[i] = casework.Submission{Location: p, Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "A1", SHA256: fmt.Sprintf("%064x", work), Source: "form"}
	}
	out, err := h.SubmitItems(t.Context(), h.North.Officers[0], in)
	testkit.Must(t, err)
	return h.Assess(h.North.Officers[0], out)
}

func approveAll(h *testkit.House, t *testing.T, by concert.Actor, items ...casework.Result) string {
	t.Helper()
	in := make([]casework.Deciding, len(items))
	for i, it := range items {
		in[i] = casework.Deciding{Item: it.Ref, Version: it.Version, Decision: concert.Approve}
	}
	out, err := h.DecideItems(t.Context(), by, in)
	testkit.Must(t, err)
	return outcomes(out)
}

func TestOnlyCopiesAreApprovedInBulk(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		rex := h.North.Reviewers[0]
		copies := copiesOf(h, t, 1, testkit.Page(1), testkit.Page(2), testkit.Page(3))
		other := copiesOf(h, t, 2, testkit.Page(4))
		bare := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(5), testkit.Page(6)))
		if got := approveAll(h, t, rex, append(copies, bare...)...); got != "approval.bulk approval.bulk approval.bulk approval.bulk approval.bulk" {
			t.Errorf("nothing was approved alone: %s", got)
		}
		if list := awaiting(h, t, rex); len(list) != 6 || list[copies[1].Ref] != "" {
			t.Errorf("waiting: %v", list)
		}
		_, err := h.ReadItem(t.Context(), testkit.Scope(t, rex), copies[0].Ref)
		testkit.Must(t, err)
		h.At(day.Add(time.Hour), 1)
		if got := approveAll(h, t, rex, copies[0]); got != "approved" {
			t.Fatalf("alone: %s", got)
		}
		if list := awaiting(h, t, rex); len(list) != 5 || list[copies[1].Ref] != copies[0].Ref || list[other[0].Ref] != "" || list[bare[0].Ref] != "" {
			t.Errorf("waiting: %v", list)
		}
		if got := approveAll(h, t, rex, copies[1], other[0], copies[2], bare[0]); got != "approved approval.bulk approved approval.bulk" {
			t.Errorf("copies beside others: %s", got)
		}
		if got := approveAll(h, t, rex, bare[1]); got != "approved" {
			t.Errorf("one, never opened: %s", got)
		}
		rep, err := h.ReadReport(t.Context(), testkit.Scope(t, h.Coordinator), h.Action.Ref)
		testkit.Must(t, err)
		a := rep.Approvals
		if a.Total != 4 || a.Single != 2 || a.Bulk != 2 || a.Unopened != 1 || a.Median < 55*time.Minute || a.Median > 65*time.Minute || a.P90 != a.Median {
			t.Errorf("the report says %+v", a)
		}
		// The log says the same.
		var single, bulk, unopened int
		var seconds int64
		for _, b := range decided(h, t) {
			switch {
			case !b.Single:
				bulk++
			case b.OpenedS == nil:
				single++
				unopened++
			default:
				single++
				seconds = *b.OpenedS
			}
		}
		if single != a.Single || bulk != a.Bulk || unopened != a.Unopened || time.Duration(seconds)*time.Second != a.Median {
			t.Errorf("the log says %d alone, %d in bulk, %d unopened, %d s", single, bulk, unopened, seconds)
		}
	})
}

// awaiting is what waits for the reviewer, each with what it may follow.
func awaiting(h *testkit.House, t *testing.T, by concert.Actor) map[string]string {
	t.Helper()
	list, err := h.SearchApprovals(t.Context(), testkit.Scope(t, by), concert.ItemSearch{}, "", concert.Page{Limit: 100})
	testkit.Must(t, err)
	out := map[string]string{}
	for _, a := range list.Rows {
		if !a.Own {
			out[a.Ref] = a.Follows
		}
	}
	return out
}

// decided are the bodies of the approvals in the log.
func decided(h *testkit.House, t *testing.T) []concert.ItemBody {
	t.Helper()
	var out []concert.ItemBody
	testkit.Must(t, h.PublishLog(t.Context()))
	testkit.Must(t, h.DB.View(t.Context(), func(tx *store.Tx) error {
		events, err := tx.EventsFrom(t.Context(), 0, 10_000)
		for _, e := range events {
			if e.Kind != concert.EventItemApproved && e.Kind != concert.EventItemSeconded {
				continue
			}
			var b concert.ItemBody
			testkit.Must(t, json.Unmarshal(e.Body, &b))
			out = append(out, b)
		}
		return err
	}))
	return out
}

// What a reviewer sees in a list, and what the author or another unit reads, is no opening.
func TestOnlyAReviewersFirstReadingIsAnOpening(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(1)))
		h.Submit(h.South.Officers[0], testkit.Page(1))
		raw := testkit.Raw(t, h.Service)
		openings := func() (n int) {
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM opening").Scan(&n))
			return n
		}
		awaiting(h, t, h.North.Reviewers[0])
		for _, by := range []concert.Actor{h.North.Officers[0], h.North.Officers[1], h.Coordinator, h.Auditor, h.South.Officers[0], h.South.Reviewers[0]} {
			_, err := h.ReadItem(t.Context(), testkit.Scope(t, by), items[0].Ref)
			testkit.Must(t, err)
		}
		if n := openings(); n != 0 {
			t.Errorf("%d openings by those who cannot decide", n)
		}
		for range 3 {
			_, err := h.ReadItem(t.Context(), testkit.Scope(t, h.North.Reviewers[0]), items[0].Ref)
			testkit.Must(t, err)
		}
		if n := openings(); n != 1 {
			t.Errorf("%d openings of one reviewer", n)
		}
		h.Approve(h.North.Reviewers[1], items)
		_, err := h.ReadItem(t.Context(), testkit.Scope(t, h.North.Reviewers[1]), items[0].Ref)
		testkit.Must(t, err)
		third := h.Person("north-reviewer-third", h.North.Ref, "", concert.RoleReviewer)
		_, err = h.ReadItem(t.Context(), testkit.Scope(t, third), items[0].Ref)
		testkit.Must(t, err)
		waits := h.Item(items[0].Ref).Look.Assessment != "" // one in fifty is drawn, and its opening ends the reader's blindness
		if n := openings(); n != map[bool]int{false: 1, true: 2}[waits] {
			t.Errorf("%d openings: what was decided is opened no more", n)
		}
	})
}

// drawn finds a place whose item, when approved, will be drawn for a second look, and takes it to its assessment.
func drawn(h *testkit.House, t *testing.T, from int, change func(*casework.Submission)) casework.Result {
	t.Helper()
	for {
		in := make([]casework.Submission, 100)
		for i := range in {
			in[i] = casework.Submission{Location: testkit.Page(from + i), Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "A1", Source: "form"}
			if change != nil {
				change(&in[i])
			}
		}
		from += len(in)
		out, err := h.SubmitItems(t.Context(), h.North.Officers[0], in)
		testkit.Must(t, err)
		refs := make([]string, len(out))
		for i, r := range out {
			refs[i] = r.Ref
		}
		lucky := -1
		testkit.Must(t, h.DB.View(t.Context(), func(tx *store.Tx) error {
			items, err := tx.BareItemsByRef(t.Context(), refs)
			for i, r := range out {
				if concert.Drawn(h.DB.Draw(items[r.Ref].ID)) {
					lucky = i
				}
			}
			return err
		}))
		if lucky >= 0 {
			return h.Assess(h.North.Officers[0], out[lucky:lucky+1])[0]
		}
	}
}

func looks(h *testkit.House, t *testing.T, by concert.Actor) casework.SecondLooks {
	t.Helper()
	out, err := h.ListSecondLooks(t.Context(), testkit.Scope(t, by))
	testkit.Must(t, err)
	return out
}

func TestG27SecondLookIsBlindAndStopsNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		rex, roy, officer := h.North.Reviewers[0], h.North.Reviewers[1], h.North.Officers[0]
		it := drawn(h, t, 1, nil)
		if n := len(looks(h, t, roy).Waiting); n != 0 {
			t.Errorf("%d second looks before an approval", n)
		}
		h.Approve(rex, []casework.Result{it})
		for _, by := range []concert.Actor{rex, h.South.Reviewers[0]} {
			if n := len(looks(h, t, by).Waiting); n != 0 {
				t.Errorf("%d second looks wait for %s", n, by.Operator)
			}
			if _, err := h.LookAgain(t.Context(), by, it.Ref, concert.SecondLook{Verdict: concert.LookAgree, Type: concert.Incites}); code(err) != map[bool]string{true: "second_look.not_blind", false: "not_found"}[by.Person == rex.Person] {
				t.Errorf("%s looks: %v", by.Operator, err)
			}
		}
		waiting := looks(h, t, roy).Waiting
		if len(waiting) != 1 || waiting[0].Ref != it.Ref || waiting[0].Outlet.ID != h.Outlet.ID || waiting[0].Evaluation != "A1" || waiting[0].Location.Submitted == "" {
			t.Fatalf("waiting for the third person: %+v", waiting)
		}
		text, err := json.Marshal(waiting)
		testkit.Must(t, err)
		for _, secret := range []string{testkit.Judgement().Facts, testkit.Judgement().Judgement, rex.Operator, officer.Operator, "incites"} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the look is not blind: it shows %q", secret)
			}
		}
		before := h.Item(it.Ref)
		if before.Look.Assessment == "" || !before.Look.At.IsZero() {
			t.Errorf("before the look: %+v", before.Look)
		}
		said, err := h.LookAgain(t.Context(), roy, it.Ref, concert.SecondLook{Verdict: concert.LookDisagree, Note: ground})
		testkit.Must(t, err)
		if said.At.IsZero() || said.By != roy.Person {
			t.Errorf("said: %+v", said)
		}
		if _, err := h.LookAgain(t.Context(), roy, it.Ref, concert.SecondLook{Verdict: concert.LookAgree, Type: concert.Threat}); code(err) != "second_look.done" {
			t.Errorf("a second word: %v", err)
		}
		after := h.Item(it.Ref)
		if after.Status != concert.ItemApproved || after.Version != before.Version || after.Look.Verdict != concert.LookDisagree || after.Look.Note != ground || after.LookUnit != h.North.Unit {
			t.Errorf("after the look: %s, version %d, %+v", after.Status, after.Version, after.Look)
		}
		// The author's authority is told, nobody else.
		if d := looks(h, t, officer).Disagreed; len(d) != 1 || d[0].Ref != it.Ref || d[0].Note != ground {
			t.Errorf("told: %+v", d)
		}
		if d := looks(h, t, h.South.Officers[0]).Disagreed; len(d) != 0 {
			t.Errorf("another unit is told: %+v", d)
		}
		b, err := h.ReadBoard(t.Context(), testkit.Scope(t, h.Coordinator), h.Action.Ref)
		if err != nil || b.Totals[concert.SecondLooks] != 1 || b.Totals[concert.SecondDisagreed] != 1 || b.Totals[concert.SecondWaiting] != 0 || b.Totals.Check() != nil {
			t.Errorf("the board: %v, %v", b.Totals, err)
		}
		for id, c := range b.Providers {
			if c[concert.SecondLooks] != 0 || c[concert.SecondDisagreed] != 0 {
				t.Errorf("the numbers of provider %s tell of second looks", id)
			}
		}
	})
}

func TestG20ErasedItemGetsNoSecondLook(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		rex, roy := h.North.Reviewers[0], h.North.Reviewers[1]
		it := drawn(h, t, 1, nil)
		h.Approve(rex, []casework.Result{it})
		testkit.Must(t, h.AskErasure(t.Context(), h.North.Officers[0], it.Ref, h.Item(it.Ref).Version, concert.ErasureSubject, ground))
		testkit.Must(t, h.EraseItem(t.Context(), rex, it.Ref, h.Item(it.Ref).Version))
		if n := len(looks(h, t, roy).Waiting); n != 0 {
			t.Errorf("%d second looks wait", n)
		}
		if _, err := h.LookAgain(t.Context(), roy, it.Ref, concert.SecondLook{Verdict: concert.LookDisagree, Note: ground}); code(err) != "not_found" {
			t.Errorf("a look at what was erased: %v", err)
		}
	})
}

// Who opened it knows; where the authority has nobody left, another one of the action looks, unless the item is not to be shown.
func TestSecondLookGoesToAnotherAuthorityWhereNobodyIsLeft(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		rex, roy, south := h.North.Reviewers[0], h.North.Reviewers[1], h.South.Reviewers[0]
		open := drawn(h, t, 1, nil)
		closed := drawn(h, t, 100_000, nil)
		for _, it := range []casework.Result{open, closed} {
			h.Approve(rex, []casework.Result{it})
			if it == closed {
				testkit.Must(t, h.ChangeHandling(t.Context(), roy, it.Ref, h.Item(it.Ref).Version, concert.HandlingNotShared, ground))
			}
			if n := len(looks(h, t, south).Waiting); n != 0 {
				t.Errorf("%d second looks for another authority while a third person is left", n)
			}
		}
		if n := len(looks(h, t, roy).Waiting); n != 2 {
			t.Errorf("%d second looks for the third person", n)
		}
		for _, it := range []casework.Result{open, closed} {
			_, err := h.ReadItem(t.Context(), testkit.Scope(t, roy), it.Ref)
			testkit.Must(t, err)
		}
		if n := len(looks(h, t, roy).Waiting); n != 0 {
			t.Errorf("%d second looks for who has opened the items", n)
		}
		// Whoever still waits for a second administrator can look at nothing.
		_, err := h.AddPerson(t.Context(), operator, concert.Person{Name: "Waiting (EXERCISE)", Login: "waiting", Roles: []concert.Role{concert.RoleReviewer}, Languages: testkit.Languages()}, h.North.Ref, "", "")
		testkit.Must(t, err)
		if w := looks(h, t, south).Waiting; len(w) != 1 || w[0].Ref != open.Ref {
			t.Errorf("for another authority: %+v", w)
		}
		// What is kept from others keeps its second look, too (G23).
		h.Submit(h.South.Officers[0], h.Item(closed.Ref).Location.Submitted)
		if v, err := h.ReadItem(t.Context(), testkit.Scope(t, h.South.Officers[0]), closed.Ref); err != nil || !v.Withheld || v.Look.Assessment != "" {
			t.Errorf("another finder sees of the closed item: withheld %v, %+v, %v", v.Withheld, v.Look, err)
		}
		if _, err := h.LookAgain(t.Context(), south, closed.Ref, concert.SecondLook{Verdict: concert.LookAgree, Type: concert.Incites}); code(err) != "not_found" {
			t.Errorf("an item that is not to be shown: %v", err)
		}
		_, err = h.LookAgain(t.Context(), south, open.Ref, concert.SecondLook{Verdict: concert.LookAgree, Type: concert.Incites})
		testkit.Must(t, err)
		if v := h.Item(open.Ref); v.LookUnit != h.South.Unit || v.Look.Verdict != concert.LookAgree {
			t.Errorf("the item's page: %+v", v.Look)
		}
	})
}

func TestG30LowAccuracyNeedsOneApprovalMoreUntilItIsAboveAgain(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		officer := h.North.Officers[0]
		places := make([]string, concert.AccuracyFrom)
		for i := range places {
			places[i] = testkit.Page(i + 1)
		}
		items := h.Approved(places...)
		stop := testkit.Run(t, h.Service)
		refs := map[string][]string{}
		for _, it := range items {
			ref := sent(h, t, it.Ref)
			refs[ref] = append(refs[ref], it.Ref)
		}
		stop()
		wrong := map[string]bool{items[0].Ref: true, items[1].Ref: true, items[2].Ref: true, items[3].Ref: true}
		for ref, all := range refs {
			for _, it := range all {
				a := concert.Answer{Code: concert.AnswerRemoved}
				if wrong[it] {
					a = concert.Answer{Code: concert.AnswerNotOurs}
				}
				answer(h, t, h.Answerer, ref, a, it)
			}
		}
		needed := func(n int) int {
			t.Helper()
			h.Assess(officer, h.Submit(officer, testkit.Page(n)))
			list, err := h.SearchApprovals(t.Context(), testkit.Scope(t, h.North.Reviewers[0]), concert.ItemSearch{}, "", concert.Page{Limit: 100})
			testkit.Must(t, err)
			return list.Rows[len(list.Rows)-1].Needed
		}
		if got := accuracyOf(h, t, officer, officer); got.Judged != 20 || got.Inaccurate != 4 || !got.Low() {
			t.Errorf("four of twenty: %+v", got.Accuracy)
		}
		if n := needed(101); n != 2 {
			t.Errorf("an assessment needs %d approvals while accuracy is low", n)
		}
		// Withdrawn, an item that was not theirs is one fault and not two.
		remedy(h, t, officer, items[0].Ref, concert.RemedyWithdrawal)
		for range 2 {
			remedy(h, t, officer, items[10].Ref, concert.RemedyCorrection)
		}
		if got := accuracyOf(h, t, h.North.Reviewers[1], officer); got.Judged != 21 || got.Inaccurate != 5 || got.Counts[concert.OfficerWithdrawn] != 1 || got.Counts[concert.OfficerNotOurs] != 3 || got.Counts[concert.OfficerCorrected] != 1 {
			t.Errorf("after a withdrawal and two corrections: %+v, %v", got.Accuracy, got.Counts)
		}
		for _, it := range items[1:4] {
			answer(h, t, h.Answerer, h.Item(it.Ref).ReferredAs, concert.Answer{Code: concert.AnswerRemoved}, it.Ref)
		}
		if got := accuracyOf(h, t, h.Auditor, officer); got.Judged != 21 || got.Inaccurate != 2 || got.Low() {
			t.Errorf("after other words of the provider: %+v, %v", got.Accuracy, got.Counts)
		}
		if n := needed(102); n != 1 {
			t.Errorf("an assessment needs %d approvals when accuracy is above again", n)
		}
		recountsTheSame(h, t)
	})
}

// accuracyOf is an officer's as somebody else reads it.
func accuracyOf(h *testkit.House, t *testing.T, by, officer concert.Actor) casework.OfficerAccuracy {
	t.Helper()
	all, err := h.ReadAccuracy(t.Context(), testkit.Scope(t, by))
	testkit.Must(t, err)
	for _, o := range all {
		if o.Operator == officer.Operator {
			return o
		}
	}
	t.Fatalf("%s does not see %s", by.Operator, officer.Operator)
	return casework.OfficerAccuracy{}
}

// recountsTheSame counts the officers' numbers again from an export.
func recountsTheSame(h *testkit.House, t *testing.T) {
	t.Helper()
	var bundle bytes.Buffer
	testkit.Must(t, h.Export(t.Context(), &bundle))
	v, err := formats.VerifyBundle(&bundle, h.LogKey, nil)
	if err != nil || !v.Verified {
		t.Fatalf("the export: %s, %v", v.Problem, err)
	}
	recount := v.Counts.BySide("", 'o')
	testkit.Must(t, h.DB.View(t.Context(), func(tx *store.Tx) error {
		d, err := tx.Tallies(t.Context(), "")
		running := d.BySide("", 'o')
		if len(running) == 0 || len(running) != len(recount) {
			t.Errorf("%d officers are counted, %d recounted", len(running), len(recount))
		}
		for id, c := range running {
			for _, m := range concert.OfficerMetrics {
				if c[m] != recount[id][m] {
					t.Errorf("officer %s: %s is %d, a recount gives %d", id, m, c[m], recount[id][m])
				}
			}
		}
		return err
	}))
}

func TestG30AccuracyIsShownToThoseItConcerns(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		for name, c := range map[string]struct {
			by   concert.Actor
			want int
			code string
		}{
			"an officer sees their own":  {h.North.Officers[0], 1, ""},
			"a reviewer the authority's": {h.North.Reviewers[0], 2, ""},
			"an auditor all":             {h.Auditor, 4, ""},
			"a coordinator none":         {h.Coordinator, 0, "role.missing"},
			"a provider none":            {h.Answerer, 0, "role.missing"},
			"an administrator none":      {h.Admin, 0, "role.missing"},
		} {
			got, err := h.ReadAccuracy(t.Context(), testkit.Scope(t, c.by))
			if code(err) != c.code || len(got) != c.want {
				t.Errorf("%s: %d, %v", name, len(got), err)
			}
		}
	})
}
