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
	"concert/internal/testkit"
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
	at                          []string // flags that name it
	path                        string   // of the program that made it
	authority                   string
	admins                      [2]api.Client
	officer, reviewer, answerer api.Client
}

func openDeployment(t *testing.T) *deployment {
	t.Helper()
	return furnish(t, program(t), filepath.Join(t.TempDir(), "data"), "", func(d *deployment) string {
		url, stop, err := serve(d.path, d.dir, "-second-factor", "offered")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
		return url
	})
}

// furnish makes a deployment in the directory, on the embedded database or on
// the one given, and registers everybody; start serves it and says where.
func furnish(t *testing.T, path, dir, database string, start func(*deployment) (url string)) *deployment {
	t.Helper()
	d := &deployment{dir: dir, path: path, at: []string{"-data", dir}}
	if database != "" {
		d.at = append(d.at, "-database", database)
	}
	keys := regexp.MustCompile(`csk_\S+`).FindAllString(d.run(t, `(?s)csk_.*`, "init", "-keys", "-origin", "exercise.invalid/log"), 2)
	d.authority = d.run(t, `AU-\S+`, "authority", "add", "-country", "BE", "-unit", "RU-A", "Unit A (EXERCISE)")
	provider := d.run(t, `PR-\S+`, "provider", "add", "-kind", "social", "-country", "IE", "-platform", "video.example", "Video (EXERCISE)")
	d.outlet = d.run(t, `OU-\S+`, "outlet", "add", "-mark", "a made-up logo", "Outlet (EXERCISE)")
	d.url = start(d)
	d.admins = [2]api.Client{{Base: d.url, Key: keys[0]}, {Base: d.url, Key: keys[1]}}
	d.officer, d.reviewer = d.person(t, "officer", "officer"), d.person(t, "reviewer", "reviewer")
	second := d.person(t, "second", "reviewer")
	d.answerer = api.Client{Base: d.url, Key: d.run(t, `csk_\S+`, "user", "add", "-name", "answerer (EXERCISE)", "-role", "provider_answerer", "-provider", provider, "-key", "test", "answerer")}
	entry, err := d.reviewer.ProposeScope(t.Context(), api.Call{}, api.NewScopeEntry{Outlet: d.outlet, LegalAct: "EXERCISE act 1", Authority: "EXERCISE council", Citation: "EXERCISE journal, p. 1", ListedOn: "2015-01-01"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.ConfirmScope(t.Context(), api.Call{}, entry.ID); err != nil {
		t.Fatal(err)
	}
	return d
}

// run is one command of the program on the deployment; it gives the first match
// of the pattern in what was printed. Arguments follow the flags.
func (d *deployment) run(t *testing.T, pattern string, command ...string) string {
	t.Helper()
	words := 1
	for words < min(2, len(command)) && !strings.HasPrefix(command[words], "-") {
		words++
	}
	args := append(append(command[:words:words], d.at...), command[words:]...)
	out, err := exec.Command(d.path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("concert %v: %v\n%s", args, err, out)
	}
	return regexp.MustCompile(pattern).FindString(string(out))
}

// person brings somebody of the authority in, by both administrators.
func (d *deployment) person(t *testing.T, login, role string) api.Client {
	t.Helper()
	c, err := api.Recruit(t.Context(), &d.admins[0], &d.admins[1], api.Call{}, api.NewPerson{Name: login + " (EXERCISE)", Login: login, Roles: []string{role}, Authority: d.authority, Languages: testkit.Languages()})
	if err != nil {
		t.Fatal(err)
	}
	return api.Client{Base: d.url, Key: c.Key, Justification: "EXERCISE desk work"}
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
		d.judge(t, p, severity)
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

// judge takes one place from the find to an approval.
func (d *deployment) judge(t *testing.T, location, severity string) {
	t.Helper()
	ctx := t.Context()
	it, err := d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: location, Type: "video", Captures: []api.InlineCapture{{Bytes: []byte("<!doctype html><title>EXERCISE</title>")}}})
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
