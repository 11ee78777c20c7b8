package concert

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

const (
	// ReidentifyMost bounds the pseudonyms of one request: it is for named
	// persons, never for a list.
	ReidentifyMost = 20
	// ReidentifyFactsMost bounds the facts on one pseudonym.
	ReidentifyFactsMost = 50
	// ReidentifyOpen is how long the answer may be read after a magistrate's
	// decision; then it is asked for anew. Ours: Directive (EU) 2016/680 Art. 4(1)(c).
	ReidentifyOpen = 14 * 24 * time.Hour
)

// SubjectVisitor is what whoever accessed a seized server is until facts make it
// something else: uncategorised. A page view never does (G21).
const SubjectVisitor DataSubject = "uncategorised_visitor"

// ReidentifyCategories are those in whose capacity a pseudonym may be opened.
var ReidentifyCategories = []DataSubject{SubjectSuspect, SubjectConvicted, SubjectVictim}

// ReidentifyPurpose is what a pseudonym is opened for.
type ReidentifyPurpose string

// The purposes (Directive (EU) 2016/680 Art. 1(1)).
const (
	ReidentifyProsecution ReidentifyPurpose = "prosecution"    // of a terrorist offence
	ReidentifyThreat      ReidentifyPurpose = "threat_to_life" // to prevent one
	ReidentifyVictim      ReidentifyPurpose = "victim"         // to find and protect one
)

// ReidentifyPurposes lists them.
var ReidentifyPurposes = []ReidentifyPurpose{ReidentifyProsecution, ReidentifyThreat, ReidentifyVictim}

// Instrument is the judicial act that a step of an investigation rests on.
type Instrument struct {
	Kind      InstrumentKind `json:"kind"`
	Issuer    string         `json:"issuer"` // sealed
	Reference string         `json:"reference"`
	Until     time.Time      `json:"until"` // the last day is before it
}

// InstrumentKind is a kind of judicial act.
type InstrumentKind string

// The kinds.
const (
	InstrumentCourt      InstrumentKind = "court_order"
	InstrumentProsecutor InstrumentKind = "prosecutor_order"
	InstrumentEIO        InstrumentKind = "investigation_order" // Directive 2014/41/EU
	InstrumentMLA        InstrumentKind = "mutual_assistance"
)

// InstrumentKinds lists them.
var InstrumentKinds = []InstrumentKind{InstrumentCourt, InstrumentProsecutor, InstrumentEIO, InstrumentMLA}

func (i Instrument) check(now time.Time) error {
	switch {
	case !slices.Contains(InstrumentKinds, i.Kind):
		return Refuse(Invalid, "instrument.kind", "instrument", "say which judicial act this rests on: %v", InstrumentKinds)
	case !between(i.Issuer, 3, 200) || !between(i.Reference, 3, 200):
		return Refuse(Invalid, "instrument.reference", "instrument", "name who issued the act and its reference, each in 3 to 200 characters")
	case !i.Until.After(now):
		return Refuse(Invalid, "instrument.over", "until", "the act must be in force: write until when it is, or enter its extension")
	}
	return nil
}

// SourceFact is one line of a seized log that says what a pseudonym did, and
// where the line is found again.
type SourceFact struct {
	Kind       string    `json:"kind"`
	At         time.Time `json:"at"`
	File       string    `json:"file"`
	Offset     int64     `json:"offset"`
	Length     int       `json:"length"`
	Line       string    `json:"line_sha256"`
	Rule       string    `json:"rule"`       // by which it was told
	Evaluation string    `json:"evaluation"` // A1 to X4
}

// SourceFactKinds are what a person does beyond viewing and downloading, in the
// words of concert accesslog sessions: administering, uploading, posting. A name
// beside a page view is none of them. Nothing else opens a pseudonym.
var SourceFactKinds = []string{"log_in", "session_open", "upload", "file_change", "administer"}

