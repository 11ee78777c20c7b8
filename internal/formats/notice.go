package formats

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
)

// Notice is what one mail to a provider says: one notice, or a digest of several
// (Parts). It names no officer, and carries no content.
type Notice struct {
	Lang     string // en, fr or ar; NoticeLanguage picks it
	Digest   bool
	Exercise bool
	Provider string
	Sender   string // names the deployment that carries it
	Base     string // where people with an account log in
	Keys     string // where the public keys are
	Reply    string // the mail address that takes replies
	Token    string // stands in the subject: [RF-…]
	SentAt   time.Time
	Parts    []NoticePart
}

// NoticePart is what is said about one referral.
type NoticePart struct {
	Kind    concert.NoticeKind
	Payload concert.ReferralPayload // with the items that this notice is about, and no others
	Signed  []byte                  // the signed original as JSON; nil where an item of it is erased
	Reason  string                  // of a withdrawal or correction; of a message, its words
	Remedy  string                  // its reference
	Link    string                  // one-time answer link, "" for none
	Expires time.Time               // of the link
	Urgent  bool

	Patterns *concert.Patterns // of a note on patterns of abuse, which is about no item by itself
	Action   string            // the name of its joint action
}

// Items are how many items the notice is about.
func (n *Notice) Items() int {
	sum := 0
	for _, p := range n.Parts {
		sum += len(p.Payload.Items)
	}
	return sum
}

//go:embed mailtext/*.txt
var mailTexts embed.FS

// NoticeLanguages are those that notices are written in.
var NoticeLanguages = []string{"en", "fr", "ar"}

// NoticeLanguage is the first of a contact point's languages that notices are
// written in, English where none is.
func NoticeLanguage(reads []string) string {
	for _, l := range reads {
		base, _, _ := strings.Cut(strings.ToLower(l), "-")
		if slices.Contains(NoticeLanguages, base) {
			return base
		}
	}
	return NoticeLanguages[0]
}

// wording is the sentences of one language by name.
type wording struct {
	lang  string
	texts map[string]string
	fault error
}

func wordingOf(lang string) (*wording, error) {
	text, err := fs.ReadFile(mailTexts, "mailtext/"+lang+".txt")
	if err != nil {
		return nil, fmt.Errorf("notices are not written in %q: use one of %v", lang, NoticeLanguages)
	}
	w := &wording{lang: lang, texts: map[string]string{}}
	name := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "== "):
			name = strings.TrimPrefix(line, "== ")
		case name != "" && line != "":
			if w.texts[name] != "" {
				line = w.texts[name] + " " + line
			}
			w.texts[name] = line
		}
	}
	return w, nil
}

var placeName = regexp.MustCompile(`\{[a-z]+\}`)

// say is a sentence with its places filled: name, value, name, value. A sentence
// that is not there, a place that nobody fills and a place filled with nothing
// are faults, and a notice with a fault is not sent.
func (w *wording) say(name string, places ...string) string {
	text, ok := w.texts[name]
	if !ok {
		w.fail("the sentence %q is missing", name)
		return ""
	}
	return placeName.ReplaceAllStringFunc(text, func(p string) string {
		for i := 0; i+1 < len(places); i += 2 {
			if places[i] == p[1:len(p)-1] && strings.TrimSpace(places[i+1]) != "" {
				return w.apart(oneLine(places[i+1]))
			}
		}
		w.fail("nobody filled the place %s of %q", p, name)
		return p
	})
}

// leftToRight is a mark that is not seen: what stands between two of them keeps
// its own direction (UAX 9), so that dates and brackets are not taken apart.
const leftToRight = "\u200e"

// rightToLeft parts two such values that stand beside each other.
const rightToLeft = "\u200f"

// apart keeps a value that is written from left to right in one piece in a text
// from right to left. Addresses are left alone: programs would take the mark
// into the link.
func (w *wording) apart(s string) string {
	return apart(s, w.texts["direction"] == "rtl")
}

func apart(s string, rtl bool) string {
	if !rtl || strings.HasPrefix(s, "http") || strings.ContainsFunc(s, rightToLeftLetter) {
		return s
	}
	return leftToRight + s + leftToRight
}

