package casework

import (
	"context"
	"strings"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

const (
	// threatsMost bounds the reports that one transaction alarms of, or erases.
	threatsMost = 100
	// threatAlarmsMost bounds those that stand on a page.
	threatAlarmsMost = 20
	// ThreatsListed bounds a page of the list.
	ThreatsListed = 50
)

// ThreatToCoordinators is whom a report is passed to by that name; else it is a state,
// or the reference of an authority.
const ThreatToCoordinators = "coordinators"

// ThreatReport is a report of a threat to life as a provider makes it.
type ThreatReport struct {
	Kind      concert.ThreatKind
	States    []string
	Content   concert.ThreatContent
	Preserved bool
	SeenAt    time.Time
	concert.ThreatText
}

// ReportThreat takes a provider's report of a threat to life (Art. 14(5)), sends it to
// whom it concerns and alarms them: all of it in one transaction, so that whoever has a
// receipt knows that people are being called.
func (s *Service) ReportThreat(ctx context.Context, by concert.Actor, in ThreatReport) (ThreatView, error) {
	t := concert.LifeThreat{ID: concert.ThreatID(identity.NewID()), Ref: identity.NewReference("TH"), Kind: in.Kind, States: in.States, Content: in.Content, Preserved: in.Preserved, SeenAt: in.SeenAt, Exercise: s.Exercise, Version: 1, ThreatText: in.ThreatText}
	t, err := t.Reported(by, s.now())
	if err != nil {
		return ThreatView{}, err
	}
	var v ThreatView
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		now := s.now()
		t.ReceivedAt = now
		to, err := s.routeThreat(ctx, tx, t)
		if err != nil {
			return err
		}
		due, err := threatDue(now)
		if err != nil {
			return err
		}
		copies, e := t.Received(by, to, due, now)
		for i := range copies {
			copies[i].ID = concert.ThreatCopyID(identity.NewID())
		}
		tx.Record(e)
		if err := tx.AddThreat(ctx, t, copies); err != nil {
			return err
		}
		for _, c := range copies {
			if err := s.mailThreat(ctx, tx, t, c, concert.OfficeThreat); err != nil {
				return err
			}
		}
		v = ThreatView{LifeThreat: t}
		return s.fillThreat(ctx, tx, by, &v, copies)
	})
	if err != nil {
		return ThreatView{}, err
	}
	// The receipt names the log's leaf, which is there once the transaction is written.
	return v, s.DB.View(ctx, func(tx *store.Tx) error { return receiptOf(ctx, tx, &v) })
}

// routeThreat says whom a report goes to.
func (s *Service) routeThreat(ctx context.Context, tx *store.Tx, t concert.LifeThreat) ([]concert.ThreatGoes, error) {
	all, err := threatOffices(ctx, tx)
	if err != nil {
		return nil, err
	}
	seat, err := tx.Seat(ctx, t.Provider)
	if err != nil {
		return nil, err
	}
	state := seat.Establishment
	if state == "" { // not recorded yet: the register's country is the nearest that is known
		p, err := tx.Provider(ctx, string(t.Provider))
		if err != nil {
			return nil, err
		}
		state = p.Country
	}
	return concert.RouteThreat(t.States, state, all), nil
}

func threatOffices(ctx context.Context, tx *store.Tx) ([]concert.ThreatOffice, error) {
	as, err := tx.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	offices, err := tx.Offices(ctx)
	out := make([]concert.ThreatOffice, len(as))
	for i, a := range as {
		out[i] = concert.ThreatOffice{Of: a, Office: offices[a.ID]}
	}
	return out, err
}

// threatDue is by when somebody has to have taken a report that comes in now: a term of
// the house, in the law's data.
func threatDue(now time.Time) (time.Time, error) {
	book, err := law.Read()
	if err != nil {
		return now, err
	}
	t, err := book.Term(concert.TermThreat)
	if err != nil {
		return now, err
	}
	return t.Length.Ends(now, concert.Calendar{}, false), nil
}

