package concert

import (
	"slices"
	"strings"
	"time"
)

// DataSubject is in what capacity a person stands in a case (Directive (EU)
// 2016/680 Art. 6; Regulation (EU) 2016/794 Annex II; G21). There is no default:
// nobody becomes a suspect by leaving a field out.
type DataSubject string

// The categories.
const (
	SubjectSuspect   DataSubject = "suspect"   // serious grounds to believe it committed, or is about to commit, an offence
	SubjectConvicted DataSubject = "convicted" // of an offence
	SubjectVictim    DataSubject = "victim"    // or certain facts make one believe it could be
	SubjectWitness   DataSubject = "witness"   // may be called to testify
	SubjectContact   DataSubject = "contact"   // or associate of a suspect or convicted person
	SubjectOther     DataSubject = "other"     // can give information on offences
)

// DataSubjects lists them in the article's order.
var DataSubjects = []DataSubject{SubjectSuspect, SubjectConvicted, SubjectVictim, SubjectWitness, SubjectContact, SubjectOther}

// CasePerson is somebody whom a case is about. What is personal is sealed under
// the case's key and once more under one of its own, which its erasure destroys.
type CasePerson struct {
	ID         CasePersonID
	Ref        string
	Case       CaseID
	Category   DataSubject
	Evaluation string // source and information code, A1 to X4
	Name       string
	Source     string // where it is known from
	Ground     string // why in this category
	AddedBy    PersonID
	AddedAt    time.Time
	EraseCode  ErasureCode // asked for, or done
	EraseWhy   string
	AskedBy    PersonID
	AskedAt    time.Time
	ErasedBy   PersonID
	ErasedAt   time.Time
	Version    int64
}

// CasePersonText is the sealed part of events on a person of a case.
type CasePersonText struct {
	Name   string `json:"name,omitempty"`
	Source string `json:"source,omitempty"`
	Ground string `json:"ground,omitempty"`
}

func (c Case) personEvent(kind EventKind, by Actor, p CasePerson, now time.Time) Event {
	e := c.event(kind, by, now, func(b *CaseBody) { b.Person, b.Category, b.Evaluation = p.Ref, p.Category, p.Evaluation })
	e.Subject = string(p.ID)
	return e
}

// categorised checks a category with what it takes.
func (c Case) categorised(category DataSubject, ground string) error {
	if !slices.Contains(DataSubjects, category) {
		return Refuse(Invalid, "case_person.category", "category", "say in what capacity this person stands in case %s: %v; there is no default (Directive (EU) 2016/680 Art. 6)", c.Ref, DataSubjects)
	}
	least := 10
	if category == SubjectSuspect || category == SubjectConvicted {
		least = 20
	}
	if !written(ground, least) {
		return Refuse(Invalid, "case_person.ground", "ground", "write in at least %d characters on what grounds this person is a %s", least, category)
	}
	return nil
}

// PersonAdded puts a person into the case: with a category, an evaluation of
// what is known and its source, or not at all (G21).
func (c Case) PersonAdded(by Actor, p CasePerson, now time.Time) (CasePerson, Event, error) {
	if err := c.works(by); err != nil {
		return p, Event{}, err
	}
	if err := c.grows(now); err != nil {
		return p, Event{}, err
	}
	if err := c.categorised(p.Category, p.Ground); err != nil {
		return p, Event{}, err
	}
	switch {
	case strings.TrimSpace(p.Name) == "" || len(p.Name) > 400:
		return p, Event{}, Refuse(Invalid, "case_person.name", "name", "write the person's name, or how it is known, in at most 400 characters")
	case !slices.Contains(EvaluationCodes, p.Evaluation):
		return p, Event{}, Refuse(Invalid, "case_person.evaluation", "evaluation", "an evaluation code is a source A, B, C or X and an information 1 to 4: got %q", p.Evaluation)
	case !written(p.Source, 3):
		return p, Event{}, Refuse(Invalid, "case_person.source", "source", "say where this is known from")
	}
	p.Case, p.AddedBy, p.AddedAt = c.ID, by.Person, now
	return p, c.personEvent(EventCasePersonAdded, by, p, now).WithSealed(CasePersonText{p.Name, p.Source, p.Ground}), nil
}

