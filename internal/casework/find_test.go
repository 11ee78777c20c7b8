package casework_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// finds is what the question finds, as "kind ref" joined by blanks.
func finds(h *testkit.House, t *testing.T, by concert.Actor, question string) string {
	t.Helper()
	got, err := h.Find(t.Context(), testkit.Scope(t, by), question)
	testkit.Must(t, err)
	out := make([]string, len(got))
	for i, f := range got {
		out[i] = fmt.Sprint(f.Kind, " ", f.Ref)
	}
	return strings.Join(out, " ")
}

func TestFindFindsOnlyWhatTheAskerMaySee(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		ann, south := h.North.Officers[0], h.South.Officers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		went := h.Approved(testkit.Page(2))[0]
		hold := h.Hold(ann, testkit.Page(3), "EXERCISE desk", "EXERCISE own")
		stop := testkit.Run(t, h.Service)
		rf := sent(h, t, went.Ref)
		stop()
		item, ref := "item "+it.Ref, "referral "+rf
		rex, rita := h.North.Reviewers[0], h.South.Reviewers[0]
		ours := []concert.Actor{ann, rex, h.Coordinator, h.Auditor}
		desks := []concert.Actor{ann, rex, south, rita, h.Coordinator, h.Auditor, h.Admin}
		for _, c := range []struct {
			name, question, want string
			sees                 []concert.Actor
		}{
			{"an item", it.Ref, item, ours},
			{"in small letters", strings.ToLower(it.Ref), item, ours},
			{"a place", testkit.Page(1), item, ours},
			{"the same place, spelled otherwise", "hxxp://WWW.video[.]example/watch?v=ex000001Ab&utm_source=x", item, ours},
			{"a referral", rf, ref, append([]concert.Actor{h.Answerer, h.Reader}, ours...)},
			{"a hold", hold.Ref, "hold " + hold.Ref, []concert.Actor{ann, rex}},
			{"a person", ann.Operator, "person " + ann.Operator, []concert.Actor{h.Admin, h.Auditor}},
			{"a joint action", h.Action.Ref, "action " + h.Action.Ref, desks},
			{"an outlet by a part of its name", "ise outl", "outlet " + h.Outlet.Ref, desks},
			{"a provider by its platform", "video.exam", "provider " + h.Hooked.Ref, desks},
			{"an authority", h.South.Ref, "authority " + h.South.Ref, desks},
		} {
			for _, by := range []concert.Actor{ann, rex, south, rita, h.Coordinator, h.Auditor, h.Admin, h.Answerer, h.Reader, h.Puller} {
				sees := false
				for _, s := range c.sees {
					sees = sees || s.Person == by.Person
				}
				got := finds(h, t, by, c.question)
				none := finds(h, t, by, "IT-0000-0000-00000")
				switch {
				case sees && got != c.want:
					t.Errorf("%s for %s %v: %q, want %q", c.name, by.Operator, by.Roles, got, c.want)
				case !sees && got != none:
					t.Errorf("%s for %s %v: %q, but for what is not there %q", c.name, by.Operator, by.Roles, got, none)
				}
			}
		}
		// What a provider's people may not see is not even named.
		if got := finds(h, t, h.Answerer, "EXERCISE"); got != "" {
			t.Errorf("a provider's people find %q", got)
		}
		if _, err := h.Find(t.Context(), testkit.Scope(t, ann), strings.Repeat("x", 5000)); code(err) != "find.question" {
			t.Errorf("too long a question: %v", err)
		}
		// A place is asked for with a reason, whether something lies there or not, and what was found by it is recorded.
		mute, err := concert.NewScope(ann, "")
		testkit.Must(t, err)
		for _, place := range []string{testkit.Page(1), testkit.Page(77)} {
			if _, err := h.Find(t.Context(), mute, place); code(err) != "scope.justification" {
				t.Errorf("a place without a reason: %v", err)
			}
		}
		if got, err := h.Find(t.Context(), mute, it.Ref); err != nil || len(got) != 1 {
			t.Errorf("a reference without a reason: %v, %v", got, err)
		}
		if n := testkit.Count(t, testkit.Raw(t, h.Service), `SELECT count(*) FROM event WHERE kind = 'consulted' AND body LIKE '%"what":"place"%'`); n != 6 {
			t.Errorf("%d questions by place are recorded", n)
		}
		if _, err := h.Find(t.Context(), concert.Scope{}, it.Ref); code(err) != "scope.nobody" {
			t.Errorf("nobody asks: %v", err)
		}
	})
}

// An auditor's questions are recorded, like all that an auditor asks; what was asked is kept only where it is a reference.
func TestAnAuditorsQuestionIsRecorded(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		finds(h, t, h.Auditor, h.Action.Ref)
		finds(h, t, h.Auditor, "EXERCISE secret name")
		raw := testkit.Raw(t, h.Service)
		bodies := strings.Join(testkit.Column(t, raw, "SELECT body FROM event WHERE kind = 'consulted'"), "\n")
		if strings.Count(bodies, `"what":"find"`) != 2 || !strings.Contains(bodies, h.Action.Ref) || strings.Contains(bodies, "secret") {
			t.Errorf("recorded: %s", bodies)
		}
	})
}

// A list of what waits is read without opening anything, and reads the same through every act.
func TestTheDeskShowsWhatWaits(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, rex := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		r := refs(h.Submit(ann, testkit.Page(1), testkit.Page(2), testkit.Page(3)))
		h.Assess(ann, []casework.Result{{Ref: r[0], Version: 1}})
		taken(h, t, ann, "")
		_, err := h.ParkItem(ctx, ann, r[2], day.Add(time.Hour), "EXERCISE: waits for a translation")
		testkit.Must(t, err)
		d := desk(h, t, ann)
		if len(d.Held) != 1 || d.Held[0].Ref != r[1] || len(d.Parked) != 1 || d.Parked[0].Ref != r[2] || len(d.Assess) != 0 || d.Counts[concert.ItemAssessed] != 1 || d.Counts[concert.ItemOpen] != 2 {
			t.Errorf("the officer's: %+v", d)
		}
		if d.Held[0].Location.Canonical != "" || d.Held[0].Hash != "" {
			t.Error("the desk opens what is sealed")
		}
		if d := desk(h, t, rex); len(d.Decide) != 1 || d.Decide[0].Ref != r[0] || len(d.Assess) != 0 || d.Empty() {
			t.Errorf("the reviewer's: %+v", d)
		}
		if n := testkit.Count(t, testkit.Raw(t, h.Service), "SELECT count(*) FROM event WHERE kind = 'consulted'"); n != 0 {
			t.Errorf("reading the desk is recorded as %d consultations", n)
		}
	})
}
