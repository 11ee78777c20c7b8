package concert_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// noon is the moment at which the rules are asked; walks go on from there.
var noon = time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	northUnit = concert.AuthorityID("north")
	southUnit = concert.AuthorityID("south")
	videoHost = concert.ProviderID("video")
	audioHost = concert.ProviderID("audio")
	listed    = concert.OutletID("listed")
	unlisted  = concert.OutletID("unlisted")
)

func person(id string, a concert.AuthorityID, p concert.ProviderID, roles ...concert.Role) concert.Actor {
	return concert.Actor{Person: concert.PersonID(id), Operator: "OP-" + id, Authority: a, Provider: p, Roles: roles, Languages: []string{"ar", "en", "fr"}}
}

func officer(id string) concert.Actor  { return person(id, northUnit, "", concert.RoleOfficer) }
func reviewer(id string) concert.Actor { return person(id, northUnit, "", concert.RoleReviewer) }
func answerer() concert.Actor          { return person("answerer", "", videoHost, concert.RoleProviderAnswerer) }

// scopeList holds one outlet in force and one that stands on no entry.
func scopeList() concert.ScopeList {
	return concert.ScopeList{
		Outlets: map[concert.OutletID]concert.Outlet{listed: {ID: listed, Name: "EXERCISE Listed"}, unlisted: {ID: unlisted, Name: "EXERCISE Unlisted"}},
		Entries: map[concert.OutletID][]concert.ScopeEntry{listed: {{Ref: "SC-1", Outlet: listed, ListedOn: noon.AddDate(-1, 0, 0), ConfirmedAt: noon.AddDate(-1, 0, 0)}}},
	}
}

func judgement() concert.Assessment {
	return concert.Assessment{ID: "assessment", Type: concert.Incites, Purpose: concert.PurposeNone, Outlet: listed, Mark: "EXERCISE logo", MarkWhere: "top right", Language: "ar",
		Severity: concert.SeverityRoutine, Evaluation: "A1", Facts: "EXERCISE: what is to be seen.", Judgement: "EXERCISE: why it incites.", Capture: seenOf("item", noon)}
}

// seenOf is a capture of an item by the northern unit.
func seenOf(id concert.ItemID, at time.Time) concert.Capture {
	return concert.Capture{ID: "capture", Ref: "CP-1", Item: id, Authority: northUnit, Person: "ann", Kind: concert.CapturePage, MediaType: "text/html", Size: 1, SHA256: "00", SeenAt: at, AddedAt: at}
}

const ground = "EXERCISE: a written ground that is long enough."

// walk is a small house without memory or network: a few items under the rules alone, with every event they made.
type walk struct {
	t         *rapid.T
	now       time.Time
	items     []concert.Item
	approvals map[concert.AssessmentID][]concert.Approval
	referrals map[concert.ReferralID]concert.Referral
	seen      map[concert.ItemID]map[concert.AuthorityID]bool
	refused   map[concert.ItemID]bool
	withdrawn map[concert.ItemID]bool
	looks     []concert.SecondLook
	events    []concert.Event
	n         int
}

func newWalk(t *rapid.T) *walk {
	return &walk{t: t, now: noon, approvals: map[concert.AssessmentID][]concert.Approval{}, referrals: map[concert.ReferralID]concert.Referral{},
		seen: map[concert.ItemID]map[concert.AuthorityID]bool{}, refused: map[concert.ItemID]bool{}, withdrawn: map[concert.ItemID]bool{}}
}

func (w *walk) id(kind string) string {
	w.n++
	return fmt.Sprintf("%s-%d", kind, w.n)
}

// anyone is one of the people, with whatever role; mostly one of those who fit.
func (w *walk) anyone(fit ...concert.Actor) concert.Actor {
	if rapid.IntRange(0, 4).Draw(w.t, "misfit") > 0 {
		return rapid.SampledFrom(fit).Draw(w.t, "who")
	}
	people := []concert.Actor{officer("ann"), officer("bob"), reviewer("rex"), reviewer("roy"), person("sue", southUnit, "", concert.RoleOfficer, concert.RoleReviewer), person("two", northUnit, "", concert.RoleOfficer, concert.RoleReviewer),
		answerer(), person("audio", "", audioHost, concert.RoleProviderAnswerer), person("adm", "", "", concert.RoleAdministrator), person("aud", "", "", concert.RoleAuditor), concert.House}
	return rapid.SampledFrom(people).Draw(w.t, "who")
}

// done keeps what a rule allowed.
func (w *walk) done(i int, it concert.Item, err error, events ...concert.Event) {
	if err != nil {
		return
	}
	w.items[i] = it
	w.events = append(w.events, events...)
	w.refused[it.ID] = w.refused[it.ID] || it.Status == concert.ItemRefused
	w.withdrawn[it.ID] = w.withdrawn[it.ID] || it.Status == concert.ItemWithdrawn
}

