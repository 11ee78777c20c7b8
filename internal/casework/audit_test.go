package casework_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// acted refers n items of the hooked provider, of which the first are answered as removed and the last as refused.
func acted(t *testing.T, h *testkit.House, removed, refused int) []string {
	t.Helper()
	h.At(day, brisk)
	var places []string
	for i := range removed + refused {
		places = append(places, testkit.Page(i+1))
	}
	items := h.Approved(places...)
	stop := testkit.Run(t, h.Service)
	defer stop()
	var refs []string
	for i, it := range items {
		code := concert.AnswerRemoved
		if i >= removed {
			code = concert.AnswerRefused
		}
		answer(h, t, h.Answerer, sent(h, t, it.Ref), concert.Answer{Code: code}, it.Ref)
		refs = append(refs, it.Ref)
	}
	return refs
}

func drawn1(t *testing.T, h *testkit.House, frame concert.DrawFrame, plan concert.DrawPlan) casework.DrawView {
	t.Helper()
	sc := testkit.Scope(t, h.Auditor)
	ref, err := h.DrawSample(t.Context(), sc, frame, plan)
	testkit.Must(t, err)
	v, err := h.ReadDraw(t.Context(), sc, ref)
	testkit.Must(t, err)
	return v
}

var (
	foundYes = concert.Reassessment{Verdict: concert.FoundTerrorist, Type: concert.Incites, Purpose: concert.PurposeNone}
	foundNo  = concert.Reassessment{Verdict: concert.FoundNot, Purpose: concert.PurposeExempt, Note: "EXERCISE: a made-up news report about it."}
)

// Whoever has the events draws again and gets the same: by the seed that the draw's own commitment gives, worked out here a second
// time with nothing of the house but SHA-256.
func TestG31DrawIsMadeAgainFromTheLog(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		refs := acted(t, h, 6, 3)
		v := drawn1(t, h, concert.DrawFrame{Outcome: concert.OutcomeRemoved}, concert.DrawPlan{Size: 4})
		if len(v.Units) != 4 || v.Strata[0].Population != 6 {
			t.Fatalf("drawn %d of %+v", len(v.Units), v.Strata)
		}
		events := exported(t, h.Service)
		f := concert.NewAuditFold()
		subject := map[string]string{}
		var body concert.DrawBody
		var commit []byte
		for _, e := range events {
			testkit.Must(t, f.Add(e))
			if e.Kind == concert.EventItemReferred {
				subject[concert.EventRef(e.Body)] = e.Subject
			}
			if e.Kind == concert.EventAuditDrawn {
				testkit.Must(t, json.Unmarshal(e.Body, &body))
				commit = e.Commit
			}
		}
		seed := sha256.Sum256(fmt.Appendf(nil, "concert audit draw 1\n%d\n%s\n%x\n", body.HeadSize, body.HeadRoot, commit))
		want := slices.Clone(refs[:6])
		lot := func(ref string) string {
			l := sha256.Sum256(append(seed[:], subject[ref]...))
			return string(l[:])
		}
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(lot(a), lot(b)) })
		var here, there []string
		for i, u := range v.Units {
			here, there = append(here, u.Ref), append(there, f.Sample(v.Ref).Units[i].Ref)
		}
		if !slices.Equal(here, want[:4]) || !slices.Equal(there, want[:4]) {
			t.Errorf("shown %v, folded %v, worked out %v", here, there, want[:4])
		}
		if again := drawn1(t, h, concert.DrawFrame{Outcome: concert.OutcomeRemoved}, concert.DrawPlan{Size: 4}); again.Seed == v.Seed {
			t.Error("two draws have one seed")
		}
		if head, _ := f.Sample(v.Ref), 0; head.HeadSize == 0 || head.HeadSize > head.Index {
			t.Errorf("drawn at %d by a head of %d", head.Index, head.HeadSize)
		}
	})
}

