package casework_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func TestWhatIsHandedOverReachesItsReceiverFirstAndIsNeverLost(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, ben := t.Context(), h.North.Officers[0], h.North.Officers[1]
		third := h.Person("north-third", h.North.Ref, "", concert.RoleOfficer)
		r := refs(h.Submit(ann, testkit.Page(1), testkit.Page(2)))
		testkit.Must(t, func() error { _, err := h.ClaimItem(ctx, ann, r[1]); return err }())
		const note = "EXERCISE: he reads the language"
		for to, want := range map[string]string{ann.Operator: "handover.to", h.North.Reviewers[0].Operator: "handover.to", h.South.Officers[0].Operator: "handover.to", "OP-NONE": "handover.to", h.Auditor.Operator: "handover.to"} {
			if _, err := h.HandOver(ctx, ann, r[1], to, note); code(err) != want {
				t.Errorf("to %s: %v", to, err)
			}
		}
		if _, err := h.HandOver(ctx, ann, r[1], ben.Operator, ""); code(err) != "handover.note" {
			t.Errorf("without a note: %v", err)
		}
		if _, err := h.HandOver(ctx, ben, r[1], third.Operator, note); code(err) != "item.claimed" {
			t.Errorf("by somebody who does not have it: %v", err)
		}
		_, err := h.HandOver(ctx, ann, r[1], ben.Operator, note)
		testkit.Must(t, err)
		if d := desk(h, t, ben); len(d.Handed) != 1 || d.Handed[0].Ref != r[1] || d.Numbers[d.Handed[0].Slip.HandedBy] != ann.Operator {
			t.Errorf("the receiver sees %+v", d.Handed)
		}
		if v, err := h.ReadItem(ctx, testkit.Scope(t, ben), r[1]); err != nil || v.Slip.Text.Note != note {
			t.Errorf("the note: %q, %v", v.Slip.Text.Note, err)
		}
		if _, err := h.ClaimItem(ctx, third, r[1]); code(err) != "item.kept" {
			t.Errorf("a third person: %v", err)
		}
		if got := taken(h, t, third, ""); got != r[0] {
			t.Errorf("a third person gets %s", got)
		}
		if got := taken(h, t, ben, ""); got != r[1] {
			t.Errorf("the receiver gets %s first", got)
		}
		// The receiver stays away: after a day everybody has it, and it is still on the receiver's desk.
		h.At(day.Add(25*time.Hour), 1)
		if d := desk(h, t, ben); len(d.Handed) != 1 {
			t.Errorf("a day later the receiver sees %+v", d.Handed)
		}
		testkit.Must(t, h.GiveBack(ctx, third, r[0]))
		testkit.Must(t, h.SkipItem(ctx, third, r[0]))
		if got := taken(h, t, third, ""); got != r[1] {
			t.Errorf("a day later a colleague gets %q, want %s", got, r[1])
		}
		if got := judgeAlone(h, t, third, r[1]); got != "" {
			t.Errorf("and assesses it: %s", got)
		}
	})
}

func TestWhatIsHandedOverCanBeTakenBack(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, ben := t.Context(), h.North.Officers[0], h.North.Officers[1]
		it := h.Submit(ann, testkit.Page(1))[0]
		_, err := h.HandOver(ctx, ann, it.Ref, ben.Operator, "EXERCISE: he reads the language")
		testkit.Must(t, err)
		if _, err := h.ClaimItem(ctx, ann, it.Ref); err != nil {
			t.Fatal(err)
		}
		if d := desk(h, t, ben); len(d.Handed) != 0 {
			t.Errorf("the receiver still sees %+v", d.Handed)
		}
		_, err = h.HandOver(ctx, ann, it.Ref, "", "")
		testkit.Must(t, err)
		if got := taken(h, t, ben, ""); got != it.Ref {
			t.Errorf("given back to all: %q", got)
		}
	})
}

