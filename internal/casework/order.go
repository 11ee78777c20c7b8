package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// OrderDraft is an order as somebody writes it: the items that it is about, each with
// what else finds it, and what Annex I asks for by hand.
type OrderDraft struct {
	Items     []OrderDraftItem
	Language  string
	Silent    bool
	Emergency bool
	concert.OrderText
}

// OrderDraftItem names an item of a draft.
type OrderDraftItem struct {
	Item       string // its reference
	Additional string
}

// onto is the order as the draft has it.
func (d OrderDraft) onto(o concert.Order, subjects []concert.OrderSubject) concert.Order {
	o.Language, o.Silent, o.Emergency, o.OrderText = d.Language, d.Silent, d.Emergency, d.OrderText
	if len(subjects) > 0 {
		o.Provider = subjects[0].Item.Provider
	}
	return o
}

// DraftOrder writes a new order of the actor's authority.
func (s *Service) DraftOrder(ctx context.Context, by concert.Actor, d OrderDraft) (concert.Order, error) {
	var out concert.Order
	if err := by.MaySubmit(); err != nil {
		return out, err
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		office, _, err := tx.Office(ctx, by.Authority)
		if err == nil {
			err = by.MayDraftOrder(office) // before it is said whether an item is there
		}
		if err != nil {
			return err
		}
		subjects, err := s.subjects(ctx, tx, by.Authority, d.Items)
		if err != nil {
			return err
		}
		o := d.onto(concert.Order{ID: concert.OrderID(identity.NewID()), Ref: identity.NewReference("OR"), Exercise: s.Exercise, Version: 1}, subjects)
		o, e, err := o.Drafted(by, office, subjects, s.now())
		if err != nil {
			return err
		}
		if err := noOther(ctx, tx, o, subjects); err != nil {
			return err
		}
		if err := replaces(ctx, tx, o); err != nil {
			return err
		}
		tx.Record(e)
		out = o
		return tx.AddOrder(ctx, o, subjects)
	})
	return out, err
}

// RewriteOrder writes a draft anew, as after it was returned.
func (s *Service) RewriteOrder(ctx context.Context, by concert.Actor, ref string, version int64, d OrderDraft) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		if !o.Mine(by) {
			return o, concert.ErrNotFound
		}
		office, _, err := tx.Office(ctx, by.Authority)
		if err == nil {
			err = by.MayDraftOrder(office)
		}
		if err != nil {
			return o, err
		}
		subjects, err := s.subjects(ctx, tx, o.Authority, d.Items)
		if err != nil {
			return o, err
		}
		next, e, err := d.onto(o, subjects).Drafted(by, office, subjects, s.now())
		if err != nil {
			return o, err
		}
		if err := noOther(ctx, tx, next, subjects); err != nil {
			return o, err
		}
		if err := replaces(ctx, tx, next); err != nil {
			return o, err
		}
		tx.Record(e)
		return next, tx.RewriteOrder(ctx, next, subjects)
	})
}

// subjects are the items with what the rules ask of them: the assessment that stands,
// and the newest capture of the authority.
func (s *Service) subjects(ctx context.Context, tx *store.Tx, a concert.AuthorityID, in []OrderDraftItem) ([]concert.OrderSubject, error) {
	if len(in) > concert.OrderItemsMost {
		return nil, concert.Refuse(concert.Invalid, "order.items", "items", "an order is about 1 to %d items, not %d", concert.OrderItemsMost, len(in))
	}
	items, err := tx.ItemsByRef(ctx, entries(len(in), func(i int) string { return in[i].Item }))
	if err != nil {
		return nil, err
	}
	out := make([]concert.OrderSubject, len(in))
	ids := make([]concert.ItemID, len(in))
	judged := make([]concert.AssessmentID, len(in))
	for i, d := range in {
		it, there := items[d.Item]
		if !there || it.Author != a {
			return nil, concert.Refuse(concert.Invalid, "order.items", "items", "item %.40q is not assessed by your authority: take its reference from its page", d.Item)
		}
		out[i] = concert.OrderSubject{Item: it, Additional: d.Additional}
		ids[i], judged[i] = it.ID, it.Assessment
	}
	assessments, err := tx.Assessments(ctx, judged)
	if err != nil {
		return nil, err
	}
	captures, err := tx.NewestCaptures(ctx, a, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Assessment, out[i].Capture = assessments[judged[i]], captures[ids[i]]
	}
	return out, nil
}

