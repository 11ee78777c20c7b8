package accesslog

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// SessionOptions say how facts are found and grouped.
type SessionOptions struct {
	Options
	Year    int            // of the last line of each rotated set of authentication logs that writes none; 0: only the date in a file's name tells it
	Zone    *time.Location // of authentication logs' times without one; nil: UTC
	Gap     time.Duration  // that ends a session; 0: 30 minutes, at least 5
	Most    int            // facts that may be held; 0: 250,000
	Without []string       // rules that are left out, by name
}

const (
	defaultGap   = 30 * time.Minute
	defaultFacts = 250_000
)

// SessionReport is who administered a server, as facts with their lines. Nobody
// is named in it: sessions are of pseudonyms. The same files give the same report
// in any order and with any number of workers, but for pseudonyms without a key.
type SessionReport struct {
	Version      int               `json:"version"`
	RulesVersion string            `json:"rules_version"`
	GapS         int64             `json:"gap_s"`
	Zone         string            `json:"zone"`
	Year         *int              `json:"year"` // null: none was given
	CaseKey      bool              `json:"case_key"`
	Files        int               `json:"files"`
	Lines        int64             `json:"lines"`
	Parsed       int64             `json:"parsed"`
	Rejected     int64             `json:"rejected"`
	Blank        int64             `json:"blank"`
	Facts        int               `json:"facts"`
	Sessions     []Session         `json:"sessions"`
	Unattributed []SessionFact     `json:"unattributed"`
	Attempts     []Attempts        `json:"attempts"`
	Rules        []Rule            `json:"rules"`
	Without      []string          `json:"without"`
	Inputs       []Input           `json:"inputs"`
	Rejects      map[string]int64  `json:"rejected_by_reason"`
	Geo          *GeoInfo          `json:"geo"`
	Definitions  map[string]string `json:"definitions"`
	Caveats      []string          `json:"caveats"`
}

// Session is a row of facts of one pseudonym without a longer gap.
type Session struct {
	Number      int              `json:"number"`
	Pseudonym   string           `json:"pseudonym"`
	Of          string           `json:"of"` // IdentityAddress, IdentityHost or IdentityUser
	First       string           `json:"first"`
	Last        string           `json:"last"`
	Seconds     int64            `json:"seconds"`
	Users       []string         `json:"users"` // pseudonyms of users that its facts name
	Keys        []string         `json:"keys"`  // likewise of keys
	Kinds       map[string]int64 `json:"facts_by_kind"`
	Evaluations map[string]int64 `json:"facts_by_evaluation"`
	Failed      int64            `json:"failed_attempts_of_address"`
	Country     string           `json:"country"`
	Unreliable  bool             `json:"country_unreliable"`
	Facts       []SessionFact    `json:"facts"`
}

// SessionFact is a Fact with what else its line says.
type SessionFact struct {
	Fact
	Address     string `json:"address,omitempty"` // pseudonym
	User        string `json:"user,omitempty"`    // pseudonym
	Key         string `json:"key,omitempty"`     // pseudonym of a key's fingerprint
	Country     string `json:"country,omitempty"`
	Unreliable  bool   `json:"country_unreliable,omitempty"`
	Method      string `json:"method,omitempty"`
	Path        string `json:"path,omitempty"` // redacted
	Status      int    `json:"status,omitempty"`
	Times       int64  `json:"times"` // accesses or repetitions that it stands for
	Until       string `json:"until"` // the last of them
	YearAssumed bool   `json:"year_assumed"`
	ZoneAssumed bool   `json:"zone_assumed"`
	Implausible bool   `json:"time_implausible,omitempty"`
}

// Attempts counts what one rule took that is no fact.
type Attempts struct {
	Rule      string `json:"rule"`
	Failed    int64  `json:"failed"`
	Undecided int64  `json:"undecided"`
}

// YearUnknown is the outcome of a log whose times have no year, where nothing
// says which.
const YearUnknown Outcome = "year_unknown"

// Sessions reads access logs and authentication logs, and groups the facts in
// them into sessions. It fails as Analyse does, and where there are more facts
// than may be held (ErrTooManyFacts): nothing is dropped.
func Sessions(ctx context.Context, access, auth []string, o SessionOptions) (*SessionReport, error) {
	if o.Gap == 0 {
		o.Gap = defaultGap
	}
	if o.Gap < span*time.Second {
		return nil, fmt.Errorf("a gap of %s is shorter than %d minutes, within which accesses are one fact", o.Gap, span/60)
	}
	o.Most = cmp.Or(o.Most, defaultFacts)
	f := &facts{o: &o}
	if err := CheckRules(o.Without); err != nil {
		return nil, err
	}
	for i, r := range rules() {
		f.off[i] = slices.Contains(o.Without, r.Name)
	}
	o.Options.facts, o.Brief = f, true // referrers and agents make no fact
	_, err := analyseAll(ctx, slices.Sorted(slices.Values(access)), slices.Sorted(slices.Values(auth)), o.Options)
	if err != nil {
		return nil, err
	}
	return f.out, nil
}

