package concert

import (
	"encoding/json"
	"slices"
)

// AccessKind is one of the six kinds of processing that Directive (EU) 2016/680
// Art. 25(1) asks to be logged.
type AccessKind string

// The six, in the article's order. Disclosure includes transfers.
const (
	AccessCollection   AccessKind = "collection"
	AccessAlteration   AccessKind = "alteration"
	AccessConsultation AccessKind = "consultation"
	AccessDisclosure   AccessKind = "disclosure"
	AccessCombination  AccessKind = "combination"
	AccessErasure      AccessKind = "erasure"
)

// AccessKinds lists them in the article's order.
var AccessKinds = []AccessKind{AccessCollection, AccessAlteration, AccessConsultation, AccessDisclosure, AccessCombination, AccessErasure}

// AccessRule says which of the six kinds an event is, or why it is none of them.
type AccessRule struct {
	Kinds []AccessKind
	None  string // why it is none; "" where there are kinds
}

// Why an event is none of the six.
const (
	noAccessStaff  = "It concerns the people who work with the system and their ways in, not data processed for the purposes of Art. 1(1) of the directive."
	noAccessHouse  = "It concerns the deployment itself: the log, the dispatch as a whole, the clocks; no data of a person."
	noAccessParty  = "It concerns a register of authorities, providers, outlets or rules that is published or could be; no data of a person."
	noAccessAction = "It concerns how a joint action or a batch is organised; what is done to an item or sent within it has its own event."
)

// accessGroup is some kinds of event that are the same kinds of access.
type accessGroup struct {
	kinds  []AccessKind
	none   string
	events []EventKind
}

