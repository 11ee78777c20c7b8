package exercise

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"concert"
	"concert/api"
)

// PlanJune2017 is the name of the third plan: a seized server, read and shared out.
const PlanJune2017 = "june-2017"

// SeizureStart is when its case time begins: some weeks after the server was seized.
var SeizureStart = time.Date(2017, 6, 14, 8, 0, 0, 0, time.UTC)

// Seizure is the world of the plan june-2017 at the hub: a unit with a case, a
// reviewer, a prosecutor, and the states that leads go to (docs/june2017.md).
type Seizure struct {
	base
	officer, reviewer, magistrate *api.Client
	court                         string
	caseRef                       string
	exhibit                       string

	mu     sync.Mutex // guards what follows
	counts SeizureCounts
}

// SeizureCounts is what became of requests and leads.
type SeizureCounts struct {
	RequestsRefused  map[string]int `json:"requests_refused"` // by code
	RequestsOpened   int            `json:"requests_opened"`
	Identified       int            `json:"identified"` // pseudonyms that were opened
	LeadsReleased    int            `json:"leads_released"`
	Receipts         int            `json:"receipts"`
	TransfersRefused int            `json:"transfers_refused"`
	RefusedBy        map[string]int `json:"refused_by"` // by code
	PersonsReleased  int            `json:"persons_released"`
}

// NewSeizure makes the world; it does no I/O.
func NewSeizure(cfg Config) *Seizure {
	s := &Seizure{counts: SeizureCounts{RequestsRefused: map[string]int{}, RefusedBy: map[string]int{}}}
	s.settle(cfg)
	return s
}

// Close ends the world.
func (s *Seizure) Close() { s.base.close() }

// Resolve knows no host: nothing leaves in this plan but packages.
func (s *Seizure) Resolve(string) (addr string, ok bool) { return "", false }

// Counts is what became of requests and leads so far.
func (s *Seizure) Counts() SeizureCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Setup registers the people and opens the case.
func (s *Seizure) Setup(ctx context.Context) error {
	s.admin, s.second = s.client(s.cfg.AdminKey, 0), s.client(s.cfg.SecondAdminKey, 0)
	unit, err := s.addAuthority(ctx, "Seizing unit (EXERCISE)", "ES", concert.KindReferralUnit, "SEIZE", "EXERCISE desk")
	if err != nil {
		return err
	}
	court, err := s.addAuthority(ctx, "Prosecutor (EXERCISE)", "ES", concert.KindProsecutor, "PROS", "EXERCISE desk")
	if err != nil {
		return err
	}
	s.court = court.ID
	for _, p := range []struct {
		login, authority string
		role             concert.Role
		to               **api.Client
	}{{"seizure-officer", unit.ID, concert.RoleOfficer, &s.officer}, {"seizure-reviewer", unit.ID, concert.RoleReviewer, &s.reviewer}, {"seizure-prosecutor", court.ID, concert.RoleMagistrate, &s.magistrate}} {
		if *p.to, err = s.addPerson(ctx, p.login, p.role, p.authority, 0); err != nil {
			return err
		}
	}
	day := func(days int) string { return s.now().AddDate(0, 0, days).UTC().Format(time.DateOnly) }
	c, err := s.officer.OpenCase(ctx, s.call("case"), api.NewCase{Title: "EXERCISE seized server", Handling: string(concert.HandlingOpen), Mandate: api.Mandate{Reference: "EXERCISE 7/17", Issuer: "EXERCISE court", On: day(-60), Until: day(700)}})
	if err != nil {
		return err
	}
	me, err := s.reviewer.Me(ctx)
	if err != nil {
		return err
	}
	s.caseRef = c.ID
	call := s.call("member")
	call.IfMatch = c.Version
	_, err = s.officer.AddCaseMember(ctx, call, c.ID, me.Operator)
	return err
}

// Register puts the sealed server into the case, with the locked table of its
// pseudonyms.
func (s *Seizure) Register(ctx context.Context, x api.NewExhibit, locked []byte) error {
	got, err := s.officer.AddExhibit(ctx, s.call("exhibit"), s.caseRef, x)
	if err != nil {
		return err
	}
	s.exhibit = got.ID
	_, err = s.officer.KeepPseudonyms(ctx, got.ID, locked)
	return err
}

// Custody records what the exhibit's custody log holds since.
func (s *Seizure) Custody(ctx context.Context, f api.CustodyFiles) error {
	_, err := s.officer.AddCustody(ctx, s.call("custody"), s.exhibit, f)
	return err
}

func (s *Seizure) request(subjects ...api.ReidentifySubject) api.NewReidentification {
	return api.NewReidentification{Exhibit: s.exhibit, Judicial: s.court, Purpose: string(concert.ReidentifyProsecution), Subjects: subjects,
		Instrument: api.Instrument{Kind: string(concert.InstrumentProsecutor), Issuer: "EXERCISE prosecutor", Reference: "EXERCISE 8/17", Until: s.now().AddDate(0, 1, 0).UTC().Format(time.DateOnly)}}
}