// CheckRules says which of the names is no rule's.
func CheckRules(names []string) error {
	var known []string
	for _, r := range rules() {
		known = append(known, r.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%q is no rule; name one of %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// prepare is done when the inputs are known and nothing is read yet.
func (f *facts) prepare(c *counting) {
	f.failed = &spool{to: c.scratch}
	f.knownYears(c.inputs)
}

// report puts everything together while temporary files are open.
func (f *facts) report(c *counting, tallies []*tally, began time.Time) (*Report, error) {
	base, err := c.report(tallies, began)
	if err != nil {
		return nil, err
	}
	list, err := f.all()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b found) int { return a.before(&b) })
	if err := f.dateAll(c.inputs, list); err != nil {
		return nil, err
	}
	// Of one second, what names an address comes first, so that what does not finds its session.
	nameless := func(x *found) int {
		if x.addr == (Pseudonym{}) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Or(cmp.Compare(a.sec, b.sec), nameless(&a)-nameless(&b)) })
	out := &SessionReport{Version: 1, RulesVersion: RulesVersion, GapS: int64(f.o.Gap / time.Second), Zone: "UTC", CaseKey: f.o.Key != nil, Files: base.Files, Lines: base.Lines,
		Parsed: base.Parsed, Rejected: base.Rejected, Blank: base.Blank, Facts: len(list), Sessions: []Session{}, Unattributed: []SessionFact{}, Attempts: []Attempts{},
		Rules: rules(), Without: slices.Sorted(slices.Values(f.o.Without)), Inputs: base.Inputs, Rejects: base.Rejects, Definitions: maps.Clone(sessionDefinitions), Caveats: sessionCaveats}
	if f.o.Zone != nil {
		out.Zone = f.o.Zone.String()
	}
	if f.o.Year != 0 {
		out.Year = &f.o.Year
	}
	if f.o.Geo != nil {
		out.Geo = f.o.Geo.info()
	}
	f.judgeInputs(c, out)
	for i, r := range out.Rules {
		a := Attempts{Rule: r.Name}
		for _, n := range f.finders {
			a.Failed, a.Undecided = a.Failed+n.attempts[i].failed, a.Undecided+n.attempts[i].undecided
		}
		if a.Failed+a.Undecided > 0 {
			out.Attempts = append(out.Attempts, a)
		}
	}
	f.out = out
	return base, f.group(c, list)
}

// judgeInputs names what was wrong with authentication logs.
func (f *facts) judgeInputs(c *counting, out *SessionReport) {
	for i := range out.Inputs {
		in := &out.Inputs[i]
		if !c.inputs[i].auth {
			continue
		}
		in.FormatCertain = true
		switch n := in.Rejects[NoYear.String()]; {
		case in.Outcome != Read:
		case n > 0:
			in.Outcome, in.Detail = YearUnknown, fmt.Sprintf("%d lines have a time without a year, and no name of the log's files has a date: give the year of the log's last line with -year", n)
		case in.Parsed == 0 && in.Rejected > 0:
			in.Outcome, in.Detail = Unknown, "no line of it is one of an authentication log that is known; which are, docs/sessions.md says"
		}
	}
}

// address is the pseudonym of the address as text, empty for none.
func (x *found) address() string { return x.addr.text() }

func (p Pseudonym) text() string {
	if p == (Pseudonym{}) {
		return ""
	}
	return hex.EncodeToString(p[:])
}

// open is a session that may go on.
type open struct {
	at          int // in the report
	first, last int64
	users       map[Pseudonym]bool
}

// grouping goes through facts in the order of their times.
type grouping struct {
	*facts
	c         *counting
	gap       int64
	byAddr    map[Pseudonym]*open
	byUser    map[Pseudonym]*open   // sessions of users whose address is not told
	naming    map[Pseudonym][]*open // sessions of addresses, by users that they name
	processes map[processKey]Pseudonym
}

// processKey is a process that reported the log-in of a user.
type processKey struct {
	process uint64
	user    Pseudonym
}

