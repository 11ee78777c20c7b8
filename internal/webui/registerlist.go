package webui

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// newestOrders are those of a list that is sorted by time.
func newestOrders() []design.Order {
	return []design.Order{{Name: concert.OrderNewest, Label: "newest first"}, {Name: concert.OrderOldest, Label: "oldest first"}}
}

// byName is the one order of a small register.
func byName() []design.Order { return []design.Order{{Name: "name", Label: "by name"}} }

func referralForm(g casework.Registers, all bool) *design.ListForm {
	f := &design.ListForm{Name: "referrals", Path: "/referrals", Orders: newestOrders(), Filters: []design.Filter{
		{Name: "status", Label: "State", Choices: stateChoices(concert.ReferralStatuses, referralStates)},
		{Name: "provider", Label: "Provider", Choices: choicesOf(providerChoices(g))},
		{Name: "action", Label: "Joint action", Choices: choicesOf(actionNames(g))},
		{Name: "from", Label: "Sent from", Kind: design.FilterDay},
		{Name: "until", Label: "Sent until", Kind: design.FilterDay},
	}}
	if all {
		f.Filters = append(f.Filters, design.Filter{Name: "authority", Label: "Authority", Choices: choicesOf(authorityChoices(g))})
	}
	return f
}

// rungStates are the steps of the ladder as shapes and words.
var rungStates = map[concert.Rung]state{
	"":                       {Mark: "○", Label: "queued", Tone: "wait"},
	concert.RungQueued:       {Mark: "○", Label: "queued", Tone: "wait"},
	concert.RungSent:         {Mark: "➤", Label: "sent", Tone: "go"},
	concert.RungAccepted:     {Mark: "◔", Label: "accepted by the provider's machine", Tone: "go"},
	concert.RungOpened:       {Mark: "◑", Label: "opened", Tone: "go"},
	concert.RungAcknowledged: {Mark: "●", Label: "acknowledged", Tone: "good"},
	concert.RungFailed:       {Mark: "✕", Label: "could not be delivered", Tone: "bad"},
}

