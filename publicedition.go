package concert

import (
	"math"
	"slices"
	"time"
)

// PublicBand is about how many items a request names: a record never says how many,
// since the records of an authority and its totals would give small numbers away.
type PublicBand string

// The bands.
const (
	BandFew  PublicBand = "1-4"
	BandSome PublicBand = "5-19"
	BandMany PublicBand = "20-100"
)

// PublicBands lists them.
var PublicBands = []PublicBand{BandFew, BandSome, BandMany}

// BandOf is the band of a number; "" of none.
func BandOf(n int) PublicBand {
	switch {
	case n <= 0:
		return ""
	case n < FewLeast:
		return BandFew
	case n < 20:
		return BandSome
	}
	return BandMany
}

// PublicRecord is one order or referral as it is published: codes, days and bands.
// No place, no text, no person, no digest and no item stands in it.
type PublicRecord struct {
	Index        int64 // of the event with which it went out, in the log
	Kind         PublicKind
	Ref          string
	Authority    string // reference
	State        string // of the authority; "" where the log does not say
	Provider     string // reference
	Seat         string // state of the addressee's establishment; "" where the log does not say
	On           string // day on which it went out, UTC
	ChangedOn    string // day of the newest thing that happened to it
	Types        []ContentType
	Contents     []ItemType // of a referral
	Units        []CountingUnit
	Items        PublicBand
	Status       string
	Answers      []string // what the provider claims, of whatever item
	Seen         []Observed
	CheckedOn    string // day of our newest look
	Why          []ImpossibleReason
	Acknowledged bool
	Executed     bool
	Missed       bool
	CrossBorder  bool
	Emergency    bool
	Scrutinised  bool
	Error        bool // an entry of the error register is about it
	Article16    bool // a referral meant as a notice under DSA Art. 16
}

// PublicMistake is one entry of the error register as it is published.
type PublicMistake struct {
	Index     int64
	Kind      ErrorCause
	Category  RemedyCategory
	Request   PublicKind
	Ref       string
	Authority string
	Provider  string
	SentOn    string
	RightOn   string
	Items     PublicBand
}

