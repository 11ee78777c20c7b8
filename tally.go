package concert

import (
	"encoding/json"
	"slices"
)

// Metric is a published number. Its definition stands in MetricDefinitions and
// in docs/counting.md; sums that must hold are in Sums (G28).
type Metric string

// The metrics, in the order of the chain.
const (
	Submitted    Metric = "submitted"
	Unique       Metric = "unique"
	Duplicates   Metric = "duplicates"
	Guarded      Metric = "guarded"
	Unassessed   Metric = "unassessed"
	OutOfScope   Metric = "out_of_scope"
	Assessed     Metric = "assessed"
	Awaiting     Metric = "awaiting_approval"
	Rejected     Metric = "rejected"
	Approved     Metric = "approved"
	Ready        Metric = "ready"
	Held         Metric = "held"
	TakenBack    Metric = "taken_back"
	ReferredN    Metric = "referred"
	Acknowledged Metric = "acknowledged"
	AnsweredN    Metric = "answered"
	Silent       Metric = "silent"
	Removed      Metric = "removed"
	Refused      Metric = "refused"
	OtherAnswer  Metric = "other_answer"
	RecheckedN   Metric = "rechecked"
	Down         Metric = "down"
	StillUp      Metric = "still_up"
	PartialN     Metric = "partial"
	UnknownN     Metric = "unknown"
	Returned     Metric = "returned"
	WithdrawnN   Metric = "withdrawn"
	Corrected    Metric = "corrected"
	Referrals    Metric = "referrals"
	Reminders    Metric = "reminders"
	HoldHits     Metric = "hold_hits"

	SecondLooks     Metric = "second_looks"
	SecondWaiting   Metric = "second_waiting"
	SecondAgreed    Metric = "second_agreed"
	SecondDisagreed Metric = "second_disagreed"

	ReferredURLs     Metric = "referred_urls"
	ReferredAccounts Metric = "referred_accounts"
	ReferredOthers   Metric = "referred_others"

	CannotIsolate Metric = "cannot_isolate"
)

// Metrics lists them.
var Metrics = []Metric{Submitted, Unique, Duplicates, Guarded, Unassessed, OutOfScope, Assessed, Awaiting, Rejected, Approved, Ready, Held, TakenBack, ReferredN, Acknowledged, AnsweredN, Silent, Removed, Refused, OtherAnswer, RecheckedN, Down, StillUp, PartialN, UnknownN, Returned, WithdrawnN, Corrected, Referrals, Reminders, HoldHits, SecondLooks, SecondWaiting, SecondAgreed, SecondDisagreed, ReferredURLs, ReferredAccounts, ReferredOthers, CannotIsolate}

// MetricDefinitions says what each number counts; the unit is the item (one
// piece of content at one place) unless it says otherwise.
var MetricDefinitions = map[Metric]string{
	Submitted:    "submissions taken: one per authority and place; the same authority's second submission of one place is not counted",
	Unique:       "distinct items (places)",
	Duplicates:   "submissions of a place that another authority had submitted",
	Guarded:      "items that the guard stopped: bare domains, searches, listings, collections",
	Unassessed:   "items that wait for an assessment now",
	OutOfScope:   "items whose outlet is not on the scope list",
	Assessed:     "items with an assessment in scope, or found exempt",
	Awaiting:     "items that wait for an approval now",
	Rejected:     "items found exempt under Art. 1(3) or rejected by a reviewer",
	Approved:     "items approved by as many other people as they need",
	Ready:        "approved items that wait for their provider's hours or capacity now",
	Held:         "approved items that another authority's hold keeps back now",
	TakenBack:    "approved items withdrawn before they were referred",
	ReferredN:    "items that a referral carried to a provider",
	Acknowledged: "items in referrals that the provider acknowledged",
	AnsweredN:    "referred items with the provider's final word",
	Silent:       "referred items without one",
	Removed:      "items that the provider says it removed, disabled, restricted or found gone",
	Refused:      "items that the provider found not to violate its terms",
	OtherAnswer:  "items answered otherwise: not ours, impossible, forwarded, contested, restored",
	RecheckedN:   "referred items that we looked at ourselves",
	Down:         "items that we last saw down",
	StillUp:      "items that we last saw up and never saw down",
	PartialN:     "items that we last saw down in some places only",
	UnknownN:     "items of which our last look could not tell",
	Returned:     "items that we saw down and last saw up again",
	WithdrawnN:   "items whose referral the author withdrew, before or after it went out",
	Corrected:    "corrections sent (unit: correction)",
	Referrals:    "referrals sent (unit: referral)",
	Reminders:    "reminders sent (unit: reminder)",
	HoldHits:     "times a hold stopped an approved item (unit: hit)",

	SecondLooks:     "approvals drawn, one in fifty, for a blind second look (unit: approved assessment)",
	SecondWaiting:   "of those: not looked at yet",
	SecondAgreed:    "of those: the second pair of eyes would refer it, too",
	SecondDisagreed: "of those: the second pair of eyes would not refer it",

	ReferredURLs:     "referred places that are a page, post, message or stream (unit: URL)",
	ReferredAccounts: "referred places that are an account, channel or bot (unit: account)",
	ReferredOthers:   "referred places that are neither: apps, extensions, newsletters",

	CannotIsolate: "of the other answers: places of which the provider says that a measure would hit others",
}

