package concert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// LooksMost bounds the hashes that one question to the banks has.
const LooksMost = 1000

// MayAskBanks refuses whoever asks the banks nothing: only people of authorities
// and of providers do, each of the banks that answer them.
func (a Actor) MayAskBanks() error {
	if a.Provider != "" {
		return a.Need(RoleProviderReader, RoleProviderAnswerer)
	}
	return a.needAuthority(RoleOfficer, RoleReviewer, RoleCoordinator)
}

// LookOutcome is what became of one look-up.
type LookOutcome string

// The outcomes.
const (
	LookFound      LookOutcome = "found"
	LookNone       LookOutcome = "none"        // nothing near it in the banks that were asked
	LookLowQuality LookOutcome = "low_quality" // the picture has too little in it to be told from others: no answer, and no match
	LookInvalid    LookOutcome = "invalid"     // it is no hash of a kind that is compared
)

// BankNames are the names by which somebody tells banks apart, by their numbers: its
// own have theirs, others' begin with their owner's unit, and where two would be the
// same the later one ends with its number.
func BankNames(by AuthorityID, bs []Bank, units map[AuthorityID]string) map[int64]string {
	bs = slices.SortedFunc(slices.Values(bs), func(a, b Bank) int {
		own := func(b Bank) int {
			if by != "" && b.Authority == by {
				return 0
			}
			return 1
		}
		return cmp.Or(own(a)-own(b), cmp.Compare(a.N, b.N))
	})
	out := make(map[int64]string, len(bs))
	taken := make(map[string]bool, len(bs))
	for _, b := range bs {
		name := b.Name
		if by == "" || b.Authority != by {
			name = capitals(units[b.Authority]) + "_" + b.Name
		}
		if taken[name] {
			name = fmt.Sprintf("%s_%d", name, b.N)
		}
		out[b.N], taken[name] = name, true
	}
	return out
}

// capitals writes a word as names of banks are written.
func capitals(word string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(word)), "_")
}
