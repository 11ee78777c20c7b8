package testkit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	fillAct       = 500 // items that one act of Fill adds
	fillUnits     = 18  // authorities that Fill registers beside the house's two
	fillProviders = 7   // and providers
	fillOutlets   = 11  // and outlets
	fillWhole     = 1000
)

// fillShares are how many of a thousand items stand where, as after years of
// work: most are over.
var fillShares = []struct {
	status concert.ItemStatus
	share  int
}{{concert.ItemOpen, 60}, {concert.ItemAssessed, 10}, {concert.ItemApproved, 5}, {concert.ItemHeld, 1}, {concert.ItemReferred, 30}, {concert.ItemAnswered, 50}, {concert.ItemRefused, 120},
	{concert.ItemStillUp, 20}, {concert.ItemReturned, 10}, {concert.ItemRejected, 40}, {concert.ItemStopped, 15}, {concert.ItemWithdrawn, 4}, {concert.ItemOutOfScope, 15}, {concert.ItemClosed, 620}}

// Filled is who and what a filled house has.
type Filled struct {
	Authorities []concert.Authority
	Providers   []concert.Provider
	Outlets     []concert.Outlet
}

// filling is Fill at work.
type filling struct {
	Filled
	h       *House
	r       *rand.Rand
	since   time.Time // when the first item was found
	step    time.Duration
	waiting map[fillParcel][]concert.Item // of which a referral is to be made
}

// fillParcel is who refers to whom.
type fillParcel struct {
	provider concert.ProviderID
	author   concert.AuthorityID
}

// Fill puts n items into the house, all EXERCISE, found over two years and spread over twenty authorities, with their sightings,
// referrals, remedies and events: the same for the same n. It writes through the store in acts of five hundred, past the rules.
func (h *House) Fill(n int) Filled {
	h.t.Helper()
	f := &filling{h: h, r: rand.New(rand.NewPCG(uint64(n), 2019)), waiting: map[fillParcel][]concert.Item{}, step: 2 * 365 * 24 * time.Hour / time.Duration(max(n, 1))}
	f.since = h.Now().Add(-f.step * time.Duration(n)).Truncate(time.Second)
	f.register()
	for from := 0; from < n; from += fillAct {
		f.add(from, min(fillAct, n-from))
	}
	Must(h.t, h.DB.Update(h.t.Context(), func(tx *store.Tx) error {
		for p := range f.waiting {
			if err := f.refer(h.t.Context(), tx, p); err != nil {
				return err
			}
		}
		return nil
	}))
	return f.Filled
}

func (f *filling) register() {
	h, ctx := f.h, f.h.t.Context()
	f.Authorities = []concert.Authority{h.North.Authority, h.South.Authority}
	for i := range fillUnits {
		a, err := h.AddAuthority(ctx, h.Admin, concert.Authority{Name: fmt.Sprintf("EXERCISE Unit %02d", i), Country: "XA", Kind: concert.KindReferralUnit, Unit: fmt.Sprintf("EX%02d", i), Contact: "EXERCISE desk"})
		Must(h.t, err)
		f.Authorities = append(f.Authorities, a)
	}
	f.Providers = []concert.Provider{h.Hooked, h.Pulled}
	for i := range fillProviders {
		p, _, err := h.AddProvider(ctx, h.Admin, concert.Provider{Name: fmt.Sprintf("EXERCISE Service %02d", i), Kind: "hosting", Country: "XA", Channel: concert.ChannelPull, Platforms: []string{fmt.Sprintf("service%02d.example", i)}}, false)
		Must(h.t, err)
		f.Providers = append(f.Providers, p)
	}
	f.Outlets = []concert.Outlet{h.Outlet}
	for i := range fillOutlets {
		f.Outlets = append(f.Outlets, h.ListedOutlet(fmt.Sprintf("EXERCISE Outlet %02d", i)))
	}
}

// skewed is an index below n, small ones often.
func (f *filling) skewed(n int) int { return min(f.r.IntN(n), f.r.IntN(n)) }

func (f *filling) status() concert.ItemStatus {
	at := f.r.IntN(fillWhole)
	for _, s := range fillShares {
		if at -= s.share; at < 0 {
			return s.status
		}
	}
	return concert.ItemClosed
}

// fillID is a UUIDv7 of the time.
func (f *filling) fillID(at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.UnixMilli())<<16|0x7000|uint64(f.r.IntN(1<<12)))
	binary.BigEndian.PutUint64(b[8:], 2<<62|f.r.Uint64()>>2)
	return string(concert.EventIDAt(b, 0))
}

func (f *filling) item(n int) concert.Item {
	at := f.since.Add(f.step * time.Duration(n))
	page := fmt.Sprintf("https://video.example/watch?v=EXERCISE%08d", n)
	it := concert.Item{ID: concert.ItemID(f.fillID(at)), Ref: identity.NewReference("IT"), Place: sha256.Sum256([]byte(page)), Type: concert.ItemTypes[f.skewed(len(concert.ItemTypes))],
		Location: concert.Location{Kind: "web", Canonical: page, Domain: "video.example", Display: fmt.Sprintf("hxxps://video[.]example/watch?v=EXERCISE%08d", n), Submitted: page},
		Provider: f.Providers[f.skewed(len(f.Providers))].ID, Authority: f.Authorities[f.skewed(len(f.Authorities))].ID, Action: f.h.Action.ID, Status: f.status(), Guard: concert.Guard{Verdict: concert.GuardPass},
		Needed: 1, Handling: concert.HandlingOpen, Exercise: true, CreatedAt: at, UpdatedAt: at, Version: 1}
	if f.r.IntN(20) == 0 {
		it.Priority = 1 + f.r.IntN(9)
	}
	if f.r.IntN(3) > 0 {
		it.Action = ""
	}
	f.judged(&it)
	return it
}

