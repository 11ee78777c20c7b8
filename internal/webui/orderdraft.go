package webui

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// regulationBasis is the provision that every order names first.
const regulationBasis = "Regulation (EU) 2021/784, Article 3(1)"

// drafting is an order as it was typed.
type drafting struct {
	Items           []draftingItem
	Statement       string
	LegalBasis      string // a provision a line
	Language        string
	Proportionality string
	Silent          bool
	SilenceGround   string
	Emergency       bool
	EmergencyGround string
	Representative  string
	Post            string
	FileNo          string
}

// draftingItem is one item of it.
type draftingItem struct {
	Ref, Additional string
	Of              concert.OrderSubject // what is known of it; zero where it may be in no order
}

// draftPage writes an order, with what the house fills in beside it.
type draftPage struct {
	Ref     string // of the draft that is written anew, "" for a new one
	Version int64
	Ended   string // why it was returned, "" where it was not
	In      drafting
	Facts   casework.DraftingFacts
	Least   int // characters of the statement
	Ground  int // and of a ground
	Errors  formErrors
}

// Raised reports whether proportionality is asked for (G05).
func (p draftPage) Raised() bool { return len(p.Facts.Raised) > 0 }

// Written is how many characters the statement has.
func (p draftPage) Written() int {
	return utf8.RuneCountInString(strings.TrimSpace(p.In.Statement))
}

// action is where the form goes.
func (p draftPage) action() string {
	if p.Ref == "" {
		return "/orders"
	}
	return "/orders/" + p.Ref + "/draft"
}

// readDraft is the form as it was typed.
func readDraft(r *http.Request) drafting {
	d := drafting{Statement: field(r, "statement"), LegalBasis: field(r, "legal_basis"), Language: field(r, "language"), Proportionality: field(r, "proportionality"), Silent: field(r, "silent") != "",
		SilenceGround: field(r, "silence_ground"), Emergency: field(r, "emergency") != "", EmergencyGround: field(r, "emergency_ground"), Representative: field(r, "representative"), Post: field(r, "post"), FileNo: field(r, "file_no")}
	for _, ref := range r.PostForm["item"] {
		if ref = strings.ToUpper(clean(ref)); ref != "" && !d.has(ref) {
			d.Items = append(d.Items, draftingItem{Ref: ref, Additional: field(r, "additional."+ref)})
		}
	}
	for _, ref := range references(r.PostForm.Get("more")) {
		if ref = strings.ToUpper(ref); !d.has(ref) {
			d.Items = append(d.Items, draftingItem{Ref: ref})
		}
	}
	return d
}

func (d drafting) has(ref string) bool {
	return slices.ContainsFunc(d.Items, func(it draftingItem) bool { return it.Ref == ref })
}

// draft is what the act takes.
func (d drafting) draft() casework.OrderDraft {
	out := casework.OrderDraft{Language: d.Language, Silent: d.Silent, Emergency: d.Emergency, OrderText: concert.OrderText{Statement: d.Statement, Proportionality: d.Proportionality,
		Representative: d.Representative, Post: d.Post, FileNo: d.FileNo}}
	for line := range strings.SplitSeq(d.LegalBasis, "\n") {
		if line = clean(line); line != "" {
			out.LegalBasis = append(out.LegalBasis, line)
		}
	}
	// What was not ticked is not said, though its ground stands in the form.
	if d.Silent {
		out.SilenceGround = d.SilenceGround
	}
	if d.Emergency {
		out.EmergencyGround = d.EmergencyGround
	}
	out.Items = d.items()
	return out
}

func (d drafting) items() []casework.OrderDraftItem {
	out := make([]casework.OrderDraftItem, len(d.Items))
	for i, it := range d.Items {
		out[i] = casework.OrderDraftItem{Item: it.Ref, Additional: it.Additional}
	}
	return out
}

// seatText is where a provider is established, and who represents it.
func seatText(s concert.Seat) string {
	if s.Representative == "" {
		return s.Establishment
	}
	return s.Establishment + ", " + s.Representative
}

// newOrder begins an order about the items that the address names.
func (u *UI) newOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	var d drafting
	for _, s := range r.URL.Query()["item"] {
		for _, ref := range references(s) {
			if ref = strings.ToUpper(ref); !d.has(ref) && len(d.Items) <= concert.OrderItemsMost {
				d.Items = append(d.Items, draftingItem{Ref: ref})
			}
		}
	}
	if err := u.draftOfThreat(r, v, &d); err != nil {
		return err
	}
	return u.showDraft(w, r, v, draftPage{In: d}, true)
}

