package concert

import (
	"strings"
	"time"
)

// Outlet is a brand: news agency, radio, foundation. Its marks are what brands
// an item as its own.
type Outlet struct {
	ID        OutletID
	Ref       string
	Name      string
	Aliases   []string
	Marks     []string // logo, watermark, intro, nasheed, signature …
	Sites     []string // registrable domains that are the outlet's own
	Parent    OutletID // the entity behind it
	Exercise  bool
	CreatedAt time.Time
}

// ScopeEntry is one line of the public scope list (G38): an outlet or its
// parent, designated by a legal act. It counts from ListedOn until DelistedOn,
// and only once a second person has confirmed it.
type ScopeEntry struct {
	ID          ScopeEntryID
	Ref         string
	Outlet      OutletID
	LegalAct    string
	Authority   string // who designated: an institution's name
	Citation    string // where the act can be read
	ListedOn    time.Time
	DelistedOn  time.Time // zero while listed
	ProposedBy  PersonID
	ConfirmedBy PersonID
	ConfirmedAt time.Time
	DelistedBy  PersonID
	Exercise    bool
	CreatedAt   time.Time
	Version     int64
}

// Proposed checks a new entry. Whoever proposes cannot confirm.
func (s ScopeEntry) Proposed(by Actor, now time.Time) (ScopeEntry, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return s, err
	}
	for field, v := range map[string]string{"legal_act": s.LegalAct, "authority": s.Authority, "citation": s.Citation} {
		if len(strings.TrimSpace(v)) < 5 {
			return s, Refuse(Invalid, "scope.citation", field, "a scope entry needs its legal act, the designating authority and a citation where the act can be read, each in at least five characters")
		}
	}
	if s.ListedOn.IsZero() || s.ListedOn.After(now) {
		return s, Refuse(Invalid, "scope.date", "listed_on", "a scope entry needs the date of designation, not in the future")
	}
	s.ProposedBy, s.CreatedAt = by.Person, now
	return s, nil
}

// Confirmed makes the entry count; the second person is another than the first.
func (s ScopeEntry) Confirmed(by Actor, now time.Time) (ScopeEntry, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return s, err
	}
	if !s.ConfirmedAt.IsZero() {
		return s, Refuse(Conflict, "scope.confirmed", "", "this entry is confirmed already")
	}
	if by.Person == s.ProposedBy {
		return s, Refuse(Forbidden, "scope.same_person", "", "whoever proposed a scope entry cannot confirm it: ask a second person")
	}
	s.ConfirmedBy, s.ConfirmedAt = by.Person, now
	return s, nil
}

// Delisted ends the entry from the date on.
func (s ScopeEntry) Delisted(by Actor, on, now time.Time) (ScopeEntry, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return s, err
	}
	if on.IsZero() || on.Before(s.ListedOn) {
		return s, Refuse(Invalid, "scope.delisted_on", "delisted_on", "the delisting date is missing or lies before the listing: correct it")
	}
	s.DelistedOn, s.DelistedBy = on, by.Person
	return s, nil
}

// InForce reports whether the entry covers content at the time.
func (s ScopeEntry) InForce(now time.Time) bool {
	return !s.ConfirmedAt.IsZero() && !s.ListedOn.After(now) && (s.DelistedOn.IsZero() || s.DelistedOn.After(now))
}

// ScopeList answers whether an outlet or one of its parents is in scope.
type ScopeList struct {
	Outlets map[OutletID]Outlet
	Entries map[OutletID][]ScopeEntry
}

// Covers returns the entry in force for the outlet or a parent (G38). The
// depth bound ends a circle of parents.
func (l ScopeList) Covers(o OutletID, now time.Time) (ScopeEntry, error) {
	if o == "" {
		return ScopeEntry{}, Refuse(Invalid, "scope.no_outlet", "outlet", "a referral names the outlet whose brand the content carries; none is named")
	}
	at := o
	for range 8 {
		for _, e := range l.Entries[at] {
			if e.InForce(now) {
				return e, nil
			}
		}
		out, ok := l.Outlets[at]
		if !ok || out.Parent == "" {
			break
		}
		at = out.Parent
	}
	name := l.Outlets[o].Name
	if name == "" {
		name = string(o)
	}
	return ScopeEntry{}, Refuse(Invalid, "scope.not_listed", "outlet", "%q and its parents stand on no scope entry in force today, so nothing of it can be referred: the list is public (/scope), an entry needs a legal act and two people", name)
}