var accessGroups = [...]accessGroup{
	{kinds: []AccessKind{AccessCollection}, events: []EventKind{
		EventItemSubmitted, EventItemStopped, EventCaptureAdded, EventCaptureWarned, EventCaseOpened, EventCasePersonAdded, EventComplaintFiled, EventMessageReceived, EventHoldPlaced, EventWatchPlaced, EventWatchSwept,
		EventQuestionAsked, EventBankFilled, EventPreserved, EventScrutinyAsked, EventAppealed, EventIncidentDeclared, EventReceivedTaken, EventReceivedProven, EventReceivedComplained, EventAuditReassessed, EventAuditAnswered, EventOrderReplied, EventThreatWritten, EventExhibitAdded, EventExhibitReceived, EventVaultKept,
	}},
	{kinds: []AccessKind{AccessCollection, AccessCombination}, events: []EventKind{EventItemJoined}}, // one more finder of what is known
	{kinds: []AccessKind{AccessCombination}, events: []EventKind{
		EventItemRecognised, EventHoldLate, EventHoldProbed, EventIncidentAttached, EventCaseAdded, EventMatchJudged,
	}},
	{kinds: []AccessKind{AccessCombination, AccessDisclosure}, events: []EventKind{EventHoldAsked}},                                         // the holder's contact is told
	{kinds: []AccessKind{AccessConsultation, AccessCombination}, events: []EventKind{EventReidentifyRevealed}},                              // a pseudonym and who stands behind it
	{kinds: []AccessKind{AccessConsultation}, events: []EventKind{EventConsulted, EventAuditDrawn, EventExhibitCustody, EventAnalysisDone}}, // an analysis reads the logs of an exhibit
	{kinds: []AccessKind{AccessCollection, AccessDisclosure}, events: []EventKind{EventThreatReceived}},                                     // it goes to whom it concerns at the same moment
	{kinds: []AccessKind{AccessAlteration, AccessDisclosure}, events: []EventKind{
		EventThreatPassed, EventThreatClosed,
		EventItemReferred, EventOrderIssued, EventOrderClarified, EventScrutinyIntended, EventScrutinised, EventOrderVoided, EventOrderWithdrawn, EventComplaintDecided, EventItemWithdrawn, EventItemCorrected,
	}},
	{kinds: []AccessKind{AccessDisclosure}, events: []EventKind{
		EventReferralSent, EventReferralReminded, EventDeliveryMoved, EventOrderNoticed, EventItemDisclosed, EventCaptureExported, EventConsignmentLeft, EventContentInformed, EventQuestionReplied, EventReceivedDelivered, EventAuditRecommended, EventThreatDelivered, EventExhibitHanded, EventLeadReleased,
	}},
	{kinds: []AccessKind{AccessErasure}, events: []EventKind{EventItemErased, EventCaptureErased, EventCasePersonErased, EventWatchErased, EventKeptErased, EventThreatErased, EventVaultErased, EventReidentifyErased, EventLeadErased, EventAnalysisErased}},
	{kinds: []AccessKind{AccessAlteration}, events: []EventKind{
		EventItemAssessed, EventItemExempt, EventItemUnscoped, EventItemSeconded, EventItemApproved, EventItemRejected, EventItemHeld, EventItemReleased, EventItemAnswered, EventItemRechecked, EventItemHoldOverridden,
		EventOverrideReviewed, EventOverrideUnreviewed, EventErasureAsked, EventLegalHoldPlaced, EventLegalHoldLifted, EventHandlingChanged, EventItemSecondLook, EventAtrocityMarked, EventAtrocityLifted, EventItemNoted,
		EventItemTranslated, EventItemParked, EventItemHandedOver, EventItemEscalated, EventItemTakenOver, EventReferralAcknowledged, EventHoldReleased, EventHoldRenewed, EventHoldResumed,
		EventCaseMemberAdded, EventCaseMemberRemoved, EventCaseLed, EventCaseMandated, EventCaseRemoved, EventCaseReviewDue, EventCaseReviewed, EventCaseClosed, EventCasePersonPlaced, EventCasePersonAsked,
		EventIncidentSettled, EventIncidentEnded, EventWatchClaimed, EventWatchEnded, EventIsolationWritten, EventIsolationApproved,
		EventOrderDrafted, EventOrderReviewed, EventOrderReturned, EventOrderDropped, EventOrderApproved, EventOrderReceived, EventOrderExecuted, EventOrderImpossible, EventOrderAlarmed, EventOrderMissed, EventOrderFinal,
		EventOrderLooked, EventOrderEmergencyReviewed, EventSilenceProlonged, EventAppealDecided, EventComplaintAlarmed, EventErrorRecorded,
		EventReceivedAnswered, EventReceivedEnded, EventReceivedAlarmed, EventReceivedMissed, EventKeptProlonged, EventReceivedComplaintDecided,
		EventBankOpened, EventBankChanged, EventBankClosed, EventEntryEnded, EventEntryJudged, EventEntryQuarantined, EventEntryCleared, EventThreatTaken, EventThreatAlarmed,
		EventReidentifyAsked, EventReidentifyRefused, EventReidentifyConfirmed, EventReidentifyAuthorised, EventReidentifyShared, EventReidentifyClosed, EventLeadAsked, EventLeadRefused, EventLeadReceipted, EventLeadDropped, EventAnalysisAsked, EventAnalysisFailed, EventAnalysisDropped,
	}},
	{none: noAccessStaff, events: []EventKind{
		EventPersonAdded, EventPersonConfirmed, EventPersonDisabled, EventPersonLanguages, EventPersonRolesConfirmed, EventPersonRolesProposed, EventKeyIssued, EventKeyRevoked, EventFactorAdded, EventFactorBegun, EventFactorRemoved,
		EventFactorReset, EventFactorResetProposed, EventRecoveryCodesMade, EventRecoveryCodeUsed, EventSessionsEnded, EventExposureLimits, EventLinkRevoked, EventPersonLinked,
	}},
	{none: noAccessHouse, events: []EventKind{EventDispatchHeld, EventDispatchReleased, EventLogSucceeded, EventLogWitnessRefused, EventLogWitnessResumed}},
	{none: noAccessParty, events: []EventKind{
		EventAuthorityAdded, EventAuthorityArticle16, EventProviderAdded, EventProviderDisabled, EventProviderSeated, EventContactAdded, EventContactDemoted, EventContactRestored, EventContactRetired, EventHubAdded, EventHubEnded,
		EventOfficeProposed, EventOfficeConfirmed, EventOutletAdded, EventScopeProposed, EventScopeConfirmed, EventScopeDelisted, EventPatternsDrafted, EventPatternsReviewed, EventPatternsReleased, EventTemplateWritten, EventTemplateRetired,
	}},
	{none: noAccessAction, events: []EventKind{
		EventActionOpened, EventActionPhase, EventActionJoined, EventActionTargeted, EventActionBatching, EventActionFrozen, EventActionThawed, EventActionThrottled, EventActionReported, EventThawAsked, EventAllotmentProposed,
		EventAllotmentAnswered, EventBatchPlanned, EventBatchRecalled, EventBatchStepped, EventBatchDone, EventBulletinPosted, EventBulletinTakenDown, EventCommandTaken, EventConsignmentPrepared, EventConsignmentConfirmed, EventConsignmentRecalled,
	}},
}

