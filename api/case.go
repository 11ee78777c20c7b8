package api

import (
	"context"
	"net/url"
)

// NewCase opens an investigation of one's own authority.
type NewCase struct {
	Title    string  `json:"title" maxLength:"200" doc:"only members of the case read it"`
	Mandate  Mandate `json:"mandate"`
	Handling string  `json:"handling,omitempty" enum:"H0,H1,H2,H3"`
}

// Mandate is what allows an investigation.
type Mandate struct {
	Reference string `json:"reference" maxLength:"200"`
	Issuer    string `json:"issuer" maxLength:"200" doc:"who ordered it"`
	On        string `json:"on" format:"date"`
	Until     string `json:"until" format:"date" doc:"the last day"`
}

// NewMember names a person by operator number or log-in.
type NewMember struct {
	Person string `json:"person" minLength:"1" maxLength:"200"`
}

// CaseItems names what is put into a case, an incident, or taken out.
type CaseItems struct {
	Items []string `json:"items" minItems:"1" maxItems:"500"`
}

// CaseRemoval takes items out of a case.
type CaseRemoval struct {
	Items  []string `json:"items" minItems:"1" maxItems:"500"`
	Reason string   `json:"reason" maxLength:"8000"`
}

// CaseWord is a written ground: of a review, or of the end of a case.
type CaseWord struct {
	Ground string `json:"ground" maxLength:"8000"`
}

// NewCasePerson puts a person into a case. There is no default category.
type NewCasePerson struct {
	Category   string `json:"category,omitempty" doc:"suspect, convicted, victim, witness, contact or other (Directive (EU) 2016/680 Art. 6); there is no default"`
	Name       string `json:"name" maxLength:"400"`
	Source     string `json:"source" maxLength:"8000" doc:"where this is known from"`
	Evaluation string `json:"evaluation" doc:"source and information, A1 to X4"`
	Ground     string `json:"ground" maxLength:"8000" doc:"why in this category"`
}

// NewCategory moves a person of a case to another category.
type NewCategory struct {
	Version  int64  `json:"version"`
	Category string `json:"category"`
	Ground   string `json:"ground" maxLength:"8000"`
}

// CasePersonErasure asks for the erasure of a person of a case.
type CasePersonErasure struct {
	Version int64  `json:"version"`
	Code    string `json:"code"`
	Reason  string `json:"reason" maxLength:"8000"`
}

// CasePersonVersion confirms an erasure that was read.
type CasePersonVersion struct {
	Version int64 `json:"version"`
}

// CasePerson is a person of a case.
type CasePerson struct {
	ID         string   `json:"id"`
	Version    int64    `json:"version"`
	Category   string   `json:"category"`
	Name       string   `json:"name,omitempty"`
	Source     string   `json:"source,omitempty"`
	Ground     string   `json:"ground,omitempty"`
	Evaluation string   `json:"evaluation"`
	AddedAt    string   `json:"added_at"`
	AddedBy    string   `json:"added_by,omitempty"`
	ErasedAt   string   `json:"erased_at,omitempty"`
	Erasure    *Erasure `json:"erasure,omitempty" doc:"asked for, or done"`
}

// Case is an investigation, for its members and auditors.
type Case struct {
	ID         string       `json:"id"`
	Version    int64        `json:"version"`
	Title      string       `json:"title"`
	Authority  string       `json:"authority,omitempty"`
	Lead       string       `json:"lead,omitempty" doc:"operator number"`
	Mandate    Mandate      `json:"mandate"`
	Handling   string       `json:"handling"`
	OpenedAt   string       `json:"opened_at"`
	ClosedAt   string       `json:"closed_at,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	ReviewAt   string       `json:"review_at" doc:"by when it is to be reviewed"`
	ReviewedAt string       `json:"reviewed_at,omitempty"`
	Members    []string     `json:"members,omitempty" doc:"operator numbers"`
	Persons    []CasePerson `json:"persons,omitempty"`
	Items      []CaseItem   `json:"items,omitempty" doc:"one page; next is the cursor of the one after"`
	Count      int          `json:"count" doc:"items in all; in a list counted up to a thousand"`
	Next       string       `json:"next,omitempty"`
	Timeline   []CaseMoment `json:"timeline,omitempty" doc:"newest first"`
	Exercise   bool         `json:"exercise"`
}

// CaseItem is an item that belongs to a case or an incident, without what is
// sealed: read the item itself for that.
type CaseItem struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Type     string `json:"type,omitempty"`
	Priority int    `json:"priority"`
	Language string `json:"language,omitempty"`
	At       string `json:"at"`
}

// CaseMoment is one event of a case's timeline.
type CaseMoment struct {
	At     string `json:"at"`
	Kind   string `json:"kind"`
	Person string `json:"person,omitempty" doc:"operator number"`
	Body   any    `json:"body,omitempty"`
}

// OpenCase opens an investigation of the caller's authority.
func (c *Client) OpenCase(ctx context.Context, call Call, in NewCase) (Case, error) {
	return post[Case](ctx, c, "/api/v1/cases", call, in)
}

// AddCaseMember lets a person of the authority, by operator number or log-in, read a
// case.
func (c *Client) AddCaseMember(ctx context.Context, call Call, caseID, person string) (Case, error) {
	return post[Case](ctx, c, "/api/v1/cases/"+url.PathEscape(caseID)+"/members", call, NewMember{person})
}
