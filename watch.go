package concert

import (
	"strings"
	"time"
)

const (
	// WatchPersonTerm is the longest that a private person's account is watched
	// on one ground.
	WatchPersonTerm = 90 * 24 * time.Hour
	// WatchTraces is how long after its end the place and ground of a private
	// person's account are kept: long enough for redress.
	WatchTraces = ErasureTerm
	// SweepLease is how long whoever goes through a place has it alone.
	SweepLease = time.Hour
	// WatchCadenceLeast is the least time between two sweeps of a place.
	WatchCadenceLeast = time.Hour
	// WatchCadenceMost is the most.
	WatchCadenceMost = 30 * 24 * time.Hour
)

// WatchOwner is whose the watched place is.
type WatchOwner string

// The owners.
const (
	WatchOutlet WatchOwner = "outlet" // an outlet's own channel, site or account
	WatchPerson WatchOwner = "person" // a private person's account
)

// Watch is a place that people of one authority go through again and again.
// Nothing is fetched by itself: a person looks. Other authorities do not learn
// that anybody watches it.
type Watch struct {
	ID        WatchID
	Ref       string
	Authority AuthorityID
	Outlet    OutletID
	Place     [32]byte // keyed digest of (Kind, Canonical)
	Location  Location // sealed under the watch's own key
	Owner     WatchOwner
	Case      CaseID // "" for none; of a private person's account always one
	Ground    string // sealed
	Cadence   time.Duration
	EndsAt    time.Time // zero: until somebody ends it
	PlacedBy  PersonID
	PlacedAt  time.Time
	NextAt    time.Time // when it is to be gone through next
	LastAt    time.Time // when it was last
	Sweep     SweepID   // that has it now, "" for none
	EndedBy   PersonID
	EndedAt   time.Time
	Exercise  bool
	Version   int64
}

// Sweep is one going through a place: by whom, from when, and what came of it.
type Sweep struct {
	ID        SweepID
	Ref       string
	Watch     WatchID
	Person    PersonID
	ClaimedAt time.Time
	Until     time.Time // nobody else has the place before
	DoneAt    time.Time // zero while it goes on
	Outcome   SweepOutcome
	Version   int64
	Yield     SweepYield
}

// SweepOutcome is how a sweep ended.
type SweepOutcome string

// The outcomes.
const (
	SweepFound   SweepOutcome = "found"    // items were handed in from it
	SweepNone    SweepOutcome = "none"     // there was nothing
	SweepGone    SweepOutcome = "gone"     // the place is not there any more
	SweepGivenUp SweepOutcome = "given_up" // not gone through; another person may
)

// SweepYield counts what was handed in from a sweep.
type SweepYield struct {
	New    int // nobody knew it
	Joined int // another authority had found it
	Known  int // its own authority had
}

// WatchBody is the body of events on a watch and its sweeps.
type WatchBody struct {
	Ref       string       `json:"ref"`
	Authority AuthorityID  `json:"authority"`
	Outlet    OutletID     `json:"outlet,omitempty"`
	Owner     WatchOwner   `json:"owner,omitempty"`
	CadenceH  int64        `json:"cadence_h,omitempty"`
	Until     string       `json:"until,omitempty"`
	Sweep     string       `json:"sweep,omitempty"`
	Outcome   SweepOutcome `json:"outcome,omitempty"`
	New       int          `json:"new,omitempty"`
	Joined    int          `json:"joined,omitempty"`
	Known     int          `json:"known,omitempty"`
}

// WatchText is the sealed part of the event that a place is watched.
type WatchText struct {
	Location Location `json:"location"`
	Ground   string   `json:"ground,omitempty"`
}

func (w Watch) event(kind EventKind, by Actor, now time.Time, fill func(*WatchBody)) Event {
	b := WatchBody{Ref: w.Ref, Authority: w.Authority}
	if fill != nil {
		fill(&b)
	}
	return NewEvent(kind, by, string(w.ID), now, b)
}

// MayWatch refuses whoever keeps no watchlist.
func (a Actor) MayWatch() error { return a.needAuthority(RoleOfficer, RoleReviewer) }

