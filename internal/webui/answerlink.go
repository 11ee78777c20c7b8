package webui

import (
	"net/http"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// linkRoutes are the pages behind a one-time answer link, and those of providers'
// contact points.
func (u *UI) linkRoutes() []route {
	return []route{
		{"GET /answer/{token}", u.serve(byLink, u.greetLink)},
		{"POST /answer/{token}", u.serve(byLink, u.openLink)},
		{"POST /answer/{token}/acknowledgement", u.serve(byLink, u.acknowledgeLink)},
		{"POST /answer/{token}/answers", u.serve(byLink, u.answerLink)},
		{"POST /answer/{token}/question", u.serve(byLink, u.askLink)},

		{"GET /providers/{ref}", u.serve(person, u.provider)},
		{"POST /providers/{ref}/contacts", u.serve(person, u.addContact)},
		{"POST /providers/{ref}/seat", u.serve(person, u.seatProvider)},
		{"POST /contacts/{ref}/restore", u.serve(person, u.restoreContact)},
		{"POST /contacts/{ref}/retire", u.serve(person, u.retireContact)},
		{"POST /referrals/{ref}/links/revoke", u.serve(person, u.revokeLinks)},
	}
}

// linkItem is one item behind a link.
type linkItem struct {
	referralItem
	N      string
	May    bool // a final answer may still be given on it
	Since  timeText
	Closed design.Text // why none may, "" where one may
}

// linkPage is a referral behind a link, or its receipt.
type linkPage struct {
	Token    string
	Ref      string
	Provider string
	Author   concert.PayloadParty
	Sent     timeText
	Until    timeText
	Acked    bool
	Version  int64
	Items    []linkItem
	Messages []concert.Message
	Finished bool
	All      string // the answer for all that have none of their own
	Question string
	About    string
	Done     design.Text
	Errors   formErrors
	Exercise bool
}

// greetLink says that there is something to show, and nothing of what: programs
// that check mail follow every link.
func (u *UI) greetLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.svc.GreetLink(r.Context(), r.PathValue("token"))
	if err != nil {
		return linkGone(err)
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Answer a referral"), body: greetView(linkPage{Token: r.PathValue("token"), Provider: p.Name})})
}

// linkGone says the same of a link that is over, wrong or unknown.
func linkGone(err error) error {
	if e, err := formErrorsOf(err); err == nil && len(e) > 0 {
		return e[0]
	}
	if isNotFound(err) {
		return concert.Refuse(concert.NotFound, "link.over", "", "this link opens nothing any more: it has expired, was revoked, or was cut when it was copied. To ask for a new one, answer the mail it came in")
	}
	return err
}

func (u *UI) openLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showLink(w, r, v, linkPage{})
}

// showLink renders what is behind the link as it stands now; p holds what came of
// a form.
func (u *UI) showLink(w http.ResponseWriter, r *http.Request, v *visit, p linkPage) error {
	l, err := u.svc.OpenLink(r.Context(), r.PathValue("token"))
	if err != nil {
		return linkGone(err)
	}
	typed := map[string]replying{}
	for _, it := range p.Items {
		typed[it.Ref] = it.Reply
	}
	p.Token, p.Ref, p.Provider, p.Author, p.Exercise = r.PathValue("token"), l.Ref, l.Provider.Name, l.Payload.Author, l.Exercise
	p.Sent, p.Until, p.Acked, p.Version, p.Finished, p.Messages, p.Items = at(l.CreatedAt), at(l.Link.ExpiresAt), !l.AckedAt.IsZero(), l.Version, l.Finished, l.Messages, nil
	signed := make(map[string]concert.PayloadItem, len(l.Payload.Items))
	for _, it := range l.Payload.Items {
		signed[it.Ref] = it
	}
	for i, it := range l.Items {
		x := linkItem{N: strconv.Itoa(i), May: l.May[it.ID], referralItem: referralItem{PayloadItem: signed[it.Ref], Claimed: it.Claimed, Status: it.Status, Remedies: l.Remedies[it.ID], Reply: typed[it.Ref]}}
		x.Ref = it.Ref
		if a, ok := l.Answered[it.ID]; ok {
			x.Since = at(a.At)
		}
		switch {
		case it.Status == concert.ItemWithdrawn:
			x.Closed = "Withdrawn by us: nothing to answer."
		case !x.May:
			x.Closed = "Your answer is final here. To change it, answer the mail."
		}
		p.Items = append(p.Items, x)
	}
	return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Referral %s", p.Ref), body: linkView(p)})
}

