package webui

import (
	"net/http"
	"net/url"

	"concert"
	"concert/internal/casework"
)

// approvalPage is how many assessments one page shows in full.
const approvalPage = 15

// awaiting is one assessment that waits for this reviewer.
type awaiting struct {
	Item    casework.ItemView
	InScope string
	Age     string
}

// approvalsPage is what waits for this reviewer, in full; what the reviewer
// wrote or decided stands in no list of theirs.
type approvalsPage struct {
	Items []awaiting
	Own   int // left out: one's own, or decided already
	Next  string
	Later bool
}

func (u *UI) approvals(w http.ResponseWriter, r *http.Request, v *visit) error {
	by := v.actor()
	if err := by.MayApprove(); err != nil {
		return err
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	q := casework.ItemQuery{Status: concert.ItemAssessed, Limit: approvalPage + 1}
	var p approvalsPage
	if after := r.URL.Query().Get("after"); after != "" {
		if q.AfterRank, q.AfterID, err = openCursor(after); err != nil {
			return err
		}
		p.Later = true
	}
	items, err := u.svc.ReadItems(r.Context(), scope, q)
	if err != nil {
		return err
	}
	if len(items) > approvalPage {
		items = items[:approvalPage]
		p.Next = "/approvals?" + url.Values{"after": {cursor(items[approvalPage-1].Item)}}.Encode()
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	now := u.svc.Now()
	for _, full := range items {
		if full.Status != concert.ItemAssessed || !mayDecide(full, by) {
			p.Own++
			continue
		}
		a := awaiting{Item: full, Age: age(full.Judged.At, now)}
		if e, err := g.Scope.Covers(full.Item.Outlet, now); err == nil {
			a.InScope = e.Ref + ", " + e.LegalAct
		}
		p.Items = append(p.Items, a)
	}
	return u.show(w, r, v, view{title: "Approvals", body: approvalsView(p)})
}
