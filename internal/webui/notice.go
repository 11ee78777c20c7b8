package webui

import (
	"net/http"

	"concert/internal/design"
)

// notice says on the next page what was done. Its words come from a closed
// table and its reference has the form of one, so that no address can put
// words of others on a page.
type notice struct {
	Text design.Text
	Ref  string
}

var noticeTexts = map[string]design.Text{
	"match_judged":    "Recorded. A match decides nothing by itself.",
	"no_copy":         "No copy of it is free now: a colleague may have the last one in hand.",
	"banked":          "Added to the bank. The next question finds it.",
	"bank_opened":     "Bank opened. Add entries to it.",
	"bank_changed":    "Bank changed. It answers so from the next question on.",
	"bank_closed":     "Bank closed. Its entries match nothing any more.",
	"entry_withdrawn": "Withdrawn. It matches nothing any more, and its holders learn of it.",
	"entry_cleared":   "Cleared. It matches from now on, and what was seen before is compared with it again.",
	"entry_judged":    "Recorded what your authority thinks of it.",

	"captured":    "The capture is kept, sealed.",
	"marked":      "Marked. It is not referred before somebody preserves it.",
	"mark_lifted": "The mark is lifted.",
	"preserved":   "Recorded who preserves it.",
	"assessed":    "Assessment recorded. A second person decides now.",
	"exempt":      "Recorded as exempt under Art. 1(3). That ends the item.",
	"unscoped":    "Assessment recorded, but the outlet stands on no scope entry in force: the item is parked.",
	"approved":    "Approved. It is gathered with others for a minute and goes to its provider in the provider's hours.",
	"seconded":    "Approved. It needs a second approval by another reviewer.",
	"rejected":    "Rejected. That ends the item.",
	"withdrawal":  "Withdrawn. Every provider that received it is told.",
	"correction":  "Corrected. Every provider that received it is told.",
	"observed":    "Observation recorded, beside what the provider claims.",
	"answered":    "Answers recorded. Thank you.",

	"order_fed":     "Annex II is recorded. Thank you.",
	"order_impeded": "Annex III is recorded. The hour stands still until the authority answers, or what hinders you is over.",
	"order_resumed": "Recorded. The hour runs anew from now.",

	"acknowledged": "Acknowledged. Thank you.",
	"held":         "Hold placed. Others see only that there is one, and the contact.",
	"released":     "Hold released. What it kept back goes its way unless another hold stands.",
	"out":          "You are logged out.",
	"confirmed":    "Confirmed. It is in force.",
	"proposed":     "Proposed. It is in force once another administrator confirms it.",
	"roles":        "Changed. It is in force.",
	"disabled":     "Disabled. Its sessions, links and keys have ended.",
	"revoked":      "Revoked. The key works no more.",
	"renewed":      "Hold renewed: it stands for another 30 days from now.",
	"overridden":   "Hold overridden. The item goes out, the holder is told, and a review is due within 48 hours.",
	"reviewed":     "Review of the override recorded.",
	"dispatchheld": "Dispatch is held. Nothing leaves the house until someone releases it.",
	"dispatchgoes": "Dispatch is released. What waits goes out now.",

	"erasure_asked":  "Asked for. A reviewer who did not ask confirms the erasure.",
	"erased":         "Erased. Nothing of it can be read any more.",
	"legal_held":     "Legal hold placed. Nothing erases the item while it stands.",
	"legal_free":     "Legal hold lifted.",
	"handled":        "Handling code changed.",
	"copies":         "Copies approved. They go to their providers in the providers' hours.",
	"enrolled":       "Added. You can use it from now on.",
	"unenrolled":     "Taken away. It works no more.",
	"sessionended":   "Ended. It opens nothing any more.",
	"registered":     "Registered.",
	"scopeproposed":  "Proposed. It counts once a second person confirms it.",
	"scopedelisted":  "The entry ends. What was not referred yet stays.",
	"written":        "Sent to the other side.",
	"weighed":        "Recorded. A second person approves it; until then nothing wider is asked.",
	"widened":        "Approved. The provider is asked, and reads why.",
	"meant":          "Changed, for every referral from now on.",
	"note_reviewed":  "Reviewed. One other person releases it.",
	"note_released":  "Released. Its provider is told.",
	"looked":         "Second look recorded. It stops and sends nothing by itself.",
	"drawn":          "Drawn. What was drawn follows from the log.",
	"reassessed":     "Recorded. It changes nothing of the case.",
	"recommended":    "Handed to the authority, which must answer.",
	"answered_audit": "Answered. The auditor reads it.",

	"threat_reported":   "Received. People on duty are being alarmed now. This page is your receipt, and shows who has it in hand.",
	"threat_written":    "Kept, and sent to every hub at once. This page shows which has it.",
	"threat_taken":      "You have it in hand. The provider reads that somebody has it.",
	"threat_passed":     "Passed on. Whoever gets it is alarmed.",
	"threat_closed":     "Closed. The provider reads your word.",
	"complaint_decided": "Decided. The complainant reads it on the same page as before.",
	"scrutiny_intended": "The issuing authority is told. Another person decides.",
	"scrutiny_decided":  "Decided. The provider is told.",

	"action_opened":         "Joint action opened. Add its participants and targets.",
	"phase_set":             "The action has moved to another phase.",
	"action_joined":         "Participant added.",
	"action_targeted":       "Target named.",
	"action_batching":       "Set. It holds for everything that is not yet referred.",
	"action_frozen":         "Frozen. Nothing of this action leaves until two people end that.",
	"thaw_asked":            "Asked for. Another coordinator, or a reviewer of a participant, ends the freeze.",
	"action_thawed":         "The freeze is over. What waits goes out now.",
	"action_throttled":      "Set for this action. Other actions are as they were.",
	"bulletin_posted":       "Said.",
	"taken_down":            "Taken down from the wall.",
	"command_taken":         "You command this action now.",
	"allotment_proposed":    "Proposed. The unit answers on the action's page.",
	"allotment_answered":    "Answered. The coordinator sees it.",
	"here":                  "Thank you: your unit has reported.",
	"consignment_prepared":  "Prepared. Nothing leaves before another person has confirmed it.",
	"consignment_confirmed": "Confirmed. It leaves in a minute, unless somebody recalls it.",
	"consignment_recalled":  "Recalled. Its items wait for another consignment.",
	"recalled":              "Taken back. Nothing of it was done.",
	"noted":                 "Note kept. Your authority alone reads it.",
	"templated":             "Template kept.",
	"retired":               "Offered no more.",

	"claimed":       "It is in your hands now.",
	"given_back":    "Given back: a colleague may take it.",
	"parked":        "Parked. It comes back by itself, to you first.",
	"handed_over":   "Handed over.",
	"escalated":     "Escalated. Leads have it on top of their desks.",
	"taken_over":    "Taken over. The colleague is told.",
	"nothing_waits": "Nothing waits for you now.",
	"keys_on":       "Keys are on in this browser.",
	"keys_off":      "Keys are off in this browser.",

	"contact_added":    "Contact point added.",
	"contact_restored": "Contact point restored. What reached nobody goes out now.",
	"contact_retired":  "Contact point retired. What waited for it takes another way.",
	"seated":           "Recorded.",
	"links_ended":      "The answer links have ended.",

	"exhibit_added":      "The exhibit is in the case. Each record of its custody stands in the log now.",
	"custody_added":      "Recorded. The log holds the custody up to its new head.",
	"exhibit_handed":     "Handed over. The authority that receives it goes on with its custody.",
	"exhibit_received":   "Received. The exhibit is in your case.",
	"pseudonyms_kept":    "The locked pseudonyms are kept. Only their custodians together open them.",
	"pseudonyms_asked":   "Asked for. Another member with the role reviewer confirms it, then a magistrate decides.",
	"pseudonyms_refused": "Refused. The refusal is recorded.",
	"pseudonyms_moved":   "Recorded.",
	"share_taken":        "The share is here. It opens nothing without the others.",
	"analysis_asked":     "Asked for. A node that has the bytes counts them.",
	"analysis_dropped":   "Dropped. Nothing of it is kept but that it was asked for.",
	"lead_asked":         "Asked for. Another member with the role reviewer releases it.",
	"lead_refused":       "Refused. The refusal is recorded.",
	"lead_moved":         "Recorded.",

	"case_opened":       "Case opened. You lead it, and let others in.",
	"case_changed":      "Recorded.",
	"case_reviewed":     "Review recorded. The case stands for another three years.",
	"case_closed":       "Case closed. Its data stays under review.",
	"incident_declared": "Incident declared. Every authority sees it.",
	"incident_attached": "Added. What waits comes first now.",
	"incident_ended":    "Incident ended. Its items go back to their own priority.",
	"watched":           "Watched. It is due now.",
	"swept":             "It is yours for an hour. Hand in what you find from here, then finish.",
	"sweep_done":        "Sweep recorded.",
	"watch_ended":       "Taken off the watchlist.",
	"languages":         "Recorded: these are the languages that you read.",
	"translated":        "Translation recorded, with its maker.",

	"order_drafted":    "Draft kept. Another person of your authority reviews it.",
	"order_reviewed":   "Reviewed. Somebody with the issuing function approves it.",
	"order_noticed":    "Approved. The provider is told of procedures and deadlines first; the order waits twelve hours.",
	"order_issued":     "Issued and signed. The hour runs from its receipt.",
	"order_withdrawn":  "Withdrawn. Its addressee is told to reinstate the content.",
	"order_emergency":  "The review of the emergency is recorded.",
	"order_dropped":    "Given up. It was never issued.",
	"order_clarified":  "Clarified. The addressee is told, and the hour runs anew.",
	"office_proposed":  "Proposed. It is in force once another administrator confirms it.",
	"office_confirmed": "Confirmed. It is in force.",

	"closed":    "Closed. It opens again only by you.",
	"warned":    "Said. Whoever opens it next reads it first.",
	"own_limit": "Your own limit is kept.",
	"limits":    "Set. Lower limits hold at once, higher ones from tomorrow.",

	"reported":    "Recorded. The hub is told, as often as it takes.",
	"proven":      "It is valid now, and its hour runs.",
	"disputed":    "Entered. A complaint of a content provider is answered within two weeks.",
	"prolonged":   "It is kept longer.",
	"kept_erased": "Recorded that it is erased.",
	"decided":     "Decided.",
	"hub_added":   "Added. It is asked from now on.",
	"hub_ended":   "It is asked no more.",
}

func noticeOf(r *http.Request) notice {
	q := r.URL.Query()
	n := notice{Text: noticeTexts[q.Get("done")], Ref: q.Get("about")}
	if n.Text == "" || !isReference(n.Ref) {
		n.Ref = ""
	}
	return n
}

func isReference(s string) bool {
	if len(s) < 4 || len(s) > 40 {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
