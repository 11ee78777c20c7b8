package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"concert"
	"concert/internal/store"
)

// ThreatView is a report as somebody sees it who may: its text, whom it went to and where
// it stands with each.
type ThreatView struct {
	concert.LifeThreat
	Of      concert.Provider
	Status  concert.ThreatStatus // of the report as a whole
	Copies  []ThreatCopyView
	Mine    *ThreatCopyView // the reader's own copy; nil where it has none
	Receipt ThreatReceipt
	Items   []concert.Item // of the reader's authority at the places that the report names, bare
}

// ThreatCopyView is a copy with whom it is for.
type ThreatCopyView struct {
	concert.ThreatCopy
	Of       concert.Authority // the zero one of the coordinators
	Operator string            // number of who took it, for people of authorities
}

// ThreatReceipt is what proves that the house has a report: the event's commitment as it
// stands in the log, by which concert verify checks the proof.
type ThreatReceipt struct {
	Event  concert.EventID
	Commit string // hex
	Index  int64  // its place in the log; -1 until it has one, within a second
	At     time.Time
}

func (s *Service) fillThreat(ctx context.Context, tx *store.Tx, by concert.Actor, v *ThreatView, copies []concert.ThreatCopy) error {
	v.Status = v.LifeThreat.Status(copies)
	var err error
	if v.Of, err = tx.Provider(ctx, string(v.LifeThreat.Provider)); err != nil {
		return err
	}
	takers := make([]concert.PersonID, len(copies))
	for i, c := range copies {
		takers[i] = c.Taker
	}
	operators, err := tx.Operators(ctx, takers)
	if err != nil {
		return err
	}
	own, has := concert.MineOf(by, copies)
	for _, c := range copies {
		x := ThreatCopyView{ThreatCopy: c}
		if c.Authority != "" {
			if x.Of, err = tx.Authority(ctx, string(c.Authority)); err != nil {
				return err
			}
		}
		if by.Provider == "" {
			x.Operator = operators[c.Taker]
		}
		if !has || c.ID != own.ID {
			x.Reason = "" // what authorities say to each other is for the one that it was said to
		}
		v.Copies = append(v.Copies, x)
		if has && c.ID == own.ID {
			v.Mine = &x
		}
	}
	return nil
}

func receiptOf(ctx context.Context, tx *store.Tx, v *ThreatView) error {
	e, err := tx.EventOf(ctx, string(v.ID), concert.EventThreatReceived)
	v.Receipt = ThreatReceipt{Event: e.ID, Commit: hex.EncodeToString(e.Commit), Index: e.Index, At: v.ReceivedAt}
	return err
}

// ReadThreat is one report, for its provider, for those whom it went to, who say what
// they read it for, and for auditors.
func (s *Service) ReadThreat(ctx context.Context, scope concert.Scope, ref string) (ThreatView, error) {
	var v ThreatView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadThreat, Ref: ref}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		v = ThreatView{}
		t, copies, err := tx.Threat(ctx, ref)
		if err != nil {
			return err
		}
		if err := by.MayReadThreat(t, copies); err != nil {
			return err
		}
		b.Count, v.LifeThreat = 1, t
		if err := s.fillThreat(ctx, tx, by, &v, copies); err != nil {
			return err
		}
		if err := s.threatItems(ctx, tx, by, &v); err != nil {
			return err
		}
		return receiptOf(ctx, tx, &v)
	})
	return v, err
}

// threatItems finds what the reader's authority has at the places: it need not be handed
// in again.
func (s *Service) threatItems(ctx context.Context, tx *store.Tx, by concert.Actor, v *ThreatView) error {
	if by.Authority == "" || v.Mine == nil {
		return nil
	}
	var places [][32]byte
	for _, p := range v.Places {
		if l, _, err := s.Locate(p); err == nil {
			places = append(places, s.DB.Place(l.Kind, l.Canonical))
		}
	}
	found, err := tx.ItemsByPlace(ctx, places)
	for _, it := range found {
		if it.Custodian() == by.Authority {
			v.Items = append(v.Items, it)
		}
	}
	return err
}

// threatDesks are whose copies the actor sees: its authority's, and the coordinators'.
func threatDesks(by concert.Actor) []concert.AuthorityID {
	var out []concert.AuthorityID
	if by.Authority != "" && by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer) == nil {
		out = append(out, by.Authority)
	}
	if by.Has(concert.RoleCoordinator) {
		out = append(out, "")
	}
	return out
}

// Threats are a page of the reports that concern the reader, the newest first, before one
// (its reference; "" for the newest). It opens nothing sealed.
func (s *Service) Threats(ctx context.Context, scope concert.Scope, before string) ([]ThreatView, error) {
	by := scope.Actor()
	desk := store.ThreatDesk{Provider: by.Provider, Desks: threatDesks(by), All: by.Has(concert.RoleAuditor)}
	switch {
	case desk.All:
	case by.Provider != "":
		if err := by.Need(concert.RoleProviderReader, concert.RoleProviderAnswerer); err != nil {
			return nil, err
		}
	case len(desk.Desks) == 0:
		return nil, concert.Refuse(concert.Forbidden, "threats.reader", "", "reports of threats to life are for the people on duty of an authority, for coordinators and for the provider that made them: ask an administrator for the role")
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadThreats}); err != nil {
		return nil, err
	}
	var out []ThreatView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		var after concert.ThreatID
		if before != "" {
			t, copies, err := tx.Threat(ctx, before)
			if errors.Is(err, concert.ErrNotFound) || err == nil && by.MayReadThreat(t, copies) != nil {
				return concert.Refuse(concert.Invalid, "threats.before", "before", "there is no report %.40q to go on from: leave it out", before)
			}
			if err != nil {
				return err
			}
			after = t.ID
		}
		found, err := tx.Threats(ctx, scope, desk, after, ThreatsListed)
		if err != nil {
			return err
		}
		for _, t := range found {
			v := ThreatView{LifeThreat: t.LifeThreat}
			if err := s.fillThreat(ctx, tx, by, &v, t.Copies); err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// ThreatAlarm is a report that nobody at the reader's desk has taken, bare.
type ThreatAlarm struct {
	concert.LifeThreat
	Copy concert.ThreatCopy
}

// ThreatAlarms are the newest reports that wait for the actor, the newest first: they are
// there until somebody takes them. Nothing sealed is opened.
func (s *Service) ThreatAlarms(ctx context.Context, by concert.Actor) ([]ThreatAlarm, error) {
	desks := threatDesks(by)
	if by.Provider != "" || len(desks) == 0 {
		return nil, nil
	}
	var out []ThreatAlarm
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		found, err := tx.WaitingThreats(ctx, desks, threatAlarmsMost)
		for _, t := range found {
			for _, c := range t.Copies {
				if c.Status == concert.ThreatReceived && c.Mine(by) {
					out = append(out, ThreatAlarm{t.LifeThreat, c})
					break
				}
			}
		}
		return err
	})
	return out, err
}

// ThreatProof proves that a report's receipt stands in the log, for whoever may read it:
// concert verify checks it without us.
func (s *Service) ThreatProof(ctx context.Context, scope concert.Scope, ref string) (concert.EventProof, error) {
	v, err := s.ReadThreat(ctx, scope, ref)
	if err != nil {
		return concert.EventProof{}, err
	}
	return s.provenSoon(ctx, string(v.ID), v.Ref, concert.EventThreatReceived)
}
