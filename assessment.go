package concert

import (
	"slices"
	"strings"
	"time"
)

// ContentType is the type of terrorist content, Regulation (EU) 2021/784
// Art. 2(7)(a) to (e).
type ContentType string

// The five types.
const (
	Incites               ContentType = "incites"
	SolicitsCommit        ContentType = "solicits_commit"
	SolicitsParticipation ContentType = "solicits_participation"
	Instruction           ContentType = "instruction"
	Threat                ContentType = "threat"
)

// ContentTypes lists them in the article's order.
var ContentTypes = []ContentType{Incites, SolicitsCommit, SolicitsParticipation, Instruction, Threat}

// Purpose is the outcome of the purpose test, Art. 1(3): material for
// educational, journalistic, artistic or research purposes, or to prevent or
// counter terrorism, is not terrorist content.
type Purpose string

// The outcomes. Only PurposeNone can be referred.
const (
	PurposeNone   Purpose = "no_protected_purpose"
	PurposeExempt Purpose = "exempt"
)

// Severity is how urgent the content is.
type Severity string

// The severities.
const (
	SeverityRoutine Severity = "routine"
	SeveritySerious Severity = "serious"
	SeverityThreat  Severity = "threat_to_life"
)

// Assessment is one officer's judgement of an item. Facts and Judgement are
// separate fields (Directive (EU) 2016/680 Art. 7; G24) and sealed at rest.
type Assessment struct {
	ID         AssessmentID
	Item       ItemID
	Author     PersonID
	Authority  AuthorityID
	Type       ContentType
	Purpose    Purpose
	Outlet     OutletID
	Mark       string // the mark that brands it
	MarkWhere  string // where in the content the mark shows
	Unbranded  bool   // no mark: a second approval with a written Art. 2(7) reason
	Language   string // BCP 47
	Severity   Severity
	Evaluation string // source and information code, A1 to X4 (G24)
	Facts      string
	Judgement  string
	Host       ProviderID // who is known to host the item by now
	Watched    bool       // its author's accuracy is low: one approval more (G30)
	Capture    Capture    // the newest of the author's authority, on which it rests (G06); zero for none
	At         time.Time

	Translations []Translation // of the item: what an author may rest on who does not read its language
}