// rightToLeftLetter reports letters of scripts that run from right to left.
func rightToLeftLetter(r rune) bool {
	return r >= 0x0590 && r <= 0x08ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc
}

func (w *wording) fail(format string, args ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf("notice in %s is not sent: "+format, append([]any{w.lang}, args...)...)
	}
}

// or is a sentence by a code; a code without one is itself.
func (w *wording) or(group, code string) string {
	if t, ok := w.texts[group+"."+code]; ok {
		return t
	}
	return oneLine(code)
}

// oneLine keeps text of others to one line without control characters, so that
// it cannot begin a header, a line of ours or a change of direction.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return r < ' ' || r == 0x7f || r == ' ' || r == 0x2028 || r == 0x2029 || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
	}), " ")
}

var liveAddress = regexp.MustCompile(`(?i)\b(https?|ftp)://([^\s/?#]+)`)

// Defanged makes addresses in free text unclickable.
func Defanged(s string) string {
	return liveAddress.ReplaceAllStringFunc(s, func(m string) string {
		scheme, host, _ := strings.Cut(m, "://")
		scheme = strings.NewReplacer("tt", "xx", "TT", "XX", "ftp", "fxp", "FTP", "FXP").Replace(scheme)
		return scheme + "://" + strings.ReplaceAll(host, ".", "[.]")
	})
}

// Subject is the mail's subject: the reference first, so that every answer
// carries it back.
func (n *Notice) Subject() (string, error) {
	w, err := wordingOf(n.Lang)
	if err != nil {
		return "", err
	}
	if len(n.Parts) == 0 {
		return "", fmt.Errorf("a notice about nothing")
	}
	count := strconv.Itoa(n.Items())
	text := ""
	if n.Digest {
		text = w.say("subject.digest", "notices", strconv.Itoa(len(n.Parts)), "count", count)
	} else {
		text = w.say("subject."+string(n.Parts[0].Kind), "count", count, "author", n.Parts[0].Payload.Author.Name)
	}
	if n.Exercise {
		text = "EXERCISE: " + text
	}
	return "[" + n.Token + "] " + text, w.fault
}

// Text is the mail's body: plain text in the contact point's language, addresses
// defanged. The voluntary notice stands word for word (G01), in English too where
// the mail is in another language.
func (n *Notice) Text() (string, error) {
	w, err := wordingOf(n.Lang)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	if n.Exercise {
		line("*** " + w.say("exercise") + " ***\n")
	}
	line(w.say("greeting", "provider", n.Provider) + "\n")
	for i := range n.Parts {
		n.writePart(w, &n.Parts[i], line)
	}
	line(w.say(n.attached(), "keys", n.Keys) + "\n")
	line(w.say("answer.portal", "base", n.Base))
	line(w.say("answer.reply"))
	line(w.say("footer", "token", "["+n.Token+"]"))
	return b.String(), w.fault
}

func (n *Notice) attached() string {
	if n.Digest {
		return "attached.digest"
	}
	if k := n.Parts[0].Kind; k == concert.NoticeQuestion || k == concert.NoticePatterns {
		return "attached.message"
	}
	if n.Parts[0].Signed == nil {
		return "attached.plain"
	}
	return "attached"
}

func (n *Notice) writePart(w *wording, p *NoticePart, line func(string)) {
	line(strings.Repeat("=", 64))
	line(w.heading(p))
	line(w.say("intro."+string(p.Kind), "author", p.Payload.Author.Name, "country", p.Payload.Author.Country, "sender", n.Sender) + "\n")
	if p.Kind == concert.NoticeReferral || p.Kind == concert.NoticeReminder {
		line(w.say("voluntary") + "\n")
		if n.Lang != "en" {
			line(concert.VoluntaryNotice + "\n")
		}
	}
	for _, f := range w.partFields(p) {
		line(f.label + ": " + f.value)
	}
	if p.Link != "" {
		line(w.say("answer.link", "expires", p.Expires.UTC().Format("2006-01-02 15:04 UTC"), "link", p.Link))
	}
	for i := range p.Payload.Items {
		it := &p.Payload.Items[i]
		line("\n" + strings.Repeat("-", 64))
		line(w.say("item", "n", strconv.Itoa(i+1), "count", strconv.Itoa(len(p.Payload.Items)), "item", it.Ref))
		for _, f := range w.itemFields(it) {
			line(f.label + ": " + f.value)
		}
	}
	line("")
}

