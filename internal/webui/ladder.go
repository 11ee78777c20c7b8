package webui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
)

// reached is how far along the way each status stands, counted in rungs done.
var reached = map[concert.ItemStatus]int{
	concert.ItemStopped: 1, concert.ItemOpen: 1, concert.ItemOutOfScope: 1, concert.ItemAssessed: 2, concert.ItemRejected: 2, concert.ItemApproved: 3, concert.ItemHeld: 3,
	concert.ItemReferred: 4, concert.ItemAnswered: 5, concert.ItemRefused: 5, concert.ItemStillUp: 4, concert.ItemClosed: 6, concert.ItemReturned: 5, concert.ItemWithdrawn: 3,
}

// ladder is the item's way from find to our own look, with what is done and
// where it stands.
func ladder(it casework.ItemView) []rung {
	done := reached[it.Status]
	if it.Item.Referral != "" {
		done = max(done, 4)
	}
	if it.Claimed.Final() {
		done = max(done, 5)
	}
	rungs := []rung{{Label: "Found"}, {Label: "Assessed"}, {Label: "Approved"}, {Label: "Referred"}, {Label: "Answered"}, {Label: "Seen down"}}
	for i := range rungs {
		switch {
		case i < done-1:
			rungs[i].State = "done"
		case i == done-1:
			rungs[i].State = "here"
		default:
			rungs[i].State = "ahead"
		}
	}
	if it.Observed == concert.ObservedDown {
		rungs[5].State = "done"
	}
	// The last word of the provider may be missing although we saw it down.
	if !it.Claimed.Final() && done == 6 {
		rungs[4].State, rungs[4].Note = "ahead", "silent"
	}
	if n := len(it.Finders); n > 1 {
		rungs[0].Note = strconv.Itoa(n) + " authorities"
	}
	if it.Assessment != "" && it.Needed > 1 {
		rungs[2].Note = strconv.Itoa(it.Given) + " of " + strconv.Itoa(it.Needed)
	}
	switch it.Status {
	case concert.ItemStopped, concert.ItemOutOfScope, concert.ItemRejected, concert.ItemHeld, concert.ItemRefused, concert.ItemStillUp, concert.ItemReturned, concert.ItemWithdrawn:
		if done > 0 {
			rungs[done-1].Note = strings.TrimSpace(rungs[done-1].Note + " " + strings.ToLower(string(itemStates[it.Status].Label)))
		}
	}
	return rungs
}

// story is what happened to the item, oldest first. People stand in it by
// operator number only.
func story(it casework.ItemView) []moved {
	var s []moved
	if len(it.Finders) > 0 {
		s = append(s, moved{At: it.CreatedAt, What: "found", Who: it.Finders[0].Unit})
	}
	if it.Judged.ID != "" {
		s = append(s, moved{At: it.Judged.At, What: "assessed", Who: it.Author.Unit + " " + it.Assessor})
	}
	for _, a := range it.Approvals {
		what := "approved"
		if a.Decision == concert.Reject {
			what = "rejected"
		}
		s = append(s, moved{At: a.At, What: what, Who: it.Author.Unit + " " + it.Reviewers[a.Reviewer], Detail: a.Ground})
	}
	if l := it.Look; !l.At.IsZero() {
		s = append(s, moved{At: l.At, What: "second look: " + string(lookTexts[l.Verdict].Label), Who: it.LookUnit + " " + it.Reviewers[l.By], Detail: l.Note})
	}
	for _, a := range it.Answers {
		detail := strings.Join(slices.DeleteFunc([]string{strings.Join(a.Countries, " "), a.Forwarded, a.Note}, func(t string) bool { return t == "" }), "; ")
		s = append(s, moved{At: a.At, What: "claimed: " + string(answerTexts[a.Code]), Who: it.Provider.Name, Detail: detail})
	}
	for _, c := range it.Rechecks {
		detail := "from " + c.Vantage
		if c.Reason != "" {
			detail += ", " + strings.ReplaceAll(c.Reason, "_", " ")
		}
		if c.HTTP != 0 {
			detail += ", HTTP " + strconv.Itoa(c.HTTP)
		}
		s = append(s, moved{At: c.At, What: "observed: " + string(observedStates[c.State].Label), Who: "us", Detail: detail})
	}
	for _, m := range it.Remedies {
		s = append(s, moved{At: m.At, What: string(m.Kind), Who: it.Author.Unit, Detail: m.Ref + ": " + m.Reason})
	}
	for _, m := range it.Messages {
		if m.Kind.Spoken() {
			s = append(s, moved{At: m.At, What: string(messageTexts[m.Kind]) + " (" + string(senderTexts[m.Sender]) + ")", Who: it.Provider.Name, Detail: m.Text})
		}
	}
	if o := it.Override; o.Item != "" {
		s = append(s, moved{At: o.At, What: "hold overridden for a threat to life", Who: it.Author.Unit + " " + it.Reviewers[o.By], Detail: o.Reason})
		if o.Verdict != "" {
			s = append(s, moved{At: o.ReviewedAt, What: "override reviewed: " + string(o.Verdict), Who: it.Reviewers[o.Reviewer], Detail: o.Ground})
		}
	}
	slices.SortStableFunc(s, func(a, b moved) int { return cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()) })
	return s
}
