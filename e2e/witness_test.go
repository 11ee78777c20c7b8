package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"concert/internal/testkit"
)

// lastCheckpoint writes the signed head of an export to a file: lastcheckpoint BUNDLE FILE.
func lastCheckpoint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lastcheckpoint BUNDLE FILE")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	var l struct {
		Checkpoint string `json:"checkpoint"`
	}
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &l))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(l.Checkpoint), 0o600))
}

// ends is what the program prints; it must end with this code.
func ends(t *testing.T, want int, args ...string) string {
	t.Helper()
	out, err := exec.Command(program(t), args...).CombinedOutput()
	code := 0
	if err != nil {
		x, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = x.ExitCode()
	}
	if code != want {
		t.Fatalf("concert %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, out)
	}
	return string(out)
}

// witnessProcess is a witness as somebody else runs it.
type witnessProcess struct {
	dir, key, address string
	cmd               *exec.Cmd
}

func startWitness(t *testing.T, w *witnessProcess, listen, logKey string) {
	t.Helper()
	w.cmd = exec.Command(program(t), "witness", "serve", "-data", w.dir, "-listen", listen, "-log", logKey)
	var trouble bytes.Buffer
	w.cmd.Stderr = &trouble
	out, err := w.cmd.StdoutPipe()
	testkit.Must(t, err)
	testkit.Must(t, w.cmd.Start())
	r := bufio.NewReader(out)
	first, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("the witness did not start: %v\n%s", err, trouble.String())
	}
	w.key, err = r.ReadString('\n')
	testkit.Must(t, err)
	w.key = strings.TrimSpace(w.key)
	words := strings.Fields(first) // Witness NAME on ADDRESS
	w.address = words[len(words)-1]
	started := w.cmd
	t.Cleanup(func() {
		_ = started.Process.Kill() // it may be over
		_ = started.Wait()
	})
}

func page(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	testkit.Must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	return string(text)
}

// A node and two witnesses as separate programs: both cosign by themselves, one is killed in the middle and forgets nothing, and
// whoever verifies is told who cosigned which size.
func TestNodeAndTwoWitnesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "hub")
	ends(t, 0, "init", "-data", data, "-origin", "exercise.invalid/witnessed")
	bundle := filepath.Join(dir, "first.jsonl")
	ends(t, 0, "export", "-data", data, bundle)
	text, err := os.ReadFile(bundle)
	testkit.Must(t, err)
	var header struct {
		Key string `json:"log_key"`
	}
	testkit.Must(t, json.Unmarshal(text[:bytes.IndexByte(text, '\n')], &header))

	var ws []*witnessProcess
	args := []string{}
	for _, name := range []string{"one", "two"} {
		w := &witnessProcess{dir: filepath.Join(dir, name)}
		ends(t, 0, "witness", "init", "-data", w.dir, "-name", "witness.invalid/"+name)
		startWitness(t, w, "127.0.0.1:0", header.Key)
		ws = append(ws, w)
		args = append(args, "-witness", "http://"+w.address+" "+w.key)
	}
	url, stop, err := serve(program(t), data, args...)
	testkit.Must(t, err)
	defer func() { testkit.Must(t, stop()) }()
	sees := func(w *witnessProcess, what string) func() bool {
		return func() bool { return strings.Contains(page(t, "http://"+w.address+"/"), what) }
	}
	testkit.Await(t, "both have cosigned", func() bool { return sees(ws[0], "\nsize ")() && sees(ws[1], "\nsize ")() })
	testkit.Await(t, "the node shows both", func() bool { return strings.Count(page(t, url+"/log/checkpoint"), "— witness.invalid/") == 2 })
	history := "http://" + ws[0].address + "/history"
	out := ends(t, 0, "verify", "-witness", ws[0].key, "-witness", ws[1].key, "-checkpoint", history, url)
	for _, want := range []string{"VERIFIED: ", "cosigned by witness.invalid/one: this head, size ", "cosigned by witness.invalid/two: ", "compared with "} {
		if !strings.Contains(out, want) {
			t.Errorf("verify does not say %q:\n%s", want, out)
		}
	}
	ends(t, 3, "verify", url)

	before := page(t, history)
	testkit.Must(t, ws[0].cmd.Process.Kill())
	_ = ws[0].cmd.Wait() // it was killed
	startWitness(t, ws[0], ws[0].address, header.Key)
	if after := page(t, history); after != before || before == "" {
		t.Errorf("before it was killed it knew\n%s\nand now\n%s", before, after)
	}
	// A second process in its directory is refused.
	if out := ends(t, 1, "witness", "serve", "-data", ws[0].dir, "-listen", "127.0.0.1:0", "-log", header.Key); !strings.Contains(out, "in use by process") {
		t.Errorf("two processes of one witness: %s", out)
	}
	// A checkpoint of another log.
	res, err := http.Post("http://"+ws[0].address+"/add-checkpoint", "text/plain", strings.NewReader("old 0\n\nother.invalid/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— other.invalid/log AAAAAAAA\n"))
	testkit.Must(t, err)
	testkit.Must(t, res.Body.Close())
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("another log's checkpoint: %s", res.Status)
	}
	// What an export bears is checked offline, and the page of the log names both.
	later := filepath.Join(dir, "later.jsonl")
	ends(t, 0, "export", "-data", data, later)
	kept := filepath.Join(dir, "kept.txt")
	testkit.Must(t, os.WriteFile(kept, []byte(before), 0o600))
	ends(t, 0, "verify", "-log-key", header.Key, "-witness", ws[1].key, "-checkpoint", kept, later)
	if p := page(t, url+"/log"); !strings.Contains(p, "witness.invalid/one") || !strings.Contains(p, "Cosigns") {
		t.Error("the page of the log does not name its witnesses")
	}
}
