package concert

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// EventKind says what happened. A kind never changes meaning; a changed body
// gets a higher version.
type EventKind string

// The kinds of event.
const (
	EventItemSubmitted        EventKind = "item.submitted"
	EventItemStopped          EventKind = "item.stopped"
	EventItemJoined           EventKind = "item.joined"
	EventItemAssessed         EventKind = "item.assessed"
	EventItemExempt           EventKind = "item.exempt"
	EventItemUnscoped         EventKind = "item.out_of_scope"
	EventItemSeconded         EventKind = "item.seconded" // one approval given, another needed
	EventItemApproved         EventKind = "item.approved"
	EventItemRejected         EventKind = "item.rejected"
	EventItemHeld             EventKind = "item.held"
	EventItemReleased         EventKind = "item.released"
	EventItemReferred         EventKind = "item.referred"
	EventItemAnswered         EventKind = "item.answered"
	EventItemRechecked        EventKind = "item.rechecked"
	EventItemWithdrawn        EventKind = "item.withdrawn"
	EventItemCorrected        EventKind = "item.corrected"
	EventHoldPlaced           EventKind = "hold.placed"
	EventHoldReleased         EventKind = "hold.released"
	EventReferralSent         EventKind = "referral.sent"
	EventReferralAcknowledged EventKind = "referral.acknowledged"
	EventReferralReminded     EventKind = "referral.reminded"
	EventDeliveryMoved        EventKind = "delivery.moved"
	EventScopeProposed        EventKind = "scope.proposed"
	EventScopeConfirmed       EventKind = "scope.confirmed"
	EventScopeDelisted        EventKind = "scope.delisted"
	EventAuthorityAdded       EventKind = "authority.added"
	EventProviderAdded        EventKind = "provider.added"
	EventProviderDisabled     EventKind = "provider.disabled"
	EventPersonAdded          EventKind = "person.added"
	EventPersonLinked         EventKind = "person.linked"
	EventKeyIssued            EventKind = "key.issued"
	EventOutletAdded          EventKind = "outlet.added"
	EventActionOpened         EventKind = "action.opened"
	EventActionPhase          EventKind = "action.phase"
	EventActionJoined         EventKind = "action.joined"
	EventActionTargeted       EventKind = "action.targeted"
	EventConsulted            EventKind = "consulted" // someone read with a justification (G19)
	EventPersonConfirmed      EventKind = "person.confirmed"
	EventPersonRolesProposed  EventKind = "person.roles_proposed"
	EventPersonRolesConfirmed EventKind = "person.roles_confirmed" // also where one administrator is enough
	EventPersonDisabled       EventKind = "person.disabled"
	EventKeyRevoked           EventKind = "key.revoked"
	EventHoldRenewed          EventKind = "hold.renewed"
	EventHoldAsked            EventKind = "hold.asked"           // an item of another authority met the hold
	EventHoldLate             EventKind = "hold.late"            // it was placed after the item had been referred
	EventHoldProbed           EventKind = "hold.probed"          // an authority met too many holds and is paused
	EventHoldResumed          EventKind = "hold.resumed"         // that pause is over
	EventItemHoldOverridden   EventKind = "item.hold_overridden" // a threat to life passes the hold (G32)
	EventOverrideReviewed     EventKind = "override.reviewed"
	EventOverrideUnreviewed   EventKind = "override.unreviewed" // nobody reviewed it in time
	EventDispatchHeld         EventKind = "dispatch.held"
	EventDispatchReleased     EventKind = "dispatch.released"
	EventLogSucceeded         EventKind = "log.succeeded"
	EventLogWitnessRefused    EventKind = "log.witness_refused" // a witness has cosigned another history
	EventLogWitnessResumed    EventKind = "log.witness_resumed" // it cosigns again

	EventErasureAsked    EventKind = "item.erasure_asked"
	EventItemErased      EventKind = "item.erased"
	EventLegalHoldPlaced EventKind = "item.legal_hold_placed"
	EventLegalHoldLifted EventKind = "item.legal_hold_lifted"
	EventHandlingChanged EventKind = "item.handling_changed"
	EventItemDisclosed   EventKind = "item.disclosed" // left for another authority or a court (G23)
	EventItemSecondLook  EventKind = "item.second_look"

	EventCaptureAdded        EventKind = "capture.added"
	EventCaptureErased       EventKind = "capture.erased"   // its bytes, by the clock
	EventCaptureExported     EventKind = "capture.exported" // its bytes, under an instrument
	EventAtrocityMarked      EventKind = "item.atrocity_marked"
	EventAtrocityLifted      EventKind = "item.atrocity_lifted"
	EventPreserved           EventKind = "item.preserved"
	EventItemNoted           EventKind = "item.noted" // an internal note
	EventTemplateWritten     EventKind = "template.written"
	EventTemplateRetired     EventKind = "template.retired"
	EventBatchPlanned        EventKind = "batch.planned"
	EventBatchRecalled       EventKind = "batch.recalled"
	EventBatchStepped        EventKind = "batch.stepped"
	EventBatchDone           EventKind = "batch.done"
	EventFactorAdded         EventKind = "factor.added"
	EventFactorBegun         EventKind = "factor.begun" // it counts with its first code
	EventFactorRemoved       EventKind = "factor.removed"
	EventFactorResetProposed EventKind = "factor.reset_proposed"
	EventFactorReset         EventKind = "factor.reset"  // by two administrators
	EventRecoveryCodesMade   EventKind = "recovery.made" // the older ones are good no more
	EventRecoveryCodeUsed    EventKind = "recovery.used" // in the second factor's place
	EventSessionsEnded       EventKind = "session.ended" // by an administrator
	EventContactAdded        EventKind = "contact.added"
	EventContactDemoted      EventKind = "contact.demoted" // it bounced: nothing goes there until a person restores it
	EventContactRestored     EventKind = "contact.restored"
	EventContactRetired      EventKind = "contact.retired"
	EventMessageReceived     EventKind = "message.received" // a reply, a report or a question came in
	EventLinkRevoked         EventKind = "link.revoked"
	EventProviderSeated      EventKind = "provider.seated" // where it is established was recorded

	EventCaseOpened        EventKind = "case.opened"
	EventCaseMemberAdded   EventKind = "case.member_added"
	EventCaseMemberRemoved EventKind = "case.member_removed"
	EventCaseLed           EventKind = "case.led" // another person leads it
	EventCaseMandated      EventKind = "case.mandated"
	EventCaseAdded         EventKind = "case.added" // something belongs to it
	EventCaseRemoved       EventKind = "case.removed"
	EventCaseReviewDue     EventKind = "case.review_due" // nobody reviewed it in time (G22)
	EventCaseReviewed      EventKind = "case.reviewed"
	EventCaseClosed        EventKind = "case.closed"
	EventCasePersonAdded   EventKind = "case_person.added"
	EventCasePersonPlaced  EventKind = "case_person.categorised" // in another category
	EventCasePersonAsked   EventKind = "case_person.erasure_asked"
	EventCasePersonErased  EventKind = "case_person.erased"
	EventExhibitAdded      EventKind = "exhibit.added"
	EventExhibitCustody    EventKind = "exhibit.custody" // one record of its custody log
	EventExhibitHanded     EventKind = "exhibit.handed"
	EventExhibitReceived   EventKind = "exhibit.received"
	EventVaultKept         EventKind = "exhibit.pseudonyms_kept" // the locked table of its pseudonyms came in

	EventVaultErased EventKind = "exhibit.pseudonyms_erased" // the locked table is gone

	EventReidentifyAsked      EventKind = "reidentification.asked"
	EventReidentifyRefused    EventKind = "reidentification.refused" // by a rule or by a person
	EventReidentifyConfirmed  EventKind = "reidentification.confirmed"
	EventReidentifyAuthorised EventKind = "reidentification.authorised"
	EventReidentifyShared     EventKind = "reidentification.share_given"
	EventReidentifyRevealed   EventKind = "reidentification.revealed" // before anything is shown
	EventReidentifyClosed     EventKind = "reidentification.closed"
	EventReidentifyErased     EventKind = "reidentification.erased"

	EventLeadAsked     EventKind = "lead.asked"
	EventLeadRefused   EventKind = "lead.refused" // by a rule
	EventLeadReleased  EventKind = "lead.released"
	EventLeadReceipted EventKind = "lead.receipted"
	EventLeadDropped   EventKind = "lead.dropped"
	EventLeadErased    EventKind = "lead.erased"

	EventAnalysisAsked   EventKind = "analysis.asked"
	EventAnalysisDone    EventKind = "analysis.done" // its report is kept
	EventAnalysisFailed  EventKind = "analysis.failed"
	EventAnalysisDropped EventKind = "analysis.dropped" // by a person, before its end
	EventAnalysisErased  EventKind = "analysis.erased"

	EventIncidentDeclared EventKind = "incident.declared"
	EventIncidentAttached EventKind = "incident.attached" // subject: the item
	EventIncidentSettled  EventKind = "incident.settled"  // its items have the priority that it gives, or no longer gives
	EventIncidentEnded    EventKind = "incident.ended"
	EventWatchPlaced      EventKind = "watch.placed"
	EventWatchClaimed     EventKind = "watch.claimed"
	EventWatchSwept       EventKind = "watch.swept"
	EventWatchEnded       EventKind = "watch.ended"
	EventWatchErased      EventKind = "watch.erased"
	EventPersonLanguages  EventKind = "person.languages"
	EventItemTranslated   EventKind = "item.translated"

	EventQuestionAsked          EventKind = "question.asked"   // by the provider
	EventQuestionReplied        EventKind = "question.replied" // by the authority that judged
	EventIsolationWritten       EventKind = "isolation.written"
	EventIsolationApproved      EventKind = "isolation.approved"
	EventOrderDrafted           EventKind = "order.drafted"
	EventOrderReviewed          EventKind = "order.reviewed"
	EventOrderReturned          EventKind = "order.returned"
	EventOrderDropped           EventKind = "order.dropped"
	EventOrderApproved          EventKind = "order.approved"
	EventOrderNoticed           EventKind = "order.noticed" // its addressee was told first (Art. 3(2))
	EventOrderIssued            EventKind = "order.issued"
	EventOrderReceived          EventKind = "order.received"   // receipt is proven: the hour runs
	EventOrderExecuted          EventKind = "order.executed"   // Annex II, for some or all of its items
	EventOrderImpossible        EventKind = "order.impossible" // Annex III
	EventOrderClarified         EventKind = "order.clarified"
	EventOrderAlarmed           EventKind = "order.alarmed" // a term of it is nearly over, or over
	EventOrderMissed            EventKind = "order.missed"
	EventOrderFinal             EventKind = "order.final"
	EventOrderWithdrawn         EventKind = "order.withdrawn"
	EventOrderLooked            EventKind = "order.looked" // we looked ourselves at what it is about
	EventOrderEmergencyReviewed EventKind = "order.emergency_reviewed"

	EventOrderVoided      EventKind = "order.voided"              // found to infringe (Art. 4(6)), or by a court (Art. 9)
	EventScrutinyAsked    EventKind = "order.scrutiny_asked"      // by the addressee or the content provider (Art. 4(4))
	EventScrutinyIntended EventKind = "order.scrutiny_intended"   // the issuing authority is told what is intended
	EventScrutinised      EventKind = "order.scrutinised"         // decided
	EventSilenceProlonged EventKind = "order.silence_prolonged"   // the non-disclosure (Art. 11(3))
	EventAppealed         EventKind = "order.appealed"            // an appeal was filed (Art. 9)
	EventAppealDecided    EventKind = "order.appeal_decided"      // by a court
	EventContentInformed  EventKind = "content_provider.informed" // its page was shown (Art. 11)
	EventComplaintFiled   EventKind = "complaint.filed"
	EventComplaintAlarmed EventKind = "complaint.alarmed" // its end is near, or has passed
	EventComplaintDecided EventKind = "complaint.decided"
	EventErrorRecorded    EventKind = "error.recorded"  // a line of the error register (G17)
	EventOfficeProposed   EventKind = "office.proposed" // an authority's functions, by one administrator
	EventOfficeConfirmed  EventKind = "office.confirmed"

	EventHubAdded                 EventKind = "hub.added" // at a provider's own desk, as are those below
	EventHubEnded                 EventKind = "hub.ended"
	EventReceivedTaken            EventKind = "received.taken" // an order or a referral was fetched, with its verdict
	EventReceivedProven           EventKind = "received.proven"
	EventReceivedAnswered         EventKind = "received.answered"
	EventReceivedDelivered        EventKind = "received.delivered" // an answer reached the hub, or was refused there
	EventReceivedEnded            EventKind = "received.ended"
	EventReceivedAlarmed          EventKind = "received.alarmed"
	EventReceivedMissed           EventKind = "received.missed"
	EventKeptProlonged            EventKind = "kept.prolonged"
	EventKeptErased               EventKind = "kept.erased"
	EventReceivedComplained       EventKind = "received.complained" // Art. 10, to the provider
	EventReceivedComplaintDecided EventKind = "received.complaint_decided"

	EventAuthorityArticle16 EventKind = "authority.article16" // whether its referrals are meant as DSA Art. 16 notices
	EventPatternsDrafted    EventKind = "patterns.drafted"
	EventPatternsReviewed   EventKind = "patterns.reviewed"
	EventPatternsReleased   EventKind = "patterns.released"
	EventItemParked         EventKind = "item.parked"
	EventItemHandedOver     EventKind = "item.handed_over"
	EventItemEscalated      EventKind = "item.escalated"
	EventItemTakenOver      EventKind = "item.taken_over" // from a colleague who had it in hand

	EventCaptureWarned  EventKind = "capture.warned" // what is in it was said, for whoever sees it next
	EventExposureLimits EventKind = "authority.exposure_limits"

	EventBankOpened       EventKind = "bank.opened"
	EventBankChanged      EventKind = "bank.changed"
	EventBankClosed       EventKind = "bank.closed"
	EventBankFilled       EventKind = "bank.filled"       // entries were added
	EventEntryEnded       EventKind = "entry.ended"       // one or more match no more
	EventEntryJudged      EventKind = "entry.judged"      // an authority said what it thinks of one
	EventEntryQuarantined EventKind = "entry.quarantined" // it matched too much
	EventEntryCleared     EventKind = "entry.cleared"     // somebody looked, and it matches again
	EventItemRecognised   EventKind = "item.recognised"   // what it holds was compared with what is known
	EventMatchJudged      EventKind = "item.match_judged" // an officer said whether a match is right

	EventOrderReplied EventKind = "order.replied" // a reply by mail came in, and what became of it

	EventThreatReceived  EventKind = "threat.received"  // a provider's report of a threat to life (Art. 14(5)), with whom it went to
	EventThreatTaken     EventKind = "threat.taken"     // somebody at an authority has it in hand
	EventThreatPassed    EventKind = "threat.passed"    // to another state's authority
	EventThreatClosed    EventKind = "threat.closed"    // with a word to the provider
	EventThreatAlarmed   EventKind = "threat.alarmed"   // nobody has taken it so far
	EventThreatErased    EventKind = "threat.erased"    // its term is over
	EventThreatWritten   EventKind = "threat.written"   // at a provider's own desk, for its hubs
	EventThreatDelivered EventKind = "threat.delivered" // a hub has it, or refused it

	EventAuditDrawn       EventKind = "audit.drawn" // an auditor drew a sample: what is in it follows from the log
	EventAuditReassessed  EventKind = "audit.reassessed"
	EventAuditRecommended EventKind = "audit.recommended" // a finding was handed to the authority
	EventAuditAnswered    EventKind = "audit.answered"    // which said what it did, or why not
)

