package concert

import (
	"slices"
	"strings"
	"time"
)

// FinalGround is why nothing can be said against an order any more (Art. 3(9)).
type FinalGround string

// The grounds.
const (
	FinalLapsed    FinalGround = "lapsed"    // nobody appealed in time
	FinalConfirmed FinalGround = "confirmed" // a court confirmed it
)

// FinalisedBy is the issuing authority's word that nobody appealed in time. lapse is
// when the addressee's time is over by the data of the issuing state's law; zero where
// the law gives none, and then the word stands alone.
func (o Order) FinalisedBy(by Actor, lapse time.Time, appeals []Appeal, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleReviewer, RoleIssuer); err != nil {
		return o, Event{}, err
	}
	switch {
	case slices.ContainsFunc(appeals, func(a Appeal) bool { return a.Outcome == "" }):
		return o, Event{}, Refuse(Conflict, "order.appealed", "", "an appeal against order %s is pending: it becomes final with the judgment", o.Ref)
	case now.Before(lapse):
		return o, Event{}, Refuse(Conflict, "order.appealable", "", "order %s may be appealed against until %s: it becomes final after that", o.Ref, stamp(lapse))
	}
	return o.final(by, FinalLapsed, now)
}

func (o Order) final(by Actor, why FinalGround, now time.Time) (Order, Event, error) {
	from := o.Status
	o, err := o.moved(OrderMoveFinalise, now)
	if err != nil {
		return o, Event{}, err
	}
	e, b := o.change(EventOrderFinal, by, from, now)
	b.Evidence = string(why)
	e.Body = b
	return o, e, nil
}

// AppealID names an Appeal.
type AppealID string

// AppealOutcome is how a court decided on an appeal (Art. 9).
type AppealOutcome string

// The outcomes.
const (
	AppealUpheld   AppealOutcome = "upheld"   // the order is void
	AppealRejected AppealOutcome = "rejected" // the order is final
)

// AppealOutcomes lists them.
var AppealOutcomes = []AppealOutcome{AppealUpheld, AppealRejected}

// Appeal is a party's way to the court against an order, as the issuing authority
// records it.
type Appeal struct {
	ID        AppealID
	Ref       string
	Order     OrderID
	Party     RedressParty
	FiledAt   time.Time
	Outcome   AppealOutcome // "" while it is pending
	DecidedAt time.Time     // the day of the judgment
	Version   int64
	AppealText
}

// AppealText is what of an appeal is written by hand, sealed under the order's key.
type AppealText struct {
	Court   string `json:"court"`
	Docket  string `json:"docket,omitempty"`
	Reasons string `json:"reasons,omitempty"` // of the judgment, in short
}

// AppealBody is the body of events on appeals: no text.
type AppealBody struct {
	Ref       string         `json:"ref"`
	For       string         `json:"for"` // the order's reference
	Authority AuthorityID    `json:"authority"`
	Party     RedressParty   `json:"party"`
	Outcome   AppealOutcome  `json:"outcome,omitempty"`
	Category  RemedyCategory `json:"category,omitempty"`
	At        int64          `json:"at"` // of the filing or the judgment, microseconds UTC
	Exercise  bool           `json:"exercise,omitempty"`
}

// Appealed records that an appeal was filed.
func (o Order) Appealed(by Actor, a Appeal, now time.Time) (Appeal, Event, error) {
	if err := o.own(by, RoleReviewer, RoleIssuer); err != nil {
		return a, Event{}, err
	}
	switch {
	case !o.Status.Out() || !o.Status.Binds() || o.Status == OrderFinal:
		return a, Event{}, Refuse(Conflict, "order.ended", "", "order %s is %s: no appeal against it is recorded", o.Ref, o.Status)
	case a.Party != RedressProvider && a.Party != RedressContent:
		return a, Event{}, Refuse(Invalid, "order.appeal_party", "party", "an appeal is the %s's or the %s's: choose one", RedressProvider, RedressContent)
	case a.FiledAt.IsZero() || a.FiledAt.After(now) || a.FiledAt.Before(o.IssuedAt):
		return a, Event{}, Refuse(Invalid, "order.appeal_at", "at", "an appeal is filed after the order was issued and not in the future: got %s", stamp(a.FiledAt))
	case strings.TrimSpace(a.Court) == "" || len(a.Court) > orderFieldMost || len(a.Docket) > orderFieldMost:
		return a, Event{}, Refuse(Invalid, "order.appeal_court", "court", "name the court, and its docket where there is one, in at most %d bytes each", orderFieldMost)
	}
	a.Order = o.ID
	b := AppealBody{Ref: a.Ref, For: o.Ref, Authority: o.Authority, Party: a.Party, At: Micros(a.FiledAt), Exercise: o.Exercise}
	return a, NewEvent(EventAppealed, by, string(o.ID), now, b).WithSealed(a.AppealText), nil
}

// AppealDecided records a judgment: an appeal that is upheld voids the order, one that
// is rejected lets it become final where it was executed.
func (o Order) AppealDecided(by Actor, a Appeal, outcome AppealOutcome, category RemedyCategory, reasons string, at, now time.Time) (Appeal, Event, error) {
	if err := o.own(by, RoleReviewer, RoleIssuer); err != nil {
		return a, Event{}, err
	}
	switch {
	case a.Outcome != "":
		return a, Event{}, Refuse(Conflict, "order.appeal_decided", "", "appeal %s was decided already", a.Ref)
	case !slices.Contains(AppealOutcomes, outcome):
		return a, Event{}, Refuse(Invalid, "order.appeal_outcome", "outcome", "a court upholds an appeal or rejects it: choose one of %v", AppealOutcomes)
	case at.IsZero() || at.After(now) || at.Before(a.FiledAt):
		return a, Event{}, Refuse(Invalid, "order.appeal_at", "at", "a judgment is given after the appeal was filed and not in the future: got %s", stamp(at))
	}
	if err := scrutinyText(reasons, "reason"); err != nil {
		return a, Event{}, err
	}
	if outcome == AppealUpheld {
		if err := category.check(); err != nil {
			return a, Event{}, err
		}
	}
	a.Outcome, a.DecidedAt, a.Reasons = outcome, at, strings.TrimSpace(reasons)
	b := AppealBody{Ref: a.Ref, For: o.Ref, Authority: o.Authority, Party: a.Party, Outcome: outcome, At: Micros(at), Exercise: o.Exercise}
	if outcome == AppealUpheld {
		b.Category = category
	}
	return a, NewEvent(EventAppealDecided, by, string(o.ID), now, b).WithSealed(a.AppealText), nil
}

// Confirmed makes an executed order final after its appeal was rejected; another one
// stays as it is, and false.
func (o Order) Confirmed(by Actor, now time.Time) (Order, Event, bool) {
	if o.Status != OrderExecuted {
		return o, Event{}, false
	}
	next, e, err := o.final(by, FinalConfirmed, now)
	return next, e, err == nil
}

// Replacing refuses an order that names another one which it cannot put right: of
// another authority, or one that still stands.
func (o Order) Replacing(old Order) error {
	if old.Authority != o.Authority || !old.Status.Out() || old.Status.Binds() {
		return Refuse(Conflict, "order.replaces", "replaces", "an order puts right one of its own authority that was withdrawn or is void: withdraw %.40q first, or name another", o.Replaces)
	}
	return nil
}
