package api

// NewItem hands in one suspected item (officer).
type NewItem struct {
	Location   string `json:"location" minLength:"1" maxLength:"4096" doc:"URL, or another kind of place in its text form (docs/locations.md)"`
	Type       string `json:"type,omitempty" enum:"video,image,text,audio,document,account,channel,bot,app,extension,newsletter,website"`
	Outlet     string `json:"outlet,omitempty" doc:"id of the outlet whose brand it seems to carry"`
	Action     string `json:"action,omitempty" doc:"id of the joint action it belongs to"`
	Priority   int    `json:"priority,omitempty" minimum:"0" maximum:"9"`
	Evaluation string `json:"evaluation,omitempty" doc:"source and information code, A1 to X4; A1 when left out: seen by the officer"`
	SHA256     string `json:"sha256,omitempty" maxLength:"64" doc:"SHA-256 of the captured bytes, hex: copies of one work share it"`
	Handling   string `json:"handling,omitempty" enum:"H0,H1,H2,H3" doc:"handling code; H0 when left out"`

	Captures []InlineCapture `json:"captures,omitempty" maxItems:"4" doc:"small captures that come along; larger ones follow with POST /items/{id}/captures"`

	Language string `json:"language,omitempty" maxLength:"35" doc:"of its words, as far as its finder can tell (BCP 47)"`
	Incident string `json:"incident,omitempty" maxLength:"80" doc:"id of an incident that lasts"`
	Sweep    string `json:"sweep,omitempty" maxLength:"80" doc:"id of one's own sweep of a watched place that it was found in"`
}

// NewItems is a batch of them.
type NewItems struct {
	Items []NewItem `json:"items" minItems:"1" maxItems:"100"`
}

// Outcomes of a submission, in Result.Outcome.
const (
	OutcomeCreated   = "created"   // a new item
	OutcomeStopped   = "stopped"   // recorded, and stopped by the guard
	OutcomeDuplicate = "duplicate" // joined to another authority's item
	OutcomeKnown     = "known"     // this authority had handed it in already: nothing added
)

// Item is an item as its authority sees it; others see less.
type Item struct {
	ID         string      `json:"id"`
	Version    int64       `json:"version"`
	Status     string      `json:"status"`
	Type       string      `json:"type,omitempty"`
	Kind       string      `json:"kind"`
	Location   string      `json:"location,omitempty" doc:"as submitted"`
	Canonical  string      `json:"canonical,omitempty"`
	Display    string      `json:"display,omitempty" doc:"defanged"`
	Platform   string      `json:"platform,omitempty"`
	ObjectID   string      `json:"object_id,omitempty"`
	Provider   string      `json:"provider,omitempty"`
	Outlet     string      `json:"outlet,omitempty"`
	Authority  string      `json:"authority"`
	Action     string      `json:"action,omitempty"`
	Priority   int         `json:"priority"`
	Language   string      `json:"language,omitempty"`
	Guard      Guard       `json:"guard"`
	Needed     int         `json:"approvals_needed"`
	Given      int         `json:"approvals_given"`
	Claimed    string      `json:"claimed,omitempty" doc:"the provider's word"`
	Observed   string      `json:"observed,omitempty" doc:"what we saw ourselves"`
	SHA256     string      `json:"sha256,omitempty" doc:"of the captured bytes"`
	Handling   string      `json:"handling,omitempty"`
	Referral   string      `json:"referral,omitempty"`
	Finders    []string    `json:"finders,omitempty" doc:"ids of the authorities that found it"`
	Assessment *Assessment `json:"assessment,omitempty"`
	Hold       *HoldShown  `json:"hold,omitempty"`
	Override   *Override   `json:"override,omitempty" doc:"of a hold, for a threat to life"`
	SecondLook *SecondLook `json:"second_look,omitempty" doc:"what a second pair of eyes said, blind"`
	CreatedAt  string      `json:"created_at"`
	UpdatedAt  string      `json:"updated_at"`
	Exercise   bool        `json:"exercise"`
	Withheld   bool        `json:"withheld,omitempty" doc:"its handling code keeps the judgement to its own authority"`
	HeldLegal  string      `json:"held_legal,omitempty" doc:"a legal hold keeps it from erasure since then"`
	ErasedAt   string      `json:"erased_at,omitempty" doc:"nothing of it can be read since then"`
	Erasure    *Erasure    `json:"erasure,omitempty"`
	Captures   []Capture   `json:"captures,omitempty" doc:"what is known of them; of the own authority, all for coordinators and auditors"`
	Atrocity   *Atrocity   `json:"atrocity,omitempty" doc:"marked as evidence of an atrocity"`

	Cases        []string      `json:"cases,omitempty" doc:"ids of those that the reader is a member of"`
	Incidents    []string      `json:"incidents,omitempty"`
	Translations []Translation `json:"translations,omitempty" doc:"without their texts"`

	Claim *Claim           `json:"claim,omitempty" doc:"what lies on it while it waits: who has it in hand, until when"`
	Why   []PriorityReason `json:"why,omitempty" doc:"why it has its priority, the reason that decides first"`
}

