package concert_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// code is a refusal's stable code, "" where nothing was refused.
func code(err error) string {
	var e *concert.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return "internal: " + err.Error()
	}
	return ""
}

func openItem() concert.Item {
	return concert.Item{ID: "item", Ref: "IT-1", Provider: videoHost, Outlet: listed, Authority: northUnit, Status: concert.ItemOpen, Guard: concert.Guard{Verdict: concert.GuardPass}, Needed: 1}
}

// assessedItem is an item that ann judged; needed is how many others must approve.
func assessedItem(needed int) concert.Item {
	it := openItem()
	it.Status, it.Assessment, it.Author, it.Assessor, it.Needed = concert.ItemAssessed, "assessment", northUnit, "ann", needed
	return it
}

func TestG01NothingTurnsAReferralIntoAnOrder(t *testing.T) {
	t.Parallel()
	order := regexp.MustCompile(`(?i)order|oblig|penalt|sanction|deadline|one.?hour|comply|enforce|legal_?basis`)
	var walk func(reflect.Type, string)
	walk = func(r reflect.Type, at string) {
		switch r.Kind() {
		case reflect.Slice, reflect.Pointer, reflect.Array:
			walk(r.Elem(), at)
		case reflect.Struct:
			for i := range r.NumMethod() {
				if m := r.Method(i); order.MatchString(m.Name) {
					t.Errorf("method %s of %s sounds like an order", m.Name, r)
				}
			}
			for i := range r.NumField() {
				f := r.Field(i)
				if order.MatchString(f.Name) || order.MatchString(f.Tag.Get("json")) {
					t.Errorf("%s.%s: field %q sounds like an order", at, f.Name, f.Tag.Get("json"))
				}
				if r.PkgPath() == "concert" {
					walk(f.Type, at+"."+f.Name)
				}
			}
		}
	}
	for _, v := range []any{concert.Referral{}, concert.ReferralPayload{}, concert.WebhookNotice{}, concert.Delivery{}, concert.ReferralBody{}} {
		walk(reflect.TypeOf(v), reflect.TypeOf(v).Name())
	}
	for _, c := range concert.AnswerCodes {
		if order.MatchString(string(c)) {
			t.Errorf("answer %s sounds like an order", c)
		}
	}
	for _, phrase := range []string{"not an order", "voluntary", "own terms", "Refusing has no consequence"} {
		if !strings.Contains(concert.VoluntaryNotice, phrase) {
			t.Errorf("the notice does not say %q: %s", phrase, concert.VoluntaryNotice)
		}
	}
	text, err := json.Marshal(concert.ReferralPayload{})
	if err != nil || !strings.Contains(string(text), `"voluntary":`) {
		t.Errorf("a payload may leave the notice out: %s, %v", text, err)
	}
}

// No function of the house takes a referral and gives an order, or the other way round, by name of its types.
func TestG01NoFunctionConvertsBetweenReferralAndOrder(t *testing.T) {
	t.Parallel()
	mentions := func(l *ast.FieldList, word string) bool {
		if l == nil {
			return false
		}
		return slices.ContainsFunc(l.List, func(f *ast.Field) bool { return strings.Contains(types.ExprString(f.Type), word) })
	}
	for _, s := range openRepository(t).written() {
		for _, d := range s.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for _, pair := range [][2]string{{"Referral", "Order"}, {"Order", "Referral"}} {
				if (mentions(fn.Recv, pair[0]) || mentions(fn.Type.Params, pair[0])) && mentions(fn.Type.Results, pair[1]) {
					t.Errorf("%s: %s makes an %s of a %s", s.path, fn.Name.Name, pair[1], pair[0])
				}
			}
		}
	}
}

