package concert_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
)

func anAnalysis() concert.Analysis {
	return concert.Analysis{ID: "a", N: 1, Purpose: "EXERCISE: which days and countries"}
}

// Who may ask, for what, and one at a time; nobody else learns that the exhibit is there.
func TestAnalysisIsAskedByAMemberForAPurpose(t *testing.T) {
	t.Parallel()
	c, x := anInvestigation("H3"), concert.Exhibit{ID: "x", Ref: "EX-1", Case: "case", Authority: "unit", Manifest: digestOfSomething}
	a, e, err := x.AnalysisAsked(caseLead, c, anAnalysis(), false, noon)
	if err != nil || a.Status != concert.AnalysisAsked || a.Case != "case" || a.AskedBy != "lead" || e.Kind != concert.EventAnalysisAsked || e.Sealed == nil {
		t.Fatalf("asked: %v, %+v, %+v", err, a, e)
	}
	change := func(f func(*concert.Analysis)) concert.Analysis { a := anAnalysis(); f(&a); return a }
	member := slices.Clone(c.Members)
	judge := concert.Actor{Person: "lead", Authority: "unit", Roles: []concert.Role{concert.RoleMagistrate}}
	going, elsewhere := x, x
	going.To, elsewhere.Case = "abroad", "other"
	closed, over := c, c
	closed.ClosedAt, over.ReviewAt = noon.Add(-time.Hour), noon
	for name, tc := range map[string]struct {
		by      concert.Actor
		c       concert.Case
		x       concert.Exhibit
		a       concert.Analysis
		running bool
		code    string
	}{
		"a colleague":         {concert.Actor{Person: "other", Authority: "unit", Roles: caseLead.Roles}, c, x, anAnalysis(), false, "not_found"},
		"another authority":   {concert.Actor{Person: "lead", Authority: "abroad", Roles: caseLead.Roles}, c, x, anAnalysis(), false, "not_found"},
		"a magistrate":        {judge, c, x, anAnalysis(), false, "not_found"},
		"an auditor":          {concert.Actor{Person: "auditor", Roles: []concert.Role{concert.RoleAuditor}}, c, x, anAnalysis(), false, "not_found"},
		"of another case":     {caseLead, c, elsewhere, anAnalysis(), false, "not_found"},
		"on its way":          {caseLead, c, going, anAnalysis(), false, "exhibit.on_its_way"},
		"a closed case":       {caseLead, closed, x, anAnalysis(), false, "case.closed"},
		"an unreviewed case":  {caseLead, over, x, anAnalysis(), false, "case.review_overdue"},
		"no purpose":          {caseLead, c, x, change(func(a *concert.Analysis) { a.Purpose = " because " }), false, "analysis.purpose"},
		"a long purpose":      {caseLead, c, x, change(func(a *concert.Analysis) { a.Purpose = strings.Repeat("x", 501) }), false, "analysis.purpose"},
		"a format for all":    {caseLead, c, x, change(func(a *concert.Analysis) { a.Format = "combined" }), false, "analysis.files"},
		"a path of this disk": {caseLead, c, x, change(func(a *concert.Analysis) { a.Files = []string{"/etc/passwd"} }), false, "analysis.files"},
		"too many files":      {caseLead, c, x, change(func(a *concert.Analysis) { a.Files = slices.Repeat([]string{"data/a"}, 501) }), false, "analysis.files"},
		"one is running":      {caseReviewer, c, x, anAnalysis(), true, "analysis.running"},
	} {
		if _, _, err := tc.x.AnalysisAsked(tc.by, tc.c, tc.a, tc.running, noon); code(err) != tc.code {
			t.Errorf("%s: %v, want %s", name, err, tc.code)
		}
	}
	if !slices.Equal(member, c.Members) {
		t.Error("the case was changed")
	}
}

