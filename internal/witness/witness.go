package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert/internal/durable"
	"concert/tlog"
)

// KeyFile is the name of the witness's signing key in its directory.
const KeyFile = "witness.key"

// againAfter is how old a cosignature is before the same checkpoint gets a newer
// one: anybody can ask for it again, and each is a write.
const againAfter = time.Minute

// Init makes a witness: its directory, where that is missing, and its signing
// key. It returns the key to publish. A directory that holds a witness already
// is left as it is and refused.
func Init(dir, name string) (vkey string, err error) {
	skey, _, err := tlog.GenerateKey(name)
	if err != nil {
		return "", err
	}
	c, err := tlog.NewCosigner(skey, time.Now)
	if err != nil {
		return "", err
	}
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return c.Verifier().String(), durable.CreateExclusive(filepath.Join(dir, KeyFile), []byte(skey+"\n"), 0o600)
}

// Witness is a witness at work. Make one with [Open], end it with [Witness.Close].
type Witness struct {
	cosigner *tlog.Cosigner
	now      func() time.Time
	lock     *durable.Lock
	logs     map[string]*watched // by origin
}

// Seen is what a witness knows of one log.
type Seen struct {
	Origin     string
	Keys       []string  // of the log, as they were given
	Head       tlog.Head // that it cosigned last
	Checkpoint string    // the same as a note with both signatures, "" for none
	At         time.Time // of that cosignature
	Cosigned   int64     // how often since it runs
	Refused    []Refusal // what it would not cosign for its history, newest last
}

// watched is one log with the witness's memory of it.
type watched struct {
	origin string
	vkeys  []string
	keys   []note.Verifier
	path   string // of its files, without the ending

	mu       sync.Mutex // guards all below, and the files
	head     tlog.Head
	signed   string // by the log and by us
	line     string // our cosignature in it
	at       time.Time
	cosigned int64
	history  *history
	refused  []Refusal
}

// Open opens a witness's directory for the logs with these keys; several keys of
// one name are one log's. now gives the times that cosignatures state. What
// stands on the disk must be what this witness wrote: otherwise nothing is
// opened.
func Open(dir string, logKeys []string, now func() time.Time) (*Witness, error) {
	skey, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no witness (%s is missing): make one with: concert witness init -data %s -name NAME", dir, KeyFile, dir)
	}
	if err != nil {
		return nil, err
	}
	w := &Witness{now: now, logs: map[string]*watched{}}
	if w.cosigner, err = tlog.NewCosigner(string(skey), now); err != nil {
		return nil, fmt.Errorf("%s: %w", KeyFile, err)
	}
	if err := w.watch(dir, logKeys); err != nil {
		return nil, err
	}
	if w.lock, err = durable.LockDir(dir); err != nil {
		return nil, err
	}
	_, err = durable.Sweep(dir)
	for _, l := range w.logs {
		err = errors.Join(err, l.load(w.cosigner.Verifier()))
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// watch sets up the logs by their keys.
func (w *Witness) watch(dir string, logKeys []string) error {
	if len(logKeys) == 0 {
		return errors.New("a witness needs at least one log to watch: give the key that its operator published")
	}
	for _, k := range logKeys {
		v, err := tlog.NewVerifier(k)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		if _, witness := v.(*tlog.CosignatureVerifier); witness {
			return fmt.Errorf("log %s: this is the key of a witness; the log's own is on its page /log", v.Name())
		}
		l := w.logs[v.Name()]
		if l == nil {
			sum := sha256.Sum256([]byte(v.Name()))
			l = &watched{origin: v.Name(), head: tlog.Empty(), path: filepath.Join(dir, hex.EncodeToString(sum[:8]))}
			w.logs[v.Name()] = l
		}
		if !slices.ContainsFunc(l.keys, func(k note.Verifier) bool { return k.KeyHash() == v.KeyHash() }) {
			l.keys, l.vkeys = append(l.keys, v), append(l.vkeys, strings.TrimSpace(k))
		}
	}
	return nil
}

// Close gives the directory back.
func (w *Witness) Close() error {
	var err error
	for _, l := range w.logs {
		l.mu.Lock()
		if l.history != nil {
			err = errors.Join(err, l.history.close())
		}
		l.mu.Unlock()
	}
	return errors.Join(err, w.lock.Unlock())
}

// Name is the witness's name.
func (w *Witness) Name() string { return w.cosigner.Name() }

// Key is the witness's public key, to be pinned.
func (w *Witness) Key() string { return w.cosigner.Verifier().String() }

// Seen is what it knows of each log, by name.
func (w *Witness) Seen() []Seen {
	var out []Seen
	for _, origin := range slices.Sorted(maps.Keys(w.logs)) {
		out = append(out, w.logs[origin].seen())
	}
	return out
}

func (l *watched) seen() Seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Seen{Origin: l.origin, Keys: l.vkeys, Head: l.head, Checkpoint: l.signed, At: l.at, Cosigned: l.cosigned, Refused: slices.Clone(l.refused)}
}

