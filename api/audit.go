package api

import (
	"context"
	"net/url"
	"strconv"
)

// AuditStand says how far the numbers of an auditor's workbench reach.
type AuditStand struct {
	Size   int64  `json:"size" doc:"events counted"`
	Head   int64  `json:"head" doc:"events in the signed log; where it is more, the log is still being read, and numbers are of its beginning"`
	AsOf   string `json:"as_of,omitempty" doc:"time of the newest event counted"`
	Behind bool   `json:"behind"`
}

// AuditCount is a number under a heading.
type AuditCount struct {
	Of string `json:"of"`
	N  int64  `json:"n"`
}

// DisclosedTo is how often something went to a recipient.
type DisclosedTo struct {
	Kind string `json:"kind" doc:"provider, authority, transfer (an authority of another state), content_provider, sealed, auditor"`
	Ref  string `json:"ref,omitempty" doc:"of the provider or authority; for sealed, what it is"`
	N    int64  `json:"n"`
}

// AccessCounts are the accesses of Directive (EU) 2016/680 Art. 25.
type AccessCounts struct {
	AuditStand
	Kinds      []AuditCount      `json:"kinds" doc:"the six kinds, whatever kind was asked"`
	People     []AuditCount      `json:"people" doc:"by operator number, most first; house is the clocks; at most 500"`
	Months     []AuditCount      `json:"months"`
	Events     []AuditCount      `json:"events"`
	Recipients []DisclosedTo     `json:"recipients" doc:"of disclosures"`
	Ways       []DisclosureWay   `json:"ways" doc:"every way in which data leave, with its legal ground"`
	None       map[string]string `json:"none" doc:"kinds of event that are none of the six, and why"`
}

// DisclosureWay is a way in which data leave, and why they may.
type DisclosureWay struct {
	Name   string   `json:"name"`
	Ground string   `json:"ground"`
	Asked  bool     `json:"asked" doc:"a justification is asked for, sealed, and refused without"`
	Events []string `json:"events,omitempty"`
	Note   string   `json:"note"`
}

// Access is one access behind a number.
type Access struct {
	ID            string        `json:"id"`
	At            string        `json:"at"`
	Operator      string        `json:"operator,omitempty" doc:"missing for the clocks"`
	Event         string        `json:"event"`
	Kinds         []string      `json:"kinds"`
	Ref           string        `json:"ref,omitempty"`
	To            []DisclosedTo `json:"to,omitempty" doc:"of a disclosure"`
	Recipient     string        `json:"recipient,omitempty" doc:"where it was sealed"`
	Justification string        `json:"justification,omitempty" doc:"of consultations, and of disclosures where the act itself is not the ground"`
}

// AuditFrame says of what is drawn. An empty one takes everything that was acted upon.
type AuditFrame struct {
	About       string `json:"about,omitempty" enum:"referral,order"`
	Authority   string `json:"authority,omitempty" maxLength:"80" doc:"reference"`
	Provider    string `json:"provider,omitempty" maxLength:"80" doc:"reference"`
	ContentType string `json:"content_type,omitempty" maxLength:"40"`
	Outcome     string `json:"outcome,omitempty" enum:"removed,kept,waiting"`
	From        string `json:"from,omitempty" maxLength:"7" doc:"first month of the act, 2026-01"`
	Until       string `json:"until,omitempty" maxLength:"7"`
}

// AuditPlan is how much is drawn, and in which strata: either margin or size.
type AuditPlan struct {
	By     string `json:"by,omitempty" enum:"about,authority,provider,content_type,outcome,month"`
	Margin int    `json:"margin,omitempty" minimum:"0" maximum:"500" doc:"wanted precision at 95 per cent, in thousandths"`
	Size   int    `json:"size,omitempty" minimum:"0" maximum:"2000"`
	Equal  bool   `json:"equal,omitempty" doc:"as many of each stratum"`
}

// NewAuditDraw asks for a draw.
type NewAuditDraw struct {
	Frame AuditFrame `json:"frame"`
	Plan  AuditPlan  `json:"plan"`
}