// Event is what happened. Body holds codes, references and counts, never
// personal data, places or free text: those are in Sealed, which the store
// encrypts under the subject's key.
type Event struct {
	ID      EventID
	Kind    EventKind
	Version int
	Subject string // id of what it happened to
	Actor   PersonID
	At      time.Time
	Body    any
	Sealed  any
}

// NewEvent makes an Event without an id; the store gives one when it records.
func NewEvent(kind EventKind, by Actor, subject string, at time.Time, body any) Event {
	return Event{Kind: kind, Version: 1, Subject: subject, Actor: by.Person, At: at, Body: body}
}

// WithSealed is the event with its sealed part.
func (e Event) WithSealed(v any) Event {
	e.Sealed = v
	return e
}

// Facet is what statistics need to know of an item at one moment.
type Facet struct {
	Status ItemStatus `json:"status,omitempty"`
	Claim  AnswerCode `json:"claim,omitempty"`
	Seen   Observed   `json:"seen,omitempty"`
	Down   bool       `json:"down,omitempty"` // seen down at least once
	Sent   bool       `json:"sent,omitempty"` // part of a referral
}

// Facet is the item's facet now.
func (it Item) Facet() Facet {
	return Facet{Status: it.Status, Claim: it.Claimed, Seen: it.Observed, Down: it.SeenDown, Sent: it.Referral != ""}
}

