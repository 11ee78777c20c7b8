package apiserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

func marshal(v any) ([]byte, error) { return json.Marshal(v) }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(concert.TimeFormat)
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func roles(in []concert.Role) []string {
	out := make([]string, len(in))
	for i, r := range in {
		out[i] = string(r)
	}
	return out
}

// results are a batch's outcomes, each with the status it would have got alone.
func results(in []casework.Result) []api.Result {
	out := make([]api.Result, len(in))
	for i, r := range in {
		out[i] = api.Result{Index: i, Status: 200, ID: r.Ref, Outcome: r.Outcome, Version: r.Version}
		if r.Outcome == casework.OutcomeCreated || r.Outcome == casework.OutcomeStopped {
			out[i].Status = 201
		}
		if r.Err != nil {
			out[i].Problem = httpkit.ProblemOf(r.Err)
			out[i].Status = out[i].Problem.Status
		}
	}
	return out
}

// cursor is an opaque place in a list: rank and id of its last row.
func cursor(rank int, id string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%s", rank, id))
}

func parseCursor(s string) (rank int, id string, err error) {
	if s == "" {
		return 0, "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		head, tail, ok := strings.Cut(string(raw), ":")
		if rank, err = strconv.Atoi(head); err == nil && ok && tail != "" {
			return rank, tail, nil
		}
	}
	return 0, "", concert.Refuse(concert.Invalid, "cursor.malformed", "cursor", "this cursor was not given by this list: begin again without one")
}

// inboxCursor is a place in the log: "i" and the index after which to go on.
func parseInboxCursor(s string) (int64, error) {
	if s == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "i"), 10, 64)
	if err != nil || !strings.HasPrefix(s, "i") || n < -1 {
		return 0, concert.Refuse(concert.Invalid, "cursor.malformed", "cursor", "this cursor was not given by the inbox: begin again without one")
	}
	return n, nil
}

func inboxCursor(position int64) string { return "i" + strconv.FormatInt(position, 10) }

func authorityOf(a concert.Authority) api.Authority {
	return api.Authority{ID: a.Ref, Name: a.Name, Country: a.Country, Kind: string(a.Kind), Unit: a.Unit, KeyID: concert.KeyID(a.PublicKey), PublicKey: a.PublicKey, Exercise: a.Exercise}
}

func providerOf(p concert.Provider) api.Provider {
	return api.Provider{ID: p.Ref, Name: p.Name, Kind: p.Kind, Country: p.Country, Channel: string(p.Channel), Platforms: p.Platforms, PerHour: p.PerHour, Disabled: !p.DisabledAt.IsZero(), WebhookKey: p.WebhookKey, Exercise: p.Exercise}
}

func outletOf(o concert.Outlet, list concert.ScopeList, now time.Time) api.Outlet {
	_, err := list.Covers(o.ID, now)
	return api.Outlet{ID: o.Ref, Name: o.Name, Aliases: o.Aliases, Marks: o.Marks, Sites: o.Sites, Parent: list.Outlets[o.Parent].Ref, InScope: err == nil, Exercise: o.Exercise}
}

func scopeEntryOf(e concert.ScopeEntry, o concert.Outlet, now time.Time) api.ScopeEntry {
	return api.ScopeEntry{ID: e.Ref, Outlet: o.Ref, OutletName: o.Name, LegalAct: e.LegalAct, Authority: e.Authority, Citation: e.Citation, ListedOn: date(e.ListedOn), Confirmed: !e.ConfirmedAt.IsZero(), DelistedOn: date(e.DelistedOn), InForce: e.InForce(now), Exercise: e.Exercise}
}

// itemOf is an item in a list: without its judgement.
func itemOf(it concert.Item, g casework.Registers) api.Item {
	if !it.ErasedAt.IsZero() {
		return api.Item{ID: it.Ref, Version: it.Version, Status: string(it.Status), ErasedAt: stamp(it.ErasedAt), CreatedAt: stamp(it.CreatedAt), UpdatedAt: stamp(it.UpdatedAt), Exercise: it.Exercise}
	}
	return api.Item{
		ID: it.Ref, Version: it.Version, Status: string(it.Status), Type: string(it.Type), Kind: it.Location.Kind, Location: it.Location.Submitted, Canonical: it.Location.Canonical, Display: it.Location.Display,
		Platform: it.Location.Platform, ObjectID: it.Location.ObjectID, Provider: g.Providers[it.Provider].Ref, Outlet: g.Scope.Outlets[it.Outlet].Ref, Authority: g.Authorities[it.Authority].Ref, Action: g.Actions[it.Action].Ref,
		Priority: it.Priority, Language: it.Language, Guard: api.Guard{Verdict: string(it.Guard.Verdict), Class: it.Guard.Class, Rule: it.Guard.Rule, Reason: it.Guard.Reason}, Needed: it.Needed, Given: it.Given,
		Claimed: string(it.Claimed), Observed: string(it.Observed), SHA256: it.Hash, Handling: string(it.Handling), CreatedAt: stamp(it.CreatedAt), UpdatedAt: stamp(it.UpdatedAt), Exercise: it.Exercise, HeldLegal: stamp(it.HeldLegal),
	}
}

