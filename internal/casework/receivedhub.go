package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/api"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/order"
)

const (
	hubTerm  = 10 * time.Second // for one question to a hub
	hubEvery = 2 * time.Second  // between two looks at a hub
	hubPages = 20               // of its lists at one look
)

// HubSettings are what a provider was told of a hub: where it is asked, with which key,
// and the fingerprint of its register's root, by another way than from the hub.
type HubSettings struct {
	URL        string
	Key        string // csk_…, of an answerer there
	Root       string
	WebhookKey string // whpk_… or whsec_…; "" for the one that the hub publishes
}

// AddHub adds a hub after it was asked: whose key it is, and that its register stands
// under the root that the provider was told.
func (s *Service) AddHub(ctx context.Context, by concert.Actor, in HubSettings) (concert.Hub, error) {
	if err := by.Need(concert.RoleAdministrator, concert.RoleProviderAdmin); err != nil {
		return concert.Hub{}, err
	}
	now := s.now()
	h := concert.Hub{ID: concert.HubID(identity.NewID()), Ref: identity.NewReference("HB"), URL: strings.TrimSuffix(strings.TrimSpace(in.URL), "/"), WebhookKey: strings.TrimSpace(in.WebhookKey), AddedAt: now, Version: 1}
	if err := h.Check(); err != nil {
		return h, err
	}
	if strings.TrimSpace(in.Key) == "" {
		return h, concert.Refuse(concert.Invalid, "hub.key", "key", "the key is missing: the hub's administrator gives you one, csk_…, with the role provider_answerer")
	}
	if strings.TrimSpace(in.Root) == "" {
		return h, concert.Refuse(concert.Invalid, "hub.root", "root", "the root's fingerprint is missing: have it told to you by another way than from the hub, by telephone or on paper, since it says whose orders bind you")
	}
	if err := introduced(ctx, &h, strings.TrimSpace(in.Key), in.Root, now); err != nil {
		return h, err
	}
	h.SealedKey = identity.Seal(s.DB.Keys.Derive("keys at hubs"), []byte(strings.TrimSpace(in.Key)), []byte(h.ID))
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.Record(h.Event(concert.EventHubAdded, by, now))
		return tx.AddHub(ctx, h)
	})
	if isCode(err, store.CodeExists) {
		err = concert.Refuse(concert.Conflict, "hub.known", "url", "the hub %s is here already: end it first, to add it with another key", h.Origin)
	}
	return h, err
}

// introduced asks the hub who we are there and whose word counts, and pins what it says
// where the provider was told the same.
func introduced(ctx context.Context, h *concert.Hub, key, root string, now time.Time) error {
	c := hubClient(*h, key)
	me, err := c.Me(ctx)
	if err != nil {
		return hubRefusal(*h, err)
	}
	if me.Provider == "" || !strings.Contains(strings.Join(me.Roles, " "), string(concert.RoleProviderAnswerer)) {
		return concert.Refuse(concert.Invalid, "hub.key", "key", "this key is not that of a provider's answerer at %s: ask its administrator for one with the role provider_answerer", h.URL)
	}
	h.Addressee = me.Provider
	raw, err := hubRegister(ctx, c)
	if err != nil {
		return hubRefusal(*h, err)
	}
	trust, err := order.ReadTrust(nil)
	if err != nil {
		return err
	}
	r, err := trust.Pin(root, raw, false, now)
	if err != nil {
		return concert.Refuse(concert.Invalid, "hub.root", "root", "the hub at %s is not the one that you were told of (%s): do not add it, and ask whoever gave you the fingerprint", h.URL, err.Error())
	}
	h.Origin, h.Root = r.Edition().Origin, r.Root().String()
	if h.Trust, err = trust.Marshal(); err != nil {
		return fmt.Errorf("trust in %s: %w", h.Origin, err)
	}
	keys, err := c.Keys(ctx)
	if err != nil {
		return hubRefusal(*h, err)
	}
	for _, k := range keys.Keys {
		if h.WebhookKey == "" && k.Role == "webhook" && k.Party == h.Addressee {
			h.WebhookKey = k.PublicKey
		}
	}
	if h.WebhookKey != "" {
		if _, err := dispatch.ParseVerifyKey(h.WebhookKey); err != nil {
			return concert.Refuse(concert.Invalid, "hub.webhook_key", "webhook_key", "the webhook's key is none: it begins with whpk_ or whsec_, as the hub's administrator gave it to you")
		}
	}
	h.Keys, err = json.Marshal(keys)
	return err
}

// hubRefusal says in the provider's words why a hub could not be asked.
func hubRefusal(h concert.Hub, err error) error {
	var p *api.Problem
	if errors.As(err, &p) && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden) {
		return concert.Refuse(concert.Invalid, "hub.key", "key", "the hub at %s does not take this key (%s): ask its administrator for a new one", h.URL, p.Code)
	}
	if errors.As(err, &p) {
		return concert.Refuse(concert.Unavailable, "hub.away", "url", "what answers at %s is no hub, or not ready (%s): check the address", h.URL, p.Code)
	}
	return concert.Refuse(concert.Unavailable, "hub.away", "url", "the hub at %s cannot be reached (%s): check the address, and that this machine may reach it", h.URL, err.Error())
}

