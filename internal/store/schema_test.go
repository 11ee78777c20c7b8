package store_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"concert"
	"concert/internal/store"
	"concert/internal/store/migrations"
	"concert/internal/testkit"
)

var update = flag.Bool("update", false, "rewrite the documents that tests generate")

func TestBothFoldersHoldTheSameMigrations(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, folder := range []string{"sqlite", "postgres"} {
		entries, err := fs.ReadDir(migrations.Files, folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names[folder] = append(names[folder], e.Name())
		}
	}
	if diff := cmp.Diff(names["sqlite"], names["postgres"]); diff != "" || len(names["sqlite"]) == 0 {
		t.Fatalf("the folders differ (-sqlite +postgres):\n%s", diff)
	}
	for _, name := range names["sqlite"] {
		lite, err := fs.ReadFile(migrations.Files, "sqlite/"+name)
		if err != nil {
			t.Fatal(err)
		}
		pg, err := fs.ReadFile(migrations.Files, "postgres/"+name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plainSQL(string(lite)), plainSQL(string(pg))); diff != "" {
			t.Errorf("%s differs in more than types, collation and triggers (-sqlite +postgres):\n%s", name, diff)
		}
	}
}

var (
	comment   = regexp.MustCompile(`(?m)^--.*\n`)
	procedure = regexp.MustCompile(`(?s)CREATE (TRIGGER|FUNCTION).*`)
)

// plainSQL is a migration without comments, procedures and what the dialects spell differently. Triggers come last.
func plainSQL(text string) []string {
	text, _, _ = strings.Cut(text, "-- +goose Down")
	text = procedure.ReplaceAllString(comment.ReplaceAllString(text, ""), "")
	text = strings.NewReplacer(" COLLATE \"C\"", "", "BYTEA", "BLOB", "BIGINT", "INTEGER", ") STRICT;", ");").Replace(text)
	return strings.Split(strings.TrimSpace(text), "\n")
}

func TestTriggersProtectTheSameTablesInBoth(t *testing.T) {
	t.Parallel()
	trigger := regexp.MustCompile(`CREATE TRIGGER (\w+) BEFORE (\w+) ON (\w+)`)
	found := map[string][]string{}
	for _, folder := range []string{"sqlite", "postgres"} {
		err := fs.WalkDir(migrations.Files, folder, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(migrations.Files, p)
			for _, m := range trigger.FindAllStringSubmatch(string(text), -1) {
				found[folder] = append(found[folder], strings.Join(m[1:], " "))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found[folder])
	}
	if diff := cmp.Diff(found["sqlite"], found["postgres"]); diff != "" || len(found["sqlite"]) < 3 {
		t.Errorf("triggers (-sqlite +postgres):\n%s", diff)
	}
}

func TestDatabaseOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		s := h.Service
		raw := testkit.Raw(t, s)
		if _, err := raw.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, " + map[string]string{"sqlite": "1", "postgres": "true"}[s.DB.Dialect()] + ")"); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), testkit.AddressOf(t, s), testkit.Ring(t))
		if err == nil {
			db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "999") {
			t.Errorf("schema version 999: %v", err)
		}
	})
}

// Opened again, a database is as it was; a brand-new one is empty before and not after.
func TestOpeningAgainChangesNothing(t *testing.T) {
	t.Parallel()
	address := testkit.Address(t, "sqlite")
	if empty, err := store.Empty(t.Context(), address); err != nil || !empty {
		t.Errorf("before: %v, %v", empty, err)
	}
	for range 2 {
		db, err := store.Open(t.Context(), address, testkit.Ring(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if empty, err := store.Empty(t.Context(), address); err != nil || empty {
		t.Errorf("after: %v, %v", empty, err)
	}
}

// A fresh PostgreSQL is migrated from nothing, and an empty one is seen to be so.
func TestPostgresIsMigratedFromNothing(t *testing.T) {
	t.Parallel()
	dsn := testkit.Postgres(t)
	if empty, err := store.Empty(t.Context(), dsn); err != nil || !empty {
		t.Errorf("before: %v, %v", empty, err)
	}
	db := testkit.Open(t, dsn)
	if err := db.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Actions(t.Context(), 1); return err }); err != nil {
		t.Error(err)
	}
}

func TestStaleRowsAndMissingOnesAreSaidToBeSo(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		s := h.Service
		items := h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))
		ctx := t.Context()
		first, second := h.Item(items[0].Ref).Item, h.Item(items[1].Ref).Item
		save := func(its ...concert.Item) error {
			return s.DB.Update(ctx, func(tx *store.Tx) error {
				tx.Record(concert.NewEvent(concert.EventItemSeconded, concert.House, string(first.ID), s.Now(), concert.ItemBody{Ref: first.Ref}))
				return tx.SaveItems(ctx, its)
			})
		}
		if err := save(first); err != nil {
			t.Fatal(err)
		}
		second.Language = "xx"
		if err := save(second, first); !errors.Is(err, concert.ErrStale) {
			t.Errorf("a row that moved on: %v", err)
		}
		if got := h.Item(items[1].Ref); got.Language == "xx" || got.Version != second.Version {
			t.Error("beside a stale row another was saved")
		}
		for what, read := range map[string]func(*store.Tx) error{
			"item":     func(tx *store.Tx) error { _, err := tx.Item(ctx, "none"); return err },
			"referral": func(tx *store.Tx) error { _, err := tx.Referral(ctx, "none"); return err },
			"person":   func(tx *store.Tx) error { _, err := tx.Person(ctx, "none"); return err },
			"hold":     func(tx *store.Tx) error { _, err := tx.Hold(ctx, "none"); return err },
			"action":   func(tx *store.Tx) error { _, err := tx.Action(ctx, "none"); return err },
		} {
			if err := s.DB.View(ctx, read); !errors.Is(err, concert.ErrNotFound) {
				t.Errorf("a missing %s: %v", what, err)
			}
		}
	})
}