// mailThreat alarms the mailbox of whom a copy is for, beside the page of its people. A
// mail names the reference and nothing else.
func (s *Service) mailThreat(ctx context.Context, tx *store.Tx, t concert.LifeThreat, c concert.ThreatCopy, kind concert.OfficeMailKind) error {
	boxes := []concert.AuthorityID{c.Authority}
	if c.Authority == "" {
		var err error
		if boxes, err = tx.CoordinatorOffices(ctx); err != nil {
			return err
		}
	}
	now := s.now()
	mails := make([]concert.OfficeMail, len(boxes))
	for i, a := range boxes {
		mails[i] = officeMail(a, kind, t.Ref, int(now.Sub(c.ReceivedAt)/time.Minute), now)
		tx.SetClock(concert.ClockOffice, string(a), now)
	}
	return tx.AddOfficeMails(ctx, mails)
}

// changeThreat lets an act change the actor's copy of a report, of the version that was
// read; 0 for whichever it is.
func (s *Service) changeThreat(ctx context.Context, by concert.Actor, ref string, version int64, act func(*store.Tx, concert.LifeThreat, concert.ThreatCopy, []concert.ThreatCopy) ([]concert.ThreatCopy, concert.Event, error)) (ThreatView, error) {
	var v ThreatView
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		t, copies, err := tx.Threat(ctx, ref)
		if err != nil {
			return err
		}
		mine, ok := concert.MineOf(by, copies)
		if !ok {
			return concert.ErrNotFound
		}
		if version != 0 && version != mine.Version {
			return outdated()
		}
		if !t.ErasedAt.IsZero() {
			return concert.Refuse(concert.Conflict, "threat.erased", "", "report %s was closed and its text is erased: nothing is changed", t.Ref)
		}
		changed, e, err := act(tx, t, mine, copies)
		if err != nil {
			return err
		}
		tx.Record(e)
		for _, c := range changed {
			if err := tx.PutThreatCopy(ctx, c); err != nil {
				return err
			}
		}
		v = ThreatView{}
		if v.LifeThreat, copies, err = tx.Threat(ctx, string(t.ID)); err != nil {
			return err
		}
		if next := v.LifeThreat.Settled(copies, s.now()); !next.EraseAt.Equal(t.EraseAt) {
			if err := tx.SettleThreat(ctx, next); err != nil {
				return err
			}
			next.Version++
			v.LifeThreat = next
		}
		v.LifeThreat.ThreatText = concert.ThreatText{} // who acts has not said yet what it is read for
		return s.fillThreat(ctx, tx, by, &v, copies)
	})
	return v, err
}

// TakeThreat says that the actor has a report in hand: the alarms of its authority end,
// and the provider reads that somebody has it.
func (s *Service) TakeThreat(ctx context.Context, by concert.Actor, ref string, version int64) (ThreatView, error) {
	return s.changeThreat(ctx, by, ref, version, func(_ *store.Tx, t concert.LifeThreat, mine concert.ThreatCopy, _ []concert.ThreatCopy) ([]concert.ThreatCopy, concert.Event, error) {
		next, e, err := mine.Taken(by, t, s.now())
		return []concert.ThreatCopy{next}, e, err
	})
}

// CloseThreat ends a report at the actor's authority with what it did, and a word to the
// provider.
func (s *Service) CloseThreat(ctx context.Context, by concert.Actor, ref string, version int64, o concert.ThreatOutcome, word string) (ThreatView, error) {
	return s.changeThreat(ctx, by, ref, version, func(_ *store.Tx, t concert.LifeThreat, mine concert.ThreatCopy, _ []concert.ThreatCopy) ([]concert.ThreatCopy, concert.Event, error) {
		next, e, err := mine.Closed(by, t, o, word, s.now())
		return []concert.ThreatCopy{next}, e, err
	})
}

