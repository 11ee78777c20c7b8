package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// CaptureFresh is how old a capture may be for an assessment to rest on it:
	// who judges has seen the content there, not long ago (G06).
	CaptureFresh = 24 * time.Hour
	// CaptureMonths is how many months the captures of a referred item are kept,
	// as long as a provider keeps what it removed (Regulation (EU) 2021/784 Art.
	// 6; G22).
	CaptureMonths = 6
	// captureAhead is how far the clock of who captured may be ahead of ours.
	captureAhead = 5 * time.Minute
	// VantageMost bounds the words on from where something was seen.
	VantageMost = 100
)

// CaptureKind is what a capture is of.
type CaptureKind string

// The kinds.
const (
	CaptureScreenshot CaptureKind = "screenshot" // a picture of the screen
	CapturePage       CaptureKind = "page"       // a saved page
	CaptureWARC       CaptureKind = "warc"       // a web archive file (ISO 28500)
	CaptureFile       CaptureKind = "file"       // the very bytes of the content
)

// CaptureKinds lists them.
var CaptureKinds = []CaptureKind{CaptureScreenshot, CapturePage, CaptureWARC, CaptureFile}

// captureMedia are the media types that a kind takes, each exact or a family
// that ends in a slash; none for any.
var captureMedia = map[CaptureKind][]string{
	CaptureScreenshot: {"image/"},
	CapturePage:       {"text/html", "text/plain", "multipart/related", "application/pdf"},
	CaptureWARC:       {"application/warc", "application/gzip"},
	CaptureFile:       nil,
}

// CaptureKindOf is the kind of a capture of which nothing was said but its bytes.
func CaptureKindOf(media string) CaptureKind {
	switch {
	case strings.HasPrefix(media, "image/"):
		return CaptureScreenshot
	case media == "text/html", media == "multipart/related":
		return CapturePage
	case media == "application/warc":
		return CaptureWARC
	}
	return CaptureFile
}

// Works reports whether the bytes are those of the content itself, so that
// equal ones mean copies of one work. A saved page is not: the same notice or
// wall of a platform stands at many places.
func (k CaptureKind) Works() bool { return k == CaptureScreenshot || k == CaptureFile }

// Capture is what somebody of an authority saw at an item's place, as bytes. The
// bytes are sealed apart and never leave the authority; this is what is known of
// them.
type Capture struct {
	ID        CaptureID
	Ref       string
	Item      ItemID
	Authority AuthorityID
	Person    PersonID // who captured
	Kind      CaptureKind
	MediaType string // found in the bytes themselves, never what was said of them
	Size      int64  // bytes
	SHA256    string // hex; sealed at rest
	Vantage   string // from where it was seen; sealed at rest
	SeenAt    time.Time
	AddedAt   time.Time
	ErasedAt  time.Time // the bytes are gone since then; zero while they are there
}

// Fresh reports whether an assessment at the time may rest on the capture.
func (c Capture) Fresh(now time.Time) bool {
	return c.ID != "" && c.ErasedAt.IsZero() && now.Sub(c.SeenAt) <= CaptureFresh
}

// CaptureBody is the body of events on a capture. The digest and the vantage are
// sealed.
type CaptureBody struct {
	Ref       string      `json:"ref"` // of the item
	Capture   string      `json:"capture"`
	Authority AuthorityID `json:"authority"`
	Kind      CaptureKind `json:"kind,omitempty"`
	Media     string      `json:"media,omitempty"`
	Size      int64       `json:"size,omitempty"`
	SeenAt    int64       `json:"seen_at,omitempty"` // microseconds UTC
	Code      ErasureCode `json:"code,omitempty"`    // why the bytes were erased
}

// CaptureText is the sealed part of a capture.
type CaptureText struct {
	SHA256  string `json:"sha256"`
	Vantage string `json:"vantage,omitempty"`
}

// MayCapture refuses whoever is no officer or reviewer of an authority.
func (a Actor) MayCapture() error {
	if a.Has(RoleReviewer) {
		return a.needAuthority(RoleReviewer)
	}
	return a.needAuthority(RoleOfficer)
}