// ItemBody is the body of every event on an item: whose it is, from what to
// what it moved, and the codes of the act. Unused fields are left out.
type ItemBody struct {
	Ref         string       `json:"ref"`
	Action      ActionID     `json:"action,omitempty"`
	Authority   AuthorityID  `json:"authority"` // the tally's authority: first finder, or who joined
	Provider    ProviderID   `json:"provider,omitempty"`
	Hosted      bool         `json:"hosted,omitempty"` // its provider became known with this event
	From        *Facet       `json:"from,omitempty"`
	To          *Facet       `json:"to,omitempty"`
	Kind        string       `json:"kind,omitempty"`
	Type        ItemType     `json:"type,omitempty"`
	Guard       GuardVerdict `json:"guard,omitempty"`
	Rule        string       `json:"rule,omitempty"`
	Assessment  AssessmentID `json:"assessment,omitempty"`
	Author      AuthorityID  `json:"author,omitempty"`
	ContentType ContentType  `json:"content_type,omitempty"`
	Purpose     Purpose      `json:"purpose,omitempty"`
	Outlet      OutletID     `json:"outlet,omitempty"`
	Unbranded   bool         `json:"unbranded,omitempty"`
	Needed      int          `json:"needed,omitempty"`
	Given       int          `json:"given,omitempty"`
	Language    string       `json:"language,omitempty"`
	Severity    Severity     `json:"severity,omitempty"`
	Evaluation  string       `json:"evaluation,omitempty"`
	Decision    Decision     `json:"decision,omitempty"`
	Hold        string       `json:"hold,omitempty"`
	Referral    string       `json:"referral,omitempty"`
	Code        AnswerCode   `json:"code,omitempty"`
	Countries   []string     `json:"countries,omitempty"`
	Late        bool         `json:"late,omitempty"`
	Reason      string       `json:"reason,omitempty"` // a code, never free text
	Vantage     string       `json:"vantage,omitempty"`
	Remedy      string       `json:"remedy,omitempty"`
	Single      bool         `json:"single,omitempty"`   // decided alone, in no act on many
	OpenedS     *int64       `json:"opened_s,omitempty"` // seconds of case time since the reviewer opened it; missing where it never was
	Drawn       bool         `json:"drawn,omitempty"`    // for a second look
	Look        LookVerdict  `json:"look,omitempty"`
	Watched     bool         `json:"watched,omitempty"`  // needs one approval more: its author's accuracy is low
	Assessor    PersonID     `json:"assessor,omitempty"` // whose work the event judges
	Again       bool         `json:"again,omitempty"`    // not the first correction of the item
	Capture     string       `json:"capture,omitempty"`  // on which an assessment rests

	Category RemedyCategory `json:"category,omitempty"` // of a remedy

	Translation string `json:"translation,omitempty"` // that the act rests on: its actor does not read the item's language

	Others    int       `json:"others,omitempty"` // that a measure would hit (cannot_isolate)
	OthersAre OtherKind `json:"others_are,omitempty"`
}