// MaySee lets people of the watch's authority see it; a private person's account
// only members of its case (c, the zero one where there is none). Auditors see all.
func (w Watch) MaySee(a Actor, c Case) error {
	switch {
	case a.Has(RoleAuditor):
		return nil
	case a.Authority == "" || a.Authority != w.Authority || a.MayWatch() != nil:
		return ErrNotFound
	case w.Owner == WatchPerson && (c.ID != w.Case || !c.Member(a)):
		return ErrNotFound
	}
	return nil
}

// Placed checks a new watch. A private person's account needs a case that the
// actor works on and that may grow, a written ground, and an end at most ninety
// days away; an outlet's place needs the outlet.
func (w Watch) Placed(by Actor, c Case, now time.Time) (Watch, Event, error) {
	if err := by.MayWatch(); err != nil {
		return w, Event{}, err
	}
	switch {
	case w.Owner != WatchOutlet && w.Owner != WatchPerson:
		return w, Event{}, Refuse(Invalid, "watch.owner", "owner", "say whose place this is: an outlet's own, or a private person's account")
	case w.Owner == WatchOutlet && w.Outlet == "":
		return w, Event{}, Refuse(Invalid, "watch.outlet", "outlet", "name the outlet whose own place this is; what no outlet runs is a private person's account")
	case w.Cadence < WatchCadenceLeast || w.Cadence > WatchCadenceMost || w.Cadence%time.Hour != 0:
		return w, Event{}, Refuse(Invalid, "watch.cadence", "cadence", "a place is gone through every 1 to %d hours, in whole hours", WatchCadenceMost/time.Hour)
	case len(w.Ground) > 4000:
		return w, Event{}, Refuse(TooLarge, "watch.ground", "ground", "a ground has at most 4000 bytes")
	}
	if w.Case != "" || w.Owner == WatchPerson {
		if err := w.personal(by, c, now); err != nil {
			return w, Event{}, err
		}
	}
	if !w.EndsAt.IsZero() && !w.EndsAt.After(now) {
		return w, Event{}, Refuse(Invalid, "watch.until", "until", "the end lies in the past: give a date that is yet to come")
	}
	w.Authority, w.PlacedBy, w.PlacedAt, w.NextAt = by.Authority, by.Person, now, now
	e := w.event(EventWatchPlaced, by, now, func(b *WatchBody) {
		b.Outlet, b.Owner, b.CadenceH = w.Outlet, w.Owner, int64(w.Cadence/time.Hour)
		if !w.EndsAt.IsZero() {
			b.Until = w.EndsAt.UTC().Format(time.DateOnly)
		}
	})
	return w, e.WithSealed(WatchText{w.Location, w.Ground}), nil
}

func (w Watch) personal(by Actor, c Case, now time.Time) error {
	if w.Owner == WatchPerson {
		const way = "a private person's account is watched within a case, on a written ground of at least twenty characters, and until a date at most 90 days away: "
		switch {
		case w.Case == "":
			return Refuse(Forbidden, "watch.private_person", "case", way+"name the case")
		case len(strings.TrimSpace(w.Ground)) < 20:
			return Refuse(Forbidden, "watch.private_person", "ground", way+"write the ground")
		case w.EndsAt.IsZero() || !w.EndsAt.After(now) || w.EndsAt.Sub(now) > WatchPersonTerm:
			return Refuse(Forbidden, "watch.private_person", "until", way+"the end is missing, past, or too far away")
		}
	}
	if c.ID != w.Case {
		return ErrNotFound
	}
	if err := c.works(by); err != nil {
		return err
	}
	return c.grows(now)
}

// InForce reports whether the place is watched now.
func (w Watch) InForce(now time.Time) bool {
	return w.EndedAt.IsZero() && (w.EndsAt.IsZero() || now.Before(w.EndsAt))
}

