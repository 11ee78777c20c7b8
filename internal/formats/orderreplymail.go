package formats

import (
	"strings"
	"time"

	"concert"
)

// OrderReplyMail is what the mail says that answers a reply by mail to a removal order: a
// receipt, which field is wrong, or that a person reads it. It names no place.
type OrderReplyMail struct {
	Lang        string // en, fr or ar
	Exercise    bool
	Outcome     concert.ReplyOutcome
	Ref         string // of the order
	At          time.Time
	Done, Items string // how many items have Annex II now, of how many
	Status      string // of the order
	Field, Code string // of the refusal
	Said        string // the refusal in words, in English
	Base        string
}

// Subject is its subject: the order's reference first.
func (m OrderReplyMail) Subject() (string, error) {
	w, err := wordingOf(m.Lang)
	if err != nil {
		return "", err
	}
	text := w.say("order.replied.subject." + string(m.Outcome))
	if m.Exercise {
		text = "EXERCISE: " + text
	}
	return "[" + m.Ref + "] " + text, w.fault
}

// Text is its body.
func (m OrderReplyMail) Text() (string, error) {
	w, err := wordingOf(m.Lang)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	if m.Exercise {
		line("*** " + w.say("exercise") + " ***\n")
	}
	line(w.say("order.replied."+string(m.Outcome), "ref", m.Ref, "at", minute(m.At)) + "\n")
	if m.Outcome == concert.ReplyAnswered {
		line(w.say("order.replied.done", "done", m.Done, "items", m.Items, "status", m.Status))
	} else {
		if m.Field != "" {
			line(w.say("order.replied.field", "field", m.Field))
		}
		line(m.Said + " (" + m.Code + ")\n")
		line(w.say("order.replied.hour"))
	}
	line("\n" + w.say("order.portal", "base", m.Base))
	line(w.say("footer", "token", "["+m.Ref+"]"))
	return b.String(), w.fault
}
