package concert

import (
	"slices"
	"strings"
	"time"
)

// AuditVerdict is what an auditor finds of a drawn unit.
type AuditVerdict string

// The verdicts.
const (
	FoundTerrorist AuditVerdict = "terrorist_content"     // of a type of Art. 2(7), without a purpose of Art. 1(3)
	FoundNot       AuditVerdict = "not_terrorist_content" // exempt under Art. 1(3), or of no type
	FoundNothing   AuditVerdict = "could_not_judge"
)

// AuditVerdicts lists them.
var AuditVerdicts = []AuditVerdict{FoundTerrorist, FoundNot, FoundNothing}

// UnableWhy is why an auditor could not judge.
type UnableWhy string

// The reasons.
const (
	UnableErased       UnableWhy = "evidence_erased"
	UnableInsufficient UnableWhy = "evidence_insufficient"
)

// UnableWhys lists them.
var UnableWhys = []UnableWhy{UnableErased, UnableInsufficient}

// findingLeast is how many characters say why something is no terrorist content.
const findingLeast = 20

// Reassessment is what an auditor says of one drawn unit, blind: the first assessment,
// its author and its outcome are shown afterwards. It is the auditor's own finding and
// changes nothing of the case (docs/decisions/0015-what-an-auditor-writes.md).
type Reassessment struct {
	Draw     DrawID
	DrawRef  string
	About    AboutKind
	Unit     string // reference of the item or the order
	Subject  string // its id
	Auditor  PersonID
	At       time.Time
	Verdict  AuditVerdict
	Type     ContentType // of Art. 2(7)
	Purpose  Purpose     // outcome of the test of Art. 1(3)
	Why      UnableWhy
	Note     string // sealed under the unit's key
	Exercise bool
}

// ReassessedBody is the body of the event of a re-assessment: codes alone, so that
// every rate can be recomputed from an export.
type ReassessedBody struct {
	Ref      string       `json:"ref"` // of the item or the order
	Draw     string       `json:"draw"`
	About    AboutKind    `json:"about"`
	Verdict  AuditVerdict `json:"verdict"`
	Type     ContentType  `json:"content_type,omitempty"`
	Purpose  Purpose      `json:"purpose,omitempty"`
	Why      UnableWhy    `json:"why,omitempty"`
	Exercise bool         `json:"exercise,omitempty"`
}

// Reassessed records the finding; erased says that nothing is left of the unit.
func (r Reassessment) Reassessed(by Actor, erased bool, now time.Time) (Reassessment, Event, error) {
	if err := by.MayAudit(); err != nil {
		return r, Event{}, err
	}
	r.Note = strings.TrimSpace(r.Note)
	switch {
	case erased:
		return r, Event{}, Refuse(Conflict, "reassess.erased", "", "%s was erased and stands in the draw as erased: nobody judges it, and it counts for neither side", r.Unit)
	case !slices.Contains(AuditVerdicts, r.Verdict):
		return r, Event{}, Refuse(Invalid, "reassess.verdict", "verdict", "say what you find: %v", AuditVerdicts)
	case r.Verdict == FoundTerrorist && !slices.Contains(ContentTypes, r.Type):
		return r, Event{}, Refuse(Invalid, "reassess.type", "type", "name the type of Art. 2(7): %v", ContentTypes)
	case r.Verdict == FoundTerrorist && r.Purpose != PurposeNone:
		return r, Event{}, Refuse(Invalid, "reassess.purpose", "purpose", "what has a purpose of Art. 1(3) is no terrorist content: find %q, or say that the purpose test found none", FoundNot)
	case r.Verdict == FoundNot && r.Purpose != PurposeNone && r.Purpose != PurposeExempt:
		return r, Event{}, Refuse(Invalid, "reassess.purpose", "purpose", "say whether it is exempt by its purpose (Art. 1(3)) or of no type of Art. 2(7): %q or %q", PurposeExempt, PurposeNone)
	case r.Verdict == FoundNot && len([]rune(r.Note)) < findingLeast:
		return r, Event{}, Refuse(Invalid, "reassess.note", "note", "say in at least %d characters why it is no terrorist content: the authority may have to answer it", findingLeast)
	case r.Verdict == FoundNothing && !slices.Contains(UnableWhys, r.Why):
		return r, Event{}, Refuse(Invalid, "reassess.why", "why", "say why you could not judge: %v", UnableWhys)
	case len(r.Note) > 4000:
		return r, Event{}, Refuse(TooLarge, "reassess.note_long", "note", "a note has at most 4000 characters")
	}
	switch r.Verdict {
	case FoundTerrorist:
		r.Why = ""
	case FoundNot:
		r.Type, r.Why = "", ""
	case FoundNothing:
		r.Type, r.Purpose = "", ""
	}
	r.Auditor, r.At = by.Person, now
	e := NewEvent(EventAuditReassessed, by, r.Subject, now, ReassessedBody{Ref: r.Unit, Draw: r.DrawRef, About: r.About, Verdict: r.Verdict, Type: r.Type, Purpose: r.Purpose, Why: r.Why, Exercise: r.Exercise})
	if r.Note != "" {
		e = e.WithSealed(GroundText{Ground: r.Note})
	}
	return r, e, nil
}

// RecommendationAnswer is what an authority answers an auditor's recommendation.
type RecommendationAnswer string

