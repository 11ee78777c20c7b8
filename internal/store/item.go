package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"concert"
)

const bareCols = "i.id, i.ref, i.place, i.kind, i.type, i.provider, i.outlet, i.authority, i.author, i.assessor, i.action, i.status, i.rank, i.language, i.guard, i.guard_class, i.guard_rule, i.assessment, i.needed, i.given, i.claimed, i.observed, i.seen_down, i.referral, i.content, i.handling, i.held_legal, i.erased_at, i.overridden, i.exercise, i.created_at, i.updated_at, i.version, i.urgency, i.escalated"

const itemCols = bareCols + ", i.sealed, k.wrapped"

const itemFrom = " FROM item i LEFT JOIN subject_key k ON k.subject = i.id "

// sealedItem is what of an item lies under its key.
type sealedItem struct {
	Location concert.Location `json:"location"`
	Reason   string           `json:"reason,omitempty"` // the guard's, may quote the place
	Hash     string           `json:"sha256,omitempty"` // of the captured bytes
}

// scanBare reads an item without what is sealed: its state, for acts that need
// no more.
func scanBare(r rowScanner) (concert.Item, error) { return scanItemAnd(r) }

func scanItemAnd(r rowScanner, more ...any) (concert.Item, error) {
	var it concert.Item
	var at, content []byte
	var created, updated, held, erased int64
	var rank int
	err := r.Scan(append([]any{&it.ID, &it.Ref, &at, &it.Location.Kind, &it.Type, &it.Provider, &it.Outlet, &it.Authority, &it.Author, &it.Assessor, &it.Action, &it.Status, &rank, &it.Language,
		&it.Guard.Verdict, &it.Guard.Class, &it.Guard.Rule, &it.Assessment, &it.Needed, &it.Given, &it.Claimed, &it.Observed, &it.SeenDown, &it.Referral, &content, &it.Handling, &held, &erased, &it.Overridden, &it.Exercise, &created, &updated, &it.Version, &it.Urgency, &it.Escalated}, more...)...)
	it.Place, it.Content, it.Priority, it.CreatedAt, it.UpdatedAt = place(at), place(content), 9-rank, concert.FromMicros(created), concert.FromMicros(updated)
	it.HeldLegal, it.ErasedAt = concert.FromMicros(held), concert.FromMicros(erased)
	return it, err
}

func (tx *Tx) scanItem(ctx context.Context) func(rowScanner) (concert.Item, error) {
	return func(r rowScanner) (concert.Item, error) {
		var sealed, wrapped []byte
		it, err := scanItemAnd(r, &sealed, &wrapped)
		if err != nil || len(wrapped) == 0 {
			return it, err
		}
		if err := tx.knowKey(string(it.ID), wrapped); err != nil {
			return it, err
		}
		var s sealedItem
		if err := tx.open(ctx, string(it.ID), "item", sealed, &s); err != nil {
			return it, err
		}
		it.Location, it.Guard.Reason, it.Hash = s.Location, s.Reason, s.Hash
		return it, nil
	}
}

// AddItems writes new items with their keys.
func (tx *Tx) AddItems(ctx context.Context, items []concert.Item) error {
	if len(items) == 0 {
		return nil
	}
	tx.touch("item")
	subjects := make([]string, len(items))
	for i, it := range items {
		subjects[i] = string(it.ID)
	}
	if err := tx.newSubjects(ctx, subjects...); err != nil {
		return err
	}
	rows := make([][]any, len(items))
	for i, it := range items {
		sealed, err := tx.seal(ctx, string(it.ID), "item", sealedItem{it.Location, it.Guard.Reason, it.Hash})
		if err != nil {
			return err
		}
		rows[i] = []any{string(it.ID), it.Ref, it.Place[:], sealed, it.Location.Kind, string(it.Type), string(it.Provider), string(it.Outlet), string(it.Authority), string(it.Author), string(it.Assessor),
			string(it.Action), string(it.Status), 9 - it.Priority, it.Language, string(it.Guard.Verdict), it.Guard.Class, it.Guard.Rule, string(it.Assessment), it.Needed, it.Given, string(it.Claimed), string(it.Observed),
			flag(it.SeenDown), string(it.Referral), digest(it.Content), string(it.Handling), concert.Micros(it.HeldLegal), concert.Micros(it.ErasedAt), flag(it.Overridden), flag(it.Exercise), concert.Micros(it.CreatedAt), concert.Micros(it.UpdatedAt), 1, it.Urgency, flag(it.Escalated)}
	}
	_, err := tx.insert(ctx, "item", "id, ref, place, sealed, kind, type, provider, outlet, authority, author, assessor, action, status, rank, language, guard, guard_class, guard_rule, assessment, needed, given, claimed, observed, seen_down, referral, content, handling, held_legal, erased_at, overridden, exercise, created_at, updated_at, version, urgency, escalated", rows, "")
	return err
}

