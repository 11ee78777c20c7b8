package apiserver

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// ask is a reading, for which the scope says who asks and why.
func ask[I, O any](s *Server, o huma.Operation, read func(context.Context, concert.Scope, *I) (O, error)) {
	huma.Register(s.api, o, func(ctx context.Context, in *I) (*body[O], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		out, err := read(ctx, sc, in)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[O]{out}, nil
	})
}

// oneFrom asks for one thing, with a cursor into what belongs to it.
type oneFrom struct {
	One
	Cursor string `query:"cursor" maxLength:"200"`
}

// matchedOne is a POST on one thing without a body, with the version that was
// read.
type matchedOne struct {
	One
	IfMatch        string `header:"If-Match" doc:"the ETag that was read"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
}

// personOfCase is a POST on one person of a case.
type personOfCase[T any] struct {
	One
	Person         string `path:"person" maxLength:"80"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	Body           T
}

// day reads a date; the zero time for "".
func day(text, code, field string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, concert.Refuse(concert.Invalid, code, field, "write the day as 2019-11-21: got %.20q", text)
	}
	return t, nil
}

// mandateOf reads a mandate, valid to the end of its last day (UTC).
func mandateOf(m api.Mandate) (concert.Mandate, error) {
	out := concert.Mandate{Reference: m.Reference, Issuer: m.Issuer}
	var err error
	if out.On, err = day(m.On, "case.mandate", "on"); err != nil {
		return out, err
	}
	if out.Until, err = day(m.Until, "case.mandate", "until"); err == nil && !out.Until.IsZero() {
		out.Until = out.Until.AddDate(0, 0, 1)
	}
	return out, err
}

func (s *Server) cases() {
	do(s, created(op(http.MethodPost, "/cases", "open-case", "Open an investigation of my authority", "cases")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewCase]) (api.Case, error) {
		m, err := mandateOf(in.Body.Mandate)
		if err != nil {
			return api.Case{}, err
		}
		c, err := s.svc.OpenCase(ctx, by, concert.Case{Title: in.Body.Title, Mandate: m, Handling: concert.Handling(in.Body.Handling)})
		return caseOf(casework.CaseView{Case: c}), err
	})
	ask(s, op(http.MethodGet, "/cases", "cases", "The cases that I am a member of, newest first", "cases"), func(ctx context.Context, sc concert.Scope, in *struct {
		Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
		Cursor   string `query:"cursor" maxLength:"200"`
		State    string `query:"state" enum:"open,mandate_over,closed"`
		Review   string `query:"review" enum:"overdue,soon" doc:"overdue; soon: due within 90 days, or overdue"`
		Handling string `query:"handling" enum:"H0,H1,H2,H3"`
		Mine     bool   `query:"mine" doc:"only those that I lead"`
	}) (api.Page[api.Case], error) {
		keys, err := idKeys(in.Cursor)
		if err != nil {
			return api.Page[api.Case]{}, err
		}
		q := concert.CaseSearch{State: concert.CaseState(in.State), Review: concert.ReviewState(in.Review), Handling: concert.Handling(in.Handling)}
		if in.Mine {
			q.Lead = sc.Actor().Person
		}
		found, err := s.svc.SearchCases(ctx, sc, q, asked("state", in.State, "review", in.Review, "handling", in.Handling, "mine", flagged(in.Mine)), concert.Page{Keys: keys, Limit: in.Limit, Far: searchFar})
		return pageOf(found, in.Limit, caseOf, func(v casework.CaseView) string { return cursor(0, string(v.ID)) }, idCursor), err
	})
	ask(s, op(http.MethodGet, "/cases/{id}", "case", "One case with its persons, its items and its timeline", "cases"), func(ctx context.Context, sc concert.Scope, in *oneFrom) (api.Case, error) {
		_, after, err := parseCursor(in.Cursor)
		if err != nil {
			return api.Case{}, err
		}
		v, err := s.svc.ReadCase(ctx, sc, in.ID, concert.ItemID(after))
		return caseOf(v), err
	})
	changeCase(s, "/members", "add-case-member", "Let a person of my authority read a case", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewMember) (concert.Case, error) {
		return s.svc.AddCaseMember(ctx, by, ref, v, in.Person)
	})
	changeCase(s, "/members/remove", "remove-case-member", "End that", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewMember) (concert.Case, error) {
		return s.svc.RemoveCaseMember(ctx, by, ref, v, in.Person)
	})
	changeCase(s, "/lead", "lead-case", "Hand the lead of a case to another member", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewMember) (concert.Case, error) {
		return s.svc.LeadCase(ctx, by, ref, v, in.Person)
	})
	changeCase(s, "/mandate", "mandate-case", "Enter another mandate, or its extension", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Mandate) (concert.Case, error) {
		m, err := mandateOf(in)
		if err != nil {
			return concert.Case{}, err
		}
		return s.svc.MandateCase(ctx, by, ref, v, m)
	})
	changeCase(s, "/review", "review-case", "Say that a case's data is still needed, as a second person", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.CaseWord) (concert.Case, error) {
		return s.svc.ReviewCase(ctx, by, ref, v, in.Ground)
	})
	changeCase(s, "/close", "close-case", "Close a case", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.CaseWord) (concert.Case, error) {
		return s.svc.CloseCase(ctx, by, ref, v, in.Ground)
	})
	do(s, op(http.MethodPost, "/cases/{id}/items", "add-to-case", "Put up to 500 items into a case", "cases"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.CaseItems]) (api.Results, error) {
		rs, err := s.svc.AddToCase(ctx, by, in.ID, in.Body.Items)
		return api.Results{Results: results(rs)}, err
	})
	do(s, op(http.MethodPost, "/cases/{id}/items/remove", "remove-from-case", "Take items out of a case, with a reason", "cases"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.CaseRemoval]) (api.Results, error) {
		rs, err := s.svc.RemoveFromCase(ctx, by, in.ID, in.Body.Items, in.Body.Reason)
		return api.Results{Results: results(rs)}, err
	})
	s.casePersons()
}