// AccessOf is the rule for a kind of event; false for a kind that has none, which a
// test refuses.
func AccessOf(kind EventKind) (AccessRule, bool) {
	for _, g := range accessGroups {
		if slices.Contains(g.events, kind) {
			return AccessRule{Kinds: slices.Clone(g.kinds), None: g.none}, true
		}
	}
	return AccessRule{}, false
}

// accessKindsOf are the six kinds that an event is. Taking everything away as a bundle
// is a consultation and a disclosure.
func accessKindsOf(e RecordedEvent, rules map[EventKind][]AccessKind) []AccessKind {
	kinds := rules[e.Kind]
	if e.Kind != EventConsulted {
		return kinds
	}
	var b ConsultedBody
	if json.Unmarshal(e.Body, &b) == nil && b.What == ReadExport {
		return append(slices.Clone(kinds), AccessDisclosure)
	}
	return kinds
}

// AccessKindsOf are the six kinds that an event is, as far as its kind and its body say
// it.
func AccessKindsOf(e RecordedEvent) []AccessKind {
	rule, _ := AccessOf(e.Kind) // a kind that nobody placed is none of them: a test refuses it
	return accessKindsOf(e, map[EventKind][]AccessKind{e.Kind: rule.Kinds})
}

// AccessEvents are the kinds of event that are this kind of access, in the order of
// their names.
func AccessEvents(kind AccessKind) []EventKind {
	var out []EventKind
	for _, g := range accessGroups {
		if slices.Contains(g.kinds, kind) {
			out = append(out, g.events...)
		}
	}
	slices.Sort(out)
	return out
}

// accessTable is the rule by kind of event, for whoever asks often.
func accessTable() map[EventKind][]AccessKind {
	out := map[EventKind][]AccessKind{}
	for _, g := range accessGroups {
		for _, k := range g.events {
			out[k] = g.kinds
		}
	}
	return out
}

// DisclosureWay is one way in which data leave for somebody else, and why they may:
// either a person says why and is refused otherwise, or the act itself is the legal
// ground, and the way says which (Directive (EU) 2016/680 Art. 25(1); G19).
type DisclosureWay struct {
	Name   string      // a code
	Ground string      // article or act
	Asked  bool        // whoever discloses says why, which is sealed beside the event; refused without
	Events []EventKind // what records it; none where nothing personal leaves
	Note   string      // what leaves, and where no event stands why not
}

