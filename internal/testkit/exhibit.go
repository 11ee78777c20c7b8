package testkit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"concert/internal/casework"
	"concert/internal/vault"
)

// Bag is a sealed exhibit on this disk, made up, with its holder's key.
type Bag struct {
	Dir      string
	Manifest string     // SHA-256, in hexadecimal
	key      *vault.Key // of who holds it
}

// Seal makes a sealed exhibit of one made-up file.
func Seal(t testing.TB) *Bag {
	t.Helper()
	return SealFiles(t, t.TempDir(), map[string][]byte{"access.log": []byte("EXERCISE\n")})
}

// SealFiles makes a sealed exhibit of a made-up server with these files, as the
// directory bag in one that is there; their paths in the manifest begin with
// data/server/.
func SealFiles(t testing.TB, in string, files map[string][]byte) *Bag {
	t.Helper()
	source := filepath.Join(t.TempDir(), "server")
	for name, content := range files {
		path := filepath.Join(source, filepath.FromSlash(name))
		Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		Must(t, os.WriteFile(path, content, 0o600))
	}
	key, err := vault.NewKey(filepath.Join(t.TempDir(), "giver.pem"))
	Must(t, err)
	b := &Bag{Dir: filepath.Join(in, "bag"), key: key}
	s, err := vault.SealEvidence(t.Context(), vault.SealJob{Sources: []string{source}, Bag: b.Dir, Case: "EXERCISE", By: "EXERCISE Officer", Reason: "EXERCISE", Program: "test", Key: key, Now: time.Now, Workers: 1})
	Must(t, err)
	b.Manifest = s.Digest
	t.Cleanup(func() {
		// A bag is closed; what is to be removed is opened first.
		Must(t, filepath.WalkDir(b.Dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		}))
	})
	return b
}

// Copy makes a working copy of the bag, a directory that is not there yet.
func (b *Bag) Copy(t testing.TB, dir string) {
	t.Helper()
	_, _, err := vault.CopyEvidence(t.Context(), b.Dir, dir, "EXERCISE Officer", time.Now(), nil)
	Must(t, err)
}

// LogCanaries are what identifies a person in SeizedLog: addresses, names, tokens.
var LogCanaries = []string{"203.0.113.77", "2001:db8:77::77", "exercisecanary", "s3cr3tc4n4ryt0k3n", "canary@example.org", "canary%40example.org", "canaryname", "canaryagent", "203-0-113-77"}

// SeizedLog is a made-up access log of so many visitors, with canaries wherever a
// log can hold them.
func SeizedLog(visitors int) []byte {
	var b strings.Builder
	for i := range visitors {
		fmt.Fprintf(&b, "198.51.100.%d - - [10/Jun/2017:%02d:55:37 +0200] \"GET /en/film%d.mp4 HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11) Firefox/50.0\"\n", i%250+1, i%24, i%7, 1000+i)
	}
	b.WriteString(`203.0.113.77 - exercisecanary [10/Jun/2017:13:55:37 +0200] "GET /a/203.0.113.77/b?token=s3cr3tc4n4ryt0k3n HTTP/1.1" 200 5 "https://exercisecanary:x@host-203-0-113-77.example.org/u/canaryname?mail=canary@example.org" "canaryagent canary@example.org 203.0.113.77"
2001:db8:77::77 - - [10/Jun/2017:13:55:37 +0200] "GET /mail/canary%40example.org/x HTTP/1.1" 404 5 "http://203.0.113.77/" "Mozilla/5.0"
203.0.113.77 - - [10/Jun/2017:13:55:38 +0200] "GET /users/canaryname?utm_campaign=canary@example.org HTTP/1.1" 200 5 "-" "Mozilla/5.0"
203.0.113.77 exercisecanary rejected canary@example.org s3cr3tc4n4ryt0k3n

`)
	return []byte(b.String())
}

