package casework_test

import (
	"fmt"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func declared(h *testkit.House, t *testing.T) concert.Incident {
	t.Helper()
	n, err := h.DeclareIncident(t.Context(), h.North.Reviewers[0], concert.Incident{Kind: concert.IncidentAttack, Name: "EXERCISE attack", Country: "XN", At: h.Now()})
	testkit.Must(t, err)
	return n
}

func TestIncidentGroupsAcrossAuthoritiesAndLeaksNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		n := declared(h, t)
		north := h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))
		out, err := h.SubmitItems(ctx, h.South.Officers[0], []casework.Submission{
			{Location: testkit.Page(3), Incident: n.Ref, Source: "form"}, {Location: testkit.Page(1), Incident: n.Ref, Source: "form"}, {Location: testkit.Page(3), Incident: n.Ref, Source: "form"}, {Location: testkit.Page(4), Incident: "IN-0000", Source: "form"}})
		if err != nil || outcomes(out) != "created duplicate known incident.unknown" {
			t.Fatalf("submitted: %s, %v", outcomes(out), err)
		}
		got, err := h.AttachToIncident(ctx, h.North.Officers[0], n.Ref, []string{north[1].Ref, north[0].Ref, out[0].Ref})
		if err != nil || outcomes(got) != "attached known not_found" {
			t.Errorf("attached: %s, %v", outcomes(got), err)
		}
		for _, ref := range []string{north[0].Ref, north[1].Ref, out[0].Ref} {
			if v := h.Item(ref); v.Priority != concert.IncidentPriority || len(v.Incidents) != 1 || v.Incidents[0].Name != "EXERCISE attack" {
				t.Errorf("%s has the priority %d, in %d incidents", ref, v.Priority, len(v.Incidents))
			}
		}
		v, err := h.ReadIncident(ctx, mute(t, h.South.Officers[0]), n.Ref, "")
		if err != nil || v.Name != "EXERCISE attack" || v.Counts[concert.ItemOpen] != 3 || v.Own[concert.ItemOpen] != 2 || len(v.Items) != 2 {
			t.Errorf("the other authority sees %+v, own %+v, %d items, %v", v.Counts, v.Own, len(v.Items), err)
		}
		for _, it := range v.Items {
			if it.Ref == north[1].Ref || it.Location.Canonical != "" {
				t.Errorf("the other authority sees %+v", it)
			}
		}
		for _, by := range []concert.Actor{h.Admin, h.Answerer} {
			if _, err := h.Incidents(ctx, mute(t, by), false, "", 10); code(err) != "role.missing" {
				t.Errorf("%v lists incidents: %v", by.Roles, err)
			}
		}
	})
}

func TestPriorityGoesBackWhenTheIncidentEnds(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		testkit.Run(t, h.Service)
		n, second := declared(h, t), declared(h, t)
		in := make([]casework.Submission, 230)
		for i := range in {
			in[i] = casework.Submission{Location: testkit.Page(i), Priority: 2, Source: "form", Incident: n.Ref, Captures: testkit.Seen(testkit.Page(i))}
		}
		var refs []string
		var judged []casework.Judging
		for len(in) > 0 {
			k := min(100, len(in))
			out, err := h.SubmitItems(ctx, h.North.Officers[0], in[:k])
			testkit.Must(t, err)
			for _, r := range out {
				refs = append(refs, r.Ref)
			}
			in = in[k:]
		}
		for i, s := range []concert.Severity{concert.SeverityRoutine, concert.SeveritySerious, concert.SeverityThreat} {
			a := testkit.Judgement()
			a.Severity = s
			judged = append(judged, casework.Judging{Item: refs[i], Version: 1, Outlet: h.Outlet.Ref, Assessment: a})
		}
		out, err := h.AssessItems(ctx, h.North.Officers[0], judged)
		if err != nil || outcomes(out) != "assessed assessed assessed" {
			t.Fatal(outcomes(out), err)
		}
		_, err = h.AttachToIncident(ctx, h.North.Officers[0], second.Ref, refs[4:5])
		testkit.Must(t, err)
		for i, want := range []int{7, 7, 9, 7, 7} {
			if p := h.Item(refs[i]).Priority; p != want {
				t.Errorf("item %d while it lasts: %d, want %d", i, p, want)
			}
		}
		if _, err := h.EndIncident(ctx, h.South.Reviewers[0], n.Ref, n.Version); code(err) != "incident.authority" {
			t.Errorf("ended by another authority's reviewer: %v", err)
		}
		_, err = h.EndIncident(ctx, h.Coordinator, n.Ref, n.Version)
		testkit.Must(t, err)
		testkit.Await(t, "every item has its own priority", func() bool {
			var raised int
			testkit.Must(t, testkit.Raw(t, h.Service).QueryRow(fmt.Sprintf("SELECT count(*) FROM incident_item WHERE raised = 1 AND incident = '%s'", n.ID)).Scan(&raised))
			return raised == 0
		})
		for i, want := range []int{2, 5, 9, 2, 7} {
			if p := h.Item(refs[i]).Priority; p != want {
				t.Errorf("item %d afterwards: %d, want %d", i, p, want)
			}
		}
		if p := h.Item(refs[229]).Priority; p != 2 {
			t.Errorf("the last item afterwards: %d", p)
		}
		if out, err := h.SubmitItems(ctx, h.North.Officers[0], []casework.Submission{{Location: testkit.Page(900), Incident: n.Ref}}); err != nil || outcomes(out) != "incident.ended" {
			t.Errorf("handed in with an ended incident: %s, %v", outcomes(out), err)
		}
	})
}