// P9: what the log of the house has of an analysis are counts of lines, and none where they are of few people.
func TestP9EventsOfAnAnalysisSayNothingOfFewPeople(t *testing.T) {
	t.Parallel()
	c, x := anInvestigation("H0"), concert.Exhibit{ID: "x", Ref: "EX-1", Case: "case", Authority: "unit", Manifest: digestOfSomething}
	a, _, err := x.AnalysisAsked(caseLead, c, anAnalysis(), false, noon)
	if err != nil {
		t.Fatal(err)
	}
	lines := concert.AnalysisLines{Lines: 12, Parsed: 9, Rejected: 2, Blank: 1}
	for visitors, shown := range map[int64]bool{0: false, 4: false, 5: true} {
		done, e := a.Counted(concert.AnalysisResult{Report: digestOfSomething, Files: 2, Lines: lines, Visitors: visitors, Parser: 1, BotRule: "1"}, x, c, noon)
		b, ok := e.Body.(concert.AnalysisBody)
		if !ok || done.Status != concert.AnalysisDone || b.Report != digestOfSomething || b.Files != 2 || b.Geo != "unknown" {
			t.Fatalf("%+v, %+v", done, e.Body)
		}
		if (b.Lines != nil) != shown || shown && *b.Lines != lines {
			t.Errorf("%d visitors: %+v", visitors, b.Lines)
		}
		raw, err := json.Marshal(b)
		if err != nil || strings.Contains(string(raw), "visitors") || strings.Contains(string(raw), "EXERCISE") {
			t.Errorf("%s, %v", raw, err)
		}
	}
	if _, e := a.Counted(concert.AnalysisResult{Lines: concert.AnalysisLines{Lines: 4, Parsed: 4}, Visitors: 9}, x, c, noon); e.Body.(concert.AnalysisBody).Lines != nil {
		t.Error("four accesses are told")
	}
}

// A node that dies three times in the middle ends it; one that stops in good order does not; an end is an end.
func TestAnalysisEndsOnce(t *testing.T) {
	t.Parallel()
	c, x := anInvestigation("H0"), concert.Exhibit{ID: "x", Ref: "EX-1", Case: "case", Authority: "unit"}
	a, _, err := x.AnalysisAsked(caseLead, c, anAnalysis(), false, noon)
	if err != nil {
		t.Fatal(err)
	}
	ok := true
	for range 5 {
		if a, ok = a.Began(); !ok || a.Status != concert.AnalysisRunning {
			t.Fatalf("halted in good order: %+v", a)
		}
		a = a.Halted()
	}
	for range concert.AnalysisTries {
		if a, ok = a.Began(); !ok {
			t.Fatal("given up too early")
		}
	}
	if a, ok = a.Began(); ok {
		t.Error("goes on for ever")
	}
	if _, _, err := a.Dropped(caseReviewer, x, c, noon); err != nil {
		t.Errorf("a member drops it: %v", err)
	}
	if _, _, err := a.Dropped(magistrate, x, c, noon); code(err) != "not_found" {
		t.Errorf("a magistrate drops it: %v", err)
	}
	failed, e := a.Stopped(concert.AnalysisDied, x, c, noon)
	if e.Kind != concert.EventAnalysisFailed || failed.Open() {
		t.Errorf("%+v", failed)
	}
	if _, _, err := failed.Dropped(caseLead, x, c, noon); code(err) != "analysis.ended" {
		t.Errorf("dropped after its end: %v", err)
	}
	gone, e := a.Expired(x, c, noon)
	if e.Kind != concert.EventAnalysisErased || gone.Open() || gone.Purpose != "" || e.Body.(concert.AnalysisBody).Code != string(concert.ErasureUnreviewed) {
		t.Errorf("erased: %+v", gone)
	}
	for _, why := range concert.AnalysisCodes {
		if concert.AnalysisFailure(why) == "" {
			t.Errorf("%s says nothing", why)
		}
	}
	if !a.Standing(x, c, noon) {
		t.Error("stands still for no reason")
	}
	x.To = "abroad"
	if a.Standing(x, c, noon) {
		t.Error("goes on with what left")
	}
}
