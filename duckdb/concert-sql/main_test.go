package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"concert/duckdb"
	"concert/internal/testkit/oddlake"
)

// Both programs as they are used: the whole program finds this one beside it, hands over arguments in any order, and gives back what it
// printed and how it ended.
func TestTheWholeProgramRunsThisOne(t *testing.T) {
	t.Parallel()
	l := oddlake.Make(t, "../..", 2000)
	bin := t.TempDir()
	concert := filepath.Join(bin, "concert")
	for cgo, args := range []string{"build -trimpath -buildvcs=false -o " + concert + " ./cmd/concert", "build -C duckdb -trimpath -buildvcs=false -o " + filepath.Join(bin, "concert-sql") + " ./concert-sql"} {
		build := exec.Command("go", strings.Fields(args)...)
		build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED="+strconv.Itoa(cgo))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", build, err, out)
		}
	}
	file := filepath.Join(bin, "query.sql")
	if err := os.WriteFile(file, []byte("-- EXERCISE\nSELECT count(*)\nFROM accesses\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := strconv.FormatInt(l.Manifest.Rows, 10) + "\n"
	const all = "SELECT count(*) FROM accesses"
	for _, c := range []struct {
		args []string
		code int
		out  string
		bad  string
	}{
		{[]string{l.Dir, all}, 0, rows, duckdb.Caveat},
		{[]string{"-threads", "1", l.Dir, "-rows", "1", all, "-memory", "256"}, 0, rows, duckdb.Caveat},
		{[]string{l.Dir, "-f", file}, 0, rows, duckdb.Caveat},
		{[]string{l.Dir, "SELECT * FROM accesses", "-rows", "3"}, exitFailed, "", "more than 3 rows"},
		{[]string{l.Dir, "COPY accesses TO 'x'"}, exitFailed, "", "disabled by configuration"},
		{[]string{bin, all}, exitFailed, "", "is no lake"},
		{[]string{l.Dir}, exitUsage, "", "one query"},
		{[]string{l.Dir, all, "-f", file}, exitUsage, "", "one query"},
		{[]string{l.Dir, all, "-release"}, exitUsage, "", "not defined: -release"},
		{[]string{l.Dir, all, "-trust", file}, exitUsage, "", "-trust"},
		{[]string{"-help"}, 0, "", "over the view accesses"},
	} {
		cmd := exec.Command(concert, append([]string{"accesslog", "sql"}, c.args...)...)
		var out, bad bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &bad
		code := 0
		if x, ok := errors.AsType[*exec.ExitError](cmd.Run()); ok {
			code = x.ExitCode()
		}
		if code != c.code || out.String() != c.out || !strings.Contains(bad.String(), c.bad) {
			t.Errorf("%q: ended with %d and %q, said %q; want %d, %q and %q", c.args, code, out.String(), bad.String(), c.code, c.out, c.bad)
		}
	}
	var out, bad bytes.Buffer
	var answer duckdb.Answer
	if code := run(t.Context(), []string{"--json", l.Dir, all}, &out, &bad); code != 0 || json.Unmarshal(out.Bytes(), &answer) != nil || answer.Lake.Manifest != l.Digest || answer.Rows[0][0] != float64(l.Manifest.Rows) {
		t.Errorf("as JSON: ended with %d: %s%s", code, out.Bytes(), bad.Bytes())
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if code := run(ended, []string{l.Dir, all}, &out, &bad); code != exitFailed {
		t.Errorf("a question that was taken back ended with %d", code)
	}
}
