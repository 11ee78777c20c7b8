package vault

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"concert/internal/durable"
)

func headText(n int64, hash string, key *Key) ([]byte, error) {
	h := head{N: n, Hash: hash}
	if key != nil {
		h.Key = key.Public()
	}
	text, err := canonical(h)
	if err != nil {
		return nil, err
	}
	if key != nil {
		h.Sig = key.sign(custodyType+"-head", text)
	}
	return canonical(h)
}

// parseHead reads the head beside a log and says whether its signature holds.
func parseHead(raw []byte) (h head, good bool, err error) {
	if err := decodeCanonical(raw, &h); err != nil {
		return h, false, err
	}
	if h.N < 1 || !isDigest(h.Hash) {
		return h, false, errors.New("it has no number or digest")
	}
	if h.Key == "" {
		return h, h.Sig == "", nil
	}
	open := h
	open.Sig = ""
	text, err := canonical(open)
	return h, err == nil && verifySig(h.Key, custodyType+"-head", text, h.Sig), err
}

// Faults of a custody log, told apart.
const (
	FaultEdited    = "edited"
	FaultDropped   = "dropped"
	FaultReordered = "reordered"
	FaultTruncated = "truncated"
	FaultAdded     = "added" // twice, or from another log
	FaultTorn      = "torn"  // what a crash leaves of a record that was being written
)

// CustodyFault is one thing that is wrong with a custody log.
type CustodyFault struct {
	Kind string `json:"kind"`
	N    int64  `json:"n,omitempty"` // of the record
	Note string `json:"note"`
}

// CustodyVerdict is what a custody log is worth.
type CustodyVerdict struct {
	Records []Custody
	Faults  []CustodyFault
	Head    Head     // of the log as it lies there
	Notes   []string // what is no fault
}

// Whole reports whether nothing was changed. A torn last record was never
// confirmed to anybody.
func (v CustodyVerdict) Whole() bool {
	return !slices.ContainsFunc(v.Faults, func(f CustodyFault) bool { return f.Kind != FaultTorn })
}

func (v *CustodyVerdict) fault(kind string, n int64, note string, args ...any) {
	v.Faults = append(v.Faults, CustodyFault{kind, n, fmt.Sprintf(note, args...)})
}

// logLine is one line with what it says.
type logLine struct {
	raw  []byte
	rec  Custody
	good bool // it reads, and its signature holds
	n    int64
}

// CheckCustody reads a custody log of the exhibit whose manifest has the digest.
// headRaw is what lies beside it; outside, where given, a head that was kept
// somewhere else. It tells edits, drops, another order and truncation apart.
func CheckCustody(log, headRaw []byte, manifest string, outside *Head) CustodyVerdict {
	var v CustodyVerdict
	lines := splitLog(&v, log)
	numberLines(&v, lines)
	checkOrder(&v, lines)
	slices.SortStableFunc(lines, func(a, b logLine) int { return int(a.n - b.n) })
	checkChain(&v, lines, manifest)
	for _, l := range lines {
		if l.good {
			v.Records = append(v.Records, l.rec)
		}
	}
	if len(lines) > 0 {
		last := lines[len(lines)-1]
		v.Head = Head{last.n, hashLine(last.raw)}
	}
	checkHead(&v, lines, headRaw)
	if outside != nil {
		v.compareHead(lines, *outside, "the head that was kept elsewhere")
	}
	return v
}

// splitLog takes the log apart. What stands behind its last line feed is torn.
func splitLog(v *CustodyVerdict, log []byte) (lines []logLine) {
	for raw := range bytes.Lines(log) {
		if raw[len(raw)-1] != '\n' {
			v.fault(FaultTorn, 0, "the last %d bytes are no whole record: a crash while one was written, which nobody was told had been kept", len(raw))
			continue
		}
		l := logLine{raw: raw}
		rec, good, err := parseCustody(raw)
		l.rec, l.good = rec, good && err == nil
		lines = append(lines, l)
	}
	return lines
}

// numberLines gives every line its number: its own where it can be believed, and
// else the one that fits where it stands.
func numberLines(v *CustodyVerdict, lines []logLine) {
	has := map[int64]bool{}
	for i := range lines {
		if l := &lines[i]; l.good {
			if has[l.rec.N] {
				v.fault(FaultAdded, l.rec.N, "record %d stands there twice", l.rec.N)
			}
			l.n, has[l.rec.N] = l.rec.N, true
		}
	}
	for i := range lines {
		if lines[i].good {
			continue
		}
		n := int64(1)
		if i > 0 {
			n = lines[i-1].n + 1
		}
		for has[n] {
			n++
		}
		lines[i].n, has[n] = n, true
		v.fault(FaultEdited, n, "record %d is not what was signed, or no record", n)
	}
}

