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

// proven refuses a guarded act without its proof.
func proven(by concert.Actor, act concert.Power) error { return by.Proven(act, time.Now()) }

var (
	errCode = &concert.Error{Kind: concert.Invalid, Code: "factor.code", Field: "code",
		Message: "this code is wrong or was used before: wait for the next one and check the telephone's clock, or use a recovery code; after several wrong ones you have to wait a while"}
	errPasskey = &concert.Error{Kind: concert.Invalid, Code: "factor.passkey", Field: "passkey", Message: "this passkey was not recognised: use the one that you registered here, or try again"}
	errNoHere  = &concert.Error{Kind: concert.Invalid, Code: "factor.no_passkeys", Message: "this address cannot have passkeys: they need a host name over https; use one-time codes"}
)

// Factors are somebody's own second factors, in force, and how many recovery
// codes are left.
func (s *Service) Factors(ctx context.Context, by concert.Actor) (factors []concert.Factor, codes int, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		kept, err := tx.Factors(ctx, by.Person)
		if err != nil {
			return err
		}
		factors = nil
		for _, f := range kept {
			if f.InForce() {
				factors = append(factors, f.Factor)
			}
		}
		codes, err = tx.RecoveryCodesLeft(ctx, by.Person)
		return err
	})
	return factors, codes, err
}

func plainFactors(kept []store.KeptFactor) []concert.Factor {
	out := make([]concert.Factor, len(kept))
	for i, f := range kept {
		out[i] = f.Factor
	}
	return out
}

// Setup is what an authenticator app needs, until its first code.
type Setup struct {
	Name string
	Text string // the secret, to be typed
	URL  string // otpauth://…, to be drawn
}

// BeginTOTP makes the secret of one-time codes; they count once ConfirmTOTP got
// the first one.
func (s *Service) BeginTOTP(ctx context.Context, by concert.Actor, name string) (Setup, error) {
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.Factors(ctx, by.Person)
		if err != nil {
			return err
		}
		f, err := concert.FactorAdded(by, plainFactors(have), concert.Factor{Kind: concert.FactorTOTP, Name: name}, time.Now())
		if err != nil {
			return err
		}
		f.Ref = identity.NewReference("SF")
		if err := tx.AddFactor(ctx, store.KeptFactor{Factor: f, Secret: identity.NewTOTPSecret()}); err != nil {
			return err
		}
		return s.recordFactor(ctx, tx, concert.EventFactorBegun, by.Person, by, f)
	})
	if err != nil {
		return Setup{}, err
	}
	return s.TOTPSetup(ctx, by)
}

func (s *Service) recordFactor(ctx context.Context, tx *store.Tx, kind concert.EventKind, whose concert.PersonID, by concert.Actor, f concert.Factor) error {
	p, err := tx.Person(ctx, whose)
	if err != nil {
		return err
	}
	tx.Record(s.marked(concert.NewEvent(kind, by, string(whose), s.now(), concert.RegisterBody{Ref: p.Operator, Kind: string(f.Kind), Person: whose})))
	return nil
}

// TOTPSetup is what BeginTOTP made, as long as it waits for its first code.
func (s *Service) TOTPSetup(ctx context.Context, by concert.Actor) (Setup, error) {
	var out Setup
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		f, err := waitingTOTP(ctx, tx, by.Person)
		if err != nil {
			return err
		}
		p, err := tx.Person(ctx, by.Person)
		if err != nil {
			return err
		}
		issuer := "Concert"
		if s.Exercise {
			issuer = "Concert EXERCISE"
		}
		out = Setup{Name: f.Name, Text: identity.TOTPText(f.Secret), URL: identity.TOTPURL(issuer, p.Login, f.Secret)}
		return nil
	})
	return out, err
}

func waitingTOTP(ctx context.Context, tx *store.Tx, p concert.PersonID) (store.KeptFactor, error) {
	have, err := tx.Factors(ctx, p)
	for _, f := range have {
		if !f.InForce() && f.Kind == concert.FactorTOTP {
			return f, err
		}
	}
	if err == nil {
		err = concert.Refuse(concert.Conflict, "factor.not_waiting", "", "no one-time codes wait for their first code: begin again under your account")
	}
	return store.KeptFactor{}, err
}

