package casework

import (
	"cmp"
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// Asked is a question to a browser's passkeys.
type Asked struct {
	Token   string // comes back with the answer
	Options []byte // JSON for navigator.credentials
}

// The purposes of a challenge: an answer to one is none to another.
const (
	askLogin    = "login"
	askProof    = "proof"
	askRegister = "register"
)

func (s *Service) passkeys() (identity.Passkeys, error) {
	k, err := identity.NewPasskeys(s.BaseURL)
	if errors.Is(err, identity.ErrNoPasskeys) {
		err = errNoHere
	}
	return k, err
}

// PasskeysHere reports whether this address can have passkeys.
func (s *Service) PasskeysHere() bool {
	_, err := s.passkeys()
	return err == nil
}

// owner is a person with its passkeys.
func (s *Service) owner(ctx context.Context, tx *store.Tx, id concert.PersonID) (identity.PasskeyOwner, []store.KeptFactor, error) {
	p, err := tx.Person(ctx, id)
	if err != nil {
		return identity.PasskeyOwner{}, nil, err
	}
	all, err := tx.Factors(ctx, id)
	o := identity.PasskeyOwner{ID: string(p.ID), Login: p.Login, Name: p.Operator}
	for _, f := range all {
		if f.Kind == concert.FactorPasskey {
			o.Kept = append(o.Kept, f.Secret)
		}
	}
	return o, all, err
}

// ask keeps a challenge and gives the question.
func (s *Service) ask(ctx context.Context, purpose string, p concert.PersonID, options, kept []byte, err error) (Asked, error) {
	if err != nil {
		return Asked{}, err
	}
	token, digest := identity.NewToken(identity.OneTimeToken)
	c := store.Challenge{Digest: digest, Purpose: purpose, Person: p, Kept: kept, ExpiresAt: time.Now().Add(identity.ChallengeTerm)}
	return Asked{token, options}, s.DB.Update(ctx, func(tx *store.Tx) error { return tx.AddChallenge(ctx, c) })
}

// AskAnyPasskey asks for anybody's passkey, to log in with.
func (s *Service) AskAnyPasskey(ctx context.Context) (Asked, error) {
	k, err := s.passkeys()
	if err != nil {
		return Asked{}, err
	}
	options, kept, err := k.Ask(nil)
	return s.ask(ctx, askLogin, "", options, kept, err)
}

// AskPasskey asks for one of the actor's own, as its second factor.
func (s *Service) AskPasskey(ctx context.Context, by concert.Actor) (Asked, error) {
	k, err := s.passkeys()
	if err != nil {
		return Asked{}, err
	}
	var o identity.PasskeyOwner
	if err := s.DB.View(ctx, func(tx *store.Tx) error { o, _, err = s.owner(ctx, tx, by.Person); return err }); err != nil {
		return Asked{}, err
	}
	if len(o.Kept) == 0 {
		return Asked{}, concert.Refuse(concert.Invalid, "factor.no_passkey", "", "you have no passkey here: use a one-time code")
	}
	options, kept, err := k.Ask(&o)
	return s.ask(ctx, askProof, by.Person, options, kept, err)
}

// AskNewPasskey asks for a new passkey of the actor's.
func (s *Service) AskNewPasskey(ctx context.Context, by concert.Actor, name string) (Asked, error) {
	k, err := s.passkeys()
	if err != nil {
		return Asked{}, err
	}
	var o identity.PasskeyOwner
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		var have []store.KeptFactor
		if o, have, err = s.owner(ctx, tx, by.Person); err != nil {
			return err
		}
		_, err = concert.FactorAdded(by, plainFactors(have), concert.Factor{Kind: concert.FactorPasskey, Name: name}, time.Now())
		return err
	})
	if err != nil {
		return Asked{}, err
	}
	options, kept, err := k.Register(o)
	return s.ask(ctx, askRegister, by.Person, options, kept, err)
}

