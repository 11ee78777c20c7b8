package exercise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/api"
)

// holdsAtSetup is the item number up to which holds stand before the action
// begins; later ones are placed while it runs.
const holdsAtSetup = 2000

const dateFormat = "2006-01-02"

func contactOf(unit int) string {
	code := strings.ToLower(countries[unit])
	return fmt.Sprintf("Duty desk %s (EXERCISE), desk@unit-%s.example", countries[unit], code)
}

// toPrepare is how many parties and entries Setup registers, for progress.
func (w *World) toPrepare() int64 {
	holds := int64(0)
	for n := range min(w.script.total, holdsAtSetup) {
		if w.script.fate(n).held() {
			holds++
		}
	}
	return holds + int64(len(countries)*(1+lanes+reviewers)+2+4+2*len(providers)+len(outlets)+len(parents)+1)
}

// Setup registers everything through the public API: authorities, people,
// providers, outlets, the scope list, the joint action and the first holds.
// Repeated over the same database it gets the same answers.
func (w *World) Setup(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go w.report(ctx)
	w.admin, w.second = w.client(w.cfg.AdminKey, 0), w.client(w.cfg.SecondAdminKey, 1)
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"authorities and people", w.addUnits},
		{"providers", w.addProviders},
		{"action and scope list", w.openAction},
		{"holds", w.firstHolds},
	}
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("set up %s: %w", s.what, err)
		}
	}
	return nil
}

func (w *World) addUnits(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i, u := range w.units {
		g.Go(func() error { return w.addUnit(gctx, i, u) })
	}
	return g.Wait()
}

func (w *World) addUnit(ctx context.Context, i int, u *unit) error {
	code := countries[i]
	a, err := w.addAuthority(ctx, "Authority "+code+" (EXERCISE)", code, concert.KindReferralUnit, "RU-"+code, contactOf(i))
	if err != nil {
		return err
	}
	u.id = a.ID
	g, gctx := errgroup.WithContext(ctx)
	for k := range lanes {
		g.Go(func() (err error) {
			u.officers[k], err = w.addPerson(gctx, fmt.Sprintf("%s-officer-%d", strings.ToLower(code), k+1), concert.RoleOfficer, a.ID, i*4+k*2)
			return err
		})
	}
	for k := range reviewers {
		g.Go(func() (err error) {
			u.reviewers[k], err = w.addPerson(gctx, fmt.Sprintf("%s-reviewer-%d", strings.ToLower(code), k+1), concert.RoleReviewer, a.ID, i*4+k*2+1)
			return err
		})
	}
	return g.Wait()
}

func (w *base) addAuthority(ctx context.Context, name, country string, kind concert.AuthorityKind, unit, contact string) (api.Authority, error) {
	a, err := w.admin.AddAuthority(ctx, w.call("authority-%s", unit), api.NewAuthority{Name: name, Country: country, Kind: string(kind), Unit: unit, Contact: contact})
	if err != nil {
		return a, fmt.Errorf("%s: %w", name, err)
	}
	w.prepared.Add(1)
	return a, nil
}

// newPerson is an invented person with a role.
func newPerson(login string, role concert.Role, authority, provider string) api.NewPerson {
	return api.NewPerson{Name: strings.ReplaceAll(login, "-", " ") + " (EXERCISE)", Login: login + "@exercise.example", Authority: authority, Provider: provider, Roles: []string{string(role)}, Languages: readable()}
}

// addPerson brings in a person for whom a machine acts, by two administrators
// and with a key of its own; nth says at which node it asks.
func (w *base) addPerson(ctx context.Context, login string, role concert.Role, authority string, nth int) (*api.Client, error) {
	in := newPerson(login, role, authority, "")
	in.Key = "exercise"
	c, err := api.Recruit(ctx, w.admin, w.second, w.call("person-%s", login), in)
	if err != nil {
		return nil, fmt.Errorf("person %s: %w", login, err)
	}
	w.prepared.Add(1)
	return w.client(c.Key, nth), nil
}

