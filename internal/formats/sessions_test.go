package formats

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concert/internal/accesslog"
)

// The facts as CSV: one line each, read back as they were; nobody in it, and nothing that a spreadsheet takes for a formula.
func TestSessionFactsAsCSV(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "auth.log")
	text := `2017-06-10T13:55:36Z h sshd[1]: Accepted publickey for CANARYUSER from 203.0.113.77 port 1 ssh2: RSA SHA256:CANARYKEY
Sat Jun 10 13:55:37 2017 1 203.0.113.77 1024 =cmd|canary@example.org b _ i r CANARYUSER ftp 0 * c
2017-06-10T13:55:38Z h passwd[1]: password changed for CANARYUSER
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := accesslog.Sessions(t.Context(), nil, []string{path}, accesslog.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteSessionFactsCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{"203.0.113.77", "CANARY", "canary@"} {
		if strings.Contains(b.String(), canary) {
			t.Errorf("%q stands in the CSV", canary)
		}
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for i, want := range []string{"session kind at", "1 log_in 2017-06-10T13:55:36Z", "1 upload 2017-06-10T13:55:37Z", " account_change 2017-06-10T13:55:38Z"} {
		if got := strings.Join(rows[i][:3], " "); got != want {
			t.Errorf("row %d begins %q, not %q", i, got, want)
		}
		for _, cell := range rows[i] {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	if f := r.Sessions[0].Facts[0]; rows[1][6] != f.LineSHA256 || rows[1][7] != f.Pseudonym || rows[1][12] != f.Key || f.Key == "" {
		t.Errorf("%v is not %+v", rows[1], f)
	}
}
