package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"concert/api"
)

// guide is the manual for providers as one shell script, in its order.
func guide(t *testing.T, url, key string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/provider.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllSubmatch(text, -1)
	if len(blocks) < 12 {
		t.Fatalf("docs/provider.md has %d blocks of commands", len(blocks))
	}
	var script strings.Builder
	for _, b := range blocks {
		script.Write(b[1])
	}
	given := strings.NewReplacer("CONCERT=https://concert.example\n", "CONCERT="+url+"\n", "KEY=csk_your_key\n", "KEY="+key+"\n").Replace(script.String())
	if strings.Contains(given, "csk_your_key") || strings.Contains(given, "CONCERT=https://concert.example") {
		t.Fatal("docs/provider.md no longer begins with the address and the key")
	}
	return given
}

func TestEveryCommandOfTheProvidersManualWorks(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the manual's commands need %s, which is not on this machine", tool)
		}
	}
	d := openDeployment(t)
	d.refer(t, "https://video.example/watch/EXERCISE-1", "https://video.example/watch/EXERCISE-2", "https://video.example/watch/EXERCISE-3")

	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "sh", "-eu")
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader(guide(t, d.url, d.answerer.Key))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for text, times := range map[string]int{"Signature Verified Successfully": 3, "\nacknowledged\n": 1, "\nanswered\n": 1, "refused\n": 2, `"removed": 1`: 1, `"refused": 2`: 1, `"silent": 0`: 1, "referral.sent RF-": 1} {
		if n := strings.Count(string(out), text); n < times {
			t.Errorf("%q occurs %d times, want %d, in\n%s", text, n, times, out)
		}
	}
}

// deployment is a served data directory with an authority that refers and a
// provider that answers.
type deployment struct {
	dir, url, outlet            string
	officer, reviewer, answerer api.Client
}

func openDeployment(t *testing.T) *deployment {
	t.Helper()
	path := program(t)
	d := &deployment{dir: filepath.Join(t.TempDir(), "data")}
	concert := func(pattern string, args ...string) string {
		args = append(args[:2:2], append([]string{"-data", d.dir}, args[2:]...)...)
		if args[0] == "init" {
			args = []string{"init", "-keys", "-data", d.dir, "-origin", "exercise.invalid/log"}
		}
		out, err := exec.Command(path, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("concert %v: %v\n%s", args, err, out)
		}
		return regexp.MustCompile(pattern).FindString(string(out))
	}
	keys := regexp.MustCompile(`csk_\S+`).FindAllString(concert(`(?s)csk_.*`, "init", ""), 2)
	authority := concert(`AU-\S+`, "authority", "add", "-country", "BE", "-unit", "RU-A", "Unit A (EXERCISE)")
	provider := concert(`PR-\S+`, "provider", "add", "-kind", "social", "-country", "IE", "-platform", "video.example", "Video (EXERCISE)")
	d.outlet = concert(`OU-\S+`, "outlet", "add", "-mark", "a made-up logo", "Outlet (EXERCISE)")
	url, stop, err := serve(path, d.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	d.url = url
	person := func(login, role string) api.Client {
		c, err := api.Recruit(t.Context(), &api.Client{Base: url, Key: keys[0]}, &api.Client{Base: url, Key: keys[1]}, api.Call{}, api.NewPerson{Name: login + " (EXERCISE)", Login: login, Roles: []string{role}, Authority: authority})
		if err != nil {
			t.Fatal(err)
		}
		return api.Client{Base: url, Key: c.Key}
	}
	d.officer, d.reviewer = person("officer", "officer"), person("reviewer", "reviewer")
	second := person("second", "reviewer")
	d.answerer = api.Client{Base: url, Key: concert(`csk_\S+`, "user", "add", "-name", "answerer (EXERCISE)", "-role", "provider_answerer", "-provider", provider, "-key", "test", "answerer")}
	entry, err := d.reviewer.ProposeScope(t.Context(), api.Call{}, api.NewScopeEntry{Outlet: d.outlet, LegalAct: "EXERCISE act 1", Authority: "EXERCISE council", Citation: "EXERCISE journal, p. 1", ListedOn: "2015-01-01"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.ConfirmScope(t.Context(), api.Call{}, entry.ID); err != nil {
		t.Fatal(err)
	}
	return d
}

// refer takes places through the chain and waits until the provider's inbox
// lists the referral.
func (d *deployment) refer(t *testing.T, places ...string) {
	t.Helper()
	ctx := t.Context()
	for i, p := range places {
		// A threat to life does not wait for company, and takes the others along.
		severity := "routine"
		if i == len(places)-1 {
			severity = "threat_to_life"
		}
		it, err := d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: p, Type: "video"})
		if err != nil {
			t.Fatal(err)
		}
		it, err = d.officer.Assess(ctx, api.Call{IfMatch: it.Version}, it.ID, api.NewAssessment{Type: "incites", Purpose: "no_protected_purpose", Outlet: d.outlet, Mark: "a made-up logo", MarkWhere: "top left", Language: "en",
			Severity: severity, Evaluation: "A1", Facts: "EXERCISE: nothing is to be seen here", Judgement: "EXERCISE: invented for a test only"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.reviewer.Decide(ctx, api.Call{IfMatch: it.Version}, it.ID, api.NewDecision{Decision: "approve"}); err != nil {
			t.Fatal(err)
		}
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); ; {
		in, err := d.answerer.Inbox(ctx, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Entries) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("no referral reached the inbox within 20 s")
		}
	}
}