// addAnswerer registers a provider's person, whose key one administrator makes.
func (w *base) addAnswerer(ctx context.Context, login, provider string, nth int) (*api.Client, error) {
	in := newPerson(login, concert.RoleProviderAnswerer, "", provider)
	in.Key = "exercise"
	p, err := w.admin.AddPerson(ctx, w.call("person-%s", login), in)
	switch {
	case err != nil:
		return nil, fmt.Errorf("person %s: %w", login, err)
	case p.Key == "":
		return nil, fmt.Errorf("person %s: the answer holds no API key, which is shown once only: an earlier run over this database got it; start with a fresh one", login)
	}
	w.prepared.Add(1)
	return w.client(p.Key, nth), nil
}

// addWatcher registers a person for somebody at the board, who enters with a
// link and its code.
func (w *World) addWatcher(ctx context.Context, role concert.Role, authority string) (Login, error) {
	login := "board-" + string(role)
	p, err := w.admin.AddPerson(ctx, w.call("person-%s", login), newPerson(login, role, authority, ""))
	if err == nil && p.Waiting == nil {
		err = errors.New("it waits for nobody, though its role takes two administrators")
	}
	if err != nil {
		return Login{}, fmt.Errorf("person %s: %w", login, err)
	}
	c, err := w.second.ConfirmPerson(ctx, w.call("person-%s-confirm", login), p.ID, api.Confirmation{Proposal: p.Waiting.ID})
	if err != nil {
		return Login{}, fmt.Errorf("person %s: %w", login, err)
	}
	w.prepared.Add(1)
	return Login{Role: string(role), Link: p.Link, Code: c.Code}, nil
}

func (w *World) addProviders(ctx context.Context) error {
	for i, p := range w.providers {
		in := api.NewProvider{
			Name: p.plan.name, Kind: p.plan.kind, Country: p.plan.country, Languages: []string{"en"}, Zone: p.plan.zone,
			QuietFrom: p.plan.quietFrom, QuietTo: p.plan.quietTo, Channel: string(concert.ChannelWebhook),
			Platforms: p.plan.platforms, Contact: "Trust desk (EXERCISE), trust@" + p.plan.domain,
			WebhookURL: "http://" + p.hookHost() + "/hook",
		}
		if p.plan.conduct.pull {
			in.Channel, in.WebhookURL = string(concert.ChannelPull), ""
		}
		if p.plan.bounded {
			in.PerHour = w.capacity(i)
		}
		reg, err := w.admin.AddProvider(ctx, w.call("provider-%s", p.plan.key), in)
		if err != nil {
			return fmt.Errorf("%s: %w", p.plan.name, err)
		}
		w.prepared.Add(1)
		if p.desk, err = w.addAnswerer(ctx, p.plan.key+"-answerer", reg.ID, i); err != nil {
			return err
		}
		p.desk.HTTP = w.desks
		if p.plan.conduct.pull {
			continue
		}
		key, err := webhookKey(reg.WebhookKey)
		if err != nil {
			return fmt.Errorf("%s: %w", p.plan.name, err)
		}
		p.key.Store(&key)
	}
	return nil
}

// bookedHours is in how many case hours a provider with a bounded capacity
// could take all that the plan has for it.
const bookedHours = 12

// capacity is how many items an hour a bounded provider agrees to take.
func (w *World) capacity(provider int) int {
	return max(10, int(w.sent[provider]+bookedHours-1)/bookedHours)
}