// EvaluationCodes are the codes of the source (A, B, C, X) with those of the
// information (1 to 4).
var EvaluationCodes = []string{"A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "C1", "C2", "C3", "C4", "X1", "X2", "X3", "X4"}

func (a Assessment) check() error {
	switch {
	case !slices.Contains(ContentTypes, a.Type) && a.Purpose != PurposeExempt:
		return Refuse(Invalid, "assessment.type", "type", "name the type of Art. 2(7): %v", ContentTypes)
	case a.Purpose != PurposeNone && a.Purpose != PurposeExempt:
		return Refuse(Invalid, "assessment.purpose", "purpose", "the purpose test of Art. 1(3) is missing: %q or %q", PurposeNone, PurposeExempt)
	case len(strings.TrimSpace(a.Facts)) < 10:
		return Refuse(Invalid, "assessment.facts", "facts", "say what is to be seen or heard, in at least ten characters, apart from the judgement")
	case len(strings.TrimSpace(a.Judgement)) < 10:
		return Refuse(Invalid, "assessment.judgement", "judgement", "say why it falls, or does not fall, under Art. 2(7), in at least ten characters, apart from the facts")
	case !slices.Contains(EvaluationCodes, a.Evaluation):
		return Refuse(Invalid, "assessment.evaluation", "evaluation", "an evaluation code is a source A, B, C or X and an information 1 to 4, for example A1 for what you saw yourself: got %q", a.Evaluation)
	case LanguageBase(a.Language) == "" || len(a.Language) > 35:
		return Refuse(Invalid, "assessment.language", "language", "name the language of the content (BCP 47, for example ar or pt-BR; und where there is none)")
	case a.Severity != SeverityRoutine && a.Severity != SeveritySerious && a.Severity != SeverityThreat:
		return Refuse(Invalid, "assessment.severity", "severity", "severity is routine, serious or threat_to_life")
	}
	if a.Purpose == PurposeExempt {
		return nil
	}
	branded := strings.TrimSpace(a.Mark) != "" && strings.TrimSpace(a.MarkWhere) != ""
	if !branded && !a.Unbranded {
		return Refuse(Invalid, "assessment.mark", "mark", "name the mark that brands the content and where it shows; content without one must be marked unbranded and then needs a second approval with a written Art. 2(7) reason")
	}
	return nil
}

// Assessed records the judgement. An exempt purpose ends the item; an outlet
// that is not on the scope list parks it (G04, G38).
func (it Item) Assessed(by Actor, a Assessment, scope ScopeList, now time.Time) (Item, Assessment, Event, error) {
	if err := by.MaySubmit(); err != nil {
		return it, a, Event{}, err
	}
	if err := a.check(); err != nil {
		return it, a, Event{}, err
	}
	move := MoveAssess
	if a.Purpose == PurposeExempt {
		move = MoveExempt
	} else if a.Outlet == "" {
		return it, a, Event{}, Refuse(Invalid, "assessment.outlet", "outlet", "name the outlet whose brand the content carries, or the entity it was made for")
	} else if _, err := scope.Covers(a.Outlet, now); err != nil {
		move = MoveUnscope
	}
	// Also in the language that it was said to be in before, so that nobody
	// steps around a language by naming another.
	basis, foreign := by.understood([]string{a.Language, it.Language}, a.Translations, "")
	if foreign != "" {
		return it, a, Event{}, Refuse(Forbidden, "assessment.language", "language", "item %s is in %q, and you say you read %v: leave it to a reader of it, or have a person's translation recorded into a language that you read (a machine's is a help, never enough); what you read you state under /languages", it.Ref, foreign, by.Languages)
	}
	before := it
	it, err := it.Moved(move, now)
	if err != nil {
		return it, a, Event{}, err
	}
	if err := a.captured(by, before, now); err != nil {
		return before, a, Event{}, err
	}
	a.Item, a.Author, a.Authority, a.At = it.ID, by.Person, by.Authority, now
	it.Assessment, it.Author, it.Assessor, it.Outlet, it.Language = a.ID, by.Authority, by.Person, a.Outlet, a.Language
	if it.Provider == "" {
		it.Provider = a.Host
	}
	it.Given, it.Needed = 0, 1
	if it.Guard.Verdict == GuardElevate || a.Unbranded {
		it.Needed = 2
	}
	if a.Watched {
		it.Needed++
	}
	it = it.Raised(PriorityFacts{Severity: []Severity{a.Severity}})
	kind := map[ItemMove]EventKind{MoveAssess: EventItemAssessed, MoveExempt: EventItemExempt, MoveUnscope: EventItemUnscoped}[move]
	b := change(before, it)
	b.Assessment, b.Author, b.ContentType, b.Purpose, b.Outlet, b.Unbranded = a.ID, a.Authority, a.Type, a.Purpose, a.Outlet, a.Unbranded
	b.Needed, b.Watched, b.Language, b.Severity, b.Evaluation = it.Needed, a.Watched, a.Language, a.Severity, a.Evaluation
	b.Capture = a.Capture.Ref
	b.Translation = basis
	return it, a, NewEvent(kind, by, string(it.ID), now, b).WithSealed(AssessmentText{Facts: a.Facts, Judgement: a.Judgement, Mark: a.Mark, MarkWhere: a.MarkWhere}), nil
}

// AssessmentText is the sealed part of an assessment.
type AssessmentText struct {
	Facts     string `json:"facts"`
	Judgement string `json:"judgement"`
	Mark      string `json:"mark,omitempty"`
	MarkWhere string `json:"mark_where,omitempty"`
}

// Decision is a reviewer's word.
type Decision string

// The decisions.
const (
	Approve Decision = "approve"
	Reject  Decision = "reject"
)

// Approval is one reviewer's decision on an assessment. Ground is the written
// reason: mandatory to reject, and for an approval that must be the second one
// (proportionality for protected places, Art. 2(7) reason for unbranded
// content).
type Approval struct {
	Assessment AssessmentID
	Item       ItemID
	Author     PersonID // the assessment's author, kept beside so that the data layer can refuse one person twice
	Reviewer   PersonID
	Authority  AuthorityID
	Decision   Decision
	Ground     string
	Bulk       bool      // decided together with other items in one act
	Precedent  Precedent // what an approval in bulk rests on
	Content    [32]byte  // keyed digest of the item's bytes, for copies to rest on
	OpenedAt   time.Time // the reviewer first opened the item; zero for never
	Draw       [32]byte  // keyed digest of the item's id: whether it gets a second look
	Drawn      bool      // it was approved, and drawn for one
	At         time.Time

	Translations []Translation // of the item: what a reviewer may rest on who does not read its language
}

// Decided records the reviewer's decision (G03: never the author; never the
// same reviewer twice, which earlier carries). Only copies of what was approved
// alone are approved in bulk.
func (it Item) Decided(by Actor, d Approval, earlier []Approval, scope ScopeList, now time.Time) (Item, Approval, Event, error) {
	if err := by.MayApprove(); err != nil {
		return it, d, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return it, d, Event{}, err
	}
	if by.Person == it.Assessor {
		return it, d, Event{}, Refuse(Forbidden, "approval.same_person", "", "you assessed item %s yourself: a second person decides (four eyes)", it.Ref)
	}
	for _, b := range earlier {
		if b.Reviewer == by.Person && b.Assessment == it.Assessment {
			return it, d, Event{}, Refuse(Forbidden, "approval.same_reviewer", "", "you decided on item %s already: the second approval comes from another reviewer", it.Ref)
		}
	}
	if d.Decision != Approve && d.Decision != Reject {
		return it, d, Event{}, Refuse(Invalid, "approval.decision", "decision", "decision is approve or reject: choose one")
	}
	basis, foreign := by.understood([]string{it.Language}, d.Translations, it.Assessor)
	if foreign != "" {
		return it, d, Event{}, Refuse(Forbidden, "approval.language", "", "item %s is in %q, and you say you read %v: leave it to a reader of it, or have a person's translation recorded into a language that you read (a machine's is a help, never enough); what you read you state under /languages", it.Ref, foreign, by.Languages)
	}
	if d.Bulk && d.Decision == Approve && !it.MayFollow(by, d.Precedent) {
		return it, d, Event{}, Refuse(Forbidden, "approval.bulk", "", "item %s cannot be approved together with others: that is for further copies of a work of which your authority approved one alone, branded and in an ordinary place; open this one and decide on it alone first", it.Ref)
	}
	if (d.Decision == Reject || it.Needed > 1) && len(strings.TrimSpace(d.Ground)) < 20 {
		return it, d, Event{}, Refuse(Invalid, "approval.ground", "ground", "item %s needs a written ground of at least twenty characters: why it is proportionate in this place, why it falls under Art. 2(7) (unbranded content, or an author whose accuracy is low), or why it is rejected", it.Ref)
	}
	if d.Decision == Approve {
		if err := it.handledFor(ToProvider); err != nil {
			return it, d, Event{}, err
		}
		if _, err := scope.Covers(it.Outlet, now); err != nil {
			it, e, err := it.Unscoped(by, now)
			return it, d, e, err
		}
	}
	d.Assessment, d.Item, d.Author, d.Reviewer, d.Authority, d.Content, d.At = it.Assessment, it.ID, it.Assessor, by.Person, by.Authority, it.Content, now
	before := it
	var err error
	kind := EventItemSeconded
	switch {
	case d.Decision == Reject:
		kind = EventItemRejected
		it, err = it.Moved(MoveReject, now)
	case it.Status != ItemAssessed:
		_, err = it.Moved(MoveApprove, now)
	case it.Given+1 >= it.Needed:
		kind = EventItemApproved
		it.Given++
		it, err = it.Moved(MoveApprove, now)
	default:
		it.Given++
		it.UpdatedAt = now
	}
	if err != nil {
		return it, d, Event{}, err
	}
	b := change(before, it)
	b.Assessment, b.Decision, b.Needed, b.Given, b.Single = it.Assessment, d.Decision, it.Needed, it.Given, !d.Bulk
	if took, ok := d.Took(); ok {
		s := int64(took / time.Second)
		b.OpenedS = &s
	}
	b.Translation = basis
	d.Drawn = kind == EventItemApproved && Drawn(d.Draw)
	b.Drawn = d.Drawn
	e := NewEvent(kind, by, string(it.ID), now, b)
	if d.Ground != "" {
		e = e.WithSealed(GroundText{Ground: d.Ground})
	}
	return it, d, e, nil
}

// GroundText is the sealed part of a decision.
type GroundText struct {
	Ground string `json:"ground"`
}
