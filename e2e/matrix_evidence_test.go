package e2e

import (
	"testing"
	"time"

	"concert"
	"concert/internal/sandbox"
	"concert/internal/testkit"
)

// evidenceRows are seized servers at the desk. Exhibit, request and lead are of the officer's case, with the reviewer as a member; the
// request names the magistrate's court.
var evidenceRows = map[string]row{
	"GET /api/v1/cases/{id}/evidence":           {may: who{officer, reviewer, auditor}, ref: "{case}"},
	"POST /api/v1/cases/{id}/exhibits":          {may: who{officer, reviewer}, ref: "{case}", body: `{"label":"EXERCISE {n}","manifest":"short","custody":"EXERCISE","head":"EXERCISE"}`},
	"POST /api/v1/cases/{id}/reidentifications": {may: who{officer, reviewer}, ref: "{case}", body: `{"exhibit":"{exhibit}","selection":"country","instrument":{"kind":"court_order","issuer":"EXERCISE court","reference":"EXERCISE {n}","until":"2099-01-01"}}`},
	"POST /api/v1/cases/{id}/leads":             {may: who{officer, reviewer}, ref: "{case}", body: `{"exhibit":"{exhibit}","state":"ES","kind":"military","name":"EXERCISE {n}"}`},
	"GET /api/v1/exhibits":                      {may: authoritySide},
	"GET /api/v1/exhibits/{id}":                 {may: who{officer, reviewer, auditor}, ref: "{exhibit}"},
	"POST /api/v1/exhibits/{id}/custody":        {may: who{officer, reviewer}, ref: "{exhibit}", body: `{"custody":"EXERCISE","head":"EXERCISE"}`},
	"POST /api/v1/exhibits/{id}/hand":           {may: who{officer, reviewer}, ref: "{exhibit}", body: `{"to":"{south}","custody":"EXERCISE","head":"EXERCISE"}`},
	"POST /api/v1/exhibits/{id}/receive":        {may: who{officer, reviewer}, ref: "{exhibit}", body: `{"case":"{case}","custody":"EXERCISE","head":"EXERCISE"}`},
	"POST /api/v1/exhibits/{id}/pseudonyms":     {may: who{officer, reviewer}, ref: "{exhibit}", body: "EXERCISE"},

	"POST /api/v1/exhibits/{id}/analyses":                 {may: who{officer, reviewer}, ref: "{exhibit}", body: `{"purpose":"short"}`},
	"GET /api/v1/exhibits/{id}/analyses/{n}":              {may: who{officer, reviewer, auditor}, ref: "{exhibit}"},
	"POST /api/v1/exhibits/{id}/analyses/{n}/drop":        {may: who{officer, reviewer}, ref: "{exhibit}"},
	"GET /api/v1/exhibits/{id}/analyses/{n}/files/{file}": {may: who{officer, reviewer, auditor}, ref: "{exhibit}"},

	"GET /api/v1/reidentifications":                 {may: who{magistrate}},
	"GET /api/v1/reidentifications/{id}":            {may: who{officer, reviewer, auditor, magistrate}, ref: "{request}"},
	"POST /api/v1/reidentifications/{id}/confirm":   {may: who{reviewer}, ref: "{request}", body: `{}`},
	"POST /api/v1/reidentifications/{id}/authorise": {may: who{magistrate}, ref: "{request}", body: `{}`},
	"POST /api/v1/reidentifications/{id}/decline":   {may: who{reviewer, magistrate}, ref: "{request}", body: `{"reason":"EXERCISE: not needed."}`},
	"POST /api/v1/reidentifications/{id}/shares":    {may: who{officer, reviewer}, ref: "{request}", body: `{"share":"EXERCISE"}`},
	"POST /api/v1/reidentifications/{id}/open":      {may: who{officer}, ref: "{request}"},
	"POST /api/v1/reidentifications/{id}/close":     {may: who{officer, reviewer}, ref: "{request}", body: `{}`},
	"POST /api/v1/leads/{id}/release":               {may: who{reviewer}, ref: "{lead}", body: `{"package":"short"}`},
	"POST /api/v1/leads/{id}/receipt":               {may: who{officer, reviewer}, ref: "{lead}", body: `{"receipt":"short"}`},
	"POST /api/v1/leads/{id}/drop":                  {may: who{officer, reviewer}, ref: "{lead}", body: `{"reason":"EXERCISE: not needed."}`},

	"GET /cases/{ref}/evidence":              {may: who{officer, reviewer, auditor}, ref: "{case}"},
	"POST /cases/{ref}/exhibits":             {may: who{officer, reviewer}, ref: "{case}", body: "label=EXERCISE&manifest=short&custody=EXERCISE&head=EXERCISE"},
	"POST /cases/{ref}/reidentifications":    {may: who{officer, reviewer}, ref: "{case}", body: "exhibit={exhibit}&purpose=prosecution"},
	"POST /cases/{ref}/leads":                {may: who{officer, reviewer}, ref: "{case}", body: "exhibit={exhibit}&state=ES&recipient=military&name=EXERCISE"},
	"POST /cases/{ref}/leads/{lead}/release": {may: who{reviewer}, ref: "{case}", body: "version={lead.v}&package=short"},
	"POST /cases/{ref}/leads/{lead}/receipt": {may: who{officer, reviewer}, ref: "{case}", body: "version={lead.v}&receipt=short"},
	"POST /cases/{ref}/leads/{lead}/drop":    {may: who{officer, reviewer}, ref: "{case}", body: "version={lead.v}&reason=short"},
	"GET /exhibits/{ref}":                    {may: who{officer, reviewer, auditor}, ref: "{exhibit}"},
	"POST /exhibits/{ref}/custody":           {may: who{officer, reviewer}, ref: "{exhibit}", body: "custody=EXERCISE&head=EXERCISE"},
	"POST /exhibits/{ref}/hand":              {may: who{officer, reviewer}, ref: "{exhibit}", body: "to={south}&custody=EXERCISE&head=EXERCISE"},
	"POST /exhibits/{ref}/receive":           {may: who{officer, reviewer}, ref: "{exhibit}", body: "case={case}&custody=EXERCISE&head=EXERCISE"},
	"POST /exhibits/{ref}/pseudonyms":        {may: who{officer, reviewer}, ref: "{exhibit}"},

	"POST /exhibits/{ref}/analyses":           {may: who{officer, reviewer}, ref: "{exhibit}", body: "purpose=short"},
	"GET /exhibits/{ref}/analyses/{n}":        {may: who{officer, reviewer, auditor}, ref: "{exhibit}"},
	"POST /exhibits/{ref}/analyses/{n}/drop":  {may: who{officer, reviewer}, ref: "{exhibit}", body: "version=1"},
	"GET /exhibits/{ref}/analyses/{n}/{file}": {may: who{officer, reviewer, auditor}, ref: "{exhibit}"},

	"GET /reidentifications":                  {may: who{magistrate}},
	"GET /reidentifications/{ref}":            {may: who{officer, reviewer, auditor, magistrate}, ref: "{request}"},
	"POST /reidentifications/{ref}/confirm":   {may: who{reviewer}, ref: "{request}", body: "version={request.v}"},
	"POST /reidentifications/{ref}/authorise": {may: who{magistrate}, ref: "{request}", body: "version={request.v}"},
	"POST /reidentifications/{ref}/decline":   {may: who{reviewer, magistrate}, ref: "{request}", body: "version={request.v}&reason=short"},
	"POST /reidentifications/{ref}/shares":    {may: who{officer, reviewer}, ref: "{request}", body: "version={request.v}&share=EXERCISE"},
	"POST /reidentifications/{ref}/open":      {may: who{officer}, ref: "{request}", body: "version={request.v}"},
	"POST /reidentifications/{ref}/close":     {may: who{officer, reviewer}, ref: "{request}", body: "version=0"},
}