func (w *walk) find() {
	verdict := rapid.SampledFrom([]concert.GuardVerdict{concert.GuardPass, concert.GuardPass, concert.GuardPass, concert.GuardElevate, concert.GuardStop}).Draw(w.t, "guard")
	it := concert.Item{ID: concert.ItemID(w.id("item")), Provider: videoHost, Priority: rapid.IntRange(0, 9).Draw(w.t, "priority"), Guard: concert.Guard{Verdict: verdict},
		Action: rapid.SampledFrom([]concert.ActionID{"", "action"}).Draw(w.t, "action")}
	it.Ref = "IT-" + string(it.ID)
	by := w.anyone(officer("ann"), officer("bob"))
	it, e, err := concert.Found(by, it, w.now)
	if err != nil {
		return
	}
	w.items = append(w.items, it)
	w.seen[it.ID] = map[concert.AuthorityID]bool{by.Authority: true}
	w.events = append(w.events, e)
}

func (w *walk) join(i int) {
	by, it := w.anyone(person("sue", southUnit, "", concert.RoleOfficer)), w.items[i]
	if w.seen[it.ID][by.Authority] {
		return
	}
	if _, e, err := it.Joined(by, w.now); err == nil {
		w.seen[it.ID][by.Authority] = true
		w.events = append(w.events, e)
	}
}

func (w *walk) assess(i int) {
	a := judgement()
	a.ID = concert.AssessmentID(w.id("assessment"))
	a.Capture = seenOf(w.items[i].ID, w.now)
	a.Outlet = rapid.SampledFrom([]concert.OutletID{listed, listed, listed, unlisted}).Draw(w.t, "outlet")
	a.Unbranded = rapid.IntRange(0, 4).Draw(w.t, "unbranded") == 0
	a.Severity = rapid.SampledFrom([]concert.Severity{concert.SeverityRoutine, concert.SeveritySerious, concert.SeverityThreat}).Draw(w.t, "severity")
	if rapid.IntRange(0, 5).Draw(w.t, "exempt") == 0 {
		a.Purpose = concert.PurposeExempt
	}
	it, _, e, err := w.items[i].Assessed(w.anyone(officer("ann"), officer("bob")), a, scopeList(), w.now)
	w.done(i, it, err, e)
}

func (w *walk) decide(i int) {
	d := concert.Approval{Decision: rapid.SampledFrom([]concert.Decision{concert.Approve, concert.Approve, concert.Approve, concert.Reject}).Draw(w.t, "decision"), Ground: ground, Draw: [32]byte{byte(rapid.SampledFrom([]int{0, 0, 200}).Draw(w.t, "lot")), 1}}
	before := w.items[i]
	it, d, e, err := before.Decided(w.anyone(reviewer("rex"), reviewer("roy"), reviewer("ray")), d, w.approvals[before.Assessment], scopeList(), w.now)
	if err == nil && d.Reviewer != "" {
		w.approvals[d.Assessment] = append(w.approvals[d.Assessment], d)
	}
	if err == nil && d.Drawn {
		w.looks = append(w.looks, concert.SecondLook{Item: it.ID, Assessment: d.Assessment})
	}
	w.done(i, it, err, e)
}

// lookAgain gives one of the second looks that were drawn, by whoever may.
func (w *walk) lookAgain() {
	if len(w.looks) == 0 {
		return
	}
	j := rapid.IntRange(0, len(w.looks)-1).Draw(w.t, "drawn")
	l := w.looks[j]
	l.Verdict, l.Type, l.Note = rapid.SampledFrom([]concert.LookVerdict{concert.LookAgree, concert.LookDisagree}).Draw(w.t, "verdict"), concert.Incites, ground
	for _, it := range w.items {
		if it.ID != l.Item {
			continue
		}
		c := concert.Circle{Knowing: []concert.PersonID{it.Assessor}, Reviewers: []concert.PersonID{"rex", "roy", "ray"}}
		if l, e, err := l.Looked(w.anyone(reviewer("rex"), reviewer("roy"), reviewer("ray")), it, c, w.now); err == nil {
			w.looks[j] = l
			w.events = append(w.events, e)
		}
	}
}

func (w *walk) refer(i int) {
	it := w.items[i]
	r := concert.Referral{ID: concert.ReferralID(w.id("referral")), Ref: "RF", Provider: it.Provider, Author: it.Author, Action: it.Action}
	r, moved, events, err := concert.Referred(r, []concert.Item{it}, w.now)
	if err != nil {
		return
	}
	w.sentRightly(it)
	w.referrals[r.ID] = r
	w.done(i, moved[0], nil, events...)
}

// sentRightly fails when what goes out was not approved by as many different people as it needs, none of them its author.
func (w *walk) sentRightly(it concert.Item) {
	people := map[concert.PersonID]bool{}
	for _, d := range w.approvals[it.Assessment] {
		if d.Decision == concert.Approve && d.Reviewer != it.Assessor {
			people[d.Reviewer] = true
		}
	}
	if len(people) < it.Needed || it.Needed < 1 {
		w.t.Fatalf("item %s leaves with %d of %d approvals", it.Ref, len(people), it.Needed)
	}
	if w.refused[it.ID] || w.withdrawn[it.ID] {
		w.t.Fatalf("item %s leaves again after it was refused or withdrawn", it.Ref)
	}
}

