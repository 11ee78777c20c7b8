package apiserver

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/pdq"
)

// knownContent is what is known of content: look-ups, and what items were found to be
// like.
func (s *Server) knownContent() {
	do(s, op(http.MethodPost, "/known/lookup", "look-up", "Look many hashes up in the banks that answer me; what is found decides nothing", "banks"), func(ctx context.Context, by concert.Actor, in *body[api.Lookup]) (api.LookupResults, error) {
		return s.lookUp(ctx, by, in.Body)
	})
	huma.Register(s.api, op(http.MethodGet, "/items/{id}/known", "known", "What is known of an item's content: likenesses to banks and to earlier items, copies that wait, its language", "banks"), func(ctx context.Context, in *One) (*body[api.Known], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := s.svc.KnownOf(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Known]{knownContentOf(v)}, nil
	})
	do(s, op(http.MethodPost, "/matches/{id}/word", "judge-match", "Say whether a match is right: the same work, or another", "banks"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.MatchWord]
	}) (api.MatchSaid, error) {
		m, err := s.svc.JudgeMatch(ctx, by, in.ID, concert.MatchWord(in.Body.Word))
		return api.MatchSaid{ID: m.Ref, Word: string(m.Said), At: stamp(m.SaidAt)}, err
	})
	huma.Register(s.api, op(http.MethodGet, "/works", "works", "How many distinct works are behind the items that were compared, of all authorities", "banks"), func(ctx context.Context, _ *struct{}) (*body[api.Works], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		w, err := s.svc.Works(ctx, sc)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Works]{api.Works{Items: w.Items, Works: w.Distinct()}}, nil
	})
}

func (s *Server) lookUp(ctx context.Context, by concert.Actor, in api.Lookup) (api.LookupResults, error) {
	o := casework.AskOptions{Banks: in.Banks, Radius: -1, Seed: in.Seed, Whole: in.IgnoreRatios}
	if in.Radius != nil {
		o.Radius = *in.Radius
	}
	looks := make([]casework.KnownLook, len(in.Hashes))
	for i, h := range in.Hashes {
		looks[i] = casework.KnownLook{Kind: concert.HashKind(h.Kind), Value: h.Value, Turned: h.Turned, Quality: -1}
		if h.Kind == "" {
			looks[i].Kind = concert.HashPDQ
		}
		if h.Quality != nil {
			looks[i].Quality = *h.Quality
		}
	}
	found, err := s.svc.LookUp(ctx, by, looks, o)
	if err != nil {
		return api.LookupResults{}, err
	}
	out := api.LookupResults{Results: make([]api.LookupResult, len(found))}
	for i, f := range found {
		r := api.LookupResult{Outcome: string(f.Outcome), Reason: f.Why}
		for _, h := range f.Hits {
			e := f.Entries[h.Entry]
			hit := api.LookupHit{Bank: h.Name, BankID: h.Bank.Ref, Entry: e.Ref, Number: e.N, Distance: h.Distance, Opinion: string(e.Stands()), Name: e.Name, Labels: e.Labels}
			if len(looks[i].Turned) > 0 {
				hit.Orientation = pdq.Orientation(h.Turn).String()
			}
			r.Matches = append(r.Matches, hit)
		}
		out.Results[i] = r
	}
	return out, nil
}

func knownContentOf(v casework.Known) api.Known {
	out := api.Known{Matches: []api.KnownMatch{}, Alike: []string{}, Others: v.Others, Waiting: v.Waiting, Language: v.Language.Language, Script: v.Language.Script, Pending: v.Pending}
	for _, m := range v.Matches {
		k := api.KnownMatch{ID: m.Ref, By: string(m.By), Item: m.With.Ref, Distance: m.Distance, Quality: m.Quality, ShareHere: m.ShareHere, ShareThere: m.ShareThen, Said: string(m.Said), At: stamp(m.At)}
		if m.Bank.ID != "" {
			k.Bank, k.BankID, k.Entry, k.EntryName, k.Opinion, k.Labels = m.Bank.Name, m.Bank.Ref, m.Entry.Ref, m.Entry.Name, string(m.Entry.Stands()), m.Entry.Labels
		}
		if m.By == concert.PrintPicture {
			k.Orientation = pdq.Orientation(m.Turn).String()
		}
		for _, g := range m.Detail.Segments {
			k.Segments = append(k.Segments, api.KnownSegment(g))
		}
		out.Matches = append(out.Matches, k)
	}
	for _, it := range v.Alike {
		out.Alike = append(out.Alike, it.Ref)
	}
	return out
}

// pdqBytes reads the hash of a frame.
func pdqBytes(text string) ([32]byte, error) {
	h, err := pdq.Parse(text)
	if err != nil {
		return [32]byte{}, concert.Refuse(concert.Invalid, "hash.value", "frames", "a frame's hash is 64 hexadecimal digits: got %.70q", text)
	}
	return h.Bytes(), nil
}

func pdqText(h [32]byte) string { return hex.EncodeToString(h[:]) }
