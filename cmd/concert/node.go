package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/dispatch"
	"concert/internal/durable"
	"concert/internal/identity"
	"concert/internal/lookup"
	"concert/internal/match"
	"concert/internal/netguard"
	"concert/internal/store"
	"concert/internal/vault"
	"concert/tlog"
)

// The files of a data directory. Back up the keys apart from the database.
const (
	masterFile    = "master.key"    // 32 bytes in hex: everything sealed is under it
	transportFile = "transport.key" // signs as the one who carries
	logFile       = "log.key"       // signs the log's head
	originFile    = "origin"        // names the deployment and its log for ever
	exerciseMark  = "EXERCISE"      // made by exercise: never served live
	knownDir      = "known"         // the index of known hashes, a cache of the database; each node has its own
	capturesDir   = "captures"      // captured bytes that are too large for a row, sealed; nodes of one deployment share it
)

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// makeKeys writes a new data directory's keys; it overwrites nothing.
func makeKeys(dir, origin string) error {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var master [32]byte
	rand.Read(master[:])
	logKey, _, err := tlog.GenerateKey(origin)
	if err != nil {
		return fmt.Errorf("log key: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{masterFile, []byte(hex.EncodeToString(master[:]) + "\n")},
		{transportFile, identity.MarshalSigningKey(identity.NewSigningKey())},
		{logFile, []byte(logKey + "\n")},
		{originFile, []byte(origin + "\n")},
	} {
		if err := durable.CreateExclusive(filepath.Join(dir, f.name), f.data, 0o600); err != nil {
			return fmt.Errorf("%w; this directory holds a deployment already: choose another with -data", err)
		}
	}
	return nil
}

// keys is what a data directory holds beside the database.
type keys struct {
	ring      *identity.KeyRing
	transport ed25519.PrivateKey
	log       string
	origin    string
	exercise  bool
	role      string
}

// A data directory has one role for ever: that of a provider's own desk, where a file
// says so, or that of a deployment of authorities.
const (
	roleFile      = "role"
	roleAuthority = "authority"
	roleProvider  = "provider"
)

// playing refuses a data directory of another role.
func (k keys) playing(dir, role string) error {
	switch {
	case k.role == role:
		return nil
	case k.role == roleProvider:
		return fmt.Errorf("%s is a provider's own desk: serve it with: concert serve -role provider -data %s", dir, dir)
	}
	return fmt.Errorf("%s is a deployment of authorities and no provider's desk: make one in another directory with: concert init -role provider -data DIR -name NAME -login LOGIN -country XX", dir)
}

func (k keys) public() ed25519.PublicKey { return k.transport.Public().(ed25519.PublicKey) }

func readKeys(dir string) (keys, error) {
	var k keys
	text := map[string]string{}
	for _, name := range []string{masterFile, transportFile, logFile, originFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return k, fmt.Errorf("%s is no data directory (%s is missing): make one with: concert init -data %s", dir, name, dir)
		}
		if err != nil {
			return k, err
		}
		text[name] = strings.TrimSpace(string(b))
	}
	master, err := hex.DecodeString(text[masterFile])
	if err != nil {
		return k, fmt.Errorf("%s: %w", masterFile, err)
	}
	if k.ring, err = identity.NewKeyRing(master); err != nil {
		return k, fmt.Errorf("%s: %w", masterFile, err)
	}
	if k.transport, err = identity.ParseSigningKey([]byte(text[transportFile] + "\n")); err != nil {
		return k, fmt.Errorf("%s: %w", transportFile, err)
	}
	k.log, k.origin = text[logFile], text[originFile]
	_, err = os.Stat(filepath.Join(dir, exerciseMark))
	k.exercise = err == nil
	k.role = roleAuthority
	switch b, err := os.ReadFile(filepath.Join(dir, roleFile)); {
	case err == nil && strings.TrimSpace(string(b)) == roleProvider:
		k.role = roleProvider
	case err == nil:
		return k, fmt.Errorf("%s says %.40q: it says %s or is not there", filepath.Join(dir, roleFile), strings.TrimSpace(string(b)), roleProvider)
	case !errors.Is(err, fs.ErrNotExist):
		return k, err
	}
	return k, nil
}