// The answers. Nothing is withdrawn or corrected by them: that is done by the acts that
// there are, and the answer says that it was.
const (
	AnsweredRighted RecommendationAnswer = "put_right" // it was withdrawn or corrected
	AnsweredStands  RecommendationAnswer = "stands"    // it stands, with reasons
	AnsweredErased  RecommendationAnswer = "erased"    // nothing is left of it to put right
)

// RecommendationAnswers lists them.
var RecommendationAnswers = []RecommendationAnswer{AnsweredRighted, AnsweredStands, AnsweredErased}

// Recommendation is a finding that an auditor hands to the authority that acted. It
// changes nothing; the authority answers.
type Recommendation struct {
	ID         string
	Ref        string
	DrawRef    string
	About      AboutKind
	Unit       string
	Subject    string
	Authority  AuthorityID
	Provider   ProviderID
	Auditor    PersonID
	At         time.Time
	Text       string // sealed
	Answer     RecommendationAnswer
	AnsweredBy PersonID
	AnsweredAt time.Time // zero while it waits
	Reasons    string    // sealed
	Exercise   bool
	Version    int64
}

// RecommendationBody is the body of events on a recommendation.
type RecommendationBody struct {
	Ref       string               `json:"ref"`
	Draw      string               `json:"draw"`
	About     AboutKind            `json:"about"`
	Unit      string               `json:"unit"`
	Authority AuthorityID          `json:"authority"`
	Provider  ProviderID           `json:"provider,omitempty"`
	Answer    RecommendationAnswer `json:"answer,omitempty"`
	Exercise  bool                 `json:"exercise,omitempty"`
}

func (r Recommendation) body() RecommendationBody {
	return RecommendationBody{Ref: r.Ref, Draw: r.DrawRef, About: r.About, Unit: r.Unit, Authority: r.Authority, Provider: r.Provider, Answer: r.Answer, Exercise: r.Exercise}
}

// Recommended hands the actor's own finding to the authority, with an alarm that lasts
// until it is answered.
func (r Recommendation) Recommended(by Actor, found Reassessment, now time.Time) (Recommendation, Event, error) {
	if err := by.MayAudit(); err != nil {
		return r, Event{}, err
	}
	r.Text = strings.TrimSpace(r.Text)
	switch {
	case found.Auditor != by.Person || found.Verdict != FoundNot:
		return r, Event{}, Refuse(Conflict, "recommend.finding", "", "an auditor hands over its own finding that %s is no terrorist content: judge it first", r.Unit)
	case len([]rune(r.Text)) < findingLeast || len(r.Text) > 4000:
		return r, Event{}, Refuse(Invalid, "recommend.text", "text", "say in %d to 4000 characters what the authority should look at: its people read it", findingLeast)
	}
	r.Auditor, r.At = by.Person, now
	return r, NewEvent(EventAuditRecommended, by, r.Subject, now, r.body()).WithSealed(GroundText{Ground: r.Text}), nil
}

// MayAnswerAudits refuses whoever does not supervise what an authority's officers do.
func (a Actor) MayAnswerAudits() error {
	return a.needAuthority(RoleReviewer, RoleCoordinator, RoleIssuer)
}

// MayAnswerAudit lets those of the authority answer who supervise what its officers do.
func (r Recommendation) MayAnswerAudit(by Actor) error {
	if by.Authority == "" || by.Authority != r.Authority {
		return ErrNotFound
	}
	return by.MayAnswerAudits()
}

// UnitNow is what became of a recommendation's unit since.
type UnitNow struct {
	Righted bool // it was withdrawn or corrected, by the acts that there are
	Erased  bool
}

// Answered records the authority's answer.
func (r Recommendation) Answered(by Actor, answer RecommendationAnswer, reasons string, u UnitNow, now time.Time) (Recommendation, Event, error) {
	if err := r.MayAnswerAudit(by); err != nil {
		return r, Event{}, err
	}
	reasons = strings.TrimSpace(reasons)
	switch {
	case !r.AnsweredAt.IsZero():
		return r, Event{}, Refuse(Conflict, "recommend.answered", "", "recommendation %s is answered: an auditor may hand over another one", r.Ref)
	case !slices.Contains(RecommendationAnswers, answer):
		return r, Event{}, Refuse(Invalid, "recommend.answer", "answer", "say what you did: %v", RecommendationAnswers)
	case (answer == AnsweredErased) != u.Erased:
		return r, Event{}, Refuse(Conflict, "recommend.erased", "answer", "what was erased is answered by %q, and nothing else is", AnsweredErased)
	case answer == AnsweredRighted && !u.Righted:
		return r, Event{}, Refuse(Conflict, "recommend.not_righted", "answer", "%s was neither withdrawn nor corrected since: do that on its page first, then answer", r.Unit)
	case answer == AnsweredStands && len([]rune(reasons)) < findingLeast, len(reasons) > 4000:
		return r, Event{}, Refuse(Invalid, "recommend.reasons", "reasons", "say in %d to 4000 characters why it stands: the auditor reads it", findingLeast)
	}
	if u.Erased {
		reasons = "" // there is no key any more to seal it under
	}
	r.Answer, r.AnsweredBy, r.AnsweredAt, r.Reasons = answer, by.Person, now, reasons
	e := NewEvent(EventAuditAnswered, by, r.Subject, now, r.body())
	if reasons != "" {
		e = e.WithSealed(GroundText{Ground: reasons})
	}
	return r, e, nil
}
