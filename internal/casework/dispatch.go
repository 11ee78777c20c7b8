package casework

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// dispatchMost bounds the items that one transaction refers.
	dispatchMost = 400
	// urgentPriority does not wait for a provider's hours: threat to life.
	urgentPriority = 9
	// remindAfter is when silence is first followed by a reminder.
	remindAfter = 48 * time.Hour
	// hourAhead is how far a provider's counted hour may lie ahead of this
	// node's clock: clocks that were wrong by more are not waited for.
	hourAhead = 2 * time.Hour
	// firstSilentCheck is when we look at an item of which we heard nothing.
	firstSilentCheck = 24 * time.Hour
)

// dispatchProvider refers what is approved for a provider: within its hours
// and its capacity, kept back by holds, once more checked against the scope
// list. Only items that two people judged get here; this carries them.
func (s *Service) dispatchProvider(ctx context.Context, j concert.DispatchProvider) error {
	for {
		more := false
		err := s.retryStale(ctx, func(tx *store.Tx) error {
			var err error
			more, err = s.dispatchSome(ctx, tx, j.Provider)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

func (s *Service) dispatchSome(ctx context.Context, tx *store.Tx, id concert.ProviderID) (more bool, err error) {
	if held, err := s.heldBackHere(ctx, tx, concert.ClockDispatch, string(id)); err != nil || held {
		return false, err
	}
	p, err := tx.Provider(ctx, string(id))
	if err != nil {
		return false, err
	}
	now := s.now()
	limit, urgentOnly := s.allowance(tx, &p, now)
	if limit == 0 {
		return false, nil
	}
	paused, err := tx.Paused(ctx)
	if err != nil {
		return false, err
	}
	reins, err := reinsFor(ctx, tx, id, limit, now)
	if err != nil {
		return false, err
	}
	items, err := tx.ItemsToRefer(ctx, id, paused, reins.Keeping, now, limit)
	if err != nil {
		return false, err
	}
	fetched := len(items)
	items = reins.within(tx, items)
	if urgentOnly {
		n := 0
		for n < len(items) && items[n].Priority >= urgentPriority {
			n++
		}
		items = items[:n]
	}
	if len(items) == 0 {
		return false, nil
	}
	list, err := tx.ScopeList(ctx)
	if err != nil {
		return false, err
	}
	ready, parked, err := s.keepBack(ctx, tx, items, paused, list, now)
	if err != nil {
		return false, err
	}
	sent, err := s.refer(ctx, tx, p, ready, list, now)
	if err != nil {
		return false, err
	}
	if err := tx.SaveItems(ctx, append(parked, sent...)); err != nil {
		return false, err
	}
	p.HourCount += len(sent)
	if err := tx.SaveProvider(ctx, p); err != nil {
		return false, err
	}
	return fetched == limit, reins.spend(ctx, tx, sent, now)
}

// allowance says how many items may go to the provider now, and sets the clock
// for the rest.
func (s *Service) allowance(tx *store.Tx, p *concert.Provider, now time.Time) (limit int, urgentOnly bool) {
	// Another node's clock may be ahead: its hour stands, unless it is far off.
	if hour := now.Truncate(time.Hour); hour.After(p.HourStart) || p.HourStart.Sub(hour) > hourAhead {
		p.HourStart, p.HourCount = hour, 0
	}
	if w := windowOf(*p); !w.Open(now) {
		tx.SetClock(concert.ClockDispatch, string(p.ID), w.NextOpen(now))
		return dispatchMost, true
	}
	free := dispatch.Capacity{PerHour: p.PerHour}.Free(dispatchMost, p.HourCount)
	if p.PerHour > 0 && free < dispatchMost {
		tx.SetClock(concert.ClockDispatch, string(p.ID), p.HourStart.Add(time.Hour))
	}
	return free, false
}

// windowOf is when the provider takes referrals: outside its quiet hours, on
// its own wall clock (G12).
func windowOf(p concert.Provider) dispatch.Window {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		zone = time.UTC // checked when it was registered
	}
	if p.QuietFrom == p.QuietTo {
		return dispatch.Window{Zone: zone}
	}
	return dispatch.Window{Zone: zone, From: p.QuietTo, To: p.QuietFrom}
}

// keepBack parks what a hold stops and what is no longer in scope. This alone
// asks for holds, and it tells their holders that it did (G07). What an author
// hands over who met too many of them stays as it is.
func (s *Service) keepBack(ctx context.Context, tx *store.Tx, items []concert.Item, paused []concert.AuthorityID, list concert.ScopeList, now time.Time) (ready, parked []concert.Item, err error) {
	holds, err := tx.HoldsFor(ctx, items)
	if err != nil {
		return nil, nil, err
	}
	probing, err := s.beginProbing(ctx, tx, items, holds, paused, now)
	if err != nil {
		return nil, nil, err
	}
	for _, it := range items {
		if probing.stays(it) {
			continue
		}
		stop := standing(holds[it.ID], it, now)
		fresh, err := s.tellAll(ctx, tx, stop, it)
		if err != nil {
			return nil, nil, err
		}
		if len(stop) > 0 && !it.Overridden {
			if fresh {
				if err := probing.meets(ctx, tx, it.Author); err != nil {
					return nil, nil, err
				}
			}
			held, e, err := it.Held(stop[0], now)
			if err != nil {
				return nil, nil, err
			}
			tx.Record(e)
			// A node whose clock is ahead may have ended the hold's term before.
			tx.SetClock(concert.ClockHold, string(stop[0].ID), stop[0].ExpiresAt)
			parked = append(parked, held)
			continue
		}
		if _, err := list.Covers(it.Outlet, now); err != nil {
			out, e, err := it.Unscoped(concert.House, now)
			if err != nil {
				return nil, nil, err
			}
			tx.Record(e)
			parked = append(parked, out)
			continue
		}
		ready = append(ready, it)
	}
	return ready, parked, nil
}

// tellAll tells the holders that the item came upon their holds: stopped, or
// let through for a threat to life.
func (s *Service) tellAll(ctx context.Context, tx *store.Tx, holds []concert.Hold, it concert.Item) (fresh bool, err error) {
	kind := concert.AskedDispatch
	if it.Overridden {
		kind = concert.AskedOverride
	}
	for _, h := range holds {
		told, err := s.tell(ctx, tx, concert.House, h, it, kind)
		if err != nil {
			return false, err
		}
		fresh = fresh || told
	}
	return fresh, nil
}

// refer makes referrals of the items: one per author and action, at most
// concert.ReferralItems in each.
func (s *Service) refer(ctx context.Context, tx *store.Tx, p concert.Provider, items []concert.Item, list concert.ScopeList, now time.Time) ([]concert.Item, error) {
	type group struct {
		author concert.AuthorityID
		action concert.ActionID
	}
	var order []group
	groups := map[group][]concert.Item{}
	for _, it := range items {
		g := group{it.Author, it.Action}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], it)
	}
	f, err := s.facts(ctx, tx, items, list)
	if err != nil {
		return nil, err
	}
	most, err := s.referralMost(ctx, tx, p.ID)
	if err != nil {
		return nil, err
	}
	var sent []concert.Item
	for _, g := range order {
		for rest := groups[g]; len(rest) > 0; {
			part := rest[:min(len(rest), most)]
			rest = rest[len(part):]
			r := concert.Referral{ID: concert.ReferralID(identity.NewID()), Ref: identity.NewReference("RF"), Provider: p.ID, Author: g.author, Action: g.action, Exercise: s.Exercise, Version: 1, Article16: f.article16[g.author]}
			moved, err := s.referOne(ctx, tx, p, r, part, f, now)
			if err != nil {
				return nil, err
			}
			sent = append(sent, moved...)
		}
	}
	if len(sent) > 0 && p.Channel == concert.ChannelWebhook && p.DisabledAt.IsZero() {
		tx.SetClock(concert.ClockDeliver, string(p.ID), now)
	}
	return sent, nil
}

func (s *Service) referOne(ctx context.Context, tx *store.Tx, p concert.Provider, r concert.Referral, items []concert.Item, f facts, now time.Time) ([]concert.Item, error) {
	r, moved, events, err := concert.Referred(r, items, now)
	if err != nil {
		return nil, err
	}
	env, err := s.envelope(r, p, moved, f, now)
	if err != nil {
		return nil, err
	}
	if r.Envelope, err = json.Marshal(env); err != nil {
		return nil, fmt.Errorf("envelope of %s: %w", r.Ref, err)
	}
	if err := tx.AddReferral(ctx, r, moved); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(env.Payload)
	body := events[0].Body.(concert.ReferralBody)
	body.Digest = hex.EncodeToString(digest[:])
	events[0].Body = body
	urgent := false
	for _, it := range items {
		urgent = urgent || it.Priority >= urgentPriority
	}
	out := s.notice(p, r, concert.NoticeReferral, f.authorities[r.Author].Name, now)
	out.Urgent = urgent
	if err := s.post(ctx, tx, p, out, now); err != nil {
		return nil, err
	}
	tx.RecordNotice(events[0], out.ID)
	tx.Record(events[1:]...)
	tx.SetClock(concert.ClockRecheck, string(r.ID), now.Add(firstSilentCheck))
	tx.SetClock(concert.ClockRemind, string(r.ID), now.Add(remindAfter))
	return moved, nil
}

// notice is a delivery of the kind to the provider, due at once where it is
// pushed.
func (s *Service) notice(p concert.Provider, r concert.Referral, kind concert.NoticeKind, author string, now time.Time) store.Outgoing {
	d := concert.Delivery{ID: concert.DeliveryID(identity.NewID()), Provider: p.ID, Referral: r.ID, RefRef: r.Ref, Action: r.Action, Kind: kind, Rung: concert.RungQueued, CreatedAt: now, Version: 1}
	if p.Channel == concert.ChannelWebhook && p.DisabledAt.IsZero() {
		d.NextAt = now
	}
	return store.Outgoing{Delivery: d, Items: r.Items, Author: author, Exercise: s.Exercise}
}

// facts is what an envelope says beside the items themselves.
type facts struct {
	authorities map[concert.AuthorityID]concert.Authority
	assessments map[concert.AssessmentID]concert.Assessment
	operators   map[concert.PersonID]string
	finders     map[concert.ItemID][]concert.AuthorityID
	actions     map[concert.ActionID]concert.Action
	list        concert.ScopeList
	article16   map[concert.AuthorityID]bool // authors whose referrals are meant as notices under DSA Art. 16
}

func (s *Service) facts(ctx context.Context, tx *store.Tx, items []concert.Item, list concert.ScopeList) (facts, error) {
	f := facts{authorities: map[concert.AuthorityID]concert.Authority{}, actions: map[concert.ActionID]concert.Action{}, list: list, article16: map[concert.AuthorityID]bool{}}
	all, err := tx.Authorities(ctx)
	if err != nil {
		return f, err
	}
	for _, a := range all {
		f.authorities[a.ID] = a
	}
	ids := make([]concert.ItemID, len(items))
	judged := make([]concert.AssessmentID, len(items))
	people := map[concert.PersonID]bool{}
	for i, it := range items {
		ids[i], judged[i] = it.ID, it.Assessment
		if _, ok := f.article16[it.Author]; !ok {
			how, err := tx.Setting(ctx, it.Author)
			if err != nil {
				return f, err
			}
			f.article16[it.Author] = how.Article16
		}
		people[it.Assessor] = true
		if _, ok := f.actions[it.Action]; !ok && it.Action != "" {
			if f.actions[it.Action], err = tx.Action(ctx, string(it.Action)); err != nil {
				return f, err
			}
		}
	}
	if f.assessments, err = tx.Assessments(ctx, judged); err != nil {
		return f, err
	}
	if f.finders, err = tx.Finders(ctx, ids); err != nil {
		return f, err
	}
	who := make([]concert.PersonID, 0, len(people))
	for p := range people {
		who = append(who, p)
	}
	f.operators, err = tx.Operators(ctx, who)
	return f, err
}

// envelope signs the referral twice: as its author, with the authority's key,
// and as the one who carries it (G09).
func (s *Service) envelope(r concert.Referral, p concert.Provider, items []concert.Item, f facts, now time.Time) (concert.Envelope, error) {
	author := f.authorities[r.Author]
	key, err := s.authorKey(author)
	if err != nil {
		return concert.Envelope{}, err
	}
	pay := concert.ReferralPayload{
		Type: "referral", Version: 1, Ref: r.Ref, Voluntary: concert.VoluntaryNotice, Transport: s.Origin, Provider: p.Name, Action: f.actions[r.Action].Name, SentAt: now.Format(concert.TimeFormat), Exercise: s.Exercise,
		Author: concert.PayloadParty{Name: author.Name, Country: author.Country, Unit: author.Unit, KeyID: concert.KeyID(author.PublicKey)},
		Items:  make([]concert.PayloadItem, len(items)),
	}
	if r.Article16 {
		pay.Article16 = &concert.PayloadArticle16{Notifier: author.Name, Contact: author.Contact, GoodFaith: concert.GoodFaith}
	}
	for i, it := range items {
		a := f.assessments[it.Assessment]
		entry, err := f.list.Covers(it.Outlet, now)
		if err != nil {
			return concert.Envelope{}, err
		}
		units := make([]string, 0, 2)
		for _, id := range f.finders[it.ID] {
			units = append(units, f.authorities[id].Unit)
		}
		pay.Items[i] = concert.PayloadItem{Ref: it.Ref, Location: it.Location, Type: it.Type, ContentType: a.Type, Outlet: f.list.Outlets[it.Outlet].Name, ScopeEntry: entry.Ref, Mark: a.Mark, MarkWhere: a.MarkWhere,
			Language: a.Language, Severity: a.Severity, Facts: a.Facts, Reason: a.Judgement, Operator: f.operators[it.Assessor], Finders: units}
	}
	text, err := concert.CanonicalJSON(pay)
	if err != nil {
		return concert.Envelope{}, err
	}
	return concert.Envelope{PayloadType: concert.ReferralPayloadType, Payload: text}.Sign("author", key).Sign("transport", s.Transport), nil
}

// authorKey opens an authority's signing key.
func (s *Service) authorKey(a concert.Authority) (ed25519.PrivateKey, error) {
	seed, err := identity.Open(s.DB.Keys.Derive("authority signing keys"), a.SealedKey, []byte(a.ID))
	if err != nil {
		return nil, fmt.Errorf("signing key of authority %s: %w", a.Ref, err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