// Claimed takes the place to go through it; had is the sweep that has it now, the
// zero one for none. A person's own goes on.
func (w Watch) Claimed(by Actor, had, next Sweep, now time.Time) (Watch, Sweep, Event, error) {
	if err := by.needAuthority(RoleOfficer); err != nil {
		return w, had, Event{}, err
	}
	switch {
	case by.Authority != w.Authority:
		return w, had, Event{}, ErrNotFound
	case !w.InForce(now):
		return w, had, Event{}, Refuse(Conflict, "watch.ended", "", "place %s is no longer watched: put it on the list again if it is to be", w.Ref)
	case had.ID != "" && had.DoneAt.IsZero() && had.Person == by.Person:
		return w, had, Event{}, Refuse(Conflict, "watch.yours", "", "you are going through place %s already: hand in what you find from sweep %s, and finish it", w.Ref, had.Ref)
	case had.ID != "" && had.DoneAt.IsZero() && now.Before(had.Until):
		return w, had, Event{}, Refuse(Conflict, "watch.claimed", "", "a colleague is going through place %s until %s: take the next one", w.Ref, had.Until.UTC().Format("15:04 MST"))
	}
	next.Watch, next.Person, next.ClaimedAt, next.Until = w.ID, by.Person, now, now.Add(SweepLease)
	w.Sweep = next.ID
	return w, next, w.event(EventWatchClaimed, by, now, func(b *WatchBody) { b.Sweep = next.Ref }), nil
}

// Goes refuses finds, and the end, of a sweep that is over or another person's.
func (s Sweep) Goes(by Actor) error {
	if s.Person != by.Person {
		return ErrNotFound
	}
	if !s.DoneAt.IsZero() {
		return Refuse(Conflict, "sweep.done", "sweep", "sweep %s is finished: take the place again to go on", s.Ref)
	}
	return nil
}

// Swept finishes the actor's sweep. What it found counts by itself; none is said
// only where nothing was handed in. The place falls due again after its cadence,
// but for a sweep that was given up, which changes nothing.
func (w Watch) Swept(by Actor, s Sweep, outcome SweepOutcome, now time.Time) (Watch, Sweep, Event, error) {
	if err := s.Goes(by); err != nil {
		return w, s, Event{}, err
	}
	found := s.Yield != SweepYield{}
	switch {
	case s.Watch != w.ID:
		return w, s, Event{}, ErrNotFound
	case outcome == SweepFound && !found:
		return w, s, Event{}, Refuse(Invalid, "sweep.outcome", "outcome", "nothing was handed in from sweep %s yet: hand in what you found, or say that there was nothing", s.Ref)
	case outcome == SweepNone && found, outcome == SweepGivenUp && found:
		outcome = SweepFound
	case outcome != SweepFound && outcome != SweepNone && outcome != SweepGone && outcome != SweepGivenUp:
		return w, s, Event{}, Refuse(Invalid, "sweep.outcome", "outcome", "a sweep ends as %s, %s, %s or %s: choose one", SweepFound, SweepNone, SweepGone, SweepGivenUp)
	}
	s.DoneAt, s.Outcome = now, outcome
	if w.Sweep == s.ID {
		w.Sweep = ""
	}
	if outcome != SweepGivenUp {
		w.LastAt, w.NextAt = now, now.Add(w.Cadence)
	}
	return w, s, w.event(EventWatchSwept, by, now, func(b *WatchBody) {
		b.Sweep, b.Outcome, b.New, b.Joined, b.Known = s.Ref, outcome, s.Yield.New, s.Yield.Joined, s.Yield.Known
	}), nil
}

// Ended ends the watch by a person of its authority.
func (w Watch) Ended(by Actor, now time.Time) (Watch, Event, error) {
	if err := by.MayWatch(); err != nil {
		return w, Event{}, err
	}
	if by.Authority != w.Authority {
		return w, Event{}, ErrNotFound
	}
	return w.ended(by, now)
}

// Erased is the event that the place and the ground of a private person's
// account are gone.
func (w Watch) Erased(now time.Time) Event { return w.event(EventWatchErased, House, now, nil) }

// Expired ends it by clock, or because its case is closed.
func (w Watch) Expired(now time.Time) (Watch, Event, error) { return w.ended(House, now) }

func (w Watch) ended(by Actor, now time.Time) (Watch, Event, error) {
	if !w.EndedAt.IsZero() {
		return w, Event{}, Refuse(Conflict, "watch.ended", "", "place %s is no longer watched, since %s", w.Ref, w.EndedAt.UTC().Format(time.DateOnly))
	}
	w.EndedBy, w.EndedAt, w.Sweep = by.Person, now, ""
	return w, w.event(EventWatchEnded, by, now, nil), nil
}