// change is the body of a move from before to after.
func change(before, after Item) ItemBody {
	b := ItemBody{Ref: after.Ref, Action: after.Action, Authority: after.Authority, Provider: after.Provider}
	to := after.Facet()
	b.To = &to
	if before.ID != "" {
		from := before.Facet()
		b.From = &from
		b.Hosted = before.Provider == "" && after.Provider != ""
	}
	return b
}

// ReferralBody is the body of events on a referral.
type ReferralBody struct {
	Ref       string      `json:"ref"`
	Action    ActionID    `json:"action,omitempty"`
	Authority AuthorityID `json:"authority"` // who authored it
	Provider  ProviderID  `json:"provider"`
	Items     int         `json:"items"`
	Digest    string      `json:"digest,omitempty"` // SHA-256 of the signed payload, hex
	Article16 bool        `json:"article16,omitempty"`
}

// DeliveryBody is the body of a step on the delivery ladder.
type DeliveryBody struct {
	Referral string     `json:"referral,omitempty"`
	Provider ProviderID `json:"provider"`
	Action   ActionID   `json:"action,omitempty"`
	Kind     NoticeKind `json:"kind"`
	Rung     Rung       `json:"rung"`
	Attempt  int        `json:"attempt,omitempty"`
	Evidence string     `json:"evidence,omitempty"` // status line and digest, no address
}

