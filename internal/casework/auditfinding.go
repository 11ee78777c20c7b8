package casework

import (
	"context"
	"errors"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// drawnUnit is a unit of a draw as the log has it.
func (s *Service) drawnUnit(ctx context.Context, scope concert.Scope, draw, unit string) (concert.DrawnUnit, error) {
	var out concert.DrawnUnit
	if err := scope.Justified(); err != nil {
		return out, err
	}
	if err := scope.Actor().MayAudit(); err != nil {
		return out, err
	}
	err := s.withAudit(ctx, func(f *concert.AuditFold, stand AuditStand) error {
		x, err := sampled(f, stand, draw)
		if err != nil {
			return err
		}
		var ok bool
		if out, ok = x.Unit(unit); !ok {
			return concert.ErrNotFound
		}
		return nil
	})
	return out, err
}

// erasedUnit reports whether nothing is left of a unit: of an order, of any of its items.
func erasedUnit(ctx context.Context, tx *store.Tx, about concert.AboutKind, subject string) (bool, error) {
	ids := []concert.ItemID{concert.ItemID(subject)}
	if about == concert.AboutOrder {
		items, err := tx.OrderItems(ctx, concert.OrderID(subject))
		if err != nil {
			return false, err
		}
		ids = ids[:0]
		for _, i := range items {
			ids = append(ids, i.Item)
		}
	}
	items, err := tx.BareItemsByID(ctx, ids)
	if err != nil {
		return false, err
	}
	for _, it := range items {
		if it.ErasedAt.IsZero() {
			return false, nil
		}
	}
	return true, nil
}

// ReassessUnit records what an auditor finds of a drawn unit. It is the auditor's own
// and changes nothing of the case; said is what was found, and no more of it is read.
func (s *Service) ReassessUnit(ctx context.Context, scope concert.Scope, draw, unit string, said concert.Reassessment) (concert.Reassessment, error) {
	by := scope.Actor()
	u, err := s.drawnUnit(ctx, scope, draw, unit)
	if err != nil {
		return said, err
	}
	var out concert.Reassessment
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		id, err := tx.DrawID(ctx, draw)
		if err != nil {
			return err
		}
		erased, err := erasedUnit(ctx, tx, u.About, u.Subject)
		if err != nil {
			return err
		}
		r := concert.Reassessment{Draw: id, DrawRef: draw, About: u.About, Unit: u.Ref, Subject: u.Subject, Verdict: said.Verdict, Type: said.Type, Purpose: said.Purpose, Why: said.Why, Note: said.Note, Exercise: s.Exercise}
		var e concert.Event
		if out, e, err = r.Reassessed(by, erased, s.now()); err != nil {
			return err
		}
		tx.Record(e)
		return tx.AddFinding(ctx, out)
	})
	if refused := (*concert.Error)(nil); errors.As(err, &refused) && refused.Code == store.CodeExists {
		return said, concert.Refuse(concert.Conflict, "reassess.done", "", "you judged %s in this draw already, and a finding is never changed: another auditor may judge it, too", unit)
	}
	return out, err
}

// Recommend hands the actor's finding to the authority that acted: it is told by an
// alarm, at its desk and by mail to its office, and must answer. Nothing else changes.
func (s *Service) Recommend(ctx context.Context, scope concert.Scope, draw, unit, text string) (concert.Recommendation, error) {
	var out concert.Recommendation
	by := scope.Actor()
	u, err := s.drawnUnit(ctx, scope, draw, unit)
	if err != nil {
		return out, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		id, err := tx.DrawID(ctx, draw)
		if err != nil {
			return err
		}
		erased, err := erasedUnit(ctx, tx, u.About, u.Subject)
		if err != nil {
			return err
		}
		if erased {
			return concert.Refuse(concert.Conflict, "recommend.gone", "", "%s was erased: nothing is left to put right", u.Ref)
		}
		all, err := tx.FindingsOn(ctx, id, u.Subject)
		if err != nil {
			return err
		}
		var found concert.Reassessment
		for _, f := range all {
			if f.Auditor == by.Person {
				found = f
			}
		}
		now := s.now()
		r := concert.Recommendation{ID: identity.NewID(), Ref: identity.NewReference("RN"), DrawRef: draw, About: u.About, Unit: u.Ref, Subject: u.Subject, Authority: u.Authority, Provider: u.Provider, Text: text, Exercise: s.Exercise, Version: 1}
		var e concert.Event
		if out, e, err = r.Recommended(by, found, now); err != nil {
			return err
		}
		tx.Record(e)
		if err := tx.AddRecommendation(ctx, id, out); err != nil {
			return err
		}
		if err := tx.AddOfficeMails(ctx, []concert.OfficeMail{officeMail(out.Authority, concert.OfficeRecommended, out.Ref, 0, now)}); err != nil {
			return err
		}
		tx.SetClock(concert.ClockOffice, string(out.Authority), now)
		if _, err := tx.OpenAlarm(ctx, concert.AlarmAudit, out.Authority, ""); !errors.Is(err, concert.ErrNotFound) {
			return err
		}
		return tx.AddAlarm(ctx, concert.Alarm{ID: concert.AlarmID(identity.NewID()), Kind: concert.AlarmAudit, Authority: out.Authority, At: now})
	})
	if refused := (*concert.Error)(nil); errors.As(err, &refused) && refused.Code == store.CodeExists {
		return out, concert.Refuse(concert.Conflict, "recommend.done", "", "you handed your finding on %s over already: its answer stands with the recommendation", unit)
	}
	return out, err
}