func TestG03NobodyApprovesTheirOwnAssessment(t *testing.T) {
	t.Parallel()
	approve := concert.Approval{Decision: concert.Approve, Ground: ground}
	// The same person in another role later is the same person still.
	promoted := person("ann", northUnit, "", concert.RoleReviewer)
	if _, _, _, err := assessedItem(1).Decided(promoted, approve, nil, scopeList(), noon); code(err) != "approval.same_person" {
		t.Errorf("the author approves after a change of role: %v", err)
	}
	reject := concert.Approval{Decision: concert.Reject, Ground: ground}
	if _, _, _, err := assessedItem(1).Decided(promoted, reject, nil, scopeList(), noon); code(err) != "approval.same_person" {
		t.Errorf("the author rejects after a change of role: %v", err)
	}
	it, d, _, err := assessedItem(1).Decided(reviewer("rex"), approve, nil, scopeList(), noon)
	if err != nil || it.Status != concert.ItemApproved || d.Author != "ann" || d.Reviewer != "rex" {
		t.Errorf("a second person approves: %s, %+v, %v", it.Status, d, err)
	}
	for _, by := range []concert.Actor{officer("bob"), person("x", "", "", concert.RoleReviewer), person("c", northUnit, "", concert.RoleCoordinator), person("a", "", "", concert.RoleAdministrator), person("u", "", "", concert.RoleAuditor), answerer(), concert.House} {
		if _, _, _, err := assessedItem(1).Decided(by, approve, nil, scopeList(), noon); err == nil {
			t.Errorf("%v approves as %v", by.Person, by.Roles)
		}
	}
}

func TestG03SecondApprovalComesFromAThirdPerson(t *testing.T) {
	t.Parallel()
	approve := concert.Approval{Decision: concert.Approve, Ground: ground}
	it, first, e, err := assessedItem(2).Decided(reviewer("rex"), approve, nil, scopeList(), noon)
	if err != nil || it.Status != concert.ItemAssessed || it.Given != 1 || e.Kind != concert.EventItemSeconded {
		t.Fatalf("first of two: %s with %d, %s, %v", it.Status, it.Given, e.Kind, err)
	}
	if _, _, _, err := it.Decided(reviewer("rex"), approve, []concert.Approval{first}, scopeList(), noon); code(err) != "approval.same_reviewer" {
		t.Errorf("the same reviewer twice: %v", err)
	}
	if _, _, _, err := it.Decided(person("rex", northUnit, "", concert.RoleOfficer, concert.RoleReviewer), approve, []concert.Approval{first}, scopeList(), noon); code(err) != "approval.same_reviewer" {
		t.Errorf("the same reviewer twice, with one more role: %v", err)
	}
	if _, _, _, err := it.Decided(reviewer("roy"), concert.Approval{Decision: concert.Approve, Ground: "too short"}, []concert.Approval{first}, scopeList(), noon); code(err) != "approval.ground" {
		t.Errorf("a second approval without a written ground: %v", err)
	}
	it, _, e, err = it.Decided(reviewer("roy"), approve, []concert.Approval{first}, scopeList(), noon)
	if err != nil || it.Status != concert.ItemApproved || it.Given != 2 || e.Kind != concert.EventItemApproved {
		t.Errorf("second of two: %s with %d, %s, %v", it.Status, it.Given, e.Kind, err)
	}
}

func TestG03RolesThatMustBeApartExcludeEachOther(t *testing.T) {
	t.Parallel()
	for _, apart := range []concert.Role{concert.RoleAdministrator, concert.RoleAuditor} {
		for _, r := range concert.Roles {
			if r != apart && concert.RolesOf([]concert.Role{apart, r}) == nil {
				t.Errorf("one person is %s and %s", apart, r)
			}
		}
		alone := person("x", northUnit, videoHost, apart)
		for what, err := range map[string]error{"submit": alone.MaySubmit(), "approve": alone.MayApprove(), "answer": alone.MayAnswer(concert.Referral{Provider: videoHost})} {
			if err == nil {
				t.Errorf("%s may %s", apart, what)
			}
		}
	}
	if concert.RolesOf([]concert.Role{concert.RoleOfficer, concert.RoleProviderReader}) == nil || concert.RolesOf(nil) == nil || concert.RolesOf([]concert.Role{"king"}) == nil {
		t.Error("two sides of the table, no role, or an unknown one passes")
	}
	if err := concert.RolesOf([]concert.Role{concert.RoleOfficer, concert.RoleReviewer}); err != nil {
		t.Errorf("an officer who also reviews others' work: %v", err)
	}
}

func TestG04PurposeTestIsMandatoryAndExemptBlocks(t *testing.T) {
	t.Parallel()
	for _, purpose := range []concert.Purpose{"", "perhaps"} {
		a := judgement()
		a.Purpose = purpose
		if it, _, _, err := openItem().Assessed(officer("ann"), a, scopeList(), noon); code(err) != "assessment.purpose" || it.Status != concert.ItemOpen {
			t.Errorf("purpose %q: %s, %v", purpose, it.Status, err)
		}
	}
	a := judgement()
	a.Purpose = concert.PurposeExempt
	it, _, e, err := openItem().Assessed(officer("ann"), a, scopeList(), noon)
	if err != nil || it.Status != concert.ItemRejected || e.Kind != concert.EventItemExempt {
		t.Fatalf("exempt: %s, %s, %v", it.Status, e.Kind, err)
	}
	for _, m := range concert.ItemMoves {
		if next, err := it.Moved(m, noon); err == nil {
			t.Errorf("exempt material goes on to %s", next.Status)
		}
	}
	if _, _, _, err := it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve, Ground: ground}, nil, scopeList(), noon); err == nil {
		t.Error("exempt material is approved")
	}
}

