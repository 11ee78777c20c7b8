package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Power is an act that needs more than a session: a second factor proven a
// moment ago, or a key that was made for it (OWASP ASVS 2.8, 4.3).
type Power string

// The powers.
const (
	PowerApprove    Power = "approve"    // decide that an item may be referred
	PowerExport     Power = "export"     // take items, or the whole log, out of the house
	PowerErase      Power = "erase"      // ask for an erasure, or confirm it
	PowerRelease    Power = "release"    // let dispatch or a hold go, or pass a hold
	PowerKeys       Power = "keys"       // make an API key
	PowerIssue      Power = "issue"      // approve and issue a removal order
	PowerAdminister Power = "administer" // confirm what another administrator proposed
)

// KeyPowers are the guarded acts that an API key may be made for. A key makes no
// key.
var KeyPowers = []Power{PowerApprove, PowerExport, PowerErase, PowerRelease, PowerIssue, PowerAdminister}

// ScopesOf checks what a key is to be made for: known, and each once, in
// KeyPowers' order.
func ScopesOf(scopes []Power) ([]Power, error) {
	for _, s := range scopes {
		if !slices.Contains(KeyPowers, s) {
			return nil, Refuse(Invalid, "key.scope_unknown", "scopes", "%q is nothing that a key can be made for; there are %v", s, KeyPowers)
		}
	}
	var out []Power
	for _, s := range KeyPowers {
		if slices.Contains(scopes, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

// FactorPolicy is who must have a second factor; the zero value is the strict
// one.
type FactorPolicy string

// The policies.
const (
	FactorRequired FactorPolicy = "required" // guarded acts need one, and whoever approves, exports or administers enrols one first
	FactorOffered  FactorPolicy = "offered"  // only those who have one are asked for it: for an exercise
)

const (
	// FactorTerm is how long a proof of the second factor is fresh.
	FactorTerm = 15 * time.Minute
	// SessionTerm is how long a session lasts at most.
	SessionTerm = 12 * time.Hour
	// SessionIdle is how long a session lasts without a request.
	SessionIdle = 60 * time.Minute
	// PasskeysMost bounds a person's passkeys.
	PasskeysMost = 10
	// RecoveryCodes is how many are made at once.
	RecoveryCodes = 10
	// factorNameMost bounds a factor's name, in characters.
	factorNameMost = 40
)

// WayKind is what somebody shows at a door.
type WayKind string

// The kinds of way.
const (
	WaySession WayKind = "session" // a log-in
	WayKey     WayKind = "key"     // an API key, of a program
)

// Way is how an actor came in. The zero value came through no door: the clocks,
// and whoever runs the machine.
type Way struct {
	Kind     WayKind
	Digest   [32]byte     // of the session or key
	Enrolled bool         // the person has a second factor
	ProvenAt time.Time    // wall time at which this session proved it last, zero for never
	Scopes   []Power      // what the key was made for
	Policy   FactorPolicy // the deployment's
}

// Fresh reports whether the second factor was proven at most FactorTerm before
// wall time now.
func (w Way) Fresh(now time.Time) bool {
	return !w.ProvenAt.IsZero() && now.Sub(w.ProvenAt) <= FactorTerm
}

// ErrStepUp says that a guarded act needs a fresh proof (RFC 9470).
var ErrStepUp = &Error{Kind: Forbidden, Code: "factor.stale",
	Message: "this needs your second factor, given at most 15 minutes ago: confirm with a one-time code or a passkey, and repeat it"}

// ErrSecondStep says that a log-in is half done.
var ErrSecondStep = &Error{Kind: Forbidden, Code: "factor.second_step",
	Message: "this log-in is half done: give a one-time code, or use a passkey"}

// ErrMustEnrol says that somebody has no second factor and needs one.
var ErrMustEnrol = &Error{Kind: Forbidden, Code: "factor.missing",
	Message: "this needs a second factor, and you have none yet: set one up under your account (/account/factors), then repeat it"}

// Proven refuses a guarded act whose actor did not prove its second factor a
// moment ago, or came with a key that was not made for it.
func (a Actor) Proven(g Power, now time.Time) error {
	switch w := a.Way; {
	case w.Kind == "":
		return nil
	case w.Kind == WayKey && slices.Contains(w.Scopes, g):
		return nil
	case w.Kind == WayKey:
		return Refuse(Forbidden, "key.scope", "", "this key was not made to %s: make another one that says so (scopes), with your second factor", g)
	case w.Fresh(now):
		return nil
	case w.Enrolled:
		return ErrStepUp
	case w.Policy == FactorOffered:
		return nil
	}
	return ErrMustEnrol
}

// Admitted refuses a session that may not go on yet: its person has a second
// factor and has not given it, or must have one and has none. Only enrolment
// and the second step itself are open to it.
func (p Person) Admitted() error {
	switch w := p.Way; {
	case w.Kind != WaySession:
		return nil
	case w.Enrolled && w.ProvenAt.IsZero():
		return ErrSecondStep
	case !w.Enrolled && w.Policy != FactorOffered && NeedsFactor(p.Roles):
		return ErrMustEnrol
	}
	return nil
}

// NeedsFactor reports whether people with these roles enrol a second factor
// before anything else: they approve, export or administer.
func NeedsFactor(roles []Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool {
		return r == RoleReviewer || r == RoleCoordinator || r == RoleAuditor || r == RoleAdministrator || r == RoleMagistrate
	})
}

// FactorKind is what a second factor is.
type FactorKind string

// The kinds of factor.
const (
	FactorTOTP    FactorKind = "totp"    // one-time codes of an authenticator app (RFC 6238)
	FactorPasskey FactorKind = "passkey" // a WebAuthn credential
)

// Factor is a second factor of a person's; its secret stands beside it, sealed.
type Factor struct {
	Ref         string // SF-…
	Person      PersonID
	Kind        FactorKind
	Name        string // by which its owner knows it
	CreatedAt   time.Time
	ConfirmedAt time.Time // zero until its first code; a passkey's is its making
	UsedAt      time.Time
}

// InForce reports whether the factor counts.
func (f Factor) InForce() bool { return !f.ConfirmedAt.IsZero() }

// FactorName checks the name of a factor.
func FactorName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > factorNameMost {
		return "", Refuse(Invalid, "factor.name", "name", "a factor has a name of at most %d characters, by which you know it again: for example the telephone's", factorNameMost)
	}
	return name, nil
}

// FactorAdded is one factor more beside those that somebody has. Whoever has one
// already gives it first, so that an open screen alone adds none.
func FactorAdded(by Actor, have []Factor, f Factor, now time.Time) (Factor, error) {
	passkeys, enrolled := 0, false
	for _, o := range have {
		enrolled = enrolled || o.InForce()
		if o.Kind == FactorPasskey {
			passkeys++
		}
		if o.Kind == FactorTOTP && f.Kind == FactorTOTP && o.InForce() {
			return f, Refuse(Conflict, "factor.exists", "", "you have one-time codes already: remove them first if the telephone changes")
		}
	}
	if passkeys >= PasskeysMost && f.Kind == FactorPasskey {
		return f, Refuse(Conflict, "factor.too_many", "", "you have %d passkeys: remove those that you use no more", passkeys)
	}
	if enrolled && by.Way.Kind != "" && !by.Way.Fresh(now) {
		return f, ErrStepUp
	}
	var err error
	f.Name, err = FactorName(f.Name)
	f.Person, f.CreatedAt = by.Person, now
	return f, err
}

// FactorRemoved takes a factor away. The last one of somebody who must have one
// stays: a person changes telephones by adding the new one first.
func FactorRemoved(by Person, have []Factor, ref string, now time.Time) (Factor, error) {
	var f Factor
	left := 0
	for _, o := range have {
		switch {
		case o.Ref == ref:
			f = o
		case o.InForce():
			left++
		}
	}
	switch {
	case f.Ref == "":
		return f, ErrNotFound
	case !f.InForce():
		return f, nil
	case by.Way.Kind != "" && !by.Way.Fresh(now):
		return f, ErrStepUp
	case left == 0 && by.Way.Policy != FactorOffered && NeedsFactor(by.Roles):
		return f, Refuse(Conflict, "factor.last", "", "this is your last second factor, and your role needs one: add another one first")
	}
	return f, nil
}

// FactorReset is the first half of taking somebody's lost factors away: it takes
// two administrators whoever it concerns, ends the password as well, and gives
// a new way in, by link and code as on the first day.
func (p Person) FactorReset(by Actor, now time.Time) (Proposal, Event, error) {
	var q Proposal
	if err := by.Need(RoleAdministrator); err != nil {
		return q, Event{}, err
	}
	if err := p.standing(); err != nil {
		return q, Event{}, err
	}
	q = p.proposed(by, ProposedLink, now)
	q.Resets = true
	return q, NewEvent(EventFactorResetProposed, by, string(p.ID), now, q.body(p)), nil
}
