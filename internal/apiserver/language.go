package apiserver

import (
	"context"
	"net/http"

	"concert"
	"concert/api"
)

func (s *Server) languages() {
	do(s, op(http.MethodPost, "/me/languages", "state-languages", "Say which languages I read", "people"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewLanguages]) (api.NewLanguages, error) {
		p, err := s.svc.StateLanguages(ctx, by, "", in.Body.Languages)
		return api.NewLanguages{Languages: append([]string{}, p.Languages...)}, err
	})
	do(s, op(http.MethodPost, "/people/{id}/languages", "set-languages", "Enter which languages a person reads (administrator)", "people"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewLanguages]) (api.Person, error) {
		p, err := s.svc.StateLanguages(ctx, by, in.ID, in.Body.Languages)
		return s.changedPerson(ctx, by, p, err, nil)
	})
	do(s, created(op(http.MethodPost, "/items/{id}/translations", "record-translation", "Record a translation of an item's words with its maker", "items")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewTranslation]) (api.Translation, error) {
		b := in.Body
		t, err := s.svc.RecordTranslation(ctx, by, in.ID, concert.Translation{Kind: concert.TranslationKind(b.Kind), Source: b.Source, Target: b.Target, Translator: b.Translator, Text: b.Text})
		return translationOf(t, in.ID, map[concert.PersonID]string{by.Person: by.Operator}), err
	})
	ask(s, op(http.MethodGet, "/items/{id}/translations", "translations", "An item's translations with their texts", "items"), func(ctx context.Context, sc concert.Scope, in *One) (api.Page[api.Translation], error) {
		ts, names, err := s.svc.Translations(ctx, sc, in.ID)
		out := api.Page[api.Translation]{Items: make([]api.Translation, len(ts))}
		for i, t := range ts {
			out.Items[i] = translationOf(t, in.ID, names)
		}
		return out, err
	})
}

func translationOf(t concert.Translation, item string, names map[concert.PersonID]string) api.Translation {
	return api.Translation{ID: t.Ref, Item: item, Kind: string(t.Kind), Source: t.Source, Target: t.Target, Maker: names[t.Maker], Translator: t.Translator, Text: t.Text, RecordedBy: names[t.RecordedBy], At: stamp(t.At)}
}
