package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// ExposureDays is how many days of their own ledger a person is shown,
// exposureWeeks how many whole weeks of a team its lead.
const (
	ExposureDays  = 14
	exposureWeeks = 4
)

// revealTerm is the people's time: in an exercise it does not run faster.
func (s *Service) revealTerm() time.Duration { return s.caseSpan(concert.RevealTerm) }

// OpenUntil is when an opened capture closes by itself, unless somebody goes on
// looking.
func (s *Service) OpenUntil(r concert.Reveal) time.Time { return r.BeatAt.Add(s.revealTerm()) }

// Seeing is what a person has seen today, and what bounds it.
type Seeing struct {
	Today  concert.Exposure
	Limits concert.ExposureLimits // that hold for the person, with their own
	Stop   concert.ExposureStop   // that today has reached
}

// seeing is the actor's own day.
func (s *Service) seeing(ctx context.Context, tx *store.Tx, by concert.Actor, now time.Time) (Seeing, error) {
	limits, _, err := s.limits(ctx, tx, by.Authority, now)
	if err != nil {
		return Seeing{}, err
	}
	own, err := tx.OwnLimit(ctx, by.Person)
	if err != nil {
		return Seeing{}, err
	}
	ledger, err := tx.Ledger(ctx, by.Person, concert.ExposureDay(now))
	if err != nil {
		return Seeing{}, err
	}
	v := Seeing{Today: today(ledger, now), Limits: limits.With(own)}
	v.Stop = v.Limits.Reached(v.Today)
	return v, nil
}

func today(ledger []concert.Reveal, now time.Time) concert.Exposure {
	for _, e := range concert.ExposuresOf(ledger) {
		if e.Day.Equal(concert.ExposureDay(now)) {
			return e
		}
	}
	return concert.Exposure{Day: concert.ExposureDay(now)}
}

// limits are an authority's: those that hold, and those that are to hold later.
func (s *Service) limits(ctx context.Context, tx *store.Tx, a concert.AuthorityID, now time.Time) (hold, later concert.ExposureLimits, err error) {
	if hold, later, err = tx.ExposureLimits(ctx, a, now); err == nil && hold.Authority == "" {
		hold = concert.DefaultLimits()
	}
	return hold, later, err
}

// RevealCapture opens a capture for the actor, who was told before what is in it:
// it is counted in their own ledger, and that they read it is recorded as any
// reading (G19, G35). On says that they go on past the soft stop. What is open
// already stays so and is not counted twice.
func (s *Service) RevealCapture(ctx context.Context, scope concert.Scope, ref string, on bool) (concert.Reveal, Seeing, error) {
	var out concert.Reveal
	var now Seeing
	if err := scope.Justified(); err != nil {
		return out, now, err
	}
	by := scope.Actor()
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := tx.Capture(ctx, ref)
		if err != nil {
			return err
		}
		if err := c.MayOpen(by); err != nil {
			return err
		}
		if err := tx.LockLedger(ctx, by.Person); err != nil {
			return err
		}
		at := s.now()
		if now, err = s.seeing(ctx, tx, by, at); err != nil {
			return err
		}
		if out, err = tx.LastReveal(ctx, by.Person, c.ID); err != nil || out.Open(at, s.revealTerm()) {
			return err
		}
		said, err := tx.WarningsOn(ctx, []concert.CaptureID{c.ID})
		if err != nil {
			return err
		}
		if out, err = c.Revealed(by, tags(said, ""), now.Limits, now.Today, on, at); err != nil {
			return err
		}
		out.ID = concert.RevealID(identity.NewID())
		if e, ok := scope.Consulted(concert.ConsultedBody{What: concert.ReadPreview, Ref: c.Ref, Count: 1}, at); ok {
			tx.Record(e)
			if err := tx.Consulting(ctx, []concert.PersonID{by.Person}); err != nil {
				return err
			}
		}
		return tx.AddReveal(ctx, out)
	})
	return out, now, err
}

