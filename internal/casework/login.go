package casework

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// Caller is what a door knows of who asks to come in.
type Caller struct {
	Network string // its network's prefix, "" where not known
	Device  string // what its browser kept of an earlier log-in, "" for nothing
	Browser string // its browser's family
}

// Entered is a log-in: whole, or half done where a second factor is wanted still.
type Entered struct {
	Session string
	Person  concert.Person
	Half    bool   // the session opens nothing but the second step, for ten minutes
	Device  string // for the browser to keep, "" while the log-in is half done
}

// halfTerm is how long a log-in may stay half done.
const halfTerm = 10 * time.Minute

// errLogin is one answer for every way a log-in fails, so that nobody learns
// which names exist.
var errLogin = &concert.Error{Kind: concert.Forbidden, Code: "login.refused",
	Message: "name, password, link or code is wrong, the link was used or is too old, or there were too many tries: wait, or ask an administrator for a new link"}

// openSession opens a session for a person; proven says that the second factor
// was given with it.
func (s *Service) openSession(ctx context.Context, tx *store.Tx, p concert.Person, c Caller, how string, proven bool) (Entered, error) {
	now := time.Now()
	enrolled, err := tx.Enrolled(ctx, p.ID)
	if err != nil {
		return Entered{}, err
	}
	out := Entered{Person: p, Half: enrolled && !proven}
	kept := store.Credential{Kind: "session", Person: p.ID, Name: how, Browser: c.Browser, SeenAt: now.Truncate(time.Minute)}
	term := concert.SessionTerm
	switch {
	case out.Half:
		term = halfTerm
	case proven:
		kept.ProvenAt = now
	}
	if !out.Half {
		out.Device = s.DB.Keys.NewDevice(string(p.ID), now)
	}
	out.Session, err = s.addCredential(ctx, tx, kept, term)
	return out, err
}

// Enter is EnterFrom by who needs no second step and is nothing known of.
func (s *Service) Enter(ctx context.Context, token, code string) (session string, p concert.Person, err error) {
	e, err := s.EnterFrom(ctx, Caller{}, token, code)
	return e.Session, e.Person, err
}

// EnterFrom logs in with a one-time link, and with its code where it took two
// administrators. A link works once; five wrong codes end it. Which half was
// wrong is not told. A person without a password is asked to set one.
func (s *Service) EnterFrom(ctx context.Context, c Caller, token, code string) (Entered, error) {
	link, err := identity.DigestOf(identity.OneTimeToken, token)
	if err != nil {
		return Entered{}, errLogin
	}
	code, whole := identity.ParseEntryCode(code)
	var out Entered
	entered := false
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		out, entered = Entered{}, false
		var p concert.Person
		ref, want, who, err := tx.Entry(ctx, link, time.Now())
		switch {
		case errors.Is(err, concert.ErrNotFound):
			p, entered, err = s.enterAlone(ctx, tx, link)
		case err == nil && whole:
			p = who
			entered, err = s.enterBoth(ctx, tx, ref, who, want, s.DB.Keys.EntryDigest(link, code))
		}
		if err != nil || !entered {
			return err
		}
		out, err = s.openSession(ctx, tx, p, c, "link", false)
		return err
	})
	if err == nil && !entered {
		err = errLogin
	}
	if err != nil {
		return Entered{}, err
	}
	return out, nil
}

// enterAlone takes a link that needs no code: of a provider's people, and of
// the first two administrators.
func (s *Service) enterAlone(ctx context.Context, tx *store.Tx, link [32]byte) (concert.Person, bool, error) {
	now := time.Now()
	p, err := tx.LinkBearer(ctx, link, now)
	if errors.Is(err, concert.ErrNotFound) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	if concert.TakesTwo(p.Roles) {
		// An older node beside this one makes links without a second half.
		if name, err := tx.CredentialName(ctx, link); err != nil || name != firstLink {
			return p, false, err
		}
	}
	used, err := tx.UseLink(ctx, link, now)
	return p, used, err
}