// standing refuses what is to be done with a person who was erased, or who is
// another case's.
func (c Case) standing(p CasePerson) error {
	if p.Case != c.ID {
		return ErrNotFound
	}
	if !p.ErasedAt.IsZero() {
		return Refuse(Conflict, "case_person.erased", "", "person %s was erased on %s: nothing of it is kept", p.Ref, p.ErasedAt.UTC().Format(time.DateOnly))
	}
	return nil
}

// PersonCategorised moves a person to another category, with the grounds.
func (c Case) PersonCategorised(by Actor, p CasePerson, to DataSubject, ground string, now time.Time) (CasePerson, Event, error) {
	if err := c.works(by); err != nil {
		return p, Event{}, err
	}
	if err := c.open(); err != nil {
		return p, Event{}, err
	}
	if err := c.standing(p); err != nil {
		return p, Event{}, err
	}
	if err := c.categorised(to, ground); err != nil {
		return p, Event{}, err
	}
	if to == p.Category {
		return p, Event{}, Refuse(Conflict, "case_person.category", "category", "person %s is a %s already", p.Ref, to)
	}
	from := p.Category
	p.Category, p.Ground = to, ground
	e := c.personEvent(EventCasePersonPlaced, by, p, now)
	b := e.Body.(CaseBody)
	b.From = from
	e.Body = b
	return p, e.WithSealed(CasePersonText{Ground: ground}), nil
}

// PersonErasureAsked asks for the erasure of a person; another member confirms.
func (c Case) PersonErasureAsked(by Actor, p CasePerson, code ErasureCode, reason string, now time.Time) (CasePerson, Event, error) {
	if err := c.works(by); err != nil {
		return p, Event{}, err
	}
	if err := c.standing(p); err != nil {
		return p, Event{}, err
	}
	if !slices.Contains(ErasureCodes, code) {
		return p, Event{}, Refuse(Invalid, "erasure.code", "code", "%q is no reason to erase; the reasons are %v", code, ErasureCodes)
	}
	if !written(reason, 10) {
		return p, Event{}, Refuse(Invalid, "erasure.reason", "reason", "say in at least ten characters why person %s is to be erased: whoever confirms it reads that, and it is erased with the person", p.Ref)
	}
	p.EraseCode, p.EraseWhy, p.AskedBy, p.AskedAt = code, reason, by.Person, now
	e := c.personEvent(EventCasePersonAsked, by, p, now)
	b := e.Body.(CaseBody)
	b.Code = code
	e.Body = b
	return p, e.WithSealed(CasePersonText{Ground: reason}), nil
}

// PersonErased confirms what another member asked for.
func (c Case) PersonErased(by Actor, p CasePerson, now time.Time) (CasePerson, Event, error) {
	if err := c.works(by); err != nil {
		return p, Event{}, err
	}
	if err := c.standing(p); err != nil {
		return p, Event{}, err
	}
	switch {
	case p.AskedBy == "":
		return p, Event{}, Refuse(Conflict, "erasure.none", "", "nobody asked for the erasure of person %s: ask for it first, a second person confirms", p.Ref)
	case p.AskedBy == by.Person:
		return p, Event{}, Refuse(Forbidden, "erasure.same_person", "", "you asked for the erasure of person %s yourself: a second person confirms it", p.Ref)
	}
	p.ErasedBy = by.Person
	return c.erased(by, p, now)
}

// PersonExpired erases a person of a case that nobody reviewed in time.
func (c Case) PersonExpired(p CasePerson, now time.Time) (CasePerson, Event, error) {
	if err := c.standing(p); err != nil {
		return p, Event{}, err
	}
	if _, erase, _ := c.ReviewFell(now); !erase {
		return p, Event{}, Refuse(Conflict, "erasure.term", "", "person %s is kept until case %s is reviewed, or %s", p.Ref, c.Ref, c.ReviewAt.Add(CaseGrace).UTC().Format(time.DateOnly))
	}
	p.EraseCode, p.AskedBy = ErasureUnreviewed, House.Person
	return c.erased(House, p, now)
}

func (c Case) erased(by Actor, p CasePerson, now time.Time) (CasePerson, Event, error) {
	p.ErasedAt, p.Name, p.Source, p.Ground, p.EraseWhy = now, "", "", "", ""
	e := c.personEvent(EventCasePersonErased, by, p, now)
	b := e.Body.(CaseBody)
	b.Evaluation, b.Code, b.AskedBy = "", p.EraseCode, p.AskedBy
	e.Body = b
	return p, e, nil
}
