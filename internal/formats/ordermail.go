package formats

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"concert"
)

// OrderMail is what one mail to the contact point of Regulation (EU) 2021/784 Art. 15
// says about a removal order. It names no place: those stand in the order itself, which
// comes attached or is opened by a person. It never says what a referral says (G01).
type OrderMail struct {
	Kind     concert.NoticeKind
	Lang     string // en, fr or ar; NoticeLanguage picks it
	Exercise bool
	Attached bool // the signed order comes along
	Silent   bool // the content provider may not be told (Art. 11(3))
	Provider string
	Author   string // the authority that issues
	Country  string // its state
	Sender   string // names the deployment that carries it
	Base     string // where people with an account log in
	Check    string // the public page that checks orders; "" for none
	Reply    string // the mail address that takes replies
	Ref      string // of the order, or of the first contact
	Digest   string // SHA-256 of the signed payload, hex
	IssuedAt time.Time
	From     time.Time // from when an order may come, of a first contact
	Due      time.Time // when the hour ends, or the six months; zero where neither runs
	Left     int       // minutes of the hour, of an alarm
	Items    int
	Reason   string    // why it ended; what clarifies it
	Link     string    // one-time link to the order, "" for none
	Expires  time.Time // of the link
}

// Subject is the mail's subject: the reference first, so that every answer carries it.
func (m *OrderMail) Subject() (string, error) {
	w, err := wordingOf(m.Lang)
	if err != nil {
		return "", err
	}
	text := w.say("order.subject."+m.sentence(), "count", strconv.Itoa(m.Items), "author", m.Author, "left", strconv.Itoa(m.Left))
	if m.Exercise {
		text = "EXERCISE: " + text
	}
	return "[" + m.Ref + "] " + text, w.fault
}

// sentence names the texts of the mail's kind; an alarm at the hour's end has its own.
func (m *OrderMail) sentence() string {
	if m.Kind == concert.NoticeOrderAlarm && m.Left == 0 {
		return string(m.Kind) + "_over"
	}
	return string(m.Kind)
}

// Text is the mail's body: plain text in the contact point's language. The duty stands
// word for word, in English too where the mail is in another language.
func (m *OrderMail) Text() (string, error) {
	w, err := wordingOf(m.Lang)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	if m.Exercise {
		line("*** " + w.say("exercise") + " ***\n")
	}
	line(w.say("order.greeting", "provider", m.Provider) + "\n")
	line(w.say("order.intro."+m.sentence(), "author", m.Author, "country", m.Country, "sender", m.Sender, "left", strconv.Itoa(m.Left), "until", minute(m.Due), "from", minute(m.From)) + "\n")
	if m.Kind == concert.NoticeOrder {
		line(w.say("order.duty") + "\n")
		if m.Lang != "en" {
			line(concert.OrderDuty + "\n")
		}
	}
	if m.Kind == concert.NoticeFirstContact {
		for _, name := range []string{"order.how.receipt", "order.how.hour", "order.how.answer", "order.how.keep", "order.how.check"} {
			line("- " + w.say(name))
		}
		line("")
	}
	for _, f := range m.fields(w) {
		line(f.label + ": " + f.value)
	}
	if m.Silent && m.Kind == concert.NoticeOrder {
		line("\n" + w.say("order.silent"))
	}
	if m.Link != "" {
		line("\n" + w.say("order.link", "expires", minute(m.Expires), "link", m.Link))
		line(w.say("order.receipt"))
	}
	if m.Attached {
		line("\n" + w.say("order.attached", "digest", m.Digest))
	}
	if m.Check != "" && m.Digest != "" {
		line(w.say("order.check", "check", m.Check, "code", OrderCode(m.Digest)))
	}
	line("\n" + w.say("order.portal", "base", m.Base))
	line(w.say("order.reply"))
	line(w.say("footer", "token", "["+m.Ref+"]"))
	return b.String(), w.fault
}

