package concert

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The numbers of the public register beyond those of Metrics.
const (
	Unchecked Metric = "unchecked"

	PublicOrders     Metric = "orders"
	OrdersListed     Metric = "orders_listed"
	OrdersWithheld   Metric = "orders_withheld"
	OrdersCross      Metric = "orders_cross_border"
	OrdersEmergency  Metric = "orders_emergency"
	OrdersExecuted   Metric = "orders_executed"
	OrdersMissed     Metric = "orders_missed"
	OrdersForce      Metric = "orders_force_majeure"
	OrdersErrors     Metric = "orders_manifest_errors"
	OrdersNoFacts    Metric = "orders_insufficient_information"
	OrdersFinal      Metric = "orders_final"
	OrdersVoid       Metric = "orders_void"
	OrdersWithdrawn  Metric = "orders_withdrawn"
	OrdersScrutiny   Metric = "orders_scrutinised"
	ReferralsAcked   Metric = "referrals_acknowledged"
	RequestErrors    Metric = "errors"
	Ordered          Metric = "ordered"
	OrderedURLs      Metric = "ordered_urls"
	OrderedAccounts  Metric = "ordered_accounts"
	OrderedOthers    Metric = "ordered_others"
	OrderedRemoved   Metric = "ordered_removed"
	OrderedDisabled  Metric = "ordered_disabled"
	OrderedOpen      Metric = "ordered_open"
	OrderedBack      Metric = "ordered_reinstated"
	Complaints       Metric = "complaints"
	ComplaintsUp     Metric = "complaints_upheld"
	ComplaintsPartly Metric = "complaints_partly"
	ComplaintsDown   Metric = "complaints_rejected"
	ComplaintsOpen   Metric = "complaints_open"
	AnswerMedian     Metric = "order_answer_median"
	AnswerNinth      Metric = "order_answer_ninth_tenth"
)

// CountingUnit is what a public number counts (G28): four units, which are never
// added up with one another, and two for what is none of them.
type CountingUnit string

// The units.
const (
	UnitItem      CountingUnit = "item"      // one piece of content at one place, in one request
	UnitURL       CountingUnit = "url"       // an item that is a page, post, message or stream
	UnitAccount   CountingUnit = "account"   // an item that is an account, channel or bot
	UnitRequest   CountingUnit = "request"   // one referral or one order, whatever it carries
	UnitComplaint CountingUnit = "complaint" // one complaint, or one recorded error
	UnitSecond    CountingUnit = "second"
)

// UnitDefinitions say what each unit is.
var UnitDefinitions = map[CountingUnit]string{
	UnitItem:      "one piece of content at one place, in one request; what is referred and then ordered counts in each",
	UnitURL:       "an item whose place is a page, post, message or stream",
	UnitAccount:   "an item whose place is an account, channel or bot",
	UnitRequest:   "one referral or one removal order, however many items it names",
	UnitComplaint: "one complaint about a request, or one entry of the error register",
	UnitSecond:    "a second, from the proof of receipt to the addressee's last word by which all items were dealt with, both as they were recorded here",
}

// CountingUnits lists them.
var CountingUnits = []CountingUnit{UnitItem, UnitURL, UnitAccount, UnitRequest, UnitComplaint, UnitSecond}

// PublicFigure is the definition of one public number.
type PublicFigure struct {
	Metric     Metric
	Unit       CountingUnit
	Of         Metric // its denominator, "" for none
	Checked    bool   // rests on our own looks: the day of the newest stands beside it (G29)
	Definition string
}

