package apiserver

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) questions() {
	huma.Register(s.api, op(http.MethodGet, "/referrals/{id}/questions", "thread", "The talk about one referral between its provider and the authority that judged", "questions"), func(ctx context.Context, in *One) (*body[api.Thread], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := s.svc.ReadThread(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Thread{Referral: v.Ref, Messages: []api.Question{}}
		for _, m := range v.Messages {
			out.Messages = append(out.Messages, api.Question{ID: m.Ref, Outward: true, Side: string(m.Question.Side), Kind: string(m.Kind), Party: m.Party, Operator: m.Operator, Item: m.ItemRef, Text: m.Text, Erased: m.Erased, At: stamp(m.At), Readers: m.Readers})
		}
		return &body[api.Thread]{out}, nil
	})
	do(s, created(op(http.MethodPost, "/referrals/{id}/questions", "ask", "Write a message to the other side, about the referral or one of its items", "questions")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewQuestion]) (api.WrittenQuestion, error) {
		write := s.svc.ReplyQuestion
		if by.Provider != "" {
			write = s.svc.AskQuestion
		}
		q, err := write(ctx, by, in.ID, in.Body.Item, in.Body.Text)
		return api.WrittenQuestion{Question: q.Ref, At: stamp(q.At)}, err
	})
	do(s, op(http.MethodGet, "/questions", "threads", "Threads that wait for one side to write back, newest first", "questions"), func(ctx context.Context, by concert.Actor, in *struct {
		Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
		Cursor string `query:"cursor" maxLength:"200"`
		Waits  string `query:"waits" enum:"provider,authority" default:"authority"`
	}) (api.Page[api.ListedThread], error) {
		out := api.Page[api.ListedThread]{Items: []api.ListedThread{}}
		_, before, err := parseCursor(in.Cursor)
		if err != nil {
			return out, err
		}
		ts, err := s.svc.Threads(ctx, by, concert.Side(in.Waits), concert.QuestionID(before), in.Limit)
		for _, t := range ts {
			out.Items = append(out.Items, api.ListedThread{Referral: t.Ref, Provider: t.Provider.Name, Author: t.Author.Name, Waits: string(t.Waits), Messages: t.Messages, LastAt: stamp(t.LastAt)})
		}
		if len(ts) == in.Limit {
			out.Next = cursor(0, string(ts[len(ts)-1].LastID))
		}
		return out, err
	})
	s.isolations()
	s.notes()
}

func (s *Server) isolations() {
	weigh := func(path, id, summary string, act func(context.Context, concert.Actor, string, int64, string) (concert.Isolation, error)) {
		do(s, op(http.MethodPost, path, id, summary, "questions"), func(ctx context.Context, by concert.Actor, in *matched[api.NewProportionality]) (api.Isolation, error) {
			v, err := version(in.IfMatch)
			if err != nil {
				return api.Isolation{}, err
			}
			i, err := act(ctx, by, in.ID, v, in.Body.Text)
			return isolationOf(in.ID, i), err
		})
	}
	weigh("/items/{id}/proportionality", "write-proportionality", "Write why a measure that hits others would be proportionate", s.svc.WeighIsolation)
	do(s, op(http.MethodPost, "/items/{id}/proportionality/approve", "approve-proportionality", "Approve it as a second person, and ask the provider for the wider measure", "questions"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		IfMatch        string `header:"If-Match" doc:"the item's ETag that was read"`
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (api.Isolation, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Isolation{}, err
		}
		i, err := s.svc.ApproveIsolation(ctx, by, in.ID, v)
		return isolationOf(in.ID, i), err
	})
	do(s, op(http.MethodGet, "/isolations", "isolations", "Items that cannot be isolated and whose proportionality is not approved, by id", "questions"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Page[string], error) {
		items, err := s.svc.OpenIsolations(ctx, by)
		out := api.Page[string]{Items: []string{}}
		for _, it := range items {
			out.Items = append(out.Items, it.Ref)
		}
		return out, err
	})
	do(s, op(http.MethodGet, "/authority/article16", "article16", "Whether my authority's referrals are meant as notices under DSA Art. 16", "registers"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Article16, error) {
		a, v, err := s.svc.Article16(ctx, by)
		return api.Article16{Authority: a.Ref, Article16: v.Article16, SetAt: stamp(v.SetAt)}, err
	})
	do(s, op(http.MethodPost, "/authority/article16", "set-article16", "Say whether my authority's referrals are meant as notices under DSA Art. 16", "registers"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewArticle16]) (api.Article16, error) {
		v, err := s.svc.SetArticle16(ctx, by, string(by.Authority), in.Body.Article16)
		if err != nil {
			return api.Article16{}, err
		}
		a, _, err := s.svc.Article16(ctx, by)
		return api.Article16{Authority: a.Ref, Article16: v.Article16, SetAt: stamp(v.SetAt)}, err
	})
}

