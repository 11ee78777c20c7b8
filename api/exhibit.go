package api

import (
	"context"
	"net/http"
	"net/url"
)

// NewExhibit puts a sealed exhibit into a case. Its bytes stay where they are.
type NewExhibit struct {
	Label    string `json:"label" maxLength:"800" doc:"3 to 200 characters; only who holds it reads it"`
	Manifest string `json:"manifest" doc:"SHA-256 of the bag's manifest.json, as concert evidence show prints it"`
	CustodyFiles
}

// CustodyFiles are an exhibit's custody log and the head beside it, whole, as the
// bag has them.
type CustodyFiles struct {
	Custody string `json:"custody" maxLength:"3000000" doc:"custody.jsonl"`
	Head    string `json:"head" maxLength:"4000" doc:"custody-head.json"`
}

// HandExhibit says to which authority an exhibit goes.
type HandExhibit struct {
	To string `json:"to" maxLength:"80" doc:"reference of the authority"`
	CustodyFiles
}

// ReceiveExhibit says into which case an exhibit arrived.
type ReceiveExhibit struct {
	Case string `json:"case" maxLength:"80"`
	CustodyFiles
}

// Exhibit is a sealed piece of evidence, as the hub knows it.
type Exhibit struct {
	ID         string       `json:"id"`
	Version    int64        `json:"version"`
	Case       string       `json:"case,omitempty" doc:"of who holds it; for those who may read that"`
	Label      string       `json:"label"`
	Holder     string       `json:"holder,omitempty" doc:"reference of the authority"`
	Going      string       `json:"going,omitempty" doc:"the authority that it was handed to"`
	Manifest   string       `json:"manifest"`
	Head       string       `json:"head" doc:"of its custody log, as concert evidence verify -head takes it"`
	Custodians int          `json:"custodians,omitempty" doc:"how many open its pseudonyms together"`
	AddedAt    string       `json:"added_at"`
	Custody    []CaseMoment `json:"custody,omitempty" doc:"the oldest first"`
	Analyses   []Analysis   `json:"analyses,omitempty" doc:"of its access logs, for the case that holds it, the newest first"`
	Exercise   bool         `json:"exercise,omitempty"`
}

// PseudonymsKept says that the locked table of an exhibit's pseudonyms is kept.
type PseudonymsKept struct {
	Lock       string   `json:"lock"`
	Custodians []string `json:"custodians"`
	Needed     int      `json:"needed"`
}

// SourceFact is one line of a seized log, as concert accesslog sessions writes it.
type SourceFact struct {
	Kind       string `json:"kind" maxLength:"40"`
	At         string `json:"at" maxLength:"40" doc:"RFC 3339"`
	File       string `json:"file" maxLength:"1600"`
	Offset     int64  `json:"offset"`
	Length     int    `json:"length"`
	Line       string `json:"line_sha256" maxLength:"64"`
	Rule       string `json:"rule,omitempty" maxLength:"400"`
	Evaluation string `json:"evaluation" maxLength:"2" doc:"A1 to X4"`
}

// ReidentifySubject is one pseudonym with the grounds to open it.
type ReidentifySubject struct {
	Pseudonym string       `json:"pseudonym" maxLength:"64"`
	Category  string       `json:"category,omitempty" maxLength:"40" doc:"suspect, convicted or victim; left out, the person is an uncategorised visitor and is never opened"`
	Ground    string       `json:"ground" maxLength:"32000"`
	Facts     []SourceFact `json:"facts" maxItems:"50" doc:"beyond viewing and downloading"`
}

// Instrument is the judicial act that a step rests on.
type Instrument struct {
	Kind      string `json:"kind" maxLength:"40" doc:"court_order, prosecutor_order, investigation_order or mutual_assistance"`
	Issuer    string `json:"issuer" maxLength:"800"`
	Reference string `json:"reference" maxLength:"800"`
	Until     string `json:"until" format:"date" doc:"the last day"`
}

// NewReidentification asks to open named pseudonyms.
type NewReidentification struct {
	Exhibit    string              `json:"exhibit" maxLength:"80"`
	Judicial   string              `json:"judicial,omitempty" maxLength:"80" doc:"reference of the authority whose prosecutor or judge decides"`
	Purpose    string              `json:"purpose,omitempty" maxLength:"40" doc:"prosecution, threat_to_life or victim"`
	Instrument Instrument          `json:"instrument"`
	Selection  string              `json:"selection,omitempty" maxLength:"40" doc:"pseudonyms; by anything else (country, path, day, all) it is refused, and the refusal recorded"`
	Subjects   []ReidentifySubject `json:"subjects,omitempty" maxItems:"1000" doc:"at most 20: more are refused, and the refusal recorded"`
}

