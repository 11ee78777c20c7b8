package apiserver

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// matched is a POST on one thing with the version that was read.
type matched[T any] struct {
	One
	IfMatch        string `header:"If-Match" doc:"the ETag that was read"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	Body           T
}

// tagged is an answer with its entity tag.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// change is an act on one item that answers with the item as it stands after.
func change[T any](s *Server, o huma.Operation, act func(context.Context, concert.Actor, string, int64, T) error) {
	huma.Register(s.api, o, func(ctx context.Context, in *matched[T]) (*tagged[api.Item], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := version(in.IfMatch)
		if err != nil {
			return nil, s.fail(err)
		}
		if err := act(ctx, by, in.ID, v, in.Body); err != nil {
			return nil, s.fail(err)
		}
		return s.itemAfter(ctx, by, in.ID)
	})
}

// itemAfter is the item as the answer to what was just done to it: it is never
// refused for want of a justification.
func (s *Server) itemAfter(ctx context.Context, by concert.Actor, ref string) (*tagged[api.Item], error) {
	v, err := s.svc.ItemAfter(ctx, by, ref)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.Item]{ETag: api.ETag(v.Version), Body: itemViewOf(v, s.svc.Now())}, nil
}

func (s *Server) item(ctx context.Context, ref string) (*tagged[api.Item], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := s.svc.ReadItem(ctx, sc, ref)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.Item]{ETag: api.ETag(v.Version), Body: itemViewOf(v, s.svc.Now())}, nil
}

// alone is the only result of an act on many that was given one.
func alone(rs []casework.Result, err error) error {
	if err != nil {
		return err
	}
	if len(rs) == 1 && rs[0].Err != nil {
		return rs[0].Err
	}
	return nil
}

func (s *Server) items() {
	huma.Register(s.api, created(op(http.MethodPost, "/items", "submit-item", "Hand in one item", "items")), func(ctx context.Context, in *Keyed[api.NewItem]) (*tagged[api.Item], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		sub, err := submission(in.Body)
		if err != nil {
			return nil, s.fail(err)
		}
		rs, err := s.svc.SubmitItems(ctx, by, []casework.Submission{sub})
		if err := alone(rs, err); err != nil {
			return nil, s.fail(err)
		}
		return s.itemAfter(ctx, by, rs[0].Ref)
	})
	do(s, op(http.MethodPost, "/items/batch", "submit-items", "Hand in up to a hundred items", "items"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewItems]) (api.Results, error) {
		subs := make([]casework.Submission, len(in.Body.Items))
		for i, n := range in.Body.Items {
			var err error
			if subs[i], err = submission(n); err != nil {
				return api.Results{}, err
			}
		}
		rs, err := s.svc.SubmitItems(ctx, by, subs)
		return api.Results{Results: results(rs)}, err
	})
	huma.Register(s.api, op(http.MethodGet, "/items", "items", "Items on my authority's desk with a status, urgent and old first", "items"), s.listItems)
	huma.Register(s.api, op(http.MethodGet, "/items/{id}", "item", "One item", "items"), func(ctx context.Context, in *One) (*tagged[api.Item], error) {
		return s.item(ctx, in.ID)
	})
	change(s, op(http.MethodPost, "/items/{id}/assessment", "assess-item", "Judge one item", "items"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewAssessment) error {
		return alone(s.svc.AssessItems(ctx, by, []casework.Judging{judging(ref, v, in)}))
	})
	do(s, op(http.MethodPost, "/assessments/batch", "assess-items", "Judge up to a hundred items", "items"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewAssessments]) (api.Results, error) {
		js := make([]casework.Judging, len(in.Body.Assessments))
		for i, a := range in.Body.Assessments {
			js[i] = judging(a.Item, a.Version, a.NewAssessment)
			var err error
			if js[i].Captures, err = inline(a.Captures); err != nil {
				return api.Results{}, err
			}
		}
		rs, err := s.svc.AssessItems(ctx, by, js)
		return api.Results{Results: results(rs)}, err
	})
	change(s, op(http.MethodPost, "/items/{id}/decision", "decide-item", "Approve or reject what another assessed", "items"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewDecision) error {
		return alone(s.svc.DecideItems(ctx, by, []casework.Deciding{{Item: ref, Version: v, Decision: concert.Decision(in.Decision), Ground: in.Ground}}))
	})
	do(s, op(http.MethodPost, "/decisions/batch", "decide-items", "Decide on up to a hundred items", "items"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewDecisions]) (api.Results, error) {
		ds := make([]casework.Deciding, len(in.Body.Decisions))
		for i, d := range in.Body.Decisions {
			ds[i] = casework.Deciding{Item: d.Item, Version: d.Version, Decision: concert.Decision(d.Decision), Ground: d.Ground}
		}
		rs, err := s.svc.DecideItems(ctx, by, ds)
		return api.Results{Results: results(rs)}, err
	})
	change(s, op(http.MethodPost, "/items/{id}/observation", "observe-item", "Record what an officer saw", "items"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewObservation) error {
		_, err := s.svc.Observe(ctx, by, ref, v, concert.Observed(in.State), in.Vantage)
		return err
	})
	change(s, op(http.MethodPost, "/items/{id}/remedy", "remedy-item", "Withdraw or correct", "items"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewRemedy) error {
		return alone(s.svc.RemedyItems(ctx, by, []casework.Remedying{{Item: ref, Version: v, Kind: concert.RemedyKind(in.Kind), Reason: in.Reason, Category: concert.RemedyCategory(in.Category)}}))
	})
	do(s, op(http.MethodPost, "/remedies/batch", "remedy-items", "Withdraw or correct up to a hundred items", "items"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewRemedies]) (api.Results, error) {
		ms := make([]casework.Remedying, len(in.Body.Remedies))
		for i, m := range in.Body.Remedies {
			ms[i] = casework.Remedying{Item: m.Item, Version: m.Version, Kind: concert.RemedyKind(m.Kind), Reason: m.Reason, Category: concert.RemedyCategory(m.Category)}
		}
		rs, err := s.svc.RemedyItems(ctx, by, ms)
		return api.Results{Results: results(rs)}, err
	})
	s.holds()
	s.orders()
	s.erasures()
	s.secondLooks()
	s.leases()
	s.captures()
	s.batches()
	s.cases()
	s.exhibits()
	s.analyses()
	s.reidentifications()
	s.leads()
	s.incidents()
	s.watches()
	s.languages()
}

func submission(n api.NewItem) (casework.Submission, error) {
	captures, err := inline(n.Captures)
	return casework.Submission{Captures: captures, Location: n.Location, Type: concert.ItemType(n.Type), Outlet: n.Outlet, Action: n.Action, Priority: n.Priority, Evaluation: n.Evaluation, SHA256: n.SHA256, Handling: concert.Handling(n.Handling), Source: "api",
		Language: n.Language, Incident: n.Incident, Sweep: n.Sweep}, err
}

func judging(ref string, v int64, a api.NewAssessment) casework.Judging {
	return casework.Judging{Item: ref, Version: v, Outlet: a.Outlet, Assessment: concert.Assessment{Type: concert.ContentType(a.Type), Purpose: concert.Purpose(a.Purpose), Mark: a.Mark, MarkWhere: a.MarkWhere, Unbranded: a.Unbranded,
		Language: a.Language, Severity: concert.Severity(a.Severity), Evaluation: a.Evaluation, Facts: a.Facts, Judgement: a.Judgement}}
}

func (s *Server) listItems(ctx context.Context, in *struct {
	Status string `query:"status" default:"open" enum:"stopped,open,out_of_scope,assessed,rejected,approved,held,referred,answered,refused,still_up,closed,returned,withdrawn"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor string `query:"cursor" maxLength:"200"`
	Read   bool   `query:"read" doc:"only what is in a language that I read, or in none that is named"`
}) (*body[api.Page[api.Item]], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	rank, id, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, s.fail(err)
	}
	items, err := s.svc.ListItems(ctx, sc, casework.ItemQuery{Status: concert.ItemStatus(in.Status), AfterRank: rank, AfterID: concert.ItemID(id), Limit: in.Limit, Read: in.Read})
	if err != nil {
		return nil, s.fail(err)
	}
	g, err := s.svc.Registers(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Page[api.Item]{Items: make([]api.Item, len(items))}
	for i, it := range items {
		out.Items[i] = itemOf(it, g)
	}
	if len(items) == in.Limit {
		last := items[len(items)-1]
		out.Next = cursor(9-last.Priority, string(last.ID))
	}
	return &body[api.Page[api.Item]]{out}, nil
}