// BeatReveal counts for how long the capture was seen since the last sign, as the
// page measured it: never more than the time that passed here. At the hard cap the
// capture is closed.
func (s *Service) BeatReveal(ctx context.Context, by concert.Actor, id concert.RevealID, shown time.Duration, closing bool) (concert.Reveal, Seeing, error) {
	var out concert.Reveal
	var now Seeing
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := tx.RevealOf(ctx, by.Person, id)
		if err != nil {
			return err
		}
		at := s.now()
		if out, err = had.Beaten(shown, s.Time.Wall(at.Sub(had.BeatAt)), closing, at, s.revealTerm()); err != nil {
			return err
		}
		if now, err = s.seeing(ctx, tx, by, at); err != nil {
			return err
		}
		if concert.ExposureDay(had.OpenedAt).Equal(now.Today.Day) {
			now.Today.Shown += out.Shown - had.Shown
		}
		if now.Stop = now.Limits.Reached(now.Today); now.Stop == concert.StopHard && out.ClosedAt.IsZero() && now.Today.Shown >= now.Limits.Hard {
			out.ClosedAt = at
		}
		return tx.SaveReveal(ctx, had, out)
	})
	return out, now, err
}

// CloseReveal closes a capture; what was counted stays as it is.
func (s *Service) CloseReveal(ctx context.Context, by concert.Actor, id concert.RevealID) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := tx.RevealOf(ctx, by.Person, id)
		if err != nil {
			return err
		}
		next, err := had.Closed(s.now(), s.revealTerm())
		if err != nil {
			return err
		}
		return tx.SaveReveal(ctx, had, next)
	})
}

// SeenToday is the actor's own day.
func (s *Service) SeenToday(ctx context.Context, by concert.Actor) (Seeing, error) {
	var v Seeing
	if err := by.MayCapture(); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		v, err = s.seeing(ctx, tx, by, s.now())
		return err
	})
	return v, err
}

// unveiled is the opening by which the actor may have what the capture holds; the
// zero one where it needs none, or where they may not have it at all, which whoever
// reads it then tells.
func (s *Service) unveiled(ctx context.Context, by concert.Actor, ref, what string) (concert.Reveal, error) {
	var r concert.Reveal
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		c, err := tx.Capture(ctx, ref)
		if err == concert.ErrNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if c.MayOpen(by) != nil || what == concert.ReadPreview && !c.Pictured() || !c.Veiled() {
			return nil
		}
		if r, err = tx.LastReveal(ctx, by.Person, c.ID); err != nil {
			return err
		}
		return r.Shows(c, s.now(), s.revealTerm())
	})
	return r, err
}

// takenAway counts that the bytes were downloaded.
func (s *Service) takenAway(ctx context.Context, r concert.Reveal) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := tx.RevealOf(ctx, r.Person, r.ID)
		if err != nil || had.Taken {
			return err
		}
		if !had.ClosedAt.IsZero() {
			return had.Shows(concert.Capture{ID: r.Capture}, s.now(), s.revealTerm())
		}
		return tx.SaveReveal(ctx, had, had.Downloaded())
	})
}

// tags are the warnings of what people said, of one person's where who is given.
func tags(said []store.Said, who concert.PersonID) []concert.Warning {
	var out []concert.Warning
	for _, x := range said {
		if who == "" || x.Person == who {
			out = append(out, x.Warning)
		}
	}
	return concert.WarningsOf(out)
}

// warned fills in the warnings that stand on captures.
func warned(ctx context.Context, tx *store.Tx, cs []CaptureView) error {
	if len(cs) == 0 {
		return nil
	}
	ids := make([]concert.CaptureID, len(cs))
	for i, c := range cs {
		ids[i] = c.ID
	}
	said, err := tx.WarningsOn(ctx, ids)
	if err != nil {
		return err
	}
	for i, c := range cs {
		cs[i].Warnings = tags(slices.DeleteFunc(slices.Clone(said), func(x store.Said) bool { return x.Capture != c.ID }), "")
	}
	return nil
}

// Veil is what a person is told of a capture before, and while, it is open to
// them.
type Veil struct {
	CaptureView
	Seeing
	Opened concert.Reveal    // zero where it is not open to them
	Mine   []concert.Warning // what they said themself
	MaySay bool              // they captured it, or have seen it
}

// LookAtVeil is what is known of a capture, for who may open it, without what it
// holds. The reading is recorded.
func (s *Service) LookAtVeil(ctx context.Context, scope concert.Scope, ref string) (Veil, error) {
	var v Veil
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadCaptures, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		v.CaptureView, _, err = s.findCapture(ctx, tx, by, ref)
		return err
	})
	if err != nil {
		return Veil{}, err
	}
	return s.VeilOf(ctx, by, v.CaptureView)
}