// EndHub ends a hub: it is asked no more, and what came of it stays.
func (s *Service) EndHub(ctx context.Context, by concert.Actor, ref string) (concert.Hub, error) {
	var h concert.Hub
	if err := by.Need(concert.RoleAdministrator, concert.RoleProviderAdmin); err != nil {
		return h, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) (err error) {
		if h, err = tx.Hub(ctx, ref); err != nil {
			return err
		}
		if !h.EndedAt.IsZero() {
			return concert.Refuse(concert.Conflict, "hub.ended", "", "the hub %s has ended already", h.Origin)
		}
		h.EndedAt = s.now()
		tx.Record(h.Event(concert.EventHubEnded, by, h.EndedAt))
		return tx.EndHub(ctx, h)
	})
	return h, err
}

// Hubs are those that this desk is asked by, for its people and for who runs the machine.
func (s *Service) Hubs(ctx context.Context, scope concert.Scope) ([]concert.Hub, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if by := scope.Actor(); by.Need(concert.RoleAdministrator, concert.RoleProviderAdmin) != nil {
		if err := by.MayReceive(); err != nil {
			return nil, err
		}
	}
	var out []concert.Hub
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.Hubs(ctx)
		return err
	})
	return out, err
}

// hubClient asks a hub with a key, once and without following it elsewhere: the key
// would go along.
func hubClient(h concert.Hub, key string) *api.Client {
	return &api.Client{Base: h.URL, Key: key, Tries: -1, HTTP: &http.Client{Timeout: hubTerm, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func hubRegister(ctx context.Context, c *api.Client) ([]byte, error) {
	var raw json.RawMessage
	err := c.Do(ctx, http.MethodGet, "/api/v1/order-register", api.Call{}, nil, &raw)
	return raw, err
}

// HubNotice takes the webhook of the hub at the host: once its signature holds, the hub is asked at once
// what is new, so that "taken" is said only of what is here. A notice that comes twice
// finds nothing new.
func (s *Service) HubNotice(ctx context.Context, host string, header http.Header, body []byte) error {
	var h concert.Hub
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		h, err = tx.HubAt(ctx, host)
		return err
	})
	if err != nil {
		return err
	}
	if !h.EndedAt.IsZero() || h.WebhookKey == "" {
		return concert.ErrNotFound
	}
	key, err := dispatch.ParseVerifyKey(h.WebhookKey)
	if err != nil {
		return fmt.Errorf("webhook key of %s: %w", h.Ref, err)
	}
	if _, err := dispatch.Verify(header, body, []dispatch.VerifyKey{key}, 0, time.Now()); err != nil {
		return concert.Refuse(concert.Forbidden, "hub.webhook", "", "the notice is not taken: %s", err.Error())
	}
	if err := s.pullHub(ctx, h.ID); err != nil {
		return concert.Refuse(concert.Unavailable, "hub.away", "", "the notice came, but what it tells of could not be fetched yet: send it again")
	}
	return nil
}

// hubTurns lets one look at a hub after the other.
type hubTurns struct{ turns sync.Map } // by concert.HubID, *sync.Mutex

func (t *hubTurns) take(id concert.HubID) func() {
	m, _ := t.turns.LoadOrStore(id, &sync.Mutex{})
	turn := m.(*sync.Mutex)
	turn.Lock()
	return turn.Unlock
}

// PullHubs asks every hub what is new, and sends it what waits for it: each for itself,
// so that one that is away delays no other. How it was met is kept with the hub.
func (s *Service) PullHubs(ctx context.Context) error {
	var hubs []concert.Hub
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		hubs, err = tx.Hubs(ctx)
		return err
	})
	if err != nil {
		return err
	}
	var g errgroup.Group
	for _, h := range hubs {
		if h.EndedAt.IsZero() {
			g.Go(func() error {
				// What went wrong stands beside the hub, where its people look.
				if err := s.pullHub(ctx, h.ID); err != nil && ctx.Err() == nil {
					s.Log.Debug("a hub could not be asked", "hub", h.Origin, "err", err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// pullHub asks one hub. What it holds of the hub may be of a moment ago: it reads anew.
func (s *Service) pullHub(ctx context.Context, id concert.HubID) error {
	defer s.hubs.take(id)()
	var h concert.Hub
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		h, err = tx.Hub(ctx, string(id))
		return err
	})
	if err != nil || !h.EndedAt.IsZero() {
		return err
	}
	key, err := identity.Open(s.DB.Keys.Derive("keys at hubs"), h.SealedKey, []byte(h.ID))
	if err != nil {
		return fmt.Errorf("key at hub %s: %w", h.Ref, err)
	}
	c := hubClient(h, string(key))
	told := s.sendThreats(ctx, c, h) // before all else: a life may hang on it
	asked := s.pullOrders(ctx, c, &h)
	if asked == nil {
		asked = s.pullInbox(ctx, c, &h)
	}
	if asked == nil {
		asked = s.sendPosts(ctx, c, h)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.Problem = ""
	if asked == nil {
		h.SeenAt = s.now()
		if told != nil {
			h.Problem = shortly(told)
		}
	} else {
		h.Problem = shortly(asked)
		asked = errors.Join(asked, s.putOffPosts(ctx, h))
	}
	return errors.Join(asked, s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SawHub(ctx, h) }))
}

// shortly is why a hub could not be asked, as a line.
func shortly(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	const most = 300
	if r := []rune(line); len(r) > most {
		line = string(r[:most]) + "…"
	}
	return line
}
