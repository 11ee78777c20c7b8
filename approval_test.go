package concert_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// copyOf is an item that ann judged, a capture of the work, with one approval needed.
func copyOf(work byte) concert.Item {
	it := assessedItem(1)
	it.Content = [32]byte{work}
	return it
}

func TestOnlyCopiesOfWhatWasApprovedAloneAreApprovedInBulk(t *testing.T) {
	t.Parallel()
	good := concert.Precedent{Item: "first", Content: [32]byte{1}, Outlet: listed, Authority: northUnit, Status: concert.ItemReferred}
	for name, c := range map[string]struct {
		item func(*concert.Item)
		like func(*concert.Precedent)
		ok   bool
	}{
		"a copy":                                  {ok: true},
		"whose precedent the provider refused":    {like: func(p *concert.Precedent) { p.Status = concert.ItemRefused }, ok: true},
		"no precedent":                            {like: func(p *concert.Precedent) { *p = concert.Precedent{} }},
		"another work":                            {item: func(it *concert.Item) { it.Content = [32]byte{2} }},
		"nothing captured":                        {item: func(it *concert.Item) { it.Content = [32]byte{} }, like: func(p *concert.Precedent) { p.Content = [32]byte{} }},
		"another outlet":                          {like: func(p *concert.Precedent) { p.Outlet = unlisted }},
		"another authority's precedent":           {like: func(p *concert.Precedent) { p.Authority = southUnit }},
		"the item itself, assessed anew":          {like: func(p *concert.Precedent) { p.Item = "item" }},
		"a precedent that waits for more":         {like: func(p *concert.Precedent) { p.Status = concert.ItemAssessed }},
		"a precedent rejected in the end":         {like: func(p *concert.Precedent) { p.Status = concert.ItemRejected }},
		"a precedent taken back":                  {like: func(p *concert.Precedent) { p.Status = concert.ItemWithdrawn }},
		"a precedent parked":                      {like: func(p *concert.Precedent) { p.Status = concert.ItemOutOfScope }},
		"a protected place":                       {item: func(it *concert.Item) { it.Guard.Verdict = concert.GuardElevate }},
		"unbranded, or its author's accuracy low": {item: func(it *concert.Item) { it.Needed = 2 }},
	} {
		it, p := copyOf(1), good
		if c.item != nil {
			c.item(&it)
		}
		if c.like != nil {
			c.like(&p)
		}
		_, _, e, err := it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve, Ground: ground, Bulk: true, Precedent: p}, nil, scopeList(), noon)
		if want := map[bool]string{false: "approval.bulk"}[c.ok]; code(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if err == nil && e.Body.(concert.ItemBody).Single {
			t.Errorf("%s: given in bulk, and the event says alone", name)
		}
		// Alone, all of it is a matter of the other rules.
		if _, _, e, err = it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve, Ground: ground}, nil, scopeList(), noon); err != nil || !e.Body.(concert.ItemBody).Single {
			t.Errorf("%s, alone: %v, %+v", name, err, e.Body)
		}
	}
	if _, _, _, err := copyOf(3).Decided(reviewer("rex"), concert.Approval{Decision: concert.Reject, Ground: ground, Bulk: true}, nil, scopeList(), noon); err != nil {
		t.Errorf("a rejection in bulk: %v", err)
	}
}

func TestSecondsFromOpeningStandInTheEvent(t *testing.T) {
	t.Parallel()
	for opened, want := range map[time.Time]int64{noon.Add(-90*time.Second - 700*time.Millisecond): 90, noon: 0, noon.Add(time.Second): 0} {
		_, d, e, err := copyOf(1).Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve, OpenedAt: opened}, nil, scopeList(), noon)
		b := e.Body.(concert.ItemBody)
		took, ok := d.Took()
		if err != nil || b.OpenedS == nil || *b.OpenedS != want || !ok || took != time.Duration(want)*time.Second {
			t.Errorf("opened at %v: %+v, %v, %v", opened, b.OpenedS, took, err)
		}
	}
	_, d, e, err := copyOf(1).Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve}, nil, scopeList(), noon)
	if _, ok := d.Took(); err != nil || ok || e.Body.(concert.ItemBody).OpenedS != nil {
		t.Errorf("never opened: %+v, %v", e.Body, err)
	}
}