// address is the database's: a plain name lies in the data directory.
func (p place) address() string {
	if strings.Contains(p.Database, "://") || filepath.IsAbs(p.Database) {
		return p.Database
	}
	return filepath.Join(p.Data, p.Database)
}

// shared reports whether other nodes may serve the same database.
func (p place) shared() bool { return strings.Contains(p.Database, "://") }

// open opens a deployment: keys, database, acts. guard says what the house may
// reach outside.
func (p place) open(ctx context.Context, log *slog.Logger, guard netguard.Guard, cheap bool) (*casework.Service, error) {
	k, err := readKeys(p.Data)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, p.address(), k.ring)
	if err != nil {
		return nil, err
	}
	if err := casework.Finished(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s, err := p.service(ctx, db, k, log, guard, cheap)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (p place) service(ctx context.Context, db *store.DB, k keys, log *slog.Logger, guard netguard.Guard, cheap bool) (*casework.Service, error) {
	if err := sameMark(ctx, db, k); err != nil {
		return nil, err
	}
	signer, err := tlog.NewSigner(k.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", logFile, err)
	}
	logKey, err := tlog.VerifierKey(k.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", logFile, err)
	}
	kept, err := p.kept(k.origin, logKey)
	if err != nil {
		return nil, err
	}
	params := identity.DefaultParams()
	if cheap {
		params = identity.ExerciseParams()
	}
	hasher, err := identity.NewHasher(params, 2)
	if err != nil {
		return nil, err
	}
	captures, err := vault.OpenDir(filepath.Join(p.Data, capturesDir))
	if err != nil {
		return nil, err
	}
	agent := "Concert/" + version() + " (referral follow-up)"
	policy := concert.FactorRequired
	if k.exercise {
		policy = concert.FactorOffered // so that its links open straight away
	}
	return &casework.Service{
		SecondFactor: policy,
		DB:           db, Rules: match.DefaultRules(), Hasher: hasher, Transport: k.transport, LogSigner: signer, LogKey: logKey, Origin: k.origin, Exercise: k.exercise, Log: log, Kept: kept, Vault: captures, Children: children(), Printers: printers(), KnownDir: filepath.Join(p.Data, knownDir),
		Channel: dispatch.NewWebhook(dispatch.WebhookOptions{Guard: guard, UserAgent: agent}),
		Lookup:  lookup.New(lookup.Options{Guard: guard, UserAgent: agent, MaxConnsPerHost: 8}),
	}, nil
}

// The database knows whose it is: an exercise's and a live one never mix, and
// keys of another deployment are refused before they fail in the middle.
const (
	metaOrigin   = "origin"
	metaExercise = "exercise"
)

func sameMark(ctx context.Context, db *store.DB, k keys) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		origin, err := tx.Meta(ctx, metaOrigin)
		if err != nil {
			return err
		}
		mark := fmt.Sprint(k.exercise)
		if origin == "" {
			if err := tx.SetMeta(ctx, metaOrigin, k.origin); err != nil {
				return err
			}
			return tx.SetMeta(ctx, metaExercise, mark)
		}
		if origin != k.origin {
			return fmt.Errorf("the database belongs to %q, this data directory to %q: use the data directory it was made with", origin, k.origin)
		}
		was, err := tx.Meta(ctx, metaExercise)
		if err != nil {
			return err
		}
		if was != mark {
			return errors.New("the database and the data directory do not agree whether this is an exercise: a live deployment and an exercise never share one")
		}
		return nil
	})
}

// operator is who runs the commands on the machine itself: it registers
// parties and people, and like any administrator judges nothing.
var operator = concert.Actor{Person: "operator", Operator: "operator", Roles: []concert.Role{concert.RoleAdministrator}}
