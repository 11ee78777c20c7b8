package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/api"
	"concert/internal/identity"
	"concert/internal/store"
)

// hostThreatsMost bounds the reports of a provider's own desk that are listed, and that
// one look at a hub sends.
const hostThreatsMost = 100

// HostThreatView is a report of a provider's own desk to one hub.
type HostThreatView struct {
	concert.HostThreat
	To   concert.Hub
	Told api.NewThreat // what was written
	Got  *api.Threat   // how it stands at the hub, with the receipt; nil until the hub has it
}

// SendThreat reports a threat to life from a provider's own desk to each of its hubs. It
// is kept before it is sent, and sent at once; what a hub could not take is tried again
// until it does.
func (s *Service) SendThreat(ctx context.Context, by concert.Actor, in ThreatReport) ([]HostThreatView, error) {
	t := concert.LifeThreat{Kind: in.Kind, States: in.States, Content: in.Content, Preserved: in.Preserved, SeenAt: in.SeenAt, ThreatText: in.ThreatText}
	t, err := t.Reported(by, s.now())
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(api.NewThreat{Kind: string(t.Kind), Places: t.Places, Description: t.Description, States: t.States, Unknown: t.Unknown, SeenAt: t.SeenAt.UTC().Format(concert.TimeFormat), Content: string(t.Content),
		Preserved: t.Preserved, Contact: t.Contact, Telephone: t.Telephone, Email: t.Email})
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	ref := identity.NewReference("TR")
	var hubs []concert.Hub
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		hubs = nil
		all, err := tx.Hubs(ctx)
		if err != nil {
			return err
		}
		for _, h := range all {
			if !h.EndedAt.IsZero() {
				continue
			}
			p, e := concert.HostThreat{ID: identity.NewID(), Ref: ref, Hub: h.ID, Exercise: s.Exercise, Version: 1}.Written(by, t, body, s.now())
			tx.Record(e)
			if err := tx.AddHostThreat(ctx, p); err != nil {
				return err
			}
			hubs = append(hubs, h)
		}
		if len(hubs) == 0 {
			return concert.Refuse(concert.Conflict, "threat.no_hub", "", "this desk has no hub through which authorities are reached: call the emergency number of your state, and have a hub added")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var g errgroup.Group
	for _, h := range hubs {
		g.Go(func() error {
			// It is kept: what fails here is tried again with the next look at the hub.
			if err := s.sendThreatsTo(ctx, h); err != nil && ctx.Err() == nil {
				s.Log.Warn("a report of a threat to life has not reached a hub yet", "hub", h.Origin, "err", err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return s.hostThreatViews(ctx, func(tx *store.Tx) ([]concert.HostThreat, error) { return tx.HostThreatsOf(ctx, ref) })
}

func (s *Service) sendThreatsTo(ctx context.Context, h concert.Hub) error {
	key, err := identity.Open(s.DB.Keys.Derive("keys at hubs"), h.SealedKey, []byte(h.ID))
	if err != nil {
		return fmt.Errorf("key at hub %s: %w", h.Ref, err)
	}
	return s.sendThreats(ctx, hubClient(h, string(key)), h)
}

// sendThreats sends the hub what waits for it, and asks how that stands which it has.
func (s *Service) sendThreats(ctx context.Context, c *api.Client, h concert.Hub) error {
	var due []concert.HostThreat
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueHostThreats(ctx, h.ID, s.now(), hostThreatsMost)
		return err
	})
	if err != nil {
		return err
	}
	var failed error
	for _, p := range due {
		var next concert.HostThreat
		var e concert.Event
		got, err := tellThreat(ctx, c, p)
		var said *api.Problem
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && final(err) && errors.As(err, &said) && p.Theirs == "":
			next, e = p.Refused(said.Code, shortly(err), s.now())
			s.Log.Error("a hub refuses a report of a threat to life: write another one, or call", "hub", h.Origin, "report", p.Ref, "code", said.Code)
		case err != nil:
			failed, next = err, p.Tried(shortly(err), s.now())
		default:
			receipt, err := json.Marshal(got)
			if err != nil {
				return err
			}
			next, e = p.Delivered(got.ID, concert.ThreatStatus(got.Status), receipt, s.now())
		}
		err = s.DB.Update(ctx, func(tx *store.Tx) error {
			if e.Kind != "" {
				tx.Record(e)
			}
			return tx.SaveHostThreat(ctx, next, e.Kind != "")
		})
		// Sent by the act and by the look at the hub in one moment: it counts once there.
		if err != nil && !errors.Is(err, concert.ErrStale) {
			return err
		}
	}
	return failed
}

func tellThreat(ctx context.Context, c *api.Client, p concert.HostThreat) (api.Threat, error) {
	if p.Theirs != "" {
		return c.Threat(ctx, p.Theirs)
	}
	var in api.NewThreat
	if err := json.Unmarshal(p.Body, &in); err != nil {
		return api.Threat{}, fmt.Errorf("report %s: %w", p.Ref, err)
	}
	return c.ReportThreat(ctx, api.Call{IdempotencyKey: p.ID}, in)
}

// HostThreats are the newest reports of a provider's own desk, one row a hub.
func (s *Service) HostThreats(ctx context.Context, scope concert.Scope) ([]HostThreatView, error) {
	if err := mayHostThreats(scope); err != nil {
		return nil, err
	}
	return s.hostThreatViews(ctx, func(tx *store.Tx) ([]concert.HostThreat, error) { return tx.HostThreats(ctx, hostThreatsMost) })
}

// HostThreat is one of them, a row a hub.
func (s *Service) HostThreat(ctx context.Context, scope concert.Scope, ref string) ([]HostThreatView, error) {
	if err := mayHostThreats(scope); err != nil {
		return nil, err
	}
	out, err := s.hostThreatViews(ctx, func(tx *store.Tx) ([]concert.HostThreat, error) { return tx.HostThreatsOf(ctx, ref) })
	if err == nil && len(out) == 0 {
		err = concert.ErrNotFound
	}
	return out, err
}

func mayHostThreats(scope concert.Scope) error {
	if err := scope.Check(); err != nil {
		return err
	}
	return scope.Actor().MayReceive()
}

func (s *Service) hostThreatViews(ctx context.Context, read func(*store.Tx) ([]concert.HostThreat, error)) ([]HostThreatView, error) {
	var out []HostThreatView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		found, err := read(tx)
		if err != nil {
			return err
		}
		for _, p := range found {
			v := HostThreatView{HostThreat: p}
			if v.To, err = tx.Hub(ctx, string(p.Hub)); err != nil {
				return err
			}
			if err := json.Unmarshal(p.Body, &v.Told); err != nil {
				return fmt.Errorf("report %s: %w", p.Ref, err)
			}
			if len(p.Receipt) > 0 {
				v.Got = &api.Threat{}
				if err := json.Unmarshal(p.Receipt, v.Got); err != nil {
					return fmt.Errorf("receipt of %s: %w", p.Ref, err)
				}
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// ForgetHostThreats erases the reports of a provider's own desk whose term is over.
func (s *Service) ForgetHostThreats(ctx context.Context) error {
	n := 0
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		n = 0
		stale, err := tx.StaleHostThreats(ctx, s.now(), hostThreatsMost)
		if err != nil {
			return err
		}
		for _, p := range stale {
			tx.Record(p.Erased(s.now()))
			if err := tx.EraseHostThreat(ctx, p.ID); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err == nil && n > 0 {
		s.unscrubbed.Store(true)
	}
	return err
}

// momentIn is a moment as a report to a hub names it; zero where it is none.
func momentIn(text string) time.Time {
	at, err := concert.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// SeenAt is when it was seen, as it was written.
func (v HostThreatView) SeenAt() time.Time { return momentIn(v.Told.SeenAt) }