var disclosureWays = [...]DisclosureWay{
	{Name: "dispatch", Ground: "Regulation (EU) 2021/784 recital 40; the referral that two people approved", Events: []EventKind{EventItemReferred, EventReferralSent, EventReferralReminded, EventDeliveryMoved}, Note: "place and reasons, to the provider that hosts it"},
	{Name: "order", Ground: "Regulation (EU) 2021/784 Art. 3(1); the order that three people wrote, reviewed and approved", Events: []EventKind{EventOrderNoticed, EventOrderIssued, EventOrderClarified}, Note: "place and reasons, to the order's addressee"},
	{Name: "copy", Ground: "Regulation (EU) 2021/784 Art. 4(1)", Events: []EventKind{EventOrderIssued}, Note: "the order, to the authority of the addressee's state: a transfer where that is another state"},
	{Name: "scrutiny", Ground: "Regulation (EU) 2021/784 Art. 4(5) to 4(7)", Events: []EventKind{EventScrutinyIntended, EventScrutinised, EventOrderVoided}, Note: "the reasoned decision, to the issuing authority, the addressee and who asked"},
	{Name: "remedy", Ground: "Regulation (EU) 2021/784 Art. 10; Directive (EU) 2016/680 Art. 16(5): whoever got what was wrong is told", Events: []EventKind{EventItemWithdrawn, EventItemCorrected, EventOrderWithdrawn, EventComplaintDecided}, Note: "that it was withdrawn, corrected or decided, to everyone who had it"},
	{Name: "content_provider", Ground: "Regulation (EU) 2021/784 Art. 11", Events: []EventKind{EventContentInformed}, Note: "its own page, to whoever holds its token"},
	{Name: "item_export", Ground: "Directive (EU) 2016/680 Art. 9(3), on the basis that is written beside it", Asked: true, Events: []EventKind{EventItemDisclosed}, Note: "items in full, to a court or another authority; the recipient is sealed"},
	{Name: "capture_export", Ground: "Directive (EU) 2016/680 Art. 9(3), under the instrument that is named", Asked: true, Events: []EventKind{EventCaptureExported}, Note: "the bytes of a capture"},
	{Name: "exhibit", Ground: "Directive (EU) 2016/680 Art. 4(2) and 9(3), under the instrument that the custody record names", Events: []EventKind{EventExhibitHanded}, Note: "a sealed exhibit, to the authority that receives it; why stands in its custody record, signed"},
	{Name: "lead", Ground: "Directive (EU) 2016/680 Art. 4(2); outside the Union its chapter V, as written beside it", Events: []EventKind{EventLeadReleased}, Note: "counts of a seized server's visitors, and rows of those whom officer and magistrate hold to be suspects"},
	{Name: "hold", Ground: "Regulation (EU) 2021/784 Art. 14(1)", Events: []EventKind{EventHoldAsked}, Note: "that a hold is met, and the holder's desk; nothing of why"},
	{Name: "threat", Ground: "Regulation (EU) 2021/784 Art. 14(5)", Events: []EventKind{EventThreatReceived, EventThreatDelivered, EventThreatPassed}, Note: "a provider's report of a threat to life, to the authorities of the states concerned: a transfer where one is another state"},
	{Name: "threat_word", Ground: "Regulation (EU) 2021/784 Art. 14(5): the provider that reported is answered", Events: []EventKind{EventThreatClosed}, Note: "what was done, to the provider that reported"},
	{Name: "question", Ground: "the referral that it is about", Events: []EventKind{EventQuestionReplied}, Note: "the reply, to the provider that asked"},
	{Name: "consignment", Ground: "the referrals in it", Events: []EventKind{EventConsignmentLeft}, Note: "many referrals at one moment, to one provider"},
	{Name: "audit_bundle", Ground: "Directive (EU) 2016/680 Art. 25(3) and 47", Asked: true, Events: []EventKind{EventConsulted}, Note: "the event log; what is sealed leaves as ciphertext"},
	{Name: "recommendation", Ground: "Directive (EU) 2016/680 Art. 47(2)", Asked: true, Events: []EventKind{EventAuditRecommended}, Note: "an auditor's finding, to the authority that acted"},
	{Name: "provider_desk", Ground: "Regulation (EU) 2021/784 Art. 3(6) to 3(8)", Events: []EventKind{EventReceivedDelivered}, Note: "a provider's own answer, to the hub that asked"},
	{Name: "public_register", Ground: "Regulation (EU) 2021/784 Art. 8 and 21", Note: "no data of a person: codes, bands and numbers, with numbers below five suppressed"},
	{Name: "bank_exchange", Ground: "Regulation (EU) 2021/784 Art. 14(1); the handling code of each entry", Note: "fingerprints and codes, which no content can be made from; who fetches does so with a key of its own"},
	{Name: "operator_copy", Ground: "Directive (EU) 2016/680 Art. 29(2)(i) and (j): recovery and integrity", Note: "backup and export by whoever runs the machine: what is sealed leaves as ciphertext, and the key is kept apart; the database cannot see it, two people guard the machine"},
}

// DisclosureWays lists every way in which data leave, with its legal ground.
func DisclosureWays() []DisclosureWay { return slices.Clone(disclosureWays[:]) }