// RegisterBody is the body of events on the registers: a reference, a kind and
// whom it concerns.
type RegisterBody struct {
	Ref       string      `json:"ref,omitempty"`
	Kind      string      `json:"kind,omitempty"`
	Authority AuthorityID `json:"authority,omitempty"`
	Provider  ProviderID  `json:"provider,omitempty"`
	Person    PersonID    `json:"person,omitempty"`
	Outlet    OutletID    `json:"outlet,omitempty"`
	Roles     []Role      `json:"roles,omitempty"`
	Phase     Phase       `json:"phase,omitempty"`
	Part      Part        `json:"part,omitempty"`
	Date      string      `json:"date,omitempty"`
	Exercise  bool        `json:"exercise,omitempty"`
	Proposer  PersonID    `json:"proposer,omitempty"` // the first of two administrators

	Languages []string `json:"languages,omitempty"` // that the person says it reads

	Country string `json:"country,omitempty"` // of an authority: the register counts by state
}

// RecordedEvent is an event as the store keeps it and an export carries it.
type RecordedEvent struct {
	ID      EventID         `json:"id"`
	Index   int64           `json:"index"` // place in the log, -1 until sequenced
	Kind    EventKind       `json:"kind"`
	Version int             `json:"version"`
	Subject string          `json:"subject"`
	Actor   PersonID        `json:"actor"`
	At      int64           `json:"at"` // microseconds UTC
	Body    json.RawMessage `json:"body"`
	Sealed  []byte          `json:"sealed,omitempty"` // ciphertext; gone after erasure
	Salt    []byte          `json:"salt,omitempty"`   // gone after erasure
	Commit  []byte          `json:"commit"`           // 32 bytes; the log's entry
}

