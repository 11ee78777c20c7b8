package concert

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// accessCell is where an access is counted.
type accessCell struct {
	month int32
	actor uint32
	event uint32
	kind  AccessKind
}

// recipientCell is where a disclosure is counted, by to whom.
type recipientCell struct {
	month int32
	kind  RecipientKind
	whom  uint32
	event uint32
}

// RecipientKind is what somebody is to whom data go.
type RecipientKind string

// The recipients. Whose name or address is sealed is counted by what it is.
const (
	ToAProvider       RecipientKind = "provider"
	ToAnAuthority     RecipientKind = "authority"
	ToATransfer       RecipientKind = "transfer"     // an authority of another state
	ToTheCoordinators RecipientKind = "coordinators" // whose part of a threat to life it is
	ToAContentOwner   RecipientKind = "content_provider"
	ToASealedAddress  RecipientKind = "sealed" // to whom stands sealed beside the event
	ToTheAuditorsCopy RecipientKind = "auditor"
)

// RecipientKinds lists them.
var RecipientKinds = []RecipientKind{ToAProvider, ToAnAuthority, ToATransfer, ToTheCoordinators, ToAContentOwner, ToASealedAddress, ToTheAuditorsCopy}

// disclosedBody is what bodies of disclosures say of their recipients.
type disclosedBody struct {
	Authority   AuthorityID `json:"authority"`
	Provider    ProviderID  `json:"provider"`
	Copied      AuthorityID `json:"copied"`
	Destination Destination `json:"destination"`
}

// Recipient is one to whom something went: a provider or an authority by its id, or
// what it is where who it is stands sealed.
type Recipient struct {
	Kind RecipientKind
	ID   string
}

// RecipientsOf says to whom an event disclosed, as far as its body says it. state is
// what state an authority is of: a copy to another one's is a transfer.
func RecipientsOf(e RecordedEvent, state func(AuthorityID) string) []Recipient {
	var b disclosedBody
	if json.Unmarshal(e.Body, &b) != nil {
		return nil
	}
	switch e.Kind {
	case EventThreatReceived, EventThreatPassed:
		return threatRecipients(e, state)
	case EventConsulted:
		return []Recipient{{ToTheAuditorsCopy, ""}}
	case EventContentInformed:
		return []Recipient{{ToAContentOwner, ""}}
	case EventItemDisclosed, EventCaptureExported, EventReceivedDelivered, EventThreatDelivered:
		return []Recipient{{ToASealedAddress, string(b.Destination)}}
	case EventExhibitHanded, EventLeadReleased:
		return evidenceRecipients(e, state)
	case EventHoldAsked, EventAuditRecommended, EventScrutinyIntended:
		return []Recipient{{ToAnAuthority, string(b.Authority)}}
	}
	var out []Recipient
	if b.Provider != "" {
		out = append(out, Recipient{ToAProvider, string(b.Provider)})
	}
	if b.Copied != "" {
		kind := ToAnAuthority
		if from, to := state(b.Authority), state(b.Copied); from != to {
			kind = ToATransfer
		}
		out = append(out, Recipient{kind, string(b.Copied)})
	}
	if len(out) == 0 {
		out = append(out, Recipient{ToASealedAddress, ""})
	}
	return out
}

// threatRecipients are those to whom a report of a threat to life went. What one
// authority passes on to another state's is a transfer; what a provider reports is none.
func threatRecipients(e RecordedEvent, state func(AuthorityID) string) []Recipient {
	var b ThreatBody
	if json.Unmarshal(e.Body, &b) != nil {
		return nil
	}
	out := make([]Recipient, len(b.To))
	for i, g := range b.To {
		out[i] = Recipient{ToAnAuthority, string(g.Authority)}
		switch {
		case g.Authority == "":
			out[i].Kind = ToTheCoordinators
		case e.Kind == EventThreatPassed && g.State != state(b.Authority):
			out[i].Kind = ToATransfer
		}
	}
	return out
}

// evidenceRecipients are those to whom an exhibit or a lead went. The name of a lead's
// recipient is sealed; its state is not.
func evidenceRecipients(e RecordedEvent, state func(AuthorityID) string) []Recipient {
	if e.Kind == EventLeadReleased {
		var b LeadBody
		if json.Unmarshal(e.Body, &b) != nil {
			return nil
		}
		if WithinLeadArea(b.State) {
			return []Recipient{{ToASealedAddress, b.State}}
		}
		return []Recipient{{ToATransfer, b.State}}
	}
	var b ExhibitBody
	if json.Unmarshal(e.Body, &b) != nil {
		return nil
	}
	if state(b.Authority) != state(b.To) {
		return []Recipient{{ToATransfer, string(b.To)}}
	}
	return []Recipient{{ToAnAuthority, string(b.To)}}
}