// ReidentifySubject is one pseudonym with the grounds to open it.
type ReidentifySubject struct {
	Pseudonym string       `json:"pseudonym"` // 32 hexadecimal digits
	Category  DataSubject  `json:"category"`
	Ground    string       `json:"ground"`
	Facts     []SourceFact `json:"facts"`
}

// Selection is by what a request picks pseudonyms. Only named ones are opened.
type Selection string

// The selections. All but the first are refused, and the refusal is recorded.
const (
	SelectNamed   Selection = "pseudonyms"
	SelectCountry Selection = "country"
	SelectPath    Selection = "path"
	SelectDay     Selection = "day"
	SelectAll     Selection = "all"
)

// Selections lists them.
var Selections = []Selection{SelectNamed, SelectCountry, SelectPath, SelectDay, SelectAll}

// ReidentifyStatus is where a request stands.
type ReidentifyStatus string

// The statuses.
const (
	ReidentifyRefused    ReidentifyStatus = "refused" // by a rule or by a person
	ReidentifyAsked      ReidentifyStatus = "asked"
	ReidentifyConfirmed  ReidentifyStatus = "confirmed"  // by a second officer
	ReidentifyAuthorised ReidentifyStatus = "authorised" // by a magistrate too: custodians may give their shares
	ReidentifyRevealed   ReidentifyStatus = "revealed"
	ReidentifyClosed     ReidentifyStatus = "closed"
)

// Reidentification is a request to open named pseudonyms of a seized server's
// visitors: by a case, for a purpose, under an instrument, with a fact beyond
// viewing for each, decided by two people of different roles.
type Reidentification struct {
	ID           ReidentificationID
	Ref          string
	Case         CaseID
	Authority    AuthorityID
	Exhibit      ExhibitID // whose pseudonyms they are
	Judicial     AuthorityID
	Purpose      ReidentifyPurpose
	Instrument   Instrument
	Selection    Selection
	Subjects     []ReidentifySubject // sealed
	Reason       string              // sealed: of a refusal
	Code         string              // of a refusal by a rule
	Status       ReidentifyStatus
	AskedBy      PersonID
	AskedAt      time.Time
	ConfirmedBy  PersonID
	ConfirmedAt  time.Time
	AuthorisedBy PersonID
	AuthorisedAt time.Time
	Recipient    string   // public key of age that shares are given to
	Key          string   // its secret key, sealed; "" once closed
	Shares       [][]byte // sealed; each as its custodian gave it
	Custodians   []string // sealed; who gave them
	Revealed     int      // how often the answer was read
	Exercise     bool
	Version      int64
}

// ReidentifyBody is the body of events on a request. Pseudonyms are personal data
// and lie in the sealed part.
type ReidentifyBody struct {
	Ref        string            `json:"ref"`
	Case       string            `json:"case"`
	Authority  AuthorityID       `json:"authority"`
	Judicial   AuthorityID       `json:"judicial"`
	Exhibit    ExhibitID         `json:"exhibit,omitempty"`
	Purpose    ReidentifyPurpose `json:"purpose,omitempty"`
	Instrument InstrumentKind    `json:"instrument,omitempty"`
	Selection  Selection         `json:"selection,omitempty"`
	Until      string            `json:"until,omitempty"`
	Count      int               `json:"count"`
	Shares     int               `json:"shares,omitempty"`
	Code       string            `json:"code,omitempty"`
}