func isolationOf(ref string, i concert.Isolation) api.Isolation {
	return api.Isolation{Item: ref, State: string(i.State()), Others: i.Others, OthersAre: string(i.OthersAre), At: stamp(i.At), WrittenAt: stamp(i.WrittenAt), ApprovedAt: stamp(i.ApprovedAt)}
}

func (s *Server) notes() {
	do(s, op(http.MethodGet, "/actions/{id}/notes", "action-notes", "Notes on patterns of abuse of a closed action", "notes"), func(ctx context.Context, _ concert.Actor, in *One) (api.Page[api.PatternNote], error) {
		sc, err := scope(ctx)
		if err != nil {
			return api.Page[api.PatternNote]{}, err
		}
		ns, err := s.svc.ActionNotes(ctx, sc, in.ID)
		return notesOf(ns), err
	})
	do(s, op(http.MethodGet, "/provider/notes", "own-notes", "My provider's notes on patterns of abuse", "provider"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Page[api.PatternNote], error) {
		ns, err := s.svc.OwnNotes(ctx, by)
		return notesOf(ns), err
	})
	do(s, op(http.MethodGet, "/notes/{id}", "note", "One note on patterns of abuse", "notes"), func(ctx context.Context, _ concert.Actor, in *One) (api.PatternNote, error) {
		return s.readNote(ctx, in.ID)
	})
	for _, x := range []struct {
		verb, id, summary string
		act               func(context.Context, concert.Actor, string) (concert.PatternNote, error)
	}{{"review", "review-note", "Review a note, as a coordinator", s.svc.ReviewNote}, {"release", "release-note", "Release a reviewed note to its provider, as one other person", s.svc.ReleaseNote}} {
		do(s, op(http.MethodPost, "/notes/{id}/"+x.verb, x.id, x.summary, "notes"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.PatternNote, error) {
			if _, err := x.act(ctx, by, in.ID); err != nil {
				return api.PatternNote{}, err
			}
			return s.readNote(ctx, in.ID)
		})
	}
}

func (s *Server) readNote(ctx context.Context, ref string) (api.PatternNote, error) {
	sc, err := scope(ctx)
	if err != nil {
		return api.PatternNote{}, err
	}
	v, err := s.svc.ReadNote(ctx, sc, ref)
	return noteOf(v), err
}

func notesOf(ns []casework.NoteView) api.Page[api.PatternNote] {
	out := api.Page[api.PatternNote]{Items: []api.PatternNote{}}
	for _, n := range ns {
		out.Items = append(out.Items, noteOf(n))
	}
	return out
}

func noteOf(n casework.NoteView) api.PatternNote {
	state := "drafted"
	switch {
	case !n.ReleasedAt.IsZero():
		state = "released"
	case !n.ReviewedAt.IsZero():
		state = "reviewed"
	}
	return api.PatternNote{ID: n.Ref, Action: n.Action.Ref, Provider: n.Provider.Ref, State: state, Patterns: n.Patterns, DraftedAt: stamp(n.DraftedAt), ReviewedAt: stamp(n.ReviewedAt), ReleasedAt: stamp(n.ReleasedAt)}
}