func itemViewOf(v casework.ItemView, now time.Time) api.Item {
	g := casework.Registers{
		Providers:   map[concert.ProviderID]concert.Provider{v.Item.Provider: v.Provider},
		Scope:       concert.ScopeList{Outlets: map[concert.OutletID]concert.Outlet{v.Item.Outlet: v.Outlet}},
		Actions:     map[concert.ActionID]concert.Action{v.Item.Action: {Ref: v.ActionRef}},
		Authorities: map[concert.AuthorityID]concert.Authority{},
	}
	out := itemOf(v.Item, g)
	out.Erasure, out.Withheld = erasureOf(v.Erasure, v.AskedBy), v.Withheld
	for _, a := range v.Finders {
		out.Finders = append(out.Finders, a.Ref)
		if a.ID == v.Item.Authority {
			out.Authority = a.Ref
		}
	}
	out.Referral = v.ReferredAs
	out.Why = reasonsOf(v.Why)
	if v.Slip.Version > 0 {
		c := claimOf(v.Item, v.Slip.Slip, v.Slip.Numbers)
		out.Claim = &c
	}
	if v.HoldBy != "" {
		out.Hold = &api.HoldShown{Hold: true, Contact: v.HoldBy, Late: v.HoldLate}
	}
	if v.Override.Item != "" {
		o := overrideOf(v.Override, v.Ref)
		out.Override = &o
	}
	if !v.Look.At.IsZero() {
		l := secondLookOf(v.Ref, v.Look)
		out.SecondLook = &l
	}
	for _, c := range v.Captures {
		out.Captures = append(out.Captures, captureOf(c, now))
	}
	out.Atrocity = atrocityOf(v, now)
	for _, c := range v.Cases {
		out.Cases = append(out.Cases, c.Ref)
	}
	for _, n := range v.Incidents {
		out.Incidents = append(out.Incidents, n.Ref)
	}
	for _, t := range v.Translations {
		t.Text = ""
		out.Translations = append(out.Translations, translationOf(t, v.Ref, v.TranslatedBy))
	}
	if v.Judged.ID != "" {
		j := v.Judged
		out.Assessment = &api.Assessment{Author: v.Assessor, Authority: v.Author.Ref, At: stamp(j.At), NewAssessment: api.NewAssessment{Type: string(j.Type), Purpose: string(j.Purpose), Outlet: v.Outlet.Ref, Mark: j.Mark, MarkWhere: j.MarkWhere,
			Unbranded: j.Unbranded, Language: j.Language, Severity: string(j.Severity), Evaluation: j.Evaluation, Facts: j.Facts, Judgement: j.Judgement}}
	}
	return out
}

func referralOf(v casework.ReferralView, now time.Time) api.Referral {
	out := api.Referral{ID: v.Ref, Version: v.Version, Status: string(v.Status), Voluntary: concert.VoluntaryNotice, Author: v.Author.Name, CreatedAt: stamp(v.CreatedAt), AckedAt: stamp(v.AckedAt), Reminders: v.Reminders, Article16: v.Article16, ServerTime: stamp(now), Exercise: v.Exercise}
	if v.Erased > 0 {
		out.Incomplete = &api.Incomplete{Erased: v.Erased, Digest: v.Digest, Note: "an item of this referral was erased, so that the signed original is incomplete here and is not shown: the items below are what is left, without a signature"}
	} else {
		out.Envelope = &v.Signed
	}
	said := make(map[string]concert.PayloadItem, len(v.Payload.Items))
	for _, p := range v.Payload.Items {
		said[p.Ref] = p
	}
	for _, it := range v.Items {
		ri := api.ReferralItem{PayloadItem: said[it.Ref], Status: string(it.Status), Claimed: string(it.Claimed), Observed: string(it.Observed), Withdrawn: it.Status == concert.ItemWithdrawn}
		ri.Ref = it.Ref
		for _, m := range v.Remedies[it.ID] {
			if m.Kind == concert.RemedyCorrection {
				ri.Correction = append(ri.Correction, m.Reason)
			}
		}
		if i, ok := v.Isolations[it.ID]; ok && it.Claimed == concert.AnswerCannotIsolate {
			shown := isolationOf(it.Ref, i)
			ri.Isolation = &shown
		}
		out.Items = append(out.Items, ri)
	}
	return out
}

func counts(c concert.Counts) map[string]int64 {
	out := make(map[string]int64, len(concert.Metrics))
	for _, m := range concert.Metrics {
		out[string(m)] = c[m]
	}
	return out
}
