package concert

import "time"

// GoodFaith stands on every referral that is meant as a notice under Art. 16 of
// Regulation (EU) 2022/2065, as its Art. 16(2)(d) asks.
const GoodFaith = "The authority that judged confirms its bona fide belief that the information and allegations in this notice are accurate and complete (Regulation (EU) 2022/2065, Art. 16(2)(d))."

// PayloadArticle16 says in a signed payload that the referral is meant as a
// notice under Art. 16: who gives it, and that it is in good faith. The explanation
// and the exact place (Art. 16(2)(a) and (b)) are each item's facts, reason and
// location.
type PayloadArticle16 struct {
	Notifier  string `json:"notifier"` // the authority's name
	Contact   string `json:"contact"`
	GoodFaith string `json:"good_faith"` // GoodFaith
}

// AuthoritySetting is how an authority authors.
type AuthoritySetting struct {
	Authority AuthorityID
	Article16 bool // its referrals are meant as notices under DSA Art. 16
	SetBy     PersonID
	SetAt     time.Time
}

// SettingBody is the body of the event that an authority changed how it authors.
type SettingBody struct {
	Ref       string      `json:"ref"`
	Authority AuthorityID `json:"authority"`
	Article16 bool        `json:"article16"`
}

// Article16Set changes whether the authority's referrals are meant as notices
// under DSA Art. 16. It is a reviewer of it who says so: a notice gives its provider actual knowledge (Art. 6 and 16(3)) and duties towards the
// notifier and the one whose content it is (Art. 16(4) to (6), 17), which a mere
// referral does not.
func (s AuthoritySetting) Article16Set(by Actor, a Authority, on bool, now time.Time) (AuthoritySetting, Event, error) {
	if err := by.MayApprove(); err != nil {
		return s, Event{}, err
	}
	if by.Authority != a.ID {
		return s, Event{}, ErrNotFound
	}
	if on == s.Article16 {
		return s, Event{}, Refuse(Conflict, "article16.same", "", "this is how referrals are meant already")
	}
	s.Authority, s.Article16, s.SetBy, s.SetAt = a.ID, on, by.Person, now
	return s, NewEvent(EventAuthorityArticle16, by, string(a.ID), now, SettingBody{Ref: a.Ref, Authority: a.ID, Article16: on}), nil
}