// enterBoth compares a code; the try is counted, and stays so, whatever comes
// of it.
func (s *Service) enterBoth(ctx context.Context, tx *store.Tx, ref string, p concert.Person, want, got [32]byte) (bool, error) {
	tries, err := tx.TryEntry(ctx, ref)
	if err != nil || tries == 0 {
		return false, err
	}
	right := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	if !right && tries < store.EntryTries {
		return false, nil
	}
	closed, err := tx.CloseEntry(ctx, ref, time.Now())
	if err != nil || right {
		return closed, err
	}
	tx.Record(concert.NewEvent(concert.EventKeyRevoked, concert.House, string(p.ID), s.now(), concert.RegisterBody{Ref: p.Operator, Kind: "link", Person: p.ID, Exercise: s.Exercise}))
	return false, nil
}

// Login is LoginFrom by who needs no second step and is nothing known of.
func (s *Service) Login(ctx context.Context, login, password string) (string, error) {
	e, err := s.LoginFrom(ctx, Caller{}, login, password)
	return e.Session, err
}

// LoginFrom logs in with a password. A name that is unknown costs the same work,
// is counted the same way and gets the same words as a wrong password.
func (s *Service) LoginFrom(ctx context.Context, c Caller, login, password string) (Entered, error) {
	var p concert.Person
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		p, err = tx.PersonByLogin(ctx, login)
		return err
	})
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		return Entered{}, err
	}
	account := identity.Account(login)
	if err == nil {
		account = string(p.ID)
	}
	try := s.tryAt(account, "password", c)
	if err := s.countTry(ctx, try, errLogin); err != nil {
		return Entered{}, err
	}
	stored := p.Password
	if !p.InForce() {
		stored = ""
	}
	// Hashing happens outside the transaction, and for nobody's password too.
	ok, rehash, err := s.Hasher.Verify(ctx, stored, password)
	if err != nil {
		return Entered{}, err
	}
	if !ok {
		return Entered{}, errLogin
	}
	fresh := ""
	if rehash {
		if fresh, err = s.Hasher.Hash(ctx, password); err != nil {
			return Entered{}, err
		}
	}
	var out Entered
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, p.ID)
		if err != nil {
			return err
		}
		// It may have been disabled, or its password reset, while we hashed.
		if !p.InForce() || p.Password != stored {
			return errLogin
		}
		if fresh != "" {
			p.Password = fresh
			if err := tx.SavePerson(ctx, p); err != nil {
				return err
			}
		}
		if err := tx.ForgetTry(ctx, try); err != nil {
			return err
		}
		out, err = s.openSession(ctx, tx, p, c, "password", false)
		return err
	})
	return out, err
}

// tryAt names the count that a try falls into: of a device that logged in to the
// account before, else of the account from its network. Whoever guesses from
// elsewhere so never slows the owner.
func (s *Service) tryAt(account, what string, c Caller) [32]byte {
	if name, ok := s.DB.Keys.Device(account, c.Device, time.Now()); ok {
		return s.DB.Keys.TryDigest(what, "device", account, name)
	}
	return s.DB.Keys.TryDigest(what, "network", account, c.Network)
}

// countTry counts a try as failed before it is looked at, and refuses it while
// the last ones in a row ask for patience: longer each time, never for good.
func (s *Service) countTry(ctx context.Context, try [32]byte, refusal error) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		failed, last, err := tx.LoginTry(ctx, try)
		if err != nil {
			return err
		}
		if identity.LoginWait(failed, last, now) > 0 {
			return refusal
		}
		if now.Sub(last) >= triesTerm && failed > 0 {
			if err := tx.ForgetTry(ctx, try); err != nil {
				return err
			}
			failed = 0
		}
		if counted, err := tx.CountTry(ctx, try, failed, now); err != nil || !counted {
			return cmp.Or(err, refusal)
		}
		return nil
	})
}

const (
	triesTerm = 24 * time.Hour // that failed log-ins are remembered
	triesMost = 100_000        // counts kept; the oldest go
)

// forgetSessions drops what ended by itself.
func (s *Service) forgetSessions(ctx context.Context) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		return tx.ForgetSessions(ctx, now, now.Add(-triesTerm), triesMost)
	})
}

// Logout ends a session.
func (s *Service) Logout(ctx context.Context, session string) error {
	digest, err := identity.DigestOf(identity.SessionToken, session)
	if err != nil {
		return nil
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.DropCredential(ctx, digest) })
}
