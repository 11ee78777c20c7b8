package concert

import (
	"fmt"
	"time"
)

// The types of what an envelope holds where it concerns removal orders.
const (
	OrderPayloadType      = "application/vnd.concert.order.v1+json"
	FeedbackPayloadType   = "application/vnd.concert.order-feedback.v1+json"
	ImpossiblePayloadType = "application/vnd.concert.order-impossible.v1+json"
	RegisterPayloadType   = "application/vnd.concert.order-register.v1+json"
)

// OrderDuty stands on every order, word for word (G01): what a referral never says.
const OrderDuty = "This is a removal order under Article 3 of Regulation (EU) 2021/784. Its addressee removes the terrorist content, or disables access to it in all Member States, as soon as possible and in any event within one hour of receipt of the order."

// Function is what the law lets an authority do: those of Regulation (EU) 2021/784
// Art. 12(1)(a) to (d), and to refer, which binds nobody.
type Function string

// The functions.
const (
	FunctionIssue      Function = "issue"      // removal orders, Art. 3
	FunctionScrutinise Function = "scrutinise" // orders of other states, Art. 4
	FunctionSupervise  Function = "supervise"  // specific measures, Art. 5
	FunctionPenalise   Function = "penalise"   // Art. 18
	FunctionRefer      Function = "refer"
)

// Functions lists them.
var Functions = []Function{FunctionIssue, FunctionScrutinise, FunctionSupervise, FunctionPenalise, FunctionRefer}

// OrderPayload is a removal order as its addressee reads it: every field of
// Annex I of Regulation (EU) 2021/784 (sections A to G), and beside them what
// Art. 3(2) asks and what is ours. It is signed in RFC 8785 form.
type OrderPayload struct {
	Type      string `json:"type"`     // "removal_order"
	Version   int    `json:"version"`  // 1
	Duty      string `json:"duty"`     // OrderDuty
	Ref       string `json:"ref"`      // the order's reference (A)
	Language  string `json:"language"` // of what was written by hand, BCP 47
	Transport string `json:"transport"`
	Exercise  bool   `json:"exercise"`

	IssuingState string         `json:"issuing_state"` // ISO 3166-1 alpha-2 (A)
	Addressee    OrderAddressee `json:"addressee"`     // (A)
	IssuedAt     string         `json:"issued_at"`     // RFC 3339 with milliseconds, UTC (A)

	Places     []OrderPlace  `json:"places"`      // (B)
	Reasons    []ContentType `json:"reasons"`     // of Art. 2(7) (B)
	Statement  string        `json:"statement"`   // of reasons, in detail (B; Art. 3(4)(b))
	LegalBasis []string      `json:"legal_basis"` // provisions, the Regulation's first (Art. 3(4)(d))
	Scope      []string      `json:"scope"`       // territory: "EU" for all Member States (G18)

	NonDisclosure *OrderSilence `json:"non_disclosure,omitempty"` // (C; Art. 11(3))
	CopyTo        *OrderContact `json:"copy_to,omitempty"`        // the authority of the addressee's state, where that is another one (D; Art. 4(1))

	Authority    OrderAuthority    `json:"authority"` // (E)
	FollowUp     []OrderContact    `json:"follow_up"` // (F)
	Redress      []OrderRedress    `json:"redress"`   // (G; G15)
	FirstContact OrderFirstContact `json:"first_contact"`
	Automated    PayloadMachine    `json:"automation"`

	Replaces string `json:"replaces,omitempty"` // reference of the order that this one puts right
}

// OrderAddressee is the provider to whom an order goes (section A).
type OrderAddressee struct {
	Ref            string `json:"ref"`
	Name           string `json:"name"`
	Representative string `json:"representative,omitempty"` // legal representative, Art. 17
	ContactPoint   string `json:"contact_point"`            // Art. 15
	State          string `json:"state"`                    // of the main establishment or the representative
}

