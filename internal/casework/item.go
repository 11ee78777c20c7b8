package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"concert"
	"concert/internal/identity"
	"concert/internal/match"
	"concert/internal/store"
)

// Submission is one find as it comes in.
type Submission struct {
	Location   string
	Type       concert.ItemType
	Outlet     string // reference, may be ""
	Action     string // reference, may be ""
	Priority   int
	Evaluation string
	SHA256     string // of the captured bytes, 64 hex digits; "" where nothing was captured
	Handling   concert.Handling
	Source     string      // form, api, csv
	Captures   []Capturing // small ones that come along

	taken []taken

	Language string // BCP 47, as its finder says; "" where it says nothing
	Incident string // reference, may be ""
	Sweep    string // reference of the sweep that it was found in, may be ""
}

// sum is the digest of the captured bytes; false where nothing was captured.
func (sub Submission) sum() (sum [32]byte, ok bool, err error) {
	if sub.SHA256 == "" {
		return sum, false, nil
	}
	if n, err := hex.Decode(sum[:], []byte(sub.SHA256)); err != nil || n != len(sum) || len(sub.SHA256) != hex.EncodedLen(len(sum)) {
		return sum, false, concert.Refuse(concert.Invalid, "item.sha256", "sha256", "sha256 is the SHA-256 of the captured bytes in 64 hex digits: got %.80q", sub.SHA256)
	}
	return sum, true, nil
}

// Outcomes of a submission.
const (
	OutcomeCreated   = "created"
	OutcomeStopped   = "stopped"
	OutcomeDuplicate = "duplicate"
	OutcomeKnown     = "known"
)

// Locate canonicalises a location and asks the guard, without any record.
func (s *Service) Locate(input string) (concert.Location, concert.Guard, error) {
	return s.locate(input, nil)
}

// locate turns a text into a place; sites are the registrable domains that are
// designated outlets' own, whose root is the item and not a stop.
func (s *Service) locate(input string, sites map[string]bool) (concert.Location, concert.Guard, error) {
	l, err := match.Locate(input)
	if err != nil {
		var le *match.LocationError
		if errors.As(err, &le) {
			return concert.Location{}, concert.Guard{}, concert.Refuse(concert.Invalid, le.Code, "location", le.Form, le.Args...)
		}
		return concert.Location{}, concert.Guard{}, err
	}
	g := s.Rules.CheckAs(l, sites[l.RegistrableDomain])
	return concert.Location{Kind: string(l.Kind), Canonical: l.Canonical, Platform: l.Platform, ObjectID: l.ObjectID, Domain: l.RegistrableDomain, Display: l.Display, Submitted: input},
		concert.Guard{Verdict: concert.GuardVerdict(g.Verdict), Class: g.Class, Rule: g.Rule, Reason: g.Reason}, nil
}

// submitting is an act on many submissions while it runs.
type submitting struct {
	s       *Service
	by      concert.Actor
	scope   concert.ScopeList
	hosts   map[string]concert.ProviderID
	actions map[string]concert.Action
	known   map[[32]byte]concert.Item
	seen    map[concert.ItemID]bool
	added   []concert.Item
	saw     []concert.Sighting
	joined  []concert.ItemID // found by this authority too, now
	events  []concert.Event

	captured []concert.Capture
	bytes    []store.Bytes
	folders  folders
}

