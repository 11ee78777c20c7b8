package api

// NewIncident says that something happened that many items are about.
type NewIncident struct {
	Kind    string `json:"kind" enum:"attack,claim,other"`
	Name    string `json:"name" maxLength:"200" doc:"every authority reads it: nothing of a case belongs in it"`
	Country string `json:"country" doc:"ISO 3166-1 alpha-2"`
	At      string `json:"at" format:"date-time"`
}

// Incident is one, as every authority sees it.
type Incident struct {
	ID        string         `json:"id"`
	Version   int64          `json:"version"`
	Kind      string         `json:"kind"`
	Name      string         `json:"name"`
	Country   string         `json:"country"`
	At        string         `json:"at"`
	Authority string         `json:"authority,omitempty" doc:"who declared it"`
	EndedAt   string         `json:"ended_at,omitempty"`
	Counts    map[string]int `json:"counts,omitempty" doc:"items of all authorities by status"`
	Own       map[string]int `json:"own,omitempty" doc:"those that the reader's authority found"`
	Items     []CaseItem     `json:"items,omitempty" doc:"one page of its own"`
	Next      string         `json:"next,omitempty"`
	Exercise  bool           `json:"exercise"`
}