func (f *AuditFold) countAccess(e RecordedEvent) {
	kinds := accessKindsOf(e, f.rules)
	if len(kinds) == 0 {
		return
	}
	c := accessCell{month: monthOf(e.At), actor: f.words.number(string(e.Actor)), event: f.words.number(string(e.Kind))}
	for _, k := range kinds {
		c.kind = k
		f.access[c]++
		if k != AccessDisclosure {
			continue
		}
		for _, r := range RecipientsOf(e, func(a AuthorityID) string { return f.parties[string(a)].State }) {
			f.given[recipientCell{c.month, r.Kind, f.words.number(r.ID), c.event}]++
		}
	}
}

// AccessQuery chooses accesses; its zero value, all.
type AccessQuery struct {
	Kind  AccessKind
	Actor PersonID
	From  string // first month, 2026-01; "" for the first
	Until string
}

// Check refuses a query that names what there is not.
func (q AccessQuery) Check() error {
	if q.Kind != "" && !slices.Contains(AccessKinds, q.Kind) {
		return Refuse(Invalid, "access.kind", "kind", "%q is no kind of access; the six of Art. 25 are %v", q.Kind, AccessKinds)
	}
	return DrawFrame{From: q.From, Until: q.Until}.Check()
}

func (q AccessQuery) within(month int32) bool {
	return (q.From == "" || month >= monthNumber(q.From)) && (q.Until == "" || month <= monthNumber(q.Until))
}

// Bounds are the query's months in microseconds: from, and before which; 0 for no bound.
func (q AccessQuery) Bounds() (from, until int64) {
	if at, err := time.Parse(monthForm, q.From); err == nil {
		from = Micros(at)
	}
	if at, err := time.Parse(monthForm, q.Until); err == nil {
		until = Micros(at.AddDate(0, 1, 0))
	}
	return from, until
}

// AccessCount is a number of accesses under a heading.
type AccessCount struct {
	Of string // a kind of access, a person's id, a month, a kind of event
	N  int64
}

// DisclosureCount is how often something went to a recipient.
type DisclosureCount struct {
	Recipient
	N int64
}

// Accesses are the numbers of accesses: of each kind, and of those chosen by person,
// by month and by event; and the disclosures by recipient.
type Accesses struct {
	Kinds      []AccessCount // all six, in the article's order, whatever kind was asked
	People     []AccessCount // most first
	Months     []AccessCount // newest first
	Events     []AccessCount // by name
	Recipients []DisclosureCount
}

// accessPeople bounds the people that are named.
const accessPeople = 500

// Accesses counts what the query chooses.
func (f *AuditFold) Accesses(q AccessQuery) Accesses {
	kinds, people, months, events := map[AccessKind]int64{}, map[uint32]int64{}, map[int32]int64{}, map[uint32]int64{}
	for c, n := range f.access {
		if !q.within(c.month) || q.Actor != "" && f.words.list[c.actor] != string(q.Actor) {
			continue
		}
		kinds[c.kind] += n
		if q.Kind != "" && c.kind != q.Kind {
			continue
		}
		people[c.actor] += n
		months[c.month] += n
		events[c.event] += n
	}
	var out Accesses
	for _, k := range AccessKinds {
		out.Kinds = append(out.Kinds, AccessCount{string(k), kinds[k]})
	}
	for a, n := range people {
		out.People = append(out.People, AccessCount{f.words.list[a], n})
	}
	slices.SortFunc(out.People, func(a, b AccessCount) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Of, b.Of)) })
	out.People = out.People[:min(len(out.People), accessPeople)]
	for m, n := range months {
		out.Months = append(out.Months, AccessCount{monthText(m), n})
	}
	slices.SortFunc(out.Months, func(a, b AccessCount) int { return cmp.Compare(b.Of, a.Of) })
	for e, n := range events {
		out.Events = append(out.Events, AccessCount{f.words.list[e], n})
	}
	slices.SortFunc(out.Events, func(a, b AccessCount) int { return cmp.Compare(a.Of, b.Of) })
	out.Recipients = f.recipients(q)
	return out
}

// recipients are the disclosures by to whom, most first. Who disclosed is not asked.
func (f *AuditFold) recipients(q AccessQuery) []DisclosureCount {
	if q.Kind != "" && q.Kind != AccessDisclosure || q.Actor != "" {
		return nil
	}
	n := map[Recipient]int64{}
	for c, v := range f.given {
		if q.within(c.month) {
			n[Recipient{c.kind, f.words.list[c.whom]}] += v
		}
	}
	out := make([]DisclosureCount, 0, len(n))
	for r, v := range n {
		out = append(out, DisclosureCount{r, v})
	}
	slices.SortFunc(out, func(a, b DisclosureCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return out
}