// Captured records what the actor saw of the item: c holds kind, what was found
// of the bytes, the vantage and, unless it is now, when it was seen. The caller
// has made sure that the actor's authority found or judged the item.
func (it Item) Captured(by Actor, c Capture, now time.Time) (Capture, Event, error) {
	if err := by.MayCapture(); err != nil {
		return c, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return c, Event{}, err
	}
	if _, _, due := it.ErasureDue(); due {
		return c, Event{}, Refuse(Conflict, "capture.not_needed", "", "item %s is %s and goes when its term is over: nothing more is captured of it", it.Ref, it.Status)
	}
	if c.SeenAt.IsZero() || c.SeenAt.After(now) && c.SeenAt.Sub(now) <= captureAhead {
		c.SeenAt = now
	}
	media := captureMedia[c.Kind]
	switch {
	case !slices.Contains(CaptureKinds, c.Kind):
		return c, Event{}, Refuse(Invalid, "capture.kind", "kind", "%q is no kind of capture; the kinds are %v", c.Kind, CaptureKinds)
	case c.Size == 0:
		return c, Event{}, Refuse(Invalid, "capture.empty", "file", "the capture of item %s is empty: choose the file that you saved", it.Ref)
	case media != nil && !slices.ContainsFunc(media, func(m string) bool { return takes(m, c.MediaType) }):
		return c, Event{}, Refuse(Invalid, "capture.kind", "kind", "a %s is one of %v, but these bytes are %s: hand them in as another kind, or as a file", c.Kind, media, c.MediaType)
	case c.SeenAt.After(now):
		return c, Event{}, Refuse(Invalid, "capture.seen_at", "seen_at", "the capture of item %s would have been seen %s, which is yet to come: it is %s now; correct the clock, or leave the time out", it.Ref, c.SeenAt.Format(time.RFC3339), now.Format(time.RFC3339))
	case utf8.RuneCountInString(c.Vantage) > VantageMost:
		return c, Event{}, Refuse(TooLarge, "capture.vantage", "vantage", "say in at most %d characters from where it was seen", VantageMost)
	}
	c.Item, c.Authority, c.Person, c.AddedAt, c.ErasedAt = it.ID, by.Authority, by.Person, now, time.Time{}
	c.Vantage = strings.TrimSpace(c.Vantage)
	b := CaptureBody{Ref: it.Ref, Capture: c.Ref, Authority: c.Authority, Kind: c.Kind, Media: c.MediaType, Size: c.Size, SeenAt: Micros(c.SeenAt)}
	return c, NewEvent(EventCaptureAdded, by, string(it.ID), now, b).WithSealed(CaptureText{SHA256: c.SHA256, Vantage: c.Vantage}), nil
}

func takes(pattern, media string) bool {
	base, _, _ := strings.Cut(media, ";")
	return base == pattern || strings.HasSuffix(pattern, "/") && strings.HasPrefix(base, pattern)
}

// captured refuses an assessment that rests on no fresh capture of the
// assessor's own authority (G06). It says which there is and how to give one.
func (a Assessment) captured(by Actor, it Item, now time.Time) error {
	const how = "take a screenshot, or save the page or the file, and add it on the item's page, with POST /api/v1/items/%[1]s/captures, or with: concert capture add %[1]s FILE"
	c := a.Capture
	switch {
	case c.ID == "" || c.Item != it.ID || c.Authority != by.Authority:
		return Refuse(Conflict, "assessment.capture", "capture", "item %[1]s has no capture of your own authority, and nobody judges what was not seen and kept: "+how, it.Ref)
	case !c.ErasedAt.IsZero():
		return Refuse(Conflict, "assessment.capture", "capture", "the bytes of %[2]s, your authority's newest capture of item %[1]s, are erased: "+how, it.Ref, c.Ref)
	case !c.Fresh(now):
		return Refuse(Conflict, "assessment.capture", "capture", "%[2]s, your authority's newest capture of item %[1]s, was seen %[3]s, more than %[4]d hours ago: see whether it is still there and capture again; "+how, it.Ref, c.Ref, c.SeenAt.UTC().Format(time.RFC3339), int(CaptureFresh/time.Hour))
	}
	return nil
}

// Term is when the bytes of a capture are erased by the clock, and why; false
// while no term runs. What goes with its item (Item.ErasureDue) has none of its
// own; a legal hold and a mark of an atrocity keep it. Referred is when the item
// was referred, zero for never.
func (c Capture) Term(it Item, m Atrocity, referred time.Time) (until time.Time, code ErasureCode, runs bool) {
	if !c.ErasedAt.IsZero() || !it.ErasedAt.IsZero() || !it.HeldLegal.IsZero() || it.Referral == "" || referred.IsZero() {
		return until, "", false
	}
	if it.Status == ItemWithdrawn {
		until, code = it.UpdatedAt.Add(ErasureTerm), ErasureTakenBack
	} else {
		if c.AddedAt.After(referred) {
			referred = c.AddedAt
		}
		until, code = referred.AddDate(0, CaptureMonths, 0), ErasureTermOver
	}
	if !m.Stands() {
		return until, code, true
	}
	if m.PreservedUntil.IsZero() {
		return time.Time{}, "", false
	}
	if m.PreservedUntil.After(until) {
		until = m.PreservedUntil
	}
	return until, code, true
}

