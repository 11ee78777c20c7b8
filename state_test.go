package concert_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"concert"
)

var update = flag.Bool("update", false, "rewrite the documents that tests generate")

// ended are the statuses from which a provider never hears of the item again.
var ended = []concert.ItemStatus{concert.ItemStopped, concert.ItemRejected, concert.ItemRefused, concert.ItemWithdrawn}

func TestEveryMoveIsInTheTableOrRefused(t *testing.T) {
	t.Parallel()
	known := map[concert.ItemStatus]bool{}
	for _, s := range concert.ItemStatuses {
		known[s] = true
	}
	for _, from := range concert.ItemStatuses {
		for _, m := range concert.ItemMoves {
			it := concert.Item{Ref: "IT-1", Status: from}
			next, err := it.Moved(m, noon)
			to, short := from.After(m)
			if (err == nil) != (short == nil) || next.Status != to {
				t.Errorf("%s %s: Moved gives %s (%v), After gives %s (%v)", from, m, next.Status, err, to, short)
			}
			if err != nil {
				var e *concert.Error
				if !errors.As(err, &e) || e.Kind != concert.Conflict || next != it {
					t.Errorf("%s %s is refused with %v and leaves %+v, want a conflict and no change", from, m, err, next)
				}
				continue
			}
			if !known[to] || !next.UpdatedAt.Equal(noon) {
				t.Errorf("%s %s leads to %q at %v", from, m, to, next.UpdatedAt)
			}
		}
	}
	if _, err := concert.ItemStatus("unheard").After(concert.MoveRefer); err == nil {
		t.Error("an unknown status moves")
	}
}

// The table alone: whatever the moves, from an end no path leads back to what a provider hears of.
func TestG01RefusalEndsItOnEveryPathOfTheTable(t *testing.T) {
	t.Parallel()
	for _, start := range ended {
		reached, todo := map[concert.ItemStatus]bool{start: true}, []concert.ItemStatus{start}
		for len(todo) > 0 {
			s := todo[0]
			todo = todo[1:]
			for _, m := range concert.ItemMoves {
				if next, err := s.After(m); err == nil && !reached[next] {
					reached[next] = true
					todo = append(todo, next)
				}
			}
		}
		delete(reached, start)
		if start == concert.ItemRefused {
			delete(reached, concert.ItemWithdrawn)
		}
		if len(reached) > 0 {
			t.Errorf("from %s the table leads on to %v", start, reached)
		}
	}
}

func TestG01RefusalEndsItOnRandomWalks(t *testing.T) {
	t.Parallel()
	var referred, refused, withdrawn, reminded int
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		w.lead()
		for range rapid.IntRange(40, 120).Draw(t, "steps") {
			w.step()
			for _, it := range w.items {
				switch {
				case w.withdrawn[it.ID] && it.Status != concert.ItemWithdrawn:
					t.Fatalf("item %s was withdrawn and is %s", it.Ref, it.Status)
				case w.refused[it.ID] && it.Status != concert.ItemRefused && it.Status != concert.ItemWithdrawn:
					t.Fatalf("item %s was refused and is %s", it.Ref, it.Status)
				case it.Referral != "" && it.Given < it.Needed:
					t.Fatalf("item %s is in a referral with %d of %d approvals", it.Ref, it.Given, it.Needed)
				}
			}
		}
		referred += len(w.referrals)
		refused += len(w.refused)
		withdrawn += len(w.withdrawn)
		for _, r := range w.referrals {
			reminded += r.Reminders
			if r.Reminders > 3 {
				t.Fatalf("%d reminders", r.Reminders)
			}
		}
	})
	if referred == 0 || refused == 0 || withdrawn == 0 || reminded == 0 {
		t.Errorf("the walks are too tame to show anything: %d referred, %d refused, %d withdrawn, %d reminders", referred, refused, withdrawn, reminded)
	}
}

func TestG01RemindersFollowSilenceOnly(t *testing.T) {
	t.Parallel()
	for _, status := range concert.ItemStatuses {
		for _, claim := range append([]concert.AnswerCode{""}, concert.AnswerCodes...) {
			for reminders := range 5 {
				r := concert.Referral{Status: concert.ReferralSent, Reminders: reminders}
				it := concert.Item{Status: status, Claimed: claim}
				out := status == concert.ItemReferred || status == concert.ItemStillUp || status == concert.ItemReturned
				want := out && !claim.Final() && reminders < 3
				if got := r.MayRemind(it); got != want {
					t.Errorf("item %s, answered %q, after %d reminders: MayRemind is %v", status, claim, reminders, got)
				}
			}
		}
	}
}

func TestStatesAreDrawn(t *testing.T) {
	t.Parallel()
	compareDocument(t, "docs/states.md", drawStates())
}

