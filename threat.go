package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

type (
	// ThreatID names a LifeThreat.
	ThreatID string
	// ThreatCopyID names a ThreatCopy.
	ThreatCopyID string
)

const (
	// ThreatLeast is how many characters a description, a word to the provider or the
	// reason of a passing has at least: little, since time matters more than style.
	ThreatLeast = 10
	// ThreatMost bounds them.
	ThreatMost = 8000
	// ThreatPlacesMost bounds the places of one report.
	ThreatPlacesMost = 20
	// ThreatStatesMost bounds the states that it concerns.
	ThreatStatesMost = 30
	// ThreatKeptMonths is how long a report's text is kept after its last copy was
	// closed; then it is erased (Directive (EU) 2016/680 Art. 5; ours, G22).
	ThreatKeptMonths = 6
	threatPlaceMost  = 2000
	threatAhead      = 5 * time.Minute // by which a provider's clock may be ahead of ours
)

// ThreatKind is what life is threatened by.
type ThreatKind string

// The kinds of threat.
const (
	ThreatUnderWay  ThreatKind = "attack_under_way"
	ThreatAnnounced ThreatKind = "attack_announced"
	ThreatPerson    ThreatKind = "person_threatened"
	ThreatOther     ThreatKind = "other"
)

// ThreatKinds lists them, the most pressing first.
var ThreatKinds = []ThreatKind{ThreatUnderWay, ThreatAnnounced, ThreatPerson, ThreatOther}

// ThreatContent is where the content stands, as the provider says.
type ThreatContent string

// Where it stands.
const (
	ThreatUp       ThreatContent = "up"
	ThreatDisabled ThreatContent = "disabled"
	ThreatRemoved  ThreatContent = "removed"
)

// ThreatContents lists them.
var ThreatContents = []ThreatContent{ThreatUp, ThreatDisabled, ThreatRemoved}

// ThreatStatus is where a report stands at one authority. The table threatMoves says
// what may happen next; docs/states.md draws it.
type ThreatStatus string

// The statuses.
const (
	ThreatReceived ThreatStatus = "received" // it alarms until somebody takes it
	ThreatTaken    ThreatStatus = "taken"
	ThreatPassed   ThreatStatus = "passed" // it is another authority's
	ThreatClosed   ThreatStatus = "closed"
)

// ThreatStatuses lists them in their order.
var ThreatStatuses = []ThreatStatus{ThreatReceived, ThreatTaken, ThreatPassed, ThreatClosed}

// ThreatMove is what happens to a report at one authority.
type ThreatMove string

// The moves.
const (
	ThreatMoveTake   ThreatMove = "take"
	ThreatMovePass   ThreatMove = "pass"
	ThreatMoveReturn ThreatMove = "return" // somebody passes it back
	ThreatMoveClose  ThreatMove = "close"
)

// ThreatMoves lists them.
var ThreatMoves = []ThreatMove{ThreatMoveTake, ThreatMovePass, ThreatMoveReturn, ThreatMoveClose}

// threatMoves is the state table. What it does not name is refused: nothing is closed
// that nobody took.
var threatMoves = map[ThreatStatus]map[ThreatMove]ThreatStatus{
	ThreatReceived: {ThreatMoveTake: ThreatTaken, ThreatMovePass: ThreatPassed},
	ThreatTaken:    {ThreatMovePass: ThreatPassed, ThreatMoveClose: ThreatClosed},
	ThreatPassed:   {ThreatMoveReturn: ThreatReceived},
	ThreatClosed:   {ThreatMoveReturn: ThreatReceived},
}

// After is the status after the move; a move that the table does not name is a
// Conflict that says so.
func (s ThreatStatus) After(m ThreatMove) (ThreatStatus, error) {
	if next, ok := threatMoves[s][m]; ok {
		return next, nil
	}
	return s, Refuse(Conflict, "threat.move", "", "a report that is %s cannot be moved by %s: see docs/states.md", s, m)
}

// ThreatOutcome is what an authority did with a report.
type ThreatOutcome string

// The outcomes.
const (
	ThreatActed   ThreatOutcome = "acted"     // measures were taken
	ThreatKnown   ThreatOutcome = "known"     // it was in hand already
	ThreatNone    ThreatOutcome = "no_threat" // no life is found to be in danger
	ThreatUnclear ThreatOutcome = "unclear"   // it could not be found out
)

// ThreatOutcomes lists them.
var ThreatOutcomes = []ThreatOutcome{ThreatActed, ThreatKnown, ThreatNone, ThreatUnclear}

// ThreatAlarms are how long before the end of TermThreat its people are alarmed again:
// after a quarter of an hour, and when the hour is over.
var ThreatAlarms = []time.Duration{45 * time.Minute, 0}

