package api

// NewAction opens a joint action (coordinator).
type NewAction struct {
	Name     string `json:"name" minLength:"3" maxLength:"200"`
	Lead     string `json:"lead" doc:"id of the lead judicial authority"`
	Mandate  string `json:"mandate" maxLength:"400"`
	StartsAt string `json:"starts_at" format:"date-time"`
	EndsAt   string `json:"ends_at" format:"date-time"`
	Target   int    `json:"target,omitempty" minimum:"0" doc:"items to be referred"`
}

// Action is a joint action.
type Action struct {
	ID           string              `json:"id"`
	Version      int64               `json:"version"`
	Name         string              `json:"name"`
	Phase        string              `json:"phase"`
	Lead         string              `json:"lead"`
	Mandate      string              `json:"mandate"`
	StartsAt     string              `json:"starts_at"`
	EndsAt       string              `json:"ends_at"`
	Target       int                 `json:"target"`
	Participants []ActionParticipant `json:"participants"`
	Outlets      []string            `json:"outlets" doc:"targets by outlet"`
	Exercise     bool                `json:"exercise"`
}

// ActionParticipant is one authority's part.
type ActionParticipant struct {
	Authority string `json:"authority"`
	Part      string `json:"part" enum:"lead,coordinate,support,judicial"`
}

// NewPhase moves an action on.
type NewPhase struct {
	Phase string `json:"phase" enum:"prepare,collect,deconflict,refer,follow_up,close"`
}

// NewTarget names an outlet as a target.
type NewTarget struct {
	Outlet string `json:"outlet"`
}

// Board is an action's numbers at one moment; the wall shows the same.
type Board struct {
	Action      string                      `json:"action"`
	Phase       string                      `json:"phase"`
	AsOf        string                      `json:"as_of" doc:"case time"`
	ServerTime  string                      `json:"server_time"`
	Exercise    bool                        `json:"exercise"`
	Totals      map[string]int64            `json:"totals" doc:"−1 stands for fewer than five, where others may not see the number"`
	Authorities map[string]map[string]int64 `json:"authorities"`
	Providers   map[string]map[string]int64 `json:"providers"`
	Log         LogHead                     `json:"log"`
}

// LogHead is the transparency log's latest signed head.
type LogHead struct {
	Size int64  `json:"size"`
	Root string `json:"root" doc:"hex"`
}