func TestG24FactsAndJudgementAreApartAndEvaluated(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*concert.Assessment){
		"assessment.facts":      func(a *concert.Assessment) { a.Facts = " short " },
		"assessment.judgement":  func(a *concert.Assessment) { a.Facts, a.Judgement = a.Facts+a.Judgement, "" },
		"assessment.evaluation": func(a *concert.Assessment) { a.Evaluation = "" },
		"assessment.type":       func(a *concert.Assessment) { a.Type = "bad" },
		"assessment.language":   func(a *concert.Assessment) { a.Language = "" },
		"assessment.severity":   func(a *concert.Assessment) { a.Severity = "" },
		"assessment.mark":       func(a *concert.Assessment) { a.MarkWhere = "" },
		"assessment.outlet":     func(a *concert.Assessment) { a.Outlet = "" },
	} {
		a := judgement()
		change(&a)
		if _, _, _, err := openItem().Assessed(officer("ann"), a, scopeList(), noon); code(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, source := range "ABCXDEaZ " {
		for _, information := range "1234056x" {
			a := judgement()
			a.Evaluation = string(source) + string(information)
			_, _, _, err := openItem().Assessed(officer("ann"), a, scopeList(), noon)
			if known := strings.ContainsRune("ABCX", source) && strings.ContainsRune("1234", information); (err == nil) != known {
				t.Errorf("evaluation %q: %v", a.Evaluation, err)
			}
		}
	}
	// Apart when sealed, and apart again where the provider reads them.
	for _, c := range []struct {
		v    any
		want []string
	}{{concert.AssessmentText{Facts: "f", Judgement: "j"}, []string{`"facts":"f"`, `"judgement":"j"`}}, {concert.PayloadItem{Facts: "f", Reason: "j"}, []string{`"facts":"f"`, `"reason":"j"`}}} {
		text, err := json.Marshal(c.v)
		for _, w := range c.want {
			if err != nil || !strings.Contains(string(text), w) {
				t.Errorf("%s lacks %s (%v)", text, w, err)
			}
		}
	}
}

func TestUnbrandedContentNeedsASecondApproval(t *testing.T) {
	t.Parallel()
	a := judgement()
	a.Mark, a.MarkWhere, a.Unbranded = "", "", true
	it, _, _, err := openItem().Assessed(officer("ann"), a, scopeList(), noon)
	if err != nil || it.Needed != 2 {
		t.Errorf("unbranded: needs %d, %v", it.Needed, err)
	}
	raised := openItem()
	raised.Guard.Verdict = concert.GuardElevate
	it, _, _, err = raised.Assessed(officer("ann"), judgement(), scopeList(), noon)
	if err != nil || it.Needed != 2 {
		t.Errorf("a protected place: needs %d, %v", it.Needed, err)
	}
}

// furthest takes an item with this outlet as far as the rules let it.
func furthest(t *testing.T, list concert.ScopeList, o concert.OutletID) concert.ItemStatus {
	t.Helper()
	a := judgement()
	a.Outlet = o
	it, _, _, err := openItem().Assessed(officer("ann"), a, list, noon)
	if err != nil {
		t.Fatal(err)
	}
	if it.Status != concert.ItemAssessed {
		return it.Status
	}
	it, _, _, err = it.Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve}, nil, list, noon)
	if err != nil {
		t.Fatal(err)
	}
	return it.Status
}

