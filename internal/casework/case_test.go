package casework_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

const someone = "EXERCISE Nobody Inparticular"

// opened is a case that the first northern officer leads, with the first reviewer and the second officer as members.
func opened(h *testkit.House, t *testing.T) concert.Case {
	t.Helper()
	now := h.Now()
	c, err := h.OpenCase(t.Context(), h.North.Officers[0], concert.Case{Title: "EXERCISE secret title", Mandate: concert.Mandate{Reference: "EXERCISE file 7", Issuer: "EXERCISE court", On: now.AddDate(0, 0, -1), Until: now.AddDate(6, 0, 0)}})
	testkit.Must(t, err)
	for _, who := range []concert.Actor{h.North.Reviewers[0], h.North.Officers[1]} {
		c, err = h.AddCaseMember(t.Context(), h.North.Officers[0], c.Ref, c.Version, who.Operator)
		testkit.Must(t, err)
	}
	return c
}

func caseView(h *testkit.House, t *testing.T, by concert.Actor, ref string) casework.CaseView {
	t.Helper()
	v, err := h.ReadCase(t.Context(), testkit.Scope(t, by), ref, "")
	testkit.Must(t, err)
	return v
}

func aPerson(category concert.DataSubject) concert.CasePerson {
	return concert.CasePerson{Category: category, Name: someone, Source: "EXERCISE statement 3", Evaluation: "B2", Ground: ground}
}

func TestCaseIsReadByItsMembersAloneAndEachReadingIsRecorded(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		c := opened(h, t)
		items := h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))
		south := h.Submit(h.South.Officers[0], testkit.Page(3))
		out, err := h.AddToCase(ctx, h.North.Officers[1], c.Ref, []string{items[0].Ref, items[1].Ref, south[0].Ref, items[0].Ref})
		if err != nil || outcomes(out) != "added added not_found not_found" {
			t.Fatalf("added: %s, %v", outcomes(out), err)
		}
		other := opened(h, t)
		if out, err := h.AddToCase(ctx, h.North.Officers[0], other.Ref, []string{items[0].Ref}); err != nil || outcomes(out) != "added" {
			t.Errorf("an item in a second case: %s, %v", outcomes(out), err)
		}
		before := casesRead(h, t)
		v := caseView(h, t, h.North.Reviewers[0], c.Ref)
		if v.Title != "EXERCISE secret title" || len(v.Items) != 2 || v.ItemCount != 2 || len(v.Members) != 3 || len(v.Timeline) < 5 || v.Mandate.Issuer != "EXERCISE court" {
			t.Errorf("a member sees %q, %d items, %d members, %d moments", v.Title, len(v.Items), len(v.Members), len(v.Timeline))
		}
		if n := casesRead(h, t); n != before+1 {
			t.Errorf("%d readings recorded", n-before)
		}
		if v := caseView(h, t, h.Auditor, c.Ref); v.Title == "" {
			t.Error("an auditor reads no title")
		}
		if _, err := h.ReadCase(ctx, mute(t, h.North.Reviewers[0]), c.Ref, ""); code(err) != "scope.justification" {
			t.Errorf("read without a justification: %v", err)
		}
		for _, by := range []concert.Actor{h.North.Reviewers[1], h.South.Officers[0], h.South.Reviewers[0], h.Coordinator, h.Admin, h.Answerer} {
			if _, err := h.ReadCase(ctx, testkit.Scope(t, by), c.Ref, ""); code(err) != "not_found" {
				t.Errorf("%v reads: %v", by.Roles, err)
			}
			if _, err := h.AddToCase(ctx, by, c.Ref, []string{items[0].Ref}); code(err) != "not_found" {
				t.Errorf("%v adds: %v", by.Roles, err)
			}
			if _, err := h.AddCasePerson(ctx, by, c.Ref, aPerson(concert.SubjectWitness)); code(err) != "not_found" {
				t.Errorf("%v adds a person: %v", by.Roles, err)
			}
			if cs, err := h.SearchCases(ctx, testkit.Scope(t, by), concert.CaseSearch{}, "", concert.Page{Limit: 10}); len(cs.Rows) != 0 || err != nil && code(err) != "role.missing" {
				t.Errorf("%v lists %d, %v", by.Roles, len(cs.Rows), err)
			}
		}
		// On the item only members learn of it.
		for by, want := range map[*concert.Actor]int{&h.North.Officers[0]: 2, &h.North.Reviewers[1]: 0, &h.Coordinator: 0, &h.Auditor: 2} {
			v, err := h.ReadItem(ctx, testkit.Scope(t, *by), items[0].Ref)
			if err != nil || len(v.Cases) != want {
				t.Errorf("%v sees %d cases of the item, %v, want %d", by.Roles, len(v.Cases), err, want)
			}
		}
		if _, err := h.RemoveFromCase(ctx, h.North.Officers[0], c.Ref, []string{items[1].Ref}, "short"); err != nil {
			t.Fatal(err)
		}
		if out, err := h.RemoveFromCase(ctx, h.North.Officers[0], c.Ref, []string{items[1].Ref, south[0].Ref}, "EXERCISE not about this case"); err != nil || outcomes(out) != "removed not_found" {
			t.Errorf("removed: %s, %v", outcomes(out), err)
		}
		c = caseView(h, t, h.North.Officers[0], c.Ref).Case
		if c, err = h.LeadCase(ctx, h.North.Officers[0], c.Ref, c.Version, h.North.Reviewers[0].Operator); err != nil {
			t.Fatal(err)
		}
		if c, err = h.RemoveCaseMember(ctx, h.North.Reviewers[0], c.Ref, c.Version, h.North.Officers[1].Operator); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ReadCase(ctx, testkit.Scope(t, h.North.Officers[1]), c.Ref, ""); code(err) != "not_found" {
			t.Errorf("read after having been taken out: %v", err)
		}
		if _, err := h.CloseCase(ctx, h.North.Reviewers[0], c.Ref, c.Version-1, ground); code(err) != "stale" {
			t.Errorf("closed with an old version: %v", err)
		}
		if _, err := h.CloseCase(ctx, h.North.Reviewers[0], c.Ref, c.Version, ground); err != nil {
			t.Error(err)
		}
		if out, err := h.AddToCase(ctx, h.North.Officers[0], c.Ref, []string{items[1].Ref}); err != nil || outcomes(out) != "case.closed" {
			t.Errorf("added to a closed case: %s, %v", outcomes(out), err)
		}
	})
}