func checkOrder(v *CustodyVerdict, lines []logLine) {
	for i := 1; i < len(lines); i++ {
		if lines[i].n < lines[i-1].n {
			v.fault(FaultReordered, lines[i].n, "record %d stands behind record %d", lines[i].n, lines[i-1].n)
		}
	}
}

// checkChain compares each record with the one before it, in the order of numbers.
func checkChain(v *CustodyVerdict, lines []logLine, manifest string) {
	want, prev := int64(1), strings.Repeat("0", digestLength)
	for i, l := range lines {
		if i > 0 && l.n == lines[i-1].n {
			continue // said already
		}
		switch {
		case l.n > want:
			v.fault(FaultDropped, want, "records %d to %d are missing", want, l.n-1)
		case l.good && l.rec.Prev != prev && want > 1 && lines[i-1].good:
			v.fault(FaultEdited, l.n-1, "record %d is not the one that record %d was written after", l.n-1, l.n)
		case l.good && l.rec.Prev != prev && want == 1:
			v.fault(FaultEdited, 1, "the first record names one before it")
		}
		if l.good && l.rec.Manifest != manifest {
			v.fault(FaultAdded, l.n, "record %d speaks of another exhibit", l.n)
		}
		want, prev = l.n+1, hashLine(l.raw)
	}
	if len(lines) > 0 && lines[0].good && lines[0].n == 1 && lines[0].rec.Act != ActSealed {
		v.fault(FaultEdited, 1, "the first record does not tell of the sealing")
	}
}

func checkHead(v *CustodyVerdict, lines []logLine, raw []byte) {
	if raw == nil {
		v.fault(FaultTruncated, 0, "%s, which says how many records there are, is missing", custodyHead)
		return
	}
	h, good, err := parseHead(raw)
	if err != nil || !good {
		v.fault(FaultEdited, 0, "%s, which says how many records there are, is not what was signed", custodyHead)
		return
	}
	keys := map[string]bool{}
	for _, l := range lines {
		if l.good && l.rec.Key != "" {
			keys[l.rec.Key] = true
		}
	}
	if len(keys) > 0 && !keys[h.Key] {
		v.fault(FaultEdited, 0, "%s is signed by nobody who signed a record: whoever cut the log may have written it", custodyHead)
		return
	}
	v.compareHead(lines, Head{h.N, h.Hash}, "the head beside the log")
	if v.Head.N > h.N {
		v.Notes = append(v.Notes, fmt.Sprintf("the head beside the log knows of %d records, %d stand there: a crash between the two, or records that somebody added", h.N, v.Head.N))
	}
}

// compareHead finds the record that a head names.
func (v *CustodyVerdict) compareHead(lines []logLine, h Head, what string) {
	for _, l := range lines {
		if l.n != h.N {
			continue
		}
		if hashLine(l.raw) != h.Hash && l.good {
			v.fault(FaultEdited, l.n, "record %d is not the one that %s names", l.n, what)
		}
		return
	}
	if h.N > v.Head.N {
		v.fault(FaultTruncated, v.Head.N+1, "%s names %d records, the log ends with %d", what, h.N, v.Head.N)
	}
}

// CustodyLog adds records to an exhibit's log. Many may add at once: what waits
// is signed, written and synced together.
type CustodyLog struct {
	bag      string
	key      *Key
	manifest string
	file     *os.File

	mu      sync.Mutex
	waiting []*addition
	leading bool

	n    int64 // of the last record, the leader's alone
	hash string
	err  error // the log is broken from here on
}

type addition struct {
	rec  Custody
	line []byte
	err  error
	done chan struct{}
}

