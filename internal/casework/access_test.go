package casework_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
)

func TestG03FourEyesStandInTheTablesThemselves(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(1)))
		v := h.Item(items[0].Ref)
		insert := func(reviewer concert.PersonID) error {
			return h.DB.Update(t.Context(), func(tx *store.Tx) error {
				tx.Record(concert.NewEvent(concert.EventItemApproved, h.North.Reviewers[0], string(v.ID), h.Now(), concert.ItemBody{Ref: v.Ref}))
				return tx.AddApprovals(t.Context(), []concert.Approval{{Assessment: v.Assessment, Item: v.ID, Author: v.Item.Assessor, Reviewer: reviewer, Authority: h.North.ID, Decision: concert.Approve, At: h.Now()}})
			})
		}
		if err := insert(v.Item.Assessor); err == nil {
			t.Error("the table takes an approval by the assessment's author")
		}
		testkit.Must(t, insert(h.North.Reviewers[0].Person))
		if err := insert(h.North.Reviewers[0].Person); code(err) != "exists" {
			t.Errorf("the table takes two approvals of one reviewer: %v", err)
		}
		raw := testkit.Raw(t, h.Service)
		if _, err := raw.Exec("UPDATE scope_entry SET confirmed_by = proposed_by"); err == nil {
			t.Error("the table takes a scope entry confirmed by its proposer")
		}
	})
}

func TestG03OneUnitsOfficerAndReviewerDecide(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		both := h.Person("both", h.North.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		items := h.Assess(both, h.Submit(both, testkit.Page(1), testkit.Page(2)))
		decide := func(by concert.Actor, version int64) string {
			out, err := h.DecideItems(t.Context(), by, []casework.Deciding{{Item: items[0].Ref, Version: version, Decision: concert.Approve, Ground: ground}})
			if err != nil {
				return code(err)
			}
			return outcomes(out)
		}
		for _, c := range []struct {
			name string
			by   concert.Actor
			want string
		}{{"the assessor, who reviews too", both, "approval.same_person"}, {"an officer", h.North.Officers[1], "role.missing"}, {"another unit's reviewer", h.South.Reviewers[0], "not_found"},
			{"the administrator", h.Admin, "role.missing"}, {"the auditor", h.Auditor, "role.missing"}, {"the coordinator", h.Coordinator, "role.missing"}, {"the provider", h.Answerer, "role.missing"}} {
			if got := decide(c.by, items[0].Version); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		if got := decide(h.North.Reviewers[0], items[0].Version-1); got != "stale" {
			t.Errorf("a stale version: %s", got)
		}
		if got := decide(h.North.Reviewers[0], items[0].Version); got != string(concert.ItemApproved) {
			t.Errorf("a second person: %s", got)
		}
		if got := decide(h.North.Reviewers[1], items[0].Version); got != "stale" {
			t.Errorf("decided twice with one version: %s", got)
		}
		for _, by := range []concert.Actor{h.Admin, h.Auditor, h.Coordinator, h.Answerer, h.North.Reviewers[0]} {
			if _, err := h.SubmitItems(t.Context(), by, []casework.Submission{{Location: testkit.Page(9)}}); code(err) != "role.missing" {
				t.Errorf("%v submits: %v", by.Roles, err)
			}
			if _, err := h.AssessItems(t.Context(), by, nil); code(err) != "role.missing" {
				t.Errorf("%v assesses: %v", by.Roles, err)
			}
		}
		if _, err := h.AddAuthority(t.Context(), h.Coordinator, concert.Authority{}); code(err) != "role.missing" {
			t.Errorf("a coordinator registers an authority: %v", err)
		}
	})
}

