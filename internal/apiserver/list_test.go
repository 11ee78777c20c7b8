package apiserver_test

import (
	"fmt"
	"slices"
	"testing"

	"concert/api"
)

// all are the rows of a list, page by page, two at a time.
func all[T any](t *testing.T, c api.Client, path string) []T {
	t.Helper()
	var out []T
	for cursor, pages := "", 0; ; pages++ {
		var p api.Page[T]
		if err := c.Do(t.Context(), "GET", path+"limit=2&cursor="+cursor, api.Call{}, nil, &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Items...)
		if cursor = p.Next; cursor == "" {
			return out
		}
		if pages > 100 {
			t.Fatalf("%s never ends", path)
		}
	}
}

// Cases and watched places by the API: each filter, page by page, and no other authority's.
func TestCasesAndWatchedPlacesAreAskedByTheAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	post := func(c api.Client, path string, in, out any) {
		t.Helper()
		if err := c.Do(ctx, "POST", "/api/v1"+path, api.Call{}, in, out); err != nil {
			t.Fatal(err)
		}
	}
	open := func(c api.Client, code string) (out api.Case) {
		t.Helper()
		post(c, "/cases", api.NewCase{Title: "EXERCISE case", Handling: code, Mandate: api.Mandate{Reference: "EXERCISE 1", Issuer: "EXERCISE court", On: "2019-01-01", Until: "2099-01-01"}}, &out)
		return out
	}
	var ids []string
	for range 5 {
		ids = append(ids, open(d.officer, "H0").ID)
	}
	quiet, foreign := open(d.officer, "H2"), open(d.foreign, "H0")
	slices.Reverse(ids)
	for path, want := range map[string][]string{
		"/api/v1/cases?": append([]string{quiet.ID}, ids...), "/api/v1/cases?handling=H2&": {quiet.ID}, "/api/v1/cases?mine=true&state=open&handling=H0&": ids, "/api/v1/cases?state=closed&": nil, "/api/v1/cases?review=overdue&": nil,
	} {
		var got []string
		for _, c := range all[api.Case](t, d.officer, path) {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) || slices.Contains(got, foreign.ID) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	var places []api.Watch
	for i := range 5 {
		var w api.Watch
		post(d.officer, "/watchlist", api.NewWatch{Location: fmt.Sprintf("https://t.me/exercise_asked_%d", i), Owner: "outlet", Outlet: d.outlet, Cadence: 1 + i}, &w)
		places = append(places, w)
	}
	var s api.Sweep
	post(d.officer, "/watchlist/"+places[0].ID+"/sweep", nil, &s)
	post(d.officer, "/sweeps/"+s.ID+"/finish", api.NewSweepEnd{Outcome: "none"}, &s)
	if err := d.officer.Do(ctx, "POST", "/api/v1/watchlist/"+places[4].ID+"/end", api.Call{IfMatch: 1}, nil, nil); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]int{
		"/api/v1/watchlist?": {1, 2, 3, 0}, "/api/v1/watchlist?turn=due&": {1, 2, 3}, "/api/v1/watchlist?turn=later&": {0}, "/api/v1/watchlist?ended=true&": {4}, "/api/v1/watchlist?owner=person&": nil,
		"/api/v1/watchlist?by=" + s.Person + "&": {0}, "/api/v1/watchlist?outlet=" + d.outlet + "&turn=never&": {1, 2, 3},
	} {
		var got []int
		for _, w := range all[api.Watch](t, d.officer, path) {
			got = append(got, slices.IndexFunc(places, func(p api.Watch) bool { return p.ID == w.ID }))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if err := d.officer.Do(ctx, "GET", "/api/v1/watchlist?by=OP-NOBODY", api.Call{}, nil, nil); !api.IsCode(err, "list.choice") {
		t.Errorf("who is nobody: %v", err)
	}
	if got := all[api.Watch](t, d.foreign, "/api/v1/watchlist?"); len(got) != 0 {
		t.Errorf("another authority lists %d places", len(got))
	}
}