// OrderPlace is one piece of content and where it lies (section B).
type OrderPlace struct {
	Ref        string   `json:"ref"` // of the item
	Location   Location `json:"location"`
	Additional string   `json:"additional,omitempty"` // what else finds it
}

// OrderSilence forbids the addressee to tell the content provider, for at most six
// weeks, once prolonged by six (section C; Art. 11(3)).
type OrderSilence struct {
	Since string `json:"since"`
	Until string `json:"until"`
}

// OrderAuthorityKind is what an issuing authority is (section E).
type OrderAuthorityKind string

// The kinds of section E.
const (
	OrderByJudge          OrderAuthorityKind = "judge_court_investigating_judge"
	OrderByLawEnforcement OrderAuthorityKind = "law_enforcement"
	OrderByOther          OrderAuthorityKind = "other"
)

// OrderAuthorityKinds lists them.
var OrderAuthorityKinds = []OrderAuthorityKind{OrderByJudge, OrderByLawEnforcement, OrderByOther}

// OrderAuthority is who issues (section E). KeyID names the key that signs.
type OrderAuthority struct {
	Ref            string             `json:"ref"`
	Kind           OrderAuthorityKind `json:"kind"`
	Name           string             `json:"name"`
	Country        string             `json:"country"`
	Unit           string             `json:"unit"`
	Representative string             `json:"representative"` // who signs for it
	Post           string             `json:"post"`           // title and grade
	FileNo         string             `json:"file_no"`
	Address        string             `json:"address"`
	Telephone      string             `json:"telephone"`
	Fax            string             `json:"fax,omitempty"`
	Email          string             `json:"email"`
	KeyID          string             `json:"keyid"`
}

// OrderContact is an authority and how it is reached (sections D and F).
type OrderContact struct {
	Role      string `json:"role"` // "issuing_authority" or "authority_of_addressee"
	Name      string `json:"name"`
	State     string `json:"state"`
	Address   string `json:"address,omitempty"`
	Telephone string `json:"telephone,omitempty"`
	Email     string `json:"email"`
}

// OrderRedress is one way to have an order reviewed (section G).
type OrderRedress struct {
	For      RedressParty `json:"for"`
	Body     string       `json:"body"`     // the court or authority
	Deadline string       `json:"deadline"` // in words, with what starts it
	Law      string       `json:"law"`      // the national provision
	Link     string       `json:"link,omitempty"`
	AsOf     string       `json:"as_of"` // the day on which the text was checked
}

// RedressParty is who may seek a review.
type RedressParty string

// The parties.
const (
	RedressProvider RedressParty = "provider"
	RedressContent  RedressParty = "content_provider"
)

// OrderFirstContact is what the addressee was told before its first order from this
// authority: 12 hours before, or why not (Art. 3(2); G10).
type OrderFirstContact struct {
	NoticedAt string `json:"noticed_at,omitempty"`
	Notice    string `json:"notice,omitempty"` // its reference
	Emergency string `json:"emergency,omitempty"`
}

// OrderMeasure is what a provider did (Annex II).
type OrderMeasure string

// The measures.
const (
	MeasureRemoved  OrderMeasure = "removed"
	MeasureDisabled OrderMeasure = "access_disabled" // in all Member States
)

// OrderMeasures lists them.
var OrderMeasures = []OrderMeasure{MeasureRemoved, MeasureDisabled}

// OrderReply is what Annex II and Annex III have in common: sections A and C.
type OrderReply struct {
	Version       int      `json:"version"` // 1
	Order         string   `json:"order"`   // the order's reference
	Addressee     string   `json:"addressee"`
	Authority     string   `json:"authority"`
	AuthorityFile string   `json:"authority_file"`
	AddresseeFile string   `json:"addressee_file,omitempty"`
	ReceivedAt    string   `json:"received_at"` // of the order
	Places        []string `json:"places"`      // references of what it speaks of
	// Representative is the legal representative (Art. 17) where that one answers for
	// the provider (C); State is then its state.
	Representative string `json:"representative,omitempty"`
	State          string `json:"state"`  // of the main establishment or the representative
	Person         string `json:"person"` // who is authorised
	Email          string `json:"email"`  // of the contact point
	At             string `json:"at"`
	Exercise       bool   `json:"exercise"`
}

