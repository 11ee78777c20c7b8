package concert

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// What a custody record can tell of (docs/formats/evidence.md).
const (
	CustodySealed   = "sealed"
	CustodyVerified = "verified"
	CustodyCopied   = "copied"
	CustodyHanded   = "handed over"
	CustodyReceived = "received"
)

// CustodyHead names a state of an exhibit's custody log: how many records it has,
// and the SHA-256 of its last line, in hexadecimal.
type CustodyHead struct {
	N    int64
	Hash string
}

// CustodyRecord is what the hub keeps of one record of an exhibit's custody log.
// Names and reasons stay in the record itself, which lies with the exhibit; Line
// holds it to what it was.
type CustodyRecord struct {
	N       int64
	At      time.Time
	Act     string
	Outcome string // of a verification
	Key     string // Ed25519, base64, of whoever signed it; "" for nobody
	Line    string // SHA-256 of its line, in hexadecimal
}

// Exhibit is a sealed piece of evidence, as the hub knows it: by its manifest and
// the state of its custody log. Its bytes lie with the authority that holds it.
type Exhibit struct {
	ID        ExhibitID
	Ref       string
	Case      CaseID
	Authority AuthorityID // that holds it
	To        AuthorityID // that it was handed to and that has not received it yet
	Label     string      // sealed
	Manifest  string      // SHA-256 of its manifest, in hexadecimal
	Head      CustodyHead
	HeadKey   string // who signed the last record
	AddedBy   PersonID
	AddedAt   time.Time
	Exercise  bool
	Version   int64
}

// ExhibitBody is the body of events on an exhibit.
type ExhibitBody struct {
	Ref       string      `json:"ref"`
	Case      string      `json:"case"` // reference
	Authority AuthorityID `json:"authority"`
	To        AuthorityID `json:"to,omitempty"`
	Manifest  string      `json:"manifest"`
	N         int64       `json:"n"`
	Act       string      `json:"act,omitempty"`
	Outcome   string      `json:"outcome,omitempty"`
	Line      string      `json:"line"`
}

// ExhibitText is the sealed part of an exhibit's first event.
type ExhibitText struct {
	Label string `json:"label"`
}

func (x Exhibit) event(kind EventKind, by Actor, c Case, r CustodyRecord, now time.Time) Event {
	return NewEvent(kind, by, string(x.ID), now, ExhibitBody{x.Ref, c.Ref, x.Authority, x.To, x.Manifest, r.N, r.Act, r.Outcome, r.Line})
}

func digestText(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && s == strings.ToLower(s)
}

// ExhibitAdded puts a sealed exhibit into the case, with the whole of its custody
// log, whose chain the caller has checked.
func (c Case) ExhibitAdded(by Actor, x Exhibit, log []CustodyRecord, now time.Time) (Exhibit, []Event, error) {
	if err := c.works(by); err != nil {
		return x, nil, err
	}
	if err := c.grows(now); err != nil {
		return x, nil, err
	}
	x.Label = strings.TrimSpace(x.Label)
	switch {
	case !written(x.Label, 3) || len(x.Label) > 200:
		return x, nil, Refuse(Invalid, "exhibit.label", "label", "an exhibit needs a label of 3 to 200 characters: only those who hold it read it")
	case !digestText(x.Manifest):
		return x, nil, Refuse(Invalid, "exhibit.manifest", "manifest", "the digest of the manifest is 64 hexadecimal digits: copy it from concert evidence show")
	case len(log) == 0 || log[0].Act != CustodySealed:
		return x, nil, Refuse(Invalid, "exhibit.custody", "custody", "the custody log is empty, or does not begin with the sealing: send custody.jsonl of the bag, whole")
	case log[len(log)-1].Act == CustodyHanded:
		return x, nil, Refuse(Conflict, "exhibit.on_its_way", "custody", "the log ends with a handing over: whoever receives the exhibit writes that first (concert evidence receive)")
	}
	x.Case, x.Authority, x.To, x.AddedBy, x.AddedAt = c.ID, by.Authority, "", by.Person, now
	added := x.event(EventExhibitAdded, by, c, log[0], now).WithSealed(ExhibitText{x.Label})
	next, events := x.grown(by, c, log, now)
	return next, append([]Event{added}, events...), nil
}

// grown moves the head over the records, with an event for each.
func (x Exhibit) grown(by Actor, c Case, log []CustodyRecord, now time.Time) (Exhibit, []Event) {
	events := make([]Event, 0, len(log))
	for _, r := range log {
		kind := EventExhibitCustody
		switch r.Act {
		case CustodyHanded:
			kind = EventExhibitHanded
		case CustodyReceived:
			kind = EventExhibitReceived
		}
		x.Head, x.HeadKey = CustodyHead{r.N, r.Line}, r.Key
		events = append(events, x.event(kind, by, c, r, now))
	}
	return x, events
}