func (m *OrderMail) fields(w *wording) []field {
	fs := []field{{w.say("order.label.author"), w.apart(oneLine(m.Author + " (" + m.Country + ")"))}, {w.say("order.label.ref"), w.apart(m.Ref)}}
	if !m.IssuedAt.IsZero() {
		fs = append(fs, field{w.say("order.label.issued"), w.apart(minute(m.IssuedAt))}, field{w.say("order.label.items"), strconv.Itoa(m.Items)})
	}
	if m.Reason != "" {
		fs = append(fs, field{w.say("order.label.reason"), w.apart(oneLine(Defanged(m.Reason)))})
	}
	return fs
}

// minute is a moment as mails write it; one that is not there is a dash.
func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// OrderCode is the short code of an order: the first sixteen hexadecimal digits of the
// SHA-256 of its payload, which its QR code carries, in groups of four.
func OrderCode(digest string) string {
	if len(digest) < 16 {
		return digest
	}
	return strings.Join([]string{digest[:4], digest[4:8], digest[8:12], digest[12:16]}, "-")
}

// OfficeMail is what a mail to the functional mailbox of an authority says, in English:
// what happened and where to read on. No content and no person stands in it.
type OfficeMail struct {
	Kind     concert.OfficeMailKind
	Ref      string
	Minutes  int // of an order's hour that are left
	Base     string
	Exercise bool
}

var officeSentences = map[concert.OfficeMailKind][3]string{
	concert.OfficeOrderAlarm:  {"%d minutes are left of the hour of removal order %s", "No answer under Annex II or III has come in for every item so far.", "/orders/"},
	concert.OfficeOrderMissed: {"The hour of removal order %[2]s is over without an answer", "Its addressee has not said of every item that it was removed or disabled (Art. 3(3), 3(6)).", "/orders/"},

	concert.OfficeOrderReply: {"A reply by mail to removal order %[2]s waits to be read", "It was not understood, or its sender is not verified: it answers nothing. What it says stands on the order's page.", "/orders/"},

	concert.OfficeThreat:       {"A provider reports a threat to life: %[2]s", "It waits for somebody to take it (Regulation (EU) 2021/784 Art. 14(5)). Nothing of what is reported stands in this mail.", "/threats/"},
	concert.OfficeThreatWaits:  {"Nobody has taken report %[2]s of a threat to life for %[1]d minutes", "It waits for somebody to take it (Regulation (EU) 2021/784 Art. 14(5)).", "/threats/"},
	concert.OfficeThreatMissed: {"Nobody has taken report %[2]s of a threat to life within the hour", "It has gone to the coordinators too, and still waits for somebody to take it.", "/threats/"},
	concert.OfficeRecommended:  {"An auditor recommends to look again: %[2]s", "An auditor found that something your authority acted upon is no terrorist content. Nothing is changed by it: withdraw or correct what was wrong, or say why it stands.", "/recommendations/"},
}

// Subject is the mail's subject.
func (m OfficeMail) Subject() (string, error) {
	s, ok := officeSentences[m.Kind]
	if !ok {
		return "", fmt.Errorf("mail to an office: no words for %q", m.Kind)
	}
	text := fmt.Sprintf(s[0], m.Minutes, m.Ref)
	if m.Exercise {
		text = "EXERCISE: " + text
	}
	return "[" + m.Ref + "] " + text, nil
}

// Text is its body.
func (m OfficeMail) Text() (string, error) {
	s, ok := officeSentences[m.Kind]
	if !ok {
		return "", fmt.Errorf("mail to an office: no words for %q", m.Kind)
	}
	text := fmt.Sprintf(s[0], m.Minutes, m.Ref) + ".\n\n" + s[1] + "\n\nAt your desk: " + m.Base + s[2] + m.Ref + "\n"
	if m.Exercise {
		text = "*** EXERCISE - invented content, nothing to be done ***\n\n" + text
	}
	return text, nil
}
