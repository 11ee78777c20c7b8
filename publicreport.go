package concert

import (
	"slices"
	"time"
)

// PublicReport is a yearly report that Regulation (EU) 2021/784 asks for, as far as the
// log knows: the provider's (Art. 7), the authority's (Art. 8) and what a state sends
// to the Commission (Art. 21). Its numbers are those of the register.
type PublicReport struct {
	Article  int
	Subject  string // reference of the provider or authority, or the state's code
	Year     int
	AsOf     time.Time
	Size     int64
	Root     string
	Exercise bool
	Running  bool // the year was not over
	Lines    []PublicReportLine
}

// PublicReportLine is one number, or what this system does not know.
type PublicReportLine struct {
	Point      string // of the article
	Metric     Metric // "" for what is not recorded here
	Unit       CountingUnit
	N          int64 // Few where it is not shown
	Of         Metric
	OfN        int64
	CheckedOn  string
	Definition string
}

// PublicArticles lists the reports' articles.
var PublicArticles = []int{7, 8, 21}

// reportPoint is a point of an article with the numbers that answer it, or a text that
// says why there are none.
type reportPoint struct {
	point   string
	metrics []Metric
	missing string
}

var beyondTheLaw = reportPoint{"beside the Regulation", []Metric{Referrals, ReferralsAcked, ReferredN, ReferredURLs, ReferredAccounts, ReferredOthers, AnsweredN, Silent, Removed, Refused, OtherAnswer, RecheckedN, Unchecked, Down, StillUp, PartialN, UnknownN, Returned, WithdrawnN, Corrected, RequestErrors}, ""}

func reportPoints(article int) []reportPoint {
	switch article {
	case 7:
		return []reportPoint{
			{"Art. 7(3)(a)", nil, "the provider's measures to identify and remove: only the provider knows them"},
			{"Art. 7(3)(b)", nil, "its measures against what appears again: only the provider knows them"},
			{"Art. 7(3)(c)", []Metric{PublicOrders, OrdersListed, OrdersWithheld, Ordered, OrderedURLs, OrderedAccounts, OrderedOthers, OrderedRemoved, OrderedDisabled, OrderedOpen, OrdersExecuted, OrdersForce, OrdersErrors, OrdersNoFacts, OrdersMissed}, ""},
			{"Art. 7(3)(c)", nil, "items removed under specific measures (Art. 5): only the provider knows them"},
			{"Art. 7(3)(d)", []Metric{Complaints, ComplaintsUp, ComplaintsPartly, ComplaintsDown, ComplaintsOpen}, ""},
			{"Art. 7(3)(e)", []Metric{OrdersScrutiny, OrdersFinal}, ""},
			{"Art. 7(3)(f)", []Metric{OrdersVoid, OrdersWithdrawn, OrderedBack}, ""},
			{"Art. 7(3)(g)", nil, "items reinstated after a complaint to the provider: only the provider knows them"},
			beyondTheLaw,
		}
	case 8:
		return []reportPoint{
			{"Art. 8(1)(a)", []Metric{PublicOrders, OrdersListed, OrdersWithheld, OrdersCross, OrdersEmergency, OrdersScrutiny, Ordered, OrderedURLs, OrderedAccounts, OrderedOthers, OrderedRemoved, OrderedDisabled, OrderedOpen, OrdersExecuted, OrdersMissed, OrdersForce, OrdersErrors, OrdersNoFacts}, ""},
			{"Art. 8(1)(b)", nil, "decisions under Art. 5(4), (6) and (7): not recorded in this system"},
			{"Art. 8(1)(c)", []Metric{OrdersFinal, OrdersVoid, OrdersWithdrawn, OrderedBack, Complaints, ComplaintsUp, ComplaintsPartly, ComplaintsDown, ComplaintsOpen}, ""},
			{"Art. 8(1)(d)", nil, "penalties (Art. 18): not recorded in this system"},
			beyondTheLaw,
		}
	}
	return []reportPoint{
		{"Art. 21(1)(a)", []Metric{PublicOrders, OrdersListed, OrdersWithheld, OrdersCross, Ordered, OrderedURLs, OrderedAccounts, OrderedOthers, OrderedRemoved, OrderedDisabled, OrderedOpen, OrdersExecuted, AnswerMedian, AnswerNinth, OrdersMissed, OrdersForce, OrdersErrors, OrdersNoFacts}, ""},
		{"Art. 21(1)(b)", nil, "specific measures (Art. 5): not recorded in this system"},
		{"Art. 21(1)(c)", nil, "requests for access to preserved content (Art. 6): not recorded in this system"},
		{"Art. 21(1)(d)", []Metric{Complaints, ComplaintsUp, ComplaintsPartly, ComplaintsDown, ComplaintsOpen}, ""},
		{"Art. 21(1)(e)", []Metric{OrdersScrutiny, OrdersFinal, OrdersVoid, OrdersWithdrawn, OrderedBack}, ""},
		beyondTheLaw,
	}
}