func (u *UI) acknowledgeLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.AcknowledgeByLink(r.Context(), r.PathValue("token")); err != nil {
		return linkGone(err)
	}
	return u.showLink(w, r, v, linkPage{Done: "Acknowledged. Thank you."})
}

// answerLink takes the answers of the form: an item's own, else the one for all.
func (u *UI) answerLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := linkPage{All: field(r, "all")}
	var in []casework.Replying
	for i := range concert.ReferralItems {
		n := strconv.Itoa(i)
		ref := field(r, "item."+n)
		if ref == "" {
			continue
		}
		f := replying{Code: field(r, "code."+n), Countries: field(r, "countries."+n), Forwarded: field(r, "forwarded."+n), Note: field(r, "note."+n)}
		if f.Code == string(concert.AnswerCannotIsolate) {
			f.Others, f.OthersAre = field(r, "others."+n), field(r, "others_are."+n)
		}
		p.Items = append(p.Items, linkItem{referralItem: referralItem{PayloadItem: concert.PayloadItem{Ref: ref}, Reply: f}})
		if f.Code == "" {
			f.Code = p.All
		}
		if f.Code == "" {
			continue
		}
		in = append(in, casework.Replying{Item: ref, Answer: concert.Answer{Code: concert.AnswerCode(f.Code), Countries: strings.Fields(strings.ToUpper(f.Countries)), Forwarded: f.Forwarded, Note: f.Note, Others: othersOf(f.Others), OthersAre: concert.OtherKind(f.OthersAre)}})
	}
	out, err := u.svc.AnswerByLink(r.Context(), r.PathValue("token"), version(r), in)
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return linkGone(err)
		}
		return u.showLink(w, r, v, p)
	}
	for i, o := range out {
		if o.Err == nil {
			continue
		}
		e := *o.Err
		e.Field = ""
		p.Errors = append(p.Errors, &e)
		for j := range p.Items {
			if p.Items[j].Ref == in[i].Item {
				p.Items[j].Reply.Error = said(r.Context(), o.Err)
			}
		}
	}
	if len(p.Errors) == 0 {
		p.Items, p.All, p.Done = nil, "", "Answers recorded. Thank you."
	}
	return u.showLink(w, r, v, p)
}

func (u *UI) askLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := linkPage{Question: field(r, "text"), About: field(r, "about")}
	err := u.svc.AskByLink(r.Context(), r.PathValue("token"), p.About, p.Question)
	if p.Errors, err = formErrorsOf(err); err != nil {
		return linkGone(err)
	}
	if len(p.Errors) == 0 {
		p = linkPage{Done: "Your question is recorded. The authority answers by mail."}
	}
	return u.showLink(w, r, v, p)
}

var messageTexts = map[concert.MessageKind]design.Text{
	concert.MessageQuestion: "question", concert.MessageReply: "reply by mail", concert.MessageAutomatic: "automatic reply", concert.MessageDelivered: "reported delivered", concert.MessageRelayed: "handed on, no more reports",
	concert.MessageDelayed: "delayed", concert.MessageBounced: "came back", concert.MessageRead: "displayed, says a program", concert.MessageComplaint: "marked as unwanted",
}

var senderTexts = map[concert.Sender]design.Text{
	concert.SenderUnverified: "sender not verified", concert.SenderDKIM: "signed by the contact point's domain", concert.SenderLink: "through the answer link",
}
