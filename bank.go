package concert

import (
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
	// LabelsMost bounds the labels of a bank or an entry.
	LabelsMost = 32
	// LabelMost bounds one label, in bytes.
	LabelMost = 100
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
