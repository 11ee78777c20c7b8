package api

// NewWatch puts a place on the watchlist.
type NewWatch struct {
	Location string `json:"location" maxLength:"4096"`
	Owner    string `json:"owner" enum:"outlet,person" doc:"whose place it is: an outlet's own, or a private person's account"`
	Outlet   string `json:"outlet,omitempty"`
	Case     string `json:"case,omitempty" doc:"needed for a private person's account"`
	Ground   string `json:"ground,omitempty" maxLength:"4000" doc:"needed, too, in at least twenty characters"`
	Until    string `json:"until,omitempty" format:"date" doc:"needed, too: at most 90 days away"`
	Cadence  int    `json:"cadence" minimum:"1" maximum:"720" doc:"hours between two sweeps"`
}

// NewSweepEnd finishes a sweep.
type NewSweepEnd struct {
	Outcome string `json:"outcome" enum:"found,none,gone,given_up"`
}

// Watch is a watched place.
type Watch struct {
	ID       string  `json:"id"`
	Version  int64   `json:"version"`
	Location string  `json:"location,omitempty"`
	Display  string  `json:"display,omitempty"`
	Kind     string  `json:"kind,omitempty"`
	Owner    string  `json:"owner"`
	Outlet   string  `json:"outlet,omitempty"`
	Case     string  `json:"case,omitempty"`
	Ground   string  `json:"ground,omitempty"`
	Cadence  int     `json:"cadence" doc:"hours"`
	NextAt   string  `json:"next_at"`
	LastAt   string  `json:"last_at,omitempty"`
	Until    string  `json:"until,omitempty"`
	EndedAt  string  `json:"ended_at,omitempty"`
	Overdue  bool    `json:"overdue"`
	Found    int     `json:"found" doc:"items that all sweeps brought"`
	Swept    int     `json:"swept" doc:"how often it was gone through"`
	Now      *Sweep  `json:"now,omitempty" doc:"who has it now"`
	Sweeps   []Sweep `json:"sweeps,omitempty" doc:"newest first"`
	Exercise bool    `json:"exercise"`
}

// Sweep is one going through a place.
type Sweep struct {
	ID      string `json:"id"`
	Person  string `json:"person,omitempty" doc:"operator number"`
	At      string `json:"at"`
	Until   string `json:"until" doc:"nobody else has the place before"`
	DoneAt  string `json:"done_at,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	New     int    `json:"new"`
	Joined  int    `json:"joined" doc:"found by another authority before"`
	Known   int    `json:"known" doc:"found by one's own before"`
}