// AuditShare is a share with its intervals, at 95 per cent.
type AuditShare struct {
	Population int        `json:"population"`
	Drawn      int        `json:"drawn"`
	Judged     int        `json:"judged" doc:"found to be terrorist content, or not"`
	Wrong      int        `json:"wrong" doc:"of those: found not to be"`
	Disputed   int        `json:"disputed" doc:"of those judged: auditors are even; not counted as wrong"`
	Erased     int        `json:"erased"`
	Unable     int        `json:"unable"`
	NotBlind   int        `json:"not_blind"`
	Waiting    int        `json:"waiting"`
	Share      float64    `json:"share"`
	Wilson     [2]float64 `json:"wilson"`
	Exact      [2]float64 `json:"exact" doc:"Clopper and Pearson"`
	Finite     [2]float64 `json:"finite" doc:"Wilson's with the finite population correction"`
	Bounds     [2]float64 `json:"bounds" doc:"whatever those were that nobody could judge"`
	Few        bool       `json:"few" doc:"fewer than five judged: leave it out of anything that leaves the auditor"`
}

// AuditStratum is a part of a draw.
type AuditStratum struct {
	Key string `json:"key"`
	AuditShare
}

// AuditKappa is the agreement of two auditors beyond chance.
type AuditKappa struct {
	N        int         `json:"n"`
	Agreed   int         `json:"agreed"`
	Value    *float64    `json:"value,omitempty" doc:"missing where chance would agree as well"`
	Interval *[2]float64 `json:"interval,omitempty" doc:"missing below ten"`
}

// AuditRate is what a draw says of over-removal. A draw that is not finished has no
// rate: its numbers are of what was judged so far.
type AuditRate struct {
	Finished  bool           `json:"finished"`
	All       AuditShare     `json:"all"`
	Strata    []AuditStratum `json:"strata"`
	Weighted  *float64       `json:"weighted,omitempty" doc:"each stratum by its size; missing while a stratum has nothing judged"`
	Wilson    [2]float64     `json:"wilson" doc:"of weighted"`
	Exact     [2]float64     `json:"exact"`
	Effective float64        `json:"effective"`
	Agreement AuditKappa     `json:"agreement"`
}

// AuditUnit is one unit of a draw as this auditor may see it.
type AuditUnit struct {
	Ref     string `json:"ref"`
	About   string `json:"about"`
	Erased  bool   `json:"erased"`
	Judged  bool   `json:"judged" doc:"by this auditor"`
	Verdict string `json:"verdict,omitempty" doc:"this auditor's own"`
}

// AuditDraw is one draw with what proves it.
type AuditDraw struct {
	Ref      string      `json:"ref"`
	At       string      `json:"at"`
	Auditor  string      `json:"auditor" doc:"operator number"`
	Frame    AuditFrame  `json:"frame"`
	Plan     AuditPlan   `json:"plan"`
	HeadSize int64       `json:"head_size"`
	HeadRoot string      `json:"head_root"`
	Index    int64       `json:"index" doc:"of the draw's event in the log"`
	Commit   string      `json:"commit" doc:"of that event, hex"`
	Seed     string      `json:"seed" doc:"hex; docs/audit.md says how a draw is made again"`
	Left     int         `json:"left" doc:"that this auditor has not judged"`
	Units    []AuditUnit `json:"units,omitempty" doc:"in the order of their lots"`
	Rate     AuditRate   `json:"rate"`
	AuditStand
}

// AuditDraws are the draws, the newest first.
type AuditDraws struct {
	Items []AuditDraw `json:"items"`
	AuditStand
}

// BlindCapture is a capture of what was at a place.
type BlindCapture struct {
	Ref    string `json:"ref"`
	Kind   string `json:"kind"`
	SeenAt string `json:"seen_at"`
	Erased bool   `json:"erased"`
}

// AuditBlindItem is an item of a unit, blind.
type AuditBlindItem struct {
	BlindLook
	Captures []BlindCapture `json:"captures"`
}

// AuditBlindUnit is a drawn unit as an auditor sees it before it has judged it.
type AuditBlindUnit struct {
	Draw   string           `json:"draw"`
	Ref    string           `json:"ref"`
	About  string           `json:"about"`
	Erased bool             `json:"erased"`
	Items  []AuditBlindItem `json:"items"`
	Left   int              `json:"left"`
	Next   string           `json:"next,omitempty"`
	Mine   *AuditFinding    `json:"mine,omitempty"`
	Others []AuditFinding   `json:"others,omitempty" doc:"once this auditor has judged it"`
	Handed string           `json:"handed,omitempty" doc:"recommendation that this auditor made of it"`
}

