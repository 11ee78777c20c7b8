package casework_test

import (
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// A batch is previewed by its very rules without leaving a trace, waits until it can be taken back no more, and then says of each item
// what became of it.
func TestBatchIsPreviewedRecalledAndRun(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		approved := h.Approve(h.North.Reviewers[0], h.Assess(h.North.Officers[1], h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))))
		other := h.Submit(h.South.Officers[0], testkit.Page(3))
		items := []concert.BatchItem{{Ref: approved[0].Ref, Version: approved[0].Version}, {Ref: approved[1].Ref, Version: approved[1].Version - 1}, {Ref: other[0].Ref, Version: 1}, {Ref: "IT-NONE", Version: 1}}
		plan := concert.BatchPlan{Act: concert.BatchWithdraw, Reason: ground}
		by := h.North.Officers[0]

		open := plan
		open.Reason = "EXERCISE: withdrawn since {reason}"
		if _, err := h.Preview(t.Context(), by, open, items); code(err) != "text.unfilled" || !strings.Contains(err.Error(), "{reason}") {
			t.Errorf("a reason with an open place: %v", err)
		}
		got, err := h.Preview(t.Context(), by, plan, items)
		testkit.Must(t, err)
		if want := "withdrawn stale not_found not_found"; outcomes(got) != want {
			t.Errorf("preview: %s, want %s", outcomes(got), want)
		}
		if it := h.Item(approved[0].Ref); it.Status != concert.ItemApproved || it.Version != approved[0].Version {
			t.Errorf("the preview left the item %s, version %d", it.Status, it.Version)
		}

		b, err := h.PlanBatch(t.Context(), by, plan, items)
		testkit.Must(t, err)
		if err := h.RecallBatch(t.Context(), h.South.Officers[0], b.Ref); code(err) != "not_found" {
			t.Errorf("another authority recalls: %v", err)
		}
		testkit.Must(t, h.RecallBatch(t.Context(), h.North.Reviewers[0], b.Ref))
		if err := h.RecallBatch(t.Context(), by, b.Ref); code(err) != "batch.late" {
			t.Errorf("recalled twice: %v", err)
		}

		b, err = h.PlanBatch(t.Context(), by, plan, items)
		testkit.Must(t, err)
		testkit.Run(t, h.Service)
		h.At(h.Now().Add(concert.BatchUndo), 1)
		scope, err := concert.NewScope(by, "EXERCISE reading")
		testkit.Must(t, err)
		var v casework.BatchView
		testkit.Await(t, "the batch is done", func() bool {
			v, err = h.ReadBatch(t.Context(), scope, b.Ref)
			testkit.Must(t, err)
			return v.Status == concert.BatchDone
		})
		var said []string
		for _, l := range v.Lines {
			said = append(said, l.Outcome+l.Code)
		}
		if got, want := strings.Join(said, " "), "withdrawn stale not_found not_found"; got != want || v.Refused != 3 || v.Done != 4 || v.Plan.Reason != "" {
			t.Errorf("done: %s, %d of %d refused, reason %q, want %s", got, v.Refused, v.Done, v.Plan.Reason, want)
		}
		if err := h.RecallBatch(t.Context(), by, b.Ref); code(err) != "batch.late" {
			t.Errorf("recalled after it ran: %v", err)
		}
	})
}

// An internal note is read by its own authority and by auditors alone, and goes with the item.
func TestInternalNotesStayInTheHouseThatWroteThem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Submit(h.North.Officers[0], testkit.Page(1))
		h.Submit(h.South.Officers[0], testkit.Page(1))
		ref := items[0].Ref
		testkit.Must(t, h.WriteNote(t.Context(), h.North.Officers[0], ref, "EXERCISE: seen before"))
		testkit.Must(t, h.WriteNote(t.Context(), h.South.Officers[0], ref, "EXERCISE: ours"))
		if err := h.WriteNote(t.Context(), h.Answerer, ref, "EXERCISE"); code(err) != "not_found" {
			t.Errorf("a provider writes: %v", err)
		}
		if err := h.WriteNote(t.Context(), h.North.Officers[0], ref, "  "); code(err) != "note.empty" {
			t.Errorf("an empty note: %v", err)
		}
		for who, want := range map[string]struct {
			by    concert.Actor
			texts string
		}{
			"north": {h.North.Officers[1], "EXERCISE: seen before"}, "south": {h.South.Officers[0], "EXERCISE: ours"}, "auditor": {h.Auditor, "EXERCISE: seen before EXERCISE: ours"},
		} {
			scope, err := concert.NewScope(want.by, "EXERCISE reading of notes")
			testkit.Must(t, err)
			v, err := h.ReadItem(t.Context(), scope, ref)
			testkit.Must(t, err)
			var got []string
			for _, n := range v.Notes {
				got = append(got, n.Text)
			}
			if strings.Join(got, " ") != want.texts {
				t.Errorf("%s reads %q, want %q", who, got, want.texts)
			}
		}
	})
}

func TestTemplatesBelongToTheirAuthority(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		w, err := h.WriteTemplate(t.Context(), h.North.Officers[0], concert.Template{Purpose: concert.TemplateQuestion, Language: "en", Name: "EXERCISE ask", Text: "EXERCISE: is {item} still under review at {provider}?"})
		testkit.Must(t, err)
		if got := concert.Unfilled(w.With(map[string]string{"item": "IT-1"})); len(got) != 1 || got[0] != "{provider}" {
			t.Errorf("still open: %v", got)
		}
		for who, want := range map[string]int{"north": 1, "south": 0} {
			by := map[string]concert.Actor{"north": h.North.Reviewers[0], "south": h.South.Officers[0]}[who]
			scope, err := concert.NewScope(by, "EXERCISE reading")
			testkit.Must(t, err)
			got, err := h.Templates(t.Context(), scope, concert.TemplateQuestion)
			testkit.Must(t, err)
			if len(got) != want {
				t.Errorf("%s sees %d templates, want %d", who, len(got), want)
			}
		}
		if err := h.RetireTemplate(t.Context(), h.South.Officers[0], w.Ref); code(err) != "not_found" {
			t.Errorf("another authority retires it: %v", err)
		}
		testkit.Must(t, h.RetireTemplate(t.Context(), h.North.Reviewers[0], w.Ref))
	})
}