// Guard is what the protected-expression guard said.
type Guard struct {
	Verdict string `json:"verdict" enum:"pass,elevate,stop"`
	Class   string `json:"class,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// NewAssessment judges an item (officer); facts and judgement apart.
type NewAssessment struct {
	Type       string `json:"type,omitempty" enum:"incites,solicits_commit,solicits_participation,instruction,threat" doc:"Regulation (EU) 2021/784 Art. 2(7)(a) to (e)"`
	Purpose    string `json:"purpose" enum:"no_protected_purpose,exempt" doc:"Art. 1(3) purpose test"`
	Outlet     string `json:"outlet,omitempty"`
	Mark       string `json:"mark,omitempty" maxLength:"400" doc:"the mark that brands it"`
	MarkWhere  string `json:"mark_where,omitempty" maxLength:"400"`
	Unbranded  bool   `json:"unbranded,omitempty"`
	Language   string `json:"language" maxLength:"35"`
	Severity   string `json:"severity" enum:"routine,serious,threat_to_life"`
	Evaluation string `json:"evaluation" maxLength:"2"`
	Facts      string `json:"facts" maxLength:"8000"`
	Judgement  string `json:"judgement" maxLength:"8000"`
}

// Assessment is a recorded judgement.
type Assessment struct {
	NewAssessment
	Author    string `json:"author" doc:"operator number"`
	Authority string `json:"authority"`
	At        string `json:"at"`
}

// BatchAssessment is one entry of a batch.
type BatchAssessment struct {
	Item    string `json:"item"`
	Version int64  `json:"version"`
	NewAssessment
	Captures []InlineCapture `json:"captures,omitempty" maxItems:"4" doc:"small captures that come along and that it may rest on; kept only where it is recorded"`
}

// NewAssessments is a batch of them.
type NewAssessments struct {
	Assessments []BatchAssessment `json:"assessments" minItems:"1" maxItems:"100"`
}

// NewDecision approves or rejects an assessment (reviewer, never its author).
type NewDecision struct {
	Decision string `json:"decision" enum:"approve,reject"`
	Ground   string `json:"ground,omitempty" maxLength:"4000" doc:"needed to reject, and where a second approval is needed"`
}

// BatchDecision is one entry of a batch.
type BatchDecision struct {
	Item    string `json:"item"`
	Version int64  `json:"version"`
	NewDecision
}

// NewDecisions is a batch of them. More than one approve only further copies of
// works that were approved alone.
type NewDecisions struct {
	Decisions []BatchDecision `json:"decisions" minItems:"1" maxItems:"100"`
}

// NewObservation records what an officer saw with their own eyes.
type NewObservation struct {
	State   string `json:"state" enum:"down,up,partial,unknown"`
	Vantage string `json:"vantage" maxLength:"100"`
}

// NewRemedy takes a referral of an item back, or corrects what was said of it.
type NewRemedy struct {
	Kind     string `json:"kind" enum:"withdrawal,correction"`
	Reason   string `json:"reason" maxLength:"4000"`
	Category string `json:"category,omitempty" enum:"not_terrorist,protected,wrong_place,wrong_facts,out_of_scope,procedure,investigated,other" doc:"Why, in one word, for the public error register."`
}

// BatchRemedy is one entry of a batch.
type BatchRemedy struct {
	Item    string `json:"item"`
	Version int64  `json:"version"`
	NewRemedy
}

// NewRemedies is a batch of them.
type NewRemedies struct {
	Remedies []BatchRemedy `json:"remedies" minItems:"1" maxItems:"100"`
}
