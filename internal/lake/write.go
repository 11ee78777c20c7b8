package lake

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/durable"
	"concert/internal/vault"
)

// Job is a lake to be made.
type Job struct {
	Dir     string            // must not exist, or be empty
	Paths   []string          // logs, as accesslog.Analyse takes them; not standard input
	Log     accesslog.Options // Key, Known, Block, Found and Ended are the lake's own
	Case    string            // letters, digits, dots, hyphens, underscores
	Epoch   string            // which of the case's keys this is; free text without names
	Key     []byte            // of the pseudonyms, as OpenPseudonymKey gave it back; nil: one is drawn
	By      string
	Program string // with its version
	Sign    *vault.Key
	Now     time.Time

	Custodians []vault.Custodian // who together open the list of pseudonyms
	Needed     int
	List       string // where the locked list goes; empty: pseudonyms.locked in Dir

	stretch int // 0: stretch; smaller in tests
}

// Made is a lake that was made.
type Made struct {
	Lake
	Report *accesslog.Report
	Lock   vault.Lock
}

// KeyCheck tells two keys apart without saying anything of either: HMAC-SHA-256
// under the key of a text that stands for nobody, 16 hexadecimal digits.
func KeyCheck(key []byte, caseID, epoch string) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "concert-lake/1 key check\x00%s\x00%s", caseID, epoch)
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Write reads logs once and makes a lake of them: parts first, then the locked list
// of pseudonyms, the signature, and the manifest at last, so that there is a lake
// whole or none. What an error leaves behind is taken away again; what a crash
// leaves has no manifest. The key is nowhere once it returns but in the list.
func Write(ctx context.Context, j Job) (_ *Made, err error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	var key [accesslog.KeySize]byte
	defer clear(key[:])
	if j.Key != nil {
		copy(key[:], j.Key)
	} else {
		rand.Read(key[:])
	}
	if err := durable.MkdirAll(j.Dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.undo())
		}
	}()
	o := j.Log
	if o.Now.IsZero() {
		o.Now = j.Now
	}
	w := newWriter(j.Dir, j.Case, o.Now.Add(24*time.Hour).Unix())
	w.stretch = cmp.Or(j.stretch, stretch)
	known := &identities{of: map[accesslog.Pseudonym]accesslog.Identified{}}
	reading, stop := context.WithCancel(ctx)
	sums := &digests{began: time.Now()}
	defer sums.working.Wait()
	defer stop()
	o.Key, o.Known, o.Block, o.Ended = &key, known.add, w.block, w.ended
	o.Found = func(files []string) { sums.begin(reading, files) }
	r, err := accesslog.Analyse(ctx, j.Paths, o)
	if err != nil {
		return nil, err
	}
	m := j.manifest(r, w.parts)
	m.KeyCheck = KeyCheck(key[:], j.Case, j.Epoch)
	if err := sums.give(ctx, r, m.Inputs, o.Workers); err != nil {
		return nil, err
	}
	made := &Made{Report: r}
	if made.Lock, err = j.lock(ctx, key[:], known); err != nil {
		return nil, err
	}
	m.Pseudonyms = Pseudonyms{made.Lock.ID, int64(len(known.of))}
	made.Lake = Lake{Dir: j.Dir, Manifest: m}
	return made, made.keep(j)
}

func (j Job) check() error {
	switch {
	case !plainID.MatchString(j.Case):
		return fmt.Errorf("%.80q cannot name a directory: write the case's id in at most 64 letters, digits, dots, hyphens and underscores", j.Case)
	case j.Key != nil && len(j.Key) != accesslog.KeySize:
		return fmt.Errorf("the key of the pseudonyms has %d bytes and must have %d", len(j.Key), accesslog.KeySize)
	case slices.Contains(j.Paths, "-"):
		return errors.New("a row says in which file it stands, and standard input is none: keep the log in a file first")
	case len(j.Custodians) < 2:
		return errors.New("name the custodians who keep whom the pseudonyms stand for: two at least, or nobody could ever be identified")
	}
	left, err := os.ReadDir(j.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%s is not empty: a lake is made once and never added to; name another directory, or remove this one if it has no %s, for then it was never finished", j.Dir, fileManifest)
	}
	if _, err := os.Lstat(j.listFile()); err == nil {
		return fmt.Errorf("%s exists already; it was left untouched, name another file for the list of pseudonyms", j.listFile())
	}
	return nil
}

// undo takes away what an error left.
func (j Job) undo() error {
	return errors.Join(forget(filepath.Join(j.Dir, fileManifest)), os.RemoveAll(filepath.Join(j.Dir, "lake")), forget(j.listFile()), forget(filepath.Join(j.Dir, fileSeal)))
}