// The chain of a finding: blind, once, the rate, handed over, alarmed, answered; and nothing of the case has changed.
func TestG30FindingsGiveARateAndAreAnswered(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		refs := acted(t, h, 4, 0)
		second := h.Person("auditor-2", "", "", concert.RoleAuditor)
		sc, sc2 := testkit.Scope(t, h.Auditor), testkit.Scope(t, second)
		before := map[string]int64{}
		for _, ref := range refs {
			before[ref] = h.Item(ref).Version
		}
		v := drawn1(t, h, concert.DrawFrame{}, concert.DrawPlan{Size: 4})
		blind, err := h.ReadUnit(ctx, sc, v.Ref, "")
		testkit.Must(t, err)
		text, err := json.Marshal(blind)
		testkit.Must(t, err)
		for _, secret := range []string{h.North.Officers[0].Operator, string(h.North.Officers[0].Person), string(h.North.Authority.ID), "removed", "incites"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("before it is judged, the auditor is shown %q", secret)
			}
		}
		if blind.Left != 4 || len(blind.Items) != 1 || blind.Items[0].Location.Submitted == "" || len(blind.Items[0].Captures) == 0 {
			t.Errorf("blind: %+v", blind)
		}
		judge := func(by concert.Actor, unit string, said concert.Reassessment, want string) {
			t.Helper()
			if _, err := h.ReassessUnit(ctx, testkit.Scope(t, by), v.Ref, unit, said); code(err) != want {
				t.Fatalf("%s: %v, want %q", unit, err, want)
			}
		}
		for i, u := range v.Units {
			said := foundYes
			if i == 1 {
				said = foundNo
			}
			judge(h.Auditor, u.Ref, said, "")
		}
		judge(h.Auditor, v.Units[0].Ref, foundNo, "reassess.done")
		judge(h.North.Officers[0], v.Units[0].Ref, foundYes, "role.missing")
		judge(h.Auditor, "IT-0000-0000-0000A", foundYes, "not_found")
		judge(second, v.Units[0].Ref, concert.Reassessment{Verdict: concert.FoundNot, Purpose: concert.PurposeNone, Note: "short"}, "reassess.note")
		// The second auditor opens one before judging it: that finding counts for nothing.
		_, err = h.ReadItem(ctx, sc2, v.Units[2].Ref)
		testkit.Must(t, err)
		judge(second, v.Units[1].Ref, foundNo, "")
		judge(second, v.Units[2].Ref, foundNo, "")
		v, err = h.ReadDraw(ctx, sc, v.Ref)
		testkit.Must(t, err)
		if r := v.Rate; !r.Finished || r.All.Judged != 4 || r.All.Wrong != 1 || r.All.Share != 0.25 || r.OpenedBefore != 1 || r.Agreement.N != 1 || !r.All.Few {
			t.Errorf("the rate: %+v", r)
		}
		wrong := v.Units[1].Ref
		if _, err := h.Recommend(ctx, testkit.Scope(t, h.Auditor), v.Ref, v.Units[0].Ref, "EXERCISE: look at this again, please."); code(err) != "recommend.finding" {
			t.Errorf("a finding that it is terrorist content is handed over: %v", err)
		}
		rc, err := h.Recommend(ctx, testkit.Scope(t, h.Auditor), v.Ref, wrong, "EXERCISE: look at this again, please.")
		testkit.Must(t, err)
		for ref, version := range before {
			if it := h.Item(ref); it.Version != version || it.Status != concert.ItemAnswered {
				t.Errorf("%s was changed by its re-assessment: version %d, %s", ref, it.Version, it.Status)
			}
		}
		alarms, _, err := h.Alarms(ctx, testkit.Scope(t, h.Coordinator), "", 10)
		if err != nil || len(alarms) != 1 || alarms[0].Kind != concert.AlarmAudit || !alarms[0].EndedAt.IsZero() {
			t.Fatalf("alarms: %+v, %v", alarms, err)
		}
		answered(t, h, rc.Ref, wrong)
		v, err = h.ReadDraw(ctx, sc, v.Ref)
		if err != nil || v.Rate.Recommended != 1 || v.Rate.PutRight != 1 {
			t.Errorf("of the recommendation the draw knows %+v, %v", v.Rate, err)
		}
	})
}

