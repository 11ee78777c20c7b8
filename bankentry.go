package concert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// EntryHashesMost bounds the hashes of one entry; a video's frames are one.
	EntryHashesMost = 64
	// EntryNameMost bounds an entry's name, in bytes.
	EntryNameMost = 400
	// EntryIDMost bounds what an entry's source calls it, in bytes.
	EntryIDMost = 200
	// EntryNoteMost bounds its owner's note of an entry, in bytes.
	EntryNoteMost = 1000
	// FloodLeast is how many items that were seen before a new entry may match in any
	// case: one that matches more, and more than FloodShare allows, is too common to
	// be a work, and waits for a person.
	FloodLeast = 100
	// FloodShare is of how many items seen a new entry may match one.
	FloodShare = 50
)

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