func TestG03ElevatedPlaceNeedsThreePeople(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Submit(h.North.Officers[0], testkit.Page(1))
		a := testkit.Judgement()
		a.Mark, a.MarkWhere, a.Unbranded = "", "", true
		judged, err := h.AssessItems(t.Context(), h.North.Officers[0], []casework.Judging{{Item: items[0].Ref, Version: items[0].Version, Outlet: h.Outlet.Ref, Assessment: a}})
		testkit.Must(t, err)
		version := judged[0].Version
		for _, c := range []struct {
			by   concert.Actor
			want string
		}{{h.North.Reviewers[0], string(concert.ItemAssessed)}, {h.North.Reviewers[0], "approval.same_reviewer"}, {h.North.Reviewers[1], string(concert.ItemApproved)}} {
			out, err := h.DecideItems(t.Context(), c.by, []casework.Deciding{{Item: items[0].Ref, Version: version, Decision: concert.Approve, Ground: ground}})
			if err != nil || outcomes(out) != c.want {
				t.Errorf("%s decides: %s, %v, want %s", c.by.Operator, outcomes(out), err, c.want)
			}
			version = h.Item(items[0].Ref).Version
		}
	})
}

func TestG19EventsAreAppendOnlyAndAFlippedByteIsFound(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		remedy(h, t, h.North.Officers[0], items[0].Ref, concert.RemedyWithdrawal)
		testkit.Must(t, h.PublishLog(t.Context()))
		raw := testkit.Raw(t, h.Service)
		for _, text := range []string{"UPDATE event SET body = '{}'", "UPDATE event SET actor = 'x', sealed = NULL, salt = NULL", "UPDATE event SET at = at + 1", "DELETE FROM event", "DELETE FROM remedy"} {
			if _, err := raw.Exec(text); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", text, err)
			}
		}
		v, err := h.VerifyLog(t.Context(), nil)
		if err != nil || !v.Verified || v.Erased != 0 {
			t.Fatalf("untouched: %s, %v", v.Problem, err)
		}
		drop := "DROP TRIGGER event_append_only"
		if h.DB.Dialect() == "postgres" {
			drop += " ON event"
		}
		_, err = raw.Exec(drop)
		testkit.Must(t, err)
		var id, body string
		testkit.Must(t, raw.QueryRow("SELECT id, body FROM event WHERE kind = 'item.approved' ORDER BY id LIMIT 1").Scan(&id, &body))
		_, err = raw.Exec("UPDATE event SET body = '" + strings.Replace(body, `"approve"`, `"bpprove"`, 1) + "' WHERE id = '" + id + "'")
		testkit.Must(t, err)
		if v, err = h.VerifyLog(t.Context(), nil); err != nil || v.Verified || v.FirstBad < 1 || !strings.Contains(v.Problem, id) || !strings.Contains(v.Problem, fmt.Sprintf("event %d ", v.FirstBad)) {
			t.Errorf("after the flip of one byte in %s: %s, %v", id, v.Problem, err)
		}
		_, err = raw.Exec("UPDATE event SET body = '" + body + "' WHERE id = '" + id + "'")
		testkit.Must(t, err)
		if v, err = h.VerifyLog(t.Context(), nil); err != nil || !v.Verified {
			t.Errorf("put back: %s, %v", v.Problem, err)
		}
		// What the table lets vanish, since erasure is lawful, the audit misses unless an erasure of it is recorded.
		_, err = raw.Exec("UPDATE event SET sealed = NULL, salt = NULL WHERE id = '" + id + "'")
		testkit.Must(t, err)
		if v, err = h.VerifyLog(t.Context(), nil); err != nil || v.Verified || v.Erased != 1 || !strings.Contains(v.Problem, id) {
			t.Errorf("erased without a record: %s, %v", v.Problem, err)
		}
	})
}

