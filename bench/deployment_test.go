package bench

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"concert/api"
	"concert/internal/testkit"
)

// units is how many authorities take part in the measured action.
const units = 12

// deployment is the served program with twelve units in one joint action, all of it EXERCISE.
type deployment struct {
	served
	at          []string // flags that name it
	action      string
	coordinator *api.Client
	officers    [units]*api.Client

	admin, second *api.Client

	places atomic.Int64
}

// deploy makes and serves a deployment and registers everybody through its API.
func deploy(b *testing.B, database string) *deployment {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "data")
	at := []string{"-data", dir}
	if database == "postgres" {
		at = append(at, "-database", testkit.Postgres(b))
	}
	keys := regexp.MustCompile(`csk_\S+`).FindAllString(run(b, `(?s)csk_.*`, append([]string{"init", "-keys", "-origin", "exercise.invalid/log"}, at...)...), 2)
	d := &deployment{served: serve(b, at...), at: at}
	ctx, admin, second := b.Context(), d.client(keys[0]), d.client(keys[1])
	d.admin, d.second = admin, second
	person := func(login, role, authority string) *api.Client {
		c, err := api.Recruit(ctx, admin, second, api.Call{}, api.NewPerson{Name: "EXERCISE " + login, Login: login, Authority: authority, Roles: []string{role}, Key: "bench", Languages: testkit.Languages()})
		testkit.Must(b, err)
		return d.client(c.Key)
	}
	var authorities [units]api.Authority
	for i := range units {
		var err error
		authorities[i], err = admin.AddAuthority(ctx, api.Call{}, api.NewAuthority{Name: fmt.Sprintf("EXERCISE unit %d", i+1), Country: "XA", Kind: "referral_unit", Unit: fmt.Sprintf("EX-%d", i+1), Contact: "EXERCISE desk"})
		testkit.Must(b, err)
		d.officers[i] = person(fmt.Sprintf("officer-%d", i+1), "officer", authorities[i].ID)
	}
	_, err := admin.AddProvider(ctx, api.Call{}, api.NewProvider{Name: "EXERCISE video", Kind: "social", Country: "XA", Zone: "UTC", Channel: "pull", Platforms: []string{"video.example"}})
	testkit.Must(b, err)
	d.coordinator = person("coordinator", "coordinator", authorities[0].ID)
	now := time.Now().UTC()
	a, err := d.coordinator.OpenAction(ctx, api.Call{}, api.NewAction{Name: "EXERCISE action", Lead: authorities[0].ID, Mandate: "EXERCISE mandate",
		StartsAt: now.Add(-time.Hour).Format(time.RFC3339), EndsAt: now.Add(96 * time.Hour).Format(time.RFC3339)})
	testkit.Must(b, err)
	for _, unit := range authorities[1:] {
		_, err := d.coordinator.JoinAction(ctx, api.Call{}, a.ID, api.ActionParticipant{Authority: unit.ID, Part: "support"})
		testkit.Must(b, err)
	}
	d.action = a.ID
	return d
}

// client speaks with a key over connections of its own.
func (d *deployment) client(key string) *api.Client {
	return &api.Client{Base: d.url, Key: key, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
}

// find is a place that nobody handed in before.
func (d *deployment) find() api.NewItem {
	return api.NewItem{Location: fmt.Sprintf("https://video.example/watch/EXERCISE-%08d", d.places.Add(1)), Type: "video", Action: d.action, Captures: []api.InlineCapture{{Kind: "page", Bytes: []byte("<!doctype html><title>EXERCISE</title>")}}}
}

// submit hands in n new finds as the officer, in one batch where n is more than one.
func (d *deployment) submit(ctx context.Context, officer *api.Client, call api.Call, n int) error {
	if n == 1 {
		_, err := officer.SubmitItem(ctx, call, d.find())
		return err
	}
	in := api.NewItems{Items: make([]api.NewItem, n)}
	for i := range in.Items {
		in.Items[i] = d.find()
	}
	out, err := officer.SubmitItems(ctx, call, in)
	if err != nil {
		return err
	}
	for _, r := range out.Results {
		if r.Outcome != api.OutcomeCreated {
			return fmt.Errorf("an item of a batch came to %q instead of %q", r.Outcome, api.OutcomeCreated)
		}
	}
	return nil
}