// PublicFigures are the numbers of the register, in the order in which they are
// shown. Every one is of the requests that went out in the period, as they stood at
// the check date.
func PublicFigures() []PublicFigure {
	return []PublicFigure{
		{PublicOrders, UnitRequest, "", false, "removal orders issued (Art. 3), with those whose record is held back"},
		{OrdersListed, UnitRequest, PublicOrders, false, "of those: each has a record in the register"},
		{OrdersWithheld, UnitRequest, PublicOrders, false, "of those: held back while a non-disclosure stands (Art. 11(3)) or the hour runs; they count in no number but these three"},
		{OrdersCross, UnitRequest, OrdersListed, false, "to an addressee in another Member State, whose authority got a copy (Art. 4(1))"},
		{OrdersEmergency, UnitRequest, OrdersListed, false, "without the twelve hours' notice, in an emergency (Art. 3(2))"},
		{OrdersExecuted, UnitRequest, OrdersListed, false, "the addressee says of every item what it did (Annex II)"},
		{OrdersMissed, UnitRequest, OrdersListed, false, "the hour went by without an answer (Art. 3(3))"},
		{OrdersForce, UnitRequest, OrdersListed, false, "the addressee named force majeure or de facto impossibility (Annex III, Art. 3(7))"},
		{OrdersErrors, UnitRequest, OrdersListed, false, "the addressee named manifest errors (Annex III, Art. 3(8))"},
		{OrdersNoFacts, UnitRequest, OrdersListed, false, "the addressee named insufficient information (Annex III, Art. 3(8))"},
		{OrdersFinal, UnitRequest, OrdersListed, false, "final: no appeal any more (Art. 3(9))"},
		{OrdersScrutiny, UnitRequest, OrdersListed, false, "scrutinised by an authority of the addressee's state (Art. 4)"},
		{OrdersVoid, UnitRequest, OrdersListed, false, "lost their effect, since an infringement was found"},
		{OrdersWithdrawn, UnitRequest, OrdersListed, false, "taken back by the authority that issued them"},
		{Ordered, UnitItem, "", false, "items that listed orders name"},
		{OrderedURLs, UnitURL, Ordered, false, "of those: a page, post, message or stream"},
		{OrderedAccounts, UnitAccount, Ordered, false, "of those: an account, channel or bot"},
		{OrderedOthers, UnitItem, Ordered, false, "of those: neither"},
		{OrderedRemoved, UnitItem, Ordered, false, "the addressee says that it removed them (Annex II)"},
		{OrderedDisabled, UnitItem, Ordered, false, "the addressee says that it disabled access to them in all Member States (Annex II)"},
		{OrderedOpen, UnitItem, Ordered, false, "the addressee has not said so"},
		{OrderedBack, UnitItem, Ordered, false, "removed or disabled under an order that lost its effect or was taken back: to be reinstated"},
		{AnswerMedian, UnitSecond, OrdersExecuted, false, "how long the executed orders took: the median"},
		{AnswerNinth, UnitSecond, OrdersExecuted, false, "how long the executed orders took: nine in ten within"},
		{Referrals, UnitRequest, "", false, "referrals sent: voluntary, and no orders"},
		{ReferralsAcked, UnitRequest, Referrals, false, "of those: the provider acknowledged receipt"},
		{ReferredN, UnitItem, "", false, "items that referrals carried to a provider"},
		{ReferredURLs, UnitURL, ReferredN, false, "of those: a page, post, message or stream"},
		{ReferredAccounts, UnitAccount, ReferredN, false, "of those: an account, channel or bot"},
		{ReferredOthers, UnitItem, ReferredN, false, "of those: neither"},
		{AnsweredN, UnitItem, ReferredN, false, "the provider gave a final word"},
		{Silent, UnitItem, ReferredN, false, "it gave none"},
		{Removed, UnitItem, AnsweredN, false, "the provider says that it removed, disabled or restricted them, or found them gone"},
		{Refused, UnitItem, AnsweredN, false, "the provider found that they do not violate its terms"},
		{OtherAnswer, UnitItem, AnsweredN, false, "answered otherwise: not ours, impossible, forwarded, contested, restored"},
		{RecheckedN, UnitItem, ReferredN, true, "we looked ourselves"},
		{Unchecked, UnitItem, ReferredN, false, "we did not look"},
		{Down, UnitItem, RecheckedN, true, "last seen down"},
		{StillUp, UnitItem, RecheckedN, true, "last seen up, and never seen down"},
		{PartialN, UnitItem, RecheckedN, true, "last seen down in some places only"},
		{UnknownN, UnitItem, RecheckedN, true, "our last look could not tell"},
		{Returned, UnitItem, RecheckedN, true, "seen down, and last seen up again"},
		{WithdrawnN, UnitItem, ReferredN, false, "the author took the referral of them back"},
		{Corrected, UnitItem, ReferredN, false, "corrections of what was said of them; one item may have several"},
		{Complaints, UnitComplaint, "", false, "complaints about the requests"},
		{ComplaintsUp, UnitComplaint, Complaints, false, "upheld"},
		{ComplaintsPartly, UnitComplaint, Complaints, false, "upheld partly"},
		{ComplaintsDown, UnitComplaint, Complaints, false, "rejected"},
		{ComplaintsOpen, UnitComplaint, Complaints, false, "not decided"},
		{RequestErrors, UnitRequest, "", false, "requests with an entry in the error register"},
	}
}