func TestTwoAnswersRacingOneIsTold(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Approved(testkit.Sound(1), testkit.Sound(2))
		h.At(h.Now(), swift)
		stop := testkit.Run(t, h.Service)
		ref := sent(h, t, items[0].Ref)
		stop()
		version := h.Referral(ref).Version
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, a := range []concert.AnswerCode{concert.AnswerRemoved, concert.AnswerRefused} {
			wg.Go(func() {
				_, _, errs[i] = h.AnswerReferral(context.WithoutCancel(t.Context()), h.Puller, ref, version, []casework.Replying{{Item: items[0].Ref, Answer: concert.Answer{Code: a}}})
			})
		}
		wg.Wait()
		codes := []string{code(errs[0]), code(errs[1])}
		slices.Sort(codes)
		if !slices.Equal(codes, []string{"", "stale"}) {
			t.Errorf("two answers with one version: %v", errs)
		}
		if v := h.Item(items[0].Ref); len(v.Answers) != 1 {
			t.Errorf("%d answers are kept", len(v.Answers))
		}
		// The same word again changes nothing; what is not in the referral is said to be so.
		claimed := h.Item(items[0].Ref).Claimed
		out := answer(h, t, h.Puller, ref, concert.Answer{Code: claimed}, items[0].Ref)
		if outcomes(out) != "unchanged" {
			t.Errorf("the same word again: %s", outcomes(out))
		}
		out, _, err := h.AnswerReferral(t.Context(), h.Puller, ref, h.Referral(ref).Version, []casework.Replying{{Item: "IT-NONE", Answer: concert.Answer{Code: concert.AnswerRemoved}}, {Item: items[1].Ref, Answer: concert.Answer{Code: "gone"}}})
		if err != nil || outcomes(out) != "answer.item answer.code" {
			t.Errorf("bad answers: %s, %v", outcomes(out), err)
		}
		if _, _, err := h.AnswerReferral(t.Context(), h.Answerer, ref, version, nil); !errors.Is(err, concert.ErrNotFound) {
			t.Errorf("another provider answers: %v", err)
		}
	})
}

func TestSameFileTwiceAddsNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		places := []string{testkit.Page(1), testkit.Page(2), testkit.Page(1), "https://video.example/"}
		if got := outcomes(h.Submit(h.North.Officers[0], places...)); got != "created created known stopped" {
			t.Errorf("first: %s", got)
		}
		board := func() concert.Counts {
			b, err := h.ReadBoard(t.Context(), testkit.Scope(t, h.Coordinator), h.Action.Ref)
			testkit.Must(t, err)
			return b.Totals
		}
		before := board()
		if got := outcomes(h.Submit(h.North.Officers[0], places...)); got != "known known known known" {
			t.Errorf("again: %s", got)
		}
		for m, n := range board() {
			if before[m] != n {
				t.Errorf("%s was %d and is %d", m, before[m], n)
			}
		}
		// A bad row is told, the rest goes in.
		out, err := h.SubmitItems(t.Context(), h.North.Officers[0], []casework.Submission{{Location: "javascript:alert(1)"}, {Location: testkit.Page(7)}, {Location: testkit.Page(8), Outlet: "OU-NONE"}, {Location: testkit.Page(9), Type: "smell"}, {Location: testkit.Page(10), Action: "JA-NONE"}})
		if err != nil || out[0].Err == nil || out[1].Outcome != casework.OutcomeCreated || out[2].Err == nil || out[3].Err == nil || out[4].Err == nil {
			t.Errorf("bad rows: %s, %v", outcomes(out), err)
		}
	})
}

func TestPagesOfItemsAreWalkedByKey(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		var in []casework.Submission
		for i := range 23 {
			in = append(in, casework.Submission{Location: testkit.Page(i), Priority: i % 4, Evaluation: "A1"})
		}
		made, err := h.SubmitItems(t.Context(), h.North.Officers[0], in)
		testkit.Must(t, err)
		h.Submit(h.South.Officers[0], testkit.Page(100))
		want := map[string]bool{}
		for _, r := range made {
			want[r.Ref] = true
		}
		for _, by := range []concert.Actor{h.North.Officers[1], h.Auditor} {
			var got []concert.Item
			q := casework.ItemQuery{Status: concert.ItemOpen, Limit: 5}
			for {
				page, err := h.ListItems(t.Context(), testkit.Scope(t, by), q)
				testkit.Must(t, err)
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				last := page[len(page)-1]
				q.AfterRank, q.AfterID = 9-last.Priority, last.ID
			}
			n := len(want)
			if by.Has(concert.RoleAuditor) {
				n++
			}
			seen := map[string]bool{}
			for i, it := range got {
				if seen[it.Ref] || i > 0 && (it.Priority > got[i-1].Priority || it.Priority == got[i-1].Priority && it.ID <= got[i-1].ID) {
					t.Fatalf("%s at %d comes twice or out of order", it.Ref, i)
				}
				seen[it.Ref] = true
			}
			if len(got) != n {
				t.Errorf("%v walks %d items, want %d", by.Roles, len(got), n)
			}
		}
		if _, err := h.ListItems(t.Context(), testkit.Scope(t, h.Answerer), casework.ItemQuery{Status: concert.ItemOpen}); err == nil {
			t.Error("a provider lists items")
		}
	})
}

