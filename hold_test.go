package concert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"concert"
)

// placedHold is a hold of the southern unit's, placed by sue at noon.
func placedHold(t *testing.T) concert.Hold {
	t.Helper()
	h, _, err := concert.Hold{ID: "hold", Ref: "HO-1", Place: [32]byte{1}, Contact: "EXERCISE desk"}.Placed(southern("sue"), noon)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func southern(id string, roles ...concert.Role) concert.Actor {
	if len(roles) == 0 {
		roles = []concert.Role{concert.RoleOfficer}
	}
	return person(id, southUnit, "", roles...)
}

func TestG07WhatAHoldCovers(t *testing.T) {
	t.Parallel()
	place, bytes, none := [32]byte{1}, [32]byte{2}, [32]byte{}
	for _, c := range []struct {
		name                           string
		holdPlace, holdBytes, at, copy [32]byte
		want                           bool
	}{
		{"its place", place, none, place, none, true},
		{"another place", place, none, bytes, none, false},
		{"its bytes elsewhere", none, bytes, place, bytes, true},
		{"other bytes", none, bytes, place, place, false},
		{"both, at the place", place, bytes, place, none, true},
		{"both, a copy elsewhere", place, bytes, [32]byte{3}, bytes, true},
		{"nothing captured meets no hold on bytes", none, bytes, place, none, false},
	} {
		h := concert.Hold{Place: c.holdPlace, Content: c.holdBytes}
		if got := h.Covers(concert.Item{Place: c.at, Content: c.copy}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	for want, h := range map[string]concert.Hold{"hold.subject": {Contact: "EXERCISE desk"}, "hold.contact": {Content: bytes, Contact: " "}, "": {Content: bytes, Contact: "EXERCISE desk"}} {
		if _, _, err := h.Placed(southern("sue"), noon); code(err) != want {
			t.Errorf("placed %+v: %v, want %q", h, err, want)
		}
	}
	if _, _, err := (concert.Hold{Place: place, Contact: "x"}).Placed(southern("rex", concert.RoleReviewer), noon); code(err) != "role.missing" {
		t.Errorf("a reviewer places: %v", err)
	}
}

func TestG07AHoldIsRenewedTwiceByASecondPerson(t *testing.T) {
	t.Parallel()
	h := placedHold(t)
	day := 24 * time.Hour
	const why = "EXERCISE secret reason"
	for _, c := range []struct {
		name   string
		by     concert.Actor
		after  time.Duration
		change func(*concert.Hold)
		reason string
		want   string
	}{
		{"another unit", officer("ann"), day, nil, why, "not_found"},
		{"nobody's", concert.House, day, nil, why, "not_found"},
		{"its placer", southern("sue"), day, nil, why, "hold.same_person"},
		{"its placer as reviewer", southern("sue", concert.RoleReviewer), day, nil, why, "hold.same_person"},
		{"a coordinator", southern("cora", concert.RoleCoordinator), day, nil, why, "role.missing"},
		{"no reason", southern("sam"), day, nil, "  no ", "hold.reason"},
		{"at its end", southern("sam"), concert.HoldTerm, nil, why, "hold.over"},
		{"released", southern("sam"), day, func(h *concert.Hold) { h.ReleasedAt = noon }, why, "hold.over"},
		{"a third time", southern("sam"), day, func(h *concert.Hold) { h.Renewals = concert.HoldRenewals }, why, "hold.renewals"},
		{"a second officer", southern("sam"), day, nil, why, ""},
		{"a reviewer, in the last moment", southern("rex", concert.RoleReviewer), concert.HoldTerm - 1, nil, why, ""},
	} {
		had := h
		if c.change != nil {
			c.change(&had)
		}
		now := noon.Add(c.after)
		got, e, err := had.Renewed(c.by, c.reason, now)
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if err != nil {
			continue
		}
		body, _ := json.Marshal(e.Body)
		if !got.ExpiresAt.Equal(now.Add(concert.HoldTerm)) || got.Renewals != 1 || len(got.Notes) != 1 || got.Notes[0].By != c.by.Person || e.Kind != concert.EventHoldRenewed || bytes.Contains(body, []byte("secret")) {
			t.Errorf("%s: %+v, %s %s", c.name, got, e.Kind, body)
		}
	}
	// Renewing never lengthens what a reason from before was given for.
	first, _, err := h.Renewed(southern("sam"), why, noon)
	if err != nil || first.ExpiresAt.After(noon.Add(concert.HoldTerm)) {
		t.Errorf("renewed at once it stands until %v, %v", first.ExpiresAt, err)
	}
	second, _, err := first.Renewed(southern("sam"), why, noon.Add(day))
	if err != nil || len(first.Notes) != 1 || len(second.Notes) != 2 {
		t.Errorf("the second time: %v, %d notes beside %d", err, len(second.Notes), len(first.Notes))
	}
}

func TestG07AHeldItemShowsToItsAuthorAlone(t *testing.T) {
	t.Parallel()
	it := assessedItem(1)
	it.Status, it.Version = concert.ItemHeld, 4
	if got := it.ShownTo(northUnit); got != it {
		t.Errorf("its author sees %s", got.Status)
	}
	for _, a := range []concert.AuthorityID{southUnit, "", "third"} {
		got := it.ShownTo(a)
		if got.Status != concert.ItemApproved || got.Version != 3 {
			t.Errorf("%q sees %s, version %d", a, got.Status, got.Version)
		}
		// What it is refused with names no hold either.
		if _, _, _, err := got.Assessed(southern("sue"), judgement(), scopeList(), noon); err == nil || bytes.Contains([]byte(err.Error()), []byte("held")) {
			t.Errorf("%q is refused with %v", a, err)
		}
	}
	it.Status = concert.ItemReferred
	if it.ShownTo(southUnit) != it {
		t.Error("what is not held is shown otherwise than it is")
	}
}

func TestG07ProbingHasALimit(t *testing.T) {
	t.Parallel()
	times := func(n int) []time.Time {
		out := make([]time.Time, n)
		for i := range out {
			out[i] = noon.Add(time.Duration(i) * time.Minute)
		}
		return out
	}
	for _, c := range []struct {
		met, referred int
		exceeded      bool
	}{{0, 0, false}, {20, 0, false}, {21, 0, true}, {20, 26_000, false}, {21, 209, true}, {21, 210, false}, {22, 210, true}, {100, 1000, false}, {101, 1000, true}, {2600, 26_000, false}} {
		p := concert.Probe{Met: times(c.met), Referred: c.referred}
		if p.Exceeded() != c.exceeded {
			t.Errorf("%d holds met beside %d items referred: %v", c.met, c.referred, !c.exceeded)
		}
		resumes := p.Resumes()
		if resumes.IsZero() == c.exceeded {
			t.Errorf("%d of %d resumes at %v", c.met, c.referred, resumes)
		}
		if !c.exceeded {
			continue
		}
		// Just then as many have left the window as must.
		left := slices.DeleteFunc(times(c.met), func(at time.Time) bool { return !at.After(resumes.Add(-concert.ProbeWindow)) })
		if (concert.Probe{Met: left, Referred: c.referred}).Exceeded() || len(left) != p.Allowed() {
			t.Errorf("%d of %d: at %v still %d in the window", c.met, c.referred, resumes, len(left))
		}
	}
	alarm, e := concert.Probe{Met: times(21)}.Probed(northUnit, noon)
	ended, over := alarm.Resumed(noon.Add(time.Hour))
	if alarm.Met != 21 || alarm.Authority != northUnit || e.Kind != concert.EventHoldProbed || over.Kind != concert.EventHoldResumed || ended.EndedAt.IsZero() {
		t.Errorf("%+v %s, %+v %s", alarm, e.Kind, ended, over.Kind)
	}
}

func TestG07HolderLearnsWhoAskedAndNothingJudged(t *testing.T) {
	t.Parallel()
	h, it := placedHold(t), assessedItem(1)
	for _, kind := range []concert.AskedKind{concert.AskedDispatch, concert.AskedLate, concert.AskedOverride} {
		a, e := h.Asked(concert.House, it, kind, noon)
		if a.Authority != northUnit || a.Item != it.ID || a.Kind != kind || !a.At.Equal(noon) {
			t.Errorf("%s: %+v", kind, a)
		}
		want, subject := concert.EventHoldAsked, string(h.ID)
		if kind == concert.AskedLate {
			want, subject = concert.EventHoldLate, string(it.ID)
		}
		if e.Kind != want || e.Subject != subject || e.Sealed != nil {
			t.Errorf("%s: event %s about %s", kind, e.Kind, e.Subject)
		}
	}
}

// threatItem is a held item that ann assessed as a threat to life, with its assessment.
func threatItem() (concert.Item, concert.Assessment) {
	it, a := assessedItem(1), judgement()
	a.Severity = concert.SeverityThreat
	it.Status, it.Priority, it.Given, it.Version = concert.ItemHeld, 9, 1, 4
	return it, a
}

func TestG32OverrideTakesASecondPersonAndAThreatToLife(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		by     concert.Actor
		change func(*concert.Item, *concert.Assessment)
		reason string
		want   string
	}{
		{"an officer", officer("bob"), nil, ground, "role.missing"},
		{"a coordinator", person("cora", northUnit, "", concert.RoleCoordinator), nil, ground, "role.missing"},
		{"the house", concert.House, nil, ground, "role.missing"},
		{"another unit's reviewer", southern("sue", concert.RoleReviewer), nil, ground, "not_found"},
		{"its assessor", reviewer("ann"), nil, ground, "override.same_person"},
		{"no reason", reviewer("rex"), nil, "because", "override.reason"},
		{"a serious item", reviewer("rex"), func(_ *concert.Item, a *concert.Assessment) { a.Severity = concert.SeveritySerious }, ground, "override.severity"},
		{"urgent by the find alone", reviewer("rex"), func(_ *concert.Item, a *concert.Assessment) { a.Severity = concert.SeverityRoutine }, ground, "override.severity"},
		{"an older assessment", reviewer("rex"), func(_ *concert.Item, a *concert.Assessment) { a.ID = "older" }, ground, "override.severity"},
		{"not held", reviewer("rex"), func(it *concert.Item, _ *concert.Assessment) { it.Status = concert.ItemApproved }, ground, "item.move"},
		{"a reviewer", reviewer("rex"), nil, ground, ""},
	} {
		it, a := threatItem()
		if c.change != nil {
			c.change(&it, &a)
		}
		got, o, e, err := it.HoldOverridden(c.by, a, c.reason, noon)
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if err != nil {
			if got != it {
				t.Errorf("%s: refused, and yet %+v", c.name, got)
			}
			continue
		}
		if got.Status != concert.ItemApproved || !got.Overridden || !o.DueAt.Equal(noon.Add(48*time.Hour)) || o.By != "rex" || e.Kind != concert.EventItemHoldOverridden || e.Sealed == nil {
			t.Errorf("%s: %+v, %+v, %s", c.name, got, o, e.Kind)
		}
		if body, _ := json.Marshal(e.Body); bytes.Contains(body, []byte("EXERCISE")) {
			t.Errorf("the event's body holds the reason: %s", body)
		}
	}
}

func TestG32OverrideIsReviewedBySomebodyWithoutAPart(t *testing.T) {
	t.Parallel()
	it, a := threatItem()
	it, o, _, err := it.HoldOverridden(reviewer("rex"), a, ground, noon)
	if err != nil {
		t.Fatal(err)
	}
	approvals := []concert.Approval{{Assessment: it.Assessment, Reviewer: "roy"}}
	cora := person("cora", southUnit, "", concert.RoleCoordinator)
	for _, c := range []struct {
		name    string
		by      concert.Actor
		verdict concert.Verdict
		ground  string
		want    string
	}{
		{"who overrode", reviewer("rex"), concert.Justified, ground, "override.same_person"},
		{"who approved", reviewer("roy"), concert.Justified, ground, "override.same_person"},
		{"who assessed", reviewer("ann"), concert.Justified, ground, "override.same_person"},
		{"who overrode, as coordinator", person("rex", northUnit, "", concert.RoleCoordinator), concert.Justified, ground, "override.same_person"},
		{"another unit", southern("sue", concert.RoleReviewer), concert.Justified, ground, "not_found"},
		{"an officer", officer("bob"), concert.Justified, ground, "role.missing"},
		{"an auditor", person("aud", "", "", concert.RoleAuditor), concert.Justified, ground, "not_found"},
		{"no verdict", cora, "", ground, "override.verdict"},
		{"no ground", cora, concert.Justified, "fine", "override.reason"},
		{"a coordinator", cora, concert.Unjustified, ground, ""},
		{"a third reviewer", reviewer("ray"), concert.Justified, ground, ""},
	} {
		got, e, err := o.Reviewed(c.by, it, approvals, c.verdict, c.ground, noon.Add(time.Hour))
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if err == nil {
			if got.Verdict != c.verdict || got.Reviewer != c.by.Person || e.Body.(concert.ItemBody).Reason != string(c.verdict) || e.Sealed == nil {
				t.Errorf("%s: %+v, %+v", c.name, got, e)
			}
			if _, _, err := got.Reviewed(reviewer("ray"), it, approvals, concert.Justified, ground, noon); code(err) != "override.reviewed" {
				t.Errorf("%s: reviewed again: %v", c.name, err)
			}
		}
	}
	alarm, e := o.Unreviewed(it, o.DueAt)
	if alarm.Kind != concert.AlarmUnreviewed || alarm.Item != it.ID || e.Kind != concert.EventOverrideUnreviewed {
		t.Errorf("unreviewed: %+v, %s", alarm, e.Kind)
	}
	if !errors.Is(o.MayReview(concert.Actor{}, it, nil), concert.ErrNotFound) {
		t.Error("nobody may review")
	}
}