// RecommendationView is a recommendation with whose it is and whom it goes to.
type RecommendationView struct {
	concert.Recommendation
	To       concert.Authority
	Auditor  string // operator number
	Answerer string
	Erased   bool
}

// Recommendations are those to the actor's authority, or all for an auditor, the newest
// first; before is the id of the last one of the page before.
func (s *Service) Recommendations(ctx context.Context, scope concert.Scope, before string, limit int) ([]RecommendationView, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	by := scope.Actor()
	to := by.Authority
	switch {
	case by.Has(concert.RoleAuditor):
		to = ""
	case to == "":
		return nil, by.Need(concert.RoleAuditor)
	default:
		if err := by.MayAnswerAudits(); err != nil {
			return nil, err
		}
	}
	var out []RecommendationView
	b := concert.ConsultedBody{What: concert.ReadRecommendations}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		rs, err := tx.Recommendations(ctx, scope, to, before, limit)
		if err != nil {
			return err
		}
		out, err = viewRecommendations(ctx, tx, rs)
		b.Count = len(out)
		return err
	})
	return out, err
}

// ReadRecommendation is one recommendation, for the authority's people and for auditors.
func (s *Service) ReadRecommendation(ctx context.Context, scope concert.Scope, ref string) (RecommendationView, error) {
	var out RecommendationView
	if err := scope.Check(); err != nil {
		return out, err
	}
	by := scope.Actor()
	if err := by.Need(concert.RoleReviewer, concert.RoleCoordinator, concert.RoleIssuer, concert.RoleAuditor); err != nil {
		return out, err
	}
	b := concert.ConsultedBody{What: concert.ReadRecommendations, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		r, err := tx.Recommendation(ctx, ref)
		if err != nil {
			return err
		}
		if err := r.MayAnswerAudit(by); err != nil && !by.Has(concert.RoleAuditor) {
			return err
		}
		views, err := viewRecommendations(ctx, tx, []concert.Recommendation{r})
		if err != nil {
			return err
		}
		out = views[0]
		return nil
	})
	if err != nil {
		return RecommendationView{}, err
	}
	return out, nil
}

func viewRecommendations(ctx context.Context, tx *store.Tx, rs []concert.Recommendation) ([]RecommendationView, error) {
	var people []concert.PersonID
	for _, r := range rs {
		people = append(people, r.Auditor, r.AnsweredBy)
	}
	numbers, err := tx.Operators(ctx, people)
	if err != nil {
		return nil, err
	}
	as, err := tx.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[concert.AuthorityID]concert.Authority{}
	for _, a := range as {
		byID[a.ID] = a
	}
	out := make([]RecommendationView, len(rs))
	for i, r := range rs {
		out[i] = RecommendationView{Recommendation: r, To: byID[r.Authority], Auditor: numbers[r.Auditor], Answerer: numbers[r.AnsweredBy]}
		if out[i].Erased, err = erasedUnit(ctx, tx, r.About, r.Subject); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AnswerRecommendation records what the authority answers. What it did is done before,
// by the acts that there are.
func (s *Service) AnswerRecommendation(ctx context.Context, by concert.Actor, ref string, answer concert.RecommendationAnswer, reasons string) (concert.Recommendation, error) {
	var out concert.Recommendation
	if err := by.MayAnswerAudits(); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		r, err := tx.Recommendation(ctx, ref)
		if err != nil {
			return err
		}
		if err := r.MayAnswerAudit(by); err != nil {
			return err
		}
		now, err := unitNow(ctx, tx, r)
		if err != nil {
			return err
		}
		var e concert.Event
		if out, e, err = r.Answered(by, answer, reasons, now, s.now()); err != nil {
			return err
		}
		tx.Record(e)
		if err := tx.SaveRecommendation(ctx, out); err != nil {
			return err
		}
		left, err := tx.OpenRecommendations(ctx, r.Authority)
		if err != nil || left > 0 {
			return err
		}
		alarm, err := tx.OpenAlarm(ctx, concert.AlarmAudit, r.Authority, "")
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		alarm.EndedAt = s.now()
		return tx.EndAlarm(ctx, alarm)
	})
	return out, err
}

// unitNow is what became of a recommendation's unit since it was made.
func unitNow(ctx context.Context, tx *store.Tx, r concert.Recommendation) (concert.UnitNow, error) {
	var out concert.UnitNow
	var err error
	if out.Erased, err = erasedUnit(ctx, tx, r.About, r.Subject); err != nil {
		return out, err
	}
	if r.About == concert.AboutOrder {
		o, err := tx.Order(ctx, r.Unit)
		out.Righted = o.Status == concert.OrderWithdrawn || o.Status == concert.OrderVoid
		return out, err
	}
	id := concert.ItemID(r.Subject)
	remedies, err := tx.Remedies(ctx, []concert.ItemID{id})
	if err != nil {
		return out, err
	}
	for _, m := range remedies[id] {
		out.Righted = out.Righted || !m.At.Before(r.At)
	}
	items, err := tx.BareItemsByID(ctx, []concert.ItemID{id})
	for _, it := range items {
		out.Righted = out.Righted || it.Status == concert.ItemWithdrawn
	}
	return out, err
}
