package concert_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

const longGround = "EXERCISE: a written ground that is long enough."

// investigation is a case that ann leads and rex is a member of.
func investigation(t *testing.T) concert.Case {
	t.Helper()
	c, _, err := concert.Case{ID: "case", Ref: "CA-1", Title: "EXERCISE case", Mandate: mandate()}.Opened(officer("ann"), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []concert.Actor{reviewer("rex"), officer("bob")} {
		if c, _, err = c.MemberAdded(officer("ann"), colleague(who), noon); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func mandate() concert.Mandate {
	return concert.Mandate{Reference: "EXERCISE 2019/1", Issuer: "EXERCISE court", On: noon.AddDate(0, 0, -1), Until: noon.AddDate(5, 0, 0)}
}

func colleague(a concert.Actor) concert.Person {
	return concert.Person{ID: a.Person, Operator: a.Operator, Authority: a.Authority, Roles: a.Roles}
}

func TestCaseStandsOnAMandateAndIsItsMembersOwn(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]concert.Case{
		"case.title":    {Title: "x", Mandate: mandate()},
		"case.mandate":  {Title: "EXERCISE case", Mandate: concert.Mandate{Reference: "EXERCISE 1", Issuer: "EXERCISE court", On: noon, Until: noon}},
		"case.handling": {Title: "EXERCISE case", Mandate: mandate(), Handling: "H9"},
	} {
		if _, _, err := in.Opened(officer("ann"), noon); code(err) != name {
			t.Errorf("opened: %v, want %s", err, name)
		}
	}
	c := investigation(t)
	for who, by := range map[string]concert.Actor{"a colleague who was not let in": officer("eve"), "another authority": person("ann", southUnit, "", concert.RoleOfficer), "an administrator": person("adm", northUnit, "", concert.RoleAdministrator), "a provider": answerer(), "the house": concert.House} {
		if c.Member(by) || code(c.MayRead(by)) != "not_found" {
			t.Errorf("%s reads it", who)
		}
		if _, err := c.Added(by, openItem(), true, noon); code(err) != "not_found" {
			t.Errorf("%s adds to it: %v", who, err)
		}
	}
	if err := c.MayRead(person("u", "", "", concert.RoleAuditor)); err != nil {
		t.Errorf("an auditor: %v", err)
	}
	for want, p := range map[string]concert.Person{
		"another's": {ID: "sue", Authority: southUnit, Roles: []concert.Role{concert.RoleOfficer}}, "an administrator": {ID: "adm", Authority: northUnit, Roles: []concert.Role{concert.RoleAdministrator}},
		"somebody disabled": {ID: "old", Authority: northUnit, Roles: []concert.Role{concert.RoleOfficer}, DisabledAt: noon}, "a member": colleague(reviewer("rex")),
	} {
		if _, _, err := c.MemberAdded(officer("ann"), p, noon); code(err) != "case.member" {
			t.Errorf("%s becomes a member: %v", want, err)
		}
	}
	if _, _, err := c.MemberAdded(reviewer("rex"), colleague(officer("eve")), noon); code(err) != "case.lead" {
		t.Errorf("a member who does not lead lets people in: %v", err)
	}
	if _, _, err := c.MemberRemoved(officer("ann"), "ann", noon); code(err) != "case.member" {
		t.Errorf("the lead leaves: %v", err)
	}
	if _, _, err := c.Led(reviewer("rex"), colleague(officer("ann")), "rex", noon); code(err) != "case.lead" {
		t.Errorf("a member takes the lead: %v", err)
	}
	gone := colleague(officer("ann"))
	gone.DisabledAt = noon
	if next, _, err := c.Led(reviewer("rex"), gone, "rex", noon); err != nil || next.Lead != "rex" {
		t.Errorf("the lead is gone: %v", err)
	}
}

func TestNothingIsAddedToACaseThatMayNotGrow(t *testing.T) {
	t.Parallel()
	c := investigation(t)
	closed, _, err := c.Closed(officer("ann"), longGround, noon)
	if err != nil {
		t.Fatal(err)
	}
	short := c
	short.Mandate.Until = noon.Add(time.Hour)
	for want, x := range map[string]struct {
		c  concert.Case
		at time.Time
	}{"": {c, noon}, "case.closed": {closed, noon}, "case.mandate_over": {short, noon.Add(time.Hour)}, "case.review_overdue": {c, c.ReviewAt}} {
		_, err := x.c.Added(officer("ann"), openItem(), true, x.at)
		_, _, perr := x.c.PersonAdded(officer("ann"), subject(concert.SubjectWitness), x.at)
		if code(err) != want || code(perr) != want {
			t.Errorf("want %q: %v, %v", want, err, perr)
		}
	}
	if _, err := c.Added(officer("ann"), openItem(), false, noon); code(err) != "not_found" {
		t.Errorf("an item that the authority did not find: %v", err)
	}
}

func subject(category concert.DataSubject) concert.CasePerson {
	return concert.CasePerson{ID: "someone", Ref: "CP-1", Category: category, Name: "EXERCISE Nobody", Source: "EXERCISE statement", Evaluation: "B2", Ground: longGround}
}

func TestG21NobodyStandsInACaseWithoutACategory(t *testing.T) {
	t.Parallel()
	c := investigation(t)
	for want, change := range map[string]func(*concert.CasePerson){
		"case_person.category":   func(p *concert.CasePerson) { p.Category = "" },
		"case_person.ground":     func(p *concert.CasePerson) { p.Category, p.Ground = concert.SubjectSuspect, "too short here" },
		"case_person.evaluation": func(p *concert.CasePerson) { p.Evaluation = "" },
		"case_person.source":     func(p *concert.CasePerson) { p.Source = "" },
		"case_person.name":       func(p *concert.CasePerson) { p.Name = " " },
	} {
		p := subject(concert.SubjectWitness)
		change(&p)
		if _, _, err := c.PersonAdded(officer("ann"), p, noon); code(err) != want {
			t.Errorf("want %s: %v", want, err)
		}
	}
	if slices.Contains(concert.DataSubjects, concert.CasePerson{}.Category) {
		t.Error("a person who is nothing yet has a category")
	}
	for _, category := range concert.DataSubjects {
		p, e, err := c.PersonAdded(officer("ann"), subject(category), noon)
		b := e.Body.(concert.CaseBody)
		if err != nil || p.Category != category || b.Category != category || e.Subject != "someone" {
			t.Errorf("%s: %+v, %v", category, b, err)
		}
		if strings.Contains(string(must(concert.CanonicalJSON(e.Body))), "Nobody") {
			t.Error("the event's body names the person")
		}
	}
	p, _, err := c.PersonAdded(officer("ann"), subject(concert.SubjectSuspect), noon)
	if err != nil {
		t.Fatal(err)
	}
	p, e, err := c.PersonCategorised(reviewer("rex"), p, concert.SubjectWitness, longGround, noon)
	if b := e.Body.(concert.CaseBody); err != nil || b.From != concert.SubjectSuspect || p.Category != concert.SubjectWitness {
		t.Errorf("categorised anew: %+v, %v", b, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestG22CaseReviewFallsAfterThreeYearsAndErasesWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	c := investigation(t)
	if want := noon.AddDate(3, 0, 0); !c.ReviewAt.Equal(want) {
		t.Fatalf("review at %v, want %v", c.ReviewAt, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := noon.Add(time.Duration(rapid.Int64Range(0, int64(4*366*24*time.Hour)).Draw(t, "after")))
		due, erase, again := c.ReviewFell(at)
		overdue := !at.Before(c.ReviewAt)
		if erase != !at.Before(c.ReviewAt.Add(concert.CaseGrace)) || (due.Kind != "") != (overdue && !erase) || again.IsZero() != erase || !erase && !again.After(at) {
			t.Fatalf("at %v: due %q, erase %v, again %v", at, due.Kind, erase, again)
		}
	})
	if _, _, err := c.Reviewed(officer("ann"), longGround, noon); code(err) != "role.missing" {
		t.Errorf("an officer reviews: %v", err)
	}
	lead := c
	lead.Lead = "rex"
	if _, _, err := lead.Reviewed(reviewer("rex"), longGround, noon); code(err) != "case.same_person" {
		t.Errorf("the lead reviews: %v", err)
	}
	later := c.ReviewAt.AddDate(0, 0, 10)
	next, _, err := c.Reviewed(reviewer("rex"), longGround, later)
	if err != nil || !next.ReviewAt.Equal(later.AddDate(3, 0, 0)) {
		t.Errorf("reviewed: %v, next %v", err, next.ReviewAt)
	}
	p, _, err := c.PersonAdded(officer("ann"), subject(concert.SubjectVictim), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := next.PersonExpired(p, c.ReviewAt.Add(concert.CaseGrace)); code(err) != "erasure.term" {
		t.Errorf("erased although reviewed: %v", err)
	}
	if _, _, err := c.PersonErased(reviewer("rex"), p, noon); code(err) != "erasure.none" {
		t.Errorf("erased unasked: %v", err)
	}
	p, _, err = c.PersonErasureAsked(officer("bob"), p, concert.ErasureNotNeeded, longGround, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.PersonErased(officer("bob"), p, noon); code(err) != "erasure.same_person" {
		t.Errorf("one person erases: %v", err)
	}
	p, _, err = c.PersonErased(reviewer("rex"), p, noon)
	if err != nil || p.Name != "" || p.Source != "" || p.Ground != "" || p.EraseWhy != "" {
		t.Errorf("erased: %+v, %v", p, err)
	}
}

func TestIncidentRaisesWhatWaitsAndExplainsIt(t *testing.T) {
	t.Parallel()
	n, _, err := concert.Incident{ID: "n", Ref: "IN-1", Kind: concert.IncidentAttack, Name: " EXERCISE  attack ", Country: "XN", At: noon}.Declared(reviewer("rex"), noon)
	if err != nil || n.Name != "EXERCISE attack" {
		t.Fatal(n.Name, err)
	}
	for want, x := range map[string]concert.Incident{
		"incident.kind": {Kind: "x", Name: "EXERCISE", Country: "XN", At: noon}, "incident.name": {Kind: concert.IncidentClaim, Name: "x", Country: "XN", At: noon},
		"incident.country": {Kind: concert.IncidentClaim, Name: "EXERCISE", Country: "x", At: noon}, "incident.at": {Kind: concert.IncidentClaim, Name: "EXERCISE", Country: "XN", At: noon.Add(time.Hour)},
	} {
		if _, _, err := x.Declared(reviewer("rex"), noon); code(err) != want {
			t.Errorf("declared: %v, want %s", err, want)
		}
	}
	if _, _, err := n.Declared(officer("ann"), noon); code(err) != "role.missing" {
		t.Errorf("an officer declares: %v", err)
	}
	if _, _, err := n.Ended(person("s", southUnit, "", concert.RoleReviewer), noon); code(err) != "incident.authority" {
		t.Errorf("another authority's reviewer ends it: %v", err)
	}
	over, _, err := n.Ended(person("c", southUnit, "", concert.RoleCoordinator), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range concert.ItemStatuses {
		for stated := range 10 {
			it, e, err := n.Attached(officer("ann"), concert.Item{ID: "i", Ref: "IT-1", Status: status, Priority: stated}, true, noon)
			want := stated
			if it.Waits() {
				want = max(stated, concert.IncidentPriority)
			}
			if b := e.Body.(concert.IncidentBody); err != nil || it.Priority != want || b.From != stated || b.To != want {
				t.Errorf("%s with %d: %d, %+v, %v", status, stated, it.Priority, b, err)
			}
		}
	}
	if _, _, err := over.Attached(officer("ann"), openItem(), true, noon); code(err) != "incident.ended" {
		t.Errorf("attached to an ended one: %v", err)
	}
	for _, x := range []struct {
		stated   int
		severity concert.Severity
		of       []concert.Incident
		want     int
	}{{2, "", nil, 2}, {2, concert.SeverityRoutine, []concert.Incident{n}, 7}, {8, "", []concert.Incident{n}, 8}, {2, concert.SeveritySerious, []concert.Incident{over}, 5}, {2, concert.SeveritySerious, []concert.Incident{over, n}, 7}, {0, concert.SeverityThreat, []concert.Incident{n}, 9}, {0, concert.SeverityThreat, nil, 9}} {
		if got := (concert.PriorityFacts{Urgency: x.stated, Severity: []concert.Severity{x.severity}, Incident: concert.RaisedBy(x.of...)}).Priority(); got != x.want {
			t.Errorf("stated %d, %q, %d incidents: %d, want %d", x.stated, x.severity, len(x.of), got, x.want)
		}
	}
}

func TestWatchOfAPrivatePersonNeedsCaseGroundAndAnEnd(t *testing.T) {
	t.Parallel()
	c := investigation(t)
	sound := concert.Watch{ID: "w", Ref: "WA-1", Owner: concert.WatchPerson, Case: c.ID, Ground: longGround, Cadence: time.Hour, EndsAt: noon.Add(concert.WatchPersonTerm)}
	if _, _, err := sound.Placed(officer("ann"), c, noon); err != nil {
		t.Fatal(err)
	}
	closed, _, _ := c.Closed(officer("ann"), longGround, noon)
	for name, x := range map[string]struct {
		by     concert.Actor
		c      concert.Case
		change func(*concert.Watch)
		want   string
	}{
		"no case":         {officer("ann"), concert.Case{}, func(w *concert.Watch) { w.Case = "" }, "watch.private_person"},
		"no ground":       {officer("ann"), c, func(w *concert.Watch) { w.Ground = "short" }, "watch.private_person"},
		"no end":          {officer("ann"), c, func(w *concert.Watch) { w.EndsAt = time.Time{} }, "watch.private_person"},
		"no member":       {officer("eve"), c, func(*concert.Watch) {}, "not_found"},
		"a closed case":   {officer("ann"), closed, func(*concert.Watch) {}, "case.closed"},
		"owner left out":  {officer("ann"), c, func(w *concert.Watch) { w.Owner = "" }, "watch.owner"},
		"outlet left out": {officer("ann"), c, func(w *concert.Watch) { w.Owner = concert.WatchOutlet }, "watch.outlet"},
		"half an hour":    {officer("ann"), c, func(w *concert.Watch) { w.Cadence = 30 * time.Minute }, "watch.cadence"},
		"no officer":      {person("c", northUnit, "", concert.RoleCoordinator), c, func(*concert.Watch) {}, "role.missing"},
	} {
		w := sound
		x.change(&w)
		if _, _, err := w.Placed(x.by, x.c, noon); code(err) != x.want {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := sound
		ahead := time.Duration(rapid.Int64Range(-int64(10*24*time.Hour), int64(400*24*time.Hour)).Draw(t, "ahead"))
		w.EndsAt = noon.Add(ahead)
		w, _, err := w.Placed(officer("ann"), c, noon)
		if allowed := ahead > 0 && ahead <= 90*24*time.Hour; (err == nil) != allowed || !allowed && code(err) != "watch.private_person" {
			t.Fatalf("an end %v ahead: %v", ahead, err)
		}
		if err != nil {
			return
		}
		at := noon.Add(time.Duration(rapid.Int64Range(0, int64(200*24*time.Hour)).Draw(t, "looked")))
		if w.InForce(at) != at.Before(w.EndsAt) {
			t.Fatalf("ends %v, at %v in force %v", w.EndsAt, at, w.InForce(at))
		}
		if _, _, _, err := w.Claimed(officer("bob"), concert.Sweep{}, concert.Sweep{ID: "s"}, at); (code(err) == "watch.ended") == at.Before(w.EndsAt) {
			t.Fatalf("swept at %v with the end %v: %v", at, w.EndsAt, err)
		}
		if w.MaySee(officer("eve"), c) == nil || w.MaySee(officer("bob"), c) != nil || w.MaySee(person("s", southUnit, "", concert.RoleOfficer), c) == nil {
			t.Fatal("who sees it is wrong")
		}
	})
}

func TestSweepIsOnePersonsAtATime(t *testing.T) {
	t.Parallel()
	w, _, err := concert.Watch{ID: "w", Ref: "WA-1", Owner: concert.WatchOutlet, Outlet: listed, Cadence: 6 * time.Hour}.Placed(officer("ann"), concert.Case{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	w, s, _, err := w.Claimed(officer("ann"), concert.Sweep{}, concert.Sweep{ID: "s1", Ref: "SW-1"}, noon)
	if err != nil || w.Sweep != "s1" {
		t.Fatal(err)
	}
	for want, x := range map[string]struct {
		by concert.Actor
		at time.Time
	}{"watch.claimed": {officer("bob"), noon.Add(concert.SweepLease - 1)}, "watch.yours": {officer("ann"), noon.Add(2 * concert.SweepLease)}, "not_found": {person("s", southUnit, "", concert.RoleOfficer), noon}, "role.missing": {reviewer("rex"), noon}, "": {officer("bob"), noon.Add(concert.SweepLease)}} {
		if _, _, _, err := w.Claimed(x.by, s, concert.Sweep{ID: "s2"}, x.at); code(err) != want {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if _, _, _, err := w.Swept(officer("bob"), s, concert.SweepNone, noon); code(err) != "not_found" {
		t.Errorf("another finishes it: %v", err)
	}
	if _, _, _, err := w.Swept(officer("ann"), s, concert.SweepFound, noon); code(err) != "sweep.outcome" {
		t.Errorf("found, and nothing handed in: %v", err)
	}
	up, _, _, err := w.Swept(officer("ann"), s, concert.SweepGivenUp, noon.Add(time.Minute))
	if err != nil || !up.NextAt.Equal(noon) || up.Sweep != "" || !up.LastAt.IsZero() {
		t.Errorf("given up: %+v, %v", up, err)
	}
	s.Yield.New = 3
	next, done, e, err := w.Swept(officer("ann"), s, concert.SweepNone, noon.Add(time.Minute))
	if b := e.Body.(concert.WatchBody); err != nil || done.Outcome != concert.SweepFound || b.New != 3 || !next.NextAt.Equal(noon.Add(time.Minute+6*time.Hour)) {
		t.Errorf("swept: %+v, %v", b, err)
	}
}
