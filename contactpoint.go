package concert

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// ContactPurpose is what a contact point is for.
type ContactPurpose string

// The purposes.
const (
	ForReferrals ContactPurpose = "referrals"
	ForUrgent    ContactPurpose = "urgent"    // threats to life, at any hour
	ForQuestions ContactPurpose = "questions" // people who answer questions; no notice goes there
	ForOrders    ContactPurpose = "orders"    // removal orders: the contact point of Regulation (EU) 2021/784 Art. 15
	ForBoth      ContactPurpose = "both"      // referrals and orders, each in messages of their own
)

// ContactPurposes lists them.
var ContactPurposes = []ContactPurpose{ForReferrals, ForUrgent, ForQuestions, ForOrders, ForBoth}

// Orders reports whether removal orders go there.
func (p ContactPurpose) Orders() bool { return p == ForOrders || p == ForBoth }

// Layer is who the contact speaks for, from the page to the network: the answers
// of two layers are not interchangeable (host and registrar can do different
// things).
type Layer string

// The layers, from the least intrusive up.
const (
	LayerPlatform       Layer = "platform"
	LayerSiteOwner      Layer = "site_owner"
	LayerHost           Layer = "host"
	LayerReseller       Layer = "reseller"
	LayerCDN            Layer = "cdn"
	LayerRegistrar      Layer = "registrar"
	LayerRegistry       Layer = "registry"
	LayerUpstream       Layer = "upstream"
	LayerAppStore       Layer = "app_store"
	LayerExtensionStore Layer = "extension_store"
	LayerMailService    Layer = "mail_service"
)

// Layers lists them.
var Layers = []Layer{LayerPlatform, LayerSiteOwner, LayerHost, LayerReseller, LayerCDN, LayerRegistrar, LayerRegistry, LayerUpstream, LayerAppStore, LayerExtensionStore, LayerMailService}

// MailForm is how a contact point takes its mail.
type MailForm string

// The forms.
const (
	MailSingle MailForm = "single" // one report a message
	MailDigest MailForm = "digest" // what is due in one signed message with a CSV
)

// ChannelMail reaches a contact point by mail.
const ChannelMail ChannelKind = "mail"

// DigestItems is the most items that one digest carries.
const DigestItems = 100

// ContactPoint is one address at which a provider is reached, for one purpose and
// on its own terms (G12). A provider's own fields (Provider.Channel and beside)
// are its first way and what is left when no contact point reaches it.
type ContactPoint struct {
	ID           ContactPointID
	Ref          string
	Provider     ProviderID
	Purpose      ContactPurpose
	Layer        Layer
	Channel      ChannelKind
	Address      string   // a mail address, or the https address of a webhook; "" where it pulls
	Languages    []string // that its people read, the preferred first
	Zone         string   // IANA time zone of its people
	QuietFrom    int      // minutes after local midnight; QuietFrom == QuietTo means never quiet
	QuietTo      int
	PerHour      int      // items an hour; 0 means no bound
	Messages     int      // messages an hour; 0 means no bound
	Form         MailForm // "" where it is not mail
	HourStart    time.Time
	HourItems    int // sent in that hour
	HourMessages int
	SuccessAt    time.Time // when something last reached it
	TroubleAt    time.Time // when something last did not
	Trouble      string    // the code of that trouble: an enhanced status (RFC 3463) or a word of ours
	Bounces      int       // since it was last restored
	DemotedAt    time.Time // it bounced: nothing goes there until a person restores it
	RetiredAt    time.Time
	Exercise     bool
	CreatedAt    time.Time
	Version      int64
}

// Seat is where a provider is established, and who represents it in the Union
// (Regulation (EU) 2021/784 Art. 17): what decides who is competent, not where
// its addresses are.
type Seat struct {
	Establishment  string // ISO 3166-1 alpha-2; "" while unknown
	Representative string // name and place of the legal representative; "" for none
}

// Check refuses a seat that cannot stand in the register.
func (s Seat) Check() error {
	if s.Establishment != "" && !IsCountry(s.Establishment) {
		return Refuse(Invalid, "provider.establishment", "establishment", "the establishment is a country of two capital letters (ISO 3166-1): got %q", s.Establishment)
	}
	if len(s.Representative) > 400 {
		return Refuse(TooLarge, "provider.representative", "representative", "the legal representative has at most 400 characters")
	}
	return nil
}