// NewAuditFinding is what an auditor finds of a unit.
type NewAuditFinding struct {
	Verdict string `json:"verdict" enum:"terrorist_content,not_terrorist_content,could_not_judge"`
	Type    string `json:"type,omitempty" maxLength:"40" doc:"of Art. 2(7), where it is terrorist content"`
	Purpose string `json:"purpose,omitempty" enum:"no_protected_purpose,exempt" doc:"outcome of the test of Art. 1(3)"`
	Why     string `json:"why,omitempty" enum:"evidence_erased,evidence_insufficient"`
	Note    string `json:"note,omitempty" maxLength:"4000" doc:"sealed; asked for where it is no terrorist content"`
}

// AuditFinding is a finding as it was recorded. It is never changed.
type AuditFinding struct {
	NewAuditFinding
	Operator string `json:"operator,omitempty"`
	At       string `json:"at"`
}

// NewRecommendation hands a finding to the authority.
type NewRecommendation struct {
	Text string `json:"text" maxLength:"4000"`
}

// Recommendation is a finding that was handed to the authority that acted.
type Recommendation struct {
	Ref        string `json:"ref"`
	Draw       string `json:"draw"`
	About      string `json:"about"`
	Unit       string `json:"unit"`
	Authority  string `json:"authority"`
	Auditor    string `json:"auditor,omitempty"`
	At         string `json:"at"`
	Text       string `json:"text,omitempty" doc:"missing once the unit is erased"`
	Erased     bool   `json:"erased"`
	Answer     string `json:"answer,omitempty"`
	AnsweredAt string `json:"answered_at,omitempty"`
	Answerer   string `json:"answerer,omitempty"`
	Reasons    string `json:"reasons,omitempty"`
}

// Recommendations is a list of them.
type Recommendations struct {
	Items []Recommendation `json:"items"`
}

// NewRecommendationAnswer answers a recommendation.
type NewRecommendationAnswer struct {
	Answer  string `json:"answer" enum:"put_right,stands,erased" doc:"put_right after a withdrawal or correction by the acts that there are"`
	Reasons string `json:"reasons,omitempty" maxLength:"4000" doc:"why it stands; sealed"`
}

// TimeInState is how long things stood in a state, in seconds.
type TimeInState struct {
	Kind    string `json:"kind" doc:"item, referral, order, complaint"`
	State   string `json:"state"`
	Ended   int64  `json:"ended"`
	P50     int64  `json:"p50"`
	P90     int64  `json:"p90"`
	P99     int64  `json:"p99"`
	Max     int64  `json:"max"`
	Waiting int64  `json:"waiting" doc:"that still go on: the percentiles leave them out"`
	Oldest  int64  `json:"oldest"`
	Median  *int64 `json:"median,omitempty" doc:"by Kaplan and Meier, which counts those that go on; missing while fewer than half have ended"`
}

// TimesInState are the times.
type TimesInState struct {
	Items []TimeInState `json:"items"`
	AuditStand
}

// AuditFrameQuery are the filters of times in states.
type AuditFrameQuery struct {
	Kind, Authority, Provider, ContentType, From, Until string
}

func (q AuditFrameQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"kind": q.Kind, "authority": q.Authority, "provider": q.Provider, "content_type": q.ContentType, "from": q.From, "until": q.Until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// AccessCounts counts the accesses of the six kinds (auditor).
func (c *Client) AccessCounts(ctx context.Context, kind, operator, from, until string) (AccessCounts, error) {
	v := url.Values{}
	for name, value := range map[string]string{"kind": kind, "operator": operator, "from": from, "until": until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return get[AccessCounts](ctx, c, "/api/v1/audit/accesses", v)
}

// AccessList is one page of the accesses behind a number (auditor).
func (c *Client) AccessList(ctx context.Context, kind, cursor string, limit int) (Page[Access], error) {
	v := url.Values{"kind": {kind}, "limit": {strconv.Itoa(max(limit, 1))}}
	if cursor != "" {
		v.Set("cursor", cursor)
	}
	return get[Page[Access]](ctx, c, "/api/v1/audit/accesses/list", v)
}

// AuditDrawOf is one draw with its rate (auditor).
func (c *Client) AuditDrawOf(ctx context.Context, ref string) (AuditDraw, error) {
	return get[AuditDraw](ctx, c, "/api/v1/audit/draws/"+url.PathEscape(ref), nil)
}

// TimesInState are how long things stood in each state (auditor).
func (c *Client) TimesInState(ctx context.Context, q AuditFrameQuery) (TimesInState, error) {
	return get[TimesInState](ctx, c, "/api/v1/audit/time-in-state", q.values())
}