// SubmitItems takes finds. A place that another authority found already is
// joined with shared credit; one that this authority found already adds
// nothing; what the guard stops is recorded as stopped.
func (s *Service) SubmitItems(ctx context.Context, by concert.Actor, in []Submission) ([]Result, error) {
	if err := by.MaySubmit(); err != nil {
		return nil, err
	}
	var sites map[string]bool
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		list, err := tx.ScopeList(ctx)
		sites = s.sitesOf(list)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]Result, len(in))
	locs := make([]concert.Location, len(in))
	guards := make([]concert.Guard, len(in))
	places := make([][32]byte, len(in))
	var lookUp [][32]byte
	for i, sub := range in {
		var err error
		if locs[i], guards[i], err = s.locate(sub.Location, sites); err == nil {
			in[i].taken, err = s.takeInline(by, sub.Captures)
		}
		if err != nil {
			locs[i] = concert.Location{}
			if out[i].Err, err = refusal(err); err != nil {
				return nil, err
			}
			continue
		}
		places[i] = s.DB.Place(locs[i].Kind, locs[i].Canonical)
		lookUp = append(lookUp, places[i])
	}
	if len(lookUp) == 0 {
		return out, nil
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		b, err := s.beginSubmitting(ctx, tx, by, lookUp)
		if err != nil {
			return err
		}
		for i, sub := range in {
			if locs[i].Kind == "" {
				continue
			}
			r, err := b.folded(ctx, tx, sub, locs[i], guards[i], places[i])
			if err != nil {
				if r.Err, err = refusal(err); err != nil {
					return err
				}
			}
			out[i] = r
		}
		if err := tx.AddItems(ctx, b.added); err != nil {
			return err
		}
		for _, it := range b.added {
			s.retain(tx, it)
		}
		if _, err := tx.AddSightings(ctx, b.saw); err != nil {
			return err
		}
		tx.Record(b.events...)
		for _, c := range b.captured {
			tx.SetClock(concert.ClockCaptures, string(c.Item), c.AddedAt.Add(concert.ErasureTerm))
		}
		if _, err := tx.AddCaptures(ctx, b.captured, b.bytes); err != nil {
			return err
		}
		if err := tx.RaiseFound(ctx, b.joined); err != nil {
			return err
		}
		return b.folders.save(ctx, tx, s)
	})
	return out, err
}

// sitesOf are the own domains of outlets in scope now.
func (s *Service) sitesOf(list concert.ScopeList) map[string]bool {
	sites := map[string]bool{}
	now := s.now()
	for id, o := range list.Outlets {
		if len(o.Sites) == 0 {
			continue
		}
		if _, err := list.Covers(id, now); err == nil {
			for _, d := range o.Sites {
				sites[d] = true
			}
		}
	}
	return sites
}

func (s *Service) beginSubmitting(ctx context.Context, tx *store.Tx, by concert.Actor, places [][32]byte) (*submitting, error) {
	b := &submitting{s: s, by: by, actions: map[string]concert.Action{}}
	var err error
	if b.scope, err = tx.ScopeList(ctx); err != nil {
		return nil, err
	}
	if b.hosts, err = tx.Platforms(ctx); err != nil {
		return nil, err
	}
	if b.known, err = tx.ItemsByPlace(ctx, places); err != nil {
		return nil, err
	}
	ids := make([]concert.ItemID, 0, len(b.known))
	for _, it := range b.known {
		ids = append(ids, it.ID)
	}
	b.seen, err = tx.SeenBy(ctx, by.Authority, ids)
	return b, err
}