// showDraft shows the form; fresh fills in what the authority wrote last.
func (u *UI) showDraft(w http.ResponseWriter, r *http.Request, v *visit, p draftPage, fresh bool) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	language := cmp.Or(p.In.Language, design.ReaderOf(r.Context()).Language.Code)
	if p.Facts, err = u.svc.ReadDraftingFacts(r.Context(), scope, p.In.items(), language); err != nil {
		return err
	}
	p.Least, p.Ground = concert.OrderStatementLeast, concert.OrderGroundLeast
	if fresh {
		last := p.Facts.Last
		p.In.Language = cmp.Or(p.Facts.Spoken, language)
		p.In.Representative, p.In.Post, p.In.FileNo, p.In.LegalBasis = last.Representative, last.Post, last.FileNo, cmp.Or(strings.Join(last.LegalBasis, "\n"), regulationBasis)
	}
	for i, it := range p.In.Items {
		for _, x := range p.Facts.Subjects {
			if x.Item.Ref == it.Ref {
				p.In.Items[i].Of = x
			}
		}
	}
	title := say(r.Context(), "Order removal")
	if p.Ref != "" {
		title = say(r.Context(), "Removal order %s", p.Ref)
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: title, body: draftView(p), wide: true})
}

// refusedDraft shows the form again with everything that was typed.
func (u *UI) refusedDraft(w http.ResponseWriter, r *http.Request, v *visit, p draftPage, err error) error {
	if p.Errors, err = mended(err); err != nil {
		return err
	}
	return u.showDraft(w, r, v, p, false)
}

func (u *UI) draftOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	d := readDraft(r)
	o, err := u.svc.DraftOrder(r.Context(), v.actor(), d.draft())
	if err != nil {
		return u.refusedDraft(w, r, v, draftPage{In: d}, err)
	}
	return onward(w, r, "/orders/"+o.Ref, "order_drafted", "")
}

// rewriteForm shows a draft to be written anew.
func (u *UI) rewriteForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := u.theOrder(r, v)
	if err != nil {
		return err
	}
	if err := v.actor().Need(concert.RoleOfficer); err != nil {
		return err
	}
	if !actsOf(o.Order, v.actor()).Rewrite {
		return concert.Refuse(concert.Conflict, "order.move", "", "order %s is %s and is not written anew: return it first", o.Ref, o.Status)
	}
	d := drafting{Statement: o.Statement, LegalBasis: strings.Join(o.LegalBasis, "\n"), Language: o.Language, Proportionality: o.Proportionality, Silent: o.Silent, SilenceGround: o.SilenceGround,
		Emergency: o.Emergency, EmergencyGround: o.EmergencyGround, Representative: o.Representative, Post: o.Post, FileNo: o.FileNo}
	for _, it := range o.About {
		d.Items = append(d.Items, draftingItem{Ref: it.Of.Ref, Additional: it.Additional})
	}
	return u.showDraft(w, r, v, draftPage{Ref: o.Ref, Version: o.Version, Ended: o.Ended, In: d}, false)
}

func (u *UI) rewriteOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, ref := readDraft(r), r.PathValue("ref")
	o, err := u.svc.RewriteOrder(r.Context(), v.actor(), ref, version(r), d.draft())
	if err != nil {
		return u.refusedDraft(w, r, v, draftPage{Ref: ref, Version: version(r), In: d}, err)
	}
	return onward(w, r, "/orders/"+o.Ref, "order_drafted", "")
}

// ordering puts the orders about an item on its page, and the way to a new one.
func (u *UI) ordering(r *http.Request, v *visit, p *itemPage) error {
	if v.person.Provider != "" {
		return nil
	}
	var err error
	if p.Orders, err = u.svc.OrdersAbout(r.Context(), v.actor(), p.Item.ID); err != nil {
		return err
	}
	if p.Item.Item.Author != v.person.Authority || v.person.Authority == "" || !p.Item.Status.Orderable() || p.Item.Judged.Purpose != concert.PurposeNone {
		return nil
	}
	p.MayOrder, err = u.svc.MayDraftOrders(r.Context(), v.actor())
	p.MayOrder = p.MayOrder && !slices.ContainsFunc(p.Orders, func(o concert.Order) bool { return o.Authority == v.person.Authority && o.Status.Binds() })
	return err
}