// Reidentification is a request to open pseudonyms.
type Reidentification struct {
	ID           string              `json:"id"`
	Version      int64               `json:"version"`
	Status       string              `json:"status" enum:"refused,asked,confirmed,authorised,revealed,closed"`
	Code         string              `json:"code,omitempty" doc:"why a rule refused it"`
	Why          string              `json:"why,omitempty" doc:"the same in words, or a person's reason"`
	Case         string              `json:"case,omitempty"`
	Exhibit      string              `json:"exhibit,omitempty"`
	Authority    string              `json:"authority,omitempty"`
	Judicial     string              `json:"judicial,omitempty"`
	Purpose      string              `json:"purpose,omitempty"`
	Instrument   *Instrument         `json:"instrument,omitempty"`
	Subjects     []ReidentifySubject `json:"subjects,omitempty"`
	AskedAt      string              `json:"asked_at"`
	AskedBy      string              `json:"asked_by,omitempty" doc:"operator number"`
	ConfirmedBy  string              `json:"confirmed_by,omitempty"`
	AuthorisedBy string              `json:"authorised_by,omitempty"`
	OpenUntil    string              `json:"open_until,omitempty"`
	Recipient    string              `json:"recipient,omitempty" doc:"public key of age: custodians give their shares to it (concert evidence share -for)"`
	Shares       int                 `json:"shares"`
	Needed       int                 `json:"needed,omitempty"`
	Revealed     int                 `json:"revealed" doc:"how often the answer was read"`
	Exercise     bool                `json:"exercise,omitempty"`
}

// GivenShare is a custodian's share, as concert evidence share writes it.
type GivenShare struct {
	Share string `json:"share" maxLength:"100000"`
}

// Identity is what stands behind one pseudonym.
type Identity struct {
	Pseudonym string `json:"pseudonym"`
	Kind      string `json:"kind" enum:"address,host,user"`
	Plain     string `json:"plain"`
}

// Identities answer a request to open pseudonyms. Nothing of it is kept.
type Identities struct {
	Request    Reidentification `json:"request"`
	Identities []Identity       `json:"identities"`
	Missing    []string         `json:"missing,omitempty" doc:"pseudonyms that the table does not have"`
}

// NewLead asks to let a lead go to a state.
type NewLead struct {
	Exhibit  string    `json:"exhibit" maxLength:"80"`
	State    string    `json:"state" maxLength:"2" doc:"ISO 3166-1 alpha-2"`
	Kind     string    `json:"kind" maxLength:"40" doc:"law_enforcement, judicial, military, intelligence or other"`
	Name     string    `json:"name" maxLength:"800" doc:"of the authority that receives it"`
	ForCourt bool      `json:"for_court,omitempty" doc:"for a bundle that goes before a court (handling code H1)"`
	Persons  []string  `json:"persons,omitempty" maxItems:"20" doc:"pseudonyms that officer and magistrate hold to be suspects'"`
	Transfer *Transfer `json:"transfer,omitempty" doc:"outside the Union: without it the lead is refused"`
}

// Transfer is what was weighed before a lead leaves the Union (Directive (EU)
// 2016/680 chapter V).
type Transfer struct {
	Ground       string `json:"ground" maxLength:"40" doc:"adequacy, safeguards or derogation"`
	Basis        string `json:"basis" maxLength:"32000"`
	Torture      string `json:"torture" maxLength:"32000"`
	DeathPenalty string `json:"death_penalty" maxLength:"32000"`
	Persecution  string `json:"persecution" maxLength:"32000"`
}

// ReleaseLead binds the release to the package that leaves.
type ReleaseLead struct {
	Package string `json:"package" maxLength:"64" doc:"SHA-256"`
}

// ReceiptLead records the recipient's signed receipt.
type ReceiptLead struct {
	Receipt string `json:"receipt" maxLength:"64" doc:"SHA-256"`
}

// Lead is what one state would receive of an exhibit.
type Lead struct {
	ID         string    `json:"id"`
	Version    int64     `json:"version"`
	Status     string    `json:"status" enum:"refused,asked,released,receipted,dropped"`
	Code       string    `json:"code,omitempty"`
	Why        string    `json:"why,omitempty"`
	State      string    `json:"state"`
	Kind       string    `json:"kind"`
	Name       string    `json:"name,omitempty"`
	ForCourt   bool      `json:"for_court,omitempty"`
	Persons    []string  `json:"persons,omitempty"`
	Transfer   *Transfer `json:"transfer,omitempty"`
	Package    string    `json:"package,omitempty"`
	Receipt    string    `json:"receipt,omitempty"`
	AskedAt    string    `json:"asked_at"`
	AskedBy    string    `json:"asked_by,omitempty"`
	ReleasedAt string    `json:"released_at,omitempty"`
	ReleasedBy string    `json:"released_by,omitempty"`
	Exercise   bool      `json:"exercise,omitempty"`
}