func (w *walk) answer(i int) {
	it := w.items[i]
	r := w.referrals[it.Referral]
	a := concert.Answer{Code: rapid.SampledFrom(concert.AnswerCodes).Draw(w.t, "answer"), Countries: []string{"XN"}}
	next, _, e, changed, err := it.ItemAnswered(w.anyone(answerer()), r, a, w.now)
	if err == nil && changed {
		w.done(i, next, nil, e)
	}
}

func (w *walk) look(i int) {
	c := concert.Recheck{State: rapid.SampledFrom(concert.ObservedStates).Draw(w.t, "state"), Vantage: "EXERCISE"}
	it, _, e, err := w.items[i].Rechecked(rapid.SampledFrom([]concert.Actor{concert.House, officer("ann"), answerer()}).Draw(w.t, "eye"), c, w.now)
	w.done(i, it, err, e)
}

func (w *walk) remedy(i int) {
	kind := rapid.SampledFrom([]concert.RemedyKind{concert.RemedyCorrection, concert.RemedyCorrection, concert.RemedyWithdrawal}).Draw(w.t, "remedy")
	it, _, e, err := w.items[i].Remedied(w.anyone(officer("ann"), reviewer("rex")), concert.Remedy{Kind: kind, Reason: ground}, w.now)
	w.done(i, it, err, e)
}

func (w *walk) remind(i int) {
	r, ok := w.referrals[w.items[i].Referral]
	if !ok || !r.MayRemind(w.items[i]) {
		return
	}
	if w.refused[w.items[i].ID] || w.withdrawn[w.items[i].ID] {
		w.t.Fatalf("item %s is reminded of after it was refused or withdrawn", w.items[i].Ref)
	}
	if it := w.items[i]; it.Claimed.Final() {
		w.t.Fatalf("item %s is reminded of, but its provider said %s", it.Ref, it.Claimed)
	}
	r, e := r.Reminded(1, w.now)
	w.referrals[r.ID], w.events = r, append(w.events, e)
}

// lead takes two items to their referral the straight way, so that the walk has something to go on with.
func (w *walk) lead() {
	for range 2 {
		it := concert.Item{ID: concert.ItemID(w.id("item")), Provider: videoHost, Guard: concert.Guard{Verdict: concert.GuardPass}}
		it.Ref = "IT-" + string(it.ID)
		it, e, err := concert.Found(officer("ann"), it, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		i := len(w.items)
		w.items, w.events = append(w.items, it), append(w.events, e)
		w.seen[it.ID] = map[concert.AuthorityID]bool{northUnit: true}
		a := judgement()
		a.ID = concert.AssessmentID(w.id("assessment"))
		a.Capture = seenOf(it.ID, w.now)
		it, _, e, err = it.Assessed(officer("ann"), a, scopeList(), w.now)
		w.done(i, it, err, e)
		it, d, e, err := it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve}, nil, scopeList(), w.now)
		w.approvals[a.ID] = []concert.Approval{d}
		w.done(i, it, err, e)
		w.refer(i)
		if w.items[i].Referral == "" {
			w.t.Fatalf("item %s was not referred: %s, %v", it.Ref, it.Status, err)
		}
	}
}

// step does one random thing to one random item.
func (w *walk) step() {
	w.now = w.now.Add(time.Minute)
	if len(w.items) == 0 || len(w.items) < 4 && rapid.IntRange(0, 9).Draw(w.t, "new") == 0 {
		w.find()
		return
	}
	i := rapid.IntRange(0, len(w.items)-1).Draw(w.t, "item")
	switch rapid.SampledFrom([]string{"join", "assess", "assess", "decide", "decide", "decide", "refer", "refer", "hold", "release", "override", "unscope", "answer", "answer", "look", "look again", "look again", "look again", "remedy", "remind"}).Draw(w.t, "act") {
	case "join":
		w.join(i)
	case "assess":
		w.assess(i)
	case "decide":
		w.decide(i)
	case "refer":
		w.refer(i)
	case "hold":
		it, e, err := w.items[i].Held(concert.Hold{Ref: "HO"}, w.now)
		w.done(i, it, err, e)
	case "release":
		it, e, err := w.items[i].Released(concert.House, w.now)
		w.done(i, it, err, e)
	case "override":
		it := w.items[i]
		it.Priority = 9
		it, _, e, err := it.HoldOverridden(w.anyone(reviewer("rex"), reviewer("roy")), concert.Assessment{ID: it.Assessment, Severity: concert.SeverityThreat}, ground, w.now)
		w.done(i, it, err, e)
	case "unscope":
		if rapid.IntRange(0, 9).Draw(w.t, "delisted") == 0 {
			it, e, err := w.items[i].Unscoped(concert.House, w.now)
			w.done(i, it, err, e)
		}
	case "answer":
		w.answer(i)
	case "look":
		w.look(i)
	case "look again":
		w.lookAgain()
	case "remedy":
		w.remedy(i)
	case "remind":
		w.remind(i)
	}
}
