package exercise

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
)

// What a hash is drawn for; each draw of an item is independent of the others.
const (
	drawFate = iota + 1
	drawOutcome
	drawProvider
	drawForm
	drawUnit
	drawFinders
	drawOutlet
	drawText
	drawDouble
	drawInterim
	drawSpelling
	drawHolder
	drawLook
	drawAgain
	drawCard
	drawWork
	drawDoubt
	drawCapture
	drawAtrocity
	drawMedia
	drawAlter
)

// script is the plan for one seed and number of items: what becomes of each
// item number. It stores a few hundred bytes, whatever the number of items.
type script struct {
	seed  uint64
	items int     // destined to be referred
	total uint32  // item numbers 0 to total-1
	media float64 // share of works that are drawn
	cards []card
}

// draw is a hash of (seed, item number, purpose): the finaliser of SplitMix64.
func (s *script) draw(n uint32, purpose uint64) uint64 {
	x := s.seed ^ (uint64(n)+1)*0x9E3779B97F4A7C15 ^ purpose*0xD1B54A32D192ED03
	for range 2 {
		x ^= x >> 30
		x *= 0xBF58476D1CE4E5B9
		x ^= x >> 27
		x *= 0x94D049BB133111EB
		x ^= x >> 31
	}
	return x
}

// part is draw as a number in [0, 1).
func (s *script) part(n uint32, purpose uint64) float64 {
	return float64(s.draw(n, purpose)>>11) / (1 << 53)
}

func (s *script) pick(n uint32, purpose uint64, of int) int {
	return int(s.draw(n, purpose) % uint64(of))
}

// newScript walks the numbers until exactly items of them are destined to be
// referred.
func newScript(seed uint64, items int) *script {
	s := &script{seed: seed, items: items, cards: showcase()}
	for left := items; left > 0; s.total++ {
		if s.fate(s.total).referred() {
			left--
		}
	}
	return s
}

// card is the showcase's prescription for the item, if it has one. The order
// depends on the seed.
func (s *script) card(n uint32) (card, bool) {
	if int(n) >= len(s.cards) {
		return card{}, false
	}
	turn := s.draw(math.MaxUint32, drawCard) % uint64(len(s.cards))
	return s.cards[(uint64(n)+turn)%uint64(len(s.cards))], true
}

func (s *script) fate(n uint32) fate {
	if c, ok := s.card(n); ok {
		return c.fate
	}
	at := s.part(n, drawFate)
	for _, f := range fateShares {
		if at -= f.share; at < 0 {
			return f.fate
		}
	}
	return toRefer
}

// outcome is what the provider makes of the item. What only a look at a page
// can tell happens to pages only.
func (s *script) outcome(n uint32) outcome {
	o := saysRemoved
	if c, ok := s.card(n); ok {
		o = c.outcome
	} else {
		at := s.part(n, drawOutcome)
		for _, x := range outcomeShares {
			if at -= x.share; at < 0 {
				o = x.outcome
				break
			}
		}
	}
	switch s.fate(n) {
	case toTakeBackSent:
		if providers[s.provider(n)].conduct.late {
			return saysLate
		}
		return saysNever
	case toCorrect:
		return saysRemoved
	}
	return o
}

// onPages reports whether the outcome shows on pages only.
func (o outcome) onPages() bool {
	return o >= saysRemovedStaysUp && o <= saysRemovedSoft
}

// provider is the index of the provider at which the item lies.
func (s *script) provider(n uint32) int {
	if c, ok := s.card(n); ok && c.provider >= 0 {
		return c.provider
	}
	switch s.fate(n) {
	case toTakeBackSent:
		// So that answers after withdrawal occur often enough to be seen.
		if s.draw(n, drawProvider)&1 == 0 {
			return atSites
		}
	}
	if s.inLibrary(n) {
		return atSites
	}
	at := s.part(n, drawProvider)
	for i := range providers {
		if at -= providers[i].share; at < 0 {
			return i
		}
	}
	return atKanal
}