// holds refuses whoever does not hold the exhibit now, and what does not follow
// on its head.
func (x Exhibit) holds(by Actor, c Case, log []CustodyRecord) error {
	if err := c.works(by); err != nil {
		return err
	}
	switch {
	case x.Case != c.ID || x.Authority != by.Authority:
		return ErrNotFound
	case x.To != "":
		return Refuse(Conflict, "exhibit.on_its_way", "", "exhibit %s was handed over: the authority that receives it goes on with its custody", x.Ref)
	case len(log) == 0:
		return Refuse(Conflict, "exhibit.nothing_new", "custody", "the log holds no record after number %d, which is known already", x.Head.N)
	case log[0].N != x.Head.N+1:
		return Refuse(Conflict, "exhibit.gap", "custody", "the next record of exhibit %s is number %d, got %d: send the whole log", x.Ref, x.Head.N+1, log[0].N)
	}
	return nil
}

// CustodyAdded takes the records in that came after the known head.
func (x Exhibit) CustodyAdded(by Actor, c Case, log []CustodyRecord, now time.Time) (Exhibit, []Event, error) {
	if err := x.holds(by, c, log); err != nil {
		return x, nil, err
	}
	if slices.ContainsFunc(log, func(r CustodyRecord) bool { return r.Act == CustodyHanded || r.Act == CustodyReceived }) {
		return x, nil, Refuse(Conflict, "exhibit.changes_hands", "custody", "the log tells of a handing over: say to which authority, with the act for it")
	}
	next, events := x.grown(by, c, log, now)
	return next, events, nil
}

// Handed says that the exhibit goes to another authority: the last record tells
// of it and is signed.
func (x Exhibit) Handed(by Actor, c Case, to Authority, log []CustodyRecord, now time.Time) (Exhibit, []Event, error) {
	if err := x.holds(by, c, log); err != nil {
		return x, nil, err
	}
	last := log[len(log)-1]
	switch {
	case to.ID == "" || to.ID == by.Authority:
		return x, nil, Refuse(Invalid, "exhibit.to", "to", "name the other authority that exhibit %s goes to", x.Ref)
	case !c.Handling.MayLeave(ToTenant):
		return x, nil, Refuse(Forbidden, "handling.blocked", "", "case %s carries the handling code %s: nothing of it goes to another authority without its giver's permission", c.Ref, c.Handling)
	case last.Act != CustodyHanded || last.Key == "":
		return x, nil, Refuse(Invalid, "exhibit.custody", "custody", "the last record must tell of the handing over and be signed: concert evidence hand writes it")
	}
	x.To = to.ID
	next, events := x.grown(by, c, log, now)
	return next, events, nil
}

// Received says that the exhibit arrived: by a member of a case of the authority
// that it was handed to, whose record is signed with another key.
func (x Exhibit) Received(by Actor, into Case, log []CustodyRecord, now time.Time) (Exhibit, []Event, error) {
	if err := into.works(by); err != nil {
		return x, nil, err
	}
	if x.To == "" || x.To != by.Authority {
		return x, nil, ErrNotFound
	}
	if err := into.grows(now); err != nil {
		return x, nil, err
	}
	switch {
	case len(log) != 1 || log[0].N != x.Head.N+1 || log[0].Act != CustodyReceived:
		return x, nil, Refuse(Invalid, "exhibit.custody", "custody", "the one record after the handing over must tell of the receipt: concert evidence receive writes it")
	case log[0].Key == "" || log[0].Key == x.HeadKey:
		return x, nil, Refuse(Invalid, "exhibit.one_key", "custody", "giver and receiver sign with two keys: a handing over has two sides")
	}
	x.Case, x.Authority, x.To = into.ID, by.Authority, ""
	next, events := x.grown(by, into, log, now)
	return next, events, nil
}

// PseudonymsKept records that the locked table of the exhibit's pseudonyms came
// in. Only its custodians together open it.
func (x Exhibit) PseudonymsKept(by Actor, c Case, digest string, now time.Time) (Event, error) {
	if err := c.works(by); err != nil {
		return Event{}, err
	}
	if err := c.grows(now); err != nil {
		return Event{}, err
	}
	if x.Case != c.ID || x.Authority != by.Authority || x.To != "" {
		return Event{}, ErrNotFound
	}
	return x.event(EventVaultKept, by, c, CustodyRecord{N: x.Head.N, Line: digest}, now), nil
}

// PseudonymsExpired is the erasure of the locked table of an exhibit whose case
// nobody reviewed (G22): without it, its pseudonyms stand for nobody any more.
func (x Exhibit) PseudonymsExpired(c Case, digest string, now time.Time) Event {
	return x.event(EventVaultErased, House, c, CustodyRecord{N: x.Head.N, Line: digest}, now)
}

// MayRead lets those who hold the exhibit, those whom it was handed to, and
// auditors read it.
func (x Exhibit) MayRead(by Actor, c Case) error {
	if x.To != "" && x.To == by.Authority && by.MayKeepCases() == nil {
		return nil
	}
	return c.MayRead(by)
}
