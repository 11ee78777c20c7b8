package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"concert/api"
)

// A proof fetched over the API is verified by the command, with no connection to anything.
func TestG22ProofOfErasureIsVerifiedByTheCommand(t *testing.T) {
	t.Parallel()
	d := openDeployment(t)
	ctx := t.Context()
	it, err := d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: "https://video.example/watch/EXERCISE-canary"})
	if err != nil {
		t.Fatal(err)
	}
	if it, err = d.officer.AskErasure(ctx, api.Call{IfMatch: it.Version}, it.ID, api.NewErasure{Code: "data_subject", Reason: "EXERCISE the person asked"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.reviewer.EraseItem(ctx, api.Call{IfMatch: it.Version}, it.ID); err != nil {
		t.Fatal(err)
	}
	p, err := d.officer.ErasureProof(ctx, it.ID)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := d.officer.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pinned := ""
	for _, k := range keys.Keys {
		if k.Role == "log" {
			pinned = k.PublicKey
		}
	}
	verify := func(change func(map[string]any), args ...string) (int, string) {
		t.Helper()
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		change(fields)
		// Indented and with its fields in another order, as tools leave it.
		if text, err = json.MarshalIndent(fields, "", "  "); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "erasure.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program(t), append(append([]string{"verify"}, args...), file)...).CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode(), string(out)
		}
		return 0, string(out)
	}
	if code, out := verify(func(map[string]any) {}, "-log-key", pinned); code != 3 || !strings.Contains(out, "VERIFIED: item "+it.ID+" was erased (data_subject)") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out := verify(func(f map[string]any) { f["item"] = "IT-OTHER" }, "-log-key", pinned); code != 1 || !strings.Contains(out, "NOT VERIFIED") {
		t.Errorf("for another item, exit %d: %s", code, out)
	}
}
