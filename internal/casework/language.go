package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// StateLanguages says which languages a person reads: oneself, with login "",
// or as an administrator somebody by operator number or log-in name.
func (s *Service) StateLanguages(ctx context.Context, by concert.Actor, login string, tags []string) (concert.Person, error) {
	var out concert.Person
	if login == "" {
		if err := by.MayKeepCases(); err != nil {
			return out, err
		}
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		var p concert.Person
		var err error
		switch {
		case login == "":
			p, err = tx.Person(ctx, by.Person)
		case by.Need(concert.RoleAdministrator) != nil:
			return by.Need(concert.RoleAdministrator)
		default:
			p, err = tx.PersonByLogin(ctx, login)
		}
		if err != nil {
			return err
		}
		next, e, err := p.LanguagesStated(by, tags, s.now())
		if err != nil {
			return err
		}
		tx.Record(s.marked(e))
		out = next
		out.Version++
		return tx.SavePerson(ctx, next)
	})
	if err == nil {
		s.bearers.forgetPerson(out.ID)
	}
	return out, err
}

// RecordTranslation records a translation of an item's words with its maker, by
// somebody of an authority that found or judged it.
func (s *Service) RecordTranslation(ctx context.Context, by concert.Actor, ref string, in concert.Translation) (concert.Translation, error) {
	t := concert.Translation{ID: concert.TranslationID(identity.NewID()), Ref: identity.NewReference("TR"), Kind: in.Kind, Source: in.Source, Target: in.Target, Translator: in.Translator, Text: in.Text}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		it, err := s.ours(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		next, e, err := it.Translated(by, t, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		t = next
		return tx.AddTranslation(ctx, next)
	})
	return t, err
}

// ours is an item, bare, that the actor's authority found or judged; another is
// not there.
func (s *Service) ours(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Item, error) {
	known, err := tx.BareItemsByRef(ctx, []string{ref})
	if err != nil {
		return concert.Item{}, err
	}
	seen, err := seenBy(ctx, tx, by, known)
	if err != nil {
		return concert.Item{}, err
	}
	it, ok := known[ref]
	if !ok || by.Authority == "" || !seen[it.ID] && it.Author != by.Authority {
		return concert.Item{}, concert.ErrNotFound
	}
	return it, nil
}

// Translations are an item's, with their texts. Whoever may read the item's
// judgement may read them.
func (s *Service) Translations(ctx context.Context, scope concert.Scope, ref string) ([]concert.Translation, map[concert.PersonID]string, error) {
	var out []concert.Translation
	var names map[concert.PersonID]string
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadTranslations, Ref: ref}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var v ItemView
		if err := s.readItem(ctx, tx, by, ref, &v); err != nil {
			return err
		}
		out, names, b.Count = v.Translations, v.TranslatedBy, len(v.Translations)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return out, names, nil
}

// translated are the translations of those items that the actor does not read
// without; tag is the language that an act names for it, "" for none.
func translated(ctx context.Context, tx *store.Tx, by concert.Actor, items map[string]concert.Item, tag func(ref string) string) (map[concert.ItemID][]concert.Translation, error) {
	var foreign []concert.ItemID
	for ref, it := range items {
		if !by.Reads(it.Language) || !by.Reads(tag(ref)) {
			foreign = append(foreign, it.ID)
		}
	}
	if len(foreign) == 0 {
		return nil, nil
	}
	return tx.BareTranslations(ctx, foreign)
}

// fillFolders fills in what an item belongs to: the actor's cases, incidents, and
// its translations.
func (s *Service) fillFolders(ctx context.Context, tx *store.Tx, by concert.Actor, v *ItemView) error {
	of, err := tx.IncidentsOf(ctx, []concert.ItemID{v.ID})
	if err != nil {
		return err
	}
	v.Incidents = of[v.ID]
	if by.Has(concert.RoleAuditor) || by.MayKeepCases() == nil {
		sc, err := concert.NewScope(by, folderReason)
		if err != nil {
			return err
		}
		member := by.Person
		if by.Has(concert.RoleAuditor) {
			member = ""
		}
		if v.Cases, err = tx.CasesOf(ctx, sc, v.ID, member, 50); err != nil {
			return err
		}
	}
	if v.Withheld {
		return nil
	}
	if v.Translations, err = tx.Translations(ctx, v.ID); err != nil || len(v.Translations) == 0 {
		return err
	}
	var people []concert.PersonID
	for _, t := range v.Translations {
		people = append(people, t.Maker, t.RecordedBy)
	}
	v.TranslatedBy, err = tx.Operators(ctx, people)
	return err
}

// folderReason stands for the justification of the reading that a view of an
// item belongs to: that one is recorded, and covers the titles of cases in it.
const folderReason = "part of the reading of an item"
