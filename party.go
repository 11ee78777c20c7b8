package concert

import (
	"slices"
	"strings"
	"time"
)

// Authority is a referral unit, competent authority, prosecutor, court or
// coordinator: a tenant. Its key signs what it authors (G09).
type Authority struct {
	ID        AuthorityID
	Ref       string
	Name      string
	Country   string // ISO 3166-1 alpha-2
	Kind      AuthorityKind
	Unit      string // short code shown outside with the operator number
	Contact   string // where others reach it, shown beside a hold
	PublicKey []byte // Ed25519, 32 bytes
	SealedKey []byte // its private key under the master key
	Exercise  bool
	CreatedAt time.Time
}

// AuthorityKind is what an authority is.
type AuthorityKind string

// The kinds of authority.
const (
	KindReferralUnit AuthorityKind = "referral_unit"
	KindCompetent    AuthorityKind = "competent_authority"
	KindProsecutor   AuthorityKind = "prosecutor"
	KindCourt        AuthorityKind = "court"
	KindCoordinator  AuthorityKind = "coordinator"
)

// Check refuses an authority that cannot stand in the register.
func (a Authority) Check() error {
	switch {
	case strings.TrimSpace(a.Name) == "":
		return Refuse(Invalid, "authority.name", "name", "an authority needs a name")
	case !IsCountry(a.Country):
		return Refuse(Invalid, "authority.country", "country", "country is two capital letters (ISO 3166-1), or EU: got %q", a.Country)
	case strings.TrimSpace(a.Unit) == "" || len(a.Unit) > 16:
		return Refuse(Invalid, "authority.unit", "unit", "an authority needs a short unit code of at most 16 characters: it is all that providers see of its people, with the operator number")
	case !slices.Contains([]AuthorityKind{KindReferralUnit, KindCompetent, KindProsecutor, KindCourt, KindCoordinator}, a.Kind):
		return Refuse(Invalid, "authority.kind", "kind", "%q is no kind of authority: choose one from the list", a.Kind)
	}
	return nil
}

// Person is someone with an account. Outward only Operator is shown.
type Person struct {
	ID         PersonID
	Operator   string
	Name       string
	Login      string
	Authority  AuthorityID
	Provider   ProviderID
	Roles      []Role
	Password   string // argon2id PHC string, "" until set
	Failed     int    // log-ins failed since the last good one
	FailedAt   time.Time
	DisabledAt time.Time
	CreatedAt  time.Time
	Version    int64
	Waits      bool     // for a second administrator: until then nothing of it works
	Way        Way      // how it came in just now; not kept
	Languages  []string // that it says it reads: base codes, sorted (LanguagesOf)
}

// Actor is the person as an actor.
func (p Person) Actor() Actor {
	return Actor{Person: p.ID, Operator: p.Operator, Authority: p.Authority, Provider: p.Provider, Roles: p.Roles, Way: p.Way, Languages: p.Languages}
}

// Check refuses a person whose roles and place do not fit together.
func (p Person) Check() error {
	if err := RolesOf(p.Roles); err != nil {
		return err
	}
	if strings.TrimSpace(p.Name) == "" || strings.TrimSpace(p.Login) == "" {
		return Refuse(Invalid, "person.name", "login", "a person needs a name and a log-in")
	}
	if strings.HasPrefix(strings.ToUpper(p.Login), "OP-") {
		return Refuse(Invalid, "person.login", "login", "a log-in name does not look like an operator number (OP-…), by which somebody else is known: choose another")
	}
	for _, r := range p.Roles {
		switch r {
		case RoleOfficer, RoleReviewer, RoleCoordinator, RoleIssuer, RoleMagistrate:
			if p.Authority == "" {
				return Refuse(Invalid, "person.no_authority", "authority", "the role %s belongs to an authority: name it", r)
			}
		case RoleProviderReader, RoleProviderAnswerer, RoleProviderAdmin:
			if p.Provider == "" {
				return Refuse(Invalid, "person.no_provider", "provider", "the role %s belongs to a provider: name it", r)
			}
		}
	}
	// A provider's person who also spoke for an authority would read its desk
	// with one administrator's leave.
	if two := TakesTwo(p.Roles); two && p.Provider != "" || !two && p.Authority != "" {
		return Refuse(Invalid, "person.two_sides", "roles", "nobody works for an authority and a provider at once: name the one that the role %s belongs to", p.Roles[0])
	}
	return nil
}

// Provider is an online service: it decides alone, under its own terms.
type Provider struct {
	ID         ProviderID
	Ref        string
	Name       string
	Kind       string // social, messaging, hosting, cdn, registrar, registry, app_store, extension_store, mail
	Country    string // main establishment or legal representative, not where its addresses are
	Languages  []string
	Zone       string // IANA time zone of its moderators
	QuietFrom  int    // minutes after local midnight; QuietFrom == QuietTo means never quiet
	QuietTo    int
	PerHour    int // items an hour it agreed to take; 0 means no bound
	Channel    ChannelKind
	WebhookURL string
	WebhookKey string // whpk_… or "" : the public half that verifies what we send
	SealedKeys []byte // signing secrets under the master key
	Platforms  []string
	Contact    string
	DisabledAt time.Time // its endpoint said 410
	HourStart  time.Time // the hour the count below belongs to
	HourCount  int       // items sent in that hour
	Exercise   bool
	CreatedAt  time.Time
	Version    int64
}

// ChannelKind is how a provider is reached.
type ChannelKind string

// The channels.
const (
	ChannelWebhook ChannelKind = "webhook" // we push a thin signed notice
	ChannelPull    ChannelKind = "pull"    // it polls its inbox
)

// Check refuses a provider that could not be reached.
func (p Provider) Check() error {
	switch {
	case strings.TrimSpace(p.Name) == "":
		return Refuse(Invalid, "provider.name", "name", "a provider needs a name")
	case p.Channel != ChannelWebhook && p.Channel != ChannelPull:
		return Refuse(Invalid, "provider.channel", "channel", "channel is %q or %q: got %q", ChannelWebhook, ChannelPull, p.Channel)
	case p.Channel == ChannelWebhook && p.WebhookURL == "":
		return Refuse(Invalid, "provider.webhook_url", "webhook_url", "a webhook needs its https address")
	case p.QuietFrom < 0 || p.QuietFrom >= 1440 || p.QuietTo < 0 || p.QuietTo >= 1440:
		return Refuse(Invalid, "provider.quiet", "quiet_from", "quiet hours are times of day, 00:00 to 23:59 (over the API minutes after local midnight, 0 to 1439)")
	case p.PerHour < 0:
		return Refuse(Invalid, "provider.per_hour", "per_hour", "capacity is items an hour, 0 for no bound")
	}
	if _, err := time.LoadLocation(p.Zone); err != nil {
		return Refuse(Invalid, "provider.zone", "zone", "%q is no IANA time zone (for example Europe/Dublin): write its name", p.Zone)
	}
	return nil
}