func TestAnEscalationRaisesTheItemAndIsAnsweredByALead(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, ben, rex, rita := t.Context(), h.North.Officers[0], h.North.Officers[1], h.North.Reviewers[0], h.North.Reviewers[1]
		it := h.Submit(ann, testkit.Page(1))[0]
		judged := h.Assess(ann, h.Submit(ann, testkit.Page(2)))[0]
		const reason = "EXERCISE: is this one in scope at all"
		for to, want := range map[string]string{ben.Operator: "handover.to", h.South.Reviewers[0].Operator: "handover.to"} {
			if _, err := h.EscalateItem(ctx, ann, it.Ref, to, reason); code(err) != want {
				t.Errorf("to %s: %v", to, err)
			}
		}
		if _, err := h.EscalateItem(ctx, ann, it.Ref, "", "why"); code(err) != "escalation.reason" {
			t.Errorf("without a reason: %v", err)
		}
		got, err := h.EscalateItem(ctx, ann, it.Ref, rex.Operator, reason)
		testkit.Must(t, err)
		if v := h.Item(it.Ref); v.Priority != concert.PriorityEscalated || v.Version != got.Version || v.Why[0].Code != concert.ReasonEscalated {
			t.Errorf("the item: priority %d, version %d, %+v", v.Priority, v.Version, v.Why)
		}
		if _, err := h.EscalateItem(ctx, ann, it.Ref, "", reason); code(err) != "escalation.stands" {
			t.Errorf("once more: %v", err)
		}
		if got := taken(h, t, ben, ""); got != "" {
			t.Errorf("officers are offered %s meanwhile", got)
		}
		if d := desk(h, t, rita); len(d.Escalated) != 0 {
			t.Errorf("it was for one lead: %+v", d.Escalated)
		}
		if got := taken(h, t, rex, ""); got != it.Ref {
			t.Errorf("the lead gets %s, want %s before %s", got, it.Ref, judged.Ref)
		}
		if got := judgeAlone(h, t, ann, it.Ref); got != "item.claimed" {
			t.Errorf("who escalated it: %s", got)
		}
		if _, err := h.HandOver(ctx, rex, it.Ref, ann.Operator, ""); code(err) != "handover.note" {
			t.Errorf("without an answer: %v", err)
		}
		_, err = h.HandOver(ctx, rex, it.Ref, ann.Operator, "EXERCISE: yes, by the second act")
		testkit.Must(t, err)
		if got := taken(h, t, ann, ""); got != it.Ref {
			t.Errorf("with its answer it comes to %s", got)
		}
		if got := judgeAlone(h, t, ann, it.Ref); got != "" {
			t.Errorf("and is assessed: %s", got)
		}
		// A reviewer escalates a decision; nobody named within a day means every lead.
		_, err = h.EscalateItem(ctx, rex, judged.Ref, h.Coordinator.Operator, "EXERCISE: does the mandate cover it")
		testkit.Must(t, err)
		if d := desk(h, t, h.Coordinator); len(d.Escalated) != 1 || d.Escalated[0].Ref != judged.Ref {
			t.Errorf("the coordinator sees %+v", d.Escalated)
		}
		h.At(day.Add(25*time.Hour), 1)
		if d := desk(h, t, rita); len(d.Escalated) != 1 {
			t.Errorf("a day later another lead sees %+v", d.Escalated)
		}
		for _, kind := range []concert.EventKind{concert.EventItemEscalated, concert.EventItemHandedOver} {
			n := testkit.Count(t, testkit.Raw(t, h.Service), "SELECT count(*) FROM event WHERE kind = '"+string(kind)+"'")
			if want := map[concert.EventKind]int{concert.EventItemEscalated: 2, concert.EventItemHandedOver: 1}[kind]; n != want {
				t.Errorf("%d events %s, want %d", n, kind, want)
			}
		}
	})
}

func TestParkingNeedsATimeAndAReason(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ann := h.North.Officers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		const reason = "EXERCISE: waits for a translation"
		for name, c := range map[string]struct {
			until  time.Time
			reason string
		}{"park.until": {day.Add(-time.Minute), reason}, "park.reason": {day.Add(time.Hour), " short "}} {
			if _, err := h.ParkItem(t.Context(), ann, it.Ref, c.until, c.reason); code(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.ParkItem(t.Context(), ann, it.Ref, day.Add(concert.ParkMost+time.Hour), reason); code(err) != "park.until" {
			t.Errorf("for ever: %v", err)
		}
		joint := h.Submit(h.South.Officers[0], testkit.Page(1))[0]
		if _, err := h.ParkItem(t.Context(), h.South.Officers[0], joint.Ref, day.Add(time.Hour), reason); code(err) != "claim.custodian" {
			t.Errorf("by another authority that found it: %v", err)
		}
	})
}