// VeilOf is the rest of it for a capture that the actor has read already.
func (s *Service) VeilOf(ctx context.Context, by concert.Actor, c CaptureView) (Veil, error) {
	v := Veil{CaptureView: c}
	if err := c.MayOpen(by); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		now := s.now()
		said, err := tx.WarningsOn(ctx, []concert.CaptureID{c.ID})
		if err != nil {
			return err
		}
		v.Warnings, v.Mine = tags(said, ""), tags(said, by.Person)
		if v.Seeing, err = s.seeing(ctx, tx, by, now); err != nil {
			return err
		}
		if v.Opened, err = tx.LastReveal(ctx, by.Person, c.ID); err != nil {
			return err
		}
		if !v.Opened.Open(now, s.revealTerm()) {
			v.Opened = concert.Reveal{}
		}
		saw, err := tx.SawCapture(ctx, by.Person, c.ID)
		v.MaySay = saw || c.Person == by.Person
		return err
	})
	return v, err
}

// WarnCapture says what is in a capture, for whoever is to open it next.
func (s *Service) WarnCapture(ctx context.Context, by concert.Actor, ref string, said []concert.Warning) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.Capture(ctx, ref)
		if err != nil {
			return err
		}
		if err := c.MayOpen(by); err != nil {
			return err
		}
		items, err := tx.BareItemsByID(ctx, []concert.ItemID{c.Item})
		if err != nil || len(items) == 0 {
			return err
		}
		saw, err := tx.SawCapture(ctx, by.Person, c.ID)
		if err != nil {
			return err
		}
		return s.warn(ctx, tx, by, c, items[0], saw, said)
	})
}

func (s *Service) warn(ctx context.Context, tx *store.Tx, by concert.Actor, c concert.Capture, it concert.Item, saw bool, said []concert.Warning) error {
	now := s.now()
	said, e, err := c.Warned(by, it, saw, said, now)
	if err != nil {
		return err
	}
	tx.Record(e)
	return tx.SetWarnings(ctx, c.ID, by.Person, said, now)
}

// OwnExposure is a person's own ledger as they see it.
type OwnExposure struct {
	Seeing
	Days  []concert.Exposure // the last 14, the newest first; without those on which nothing was opened
	Team  concert.ExposureLimits
	Later concert.ExposureLimits // that are to hold for the authority; zero for none
	SetBy string                 // operator number of who set the authority's limits, "" for the defaults
	Own   concert.OwnLimit
}

// OwnExposure is the actor's own ledger. Nobody else's can be asked for.
func (s *Service) OwnExposure(ctx context.Context, by concert.Actor) (OwnExposure, error) {
	var v OwnExposure
	if err := by.MayCapture(); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		now := s.now()
		var err error
		if v.Seeing, err = s.seeing(ctx, tx, by, now); err != nil {
			return err
		}
		if v.Team, v.Later, err = s.limits(ctx, tx, by.Authority, now); err != nil {
			return err
		}
		if v.Own, err = tx.OwnLimit(ctx, by.Person); err != nil {
			return err
		}
		ops, err := tx.Operators(ctx, []concert.PersonID{v.Team.SetBy})
		if err != nil {
			return err
		}
		v.SetBy = ops[v.Team.SetBy]
		ledger, err := tx.Ledger(ctx, by.Person, concert.ExposureDay(now).AddDate(0, 0, 1-ExposureDays))
		v.Days = concert.ExposuresOf(ledger)
		return err
	})
	return v, err
}

// SetOwnLimit sets the actor's own lower limit.
func (s *Service) SetOwnLimit(ctx context.Context, by concert.Actor, next concert.OwnLimit) (concert.OwnLimit, error) {
	var out concert.OwnLimit
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := by.MayCapture(); err != nil {
			return err
		}
		if err := tx.LockLedger(ctx, by.Person); err != nil {
			return err
		}
		now := s.now()
		limits, _, err := s.limits(ctx, tx, by.Authority, now)
		if err != nil {
			return err
		}
		had, err := tx.OwnLimit(ctx, by.Person)
		if err != nil {
			return err
		}
		ledger, err := tx.Ledger(ctx, by.Person, concert.ExposureDay(now))
		if err != nil {
			return err
		}
		if out, err = had.Set(by, limits, today(ledger, now), next, now); err != nil {
			return err
		}
		return tx.SaveOwnLimit(ctx, out)
	})
	return out, err
}

// DeskExposure is what somebody who leads a desk sees of it: whole weeks, added
// up, and the limits.
type DeskExposure struct {
	Weeks []concert.TeamExposure
	Hold  concert.ExposureLimits
	Later concert.ExposureLimits // zero for none
	SetBy string                 // operator number, "" for the defaults
}