var itemSets = []typed{{"provider", "TEXT"}, {"outlet", "TEXT"}, {"author", "TEXT"}, {"assessor", "TEXT"}, {"status", "TEXT"}, {"rank", "BIGINT"}, {"language", "TEXT"}, {"assessment", "TEXT"},
	{"needed", "BIGINT"}, {"given", "BIGINT"}, {"claimed", "TEXT"}, {"observed", "TEXT"}, {"seen_down", "BIGINT"}, {"referral", "TEXT"}, {"handling", "TEXT"}, {"held_legal", "BIGINT"}, {"erased_at", "BIGINT"}, {"overridden", "BIGINT"}, {"updated_at", "BIGINT"}, {"escalated", "BIGINT"}}

// SaveItems writes items back; each must still have the version it was loaded
// with, else all is ErrStale.
func (tx *Tx) SaveItems(ctx context.Context, items []concert.Item) error {
	if len(items) == 0 {
		return nil
	}
	tx.touch("item")
	rows := make([][]any, len(items))
	for i, it := range items {
		rows[i] = []any{string(it.ID), it.Version, string(it.Provider), string(it.Outlet), string(it.Author), string(it.Assessor), string(it.Status), 9 - it.Priority, it.Language, string(it.Assessment),
			it.Needed, it.Given, string(it.Claimed), string(it.Observed), flag(it.SeenDown), string(it.Referral), string(it.Handling), concert.Micros(it.HeldLegal), concert.Micros(it.ErasedAt), flag(it.Overridden), concert.Micros(it.UpdatedAt), flag(it.Escalated)}
	}
	return tx.update(ctx, "item", itemSets, rows)
}