// IsCountry reports whether the text can be a country's code, ISO 3166-1 alpha-2.
func IsCountry(c string) bool {
	return len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z'
}

// Check refuses a contact point that could not be reached.
func (c ContactPoint) Check() error {
	switch {
	case !slices.Contains(ContactPurposes, c.Purpose):
		return Refuse(Invalid, "contact.purpose", "purpose", "%q is no purpose; the purposes are %v", c.Purpose, ContactPurposes)
	case !slices.Contains(Layers, c.Layer):
		return Refuse(Invalid, "contact.layer", "layer", "%q is no layer; the layers are %v", c.Layer, Layers)
	case c.QuietFrom < 0 || c.QuietFrom >= 1440 || c.QuietTo < 0 || c.QuietTo >= 1440:
		return Refuse(Invalid, "contact.quiet", "quiet_from", "quiet hours are times of day, 00:00 to 23:59 (over the API minutes after local midnight, 0 to 1439)")
	case c.PerHour < 0 || c.Messages < 0:
		return Refuse(Invalid, "contact.per_hour", "per_hour", "items and messages an hour are counts, 0 for no bound: write a count")
	case len(c.Languages) > 20:
		return Refuse(TooLarge, "contact.languages", "languages", "a contact point names at most 20 languages")
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return Refuse(Invalid, "contact.zone", "zone", "%q is no IANA time zone (for example Europe/Dublin): write its name", c.Zone)
	}
	return c.checkWay()
}

func (c ContactPoint) checkWay() error {
	switch c.Channel {
	case ChannelMail:
		if !PlainMailbox(c.Address) {
			return Refuse(Invalid, "contact.address", "address", "a mail address is written like abuse@example.net, without a name: got %q", c.Address)
		}
		if c.Form != MailSingle && c.Form != MailDigest {
			return Refuse(Invalid, "contact.form", "form", "mail goes out as %q (one report a message) or %q (what is due in one): got %q", MailSingle, MailDigest, c.Form)
		}
		return nil
	case ChannelWebhook:
		u, err := url.Parse(c.Address)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			return Refuse(Invalid, "contact.address", "address", "a webhook address is https, with a host and without credentials")
		}
	case ChannelPull:
		if c.Address != "" {
			return Refuse(Invalid, "contact.address", "address", "a contact point that pulls its inbox has no address: leave it empty")
		}
	default:
		return Refuse(Invalid, "contact.channel", "channel", "channel is %q, %q or %q: got %q", ChannelWebhook, ChannelPull, ChannelMail, c.Channel)
	}
	if c.Form != "" {
		return Refuse(Invalid, "contact.form", "form", "only a contact point reached by mail has a mail form")
	}
	return nil
}

// PlainMailbox reports whether the text is one mail address and nothing else,
// safe to stand in an SMTP command and a header: printable ASCII, no name, no
// quotes, no comment.
func PlainMailbox(s string) bool {
	if len(s) == 0 || len(s) > 254 || strings.ContainsAny(s, "\"<>()[]\\,;: ") {
		return false
	}
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return false
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s {
		return false
	}
	_, host, _ := strings.Cut(s, "@")
	return strings.Contains(host, ".")
}

// Live reports whether notices may go there.
func (c ContactPoint) Live() bool { return c.DemotedAt.IsZero() && c.RetiredAt.IsZero() }

// WayTo is the contact point that a notice takes: the first live one for its
// purpose in the order of registration, an urgent one falling back on that for
// referrals. ok is false where none is left: then the provider's own fields are.
// One that pulls is no way of pushing.
func WayTo(points []ContactPoint, urgent bool) (c ContactPoint, ok bool) {
	purposes := []ContactPurpose{ForReferrals}
	if urgent {
		purposes = []ContactPurpose{ForUrgent, ForReferrals}
	}
	for _, p := range purposes {
		for _, c := range points {
			if (c.Purpose == p || p == ForReferrals && c.Purpose == ForBoth) && c.Live() && c.Channel != ChannelPull {
				return c, true
			}
		}
	}
	return ContactPoint{}, false
}

