package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"concert"
)

const orderCols = "o.id, o.ref, o.authority, o.provider, o.status, o.state, o.copied, o.reasons, o.items, o.executed, o.language, o.silent, o.emergency, o.drafter, o.reviewer, o.approver, o.digest, o.created_at, o.approved_at, o.issued_at, o.received_at, o.executed_at, o.ended_at, o.updated_at, o.exercise, o.emergency_verdict, o.emergency_reviewer, o.emergency_reviewed_at, o.version"

// sealedOrder names what of an order lies under its own key.
const sealedOrder = "order.text"

func scanOrder(r rowScanner, more ...any) (concert.Order, error) {
	var o concert.Order
	var reasons string
	var created, approved, issued, received, executed, ended, updated, reviewed int64
	err := r.Scan(append([]any{&o.ID, &o.Ref, &o.Authority, &o.Provider, &o.Status, &o.State, &o.Copied, &reasons, &o.Items, &o.Executed, &o.Language, &o.Silent, &o.Emergency, &o.Drafter, &o.Reviewer, &o.Approver, &o.Digest,
		&created, &approved, &issued, &received, &executed, &ended, &updated, &o.Exercise, &o.EmergencyVerdict, &o.EmergencyReviewer, &reviewed, &o.Version}, more...)...)
	for t := range strings.FieldsSeq(reasons) {
		o.Reasons = append(o.Reasons, concert.ContentType(t))
	}
	o.CreatedAt, o.ApprovedAt, o.IssuedAt, o.ReceivedAt = concert.FromMicros(created), concert.FromMicros(approved), concert.FromMicros(issued), concert.FromMicros(received)
	o.ExecutedAt, o.EndedAt, o.UpdatedAt, o.EmergencyReviewedAt = concert.FromMicros(executed), concert.FromMicros(ended), concert.FromMicros(updated), concert.FromMicros(reviewed)
	return o, err
}

// AddOrder writes a new order with its items.
func (tx *Tx) AddOrder(ctx context.Context, o concert.Order, subjects []concert.OrderSubject) error {
	tx.touch("removal_order")
	if err := tx.newSubjects(ctx, string(o.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(o.ID), sealedOrder, o.OrderText)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "removal_order", strings.ReplaceAll(orderCols, "o.", "")+", sealed", [][]any{{string(o.ID), o.Ref, string(o.Authority), string(o.Provider), string(o.Status), o.State, string(o.Copied), joinTypes(o.Reasons), o.Items, o.Executed, o.Language,
		flag(o.Silent), flag(o.Emergency), string(o.Drafter), string(o.Reviewer), string(o.Approver), o.Digest, concert.Micros(o.CreatedAt), concert.Micros(o.ApprovedAt), concert.Micros(o.IssuedAt), concert.Micros(o.ReceivedAt),
		concert.Micros(o.ExecutedAt), concert.Micros(o.EndedAt), concert.Micros(o.UpdatedAt), flag(o.Exercise), string(o.EmergencyVerdict), string(o.EmergencyReviewer), concert.Micros(o.EmergencyReviewedAt), 1, sealed}}, "")
	if err != nil {
		return err
	}
	return tx.orderItems(ctx, o.ID, subjects)
}

func joinTypes(ts []concert.ContentType) string { return strings.Join(strs(ts), " ") }

func (tx *Tx) orderItems(ctx context.Context, id concert.OrderID, subjects []concert.OrderSubject) error {
	rows := make([][]any, len(subjects))
	for i, s := range subjects {
		var additional []byte
		if s.Additional != "" {
			var err error
			if additional, err = tx.seal(ctx, string(s.Item.ID), "order.additional", s.Additional); err != nil {
				return err
			}
		}
		rows[i] = []any{string(id), i, string(s.Item.ID), additional, "", 0, 0, "", 0}
	}
	_, err := tx.insert(ctx, "order_item", "order_id, pos, item, additional, measure, measure_at, replied_at, observed, observed_at", rows, "")
	return err
}

// RewriteOrder writes a draft anew with the items that it is about now.
func (tx *Tx) RewriteOrder(ctx context.Context, o concert.Order, subjects []concert.OrderSubject) error {
	if err := tx.SaveOrder(ctx, o); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "DELETE FROM order_item WHERE order_id = ?", string(o.ID)); err != nil {
		return fmt.Errorf("items of %s: %w", o.Ref, err)
	}
	return tx.orderItems(ctx, o.ID, subjects)
}

