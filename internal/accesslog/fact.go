package accesslog

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Fact is one thing that a server's own log says somebody did beyond viewing:
// logged in, uploaded, administered. It points to its line, which can be read
// again: Length bytes at Offset of the file as it is after unpacking, without the
// line's end, whose SHA-256 is LineSHA256. A page view or a download is never one.
type Fact struct {
	Kind       string `json:"kind"`        // one of the kinds of facts
	At         string `json:"at"`          // RFC 3339, UTC, whole seconds
	File       string `json:"file"`        // as it was named
	Offset     int64  `json:"offset"`      // bytes
	Length     int    `json:"length"`      // bytes
	LineSHA256 string `json:"line_sha256"` // hexadecimal
	Pseudonym  string `json:"pseudonym"`   // of the address that the line names, else of the user; hexadecimal
	Evaluation string `json:"evaluation"`  // 4x4: source A, B, C or X and information 1 to 4
	Rule       string `json:"rule"`        // the name of the Rule
}

// span is how many seconds of accesses under one rule, by one user from one
// address, are one fact. No gap between sessions may be shorter.
const span = 300

// found is a fact before it is put into words. All names in it are pseudonyms.
type found struct {
	rule        int
	kind        string
	file        int
	offset      int64
	length      int
	line        [sha256.Size]byte
	sec, until  int64 // of the first and the last access that it stands for
	n           int64 // how many those are
	addr, user  Pseudonym
	named       bool // the address is a host name
	key         Pseudonym
	country     uint16
	unreliable  bool
	method      string
	path        string
	status      int
	zoneAssumed bool
	yearless    bool
	seq, turn   int    // of the task and of the year within it
	wall        int64  // of a yearless line: its time as if in the year 2000, before its zone
	process     uint64 // that reported it, by hash; 0: not told
}

// before orders facts by their place.
func (f *found) before(o *found) int {
	return cmp.Or(cmp.Compare(f.file, o.file), cmp.Compare(f.offset, o.offset))
}

// spanKey is whose accesses become one fact.
type spanKey struct {
	rule       int
	addr, user Pseudonym
	at         int64
}

// attempts counts what was refused, or what nobody can tell.
type attempts struct{ failed, undecided int64 }

// ErrTooManyFacts says that there are more facts than may be held.
var ErrTooManyFacts = errors.New("more facts than may be held at once, so nothing is reported")

// finder finds the facts that one worker reads.
type finder struct {
	*facts
	names    *names
	geo      *tally
	web      []webRule
	paths    map[uint64][]int // rules that take a path, by its hash
	single   []found
	spans    map[spanKey]*found
	attempts [rulesEnd]attempts
	failed   map[Pseudonym]uint64 // attempts by address
	auth     authReader
	years    []yearEdge
	now      yearEdge
	reading  bool // of a task with yearless lines
}

// facts is what all finders of a run share.
type facts struct {
	o       *SessionOptions
	off     [rulesEnd]bool
	known   []bool // by input: the year of a line without one can be told
	mu      sync.Mutex
	finders []*finder
	failed  *spool
	out     *SessionReport
}

