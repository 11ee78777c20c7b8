package webui

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// scopeLine is one entry of the public scope list.
type scopeLine struct {
	Ref, Outlet, Parent, LegalAct, Authority, Citation string
	Aliases                                            []string
	Listed, Delisted                                   string
	State                                              state
}

// scopePage is the public scope list (G38).
type scopePage struct {
	Lines []scopeLine
	AsOf  timeText
}

func (u *UI) scope(w http.ResponseWriter, r *http.Request, v *visit) error {
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	now := u.svc.Now()
	p := scopePage{AsOf: at(now)}
	for id, entries := range g.Scope.Entries {
		o := g.Scope.Outlets[id]
		for _, e := range entries {
			l := scopeLine{Ref: e.Ref, Outlet: o.Name, Parent: g.Scope.Outlets[o.Parent].Name, Aliases: o.Aliases, LegalAct: e.LegalAct, Authority: e.Authority, Citation: e.Citation, Listed: day(r.Context(), e.ListedOn), Delisted: day(r.Context(), e.DelistedOn)}
			switch {
			case e.InForce(now):
				l.State = state{Mark: "✓", Label: "in force", Tone: "good"}
			case e.ConfirmedAt.IsZero():
				l.State = state{Mark: "○", Label: "proposed: counts only once a second person confirms it", Tone: "wait"}
			case !e.DelistedOn.IsZero():
				l.State = state{Mark: "✕", Label: "delisted", Tone: "end"}
			default:
				l.State = state{Mark: "○", Label: "not in force yet", Tone: "wait"}
			}
			p.Lines = append(p.Lines, l)
		}
	}
	slices.SortFunc(p.Lines, func(a, b scopeLine) int {
		return cmp.Or(cmp.Compare(a.Outlet, b.Outlet), cmp.Compare(a.Ref, b.Ref))
	})
	return u.show(w, r, v, view{title: say(r.Context(), "Scope list"), body: scopeView(p), wide: true})
}

// definitionText is what the number counts, as the root package defines it.
func definitionText(m concert.Metric) design.Text { return design.Text(m.Definition()) }

// partsText names the parts of a sum.
func partsText(ctx context.Context, s concert.Sum) string {
	parts := make([]string, len(s.Parts))
	for i, m := range s.Parts {
		parts[i] = say(ctx, metricTexts[m])
	}
	return strings.Join(parts, " + ")
}

func (u *UI) counting(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.show(w, r, v, view{title: say(r.Context(), "How we count"), body: countingView()})
}

// logPage is the transparency log's head and how to check it.
type logPage struct {
	Origin, Key, Checkpoint, Base string
	Behind                        string // why nothing is signed, "" where it is
	Before                        []concert.LogSuccession
	Witnesses                     []casework.WitnessView
	Troubles                      bool // why a witness does not cosign is shown, too: it may name machines
}

func (u *UI) logHead(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := logPage{Origin: u.svc.Origin, Key: u.svc.LogKey, Base: strings.TrimSuffix(u.svc.BaseURL, "/")}
	var err error
	if p.Checkpoint, err = u.svc.LogCheckpoint(r.Context()); err != nil {
		var refused *concert.Error
		switch {
		case !errors.As(err, &refused):
			return err
		case refused.Kind == concert.Conflict:
			p.Behind = said(r.Context(), refused)
		case refused.Kind != concert.NotFound:
			return err
		}
	}
	if p.Before, err = u.svc.LogSuccessions(r.Context()); err != nil {
		return err
	}
	if p.Witnesses, err = u.svc.LogWitnesses(r.Context()); err != nil {
		return err
	}
	p.Troubles = v.has(concert.RoleAdministrator) || v.has(concert.RoleAuditor) || v.has(concert.RoleCoordinator)
	return u.show(w, r, v, view{title: say(r.Context(), "Transparency log"), body: logView(p)})
}

// witnessState is what a witness does as shape and words.
func witnessState(w casework.WitnessView) state {
	switch {
	case w.Disagree:
		return state{Mark: "▲", Label: "Has cosigned another history", Tone: "bad"}
	case w.URL == "":
		return state{Mark: "–", Label: "Is asked no more", Tone: "end"}
	case w.Late:
		return state{Mark: "▲", Label: "Does not cosign", Tone: "bad"}
	case w.Checkpoint == "":
		return state{Mark: "–", Label: "Has not cosigned yet", Tone: "wait"}
	}
	return state{Mark: "✓", Label: "Cosigns", Tone: "good"}
}