// OpenCustody opens a bag's log to add to it, alone. A log with a fault takes no
// more: its chain would make the fault look healed.
func OpenCustody(bag string, key *Key) (_ *CustodyLog, err error) {
	_, manifest, err := readManifest(bag)
	if err != nil {
		return nil, err
	}
	l := &CustodyLog{bag: bag, key: key, manifest: manifest}
	if l.file, err = os.OpenFile(filepath.Join(bag, custodyName), os.O_RDWR, 0); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.file.Close())
		}
	}()
	if err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("another process writes into %s: %w", l.file.Name(), err)
	}
	raw, err := io.ReadAll(l.file)
	if err != nil {
		return nil, err
	}
	beside, err := readTag(bag, custodyHead)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	v := CheckCustody(raw, beside, manifest, nil)
	if !v.Whole() {
		return nil, fmt.Errorf("the custody log of %s has a gap (%s): nothing is added to it, evidence verify says all that is wrong", bag, v.Faults[0].Note)
	}
	whole := int64(bytes.LastIndexByte(raw, '\n') + 1)
	if err := l.file.Truncate(whole); err != nil { // a torn record that nobody was told of
		return nil, err
	}
	_, err = l.file.Seek(whole, io.SeekStart)
	l.n, l.hash = v.Head.N, v.Head.Hash
	return l, err
}

// Add adds a record and returns once it is on the disk, with its number and the
// digest before it filled in.
func (l *CustodyLog) Add(rec Custody) (Custody, []byte, error) {
	a := &addition{rec: rec, done: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, a)
	if l.leading {
		l.mu.Unlock()
		<-a.done
		return a.rec, a.line, a.err
	}
	l.leading = true
	for len(l.waiting) > 0 {
		batch := l.waiting
		l.waiting = nil
		l.mu.Unlock()
		l.write(batch)
		l.mu.Lock()
	}
	l.leading = false
	l.mu.Unlock()
	<-a.done
	return a.rec, a.line, a.err
}

// write makes a batch durable and tells those who wait.
func (l *CustodyLog) write(batch []*addition) {
	var text bytes.Buffer
	for _, a := range batch {
		if l.err != nil {
			a.err = l.err
			continue
		}
		a.rec.N, a.rec.Prev, a.rec.Manifest = l.n+1, l.hash, l.manifest
		if l.key != nil {
			a.rec.Key = l.key.Public()
		}
		if a.line, a.err = a.rec.line(l.key); a.err != nil {
			continue
		}
		text.Write(a.line)
		l.n, l.hash = a.rec.N, hashLine(a.line)
	}
	if l.err == nil && text.Len() > 0 {
		l.err = l.commit(text.Bytes())
	}
	for _, a := range batch {
		if a.err == nil {
			a.err = l.err
		}
		close(a.done)
	}
}

func (l *CustodyLog) commit(text []byte) error {
	if _, err := l.file.Write(text); err != nil {
		return fmt.Errorf("custody: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("custody: %w", err)
	}
	return l.writeHead()
}

func (l *CustodyLog) writeHead() error {
	h, err := headText(l.n, l.hash, l.key)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(l.bag, custodyHead), h, 0o600)
}

// Adopt adds a line that somebody else wrote after the log's last record: the
// receiver's, brought back to the giver.
func (l *CustodyLog) Adopt(line []byte) (Custody, error) {
	rec, good, err := parseCustody(line)
	switch {
	case err != nil:
		return rec, fmt.Errorf("the receipt: %w", err)
	case !good || rec.Key == "":
		return rec, errors.New("the receipt is not signed, or its signature does not hold")
	case rec.Act != ActReceived:
		return rec, fmt.Errorf("the receipt tells of the act %q, not of having received", rec.Act)
	case rec.Manifest != l.manifest:
		return rec, errors.New("the receipt speaks of another exhibit")
	case rec.N != l.n+1 || rec.Prev != l.hash:
		return rec, fmt.Errorf("the receipt was written after record %d with the digest %s; this log stands at %d with %s", rec.N-1, rec.Prev, l.n, l.hash)
	}
	if _, err := l.file.Write(line); err != nil {
		return rec, fmt.Errorf("custody: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return rec, fmt.Errorf("custody: %w", err)
	}
	l.n, l.hash = rec.N, hashLine(line)
	return rec, l.writeHead()
}

// Head is the log's head as it stands.
func (l *CustodyLog) Head() Head { return Head{l.n, l.hash} }

// Close ends the adding.
func (l *CustodyLog) Close() error { return l.file.Close() }

// ReadCustody reads a bag's records without judging them.
func ReadCustody(bag string) (out []Custody, err error) {
	f, err := os.Open(filepath.Join(bag, custodyName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, custodyMost)
	for in.Scan() {
		var s signed
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			return out, fmt.Errorf("record %d: %w", len(out)+1, err)
		}
		out = append(out, s.Record)
	}
	return out, in.Err()
}
