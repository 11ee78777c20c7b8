package webui

import (
	"net/http"
	"strings"

	"concert"
	"concert/internal/design"
)

var (
	leadStates = map[concert.LeadStatus]state{
		concert.LeadRefused:   {Mark: "✕", Label: "refused", Tone: "end"},
		concert.LeadAsked:     {Mark: "○", Label: "waits for a second member", Tone: "wait"},
		concert.LeadReleased:  {Mark: "➤", Label: "released, no receipt so far", Tone: "go"},
		concert.LeadReceipted: {Mark: "✓", Label: "received, with a signed receipt", Tone: "good"},
		concert.LeadDropped:   {Mark: "■", Label: "dropped", Tone: "end"},
	}
	leadRecipients = map[concert.LeadRecipientKind]design.Text{
		concert.LeadToPolice:       "law enforcement",
		concert.LeadToJudicial:     "prosecutor or court",
		concert.LeadToMilitary:     "military body",
		concert.LeadToIntelligence: "intelligence service",
		concert.LeadToOther:        "other body",
	}
	transferGrounds = map[concert.TransferGround]design.Text{
		concert.TransferAdequacy:   "a decision of the Commission (Art. 36)",
		concert.TransferSafeguards: "appropriate safeguards (Art. 37)",
		concert.TransferDerogation: "a derogation: vital interests, an immediate threat, an individual case (Art. 38)",
	}
)

// leadStatuses are the statuses in the order of a lead's way.
var leadStatuses = []concert.LeadStatus{concert.LeadAsked, concert.LeadReleased, concert.LeadReceipted, concert.LeadRefused, concert.LeadDropped}

func (u *UI) askLead(w http.ResponseWriter, r *http.Request, v *visit) error {
	l := concert.Lead{Recipient: concert.LeadRecipient{Name: field(r, "name"), Kind: concert.LeadRecipientKind(field(r, "recipient")), State: strings.ToUpper(field(r, "state"))}, ForCourt: field(r, "for_court") != "", Persons: references(r.PostForm.Get("persons")),
		Transfer: concert.Transfer{Ground: concert.TransferGround(field(r, "ground")), Basis: field(r, "basis"), Torture: field(r, "torture"), DeathPenalty: field(r, "death_penalty"), Persecution: field(r, "persecution")}}
	l, err := u.svc.AskLead(r.Context(), v.actor(), r.PathValue("ref"), field(r, "exhibit"), l)
	if err != nil {
		return u.evidenceFailed(w, r, v, "lead", err, "exhibit", "state", "recipient", "name", "persons")
	}
	done := "lead_asked"
	if l.Status == concert.LeadRefused {
		done = "lead_refused"
	}
	return onward(w, r, "/cases/"+r.PathValue("ref")+"/evidence", done, l.Ref)
}

// onLead goes back to the case after an act on one of its leads.
func (u *UI) onLead(w http.ResponseWriter, r *http.Request, v *visit, err error, fields ...string) error {
	if err != nil {
		return u.evidenceFailed(w, r, v, "l-"+r.PathValue("lead"), err, fields...)
	}
	return onward(w, r, "/cases/"+r.PathValue("ref")+"/evidence", "lead_moved", r.PathValue("lead"))
}

func (u *UI) releaseLead(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ReleaseLead(r.Context(), v.actor(), r.PathValue("lead"), version(r), field(r, "package"))
	return u.onLead(w, r, v, err, "package")
}

func (u *UI) receiptLead(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ReceiptLead(r.Context(), v.actor(), r.PathValue("lead"), version(r), field(r, "receipt"))
	return u.onLead(w, r, v, err, "receipt")
}

func (u *UI) dropLead(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.DropLead(r.Context(), v.actor(), r.PathValue("lead"), version(r), field(r, "reason"))
	return u.onLead(w, r, v, err, "reason")
}