// ConfirmTOTP takes the first code: from now on the factor counts, and this
// session has proven it. With somebody's first factor come recovery codes, shown
// once.
func (s *Service) ConfirmTOTP(ctx context.Context, by concert.Actor, code string) (recovery []string, err error) {
	if err := s.countTry(ctx, s.secondTry(by.Person, Caller{}), errCode); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		f, err := waitingTOTP(ctx, tx, by.Person)
		if err != nil {
			return err
		}
		step, ok := identity.CheckTOTP(f.Secret, code, f.Step, now)
		if !ok {
			return errCode
		}
		if used, err := tx.UseTOTP(ctx, f.Ref, step, now); err != nil || !used {
			return cmp.Or(err, error(errCode))
		}
		recovery, err = s.enrolled(ctx, tx, by, f.Factor, now)
		return err
	})
	return recovery, err
}

// enrolled is what comes with a factor that counts now.
func (s *Service) enrolled(ctx context.Context, tx *store.Tx, by concert.Actor, f concert.Factor, now time.Time) ([]string, error) {
	if err := s.recordFactor(ctx, tx, concert.EventFactorAdded, by.Person, by, f); err != nil {
		return nil, err
	}
	if err := tx.ForgetTry(ctx, s.secondTry(by.Person, Caller{})); err != nil {
		return nil, err
	}
	if by.Way.Kind == concert.WaySession {
		if err := tx.ProveSession(ctx, by.Way.Digest, now); err != nil {
			return nil, err
		}
	}
	left, err := tx.RecoveryCodesLeft(ctx, by.Person)
	if err != nil || left > 0 {
		return nil, err
	}
	return s.recoveryCodes(ctx, tx, by, now)
}

func (s *Service) recoveryCodes(ctx context.Context, tx *store.Tx, by concert.Actor, now time.Time) ([]string, error) {
	codes, digests := make([]string, concert.RecoveryCodes), make([][32]byte, concert.RecoveryCodes)
	for i := range codes {
		codes[i] = identity.NewRecoveryCode()
		digests[i] = s.DB.Keys.RecoveryDigest(string(by.Person), codes[i])
	}
	if err := tx.SetRecoveryCodes(ctx, by.Person, digests, now); err != nil {
		return nil, err
	}
	return codes, s.recordFactor(ctx, tx, concert.EventRecoveryCodesMade, by.Person, by, concert.Factor{})
}

// NewRecoveryCodes makes ten new recovery codes, shown once; the older ones are
// good no more.
func (s *Service) NewRecoveryCodes(ctx context.Context, by concert.Actor) (codes []string, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		has, err := tx.Enrolled(ctx, by.Person)
		switch {
		case err != nil:
			return err
		case !has:
			return concert.ErrMustEnrol
		case by.Way.Kind != "" && !by.Way.Fresh(now):
			return concert.ErrStepUp
		}
		codes, err = s.recoveryCodes(ctx, tx, by, now)
		return err
	})
	return codes, err
}

// RemoveFactor takes away one of the actor's own factors; with the last one go
// the recovery codes.
func (s *Service) RemoveFactor(ctx context.Context, by concert.Actor, ref string) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, by.Person)
		if err != nil {
			return err
		}
		p.Way = by.Way
		have, err := tx.Factors(ctx, p.ID)
		if err != nil {
			return err
		}
		f, err := concert.FactorRemoved(p, plainFactors(have), ref, time.Now())
		if err != nil {
			return err
		}
		// Two that are removed side by side would leave none: the row clashes.
		if err := tx.SavePerson(ctx, p); err != nil {
			return err
		}
		if err := tx.DropFactor(ctx, f.Ref); err != nil {
			return err
		}
		if left, err := tx.Enrolled(ctx, p.ID); err != nil || !left {
			if err := errors.Join(err, tx.DropFactors(ctx, p.ID)); err != nil {
				return err
			}
		}
		return s.recordFactor(ctx, tx, concert.EventFactorRemoved, p.ID, by, f)
	})
}

// secondTry names the count that a wrong second factor falls into: of a known
// device, else of the person from everywhere, since whoever comes so far has the
// password.
func (s *Service) secondTry(p concert.PersonID, c Caller) [32]byte {
	c.Network = ""
	return s.tryAt(string(p), "second", c)
}