// LifeThreat is what a provider tells of content that involves an imminent threat to
// life (Regulation (EU) 2021/784 Art. 14(5)). It is no referral and no order, and makes
// none (G01).
type LifeThreat struct {
	ID         ThreatID
	Ref        string
	Provider   ProviderID
	By         PersonID
	Kind       ThreatKind
	States     []string // concerned, ISO 3166-1 alpha-2; none where it cannot be told (Unknown says why)
	Content    ThreatContent
	Preserved  bool
	SeenAt     time.Time
	ReceivedAt time.Time
	EraseAt    time.Time // when its text is erased; zero while a copy is open
	ErasedAt   time.Time
	Exercise   bool
	Version    int64
	ThreatText
}

// ThreatText is what of a report is written by hand, sealed under its key.
type ThreatText struct {
	Places      []string `json:"places"`
	Description string   `json:"description"`
	Unknown     string   `json:"unknown,omitempty"` // why no state can be named
	Contact     string   `json:"contact"`           // the provider's person
	Telephone   string   `json:"telephone,omitempty"`
	Email       string   `json:"email,omitempty"`
}

// ThreatCopy is a report at one authority, or at the coordinators.
type ThreatCopy struct {
	ID         ThreatCopyID
	Threat     ThreatID
	Authority  AuthorityID // "" for the coordinators
	State      string      // whose authority it is; "" for the coordinators
	Why        ThreatWhy
	Status     ThreatStatus
	Taker      PersonID
	ReceivedAt time.Time
	DueAt      time.Time // the end of TermThreat
	TakenAt    time.Time
	ClosedAt   time.Time // passed on, too
	Outcome    ThreatOutcome
	Warned     int // alarms so far, of ThreatAlarms
	Version    int64
	ThreatCopyText
}

// ThreatCopyText is what is written by hand, sealed under the report's key.
type ThreatCopyText struct {
	Word   string `json:"word,omitempty"`   // to the provider
	Reason string `json:"reason,omitempty"` // why it was passed to this authority
}

// ThreatBody is the body of events on reports: no text and no place.
type ThreatBody struct {
	Ref       string        `json:"ref"`
	Provider  ProviderID    `json:"provider,omitempty"`
	Kind      ThreatKind    `json:"kind,omitempty"`
	States    []string      `json:"states,omitempty"`
	Unknown   bool          `json:"unknown,omitempty"` // no state could be named
	Content   ThreatContent `json:"content,omitempty"`
	Preserved bool          `json:"preserved,omitempty"`
	Places    int           `json:"places,omitempty"`
	To        []ThreatGoes  `json:"to,omitempty"`
	Authority AuthorityID   `json:"authority,omitempty"` // whose copy it is about; "" for the coordinators'
	From      ThreatStatus  `json:"from,omitempty"`
	Now       ThreatStatus  `json:"now,omitempty"`
	Outcome   ThreatOutcome `json:"outcome,omitempty"`
	DueAt     int64         `json:"due_at,omitempty"`  // microseconds UTC
	Waited    int           `json:"waited,omitempty"`  // minutes, of an alarm
	Hub       HubID         `json:"hub,omitempty"`     // of a provider's own desk
	Theirs    string        `json:"theirs,omitempty"`  // reference there
	Refused   string        `json:"refused,omitempty"` // code of a hub's refusal
	Exercise  bool          `json:"exercise,omitempty"`
}

// ThreatGoes is one whom a report goes to.
type ThreatGoes struct {
	Authority AuthorityID `json:"authority,omitempty"` // "" for the coordinators
	State     string      `json:"state,omitempty"`
	Why       ThreatWhy   `json:"why"`
}

// MayReportThreat refuses whoever is not of a provider: its readers may, too, since
// whoever sees it first is to tell.
func (a Actor) MayReportThreat() error {
	if a.Provider == "" {
		return Refuse(Forbidden, "threat.provider", "", "a provider reports a threat to life here (Art. 14(5)); people of an authority hand in what they find")
	}
	return a.Need(RoleProviderReader, RoleProviderAnswerer)
}

// Reported checks a new report. It asks for what somebody needs who must act now, and
// for nothing else.
func (t LifeThreat) Reported(by Actor, now time.Time) (LifeThreat, error) {
	if err := by.MayReportThreat(); err != nil {
		return t, err
	}
	t.Provider, t.By, t.ReceivedAt = by.Provider, by.Person, now
	if err := t.ThreatText.check(); err != nil {
		return t, err
	}
	t.ThreatText = t.ThreatText.plain()
	switch {
	case !slices.Contains(ThreatKinds, t.Kind):
		return t, Refuse(Invalid, "threat.kind", "kind", "say what threatens life, one of %v: got %q", ThreatKinds, t.Kind)
	case !slices.Contains(ThreatContents, t.Content):
		return t, Refuse(Invalid, "threat.content", "content", "say whether the content is still there, one of %v: got %q", ThreatContents, t.Content)
	case t.SeenAt.IsZero() || t.SeenAt.After(now.Add(threatAhead)):
		return t, Refuse(Invalid, "threat.seen_at", "seen_at", "say when it was seen, in UTC, not later than now")
	case len(t.States) > ThreatStatesMost:
		return t, Refuse(TooLarge, "threat.states", "states", "a report names at most %d states", ThreatStatesMost)
	}
	var states []string
	for _, s := range t.States {
		s = strings.ToUpper(strings.TrimSpace(s))
		if !IsCountry(s) {
			return t, Refuse(Invalid, "threat.states", "states", "a state is two capital letters (ISO 3166-1): got %.20q", s)
		}
		if !slices.Contains(states, s) {
			states = append(states, s)
		}
	}
	slices.Sort(states)
	if t.States = states; len(states) > 0 {
		t.Unknown = ""
	} else if !between(t.Unknown, ThreatLeast, ThreatMost) {
		return t, Refuse(Invalid, "threat.unknown", "unknown", "name the states concerned, or say in at least %d characters why they cannot be told: the report then goes to the contact point of your own state and to the coordinators (Art. 14(5))", ThreatLeast)
	}
	return t, nil
}