// DeskExposure is what the actor's team saw in the last four whole weeks, the
// actor not among it.
func (s *Service) DeskExposure(ctx context.Context, by concert.Actor) (DeskExposure, error) {
	var v DeskExposure
	if err := by.MayLeadDesk(); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		now := s.now()
		var err error
		if v.Hold, v.Later, err = s.limits(ctx, tx, by.Authority, now); err != nil {
			return err
		}
		ops, err := tx.Operators(ctx, []concert.PersonID{v.Hold.SetBy})
		if err != nil {
			return err
		}
		v.SetBy = ops[v.Hold.SetBy]
		for _, w := range concert.ExposureWeeks(now, exposureWeeks) {
			shares, err := tx.TeamShares(ctx, by.Authority, by.Person, w[0], w[1])
			if err != nil {
				return err
			}
			v.Weeks = append(v.Weeks, concert.TeamExposureOf(w[0], w[1], shares))
		}
		return nil
	})
	return v, err
}

// SetExposureLimits sets the limits of the actor's authority. It is an event, and
// everybody whom they bind sees who set them.
func (s *Service) SetExposureLimits(ctx context.Context, by concert.Actor, next concert.ExposureLimits) (concert.ExposureLimits, error) {
	var out concert.ExposureLimits
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		if err := by.MayLeadDesk(); err != nil {
			return err
		}
		a, err := tx.Authority(ctx, string(by.Authority))
		if err != nil {
			return err
		}
		now := s.now()
		hold, _, err := s.limits(ctx, tx, a.ID, now)
		if err != nil {
			return err
		}
		var e concert.Event
		if out, e, err = hold.Set(by, a, next, now); err != nil {
			return err
		}
		tx.Record(e)
		return tx.SaveExposureLimits(ctx, out)
	})
	return out, err
}

// ForgetExposure takes what was opened more than 90 days ago out of every ledger.
func (s *Service) ForgetExposure(ctx context.Context) error {
	before := concert.ExposureDay(s.now()).AddDate(0, 0, -concert.ExposureKept)
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.ForgetExposure(ctx, before) })
}

// TakeNextUnveiled is TakeNext among items of which the actor's authority holds
// nothing but text: a pause for the eyes without a pause in the work.
func (s *Service) TakeNextUnveiled(ctx context.Context, by concert.Actor) (Taken, error) {
	return s.takeNext(ctx, by, "", func(ctx context.Context, tx *store.Tx, by concert.Actor, _ concert.ItemStatus, k int) ([]store.OnSlip, error) {
		now := s.now()
		out, err := s.mine(ctx, tx, by, now)
		if err != nil {
			return nil, err
		}
		if by.Has(concert.RoleReviewer) {
			got, err := tx.NextToDecide(ctx, by, now, nextMost)
			if err != nil {
				return nil, err
			}
			out = append(out, got...)
		}
		if by.Has(concert.RoleOfficer) {
			got, err := tx.NextToAssess(ctx, by, now, nextMost)
			if err != nil {
				return nil, err
			}
			out = append(out, got...)
		}
		ids := make([]concert.ItemID, len(out))
		for i, w := range out {
			ids[i] = w.ID
		}
		veiled, err := tx.WithMedia(ctx, by.Authority, ids)
		if err != nil {
			return nil, err
		}
		out = slices.DeleteFunc(out, func(w store.OnSlip) bool { return veiled[w.ID] })
		return out[:min(k, len(out))], nil
	})
}

// SameJudged is an earlier assessment of the same content, with its outlet.
type SameJudged struct {
	concert.JudgedBefore
	Outlet concert.Outlet // zero for none
}

// SameJudged is the newest assessment of the actor's own authority that stands on
// content which is also this item's, so that it need not be seen again; false where
// there is none. Nothing sealed is opened for it, and nothing of the purpose is told.
func (s *Service) SameJudged(ctx context.Context, scope concert.Scope, ref string) (SameJudged, bool, error) {
	var out SameJudged
	by := scope.Actor()
	if err := scope.Check(); err != nil {
		return out, false, err
	}
	if err := by.MayCapture(); err != nil {
		return out, false, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		it, err := s.ownItem(ctx, tx, by, ref)
		if err != nil || !it.ErasedAt.IsZero() || !it.Carries() {
			return err
		}
		same, err := tx.JudgedSame(ctx, by.Authority, it)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(same, concert.JudgedBefore.MayRest)
		if i < 0 {
			return nil
		}
		out.JudgedBefore = same[i]
		if same[i].Outlet == "" {
			return nil
		}
		list, err := tx.ScopeList(ctx)
		out.Outlet = list.Outlets[same[i].Outlet]
		return err
	})
	return out, out.Item != "", err
}