// Places, facts and grounds lie in no table in the clear.
func TestPersonalTextIsSealedAtRest(t *testing.T) {
	t.Parallel()
	address := testkit.Address(t, "sqlite")
	s := testkit.ServiceAt(t, address)
	h := testkit.Furnish(t, s)
	h.Hold(h.South.Officers[0], testkit.Page(77), "EXERCISE held desk", "EXERCISE secret case")
	h.Approved(testkit.Page(1))
	raw := testkit.Raw(t, s)
	if _, err := raw.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ex000001", "ex000077", "made-up video", "would incite", "secret case", "EXERCISE held desk", "EXERCISE logo"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the database file holds %q in the clear", secret)
		}
	}
	if !bytes.Contains(text, []byte("EXERCISE desk North")) {
		t.Error("the file was not read as it is on disk: what is not sealed is not found either")
	}
}

// question is a query of the house with the index that must answer it. The text is what the store's source holds after its
// columns; TestListQueriesWalkTheirIndex sees that it still does.
type question struct {
	about, text, index string
	args               int
}

var questions = []question{
	{"items with a status, all (auditor)", "SELECT i.id FROM item i LEFT JOIN subject_key k ON k.subject = i.id WHERE i.status = ? AND (i.rank, i.id) > (?, ?) ORDER BY i.rank, i.id LIMIT ?", "item_by_status", 4},
	{"items on the finder's desk", "SELECT i.id FROM item i LEFT JOIN subject_key k ON k.subject = i.id WHERE i.authority = ? AND i.author = '' AND i.status = ? AND (i.rank, i.id) > (?, ?) ORDER BY i.rank, i.id LIMIT ?", "item_by_finder", 5},
	{"items on the author's desk", "SELECT i.id FROM item i LEFT JOIN subject_key k ON k.subject = i.id WHERE i.author = ? AND i.author <> '' AND i.status = ? AND (i.rank, i.id) > (?, ?) ORDER BY i.rank, i.id LIMIT ?", "item_by_author", 5},
	{"what may be referred to a provider", "SELECT i.id FROM item i LEFT JOIN subject_key k ON k.subject = i.id WHERE i.provider = ? AND i.status = 'approved' ORDER BY i.rank, i.id LIMIT ?", "item_to_refer", 2},
	{"items at places (duplicates)", "SELECT i.id FROM item i LEFT JOIN subject_key k ON k.subject = i.id WHERE i.place IN (?,?)", "sqlite_autoindex_item", 2},
	{"holds at places", "SELECT id FROM hold WHERE released_at = 0 AND place IN (?,?)", "hold_place", 2},
	{"holds on bytes", "SELECT id FROM hold WHERE released_at = 0 AND content IN (?,?)", "hold_content", 2},
	{"an authority's own holds", "SELECT id FROM hold WHERE authority = ? AND id < ? ORDER BY id DESC LIMIT ?", "hold_authority", 3},
	{"notices due at a provider", "SELECT id FROM delivery WHERE provider = ? AND next_at > 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?", "delivery_due", 3},
	{"a provider's inbox", "SELECT id FROM delivery WHERE provider = ? AND position > ? ORDER BY position LIMIT ?", "delivery_inbox", 3},
	{"notices about a referral", "SELECT id FROM delivery WHERE referral = ? ORDER BY id", "delivery_referral", 1},
	{"clocks that are due", "SELECT kind, subject, due_at, version FROM clock WHERE due_at <= ? ORDER BY due_at LIMIT ?", "clock_due", 2},
	{"a subject's history", "SELECT id FROM event WHERE subject = ? ORDER BY id LIMIT ?", "event_subject", 2},
	{"who read what, newest first (auditor)", "SELECT id FROM event WHERE kind = 'consulted' AND id < ? ORDER BY id DESC LIMIT ?", "event_consulted", 2},
	{"events of one act", "SELECT leaf FROM event WHERE id >= ? AND id <= ? ORDER BY id", "sqlite_autoindex_event", 2},
	{"acts that wait for their place in the log", "SELECT first FROM log_batch WHERE position < 0 ORDER BY first LIMIT ?", "log_pending", 1},
	{"acts in the log's order", "SELECT first FROM log_batch WHERE position >= 0 AND position >= ? ORDER BY position LIMIT ?", "log_position", 2},
	{"who came upon holds", "SELECT a.hold FROM hold_asked a JOIN item i ON i.id = a.item LEFT JOIN referral r ON r.id = i.referral WHERE a.hold IN (?,?) ORDER BY a.hold, a.at, a.item", "sqlite_autoindex_hold_asked", 2},
	{"holds that an authority met lately", "SELECT min(at) FROM hold_asked WHERE authority = ? AND kind = 'dispatch' AND at > ? GROUP BY item ORDER BY 1", "hold_asked_met", 2},
	{"what an authority had referred lately", "SELECT coalesce(sum(items), 0) FROM referral WHERE author = ? AND created_at > ?", "referral_author_time", 2},
	{"holds placed after an item was referred", "SELECT id FROM hold WHERE released_at = 0 AND id IN (SELECT hold FROM hold_asked WHERE item = ? AND kind = 'late') ORDER BY id", "hold_asked_item", 1},
	{"paused authorities", "SELECT authority FROM alarm WHERE kind = ? AND ended_at = 0", "alarm_open", 1},
	{"overrides to review", "SELECT item, authority, at, due_at FROM hold_override WHERE verdict = '' ORDER BY due_at LIMIT ?", "hold_override_open", 1},
	{"a provider's own items", "SELECT i.id FROM item i WHERE i.provider = ? AND i.referral <> '' AND i.id > ? ORDER BY i.id LIMIT ?", "item_of_provider", 3},
	{"messages of a referral's thread", "SELECT q.id FROM question q WHERE q.referral = ? ORDER BY q.id", "question_thread", 1},
	{"threads that wait for an authority", "SELECT t.referral FROM thread t WHERE t.author = ? AND t.waits = ? ORDER BY t.last_id DESC LIMIT ?", "thread_author", 3},
	{"threads that wait for a provider", "SELECT t.referral FROM thread t WHERE t.provider = ? AND t.waits = ? ORDER BY t.last_id DESC LIMIT ?", "thread_provider", 3},
	{"an action's running numbers", "SELECT side, metric, sum(n) FROM tally WHERE action = ? GROUP BY side, metric", "sqlite_autoindex_tally", 1},
	{"what a person opened since then", "SELECT id FROM reveal WHERE person = ? AND opened_at >= ? ORDER BY opened_at DESC", "reveal_person", 2},
}