// PublicSums are the equalities that the numbers satisfy in every row.
func PublicSums() []Sum {
	return []Sum{
		{ReferredN, []Metric{AnsweredN, Silent}},
		{ReferredN, []Metric{ReferredURLs, ReferredAccounts, ReferredOthers}},
		{ReferredN, []Metric{RecheckedN, Unchecked}},
		{AnsweredN, []Metric{Removed, Refused, OtherAnswer}},
		{RecheckedN, []Metric{Down, StillUp, PartialN, UnknownN, Returned}},
		{Ordered, []Metric{OrderedURLs, OrderedAccounts, OrderedOthers}},
		{Ordered, []Metric{OrderedRemoved, OrderedDisabled, OrderedOpen}},
		{Complaints, []Metric{ComplaintsUp, ComplaintsPartly, ComplaintsDown, ComplaintsOpen}},
		{PublicOrders, []Metric{OrdersListed, OrdersWithheld}},
	}
}

// PublicScope is whose numbers a row has.
type PublicScope struct {
	Kind string // "all", "authority", "provider" or "state" (of the authority)
	Ref  string // "" of all
}

// The kinds of scope.
const (
	ScopeAll       = "all"
	ScopeAuthority = "authority"
	ScopeProvider  = "provider"
	ScopeState     = "state"
)

// PublicRow is the numbers of one scope in one year; Year 0 is all years. Few stands
// for a number that is not shown.
type PublicRow struct {
	Scope   PublicScope
	Year    int
	Counts  Counts
	Checked time.Time // of the newest look that counts here; zero for none
}

type rowKey struct {
	scope PublicScope
	year  int
}

// counted are the exact numbers of one request. They are what both the published and
// the recounted numbers are sums of.
func (r *publicRequest) counted(withheld bool) Counts {
	c := Counts{}
	if withheld {
		c[PublicOrders], c[OrdersWithheld] = 1, 1
		return c
	}
	for m, n := range r.counts {
		c[m] = n
	}
	yes := func(m Metric, is bool) {
		if is {
			c[m]++
		}
	}
	order := r.kind == PublicOrder
	yes(PublicOrders, order)
	yes(OrdersListed, order)
	yes(OrdersCross, r.copied)
	yes(OrdersEmergency, r.emergency)
	yes(OrdersExecuted, !r.executed.IsZero())
	yes(OrdersMissed, r.missed)
	yes(OrdersForce, slices.Contains(r.why, ImpossibleForce))
	yes(OrdersErrors, slices.Contains(r.why, ImpossibleErrors))
	yes(OrdersNoFacts, slices.Contains(r.why, ImpossibleInsufficient))
	yes(OrdersFinal, r.status == OrderFinal)
	yes(OrdersScrutiny, r.scrutinies > 0)
	yes(OrdersVoid, r.status == OrderVoid)
	yes(OrdersWithdrawn, r.status == OrderWithdrawn)
	yes(Referrals, !order)
	yes(ReferralsAcked, r.acked)
	yes(RequestErrors, r.errors > 0)
	up, partly, down := int64(r.complaints[ComplaintUpheld]), int64(r.complaints[ComplaintPartly]), int64(r.complaints[ComplaintRejected])
	c[Complaints] = max(int64(r.complaints[""]), up+partly+down)
	c[ComplaintsUp], c[ComplaintsPartly], c[ComplaintsDown], c[ComplaintsOpen] = up, partly, down, c[Complaints]-up-partly-down
	return c
}