// mute is a question without a justification.
func mute(t *testing.T, by concert.Actor) concert.Scope {
	t.Helper()
	s, err := concert.NewScope(by, "")
	testkit.Must(t, err)
	return s
}

// casesRead counts the readings of single cases in the log.
func casesRead(h *testkit.House, t *testing.T) int {
	t.Helper()
	var n int
	testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM event WHERE kind = 'consulted' AND body LIKE '%\"what\":\"case\"%'").Scan(&n))
	return n
}

func TestG21TablesRefuseAPersonWithoutACategory(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		c := opened(h, t)
		p := aPerson("")
		if _, err := h.AddCasePerson(ctx, h.North.Officers[0], c.Ref, p); code(err) != "case_person.category" {
			t.Errorf("without a category: %v", err)
		}
		raw := testkit.Raw(t, h.Service)
		for _, category := range []string{"", "person", "suspected"} {
			_, err := raw.Exec(fmt.Sprintf("INSERT INTO case_person (id, ref, case_id, category, evaluation, added_by, added_at, erase_code, asked_by, asked_at, erased_by, erased_at, version) VALUES ('x', 'x', '%s', '%s', 'A1', 'x', 1, '', '', 0, '', 0, 1)", c.ID, category))
			if err == nil {
				t.Errorf("the table takes the category %q", category)
			}
		}
		for _, category := range concert.DataSubjects {
			got, err := h.AddCasePerson(ctx, h.North.Officers[0], c.Ref, aPerson(category))
			if err != nil || got.Category != category {
				t.Errorf("%s: %v", category, err)
			}
		}
		v := caseView(h, t, h.North.Officers[0], c.Ref)
		if len(v.Persons) != len(concert.DataSubjects) || v.Persons[0].Name != someone {
			t.Fatalf("%d persons: %+v", len(v.Persons), v.Persons[0])
		}
		first := v.Persons[0]
		first, err := h.CategoriseCasePerson(ctx, h.North.Reviewers[0], c.Ref, first.Ref, first.Version, concert.SubjectOther, ground)
		if err != nil || first.Category != concert.SubjectOther {
			t.Errorf("categorised anew: %v", err)
		}
		// Nothing of a person stands in the clear, whatever table one looks into.
		if where := found(h, t, someone, "EXERCISE statement 3", "EXERCISE secret title", "EXERCISE file 7"); where != "" {
			t.Errorf("in the clear: %s", where)
		}
		// Two people erase one.
		first, err = h.AskCasePersonErasure(ctx, h.North.Officers[1], c.Ref, first.Ref, first.Version, concert.ErasureMistaken, ground)
		testkit.Must(t, err)
		if _, err := h.EraseCasePerson(ctx, h.North.Officers[1], c.Ref, first.Ref, first.Version); code(err) != "erasure.same_person" {
			t.Errorf("one person erases: %v", err)
		}
		_, err = h.EraseCasePerson(ctx, h.North.Reviewers[0], c.Ref, first.Ref, first.Version)
		testkit.Must(t, err)
		var keys int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM subject_key WHERE subject = '"+string(first.ID)+"'").Scan(&keys))
		if got := caseView(h, t, h.North.Officers[0], c.Ref).Persons[0]; keys != 0 || got.Name != "" || got.ErasedAt.IsZero() || got.EraseCode != concert.ErasureMistaken {
			t.Errorf("erased: %d keys, %+v", keys, got)
		}
	})
}