func (s *Server) casePersons() {
	do(s, created(op(http.MethodPost, "/cases/{id}/persons", "add-case-person", "Put a person into a case, in a category", "cases")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewCasePerson]) (api.CasePerson, error) {
		b := in.Body
		p, err := s.svc.AddCasePerson(ctx, by, in.ID, concert.CasePerson{Category: concert.DataSubject(b.Category), Name: b.Name, Source: b.Source, Evaluation: b.Evaluation, Ground: b.Ground})
		return casePersonOf(p, nil), err
	})
	do(s, op(http.MethodPost, "/cases/{id}/persons/{person}/category", "categorise-case-person", "Move a person of a case to another category", "cases"), func(ctx context.Context, by concert.Actor, in *personOfCase[api.NewCategory]) (api.CasePerson, error) {
		p, err := s.svc.CategoriseCasePerson(ctx, by, in.ID, in.Person, in.Body.Version, concert.DataSubject(in.Body.Category), in.Body.Ground)
		return casePersonOf(p, nil), err
	})
	do(s, op(http.MethodPost, "/cases/{id}/persons/{person}/erasure", "ask-case-person-erasure", "Ask for the erasure of a person of a case", "cases"), func(ctx context.Context, by concert.Actor, in *personOfCase[api.CasePersonErasure]) (api.CasePerson, error) {
		p, err := s.svc.AskCasePersonErasure(ctx, by, in.ID, in.Person, in.Body.Version, concert.ErasureCode(in.Body.Code), in.Body.Reason)
		return casePersonOf(p, nil), err
	})
	do(s, op(http.MethodPost, "/cases/{id}/persons/{person}/erasure/confirm", "erase-case-person", "Erase a person of a case, as the second member", "cases"), func(ctx context.Context, by concert.Actor, in *personOfCase[api.CasePersonVersion]) (api.CasePerson, error) {
		p, err := s.svc.EraseCasePerson(ctx, by, in.ID, in.Person, in.Body.Version)
		return casePersonOf(p, nil), err
	})
}

// changeCase is an act on one case that answers with it as it stands after.
func changeCase[T any](s *Server, path, id, summary string, act func(context.Context, concert.Actor, string, int64, T) (concert.Case, error)) {
	do(s, op(http.MethodPost, "/cases/{id}"+path, id, summary, "cases"), func(ctx context.Context, by concert.Actor, in *matched[T]) (api.Case, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Case{}, err
		}
		c, err := act(ctx, by, in.ID, v, in.Body)
		return caseOf(casework.CaseView{Case: c}), err
	})
}

func caseOf(v casework.CaseView) api.Case {
	c := v.Case
	out := api.Case{ID: c.Ref, Version: c.Version, Title: c.Title, Authority: v.Authority.Ref, Lead: v.Operators[c.Lead], Handling: string(c.Handling), OpenedAt: stamp(c.OpenedAt), ClosedAt: stamp(c.ClosedAt), Reason: c.Reason,
		ReviewAt: date(c.ReviewAt), ReviewedAt: stamp(c.ReviewedAt), Count: v.ItemCount, Exercise: c.Exercise,
		Mandate: api.Mandate{Reference: c.Mandate.Reference, Issuer: c.Mandate.Issuer, On: date(c.Mandate.On), Until: date(c.Mandate.Until.Add(-time.Microsecond))}}
	if v.Operators == nil {
		return out
	}
	for _, m := range c.Members {
		if op := v.Operators[m]; op != "" {
			out.Members = append(out.Members, op)
		}
	}
	for _, p := range v.Persons {
		out.Persons = append(out.Persons, casePersonOf(p, v.Operators))
	}
	out.Items, out.Next = caseItemsOf(v.Items, v.ItemCount)
	for _, m := range v.Timeline {
		out.Timeline = append(out.Timeline, api.CaseMoment{At: stamp(concert.FromMicros(m.At)), Kind: string(m.Kind), Person: m.Operator, Body: m.Body})
	}
	return out
}

func casePersonOf(p concert.CasePerson, names map[concert.PersonID]string) api.CasePerson {
	out := api.CasePerson{ID: p.Ref, Version: p.Version, Category: string(p.Category), Name: p.Name, Source: p.Source, Ground: p.Ground, Evaluation: p.Evaluation, AddedAt: stamp(p.AddedAt), AddedBy: names[p.AddedBy], ErasedAt: stamp(p.ErasedAt)}
	if p.AskedBy != "" {
		out.Erasure = &api.Erasure{Code: string(p.EraseCode), Reason: p.EraseWhy, AskedBy: names[p.AskedBy], AskedAt: stamp(p.AskedAt)}
	}
	return out
}

// casePage is how many items of a case or an incident one answer has at most.
const casePage = 200

// caseItemsOf are items in a list without what is sealed, with the cursor of the
// next page.
func caseItemsOf(items []concert.Item, all int) (out []api.CaseItem, next string) {
	for _, it := range items {
		out = append(out, api.CaseItem{ID: it.Ref, Status: string(it.Status), Type: string(it.Type), Priority: it.Priority, Language: it.Language, At: stamp(it.CreatedAt)})
	}
	if len(items) == casePage && all > casePage {
		next = cursor(0, string(items[len(items)-1].ID))
	}
	return out, next
}