// openAction registers the parties above the units, the outlets and the scope
// list, and opens the joint action over them.
func (w *World) openAction(ctx context.Context) error {
	judge, err := w.addAuthority(ctx, "Investigating Judge BE (EXERCISE)", "BE", concert.KindCourt, "JUDGE-BE", "Registry (EXERCISE), registry@judge-be.example")
	if err != nil {
		return err
	}
	centre, err := w.addAuthority(ctx, "Coordination Centre (EXERCISE)", "EU", concert.KindCoordinator, "COORD", "Operations room (EXERCISE), room@coordination.example")
	if err != nil {
		return err
	}
	if w.coordinator, err = w.addPerson(ctx, "coordinator", concert.RoleCoordinator, centre.ID, 0); err != nil {
		return err
	}
	w.onlooker.Store(w.coordinator)
	w.logins = nil
	for _, l := range []struct {
		role      concert.Role
		authority string
	}{{concert.RoleOfficer, w.units[0].id}, {concert.RoleCoordinator, centre.ID}, {concert.RoleAuditor, ""}} {
		watcher, err := w.addWatcher(ctx, l.role, l.authority)
		if err != nil {
			return err
		}
		w.logins = append(w.logins, watcher)
	}
	if err := w.addOutlets(ctx); err != nil {
		return err
	}
	a, err := w.coordinator.OpenAction(ctx, w.call("action"), api.NewAction{
		Name: "EXERCISE: joint referral action, 21-24 November 2019", Lead: judge.ID,
		Mandate:  "EXERCISE: order of the investigating judge, invented file 2019/EX/1",
		StartsAt: w.cfg.Time.Start.UTC().Format(concert.TimeFormat), EndsAt: w.ends().UTC().Format(concert.TimeFormat), Target: w.cfg.Items,
	})
	if err != nil {
		return err
	}
	w.action = a.ID
	w.prepared.Add(1)
	// The judge takes part as the lead that the action was opened with.
	parts := []api.ActionParticipant{{Authority: centre.ID, Part: string(concert.PartCoordinate)}}
	for _, u := range w.units {
		parts = append(parts, api.ActionParticipant{Authority: u.id, Part: string(concert.PartSupport)})
	}
	for _, p := range parts {
		if _, err := w.coordinator.JoinAction(ctx, w.call("join-%s", p.Authority), a.ID, p); err != nil {
			return fmt.Errorf("participant: %w", err)
		}
	}
	for _, o := range w.outletIDs[:inScope] {
		if _, err := w.coordinator.TargetAction(ctx, w.call("target-%s", o), a.ID, api.NewTarget{Outlet: o}); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	return nil
}

// addOutlets registers the invented entities and brands, and puts on the scope
// list those that the plan lists: one person proposes, another confirms.
func (w *World) addOutlets(ctx context.Context) error {
	var parentIDs [len(parents)]string
	for i, name := range parents {
		o, err := w.admin.AddOutlet(ctx, w.call("parent-%d", i), api.NewOutlet{Name: name})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.prepared.Add(1)
		parentIDs[i] = o.ID
		if err := w.list(ctx, o.ID, fmt.Sprintf("parent-%d", i), false); err != nil {
			return err
		}
	}
	for i, plan := range outlets {
		in := api.NewOutlet{Name: plan.name + " (EXERCISE)", Marks: []string{plan.mark}}
		if plan.parent >= 0 {
			in.Parent = parentIDs[plan.parent]
		}
		o, err := w.admin.AddOutlet(ctx, w.call("outlet-%d", i), in)
		if err != nil {
			return fmt.Errorf("%s: %w", plan.name, err)
		}
		w.prepared.Add(1)
		w.outletIDs[i] = o.ID
		switch plan.listed {
		case listedItself, delistedYesterday:
			if err := w.list(ctx, o.ID, fmt.Sprintf("outlet-%d", i), plan.listed == delistedYesterday); err != nil {
				return err
			}
		}
	}
	return nil
}

// list puts an outlet on the scope list, and takes it off as of yesterday where
// it was delisted.
func (w *World) list(ctx context.Context, outlet, name string, delisted bool) error {
	e, err := w.coordinator.ProposeScope(ctx, w.call("propose-%s", name), api.NewScopeEntry{
		Outlet: outlet, LegalAct: "EXERCISE: Decision 2015/EX (invented) on the listing of " + name, Authority: "Exercise Council (EXERCISE)",
		Citation: "https://acts.example/2015/ex/" + name, ListedOn: w.cfg.Time.Start.AddDate(-4, 0, 0).Format(dateFormat),
	})
	if err != nil {
		return fmt.Errorf("propose scope entry %s: %w", name, err)
	}
	if _, err := w.units[0].reviewers[0].ConfirmScope(ctx, w.call("confirm-%s", name), e.ID); err != nil {
		return fmt.Errorf("confirm scope entry %s: %w", name, err)
	}
	if !delisted {
		return nil
	}
	if _, err := w.coordinator.DelistScope(ctx, w.call("delist-%s", name), e.ID, api.Delisting{On: w.cfg.Time.Start.Add(-24 * time.Hour).Format(dateFormat)}); err != nil {
		return fmt.Errorf("delist scope entry %s: %w", name, err)
	}
	return nil
}

// firstHolds places the holds that stand before the action begins.
func (w *World) firstHolds(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(len(countries))
	for n := range min(w.script.total, holdsAtSetup) {
		if w.script.fate(n).held() {
			g.Go(func() error {
				defer w.prepared.Add(1)
				return w.placeHold(gctx, n)
			})
		}
	}
	return g.Wait()
}
