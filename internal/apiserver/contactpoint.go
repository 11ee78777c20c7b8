package apiserver

import (
	"context"
	"net/http"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// contacts are the operations on providers' contact points and what comes back
// from them.
func (s *Server) contacts() {
	do(s, created(op(http.MethodPost, "/providers/{id}/contacts", "add-contact-point", "Register a contact point of a provider", "registers")), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewContactPoint]
	}) (api.ContactPoint, error) {
		b := in.Body
		c, err := s.svc.AddContactPoint(ctx, by, in.ID, concert.ContactPoint{Purpose: concert.ContactPurpose(b.Purpose), Layer: concert.Layer(b.Layer), Channel: concert.ChannelKind(b.Channel), Address: b.Address, Form: concert.MailForm(b.Form), Languages: b.Languages,
			Zone: b.Zone, QuietFrom: b.QuietFrom, QuietTo: b.QuietTo, PerHour: b.PerHour, Messages: b.MessagesPerHour})
		return contactOf(casework.ContactView{ContactPoint: c}), err
	})
	do(s, op(http.MethodGet, "/providers/{id}/contacts", "contact-points", "A provider's seat and contact points, and how they go", "registers"), func(ctx context.Context, _ concert.Actor, in *One) (api.ProviderContacts, error) {
		sc, err := scope(ctx)
		if err != nil {
			return api.ProviderContacts{}, err
		}
		v, err := s.svc.ReadProvider(ctx, sc, in.ID)
		out := api.ProviderContacts{Provider: v.Ref, Seat: api.Seat(v.Seat), Contacts: []api.ContactPoint{}}
		for _, c := range v.Contacts {
			out.Contacts = append(out.Contacts, contactOf(c))
		}
		return out, err
	})
	do(s, op(http.MethodPost, "/providers/{id}/seat", "seat-provider", "Record where a provider is established and who represents it", "registers"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.Seat]
	}) (api.Seat, error) {
		return in.Body, s.svc.SeatProvider(ctx, by, in.ID, concert.Seat(in.Body))
	})
	for path, act := range map[string]struct {
		id, summary string
		do          func(context.Context, concert.Actor, string) (concert.ContactPoint, error)
	}{
		"/contacts/{id}/restore": {"restore-contact-point", "Put a contact point that bounced back into use", s.svc.RestoreContact},
		"/contacts/{id}/retire":  {"retire-contact-point", "Take a contact point out of use for good", s.svc.RetireContact},
	} {
		do(s, op(http.MethodPost, path, act.id, act.summary, "registers"), func(ctx context.Context, by concert.Actor, in *struct {
			One
			IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
		}) (api.ContactPoint, error) {
			c, err := act.do(ctx, by, in.ID)
			return contactOf(casework.ContactView{ContactPoint: c}), err
		})
	}
	do(s, op(http.MethodGet, "/referrals/{id}/messages", "referral-messages", "What the provider wrote about a referral, and what its mail system reported", "referrals"), func(ctx context.Context, _ concert.Actor, in *One) (api.Page[api.Message], error) {
		out := api.Page[api.Message]{Items: []api.Message{}}
		sc, err := scope(ctx)
		if err != nil {
			return out, err
		}
		v, err := s.svc.ReadReferral(ctx, sc, in.ID)
		for _, m := range v.Messages {
			out.Items = append(out.Items, api.Message{At: stamp(m.At), Kind: string(m.Kind), Code: m.Code, Sender: string(m.Sender), From: m.From, Text: m.Text})
		}
		return out, err
	})
	do(s, op(http.MethodPost, "/referrals/{id}/revoke-links", "revoke-links", "End every answer link of a referral", "referrals"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (api.RevokedLinks, error) {
		n, err := s.svc.RevokeLinks(ctx, by, in.ID)
		return api.RevokedLinks{Revoked: n}, err
	})
}

func contactOf(c casework.ContactView) api.ContactPoint {
	return api.ContactPoint{ID: c.Ref, State: c.State(), Trouble: c.Trouble, TroubleAt: stamp(c.TroubleAt), SuccessAt: stamp(c.SuccessAt), Bounces: c.Bounces, Waiting: c.Health.Waiting, Sending: c.Health.Sending, Reached: c.Health.Reached, Failed: c.Health.Failed, Exercise: c.Exercise,
		NewContactPoint: api.NewContactPoint{Purpose: string(c.Purpose), Layer: string(c.Layer), Channel: string(c.Channel), Address: c.Address, Form: string(c.Form), Languages: c.Languages, Zone: c.Zone, QuietFrom: c.QuietFrom, QuietTo: c.QuietTo, PerHour: c.PerHour, MessagesPerHour: c.Messages}}
}