// ReidentifyText is the sealed part of events on a request.
type ReidentifyText struct {
	Issuer    string              `json:"issuer,omitempty"`
	Reference string              `json:"reference,omitempty"`
	Subjects  []ReidentifySubject `json:"subjects,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	Custodian string              `json:"custodian,omitempty"`
}

func (r Reidentification) event(kind EventKind, by Actor, caseRef string, now time.Time) Event {
	b := ReidentifyBody{Ref: r.Ref, Case: caseRef, Authority: r.Authority, Judicial: r.Judicial, Exhibit: r.Exhibit, Purpose: r.Purpose, Instrument: r.Instrument.Kind, Selection: r.Selection, Count: len(r.Subjects), Shares: len(r.Shares), Code: r.Code}
	if !r.Instrument.Until.IsZero() {
		b.Until = r.Instrument.Until.UTC().Format(time.DateOnly)
	}
	return NewEvent(kind, by, string(r.ID), now, b)
}

// ReidentificationAsked opens a request. What no rule could ever allow (a
// selection by country, path or day; facts that are page views; too many at once)
// comes back refused, with the event that records it: such a request is logged
// like any other. What is only incomplete is an error, and nothing is kept.
func (c Case) ReidentificationAsked(by Actor, r Reidentification, x Exhibit, judicial Authority, now time.Time) (Reidentification, Event, error) {
	if err := c.works(by); err != nil {
		return r, Event{}, err
	}
	if err := c.grows(now); err != nil {
		return r, Event{}, err
	}
	if x.Case != c.ID || x.Authority != by.Authority || x.To != "" {
		return r, Event{}, ErrNotFound
	}
	if r.Selection == "" && len(r.Subjects) > 0 {
		r.Selection = SelectNamed // it names them, and says no more
	}
	r.Case, r.Authority, r.Exhibit, r.Judicial, r.AskedBy, r.AskedAt, r.Status = c.ID, by.Authority, x.ID, judicial.ID, by.Person, now, ReidentifyAsked
	if r.Code = r.never(); r.Code != "" {
		r.Status, r.Reason = ReidentifyRefused, ""
		e := r.event(EventReidentifyRefused, by, c.Ref, now)
		return r, e.WithSealed(ReidentifyText{Subjects: r.Subjects}), nil
	}
	switch {
	case !slices.Contains(ReidentifyPurposes, r.Purpose):
		return r, Event{}, Refuse(Invalid, "reidentify.purpose", "purpose", "say what for: %v", ReidentifyPurposes)
	case judicial.ID == "":
		return r, Event{}, Refuse(Invalid, "reidentify.judicial", "judicial", "name the authority whose prosecutor or judge decides")
	}
	if err := r.Instrument.check(now); err != nil {
		return r, Event{}, err
	}
	if err := r.checkSubjects(now); err != nil {
		return r, Event{}, err
	}
	e := r.event(EventReidentifyAsked, by, c.Ref, now)
	return r, e.WithSealed(ReidentifyText{Issuer: r.Instrument.Issuer, Reference: r.Instrument.Reference, Subjects: r.Subjects}), nil
}

// Codes of requests that are refused by themselves.
const (
	ReidentifyBySelection = "reidentify.selection"
	ReidentifyTooMany     = "reidentify.too_many"
	ReidentifyOnViews     = "reidentify.page_views"
	ReidentifyVisitor     = "reidentify.uncategorised"
)

// never is the code of what no approval could make lawful; "" for none.
func (r Reidentification) never() string {
	if r.Selection != SelectNamed {
		return ReidentifyBySelection
	}
	if len(r.Subjects) > ReidentifyMost {
		return ReidentifyTooMany
	}
	for _, s := range r.Subjects {
		if s.Category == SubjectVisitor || s.Category == "" {
			return ReidentifyVisitor
		}
		if len(s.Facts) > 0 && !slices.ContainsFunc(s.Facts, func(f SourceFact) bool { return slices.Contains(SourceFactKinds, f.Kind) }) {
			return ReidentifyOnViews
		}
	}
	return ""
}

// ReidentifyNever says in words why a request was refused by itself.
func ReidentifyNever(code string) string {
	switch code {
	case ReidentifyBySelection:
		return "pseudonyms are opened one by one, by name: never by country, path or day (visitors are not suspects)"
	case ReidentifyTooMany:
		return "a request names at most 20 pseudonyms"
	case ReidentifyOnViews:
		return "a page view or a download is no ground: each pseudonym needs a fact of its own that it administered, uploaded or posted"
	case ReidentifyVisitor:
		return "an uncategorised visitor is never opened: a pseudonym needs a category, on facts"
	}
	return ""
}

func (r Reidentification) checkSubjects(now time.Time) error {
	if len(r.Subjects) == 0 {
		return Refuse(Invalid, "reidentify.subjects", "subjects", "name the pseudonyms to be opened, at most %d", ReidentifyMost)
	}
	seen := map[string]bool{}
	for _, s := range r.Subjects {
		b, err := hex.DecodeString(s.Pseudonym)
		switch {
		case err != nil || len(b) != 16 || s.Pseudonym != strings.ToLower(s.Pseudonym):
			return Refuse(Invalid, "reidentify.pseudonym", "subjects", "a pseudonym is 32 hexadecimal digits in lower case")
		case seen[s.Pseudonym]:
			return Refuse(Invalid, "reidentify.pseudonym", "subjects", "pseudonym %s stands there twice: name each once", s.Pseudonym)
		case !slices.Contains(ReidentifyCategories, s.Category):
			return Refuse(Invalid, "reidentify.category", "subjects", "pseudonym %s: say in what capacity it is opened: %v (Directive (EU) 2016/680 Art. 6)", s.Pseudonym, ReidentifyCategories)
		case !written(s.Ground, 20):
			return Refuse(Invalid, "reidentify.ground", "subjects", "pseudonym %s: write in at least twenty characters why it must be opened", s.Pseudonym)
		case len(s.Facts) == 0 || len(s.Facts) > ReidentifyFactsMost:
			return Refuse(Invalid, "reidentify.facts", "subjects", "pseudonym %s: give 1 to %d facts from the exhibit, as concert accesslog sessions writes them", s.Pseudonym, ReidentifyFactsMost)
		}
		seen[s.Pseudonym] = true
		for _, f := range s.Facts {
			if f.Offset < 0 || f.Length <= 0 || strings.TrimSpace(f.File) == "" || len(f.File) > 400 || !digestText(f.Line) || f.At.IsZero() || f.At.After(now) || !slices.Contains(EvaluationCodes, f.Evaluation) {
				return Refuse(Invalid, "reidentify.fact", "subjects", "pseudonym %s: a fact names its file, offset, length, the SHA-256 of its line, its time, and an evaluation code A1 to X4", s.Pseudonym)
			}
		}
	}
	return nil
}

// MayRead lets the case's members, the magistrates who decide and auditors read
// the request; to others it is not there.
func (r Reidentification) MayRead(by Actor, c Case) error {
	if by.Has(RoleMagistrate) && by.Authority != "" && by.Authority == r.Judicial && r.Status != ReidentifyRefused {
		return nil
	}
	return c.MayRead(by)
}

func (r Reidentification) at(want ...ReidentifyStatus) error {
	if slices.Contains(want, r.Status) {
		return nil
	}
	return Refuse(Conflict, "reidentify.status", "", "request %s is %s: this is for one that is %v", r.Ref, r.Status, want)
}

// Confirmed is a reviewer's word that the facts bear the request.
func (r Reidentification) Confirmed(by Actor, c Case, now time.Time) (Reidentification, Event, error) {
	if err := c.works(by); err != nil {
		return r, Event{}, err
	}
	if err := by.Need(RoleReviewer); err != nil {
		return r, Event{}, err
	}
	if by.Person == r.AskedBy {
		return r, Event{}, Refuse(Forbidden, "reidentify.same_person", "", "you asked for %s yourself: another member with the role reviewer confirms it", r.Ref)
	}
	if err := r.at(ReidentifyAsked); err != nil {
		return r, Event{}, err
	}
	r.Status, r.ConfirmedBy, r.ConfirmedAt = ReidentifyConfirmed, by.Person, now
	return r, r.event(EventReidentifyConfirmed, by, c.Ref, now), nil
}

// Authorised is a prosecutor's or judge's decision, after the reviewer's.
func (r Reidentification) Authorised(by Actor, c Case, now time.Time) (Reidentification, Event, error) {
	if err := r.decides(by); err != nil {
		return r, Event{}, err
	}
	if err := r.at(ReidentifyConfirmed); err != nil {
		return r, Event{}, err
	}
	if !now.Before(r.Instrument.Until) {
		return r, Event{}, r.instrumentOver()
	}
	r.Status, r.AuthorisedBy, r.AuthorisedAt = ReidentifyAuthorised, by.Person, now
	return r, r.event(EventReidentifyAuthorised, by, c.Ref, now), nil
}

// MayDecideReidentifications refuses whoever is no magistrate of an authority.
func (a Actor) MayDecideReidentifications() error { return a.needAuthority(RoleMagistrate) }

func (r Reidentification) decides(by Actor) error {
	if err := by.MayDecideReidentifications(); err != nil {
		return err
	}
	if by.Authority != r.Judicial {
		return ErrNotFound
	}
	if by.Person == r.AskedBy || by.Person == r.ConfirmedBy {
		return Refuse(Forbidden, "reidentify.same_person", "", "you had a part in request %s: another prosecutor or judge decides", r.Ref)
	}
	return nil
}

func (r Reidentification) instrumentOver() error {
	return Refuse(Conflict, "instrument.over", "", "the act under which %s was asked for ended on %s: ask anew under one that is in force", r.Ref, r.Instrument.Until.UTC().Format(time.DateOnly))
}

// Declined ends a request: by its reviewer or its magistrate, with the reason.
func (r Reidentification) Declined(by Actor, c Case, reason string, now time.Time) (Reidentification, Event, error) {
	if by.Has(RoleMagistrate) {
		if err := r.decides(by); err != nil {
			return r, Event{}, err
		}
	} else if err := c.works(by); err != nil {
		return r, Event{}, err
	} else if err := by.Need(RoleReviewer); err != nil {
		return r, Event{}, err
	}
	if err := r.at(ReidentifyAsked, ReidentifyConfirmed); err != nil {
		return r, Event{}, err
	}
	if !written(reason, 10) {
		return r, Event{}, Refuse(Invalid, "reidentify.reason", "reason", "say in at least ten characters why %s is declined", r.Ref)
	}
	r.Status, r.Reason, r.Key = ReidentifyRefused, reason, ""
	return r, r.event(EventReidentifyRefused, by, c.Ref, now).WithSealed(ReidentifyText{Reason: reason}), nil
}

// OpenUntil is until when the answer may be read: a fortnight from the decision, and
// no longer than the judicial act is in force. Zero where nothing was decided, or it was
// closed.
func (r Reidentification) OpenUntil() time.Time {
	if r.AuthorisedAt.IsZero() || r.Status == ReidentifyClosed {
		return time.Time{}
	}
	until := r.AuthorisedAt.Add(ReidentifyOpen)
	if r.Instrument.Until.Before(until) {
		return r.Instrument.Until
	}
	return until
}

// opens refuses whatever is no longer, or not yet, decided.
func (r Reidentification) opens(now time.Time) error {
	if err := r.at(ReidentifyAuthorised, ReidentifyRevealed); err != nil {
		return err
	}
	switch until := r.OpenUntil(); {
	case now.Before(until):
		return nil
	case until.Equal(r.Instrument.Until):
		return r.instrumentOver()
	default:
		return Refuse(Conflict, "reidentify.over", "", "the decision on %s was open for %d days, until %s: ask anew if it is still needed", r.Ref, int(ReidentifyOpen.Hours()/24), until.UTC().Format(time.DateOnly))
	}
}

// ShareTaken takes a custodian's share in, once from each.
func (r Reidentification) ShareTaken(by Actor, c Case, custodian string, share []byte, now time.Time) (Reidentification, Event, error) {
	if err := c.works(by); err != nil {
		return r, Event{}, err
	}
	if err := r.opens(now); err != nil {
		return r, Event{}, err
	}
	if slices.Contains(r.Custodians, custodian) {
		return r, Event{}, Refuse(Conflict, "reidentify.share", "share", "the share of this custodian is here already: another custodian's is missing")
	}
	r.Shares, r.Custodians = append(slices.Clone(r.Shares), share), append(slices.Clone(r.Custodians), custodian)
	return r, r.event(EventReidentifyShared, by, c.Ref, now).WithSealed(ReidentifyText{Custodian: custodian}), nil
}

// Opened records that the answer is read, before it is: by who asked for it,
// once as many custodians gave their shares as it takes.
func (r Reidentification) Opened(by Actor, c Case, needed int, now time.Time) (Reidentification, Event, error) {
	if err := c.works(by); err != nil {
		return r, Event{}, err
	}
	if by.Person != r.AskedBy {
		return r, Event{}, Refuse(Forbidden, "reidentify.reader", "", "the answer to %s goes to the person who asked: that person opens it", r.Ref)
	}
	if err := r.opens(now); err != nil {
		return r, Event{}, err
	}
	if len(r.Shares) < needed {
		return r, Event{}, Refuse(Conflict, "reidentify.shares", "", "%d of %d custodians gave their shares: each runs concert evidence share for the key that the request names", len(r.Shares), needed)
	}
	r.Status, r.Revealed = ReidentifyRevealed, r.Revealed+1
	return r, r.event(EventReidentifyRevealed, by, c.Ref, now), nil
}

// Closed ends it and destroys the key that shares were given to.
func (r Reidentification) Closed(by Actor, c Case, now time.Time) (Reidentification, Event, error) {
	if err := c.works(by); err != nil {
		return r, Event{}, err
	}
	if err := r.at(ReidentifyAsked, ReidentifyConfirmed, ReidentifyAuthorised, ReidentifyRevealed); err != nil {
		return r, Event{}, err
	}
	r.Status, r.Key, r.Shares = ReidentifyClosed, "", nil
	return r, r.event(EventReidentifyClosed, by, c.Ref, now), nil
}

// ReidentifyActs are the acts on a request that somebody may do now.
type ReidentifyActs struct {
	Confirm, Authorise, Decline, Share, Open, Close bool
}

// Acts tries every rule of a request for somebody. Needed is how many custodians
// open its table together; 0 for none.
func (r Reidentification) Acts(by Actor, c Case, needed int, now time.Time) ReidentifyActs {
	may := func(_ Reidentification, _ Event, err error) bool { return err == nil }
	return ReidentifyActs{
		Confirm: may(r.Confirmed(by, c, now)), Authorise: may(r.Authorised(by, c, now)), Decline: may(r.Declined(by, c, "a reason long enough", now)),
		Share: may(r.ShareTaken(by, c, "", nil, now)), Open: needed > 0 && may(r.Opened(by, c, needed, now)), Close: may(r.Closed(by, c, now)),
	}
}

// Expired is the erasure of a request whose case nobody reviewed (G22).
func (r Reidentification) Expired(c Case, now time.Time) Event {
	r.Code, r.Subjects = string(ErasureUnreviewed), nil
	return r.event(EventReidentifyErased, House, c.Ref, now)
}

// SuspectBy reports whether officer and magistrate both hold the pseudonym to be
// a suspect's, on recorded facts.
func (r Reidentification) SuspectBy(pseudonym string) bool {
	decided := r.Status == ReidentifyAuthorised || r.Status == ReidentifyRevealed || r.Status == ReidentifyClosed && r.AuthorisedBy != ""
	return decided && slices.ContainsFunc(r.Subjects, func(s ReidentifySubject) bool { return s.Pseudonym == pseudonym && s.Category == SubjectSuspect })
}