// ScopeOf is whose numbers a report of the article has.
func ScopeOf(article int, subject string) PublicScope {
	switch article {
	case 7:
		return PublicScope{ScopeProvider, subject}
	case 8:
		return PublicScope{ScopeAuthority, subject}
	}
	return PublicScope{ScopeState, subject}
}

// Report is the report under the article, of one subject and year.
func (e PublicEdition) Report(article int, subject string, year int) (PublicReport, error) {
	if !slices.Contains(PublicArticles, article) {
		return PublicReport{}, Refuse(Invalid, "report.article", "article", "there is no report under Article %d: choose one of %v", article, PublicArticles)
	}
	if !e.knows(article, subject) {
		return PublicReport{}, Refuse(NotFound, "report.subject", "subject", "the log knows nothing called %q that an Article %d report could be about: name the reference of a provider (Art. 7) or an authority (Art. 8), or a state's two letters (Art. 21)", plainSubject(subject), article)
	}
	if year < 2015 || year > e.AsOf.Year() {
		return PublicReport{}, Refuse(Invalid, "report.year", "year", "a report is about a year from 2015 to %d, as far as the register speaks", e.AsOf.Year())
	}
	row, _ := e.Row(ScopeOf(article, subject), year)
	r := PublicReport{Article: article, Subject: subject, Year: year, AsOf: e.AsOf, Size: e.Size, Root: e.Root, Exercise: e.Exercise, Running: e.AsOf.Before(time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC))}
	for _, p := range reportPoints(article) {
		if p.missing != "" {
			r.Lines = append(r.Lines, PublicReportLine{Point: p.point, Definition: p.missing})
		}
		for _, m := range p.metrics {
			r.Lines = append(r.Lines, row.line(p.point, m))
		}
	}
	return r, nil
}

// plainSubject cuts what somebody typed to what a message can bear.
func plainSubject(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}

func (e PublicEdition) knows(article int, subject string) bool {
	is := func(p PublicParty) bool { return p.Ref == subject && subject != "" }
	switch article {
	case 7:
		return slices.ContainsFunc(e.Providers, is)
	case 8:
		return slices.ContainsFunc(e.Authorities, is)
	}
	return publicState.MatchString(subject) && slices.ContainsFunc(e.Authorities, func(p PublicParty) bool { return p.State == subject })
}

// line is one number of the row.
func (r PublicRow) line(point string, m Metric) PublicReportLine {
	figures := PublicFigures()
	f := figures[slices.IndexFunc(figures, func(f PublicFigure) bool { return f.Metric == m })]
	l := PublicReportLine{Point: point, Metric: m, Unit: f.Unit, N: r.Counts[m], Of: f.Of, Definition: f.Definition}
	if f.Of != "" {
		l.OfN = r.Counts[f.Of]
	}
	if f.Checked {
		l.CheckedOn = dayOf(r.Checked)
	}
	return l
}

// Lines are all numbers of the row.
func (r PublicRow) Lines() []PublicReportLine {
	var out []PublicReportLine
	for _, f := range PublicFigures() {
		out = append(out, r.line("", f.Metric))
	}
	return out
}