// SaveOrder writes an order back, with what was written by hand.
func (tx *Tx) SaveOrder(ctx context.Context, o concert.Order) error {
	tx.touch("removal_order")
	sealed, err := tx.seal(ctx, string(o.ID), sealedOrder, o.OrderText)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE removal_order SET sealed = ? WHERE id = ? AND version = ?", sealed, string(o.ID), o.Version); err != nil {
		return fmt.Errorf("update order: %w", err)
	}
	return tx.update(ctx, "removal_order", []typed{{"status", "TEXT"}, {"state", "TEXT"}, {"copied", "TEXT"}, {"reasons", "TEXT"}, {"items", "BIGINT"}, {"executed", "BIGINT"}, {"language", "TEXT"}, {"silent", "BIGINT"}, {"emergency", "BIGINT"},
		{"drafter", "TEXT"}, {"reviewer", "TEXT"}, {"approver", "TEXT"}, {"digest", "TEXT"}, {"approved_at", "BIGINT"}, {"issued_at", "BIGINT"}, {"received_at", "BIGINT"}, {"executed_at", "BIGINT"}, {"ended_at", "BIGINT"}, {"updated_at", "BIGINT"}, {"emergency_verdict", "TEXT"}, {"emergency_reviewer", "TEXT"}, {"emergency_reviewed_at", "BIGINT"}},
		[][]any{{string(o.ID), o.Version, string(o.Status), o.State, string(o.Copied), joinTypes(o.Reasons), o.Items, o.Executed, o.Language, flag(o.Silent), flag(o.Emergency), string(o.Drafter), string(o.Reviewer), string(o.Approver), o.Digest,
			concert.Micros(o.ApprovedAt), concert.Micros(o.IssuedAt), concert.Micros(o.ReceivedAt), concert.Micros(o.ExecutedAt), concert.Micros(o.EndedAt), concert.Micros(o.UpdatedAt), string(o.EmergencyVerdict), string(o.EmergencyReviewer), concert.Micros(o.EmergencyReviewedAt)}})
}

// SealOrder keeps the signed original of an order in parts: its frame under the
// order's key, each place under its item's.
func (tx *Tx) SealOrder(ctx context.Context, o concert.Order, e concert.Envelope, items []concert.ItemID) error {
	frame, parts, err := tx.sealParts(ctx, partingOf(true), string(o.ID), e, items)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE removal_order SET frame = ? WHERE id = ?", frame, string(o.ID)); err != nil {
		return fmt.Errorf("original of %s: %w", o.Ref, err)
	}
	for i, item := range items {
		if _, err := tx.exec(ctx, "UPDATE order_item SET part = ? WHERE order_id = ? AND item = ?", parts[i], string(o.ID), string(item)); err != nil {
			return fmt.Errorf("original of %s: %w", o.Ref, err)
		}
	}
	return nil
}

// OrderOriginal puts an order's signed original together again.
func (tx *Tx) OrderOriginal(ctx context.Context, id concert.OrderID) (Original, error) {
	var frame []byte
	if err := tx.row(ctx, "SELECT frame FROM removal_order WHERE id = ?", string(id)).Scan(&frame); err != nil {
		return Original{}, err
	}
	return tx.joined(ctx, partingOf(true), string(id), frame, "SELECT r.item, r.part, k.wrapped FROM order_item r LEFT JOIN subject_key k ON k.subject = r.item WHERE r.order_id = ? ORDER BY r.pos")
}

// Order is one, by reference or id, with what was written by hand.
func (tx *Tx) Order(ctx context.Context, ref string) (concert.Order, error) {
	var sealed []byte
	o, err := scanOrder(tx.row(ctx, "SELECT "+orderCols+", o.sealed FROM removal_order o WHERE o.ref = ? OR o.id = ?", ref, ref), &sealed)
	if err != nil {
		return o, err
	}
	return o, tx.open(ctx, string(o.ID), sealedOrder, sealed, &o.OrderText)
}

// OrdersOn are the orders, bare, that are about one of the items.
func (tx *Tx) OrdersOn(ctx context.Context, items []concert.ItemID) ([]concert.Order, error) {
	return in(ctx, tx, func(r rowScanner) (concert.Order, error) { return scanOrder(r) },
		"SELECT DISTINCT "+orderCols+" FROM order_item i JOIN removal_order o ON o.id = i.order_id WHERE i.item IN (%s)", anys(strs(items)))
}

// OrdersByID are those of the ids that are there, bare.
func (tx *Tx) OrdersByID(ctx context.Context, ids []concert.OrderID) (map[concert.OrderID]concert.Order, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Order, error) { return scanOrder(r) }, "SELECT "+orderCols+" FROM removal_order o WHERE o.id IN (%s)", anys(strs(ids)))
	out := make(map[concert.OrderID]concert.Order, len(got))
	for _, o := range got {
		out[o.ID] = o
	}
	return out, err
}