func forget(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (j Job) listFile() string { return cmp.Or(j.List, filepath.Join(j.Dir, filePseudonyms)) }

func (j Job) manifest(r *accesslog.Report, parts []Part) Manifest {
	m := Manifest{Format: Format, Case: j.Case, Epoch: j.Epoch, Made: j.Now.UTC().Format(time.RFC3339), By: j.By, Parser: j.Program, BotRule: r.BotRule, Geo: r.Geo,
		Lines: r.Lines, Rows: r.Parsed, Rejected: r.Rejected, Blank: r.Blank, Inputs: []Input{}, Parts: []Part{}}
	for _, in := range r.Inputs {
		m.Inputs = append(m.Inputs, Input{accesslog.Redact(in.File), "", in.Size, in.Outcome, in.Format, in.Compression, in.Lines, in.Parsed, in.Rejected, in.Blank})
	}
	m.Parts = append(m.Parts, parts...)
	slices.SortFunc(m.Parts, func(a, b Part) int { return cmp.Compare(a.Path, b.Path) })
	return m
}

// digests are the SHA-256 digests of the logs, taken while others count their lines: what the disk has just given is in memory still.
type digests struct {
	began   time.Time
	files   []string
	next    atomic.Int64 // number of the first file that nobody has taken
	taken   []digested
	working sync.WaitGroup
}

// digested is a file's digest, "" where it could not be read whole, and its size.
type digested struct {
	sha256 string
	size   int64
}

// begin takes digests of files one after another, until ctx is done.
func (d *digests) begin(ctx context.Context, files []string) {
	d.files, d.taken = files, make([]digested, len(files))
	d.help(ctx)
}

// help is one goroutine more.
func (d *digests) help(ctx context.Context) {
	d.working.Go(func() {
		piece := make([]byte, 256<<10)
		for ctx.Err() == nil {
			i := int(d.next.Add(1)) - 1
			if i >= len(d.files) {
				return
			}
			d.taken[i] = d.digest(ctx, d.files[i], piece)
		}
	})
}

// digest reads a log once more. One that was written to since the run began has none, since it is not what was parsed; nor has one
// that is gone since, though its rows stand.
func (d *digests) digest(ctx context.Context, path string, piece []byte) digested {
	f, err := os.Open(path)
	if err != nil {
		return digested{}
	}
	defer f.Close()
	sum := sha256.New()
	var size int64
	for {
		n, err := f.Read(piece)
		sum.Write(piece[:n])
		size += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil || ctx.Err() != nil {
			return digested{}
		}
	}
	if st, err := f.Stat(); err != nil || st.Size() != size || !st.ModTime().Before(d.began) {
		return digested{}
	}
	return digested{hex.EncodeToString(sum.Sum(nil)), size}
}

// give waits for what is left, with the processors that counted, and writes the digests of the logs that were read to inputs.
func (d *digests) give(ctx context.Context, r *accesslog.Report, inputs []Input, workers int) error {
	for range min(cmp.Or(workers, runtime.GOMAXPROCS(0)), len(d.files)) - 1 {
		d.help(ctx)
	}
	d.working.Wait()
	for i, in := range r.Inputs {
		if read := in.Lines > 0 || in.Outcome == accesslog.Read; read && d.taken[i].size == in.Size {
			inputs[i].SHA256 = d.taken[i].sha256
		}
	}
	return ctx.Err()
}

// identities are whom pseudonyms stand for, each once.
type identities struct {
	mu sync.Mutex
	of map[accesslog.Pseudonym]accesslog.Identified
}

func (k *identities) add(i accesslog.Identified) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of[i.Pseudonym] = i
	return nil
}

func (j Job) lock(ctx context.Context, key []byte, known *identities) (vault.Lock, error) {
	order := slices.SortedFunc(maps.Keys(known.of), func(a, b accesslog.Pseudonym) int { return bytes.Compare(a[:], b[:]) })
	job := vault.LockJob{Out: vault.FilePlace(j.listFile()), Case: j.Case, Exhibit: "pseudonyms " + j.Epoch, By: j.By, At: j.Now, Custodians: j.Custodians, Needed: j.Needed}
	return vault.LockPseudonyms(ctx, job, vault.PseudonymKey{Case: j.Case, Epoch: j.Epoch, Key: key}, func(yield func(vault.Identified) bool) {
		for _, p := range order {
			i := known.of[p]
			if !yield(vault.Identified{Pseudonym: hex.EncodeToString(p[:]), Kind: i.Kind, Plain: i.Plain}) {
				return
			}
		}
	})
}

// keep signs and writes the manifest, which makes the lake one.
func (m *Made) keep(j Job) error {
	text, err := concert.CanonicalJSON(m.Manifest)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	m.Digest = hex.EncodeToString(sum[:])
	if j.Sign != nil {
		a := vault.Attestation{Kind: Predicate, Name: fileManifest, SHA256: m.Digest, Case: j.Case, By: j.By, Reason: "lake of access logs", At: m.Manifest.Made, Key: j.Sign.Public()}
		seal, err := j.Sign.Attest(a)
		if err != nil {
			return err
		}
		if err := durable.CreateExclusive(filepath.Join(j.Dir, fileSeal), seal, 0o400); err != nil {
			return err
		}
		m.Seal = &a
	}
	return durable.CreateExclusive(filepath.Join(j.Dir, fileManifest), text, 0o400)
}
