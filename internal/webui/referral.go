package webui

import (
	"net/http"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// inboxPage is how many notices one page of the inbox shows.
const inboxPage = 100

// told is one notice to the provider.
type told struct {
	Ref, Author     string
	Kind, Rung      design.Text
	Items           int
	Urgent, Sandbox bool
	At              timeText
}

// inboxList is a provider's plain list of what it was told.
type inboxList struct {
	Notices []told
	Next    string
	Later   bool
}

func (u *UI) inbox(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.person.Provider == "" {
		return u.referralList(w, r, v)
	}
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		after = 0
	}
	p := inboxList{Later: after > 0}
	notices, err := u.svc.Inbox(r.Context(), v.actor(), after, inboxPage)
	if err != nil {
		return err
	}
	for _, n := range notices {
		p.Notices = append(p.Notices, told{Ref: n.RefRef, Kind: noticeKinds[n.Kind], Author: n.Author, Rung: rungTexts[n.Rung], Items: n.Items, Urgent: n.Urgent, Sandbox: n.Kind == concert.NoticeSandbox, At: at(n.CreatedAt)})
	}
	if len(notices) == inboxPage {
		p.Next = "/referrals?after=" + strconv.FormatInt(notices[inboxPage-1].Position, 10)
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Referrals to us"), body: inboxListView(p)})
}

// replying is the answer on one item as it was typed.
type replying struct{ Code, Countries, Forwarded, Note, Error, Others, OthersAre string }

// referralItem is one item of a referral as its reader sees it: the signed
// words, and what was said since.
type referralItem struct {
	concert.PayloadItem
	Claimed  concert.AnswerCode
	Observed concert.Observed
	Status   concert.ItemStatus
	Remedies []concert.Remedy
	Reply    replying
	Wide     concert.Isolation // that cannot be isolated, where it is said
}

// referralPage is one referral; the form is there for the provider's people
// who answer.
type referralPage struct {
	Ref         string
	Version     int64
	Status      concert.ReferralStatus
	Voluntary   string
	Author      concert.PayloadParty
	Provider    string
	ProviderRef string
	Sent        timeText
	Acked       timeText
	Answered    int
	Exercise    bool
	Items       []referralItem
	Steps       []told
	Messages    []concert.Message
	MayAnswer   bool
	Inside      bool // read by an authority, not by the provider
	Erased      int  // items that are gone, so that the original is not shown
	Digest      string
	Errors      formErrors
	Article16   bool
	Asked       int // messages in its thread
	Talks       bool
}

var referralStates = map[concert.ReferralStatus]state{
	concert.ReferralSent:         {Mark: "➤", Label: "sent", Tone: "go"},
	concert.ReferralAcknowledged: {Mark: "◐", Label: "acknowledged", Tone: "go"},
	concert.ReferralPartly:       {Mark: "◑", Label: "partly answered", Tone: "wait"},
	concert.ReferralAnswered:     {Mark: "●", Label: "answered", Tone: "good"},
}

func (u *UI) referralFor(r *http.Request, v *visit) (referralPage, error) {
	scope, err := v.scope()
	if err != nil {
		return referralPage{}, err
	}
	ref, err := u.svc.ReadReferral(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return referralPage{}, err
	}
	p := referralPage{Ref: ref.Ref, Version: ref.Version, Status: ref.Status, Voluntary: concert.VoluntaryNotice, Author: ref.Payload.Author, Provider: ref.Provider.Name,
		Sent: at(ref.CreatedAt), Acked: at(ref.AckedAt), Answered: ref.Answered, Exercise: ref.Exercise, Inside: v.person.Provider == "", Erased: ref.Erased, Digest: ref.Digest}
	p.MayAnswer = v.actor().MayAnswer(ref.Referral) == nil
	p.Article16, p.Asked, p.Talks = ref.Article16, ref.Thread.Messages, true
	signed := make(map[string]concert.PayloadItem, len(ref.Payload.Items))
	for _, it := range ref.Payload.Items {
		signed[it.Ref] = it
	}
	for _, it := range ref.Items {
		p.Items = append(p.Items, referralItem{PayloadItem: signed[it.Ref], Claimed: it.Claimed, Observed: it.Observed, Status: it.Status, Remedies: ref.Remedies[it.ID]})
		if it.Claimed == concert.AnswerCannotIsolate {
			p.Items[len(p.Items)-1].Wide = ref.Isolations[it.ID]
		}
		p.Items[len(p.Items)-1].Ref = it.Ref
	}
	p.Messages, p.ProviderRef = ref.Messages, ref.Provider.Ref
	for _, d := range ref.Deliveries {
		p.Steps = append(p.Steps, told{Kind: noticeKinds[d.Kind], Rung: rungTexts[d.Rung], Author: d.Evidence, At: at(d.CreatedAt)})
	}
	return p, nil
}

func (u *UI) referral(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.referralFor(r, v)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Referral %s", p.Ref), body: referralView(p)})
}

func (u *UI) acknowledgeReferral(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, err := u.svc.AcknowledgeReferral(r.Context(), v.actor(), r.PathValue("ref"))
	if err != nil {
		return err
	}
	return onward(w, r, "/referrals/"+ref.Ref, "acknowledged", "")
}

// answerReferral takes the answers of a form: those items that have one. What
// is refused is shown beside its item; the rest is recorded.
func (u *UI) answerReferral(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	typed := map[string]replying{}
	var in []casework.Replying
	for i := range concert.ReferralItems {
		n := strconv.Itoa(i)
		f := replying{Code: field(r, "code."+n), Countries: field(r, "countries."+n), Forwarded: field(r, "forwarded."+n), Note: field(r, "note."+n)}
		if f.Code == string(concert.AnswerCannotIsolate) {
			f.Others, f.OthersAre = field(r, "others."+n), field(r, "others_are."+n)
		}
		item := field(r, "item."+n)
		if f.Code == "" || item == "" {
			continue
		}
		typed[item] = f
		in = append(in, casework.Replying{Item: item, Answer: concert.Answer{Code: concert.AnswerCode(f.Code), Countries: countries(f.Countries), Forwarded: f.Forwarded, Note: f.Note, Others: othersOf(f.Others), OthersAre: concert.OtherKind(f.OthersAre)}})
	}
	var err error
	var results []casework.Result
	if len(in) == 0 {
		err = concert.Refuse(concert.Invalid, "answer.none", "", "no item has an answer: choose one for those you decided on, and leave the rest")
	} else {
		results, _, err = u.svc.AnswerReferral(r.Context(), v.actor(), ref, version(r), in)
	}
	var errs formErrors
	if err != nil {
		if errs, err = formErrorsOf(err); err != nil {
			return err
		}
	}
	for _, res := range results {
		f := typed[res.Ref]
		if res.Err == nil {
			delete(typed, res.Ref)
			continue
		}
		f.Error = said(r.Context(), res.Err)
		typed[res.Ref] = f
		named := res.Err.About(res.Ref)
		named.Field = ""
		errs = append(errs, named)
	}
	if len(errs) == 0 {
		return onward(w, r, "/referrals/"+ref, "answered", "")
	}
	p, err := u.referralFor(r, v)
	if err != nil {
		return err
	}
	p.Errors = errs
	for i, it := range p.Items {
		p.Items[i].Reply = typed[it.Ref]
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Referral %s", p.Ref), body: referralView(p)})
}

// countries reads a list of country codes as people type it.
func countries(s string) []string {
	return strings.FieldsFunc(strings.ToUpper(s), func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
}
