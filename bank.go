package concert

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// RadiusMost is how many of 256 bits may differ at most where a bank is asked.
	RadiusMost = 64
	// RadiusUsual is how many may where nothing else was said (pytx, PDQ).
	RadiusUsual = 31
	// RatioWhole is the ratio of a bank that always answers, in thousandths.
	RatioWhole = 1000
	// BankEntriesMost bounds the entries that one act adds or withdraws.
	BankEntriesMost = 1000
	// EntryHashesMost bounds the hashes of one entry; a video's frames are one.
	EntryHashesMost = 64
	// EntryNameMost bounds an entry's name, in bytes.
	EntryNameMost = 400
	// EntryIDMost bounds what an entry's source calls it, in bytes.
	EntryIDMost = 200
	// EntryNoteMost bounds its owner's note of an entry, in bytes.
	EntryNoteMost = 1000
	// LabelsMost bounds the labels of a bank or an entry.
	LabelsMost = 32
	// LabelMost bounds one label, in bytes.
	LabelMost = 100
	// QualityLeast is the PDQ quality from which on a picture is compared (pytx): less
	// would be like too much. Package pdq has the same one.
	QualityLeast = 50
	// FloodLeast is how many items that were seen before a new entry may match in any
	// case: one that matches more, and more than FloodShare allows, is too common to
	// be a work, and waits for a person.
	FloodLeast = 100
	// FloodShare is of how many items seen a new entry may match one.
	FloodShare = 50
)

// Bank is a named list of known content that what comes in is compared with. Its
// owner answers for it. A match decides nothing.
type Bank struct {
	ID         BankID
	N          int64 // its number in the index
	Ref        string
	Authority  AuthorityID
	Name       string // capitals, digits and underscores, as Hasher-Matcher-Actioner has them
	Purpose    string
	LegalBasis string
	Source     string // the exchange that it is a copy of; "" for the owner's own
	Labels     []string
	Radius     int // bits that may differ, 0 to RadiusMost
	Handling   Handling
	OpenTo     []Destination // who may ask it besides its owner: ToTenant, ToProvider
	Ratio      int           // of how many questions in 1,000 it answers: a new bank is let in by degrees
	Negative   bool          // what is near an entry of it matches nothing at all
	ExpiresAt  time.Time     // zero for never
	ClosedAt   time.Time
	CreatedBy  PersonID
	CreatedAt  time.Time
	Exercise   bool
	Version    int64
}

// UsualBank is what a bank is where nobody says otherwise: for its owner alone.
func UsualBank() Bank {
	return Bank{Radius: RadiusUsual, Handling: HandlingNotShared, Ratio: RatioWhole}
}

// BankBody is the body of events on a bank and its entries. Names and purposes
// are sealed with the bank.
type BankBody struct {
	Ref       string        `json:"ref"`
	Authority AuthorityID   `json:"authority"` // the owner
	Radius    int           `json:"radius,omitempty"`
	Handling  Handling      `json:"handling,omitempty"`
	OpenTo    []Destination `json:"open_to,omitempty"`
	Ratio     int           `json:"ratio,omitempty"` // thousandths
	Negative  bool          `json:"negative,omitempty"`
	Entries   int           `json:"entries,omitempty"` // how many the act was about
	Entry     string        `json:"entry,omitempty"`   // reference, where it was about one
	Code      EntryEnd      `json:"code,omitempty"`
	Opinion   Opinion       `json:"opinion,omitempty"`
	By        AuthorityID   `json:"by,omitempty"` // whose opinion
	Matches   int           `json:"matches,omitempty"`
}

func (b Bank) event(kind EventKind, by Actor, now time.Time, more func(*BankBody)) Event {
	body := BankBody{Ref: b.Ref, Authority: b.Authority}
	if more != nil {
		more(&body)
	}
	return NewEvent(kind, by, string(b.ID), now, body)
}