// The stored rank is what the function gives, whoever finds, judges and escalates at once.
func TestTheStoredPriorityIsTheExplainedOne(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann := t.Context(), h.North.Officers[0]
		third := h.Person("east-officer", testUnit(h, t, "EAST").Ref, "", concert.RoleOfficer)
		out, err := h.SubmitItems(ctx, ann, []casework.Submission{{Location: testkit.Page(1)}, {Location: testkit.Page(2), Priority: 3}, {Location: testkit.Page(3), Priority: 9}, {Location: testkit.Page(4)}, {Location: testkit.Page(5)}})
		testkit.Must(t, err)
		r := refs(out)
		testkit.Capture(t, h.Service, ann, r...)
		var wg sync.WaitGroup
		for _, by := range []concert.Actor{h.South.Officers[0], third} {
			wg.Go(func() {
				if _, err := h.SubmitItems(ctx, by, []casework.Submission{{Location: testkit.Page(1)}, {Location: testkit.Page(2)}, {Location: testkit.Page(3)}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			_, err := h.EscalateItem(ctx, ann, r[1], "", "EXERCISE: is this in scope at all")
			if err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			a := testkit.Judgement()
			a.Severity = concert.SeveritySerious
			out, err := h.AssessItems(ctx, ann, []casework.Judging{{Item: r[0], Version: 1, Outlet: h.Outlet.Ref, Assessment: a}, {Item: r[3], Version: 1, Outlet: h.Outlet.Ref, Assessment: a}})
			if err != nil || out[0].Err != nil || out[1].Err != nil {
				t.Error(err, outcomes(out))
			}
		})
		wg.Wait()
		for i, want := range []int{5, 8, 9, 5, 0} {
			v := h.Item(r[i])
			facts := concert.PriorityFacts{Urgency: v.Urgency, Escalated: v.Item.Escalated, Finders: len(v.Finders)}
			if v.Judged.ID != "" {
				facts.Severity = []concert.Severity{v.Judged.Severity}
			}
			if v.Priority != want || facts.Priority() != want {
				t.Errorf("%d: stored %d, explained %d, want %d: %+v", i, v.Priority, facts.Priority(), want, v.Why)
			}
			if last := v.Why[len(v.Why)-1]; last.Code != concert.ReasonAge || i < 4 && v.Why[0].Value != want {
				t.Errorf("%d: %+v", i, v.Why)
			}
			if i < 3 && len(v.Finders) != 3 {
				t.Errorf("%d: found by %d", i, len(v.Finders))
			}
		}
		// Found again changes no version: nobody's reading goes stale.
		if v := h.Item(r[2]); v.Version != 1 {
			t.Errorf("version %d", v.Version)
		}
	})
}

func testUnit(h *testkit.House, t *testing.T, unit string) concert.Authority {
	t.Helper()
	a, err := h.AddAuthority(t.Context(), h.Admin, concert.Authority{Name: "EXERCISE Unit " + unit, Country: "XE", Kind: concert.KindReferralUnit, Unit: unit, Contact: "EXERCISE desk"})
	testkit.Must(t, err)
	return a
}

func TestErasureTakesNotesAndReasonsWithIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, ben, rex := t.Context(), h.North.Officers[0], h.North.Officers[1], h.North.Reviewers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		_, err := h.HandOver(ctx, ann, it.Ref, ben.Operator, "EXERCISE canary note over")
		testkit.Must(t, err)
		_, err = h.EscalateItem(ctx, ben, it.Ref, "", "EXERCISE canary escalated")
		testkit.Must(t, err)
		_, err = h.ParkItem(ctx, rex, it.Ref, day.Add(time.Hour), "EXERCISE canary parked")
		testkit.Must(t, err)
		_, err = h.TakeOver(ctx, h.Coordinator, it.Ref, "EXERCISE canary taken")
		testkit.Must(t, err)
		testkit.Must(t, h.SkipItem(ctx, h.North.Reviewers[1], it.Ref))
		before := readAll(t, h)
		texts := []string{"canary note over", "canary escalated", "canary parked", "canary taken"}
		for _, s := range texts {
			if !strings.Contains(before, s) {
				t.Errorf("%q is nowhere to begin with", s)
			}
		}
		raw := testkit.Raw(t, h.Service)
		for _, c := range testkit.Cells(t, raw, h.DB.Dialect()) {
			if bytes.Contains([]byte(c.Text), []byte("canary")) {
				t.Errorf("%s.%s holds text in the clear", c.Table, c.Column)
			}
		}
		testkit.Must(t, h.AskErasure(ctx, ann, it.Ref, h.Item(it.Ref).Version, concert.ErasureMistaken, "EXERCISE: handed in by mistake"))
		testkit.Must(t, h.EraseItem(ctx, rex, it.Ref, h.Item(it.Ref).Version))
		after := readAll(t, h)
		for _, s := range texts {
			if strings.Contains(after, s) {
				t.Errorf("%q is still there", s)
			}
		}
		for _, table := range []string{"slip", "skip", "claim_end"} {
			if n := testkit.Count(t, raw, "SELECT count(*) FROM "+table); n != 0 {
				t.Errorf("%s holds %d rows", table, n)
			}
		}
	})
}