// answered goes through what an authority may and may not answer to a recommendation about the unit.
func answered(t *testing.T, h *testkit.House, rc, wrong string) {
	t.Helper()
	ctx := t.Context()
	rex := h.North.Reviewers[0]
	rs, err := h.Recommendations(ctx, testkit.Scope(t, rex), "", 10)
	if err != nil || len(rs) != 1 || rs[0].Text == "" || rs[0].Unit != wrong {
		t.Fatalf("the authority reads %+v, %v", rs, err)
	}
	if _, err := h.ReadRecommendation(ctx, testkit.Scope(t, h.South.Reviewers[0]), rc); code(err) != "not_found" {
		t.Errorf("another authority reads it: %v", err)
	}
	for _, c := range []struct {
		by      concert.Actor
		answer  concert.RecommendationAnswer
		reasons string
		want    string
	}{
		{h.South.Reviewers[0], concert.AnsweredStands, ground, "not_found"}, {h.North.Officers[0], concert.AnsweredStands, ground, "role.missing"}, {h.Auditor, concert.AnsweredStands, ground, "role.missing"},
		{rex, concert.AnsweredStands, "no", "recommend.reasons"}, {rex, concert.AnsweredRighted, "", "recommend.not_righted"}, {rex, concert.AnsweredErased, "", "recommend.erased"},
	} {
		if _, err := h.AnswerRecommendation(ctx, c.by, rc, c.answer, c.reasons); code(err) != c.want {
			t.Errorf("%s by %v: %v, want %s", c.answer, c.by.Roles, err, c.want)
		}
	}
	out, err := h.RemedyItems(ctx, h.North.Officers[0], []casework.Remedying{{Item: wrong, Version: h.Item(wrong).Version, Kind: concert.RemedyWithdrawal, Reason: "EXERCISE: the auditor is right."}})
	if err != nil || out[0].Err != nil {
		t.Fatal(err, out)
	}
	if _, err := h.AnswerRecommendation(ctx, rex, rc, concert.AnsweredRighted, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AnswerRecommendation(ctx, rex, rc, concert.AnsweredRighted, ""); code(err) != "recommend.answered" {
		t.Errorf("answered twice: %v", err)
	}
	if alarms, _, err := h.Alarms(ctx, testkit.Scope(t, h.Coordinator), "", 10); err != nil || alarms[0].EndedAt.IsZero() {
		t.Errorf("the alarm lasts: %+v, %v", alarms, err)
	}
}

// What is erased after it was drawn is named as erased, is judged by nobody, and what auditors wrote of it goes with it.
func TestG20ErasedUnitStaysInItsDrawByNameAlone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		acted(t, h, 3, 0)
		sc := testkit.Scope(t, h.Auditor)
		v := drawn1(t, h, concert.DrawFrame{}, concert.DrawPlan{Size: 3})
		said := foundNo
		said.Note = "EXERCISE canary finding of an auditor"
		_, err := h.ReassessUnit(ctx, testkit.Scope(t, h.Auditor), v.Ref, v.Units[0].Ref, said)
		testkit.Must(t, err)
		rc, err := h.Recommend(ctx, testkit.Scope(t, h.Auditor), v.Ref, v.Units[0].Ref, "EXERCISE canary recommendation text")
		testkit.Must(t, err)
		for _, u := range v.Units[:2] {
			erased(t, h, u.Ref)
		}
		v, err = h.ReadDraw(ctx, sc, v.Ref)
		testkit.Must(t, err)
		if r := v.Rate.All; r.Drawn != 3 || r.Erased != 1 || r.Judged != 1 || r.Waiting != 1 {
			t.Errorf("the draw after the erasures: %+v", r)
		}
		if _, err := h.ReassessUnit(ctx, testkit.Scope(t, h.Auditor), v.Ref, v.Units[1].Ref, foundYes); code(err) != "reassess.erased" {
			t.Errorf("an erased item is judged: %v", err)
		}
		if b, err := h.ReadUnit(ctx, sc, v.Ref, v.Units[1].Ref); err != nil || !b.Erased || len(b.Items) != 0 {
			t.Errorf("an erased unit is shown as %+v, %v", b, err)
		}
		if _, err := h.AnswerRecommendation(ctx, h.North.Reviewers[0], rc.Ref, concert.AnsweredErased, ""); err != nil {
			t.Errorf("what was erased cannot be answered: %v", err)
		}
		rs, err := h.Recommendations(ctx, sc, "", 10)
		testkit.Must(t, err)
		text, err := json.Marshal(rs)
		testkit.Must(t, err)
		var bundle bytes.Buffer
		testkit.Must(t, h.PublishLog(ctx))
		testkit.Must(t, h.Export(ctx, &bundle))
		for _, hay := range []string{string(text), bundle.String()} {
			if strings.Contains(hay, "canary") {
				t.Error("what an auditor wrote of an erased item can still be read")
			}
		}
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT (SELECT count(*) FROM audit_finding WHERE sealed IS NOT NULL) + (SELECT count(*) FROM audit_recommendation WHERE sealed IS NOT NULL OR sealed_answer IS NOT NULL)"); n != 0 {
			t.Errorf("%d sealed texts of auditors are left of erased items", n)
		}
	})
}

