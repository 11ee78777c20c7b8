package api

// NewTeammate registers a person of the caller's own provider (provider
// administrator).
type NewTeammate struct {
	Name  string   `json:"name" minLength:"1" maxLength:"200"`
	Login string   `json:"login" minLength:"1" maxLength:"200"`
	Roles []string `json:"roles" doc:"provider_reader, provider_answerer, provider_admin"`
}

// Teammate is a person of a provider; Link is shown once.
type Teammate struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Login    string        `json:"login"`
	Roles    []string      `json:"roles"`
	State    string        `json:"state" enum:"in_force,waits,disabled"`
	Sessions []TeamSession `json:"sessions"`
	Keys     []APIKey      `json:"keys" doc:"by name; never their text"`
	Link     string        `json:"link,omitempty" doc:"one-time log-in link"`
}

// TeamSession is a way in that is open now.
type TeamSession struct {
	Name      string `json:"name" doc:"how it was begun"`
	CreatedAt string `json:"created_at"`
	ExpiresAt string `json:"expires_at"`
}

// NewTeamRoles gives a person of the caller's provider other roles.
type NewTeamRoles struct {
	Roles []string `json:"roles"`
}
