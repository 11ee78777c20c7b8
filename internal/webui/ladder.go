package webui

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// reached is how far along the way each status stands, counted in rungs done.
var reached = map[concert.ItemStatus]int{
	concert.ItemStopped: 1, concert.ItemOpen: 1, concert.ItemOutOfScope: 1, concert.ItemAssessed: 2, concert.ItemRejected: 2, concert.ItemApproved: 3, concert.ItemHeld: 3,
	concert.ItemReferred: 4, concert.ItemAnswered: 5, concert.ItemRefused: 5, concert.ItemStillUp: 4, concert.ItemClosed: 6, concert.ItemReturned: 5, concert.ItemWithdrawn: 3,
}

// ladder is the item's way from find to our own look, with what is done and
// where it stands.
func ladder(ctx context.Context, it casework.ItemView) []rung {
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
		rungs[4].State, rungs[4].Note = "ahead", say(ctx, "Silent")
	}
	if n := len(it.Finders); n > 1 {
		rungs[0].Note = design.Count(ctx, n, "%d authority", "%d authorities")
	}
	if it.Assessment != "" && it.Needed > 1 {
		rungs[2].Note = say(ctx, "%s of %s", strconv.Itoa(it.Given), strconv.Itoa(it.Needed))
	}
	switch it.Status {
	case concert.ItemStopped, concert.ItemOutOfScope, concert.ItemRejected, concert.ItemHeld, concert.ItemRefused, concert.ItemStillUp, concert.ItemReturned, concert.ItemWithdrawn:
		if done > 0 {
			rungs[done-1].Note = strings.TrimSpace(rungs[done-1].Note + " " + strings.ToLower(say(ctx, itemStates[it.Status].Label)))
		}
	}
	return rungs
}

// story is what happened to the item, oldest first. People stand in it by
// operator number only.
func story(ctx context.Context, it casework.ItemView) []moved {
	var s []moved
	add := func(at time.Time, who, detail string, what design.Text, args ...any) {
		s = append(s, moved{At: at, What: say(ctx, what, args...), Who: who, Detail: detail})
	}
	if len(it.Finders) > 0 {
		add(it.CreatedAt, it.Finders[0].Unit, "", "found")
	}
	if it.Judged.ID != "" {
		add(it.Judged.At, it.Author.Unit+" "+it.Assessor, "", "assessed")
	}
	for _, a := range it.Approvals {
		what := design.Text("approved")
		if a.Decision == concert.Reject {
			what = "rejected"
		}
		add(a.At, it.Author.Unit+" "+it.Reviewers[a.Reviewer], a.Ground, what)
	}
	if l := it.Look; !l.At.IsZero() {
		add(l.At, it.LookUnit+" "+it.Reviewers[l.By], l.Note, "second look: %s", lookTexts[l.Verdict].Label)
	}
	for _, a := range it.Answers {
		add(a.At, it.Provider.Name, joinedText("; ", strings.Join(a.Countries, " "), a.Forwarded, a.Note), "claimed: %s", answerTexts[a.Code])
	}
	for _, c := range it.Rechecks {
		answer := ""
		if c.HTTP != 0 {
			answer = "HTTP " + strconv.Itoa(c.HTTP)
		}
		add(c.At, say(ctx, "us"), joinedText(say(ctx, ", "), say(ctx, "from %s", c.Vantage), strings.ReplaceAll(c.Reason, "_", " "), answer), "observed: %s", observedStates[c.State].Label)
	}
	for _, m := range it.Remedies {
		add(m.At, it.Author.Unit, m.Ref+": "+m.Reason, remedyTexts[m.Kind])
	}
	for _, m := range it.Messages {
		if m.Kind.Spoken() {
			add(m.At, it.Provider.Name, m.Text, "%s (%s)", messageTexts[m.Kind], senderTexts[m.Sender])
		}
	}
	if o := it.Override; o.Item != "" {
		add(o.At, it.Author.Unit+" "+it.Reviewers[o.By], o.Reason, "hold overridden for a threat to life")
		if o.Verdict != "" {
			add(o.ReviewedAt, it.Reviewers[o.Reviewer], o.Ground, "override reviewed: %s", verdictTexts[o.Verdict])
		}
	}
	slices.SortStableFunc(s, func(a, b moved) int { return cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()) })
	return s
}

// joinedText joins what is not empty.
func joinedText(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(t string) bool { return t == "" }), sep)
}
