package testkit

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/lookup"
	"concert/internal/match"
	"concert/internal/netguard"
	"concert/internal/store"
	"concert/internal/vault"
	"concert/tlog"
)

// both are the two that every claim about data is tested on.
var both = [...]string{"sqlite", "postgres"}

// metaAddress is the name under which a test's database remembers its own address, for Raw.
const metaAddress = "testkit.address"

// metaCaptures is where the directory of its captures is remembered, which its nodes share.
const metaCaptures = "testkit.captures"

// waitMost bounds how long a test waits for what the house does by itself.
const waitMost = 45 * time.Second

// Ring is the key ring of every test's deployment.
func Ring(t testing.TB) *identity.KeyRing {
	t.Helper()
	ring, err := identity.NewKeyRing(bytes.Repeat([]byte{7}, 32))
	Must(t, err)
	return ring
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// migratedText is a migrated SQLite file, made once a process: a copy spares every test the migration.
var migratedText = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "concert-migrated-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ring, err := identity.NewKeyRing(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "concert.db")
	db, err := store.Open(context.Background(), file, ring)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func migratedFile(t testing.TB) string {
	t.Helper()
	text, err := migratedText()
	Must(t, err)
	file := filepath.Join(t.TempDir(), "concert.db")
	Must(t, os.WriteFile(file, text, 0o600))
	return file
}

// Address is the address of a fresh database that ends with the test: for "sqlite" a file that does not exist yet, for
// "migrated" a copy of a migrated one, for "postgres" a clone of a migrated one.
func Address(t testing.TB, database string) string {
	t.Helper()
	switch database {
	case "sqlite":
		return filepath.Join(t.TempDir(), "concert.db")
	case "migrated":
		return migratedFile(t)
	case "postgres":
		ring := Ring(t)
		return PostgresFrom(t, "concert", func(dsn string) error {
			db, err := store.Open(context.Background(), dsn, ring)
			if err != nil {
				return err
			}
			return db.Close()
		})
	}
	t.Fatalf("database %q: use sqlite or postgres", database)
	return ""
}

// Open opens the database at the address and closes it when the test ends.
func Open(t testing.TB, address string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), address, Ring(t))
	Must(t, err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// Service is a whole service on a fresh migrated database: "sqlite" or "postgres". It is an EXERCISE, reaches loopback only,
// and its case time is the wall's; nothing runs in it until Run.
func Service(t testing.TB, database string) *casework.Service {
	t.Helper()
	if database == "sqlite" {
		database = "migrated"
	}
	return ServiceAt(t, Address(t, database))
}

// ServiceAt is a service on the database at the address: two on one address are two nodes of one deployment, each with the same
// log key.
func ServiceAt(t testing.TB, address string) *casework.Service {
	t.Helper()
	db := Open(t, address)
	hasher, err := identity.NewHasher(identity.ExerciseParams(), 2)
	Must(t, err)
	s := &casework.Service{DB: db, Rules: match.DefaultRules(), Hasher: hasher, Origin: "exercise.example/log", BaseURL: "https://concert.example",
		Vantage: "EXERCISE", Exercise: true, SecondFactor: concert.FactorOffered, Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	var logKey, transport, captures string
	Must(t, db.Update(t.Context(), func(tx *store.Tx) error {
		for name, fresh := range map[string]func() (string, error){
			metaAddress:         func() (string, error) { return address, nil },
			metaCaptures:        func() (string, error) { return filepath.Join(t.TempDir(), "captures"), nil },
			"testkit.log":       func() (string, error) { k, _, err := tlog.GenerateKey(s.Origin); return k, err },
			"testkit.transport": func() (string, error) { return string(identity.MarshalSigningKey(identity.NewSigningKey())), nil },
		} {
			have, err := tx.Meta(t.Context(), name)
			if err != nil || have != "" {
				return err
			}
			v, err := fresh()
			if err != nil {
				return err
			}
			if err := tx.SetMeta(t.Context(), name, v); err != nil {
				return err
			}
		}
		return nil
	}))
	Must(t, db.View(t.Context(), func(tx *store.Tx) error {
		if logKey, err = tx.Meta(t.Context(), "testkit.log"); err != nil {
			return err
		}
		if captures, err = tx.Meta(t.Context(), metaCaptures); err != nil {
			return err
		}
		transport, err = tx.Meta(t.Context(), "testkit.transport")
		return err
	}))
	s.Vault, err = vault.OpenDir(captures)
	Must(t, err)
	s.Transport, err = identity.ParseSigningKey([]byte(transport))
	Must(t, err)
	s.LogSigner, err = tlog.NewSigner(logKey)
	Must(t, err)
	s.LogKey, err = tlog.VerifierKey(logKey)
	Must(t, err)
	guard := netguard.Only(netguard.Loopback()...)
	hook := dispatch.NewWebhook(dispatch.WebhookOptions{Guard: guard, UserAgent: "Concert/test"})
	look := lookup.New(lookup.Options{Guard: guard, UserAgent: "Concert/test"})
	t.Cleanup(func() { hook.Close(); look.Close() })
	s.Channel, s.Lookup = hook, look
	return s
}

// EachDatabase runs the test once on SQLite and once on PostgreSQL, each on a fresh service.
func EachDatabase(t *testing.T, fn func(t *testing.T, s *casework.Service)) {
	t.Helper()
	for _, database := range both {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			fn(t, Service(t, database))
		})
	}
}

// AddressOf is where a service's database lies.
func AddressOf(t testing.TB, s *casework.Service) string {
	t.Helper()
	var address string
	Must(t, s.DB.View(t.Context(), func(tx *store.Tx) error {
		var err error
		address, err = tx.Meta(t.Context(), metaAddress)
		return err
	}))
	return address
}

// Raw is a connection past the house, as a thief or a careless administrator would have: for tests of what the tables themselves
// refuse, and of what an audit finds.
func Raw(t testing.TB, s *casework.Service) *sql.DB {
	t.Helper()
	address := AddressOf(t, s)
	driver, dsn := "sqlite", "file:"+address+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(ON)"
	if strings.HasPrefix(address, "postgres") {
		driver, dsn = "pgx", address
	}
	db, err := sql.Open(driver, dsn)
	Must(t, err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the raw connection: %v", err)
		}
	})
	return db
}

// Run lets the service do on its own what nobody asks for, until stop is called or the test ends; stop waits for the end.
func Run(t testing.TB, s *casework.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the service's own work ended: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// Await polls until the condition holds, and ends the test when it does not hold in time; what says what was awaited.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(waitMost)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", waitMost, what)
		}
		<-tick.C
	}
}

// testWriter writes a service's own log into the test's.
type testWriter struct{ t testing.TB }

var _ io.Writer = testWriter{}

// Write logs one line.
func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