// judged gives an item what its status says of it.
func (f *filling) judged(it *concert.Item) {
	if it.Status == concert.ItemOpen || it.Status == concert.ItemStopped {
		return
	}
	it.Author, it.Assessor = it.Authority, f.h.North.Officers[0].Person
	if f.r.IntN(25) == 0 {
		it.Author = f.Authorities[f.skewed(len(f.Authorities))].ID
	}
	it.Outlet, it.Language = f.Outlets[f.skewed(len(f.Outlets))].ID, []string{"ar", "en", "fr", "de", "tr", "ur", "ru", "id"}[f.skewed(8)]
	it.Given = 1
	switch it.Status {
	case concert.ItemReferred:
		it.Claimed = []concert.AnswerCode{"", concert.AnswerReceived, concert.AnswerInReview}[f.r.IntN(3)]
	case concert.ItemAnswered:
		it.Claimed = []concert.AnswerCode{concert.AnswerRemoved, concert.AnswerAccountSuspended, concert.AnswerNotOurs}[f.r.IntN(3)]
	case concert.ItemRefused:
		it.Claimed = concert.AnswerRefused
	case concert.ItemStillUp:
		it.Observed = concert.ObservedUp
	case concert.ItemReturned:
		it.Claimed, it.Observed, it.SeenDown = concert.AnswerRemoved, concert.ObservedUp, true
	case concert.ItemClosed:
		it.Claimed, it.Observed, it.SeenDown = concert.AnswerRemoved, concert.ObservedDown, true
	}
}

// went reports whether an item of the status had been sent.
func went(s concert.ItemStatus) bool {
	_, err := s.After(concert.MoveAnswer)
	return err == nil
}

func (f *filling) add(from, n int) {
	f.h.t.Helper()
	items := make([]concert.Item, n)
	sightings := make([]concert.Sighting, n)
	events := make([]concert.Event, n)
	for i := range items {
		it := f.item(from + i)
		items[i] = it
		sightings[i] = concert.Sighting{Item: it.ID, Authority: it.Authority, Person: f.h.North.Officers[0].Person, At: it.CreatedAt, Source: "api", Evaluation: "A1"}
		to := it.Facet()
		events[i] = concert.NewEvent(concert.EventItemSubmitted, f.h.North.Officers[0], string(it.ID), it.CreatedAt, concert.ItemBody{Ref: it.Ref, Authority: it.Authority, Provider: it.Provider, Action: it.Action, To: &to, Type: it.Type, Kind: it.Location.Kind})
	}
	ctx := f.h.t.Context()
	Must(f.h.t, f.h.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddItems(ctx, items); err != nil {
			return err
		}
		if _, err := tx.AddSightings(ctx, sightings); err != nil {
			return err
		}
		for i, it := range items {
			if it.Status == concert.ItemWithdrawn {
				if err := tx.AddRemedies(ctx, []concert.Remedy{{Ref: identity.NewReference("RM"), Item: it.ID, Kind: concert.RemedyWithdrawal, Reason: "EXERCISE: another video was meant.", By: f.h.North.Officers[0].Person, At: it.CreatedAt}}); err != nil {
					return err
				}
			}
			if !went(it.Status) {
				continue
			}
			p := fillParcel{it.Provider, it.Author}
			f.waiting[p] = append(f.waiting[p], items[i])
			if len(f.waiting[p]) == concert.ReferralItems {
				if err := f.refer(ctx, tx, p); err != nil {
					return err
				}
			}
		}
		tx.Record(events...)
		return nil
	}))
}

// refer makes a referral of what waits for a provider.
func (f *filling) refer(ctx context.Context, tx *store.Tx, p fillParcel) error {
	items := f.waiting[p]
	delete(f.waiting, p)
	if len(items) == 0 {
		return nil
	}
	at := items[len(items)-1].CreatedAt
	r := concert.Referral{ID: concert.ReferralID(f.fillID(at)), Ref: identity.NewReference("RF"), Provider: p.provider, Author: p.author, Action: items[0].Action, Status: concert.ReferralStatuses[f.r.IntN(4)], Items: len(items), Exercise: true, CreatedAt: at, Version: 1}
	pay := concert.ReferralPayload{Type: "referral", Version: 1, Ref: r.Ref, Voluntary: concert.VoluntaryNotice, Exercise: true}
	for _, it := range items {
		pay.Items = append(pay.Items, concert.PayloadItem{Ref: it.Ref, Location: it.Location, Type: it.Type, Language: it.Language, Facts: "EXERCISE"})
	}
	text, err := concert.CanonicalJSON(pay)
	if err != nil {
		return err
	}
	if r.Envelope, err = concert.CanonicalJSON(concert.Envelope{PayloadType: concert.ReferralPayloadType, Payload: text}); err != nil {
		return err
	}
	tx.Record(concert.NewEvent(concert.EventReferralSent, concert.House, string(r.ID), at, concert.ReferralBody{Ref: r.Ref, Authority: r.Author, Provider: r.Provider, Action: r.Action, Items: r.Items}))
	return tx.AddReferral(ctx, r, items)
}

// Steady makes the database look at what it holds, as it would by itself in time, and empties its write-ahead file.
func (h *House) Steady(t testing.TB) {
	t.Helper()
	raw := Raw(t, h.Service)
	for _, text := range map[string][]string{"postgres": {"VACUUM ANALYZE"}, "sqlite": {"PRAGMA wal_checkpoint(TRUNCATE)"}}[h.DB.Dialect()] {
		_, err := raw.ExecContext(t.Context(), text)
		Must(t, err)
	}
}
