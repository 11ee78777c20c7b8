package concert

import (
	"slices"
	"time"
)

// Figures are a provider's own numbers beyond the running ones
// (docs/counting.md): what it claims, what we saw, and how fast it answered.
type Figures struct {
	Items     int64                `json:"items"` // referred to it
	ByCode    map[AnswerCode]int64 `json:"by_code"`
	First     Spread               `json:"first_answer"` // from the referral to the first word of any kind
	Final     Spread               `json:"final_answer"` // from the referral to the first final word
	Agreement Agreement            `json:"agreement"`
}

// Spread is how long something took: n, the median and the ninth tenth, in whole
// seconds of case time.
type Spread struct {
	N      int   `json:"n"`
	Median int64 `json:"median_s"`
	P90    int64 `json:"p90_s"`
}

// Agreement sets what the provider claims beside what we saw: of the items with a
// claimed effect that we looked at.
type Agreement struct {
	Claimed  int64     `json:"claimed"` // items with a claimed effect
	Looked   int64     `json:"looked"`  // of those: looked at with an outcome (down or up)
	Agreed   int64     `json:"agreed"`  // of those: seen down
	Up       int64     `json:"up"`      // of those: seen up
	Unclear  int64     `json:"unclear"` // of the claimed: partial or unknown; limits by country are seen so
	LastLook time.Time `json:"-"`       // the newest look that counts here
	LookedAt string    `json:"last_look,omitempty"`
}

// SpreadOf is the spread of these times: of n sorted ones, those at place
// ⌊n/2⌋ and ⌊9n/10⌋ counted from 0, as in docs/counting.md.
func SpreadOf(times []time.Duration) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	s := slices.Clone(times)
	slices.Sort(s)
	sec := func(i int) int64 { return int64(max(0, s[i]) / time.Second) }
	return Spread{N: len(s), Median: sec(len(s) / 2), P90: sec(len(s) * 9 / 10)}
}

// Matched counts n items that a provider claims and we saw like this.
func (a Agreement) Matched(claim AnswerCode, seen Observed, n int64) Agreement {
	if !claim.Effect() {
		return a
	}
	a.Claimed += n
	switch seen {
	case ObservedDown:
		a.Looked, a.Agreed = a.Looked+n, a.Agreed+n
	case ObservedUp:
		a.Looked, a.Up = a.Looked+n, a.Up+n
	case ObservedPartial, ObservedUnknown:
		a.Unclear += n
	}
	return a
}