// exactRows adds up the requests by scope and year.
func (f *PublicFold) exactRows(rules PublicRules, cutoff time.Time) map[rowKey]*PublicRow {
	rows := map[rowKey]*PublicRow{}
	took := map[rowKey][]time.Duration{}
	for _, r := range f.requests {
		withheld := r.withheld(rules, cutoff)
		c := r.counted(withheld)
		scopes := []PublicScope{{ScopeAll, ""}, {ScopeAuthority, f.authorities[r.authority].Ref}, {ScopeProvider, f.providers[r.provider].Ref}}
		if s := f.authorities[r.authority].State; publicState.MatchString(s) {
			scopes = append(scopes, PublicScope{ScopeState, s})
		}
		for _, s := range scopes {
			for _, year := range []int{0, r.at.UTC().Year()} {
				k := rowKey{s, year}
				if rows[k] == nil {
					rows[k] = &PublicRow{Scope: s, Year: year, Counts: Counts{}}
				}
				for m, n := range c {
					rows[k].Counts[m] += n
				}
				if withheld {
					continue
				}
				rows[k].Checked = later(rows[k].Checked, r.checked)
				if !r.executed.IsZero() && !r.received.IsZero() {
					took[k] = append(took[k], r.executed.Sub(r.received))
				}
			}
		}
	}
	for k, r := range rows {
		r.Counts[AnswerMedian], r.Counts[AnswerNinth] = Few, Few
		if s := SpreadOf(took[k]); s.N >= FewLeast {
			r.Counts[AnswerMedian], r.Counts[AnswerNinth] = s.Median, s.P90
		}
	}
	return rows
}

// rows are the published numbers: those from 1 to 4 that do not count requests which
// the register lists one by one are not shown, and as many more as it takes so that no
// sum within a row, over parties or over years gives one of them away.
func (f *PublicFold) rows(rules PublicRules, cutoff time.Time) []PublicRow {
	exact := f.exactRows(rules, cutoff)
	states := map[string]string{}
	for _, a := range f.authorities {
		states[a.Ref] = a.State
	}
	s := newSuppressor(exact, states)
	s.primary()
	s.complement()
	for _, r := range exact {
		// Who knows how many are listed knows the one from the other.
		if r.Counts[OrdersWithheld] == Few {
			r.Counts[PublicOrders] = Few
		}
	}
	out := make([]PublicRow, 0, len(exact))
	for _, r := range exact {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b PublicRow) int {
		return cmp.Or(cmp.Compare(scopeOrder(a.Scope.Kind), scopeOrder(b.Scope.Kind)), cmp.Compare(a.Scope.Ref, b.Scope.Ref), cmp.Compare(a.Year, b.Year))
	})
	return out
}

func scopeOrder(kind string) int {
	return slices.Index([]string{ScopeAll, ScopeState, ScopeAuthority, ScopeProvider}, kind)
}

// hideable reports whether a small number is hidden: not where each request that it
// counts can be read in the register, and not a time, which has its own rule.
func (f PublicFigure) hideable() bool {
	return f.Unit != UnitSecond && (f.Unit != UnitRequest || f.Metric == OrdersWithheld)
}