// Files are the bag's custody log and head as they stand.
func (b *Bag) Files(t testing.TB) casework.CustodyFiles {
	t.Helper()
	f := casework.CustodyFiles{Manifest: b.Manifest}
	var err error
	f.Log, err = os.ReadFile(filepath.Join(b.Dir, "custody.jsonl"))
	Must(t, err)
	f.Head, err = os.ReadFile(filepath.Join(b.Dir, "custody-head.json"))
	Must(t, err)
	return f
}

func (b *Bag) write(t testing.TB, key *vault.Key, act func(*vault.CustodyLog) error) {
	t.Helper()
	log, err := vault.OpenCustody(b.Dir, key)
	Must(t, err)
	Must(t, act(log))
	Must(t, log.Close())
}

// Hand writes and signs a handing over.
func (b *Bag) Hand(t testing.TB) {
	t.Helper()
	b.write(t, b.key, func(log *vault.CustodyLog) error {
		_, err := vault.HandOver(log, vault.Custody{At: now(), By: "EXERCISE Giver", To: "EXERCISE Receiver"})
		return err
	})
}

// Receive writes the receipt, signed with a key of the receiver's own, which signs
// what is recorded from then on.
func (b *Bag) Receive(t testing.TB) {
	t.Helper()
	var err error
	b.key, err = vault.NewKey(filepath.Join(t.TempDir(), "receiver.pem"))
	Must(t, err)
	b.write(t, b.key, func(log *vault.CustodyLog) error {
		_, _, err := vault.Receive(log, vault.Custody{At: now(), By: "EXERCISE Receiver"})
		return err
	})
}

// Verify records that the bag was verified.
func (b *Bag) Verify(t testing.TB) {
	t.Helper()
	b.write(t, b.key, func(log *vault.CustodyLog) error {
		_, _, err := log.Add(vault.Custody{At: now(), Act: vault.ActVerified, By: "EXERCISE Nobody", Reason: "EXERCISE", Outcome: "valid"})
		return err
	})
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// Whom the made-up pseudonyms stand for.
const (
	AddressPseudonym = "000102030405060708090a0b0c0d0e0f"
	SeizedAddress    = "203.0.113.77"
	UserPseudonym    = "ff0102030405060708090a0b0c0d0e0f"
	SeizedUser       = "EXERCISE-ADMINISTRATOR"
)

// Pseudonyms is a locked table of two pseudonyms and of three custodians, of whom two
// open it together, with their keys.
func Pseudonyms(t testing.TB) (locked []byte, keys []*age.X25519Identity) {
	t.Helper()
	job := vault.LockJob{Out: vault.FilePlace(filepath.Join(t.TempDir(), "pseudonyms.locked")), Case: "EXERCISE", Exhibit: "EXERCISE", By: "EXERCISE Analyst", At: time.Now(), Needed: 2}
	for _, name := range []string{"EXERCISE Ada", "EXERCISE Ben", "EXERCISE Cyd"} {
		key, err := age.GenerateX25519Identity()
		Must(t, err)
		keys = append(keys, key)
		job.Custodians = append(job.Custodians, vault.Custodian{Name: name, Recipient: key.Recipient().String()})
	}
	known := []vault.Identified{{Pseudonym: AddressPseudonym, Kind: "address", Plain: SeizedAddress}, {Pseudonym: UserPseudonym, Kind: "user", Plain: SeizedUser}}
	_, err := vault.LockPseudonyms(t.Context(), job, vault.PseudonymKey{Case: "EXERCISE", Epoch: "1", Key: make([]byte, 32)}, slices.Values(known))
	Must(t, err)
	locked, err = os.ReadFile(job.Out.String())
	Must(t, err)
	return locked, keys
}

// Share is a custodian's share of a locked table, given to a request's key.
func Share(t testing.TB, locked []byte, key *age.X25519Identity, to string) []byte {
	t.Helper()
	lock, err := vault.ParseLock(locked)
	Must(t, err)
	g, err := vault.GiveShare(lock, []age.Identity{key}, to, "EXERCISE", time.Now())
	Must(t, err)
	raw, err := json.Marshal(g)
	Must(t, err)
	return raw
}