func (t ThreatText) check() error {
	switch {
	case !between(t.Description, ThreatLeast, ThreatMost):
		return Refuse(Invalid, "threat.description", "description", "say in %d to %d characters what is seen and whose life is in danger", ThreatLeast, ThreatMost)
	case len(t.Places) == 0 || len(t.Places) > ThreatPlacesMost:
		return Refuse(Invalid, "threat.places", "places", "name 1 to %d places where it is or was seen, such as its address", ThreatPlacesMost)
	case slices.ContainsFunc(t.Places, func(p string) bool {
		return strings.TrimSpace(p) == "" || len(p) > threatPlaceMost || strings.ContainsAny(p, "\r\n")
	}):
		return Refuse(Invalid, "threat.places", "places", "a place is one line of at most %d bytes", threatPlaceMost)
	case !between(t.Contact, 2, orderFieldMost):
		return Refuse(Invalid, "threat.contact", "contact", "name who at your side can be asked now")
	case strings.TrimSpace(t.Telephone) == "" && strings.TrimSpace(t.Email) == "":
		return Refuse(Invalid, "threat.reach", "telephone", "give a telephone number or a mail address by which that person is reached now")
	case utf8.RuneCountInString(t.Telephone) > orderFieldMost:
		return Refuse(TooLarge, "threat.telephone", "telephone", "a telephone number has at most %d characters", orderFieldMost)
	case t.Email != "" && !PlainMailbox(strings.TrimSpace(t.Email)):
		return Refuse(Invalid, "threat.email", "email", "a mail address is written like duty@provider.example, without a name: got %.80q", t.Email)
	}
	return nil
}

// plain is the text without what could disguise it.
func (t ThreatText) plain() ThreatText {
	places := make([]string, len(t.Places))
	for i, p := range t.Places {
		places[i] = plainText(p)
	}
	return ThreatText{Places: places, Description: plainText(t.Description), Unknown: plainText(t.Unknown), Contact: plainText(t.Contact), Telephone: plainText(t.Telephone), Email: strings.TrimSpace(t.Email)}
}

// Open reports whether the copy waits for somebody.
func (c ThreatCopy) Open() bool { return c.Status == ThreatReceived || c.Status == ThreatTaken }

// Mine reports whether the actor is one of those for whom the copy is: officers,
// reviewers and issuers of its authority, or the coordinators.
func (c ThreatCopy) Mine(by Actor) bool {
	if c.Authority == "" {
		return by.Has(RoleCoordinator)
	}
	return by.Authority == c.Authority && by.Need(RoleOfficer, RoleReviewer, RoleIssuer) == nil
}

// MineOf is the actor's own copy of a report: its authority's before the coordinators',
// one that is open before one that is not; false where it has none.
func MineOf(by Actor, copies []ThreatCopy) (ThreatCopy, bool) {
	var best ThreatCopy
	found := false
	rank := func(c ThreatCopy) int {
		n := 0
		if c.Open() {
			n += 2
		}
		if c.Authority != "" {
			n++
		}
		return n
	}
	for _, c := range copies {
		if c.Mine(by) && (!found || rank(c) > rank(best)) {
			best, found = c, true
		}
	}
	return best, found
}

// MayReadThreat lets a report be read by its provider's people, by those whom a copy is
// for, and by auditors; others get the answer a missing one gets.
func (a Actor) MayReadThreat(t LifeThreat, copies []ThreatCopy) error {
	switch _, mine := MineOf(a, copies); {
	case mine, a.Has(RoleAuditor):
		return nil
	case a.Provider != "" && a.Provider == t.Provider && a.Need(RoleProviderReader, RoleProviderAnswerer) == nil:
		return nil
	}
	return ErrNotFound
}

// Status is where the report stands as a whole: received until somebody took it, closed
// once nobody has it in hand any more.
func (t LifeThreat) Status(copies []ThreatCopy) ThreatStatus {
	out := ThreatClosed
	for _, c := range copies {
		switch c.Status {
		case ThreatTaken:
			return ThreatTaken
		case ThreatReceived:
			out = ThreatReceived
		}
	}
	return out
}