func (u *UI) referralListing(ctx context.Context, v *visit) (listing[casework.ListedReferral], error) {
	type row = casework.ListedReferral
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	columns := []design.Column[row]{
		linked("ref", "Reference", func(r row) (string, string) { return r.Ref, "/referrals/" + r.Ref }),
		text("provider", "Provider", func(_ context.Context, r row) string { return g.Providers[r.Provider].Name }),
		text("author", "Authority", func(_ context.Context, r row) string { return g.Authorities[r.Author].Unit }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, r row) design.Cell { return stateCell(ctx, referralStates[r.Status]) }},
		{Name: "ladder", Label: "Delivery", Cell: func(ctx context.Context, r row) design.Cell { return stateCell(ctx, rungStates[r.Rung]) }},
		{Name: "items", Label: "Items", Number: true, Cell: func(_ context.Context, r row) design.Cell { return design.Cell{Text: strconv.Itoa(r.Items)} }},
		{Name: "answered", Label: "Answered", Number: true, Cell: func(_ context.Context, r row) design.Cell { return design.Cell{Text: strconv.Itoa(r.Answered)} }},
		{Name: "reminders", Label: "Reminders", Number: true, Cell: func(_ context.Context, r row) design.Cell { return design.Cell{Text: strconv.Itoa(r.Reminders)} }},
		text("sent", "Sent", func(ctx context.Context, r row) string { return when(ctx, r.CreatedAt) }),
	}
	return listing[row]{form: referralForm(g, v.has(concert.RoleAuditor) || v.has(concert.RoleCoordinator)), caption: "Referrals", empty: "Approved items leave in their provider's hours.", columns: columns, file: true,
		keys: func(_ string, r row) []string { return []string{string(r.ID)} }, row: func(r row) (string, bool) { return r.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s := concert.ReferralSearch{Status: concert.ReferralStatus(q.Value("status")), From: q.Day("from"), Until: q.DayAfter("until")}
			var err error
			if s.Provider, err = byRef(g.Providers, q.Value("provider"), func(p concert.Provider) string { return p.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			if s.Action, err = byRef(g.Actions, q.Value("action"), func(a concert.Action) string { return a.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			if s.Author, err = byRef(g.Authorities, q.Value("authority"), func(a concert.Authority) string { return a.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			return u.svc.SearchReferrals(ctx, scope, s, p)
		}}, nil
}

// referralList is what the authority's side sent; a provider has its inbox.
func (u *UI) referralList(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.referralListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Referrals", func(s design.Sheet) templ.Component {
		return plainList("Referrals", "What went out, to whom, how far it came and what was answered. A referral is voluntary: silence and refusal are answers, too.", s)
	})
}

func (u *UI) referralsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.referralListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

func holdForm() *design.ListForm {
	return &design.ListForm{Name: "holds", Path: "/holds", Orders: newestOrders(), Also: []string{"done", "about"}, Filters: []design.Filter{
		{Name: "state", Label: "State", Choices: textChoices(concert.HoldStates, holdStates)},
	}}
}

var holdStates = map[concert.HoldState]design.Text{concert.HoldStanding: "stands", concert.HoldExpired: "expired", concert.HoldReleased: "released"}

var holdTones = map[concert.HoldState]state{
	concert.HoldStanding: {Mark: "‖", Label: "stands", Tone: "wait"}, concert.HoldExpired: {Mark: "–", Label: "expired", Tone: "end"}, concert.HoldReleased: {Mark: "–", Label: "released", Tone: "end"},
}

func (u *UI) holdListing(v *visit) (listing[casework.HoldView], error) {
	type row = casework.HoldView
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	now := u.svc.Now()
	columns := []design.Column[row]{
		linked("ref", "Reference", func(h row) (string, string) { return h.Ref, "" }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, h row) design.Cell { return stateCell(ctx, holdTones[h.State(now)]) }},
		{Name: "place", Label: "Place (text only, never a link)", Cell: func(_ context.Context, h row) design.Cell { return design.Cell{Text: h.Location.Display, Place: true} }},
		{Name: "sha256", Label: "SHA-256 of the bytes", Code: true, Cell: func(_ context.Context, h row) design.Cell { return design.Cell{Text: h.Hash} }},
		text("contact", "Contact", func(_ context.Context, h row) string { return h.Contact }),
		text("case", "Your own reference", func(_ context.Context, h row) string { return h.Case }),
		text("placed", "Placed", func(ctx context.Context, h row) string { return when(ctx, h.CreatedAt) }),
		text("until", "Until", func(ctx context.Context, h row) string { return when(ctx, h.ExpiresAt) }),
		{Name: "asked", Label: "Came upon it", Number: true, Cell: func(_ context.Context, h row) design.Cell { return design.Cell{Text: strconv.Itoa(len(h.Asked))} }},
	}
	return listing[row]{form: holdForm(), caption: "Holds", columns: columns, file: true, empty: "A hold that you place stands here.",
		keys: func(_ string, h row) []string { return []string{string(h.ID)} }, row: func(h row) (string, bool) { return h.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			return u.svc.SearchHolds(ctx, scope, concert.HoldState(q.Value("state")), p)
		}}, nil
}

func (u *UI) holdsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.holdListing(v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// roleNamesShort are the roles in one word each.
var roleNamesShort = map[concert.Role]design.Text{
	concert.RoleOfficer: "officer", concert.RoleReviewer: "reviewer", concert.RoleCoordinator: "coordinator", concert.RoleAuditor: "auditor", concert.RoleAdministrator: "administrator",
	concert.RoleProviderReader: "provider's reader", concert.RoleProviderAnswerer: "provider's answerer", concert.RoleIssuer: "issuer", concert.RoleMagistrate: "magistrate", concert.RoleProviderAdmin: "provider's administrator",
}

var personStates = map[concert.PersonState]state{
	concert.PersonInForce: {Mark: "✓", Label: "in force", Tone: "good"}, concert.PersonWaiting: {Mark: "○", Label: "waits for a second administrator", Tone: "wait"}, concert.PersonDisabled: {Mark: "✕", Label: "disabled", Tone: "end"},
}

func peopleForm(g casework.Registers) *design.ListForm {
	return &design.ListForm{Name: "people", Path: "/people", Orders: byName(), Also: []string{"done", "about"}, Filters: []design.Filter{
		{Name: "role", Label: "Role", Choices: textChoices(concert.Roles, roleNamesShort)},
		{Name: "at", Label: "For", Choices: choicesOf(append(authorityChoices(g), providerChoices(g)...))},
		{Name: "state", Label: "State", Choices: stateChoices(concert.PersonStates, personStates)},
	}}
}

func (u *UI) peopleListing(ctx context.Context, v *visit) (listing[casework.PersonView], error) {
	type row = casework.PersonView
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	roles := func(ctx context.Context, p row) string {
		out := make([]string, len(p.Roles))
		for i, r := range p.Roles {
			out[i] = say(ctx, roleNamesShort[r])
		}
		return strings.Join(out, ", ")
	}
	keys := func(p row) []string { return []string{p.Login, string(p.ID)} }
	columns := []design.Column[row]{
		linked("operator", "Operator", func(p row) (string, string) { return p.Operator, "/people/" + p.Operator }),
		text("login", "Log-in", func(_ context.Context, p row) string { return p.Login }),
		text("name", "Name", func(_ context.Context, p row) string { return p.Name }),
		text("roles", "Roles", roles),
		text("for", "For", func(_ context.Context, p row) string { return placeOf(g, p.Authority, p.Provider) }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, p row) design.Cell { return stateCell(ctx, lineOf(ctx, p, g, v.person).State) }},
	}
	return listing[row]{form: peopleForm(g), caption: "Accounts", columns: columns, file: true, empty: "Add the first person below.", keys: func(_ string, p row) []string { return keys(p) },
		row: func(p row) (string, bool) { return p.Operator, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			all, err := u.svc.People(ctx, scope)
			if err != nil {
				return concert.Listed[row]{}, err
			}
			var fit []row
			for _, who := range all {
				at := g.Authorities[who.Authority].Ref
				if who.Provider != "" {
					at = g.Providers[who.Provider].Ref
				}
				if is(q.Value("at"), at) && is(q.Value("state"), string(who.State())) && (q.Value("role") == "" || who.Actor().Has(concert.Role(q.Value("role")))) {
					fit = append(fit, who)
				}
			}
			return inMemory(fit, keys, p), nil
		}}, nil
}

// is reports whether a filter that was set fits.
func is(want, have string) bool { return want == "" || want == have }

func (u *UI) peopleCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.peopleListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

var authorityKinds = map[concert.AuthorityKind]design.Text{
	concert.KindReferralUnit: "referral unit", concert.KindCompetent: "competent authority", concert.KindProsecutor: "prosecutor", concert.KindCourt: "court", concert.KindCoordinator: "coordinator",
}

var authorityKindOrder = []concert.AuthorityKind{concert.KindReferralUnit, concert.KindCompetent, concert.KindProsecutor, concert.KindCourt, concert.KindCoordinator}

func authorityForm() *design.ListForm {
	return &design.ListForm{Name: "authorities", Path: "/authorities", Also: []string{"done", "about"}, Orders: byName(), Filters: []design.Filter{
		{Name: "kind", Label: "Kind", Choices: textChoices(authorityKindOrder, authorityKinds)},
		{Name: "country", Label: "Country (code)", Kind: design.FilterText},
	}}
}

// registerListing is a list of a register that is read as a whole.
func registerListing[R any](u *UI, v *visit, l listing[R], all func(casework.Registers, design.Query) []R) (listing[R], error) {
	scope, err := v.scope()
	if err != nil {
		return l, err
	}
	l.file = true
	keys := l.keys
	l.read = func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[R], error) {
		g, err := u.svc.ReadRegisters(ctx, scope)
		if err != nil {
			return concert.Listed[R]{}, err
		}
		return inMemory(all(g, q), func(r R) []string { return keys("", r) }, p), nil
	}
	return l, nil
}

func (u *UI) authorityListing(v *visit) (listing[concert.Authority], error) {
	type row = concert.Authority
	columns := []design.Column[row]{
		linked("name", "Name", func(a row) (string, string) {
			if !mayReadOffice(v, a) {
				return a.Name, ""
			}
			return a.Name, "/authorities/" + a.Ref
		}),
		text("unit", "Unit", func(_ context.Context, a row) string { return a.Unit }),
		text("kind", "Kind", func(ctx context.Context, a row) string { return say(ctx, authorityKinds[a.Kind]) }),
		text("country", "Country", func(_ context.Context, a row) string { return a.Country }),
		text("contact", "Contact", func(_ context.Context, a row) string { return a.Contact }),
		{Name: "key", Label: "Key that signs its referrals", Code: true, Cell: func(_ context.Context, a row) design.Cell { return design.Cell{Text: concert.KeyID(a.PublicKey)} }},
		{Name: "ref", Label: "Reference", Code: true, Cell: func(_ context.Context, a row) design.Cell { return design.Cell{Text: a.Ref} }},
	}
	return registerListing(u, v, listing[row]{form: authorityForm(), caption: "Authorities", empty: "An administrator registers them.", columns: columns,
		keys: func(_ string, a row) []string { return []string{a.Name, string(a.ID)} }, row: func(a row) (string, bool) { return a.Ref, false }},
		func(g casework.Registers, q design.Query) []row {
			var out []row
			for _, a := range g.Authorities {
				if is(q.Value("kind"), string(a.Kind)) && is(strings.ToUpper(q.Value("country")), a.Country) {
					out = append(out, a)
				}
			}
			return out
		})
}

func (u *UI) authorities(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showAuthorities(w, r, v, entered{Name: "authority"})
}

func (u *UI) showAuthorities(w http.ResponseWriter, r *http.Request, v *visit, f entered) error {
	l, err := u.authorityListing(v)
	if err != nil {
		return err
	}
	p := registerPage{Form: f, MayAdd: v.has(concert.RoleAdministrator)}
	for _, k := range authorityOrder {
		p.Kinds = append(p.Kinds, choice{string(k), say(r.Context(), authorityKinds[k])})
	}
	return l.showAfter(u, w, r, v, "Authorities", f.Errors, func(s design.Sheet) templ.Component {
		p.Sheet = s
		return registerView("Authorities", "Who judges: each signs what it refers with a key of its own. Providers see the unit and an operator number, never a name.", p, authorityAddForm(p))
	})
}

func (u *UI) authoritiesCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.authorityListing(v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

func providerForm() *design.ListForm {
	return &design.ListForm{Name: "providers", Path: "/providers", Orders: byName(), Filters: []design.Filter{
		{Name: "channel", Label: "Channel", Choices: textChoices([]concert.ChannelKind{concert.ChannelWebhook, concert.ChannelPull, concert.ChannelMail}, channelTexts)},
		{Name: "country", Label: "Country (code)", Kind: design.FilterText},
		{Name: "language", Label: "Language (code)", Kind: design.FilterText},
	}}
}

// hours are a provider's quiet hours, in its own zone.
func hours(ctx context.Context, p concert.Provider) string {
	if p.QuietFrom == p.QuietTo {
		return say(ctx, "at any hour")
	}
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	return say(ctx, "quiet %s to %s, %s", clock(p.QuietFrom), clock(p.QuietTo), p.Zone)
}

func (u *UI) providerListing(v *visit) (listing[concert.Provider], error) {
	type row = concert.Provider
	columns := []design.Column[row]{
		linked("name", "Name", func(p row) (string, string) { return p.Name, "/providers/" + p.Ref }),
		text("kind", "Kind", func(ctx context.Context, p row) string { return providerKind(ctx, p.Kind) }),
		text("country", "Establishment or legal representative", func(_ context.Context, p row) string { return p.Country }),
		text("languages", "Languages", func(_ context.Context, p row) string { return strings.Join(p.Languages, ", ") }),
		text("channel", "Channel", func(ctx context.Context, p row) string {
			if t, ok := channelTexts[p.Channel]; ok {
				return say(ctx, t)
			}
			return string(p.Channel)
		}),
		text("hours", "Hours", hours),
		text("capacity", "Capacity", func(ctx context.Context, p row) string {
			if p.PerHour == 0 {
				return say(ctx, "no bound")
			}
			return say(ctx, "%d an hour", p.PerHour)
		}),
		text("platforms", "Answers for", func(_ context.Context, p row) string { return strings.Join(p.Platforms, ", ") }),
		text("contact", "Contact", func(_ context.Context, p row) string { return p.Contact }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, p row) design.Cell {
			if !p.DisabledAt.IsZero() {
				return stateCell(ctx, state{Mark: "▲", Label: "its endpoint is gone", Tone: "bad"})
			}
			return stateCell(ctx, state{Mark: "✓", Label: "reachable", Tone: "good"})
		}},
		{Name: "ref", Label: "Reference", Code: true, Cell: func(_ context.Context, p row) design.Cell { return design.Cell{Text: p.Ref} }},
	}
	return registerListing(u, v, listing[row]{form: providerForm(), caption: "Providers", empty: "An administrator registers them.", columns: columns,
		keys: func(_ string, p row) []string { return []string{p.Name, string(p.ID)} }, row: func(p row) (string, bool) { return p.Ref, false }},
		func(g casework.Registers, q design.Query) []row {
			var out []row
			for _, p := range g.Providers {
				speaks := q.Value("language") == ""
				for _, l := range p.Languages {
					speaks = speaks || strings.EqualFold(l, q.Value("language"))
				}
				if speaks && is(q.Value("channel"), string(p.Channel)) && is(strings.ToUpper(q.Value("country")), p.Country) {
					out = append(out, p)
				}
			}
			return out
		})
}

func (u *UI) providers(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showProviders(w, r, v, entered{Name: "provider"})
}

func (u *UI) showProviders(w http.ResponseWriter, r *http.Request, v *visit, f entered) error {
	l, err := u.providerListing(v)
	if err != nil {
		return err
	}
	p := registerPage{Form: f, MayAdd: v.has(concert.RoleAdministrator)}
	for _, k := range providerOrder {
		p.Kinds = append(p.Kinds, choice{k, say(r.Context(), providerKinds[k])})
	}
	return l.showAfter(u, w, r, v, "Providers", f.Errors, func(s design.Sheet) templ.Component {
		p.Sheet = s
		return registerView("Providers", "Who decides, alone and under its own terms: how it is reached, in which hours and how much an hour.", p, providerAddForm(p))
	})
}

func (u *UI) providersCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.providerListing(v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

func alarmForm(g casework.Registers) *design.ListForm {
	return &design.ListForm{Name: "alarms", Path: "/alarms", Orders: newestOrders(), Filters: []design.Filter{
		{Name: "kind", Label: "Alarm", Choices: textChoices([]concert.AlarmKind{concert.AlarmProbed, concert.AlarmUnreviewed, concert.AlarmBounced, concert.AlarmWitness, concert.AlarmAudit}, alarmTexts)},
		{Name: "authority", Label: "Whose", Choices: choicesOf(authorityChoices(g))},
		{Name: "now", Label: "Still", Choices: []design.Choice{{Value: "lasting", Label: "lasts"}}},
	}}
}

func (u *UI) alarmListing(ctx context.Context, v *visit) (listing[casework.AlarmView], error) {
	type row = casework.AlarmView
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	columns := []design.Column[row]{
		{Name: "alarm", Label: "Alarm", Row: true, Cell: func(ctx context.Context, a row) design.Cell { return stateCell(ctx, alarmState(a.Alarm)) }},
		{Name: "item", Label: "Item", Cell: func(_ context.Context, a row) design.Cell {
			if a.ItemRef == "" {
				return design.Cell{}
			}
			return design.Cell{Text: a.ItemRef, Href: "/items/" + a.ItemRef}
		}},
		{Name: "met", Label: "Holds met", Number: true, Cell: func(_ context.Context, a row) design.Cell {
			if a.Met == 0 {
				return design.Cell{}
			}
			return design.Cell{Text: strconv.Itoa(a.Met)}
		}},
		{Name: "contact", Label: "Contact point", Cell: func(_ context.Context, a row) design.Cell {
			if a.ContactRef == "" {
				return design.Cell{}
			}
			return design.Cell{Text: a.Provider.Name + " " + a.ContactRef, Href: "/providers/" + a.Provider.Ref}
		}},
		text("whose", "Whose", func(_ context.Context, a row) string {
			if a.By.ID == "" {
				return a.Witness
			}
			return a.By.Name + " (" + a.By.Unit + ")"
		}),
		text("since", "Since", func(ctx context.Context, a row) string { return when(ctx, a.At) }),
		text("until", "Until", func(ctx context.Context, a row) string {
			if a.EndedAt.IsZero() {
				return say(ctx, "lasts")
			}
			return when(ctx, a.EndedAt)
		}),
	}
	return listing[row]{form: alarmForm(g), caption: "Alarms", columns: columns, file: true, empty: "All is quiet.", keys: func(_ string, a row) []string { return []string{string(a.ID)} },
		row: func(a row) (string, bool) { return string(a.ID), false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s := concert.AlarmSearch{Kind: concert.AlarmKind(q.Value("kind")), Lasting: q.Value("now") != ""}
			var err error
			if s.Authority, err = byRef(g.Authorities, q.Value("authority"), func(a concert.Authority) string { return a.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			return u.svc.SearchAlarms(ctx, scope, s, p)
		}}, nil
}

func (u *UI) alarmsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.alarmListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

func actionForm() *design.ListForm {
	return &design.ListForm{Name: "actions", Path: "/actions", Orders: newestOrders(), Filters: []design.Filter{{Name: "phase", Label: "Phase", Choices: textChoices(concert.Phases, phaseTexts)}}}
}

func (u *UI) actionListing(ctx context.Context, v *visit) (listing[concert.Action], error) {
	type row = concert.Action
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	columns := []design.Column[row]{
		linked("name", "Action", func(a row) (string, string) { return a.Name, "/actions/" + a.Ref }),
		text("phase", "Phase", func(ctx context.Context, a row) string { return say(ctx, phaseTexts[a.Phase]) }),
		text("lead", "Lead", func(_ context.Context, a row) string { return g.Authorities[a.Lead].Name }),
		text("from", "From", func(ctx context.Context, a row) string { return day(ctx, a.StartsAt) }),
		text("to", "To", func(ctx context.Context, a row) string { return day(ctx, a.EndsAt) }),
		{Name: "report", Label: "Report", Cell: func(ctx context.Context, a row) design.Cell {
			return design.Cell{Text: say(ctx, "Report on %s", a.Name), Href: "/actions/" + a.Ref + "/report"}
		}},
		{Name: "ref", Label: "Reference", Code: true, Cell: func(_ context.Context, a row) design.Cell { return design.Cell{Text: a.Ref} }},
	}
	return listing[row]{form: actionForm(), caption: "Joint actions", columns: columns, file: true, empty: "A coordinator opens them.", keys: func(_ string, a row) []string { return []string{string(a.ID)} },
		row: func(a row) (string, bool) { return a.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			return u.svc.SearchActions(ctx, scope, concert.Phase(q.Value("phase")), p)
		}}, nil
}

func (u *UI) actionsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.actionListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}
