package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// AskLead asks to let a lead on an exhibit go to a state. What the law does not let
// go is refused at once; the refusal is recorded, and comes back as a lead with
// the status refused.
func (s *Service) AskLead(ctx context.Context, by concert.Actor, ref, exhibit string, in concert.Lead) (concert.Lead, error) {
	l := in
	l.ID, l.Ref, l.Exercise, l.Version = concert.LeadID(identity.NewID()), identity.NewReference("LD"), s.Exercise, 1
	return l, s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		x, err := tx.Exhibit(ctx, exhibit)
		if err != nil {
			return err
		}
		suspect, released := never, never
		if len(l.Persons) > 0 {
			if suspect, released, err = s.personsOf(ctx, tx, c, x); err != nil {
				return err
			}
			// Two at once would each find the person released to nobody: the exhibit's version lets one of them begin again.
			if err := tx.SaveExhibit(ctx, x, by.Person, s.now()); err != nil {
				return err
			}
		}
		asked, e, err := c.LeadAsked(by, l, x, suspect, released, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddLead(ctx, asked); err != nil {
			return err
		}
		tx.Record(e)
		l = asked
		return nil
	})
}

func never(string) bool { return false }

// personsOf says which pseudonyms of an exhibit officer and magistrate hold to be
// suspects', and which are in a lead already.
func (s *Service) personsOf(ctx context.Context, tx *store.Tx, c concert.Case, x concert.Exhibit) (suspect, released func(string) bool, err error) {
	requests, err := tx.CaseReidentifications(ctx, c.ID, requestsPage)
	if err != nil {
		return nil, nil, err
	}
	earlier, err := tx.LeadsWithPersons(ctx, x.ID)
	if err != nil {
		return nil, nil, err
	}
	suspect = func(p string) bool {
		return slices.ContainsFunc(requests, func(r concert.Reidentification) bool { return r.Exhibit == x.ID && r.SuspectBy(p) })
	}
	released = func(p string) bool {
		return slices.ContainsFunc(earlier, func(l concert.Lead) bool {
			return l.Status != concert.LeadRefused && l.Status != concert.LeadDropped && slices.Contains(l.Persons, p)
		})
	}
	return suspect, released, nil
}

// changeLead lets a rule change a lead of a case that the actor works on. Version
// is the one that was read.
func (s *Service) changeLead(ctx context.Context, by concert.Actor, ref string, version int64, rule func(concert.Lead, concert.Case, time.Time) (concert.Lead, concert.Event, error)) (concert.Lead, error) {
	var out concert.Lead
	return out, s.retryStale(ctx, func(tx *store.Tx) error {
		l, err := tx.Lead(ctx, ref)
		if err != nil {
			return err
		}
		c, err := caseOf(ctx, tx, by, string(l.Case))
		if err != nil {
			return err
		}
		next, e, err := rule(l, c, s.now())
		if err != nil {
			return err
		}
		if version != l.Version {
			return outdated()
		}
		if err := tx.SaveLead(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		next.Version++
		out = next
		return nil
	})
}

// ReleaseLead lets the package with the digest leave, as the second person.
func (s *Service) ReleaseLead(ctx context.Context, by concert.Actor, ref string, version int64, digest string) (concert.Lead, error) {
	return s.changeLead(ctx, by, ref, version, func(l concert.Lead, c concert.Case, now time.Time) (concert.Lead, concert.Event, error) {
		return l.Released(by, c, digest, now)
	})
}

// ReceiptLead records the recipient's signed receipt.
func (s *Service) ReceiptLead(ctx context.Context, by concert.Actor, ref string, version int64, receipt string) (concert.Lead, error) {
	return s.changeLead(ctx, by, ref, version, func(l concert.Lead, c concert.Case, now time.Time) (concert.Lead, concert.Event, error) {
		return l.Receipted(by, c, receipt, now)
	})
}

// DropLead ends a lead that was not released.
func (s *Service) DropLead(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Lead, error) {
	return s.changeLead(ctx, by, ref, version, func(l concert.Lead, c concert.Case, now time.Time) (concert.Lead, concert.Event, error) {
		return l.Dropped(by, c, reason, now)
	})
}

// CaseEvidence is what of seized servers a case has: its exhibits, the requests to
// open pseudonyms, and the leads, the newest first.
type CaseEvidence struct {
	Case      concert.Case
	Exhibits  []ExhibitView              // without their timelines
	Requests  []concert.Reidentification // without keys and shares
	Leads     []concert.Lead
	Analyses  []AnalysisLine             // of its exhibits' logs, the newest first
	Counts    map[concert.LeadStatus]int // of all leads
	Operators map[concert.PersonID]string
}

// ReadCaseEvidence reads it, for members and auditors.
func (s *Service) ReadCaseEvidence(ctx context.Context, scope concert.Scope, ref string) (CaseEvidence, error) {
	var v CaseEvidence
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadCaseEvidence, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		c, err := tx.Case(ctx, ref)
		if err != nil {
			return err
		}
		if err := c.MayRead(by); err != nil {
			return err
		}
		v.Case = c
		if v.Exhibits, err = caseExhibits(ctx, tx, by, c); err != nil {
			return err
		}
		if v.Requests, err = tx.CaseReidentifications(ctx, c.ID, requestsPage); err != nil {
			return err
		}
		if v.Leads, err = tx.CaseLeads(ctx, c.ID, requestsPage); err != nil {
			return err
		}
		if v.Counts, err = tx.CountLeads(ctx, c.ID); err != nil {
			return err
		}
		as, err := tx.CaseAnalyses(ctx, c.ID, analysesPage)
		if err != nil {
			return err
		}
		if v.Analyses, err = analysisLines(ctx, tx, as); err != nil {
			return err
		}
		var people []concert.PersonID
		for i, r := range v.Requests {
			v.Requests[i].Key, v.Requests[i].Shares = "", make([][]byte, len(r.Shares))
			people = append(people, r.AskedBy, r.ConfirmedBy, r.AuthorisedBy)
		}
		for _, l := range v.Leads {
			people = append(people, l.AskedBy, l.ReleasedBy)
		}
		slices.Sort(people)
		v.Operators, err = tx.Operators(ctx, slices.Compact(people))
		return err
	})
	if err != nil {
		return CaseEvidence{}, err
	}
	return v, nil
}