// Add judges the body of an add-checkpoint request and returns the signature
// line that answers it. A [*tlog.WitnessRefusal] is what the protocol has an
// answer for; any other error is the witness's own trouble.
func (w *Witness) Add(body []byte) (line string, err error) {
	a, err := tlog.ParseAddCheckpoint(body)
	if err != nil {
		return "", &tlog.WitnessRefusal{Status: 400, Err: err}
	}
	origin, err := a.Origin()
	if err != nil {
		return "", &tlog.WitnessRefusal{Status: 400, Err: err}
	}
	l := w.logs[origin]
	if l == nil {
		return "", &tlog.WitnessRefusal{Status: 404, Err: fmt.Errorf("%w: this witness does not watch %.200q", tlog.ErrOrigin, origin)}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c, signed, err := a.Decide(l.head, note.VerifierList(l.keys...))
	if err != nil {
		return "", errors.Join(err, l.refuse(err, w.now()))
	}
	if c.Head == l.head && l.line != "" && w.now().Sub(l.at) < againAfter && strings.HasPrefix(l.signed, c.Marshal()+"\n") {
		return l.line, nil
	}
	cosigned, line, err := w.cosigner.Cosign(signed)
	if err != nil {
		return "", err
	}
	at, err := cosignedAt(signed, line, w.cosigner.Verifier())
	if err != nil {
		return "", err
	}
	if err := durable.WriteFile(l.path+".checkpoint", cosigned, 0o600); err != nil {
		return "", err
	}
	l.head, l.signed, l.line, l.at = c.Head, string(cosigned), line, at
	l.cosigned++
	return line, errors.Join(l.history.add(entry{Size: c.Size, At: at, Checkpoint: string(cosigned)}), l.settle(c.Head))
}

// cosignedAt reads the time back from a line of ours.
func cosignedAt(signed []byte, line string, v *tlog.CosignatureVerifier) (time.Time, error) {
	_, by, err := tlog.ReadCosignatures(signed, []byte(line), note.VerifierList(v))
	if err != nil {
		return time.Time{}, err
	}
	return by[0].Time, nil
}

// load reads what the witness remembers of the log.
func (l *watched) load(self *tlog.CosignatureVerifier) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, err := os.ReadFile(l.path + ".checkpoint")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		known := note.VerifierList(append(slices.Clone(l.keys), note.Verifier(self))...)
		c, n, err := tlog.OpenCheckpoint(text, l.origin, known)
		if err != nil {
			return fmt.Errorf("%s.checkpoint: %w; it is what this witness remembers of the log: put it back as it was, with the keys that it was cosigned under", l.path, err)
		}
		by := tlog.Cosignatures(n, note.VerifierList(self))
		if len(by) != 1 {
			return fmt.Errorf("%s.checkpoint: it bears no cosignature of %s: it belongs to another witness's key", l.path, self.Name())
		}
		l.head, l.signed, l.at = c.Head, string(text), by[0].Time
		if l.line, _, err = tlog.ReadCosignatures(text, []byte(lastLine(l.signed)), note.VerifierList(self)); err != nil {
			return fmt.Errorf("%s.checkpoint: %w", l.path, err)
		}
	}
	if l.history, err = openHistory(l.path + ".history"); err != nil {
		return err
	}
	// A process that was killed may have kept the checkpoint and not its place in the history.
	if last := l.history.last(); l.signed != "" && last.Checkpoint != l.signed {
		if err := l.history.add(entry{Size: l.head.Size, At: l.at, Checkpoint: l.signed}); err != nil {
			return err
		}
	}
	l.refused, err = readRefused(l.path + ".refused")
	return err
}

// lastLine is a text's last line with its newline.
func lastLine(text string) string {
	return text[strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n')+1:]
}
