package concert

import "time"

// NoticeKind is what a delivery tells the provider.
type NoticeKind string

// The kinds of notice.
const (
	NoticeReferral     NoticeKind = "referral"
	NoticeReminder     NoticeKind = "reminder"
	NoticeWithdrawal   NoticeKind = "withdrawal"
	NoticeCorrection   NoticeKind = "correction"
	NoticeSandbox      NoticeKind = "sandbox"
	NoticeQuestion     NoticeKind = "question"            // the authority wrote in a referral's thread
	NoticeOrder        NoticeKind = "order"               // a removal order
	NoticeFirstContact NoticeKind = "order_first_contact" // procedures and deadlines, before a first order (Art. 3(2))
	NoticeClarified    NoticeKind = "order_clarified"
	NoticeOrderEnded   NoticeKind = "order_ended"       // withdrawn, or void: reinstate
	NoticeOrderAlarm   NoticeKind = "order_alarm"       // its hour is nearly over, or over
	NoticeOrderKept    NoticeKind = "order_kept"        // the six months of Art. 6 are over
	NoticeScrutinised  NoticeKind = "order_scrutinised" // found without an infringement, or kept from the content provider for longer: read it again
	NoticePatterns     NoticeKind = "patterns"          // a note on the patterns of abuse, at an action's end
)

// OfOrder reports whether the notice is about a removal order, which is no
// referral: it goes at any hour.
func (k NoticeKind) OfOrder() bool {
	switch k {
	case NoticeOrder, NoticeFirstContact, NoticeClarified, NoticeOrderEnded, NoticeOrderAlarm, NoticeOrderKept, NoticeScrutinised:
		return true
	}
	return false
}

// Rung is a step of the delivery ladder; each is kept with its evidence, since
// a legal clock may start only on the rung that the law accepts.
type Rung string

// The rungs, from the ground up; failed and gone are beside the ladder.
const (
	RungQueued       Rung = "queued"
	RungSent         Rung = "sent"         // we tried
	RungAccepted     Rung = "accepted"     // its machine took it (2xx, SMTP 250, or the inbox was read)
	RungDelivered    Rung = "delivered"    // its mail system says that it lies in the mailbox (RFC 3464)
	RungOpened       Rung = "opened"       // the full referral was fetched
	RungAcknowledged Rung = "acknowledged" // someone confirmed it
	RungFailed       Rung = "failed"       // the schedule ended
)

var rungHeight = map[Rung]int{RungQueued: 0, RungFailed: 1, RungSent: 2, RungAccepted: 3, RungDelivered: 4, RungOpened: 5, RungAcknowledged: 6}

// Proves reports whether the rung proves that what was sent was received: the
// addressee's machine took it, it lies in its mailbox, or somebody there opened or
// confirmed it (Regulation (EU) 2021/784 Art. 3(5)).
func (r Rung) Proves() bool { return rungHeight[r] >= rungHeight[RungAccepted] }

// Delivery is one notice on its way to one provider.
type Delivery struct {
	ID        DeliveryID
	Provider  ProviderID
	Referral  ReferralID
	RefRef    string // the referral's public reference
	Action    ActionID
	Kind      NoticeKind
	Remedy    string // reference of the remedy it carries
	Rung      Rung
	Attempts  int
	NextAt    time.Time // when it is next to be tried; zero when done
	Evidence  string    // of the highest rung
	CreatedAt time.Time
	SentAt    time.Time
	Version   int64
}

// Climbed moves the delivery up to the rung; a lower or equal rung changes
// nothing.
func (d Delivery) Climbed(to Rung, evidence string, now time.Time) (Delivery, Event, bool) {
	if rungHeight[to] <= rungHeight[d.Rung] {
		return d, Event{}, false
	}
	d.Rung, d.Evidence = to, evidence
	if to != RungSent {
		d.NextAt = time.Time{}
	}
	return d, NewEvent(EventDeliveryMoved, House, string(d.ID), now, DeliveryBody{Referral: d.RefRef, Provider: d.Provider, Action: d.Action, Kind: d.Kind, Rung: to, Attempt: d.Attempts, Evidence: evidence}), true
}

// MayGo reports whether the notice may be pushed now. Outside its provider's
// hours (G12) only what is urgent goes, and what takes an item back: that does
// nobody's night harm and somebody's content good.
func (d Delivery) MayGo(open, urgent bool) bool {
	return open || urgent || d.Kind == NoticeWithdrawal || d.Kind.OfOrder()
}

// WebhookNotice is the thin body that a webhook carries and the inbox lists:
// no place, no text, only what to fetch.
type WebhookNotice struct {
	Type      string     `json:"type"` // "referral.sent", "referral.reminder", "referral.withdrawn", "referral.corrected", "referral.sandbox", "referral.question", "action.patterns"
	Timestamp string     `json:"timestamp"`
	Data      NoticeData `json:"data"`
}

// NoticeData is the thin payload.
type NoticeData struct {
	Referral  string `json:"referral"` // its reference
	URL       string `json:"url"`      // where to fetch it, with the provider's key
	Items     int    `json:"items"`
	Author    string `json:"author"` // authority that judged, not the sender
	Voluntary bool   `json:"voluntary"`
	Urgent    bool   `json:"urgent,omitempty"`
	Remedy    string `json:"remedy,omitempty"`
	Exercise  bool   `json:"exercise,omitempty"`
	Question  string `json:"question,omitempty"`  // the message that was written
	Article16 bool   `json:"article16,omitempty"` // meant as a notice under DSA Art. 16
}

// OrderNotice is the thin body that a webhook carries where it is about a removal
// order: another type than a referral's (G01), since an order binds.
type OrderNotice struct {
	Type      string          `json:"type"` // "order.issued", "order.first_contact", "order.clarified", "order.ended", "order.alarm", "order.preservation_over", "order.scrutinised"
	Timestamp string          `json:"timestamp"`
	Data      OrderNoticeData `json:"data"`
}

// OrderNoticeData is the thin payload.
type OrderNoticeData struct {
	Order    string `json:"order"` // its reference
	URL      string `json:"url"`   // where to fetch it, with the provider's key
	Items    int    `json:"items"`
	Author   string `json:"author"` // the authority that issued it, not the sender
	Binding  bool   `json:"binding"`
	Left     *int   `json:"left_minutes,omitempty"` // of the hour, with an alarm; 0 when it is over
	Exercise bool   `json:"exercise,omitempty"`
}

// NoticeTypes maps a kind of notice to the type its webhook names.
var NoticeTypes = map[NoticeKind]string{
	NoticeReferral:   "referral.sent",
	NoticeReminder:   "referral.reminder",
	NoticeWithdrawal: "referral.withdrawn",
	NoticeCorrection: "referral.corrected",
	NoticeSandbox:    "referral.sandbox",
	NoticeQuestion:   "referral.question",
	NoticePatterns:   "action.patterns",

	NoticeOrder:        "order.issued",
	NoticeFirstContact: "order.first_contact",
	NoticeClarified:    "order.clarified",
	NoticeOrderEnded:   "order.ended",
	NoticeScrutinised:  "order.scrutinised",
	NoticeOrderAlarm:   "order.alarm",
	NoticeOrderKept:    "order.preservation_over",
}
