// Package api is what is said on the wire: the JSON types of Concert's public
// API (version 1, under /api/v1), its problem codes, and a Go client. The
// server and every test use these types, so that they cannot drift.
//
// Manners. Errors are RFC 9457 problem documents ([Problem]) with a stable
// code. Times are RFC 3339 UTC with milliseconds. Ids on the wire are random
// public references. A POST takes an Idempotency-Key: the same key with the
// same body gets the stored answer for 24 hours, with another body 422. A
// change of state takes If-Match with the ETag that was read: 428 without,
// 412 when stale; in a batch the entry's version takes its place. Lists page by
// opaque cursor. A batch carries at most [BatchLimit] entries and answers each
// on its own ([Result]); it is never all or nothing.
package api

// BatchLimit is the most entries one batch call takes.
const BatchLimit = 100

// Header names beyond the standard ones.
const (
	HeaderIdempotencyKey = "Idempotency-Key"
	HeaderJustification  = "Concert-Justification" // what a reading is for, recorded before the answer
)

// Problem is an RFC 9457 problem document.
type Problem struct {
	Type     string        `json:"type"` // URI; its last segment is Code
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail"`
	Instance string        `json:"instance,omitempty"`
	Code     string        `json:"code"` // stable, for machines
	Errors   []ProblemItem `json:"errors,omitempty"`
}

// ProblemItem says which part of the input was wrong.
type ProblemItem struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"` // "body.items[3].url"
	Value    any    `json:"value,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Result is the outcome of one entry of a batch.
type Result struct {
	Index   int      `json:"index"`
	Status  int      `json:"status"`            // the status the entry would have got alone
	ID      string   `json:"id,omitempty"`      // reference of what it made or changed
	Outcome string   `json:"outcome,omitempty"` // e.g. "created", "duplicate", "known", "stopped"
	Version int64    `json:"version,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// Results is the answer to a batch.
type Results struct {
	Results []Result `json:"results"`
}

// Page wraps one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // opaque cursor of the next page, "" at the end
}
