package casework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// findMost bounds what one question finds.
	findMost = 20
	// findLongest is the longest question: as long as a place may be.
	findLongest = 4096
)

// FoundKind is what kind of thing was found; a door knows where it is shown.
type FoundKind string

// The kinds.
const (
	FoundItem      FoundKind = "item"
	FoundReferral  FoundKind = "referral"
	FoundHold      FoundKind = "hold"
	FoundAction    FoundKind = "action"
	FoundProvider  FoundKind = "provider"
	FoundOutlet    FoundKind = "outlet"
	FoundAuthority FoundKind = "authority"
	FoundScope     FoundKind = "scope"
	FoundPerson    FoundKind = "person"
	FoundCase      FoundKind = "case"
	FoundIncident  FoundKind = "incident"
	FoundOrder     FoundKind = "order"
)

// Found is one thing that a question found: never anything sealed.
type Found struct {
	Kind   FoundKind
	Ref    string
	Name   string // "" where it has none that may be shown
	Status string // code of where it stands, "" where it stands nowhere
}

// Find finds what the actor may see by its reference, by its exact place, or by
// its name. What there is not and what may not be seen are answered alike: by
// nothing. A place is looked up by its keyed digest, for whoever says what for, and that an
// item was found by it is recorded; what begins with a reference or a name opens nothing.
func (s *Service) Find(ctx context.Context, scope concert.Scope, question string) ([]Found, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	question = strings.TrimSpace(question)
	if len(question) > findLongest {
		return nil, concert.Refuse(concert.TooLarge, "find.question", "q", "a question has at most %d characters", findLongest)
	}
	by := scope.Actor()
	place := s.placeFor(by, question)
	if place != nil {
		if err := scope.Justified(); err != nil {
			return nil, err
		}
	}
	var out []Found
	if question != "" {
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			var err error
			out, err = s.find(ctx, tx, by, question, place)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if place != nil && len(out) > 0 && out[0].Kind == FoundItem && !by.Has(concert.RoleAuditor) {
		if e, ok := scope.Consulted(concert.ConsultedBody{What: concert.ReadPlace, Ref: out[0].Ref, Count: 1}, s.now()); ok {
			if err := s.recordConsultation(ctx, e); err != nil {
				return nil, fmt.Errorf("the reading could not be recorded, so there is no answer: %w", err)
			}
		}
	}
	return out, s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadFind, Ref: referenceOnly(question), Count: len(out)})
}

func (s *Service) find(ctx context.Context, tx *store.Tx, by concert.Actor, question string, place *[32]byte) ([]Found, error) {
	if prefix, ref, err := identity.ParseReference(question); err == nil {
		one, err := s.findReference(ctx, tx, by, prefix, ref)
		if errors.Is(err, concert.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []Found{one}, nil
	}
	var out []Found
	if place != nil {
		var err error
		if out, err = s.findPlace(ctx, tx, by, *place); err != nil {
			return nil, err
		}
	}
	named, err := findNames(ctx, tx, by, question)
	out = append(out, named...)
	return out[:min(len(out), findMost)], err
}

// findReference is the one thing with the reference, ErrNotFound where there is
// none or none for the actor.
func (s *Service) findReference(ctx context.Context, tx *store.Tx, by concert.Actor, prefix, ref string) (Found, error) {
	register := registersSeen(by)
	switch {
	case prefix == "IT":
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return Found{}, err
		}
		it, ok := items[ref]
		if !ok {
			return Found{}, concert.ErrNotFound
		}
		return s.foundItem(ctx, tx, by, it)
	case prefix == "RF":
		r, err := tx.Referral(ctx, ref)
		if err != nil {
			return Found{}, err
		}
		return Found{Kind: FoundReferral, Ref: r.Ref, Status: string(r.Status)}, by.MayRead(r)
	case prefix == "OR" && by.Provider == "":
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return Found{}, err
		}
		return Found{Kind: FoundOrder, Ref: o.Ref, Status: string(o.Status)}, by.MayReadOrder(o)
	case prefix == "CA":
		c, err := tx.Case(ctx, ref)
		if err != nil {
			return Found{}, err
		}
		return Found{Kind: FoundCase, Ref: c.Ref}, c.MayRead(by) // its title is sealed
	case prefix == "IN" && mayKnowIncidents(by) == nil:
		n, err := tx.Incident(ctx, ref)
		return Found{Kind: FoundIncident, Ref: n.Ref}, err
	case prefix == "HO" && (by.Has(concert.RoleOfficer) || by.Has(concert.RoleReviewer)):
		h, err := tx.Hold(ctx, ref)
		if err != nil {
			return Found{}, err
		}
		if h.Authority != by.Authority {
			return Found{}, concert.ErrNotFound
		}
		return Found{Kind: FoundHold, Ref: h.Ref}, nil
	case prefix == "OP" && (by.Has(concert.RoleAdministrator) || by.Has(concert.RoleAuditor)):
		p, err := tx.PersonByLogin(ctx, ref)
		return Found{Kind: FoundPerson, Ref: p.Operator}, err
	case prefix == "JA" && register:
		a, err := tx.Action(ctx, ref)
		return Found{Kind: FoundAction, Ref: a.Ref, Name: a.Name, Status: string(a.Phase)}, err
	case prefix == "PR" && register:
		p, err := tx.Provider(ctx, ref)
		return Found{Kind: FoundProvider, Ref: p.Ref, Name: p.Name}, err
	case prefix == "OU" && register:
		o, err := tx.Outlet(ctx, ref)
		return Found{Kind: FoundOutlet, Ref: o.Ref, Name: o.Name}, err
	case prefix == "AU" && register:
		a, err := tx.Authority(ctx, ref)
		return Found{Kind: FoundAuthority, Ref: a.Ref, Name: a.Name}, err
	case prefix == "SC":
		e, err := tx.ScopeEntry(ctx, ref)
		if err != nil {
			return Found{}, err
		}
		o, err := tx.Outlet(ctx, string(e.Outlet))
		return Found{Kind: FoundScope, Ref: e.Ref, Name: o.Name}, err
	}
	return Found{}, concert.ErrNotFound
}

