package webui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
)

// approvalPage is how many assessments one page lists: as many as one act on
// copies takes.
const approvalPage = 100

// awaiting is one assessment that waits for this reviewer.
type awaiting struct {
	concert.Item
	Outlet string
	Age    string
}

// copies are further captures of a work that was approved alone: they may be
// approved together.
type copies struct {
	Of    string // reference of the one approved alone
	Items []awaiting
}

// approvalsPage is what waits for this reviewer, without the judgements: to
// read one is to open its item. What the reviewer wrote or decided stands in no
// list of theirs.
type approvalsPage struct {
	Copies []copies
	Items  []awaiting
	Own    int // left out: one's own, or decided already
	Next   string
	Later  bool
	Errors formErrors
}

func (u *UI) approvals(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showApprovals(w, r, v, nil)
}

func (u *UI) showApprovals(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	q := casework.ItemQuery{Limit: approvalPage + 1}
	p := approvalsPage{Errors: errs}
	if after := r.URL.Query().Get("after"); after != "" {
		if q.AfterRank, q.AfterID, err = openCursor(after); err != nil {
			return err
		}
		p.Later = true
	}
	items, err := u.svc.ListApprovals(r.Context(), scope, q)
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
	p.sort(r.Context(), items, g, u.svc.Now())
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Approvals"), body: approvalsView(p)})
}

// sort puts copies together. One alone is decided on like any other.
func (p *approvalsPage) sort(ctx context.Context, items []casework.Awaiting, g casework.Registers, now time.Time) {
	n := map[string]int{}
	for _, it := range items {
		n[it.Follows]++
	}
	at := map[string]int{}
	for _, it := range items {
		a := awaiting{Item: it.Item, Outlet: g.Scope.Outlets[it.Outlet].Name, Age: age(ctx, it.UpdatedAt, now)}
		switch {
		case it.Own:
			p.Own++
		case it.Follows == "" || n[it.Follows] < 2:
			p.Items = append(p.Items, a)
		default:
			i, ok := at[it.Follows]
			if !ok {
				i = len(p.Copies)
				at[it.Follows] = i
				p.Copies = append(p.Copies, copies{Of: it.Follows})
			}
			p.Copies[i].Items = append(p.Copies[i].Items, a)
		}
	}
}

// approveCopies approves together what the page listed as copies of one work.
func (u *UI) approveCopies(w http.ResponseWriter, r *http.Request, v *visit) error {
	var in []casework.Deciding
	for _, s := range r.PostForm["copy"] {
		ref, text, _ := strings.Cut(s, " ")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			n = -1
		}
		in = append(in, casework.Deciding{Item: ref, Version: n, Decision: concert.Approve})
	}
	if len(in) < 2 || len(in) > approvalPage {
		return onward(w, r, "/approvals", "", "")
	}
	rs, err := u.svc.DecideItems(r.Context(), v.actor(), in)
	if err != nil {
		return err
	}
	var errs formErrors
	for _, res := range rs {
		if e := res.Err; e != nil {
			if !strings.Contains(e.Message, res.Ref) {
				e = e.About(res.Ref)
				e.Field = ""
			}
			errs = append(errs, e)
		}
	}
	if len(errs) > 0 {
		return u.showApprovals(w, r, v, errs)
	}
	return onward(w, r, "/approvals", "copies", "")
}
