package webui

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/design"
)

// registerRoutes are the forms that put somebody into a register.
func (u *UI) registerRoutes() []route {
	return []route{
		{"POST /authorities", u.serve(person, u.addAuthority)},
		{"POST /providers", u.serve(person, u.addProvider)},
		{"POST /outlets", u.serve(person, u.addOutlet)},
	}
}

// registerPage is a register with a form that adds to it, where the reader may.
type registerPage struct {
	Sheet  design.Sheet
	MayAdd bool
	Form   entered
	Kinds  []choice
}

// The kinds of authorities and of providers, in the order of the forms.
var (
	authorityOrder = []concert.AuthorityKind{concert.KindReferralUnit, concert.KindCompetent, concert.KindProsecutor, concert.KindCourt, concert.KindCoordinator}
	providerOrder  = []string{"social", "messaging", "hosting", "cdn", "registrar", "registry", "app_store", "extension_store", "mail"}
	providerKinds  = map[string]design.Text{"social": "social network", "messaging": "messenger", "hosting": "hosting service", "cdn": "content delivery network", "registrar": "domain registrar",
		"registry": "domain registry", "app_store": "app store", "extension_store": "store of browser extensions", "mail": "mail or newsletter service"}
)

// fields of the forms, by form: what a refusal may name.
var registerFields = map[string][]string{
	"authority": {"name", "country", "kind", "unit", "contact"},
	"provider":  {"name", "kind", "country", "platforms", "languages", "zone", "quiet_from", "quiet_to", "per_hour", "channel", "webhook_url", "contact"},
	"outlet":    {"name", "aliases", "marks", "sites", "parent"},
}

// providerKind is what a provider is called; one that was registered with another
// word keeps it.
func providerKind(ctx context.Context, kind string) string {
	if t, ok := providerKinds[kind]; ok {
		return say(ctx, t)
	}
	return kind
}

func (u *UI) addAuthority(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, err := u.svc.AddAuthority(r.Context(), v.actor(), concert.Authority{Name: field(r, "name"), Country: strings.ToUpper(field(r, "country")), Kind: concert.AuthorityKind(field(r, "kind")),
		Unit: field(r, "unit"), Contact: field(r, "contact")})
	if err != nil {
		f, err := refusedForm(r, "authority", err, registerFields["authority"]...)
		if err != nil {
			return err
		}
		return u.showAuthorities(w, r, v, f)
	}
	return onward(w, r, "/authorities", "registered", a.Ref)
}

func (u *UI) addProvider(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := concert.Provider{Name: field(r, "name"), Kind: field(r, "kind"), Country: strings.ToUpper(field(r, "country")), Platforms: references(field(r, "platforms")), Languages: references(field(r, "languages")),
		Zone: field(r, "zone"), Channel: concert.ChannelKind(field(r, "channel")), WebhookURL: field(r, "webhook_url"), Contact: field(r, "contact"),
		QuietFrom: minutesField(r, "quiet_from"), QuietTo: minutesField(r, "quiet_to")}
	// What is no number is refused by the rule, as less than none.
	p.PerHour = -1
	if n, err := strconv.Atoi("0" + field(r, "per_hour")); err == nil {
		p.PerHour = n
	}
	p, _, err := u.svc.AddProvider(r.Context(), v.actor(), p, false)
	if err != nil {
		f, err := refusedForm(r, "provider", err, registerFields["provider"]...)
		if err != nil {
			return err
		}
		return u.showProviders(w, r, v, f)
	}
	return onward(w, r, "/providers/"+p.Ref, "registered", p.Ref)
}

// minutesField reads a time of day; -1, which the rule refuses, for what is none.
func minutesField(r *http.Request, name string) int {
	s := field(r, name)
	if s == "" {
		return 0
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

func (u *UI) addOutlet(w http.ResponseWriter, r *http.Request, v *visit) error {
	o := concert.Outlet{Name: field(r, "name"), Aliases: linesField(r, "aliases"), Marks: linesField(r, "marks"), Sites: references(field(r, "sites"))}
	o, err := u.svc.AddOutlet(r.Context(), v.actor(), o, field(r, "parent"))
	if err != nil {
		f, err := refusedForm(r, "outlet", err, registerFields["outlet"]...)
		if err != nil {
			return err
		}
		return u.showOutlets(w, r, v, f)
	}
	return onward(w, r, "/outlets/"+o.Ref, "registered", o.Ref)
}

// linesField reads one text a line; names may have commas in them.
func linesField(r *http.Request, name string) []string {
	var out []string
	for line := range strings.Lines(clean(r.PostFormValue(name))) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
