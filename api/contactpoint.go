package api

// NewContactPoint registers a contact point of a provider (administrator).
type NewContactPoint struct {
	Purpose         string   `json:"purpose" enum:"referrals,urgent,questions,orders,both"`
	Layer           string   `json:"layer" enum:"platform,site_owner,host,reseller,cdn,registrar,registry,upstream,app_store,extension_store,mail_service" doc:"whom it speaks for: the answers of two layers are not interchangeable"`
	Channel         string   `json:"channel" enum:"webhook,pull,mail"`
	Address         string   `json:"address,omitempty" maxLength:"500" doc:"a mail address, or the https address of a webhook"`
	Form            string   `json:"form,omitempty" enum:"single,digest" doc:"mail only: one report a message, or what is due in one signed digest"`
	Languages       []string `json:"languages,omitempty" maxItems:"20" doc:"that it reads, the preferred first; notices are written in en, fr and ar"`
	Zone            string   `json:"zone,omitempty" doc:"IANA time zone of its people; UTC when left out"`
	QuietFrom       int      `json:"quiet_from,omitempty" minimum:"0" maximum:"1439" doc:"minutes after local midnight; equal to quiet_to: never quiet"`
	QuietTo         int      `json:"quiet_to,omitempty" minimum:"0" maximum:"1439"`
	PerHour         int      `json:"per_hour,omitempty" minimum:"0" doc:"items an hour; 0: no bound"`
	MessagesPerHour int      `json:"messages_per_hour,omitempty" minimum:"0" doc:"0: no bound"`
}

// ContactPoint is a registered contact point and how it goes.
type ContactPoint struct {
	ID string `json:"id"`
	NewContactPoint
	State     string `json:"state" enum:"in use,bounced,retired"`
	Trouble   string `json:"trouble,omitempty" doc:"code of what last went wrong"`
	TroubleAt string `json:"trouble_at,omitempty"`
	SuccessAt string `json:"success_at,omitempty" doc:"when something last reached it"`
	Bounces   int    `json:"bounces"`
	Waiting   int    `json:"waiting" doc:"notices that wait"`
	Sending   int    `json:"sending" doc:"mails that are tried again"`
	Reached   int    `json:"reached"`
	Failed    int    `json:"failed"`
	Exercise  bool   `json:"exercise"`
}

// Seat is where a provider is established and who represents it in the Union.
type Seat struct {
	Establishment  string `json:"establishment,omitempty" maxLength:"2" doc:"ISO 3166-1"`
	Representative string `json:"representative,omitempty" maxLength:"400" doc:"name and place of the legal representative"`
}

// ProviderContacts are a provider's seat and contact points.
type ProviderContacts struct {
	Provider string         `json:"provider"`
	Seat     Seat           `json:"seat"`
	Contacts []ContactPoint `json:"contacts"`
}

// Message is what a provider wrote about a referral, or its mail system reported.
type Message struct {
	At     string `json:"at"`
	Kind   string `json:"kind" enum:"question,reply,automatic,delivered,relayed,delayed,bounced,read,complaint"`
	Code   string `json:"code,omitempty"`
	Sender string `json:"sender" enum:"unverified,dkim,link" doc:"how sure it is who wrote"`
	From   string `json:"from,omitempty"`
	Text   string `json:"text,omitempty" doc:"gone once an item that it may quote is erased"`
}

// RevokedLinks says how many answer links ended.
type RevokedLinks struct {
	Revoked int `json:"revoked"`
}