// seized puts an exhibit into the case, with the report on its logs, its locked pseudonyms, a request to open one of them, and a
// lead.
func (s *site) seized(t *testing.T) {
	t.Helper()
	ctx, now := t.Context(), s.Now()
	lead := s.North.Officers[0]
	court, err := s.AddAuthority(ctx, s.Admin, concert.Authority{Name: "EXERCISE Court", Country: "XN", Kind: concert.KindCourt, Unit: "COURT", Contact: "EXERCISE"})
	testkit.Must(t, err)
	s.Person("magistrate", court.Ref, "", concert.RoleMagistrate)
	s.Exhibits, s.Children = t.TempDir(), &sandbox.Pool{Command: []string{program(t), "sandbox-child"}}
	t.Cleanup(s.Children.Close)
	x, err := s.AddExhibit(ctx, lead, s.things["{case}"], "EXERCISE hidden server", testkit.SealFiles(t, s.Exhibits, map[string][]byte{"access.log": testkit.SeizedLog(9)}).Files(t))
	testkit.Must(t, err)
	s.StopClockAt(now.AddDate(-20, 0, 0)) // nothing but the analysis falls due
	_, err = s.AskAnalysis(ctx, lead, x.Ref, concert.Analysis{Purpose: "EXERCISE hidden purpose"})
	testkit.Must(t, err)
	stop := testkit.Run(t, s.Service)
	testkit.Await(t, "the logs are counted", func() bool {
		v, err := s.ReadAnalysis(ctx, testkit.Scope(t, lead), x.Ref, 1)
		testkit.Must(t, err)
		return v.Status == concert.AnalysisDone
	})
	stop()
	s.StopClockAt(time.Unix(0, 0)) // it goes on
	locked, _ := testkit.Pseudonyms(t)
	_, err = s.KeepPseudonyms(ctx, lead, x.Ref, locked)
	testkit.Must(t, err)
	fact := concert.SourceFact{Kind: "upload", At: now.AddDate(0, 0, -1), File: "access.log", Length: 9, Line: x.Manifest, Rule: "EXERCISE", Evaluation: "A2"}
	r, err := s.AskReidentification(ctx, lead, s.things["{case}"], x.Ref, court.Ref, concert.Reidentification{Purpose: concert.ReidentifyProsecution, Selection: concert.SelectNamed,
		Instrument: concert.Instrument{Kind: concert.InstrumentCourt, Issuer: "EXERCISE court", Reference: "EXERCISE 1", Until: now.AddDate(1, 0, 0)},
		Subjects:   []concert.ReidentifySubject{{Pseudonym: "00112233445566778899aabbccddeeff", Category: concert.SubjectSuspect, Ground: "EXERCISE hidden ground: it uploaded", Facts: []concert.SourceFact{fact}}}})
	testkit.Must(t, err)
	l, err := s.AskLead(ctx, lead, s.things["{case}"], x.Ref, concert.Lead{Recipient: concert.LeadRecipient{Name: "EXERCISE hidden recipient", Kind: concert.LeadToPolice, State: "ES"}})
	testkit.Must(t, err)
	for name, ref := range map[string]string{"exhibit": x.Ref, "request": r.Ref, "lead": l.Ref, "request.v": "1", "lead.v": "1", "exhibit.v": "1"} {
		s.things["{"+name+"}"] = ref
	}
	s.secrets = append(s.secrets, x.Ref, r.Ref, l.Ref, "hidden server", "hidden ground", "hidden recipient", "hidden purpose", "film1.mp4")
}