// ItemsByPlace are the items at these places, bare.
func (tx *Tx) ItemsByPlace(ctx context.Context, places [][32]byte) (map[[32]byte]concert.Item, error) {
	args := make([]any, len(places))
	for i := range places {
		args[i] = places[i][:]
	}
	items, err := in(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.place IN (%s)", args)
	if err != nil {
		return nil, fmt.Errorf("items by place: %w", err)
	}
	out := make(map[[32]byte]concert.Item, len(items))
	for _, it := range items {
		out[it.Place] = it
	}
	return out, nil
}

// BareItemsByRef are the items with these references, by reference, without
// what is sealed.
func (tx *Tx) BareItemsByRef(ctx context.Context, refs []string) (map[string]concert.Item, error) {
	return byRef(in(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.ref IN (%s)", anys(refs)))
}

// ItemsByRef are the items with these references, by reference.
func (tx *Tx) ItemsByRef(ctx context.Context, refs []string) (map[string]concert.Item, error) {
	return byRef(in(ctx, tx, tx.scanItem(ctx), "SELECT "+itemCols+itemFrom+"WHERE i.ref IN (%s)", anys(refs)))
}

// BareItemsByID are the items with these ids, without what is sealed.
func (tx *Tx) BareItemsByID(ctx context.Context, ids []concert.ItemID) ([]concert.Item, error) {
	return in(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.id IN (%s)", anys(strs(ids)))
}

// ItemsByID are the items with these ids.
func (tx *Tx) ItemsByID(ctx context.Context, ids []concert.ItemID) ([]concert.Item, error) {
	return in(ctx, tx, tx.scanItem(ctx), "SELECT "+itemCols+itemFrom+"WHERE i.id IN (%s)", anys(strs(ids)))
}

func byRef(items []concert.Item, err error) (map[string]concert.Item, error) {
	if err != nil {
		return nil, fmt.Errorf("items by reference: %w", err)
	}
	out := make(map[string]concert.Item, len(items))
	for _, it := range items {
		out[it.Ref] = it
	}
	return out, nil
}

// Item is one item by reference.
func (tx *Tx) Item(ctx context.Context, ref string) (concert.Item, error) {
	return tx.scanItem(ctx)(tx.row(ctx, "SELECT "+itemCols+itemFrom+"WHERE i.ref = ?", ref))
}

// ItemFilter chooses a page of items. Status is needed: it is what makes every
// page a walk along one index, however large the table.
type ItemFilter struct {
	Status    concert.ItemStatus
	Authority concert.AuthorityID // whose desk it lies on: the author's once assessed, the first finder's before; "" for any
	AfterRank int                 // keyset cursor: the last row's 9 - priority …
	AfterID   concert.ItemID      // … and id; "" to begin
	Limit     int
	Languages []string // base codes: those in one of them, or in none that is named; nil for any
}

// where is the filter without its cursor. What is erased waits for nobody;
// where nothing waits it stays in the list, as erased.
func (f ItemFilter) where() (string, []any) {
	lives := " AND i.erased_at = 0"
	switch f.Status {
	case concert.ItemStopped, concert.ItemRejected, concert.ItemWithdrawn:
		lives = ""
	}
	spoken, args := languages(f.Languages)
	lives += spoken
	switch {
	case f.Authority == "":
		return "WHERE i.status = ?" + lives, append([]any{string(f.Status)}, args...)
	case f.Status == concert.ItemOpen || f.Status == concert.ItemStopped:
		return "WHERE i.authority = ? AND i.author = '' AND i.status = ?" + lives, append([]any{string(f.Authority), string(f.Status)}, args...)
	}
	return "WHERE i.author = ? AND i.author <> '' AND i.status = ?" + lives, append([]any{string(f.Authority), string(f.Status)}, args...)
}

// Items is one page, urgent and old first.
func (tx *Tx) Items(ctx context.Context, s concert.Scope, f ItemFilter) ([]concert.Item, error) {
	if err := s.Justified(); err != nil {
		return nil, err
	}
	where, args := f.where()
	if f.AfterID != "" {
		where += " AND (i.rank, i.id) > (?, ?)"
		args = append(args, f.AfterRank, string(f.AfterID))
	}
	args = append(args, min(max(f.Limit, 1), 500))
	return list(ctx, tx, tx.scanItem(ctx), "SELECT "+itemCols+itemFrom+where+" ORDER BY i.rank, i.id LIMIT ?", args...)
}

// ItemsToRefer are approved items of a provider whose handling code lets them
// go there and whose mark of an atrocity, if any, does not keep them back
// (Atrocity.Blocks) nor under an order, urgent and old first. Of the paused authors only those are, whose
// urgency the pause does not stop; of the actions that keep back what they keep
// back not (Keeping).
func (tx *Tx) ItemsToRefer(ctx context.Context, p concert.ProviderID, paused []concert.AuthorityID, k Keeping, now time.Time, limit int) ([]concert.Item, error) {
	codes := concert.Leaving(concert.ToProvider)
	pass, args := "", append([]any{string(p)}, anys(strs(codes))...)
	if len(paused) > 0 {
		pass = " AND (i.rank = 0 OR i.author NOT IN (" + marks(len(paused)) + "))"
		args = append(args, anys(strs(paused))...)
	}
	more, held := k.where()
	args = append(args, held...)
	return list(ctx, tx, tx.scanItem(ctx), "SELECT "+itemCols+itemFrom+"WHERE i.provider = ? AND i.status = 'approved' AND i.erased_at = 0 AND i.handling IN (?"+repeat(",?", len(codes)-1)+")"+pass+more+" AND NOT EXISTS (SELECT 1 FROM atrocity m WHERE m.item = i.id AND m.lifted_at = 0 AND m.preserved_until <= ?) AND NOT EXISTS (SELECT 1 FROM order_item oi JOIN removal_order ro ON ro.id = oi.order_id WHERE oi.item = i.id AND ro.status NOT IN ('void', 'withdrawn', 'dropped')) ORDER BY i.rank, i.id LIMIT ?", append(args, concert.Micros(now), limit)...)
}

// Keeping are actions that keep approved items back: frozen ones all of them,
// spent and batched ones those that are not urgent, batched ones but for what a
// consignment released.
type Keeping struct{ Frozen, Spent, Batched []concert.ActionID }

func (k Keeping) where() (text string, args []any) {
	if n := len(k.Frozen); n > 0 {
		text += " AND i.action NOT IN (" + marks(n) + ")"
		args = append(args, anys(strs(k.Frozen))...)
	}
	if n := len(k.Spent); n > 0 {
		text += " AND (i.rank = 0 OR i.action NOT IN (" + marks(n) + "))"
		args = append(args, anys(strs(k.Spent))...)
	}
	if n := len(k.Batched); n > 0 {
		text += " AND (i.rank = 0 OR i.action NOT IN (" + marks(n) + ") OR " + inConsignment + "('left')))"
		args = append(args, anys(strs(k.Batched))...)
	}
	return text, args
}

// marks are n placeholders.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// ProvidersAwaiting are the providers for which items of the author are
// approved and not referred.
func (tx *Tx) ProvidersAwaiting(ctx context.Context, author concert.AuthorityID) ([]concert.ProviderID, error) {
	return list(ctx, tx, func(r rowScanner) (concert.ProviderID, error) {
		var p concert.ProviderID
		return p, r.Scan(&p)
	}, "SELECT DISTINCT i.provider FROM item i WHERE i.author = ? AND i.author <> '' AND i.status = 'approved' AND i.provider <> ''", string(author))
}

// AddSightings writes who found what; a second sighting by one authority
// changes nothing. It returns how many were new.
func (tx *Tx) AddSightings(ctx context.Context, ss []concert.Sighting) (int64, error) {
	if len(ss) == 0 {
		return 0, nil
	}
	tx.touch("sighting")
	rows := make([][]any, len(ss))
	for i, s := range ss {
		rows[i] = []any{string(s.Item), string(s.Authority), string(s.Person), concert.Micros(s.At), s.Source, s.Evaluation}
	}
	return tx.insert(ctx, "sighting", "item, authority, person, at, source, evaluation", rows, "ON CONFLICT (item, authority) DO NOTHING")
}

// SeenBy says which of the items the authority has found already.
func (tx *Tx) SeenBy(ctx context.Context, a concert.AuthorityID, items []concert.ItemID) (map[concert.ItemID]bool, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Sighting, error) {
		var s concert.Sighting
		return s, r.Scan(&s.Item, &s.Authority)
	}, "SELECT item, authority FROM sighting WHERE item IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("sightings: %w", err)
	}
	out := map[concert.ItemID]bool{}
	for _, s := range got {
		if s.Authority == a {
			out[s.Item] = true
		}
	}
	return out, nil
}

// Finders are the authorities that found each item, first finder first.
func (tx *Tx) Finders(ctx context.Context, items []concert.ItemID) (map[concert.ItemID][]concert.AuthorityID, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Sighting, error) {
		var s concert.Sighting
		return s, r.Scan(&s.Item, &s.Authority)
	}, "SELECT item, authority FROM sighting WHERE item IN (%s) ORDER BY item, at, authority", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("finders: %w", err)
	}
	out := map[concert.ItemID][]concert.AuthorityID{}
	for _, s := range got {
		out[s.Item] = append(out[s.Item], s.Authority)
	}
	return out, nil
}

// Sightings are who found each item, and how well, first finder first.
func (tx *Tx) Sightings(ctx context.Context, items []concert.ItemID) (map[concert.ItemID][]concert.Sighting, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Sighting, error) {
		var s concert.Sighting
		var at int64
		err := r.Scan(&s.Item, &s.Authority, &s.Person, &at, &s.Source, &s.Evaluation)
		s.At = concert.FromMicros(at)
		return s, err
	}, "SELECT item, authority, person, at, source, evaluation FROM sighting WHERE item IN (%s) ORDER BY item, at, authority", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("sightings: %w", err)
	}
	out := map[concert.ItemID][]concert.Sighting{}
	for _, s := range got {
		out[s.Item] = append(out[s.Item], s)
	}
	return out, nil
}

func strs[T ~string](vs []T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}
