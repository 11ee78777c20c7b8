package concert

import "time"

// ContentLinkID names a ContentLink.
type ContentLinkID string

// ContentLinkMonths is for how many months the page of a content provider can be opened
// after it was last asked for: longer than any term to seek a review.
const ContentLinkMonths = 12

// ContentLink lets whoever provided a piece of content see why it was ordered removed
// or referred, by whom and what can be done about it, without an account. There is one
// for each item of an order or a referral, since the items of one order may be different
// people's; only the digest of its token is kept.
type ContentLink struct {
	ID         ContentLinkID
	Digest     [32]byte
	Order      OrderID    // "" where it is of a referral
	Referral   ReferralID // "" where it is of an order
	Item       ItemID
	Authority  AuthorityID // that ordered or referred
	Provider   ProviderID
	CreatedAt  time.Time
	ExpiresAt  time.Time
	InformedAt time.Time // when it was first shown: the information under Art. 11; zero before
	Version    int64
}

// Usable reports whether the link still opens its page.
func (l ContentLink) Usable(now time.Time) bool { return now.Before(l.ExpiresAt) }

// Prolonged is the link as it is when it is asked for again.
func (l ContentLink) Prolonged(now time.Time) ContentLink {
	l.ExpiresAt = now.AddDate(0, ContentLinkMonths, 0)
	return l
}

// contentProvider is what stands in events for the one whose content it is: nobody
// learns, or needs to learn, who that is.
const contentProvider = "content_provider"

// Actor is whom the link speaks for: somebody without any role.
func (l ContentLink) Actor() Actor { return Actor{Person: contentProvider, Operator: contentProvider} }

// LinkedBody is the body of the event that says that a content provider was informed.
type LinkedBody struct {
	For       string      `json:"for"` // reference of the order or referral
	Kind      AboutKind   `json:"kind"`
	Item      string      `json:"item"` // its reference
	Authority AuthorityID `json:"authority"`
	Provider  ProviderID  `json:"provider"`
	Exercise  bool        `json:"exercise,omitempty"`
}

// Informed says that the page was shown for the first time: the content provider is
// informed (Art. 11(1)), and its 48 hours to ask for scrutiny run (Art. 4(4)). Later
// showings change nothing.
func (l ContentLink) Informed(of, item string, exercise bool, now time.Time) (ContentLink, Event, bool) {
	if !l.InformedAt.IsZero() {
		return l, Event{}, false
	}
	l.InformedAt = now
	return l, NewEvent(EventContentInformed, l.Actor(), l.subject(), now, LinkedBody{For: of, Kind: l.Kind(), Item: item, Authority: l.Authority, Provider: l.Provider, Exercise: exercise}), true
}

// Kind is what the link is of.
func (l ContentLink) Kind() AboutKind {
	if l.Order != "" {
		return AboutOrder
	}
	return AboutReferral
}

func (l ContentLink) subject() string {
	if l.Order != "" {
		return string(l.Order)
	}
	return string(l.Item)
}
