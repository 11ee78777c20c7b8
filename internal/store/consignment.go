package store

import (
	"context"
	"fmt"

	"concert"
)

const consignmentRelease = "id, ref, action, provider, state, items, refused, prepared_by, prepared_at, confirmed_by, confirmed_at, leaves_at, recalled_by, ended_at, exercise, version"

func scanConsignment(r rowScanner) (concert.Consignment, error) {
	var b concert.Consignment
	var prepared, confirmed, leaves, ended int64
	err := r.Scan(&b.ID, &b.Ref, &b.Action, &b.Provider, &b.State, &b.Items, &b.Refused, &b.PreparedBy, &prepared, &b.ConfirmedBy, &confirmed, &leaves, &b.RecalledBy, &ended, &b.Exercise, &b.Version)
	b.PreparedAt, b.ConfirmedAt, b.LeavesAt, b.EndedAt = concert.FromMicros(prepared), concert.FromMicros(confirmed), concert.FromMicros(leaves), concert.FromMicros(ended)
	return b, err
}

// ConsignmentEntry is one item of a consignment, with what keeps it, "" for nothing.
type ConsignmentEntry struct {
	Item    concert.Item // bare
	Refusal concert.ConsignmentRefusal
}

// AddConsignment writes a prepared consignment with its items.
func (tx *Tx) AddConsignment(ctx context.Context, b concert.Consignment, entries []ConsignmentEntry) error {
	tx.touch("consignment")
	_, err := tx.insert(ctx, "consignment", consignmentRelease, [][]any{{string(b.ID), b.Ref, string(b.Action), string(b.Provider), string(b.State), b.Items, b.Refused, string(b.PreparedBy), concert.Micros(b.PreparedAt),
		string(b.ConfirmedBy), concert.Micros(b.ConfirmedAt), concert.Micros(b.LeavesAt), string(b.RecalledBy), concert.Micros(b.EndedAt), flag(b.Exercise), 1}}, "")
	if err != nil {
		return err
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{string(b.ID), string(e.Item.ID), string(e.Refusal)}
	}
	_, err = tx.insert(ctx, "consignment_item", "consignment, item, refusal", rows, "")
	return err
}

// SaveConsignment writes where a consignment stands.
func (tx *Tx) SaveConsignment(ctx context.Context, b concert.Consignment) error {
	tx.touch("consignment")
	return tx.update(ctx, "consignment", []typed{{"state", "TEXT"}, {"confirmed_by", "TEXT"}, {"confirmed_at", "BIGINT"}, {"leaves_at", "BIGINT"}, {"recalled_by", "TEXT"}, {"ended_at", "BIGINT"}},
		[][]any{{string(b.ID), b.Version, string(b.State), string(b.ConfirmedBy), concert.Micros(b.ConfirmedAt), concert.Micros(b.LeavesAt), string(b.RecalledBy), concert.Micros(b.EndedAt)}})
}

// Consignment is one, by reference or id.
func (tx *Tx) Consignment(ctx context.Context, ref string) (concert.Consignment, error) {
	return scanConsignment(tx.row(ctx, "SELECT "+consignmentRelease+" FROM consignment WHERE ref = ? OR id = ?", ref, ref))
}

// Consignments are an action's, newest first.
func (tx *Tx) Consignments(ctx context.Context, a concert.ActionID, limit int) ([]concert.Consignment, error) {
	return list(ctx, tx, scanConsignment, "SELECT "+consignmentRelease+" FROM consignment WHERE action = ? ORDER BY id DESC LIMIT ?", string(a), limit)
}

// ConsignmentEntries are a consignment's items, urgent and old first.
func (tx *Tx) ConsignmentEntries(ctx context.Context, b concert.ConsignmentID) ([]ConsignmentEntry, error) {
	got, err := list(ctx, tx, func(r rowScanner) (ConsignmentEntry, error) {
		var e ConsignmentEntry
		var err error
		e.Item, err = scanItemAnd(r, &e.Refusal)
		return e, err
	}, "SELECT "+bareCols+", b.refusal FROM consignment_item b JOIN item i ON i.id = b.item WHERE b.consignment = ? ORDER BY i.rank, i.id", string(b))
	if err != nil {
		return nil, fmt.Errorf("items of a consignment: %w", err)
	}
	return got, nil
}

// inConsignment is an item that a consignment has released, or will unless it is recalled.
const inConsignment = "EXISTS (SELECT 1 FROM consignment_item x JOIN consignment y ON y.id = x.consignment WHERE x.item = i.id AND x.refusal = '' AND y.state IN "

// ItemsToConsign are approved items of the action for the provider that stand in
// no consignment which has left or may leave, bare, urgent and old first.
func (tx *Tx) ItemsToConsign(ctx context.Context, a concert.ActionID, p concert.ProviderID, limit int) ([]concert.Item, error) {
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.provider = ? AND i.status = 'approved' AND i.erased_at = 0 AND i.action = ? AND NOT "+
		inConsignment+"('prepared', 'confirmed', 'left')) ORDER BY i.rank, i.id LIMIT ?", string(p), string(a), limit)
}