func TestOneApprovalInFiftyIsDrawn(t *testing.T) {
	t.Parallel()
	drawn, n := 0, 200_000
	for i := range n {
		// SplitMix64's increments spread evenly, as a keyed digest does.
		var d [32]byte
		binary.BigEndian.PutUint64(d[:], uint64(i+1)*0x9E3779B97F4A7C15)
		if concert.Drawn(d) {
			drawn++
		}
	}
	if share := float64(drawn) / float64(n); share < .0199 || share > .0201 {
		t.Errorf("%.5f are drawn", share)
	}
	if concert.Drawn([32]byte{}) {
		t.Error("no digest is drawn")
	}
	lot := [32]byte{31: 1}
	for decision, want := range map[concert.Decision]bool{concert.Approve: true, concert.Reject: false} {
		_, d, e, err := copyOf(1).Decided(reviewer("rex"), concert.Approval{Decision: decision, Ground: ground, Draw: lot}, nil, scopeList(), noon)
		if err != nil || d.Drawn != want || e.Body.(concert.ItemBody).Drawn != want {
			t.Errorf("%s: drawn %t, %v", decision, d.Drawn, err)
		}
	}
	if _, d, _, err := assessedItem(2).Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve, Ground: ground, Draw: lot}, nil, scopeList(), noon); err != nil || d.Drawn {
		t.Errorf("the first of two approvals is drawn: %v", err)
	}
}

func TestSecondLookComesFromSomebodyWhoKnowsNothing(t *testing.T) {
	t.Parallel()
	it := assessedItem(1)
	it.Status = concert.ItemApproved
	circle := concert.Circle{Knowing: []concert.PersonID{"rex", "ann"}, Reviewers: []concert.PersonID{"rex", "roy"}, Parties: []concert.AuthorityID{northUnit, southUnit}}
	nobody := circle
	nobody.Reviewers = []concert.PersonID{"rex"}
	south := person("sue", southUnit, "", concert.RoleReviewer)
	held := it
	held.Handling = concert.HandlingNotShared
	agree := concert.SecondLook{Item: "item", Assessment: "assessment", Verdict: concert.LookAgree, Type: concert.Incites}
	done := agree
	done.At = noon
	for name, c := range map[string]struct {
		by     concert.Actor
		it     concert.Item
		circle concert.Circle
		look   concert.SecondLook
		want   string
	}{
		"a third person":                       {reviewer("roy"), it, circle, agree, ""},
		"who decided":                          {reviewer("rex"), it, circle, agree, "second_look.not_blind"},
		"who assessed":                         {person("ann", northUnit, "", concert.RoleReviewer), it, circle, agree, "second_look.not_blind"},
		"no reviewer":                          {officer("bob"), it, circle, agree, "role.missing"},
		"another authority, while one is left": {south, it, circle, agree, "not_found"},
		"another authority, with nobody left":  {south, it, nobody, agree, ""},
		"another authority, not to be shown":   {south, held, nobody, agree, "not_found"},
		"an authority that takes no part":      {person("eve", "east", "", concert.RoleReviewer), it, nobody, agree, "not_found"},
		"a second time":                        {reviewer("roy"), it, circle, done, "second_look.done"},
		"no verdict":                           {reviewer("roy"), it, circle, concert.SecondLook{}, "second_look.verdict"},
		"agreed without a type":                {reviewer("roy"), it, circle, concert.SecondLook{Verdict: concert.LookAgree}, "second_look.type"},
		"disagreed without a reason":           {reviewer("roy"), it, circle, concert.SecondLook{Verdict: concert.LookDisagree, Note: "no"}, "second_look.reason"},
		"disagreed":                            {reviewer("roy"), it, circle, concert.SecondLook{Verdict: concert.LookDisagree, Note: ground}, ""},
	} {
		l, e, err := c.look.Looked(c.by, c.it, c.circle, noon)
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && (l.By != c.by.Person || !l.At.Equal(noon) || e.Kind != concert.EventItemSecondLook || e.Body.(concert.ItemBody).Assessor != "ann" || bytes.Contains(bodyOf(t, e), []byte("EXERCISE"))) {
			t.Errorf("%s: %+v, %+v", name, l, e)
		}
	}
}