func TestG38OnlyWhatStandsOnTheScopeListIsReferred(t *testing.T) {
	t.Parallel()
	entry := concert.ScopeEntry{Ref: "SC-1", ListedOn: noon.AddDate(-1, 0, 0), ConfirmedAt: noon.AddDate(-1, 0, 0)}
	unconfirmed, delisted, soon, future := entry, entry, entry, entry
	unconfirmed.ConfirmedAt = time.Time{}
	delisted.DelistedOn = noon.AddDate(0, 0, -1)
	soon.DelistedOn = noon.Add(time.Minute)
	future.ListedOn = noon.Add(time.Hour)
	outlet := func(id, parent concert.OutletID) concert.Outlet {
		return concert.Outlet{ID: id, Name: "EXERCISE " + string(id), Parent: parent}
	}
	for name, c := range map[string]struct {
		outlets []concert.Outlet
		on      concert.OutletID
		entries []concert.ScopeEntry
		covered bool
	}{
		"listed":                     {[]concert.Outlet{outlet("o", "")}, "o", []concert.ScopeEntry{entry}, true},
		"not confirmed":              {[]concert.Outlet{outlet("o", "")}, "o", []concert.ScopeEntry{unconfirmed}, false},
		"delisted yesterday":         {[]concert.Outlet{outlet("o", "")}, "o", []concert.ScopeEntry{delisted}, false},
		"delisted soon":              {[]concert.Outlet{outlet("o", "")}, "o", []concert.ScopeEntry{soon}, true},
		"listed later":               {[]concert.Outlet{outlet("o", "")}, "o", []concert.ScopeEntry{future}, false},
		"delisted and listed anew":   {[]concert.Outlet{outlet("o", "")}, "o", []concert.ScopeEntry{delisted, entry}, true},
		"parent listed":              {[]concert.Outlet{outlet("o", "p"), outlet("p", "")}, "p", []concert.ScopeEntry{entry}, true},
		"parent's parent listed":     {[]concert.Outlet{outlet("o", "p"), outlet("p", "q"), outlet("q", "")}, "q", []concert.ScopeEntry{entry}, true},
		"only a child listed":        {[]concert.Outlet{outlet("o", ""), outlet("c", "o")}, "c", []concert.ScopeEntry{entry}, false},
		"own invented outlet":        {[]concert.Outlet{outlet("o", "")}, "other", []concert.ScopeEntry{entry}, false},
		"nobody knows the outlet":    {nil, "other", []concert.ScopeEntry{entry}, false},
		"parents in a circle":        {[]concert.Outlet{outlet("o", "p"), outlet("p", "o")}, "other", []concert.ScopeEntry{entry}, false},
		"own parent":                 {[]concert.Outlet{outlet("o", "o")}, "other", []concert.ScopeEntry{entry}, false},
		"circle with a listed house": {[]concert.Outlet{outlet("o", "p"), outlet("p", "o")}, "p", []concert.ScopeEntry{entry}, true},
	} {
		list := concert.ScopeList{Outlets: map[concert.OutletID]concert.Outlet{}, Entries: map[concert.OutletID][]concert.ScopeEntry{c.on: c.entries}}
		for _, o := range c.outlets {
			list.Outlets[o.ID] = o
		}
		want := concert.ItemOutOfScope
		if c.covered {
			want = concert.ItemApproved
		}
		if got := furthest(t, list, "o"); got != want {
			t.Errorf("%s: the item comes as far as %s, want %s", name, got, want)
		}
	}
	// Delisted between the assessment and the approval: nothing is approved.
	it, d, e, err := assessedItem(1).Decided(reviewer("rex"), concert.Approval{Decision: concert.Approve}, nil, concert.ScopeList{}, noon)
	if err != nil || it.Status != concert.ItemOutOfScope || d.Reviewer != "" || e.Kind != concert.EventItemUnscoped {
		t.Errorf("delisted before the approval: %s, %+v, %s, %v", it.Status, d, e.Kind, err)
	}
}