// OrderFeedback is Annex II: what was done, and when.
type OrderFeedback struct {
	Type string `json:"type"` // "order_feedback"
	OrderReply
	Measure   OrderMeasure `json:"measure"`
	MeasureAt string       `json:"measure_at"`
}

// ImpossibleReason is why an order cannot be carried out (Annex III).
type ImpossibleReason string

// The reasons.
const (
	ImpossibleForce        ImpossibleReason = "force_majeure"            // or de facto impossibility, Art. 3(7)
	ImpossibleErrors       ImpossibleReason = "manifest_errors"          // Art. 3(8)
	ImpossibleInsufficient ImpossibleReason = "insufficient_information" // Art. 3(8)
)

// ImpossibleReasons lists them.
var ImpossibleReasons = []ImpossibleReason{ImpossibleForce, ImpossibleErrors, ImpossibleInsufficient}

// OrderImpossible is Annex III: why not.
type OrderImpossible struct {
	Type string `json:"type"` // "order_impossible"
	OrderReply
	Reasons []ImpossibleReason `json:"reasons"`
	Further string             `json:"further"`          // on the reasons
	Needed  string             `json:"needed,omitempty"` // the errors, and what is needed
}

// OrderRegister says whose keys may sign what: who checks an order trusts the key
// that signs the register, learnt by another way than with the order.
type OrderRegister struct {
	Type        string                `json:"type"`    // "order_register"
	Version     int                   `json:"version"` // 1
	Origin      string                `json:"origin"`  // the deployment's
	LogKey      string                `json:"log_key"` // verifier's key of its transparency log
	Root        []byte                `json:"root"`    // Ed25519, 32 bytes: the key that signs the register; its SHA-256 is what people compare
	Serial      int64                 `json:"serial"`  // grows with each edition
	At          string                `json:"at"`
	Exercise    bool                  `json:"exercise"`
	Authorities []RegisteredAuthority `json:"authorities"`
	Transports  [][]byte              `json:"transports,omitempty"` // Ed25519 keys, 32 bytes each, that sign for carrying
}

// RegisteredAuthority is an authority in the register.
type RegisteredAuthority struct {
	Ref     string          `json:"ref"`
	Name    string          `json:"name"`
	Country string          `json:"country"`
	Keys    []RegisteredKey `json:"keys"`
}

// RegisteredKey is a key of an authority, with what it may sign and since when.
type RegisteredKey struct {
	KeyID     string     `json:"keyid"`
	Public    []byte     `json:"public"` // Ed25519, 32 bytes
	Functions []Function `json:"functions"`
	Law       string     `json:"law"` // whose state's law it acts under
	Since     string     `json:"since"`
	Until     string     `json:"until,omitempty"`   // no longer from then on
	Revoked   string     `json:"revoked,omitempty"` // not to be trusted from then on, whatever it signed says
}

// OrderFileFormat names an order as a file, version 1 (docs/formats/order.md).
const OrderFileFormat = "concert-order/1"

// OrderFile is an order as it travels: what verifies offline. Register is there for
// reading; that it came along says nothing about whom to trust.
type OrderFile struct {
	Format   string      `json:"format"`
	Envelope Envelope    `json:"envelope"`
	Proof    *EventProof `json:"proof,omitempty"` // that its issuing stands in the log
	Register *Envelope   `json:"register,omitempty"`
}

// ParseTime reads a time in the one form in which it is written outside: TimeFormat in
// UTC.
func ParseTime(text string) (time.Time, error) {
	t, err := time.Parse(TimeFormat, text)
	if t = t.UTC(); err == nil && t.Format(TimeFormat) != text {
		err = fmt.Errorf("%q is not written in UTC: write %s", text, t.Format(TimeFormat))
	}
	return t, err
}
