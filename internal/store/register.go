package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"concert"
)

const authorityCols = "id, ref, name, country, kind, unit, contact, public_key, sealed_key, exercise, created_at"

func scanAuthority(r rowScanner) (concert.Authority, error) {
	var a concert.Authority
	var created int64
	err := r.Scan(&a.ID, &a.Ref, &a.Name, &a.Country, &a.Kind, &a.Unit, &a.Contact, &a.PublicKey, &a.SealedKey, &a.Exercise, &created)
	a.CreatedAt = concert.FromMicros(created)
	return a, err
}

// AddAuthority writes a new authority.
func (tx *Tx) AddAuthority(ctx context.Context, a concert.Authority) error {
	tx.touch("authority")
	_, err := tx.insert(ctx, "authority", authorityCols, [][]any{{string(a.ID), a.Ref, a.Name, a.Country, string(a.Kind), a.Unit, a.Contact, a.PublicKey, a.SealedKey, flag(a.Exercise), concert.Micros(a.CreatedAt)}}, "")
	return err
}

// Authorities are all of them, by name.
func (tx *Tx) Authorities(ctx context.Context) ([]concert.Authority, error) {
	return list(ctx, tx, scanAuthority, "SELECT "+authorityCols+" FROM authority ORDER BY name, id")
}

// Authority is one, by reference or id.
func (tx *Tx) Authority(ctx context.Context, ref string) (concert.Authority, error) {
	return scanAuthority(tx.row(ctx, "SELECT "+authorityCols+" FROM authority WHERE ref = ? OR id = ?", ref, ref))
}

const providerCols = "id, ref, name, kind, country, languages, zone, quiet_from, quiet_to, per_hour, channel, webhook_url, webhook_key, sealed_keys, contact, disabled_at, hour_start, hour_count, exercise, created_at, version"

func scanProvider(r rowScanner) (concert.Provider, error) {
	var p concert.Provider
	var disabled, hour, created int64
	var languages string
	err := r.Scan(&p.ID, &p.Ref, &p.Name, &p.Kind, &p.Country, &languages, &p.Zone, &p.QuietFrom, &p.QuietTo, &p.PerHour, &p.Channel, &p.WebhookURL, &p.WebhookKey, &p.SealedKeys, &p.Contact, &disabled, &hour, &p.HourCount, &p.Exercise, &created, &p.Version)
	if err != nil {
		return p, err
	}
	p.DisabledAt, p.HourStart, p.CreatedAt = concert.FromMicros(disabled), concert.FromMicros(hour), concert.FromMicros(created)
	return p, json.Unmarshal([]byte(languages), &p.Languages)
}

// AddProvider writes a new provider and the platforms it answers for.
func (tx *Tx) AddProvider(ctx context.Context, p concert.Provider) error {
	tx.touch("provider")
	_, err := tx.insert(ctx, "provider", providerCols, [][]any{{string(p.ID), p.Ref, p.Name, p.Kind, p.Country, jsonText(p.Languages), p.Zone, p.QuietFrom, p.QuietTo, p.PerHour, string(p.Channel), p.WebhookURL, p.WebhookKey, p.SealedKeys, p.Contact, 0, 0, 0, flag(p.Exercise), concert.Micros(p.CreatedAt), 1}}, "")
	if err != nil {
		return err
	}
	rows := make([][]any, len(p.Platforms))
	for i, name := range p.Platforms {
		rows[i] = []any{name, string(p.ID)}
	}
	_, err = tx.insert(ctx, "provider_platform", "platform, provider", rows, "")
	return err
}

// SaveProvider writes what changes as a provider is served: the hour's count,
// the end of its endpoint.
func (tx *Tx) SaveProvider(ctx context.Context, p concert.Provider) error {
	return tx.update(ctx, "provider", []typed{{"disabled_at", "BIGINT"}, {"hour_start", "BIGINT"}, {"hour_count", "BIGINT"}},
		[][]any{{string(p.ID), p.Version, concert.Micros(p.DisabledAt), concert.Micros(p.HourStart), p.HourCount}})
}

// Provider is one, by reference or id, with its platforms.
func (tx *Tx) Provider(ctx context.Context, ref string) (concert.Provider, error) {
	p, err := scanProvider(tx.row(ctx, "SELECT "+providerCols+" FROM provider WHERE ref = ? OR id = ?", ref, ref))
	if err != nil {
		return p, err
	}
	p.Platforms, err = list(ctx, tx, scanText, "SELECT platform FROM provider_platform WHERE provider = ? ORDER BY platform", string(p.ID))
	return p, err
}

// Providers are all of them, by name, with their platforms.
func (tx *Tx) Providers(ctx context.Context) ([]concert.Provider, error) {
	ps, err := list(ctx, tx, scanProvider, "SELECT "+providerCols+" FROM provider ORDER BY name, id")
	if err != nil {
		return nil, err
	}
	platforms, err := tx.Platforms(ctx)
	if err != nil {
		return nil, err
	}
	for i := range ps {
		for name, id := range platforms {
			if id == ps[i].ID {
				ps[i].Platforms = append(ps[i].Platforms, name)
			}
		}
		slices.Sort(ps[i].Platforms)
	}
	return ps, nil
}

