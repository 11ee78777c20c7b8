package concert_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
)

func TestReceivedMovesByTheTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/providerdesk.md")
	if err != nil {
		t.Fatal(err)
	}
	var drawn []string
	for _, from := range concert.ReceivedStatuses {
		for _, m := range concert.ReceivedMoves {
			to, err := from.After(m)
			if err != nil {
				if code(err) != "received.move" || to != from {
					t.Errorf("%s %s: %s, %v", from, m, to, err)
				}
				continue
			}
			drawn = append(drawn, fmt.Sprintf("| `%s` | %s | `%s` |", from, m, to))
		}
	}
	var written []string
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && slices.Contains(concert.ReceivedMoves, concert.ReceivedMove(strings.TrimSpace(cells[2]))) {
			written = append(written, strings.TrimSpace(line))
		}
	}
	slices.Sort(drawn)
	slices.Sort(written)
	if !slices.Equal(drawn, written) {
		t.Errorf("docs/providerdesk.md draws\n%s\nthe table says\n%s", strings.Join(written, "\n"), strings.Join(drawn, "\n"))
	}
}

// host answers at a provider's own desk.
func host() concert.Actor {
	return concert.Actor{Person: "ann", Provider: videoHost, Roles: []concert.Role{concert.RoleProviderAnswerer}}
}

func received(kind concert.ReceivedKind, verdict string) (concert.Received, []concert.ReceivedItem) {
	r, _ := concert.Received{ID: "r", Ref: "RC-1", Kind: kind, Theirs: "OR-1", Verdict: verdict, Items: 2}.Taken(noon)
	return r, []concert.ReceivedItem{{Received: "r", Ref: "IT-1"}, {Received: "r", Pos: 1, Ref: "IT-2"}}
}

// Nothing that is not valid can be carried out at a provider's own desk, and neither kind is answered as the other.
func TestG01OnlyAValidOrderBindsTheHost(t *testing.T) {
	t.Parallel()
	a := concert.OrderAnswer{Measure: concert.MeasureRemoved, MeasureAt: noon, Person: "EXERCISE", Email: "tco@host.example"}
	for verdict, want := range map[string]string{"valid": "", "invalid": "received.unproven", "authority_unknown": "received.unproven", "": "received.unproven"} {
		r, items := received(concert.ReceivedOrder, verdict)
		_, _, _, err := r.Fed(host(), a, items, noon)
		if code(err) != want || r.Binds() != (want == "") {
			t.Errorf("verdict %q: binds %v, %v", verdict, r.Binds(), err)
		}
	}
	r, items := received(concert.ReceivedReferral, "valid")
	if _, _, _, err := r.Fed(host(), a, items, noon); code(err) != "received.kind" || r.Binds() {
		t.Errorf("a referral is carried out as an order: %v", err)
	}
	o, items := received(concert.ReceivedOrder, "valid")
	if _, _, _, err := o.Replied(host(), []concert.ReceivedReply{{Item: "IT-1", Answer: concert.Answer{Code: concert.AnswerRefused}}}, items, noon); code(err) != "received.kind" {
		t.Errorf("an order is answered as a referral: %v", err)
	}
	reader := host()
	reader.Roles = []concert.Role{concert.RoleProviderReader}
	for _, by := range []concert.Actor{reader, officer("bob"), concert.House, {}} {
		if _, _, _, err := o.Fed(by, a, items, noon); err == nil {
			t.Errorf("%v answers as %v", by.Person, by.Roles)
		}
	}
}

func TestReceivedIsAnsweredInParts(t *testing.T) {
	t.Parallel()
	a := concert.OrderAnswer{Items: []string{"IT-2"}, Measure: concert.MeasureDisabled, MeasureAt: noon, Person: "EXERCISE", Email: "tco@host.example"}
	r, items := received(concert.ReceivedOrder, "valid")
	r, done, e, err := r.Fed(host(), a, items, noon)
	if err != nil || len(done) != 1 || done[0].Ref != "IT-2" || r.Status != concert.ReceivedOpen || r.Done != 1 || e.Kind != concert.EventReceivedAnswered {
		t.Fatalf("a part: %+v, %+v, %v", r, done, err)
	}
	items[1] = done[0]
	if _, _, _, err := r.Fed(host(), a, items, noon); code(err) != "received.answered" {
		t.Errorf("the same part again: %v", err)
	}
	a.Items = nil
	if r, done, _, err = r.Fed(host(), a, items, noon); err != nil || len(done) != 1 || r.Status != concert.ReceivedAnswered || !r.AnsweredAt.Equal(noon) {
		t.Errorf("the rest: %+v, %+v, %v", r, done, err)
	}
}

// However often an answer fails to reach its hub it is tried again, within a minute.
func TestAnswersAreNeverGivenUp(t *testing.T) {
	t.Parallel()
	p := concert.ReceivedPost{State: concert.PostWaiting}
	for range 1000 {
		p = p.Tried("away", noon)
		if wait := p.NextAt.Sub(noon); wait <= 0 || wait > time.Minute || p.State != concert.PostWaiting {
			t.Fatalf("after %d tries: %s, %s", p.Attempts, wait, p.State)
		}
	}
}