// OrderSide is on which side of an order somebody stands.
type OrderSide string

// The sides.
const (
	OrdersOf     OrderSide = "authority" // its issuer
	OrdersTo     OrderSide = "provider"  // its addressee
	OrdersCopied OrderSide = "copied"    // the authority of the addressee's state
)

// Orders are those on one side, bare, newest change first, at most limit, that changed
// before a moment (and, at that moment, have a smaller id); out leaves out what has
// not left the house.
func (tx *Tx) Orders(ctx context.Context, side OrderSide, who string, status concert.OrderStatus, out bool, before int64, id string, limit int) ([]concert.Order, error) {
	where, args := "o."+string(side)+" = ?", []any{who}
	if status != "" {
		where, args = where+" AND o.status = ?", append(args, string(status))
	}
	if out {
		where += " AND o.issued_at > 0"
	}
	if before > 0 {
		where, args = where+" AND (o.updated_at, o.id) < (?, ?)", append(args, before, id)
	}
	return list(ctx, tx, func(r rowScanner) (concert.Order, error) { return scanOrder(r) }, "SELECT "+orderCols+" FROM removal_order o WHERE "+where+" ORDER BY o.updated_at DESC, o.id DESC LIMIT ?", append(args, limit)...)
}

// OrderItems are an order's items in their order.
func (tx *Tx) OrderItems(ctx context.Context, id concert.OrderID) ([]concert.OrderItem, error) {
	type row struct {
		it     concert.OrderItem
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var measured, replied, observed int64
		err := r.Scan(&w.it.Order, &w.it.Pos, &w.it.Item, &w.sealed, &w.it.Measure, &measured, &replied, &w.it.Observed, &observed)
		w.it.MeasureAt, w.it.RepliedAt, w.it.ObservedAt = concert.FromMicros(measured), concert.FromMicros(replied), concert.FromMicros(observed)
		return w, err
	}, "SELECT order_id, pos, item, additional, measure, measure_at, replied_at, observed, observed_at FROM order_item WHERE order_id = ? ORDER BY pos", string(id))
	if err != nil {
		return nil, err
	}
	out := make([]concert.OrderItem, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(w.it.Item), "order.additional", w.sealed, &w.it.Additional); err != nil {
			return nil, err
		}
		out[i] = w.it
	}
	return out, nil
}

// SaveOrderItems writes what became of an order's items.
func (tx *Tx) SaveOrderItems(ctx context.Context, items []concert.OrderItem) error {
	for _, it := range items {
		if _, err := tx.exec(ctx, "UPDATE order_item SET measure = ?, measure_at = ?, replied_at = ?, observed = ?, observed_at = ? WHERE order_id = ? AND item = ?",
			string(it.Measure), concert.Micros(it.MeasureAt), concert.Micros(it.RepliedAt), string(it.Observed), concert.Micros(it.ObservedAt), string(it.Order), string(it.Item)); err != nil {
			return fmt.Errorf("item of an order: %w", err)
		}
	}
	return nil
}

// OrderAnswer is Annex II or Annex III as it came in.
type OrderAnswer struct {
	ID     string
	Order  concert.OrderID
	Kind   string // its type: "order_feedback" or "order_impossible"
	Person concert.PersonID
	At     int64
	Text   json.RawMessage // concert.OrderFeedback or concert.OrderImpossible
}

// AddOrderAnswer writes an answer; none is ever changed.
func (tx *Tx) AddOrderAnswer(ctx context.Context, a OrderAnswer) error {
	tx.touch("order_answer")
	sealed, err := tx.sealBytes(ctx, string(a.Order), "order.answer", a.Text)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "order_answer", "id, order_id, kind, person, at, sealed", [][]any{{a.ID, string(a.Order), a.Kind, string(a.Person), a.At, sealed}}, "")
	return err
}

// OrderAnswers are an order's answers, oldest first.
func (tx *Tx) OrderAnswers(ctx context.Context, id concert.OrderID) ([]OrderAnswer, error) {
	got, err := list(ctx, tx, func(r rowScanner) (OrderAnswer, error) {
		var a OrderAnswer
		var sealed []byte
		err := r.Scan(&a.ID, &a.Order, &a.Kind, &a.Person, &a.At, &sealed)
		a.Text = sealed
		return a, err
	}, "SELECT id, order_id, kind, person, at, sealed FROM order_answer WHERE order_id = ? ORDER BY id", string(id))
	if err != nil {
		return nil, err
	}
	for i := range got {
		if got[i].Text, err = tx.openBytes(ctx, string(id), "order.answer", got[i].Text); err != nil {
			return nil, err
		}
	}
	return got, nil
}

