package testkit

import (
	"database/sql"
	"fmt"
	"testing"
)

// FillBankHashes puts n hashes into a bank of a SQLite database that no program has open, ten of them an entry, past the rules:
// hash gives the i-th. Nothing seen before is compared with them. The index is not told: it is to be made anew.
func FillBankHashes(t testing.TB, file, bank string, n int, hash func(i int) [32]byte) {
	t.Helper()
	const each, act = 10, 1000 // hashes of an entry, and entries of an act
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=synchronous(OFF)&_pragma=cache_size(-200000)")
	Must(t, err)
	defer db.Close()
	tx, err := db.Begin()
	Must(t, err)
	var id string
	var stamp, first int64
	Must(t, tx.QueryRow("SELECT id, (SELECT next - 1 FROM running_number WHERE name = 'bank_change'), (SELECT coalesce(max(n), 0) + 1 FROM bank_entry) FROM bank WHERE ref = ?", bank).Scan(&id, &stamp, &first))
	entry, err := tx.Prepare("INSERT INTO bank_entry (n, id, ref, bank, source_id, handling, opinion, stands, item, added_by, added_at, expires_at, ended_at, ended_code, quarantined_at, cleared, looked_back_at, changed_at, seq, version) " +
		"VALUES (?, ?, ?, ?, '', '', 'positive', 'positive', '', 'bench', 1, 0, 0, '', 0, 0, 1, 1, ?, 1)")
	Must(t, err)
	row, err := tx.Prepare("INSERT INTO bank_hash (entry, k, kind, value, quality, at_ms) VALUES (?, ?, 'pdq', ?, 100, 0)")
	Must(t, err)
	at := first - 1
	for i := range n {
		if i%each == 0 {
			at++
			if (at-first)%act == 0 {
				stamp++
			}
			_, err := entry.Exec(at, fmt.Sprintf("%016x", at), fmt.Sprintf("KE-EXERCISE-%d", at), id, stamp)
			Must(t, err)
		}
		h := hash(i)
		_, err := row.Exec(at, i%each, h[:])
		Must(t, err)
	}
	_, err = tx.Exec("INSERT INTO running_number (name, next) VALUES ('bank_entry', ?), ('bank_change', ?) ON CONFLICT (name) DO UPDATE SET next = excluded.next", at+1, stamp+1)
	Must(t, err)
	Must(t, tx.Commit())
}