// double reports whether the item needs two approvals.
func (s *script) double(n uint32) bool {
	if c, ok := s.card(n); ok {
		return c.double
	}
	return s.fate(n) == toRefer && s.part(n, drawDouble) < .018
}

// inLibrary reports whether the item lies in the invented university library,
// which the guard protects.
func (s *script) inLibrary(n uint32) bool {
	return s.double(n) && s.draw(n, drawDouble)&1 == 0
}

// unit is the index of the authority that finds and judges the item.
func (s *script) unit(n uint32) int { return s.pick(n, drawUnit, len(countries)) }

// finders are the units that find the same place afterwards.
func (s *script) finders(n uint32) []int {
	if s.fate(n) == toGuard {
		return nil
	}
	count, at := 0, s.part(n, drawFinders)
	switch {
	case at < .02:
		count = 3
	case at < .08:
		count = 2
	case at < .34:
		count = 1
	}
	home := s.unit(n)
	start := s.pick(n, drawFinders, len(countries)-1)
	out := make([]int, 0, 3)
	for i := range count {
		out = append(out, (home+1+(start+i*3)%(len(countries)-1))%len(countries))
	}
	return out
}

// again reports whether the unit hands the item in a second time, which must
// add nothing.
func (s *script) again(n uint32) bool {
	return s.fate(n) == toRefer && s.draw(n, drawAgain)%500 == 0
}

// holder is the unit that asks all others to keep off the place; never the one
// that judges it.
func (s *script) holder(n uint32) int {
	return (s.unit(n) + 1 + s.pick(n, drawHolder, len(countries)-1)) % len(countries)
}

// outlet is the index of the outlet whose brand the item carries.
func (s *script) outlet(n uint32) int {
	if c, ok := s.card(n); ok && c.outlet > 0 {
		return c.outlet
	}
	if s.fate(n) != toUnscope {
		return s.pick(s.work(n), drawOutlet, inScope)
	}
	return inScope + s.pick(n, drawOutlet, len(outlets)-inScope)
}

// copies is about how many items are captures of one work.
const copies = 10

// work is which invented work the item is a capture of: its copies lie at one
// provider and are found by one unit, so that they meet in that unit's batches.
func (s *script) work(n uint32) uint32 {
	at := s.provider(n)
	span := uint32(copies * float64(len(countries)) / providers[at].share)
	return (n/span*uint32(len(countries))+uint32(s.unit(n)))*uint32(len(providers)) + uint32(at)
}

// bytes is the SHA-256 of the invented bytes of the item, hex.
func (s *script) bytes(n uint32) string {
	sum := sha256.Sum256(s.itemBytes(n))
	return hex.EncodeToString(sum[:])
}

// doubted reports whether a second pair of eyes will not agree, should the item
// be drawn for a second look.
func (s *script) doubted(n uint32) bool { return s.part(n, drawDoubt) < doubtShare }

// doubtShare is the part of second looks that disagree.
const doubtShare = .1

// interim is the provider's first word where its final one comes later, ""
// where it comes at once.
func (s *script) interim(n uint32) string {
	switch o := s.outcome(n); {
	case o == saysNothing, o == saysLate, o == saysNever:
		return ""
	}
	switch at := s.part(n, drawInterim); {
	case at < .02:
		return "need_information"
	case at < .05:
		return "in_review"
	case at < .06:
		return "received"
	}
	return ""
}

// answer is the provider's final word, "" where it never gives one.
func (o outcome) answer() string {
	switch o {
	case saysDisabled:
		return "disabled_eu"
	case saysSuspended:
		return "account_suspended"
	case saysRestricted:
		return "age_or_interaction_restricted"
	case saysUnavailable:
		return "already_unavailable"
	case saysRefused:
		return "refused_not_violating"
	case saysNotOurs:
		return "not_ours"
	case saysForceMajeure:
		return "impossible_force_majeure"
	case saysInsufficient:
		return "impossible_facts_insufficient"
	case saysForwarded:
		return "forwarded_to_customer"
	case saysCannotIsolate:
		return "cannot_isolate"
	case saysCountries:
		return "disabled_countries"
	case saysNothing, saysNever:
		return ""
	}
	return "removed"
}