// Office is what an authority's orders say of it; the zero one where it has none. In
// proposal is what an administrator proposed and another one has not confirmed.
func (tx *Tx) Office(ctx context.Context, a concert.AuthorityID) (o concert.OrderOffice, proposal *concert.OrderOffice, err error) {
	var functions, text string
	var since int64
	err = tx.row(ctx, "SELECT authority, kind, functions, address, telephone, fax, email, since, proposal, proposed_by, version FROM order_office WHERE authority = ?", string(a)).
		Scan(&o.Authority, &o.Kind, &functions, &o.Address, &o.Telephone, &o.Fax, &o.Email, &since, &text, &o.Proposed, &o.Version)
	if err == concert.ErrNotFound {
		return concert.OrderOffice{Authority: a}, nil, nil
	}
	if err != nil {
		return o, nil, err
	}
	for f := range strings.FieldsSeq(functions) {
		o.Functions = append(o.Functions, concert.Function(f))
	}
	o.Since = concert.FromMicros(since)
	if text != "" {
		proposal = &concert.OrderOffice{}
		err = json.Unmarshal([]byte(text), proposal)
	}
	return o, proposal, err
}

// PutOffice writes an authority's office and what is proposed for it.
func (tx *Tx) PutOffice(ctx context.Context, o concert.OrderOffice, proposal *concert.OrderOffice) error {
	tx.touch("order_office")
	var text []byte
	if proposal != nil {
		var err error
		if text, err = json.Marshal(proposal); err != nil {
			return fmt.Errorf("office of %s: %w", o.Authority, err)
		}
	}
	row := []any{string(o.Authority), string(o.Kind), strings.Join(strs(o.Functions), " "), o.Address, o.Telephone, o.Fax, o.Email, concert.Micros(o.Since), string(text), string(o.Proposed), 1}
	if o.Version == 0 {
		_, err := tx.insert(ctx, "order_office", "authority, kind, functions, address, telephone, fax, email, since, proposal, proposed_by, version", [][]any{row}, "")
		return err
	}
	n, err := tx.exec(ctx, "UPDATE order_office SET kind = ?, functions = ?, address = ?, telephone = ?, fax = ?, email = ?, since = ?, proposal = ?, proposed_by = ?, version = version + 1 WHERE authority = ? AND version = ?",
		append(append([]any{}, row[1:10]...), string(o.Authority), o.Version)...)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Offices are all of the house, by authority.
func (tx *Tx) Offices(ctx context.Context) (map[concert.AuthorityID]concert.OrderOffice, error) {
	ids, err := list(ctx, tx, func(r rowScanner) (id concert.AuthorityID, err error) { return id, r.Scan(&id) }, "SELECT authority FROM order_office ORDER BY authority")
	if err != nil {
		return nil, err
	}
	out := map[concert.AuthorityID]concert.OrderOffice{}
	for _, id := range ids {
		if out[id], _, err = tx.Office(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FirstContact is what a provider was told before an authority's first order; the
// zero moments where it was told nothing.
func (tx *Tx) FirstContact(ctx context.Context, a concert.AuthorityID, p concert.ProviderID) (concert.FirstContact, error) {
	c := concert.FirstContact{Authority: a, Provider: p}
	var noticed, due, issued int64
	err := tx.row(ctx, "SELECT ref, noticed_at, due_at, issued_at FROM first_contact WHERE authority = ? AND provider = ?", string(a), string(p)).Scan(&c.Ref, &noticed, &due, &issued)
	if err == concert.ErrNotFound {
		return c, nil
	}
	c.NoticedAt, c.DueAt, c.IssuedAt = concert.FromMicros(noticed), concert.FromMicros(due), concert.FromMicros(issued)
	return c, err
}

// PutFirstContact writes it.
func (tx *Tx) PutFirstContact(ctx context.Context, c concert.FirstContact) error {
	_, err := tx.insert(ctx, "first_contact", "authority, provider, ref, noticed_at, due_at, issued_at", [][]any{{string(c.Authority), string(c.Provider), c.Ref, concert.Micros(c.NoticedAt), concert.Micros(c.DueAt), concert.Micros(c.IssuedAt)}},
		"ON CONFLICT (authority, provider) DO UPDATE SET noticed_at = excluded.noticed_at, due_at = excluded.due_at, issued_at = excluded.issued_at")
	return err
}