var bankName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,63}$`)

// MayKeepBanks refuses whoever opens no banks and changes none.
func (a Actor) MayKeepBanks() error { return a.needAuthority(RoleReviewer) }

// MayFillBanks refuses whoever adds nothing to banks.
func (a Actor) MayFillBanks() error { return a.needAuthority(RoleOfficer, RoleReviewer) }

// own refuses whoever is not of the bank's owner, as if there were none.
func (b Bank) own(by Actor) error {
	if !b.Mine(by) {
		return ErrNotFound
	}
	return nil
}

// Opened checks a new bank.
func (b Bank) Opened(by Actor, now time.Time) (Bank, Event, error) {
	if err := by.MayKeepBanks(); err != nil {
		return b, Event{}, err
	}
	b.Authority, b.CreatedBy, b.CreatedAt = by.Authority, by.Person, now
	b, err := b.checked()
	if err == nil {
		err = b.lasts(now)
	}
	return b, b.event(EventBankOpened, by, now, b.told), err
}

func (b Bank) lasts(now time.Time) error {
	if !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(now) {
		return Refuse(Invalid, "bank.expires_at", "expires_at", "the bank would be over on %s, which is past: give a later day, or none", b.ExpiresAt.Format(time.DateOnly))
	}
	return nil
}

func (b Bank) told(to *BankBody) {
	to.Radius, to.Handling, to.OpenTo, to.Ratio, to.Negative = b.Radius, b.Handling, b.OpenTo, b.Ratio, b.Negative
}

func (b Bank) checked() (Bank, error) {
	b.Purpose, b.LegalBasis = strings.TrimSpace(b.Purpose), strings.TrimSpace(b.LegalBasis)
	labels, err := labelsOf(b.Labels)
	if err != nil {
		return b, err
	}
	b.Labels = labels
	slices.Sort(b.OpenTo)
	b.OpenTo = slices.Compact(b.OpenTo)
	switch {
	case !bankName.MatchString(b.Name):
		return b, Refuse(Invalid, "bank.name", "name", "a bank's name is 1 to 64 capital letters, digits and underscores, and begins with no digit: got %.70q", b.Name)
	case !between(b.Purpose, 10, 1000):
		return b, Refuse(Invalid, "bank.purpose", "purpose", "say in 10 to 1000 characters what the bank is for: it is what its entries may be used for (Directive (EU) 2016/680 Art. 4)")
	case !between(b.LegalBasis, 3, 400):
		return b, Refuse(Invalid, "bank.legal_basis", "legal_basis", "name in 3 to 400 characters the law or agreement under which the bank is kept")
	case b.Radius < 0 || b.Radius > RadiusMost:
		return b, Refuse(Invalid, "bank.radius", "radius", "between 0 and %d of 256 bits may differ: got %d; %d is usual", RadiusMost, b.Radius, RadiusUsual)
	case !slices.Contains(Handlings, b.Handling):
		return b, Refuse(Invalid, "bank.handling", "handling", "%q is no handling code; the codes are %v", b.Handling, Handlings)
	case slices.ContainsFunc(b.OpenTo, func(d Destination) bool { return d != ToTenant && d != ToProvider }):
		return b, Refuse(Invalid, "bank.open_to", "open_to", "a bank is open to %q, to %q, or to its owner alone: got %v", ToTenant, ToProvider, b.OpenTo)
	case !b.opens(b.Handling):
		return b, Refuse(Invalid, "bank.open_to", "open_to", "what carries the handling code %s may not go to %v: ask whoever gave it, or keep the bank to yourself", b.Handling, b.OpenTo)
	case b.Ratio < 0 || b.Ratio > RatioWhole:
		return b, Refuse(Invalid, "bank.ratio", "enabled_ratio", "a bank answers a share of questions between 0 and 1: 1 for all of them, less to let a new one in by degrees")
	}
	return b, nil
}

func labelsOf(in []string) ([]string, error) {
	var out []string
	for _, l := range in {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > LabelsMost || slices.ContainsFunc(out, func(l string) bool { return len(l) > LabelMost }) {
		return nil, Refuse(TooLarge, "bank.labels", "labels", "at most %d labels of %d bytes each", LabelsMost, LabelMost)
	}
	return out, nil
}

// Changed checks what is different about a bank: everything but its owner, its
// name and its source. held are the handling codes of its own that entries carry.
func (b Bank) Changed(by Actor, to Bank, held []Handling, now time.Time) (Bank, Event, error) {
	if err := b.own(by); err != nil {
		return b, Event{}, err
	}
	if err := by.MayKeepBanks(); err != nil {
		return b, Event{}, err
	}
	if err := b.openNow(); err != nil {
		return b, Event{}, err
	}
	next := b
	next.Purpose, next.LegalBasis, next.Labels, next.Radius, next.Handling = to.Purpose, to.LegalBasis, to.Labels, to.Radius, to.Handling
	next.OpenTo, next.Ratio, next.Negative, next.ExpiresAt = slices.Clone(to.OpenTo), to.Ratio, to.Negative, to.ExpiresAt
	next, err := next.checked()
	for _, h := range held {
		if err == nil && !next.opens(h) {
			err = Refuse(Invalid, "bank.open_to", "open_to", "bank %s has entries with the handling code %s, which may not go to %v: withdraw them first, or keep the bank to yourself", b.Ref, h, next.OpenTo)
		}
	}
	if err == nil && !to.ExpiresAt.Equal(b.ExpiresAt) {
		err = next.lasts(now)
	}
	if err != nil {
		return b, Event{}, err
	}
	return next, next.event(EventBankChanged, by, now, next.told), nil
}

// opens reports whether what carries the handling code may go to all to whom the
// bank is open.
func (b Bank) opens(h Handling) bool {
	return !slices.ContainsFunc(b.OpenTo, func(d Destination) bool { return !h.MayLeave(d) })
}

func (b Bank) openNow() error {
	if !b.ClosedAt.IsZero() {
		return Refuse(Conflict, "bank.closed", "", "bank %s was closed on %s: open a new one", b.Ref, b.ClosedAt.UTC().Format(time.DateOnly))
	}
	return nil
}

// Closed ends a bank: its entries match nothing from then on, and holders learn
// that they are withdrawn.
func (b Bank) Closed(by Actor, now time.Time) (Bank, Event, error) {
	if err := b.own(by); err != nil {
		return b, Event{}, err
	}
	if err := by.MayKeepBanks(); err != nil {
		return b, Event{}, err
	}
	if err := b.openNow(); err != nil {
		return b, Event{}, err
	}
	b.ClosedAt = now
	return b, b.event(EventBankClosed, by, now, nil), nil
}

// Answers reports whether the bank may be asked by the actor now: by its owner's
// people, and by whom it is open to.
func (b Bank) Answers(by Actor, now time.Time) bool {
	if !b.ClosedAt.IsZero() || !b.ExpiresAt.IsZero() && !now.Before(b.ExpiresAt) {
		return false
	}
	switch {
	case by.Authority != "":
		return by.Authority == b.Authority || slices.Contains(b.OpenTo, ToTenant)
	case by.Provider != "":
		return slices.Contains(b.OpenTo, ToProvider)
	}
	return false
}

// MayKnow refuses whoever may not even learn of the bank: its owner's people do,
// whom it is open to, and auditors.
func (b Bank) MayKnow(by Actor, now time.Time) error {
	if b.Mine(by) || by.Has(RoleAuditor) || b.Answers(by, now) {
		return nil
	}
	return ErrNotFound
}

// Mine reports whether the bank is the actor's authority's own.
func (b Bank) Mine(by Actor) bool { return by.Authority != "" && by.Authority == b.Authority }

// Shows reports whether the actor, who may know of the bank, sees the entry: others
// than its owner's people and auditors see none that waits for a person.
func (b Bank) Shows(e BankEntry, by Actor) bool {
	return b.Mine(by) || by.Has(RoleAuditor) || e.QuarantinedAt.IsZero()
}

// HashKind is what a known hash is of.
type HashKind string

// The kinds of hash. PDQ and the frames of vPDQ are found by nearness, the
// digests by being equal; the rest is kept and passed on, and compared with
// nothing here.
const (
	HashPDQ      HashKind = "pdq"
	HashVPDQ     HashKind = "vpdq" // a video's frames
	HashSHA256   HashKind = "sha256"
	HashSHA1     HashKind = "sha1"
	HashMD5      HashKind = "md5"
	HashSHA512   HashKind = "sha512"
	HashTMK      HashKind = "tmk"
	HashTLSH     HashKind = "tlsh"
	HashPhotoDNA HashKind = "photodna"
)

// HashKinds lists them.
var HashKinds = []HashKind{HashPDQ, HashVPDQ, HashSHA256, HashSHA1, HashMD5, HashSHA512, HashTMK, HashTLSH, HashPhotoDNA}

// hashDigits is how many hexadecimal digits a hash has, by kind.
var hashDigits = map[HashKind]int{HashPDQ: 64, HashSHA256: 64, HashSHA1: 40, HashMD5: 32, HashSHA512: 128}

// secondsMost bounds the place of a frame: 31 years, as in vPDQ's lists.
const secondsMost = 1e9

// opaqueMost bounds the text of a hash that is only kept.
const opaqueMost = 4096

// Compared reports whether hashes of the kind are compared here.
func (k HashKind) Compared() bool {
	return slices.Contains([]HashKind{HashPDQ, HashVPDQ, HashSHA256, HashSHA1, HashMD5}, k)
}

// KnownHash is one hash of a known work.
type KnownHash struct {
	Kind    HashKind
	Value   string // hexadecimal, lower case; of HashVPDQ empty, its frames stand in Frames; of others as they came
	Quality int    // of PDQ, 0 to 100; -1 where nobody said
	Frames  []KnownFrame
}

// KnownFrame is a frame of a video.
type KnownFrame struct {
	PDQ     [32]byte // the bytes of the hash's text
	Quality int
	Seconds float64 // from the beginning
}

// FramesMost bounds the frames of one entry: at one a second 68 minutes.
const FramesMost = 4095

// Checked is the hash as it is kept, or what is wrong with it.
func (h KnownHash) Checked() (KnownHash, error) {
	digits, hexadecimal := hashDigits[h.Kind]
	switch {
	case !slices.Contains(HashKinds, h.Kind):
		return h, Refuse(Invalid, "hash.kind", "hashes", "%.40q is no kind of hash known here; the kinds are %v", h.Kind, HashKinds)
	case h.Kind == HashVPDQ:
		if len(h.Frames) == 0 || len(h.Frames) > FramesMost {
			return h, Refuse(Invalid, "hash.frames", "hashes", "a video has 1 to %d frames here: got %d; leave out frames that are alike", FramesMost, len(h.Frames))
		}
		for i, f := range h.Frames {
			if f.Quality < 0 || f.Quality > 100 || !(f.Seconds >= 0 && f.Seconds <= secondsMost) {
				return h, Refuse(Invalid, "hash.frame", "hashes", "frame %d of the video has the quality %d and stands at second %v: a quality is 0 to 100, a second 0 or more", i+1, f.Quality, f.Seconds)
			}
		}
		return h, nil
	case hexadecimal:
		if h.Value = strings.ToLower(strings.TrimSpace(h.Value)); len(h.Value) != digits || strings.Trim(h.Value, "0123456789abcdef") != "" {
			return h, Refuse(Invalid, "hash.value", "hashes", "%.70q is no %s: that is %d hexadecimal digits", h.Value, h.Kind, digits)
		}
	case strings.TrimSpace(h.Value) == "" || len(h.Value) > opaqueMost:
		return h, Refuse(Invalid, "hash.value", "hashes", "a %s has 1 to %d bytes", h.Kind, opaqueMost)
	}
	if h.Quality < -1 || h.Quality > 100 {
		return h, Refuse(Invalid, "hash.quality", "hashes", "a quality is 0 to 100: got %d", h.Quality)
	}
	return h, nil
}

// tells reports whether the hash tells its work from others.
func (h KnownHash) tells() bool {
	return h.Kind != HashPDQ || h.Quality < 0 || h.Quality >= QualityLeast
}

// HashAt is the entry's hash that stands at a place at which each frame of a video
// counts, as the index does; false where there is none. Of a video it is that frame
// alone.
func (e BankEntry) HashAt(k int) (KnownHash, bool) {
	for _, h := range e.Hashes {
		switch {
		case h.Kind != HashVPDQ && k == 0:
			return h, true
		case h.Kind != HashVPDQ:
			k--
		case k < len(h.Frames):
			h.Frames = h.Frames[k : k+1]
			return h, true
		default:
			k -= len(h.Frames)
		}
	}
	return KnownHash{}, false
}

// Opinion is what a holder thinks of an entry (the four of ThreatExchange).
type Opinion string

// The opinions.
const (
	OpinionPositive Opinion = "positive" // it is what the bank is of
	OpinionNegative Opinion = "negative" // it is not
	OpinionSeed     Opinion = "seed"     // worth looking into
	OpinionDisputed Opinion = "disputed" // some say it is, some that it is not; never given, only found
)

// Opinions lists those that can be given.
var Opinions = []Opinion{OpinionPositive, OpinionNegative, OpinionSeed}

// OpinionOf is what opinions come to together.
func OpinionOf(given []Opinion) Opinion {
	yes, no := slices.Contains(given, OpinionPositive), slices.Contains(given, OpinionNegative)
	switch {
	case yes && no:
		return OpinionDisputed
	case yes:
		return OpinionPositive
	case no:
		return OpinionNegative
	}
	return OpinionSeed
}

// EntryEnd is why an entry matches no more.
type EntryEnd string

// The ends.
const (
	EntryWithdrawn EntryEnd = "withdrawn" // by its owner, or with the item that it was made of
	EntryExpired   EntryEnd = "expired"
	EntryRecalled  EntryEnd = "recalled" // by the source that it came from
	EntryErased    EntryEnd = "erased"   // with the item that it was made of
)

// BankEntry is one known work in a bank.
type BankEntry struct {
	N        int64 // its number in the index, and the content id of Hasher-Matcher-Actioner
	Ref      string
	Bank     BankID
	SourceID string // what its source calls it; "" for none
	Hashes   []KnownHash
	Name     string // sealed with the bank, as are labels and note
	Labels   []string
	Note     string
	Handling Handling // its own; "" for the bank's
	Opinion  Opinion  // of its source or owner
	Said     []EntryOpinion
	Item     ItemID // of the house that it was made of; "" for none

	AddedBy       PersonID
	AddedAt       time.Time
	ExpiresAt     time.Time // zero for never
	EndedAt       time.Time
	End           EntryEnd
	QuarantinedAt time.Time // it matched too much and waits for a person; zero while it does not
	Cleared       bool      // a person looked and let it match all the same
	ChangedAt     time.Time
	Version       int64
}

// EntryOpinion is what an authority says of an entry.
type EntryOpinion struct {
	Authority AuthorityID
	Person    PersonID
	Opinion   Opinion
	At        time.Time
}

// Stands is the opinion on the entry, of all that were given.
func (e BankEntry) Stands() Opinion {
	all := []Opinion{e.Opinion}
	for _, s := range e.Said {
		all = append(all, s.Opinion)
	}
	return OpinionOf(all)
}

// Matches reports whether the entry may match anything now.
func (e BankEntry) Matches(now time.Time) bool {
	return e.EndedAt.IsZero() && e.QuarantinedAt.IsZero() && (e.ExpiresAt.IsZero() || now.Before(e.ExpiresAt)) && e.Stands() != OpinionNegative
}

// ShownOf is the entry of the bank as the actor sees it: others than its owner's
// people do not learn who added it, what they noted and which item it was made of.
func (e BankEntry) ShownOf(b Bank, by Actor) BankEntry {
	if b.Mine(by) {
		return e
	}
	if e.Item != "" {
		e.Name = "" // it is the item's reference
	}
	e.AddedBy, e.Note, e.Item = "", "", ""
	return e
}

// Entered checks a new entry of the bank. It is no event by itself: an act enters
// many (Bank.Filled).
func (b Bank) Entered(by Actor, e BankEntry, now time.Time) (BankEntry, error) {
	if err := b.own(by); err != nil {
		return e, err
	}
	if err := by.MayFillBanks(); err != nil {
		return e, err
	}
	if err := b.openNow(); err != nil {
		return e, err
	}
	e.Name, e.Note = strings.TrimSpace(e.Name), strings.TrimSpace(e.Note)
	if e.Opinion == "" {
		e.Opinion = OpinionPositive
	}
	labels, err := labelsOf(e.Labels)
	switch {
	case err != nil:
		return e, err
	case len(e.Hashes) == 0 || len(e.Hashes) > EntryHashesMost:
		return e, Refuse(Invalid, "entry.hashes", "hashes", "an entry has 1 to %d hashes of one work: got %d", EntryHashesMost, len(e.Hashes))
	case !slices.ContainsFunc(e.Hashes, KnownHash.tells):
		return e, Refuse(Invalid, "entry.quality", "hashes", "the picture has a PDQ quality of %d: it has too little in it to be told from others, and nothing is kept; %d is the least", e.Hashes[0].Quality, QualityLeast)
	case len(e.Name) > EntryNameMost || len(e.Note) > EntryNoteMost || len(e.SourceID) > EntryIDMost:
		return e, Refuse(TooLarge, "entry.text", "name", "an entry's name has at most %d bytes, its note %d, its source's id %d", EntryNameMost, EntryNoteMost, EntryIDMost)
	case !slices.Contains(Opinions, e.Opinion):
		return e, Refuse(Invalid, "entry.opinion", "opinion", "%q is no opinion; they are %v", e.Opinion, Opinions)
	case e.Handling != "" && !slices.Contains(Handlings, e.Handling):
		return e, Refuse(Invalid, "entry.handling", "handling", "%q is no handling code; the codes are %v", e.Handling, Handlings)
	case e.Handling != "" && !b.opens(e.Handling):
		return e, Refuse(Invalid, "entry.handling", "handling", "the entry carries %s and bank %s is open to %v: put it into a bank that is not", e.Handling, b.Ref, b.OpenTo)
	case !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(now):
		return e, Refuse(Invalid, "entry.expires_at", "expires_at", "the entry was over on %s: leave it out", e.ExpiresAt.Format(time.DateOnly))
	}
	for i, h := range e.Hashes {
		if e.Hashes[i], err = h.Checked(); err != nil {
			return e, err
		}
	}
	e.Bank, e.Labels, e.AddedBy, e.AddedAt, e.ChangedAt = b.ID, labels, by.Person, now, now
	return e, nil
}

// Filled is the event of entries added by one act; ended are those that a source
// recalled with it.
func (b Bank) Filled(by Actor, added, recalled int, now time.Time) []Event {
	var out []Event
	if added > 0 {
		out = append(out, b.event(EventBankFilled, by, now, func(to *BankBody) { to.Entries = added }))
	}
	if recalled > 0 {
		out = append(out, b.event(EventEntryEnded, by, now, func(to *BankBody) { to.Entries, to.Code = recalled, EntryRecalled }))
	}
	return out
}

// Ended takes an entry out: nothing matches it from then on, and every holder
// learns of it by the feed. It ends once.
func (e BankEntry) Ended(b Bank, by Actor, code EntryEnd, now time.Time) (BankEntry, Event, error) {
	if by.Person != House.Person {
		if err := b.own(by); err != nil {
			return e, Event{}, err
		}
		if err := by.MayFillBanks(); err != nil {
			return e, Event{}, err
		}
	}
	if !e.EndedAt.IsZero() {
		return e, Event{}, Refuse(Conflict, "entry.ended", "", "entry %s ended on %s (%s) already", e.Ref, e.EndedAt.UTC().Format(time.DateOnly), e.End)
	}
	e.EndedAt, e.End, e.ChangedAt = now, code, now
	return e, b.event(EventEntryEnded, by, now, func(to *BankBody) { to.Entries, to.Entry, to.Code = 1, e.Ref, code }), nil
}

// Judged records what the actor's authority thinks of an entry, in place of what
// it thought before. Whoever can ask the bank may say so.
func (e BankEntry) Judged(b Bank, by Actor, o Opinion, now time.Time) (BankEntry, Event, error) {
	if err := by.MayFillBanks(); err != nil {
		return e, Event{}, err
	}
	if !b.Answers(by, now) || !b.Shows(e, by) {
		return e, Event{}, ErrNotFound
	}
	if !slices.Contains(Opinions, o) {
		return e, Event{}, Refuse(Invalid, "entry.opinion", "opinion", "%q is no opinion; they are %v", o, Opinions)
	}
	if !e.EndedAt.IsZero() {
		return e, Event{}, Refuse(Conflict, "entry.ended", "", "entry %s ended on %s (%s) already", e.Ref, e.EndedAt.UTC().Format(time.DateOnly), e.End)
	}
	said := slices.DeleteFunc(slices.Clone(e.Said), func(s EntryOpinion) bool { return s.Authority == by.Authority })
	e.Said = append(said, EntryOpinion{Authority: by.Authority, Person: by.Person, Opinion: o, At: now})
	e.ChangedAt = now
	return e, b.event(EventEntryJudged, by, now, func(to *BankBody) { to.Entry, to.Opinion, to.By = e.Ref, o, by.Authority }), nil
}

// Floods reports whether a new entry that matches so many of the items seen is
// too common to be one work.
func Floods(matches, seen int) bool {
	return matches > FloodLeast && matches > seen/FloodShare
}

// Quarantined keeps a new entry that matches too much from matching anything,
// until a person has looked (the house's act).
func (e BankEntry) Quarantined(b Bank, matches int, now time.Time) (BankEntry, Event) {
	e.QuarantinedAt, e.ChangedAt = now, now
	return e, b.event(EventEntryQuarantined, House, now, func(to *BankBody) { to.Entry, to.Matches = e.Ref, matches })
}

// ClearedBy lets a quarantined entry match all the same, once a reviewer of the
// owner who did not add it has looked.
func (e BankEntry) ClearedBy(b Bank, by Actor, now time.Time) (BankEntry, Event, error) {
	if err := b.own(by); err != nil {
		return e, Event{}, err
	}
	if err := by.MayKeepBanks(); err != nil {
		return e, Event{}, err
	}
	switch {
	case e.QuarantinedAt.IsZero():
		return e, Event{}, Refuse(Conflict, "entry.quarantine", "", "entry %s is in no quarantine: there is nothing to let go", e.Ref)
	case by.Person == e.AddedBy:
		return e, Event{}, Refuse(Forbidden, "entry.same_person", "", "you added entry %s yourself: another reviewer of your authority looks at it", e.Ref)
	}
	e.QuarantinedAt, e.Cleared, e.ChangedAt = time.Time{}, true, now
	return e, b.event(EventEntryCleared, by, now, func(to *BankBody) { to.Entry = e.Ref }), nil
}

// String is the hash as one line of a list.
func (h KnownHash) String() string {
	if h.Kind == HashVPDQ {
		return fmt.Sprintf("%s %d frames", h.Kind, len(h.Frames))
	}
	return string(h.Kind) + " " + h.Value
}