// PublicEdition is the register as it stands at one moment: what is published, and
// what anyone recounts from an export of the log.
type PublicEdition struct {
	AsOf        time.Time // everything before it is in, nothing after
	Size        int64     // events of the log that it rests on
	Root        string    // of the log of that size, hex
	Exercise    bool
	Delay       time.Duration
	Records     []PublicRecord  // newest first
	Mistakes    []PublicMistake // newest first
	Rows        []PublicRow     // all first, then states, authorities, providers, each by year
	Authorities []PublicParty   // by reference
	Providers   []PublicParty
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// Edition is the register at the cutoff, of the events that the fold has taken: all
// those of the log up to the first that is not older than the cutoff.
func (f *PublicFold) Edition(rules PublicRules, cutoff time.Time) PublicEdition {
	f.settle(math.MaxInt64)
	e := PublicEdition{AsOf: cutoff.UTC(), Size: f.Size, Delay: rules.Delay, Rows: f.rows(rules, cutoff)}
	for _, r := range f.requests {
		if !r.withheld(rules, cutoff) {
			e.Records = append(e.Records, f.record(r))
		}
	}
	for _, x := range f.errors {
		if f.requests[x.request].muted(rules, cutoff) {
			continue
		}
		e.Mistakes = append(e.Mistakes, PublicMistake{Index: x.Index, Kind: x.Kind, Category: x.Category, Request: x.Request, Ref: x.Ref, Authority: f.authorities[x.Authority].Ref, Provider: f.providers[x.Provider].Ref, SentOn: dayOf(x.SentOn), RightOn: dayOf(x.RightOn), Items: BandOf(x.Items)})
	}
	slices.Reverse(e.Records)
	slices.Reverse(e.Mistakes)
	for _, p := range f.authorities {
		e.Authorities = append(e.Authorities, p)
	}
	for _, p := range f.providers {
		e.Providers = append(e.Providers, p)
	}
	byRef := func(a, b PublicParty) int {
		if a.Ref < b.Ref {
			return -1
		}
		return 1
	}
	slices.SortFunc(e.Authorities, byRef)
	slices.SortFunc(e.Providers, byRef)
	return e
}

// sorted are the values of the vocabulary that are in the list, in its order: the order
// in which they came is nobody's.
func sorted[T comparable](vocabulary, list []T) []T {
	var out []T
	for _, v := range vocabulary {
		if slices.Contains(list, v) {
			out = append(out, v)
		}
	}
	return out
}

// publicAnswers are the words of providers, to referrals and to orders.
func publicAnswers() []string {
	var out []string
	for _, c := range AnswerCodes {
		out = append(out, string(c))
	}
	for _, m := range OrderMeasures {
		out = with(out, string(m))
	}
	return out
}

func (f *PublicFold) record(r *publicRequest) PublicRecord {
	items := r.counts[ReferredN]
	if r.kind == PublicOrder {
		items = r.counts[Ordered]
	}
	var units []CountingUnit
	for _, u := range []struct {
		is   Metric
		unit CountingUnit
	}{{ReferredURLs, UnitURL}, {ReferredAccounts, UnitAccount}, {ReferredOthers, UnitItem}} {
		if slices.Contains(r.units, u.is) {
			units = append(units, u.unit)
		}
	}
	p := PublicRecord{Index: r.index, Kind: r.kind, Ref: r.ref, Authority: f.authorities[r.authority].Ref, State: f.authorities[r.authority].State, Provider: f.providers[r.provider].Ref, Seat: r.state,
		On: dayOf(r.at), ChangedOn: dayOf(r.changed), Types: sorted(ContentTypes, r.types), Contents: sorted(ItemTypes, r.contents), Units: units, Items: BandOf(int(items)), Status: r.standing(),
		Answers: sorted(publicAnswers(), r.answers), Seen: sorted(ObservedStates, r.seen), CheckedOn: dayOf(r.checked), Why: sorted(ImpossibleReasons, r.why),
		Acknowledged: r.acked || !r.received.IsZero(), Executed: !r.executed.IsZero(), Missed: r.missed, CrossBorder: r.copied, Emergency: r.emergency, Scrutinised: r.scrutinies > 0, Error: r.errors > 0, Article16: r.article16}
	for _, s := range []*string{&p.State, &p.Seat} {
		if !publicState.MatchString(*s) {
			*s = ""
		}
	}
	return p
}

// standing is where the request stands.
func (r *publicRequest) standing() string {
	c := r.counts
	switch {
	case r.kind == PublicOrder:
		return string(r.status)
	case c[ReferredN] > 0 && c[WithdrawnN] == c[ReferredN]:
		return ReferralTakenBack
	case c[AnsweredN] > 0 && c[Silent] == 0:
		return string(ReferralAnswered)
	case c[AnsweredN] > 0:
		return string(ReferralPartly)
	case r.acked:
		return string(ReferralAcknowledged)
	}
	return string(ReferralSent)
}

// PublicStatuses are those of records, orders' first.
func PublicStatuses() []string {
	var out []string
	for _, s := range OrderStatuses {
		if s.Out() {
			out = append(out, string(s))
		}
	}
	for _, s := range ReferralStatuses {
		out = with(out, string(s))
	}
	return with(out, ReferralTakenBack)
}

// Row is the numbers of one scope and year; false where nothing went out.
func (e PublicEdition) Row(s PublicScope, year int) (PublicRow, bool) {
	for _, r := range e.Rows {
		if r.Scope == s && r.Year == year {
			return r, true
		}
	}
	return PublicRow{Scope: s, Year: year, Counts: Counts{}}, false
}

// Years are those in which something went out, the newest first.
func (e PublicEdition) Years() []int {
	var out []int
	for _, r := range e.Rows {
		if r.Scope.Kind == ScopeAll && r.Year != 0 {
			out = append(out, r.Year)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// PublicSearch is what a reader asks the register. Empty fields ask nothing.
type PublicSearch struct {
	Kind      PublicKind
	Authority string // reference
	Provider  string
	Type      ContentType
	Answer    string
	Status    string
	Error     bool
	Year      int
}

// Find are the records that answer the question, newest first.
func (e PublicEdition) Find(s PublicSearch) []PublicRecord {
	var out []PublicRecord
	for _, r := range e.Records {
		switch {
		case s.Kind != "" && r.Kind != s.Kind,
			s.Authority != "" && r.Authority != s.Authority,
			s.Provider != "" && r.Provider != s.Provider,
			s.Type != "" && !slices.Contains(r.Types, s.Type),
			s.Answer != "" && !slices.Contains(r.Answers, s.Answer),
			s.Status != "" && r.Status != s.Status,
			s.Error && !r.Error,
			s.Year != 0 && r.On[:4] != dayOf(time.Date(s.Year, 1, 1, 0, 0, 0, 0, time.UTC))[:4]:
			continue
		}
		out = append(out, r)
	}
	return out
}

// Record is the one with the reference.
func (e PublicEdition) Record(ref string) (PublicRecord, bool) {
	i := slices.IndexFunc(e.Records, func(r PublicRecord) bool { return r.Ref == ref })
	if i < 0 {
		return PublicRecord{}, false
	}
	return e.Records[i], true
}