// registersSeen reports whether the actor sees the registers: a provider's
// people see what is addressed to them, and what is public.
func registersSeen(by concert.Actor) bool { return by.Provider == "" }

func (s *Service) foundItem(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item) (Found, error) {
	v := ItemView{Item: it}
	if err := s.findersOf(ctx, tx, by, &v); err != nil {
		return Found{}, err
	}
	it = it.ShownTo(by.Authority)
	if !it.ErasedAt.IsZero() {
		return Found{Kind: FoundItem, Ref: it.Ref}, nil
	}
	return Found{Kind: FoundItem, Ref: it.Ref, Status: string(it.Status)}, nil
}

// placeFor is the keyed digest of the place that the question is, nil where it
// is none, or where the actor sees no items anyway.
func (s *Service) placeFor(by concert.Actor, question string) *[32]byte {
	if question == "" || by.Authority == "" && !by.Has(concert.RoleAuditor) {
		return nil
	}
	if _, _, err := identity.ParseReference(question); err == nil {
		return nil
	}
	loc, _, err := s.locate(question, nil)
	if err != nil {
		return nil
	}
	at := s.DB.Place(loc.Kind, loc.Canonical)
	return &at
}

// findPlace is the item at exactly this place, however it is spelled.
func (s *Service) findPlace(ctx context.Context, tx *store.Tx, by concert.Actor, at [32]byte) ([]Found, error) {
	items, err := tx.ItemsByPlace(ctx, [][32]byte{at})
	if err != nil {
		return nil, err
	}
	it, ok := items[at]
	if !ok {
		return nil, nil
	}
	one, err := s.foundItem(ctx, tx, by, it)
	if errors.Is(err, concert.ErrNotFound) {
		return nil, nil
	}
	return []Found{one}, err
}

// findNames are the outlets, joint actions, providers and authorities that are
// called so; what begins with the question comes first.
func findNames(ctx context.Context, tx *store.Tx, by concert.Actor, question string) ([]Found, error) {
	if !registersSeen(by) {
		return nil, nil
	}
	asked := strings.ToLower(question)
	type ranked struct {
		Found
		at int
	}
	var hits []ranked
	try := func(f Found, more ...string) {
		best := -1
		for _, name := range append(more, f.Name) {
			if i := strings.Index(strings.ToLower(name), asked); i >= 0 && (best < 0 || i < best) {
				best = i
			}
		}
		if best >= 0 {
			hits = append(hits, ranked{f, best})
		}
	}
	list, err := tx.ScopeList(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range list.Outlets {
		try(Found{Kind: FoundOutlet, Ref: o.Ref, Name: o.Name}, o.Aliases...)
	}
	actions, err := tx.Actions(ctx, actionsMost)
	if err != nil {
		return nil, err
	}
	for _, a := range actions {
		try(Found{Kind: FoundAction, Ref: a.Ref, Name: a.Name, Status: string(a.Phase)})
	}
	providers, err := tx.Providers(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		try(Found{Kind: FoundProvider, Ref: p.Ref, Name: p.Name}, p.Platforms...)
	}
	authorities, err := tx.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range authorities {
		try(Found{Kind: FoundAuthority, Ref: a.Ref, Name: a.Name}, a.Unit)
	}
	slices.SortFunc(hits, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(min(a.at, 1), min(b.at, 1)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Ref, b.Ref))
	})
	out := make([]Found, min(len(hits), findMost))
	for i := range out {
		out[i] = hits[i].Found
	}
	return out, nil
}
