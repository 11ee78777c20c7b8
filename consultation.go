package concert

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A justification is 10 to 500 characters: long enough to say something, short
// enough to be read on every page.
const (
	JustificationLeast = 10
	JustificationMost  = 500
)

// What a consultation was of, in ConsultedBody.What.
const (
	ReadOneItem       = "item"
	ReadItemList      = "items"
	ReadApprovals     = "approvals"
	ReadSecondLooks   = "second_looks"
	ReadHolds         = "holds"
	ReadReferral      = "referral"
	ReadItemCounts    = "item_counts"   // an auditor only: numbers open nothing sealed
	ReadBoard         = "board"         // as above
	ReadPeople        = "people"        // as above
	ReadAccuracy      = "accuracy"      // as above
	ReadAlarms        = "alarms"        // as above
	ReadDispatch      = "dispatch"      // as above
	ReadErasure       = "erasure"       // as above: a proof holds nothing of the item
	ReadConsultations = "consultations" // with the justifications opened
	ReadSample        = "sample"        // items drawn at random, to be read again
	ReadExport        = "export"
	ReadFind          = "find"     // an auditor only: what is found is references and names
	ReadCaptures      = "captures" // what is known of an item's captures
	ReadCapture       = "capture"  // the bytes of one
	ReadPreview       = "preview"  // a safe rendition of one

	ReadReferrals = "referrals" // an auditor only
	ReadRegisters = "registers" // as above
	ReadRemedies  = "remedies"
	ReadEvents    = "events"
	ReadOneEvent  = "event"
	ReadPlace     = "place" // whether an item lies at a place that was typed

	ReadCases        = "cases"
	ReadOneCase      = "case"
	ReadWatchlist    = "watchlist"
	ReadOneWatch     = "watch"
	ReadTranslations = "translations"
	ReadIncident     = "incident"  // an auditor only
	ReadIncidents    = "incidents" // as above
	ReadQuestions    = "questions" // a referral's thread with its provider
	ReadNotes        = "notes"     // an auditor only: counts open nothing sealed

	ReadOrder = "order"

	ReadExhibit           = "exhibit"
	ReadExhibits          = "exhibits" // on their way to the reader's authority
	ReadCaseEvidence      = "case_evidence"
	ReadReidentification  = "reidentification"
	ReadReidentifications = "reidentifications" // that wait for a magistrate
	ReadAnalysis          = "analysis"          // of an exhibit's logs: that it was made, and its report
	ReadAnalysisFile      = "analysis_file"     // the report as a file; the filter says which form

	ReadComplaint  = "complaint"
	ReadComplaints = "complaints"
	ReadBanks      = "banks" // an auditor only: hashes tell nothing of a person
	ReadMatches    = "matches"

	ReadThreat          = "threat"
	ReadThreats         = "threats"         // an auditor only: the list opens nothing sealed
	ReadAccesses        = "accesses"        // an auditor's workbench, as are those below
	ReadDraws           = "draws"           // draws, their rates, and what is drawn
	ReadBlind           = "reassessment"    // a drawn unit, blind: no opening of it
	ReadDwell           = "time_in_state"   // numbers
	ReadAuditReport     = "audit_report"    // numbers
	ReadRecommendations = "recommendations" // also by the authority's people
)

// ConsultedBody is the body of the event that somebody read: what, by reference
// or by list and filter, and how much of it there was. Its subject is the
// reader, under whose key the justification is sealed. Version 2; version 1
// had ref and person only.
type ConsultedBody struct {
	What   string   `json:"what"`
	Ref    string   `json:"ref,omitempty"`    // of the one thing that was asked for
	Refs   []string `json:"refs,omitempty"`   // of what was shown in full, or drawn
	Filter string   `json:"filter,omitempty"` // the list's status, or whose consultations
	Count  int      `json:"count"`            // rows shown; 0 where there was nothing
	Person PersonID `json:"person"`
}

// Consultation is one reading as the log keeps it.
type Consultation struct {
	Event    EventID
	Operator string // number of who read
	At       time.Time
	ConsultedBody
	Justification string // "" once its reader's key is erased
}

// justification is a justification as it is kept: in one line, valid text.
func justification(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
}

// mustJustify reports whether the actor's readings are consultations: everybody's but
// those of a provider's people, who read what was addressed to them. That is
// disclosure, and the delivery's ladder proves it.
func (a Actor) mustJustify() bool { return a.Provider == "" || a.Has(RoleAuditor) }

// Justified refuses to open sealed data without a justification (Directive (EU)
// 2016/680 Art. 25(1); G19).
func (s Scope) Justified() error {
	if err := s.Check(); err != nil {
		return err
	}
	if s.actor.mustJustify() && utf8.RuneCountInString(s.justification) < JustificationLeast {
		return unjustified()
	}
	return nil
}

func unjustified() error {
	return Refuse(Forbidden, "scope.justification", "justification", "say what you read this for, in at least %d characters: it is recorded before the answer (header Concert-Justification, or the page /justification)", JustificationLeast)
}

// Consulted is the event of what the scope's actor read; false where the
// reading is none to record: of what was addressed to the reader.
func (s Scope) Consulted(b ConsultedBody, now time.Time) (Event, bool) {
	if !s.actor.mustJustify() {
		return Event{}, false
	}
	b.Person = s.actor.Person
	e := NewEvent(EventConsulted, s.actor, string(s.actor.Person), now, b).WithSealed(GroundText{Ground: s.justification})
	e.Version = 2
	return e, true
}

// MayAudit refuses whoever is no auditor.
func (a Actor) MayAudit() error { return a.Need(RoleAuditor) }
