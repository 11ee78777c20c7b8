package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"concert"
)

// OwnFilter chooses a page of a provider's own items, in the order in which they
// were found: a walk along item_of_provider, which holds all that it asks for.
type OwnFilter struct {
	Provider concert.ProviderID
	View     concert.OwnView
	After    concert.ItemID
	Limit    int
}

func (f OwnFilter) where() (string, []any) {
	pending := anys(strs(concert.Pending()))
	waits := "i.claimed IN (?" + repeat(",?", len(pending)-1) + ") AND i.status <> 'withdrawn'"
	switch f.View {
	case concert.OwnWaiting:
		return " AND " + waits, pending
	case concert.OwnUrgent:
		return " AND i.rank = 0 AND " + waits, pending
	case concert.OwnAnswered:
		return " AND i.claimed NOT IN (?" + repeat(",?", len(pending)-1) + ") AND i.status <> 'withdrawn'", pending
	case concert.OwnStillUp:
		return " AND i.observed = 'up' AND i.status <> 'withdrawn'", nil
	case concert.OwnWithdrawn:
		return " AND i.status = 'withdrawn'", nil
	}
	return "", nil
}

// OwnIDs are the ids of one page.
func (tx *Tx) OwnIDs(ctx context.Context, f OwnFilter) ([]concert.ItemID, error) {
	more, args := f.where()
	return list(ctx, tx, func(r rowScanner) (concert.ItemID, error) {
		var id concert.ItemID
		return id, r.Scan(&id)
	}, "SELECT i.id FROM item i WHERE i.provider = ? AND i.referral <> '' AND i.id > ?"+more+" ORDER BY i.id LIMIT ?",
		append(append([]any{string(f.Provider), string(f.After)}, args...), min(max(f.Limit, 1), 500))...)
}

// CountOwn counts a view's items, up to most.
func (tx *Tx) CountOwn(ctx context.Context, f OwnFilter, most int) (int, error) {
	more, args := f.where()
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM item i WHERE i.provider = ? AND i.referral <> ''"+more+" LIMIT ?) AS counted", append(append([]any{string(f.Provider)}, args...), most)...).Scan(&n)
	return n, err
}

// OwnItems are items with what their referrals said of them, what was answered
// last and when we last looked. Those of another provider are left out.
func (tx *Tx) OwnItems(ctx context.Context, p concert.ProviderID, ids []concert.ItemID) ([]concert.OwnItem, error) {
	items, err := tx.ItemsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	more := map[concert.ItemID]concert.OwnItem{}
	_, err = in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var o concert.OwnItem
		var sent, answered, seen int64
		var sealed []byte
		if err := r.Scan(&o.ID, &o.RefRef, &sent, &o.Author, &o.Article16, &answered, &seen, &sealed); err != nil {
			return struct{}{}, err
		}
		o.SentAt, o.AnsweredAt, o.SeenAt = concert.FromMicros(sent), concert.FromMicros(answered), concert.FromMicros(seen)
		raw, err := tx.openBytes(ctx, string(o.ID), "referral_item", sealed)
		if err == nil && raw != nil {
			err = json.Unmarshal(raw, &o.Said)
		}
		more[o.ID] = o
		return struct{}{}, err
	}, "SELECT x.item, r.ref, r.created_at, r.author, r.article16, coalesce((SELECT max(a.at) FROM answer a WHERE a.item = x.item), 0), coalesce((SELECT max(c.at) FROM recheck c WHERE c.item = x.item), 0), x.sealed FROM referral_item x JOIN referral r ON r.id = x.referral WHERE x.item IN (%s)", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("own items: %w", err)
	}
	byID := make(map[concert.ItemID]concert.Item, len(items))
	for _, it := range items {
		byID[it.ID] = it
	}
	out := make([]concert.OwnItem, 0, len(items))
	for _, id := range ids {
		it, ok := byID[id]
		o, sent := more[id]
		if !ok || !sent || it.Provider != p {
			continue
		}
		o.Item = it
		o.Item.Author = o.Author
		out = append(out, o)
	}
	return out, nil
}

// OwnReferrals are a page of a provider's referrals, newest first, before the
// one with the id.
func (tx *Tx) OwnReferrals(ctx context.Context, p concert.ProviderID, view concert.OwnView, before concert.ReferralID, limit int) ([]concert.Referral, error) {
	const one = "EXISTS (SELECT 1 FROM referral_item x JOIN item i ON i.id = x.item WHERE x.referral = referral.id AND "
	cond := map[concert.OwnView]string{
		concert.OwnWaiting:   " AND status <> 'answered'",
		concert.OwnAnswered:  " AND status = 'answered'",
		concert.OwnUrgent:    " AND status <> 'answered' AND EXISTS (SELECT 1 FROM delivery d WHERE d.referral = referral.id AND d.kind = 'referral' AND d.urgent = 1)",
		concert.OwnStillUp:   " AND " + one + "i.observed = 'up' AND i.status <> 'withdrawn')",
		concert.OwnWithdrawn: " AND " + one + "i.status = 'withdrawn')",
	}[view]
	args := []any{string(p)}
	if before != "" {
		cond += " AND id < ?"
		args = append(args, string(before))
	}
	return list(ctx, tx, scanReferral, "SELECT "+referralCols+" FROM referral WHERE provider = ?"+cond+" ORDER BY id DESC LIMIT ?", append(args, min(max(limit, 1), 500))...)
}

// Matched is how many of a provider's items it claims and we saw like this.
type Matched struct {
	Claim concert.AnswerCode
	Seen  concert.Observed
	N     int64
}