// suppressor hides numbers in rows that are linked by sums.
type suppressor struct {
	rows      map[rowKey]*PublicRow
	states    map[string]string // of authorities, by reference
	keys      []rowKey
	metrics   []Metric
	equations [][]rowCell
}

type rowCell struct {
	row    *PublicRow
	metric Metric
}

func newSuppressor(rows map[rowKey]*PublicRow, states map[string]string) *suppressor {
	s := &suppressor{rows: rows, states: states, keys: slices.SortedFunc(maps.Keys(rows), func(a, b rowKey) int {
		return cmp.Or(cmp.Compare(a.scope.Kind, b.scope.Kind), cmp.Compare(a.scope.Ref, b.scope.Ref), cmp.Compare(a.year, b.year))
	})}
	for _, f := range PublicFigures() {
		if f.hideable() {
			s.metrics = append(s.metrics, f.Metric)
		}
	}
	for _, k := range s.keys {
		for _, sum := range PublicSums() {
			if sum.Whole == PublicOrders {
				continue // who knows the list knows both: they are hidden together
			}
			eq := []rowCell{{rows[k], sum.Whole}}
			for _, p := range sum.Parts {
				eq = append(eq, rowCell{rows[k], p})
			}
			s.equations = append(s.equations, eq)
		}
	}
	for _, m := range s.metrics {
		s.link(m)
	}
	return s
}

// link adds what a metric's rows add up to: all years, and all parties.
func (s *suppressor) link(m Metric) {
	years, parties := map[rowKey][]rowCell{}, map[rowKey][]rowCell{}
	for _, k := range s.keys {
		if k.year != 0 {
			whole := rowKey{k.scope, 0}
			years[whole] = append(years[whole], rowCell{s.rows[k], m})
		}
		if k.scope.Kind != ScopeAll {
			group := rowKey{PublicScope{k.scope.Kind, ""}, k.year}
			parties[group] = append(parties[group], rowCell{s.rows[k], m})
		}
		if state := s.states[k.scope.Ref]; k.scope.Kind == ScopeAuthority && state != "" {
			group := rowKey{PublicScope{ScopeState, state}, k.year}
			parties[group] = append(parties[group], rowCell{s.rows[k], m})
		}
	}
	for _, k := range s.keys {
		if parts := years[k]; parts != nil {
			s.equations = append(s.equations, append([]rowCell{{s.rows[k], m}}, parts...))
		}
		if k.scope.Kind == ScopeState {
			s.equations = append(s.equations, append([]rowCell{{s.rows[k], m}}, parties[k]...))
		}
		if k.scope.Kind != ScopeAll {
			continue
		}
		for _, kind := range []string{ScopeAuthority, ScopeProvider, ScopeState} {
			if parts := parties[rowKey{PublicScope{kind, ""}, k.year}]; parts != nil {
				s.equations = append(s.equations, append([]rowCell{{s.rows[k], m}}, parts...))
			}
		}
	}
}

// primary hides numbers from 1 to 4.
func (s *suppressor) primary() {
	for _, k := range s.keys {
		c := s.rows[k].Counts
		for _, m := range s.metrics {
			if c[m] > 0 && c[m] < FewLeast {
				c[m] = Few
			}
		}
	}
}

// complement hides the smallest number beside one that is hidden alone in a sum, until
// no sum has only one.
func (s *suppressor) complement() {
	for changed := true; changed; {
		changed = false
		for _, eq := range s.equations {
			hidden, best := 0, -1
			for i, c := range eq {
				switch n := c.row.Counts[c.metric]; {
				case n == Few:
					hidden++
				case n > 0 && (best < 0 || n < eq[best].row.Counts[eq[best].metric]):
					best = i
				}
			}
			if hidden == 1 && best >= 0 {
				eq[best].row.Counts[eq[best].metric], changed = Few, true
			}
		}
	}
}

// Shown is a public number as it is written: empty where it is not shown.
func Shown(n int64) string {
	if n == Few {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