func TestG38ScopeEntryNeedsACitationAndTwoPeople(t *testing.T) {
	t.Parallel()
	chair := person("chair", "", "", concert.RoleCoordinator)
	sound := concert.ScopeEntry{LegalAct: "EXERCISE act", Authority: "EXERCISE Council", Citation: "EXERCISE L 1", ListedOn: noon.AddDate(-1, 0, 0)}
	for name, change := range map[string]func(*concert.ScopeEntry){
		"legal act": func(e *concert.ScopeEntry) { e.LegalAct = "" }, "authority": func(e *concert.ScopeEntry) { e.Authority = " " },
		"citation": func(e *concert.ScopeEntry) { e.Citation = "?" }, "date": func(e *concert.ScopeEntry) { e.ListedOn = time.Time{} }, "future": func(e *concert.ScopeEntry) { e.ListedOn = noon.Add(1) },
	} {
		e := sound
		change(&e)
		if _, err := e.Proposed(chair, noon); err == nil {
			t.Errorf("an entry without a sound %s is proposed", name)
		}
	}
	if _, err := sound.Proposed(officer("ann"), noon); err == nil {
		t.Error("an officer proposes a scope entry")
	}
	e, err := sound.Proposed(chair, noon)
	if err != nil || e.InForce(noon) {
		t.Fatalf("proposed: in force %v, %v", e.InForce(noon), err)
	}
	if _, err := e.Confirmed(person("chair", northUnit, "", concert.RoleReviewer), noon); code(err) != "scope.same_person" {
		t.Errorf("the proposer confirms in another role: %v", err)
	}
	if e, err = e.Confirmed(reviewer("rex"), noon); err != nil || !e.InForce(noon) {
		t.Fatalf("confirmed: in force %v, %v", e.InForce(noon), err)
	}
	if _, err := e.Confirmed(reviewer("roy"), noon); code(err) != "scope.confirmed" {
		t.Errorf("confirmed twice: %v", err)
	}
	if e, err = e.Delisted(chair, noon, noon); err != nil || e.InForce(noon) || !e.InForce(noon.Add(-1)) {
		t.Errorf("delisted: %v", err)
	}
}

func TestG27NoPathFromAScoreToDispatchWithoutAnApproval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		it := openItem()
		it.Status = rapid.SampledFrom(concert.ItemStatuses).Draw(t, "status")
		it.Priority = rapid.IntRange(0, 1_000_000).Draw(t, "priority")
		it.Author, it.Needed, it.Given = northUnit, rapid.IntRange(0, 3).Draw(t, "needed"), rapid.IntRange(0, 3).Draw(t, "given")
		_, _, _, err := concert.Referred(concert.Referral{ID: "r", Provider: videoHost, Author: northUnit}, []concert.Item{it}, noon)
		if may := it.Status == concert.ItemApproved && it.Given >= it.Needed; (err == nil) != may {
			t.Fatalf("%s at priority %d with %d of %d approvals: %v", it.Status, it.Priority, it.Given, it.Needed, err)
		}
	})
	for priority := range 10 {
		it := assessedItem(1)
		it.Priority = priority
		for name, act := range map[string]func() (concert.Item, error){
			"decide": func() (concert.Item, error) {
				it, _, _, err := it.Decided(concert.House, concert.Approval{Decision: concert.Approve, Ground: ground}, nil, scopeList(), noon)
				return it, err
			},
			"assess": func() (concert.Item, error) {
				it, _, _, err := openItem().Assessed(concert.House, judgement(), scopeList(), noon)
				return it, err
			},
			"find": func() (concert.Item, error) {
				it, _, err := concert.Found(concert.House, openItem(), noon)
				return it, err
			},
		} {
			if next, err := act(); err == nil {
				t.Errorf("the house itself may %s at priority %d: %s", name, priority, next.Status)
			}
		}
	}
}

func TestG27AutomationIsDisclosedInEveryReferral(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(concert.ReferralPayload{})
	if err != nil || !strings.Contains(string(text), `"automation":{"automated_detection":false,"automated_decision":false}`) {
		t.Errorf("a payload does not disclose automation: %s, %v", text, err)
	}
	for _, s := range openRepository(t).written() {
		if s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || !strings.HasSuffix(types.ExprString(lit.Type), "PayloadMachine") {
				return true
			}
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); !ok || types.ExprString(kv.Key) == "Decision" {
					t.Errorf("%s: a machine's decision is set; no machine decides", s.path)
				}
			}
			return true
		})
	}
}

