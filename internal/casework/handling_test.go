package casework_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// coded hands in one place with a handling code and judges it.
func coded(t *testing.T, h *testkit.House, place string, code concert.Handling) casework.Result {
	t.Helper()
	items, err := h.SubmitItems(t.Context(), h.North.Officers[0], []casework.Submission{{Location: place, Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "B2", Handling: code, Source: "form"}})
	if err != nil || items[0].Err != nil {
		t.Fatal(err, items)
	}
	return h.Assess(h.North.Officers[0], items)[0]
}

func TestG23WhatMayNotBePassedOnIsNotApprovedForReferral(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		for i, c := range []struct {
			code concert.Handling
			want string
		}{{concert.HandlingOpen, "approved"}, {concert.HandlingNotJudicial, "approved"}, {concert.HandlingNotShared, "handling.blocked"}, {concert.HandlingRestricted, "handling.blocked"}} {
			it := coded(t, h, testkit.Sound(i+1), c.code)
			out, err := h.DecideItems(ctx, h.North.Reviewers[0], []casework.Deciding{{Item: it.Ref, Version: it.Version, Decision: concert.Approve}})
			testkit.Must(t, err)
			if got := outcomes(out); got != c.want {
				t.Errorf("%s: %s, want %s", c.code, got, c.want)
			}
			if out[0].Err == nil {
				continue
			}
			if !strings.Contains(out[0].Err.Message, it.Ref) || !strings.Contains(out[0].Err.Message, string(c.code)) || !strings.Contains(out[0].Err.Message, "permission") {
				t.Errorf("the refusal says no way out: %s", out[0].Err.Message)
			}
			// It may be rejected as it is, and approved once its giver permits it.
			testkit.Must(t, h.ChangeHandling(ctx, h.North.Reviewers[0], it.Ref, it.Version, concert.HandlingOpen, "EXERCISE: its giver permits it"))
			out, err = h.DecideItems(ctx, h.North.Reviewers[0], []casework.Deciding{{Item: it.Ref, Version: it.Version + 1, Decision: concert.Approve}})
			if err != nil || outcomes(out) != "approved" {
				t.Errorf("with permission: %s, %v", outcomes(out), err)
			}
		}
		// A stricter code after the approval keeps it back, and lets it go when it is open again.
		it := h.Approved(testkit.Page(1), testkit.Page(2))
		testkit.Must(t, h.ChangeHandling(ctx, h.North.Reviewers[0], it[0].Ref, it[0].Version, concert.HandlingNotShared, "EXERCISE: its giver asks for it"))
		stop := testkit.Run(t, h.Service)
		sent(h, t, it[1].Ref)
		stop()
		if v := h.Item(it[0].Ref); v.Status != concert.ItemApproved || v.ReferredAs != "" {
			t.Errorf("an H2 item went out: %s", v.Status)
		}
		testkit.Must(t, h.ChangeHandling(ctx, h.North.Reviewers[0], it[0].Ref, h.Item(it[0].Ref).Version, concert.HandlingOpen, "EXERCISE: its giver permits it"))
		testkit.Run(t, h.Service)
		sent(h, t, it[0].Ref)
	})
}

func TestG23OtherAuthoritiesDoNotSeeWhatIsNotShared(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		for i, code := range concert.Handlings {
			it := coded(t, h, testkit.Page(i+1), code)
			h.Submit(h.South.Officers[0], testkit.Page(i+1))
			_, err := h.DecideItems(ctx, h.North.Reviewers[0], []casework.Deciding{{Item: it.Ref, Version: it.Version, Decision: concert.Reject, Ground: ground}})
			testkit.Must(t, err)
			hidden := code == concert.HandlingNotShared || code == concert.HandlingRestricted
			v, err := h.ReadItem(ctx, testkit.Scope(t, h.South.Officers[0]), it.Ref)
			testkit.Must(t, err)
			text, err := json.Marshal(v)
			testkit.Must(t, err)
			seen := strings.Contains(string(text), "made-up video") || strings.Contains(string(text), "would incite") || strings.Contains(string(text), ground)
			if seen == hidden || v.Withheld != hidden || v.Location.Submitted != testkit.Page(i+1) {
				t.Errorf("%s: another finder sees its judgement: %v, withheld %v, %q", code, seen, v.Withheld, v.Location.Submitted)
			}
			for who, by := range map[string]concert.Actor{"its own reviewer": h.North.Reviewers[1], "an auditor": h.Auditor} {
				if v, err := h.ReadItem(ctx, testkit.Scope(t, by), it.Ref); err != nil || v.Withheld || v.Judged.Facts == "" || len(v.Approvals) != 1 {
					t.Errorf("%s, %s: withheld %v, %v", code, who, v.Withheld, err)
				}
			}
		}
	})
}