// CaseEvidence is what of seized servers a case has.
type CaseEvidence struct {
	Exhibits   []Exhibit          `json:"exhibits"`
	Requests   []Reidentification `json:"requests" doc:"to open pseudonyms, the newest first"`
	Leads      []Lead             `json:"leads" doc:"the newest first, at most 300"`
	LeadCounts map[string]int     `json:"lead_counts" doc:"of all leads, by status"`
	Analyses   []Analysis         `json:"analyses" doc:"of exhibits' access logs that the case asked for, the newest first, at most 100"`
}

// AddExhibit puts a sealed exhibit into a case.
func (c *Client) AddExhibit(ctx context.Context, call Call, caseID string, in NewExhibit) (Exhibit, error) {
	return post[Exhibit](ctx, c, "/api/v1/cases/"+url.PathEscape(caseID)+"/exhibits", call, in)
}

// CaseEvidence is what of seized servers a case has.
func (c *Client) CaseEvidence(ctx context.Context, caseID string) (CaseEvidence, error) {
	return get[CaseEvidence](ctx, c, "/api/v1/cases/"+url.PathEscape(caseID)+"/evidence", nil)
}

// AddCustody takes in what an exhibit's custody log holds since.
func (c *Client) AddCustody(ctx context.Context, call Call, id string, in CustodyFiles) (Exhibit, error) {
	return post[Exhibit](ctx, c, "/api/v1/exhibits/"+url.PathEscape(id)+"/custody", call, in)
}

// KeepPseudonyms hands the locked table of an exhibit's pseudonyms in.
func (c *Client) KeepPseudonyms(ctx context.Context, id string, locked []byte) (PseudonymsKept, error) {
	var out PseudonymsKept
	err := c.Do(ctx, http.MethodPost, "/api/v1/exhibits/"+url.PathEscape(id)+"/pseudonyms", Call{}, octets(locked), &out)
	return out, err
}

// AskReidentification asks to open named pseudonyms.
func (c *Client) AskReidentification(ctx context.Context, call Call, caseID string, in NewReidentification) (Reidentification, error) {
	return post[Reidentification](ctx, c, "/api/v1/cases/"+url.PathEscape(caseID)+"/reidentifications", call, in)
}

func (c *Client) onRequest(ctx context.Context, call Call, id, act string, in any) (Reidentification, error) {
	return post[Reidentification](ctx, c, "/api/v1/reidentifications/"+url.PathEscape(id)+"/"+act, call, in)
}

// ConfirmReidentification is the reviewer's word.
func (c *Client) ConfirmReidentification(ctx context.Context, call Call, id string) (Reidentification, error) {
	return c.onRequest(ctx, call, id, "confirm", struct{}{})
}

// AuthoriseReidentification is the magistrate's decision.
func (c *Client) AuthoriseReidentification(ctx context.Context, call Call, id string) (Reidentification, error) {
	return c.onRequest(ctx, call, id, "authorise", struct{}{})
}

// GiveShare hands a custodian's share in.
func (c *Client) GiveShare(ctx context.Context, call Call, id string, share string) (Reidentification, error) {
	return c.onRequest(ctx, call, id, "shares", GivenShare{share})
}

// CloseReidentification ends a request and destroys its key.
func (c *Client) CloseReidentification(ctx context.Context, call Call, id string) (Reidentification, error) {
	return c.onRequest(ctx, call, id, "close", struct{}{})
}

// OpenReidentification reads the answer; that it is read is in the log before.
func (c *Client) OpenReidentification(ctx context.Context, call Call, id string) (Identities, error) {
	return post[Identities](ctx, c, "/api/v1/reidentifications/"+url.PathEscape(id)+"/open", call, struct{}{})
}

// RequestLead asks to let a lead go to a state.
func (c *Client) RequestLead(ctx context.Context, call Call, caseID string, in NewLead) (Lead, error) {
	return post[Lead](ctx, c, "/api/v1/cases/"+url.PathEscape(caseID)+"/leads", call, in)
}

// ReleaseLead lets a package leave.
func (c *Client) ReleaseLead(ctx context.Context, call Call, id, digest string) (Lead, error) {
	return post[Lead](ctx, c, "/api/v1/leads/"+url.PathEscape(id)+"/release", call, ReleaseLead{digest})
}

// ReceiptLead records the recipient's receipt.
func (c *Client) ReceiptLead(ctx context.Context, call Call, id, digest string) (Lead, error) {
	return post[Lead](ctx, c, "/api/v1/leads/"+url.PathEscape(id)+"/receipt", call, ReceiptLead{digest})
}