// PassThreat hands a report on that is not the actor's authority's: to a state, to an
// authority by its reference, or to the coordinators. A state that has no authority here
// means the coordinators: nothing is passed to nobody.
func (s *Service) PassThreat(ctx context.Context, by concert.Actor, ref string, version int64, to, reason string) (ThreatView, error) {
	return s.changeThreat(ctx, by, ref, version, func(tx *store.Tx, t concert.LifeThreat, mine concert.ThreatCopy, copies []concert.ThreatCopy) ([]concert.ThreatCopy, concert.Event, error) {
		goes, err := threatTarget(ctx, tx, strings.TrimSpace(to))
		if err != nil {
			return nil, concert.Event{}, err
		}
		due, err := threatDue(s.now())
		if err != nil {
			return nil, concert.Event{}, err
		}
		next, theirs, e, err := mine.Passed(by, t, goes, copies, reason, due, s.now())
		if err != nil {
			return nil, e, err
		}
		if theirs.ID == "" {
			theirs.ID = concert.ThreatCopyID(identity.NewID())
		}
		if theirs.Status == concert.ThreatReceived {
			err = s.mailThreat(ctx, tx, t, theirs, concert.OfficeThreat)
		}
		return []concert.ThreatCopy{next, theirs}, e, err
	})
}

func threatTarget(ctx context.Context, tx *store.Tx, to string) (concert.ThreatGoes, error) {
	g := concert.ThreatGoes{Why: concert.ThreatHanded}
	all, err := threatOffices(ctx, tx)
	if err != nil {
		return g, err
	}
	if to == ThreatToCoordinators {
		return g, nil
	}
	for _, o := range all {
		if o.Of.Ref == strings.ToUpper(to) {
			g.Authority, g.State = o.Of.ID, o.Of.Country
			return g, nil
		}
	}
	if to = strings.ToUpper(to); !concert.IsCountry(to) {
		return g, concert.Refuse(concert.Invalid, "threat.to", "to", "name a state by two capital letters, an authority by its reference, or %q: got %.40q", ThreatToCoordinators, to)
	}
	if o, ok := concert.ThreatOfficeOf(to, concert.FunctionIssue, all); ok {
		g.Authority, g.State = o.Of.ID, to
	}
	return g, nil
}

// FireThreats alarms again of reports that nobody took, and erases those whose term is
// over, on whichever node comes first.
func (s *Service) FireThreats(ctx context.Context) error {
	due := false
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.AnyThreatDue(ctx, s.now())
		return err
	})
	if err != nil || !due {
		return err
	}
	erased := false
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		erased = false
		ids, err := tx.DueThreats(ctx, s.now(), threatsMost)
		if err != nil {
			return err
		}
		seen := map[concert.ThreatID]bool{}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			if err := s.alarmThreat(ctx, tx, id); err != nil {
				return err
			}
		}
		stale, err := tx.StaleThreats(ctx, s.now(), threatsMost)
		if err != nil {
			return err
		}
		for _, t := range stale {
			next, e := t.Erased(s.now())
			tx.Record(e)
			if err := tx.EraseThreat(ctx, next); err != nil {
				return err
			}
			erased = true
		}
		return nil
	})
	if err == nil && erased {
		s.unscrubbed.Store(true)
	}
	return err
}

// alarmThreat alarms again of the copies of a report that nobody took. What waited for an
// hour goes to the coordinators too.
func (s *Service) alarmThreat(ctx context.Context, tx *store.Tx, id concert.ThreatID) error {
	t, copies, err := tx.Threat(ctx, string(id))
	if err != nil {
		return err
	}
	now := s.now()
	missed := false
	for _, c := range copies {
		next, events := c.Alarmed(t, now)
		if len(events) == 0 {
			continue
		}
		for _, e := range events {
			tx.Record(e)
		}
		kind := concert.OfficeThreatWaits
		if next.Missed() {
			kind, missed = concert.OfficeThreatMissed, true
		}
		if err := s.mailThreat(ctx, tx, t, next, kind); err != nil {
			return err
		}
		if err := tx.PutThreatCopy(ctx, next); err != nil {
			return err
		}
	}
	if !missed {
		return nil
	}
	due, err := threatDue(now)
	if err != nil {
		return err
	}
	c, fresh := t.Escalated(copies, due, now)
	if !fresh {
		return nil
	}
	c.ID = concert.ThreatCopyID(identity.NewID())
	if err := s.mailThreat(ctx, tx, t, c, concert.OfficeThreat); err != nil {
		return err
	}
	return tx.PutThreatCopy(ctx, c)
}