// Erasures are logged, and the list of them says nothing of what was erased; every kind of access is counted and its list behind it.
func TestG19AccessesAreCountedByKindAndListed(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		gone, _, _ := planted(t, h)
		erased(t, h, gone)
		sc := testkit.Scope(t, h.Auditor)
		_, err := h.ReadItem(ctx, testkit.Scope(t, h.North.Officers[0]), gone)
		testkit.Must(t, err)
		v, err := h.AuditAccesses(ctx, sc, concert.AccessQuery{}, "")
		testkit.Must(t, err)
		testkit.Must(t, h.PublishLog(ctx))
		want := map[concert.AccessKind]int64{}
		events := exported(t, h.Service)
		for _, e := range events[:v.Size] {
			for _, k := range concert.AccessKindsOf(e) {
				want[k]++
			}
		}
		for _, k := range v.Kinds {
			if k.N != want[concert.AccessKind(k.Of)] {
				t.Errorf("%s is counted %d times, is in the log %d times", k.Of, k.N, want[concert.AccessKind(k.Of)])
			}
			if k.N == 0 && k.Of != string(concert.AccessCombination) {
				t.Errorf("no %s in a house where everything happened", k.Of)
			}
			l, err := h.ListAccesses(ctx, sc, concert.AccessQuery{Kind: concert.AccessKind(k.Of)}, "", "", 500)
			testkit.Must(t, err)
			if n := int64(len(l.Lines)); n < k.N {
				t.Errorf("behind %d of %s stand %d lines", k.N, k.Of, n)
			}
			text, err := json.Marshal(l)
			testkit.Must(t, err)
			for _, c := range canaries {
				if strings.Contains(string(text), c) {
					t.Errorf("the list of %s tells %q of what was erased", k.Of, c)
				}
			}
			for _, x := range l.Lines {
				if x.Kind == concert.EventConsulted && x.Why == "" {
					t.Errorf("a consultation of %s without its justification", x.Ref)
				}
			}
		}
		if len(v.Recipients) == 0 || v.Recipients[0].Kind != concert.ToAProvider || v.Parties[v.Recipients[0].ID] != h.Hooked.Ref {
			t.Errorf("disclosed to %+v", v.Recipients)
		}
		only, err := h.AuditAccesses(ctx, sc, concert.AccessQuery{Kind: concert.AccessErasure}, h.North.Reviewers[0].Operator)
		if err != nil || len(only.People) != 1 || only.People[0].N != 1 || only.Operators[concert.PersonID(only.People[0].Of)] != h.North.Reviewers[0].Operator {
			t.Errorf("erasures by the reviewer: %+v, %v", only.People, err)
		}
		if _, err := h.AuditAccesses(ctx, testkit.Scope(t, h.Coordinator), concert.AccessQuery{}, ""); code(err) != "role.missing" {
			t.Errorf("a coordinator reads the accesses: %v", err)
		}
	})
}