// bodyOf is the body as the log commits to it.
func bodyOf(t *testing.T, e concert.Event) []byte {
	t.Helper()
	text, err := concert.CanonicalJSON(e.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// officerSide is what the events say of an officer.
func officerSide(d concert.Deltas, p concert.PersonID) concert.Counts {
	return d.BySide("", 'o')[string(p)]
}

func TestG30AccuracyCountsEachWordOnceAndTakesItBack(t *testing.T) {
	t.Parallel()
	sent := func(status concert.ItemStatus, claim concert.AnswerCode) *concert.Facet {
		return &concert.Facet{Status: status, Claim: claim, Sent: true}
	}
	d := concert.Deltas{}
	answered := func(from, to *concert.Facet) {
		d.Count(concert.EventItemAnswered, concert.ItemBody{Authority: northUnit, Assessor: "ann", From: from, To: to})
	}
	check := func(what string, judged, inaccurate int64) {
		t.Helper()
		if a := concert.AccuracyOf(officerSide(d, "ann")); a.Judged != judged || a.Inaccurate != inaccurate {
			t.Errorf("%s: %d of %d inaccurate, want %d of %d: %v", what, a.Inaccurate, a.Judged, inaccurate, judged, officerSide(d, "ann"))
		}
	}
	silent, inReview := sent(concert.ItemReferred, ""), sent(concert.ItemReferred, concert.AnswerInReview)
	answered(silent, inReview)
	check("no last word", 0, 0)
	notOurs, removed := sent(concert.ItemAnswered, concert.AnswerNotOurs), sent(concert.ItemAnswered, concert.AnswerRemoved)
	answered(inReview, notOurs)
	check("not ours", 1, 1)
	answered(notOurs, removed)
	check("another word", 1, 0)
	refused := sent(concert.ItemRefused, concert.AnswerRefused)
	answered(removed, refused)
	check("refused", 1, 1)
	withdraw := func(from, to *concert.Facet) {
		d.Count(concert.EventItemWithdrawn, concert.ItemBody{Authority: northUnit, Assessor: "ann", From: from, To: to})
	}
	withdraw(refused, sent(concert.ItemWithdrawn, concert.AnswerRefused))
	check("the same item withdrawn", 1, 1)
	withdraw(&concert.Facet{Status: concert.ItemApproved}, &concert.Facet{Status: concert.ItemWithdrawn})
	check("taken back before it was sent", 1, 1)
	for _, again := range []bool{false, true, true} {
		d.Count(concert.EventItemCorrected, concert.ItemBody{Authority: northUnit, Assessor: "ann", Again: again, From: removed, To: removed})
	}
	check("corrected three times", 2, 2)
	for _, v := range []concert.LookVerdict{concert.LookAgree, concert.LookDisagree} {
		d.Count(concert.EventItemSecondLook, concert.ItemBody{Authority: northUnit, Assessor: "ann", Look: v})
	}
	check("second looks", 4, 3)
	if n := len(d.BySide("", 'a')[string(northUnit)]); n == 0 || d.Totals("")[concert.OfficerAnswered] != 0 {
		t.Error("an officer's numbers stand on the board")
	}
}

func TestG30LowAccuracyAsksForOneApprovalMore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		judged, inaccurate int64
		low                bool
	}{{0, 0, false}, {19, 19, false}, {20, 3, false}, {20, 4, true}, {100, 15, false}, {100, 16, true}, {107, 16, false}, {20, 20, true}} {
		a := concert.AccuracyOf(concert.Counts{concert.OfficerAnswered: c.judged, concert.OfficerRefused: c.inaccurate})
		if a.Low() != c.low {
			t.Errorf("%d of %d inaccurate: low is %t", c.inaccurate, c.judged, a.Low())
		}
	}
	for needed, change := range map[int]func(*concert.Item, *concert.Assessment){
		1: func(*concert.Item, *concert.Assessment) {},
		2: func(_ *concert.Item, a *concert.Assessment) { a.Watched = true },
		3: func(it *concert.Item, a *concert.Assessment) {
			it.Guard.Verdict, a.Watched = concert.GuardElevate, true
		},
	} {
		it, a := openItem(), judgement()
		change(&it, &a)
		it, _, e, err := it.Assessed(officer("ann"), a, scopeList(), noon)
		if b := e.Body.(concert.ItemBody); err != nil || it.Needed != needed || b.Needed != needed || b.Watched != a.Watched {
			t.Errorf("%d needed: %d, %+v, %v", needed, it.Needed, b, err)
		}
		var given []concert.Approval
		for i, who := range []string{"rex", "roy", "ray"}[:needed] {
			var d concert.Approval
			if it, d, _, err = it.Decided(reviewer(who), concert.Approval{Decision: concert.Approve, Ground: ground}, given, scopeList(), noon); err != nil {
				t.Fatal(err)
			}
			if given = append(given, d); (it.Status == concert.ItemApproved) != (i+1 == needed) {
				t.Errorf("%d needed: %s after %d", needed, it.Status, i+1)
			}
		}
	}
}

// An accuracy is never below nothing nor above all, whatever the events were.
func TestG30AccuracyStaysAShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := concert.Counts{}
		for _, m := range concert.OfficerMetrics {
			c[m] = rapid.Int64Range(-5, 40).Draw(t, string(m))
		}
		if a := concert.AccuracyOf(c); a.Inaccurate < 0 || a.Inaccurate > a.Judged {
			t.Fatalf("%+v of %v", a, c)
		}
	})
}