func (f *facts) finder(t *tally) *finder {
	n := &finder{facts: f, names: newNames(t.run), geo: t, web: webRules(), paths: map[uint64][]int{}, spans: map[spanKey]*found{}, failed: map[Pseudonym]uint64{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finders = append(f.finders, n)
	return n
}

// access takes one access that was parsed.
func (n *finder) access(file int, r *record) error {
	if len(r.method) > 0 {
		for _, i := range n.takers(r) {
			w := &n.web[i]
			if !w.fits(r) || n.off[w.rule] {
				continue
			}
			v := w.verdict(r.status)
			if v == isFact {
				return n.accessed(file, r, w.rule, w.many)
			}
			if !r.loggedIn() || r.status/100 > 3 {
				return n.attempt(w.rule, v, r, 1)
			}
			break
		}
		if cpanelToken(r.path) && r.status/100 == 2 && !n.off[ruleCPanelAdmin] {
			return n.accessed(file, r, ruleCPanelAdmin, true)
		}
	}
	if !r.loggedIn() || n.off[ruleHTTPUser] {
		return nil
	}
	switch r.status / 100 {
	case 2, 3:
		return n.accessed(file, r, ruleHTTPUser, true)
	case 4, 5:
		return n.attempt(ruleHTTPUser, isFailed, r, 1)
	}
	return nil
}

// takers are the rules that take the path, found out once.
func (n *finder) takers(r *record) []int {
	list, ok := n.paths[r.pathHash]
	if !ok {
		path := string(r.path)
		for i := range n.web {
			if n.web[i].takes(path) {
				list = append(list, i)
			}
		}
		if len(n.paths) >= rememberedMost {
			clear(n.paths)
		}
		n.paths[r.pathHash] = list
	}
	return list
}

// accessed makes a fact of an access.
func (n *finder) accessed(file int, r *record, rule int, many bool) error {
	f := found{rule: rule, file: file, offset: r.offset, length: r.length, sec: r.sec, until: r.sec, n: 1, status: int(r.status), zoneAssumed: r.zone == zoneless}
	if err := n.who(&f, r, r.user, r.loggedIn()); err != nil {
		return err
	}
	f.method = methodNames[otherMethod]
	if i, ok := n.names.methods[string(r.method)]; ok {
		f.method = methodNames[i]
	}
	f.path = n.names.redacted(r.pathHash, r.path)
	if many {
		return n.keepOne(f, r.line)
	}
	f.line = sha256.Sum256(r.line)
	return n.keep(f)
}

// keepOne keeps the first of the accesses of a span for all of them.
func (n *finder) keepOne(f found, line []byte) error {
	key := spanKey{f.rule, f.addr, f.user, f.sec / span}
	old := n.spans[key]
	if old != nil && (old.sec < f.sec || old.sec == f.sec && old.before(&f) < 0) {
		old.n, old.until = old.n+f.n, max(old.until, f.until)
		return nil
	}
	f.line = sha256.Sum256(line)
	if old != nil {
		old.merge(&f)
		return nil
	}
	n.spans[key] = &f
	return n.room()
}

// merge makes one fact of two of one span.
func (f *found) merge(o *found) {
	n, until := f.n+o.n, max(f.until, o.until)
	if o.sec < f.sec || o.sec == f.sec && o.before(f) < 0 {
		*f = *o
	}
	f.n, f.until = n, until
}

// who puts pseudonyms and the country into a fact.
func (n *finder) who(f *found, r *record, user []byte, userNamed bool) (err error) {
	if r != nil && len(r.addr) > 0 {
		if f.addr, err = n.names.client(r); err != nil {
			return err
		}
		v := visitor{address: r.client}
		n.geo.meet(&v, r.named)
		f.named, f.country, f.unreliable = r.named, v.country, v.flags&unreliable != 0
	}
	if userNamed {
		f.user, err = n.names.user(user)
	}
	return err
}

func (n *finder) keep(f found) error {
	n.single = append(n.single, f)
	return n.room()
}

// room refuses more facts than may be held. One worker alone holds no fact twice,
// so what it counts is a lower bound of all.
func (n *finder) room() error {
	if have := len(n.single) + len(n.spans); have > n.o.Most {
		return tooMany(n.o.Most, n.single, n.spans)
	}
	return nil
}

// tooMany names the rule that most of the facts come from.
func tooMany(most int, single []found, spans map[spanKey]*found) error {
	var by [rulesEnd]int
	for i := range single {
		by[single[i].rule]++
	}
	for k := range spans {
		by[k.rule]++
	}
	return fmt.Errorf("%w (limit %d; most of them by rule %s): raise -most, leave that rule out with -without, or read fewer files at once", ErrTooManyFacts, most, rules()[slices.Index(by[:], slices.Max(by[:]))].Name)
}

// failedMost is how many addresses with failed attempts a worker holds before
// they go to disk.
const failedMost = 1 << 17

// attempt counts what is no fact.
func (n *finder) attempt(rule, verdict int, r *record, times int64) error {
	if verdict == isUndecided {
		n.attempts[rule].undecided += times
		return nil
	}
	n.attempts[rule].failed += times
	if len(r.addr) == 0 {
		return nil
	}
	p, err := n.names.client(r)
	if err != nil {
		return err
	}
	n.failed[p] += uint64(times)
	if len(n.failed) < failedMost {
		return nil
	}
	return n.spillFailed()
}

func (n *finder) spillFailed() error {
	s := n.facts.failed
	s.mu.Lock()
	defer s.mu.Unlock()
	var rec [PseudonymSize + 8]byte
	for p, times := range n.failed {
		copy(rec[:], p[:])
		binary.LittleEndian.PutUint64(rec[PseudonymSize:], times)
		if err := s.put(binary.LittleEndian.Uint64(p[:]), rec[:]); err != nil {
			return err
		}
	}
	clear(n.failed)
	return nil
}

// failures are the failed attempts of the addresses that are asked for.
func (f *facts) failures(wanted map[Pseudonym]int64) error {
	add := func(p Pseudonym, times uint64) {
		if have, ok := wanted[p]; ok {
			wanted[p] = have + int64(times)
		}
	}
	for _, n := range f.finders {
		for p, times := range n.failed {
			add(p, times)
		}
	}
	for part := range spoolParts {
		if err := f.failed.each(part, func(rec []byte) {
			add(Pseudonym(rec[:PseudonymSize]), binary.LittleEndian.Uint64(rec[PseudonymSize:]))
		}); err != nil {
			return err
		}
	}
	return nil
}

// all are the facts of all workers in the order of their times.
func (f *facts) all() ([]found, error) {
	spans := map[spanKey]*found{}
	var list []found
	for _, n := range f.finders {
		for k, s := range n.spans {
			if old := spans[k]; old != nil {
				old.merge(s)
			} else {
				spans[k] = s
			}
		}
		list = append(list, n.single...)
		n.single, n.spans = nil, nil
	}
	if len(list)+len(spans) > f.o.Most {
		return nil, tooMany(f.o.Most, list, spans)
	}
	for _, s := range spans {
		list = append(list, *s)
	}
	return list, nil
}
