package concert_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
)

const digestOfSomething = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

var (
	caseLead     = concert.Actor{Person: "lead", Operator: "OP-1", Authority: "unit", Roles: []concert.Role{concert.RoleOfficer}}
	caseReviewer = concert.Actor{Person: "reviewer", Operator: "OP-2", Authority: "unit", Roles: []concert.Role{concert.RoleReviewer}}
	magistrate   = concert.Actor{Person: "magistrate", Operator: "OP-3", Authority: "court", Roles: []concert.Role{concert.RoleMagistrate}}
)

func anInvestigation(handling concert.Handling) concert.Case {
	return concert.Case{ID: "case", Ref: "CA-1", Authority: "unit", Lead: "lead", Members: []concert.PersonID{"lead", "reviewer"}, Handling: handling, Mandate: concert.Mandate{Until: noon.AddDate(1, 0, 0)}, ReviewAt: noon.AddDate(3, 0, 0)}
}

func record(n int64, act, key string) concert.CustodyRecord {
	return concert.CustodyRecord{N: n, At: noon, Act: act, Key: key, Line: digestOfSomething}
}

// An exhibit changes hands with a record at both ends, signed by two; whoever gave it writes nothing more.
func TestG25ExhibitChangesHandsWithTwoSignatures(t *testing.T) {
	t.Parallel()
	c := anInvestigation(concert.HandlingOpen)
	into := concert.Case{ID: "other", Ref: "CA-2", Authority: "abroad", Lead: "colleague", Members: []concert.PersonID{"colleague"}, Mandate: c.Mandate, ReviewAt: c.ReviewAt}
	colleague := concert.Actor{Person: "colleague", Authority: "abroad", Roles: []concert.Role{concert.RoleOfficer}}
	x, events, err := c.ExhibitAdded(caseLead, concert.Exhibit{ID: "x", Ref: "EX-1", Label: "EXERCISE server", Manifest: digestOfSomething}, []concert.CustodyRecord{record(1, concert.CustodySealed, "A"), record(2, concert.CustodyVerified, "A")}, noon)
	if err != nil || len(events) != 3 || x.Head.N != 2 {
		t.Fatalf("added: %v, %d events, head %+v", err, len(events), x.Head)
	}
	refusals := map[string]func() error{
		"exhibit.gap": func() error {
			_, _, err := x.CustodyAdded(caseLead, c, []concert.CustodyRecord{record(4, concert.CustodyVerified, "A")}, noon)
			return err
		},
		"exhibit.nothing_new": func() error { _, _, err := x.CustodyAdded(caseLead, c, nil, noon); return err },
		"exhibit.changes_hands": func() error {
			_, _, err := x.CustodyAdded(caseLead, c, []concert.CustodyRecord{record(3, concert.CustodyHanded, "A")}, noon)
			return err
		},
		"exhibit.custody": func() error {
			_, _, err := x.Handed(caseLead, c, concert.Authority{ID: "abroad"}, []concert.CustodyRecord{record(3, concert.CustodyHanded, "")}, noon)
			return err
		},
		"handling.blocked": func() error {
			_, _, err := x.Handed(caseLead, anInvestigation(concert.HandlingNotShared), concert.Authority{ID: "abroad"}, []concert.CustodyRecord{record(3, concert.CustodyHanded, "A")}, noon)
			return err
		},
		"not_found": func() error {
			_, _, err := x.Received(colleague, into, []concert.CustodyRecord{record(3, concert.CustodyReceived, "B")}, noon)
			return err
		},
	}
	for want, act := range refusals {
		if err := act(); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	handed, _, err := x.Handed(caseLead, c, concert.Authority{ID: "abroad"}, []concert.CustodyRecord{record(3, concert.CustodyHanded, "A")}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := handed.CustodyAdded(caseLead, c, []concert.CustodyRecord{record(4, concert.CustodyVerified, "A")}, noon); code(err) != "exhibit.on_its_way" {
		t.Errorf("whoever gave it goes on writing: %v", err)
	}
	if _, _, err := handed.Received(colleague, into, []concert.CustodyRecord{record(4, concert.CustodyReceived, "A")}, noon); code(err) != "exhibit.one_key" {
		t.Errorf("received with the giver's key: %v", err)
	}
	got, events, err := handed.Received(colleague, into, []concert.CustodyRecord{record(4, concert.CustodyReceived, "B")}, noon)
	if err != nil || got.Authority != "abroad" || got.Case != "other" || got.To != "" || events[0].Kind != concert.EventExhibitReceived {
		t.Errorf("received: %v, %+v", err, got)
	}
}

func fact(kind string) concert.SourceFact {
	return concert.SourceFact{Kind: kind, At: noon.Add(-time.Hour), File: "access.log", Offset: 10, Length: 20, Line: digestOfSomething, Rule: "EXERCISE", Evaluation: "A2"}
}

func ask(pseudonyms int, kinds ...string) concert.Reidentification {
	r := concert.Reidentification{ID: "r", Ref: "RI-1", Purpose: concert.ReidentifyProsecution, Selection: concert.SelectNamed, Instrument: concert.Instrument{Kind: concert.InstrumentCourt, Issuer: "EXERCISE court", Reference: "EXERCISE 1/26", Until: noon.AddDate(0, 1, 0)}}
	for i := range pseudonyms {
		s := concert.ReidentifySubject{Pseudonym: strings.Repeat("0", 30) + string("0123456789abcdef"[i/16]) + string("0123456789abcdef"[i%16]), Category: concert.SubjectSuspect, Ground: "EXERCISE: it uploaded two films"}
		for _, k := range kinds {
			s.Facts = append(s.Facts, fact(k))
		}
		r.Subjects = append(r.Subjects, s)
	}
	return r
}

// G34, G21: no visitor is opened by country, path or day, on page views, in a heap, or without a category; the refusal is recorded.
func TestG34VisitorsAreNotOpenedBySelectionOrOnPageViews(t *testing.T) {
	t.Parallel()
	c, x, court := anInvestigation(concert.HandlingOpen), concert.Exhibit{ID: "x", Case: "case", Authority: "unit"}, concert.Authority{ID: "court"}
	change := func(r concert.Reidentification, f func(*concert.Reidentification)) concert.Reidentification {
		f(&r)
		return r
	}
	for name, tc := range map[string]struct {
		r    concert.Reidentification
		code string
	}{
		"by country":       {change(ask(1, "upload"), func(r *concert.Reidentification) { r.Selection = concert.SelectCountry }), concert.ReidentifyBySelection},
		"by path":          {change(ask(0), func(r *concert.Reidentification) { r.Selection = concert.SelectPath }), concert.ReidentifyBySelection},
		"by day":           {change(ask(0), func(r *concert.Reidentification) { r.Selection = concert.SelectDay }), concert.ReidentifyBySelection},
		"all":              {change(ask(0), func(r *concert.Reidentification) { r.Selection = "" }), concert.ReidentifyBySelection},
		"too many":         {ask(21, "upload"), concert.ReidentifyTooMany},
		"page views":       {ask(2, "view", "download"), concert.ReidentifyOnViews},
		"no category":      {change(ask(1, "upload"), func(r *concert.Reidentification) { r.Subjects[0].Category = "" }), concert.ReidentifyVisitor},
		"a visitor":        {change(ask(1, "upload"), func(r *concert.Reidentification) { r.Subjects[0].Category = concert.SubjectVisitor }), concert.ReidentifyVisitor},
		"one of two views": {change(ask(2, "upload"), func(r *concert.Reidentification) { r.Subjects[1].Facts = []concert.SourceFact{fact("view")} }), concert.ReidentifyOnViews},
	} {
		r, e, err := c.ReidentificationAsked(caseLead, tc.r, x, court, noon)
		if err != nil || r.Status != concert.ReidentifyRefused || r.Code != tc.code || e.Kind != concert.EventReidentifyRefused {
			t.Errorf("%s: %v, %s %s, event %s", name, err, r.Status, r.Code, e.Kind)
		}
		if concert.ReidentifyNever(r.Code) == "" {
			t.Errorf("%s: nothing says why", name)
		}
	}
	for name, f := range map[string]func(*concert.Reidentification){
		"reidentify.purpose":   func(r *concert.Reidentification) { r.Purpose = "" },
		"instrument.kind":      func(r *concert.Reidentification) { r.Instrument.Kind = "" },
		"instrument.over":      func(r *concert.Reidentification) { r.Instrument.Until = noon },
		"reidentify.facts":     func(r *concert.Reidentification) { r.Subjects[0].Facts = nil },
		"reidentify.fact":      func(r *concert.Reidentification) { r.Subjects[0].Facts[0].Line = "" },
		"reidentify.ground":    func(r *concert.Reidentification) { r.Subjects[0].Ground = "because" },
		"reidentify.pseudonym": func(r *concert.Reidentification) { r.Subjects[0].Pseudonym = "192.0.2.1" },
		"reidentify.category":  func(r *concert.Reidentification) { r.Subjects[0].Category = concert.SubjectContact },
	} {
		if _, _, err := c.ReidentificationAsked(caseLead, change(ask(1, "upload"), f), x, court, noon); code(err) != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if slices.Contains(concert.SourceFactKinds, "view") || slices.Contains(concert.SourceFactKinds, "download") {
		t.Error("a page view counts as a fact")
	}
}

// P10: two people of different roles decide, never the one who asks; it is logged before it is shown, for a fortnight at most.
func TestG34APseudonymIsOpenedByTwoPeopleOfDifferentRoles(t *testing.T) {
	t.Parallel()
	c, x := anInvestigation(concert.HandlingOpen), concert.Exhibit{ID: "x", Case: "case", Authority: "unit"}
	r, _, err := c.ReidentificationAsked(caseLead, ask(1, "upload"), x, concert.Authority{ID: "court"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	both := concert.Actor{Person: "lead", Authority: "unit", Roles: []concert.Role{concert.RoleOfficer, concert.RoleReviewer}}
	if _, _, err := r.Confirmed(both, c, noon); code(err) != "reidentify.same_person" {
		t.Errorf("confirmed by the asker: %v", err)
	}
	if _, _, err := r.Authorised(magistrate, c, noon); code(err) != "reidentify.status" {
		t.Errorf("authorised before it was confirmed: %v", err)
	}
	if r, _, err = r.Confirmed(caseReviewer, c, noon); err != nil {
		t.Fatal(err)
	}
	for _, by := range []concert.Actor{caseReviewer, caseLead, {Person: "m2", Authority: "elsewhere", Roles: magistrate.Roles}} {
		if _, _, err := r.Authorised(by, c, noon); err == nil {
			t.Errorf("authorised by %v of %s", by.Roles, by.Authority)
		}
	}
	if _, _, err := r.ShareTaken(caseLead, c, "Ada", []byte("share"), noon); code(err) != "reidentify.status" {
		t.Errorf("a share before the magistrate decided: %v", err)
	}
	if r, _, err = r.Authorised(magistrate, c, noon); err != nil {
		t.Fatal(err)
	}
	if r, _, err = r.ShareTaken(caseLead, c, "Ada", []byte("share"), noon); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.ShareTaken(caseLead, c, "Ada", []byte("share"), noon); code(err) != "reidentify.share" {
		t.Errorf("one custodian counts twice: %v", err)
	}
	if _, _, err := r.Opened(caseLead, c, 2, noon); code(err) != "reidentify.shares" {
		t.Errorf("opened with one share: %v", err)
	}
	if r, _, err = r.ShareTaken(caseReviewer, c, "Ben", []byte("other"), noon); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Opened(caseReviewer, c, 2, noon); code(err) != "reidentify.reader" {
		t.Errorf("opened by another: %v", err)
	}
	if _, _, err := r.Opened(caseLead, c, 2, noon.Add(concert.ReidentifyOpen)); code(err) != "reidentify.over" {
		t.Errorf("opened after its fortnight: %v", err)
	}
	opened, e, err := r.Opened(caseLead, c, 2, noon)
	if err != nil || e.Kind != concert.EventReidentifyRevealed || opened.Revealed != 1 || !opened.SuspectBy(r.Subjects[0].Pseudonym) {
		t.Errorf("opened: %v, %+v", err, opened)
	}
	closed, _, err := opened.Closed(caseLead, c, noon)
	if err != nil || closed.Key != "" || closed.Shares != nil {
		t.Errorf("closed: %v, %+v", err, closed)
	}
	if _, _, err := closed.Opened(caseLead, c, 2, noon); code(err) != "reidentify.status" {
		t.Errorf("opened after its end: %v", err)
	}
	if err := concert.RolesOf([]concert.Role{concert.RoleMagistrate, concert.RoleOfficer}); code(err) != "person.magistrate_apart" {
		t.Errorf("a magistrate investigates: %v", err)
	}
}

// G21, G23, G34: what may leave for which state; outside the Union the default is refused.
func TestG34LeadsLeaveOnlyToWhomTheLawLets(t *testing.T) {
	t.Parallel()
	x := concert.Exhibit{ID: "x", Case: "case", Authority: "unit"}
	checked := concert.Transfer{Ground: concert.TransferSafeguards, Basis: "EXERCISE agreement of 2019, Art. 4", Torture: "EXERCISE: no risk found, sources listed", DeathPenalty: "EXERCISE: assurance of 1 June given", Persecution: "EXERCISE: none known, sources listed"}
	without := func(f func(*concert.Transfer)) concert.Transfer { c := checked; f(&c); return c }
	suspect := func(p string) bool { return p == "suspect" || p == "elsewhere" }
	released := func(p string) bool { return p == "elsewhere" }
	for name, tc := range map[string]struct {
		kind     concert.LeadRecipientKind
		state    string
		transfer concert.Transfer
		handling concert.Handling
		court    bool
		persons  []string
		code     string
	}{
		"in the Union":        {concert.LeadToPolice, "ES", concert.Transfer{}, "H0", false, nil, ""},
		"third country":       {concert.LeadToPolice, "ZZ", concert.Transfer{}, "H0", false, nil, concert.LeadThirdCountry},
		"no basis":            {concert.LeadToPolice, "ZZ", without(func(c *concert.Transfer) { c.Basis = "yes" }), "H0", false, nil, concert.LeadThirdCountry},
		"no adequacy":         {concert.LeadToPolice, "ZZ", without(func(c *concert.Transfer) { c.Ground = concert.TransferAdequacy }), "H0", false, nil, concert.LeadInadequate},
		"adequacy":            {concert.LeadToPolice, "GB", without(func(c *concert.Transfer) { c.Ground = concert.TransferAdequacy }), "H0", false, nil, ""},
		"no ground":           {concert.LeadToPolice, "ZZ", without(func(c *concert.Transfer) { c.Ground = "" }), "H0", false, nil, concert.LeadThirdCountry},
		"torture unchecked":   {concert.LeadToPolice, "ZZ", without(func(c *concert.Transfer) { c.Torture = "" }), "H0", false, nil, concert.LeadUnchecked},
		"death unchecked":     {concert.LeadToPolice, "ZZ", without(func(c *concert.Transfer) { c.DeathPenalty = "ok" }), "H0", false, nil, concert.LeadUnchecked},
		"persecution":         {concert.LeadToPolice, "ZZ", without(func(c *concert.Transfer) { c.Persecution = "" }), "H0", false, nil, concert.LeadUnchecked},
		"checked":             {concert.LeadToPolice, "ZZ", checked, "H0", false, nil, ""},
		"military":            {concert.LeadToMilitary, "ES", checked, "H0", false, nil, concert.LeadMilitary},
		"military abroad":     {concert.LeadToMilitary, "ZZ", checked, "H0", false, nil, concert.LeadMilitary},
		"intelligence":        {concert.LeadToIntelligence, "ES", checked, "H0", false, nil, concert.LeadIncompetent},
		"H2 stays":            {concert.LeadToPolice, "ES", checked, "H2", false, nil, concert.LeadHandling},
		"H3 stays":            {concert.LeadToPolice, "ES", checked, "H3", false, nil, concert.LeadHandling},
		"H1 to police":        {concert.LeadToPolice, "ES", checked, "H1", false, nil, ""},
		"H1 for a court":      {concert.LeadToPolice, "ES", checked, "H1", true, nil, concert.LeadHandling},
		"H1 to a court":       {concert.LeadToJudicial, "ES", checked, "H1", false, nil, concert.LeadHandling},
		"a suspect":           {concert.LeadToPolice, "ES", checked, "H0", false, []string{"suspect"}, ""},
		"a visitor":           {concert.LeadToPolice, "ES", checked, "H0", false, []string{"suspect", "visitor"}, concert.LeadVisitors},
		"released to another": {concert.LeadToPolice, "ES", checked, "H0", false, []string{"elsewhere"}, concert.LeadTwice},
	} {
		c := anInvestigation(tc.handling)
		l, e, err := c.LeadAsked(caseLead, concert.Lead{ID: "l", Ref: "LD-1", Recipient: concert.LeadRecipient{Name: "EXERCISE unit", Kind: tc.kind, State: tc.state}, Transfer: tc.transfer, ForCourt: tc.court, Persons: tc.persons}, x, suspect, released, noon)
		if err != nil || l.Code != tc.code || (l.Status == concert.LeadRefused) != (tc.code != "") || (e.Kind == concert.EventLeadRefused) != (tc.code != "") {
			t.Errorf("%s: %v, %s %q, %s", name, err, l.Status, l.Code, e.Kind)
		}
		if tc.code != "" {
			if concert.LeadRefusal(l.Code) == "" {
				t.Errorf("%s: nothing says why", name)
			}
			continue
		}
		if _, _, err := l.Released(concert.Actor{Person: "lead", Authority: "unit", Roles: []concert.Role{concert.RoleReviewer}}, c, digestOfSomething, noon); code(err) != "lead.same_person" {
			t.Errorf("%s: released by who asked: %v", name, err)
		}
		if _, _, err := l.Receipted(caseLead, c, digestOfSomething, noon); code(err) != "lead.status" {
			t.Errorf("%s: a receipt for what did not leave: %v", name, err)
		}
		out, _, err := l.Released(caseReviewer, c, digestOfSomething, noon)
		if err != nil || out.Status != concert.LeadReleased {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// G23: a case that came under another code since holds back what was asked for before.
func TestG23ALeadIsHeldToTheCodeOfTheDayItLeaves(t *testing.T) {
	t.Parallel()
	x := concert.Exhibit{ID: "x", Case: "case", Authority: "unit"}
	none := func(string) bool { return false }
	l, _, err := anInvestigation("H0").LeadAsked(caseLead, concert.Lead{ID: "l", Ref: "LD-1", Recipient: concert.LeadRecipient{Name: "EXERCISE court", Kind: concert.LeadToJudicial, State: "ES"}}, x, none, none, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []concert.Handling{"H1", "H2", "H3"} {
		if _, _, err := l.Released(caseReviewer, anInvestigation(h), digestOfSomething, noon); code(err) != "handling.blocked" {
			t.Errorf("released under %s: %v", h, err)
		}
	}
}