// caseExhibits are those that a case has or had, each as it stands with who holds
// it now.
func caseExhibits(ctx context.Context, tx *store.Tx, by concert.Actor, c concert.Case) ([]ExhibitView, error) {
	xs, err := tx.CaseExhibits(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	out := make([]ExhibitView, len(xs))
	for i, x := range xs {
		of := c
		if x.Case != c.ID {
			if of, err = tx.Case(ctx, string(x.Case)); err != nil {
				return nil, err
			}
		}
		if out[i], err = exhibitView(ctx, tx, by, x, of); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eraseCaseEvidence erases what a case that nobody reviewed has of persons on seized
// servers: the locked tables of the exhibits that it holds, its requests, its leads
// and its analyses.
func (s *Service) eraseCaseEvidence(ctx context.Context, tx *store.Tx, c concert.Case) (erased bool, err error) {
	exhibits, err := tx.CaseExhibits(ctx, c.ID)
	if err != nil {
		return false, err
	}
	for _, x := range exhibits {
		if x.Case != c.ID {
			continue
		}
		l, err := tx.LockedPseudonyms(ctx, x.ID, false)
		if errors.Is(err, concert.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		if err := tx.ErasePseudonyms(ctx, x.ID); err != nil {
			return false, err
		}
		tx.Record(x.PseudonymsExpired(c, l.Sum, s.now()))
		erased = true
	}
	requests, err := tx.UnerasedReidentifications(ctx, c.ID)
	if err != nil {
		return false, err
	}
	for _, r := range requests {
		if err := tx.EraseReidentification(ctx, r); err != nil {
			return false, err
		}
		tx.Record(r.Expired(c, s.now()))
		erased = true
	}
	leads, err := tx.UnerasedLeads(ctx, c.ID)
	if err != nil {
		return false, err
	}
	for _, l := range leads {
		if err := tx.EraseLead(ctx, l); err != nil {
			return false, err
		}
		tx.Record(l.Expired(c, s.now()))
		erased = true
	}
	more, err := s.eraseAnalyses(ctx, tx, c)
	return erased || more, err
}

func (s *Service) eraseAnalyses(ctx context.Context, tx *store.Tx, c concert.Case) (erased bool, err error) {
	analyses, err := tx.UnerasedAnalyses(ctx, c.ID)
	if err != nil {
		return false, err
	}
	for _, a := range analyses {
		x, err := tx.Exhibit(ctx, string(a.Exhibit))
		if err != nil {
			return false, err
		}
		next, e := a.Expired(x, c, s.now())
		if err := tx.EraseAnalysis(ctx, next); err != nil {
			return false, err
		}
		tx.Record(e)
	}
	return len(analyses) > 0, nil
}
