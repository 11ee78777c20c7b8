package testkit

import (
	"bytes"
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// Dump is everything that the database at an address (a file, or postgres://…) holds,
// as a thief would read it: for tests that look for what must not stand there.
func Dump(t testing.TB, address string) []byte {
	t.Helper()
	driver, dsn, dialect := "sqlite", "file:"+address+"?mode=ro&_pragma=busy_timeout(10000)", "sqlite"
	if strings.HasPrefix(address, "postgres") {
		driver, dsn, dialect = "pgx", address, "postgres"
	}
	db, err := sql.Open(driver, dsn)
	Must(t, err)
	defer db.Close()
	var out bytes.Buffer
	for _, c := range Cells(t, db, dialect) {
		fmt.Fprintf(&out, "%s.%s %s %s\n", c.Table, c.Column, c.Text, c.Bytes)
	}
	return out.Bytes()
}