// AddPasskey takes the answer to AskNewPasskey. With somebody's first factor
// come recovery codes, shown once.
func (s *Service) AddPasskey(ctx context.Context, by concert.Actor, name, token string, answer []byte) (recovery []string, err error) {
	k, err := s.passkeys()
	if err != nil {
		return nil, err
	}
	c, err := s.challenge(ctx, askRegister, by.Person, token)
	if err != nil {
		return nil, err
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		now := time.Now()
		o, have, err := s.owner(ctx, tx, by.Person)
		if err != nil {
			return err
		}
		f, err := concert.FactorAdded(by, plainFactors(have), concert.Factor{Kind: concert.FactorPasskey, Name: name}, now)
		if err != nil {
			return err
		}
		made, err := k.Registered(o, c.Kept, answer)
		if err != nil {
			return told(err)
		}
		if taken, err := tx.TakeChallenge(ctx, c.Digest); err != nil || !taken {
			return cmp.Or(err, error(errPasskey))
		}
		handle := s.DB.Keys.HandleDigest(made.ID)
		f.Ref, f.ConfirmedAt = identity.NewReference("SF"), now
		if err := tx.AddFactor(ctx, store.KeptFactor{Factor: f, Secret: made.Kept, Handle: &handle}); err != nil {
			return err
		}
		recovery, err = s.enrolled(ctx, tx, by, f, now)
		return err
	})
	return recovery, err
}

// told turns a passkey that is no good into a refusal.
func told(err error) error {
	if errors.Is(err, identity.ErrPasskey) {
		return errPasskey
	}
	return err
}

func (s *Service) challenge(ctx context.Context, purpose string, p concert.PersonID, token string) (c store.Challenge, err error) {
	digest, err := identity.DigestOf(identity.OneTimeToken, token)
	if err != nil {
		return c, errPasskey
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		c, err = tx.Challenge(ctx, digest, purpose, time.Now())
		return err
	})
	if errors.Is(err, concert.ErrNotFound) || err == nil && c.Person != p {
		return c, errPasskey
	}
	return c, err
}

// answered checks an answer to AskPasskey; what it returns writes the use down.
func (s *Service) answered(ctx context.Context, p concert.PersonID, token string, answer []byte) (proof, error) {
	k, err := s.passkeys()
	if err != nil {
		return nil, err
	}
	c, err := s.challenge(ctx, askProof, p, token)
	if err != nil {
		return nil, err
	}
	var o identity.PasskeyOwner
	if err := s.DB.View(ctx, func(tx *store.Tx) error { o, _, err = s.owner(ctx, tx, p); return err }); err != nil {
		return nil, err
	}
	used, err := k.Answered(o, c.Kept, answer)
	if err != nil {
		return nil, told(err)
	}
	return s.usedPasskey(c.Digest, used), nil
}

// usedPasskey writes a passkey's use down; the challenge is good once.
func (s *Service) usedPasskey(challenge [32]byte, used identity.Passkey) proof {
	return func(ctx context.Context, tx *store.Tx, p concert.Person, now time.Time) error {
		if taken, err := tx.TakeChallenge(ctx, challenge); err != nil || !taken {
			return cmp.Or(err, error(errPasskey))
		}
		f, err := tx.FactorByHandle(ctx, s.DB.Keys.HandleDigest(used.ID))
		if err != nil || f.Person != p.ID {
			// It was removed a moment ago.
			return cmp.Or(err, error(errPasskey))
		}
		f.Secret = used.Kept
		return tx.UsePasskey(ctx, f, now)
	}
}

// EnterByPasskey logs in with the answer to AskAnyPasskey: a passkey that its
// owner unlocked is both factors at once.
func (s *Service) EnterByPasskey(ctx context.Context, c Caller, token string, answer []byte) (Entered, error) {
	k, err := s.passkeys()
	if err != nil {
		return Entered{}, err
	}
	asked, err := s.challenge(ctx, askLogin, "", token)
	if err != nil {
		return Entered{}, err
	}
	find := func(id string) (o identity.PasskeyOwner, err error) {
		err = s.DB.View(ctx, func(tx *store.Tx) error { o, _, err = s.owner(ctx, tx, concert.PersonID(id)); return err })
		return o, err
	}
	id, used, err := k.AnsweredBy(find, asked.Kept, answer)
	if errors.Is(err, concert.ErrNotFound) {
		err = errPasskey
	}
	if err != nil {
		return Entered{}, told(err)
	}
	var out Entered
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, concert.PersonID(id))
		if err != nil {
			return err
		}
		if !p.InForce() {
			return errPasskey
		}
		if err := s.usedPasskey(asked.Digest, used)(ctx, tx, p, time.Now()); err != nil {
			return err
		}
		out, err = s.openSession(ctx, tx, p, c, "passkey", true)
		return err
	})
	return out, err
}
