package api

// Me is who a key or session speaks for.
type Me struct {
	Operator  string   `json:"operator"`
	Authority string   `json:"authority,omitempty"`
	Provider  string   `json:"provider,omitempty"`
	Roles     []string `json:"roles"`
}

// NewAuthority registers an authority (administrator).
type NewAuthority struct {
	Name    string `json:"name" minLength:"1" maxLength:"200"`
	Country string `json:"country" minLength:"2" maxLength:"2"`
	Kind    string `json:"kind" enum:"referral_unit,competent_authority,prosecutor,court,coordinator"`
	Unit    string `json:"unit" minLength:"1" maxLength:"16" doc:"short code shown outside with the operator number"`
	Contact string `json:"contact" maxLength:"200" doc:"shown beside a hold"`
}

// Authority is a registered authority.
type Authority struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Country   string `json:"country"`
	Kind      string `json:"kind"`
	Unit      string `json:"unit"`
	KeyID     string `json:"keyid"`
	PublicKey []byte `json:"public_key" doc:"Ed25519, signs what the authority authors"`
	Exercise  bool   `json:"exercise"`
}

// NewProvider registers a provider (administrator).
type NewProvider struct {
	Name       string   `json:"name" minLength:"1" maxLength:"200"`
	Kind       string   `json:"kind" enum:"social,messaging,hosting,cdn,registrar,registry,app_store,extension_store,mail"`
	Country    string   `json:"country" minLength:"2" maxLength:"2" doc:"main establishment or legal representative"`
	Languages  []string `json:"languages,omitempty"`
	Zone       string   `json:"zone" doc:"IANA time zone of its moderators"`
	QuietFrom  int      `json:"quiet_from,omitempty" minimum:"0" maximum:"1439" doc:"minutes after local midnight; equal to quiet_to: never quiet"`
	QuietTo    int      `json:"quiet_to,omitempty" minimum:"0" maximum:"1439"`
	PerHour    int      `json:"per_hour,omitempty" minimum:"0" doc:"items an hour it agreed to take; 0: no bound"`
	Channel    string   `json:"channel" enum:"webhook,pull"`
	WebhookURL string   `json:"webhook_url,omitempty" maxLength:"500"`
	HMAC       bool     `json:"hmac,omitempty" doc:"sign with v1 (HMAC) instead of v1a (Ed25519)"`
	Platforms  []string `json:"platforms" doc:"platform names and registrable domains whose items it answers for"`
	Contact    string   `json:"contact,omitempty" maxLength:"200"`
}

// Provider is a registered provider.
type Provider struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Kind          string   `json:"kind"`
	Country       string   `json:"country"`
	Channel       string   `json:"channel"`
	Platforms     []string `json:"platforms"`
	PerHour       int      `json:"per_hour"`
	Disabled      bool     `json:"disabled,omitempty" doc:"its endpoint said 410"`
	WebhookKey    string   `json:"webhook_key,omitempty" doc:"whpk_… verifies what we send"`
	WebhookSecret string   `json:"webhook_secret,omitempty" doc:"whsec_…, shown once, with hmac only"`
	Exercise      bool     `json:"exercise"`
}

// NewOutlet registers an outlet (coordinator, reviewer, administrator).
type NewOutlet struct {
	Name    string   `json:"name" minLength:"1" maxLength:"200"`
	Aliases []string `json:"aliases,omitempty"`
	Marks   []string `json:"marks,omitempty"`
	Sites   []string `json:"sites,omitempty" doc:"registrable domains that are the outlet's own"`
	Parent  string   `json:"parent,omitempty" doc:"id of the entity behind it"`
}

// Outlet is a registered outlet.
type Outlet struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases,omitempty"`
	Marks    []string `json:"marks,omitempty"`
	Sites    []string `json:"sites,omitempty"`
	Parent   string   `json:"parent,omitempty"`
	InScope  bool     `json:"in_scope" doc:"it or a parent stands on a scope entry in force now"`
	Exercise bool     `json:"exercise"`
}

// NewScopeEntry proposes a line of the scope list (coordinator, reviewer); a
// second person confirms it.
type NewScopeEntry struct {
	Outlet    string `json:"outlet"`
	LegalAct  string `json:"legal_act" maxLength:"400"`
	Authority string `json:"authority" maxLength:"200" doc:"who designated"`
	Citation  string `json:"citation" maxLength:"400" doc:"where the act can be read"`
	ListedOn  string `json:"listed_on" format:"date"`
}

// ScopeEntry is a line of the public scope list.
type ScopeEntry struct {
	ID         string `json:"id"`
	Outlet     string `json:"outlet"`
	OutletName string `json:"outlet_name"`
	LegalAct   string `json:"legal_act"`
	Authority  string `json:"authority"`
	Citation   string `json:"citation"`
	ListedOn   string `json:"listed_on"`
	Confirmed  bool   `json:"confirmed"`
	DelistedOn string `json:"delisted_on,omitempty"`
	InForce    bool   `json:"in_force"`
	Exercise   bool   `json:"exercise"`
}

// Delisting ends a scope entry.
type Delisting struct {
	On string `json:"on" format:"date"`
}

// Key is a public key and whose it is.
type Key struct {
	Role      string `json:"role" enum:"author,transport,webhook,log"`
	KeyID     string `json:"keyid,omitempty"`
	PublicKey string `json:"public_key" doc:"base64 Ed25519, or the text form of its kind (whpk_…, note verifier key)"`
	Party     string `json:"party,omitempty"`
}

// Keys is every public key that an outsider needs.
type Keys struct {
	Keys []Key `json:"keys"`
}
