package testkit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"concert/internal/casework"
	"concert/internal/vault"
)

// Bag is a sealed exhibit on this disk, made up, with its giver's key.
type Bag struct {
	Dir      string
	Manifest string // SHA-256, in hexadecimal
	key      *vault.Key
}

// Seal makes a sealed exhibit of one made-up file.
func Seal(t testing.TB) *Bag {
	t.Helper()
	dir := t.TempDir()
	Must(t, os.WriteFile(filepath.Join(dir, "access.log"), []byte("EXERCISE\n"), 0o600))
	key, err := vault.NewKey(filepath.Join(dir, "giver.pem"))
	Must(t, err)
	b := &Bag{Dir: filepath.Join(dir, "bag"), key: key}
	s, err := vault.SealEvidence(t.Context(), vault.SealJob{Sources: []string{filepath.Join(dir, "access.log")}, Bag: b.Dir, Case: "EXERCISE", By: "EXERCISE Officer", Reason: "EXERCISE", Program: "test", Key: key, Now: time.Now, Workers: 1})
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

// Receive writes the receipt, signed with a key of the receiver's own.
func (b *Bag) Receive(t testing.TB) {
	t.Helper()
	key, err := vault.NewKey(filepath.Join(t.TempDir(), "receiver.pem"))
	Must(t, err)
	b.write(t, key, func(log *vault.CustodyLog) error {
		_, _, err := vault.Receive(log, vault.Custody{At: now(), By: "EXERCISE Receiver"})
		return err
	})
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// Pseudonyms is a locked table of pseudonyms of three custodians, of whom two open
// it together, with their keys.
func Pseudonyms(t testing.TB) (locked []byte, keys []*age.X25519Identity) {
	t.Helper()
	dir := t.TempDir()
	Must(t, os.WriteFile(filepath.Join(dir, "pseudonyms.tsv"), []byte("EXERCISE\n"), 0o600))
	job := vault.LockJob{Dir: dir, Out: filepath.Join(t.TempDir(), "pseudonyms.locked"), Case: "EXERCISE", Exhibit: "EXERCISE", By: "EXERCISE Analyst", At: time.Now(), Needed: 2}
	for _, name := range []string{"EXERCISE Ada", "EXERCISE Ben", "EXERCISE Cyd"} {
		key, err := age.GenerateX25519Identity()
		Must(t, err)
		keys = append(keys, key)
		job.Custodians = append(job.Custodians, vault.Custodian{Name: name, Recipient: key.Recipient().String()})
	}
	_, err := vault.LockExhibit(t.Context(), job)
	Must(t, err)
	locked, err = os.ReadFile(job.Out)
	Must(t, err)
	return locked, keys
}
