package apiserver_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/api"
	"concert/internal/apiserver"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// Over real HTTP: Spain orders, the provider removes after twenty minutes and asks, Ireland takes its package, voids, and the provider
// reads that it reinstates; the content provider's complaint about another order is decided by a third person.
func TestG13ScrutinyOverHTTP(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c := testkit.FurnishCompetent(t, testkit.Service(t, database))
			mux := http.NewServeMux()
			apiserver.New(c.Service, c.Log).Register(mux)
			srv := httptest.NewServer(httpkit.Bounded(c.Log, httpkit.Security(mux)))
			t.Cleanup(srv.Close)
			as := func(by concert.Actor) *api.Client {
				t.Helper()
				key, _, err := c.IssueKey(ctx, by, "EXERCISE script", concert.KeyPowers...)
				testkit.Must(t, err)
				return &api.Client{Base: srv.URL, Key: key, Tries: -1, Justification: "EXERCISE of scrutiny"}
			}
			issuing, provider, officer, judge := as(c.Issuer), as(c.Answerer), as(c.IrishOfficer), as(c.IrishJudge)
			monday := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
			c.At(monday, 1)
			c.StopClockAt(monday)
			o := c.Issued(testkit.Page(1))
			var pack bytes.Buffer
			began := time.Now()
			if err := officer.ScrutinyPackage(ctx, o.Ref, &pack); err != nil || !strings.Contains(pack.String(), o.Ref) || time.Since(began) > time.Second {
				t.Fatalf("the package after %s: %v", time.Since(began), err)
			}
			got, err := provider.Order(ctx, o.Ref)
			testkit.Must(t, err)
			c.StopClockAt(monday.Add(20 * time.Minute))
			got, err = provider.FeedOrder(ctx, api.Call{}, o.Ref, api.NewFeedback{Measure: "removed", MeasureAt: "2026-05-04T09:20:00Z", Person: "EXERCISE Moderator", Email: "legal@video.example"})
			testkit.Must(t, err)
			const reasons = "EXERCISE: it is a made-up report of a made-up news desk."
			got, err = provider.AskScrutiny(ctx, api.Call{}, o.Ref, api.ScrutinyRequest{Reasons: reasons})
			testkit.Must(t, err)
			fresh, err := officer.Order(ctx, o.Ref)
			testkit.Must(t, err)
			if _, err = officer.DecideScrutiny(ctx, api.Call{IfMatch: fresh.Version}, o.Ref, api.Finding{Outcome: "infringes_charter", Category: "protected", Reasons: reasons}); problemCode(err) != "role.missing" {
				t.Errorf("an officer decides: %v", err)
			}
			got, err = officer.IntendScrutiny(ctx, api.Call{IfMatch: fresh.Version}, o.Ref, api.ScrutinyRequest{Reasons: reasons})
			testkit.Must(t, err)
			got, err = judge.DecideScrutiny(ctx, api.Call{IfMatch: got.Version}, o.Ref, api.Finding{Outcome: "infringes_charter", Category: "protected", Reasons: reasons})
			if err != nil || got.Status != "void" {
				t.Fatalf("%s, %v", got.Status, err)
			}
			if got, err = provider.Order(ctx, o.Ref); err != nil || got.Status != "void" || got.Ended != reasons {
				t.Errorf("the provider reads %s, %q, %v", got.Status, got.Ended, err)
			}
			review, err := issuing.OrderReview(ctx, o.Ref)
			if err != nil || len(review.Scrutinies) != 1 || review.Scrutinies[0].Outcome != "infringes_charter" || review.Scrutinies[0].AskedBy != "provider" {
				t.Errorf("%+v, %v", review, err)
			}

			second := c.Issued(testkit.Page(2))
			link, err := provider.LinkContent(ctx, api.Call{}, api.NewContentLink{Kind: "order", Ref: second.Ref, Language: "nl"})
			if err != nil || !strings.Contains(link.URL, "/redress/csd_") || !strings.Contains(link.Notice, "2021/784") {
				t.Errorf("%+v, %v", link, err)
			}
			cm, err := provider.FileComplaint(ctx, api.Call{}, api.NewComplaint{Kind: "order", Ref: second.Ref, Text: reasons})
			testkit.Must(t, err)
			third := as(c.Person("es-reviewer-2", c.Spain.Ref, "", concert.RoleReviewer))
			all, err := third.Complaints(ctx)
			if err != nil || len(all.Items) != 1 || all.Items[0].Text != reasons || all.Items[0].Involved {
				t.Fatalf("%+v, %v", all.Items, err)
			}
			ruled, err := third.DecideComplaint(ctx, api.Call{IfMatch: all.Items[0].Version}, cm.ID, api.Ruling{Outcome: "upheld", Category: "protected", Reasons: reasons})
			if err != nil || ruled.Outcome != "upheld" {
				t.Errorf("%+v, %v", ruled, err)
			}
			if got, err = provider.Order(ctx, second.Ref); err != nil || got.Status != "withdrawn" {
				t.Errorf("the order is %s, %v", got.Status, err)
			}
		})
	}
}

// problemCode is the code of the problem that a client met, "" for none.
func problemCode(err error) string {
	var p *api.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}