func TestG08DuplicateJoinsWithSharedCredit(t *testing.T) {
	t.Parallel()
	it, _, err := concert.Found(officer("ann"), openItem(), noon)
	if err != nil {
		t.Fatal(err)
	}
	sue := person("sue", southUnit, "", concert.RoleOfficer)
	s, e, err := it.Joined(sue, noon)
	b, ok := e.Body.(concert.ItemBody)
	if err != nil || s.Authority != southUnit || s.Item != it.ID || !ok || b.Authority != southUnit || b.From != nil || b.To != nil {
		t.Errorf("joined: %+v, %+v, %v", s, e, err)
	}
	if _, _, err := it.Joined(answerer(), noon); err == nil {
		t.Error("a provider joins as a finder")
	}
	it = assessedItem(1)
	it.Status, it.Given = concert.ItemApproved, 1
	r := concert.Referral{ID: "r", Provider: videoHost, Author: northUnit}
	_, moved, _, err := concert.Referred(r, []concert.Item{it}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := concert.Referred(r, moved, noon); code(err) != "item.move" {
		t.Errorf("one item is referred twice: %v", err)
	}
}

func TestReferralIsForOneProviderByOneAuthor(t *testing.T) {
	t.Parallel()
	it := assessedItem(1)
	it.Status, it.Given = concert.ItemApproved, 1
	r := concert.Referral{ID: "r", Provider: videoHost, Author: northUnit}
	other, foreign := it, it
	other.Provider, foreign.Author = audioHost, southUnit
	for name, items := range map[string][]concert.Item{"none": nil, "too many": slices.Repeat([]concert.Item{it}, concert.ReferralItems+1), "other provider": {it, other}, "other author": {it, foreign}} {
		if _, _, _, err := concert.Referred(r, items, noon); err == nil {
			t.Errorf("a referral with %s items is made", name)
		}
	}
	if r, items, events, err := concert.Referred(r, slices.Repeat([]concert.Item{it}, concert.ReferralItems), noon); err != nil || len(items) != concert.ReferralItems || len(events) != concert.ReferralItems+1 || r.Items != concert.ReferralItems {
		t.Errorf("a full referral: %d items, %d events, %v", len(items), len(events), err)
	}
}

func TestG16RemedyIsTheAuthorsAndSaysWhy(t *testing.T) {
	t.Parallel()
	it := assessedItem(1)
	it.Status, it.Given, it.Referral = concert.ItemReferred, 1, "r"
	for name, c := range map[string]struct {
		by   concert.Actor
		m    concert.Remedy
		code string
	}{
		"other unit":  {person("sue", southUnit, "", concert.RoleOfficer), concert.Remedy{Kind: concert.RemedyWithdrawal, Reason: ground}, "remedy.author"},
		"provider":    {answerer(), concert.Remedy{Kind: concert.RemedyWithdrawal, Reason: ground}, "role.missing"},
		"no reason":   {officer("bob"), concert.Remedy{Kind: concert.RemedyWithdrawal, Reason: "short"}, "remedy.reason"},
		"other kind":  {officer("bob"), concert.Remedy{Kind: "threat", Reason: ground}, "remedy.kind"},
		"sound":       {officer("bob"), concert.Remedy{Kind: concert.RemedyWithdrawal, Reason: ground}, ""},
		"a reviewer":  {reviewer("rex"), concert.Remedy{Kind: concert.RemedyCorrection, Reason: ground}, ""},
		"the house":   {concert.House, concert.Remedy{Kind: concert.RemedyWithdrawal, Reason: ground}, "role.missing"},
		"coordinator": {person("c", northUnit, "", concert.RoleCoordinator), concert.Remedy{Kind: concert.RemedyWithdrawal, Reason: ground}, "role.missing"},
	} {
		if _, _, _, err := it.Remedied(c.by, c.m, noon); code(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
	out, m, e, err := it.Remedied(officer("bob"), concert.Remedy{Ref: "RM", Kind: concert.RemedyWithdrawal, Reason: ground}, noon)
	if err != nil || out.Status != concert.ItemWithdrawn || m.Referral != "r" || e.Body.(concert.ItemBody).Reason != "" || e.Sealed != (concert.GroundText{Ground: ground}) {
		t.Errorf("withdrawn: %s, %+v, %+v, %v", out.Status, m, e, err)
	}
	it.Referral, it.Status = "", concert.ItemApproved
	if _, _, _, err := it.Remedied(officer("bob"), concert.Remedy{Kind: concert.RemedyCorrection, Reason: ground}, noon); code(err) != "remedy.not_sent" {
		t.Errorf("what never went out is corrected: %v", err)
	}
}

func TestG19ReadingNeedsSomebodyAndAnAuditorAJustification(t *testing.T) {
	t.Parallel()
	if err := (concert.Scope{}).Check(); code(err) != "scope.nobody" {
		t.Errorf("the zero scope: %v", err)
	}
	auditor := person("aud", "", "", concert.RoleAuditor)
	for _, why := range []string{"", "because"} {
		if s, err := concert.NewScope(auditor, why); code(err) != "scope.justification" || s.Check() == nil {
			t.Errorf("an auditor reads for %q: %v", why, err)
		}
	}
	s, err := concert.NewScope(auditor, "EXERCISE audit of the day")
	if err != nil || s.Check() != nil || s.Justification() != "EXERCISE audit of the day" || s.Actor().Person != "aud" {
		t.Errorf("an auditor with a justification: %+v, %v", s, err)
	}
	if s, err := concert.NewScope(officer("ann"), ""); err != nil || code(s.Justified()) != "scope.justification" {
		t.Errorf("an officer reads numbers without a reason, and nothing sealed: %v, %v", err, s.Justified())
	}
	for why, want := range map[string]string{"123456789": "scope.justification", "1234567890": "", " 1 2\n3 4\t": "scope.justification", "\u00e9\u00e9\u00e9\u00e9\u00e9": "scope.justification", strings.Repeat("\u00e9", 500): "", strings.Repeat("x", 501): "scope.justification_long"} {
		s, err := concert.NewScope(officer("ann"), why)
		if err == nil {
			err = s.Justified()
		}
		if code(err) != want {
			t.Errorf("%.20q: %v, want %q", why, err, want)
		}
	}
	s, err = concert.NewScope(concert.Actor{Person: "pat", Provider: videoHost, Roles: []concert.Role{concert.RoleProviderReader}}, "")
	if _, recorded := s.Consulted(concert.ConsultedBody{}, noon); err != nil || s.Justified() != nil || recorded {
		t.Errorf("a provider's person: %v, %v, recorded %t", err, s.Justified(), recorded)
	}
	s, err = concert.NewScope(officer("ann"), " EXERCISE  why\nthis ")
	e, recorded := s.Consulted(concert.ConsultedBody{What: concert.ReadOneItem, Ref: "IT-1"}, noon)
	body, _ := json.Marshal(e.Body)
	if err != nil || !recorded || e.Subject != string(officer("ann").Person) || e.Version != 2 || e.Sealed != (concert.GroundText{Ground: "EXERCISE why this"}) || strings.Contains(string(body), "EXERCISE") {
		t.Errorf("recorded as %+v with %s, %v", e, body, err)
	}
}

func TestProvidersReadOnlyWhatIsAddressedToThem(t *testing.T) {
	t.Parallel()
	r := concert.Referral{Provider: videoHost, Author: northUnit}
	for name, c := range map[string]struct {
		by           concert.Actor
		read, answer string
	}{
		"answerer":       {answerer(), "", ""},
		"reader":         {person("r", "", videoHost, concert.RoleProviderReader), "", "role.missing"},
		"other provider": {person("o", "", audioHost, concert.RoleProviderAnswerer), "not_found", "not_found"},
		"administrator":  {person("a", "", "", concert.RoleAdministrator), "not_found", "not_found"},
		"auditor":        {person("u", "", "", concert.RoleAuditor), "", "not_found"},
		"its author":     {officer("ann"), "", "not_found"},
		"other officer":  {person("s", southUnit, "", concert.RoleOfficer), "not_found", "not_found"},
		"other unit":     {person("sue", southUnit, "", concert.RoleOfficer), "not_found", "not_found"},
		"house":          {concert.House, "not_found", "not_found"},
	} {
		if got := code(c.by.MayRead(r)); got != c.read {
			t.Errorf("%s reads: %q, want %q", name, got, c.read)
		}
		if got := code(c.by.MayAnswer(r)); got != c.answer {
			t.Errorf("%s answers: %q, want %q", name, got, c.answer)
		}
	}
}

func TestG29ObservationSaysWhatWhenAndFromWhere(t *testing.T) {
	t.Parallel()
	referred := assessedItem(1)
	referred.Status, referred.Given, referred.Referral, referred.Claimed = concert.ItemReferred, 1, "r", ""
	// A claim alone closes nothing.
	claimed, _, _, _, err := referred.ItemAnswered(answerer(), concert.Referral{Provider: videoHost}, concert.Answer{Code: concert.AnswerRemoved}, noon)
	if err != nil || claimed.Status != concert.ItemAnswered || claimed.Observed != concert.ObservedNot {
		t.Errorf("after the claim: %s, seen %q, %v", claimed.Status, claimed.Observed, err)
	}
	for state, want := range map[concert.Observed]concert.ItemStatus{concert.ObservedDown: concert.ItemClosed, concert.ObservedUp: concert.ItemStillUp, concert.ObservedPartial: concert.ItemAnswered, concert.ObservedUnknown: concert.ItemAnswered} {
		it, c, e, err := claimed.Rechecked(concert.House, concert.Recheck{State: state, Vantage: "EXERCISE"}, noon)
		b := e.Body.(concert.ItemBody)
		if err != nil || it.Status != want || it.Observed != state || !c.At.Equal(noon) || b.Vantage != "EXERCISE" || b.To.Seen != state {
			t.Errorf("seen %s: %s, %+v, %v", state, it.Status, b, err)
		}
	}
	for name, c := range map[string]concert.Recheck{"no vantage": {State: concert.ObservedDown, Vantage: " "}, "no state": {Vantage: "EXERCISE"}, "other state": {State: "gone", Vantage: "EXERCISE"}} {
		if _, _, _, err := claimed.Rechecked(concert.House, c, noon); err == nil {
			t.Errorf("an observation with %s is kept", name)
		}
	}
	if _, _, _, err := claimed.Rechecked(answerer(), concert.Recheck{State: concert.ObservedDown, Vantage: "EXERCISE"}, noon); err == nil {
		t.Error("a provider observes for us")
	}
	closed, _, _, err := claimed.Rechecked(concert.House, concert.Recheck{State: concert.ObservedDown, Vantage: "EXERCISE"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if back, _, _, err := closed.Rechecked(concert.House, concert.Recheck{State: concert.ObservedUp, Vantage: "EXERCISE"}, noon); err != nil || back.Status != concert.ItemReturned || !back.SeenDown {
		t.Errorf("down, then up: %s, %v", back.Status, err)
	}
}

func TestHoldStopsOthersUntilItEnds(t *testing.T) {
	t.Parallel()
	h, _, err := concert.Hold{ID: "h", Ref: "HO-1", Place: [32]byte{1}, Contact: "EXERCISE desk"}.Placed(officer("ann"), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		author concert.AuthorityID
		at     time.Time
		stands bool
	}{{southUnit, noon, true}, {northUnit, noon, false}, {southUnit, noon.Add(concert.HoldTerm - 1), true}, {southUnit, noon.Add(concert.HoldTerm), false}} {
		if h.Stands(c.author, c.at) != c.stands {
			t.Errorf("against %s at %s: %v", c.author, c.at, !c.stands)
		}
	}
	if _, _, err := h.Released(person("sue", southUnit, "", concert.RoleOfficer), "EXERCISE reason", noon); !errors.Is(err, concert.ErrNotFound) {
		t.Errorf("another unit releases it: %v", err)
	}
	released, _, err := h.Released(officer("bob"), "EXERCISE reason", noon)
	if err != nil || released.Stands(southUnit, noon) {
		t.Errorf("released: %v", err)
	}
	if _, _, err := released.Released(officer("bob"), "EXERCISE reason", noon); code(err) != "hold.released" {
		t.Errorf("released twice: %v", err)
	}
}

func TestPhasesGoOneStepOnOrBack(t *testing.T) {
	t.Parallel()
	chair := person("chair", "", "", concert.RoleCoordinator)
	for i, from := range concert.Phases {
		for j, to := range concert.Phases {
			_, _, err := concert.Action{Phase: from}.Phased(chair, to, noon)
			if may := from != concert.PhaseClose && i != j && j <= i+1; (err == nil) != may {
				t.Errorf("%s to %s: %v", from, to, err)
			}
		}
	}
	if _, _, err := (concert.Action{Phase: concert.PhasePrepare}).Phased(officer("ann"), concert.PhaseCollect, noon); err == nil {
		t.Error("an officer moves an action")
	}
}

// The function alone does not make an authority the one that scrutinises, nor does the copy without the function.
func TestG13OnlyTheAuthorityWithTheCopyScrutinises(t *testing.T) {
	t.Parallel()
	o := concert.Order{Ref: "RO-EXERCISE", Copied: "ireland"}
	has := concert.OrderOffice{Functions: []concert.Function{concert.FunctionScrutinise}}
	for _, c := range []struct {
		name      string
		authority concert.AuthorityID
		office    concert.OrderOffice
		role      concert.Role
		want      string
	}{
		{"its judge", "ireland", has, concert.RoleIssuer, ""},
		{"another authority's judge", "spain", has, concert.RoleIssuer, "order.scrutiny_function"},
		{"nobody's judge", "", has, concert.RoleIssuer, "order.scrutiny_function"},
		{"without the function", "ireland", concert.OrderOffice{}, concert.RoleIssuer, "order.scrutiny_function"},
		{"without the role", "ireland", has, concert.RoleOfficer, "role.missing"},
	} {
		err := o.MayScrutinise(concert.Actor{Person: "p", Authority: c.authority, Roles: []concert.Role{c.role}}, c.office, concert.RoleIssuer)
		var e *concert.Error
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &e) || e.Code != c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