func (b *submitting) one(ctx context.Context, tx *store.Tx, sub Submission, loc concert.Location, g concert.Guard, place [32]byte) (Result, error) {
	now := b.s.now()
	if sub.Evaluation == "" {
		sub.Evaluation = "A1"
	}
	if !slices.Contains(concert.EvaluationCodes, sub.Evaluation) {
		return Result{}, concert.Refuse(concert.Invalid, "item.evaluation", "evaluation", "%q is no evaluation code: a source A, B, C or X and an information 1 to 4", sub.Evaluation)
	}
	if it, ok := b.known[place]; ok {
		it = it.ShownTo(b.by.Authority)
		if err := b.capture(ctx, tx, it, sub, true); err != nil {
			return Result{}, err
		}
		if b.seen[it.ID] {
			return Result{Ref: it.Ref, Outcome: OutcomeKnown, Version: it.Version}, nil
		}
		sg, e, err := it.Joined(b.by, now)
		if err != nil {
			return Result{}, err
		}
		sg.Source, sg.Evaluation = sub.Source, sub.Evaluation
		b.seen[it.ID] = true
		b.saw, b.events = append(b.saw, sg), append(b.events, e)
		b.joined = append(b.joined, it.ID)
		return Result{Ref: it.Ref, Outcome: OutcomeDuplicate, Version: it.Version}, nil
	}
	it := concert.Item{ID: concert.ItemID(identity.NewID()), Ref: identity.NewReference("IT"), Place: place, Location: loc, Type: sub.Type, Priority: min(max(sub.Priority, 0), 9), Guard: g, Language: sub.Language, Exercise: b.s.Exercise, Version: 1}
	it.Provider, it.Handling = b.host(loc), sub.Handling
	sum, captured, err := sub.sum()
	if err != nil {
		return Result{}, err
	}
	if captured {
		it.Hash, it.Content = strings.ToLower(sub.SHA256), b.s.DB.Content(sum)
	} else if sum, hash, ok := sub.work(); ok {
		it.Hash, it.Content = hash, b.s.DB.Content(sum)
	}
	if sub.Outlet != "" {
		o, err := findOutlet(b.scope, sub.Outlet)
		if err != nil {
			return Result{}, err
		}
		it.Outlet = o.ID
	}
	if sub.Action != "" {
		a, err := b.action(ctx, tx, sub.Action)
		if err != nil {
			return Result{}, err
		}
		it.Action = a.ID
	}
	it, e, err := concert.Found(b.by, it, now)
	if err != nil {
		return Result{}, err
	}
	b.added, b.events = append(b.added, it), append(b.events, e)
	if err := b.capture(ctx, tx, it, sub, false); err != nil {
		b.added, b.events = b.added[:len(b.added)-1], b.events[:len(b.events)-1]
		return Result{}, err
	}
	b.known[place], b.seen[it.ID] = it, true
	b.saw = append(b.saw, concert.Sighting{Item: it.ID, Authority: b.by.Authority, Person: b.by.Person, At: now, Source: sub.Source, Evaluation: sub.Evaluation})
	outcome := OutcomeCreated
	if it.Status == concert.ItemStopped {
		outcome = OutcomeStopped
	}
	return Result{Ref: it.Ref, Outcome: outcome, Version: 1}, nil
}

// host is who answers for a place: by platform, else by registrable domain.
func (b *submitting) host(loc concert.Location) concert.ProviderID { return hostOf(b.hosts, loc) }

func hostOf(hosts map[string]concert.ProviderID, loc concert.Location) concert.ProviderID {
	if p, ok := hosts[loc.Platform]; ok && loc.Platform != "" {
		return p
	}
	if loc.Domain == "" {
		return ""
	}
	return hosts[loc.Domain]
}

// action is a joint action that the actor's authority takes part in and that
// is not closed.
func (b *submitting) action(ctx context.Context, tx *store.Tx, ref string) (concert.Action, error) {
	if a, ok := b.actions[ref]; ok {
		return a, nil
	}
	a, err := tx.Action(ctx, ref)
	if err != nil {
		return a, err
	}
	if a.Phase == concert.PhaseClose {
		return a, concert.Refuse(concert.Conflict, "action.closed", "action", "action %s is closed: hand the item in without it", a.Ref)
	}
	parts, err := tx.Participants(ctx, a.ID)
	if err != nil {
		return a, err
	}
	for _, p := range parts {
		if p.Authority == b.by.Authority {
			b.actions[ref] = a
			return a, nil
		}
	}
	return a, concert.Refuse(concert.Forbidden, "action.not_participant", "action", "your authority takes no part in action %s: ask its coordinator", a.Ref)
}

func findOutlet(list concert.ScopeList, ref string) (concert.Outlet, error) {
	for _, o := range list.Outlets {
		if o.Ref == ref || string(o.ID) == ref {
			return o, nil
		}
	}
	return concert.Outlet{}, concert.Refuse(concert.Invalid, "outlet.unknown", "outlet", "there is no outlet %q in the register: ask a coordinator to add it", ref)
}
