package webui

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// providerPage is a provider with the ways to reach it and how they go.
type providerPage struct {
	casework.ProviderView
	Admin  bool
	New    concert.ContactPoint // as typed
	Quiet  string
	Typed  concert.Seat
	Errors formErrors
}

var purposeOfContact = map[concert.ContactPurpose]design.Text{concert.ForReferrals: "referrals", concert.ForUrgent: "threats to life, at any hour", concert.ForQuestions: "questions", concert.ForOrders: "removal orders (Art. 15)", concert.ForBoth: "referrals and removal orders"}

var layerTexts = map[concert.Layer]design.Text{
	concert.LayerPlatform: "platform", concert.LayerSiteOwner: "site owner", concert.LayerHost: "host", concert.LayerReseller: "reseller", concert.LayerCDN: "content delivery network", concert.LayerRegistrar: "registrar", concert.LayerRegistry: "registry",
	concert.LayerUpstream: "upstream network", concert.LayerAppStore: "app store", concert.LayerExtensionStore: "extension store", concert.LayerMailService: "mail service",
}

var channelTexts = map[concert.ChannelKind]design.Text{concert.ChannelWebhook: "signed webhook", concert.ChannelPull: "it polls its inbox", concert.ChannelMail: "mail"}

var formTexts = map[concert.MailForm]design.Text{concert.MailSingle: "one report a message", concert.MailDigest: "what is due in one signed digest"}

func contactState(c concert.ContactPoint) state {
	switch c.State() {
	case "retired":
		return state{Mark: "✕", Label: "retired", Tone: "end"}
	case "bounced":
		return state{Mark: "▲", Label: "bounced: nothing goes there until it is restored", Tone: "bad"}
	}
	return state{Mark: "✓", Label: "in use", Tone: "good"}
}

// quietOf is a contact point's quiet hours as people write them, "" for none.
func quietOf(from, to int) string {
	if from == to {
		return ""
	}
	clock := func(m int) string { return two(m/60) + ":" + two(m%60) }
	return clock(from) + "-" + clock(to)
}

func two(n int) string {
	s := strconv.Itoa(n)
	if len(s) < 2 {
		return "0" + s
	}
	return s
}

// readQuiet reads hours such as 22:00-07:00.
func readQuiet(s string) (from, to int, err error) {
	if s == "" {
		return 0, 0, nil
	}
	wrong := concert.Refuse(concert.Invalid, "contact.quiet", "quiet_from", "quiet hours are written like 22:00-07:00")
	a, b, ok := strings.Cut(s, "-")
	var at [2]int
	for i, t := range []string{a, b} {
		h, m, found := strings.Cut(strings.TrimSpace(t), ":")
		hours, err1 := strconv.Atoi(h)
		minutes, err2 := strconv.Atoi(m)
		if !ok || !found || err1 != nil || err2 != nil || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
			return 0, 0, wrong
		}
		at[i] = hours*60 + minutes
	}
	return at[0], at[1], nil
}

// mended are the errors that its sender can put right in the form; who may not
// send it at all is told so, and nothing of what is there.
func mended(err error) (formErrors, error) {
	var e *concert.Error
	if errors.As(err, &e) && e.Kind == concert.Forbidden {
		return nil, err
	}
	return formErrorsOf(err)
}

func isNotFound(err error) bool {
	var e *concert.Error
	return errors.As(err, &e) && e.Kind == concert.NotFound
}

func (u *UI) provider(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showProvider(w, r, v, providerPage{})
}

func (u *UI) showProvider(w http.ResponseWriter, r *http.Request, v *visit, p providerPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.ProviderView, err = u.svc.ReadProvider(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Admin = v.has(concert.RoleAdministrator)
	if len(p.Errors) == 0 {
		p.Typed = p.Seat
	}
	return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: p.Name, body: providerView(p), wide: true})
}

func (u *UI) addContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	number := func(name string) int {
		n, err := strconv.Atoi(field(r, name))
		if err != nil && field(r, name) != "" {
			return -1
		}
		return n
	}
	p := providerPage{Quiet: field(r, "quiet"), New: concert.ContactPoint{Purpose: concert.ContactPurpose(field(r, "purpose")), Layer: concert.Layer(field(r, "layer")), Channel: concert.ChannelKind(field(r, "channel")), Address: field(r, "address"),
		Languages: strings.Fields(strings.ReplaceAll(field(r, "languages"), ",", " ")), Zone: field(r, "zone"), PerHour: number("per_hour"), Messages: number("messages")}}
	if p.New.Channel == concert.ChannelMail {
		p.New.Form = concert.MailForm(field(r, "form"))
	}
	var err error
	if p.New.QuietFrom, p.New.QuietTo, err = readQuiet(p.Quiet); err == nil {
		_, err = u.svc.AddContactPoint(r.Context(), v.actor(), r.PathValue("ref"), p.New)
	}
	if p.Errors, err = mended(err); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return u.showProvider(w, r, v, p)
	}
	return onward(w, r, "/providers/"+r.PathValue("ref"), "contact_added", "")
}

func (u *UI) seatProvider(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := providerPage{Typed: concert.Seat{Establishment: strings.ToUpper(field(r, "establishment")), Representative: field(r, "representative")}}
	err := u.svc.SeatProvider(r.Context(), v.actor(), r.PathValue("ref"), p.Typed)
	if p.Errors, err = mended(err); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return u.showProvider(w, r, v, p)
	}
	return onward(w, r, "/providers/"+r.PathValue("ref"), "seated", "")
}

func (u *UI) restoreContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := u.svc.RestoreContact(r.Context(), v.actor(), r.PathValue("ref"))
	if err != nil {
		return err
	}
	return onward(w, r, "/providers/"+string(c.Provider), "contact_restored", c.Ref)
}

func (u *UI) retireContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := u.svc.RetireContact(r.Context(), v.actor(), r.PathValue("ref"))
	if err != nil {
		return err
	}
	return onward(w, r, "/providers/"+string(c.Provider), "contact_retired", c.Ref)
}

func (u *UI) revokeLinks(w http.ResponseWriter, r *http.Request, v *visit) error {
	if _, err := u.svc.RevokeLinks(r.Context(), v.actor(), r.PathValue("ref")); err != nil {
		return err
	}
	return onward(w, r, "/referrals/"+r.PathValue("ref"), "links_ended", "")
}
