package api

import "concert"

// InboxEntry is a thin notice: no place, no text, only what to fetch.
type InboxEntry struct {
	Cursor    string `json:"cursor"`
	Type      string `json:"type" enum:"referral.sent,referral.reminder,referral.withdrawn,referral.corrected,referral.sandbox,referral.question,action.patterns"`
	Referral  string `json:"referral"`
	Items     int    `json:"items"`
	Author    string `json:"author"`
	At        string `json:"at"`
	Voluntary bool   `json:"voluntary"`
	Remedy    string `json:"remedy,omitempty"`
	Question  string `json:"question,omitempty" doc:"referral.question: the message that was written"`
	Article16 bool   `json:"article16,omitempty" doc:"its referral is meant as a notice under DSA Art. 16"`
	Exercise  bool   `json:"exercise"`
}

// Inbox is one page of notices, oldest first. Poll again with cursor.
type Inbox struct {
	Entries    []InboxEntry `json:"entries"`
	Cursor     string       `json:"cursor" doc:"pass it back to go on; unchanged when nothing is new"`
	ServerTime string       `json:"server_time"`
}

// Referral is a referral as its provider sees it.
type Referral struct {
	ID         string            `json:"id"`
	Version    int64             `json:"version"`
	Status     string            `json:"status"`
	Voluntary  string            `json:"voluntary"`
	Author     string            `json:"author" doc:"name of the authority that judged"`
	Items      []ReferralItem    `json:"items"`
	Envelope   *concert.Envelope `json:"envelope,omitempty" doc:"the signed original: author and transport apart; missing once an item of it is erased"`
	Incomplete *Incomplete       `json:"incomplete,omitempty" doc:"an item of it was erased"`
	CreatedAt  string            `json:"created_at"`
	AckedAt    string            `json:"acknowledged_at,omitempty"`
	Reminders  int               `json:"reminders"`
	Article16  bool              `json:"article16" doc:"meant as a notice under Art. 16 of Regulation (EU) 2022/2065"`
	ServerTime string            `json:"server_time"`
	Exercise   bool              `json:"exercise"`
}

// Acknowledged is a referral that was taken; its items are where they were.
type Acknowledged struct {
	ID      string `json:"id"`
	Version int64  `json:"version" doc:"goes back as If-Match"`
	Status  string `json:"status"`
	AckedAt string `json:"acknowledged_at"`
}

// ReferralItem is one item in a referral, with what was claimed so far.
type ReferralItem struct {
	concert.PayloadItem
	Status     string   `json:"status"`
	Claimed    string   `json:"claimed,omitempty"`
	Observed   string   `json:"observed,omitempty"`
	Withdrawn  bool     `json:"withdrawn,omitempty"`
	Correction []string `json:"correction,omitempty"`
	// Isolation is there where the provider says that it cannot isolate the place.
	Isolation *Isolation `json:"isolation,omitempty"`
}

// NewAnswer answers one item of a referral (provider answerer).
type NewAnswer struct {
	Item      string   `json:"item"`
	Code      string   `json:"code" enum:"received,in_review,need_information,removed,disabled_eu,disabled_countries,account_suspended,domain_on_hold,age_or_interaction_restricted,already_unavailable,refused_not_violating,not_ours,impossible_force_majeure,impossible_facts_insufficient,cannot_isolate,forwarded_to_customer,contested,restored"`
	Countries []string `json:"countries,omitempty" maxItems:"60"`
	Forwarded string   `json:"forwarded_to,omitempty" maxLength:"400"`
	Note      string   `json:"note,omitempty" maxLength:"4000"`
	Others    int      `json:"others,omitempty" minimum:"0" maximum:"1000000000" doc:"cannot_isolate: how many others a measure would hit"`
	OthersAre string   `json:"others_are,omitempty" enum:"sites,customers,accounts,works,users" doc:"cannot_isolate: what they are"`
}

// NewAnswers answers some or all items of one referral; the rest may follow.
type NewAnswers struct {
	Answers     []NewAnswer `json:"answers" minItems:"1" maxItems:"100"`
	Correlation string      `json:"correlation_id,omitempty" maxLength:"200" doc:"your own id, echoed"`
}

// AnswerResults is the answer to answers.
type AnswerResults struct {
	Results     []Result `json:"results"`
	Version     int64    `json:"version" doc:"the referral's new version"`
	Correlation string   `json:"correlation_id,omitempty"`
}

// ProviderStatistics are a provider's own numbers.
type ProviderStatistics struct {
	Provider    string            `json:"provider"`
	Counts      map[string]int64  `json:"counts"`
	Definitions map[string]string `json:"definitions"`
	AsOf        string            `json:"as_of"`
}

// Sandboxed names a made-up referral for trying things out.
type Sandboxed struct {
	Referral string `json:"referral"`
}