// subjectsOf are the items of an order that is there.
func (s *Service) subjectsOf(ctx context.Context, tx *store.Tx, o concert.Order) ([]concert.OrderSubject, error) {
	items, err := tx.OrderItems(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.Item
	}
	found, err := tx.BareItemsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	drafts := make([]OrderDraftItem, len(items))
	for i, it := range items {
		j := slices.IndexFunc(found, func(f concert.Item) bool { return f.ID == it.Item })
		if j < 0 {
			return nil, fmt.Errorf("item %s of order %s is not there", it.Item, o.Ref)
		}
		drafts[i] = OrderDraftItem{found[j].Ref, it.Additional}
	}
	return s.subjects(ctx, tx, o.Authority, drafts)
}

// noOther refuses a draft about what another order of the same authority is about
// already; one of another authority is met when it is to be issued (G08).
func noOther(ctx context.Context, tx *store.Tx, o concert.Order, subjects []concert.OrderSubject) error {
	others, err := tx.OrdersOn(ctx, itemIDs(subjects))
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID != o.ID && other.Authority == o.Authority && other.Status.Binds() {
			return concert.Refuse(concert.Conflict, "order.duplicate", "items", "order %s of your authority is about one of these items already: go on with that one", other.Ref)
		}
	}
	return nil
}

func itemIDs(subjects []concert.OrderSubject) []concert.ItemID {
	ids := make([]concert.ItemID, len(subjects))
	for i, s := range subjects {
		ids[i] = s.Item.ID
	}
	return ids
}

// changeOrder lets an act change an order of the version that was read; one that
// nobody may know of is not found.
func (s *Service) changeOrder(ctx context.Context, by concert.Actor, ref string, version int64, act func(*store.Tx, concert.Order) (concert.Order, error)) (concert.Order, error) {
	var out concert.Order
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		if err := by.MayReadOrder(o); err != nil {
			return err
		}
		if version != 0 && version != o.Version {
			return outdated()
		}
		out, err = act(tx, o)
		out.Version = o.Version + 1
		return err
	})
	return out, err
}

// moveOrder is changeOrder for a rule alone.
func (s *Service) moveOrder(ctx context.Context, by concert.Actor, ref string, version int64, rule func(concert.Order) (concert.Order, concert.Event, error)) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		next, e, err := rule(o)
		if err != nil {
			return o, err
		}
		tx.Record(e)
		return next, tx.SaveOrder(ctx, next)
	})
}

// ReviewOrder confirms a draft.
func (s *Service) ReviewOrder(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Order, error) {
	return s.moveOrder(ctx, by, ref, version, func(o concert.Order) (concert.Order, concert.Event, error) { return o.Reviewed(by, s.now()) })
}

// ReturnOrder sends an order back to who wrote it.
func (s *Service) ReturnOrder(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Order, error) {
	return s.moveOrder(ctx, by, ref, version, func(o concert.Order) (concert.Order, concert.Event, error) { return o.Returned(by, reason, s.now()) })
}

// DropOrder gives an order up that was never issued.
func (s *Service) DropOrder(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Order, error) {
	return s.moveOrder(ctx, by, ref, version, func(o concert.Order) (concert.Order, concert.Event, error) { return o.Dropped(by, reason, s.now()) })
}

