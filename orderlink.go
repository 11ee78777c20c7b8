package concert

import "time"

// OrderLink lets whoever reads the mail of a contact point for orders (Art. 15) see
// and answer one removal order without an account. It is another type than an
// AnswerLink, which is for a referral (G01). Only the digest of its token is kept.
//
// Following it shows nothing and counts as nothing: programs that check mail do. That
// a person asks to see the order proves its receipt (Art. 3(5); G11).
type OrderLink struct {
	ID        OrderLinkID
	Digest    [32]byte
	Order     OrderID
	Contact   ContactPointID
	CreatedAt time.Time
	ExpiresAt time.Time
	OpenedAt  time.Time // shown to a person who asked for it
	Version   int64
}

// Usable refuses a link that is over.
func (l OrderLink) Usable(now time.Time) error {
	if !now.Before(l.ExpiresAt) {
		return Refuse(NotFound, "link.over", "", "this link has expired: ask for a new one by answering the mail it came in")
	}
	return nil
}

// Actor is whom the link speaks for: its provider, as one who may answer, and nobody
// else. name is the contact point's reference, shown in place of an operator number.
func (l OrderLink) Actor(p ProviderID, name string) Actor {
	return Actor{Person: PersonID(name), Operator: name, Provider: p, Roles: []Role{RoleProviderAnswerer}}
}

// OrderWay is the contact point to which a removal order goes: the first live one for
// orders (Art. 15) in the order of registration. None for referrals alone is taken
// instead, so that an order never comes among referrals (G01). ok is false where there
// is none, or it pulls: then the provider's own webhook or inbox is the way.
func OrderWay(points []ContactPoint) (c ContactPoint, ok bool) {
	for _, c := range points {
		if c.Purpose.Orders() && c.Live() && c.Channel != ChannelPull {
			return c, true
		}
	}
	return ContactPoint{}, false
}

// Way is the contact point that a notice of the kind takes.
func (k NoticeKind) Way(points []ContactPoint, urgent bool) (c ContactPoint, ok bool) {
	if k.OfOrder() {
		return OrderWay(points)
	}
	return WayTo(points, urgent)
}