// heading names what the part is.
func (w *wording) heading(p *NoticePart) string {
	if p.Patterns != nil {
		return w.say("heading.patterns", "ref", p.Payload.Ref, "action", p.Action)
	}
	return w.say("heading", "ref", p.Payload.Ref)
}

// patternFields are the counts of a note: what there is none of is left out.
func (w *wording) patternFields(p *concert.Patterns) []field {
	number := strconv.Itoa
	fs := []field{{w.say("label.items"), number(p.Items)}}
	if p.Works > 0 {
		fs = append(fs, field{w.say("label.repeated"), w.say("repeated", "n", number(p.Repeated), "count", number(p.Works), "most", number(p.MostAt))},
			field{w.say("label.copies"), number(p.Copies)}, field{w.say("label.reuploads"), number(p.Reuploads)})
	}
	fs = append(fs, field{w.say("label.returned"), number(p.Returned)})
	for _, c := range []struct {
		label, group string
		counts       []concert.Counted
	}{{"label.kind", "kind", p.Types}, {"label.place", "", p.Kinds}, {"label.outlet", "", p.Outlets}, {"label.language", "", p.Languages}} {
		var said []string
		for _, n := range c.counts {
			said = append(said, w.apart(w.or(c.group, n.Value)+" "+number(n.N)))
		}
		if len(said) > 0 {
			fs = append(fs, field{w.say(c.label), strings.Join(said, ", ")})
		}
	}
	return fs
}

// field is one labelled fact, as the text and the PDF show it.
type field struct{ label, value string }

func (w *wording) partFields(p *NoticePart) []field {
	a := p.Payload.Author
	fs := []field{
		{w.say("label.author"), w.apart(oneLine(a.Name + " (" + a.Country + ", " + a.Unit + ")"))},
		{w.say("label.sent"), w.apart(oneLine(p.Payload.SentAt))},
	}
	switch {
	case p.Patterns != nil:
		fs = append(fs, w.patternFields(p.Patterns)...)
	case p.Kind == concert.NoticeQuestion:
		if p.Reason == "" {
			w.fail("message %s has no words", p.Remedy)
		}
		fs = append(fs, field{w.say("label.message"), w.apart(oneLine(p.Remedy + ": " + Defanged(p.Reason)))})
	case p.Reason != "":
		fs = append(fs, field{w.say("label.remedy"), w.apart(oneLine(p.Remedy + ": " + Defanged(p.Reason)))})
	}
	return fs
}

func (w *wording) itemFields(it *concert.PayloadItem) []field {
	fs := []field{
		{w.say("label.location"), oneLine(it.Location.Display)},
		{w.say("label.type"), w.or("type", string(it.ContentType))},
		{w.say("label.outlet"), oneLine(it.Outlet)},
		{w.say("label.scope"), oneLine(it.ScopeEntry)},
		{w.say("label.language"), oneLine(it.Language)},
		{w.say("label.severity"), w.or("severity", string(it.Severity))},
		{w.say("label.facts"), oneLine(Defanged(it.Facts))},
		{w.say("label.reason"), oneLine(Defanged(it.Reason))},
	}
	if it.Type != "" {
		fs = slices.Insert(fs, 1, field{w.say("label.kind"), w.or("kind", string(it.Type))})
	}
	if it.Mark != "" {
		fs = append(fs, field{w.say("label.mark"), oneLine(it.Mark + " (" + it.MarkWhere + ")")})
	}
	for i := range fs {
		if fs[i].value == "" {
			w.fail("item %s has nothing to say under %q", it.Ref, fs[i].label)
		}
		fs[i].value = w.apart(fs[i].value)
	}
	return fs
}