func TestLinkWorksOnceAndSessionsEnd(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		session, p, err := h.Enter(ctx, h.Links["North-officer-0"], h.Codes["North-officer-0"])
		if err != nil || p.ID != h.North.Officers[0].Person {
			t.Fatalf("the link: %s, %v", p.Login, err)
		}
		for _, link := range []string{h.Links["North-officer-0"], "cso_nonsense", "", session} {
			if _, _, err := h.Enter(ctx, link, h.Codes["North-officer-0"]); code(err) != "login.refused" {
				t.Errorf("enter with %.8q: %v", link, err)
			}
		}
		got, err := h.Bearer(ctx, session)
		if err != nil || got.ID != p.ID {
			t.Fatalf("the session speaks for %s, %v", got.Login, err)
		}
		if _, err := h.Bearer(ctx, h.Links["auditor"]); code(err) != "credential.unknown" {
			t.Errorf("a link used as a session: %v", err)
		}
		const password = "EXERCISE correct horse 7 staple"
		if err := h.SetPassword(ctx, p.Actor(), "short"); code(err) != "password.weak" {
			t.Errorf("a weak password: %v", err)
		}
		testkit.Must(t, h.SetPassword(ctx, p.Actor(), password))
		again, err := h.Login(ctx, p.Login, password)
		if err != nil {
			t.Fatal(err)
		}
		for login, pw := range map[string]string{p.Login: password + "x", "nobody": password, "auditor": "", h.Auditor.Operator: password} {
			if _, err := h.Login(ctx, login, pw); code(err) != "login.refused" {
				t.Errorf("%s logs in with a wrong password: %v", login, err)
			}
		}
		testkit.Must(t, h.Logout(ctx, again))
		if _, err := h.Bearer(ctx, again); code(err) != "credential.unknown" {
			t.Errorf("after the log-out: %v", err)
		}
		if _, _, err := h.NewLink(ctx, h.Coordinator, p.Login); code(err) != "role.missing" {
			t.Errorf("a coordinator makes a link: %v", err)
		}
		link, proposal, err := h.NewLink(ctx, h.Admin, p.Login)
		testkit.Must(t, err)
		_, half, err := h.ConfirmPerson(ctx, h.SecondAdmin, p.Login, proposal)
		testkit.Must(t, err)
		if _, _, err := h.Enter(ctx, testkit.Token(link), strings.ToLower(half)); err != nil {
			t.Errorf("a new link: %v", err)
		}
		if _, err := h.FirstAdministrators(ctx, concert.Person{Name: "EXERCISE", Login: "third"}, concert.Person{Name: "EXERCISE", Login: "fourth"}, true); code(err) != "person.first" {
			t.Errorf("two more first administrators: %v", err)
		}
		if !h.CheckCSRF(session, h.CSRFToken(session)) || h.CheckCSRF(again, h.CSRFToken(session)) {
			t.Error("a form's token is not its session's")
		}
	})
}

func TestLogInIsSlowedAfterFailures(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		const password = "EXERCISE correct horse 7 staple"
		by := h.North.Officers[0]
		testkit.Must(t, h.SetPassword(t.Context(), by, password))
		failures := 0
		for identity.LoginWait(failures, time.Now(), time.Now()) == 0 {
			if _, err := h.Login(t.Context(), by.Operator, "EXERCISE wrong"); code(err) != "login.refused" {
				t.Fatal(err)
			}
			failures++
		}
		if _, err := h.Login(t.Context(), by.Operator, password); code(err) != "login.refused" {
			t.Errorf("the right password straight after %d wrong ones: %v", failures, err)
		}
	})
}