// AskForTooMuch asks for what is never opened: a country, a day, a path, and one who
// only looked. Each must come back refused.
func (s *Seizure) AskForTooMuch(ctx context.Context, looked api.ReidentifySubject) error {
	asks := map[string]api.NewReidentification{"views": s.request(looked)}
	for _, by := range []concert.Selection{concert.SelectCountry, concert.SelectDay, concert.SelectPath} {
		in := s.request()
		in.Selection = string(by)
		asks[string(by)] = in
	}
	for name, in := range asks {
		r, err := s.officer.AskReidentification(ctx, s.call("ask-%s", name), s.caseRef, in)
		if err != nil {
			return err
		}
		if r.Status != string(concert.ReidentifyRefused) {
			return fmt.Errorf("a request by %s is %s, and should be refused", name, r.Status)
		}
		s.mu.Lock()
		s.counts.RequestsRefused[r.Code]++
		s.mu.Unlock()
	}
	return nil
}

// Identify asks for one administrator, lets the reviewer confirm and the prosecutor
// decide, hands the shares in that the custodians give, and reads the answer.
func (s *Seizure) Identify(ctx context.Context, who api.ReidentifySubject, shares func(recipient, request string) ([]string, error)) (api.Identities, error) {
	var out api.Identities
	r, err := s.officer.AskReidentification(ctx, s.call("ask-administrator"), s.caseRef, s.request(who))
	if err != nil {
		return out, err
	}
	next := func(c *api.Client, name string, act func(*api.Client, api.Call) (api.Reidentification, error)) {
		if err != nil {
			return
		}
		call := s.call("%s", name)
		call.IfMatch = r.Version
		r, err = act(c, call)
	}
	ref := r.ID
	next(s.reviewer, "confirm", func(c *api.Client, call api.Call) (api.Reidentification, error) {
		return c.ConfirmReidentification(ctx, call, ref)
	})
	next(s.magistrate, "authorise", func(c *api.Client, call api.Call) (api.Reidentification, error) {
		return c.AuthoriseReidentification(ctx, call, ref)
	})
	if err != nil {
		return out, err
	}
	given, err := shares(r.Recipient, ref)
	if err != nil {
		return out, err
	}
	for i, share := range given {
		next(s.officer, fmt.Sprintf("share-%d", i), func(c *api.Client, call api.Call) (api.Reidentification, error) {
			return c.GiveShare(ctx, call, ref, share)
		})
	}
	if err != nil {
		return out, err
	}
	if out, err = s.officer.OpenReidentification(ctx, api.Call{IfMatch: r.Version}, ref); err != nil {
		return out, err
	}
	r = out.Request
	next(s.officer, "close", func(c *api.Client, call api.Call) (api.Reidentification, error) {
		return c.CloseReidentification(ctx, call, ref)
	})
	s.mu.Lock()
	s.counts.RequestsOpened++
	s.counts.Identified += len(out.Identities)
	s.mu.Unlock()
	return out, err
}

// recipient is who receives in a state: one in twenty is a military body, one in
// three of those outside the Union was never weighed.
func (s *Seizure) recipient(state string, nth int, persons []string) api.NewLead {
	in := api.NewLead{Exhibit: s.exhibit, State: state, Kind: string(concert.LeadToPolice), Name: "Police of " + state + " (EXERCISE)", Persons: persons}
	if nth%20 == 19 {
		in.Kind, in.Name = string(concert.LeadToMilitary), "Command of "+state+" (EXERCISE)"
	}
	if !concert.WithinLeadArea(state) && nth%3 != 0 {
		in.Transfer = &api.Transfer{Ground: string(concert.TransferSafeguards), Basis: "EXERCISE agreement with " + state + ", article 4", Torture: "EXERCISE: no risk found, sources in the file", DeathPenalty: "EXERCISE: assurance given in writing", Persecution: "EXERCISE: no risk found, sources in the file"}
	}
	return in
}

// MayReceive reports whether the nth state's lead will not be refused.
func (s *Seizure) MayReceive(state string, nth int) bool {
	in := s.recipient(state, nth, nil)
	return in.Kind == string(concert.LeadToPolice) && (concert.WithinLeadArea(state) || in.Transfer != nil)
}

// Lead asks to let a lead go to the nth state. Where the law lets it, send makes the
// package, and takes it to the recipient, whose signed receipt it brings back: both by
// their SHA-256.
func (s *Seizure) Lead(ctx context.Context, state string, nth int, persons []string, send func(lead api.Lead, to string) (digest, receipt string, err error)) error {
	in := s.recipient(state, nth, persons)
	l, err := s.officer.RequestLead(ctx, s.call("lead-%s", state), s.caseRef, in)
	if err != nil {
		return err
	}
	if l.Status == string(concert.LeadRefused) {
		s.mu.Lock()
		s.counts.TransfersRefused++
		s.counts.RefusedBy[strings.TrimPrefix(l.Code, "lead.")]++
		s.mu.Unlock()
		return nil
	}
	digest, receipt, err := send(l, in.Name)
	if err != nil {
		return err
	}
	call := s.call("release-%s", state)
	call.IfMatch = l.Version
	if l, err = s.reviewer.ReleaseLead(ctx, call, l.ID, digest); err != nil {
		return err
	}
	call = s.call("receipt-%s", state)
	call.IfMatch = l.Version
	if _, err = s.officer.ReceiptLead(ctx, call, l.ID, receipt); err != nil {
		return err
	}
	s.mu.Lock()
	s.counts.LeadsReleased++
	s.counts.Receipts++
	s.counts.PersonsReleased += len(persons)
	s.mu.Unlock()
	return nil
}