// Sum says that Whole equals the sum of Parts.
type Sum struct {
	Whole Metric
	Parts []Metric
}

// Sums are the equalities that every published set of numbers satisfies.
var Sums = []Sum{
	{Submitted, []Metric{Unique, Duplicates}},
	{Unique, []Metric{Guarded, Unassessed, OutOfScope, Assessed}},
	{Assessed, []Metric{Awaiting, Rejected, Approved}},
	{Approved, []Metric{Ready, Held, TakenBack, ReferredN}},
	{ReferredN, []Metric{AnsweredN, Silent}},
	{ReferredN, []Metric{ReferredURLs, ReferredAccounts, ReferredOthers}},
	{AnsweredN, []Metric{Removed, Refused, OtherAnswer}},
	{RecheckedN, []Metric{Down, StillUp, PartialN, UnknownN, Returned}},
	{SecondLooks, []Metric{SecondWaiting, SecondAgreed, SecondDisagreed}},
}

// UnitOf is the unit that a kind of place counts in beside the item: numbers
// that mix units cannot be compared (G28).
func UnitOf(kind string) Metric {
	switch kind {
	case "account", "channel", "bot":
		return ReferredAccounts
	case "app", "extension", "newsletter":
		return ReferredOthers
	}
	return ReferredURLs
}

// metrics are the numbers that an item with this facet counts in.
func (f Facet) metrics() []Metric {
	var m []Metric
	switch f.Status {
	case ItemStopped:
		return []Metric{Guarded}
	case ItemOpen:
		return []Metric{Unassessed}
	case ItemOutOfScope:
		return []Metric{OutOfScope}
	case ItemAssessed:
		return []Metric{Assessed, Awaiting}
	case ItemRejected:
		return []Metric{Assessed, Rejected}
	case ItemApproved:
		return []Metric{Assessed, Approved, Ready}
	case ItemHeld:
		return []Metric{Assessed, Approved, Held}
	case ItemWithdrawn:
		m = append(m, WithdrawnN)
		if !f.Sent {
			return append(m, Assessed, Approved, TakenBack)
		}
	case "":
		return nil
	}
	m = append(m, Assessed, Approved, ReferredN)
	switch {
	case !f.Claim.Final():
		m = append(m, Silent)
	case f.Claim.Effect():
		m = append(m, AnsweredN, Removed)
	case f.Claim.Refusal():
		m = append(m, AnsweredN, Refused)
	default:
		m = append(m, AnsweredN, OtherAnswer)
		if f.Claim == AnswerCannotIsolate {
			m = append(m, CannotIsolate)
		}
	}
	switch f.Seen {
	case ObservedDown:
		m = append(m, RecheckedN, Down)
	case ObservedUp:
		if f.Down {
			m = append(m, RecheckedN, Returned)
		} else {
			m = append(m, RecheckedN, StillUp)
		}
	case ObservedPartial:
		m = append(m, RecheckedN, PartialN)
	case ObservedUnknown:
		m = append(m, RecheckedN, UnknownN)
	}
	return m
}

// TallyKey names one running number: of an action ("" outside any), for one
// side ("a:" and an authority, "p:" and a provider, or "o:" and an officer, whose
// numbers belong to no action).
type TallyKey struct {
	Action ActionID
	Side   string
	Metric Metric
}

// Deltas is how a set of running numbers changes.
type Deltas map[TallyKey]int64

func (d Deltas) add(action ActionID, authority AuthorityID, provider ProviderID, m Metric, n int64) {
	d[TallyKey{action, "a:" + string(authority), m}] += n
	if provider != "" {
		d[TallyKey{action, "p:" + string(provider), m}] += n
	}
}

// Count adds what the event changes. The board's numbers and a recount from an
// export are both this fold over the events, and nothing else.
func (d Deltas) Count(kind EventKind, body any) {
	switch b := body.(type) {
	case ItemBody:
		d.countItem(kind, b)
		d.countOfficer(kind, b)
	case ReferralBody:
		switch kind {
		case EventReferralSent:
			d.add(b.Action, b.Authority, b.Provider, Referrals, 1)
		case EventReferralAcknowledged:
			d.add(b.Action, b.Authority, b.Provider, Acknowledged, int64(b.Items))
		case EventReferralReminded:
			d.add(b.Action, b.Authority, b.Provider, Reminders, 1)
		}
	}
}