func TestRepeatedRequestGetsItsFirstAnswer(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		who := h.Answerer.Person
		if _, ok, err := h.Recall(t.Context(), who, "key", []byte("request")); ok || err != nil {
			t.Errorf("a new key: %v, %v", ok, err)
		}
		first := casework.StoredAnswer{Status: 201, Header: map[string]string{"ETag": "1"}, Body: []byte("body")}
		testkit.Must(t, h.Keep(t.Context(), who, "key", []byte("request"), first))
		testkit.Must(t, h.Keep(t.Context(), who, "key", []byte("request"), casework.StoredAnswer{Status: 500}))
		got, ok, err := h.Recall(t.Context(), who, "key", []byte("request"))
		if err != nil || !ok || got.Status != 201 || string(got.Body) != "body" || got.Header["ETag"] != "1" {
			t.Errorf("again: %+v, %v, %v", got, ok, err)
		}
		if _, _, err := h.Recall(t.Context(), who, "key", []byte("another")); code(err) != "idempotency.reused" {
			t.Errorf("one key for two requests: %v", err)
		}
	})
}

func TestTwoNodesKeepOneLogAndFireEachClockOnce(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		h := testkit.Furnish(t, s)
		nodes := []*casework.Service{s, testkit.ServiceAt(t, testkit.AddressOf(t, s))}
		ctx := t.Context()
		var wg sync.WaitGroup
		for n, node := range nodes {
			for k := range 3 {
				wg.Go(func() {
					for i := range 8 {
						_, err := node.SubmitItems(ctx, h.North.Officers[0], []casework.Submission{{Location: testkit.Page(1000*n + 100*k + i)}, {Location: testkit.Page(i)}})
						if err != nil && code(err) != "exists" {
							t.Error(err)
						}
						if err := node.PublishLog(ctx); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		for _, node := range nodes {
			testkit.Must(t, node.PublishLog(ctx))
			v, err := node.VerifyLog(ctx, nil)
			var events int64
			testkit.Must(t, testkit.Raw(t, s).QueryRow("SELECT count(*) FROM event").Scan(&events))
			if err != nil || !v.Verified || v.Size != events {
				t.Errorf("two nodes wrote %d events, the log has %d: %s, %v", events, v.Size, v.Problem, err)
			}
		}
		const clocks = 60
		due := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
		testkit.Must(t, s.DB.Update(ctx, func(tx *store.Tx) error {
			for i := range clocks {
				tx.SetClock(concert.ClockRemind, fmt.Sprintf("none-%d", i), due)
			}
			return nil
		}))
		fired := make([]int, 8)
		for i := range fired {
			wg.Go(func() {
				for {
					n, err := nodes[i%2].DB.FireClocks(ctx, due.Add(time.Second), 0)
					if err != nil {
						t.Error(err)
					}
					if fired[i] += n; n == 0 {
						return
					}
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range fired {
			sum += n
		}
		var jobs int
		testkit.Must(t, testkit.Raw(t, s).QueryRow("SELECT count(*) FROM river_job WHERE kind = 'referral.remind'").Scan(&jobs))
		if sum != clocks || jobs != clocks {
			t.Errorf("%d clocks fired %d times (%v) and made %d jobs", clocks, sum, fired, jobs)
		}
	})
}

func TestChangeWithoutAnEventIsNotCommitted(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		o := concert.Outlet{ID: concert.OutletID(identity.NewID()), Ref: "OU-SILENT", Name: "EXERCISE silent"}
		err := h.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.AddOutlet(t.Context(), o) })
		if err == nil || !strings.Contains(err.Error(), "without an event") {
			t.Errorf("a silent change: %v", err)
		}
		err = h.DB.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Outlet(t.Context(), o.Ref); return err })
		if !errors.Is(err, concert.ErrNotFound) {
			t.Errorf("the silent change is kept: %v", err)
		}
		err = h.DB.View(t.Context(), func(tx *store.Tx) error { return tx.SetMeta(t.Context(), "x", "y") })
		if err == nil {
			t.Error("a view writes")
		}
	})
}