// gave looks at a one-time or recovery code of a person's; each is good once.
func (s *Service) gave(ctx context.Context, tx *store.Tx, p concert.Person, code string, now time.Time) error {
	have, err := tx.Factors(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, f := range have {
		if f.Kind != concert.FactorTOTP || !f.InForce() {
			continue
		}
		if step, ok := identity.CheckTOTP(f.Secret, code, f.Step, now); ok {
			if used, err := tx.UseTOTP(ctx, f.Ref, step, now); err != nil || used {
				return err
			}
		}
	}
	text, ok := identity.ParseRecoveryCode(code)
	if !ok {
		return errCode
	}
	used, err := tx.UseRecoveryCode(ctx, p.ID, s.DB.Keys.RecoveryDigest(string(p.ID), text), now)
	if err != nil || !used {
		return cmp.Or(err, error(errCode))
	}
	return s.recordFactor(ctx, tx, concert.EventRecoveryCodeUsed, p.ID, p.Actor(), concert.Factor{})
}

// proof shows a second factor in a transaction.
type proof func(ctx context.Context, tx *store.Tx, p concert.Person, now time.Time) error

func (s *Service) byCode(code string) proof {
	return func(ctx context.Context, tx *store.Tx, p concert.Person, now time.Time) error {
		return s.gave(ctx, tx, p, code, now)
	}
}

// SecondStep ends a log-in that was half done, with a one-time or recovery code:
// a new session takes the half one's place.
func (s *Service) SecondStep(ctx context.Context, c Caller, half, code string) (Entered, error) {
	return s.secondStep(ctx, c, half, s.byCode(code))
}

// SecondStepByPasskey is SecondStep with the answer to AskPasskey.
func (s *Service) SecondStepByPasskey(ctx context.Context, c Caller, half, token string, answer []byte) (Entered, error) {
	p, err := s.HalfBearer(ctx, half)
	if err != nil {
		return Entered{}, err
	}
	show, err := s.answered(ctx, p.ID, token, answer)
	if err != nil {
		return Entered{}, err
	}
	return s.secondStep(ctx, c, half, show)
}

func (s *Service) secondStep(ctx context.Context, c Caller, half string, show proof) (Entered, error) {
	p, err := s.HalfBearer(ctx, half)
	if err != nil {
		return Entered{}, err
	}
	if !errors.Is(p.Admitted(), concert.ErrSecondStep) {
		return Entered{}, concert.Refuse(concert.Conflict, "factor.not_half", "", "this log-in waits for no second step: go on, or log in again")
	}
	try := s.secondTry(p.ID, c)
	if err := s.countTry(ctx, try, errCode); err != nil {
		return Entered{}, err
	}
	var out Entered
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		if err := show(ctx, tx, p, now); err != nil {
			return err
		}
		if err := tx.ForgetTry(ctx, try); err != nil {
			return err
		}
		if err := tx.DropCredential(ctx, p.Way.Digest); err != nil {
			return err
		}
		var err error
		out, err = s.openSession(ctx, tx, p, c, "second step", true)
		return err
	})
	return out, err
}

// StepUp proves the second factor in the actor's session once more.
func (s *Service) StepUp(ctx context.Context, by concert.Actor, c Caller, code string) error {
	return s.stepUp(ctx, by, c, s.byCode(code))
}

// StepUpByPasskey is StepUp with the answer to AskPasskey.
func (s *Service) StepUpByPasskey(ctx context.Context, by concert.Actor, c Caller, token string, answer []byte) error {
	show, err := s.answered(ctx, by.Person, token, answer)
	if err != nil {
		return err
	}
	return s.stepUp(ctx, by, c, show)
}

func (s *Service) stepUp(ctx context.Context, by concert.Actor, c Caller, show proof) error {
	if by.Way.Kind != concert.WaySession {
		return concert.Refuse(concert.Forbidden, "factor.no_session", "", "only a log-in can step up: a key says at its making what it may do")
	}
	try := s.secondTry(by.Person, c)
	if err := s.countTry(ctx, try, errCode); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		p, err := tx.Person(ctx, by.Person)
		if err != nil {
			return err
		}
		if err := show(ctx, tx, p, now); err != nil {
			return err
		}
		if err := tx.ForgetTry(ctx, try); err != nil {
			return err
		}
		return tx.ProveSession(ctx, by.Way.Digest, now)
	})
}