// Canonical is what an event's commitment commits to: RFC 8785 text of the
// event with the SHA-256 of its sealed part (formats: docs/formats/event.md).
func (e RecordedEvent) Canonical(sealedDigest [32]byte) []byte {
	b := make([]byte, 0, 256+len(e.Body))
	b = append(b, `{"actor":`...)
	b = quote(b, string(e.Actor))
	b = append(b, `,"at":"`...)
	b = fmt.Appendf(b, "%d", e.At)
	b = append(b, `","body":`...)
	b = append(b, e.Body...)
	b = append(b, `,"id":`...)
	b = quote(b, string(e.ID))
	b = append(b, `,"kind":`...)
	b = quote(b, string(e.Kind))
	b = append(b, `,"sealed":"`...)
	if len(e.Sealed) > 0 {
		b = hex.AppendEncode(b, sealedDigest[:])
	}
	b = append(b, `","subject":`...)
	b = quote(b, e.Subject)
	b = append(b, `,"version":`...)
	b = fmt.Appendf(b, "%d}", e.Version)
	return b
}

// Remains is what is left of an event after its erasure, as the erasure commits
// to it: RFC 8785 text with the commitment in hex, and a line feed (formats:
// docs/formats/event.md).
func (e RecordedEvent) Remains() []byte {
	b := make([]byte, 0, 320+len(e.Body))
	b = append(b, `{"actor":`...)
	b = quote(b, string(e.Actor))
	b = append(b, `,"at":"`...)
	b = fmt.Appendf(b, "%d", e.At)
	b = append(b, `","body":`...)
	b = append(b, e.Body...)
	b = append(b, `,"commit":"`...)
	b = hex.AppendEncode(b, e.Commit)
	b = append(b, `","id":`...)
	b = quote(b, string(e.ID))
	b = append(b, `,"kind":`...)
	b = quote(b, string(e.Kind))
	b = append(b, `,"subject":`...)
	b = quote(b, e.Subject)
	b = append(b, `,"version":`...)
	return fmt.Appendf(b, "%d}\n", e.Version)
}

func quote(b []byte, s string) []byte {
	out, err := jsontext.AppendQuote(b, s)
	if err != nil {
		// Ids and kinds are ours and valid UTF-8; what is not is kept visibly.
		return fmt.Appendf(b, "%q", s)
	}
	return out
}

// CanonicalJSON is v in the canonical form of RFC 8785.
func CanonicalJSON(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	c := jsontext.Value(raw)
	if err := c.Canonicalize(); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return c, nil
}

// EventIDAt is the id of the pos-th event of the act whose first id is base, a
// UUIDv7: pos is added to its random tail, so that the ids of one act are
// neighbours in every index.
func EventIDAt(base [16]byte, pos int) EventID {
	tail := binary.BigEndian.Uint64(base[8:])
	// The two top bits are the UUID's variant; the add stays below them.
	tail = tail&(3<<62) | (tail+uint64(pos))&^(3<<62)
	binary.BigEndian.PutUint64(base[8:], tail)
	dst := make([]byte, 36)
	hex.Encode(dst[0:8], base[0:4])
	dst[8] = '-'
	hex.Encode(dst[9:13], base[4:6])
	dst[13] = '-'
	hex.Encode(dst[14:18], base[6:8])
	dst[18] = '-'
	hex.Encode(dst[19:23], base[8:10])
	dst[23] = '-'
	hex.Encode(dst[24:36], base[10:16])
	return EventID(dst)
}