func (d Deltas) countItem(kind EventKind, b ItemBody) {
	one := func(m Metric, n int64) { d.add(b.Action, b.Authority, b.Provider, m, n) }
	switch kind {
	case EventItemSubmitted, EventItemStopped:
		one(Submitted, 1)
		one(Unique, 1)
	case EventItemJoined:
		one(Submitted, 1)
		one(Duplicates, 1)
		return
	case EventItemReferred:
		one(UnitOf(b.Kind), 1)
	case EventItemHeld:
		one(HoldHits, 1)
	case EventItemCorrected:
		one(Corrected, 1)
	case EventItemApproved, EventItemSecondLook:
		d.countLook(kind, b)
	}
	if b.From != nil {
		provider := b.Provider
		if b.Hosted {
			// The provider's side begins here; the authority's goes on.
			provider = ""
			d[TallyKey{b.Action, "p:" + string(b.Provider), Submitted}]++
			d[TallyKey{b.Action, "p:" + string(b.Provider), Unique}]++
		}
		for _, m := range b.From.metrics() {
			d.add(b.Action, b.Authority, provider, m, -1)
		}
	}
	if b.To != nil {
		for _, m := range b.To.metrics() {
			one(m, 1)
		}
	}
}

// countLook counts second looks. They are the authorities' own business: no
// provider's side has them.
func (d Deltas) countLook(kind EventKind, b ItemBody) {
	one := func(m Metric, n int64) { d.add(b.Action, b.Authority, "", m, n) }
	switch {
	case kind == EventItemApproved && b.Drawn:
		one(SecondLooks, 1)
		one(SecondWaiting, 1)
	case kind == EventItemSecondLook && b.Look == LookAgree:
		one(SecondWaiting, -1)
		one(SecondAgreed, 1)
	case kind == EventItemSecondLook && b.Look == LookDisagree:
		one(SecondWaiting, -1)
		one(SecondDisagreed, 1)
	}
}

// CountRecorded is Count for an event read back from a store or an export.
func (d Deltas) CountRecorded(e RecordedEvent) error {
	switch e.Kind {
	case EventReferralSent, EventReferralAcknowledged, EventReferralReminded:
		var b ReferralBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		d.Count(e.Kind, b)
	case EventItemSubmitted, EventItemStopped, EventItemJoined, EventItemAssessed, EventItemExempt, EventItemUnscoped, EventItemSeconded, EventItemApproved, EventItemRejected, EventItemHeld, EventItemReleased, EventItemReferred, EventItemAnswered, EventItemRechecked, EventItemWithdrawn, EventItemCorrected, EventItemHoldOverridden, EventItemSecondLook:
		var b ItemBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		d.Count(e.Kind, b)
	}
	return nil
}

// Counts is one set of published numbers.
type Counts map[Metric]int64

// Totals adds up one action's numbers over all authorities; "" is what belongs
// to no action.
func (d Deltas) Totals(action ActionID) Counts {
	c := Counts{}
	for k, n := range d {
		if k.Action == action && len(k.Side) > 1 && k.Side[0] == 'a' {
			c[k.Metric] += n
		}
	}
	return c
}

// BySide groups one action's numbers by authority ("a") or provider ("p"), or
// those of no action by officer ("o").
func (d Deltas) BySide(action ActionID, side byte) map[string]Counts {
	out := map[string]Counts{}
	for k, n := range d {
		if k.Action == action && len(k.Side) > 1 && k.Side[0] == side {
			id := k.Side[2:]
			if out[id] == nil {
				out[id] = Counts{}
			}
			out[id][k.Metric] += n
		}
	}
	return out
}

// Check names the first equality that the numbers break, nil when all hold.
func (c Counts) Check() error {
	for _, s := range Sums {
		var sum int64
		for _, p := range s.Parts {
			sum += c[p]
		}
		if c[s.Whole] != sum {
			return Refuse(Conflict, "counts.sum", string(s.Whole), "%s is %d, but %v add up to %d: tell the operator, and count again from an export of the log", s.Whole, c[s.Whole], s.Parts, sum)
		}
	}
	return nil
}

// Counts reports whether an item with this facet counts in the number, which is
// one that hangs on the facet alone.
func (f Facet) Counts(m Metric) bool {
	switch m {
	case Unique:
		return f.Status != ""
	case Deconflicted:
		return f.Counts(Approved) && !f.Counts(Held) && !f.Counts(TakenBack)
	}
	return slices.Contains(f.metrics(), m)
}

// Listable reports whether the number is one of items that can be listed: it
// hangs on each item's facet alone.
func (m Metric) Listable() bool {
	switch m {
	case Submitted, Duplicates, Acknowledged, Corrected, Referrals, Reminders, HoldHits, SecondLooks, SecondWaiting, SecondAgreed, SecondDisagreed, ReferredURLs, ReferredAccounts, ReferredOthers:
		return false
	}
	return m.Definition() != ""
}