// Hour is the contact point with its count begun anew where another hour has
// come. One that another node's clock began a little ahead stands.
func (c ContactPoint) Hour(now time.Time) ContactPoint {
	if hour := now.Truncate(time.Hour); hour.After(c.HourStart) || c.HourStart.Sub(hour) > 2*time.Hour {
		c.HourStart, c.HourItems, c.HourMessages = hour, 0, 0
	}
	return c
}

// Takes reports whether one more message with so many items goes within the
// hour. An empty hour takes at least one message, however many items it has: a
// bound smaller than a referral would keep it back for ever.
func (c ContactPoint) Takes(items int) bool {
	if c.Messages > 0 && c.HourMessages >= c.Messages {
		return false
	}
	return c.PerHour == 0 || c.HourItems == 0 || c.HourItems+items <= c.PerHour
}

// Added registers the contact point.
func (c ContactPoint) Added(by Actor, now time.Time) (ContactPoint, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return c, Event{}, err
	}
	if c.Zone == "" {
		c.Zone = "UTC"
	}
	if err := c.Check(); err != nil {
		return c, Event{}, err
	}
	c.CreatedAt = now
	return c, NewEvent(EventContactAdded, by, string(c.ID), now, c.body("")), nil
}

// Demoted takes a contact point out of use because of what came back from it.
// One that is out of use already only counts.
func (c ContactPoint) Demoted(code string, now time.Time) (ContactPoint, Event, bool) {
	c.Trouble, c.TroubleAt = code, now
	c.Bounces++
	if !c.DemotedAt.IsZero() {
		return c, Event{}, false
	}
	c.DemotedAt = now
	return c, NewEvent(EventContactDemoted, House, string(c.ID), now, c.body(code)), true
}

// Restored puts a demoted contact point back into use.
func (c ContactPoint) Restored(by Actor, now time.Time) (ContactPoint, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return c, Event{}, err
	}
	if !c.RetiredAt.IsZero() {
		return c, Event{}, Refuse(Conflict, "contact.retired", "", "contact point %s is retired: register it again instead", c.Ref)
	}
	if c.DemotedAt.IsZero() {
		return c, Event{}, Refuse(Conflict, "contact.not_demoted", "", "contact point %s is in use: there is nothing to restore", c.Ref)
	}
	c.DemotedAt, c.Bounces = time.Time{}, 0
	return c, NewEvent(EventContactRestored, by, string(c.ID), now, c.body("")), nil
}

// Retired takes a contact point out of use for good.
func (c ContactPoint) Retired(by Actor, now time.Time) (ContactPoint, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return c, Event{}, err
	}
	if !c.RetiredAt.IsZero() {
		return c, Event{}, Refuse(Conflict, "contact.retired", "", "contact point %s is retired already", c.Ref)
	}
	c.RetiredAt = now
	return c, NewEvent(EventContactRetired, by, string(c.ID), now, c.body("")), nil
}

// ContactBody is the body of events on contact points.
type ContactBody struct {
	Ref      string         `json:"ref"`
	Provider ProviderID     `json:"provider"`
	Purpose  ContactPurpose `json:"purpose"`
	Channel  ChannelKind    `json:"channel"`
	Code     string         `json:"code,omitempty"` // of the trouble
	Exercise bool           `json:"exercise,omitempty"`
}

func (c ContactPoint) body(code string) ContactBody {
	return ContactBody{Ref: c.Ref, Provider: c.Provider, Purpose: c.Purpose, Channel: c.Channel, Code: code, Exercise: c.Exercise}
}

// Bounced is the alarm about a contact point that was demoted.
func (c ContactPoint) Bounced(now time.Time) Alarm {
	return Alarm{Kind: AlarmBounced, Contact: c.ID, Met: c.Bounces, At: now}
}

// State is the contact point's state in a word: "in use", "bounced" or "retired".
func (c ContactPoint) State() string {
	switch {
	case !c.RetiredAt.IsZero():
		return "retired"
	case !c.DemotedAt.IsZero():
		return "bounced"
	}
	return "in use"
}
