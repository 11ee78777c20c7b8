package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// authority is openssl's own timestamp authority behind real HTTP, and the file of
// its root.
func authority(t *testing.T) (url, root string) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed: there is no timestamp authority to ask")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("cnf"), []byte("[tsa]\ndefault_tsa=t\n[t]\nserial="+at("serial")+"\ncrypto_device=builtin\nsigner_cert="+at("tsa.pem")+"\ncerts="+at("ca.pem")+"\nsigner_key="+at("tsa.key")+"\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\nordering=yes\ntsa_name=yes\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n"))
	write(t, at("serial"), []byte("01\n"))
	write(t, at("ext"), []byte("extendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"))
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), openssl, args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, out)
		}
	}
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at("ca.key"), "-out", at("ca.pem"), "-subj", "/CN=EXERCISE root", "-days", "2")
	run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at("tsa.key"), "-out", at("tsa.csr"), "-subj", "/CN=EXERCISE timestamp authority")
	run("x509", "-req", "-in", at("tsa.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out", at("tsa.pem"), "-days", "2", "-extfile", at("ext"))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ask, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "no query", http.StatusBadRequest)
			return
		}
		if err := os.WriteFile(at("query"), ask, 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		out, err := exec.CommandContext(r.Context(), openssl, "ts", "-reply", "-config", at("cnf"), "-queryfile", at("query"), "-out", at("reply")).CombinedOutput()
		reply, err2 := os.ReadFile(at("reply"))
		if err != nil || err2 != nil {
			http.Error(w, string(out), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(reply)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, at("ca.pem")
}

func TestATimestampVouchesForTheSeal(t *testing.T) {
	t.Parallel()
	url, rootFile := authority(t)
	root, err := os.ReadFile(rootFile)
	must(t, err)
	other, _ := authorityRoot(t)
	job := sealJob(t, source(t))
	seal(t, job)
	must(t, StampEvidence(t.Context(), http.DefaultClient, job.Bag, url))
	if err := StampEvidence(t.Context(), http.DefaultClient, job.Bag, url); err == nil {
		t.Error("a timestamp is taken over another")
	}
	judge := func(roots ...[]byte) BagVerdict {
		t.Helper()
		v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag, Roots: roots})
		must(t, err)
		return v
	}
	if v := judge(root); !v.Whole() || v.Stamp != MarkTrusted || !v.Anchored() || v.StampAt == "" || !strings.Contains(v.StampBy, "EXERCISE timestamp authority") {
		t.Errorf("%+v", v.Findings)
	}
	if v := judge(); !v.Whole() || v.Stamp != MarkHolds || v.Anchored() {
		t.Errorf("without a root: %q", v.Stamp)
	}
	if v := judge(other); v.Stamp != MarkHolds || v.Anchored() || v.StampNote == "" {
		t.Errorf("with another's root: %q", v.Stamp)
	}
	// A token over another seal is none over this.
	second := sealJob(t, source(t))
	second.Case = "EXERCISE-2"
	seal(t, second)
	token, err := os.ReadFile(filepath.Join(job.Bag, fileStamp))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(second.Bag, fileStamp), token, 0o400))
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: second.Bag, Roots: [][]byte{root}}); err != nil || v.Whole() || v.Stamp != MarkBroken {
		t.Errorf("another's token: %q, %v", v.Stamp, err)
	}
	recipe(t, job, rootFile)
}

func authorityRoot(t *testing.T) ([]byte, string) {
	t.Helper()
	_, file := authority(t)
	b, err := os.ReadFile(file)
	must(t, err)
	return b, file
}

// recipe is P7: docs/evidence.md's way to check a bag without this program, by sha256sum and openssl alone.
func recipe(t *testing.T, job SealJob, root string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/evidence.md")
	must(t, err)
	_, script, found := strings.Cut(string(text), "```sh verify\n")
	script, _, closed := strings.Cut(script, "```")
	if !found || !closed {
		t.Fatal("docs/evidence.md has no recipe that checks a bag")
	}
	key := filepath.Join(t.TempDir(), "key.pub")
	_, err = NewKey(strings.TrimSuffix(key, ".pub"))
	must(t, err)
	run := func(bag, pub string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script, "sh", pub, root)
		cmd.Dir = bag
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	own := filepath.Join(t.TempDir(), "own.pub")
	must(t, os.WriteFile(own, job.Key.pem(), 0o600))
	if out, err := run(job.Bag, own); err != nil {
		t.Errorf("the recipe refuses a whole bag: %v: %s", err, out)
	}
	if out, err := run(job.Bag, key); err == nil {
		t.Errorf("the recipe accepts another's key: %s", out)
	}
	for _, name := range []string{fileSums, fileManifest, fileTags, fileSeal, "data/EXERCISE server/small"} {
		path := filepath.Join(job.Bag, name)
		b, err := os.ReadFile(path)
		must(t, err)
		flip(t, path, int64(len(b)/2))
		if out, err := run(job.Bag, own); err == nil {
			t.Errorf("the recipe accepts a flipped bit in %s: %s", name, out)
		}
		flip(t, path, int64(len(b)/2))
	}
}

// The envelope is DSSE as others write it.
func TestTheSealIsAnEnvelopeThatOthersRead(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	seal(t, job)
	raw, err := os.ReadFile(filepath.Join(job.Bag, fileSeal))
	must(t, err)
	var env dsse.Envelope
	must(t, json.Unmarshal(raw, &env))
	body, err := base64.StdEncoding.DecodeString(env.Payload)
	must(t, err)
	if env.PayloadType != sealType || len(env.Signatures) != 1 || !verifySig(job.Key.Public(), sealType, body, env.Signatures[0].Sig) || !bytes.Contains(body, []byte(fileManifest)) {
		t.Errorf("%s", raw)
	}
	// Another statement under the old signature is none.
	other, _, err := readSeal(raw)
	must(t, err)
	other.Predicate.Case = "EXERCISE-2"
	text, err := canonical(other)
	must(t, err)
	env.Payload = base64.StdEncoding.EncodeToString(text)
	swapped, err := canonical(env)
	must(t, err)
	must(t, os.Chmod(filepath.Join(job.Bag, fileSeal), 0o600))
	must(t, os.WriteFile(filepath.Join(job.Bag, fileSeal), swapped, 0o600))
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag}); err != nil || v.Whole() || v.Seal != MarkBroken {
		t.Errorf("another statement under the old signature: %q, %v", v.Seal, err)
	}
	// Without its signature, or with another's over the same text, it is no seal of this key.
	must(t, os.Remove(filepath.Join(job.Bag, fileSeal)))
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag}); err != nil || v.Whole() {
		t.Errorf("the signature taken away: whole, %v", err)
	}
	st, _, err := readSeal(raw)
	must(t, err)
	forged, err := testSigner(t).envelope(st)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(job.Bag, fileSeal), forged, 0o400))
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag, Trust: []string{job.Key.Public()}}); err != nil || v.Whole() {
		t.Errorf("signed anew by somebody else: whole, %v", err)
	}
}