func TestListQueriesWalkTheirIndex(t *testing.T) {
	t.Parallel()
	s := testkit.Service(t, "sqlite")
	raw := testkit.Raw(t, s)
	source := storeSource(t)
	var doc strings.Builder
	doc.WriteString("# How the queries are answered\n\nEach list is a walk along one index, so that no page grows slower with the table. These are SQLite's own plans (`EXPLAIN QUERY PLAN`) on the schema as migrated;\na test writes and checks them (`go test ./internal/store/ -run TestListQueriesWalkTheirIndex -update`). Names that begin with `sqlite_autoindex` are the indexes of primary\nkeys and unique columns.\n\n| question | condition and order | plan |\n|---|---|---|\n")
	for _, q := range questions {
		_, condition, _ := strings.Cut(q.text, "WHERE ")
		if !strings.Contains(source, normal(condition)) && !inParts(source, condition) {
			t.Errorf("%s: the store no longer asks %q: bring the question up to date", q.about, condition)
		}
		rows, err := raw.Query("EXPLAIN QUERY PLAN "+q.text, make([]any, q.args)...)
		if err != nil {
			t.Fatalf("%s: %v", q.about, err)
		}
		var steps []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, detail)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(steps, "; ")
		if !strings.Contains(plan, q.index) || strings.Contains(plan, "TEMP B-TREE") && q.index != "delivery_referral" && q.index != "delivery_due" && q.index != "hold_asked_met" && !strings.Contains(q.index, "autoindex_hold_asked") || strings.Contains(plan, "SCAN") && q.index != "log_pending" && q.index != "hold_override_open" {
			t.Errorf("%s is not a walk along %s: %s", q.about, q.index, plan)
		}
		fmt.Fprintf(&doc, "| %s | `%s` | %s |\n", q.about, condition, plan)
	}
	const name = "../../docs/queries.md"
	if *update {
		if err := os.WriteFile(name, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have, err := os.ReadFile(name); err != nil || string(have) != doc.String() {
		t.Errorf("docs/queries.md is not what the database says (%v); write it anew with: go test ./internal/store/ -run TestListQueriesWalkTheirIndex -update\n%s", err, cmp.Diff(string(have), doc.String()))
	}
}

func normal(s string) string { return strings.Join(strings.Fields(s), " ") }

// storeSource is the text of the package, its strings joined where they are added up.
func storeSource(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			text, err := os.ReadFile(e.Name())
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
	}
	return normal(strings.ReplaceAll(b.String(), "%s", "?,?"))
}

// inParts sees a condition that the store puts together: each part up to a cursor, an order or a limit stands in its source.
func inParts(source, condition string) bool {
	for _, part := range regexp.MustCompile(` AND \(i\.rank| AND id <| ORDER BY`).Split(condition, -1) {
		if !strings.Contains(source, strings.TrimSpace(part)) {
			return false
		}
	}
	return true
}