// OwnMatches groups a provider's items, but those taken back, by claim and
// observation.
func (tx *Tx) OwnMatches(ctx context.Context, p concert.ProviderID) ([]Matched, error) {
	return list(ctx, tx, func(r rowScanner) (Matched, error) {
		var m Matched
		return m, r.Scan(&m.Claim, &m.Seen, &m.N)
	}, "SELECT i.claimed, i.observed, count(*) FROM item i WHERE i.provider = ? AND i.referral <> '' AND i.status <> 'withdrawn' GROUP BY i.claimed, i.observed ORDER BY 1, 2", string(p))
}

// AnswerTime is how long after its referral an item got its first word and its
// first final word; Final is 0 while there is none.
type AnswerTime struct{ First, Final time.Duration }

// AnswerTimes are those of all of a provider's answered items.
func (tx *Tx) AnswerTimes(ctx context.Context, p concert.ProviderID) ([]AnswerTime, error) {
	pending := anys(strs(concert.Pending()))
	return list(ctx, tx, func(r rowScanner) (AnswerTime, error) {
		var sent, first, final int64
		err := r.Scan(&sent, &first, &final)
		t := AnswerTime{First: time.Duration(first-sent) * time.Microsecond}
		if final > 0 {
			t.Final = max(1, time.Duration(final-sent)*time.Microsecond)
		}
		return t, err
	}, "SELECT min(r.created_at), min(a.at), coalesce(min(CASE WHEN a.code IN (?"+strings.Repeat(",?", len(pending)-1)+") THEN NULL ELSE a.at END), 0) FROM referral r JOIN referral_item x ON x.referral = r.id JOIN answer a ON a.item = x.item WHERE r.provider = ? GROUP BY x.item",
		append(pending, string(p))...)
}

// LastLook is when we last looked at an item of the provider.
func (tx *Tx) LastLook(ctx context.Context, p concert.ProviderID) (time.Time, error) {
	var at int64
	err := tx.row(ctx, "SELECT coalesce(max(x.checked_at), 0) FROM referral r JOIN referral_item x ON x.referral = r.id WHERE r.provider = ?", string(p)).Scan(&at)
	return concert.FromMicros(at), err
}

// Team are the people of a provider, by log-in.
func (tx *Tx) Team(ctx context.Context, p concert.ProviderID) ([]concert.Person, error) {
	return list(ctx, tx, scanPerson, "SELECT "+personCols+" FROM person p WHERE p.provider = ? AND p.provider <> '' ORDER BY p.login", string(p))
}

// Credentials are the sessions and keys of people that are good at wall time
// now, oldest first.
func (tx *Tx) Credentials(ctx context.Context, people []concert.PersonID, now time.Time) ([]Credential, error) {
	cs, err := in(ctx, tx, scanCredential, "SELECT digest, kind, person, name, created_at, expires_at, used_at, scopes FROM credential WHERE person IN (%s) AND kind <> 'link' ORDER BY created_at, digest", anys(strs(people)))
	out := cs[:0]
	for _, c := range cs {
		if c.ExpiresAt.IsZero() || c.ExpiresAt.After(now) {
			out = append(out, c)
		}
	}
	return out, err
}

// ClockAt is when a clock is due; zero where there is none.
func (tx *Tx) ClockAt(ctx context.Context, kind concert.ClockKind, subject string) (time.Time, error) {
	var at int64
	err := tx.row(ctx, "SELECT due_at FROM clock WHERE kind = ? AND subject = ?", string(kind), subject).Scan(&at)
	if err == concert.ErrNotFound {
		return time.Time{}, nil
	}
	return concert.FromMicros(at), err
}

// Unopened are those of the referrals whose notice has not been opened yet.
func (tx *Tx) Unopened(ctx context.Context, rs []concert.ReferralID) ([]concert.ReferralID, error) {
	return in(ctx, tx, func(r rowScanner) (concert.ReferralID, error) {
		var id concert.ReferralID
		return id, r.Scan(&id)
	}, "SELECT DISTINCT referral FROM delivery WHERE kind = 'referral' AND rung NOT IN ('opened', 'acknowledged') AND referral IN (%s)", anys(strs(rs)))
}

// ActionsOfProvider are the joint actions that brought a provider items, newest
// first.
func (tx *Tx) ActionsOfProvider(ctx context.Context, p concert.ProviderID) ([]concert.Action, error) {
	return list(ctx, tx, scanAction, "SELECT "+actionCols+" FROM action WHERE id IN (SELECT r.action FROM referral r WHERE r.provider = ?) ORDER BY id DESC LIMIT 100", string(p))
}

// LastAnswers are the words that the items' present claims rest on, by item,
// without what is sealed.
func (tx *Tx) LastAnswers(ctx context.Context, items []concert.ItemID) (map[concert.ItemID]concert.Answer, error) {
	out := map[concert.ItemID]concert.Answer{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var a concert.Answer
		var at int64
		var countries string
		if err := r.Scan(&a.Item, &at, &a.Code, &countries); err != nil {
			return struct{}{}, err
		}
		a.At = concert.FromMicros(at)
		err := json.Unmarshal([]byte(countries), &a.Countries)
		out[a.Item] = a
		return struct{}{}, err
	}, "SELECT a.item, a.at, a.code, a.countries FROM answer a JOIN item i ON i.id = a.item AND i.claimed = a.code WHERE a.item IN (%s) ORDER BY a.at", anys(strs(items)))
	return out, err
}
