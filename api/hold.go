package api

// HoldShown is all that an item's author sees of a hold.
type HoldShown struct {
	Hold    bool   `json:"hold"`
	Contact string `json:"contact" doc:"whom to call"`
	Late    bool   `json:"late,omitempty" doc:"the hold was placed after the item had been referred: you may withdraw it"`
}

// NewHold asks all other authorities to keep off a place, or off the very bytes
// of a work, or both (officer).
type NewHold struct {
	Location string `json:"location,omitempty" maxLength:"4096"`
	SHA256   string `json:"sha256,omitempty" maxLength:"64" doc:"SHA-256 of the bytes, hex: covers every captured copy, wherever it lies"`
	Contact  string `json:"contact" maxLength:"200" doc:"shown to who meets the hold"`
	Case     string `json:"case,omitempty" maxLength:"200" doc:"the holder's own reference, sealed"`
}

// Hold is a hold as its holder sees it.
type Hold struct {
	ID           string     `json:"id"`
	State        string     `json:"state" enum:"stands,expired,released"`
	Location     string     `json:"location,omitempty"`
	SHA256       string     `json:"sha256,omitempty"`
	Contact      string     `json:"contact"`
	Case         string     `json:"case,omitempty"`
	CreatedAt    string     `json:"created_at"`
	ExpiresAt    string     `json:"expires_at"`
	ReleasedAt   string     `json:"released_at,omitempty"`
	RenewalsLeft int        `json:"renewals_left"`
	Notes        []HoldNote `json:"notes,omitempty" doc:"why it was renewed and released"`
	Asked        []Asked    `json:"asked,omitempty" doc:"items of others that came upon it, the oldest first"`
	Version      int64      `json:"version"`
}

// HoldNote is a reason given while a hold stood.
type HoldNote struct {
	What   string `json:"what" enum:"renewed,released"`
	At     string `json:"at"`
	Reason string `json:"reason"`
}

// Asked is one item of another authority that came upon a hold.
type Asked struct {
	Kind       string `json:"kind" enum:"dispatch,late,override,alike" doc:"stopped by it; referred before it was placed; let through for a threat to life; holds a copy of what it covers, and was not stopped"`
	Authority  string `json:"authority"`
	Name       string `json:"name"`
	Unit       string `json:"unit"`
	Contact    string `json:"contact,omitempty"`
	Item       string `json:"item" doc:"to name it to its author; you cannot read it"`
	At         string `json:"at"`
	ReferredAt string `json:"referred_at,omitempty"`
	Probed     bool   `json:"probed,omitempty" doc:"the authority met too many holds at least once"`
}

// Release ends a hold.
type Release struct {
	Reason string `json:"reason" minLength:"5" maxLength:"400"`
}

// Renewal lets a hold stand for another term (a second person of the holder).
type Renewal struct {
	Reason string `json:"reason" minLength:"5" maxLength:"400"`
}

// NewOverride lets a held threat to life pass the hold (reviewer, never its
// assessor).
type NewOverride struct {
	Reason string `json:"reason" maxLength:"4000"`
}

// NewReview says whether an override was justified.
type NewReview struct {
	Verdict string `json:"verdict" enum:"justified,unjustified"`
	Reason  string `json:"reason" maxLength:"4000"`
}

// Override is an overridden hold and its review.
type Override struct {
	Item       string `json:"item"`
	At         string `json:"at"`
	DueAt      string `json:"review_due_at"`
	Verdict    string `json:"verdict,omitempty" enum:"justified,unjustified"`
	ReviewedAt string `json:"reviewed_at,omitempty"`
}

// Alarm is something that coordinators and auditors must look at.
type Alarm struct {
	ID        string `json:"id"`
	Kind      string `json:"kind" enum:"hold.probed,override.unreviewed,contact.bounced,log.witness_refused"`
	Authority string `json:"authority"`
	Name      string `json:"name"`
	Unit      string `json:"unit"`
	Item      string `json:"item,omitempty"`
	Met       int    `json:"met,omitempty" doc:"holds met within 24 hours"`
	Witness   string `json:"witness,omitempty" doc:"name of the witness that has cosigned another history of the log"`
	At        string `json:"at"`
	EndedAt   string `json:"ended_at,omitempty"`
}

// Alarms is a page of them, newest first, with the overrides that wait for
// their review.
type Alarms struct {
	Items   []Alarm    `json:"items"`
	Reviews []Override `json:"reviews"`
	Next    string     `json:"next,omitempty"`
}