// compareDocument compares a generated document with the file, or rewrites it.
func compareDocument(t *testing.T, name string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(have, text) {
		t.Errorf("%s is not what the code says (%v); write it anew with: go test . -run TestStatesAreDrawn -update\n%s", name, err, cmp.Diff(string(have), string(text)))
	}
}

func drawStates() []byte {
	var b bytes.Buffer
	b.WriteString("# Where things stand, and what may happen next\n\nThis page is drawn from the code by a test (`go test . -run TestStatesAreDrawn -update`); what is not in it is refused.\n\n")
	b.WriteString("## Items\n\nA row is where an item stands, a column what happens, a cell where it stands then. An empty cell is refused. A refusal ends it: from `refused` nothing leads to\nanything that a provider would hear of again, except that we take the referral back.\n\n|  |")
	for _, m := range concert.ItemMoves {
		fmt.Fprintf(&b, " %s |", m)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(concert.ItemMoves)) + "\n")
	for _, s := range concert.ItemStatuses {
		fmt.Fprintf(&b, "| **%s** |", s)
		for _, m := range concert.ItemMoves {
			next, err := s.After(m)
			if err != nil {
				next = ""
			}
			fmt.Fprintf(&b, " %s |", next)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nMoves that leave an item where it stands are not drawn.\n\n```mermaid\nstateDiagram-v2\n    [*] --> open: submit\n    [*] --> stopped: the guard stops it\n")
	for _, s := range concert.ItemStatuses {
		for _, m := range concert.ItemMoves {
			if next, err := s.After(m); err == nil && next != s {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", s, next, m)
			}
		}
	}
	b.WriteString("```\n\n## Referrals\n\nAn answer acknowledges as well. A referral is answered when each of its items has the provider's final word.\n\n```mermaid\nstateDiagram-v2\n    [*] --> sent: refer\n")
	drawReferrals(&b)
	drawIsolations(&b)
	drawOrders(&b)
	drawThreats(&b)
	drawDeadlines(&b)
	b.WriteString("```\n\n## The delivery ladder\n\nEvery notice climbs by itself and never down; each rung is kept with its evidence. `failed` stands beside the ladder: the schedule of attempts ended, and what the\nprovider fetches from its inbox afterwards still climbs.\n\n```mermaid\nstateDiagram-v2\n    [*] --> queued\n    sent --> failed: schedule ended\n")
	drawLadder(&b)
	b.WriteString("```\n")
	return b.Bytes()
}

func drawReferrals(b *bytes.Buffer) {
	answered := map[concert.ReferralStatus]int{concert.ReferralPartly: 1, concert.ReferralAnswered: 3}
	for _, s := range concert.ReferralStatuses {
		r := concert.Referral{Provider: videoHost, Status: s, Items: 3, Answered: answered[s]}
		if answered[s] > 0 {
			r.AckedAt = noon
		}
		if next, _, err := r.Acknowledged(answerer(), noon); err == nil && next.Status != s {
			fmt.Fprintf(b, "    %s --> %s: acknowledge\n", s, next.Status)
		}
		if next := r.Counted(1); next.Status != s {
			fmt.Fprintf(b, "    %s --> %s: some answered\n", s, next.Status)
		}
		if next := r.Counted(3 - r.Answered); next.Status != s {
			fmt.Fprintf(b, "    %s --> %s: all answered\n", s, next.Status)
		}
	}
}

// drawOrders draws the chain of an order; a scrutiny, a judgment or an upheld complaint is what voids it or takes it back.
func drawOrders(b *bytes.Buffer) {
	b.WriteString("```\n\n## Removal orders\n\nA row is where an order stands, a column what happens; an empty cell is refused. `void` is the end that a scrutiny (Art. 4) or a court (Art. 9) gives it, `withdraw` that of\nits own authority: both lead nowhere else, and what was removed for the order alone is reinstated.\n\n|  |")
	for _, m := range concert.OrderMoves {
		fmt.Fprintf(b, " %s |", m)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(concert.OrderMoves)) + "\n")
	for _, s := range concert.OrderStatuses {
		fmt.Fprintf(b, "| **%s** |", s)
		for _, m := range concert.OrderMoves {
			next, err := s.After(m)
			if err != nil {
				next = ""
			}
			fmt.Fprintf(b, " %s |", next)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n```mermaid\nstateDiagram-v2\n    [*] --> drafted: write\n")
	for _, s := range concert.OrderStatuses {
		for _, m := range concert.OrderMoves {
			if next, err := s.After(m); err == nil && next != s {
				fmt.Fprintf(b, "    %s --> %s: %s\n", s, next, m)
			}
		}
	}
}

func drawLadder(b *bytes.Buffer) {
	rungs := []concert.Rung{concert.RungQueued, concert.RungSent, concert.RungAccepted, concert.RungOpened, concert.RungAcknowledged, concert.RungFailed}
	for _, from := range rungs {
		for _, to := range rungs[1:5] {
			if _, _, up := (concert.Delivery{Rung: from}).Climbed(to, "", noon); up {
				fmt.Fprintf(b, "    %s --> %s\n", from, to)
			}
		}
	}
}

func TestLadderIsNeverClimbedDown(t *testing.T) {
	t.Parallel()
	rungs := []concert.Rung{concert.RungQueued, concert.RungSent, concert.RungAccepted, concert.RungOpened, concert.RungAcknowledged}
	for i, from := range rungs {
		for j, to := range rungs {
			d := concert.Delivery{ID: "d", Rung: from, Evidence: "before", NextAt: noon}
			next, e, up := d.Climbed(to, "after", noon)
			if up != (j > i) {
				t.Errorf("%s to %s: climbed %v", from, to, up)
			}
			if !up && next != d {
				t.Errorf("%s to %s changes the delivery without climbing", from, to)
			}
			if up && (next.Evidence != "after" || e.Body.(concert.DeliveryBody).Evidence != "after" || next.NextAt.IsZero() != (to != concert.RungSent)) {
				t.Errorf("%s to %s: %+v, %+v", from, to, next, e)
			}
		}
	}
}

func TestReferralCountsItsAnswers(t *testing.T) {
	t.Parallel()
	r := concert.Referral{Provider: videoHost, Status: concert.ReferralSent, Items: 3}
	if _, _, err := r.Acknowledged(officer("ann"), noon); !errors.Is(err, concert.ErrNotFound) {
		t.Errorf("an officer acknowledges: %v", err)
	}
	r, events, err := r.Acknowledged(answerer(), noon)
	if err != nil || len(events) != 1 || r.Status != concert.ReferralAcknowledged {
		t.Fatalf("acknowledged: %+v, %v, %v", r, events, err)
	}
	if _, events, err := r.Acknowledged(answerer(), noon.Add(time.Hour)); err != nil || len(events) != 0 {
		t.Errorf("acknowledged twice: %v, %v", events, err)
	}
	for finals, want := range map[int]concert.ReferralStatus{0: concert.ReferralAcknowledged, 1: concert.ReferralPartly, 3: concert.ReferralAnswered} {
		if got := r.Counted(finals).Status; got != want {
			t.Errorf("with %d of 3 answered a referral is %s, want %s", finals, got, want)
		}
	}
}

func TestG12OnlyUrgentNoticesAndWithdrawalsGoOutsideHours(t *testing.T) {
	t.Parallel()
	for _, kind := range []concert.NoticeKind{concert.NoticeReferral, concert.NoticeReminder, concert.NoticeCorrection, concert.NoticeSandbox, concert.NoticeWithdrawal} {
		d := concert.Delivery{Kind: kind}
		if !d.MayGo(true, false) || !d.MayGo(false, true) || d.MayGo(false, false) != (kind == concert.NoticeWithdrawal) {
			t.Errorf("%s: open %v, urgent at night %v, at night %v", kind, d.MayGo(true, false), d.MayGo(false, true), d.MayGo(false, false))
		}
	}
}

// drawIsolations ends the drawing of referrals and draws what follows from cannot_isolate, as the rule moves it.
func drawIsolations(b *bytes.Buffer) {
	b.WriteString("```\n\n## What cannot be isolated\n\nA provider that answers `cannot_isolate` says how many others a measure would hit. Until a proportionality is written and a second person has approved it, nothing wider is asked of it.\n\n```mermaid\nstateDiagram-v2\n    [*] --> blocked: cannot_isolate\n")
	it := concert.Item{ID: "i", Ref: "IT-1", Author: northUnit, Claimed: concert.AnswerCannotIsolate, Status: concert.ItemAnswered}
	one := concert.Actor{Person: "one", Authority: northUnit, Roles: []concert.Role{concert.RoleOfficer, concert.RoleReviewer}}
	two := one
	two.Person = "two"
	for _, from := range concert.IsolationStates {
		i := concert.Isolation{Item: it.ID, Others: 1, OthersAre: concert.OtherSites}
		if from != concert.IsolationBlocked {
			i, _, _ = i.Weighed(one, it, strings.Repeat("EXERCISE ", 20), noon)
		}
		if from == concert.IsolationApproved {
			i, _, _ = i.Widened(two, it, noon)
		}
		if next, _, err := i.Weighed(one, it, strings.Repeat("EXERCISE ", 20), noon); err == nil {
			fmt.Fprintf(b, "    %s --> %s: write\n", from, next.State())
		}
		if next, _, err := i.Widened(two, it, noon); err == nil {
			fmt.Fprintf(b, "    %s --> %s: approve (second person)\n", from, next.State())
		}
	}
}