// Expired erases the capture's bytes once its term is over; again is when to ask
// anew, zero for when something else sets the clock.
func (c Capture) Expired(it Item, m Atrocity, referred, now time.Time) (next Capture, e Event, again time.Time, err error) {
	until, code, runs := c.Term(it, m, referred)
	switch {
	case !runs:
		return c, e, again, Refuse(Conflict, "capture.term", "", "no term runs for capture %s: there is nothing to erase yet", c.Ref)
	case now.Before(until):
		return c, e, until, Refuse(Conflict, "capture.term", "", "capture %s is kept until %s", c.Ref, until.Format(time.DateOnly))
	}
	c.ErasedAt = now
	return c, NewEvent(EventCaptureErased, House, string(it.ID), now, CaptureBody{Ref: it.Ref, Capture: c.Ref, Authority: c.Authority, Code: code}), again, nil
}

// MayOpen refuses whoever is no officer or reviewer of the capture's own
// authority: the bytes are served to nobody else.
func (c Capture) MayOpen(by Actor) error {
	if by.Authority == "" || by.Authority != c.Authority {
		return ErrNotFound
	}
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return err
	}
	if !c.ErasedAt.IsZero() {
		return Refuse(Conflict, "capture.erased", "", "the bytes of capture %s were erased on %s: what is left is that there was one, its digest, and who saw it when", c.Ref, c.ErasedAt.UTC().Format(time.DateOnly))
	}
	return nil
}

// MayKnow refuses whoever may not even learn that the capture is there: people
// of its own authority do, coordinators and auditors.
func (c Capture) MayKnow(by Actor) error {
	if by.Authority != "" && by.Authority == c.Authority || by.Has(RoleCoordinator) || by.Has(RoleAuditor) {
		return nil
	}
	return ErrNotFound
}

// CaptureInstrument is the judicial act under which a capture leaves for a
// court.
type CaptureInstrument struct {
	Issuer        string `json:"issuer"`    // court, prosecutor or body that issued it
	Reference     string `json:"reference"` // of the act
	Recipient     string `json:"recipient"`
	Justification string `json:"justification"`
}

// Exported records that the capture's bytes leave for a court or a body with a
// mandate, under an instrument (G26; handling codes hold, G23).
func (c Capture) Exported(by Actor, it Item, in CaptureInstrument, now time.Time) (Event, error) {
	if err := c.MayOpen(by); err != nil {
		return Event{}, err
	}
	switch {
	case !it.Handling.MayLeave(ToJudicial):
		return Event{}, Refuse(Forbidden, "handling.blocked", "", "item %s carries the handling code %s and its capture may not go to a court: ask whoever gave it; with their permission a reviewer of its authority changes the code", it.Ref, it.Handling)
	case !between(in.Issuer, 3, 200):
		return Event{}, Refuse(Invalid, "capture.instrument", "issuer", "name the court or the body that issued the act under which capture %s leaves, in 3 to 200 characters", c.Ref)
	case !between(in.Reference, 3, 200):
		return Event{}, Refuse(Invalid, "capture.instrument", "reference", "give the reference of the judicial act or mandate under which capture %s leaves, in 3 to 200 characters", c.Ref)
	case !between(in.Recipient, 3, 400):
		return Event{}, Refuse(Invalid, "export.recipient", "recipient", "name who receives it, in 3 to 400 characters")
	case !between(in.Justification, 20, 4000):
		return Event{}, Refuse(Invalid, "export.justification", "justification", "say in 20 to 4000 characters why it is disclosed, and on what basis: it is recorded with the item")
	}
	return NewEvent(EventCaptureExported, by, string(it.ID), now, CaptureBody{Ref: it.Ref, Capture: c.Ref, Authority: c.Authority, Kind: c.Kind, Size: c.Size}).WithSealed(in), nil
}

func between(s string, least, most int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n >= least && n <= most
}
