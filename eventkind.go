package concert

import "slices"

// eventKinds are all kinds of event, by name; a test finds one that is missing.
var eventKinds = [...]EventKind{
	EventActionBatching, EventActionFrozen, EventActionJoined, EventActionOpened, EventActionPhase, EventActionReported, EventActionTargeted, EventThawAsked, EventActionThawed, EventActionThrottled,
	EventAllotmentAnswered, EventAllotmentProposed, EventAuditAnswered, EventAuditDrawn, EventAuditReassessed, EventAuditRecommended, EventAuthorityAdded, EventAuthorityArticle16, EventExposureLimits, EventBankChanged, EventBankClosed, EventBankFilled, EventBankOpened, EventBatchDone, EventBatchPlanned, EventBatchRecalled, EventBatchStepped, EventBulletinPosted,
	EventBulletinTakenDown, EventCaptureAdded, EventCaptureErased, EventCaptureExported, EventCaptureWarned, EventCaseAdded, EventCaseClosed, EventCaseLed, EventCaseMandated, EventCaseMemberAdded, EventCaseMemberRemoved,
	EventCaseOpened, EventCaseRemoved, EventCaseReviewDue, EventCaseReviewed, EventCasePersonAdded, EventCasePersonPlaced, EventCasePersonErased, EventCasePersonAsked, EventCommandTaken, EventComplaintAlarmed, EventComplaintDecided, EventComplaintFiled,
	EventConsignmentConfirmed, EventConsignmentLeft, EventConsignmentPrepared, EventConsignmentRecalled, EventConsulted, EventContactAdded, EventContactDemoted, EventContactRestored, EventContactRetired, EventContentInformed,
	EventDeliveryMoved, EventDispatchHeld, EventDispatchReleased, EventEntryCleared, EventEntryEnded, EventEntryJudged, EventEntryQuarantined, EventErrorRecorded, EventExhibitAdded, EventExhibitCustody, EventExhibitHanded, EventVaultErased, EventVaultKept, EventExhibitReceived, EventFactorAdded, EventFactorBegun, EventFactorRemoved, EventFactorReset, EventFactorResetProposed, EventHoldAsked, EventHoldLate,
	EventHoldPlaced, EventHoldProbed, EventHoldReleased, EventHoldRenewed, EventHoldResumed, EventHubAdded, EventHubEnded, EventIncidentAttached, EventIncidentDeclared, EventIncidentEnded, EventIncidentSettled, EventIsolationApproved,
	EventIsolationWritten, EventItemAnswered, EventItemApproved, EventItemAssessed, EventAtrocityLifted, EventAtrocityMarked, EventItemCorrected, EventItemDisclosed, EventItemErased, EventErasureAsked,
	EventItemEscalated, EventItemExempt, EventItemHandedOver, EventHandlingChanged, EventItemHeld, EventItemHoldOverridden, EventItemJoined, EventLegalHoldLifted, EventLegalHoldPlaced, EventMatchJudged, EventItemNoted,
	EventItemUnscoped, EventItemParked, EventPreserved, EventItemRechecked, EventItemRecognised, EventItemReferred, EventItemRejected, EventItemReleased, EventItemSecondLook, EventItemSeconded, EventItemStopped,
	EventItemSubmitted, EventItemTakenOver, EventItemTranslated, EventItemWithdrawn, EventKeptErased, EventKeptProlonged, EventKeyIssued, EventKeyRevoked, EventLeadAsked, EventLeadDropped, EventLeadErased, EventLeadReceipted, EventLeadRefused, EventLeadReleased, EventLinkRevoked, EventLogSucceeded, EventLogWitnessRefused, EventLogWitnessResumed, EventMessageReceived, EventOfficeConfirmed, EventOfficeProposed, EventOrderAlarmed, EventAppealDecided, EventAppealed, EventOrderApproved, EventOrderClarified, EventOrderDrafted, EventOrderDropped, EventOrderEmergencyReviewed, EventOrderExecuted, EventOrderFinal, EventOrderImpossible, EventOrderIssued, EventOrderLooked, EventOrderMissed, EventOrderNoticed, EventOrderReceived, EventOrderReplied, EventOrderReturned, EventOrderReviewed, EventScrutinised, EventScrutinyAsked, EventScrutinyIntended, EventSilenceProlonged, EventOrderVoided, EventOrderWithdrawn, EventOutletAdded,
	EventOverrideReviewed, EventOverrideUnreviewed, EventPatternsDrafted, EventPatternsReleased, EventPatternsReviewed, EventPersonAdded, EventPersonConfirmed, EventPersonDisabled, EventPersonLanguages,
	EventPersonLinked, EventPersonRolesConfirmed, EventPersonRolesProposed, EventProviderAdded, EventProviderDisabled, EventProviderSeated, EventQuestionAsked, EventQuestionReplied,
	EventReceivedAlarmed, EventReceivedAnswered, EventReceivedComplained, EventReceivedComplaintDecided, EventReceivedDelivered, EventReceivedEnded, EventReceivedMissed, EventReceivedProven, EventReceivedTaken, EventRecoveryCodesMade, EventRecoveryCodeUsed, EventReferralAcknowledged, EventReferralReminded, EventReferralSent, EventReidentifyAsked, EventReidentifyAuthorised, EventReidentifyClosed, EventReidentifyConfirmed, EventReidentifyErased, EventReidentifyRefused, EventReidentifyRevealed, EventReidentifyShared, EventScopeConfirmed, EventScopeDelisted, EventScopeProposed, EventSessionsEnded,
	EventTemplateRetired, EventTemplateWritten, EventThreatAlarmed, EventThreatClosed, EventThreatDelivered, EventThreatErased, EventThreatPassed, EventThreatReceived, EventThreatTaken, EventThreatWritten, EventWatchClaimed, EventWatchEnded, EventWatchErased, EventWatchPlaced, EventWatchSwept,
}

// EventKinds lists every kind of event, by name.
func EventKinds() []EventKind { return slices.Clone(eventKinds[:]) }