// Platforms says who answers for which platform or registrable domain.
func (tx *Tx) Platforms(ctx context.Context) (map[string]concert.ProviderID, error) {
	out := map[string]concert.ProviderID{}
	_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var name string
		var id concert.ProviderID
		err := r.Scan(&name, &id)
		out[name] = id
		return struct{}{}, err
	}, "SELECT platform, provider FROM provider_platform")
	return out, err
}

const outletCols = "id, ref, name, aliases, marks, sites, parent, exercise, created_at"

func scanOutlet(r rowScanner) (concert.Outlet, error) {
	var o concert.Outlet
	var aliases, marks, sites string
	var parent *string
	var created int64
	if err := r.Scan(&o.ID, &o.Ref, &o.Name, &aliases, &marks, &sites, &parent, &o.Exercise, &created); err != nil {
		return o, err
	}
	if parent != nil {
		o.Parent = concert.OutletID(*parent)
	}
	o.CreatedAt = concert.FromMicros(created)
	for _, f := range []struct {
		text string
		into *[]string
	}{{aliases, &o.Aliases}, {marks, &o.Marks}, {sites, &o.Sites}} {
		if err := json.Unmarshal([]byte(f.text), f.into); err != nil {
			return o, fmt.Errorf("outlet %s: %w", o.Ref, err)
		}
	}
	return o, nil
}

// AddOutlet writes a new outlet.
func (tx *Tx) AddOutlet(ctx context.Context, o concert.Outlet) error {
	tx.touch("outlet")
	_, err := tx.insert(ctx, "outlet", outletCols, [][]any{{string(o.ID), o.Ref, o.Name, jsonText(o.Aliases), jsonText(o.Marks), jsonText(o.Sites), string(o.Parent), flag(o.Exercise), concert.Micros(o.CreatedAt)}}, "")
	return err
}

// Outlet is one, by reference or id.
func (tx *Tx) Outlet(ctx context.Context, ref string) (concert.Outlet, error) {
	return scanOutlet(tx.row(ctx, "SELECT "+outletCols+" FROM outlet WHERE ref = ? OR id = ?", ref, ref))
}

const scopeCols = "id, ref, outlet, legal_act, authority, citation, listed_on, delisted_on, proposed_by, confirmed_by, confirmed_at, delisted_by, exercise, created_at, version"

func scanScope(r rowScanner) (concert.ScopeEntry, error) {
	var s concert.ScopeEntry
	var listed, delisted, confirmed, created int64
	err := r.Scan(&s.ID, &s.Ref, &s.Outlet, &s.LegalAct, &s.Authority, &s.Citation, &listed, &delisted, &s.ProposedBy, &s.ConfirmedBy, &confirmed, &s.DelistedBy, &s.Exercise, &created, &s.Version)
	s.ListedOn, s.DelistedOn, s.ConfirmedAt, s.CreatedAt = concert.FromMicros(listed), concert.FromMicros(delisted), concert.FromMicros(confirmed), concert.FromMicros(created)
	return s, err
}

// AddScopeEntry writes a proposed entry.
func (tx *Tx) AddScopeEntry(ctx context.Context, s concert.ScopeEntry) error {
	tx.touch("scope_entry")
	_, err := tx.insert(ctx, "scope_entry", scopeCols, [][]any{{string(s.ID), s.Ref, string(s.Outlet), s.LegalAct, s.Authority, s.Citation, concert.Micros(s.ListedOn), 0, string(s.ProposedBy), "", 0, "", flag(s.Exercise), concert.Micros(s.CreatedAt), 1}}, "")
	return err
}

// SaveScopeEntry writes a confirmation or delisting.
func (tx *Tx) SaveScopeEntry(ctx context.Context, s concert.ScopeEntry) error {
	tx.touch("scope_entry")
	return tx.update(ctx, "scope_entry", []typed{{"confirmed_by", "TEXT"}, {"confirmed_at", "BIGINT"}, {"delisted_on", "BIGINT"}, {"delisted_by", "TEXT"}},
		[][]any{{string(s.ID), s.Version, string(s.ConfirmedBy), concert.Micros(s.ConfirmedAt), concert.Micros(s.DelistedOn), string(s.DelistedBy)}})
}

// ScopeEntry is one, by reference.
func (tx *Tx) ScopeEntry(ctx context.Context, ref string) (concert.ScopeEntry, error) {
	return scanScope(tx.row(ctx, "SELECT "+scopeCols+" FROM scope_entry WHERE ref = ?", ref))
}

