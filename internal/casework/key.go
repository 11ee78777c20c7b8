package casework

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// APIKey is a key as its owner sees it again: never its text.
type APIKey struct {
	ID        string // ak_…, the public name
	Name      string
	CreatedAt time.Time // wall time
	Scopes    []concert.Power
}

// keysMost bounds a person's keys: more are a fault of some script.
const keysMost = 50

func (s *Service) issueKey(ctx context.Context, tx *store.Tx, by concert.Actor, p concert.Person, name string, scopes []concert.Power) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 80 {
		return "", concert.Refuse(concert.Invalid, "key.name", "name", "a key has a name of at most 80 characters, by which you know later what uses it")
	}
	tx.Record(s.marked(concert.NewEvent(concert.EventKeyIssued, by, string(p.ID), s.now(), concert.RegisterBody{Ref: p.Operator, Person: p.ID})))
	return s.addCredential(ctx, tx, store.Credential{Kind: "key", Person: p.ID, Name: name, Scopes: scopes}, 0)
}

// IssueKey makes an API key for the actor itself, and for nobody else. It says
// what of the guarded acts it may do, since a program gives no second factor. Its
// text is returned once.
func (s *Service) IssueKey(ctx context.Context, by concert.Actor, name string, scopes ...concert.Power) (key string, made APIKey, err error) {
	if err := proven(by, concert.PowerKeys); err != nil {
		return "", made, err
	}
	if scopes, err = concert.ScopesOf(scopes); err != nil {
		return "", made, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, by.Person)
		if err != nil {
			return err
		}
		if !p.InForce() {
			return concert.Refuse(concert.Forbidden, "credential.unknown", "", "this key or session is not known, or has ended: log in again, or ask for a new key")
		}
		have, err := tx.APIKeys(ctx, p.ID)
		if err != nil {
			return err
		}
		if len(have) >= keysMost {
			return concert.Refuse(concert.Conflict, "key.too_many", "", "you have %d keys: revoke those that nothing uses any more", len(have))
		}
		key, err = s.issueKey(ctx, tx, by, p, name, scopes)
		return err
	})
	if err != nil {
		return "", made, err
	}
	digest, err := identity.Digest(key)
	return key, APIKey{ID: identity.APIKeyID(digest), Name: strings.TrimSpace(name), CreatedAt: time.Now(), Scopes: scopes}, err
}

// ListKeys are the actor's own keys, or those of the person with the log-in
// name or operator number, for an administrator.
func (s *Service) ListKeys(ctx context.Context, by concert.Actor, login string) ([]APIKey, error) {
	if login != "" {
		if err := by.Need(concert.RoleAdministrator); err != nil {
			return nil, err
		}
	}
	var out []APIKey
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		whose := by.Person
		if login != "" {
			p, err := tx.PersonByLogin(ctx, login)
			if err != nil {
				return err
			}
			whose = p.ID
		}
		keys, err := tx.APIKeys(ctx, whose)
		for _, k := range keys {
			out = append(out, APIKey{ID: identity.APIKeyID(k.Digest), Name: k.Name, CreatedAt: k.CreatedAt, Scopes: k.Scopes})
		}
		return err
	})
	return out, err
}

// RevokeKey ends a key of the actor's own, or anybody's for an administrator.
// Another node may take it for two seconds more.
func (s *Service) RevokeKey(ctx context.Context, by concert.Actor, id string) error {
	head, err := hex.DecodeString(strings.TrimPrefix(id, "ak_"))
	if err != nil || len(head) != 8 || !strings.HasPrefix(id, "ak_") {
		return concert.ErrNotFound
	}
	var from, to, digest [32]byte
	copy(from[:], head)
	copy(to[:], head)
	for i := len(head); i < len(to); i++ {
		to[i] = 0xff
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		keys, err := tx.APIKeysBetween(ctx, from, to)
		if err != nil {
			return err
		}
		if len(keys) != 1 || keys[0].Person != by.Person && !by.Has(concert.RoleAdministrator) {
			return concert.ErrNotFound
		}
		p, err := tx.Person(ctx, keys[0].Person)
		if err != nil {
			return err
		}
		digest = keys[0].Digest
		tx.Record(s.marked(concert.NewEvent(concert.EventKeyRevoked, by, string(p.ID), s.now(), concert.RegisterBody{Ref: p.Operator, Kind: "key", Person: p.ID})))
		return tx.DropCredential(ctx, digest)
	})
	if err == nil {
		s.bearers.forget(digest)
	}
	return err
}
