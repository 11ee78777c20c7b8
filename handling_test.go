package concert_test

import (
	"testing"
	"time"

	"concert"
)

func TestG23HandlingCodesSayWhereItMayGo(t *testing.T) {
	t.Parallel()
	for code, want := range map[concert.Handling]string{"H0": "judicial tenant provider ", "H1": "tenant provider ", "H2": "judicial ", "H3": "", "": "", "H4": ""} {
		got := ""
		for _, to := range concert.Destinations {
			if code.MayLeave(to) {
				got += string(to) + " "
			}
		}
		if got != want {
			t.Errorf("%q may go to %q, want %q", code, got, want)
		}
		if code.MayLeave("elsewhere") {
			t.Errorf("%q may go elsewhere", code)
		}
	}
	if got := concert.Leaving(concert.ToProvider); len(got) != 2 {
		t.Errorf("to a provider go %v", got)
	}
	it := concert.Item{Ref: "IT-1", Status: concert.ItemApproved, Provider: videoHost, Author: northUnit, Needed: 1, Given: 1, Handling: concert.HandlingNotShared}
	if _, _, _, err := concert.Referred(concert.Referral{Provider: videoHost, Author: northUnit}, []concert.Item{it}, noon); code(err) != "handling.blocked" {
		t.Errorf("an H2 item in a referral: %v", err)
	}
}

func TestG22TermsEndForWhatWasLawfulOnly(t *testing.T) {
	t.Parallel()
	for _, s := range concert.ItemStatuses {
		for _, sent := range []bool{false, true} {
			it := concert.Item{Ref: "IT-1", Status: s, UpdatedAt: noon}
			if sent {
				it.Referral = "referral"
			}
			want := map[concert.ItemStatus]concert.ErasureCode{concert.ItemRejected: concert.ErasureLawful, concert.ItemStopped: concert.ErasureStopped}[s]
			if s == concert.ItemWithdrawn && !sent {
				want = concert.ErasureTakenBack
			}
			at, got, due := it.ErasureDue()
			if got != want || due != (want != "") || due && !at.Equal(noon.Add(30*24*time.Hour)) {
				t.Errorf("%s (sent: %v): %q at %v, want %q", s, sent, got, at, want)
			}
			next, e, _, err := it.Expired(noon.Add(concert.ErasureTerm))
			if (err == nil) != due || due && (next.ErasedAt.IsZero() || e.AskedBy != concert.House.Person) {
				t.Errorf("%s: %+v, %v", s, e, err)
			}
			if _, _, again, err := it.Expired(noon.Add(concert.ErasureTerm - 1)); err == nil || again.IsZero() == due {
				t.Errorf("%s a moment before: again %v, %v", s, again, err)
			}
		}
	}
}

// Whatever may be done with an item is refused once it is erased.
func TestG20NoRuleMovesAnErasedItem(t *testing.T) {
	t.Parallel()
	for _, s := range concert.ItemStatuses {
		it := concert.Item{ID: "item", Ref: "IT-1", Status: s, Authority: northUnit, Author: northUnit, Provider: videoHost, Assessor: "ann", Referral: "r", Needed: 1, ErasedAt: noon}
		for _, m := range concert.ItemMoves {
			if next, err := it.Moved(m, noon); code(err) != "item.erased" || next != it {
				t.Errorf("%s %s: %v", s, m, err)
			}
		}
		r := concert.Referral{ID: "r", Provider: videoHost, Author: northUnit}
		_, _, join := it.Joined(officer("bob"), noon)
		_, _, _, judge := it.Assessed(officer("ann"), judgement(), scopeList(), noon)
		_, _, _, decide := it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve}, nil, scopeList(), noon)
		_, _, _, _, answer := it.ItemAnswered(answerer(), r, concert.Answer{Code: concert.AnswerInReview}, noon)
		_, _, _, look := it.Rechecked(concert.House, concert.Recheck{State: concert.ObservedUnknown, Vantage: "x"}, noon)
		_, _, _, remedy := it.Remedied(officer("ann"), concert.Remedy{Kind: concert.RemedyCorrection, Reason: ground}, noon)
		for what, err := range map[string]error{"join": join, "judge": judge, "decide": decide, "answer": answer, "look": look, "remedy": remedy} {
			if code(err) != "item.erased" {
				t.Errorf("%s %s: %v", s, what, err)
			}
		}
		if r.MayRemind(it) {
			t.Errorf("%s: a provider is reminded of an erased item", s)
		}
	}
}
