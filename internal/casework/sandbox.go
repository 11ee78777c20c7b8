package casework

import (
	"context"
	"fmt"
	"strings"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// A sandbox referral is made up each time it is asked for: the same reference
// gives the same two invented items, nothing of it is kept or counted, and it
// can be fetched, verified, acknowledged and answered as often as an engineer
// likes. Its version is always 1.
const sandboxPrefix = "SB"

func isSandbox(ref string) bool { return strings.HasPrefix(ref, sandboxPrefix+"-") }

// Sandbox sends the actor's provider a made-up notice through its own channel,
// so that its engineers can try verifying, fetching and answering.
func (s *Service) Sandbox(ctx context.Context, by concert.Actor) (string, error) {
	if by.Provider == "" {
		return "", concert.Refuse(concert.Forbidden, "sandbox.provider", "", "only a provider has a sandbox")
	}
	if err := by.MayOwn(); err != nil {
		return "", err
	}
	ref := identity.NewReference(sandboxPrefix)
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Provider(ctx, string(by.Provider))
		if err != nil {
			return err
		}
		now := s.now()
		out := s.notice(p, concert.Referral{Ref: ref, Items: sandboxItems}, concert.NoticeSandbox, "Sandbox (EXERCISE)", now)
		out.Exercise = true
		if err := s.post(ctx, tx, p, out, now); err != nil {
			return err
		}
		tx.RecordNotice(concert.NewEvent(concert.EventDeliveryMoved, by, string(out.ID), now, concert.DeliveryBody{Referral: ref, Provider: p.ID, Kind: concert.NoticeSandbox, Rung: concert.RungQueued}), out.ID)
		return nil
	})
	return ref, err
}

const sandboxItems = 2

// sandboxEpoch stands for when a made-up referral was sent, so that it reads
// the same each time.
var sandboxEpoch = time.Date(2019, 11, 21, 8, 0, 0, 0, time.UTC)

func (s *Service) readSandbox(ctx context.Context, by concert.Actor, ref string) (ReferralView, error) {
	var v ReferralView
	if by.Provider == "" {
		return v, concert.ErrNotFound
	}
	if err := by.Need(concert.RoleProviderReader, concert.RoleProviderAnswerer); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		v, err = s.sandboxView(ctx, tx, by.Provider, ref)
		return err
	})
	return v, err
}

// sandboxView makes the made-up referral of the reference.
func (s *Service) sandboxView(ctx context.Context, tx *store.Tx, provider concert.ProviderID, ref string) (ReferralView, error) {
	var v ReferralView
	var err error
	if v.Provider, err = tx.Provider(ctx, string(provider)); err != nil {
		return v, err
	}
	pub := s.TransportKey()
	v.Author = concert.Authority{Name: "Sandbox (EXERCISE)", Country: "EU", Unit: "SANDBOX", PublicKey: pub, Exercise: true}
	v.Referral = concert.Referral{ID: concert.ReferralID(ref), Ref: ref, Provider: provider, Status: concert.ReferralSent, Items: sandboxItems, Exercise: true, CreatedAt: sandboxEpoch, Version: 1}
	v.Payload = concert.ReferralPayload{Type: "referral", Version: 1, Ref: ref, Voluntary: concert.VoluntaryNotice, Transport: s.Origin, Provider: v.Provider.Name, SentAt: sandboxEpoch.Format(concert.TimeFormat), Exercise: true,
		Author: concert.PayloadParty{Name: v.Author.Name, Country: v.Author.Country, Unit: v.Author.Unit, KeyID: concert.KeyID(pub)}}
	for i := range sandboxItems {
		url := fmt.Sprintf("https://sandbox.example/exercise/%d", i+1)
		it := concert.Item{ID: concert.ItemID(fmt.Sprintf("%s-%d", ref, i+1)), Ref: fmt.Sprintf("%s-%d", ref, i+1), Provider: provider, Status: concert.ItemReferred, Referral: v.ID, Exercise: true, Version: 1}
		v.Items = append(v.Items, it)
		v.Payload.Items = append(v.Payload.Items, concert.PayloadItem{Ref: it.Ref, Type: concert.TypeVideo, ContentType: concert.Incites, Outlet: "Exercise Outlet (EXERCISE)", ScopeEntry: "SC-EXERCISE", Mark: "EXERCISE mark", MarkWhere: "first frame",
			Location: concert.Location{Kind: "web", Canonical: url, Platform: "sandbox.example", Domain: "sandbox.example", Display: fmt.Sprintf("hxxps://sandbox[.]example/exercise/%d", i+1), Submitted: url},
			Language: "en", Severity: concert.SeverityRoutine, Facts: "EXERCISE: an invented item for trying things out.", Reason: "EXERCISE: invented.", Operator: "OP-EXERCISE", Finders: []string{"SANDBOX"}})
	}
	text, err := concert.CanonicalJSON(v.Payload)
	if err != nil {
		return v, err
	}
	v.Signed = concert.Envelope{PayloadType: concert.ReferralPayloadType, Payload: text}.Sign("author", s.Transport).Sign("transport", s.Transport)
	return v, nil
}

// answerSandbox checks answers by the same rule as real ones and keeps none.
func (s *Service) answerSandbox(ctx context.Context, by concert.Actor, ref string, version int64, in []Replying) ([]Result, int64, error) {
	v, err := s.readSandbox(ctx, by, ref)
	if err != nil {
		return nil, 0, err
	}
	if err := by.MayAnswer(v.Referral); err != nil {
		return nil, 0, err
	}
	if version != v.Version {
		return nil, 0, outdated()
	}
	items := map[string]concert.Item{}
	for _, it := range v.Items {
		items[it.Ref] = it
	}
	out := make([]Result, len(in))
	for i, rep := range in {
		out[i].Ref = rep.Item
		it, ok := items[rep.Item]
		if !ok {
			out[i].Err = concert.Refuse(concert.Invalid, "answer.item", "item", "item %q is not part of referral %s: take the reference from the referral", rep.Item, ref)
			continue
		}
		next, _, _, _, err := it.ItemAnswered(by, v.Referral, rep.Answer, s.now())
		if out[i].Err, err = refusal(err); err != nil {
			return nil, 0, err
		}
		if out[i].Err == nil {
			out[i].Outcome = string(next.Status)
		}
	}
	return out, v.Version, nil
}