// group makes the sessions: by address where a fact's line names one. A fact
// that names only a user goes to the session of the address whose log-in the same
// process reported, else to the only session in progress that names the user,
// else to a session of the user.
func (f *facts) group(c *counting, list []found) error {
	g := &grouping{facts: f, c: c, gap: int64(f.o.Gap / time.Second), byAddr: map[Pseudonym]*open{}, byUser: map[Pseudonym]*open{}, naming: map[Pseudonym][]*open{}, processes: map[processKey]Pseudonym{}}
	wanted := map[Pseudonym]int64{}
	for i := range list {
		x := &list[i]
		if x.rule == ruleAccount {
			f.out.Unattributed = append(f.out.Unattributed, g.words(x))
			continue
		}
		g.put(g.sessionOf(x), x)
		if x.addr != (Pseudonym{}) {
			wanted[x.addr] = 0
		}
	}
	if err := f.failures(wanted); err != nil {
		return err
	}
	for i := range f.out.Sessions {
		s := &f.out.Sessions[i]
		if p, err := hex.DecodeString(s.Pseudonym); err == nil && s.Of != IdentityUser {
			s.Failed = wanted[Pseudonym(p)]
		}
		slices.Sort(s.Users)
		slices.Sort(s.Keys)
	}
	return nil
}

func (g *grouping) sessionOf(x *found) *open {
	addr := x.addr
	if x.process != 0 {
		k := processKey{x.process, x.user}
		switch {
		case addr != (Pseudonym{}):
			g.processes[k] = addr
		default:
			addr = g.processes[k]
		}
		if x.kind == FactSessionClose {
			delete(g.processes, k)
		}
	}
	if addr != (Pseudonym{}) {
		s := g.byAddr[addr]
		if s == nil || x.sec-s.last > g.gap {
			if x.addr == (Pseudonym{}) {
				return g.ofUser(x) // numbers of processes come again, so that only a session in progress counts
			}
			s = g.begin(x, addr, IdentityAddress)
			g.byAddr[addr] = s
		}
		if x.user != (Pseudonym{}) && !s.users[x.user] {
			s.users[x.user] = true
			g.naming[x.user] = append(g.naming[x.user], s)
		}
		return s
	}
	var only *open
	many := false
	list := g.naming[x.user]
	for i := len(list) - 1; i >= 0 && !many; i-- {
		switch s := list[i]; {
		case x.sec-s.last > g.gap:
			list = slices.Delete(list, i, i+1)
		case only != nil:
			many = true
		default:
			only = s
		}
	}
	g.naming[x.user] = list
	if only != nil && !many {
		return only
	}
	return g.ofUser(x)
}

func (g *grouping) ofUser(x *found) *open {
	s := g.byUser[x.user]
	if s == nil || x.sec-s.last > g.gap {
		s = g.begin(x, x.user, IdentityUser)
		g.byUser[x.user] = s
	}
	return s
}

func (g *grouping) begin(x *found, p Pseudonym, of string) *open {
	if x.named {
		of = IdentityHost
	}
	s := &open{at: len(g.out.Sessions), first: x.sec, last: x.until, users: map[Pseudonym]bool{}}
	g.out.Sessions = append(g.out.Sessions, Session{Number: s.at + 1, Pseudonym: p.text(), Of: of, First: stamp(x.sec), Users: []string{}, Keys: []string{}, Kinds: map[string]int64{}, Evaluations: map[string]int64{}, Country: CountryCode(x.country), Unreliable: x.unreliable})
	return s
}

func (g *grouping) put(o *open, x *found) {
	s, w := &g.out.Sessions[o.at], g.words(x)
	o.last = max(o.last, x.until)
	s.Last, s.Seconds = stamp(o.last), o.last-o.first
	s.Kinds[w.Kind]++
	s.Evaluations[w.Evaluation]++
	if w.User != "" && !slices.Contains(s.Users, w.User) {
		s.Users = append(s.Users, w.User)
	}
	if w.Key != "" && !slices.Contains(s.Keys, w.Key) {
		s.Keys = append(s.Keys, w.Key)
	}
	s.Facts = append(s.Facts, w)
}

// words puts a fact into words.
func (g *grouping) words(x *found) SessionFact {
	r := g.out.Rules[x.rule]
	w := SessionFact{
		Fact: Fact{Kind: cmp.Or(x.kind, r.Kind), At: stamp(x.sec), File: g.c.inputs[x.file].path, Offset: x.offset, Length: x.length, LineSHA256: hex.EncodeToString(x.line[:]),
			Pseudonym: cmp.Or(x.address(), x.user.text()), Evaluation: r.Evaluation, Rule: r.Name},
		Address: x.address(), User: x.user.text(), Key: x.key.text(), Method: x.method, Path: x.path, Status: x.status, Times: x.n, Until: stamp(x.until),
		YearAssumed: x.yearless, ZoneAssumed: x.zoneAssumed, Implausible: x.sec < earliest || x.sec > g.c.latest,
	}
	if w.Address != "" {
		w.Country, w.Unreliable = CountryCode(x.country), x.unreliable
	}
	return w
}