// ScopeList is the whole list with its outlets. It is public and small: some
// hundred entries.
func (tx *Tx) ScopeList(ctx context.Context) (concert.ScopeList, error) {
	l := concert.ScopeList{Outlets: map[concert.OutletID]concert.Outlet{}, Entries: map[concert.OutletID][]concert.ScopeEntry{}}
	outlets, err := list(ctx, tx, scanOutlet, "SELECT "+outletCols+" FROM outlet ORDER BY name, id")
	if err != nil {
		return l, err
	}
	for _, o := range outlets {
		l.Outlets[o.ID] = o
	}
	entries, err := list(ctx, tx, scanScope, "SELECT "+scopeCols+" FROM scope_entry ORDER BY listed_on, id")
	for _, e := range entries {
		l.Entries[e.Outlet] = append(l.Entries[e.Outlet], e)
	}
	return l, err
}

const actionCols = "id, ref, name, phase, lead_authority, mandate, starts_at, ends_at, target, exercise, created_by, created_at, version, batched"

func scanAction(r rowScanner) (concert.Action, error) {
	var a concert.Action
	var starts, ends, created int64
	err := r.Scan(&a.ID, &a.Ref, &a.Name, &a.Phase, &a.Lead, &a.Mandate, &starts, &ends, &a.Target, &a.Exercise, &a.CreatedBy, &created, &a.Version, &a.Batched)
	a.StartsAt, a.EndsAt, a.CreatedAt = concert.FromMicros(starts), concert.FromMicros(ends), concert.FromMicros(created)
	return a, err
}

// AddAction writes a new joint action.
func (tx *Tx) AddAction(ctx context.Context, a concert.Action) error {
	tx.touch("action")
	_, err := tx.insert(ctx, "action", actionCols, [][]any{{string(a.ID), a.Ref, a.Name, string(a.Phase), string(a.Lead), a.Mandate, concert.Micros(a.StartsAt), concert.Micros(a.EndsAt), a.Target, flag(a.Exercise), string(a.CreatedBy), concert.Micros(a.CreatedAt), 1, flag(a.Batched)}}, "")
	return err
}

// SaveAction writes a phase, and whether releases go in batches.
func (tx *Tx) SaveAction(ctx context.Context, a concert.Action) error {
	tx.touch("action")
	return tx.update(ctx, "action", []typed{{"phase", "TEXT"}, {"batched", "BIGINT"}}, [][]any{{string(a.ID), a.Version, string(a.Phase), flag(a.Batched)}})
}

// Action is one, by reference or id.
func (tx *Tx) Action(ctx context.Context, ref string) (concert.Action, error) {
	return scanAction(tx.row(ctx, "SELECT "+actionCols+" FROM action WHERE ref = ? OR id = ?", ref, ref))
}

// Actions are all of them, newest first.
func (tx *Tx) Actions(ctx context.Context, limit int) ([]concert.Action, error) {
	return list(ctx, tx, scanAction, "SELECT "+actionCols+" FROM action ORDER BY id DESC LIMIT ?", limit)
}

// AddParticipant writes an authority's part in an action.
func (tx *Tx) AddParticipant(ctx context.Context, p concert.Participant) error {
	tx.touch("participant")
	_, err := tx.insert(ctx, "participant", "action, authority, part", [][]any{{string(p.Action), string(p.Authority), string(p.Part)}}, "ON CONFLICT DO NOTHING")
	return err
}

// Participants are an action's.
func (tx *Tx) Participants(ctx context.Context, a concert.ActionID) ([]concert.Participant, error) {
	return list(ctx, tx, func(r rowScanner) (concert.Participant, error) {
		p := concert.Participant{Action: a}
		return p, r.Scan(&p.Authority, &p.Part)
	}, "SELECT authority, part FROM participant WHERE action = ? ORDER BY part, authority", string(a))
}

// AddTarget names an outlet as an action's target.
func (tx *Tx) AddTarget(ctx context.Context, a concert.ActionID, o concert.OutletID) error {
	tx.touch("action_target")
	_, err := tx.insert(ctx, "action_target", "action, outlet", [][]any{{string(a), string(o)}}, "ON CONFLICT DO NOTHING")
	return err
}

// Targets are an action's outlets.
func (tx *Tx) Targets(ctx context.Context, a concert.ActionID) ([]concert.OutletID, error) {
	ids, err := list(ctx, tx, scanText, "SELECT outlet FROM action_target WHERE action = ? ORDER BY outlet", string(a))
	out := make([]concert.OutletID, len(ids))
	for i, id := range ids {
		out[i] = concert.OutletID(id)
	}
	return out, err
}

// Meta is a named setting of the database itself; "" where there is none.
func (tx *Tx) Meta(ctx context.Context, name string) (string, error) {
	var v string
	err := tx.row(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&v)
	if err == concert.ErrNotFound {
		return "", nil
	}
	return v, err
}

// SetMeta writes a named setting.
func (tx *Tx) SetMeta(ctx context.Context, name, value string) error {
	_, err := tx.exec(ctx, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}

func scanText(r rowScanner) (string, error) {
	var s string
	return s, r.Scan(&s)
}

// jsonText is a list of strings as JSON text; it cannot fail.
func jsonText(v []string) string {
	if len(v) == 0 {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("store: a list of strings as JSON: " + err.Error())
	}
	return string(b)
}

// now is wall time: what the log's clocks and stored answers run by.
func (db *DB) now() time.Time { return time.Now() }