func TestG23ExportIsRefusedAsAWholeAndRecordedPerItem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		refs := map[concert.Handling]string{}
		for i, code := range concert.Handlings {
			refs[code] = coded(t, h, testkit.Page(i+1), code).Ref
		}
		found, err := h.SubmitItems(ctx, h.North.Officers[0], []casework.Submission{{Location: testkit.Page(9), Evaluation: "C3", Source: "form"}})
		testkit.Must(t, err)
		raw := testkit.Raw(t, h.Service)
		recorded := func() int { return len(testkit.Column(t, raw, "SELECT id FROM event WHERE kind = 'item.disclosed'")) }
		export := func(by concert.Actor, to concert.Destination, refs ...string) (concert.Disclosure, error) {
			return h.ExportItems(ctx, testkit.Scope(t, by), refs, to, "EXERCISE court of somewhere", "EXERCISE: asked for by the court under its own law")
		}
		for _, c := range []struct {
			to      concert.Destination
			blocked []concert.Handling
		}{{concert.ToJudicial, []concert.Handling{concert.HandlingNotJudicial, concert.HandlingRestricted}}, {concert.ToTenant, []concert.Handling{concert.HandlingNotShared, concert.HandlingRestricted}}} {
			_, err := export(h.North.Officers[0], c.to, refs["H0"], refs["H1"], refs["H2"], refs["H3"])
			if code(err) != "handling.blocked" {
				t.Errorf("to %s: %v", c.to, err)
				continue
			}
			for _, hc := range concert.Handlings {
				if named := strings.Contains(err.Error(), refs[hc]+" ("+string(hc)+")"); named != slices.Contains(c.blocked, hc) {
					t.Errorf("to %s, %s is named: %v in %q", c.to, hc, named, err)
				}
			}
		}
		for want, err := range map[string]error{
			"export.unknown":     func() error { _, err := export(h.South.Officers[0], concert.ToTenant, refs["H0"]); return err }(),
			"export.items":       func() error { _, err := export(h.North.Officers[0], concert.ToTenant); return err }(),
			"export.destination": func() error { _, err := export(h.North.Officers[0], concert.ToProvider, refs["H0"]); return err }(),
			"role.missing":       func() error { _, err := export(h.Auditor, concert.ToTenant, refs["H0"]); return err }(),
			"export.justification": func() error {
				_, err := h.ExportItems(ctx, testkit.Scope(t, h.North.Officers[0]), []string{refs["H0"]}, concert.ToTenant, "EXERCISE", "short")
				return err
			}(),
			"export.recipient": func() error {
				_, err := h.ExportItems(ctx, testkit.Scope(t, h.North.Officers[0]), []string{refs["H0"]}, concert.ToTenant, "", ground)
				return err
			}(),
		} {
			if code(err) != want {
				t.Errorf("want %s, got %v", want, err)
			}
		}
		if n := recorded(); n != 0 {
			t.Fatalf("%d disclosures are recorded of exports that were refused", n)
		}
		d, err := export(h.North.Reviewers[0], concert.ToJudicial, refs["H0"], refs["H2"], found[0].Ref)
		testkit.Must(t, err)
		if len(d.Items) != 3 || d.Authority != h.North.Name || d.Recipient == "" || d.Justification == "" || d.Operator != h.North.Reviewers[0].Operator {
			t.Fatalf("the document: %+v", d)
		}
		for _, it := range d.Items {
			want := "A1" // the assessment's own
			if it.Ref == found[0].Ref {
				want = "C3"
			}
			if it.Evaluation != want || !slices.Contains(concert.EvaluationCodes, it.Evaluation) || it.Handling == "" || it.Location.Submitted == "" || len(it.Finders) == 0 {
				t.Errorf("item of the document: %+v", it)
			}
			if it.Ref != found[0].Ref && (it.Facts == "" || it.Judgement == "" || it.Facts == it.Judgement) {
				t.Errorf("facts and judgement of %s: %q, %q", it.Ref, it.Facts, it.Judgement)
			}
		}
		if n := recorded(); n != 3 {
			t.Errorf("%d disclosures recorded, want 3", n)
		}
		for _, body := range testkit.Column(t, raw, "SELECT body FROM event WHERE kind = 'item.disclosed' AND sealed IS NOT NULL") {
			if strings.Contains(body, "court of") || strings.Contains(body, "under its own law") || !strings.Contains(body, `"judicial"`) {
				t.Errorf("recorded as %s", body)
			}
		}
	})
}

func TestG23HandlingIsChangedByAReviewerWhoDidNotHandItIn(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		both := h.Person("both", h.North.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		ref := h.Submit(both, testkit.Page(1))[0].Ref
		h.Submit(h.South.Officers[0], testkit.Page(1))
		change := func(by concert.Actor, to concert.Handling, why string) string {
			return code(h.ChangeHandling(ctx, by, ref, h.Item(ref).Version, to, why))
		}
		for who, c := range map[string]struct {
			by   concert.Actor
			to   concert.Handling
			why  string
			want string
		}{
			"who handed it in":  {both, "H2", ground, "handling.same_person"},
			"an officer":        {h.North.Officers[1], "H2", ground, "role.missing"},
			"another authority": {h.South.Reviewers[0], "H2", ground, "not_found"},
			"no such code":      {h.North.Reviewers[0], "H9", ground, "item.handling"},
			"the same code":     {h.North.Reviewers[0], "H0", ground, "handling.same"},
			"without a reason":  {h.North.Reviewers[0], "H2", "", "handling.reason"},
		} {
			if got := change(c.by, c.to, c.why); got != c.want {
				t.Errorf("%s: %s, want %s", who, got, c.want)
			}
		}
		if got := change(h.North.Reviewers[0], concert.HandlingNotShared, "EXERCISE secret giver asks"); got != "" || h.Item(ref).Handling != concert.HandlingNotShared {
			t.Errorf("a reviewer: %s, %s", got, h.Item(ref).Handling)
		}
		raw := testkit.Raw(t, h.Service)
		if body := testkit.Column(t, raw, "SELECT body FROM event WHERE kind = 'item.handling_changed' AND sealed IS NOT NULL"); len(body) != 1 || strings.Contains(body[0], "giver") || !strings.Contains(body[0], `"from":"H0","handling":"H2"`) {
			t.Errorf("recorded as %s", body)
		}
	})
}