// found says in which table a text stands in the clear, "" for nowhere.
func found(h *testkit.House, t *testing.T, texts ...string) string {
	t.Helper()
	var dump bytes.Buffer
	testkit.Must(t, dumpTables(t, h, &dump))
	for _, text := range texts {
		for line := range strings.SplitSeq(dump.String(), "\n") {
			if strings.Contains(line, text) {
				return text + " in " + line[:min(len(line), 60)]
			}
		}
	}
	return ""
}

func dumpTables(t *testing.T, h *testkit.House, w *bytes.Buffer) error {
	raw := testkit.Raw(t, h.Service)
	for _, table := range []string{"case_file", "case_member", "case_thing", "case_person", "incident", "incident_item", "watch", "sweep", "sweep_item", "translation", "exhibit", "exhibit_vault", "reidentification", "lead", "analysis", "analysis_report", "event", "person"} {
		rows, err := raw.Query("SELECT * FROM " + table)
		if err != nil {
			return err
		}
		cols, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			vals := make([]any, len(cols))
			for i := range vals {
				vals[i] = new(any)
			}
			if err := rows.Scan(vals...); err != nil {
				return err
			}
			for i, v := range vals {
				fmt.Fprintf(w, "%s.%s %s\n", table, cols[i], textOf(*v.(*any)))
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}

func textOf(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func TestG22CaseReviewFallsDueByClockAndErasesItsPersons(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		kept, left := opened(h, t), opened(h, t)
		table, _ := testkit.Pseudonyms(t)
		seizure := testkit.Seal(t)
		for _, c := range []concert.Case{kept, left} {
			_, err := h.AddCasePerson(ctx, h.North.Officers[0], c.Ref, aPerson(concert.SubjectContact))
			testkit.Must(t, err)
			x, err := h.AddExhibit(ctx, h.North.Officers[0], c.Ref, "EXERCISE server", seizure.Files(t))
			testkit.Must(t, err)
			_, err = h.KeepPseudonyms(ctx, h.North.Officers[0], x.Ref, table)
			testkit.Must(t, err)
			_, err = h.AskReidentification(ctx, h.North.Officers[0], c.Ref, x.Ref, h.North.Authority.Ref, askFor(h, testkit.AddressPseudonym, "upload"))
			testkit.Must(t, err)
			_, err = h.AskLead(ctx, h.North.Officers[0], c.Ref, x.Ref, concert.Lead{Recipient: concert.LeadRecipient{Name: "EXERCISE recipient", Kind: concert.LeadToPolice, State: "ES"}})
			testkit.Must(t, err)
		}
		testkit.Run(t, h.Service)
		h.StopClockAt(day.AddDate(3, 0, 1))
		for _, c := range []concert.Case{kept, left} {
			testkit.Await(t, "the review is due", func() bool { return happened(h, t, concert.EventCaseReviewDue, string(c.ID)) })
			if _, err := h.AddCasePerson(ctx, h.North.Officers[0], c.Ref, aPerson(concert.SubjectOther)); code(err) != "case.review_overdue" {
				t.Errorf("added after the review was due: %v", err)
			}
		}
		v := caseView(h, t, h.North.Reviewers[0], kept.Ref)
		if !v.Soon || v.Persons[0].Name != someone {
			t.Errorf("overdue: %v, %q", v.Soon, v.Persons[0].Name)
		}
		if _, err := h.ReviewCase(ctx, h.North.Reviewers[0], kept.Ref, v.Version, ground); err != nil {
			t.Fatal(err)
		}
		h.StopClockAt(day.AddDate(3, 0, 1).Add(concert.CaseGrace))
		testkit.Await(t, "the person is erased", func() bool { return !caseView(h, t, h.North.Officers[0], left.Ref).Persons[0].ErasedAt.IsZero() })
		p := caseView(h, t, h.North.Officers[0], left.Ref).Persons[0]
		if p.Name != "" || p.EraseCode != concert.ErasureUnreviewed || p.Category != concert.SubjectContact {
			t.Errorf("erased by clock: %+v", p)
		}
		if p := caseView(h, t, h.North.Officers[0], kept.Ref).Persons[0]; p.Name != someone {
			t.Errorf("the reviewed case lost its person: %+v", p)
		}
		if _, err := h.AddCasePerson(ctx, h.North.Officers[0], kept.Ref, aPerson(concert.SubjectOther)); err != nil {
			t.Errorf("added after the review: %v", err)
		}
		for _, c := range []struct {
			concert.Case
			stays bool
		}{{kept, true}, {left, false}} {
			v, err := h.ReadCaseEvidence(ctx, testkit.Scope(t, h.North.Officers[0]), c.Ref)
			testkit.Must(t, err)
			x, err := h.ReadExhibit(ctx, testkit.Scope(t, h.North.Officers[0]), v.Exhibits[0].Ref)
			testkit.Must(t, err)
			if there := []bool{len(v.Requests[0].Subjects) == 1, v.Leads[0].Recipient.Name != "", x.Needed == 2}; there[0] != c.stays || there[1] != c.stays || there[2] != c.stays {
				t.Errorf("kept %v: subjects, recipient and table are there: %v", c.stays, there)
			}
			for _, kind := range []concert.EventKind{concert.EventReidentifyErased, concert.EventLeadErased, concert.EventVaultErased} {
				subject := map[concert.EventKind]string{concert.EventReidentifyErased: string(v.Requests[0].ID), concert.EventLeadErased: string(v.Leads[0].ID), concert.EventVaultErased: string(x.ID)}[kind]
				if happened(h, t, kind, subject) == c.stays {
					t.Errorf("kept %v, and the log on %s says otherwise", c.stays, kind)
				}
			}
		}
	})
}

// happened reports whether an event of the kind on the subject is recorded.
func happened(h *testkit.House, t *testing.T, kind concert.EventKind, subject string) bool {
	t.Helper()
	var n int
	testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM event WHERE kind = '"+string(kind)+"' AND subject = '"+subject+"'").Scan(&n))
	return n > 0
}

func TestErasedItemTakesWhatACaseSaysOfIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		c := opened(h, t)
		items := h.Submit(h.North.Officers[0], testkit.Page(1))
		_, err := h.AddToCase(ctx, h.North.Officers[0], c.Ref, []string{items[0].Ref})
		testkit.Must(t, err)
		_, err = h.RecordTranslation(ctx, h.North.Officers[0], items[0].Ref, concert.Translation{Kind: concert.TranslationHuman, Source: "ar", Target: "en", Text: "EXERCISE: invented words."})
		testkit.Must(t, err)
		_, err = h.RemoveFromCase(ctx, h.North.Officers[0], c.Ref, []string{items[0].Ref}, "EXERCISE about nobody named here")
		testkit.Must(t, err)
		_, err = h.AddToCase(ctx, h.North.Officers[0], c.Ref, []string{items[0].Ref})
		testkit.Must(t, err)
		it := h.Item(items[0].Ref)
		testkit.Must(t, h.AskErasure(ctx, h.North.Officers[0], it.Ref, it.Version, concert.ErasureMistaken, ground))
		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[0], it.Ref, it.Version+1))
		v := caseView(h, t, h.North.Officers[0], c.Ref)
		if len(v.Items) != 1 || v.Items[0].ErasedAt.IsZero() {
			t.Errorf("what is left of the item in the case: %+v", v.Items)
		}
		var sealed int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM translation WHERE sealed IS NOT NULL").Scan(&sealed))
		if sealed != 0 {
			t.Error("the translation is there still")
		}
		if out, err := h.AddToCase(ctx, h.North.Officers[0], opened(h, t).Ref, []string{it.Ref}); err != nil || outcomes(out) != "item.erased" {
			t.Errorf("an erased item is added: %s, %v", outcomes(out), err)
		}
	})
}

func TestMandateIsExtendedByTheLead(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		c := opened(h, t)
		h.StopClockAt(c.Mandate.Until)
		if _, err := h.AddCasePerson(ctx, h.North.Officers[0], c.Ref, aPerson(concert.SubjectOther)); code(err) != "case.mandate_over" {
			t.Errorf("added after the mandate's end: %v", err)
		}
		m := concert.Mandate{Reference: "EXERCISE file 8", Issuer: "EXERCISE court", On: day, Until: c.Mandate.Until.Add(time.Hour)}
		if _, err := h.MandateCase(ctx, h.North.Reviewers[0], c.Ref, c.Version, m); code(err) != "case.lead" {
			t.Errorf("a member extends it: %v", err)
		}
		c, err := h.MandateCase(ctx, h.North.Officers[0], c.Ref, c.Version, m)
		if err != nil || c.Mandate.Reference != "EXERCISE file 8" {
			t.Errorf("extended: %v", err)
		}
	})
}