// OrderView is an order with what its reader may see.
type OrderView struct {
	concert.Order
	Author     concert.Authority
	Addressee  concert.Provider
	About      []OrderItemView
	Deadlines  []concert.Deadline
	Answers    []store.OrderAnswer
	Deliveries []store.Outgoing
	Payload    *concert.OrderPayload       // as it was signed; nil before it was
	Erased     int                         // places of it that are erased
	Numbers    map[concert.PersonID]string // operator numbers of who wrote, reviewed and approved it; none for its addressee
	Mailed     []concert.MailedReply       // replies by mail; none for its addressee
}

// OrderItemView is an item of an order.
type OrderItemView struct {
	concert.OrderItem
	Of concert.Item // whole, for who may read it; bare otherwise
}

// ReadOrder is one order. A provider's reading of it is the rung "opened" of its
// delivery; everybody else's is a consultation.
func (s *Service) ReadOrder(ctx context.Context, scope concert.Scope, ref string) (OrderView, error) {
	var v OrderView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadOrder, Ref: ref}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) (err error) {
		v = OrderView{}
		if v.Order, err = tx.Order(ctx, ref); err != nil {
			return err
		}
		if err := by.MayReadOrder(v.Order); err != nil {
			return err
		}
		err = s.fillOrder(ctx, tx, by, &v)
		b.Count = len(v.About)
		return err
	})
	if err != nil {
		return OrderView{}, err
	}
	if by.Provider == "" {
		return v, nil
	}
	if err := s.orderReaches(ctx, v.Ref, concert.RungOpened, "fetched with the key of operator "+by.Operator); err != nil || v.Status != concert.OrderIssued {
		return v, err
	}
	// This reading proved the receipt: what is shown has the hour that began with it.
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		again := OrderView{}
		if again.Order, err = tx.Order(ctx, ref); err != nil {
			return err
		}
		err = s.fillOrder(ctx, tx, by, &again)
		v = again
		return err
	})
	return v, err
}

func (s *Service) fillOrder(ctx context.Context, tx *store.Tx, by concert.Actor, v *OrderView) (err error) {
	if v.Author, err = tx.Authority(ctx, string(v.Authority)); err != nil {
		return err
	}
	if v.Addressee, err = tx.Provider(ctx, string(v.Provider)); err != nil {
		return err
	}
	items, err := tx.OrderItems(ctx, v.ID)
	if err != nil {
		return err
	}
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.Item
	}
	whole, err := tx.ItemsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, it := range items {
		w := OrderItemView{OrderItem: it}
		if i := slices.IndexFunc(whole, func(x concert.Item) bool { return x.ID == it.Item }); i >= 0 {
			w.Of = whole[i]
		}
		v.About = append(v.About, w)
	}
	if v.Deadlines, err = tx.Deadlines(ctx, v.ID); err != nil {
		return err
	}
	if v.Answers, err = tx.OrderAnswers(ctx, v.ID); err != nil {
		return err
	}
	if v.Deliveries, err = tx.OrderDeliveries(ctx, v.Provider, v.Ref); err != nil {
		return err
	}
	if by.Provider == "" {
		if v.Mailed, err = tx.OrderReplies(ctx, v.ID); err != nil {
			return err
		}
		people := slices.DeleteFunc([]concert.PersonID{v.Drafter, v.Reviewer, v.Approver}, func(p concert.PersonID) bool { return p == "" })
		if v.Numbers, err = tx.Operators(ctx, people); err != nil {
			return err
		}
	}
	o, err := tx.OrderOriginal(ctx, v.ID)
	if err != nil || len(o.Payload) == 0 {
		return err
	}
	v.Erased, v.Payload = o.Erased, &concert.OrderPayload{}
	if err := json.Unmarshal(o.Payload, v.Payload); err != nil {
		return fmt.Errorf("payload of %s: %w", v.Ref, err)
	}
	if !v.Mine(by) {
		// What was written for the authority's own eyes stays there.
		v.SilenceGround, v.Proportionality = "", ""
	}
	return nil
}
