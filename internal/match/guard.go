package match

import (
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Verdict is what the guard says about a place.
type Verdict string

// Pass: an ordinary item. Elevate: a second approval with written proportionality. Stop: no referral of this place.
const (
	Pass    Verdict = "pass"
	Elevate Verdict = "elevate"
	Stop    Verdict = "stop"
)

// Guard is a verdict with the rule that gave it.
type Guard struct {
	Verdict Verdict
	Class   string // root, search, listing, collection, protected, item, capture, folder, account, channel, app, ...
	Rule    string // id of the data rule that decided; "item" where none did
	Reason  string // one sentence for the officer
}

// Check judges a location. It is total: a location that no rule knows is an item and passes, and the zero Location stops.
func (r *Rules) Check(l Location) Guard { return r.CheckAs(l, false) }

// CheckAs is Check where the caller knows that the host is the own site of a designated outlet: its root is then the item.
// That never holds for protected hosts and for houses that many people share.
func (r *Rules) CheckAs(l Location, registeredSite bool) Guard {
	text := l.Canonical
	switch l.Kind {
	case Web, Onion:
	case Stream:
		text = strings.TrimPrefix(text, "stream:")
	case Channel, Message, Account, App, Extension, Newsletter, Bot:
		return Guard{Pass, string(l.Kind), "item", "One place, named by its id."}
	default:
		return Guard{Stop, "unknown", "unknown", "The location has no known kind; read it again from what was typed."}
	}
	v := r.view(text)
	cat := catalogue()
	p, sub := cat.platform(v.host)
	shared := p != nil && sub == ""
	protected := r.protects(v.host, p == nil)
	if g, stop := r.stops(l, v, p, sub); stop {
		if g.Class == "root" && registeredSite && !shared && protected == nil && !isSuffix(v.host) {
			return Guard{Pass, "website", g.Rule, "The root of a registered and designated outlet's own site is the item; the reviewer confirms that the site is the outlet's."}
		}
		return g
	}
	if protected == nil && p == nil {
		protected = r.newsPath(v)
	}
	if protected != nil {
		return Guard{Elevate, "protected", protected.ID, protected.Reason}
	}
	return Guard{Pass, "item", "item", "One item; no rule of the guard names it."}
}

// isSuffix says that the host is a public suffix itself, such as a blog house, so that a root there is everybody's.
func isSuffix(host string) bool {
	s, _ := publicsuffix.PublicSuffix(host)
	return s == host
}

// stops asks the platform's shapes first and then the generic rules.
func (r *Rules) stops(l Location, v *view, p *platform, sub string) (Guard, bool) {
	if p != nil && len(v.segs) == 0 && sub == "" && !v.itemParameter {
		if g, ok := r.genericStop(v); ok && g.Class != "root" {
			return g, true
		}
		return Guard{Stop, "root", "platform." + p.ID + ".root", "This is the front page of a house that many people share; name the single item."}, true
	}
	if p != nil {
		m := match{}
		f := p.matchURL(&m, sub, v.address)
		if f == nil && strings.Contains(v.path, "%2F") {
			// Many servers read an escaped slash as a slash: "details%2Fgutenberg" must not hide the collection.
			plain := v.address
			plain.path = normalPath(strings.ReplaceAll(v.path, "%2F", "/"))
			f = p.matchURL(&m, sub, plain)
		}
		if f != nil && f.Class != "" {
			return r.formStop(f, &m)
		}
	}
	return r.genericStop(v)
}

// formStop judges an address whose shape the platform's rules know.
func (r *Rules) formStop(f *form, m *match) (Guard, bool) {
	stop := func(class, reason string) (Guard, bool) {
		if f.Reason != "" {
			reason = f.Reason
		}
		return Guard{Stop, class, f.rule, reason}, true
	}
	switch f.Class {
	case "search":
		return stop("search", "This is a search page: what it shows depends on the question and is by many authors; name the single item.")
	case "listing":
		return stop("listing", "This page lists many items; name the single item.")
	case "collection":
		return stop("collection", "This is a collection of many items; name the single item.")
	case "root", "site":
		return stop("root", "This is the front page of a whole site; name the single item.")
	case "archive-item", "archive-file":
		known, shape := r.collection.collects(decode(m.get("id")))
		if known || shape && f.Class == "archive-item" {
			return Guard{Stop, "collection", r.collection.ID, r.collection.Reason}, true
		}
	}
	return Guard{}, false
}

func (r *Rules) genericStop(v *view) (Guard, bool) {
	for _, q := range r.generic {
		if q.check(q, v) {
			return Guard{Stop, q.Class, q.ID, q.Reason}, true
		}
	}
	return Guard{}, false
}

// newsPath raises an article below /news/ on a host that no list knows.
func (r *Rules) newsPath(v *view) *protectedRule {
	if len(v.short) < 2 || !r.words["news-words"][v.short[0]] {
		return nil
	}
	for _, p := range r.protected {
		if p.Category == "news-path" {
			return p
		}
	}
	return nil
}

// view is an address as the guard reads it: decoded and folded, so that no spelling escapes a word.
type view struct {
	address
	rules         *Rules
	segs          []string // folded segments, language prefix kept
	short         []string // segs without language prefix and index file
	stem          string   // last of short without its page extension
	query         []pair   // folded
	itemParameter bool     // a parameter identifies one item
	mediaFile     bool     // the last segment is a file of its own: film, picture, document
	section       bool     // the host is a named news outlet
}

func (r *Rules) view(canonical string) *view {
	v := &view{rules: r}
	rest := canonical
	v.scheme, rest, _ = strings.Cut(rest, "://")
	rest, v.fragment, _ = strings.Cut(rest, "#")
	rest, v.address.query, _ = strings.Cut(rest, "?")
	v.host, v.path = rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		v.host, v.path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(v.host, ':'); i >= 0 && !strings.HasSuffix(v.host, "]") {
		v.host, v.port = v.host[:i], v.host[i+1:]
	}
	path, query := v.path, v.address.query
	if v.fragment != "" {
		route, more, _ := strings.Cut(strings.TrimLeft(v.fragment, "!/"), "?")
		path += "/" + route
		if more != "" {
			query += "&" + more
		}
	}
	for s := range strings.SplitSeq(decode(path), "/") {
		s, _, _ = strings.Cut(s, ";")
		if s = strings.TrimSpace(fold(s)); s != "" && s != "." && s != ".." {
			v.segs = append(v.segs, s)
		}
	}
	pairs(query, func(p pair) bool {
		p = pair{foldParameter(p.name), foldParameter(p.value)}
		v.query = append(v.query, p)
		return len(v.query) < 64
	})
	r.shorten(v)
	v.itemParameter = v.hasItemParameter()
	if p := r.protects(v.host, false); p != nil {
		v.section = p.Category == "news"
	}
	return v
}

func foldParameter(s string) string {
	if strings.IndexByte(s, '+') >= 0 {
		s = strings.ReplaceAll(s, "+", " ")
	}
	return strings.TrimSpace(fold(decode(s)))
}

// decode undoes escapes until nothing changes, at most three times: a path escaped twice must not hide a word.
func decode(s string) string {
	for range 3 {
		if strings.IndexByte(s, '%') < 0 {
			return s
		}
		d, err := url.PathUnescape(s)
		if err != nil || d == s {
			return s
		}
		s = d
	}
	return s
}

// shorten drops the language prefix and the index file, and finds the stem.
func (r *Rules) shorten(v *view) {
	segs := v.segs
	for len(segs) > 0 && (r.isLanguage(segs[0]) || r.isIndex(segs[0]) && len(segs) > 1) {
		segs = segs[1:]
	}
	if n := len(segs); n > 0 && r.isIndex(segs[n-1]) {
		segs = segs[:n-1]
	}
	v.short = segs
	if len(segs) == 0 {
		return
	}
	v.stem = segs[len(segs)-1]
	if i := strings.LastIndexByte(v.stem, '.'); i > 0 {
		switch ext := v.stem[i+1:]; {
		case r.words["page-extensions"][ext]:
			v.stem = v.stem[:i]
		case r.words["file-extensions"][ext]:
			v.mediaFile = true
		}
	}
}

func (r *Rules) isIndex(s string) bool {
	if r.words["index"][s] {
		return true
	}
	i := strings.LastIndexByte(s, '.')
	return i > 0 && r.words["page-extensions"][s[i+1:]] && r.words["index"][s[:i]]
}

// isLanguage knows "en", "en-gb", "pt_br", "zh-hant".
func (r *Rules) isLanguage(s string) bool {
	if len(s) < 2 || len(s) > 7 {
		return false
	}
	i := strings.IndexAny(s, "-_")
	if i < 0 {
		return r.words["languages"][s]
	}
	return r.words["languages"][s[:i]] && len(s)-i-1 <= 4 && len(s)-i-1 >= 2
}

// hasItemParameter looks for a parameter that names one item, or a bare key that looks like an id.
func (v *view) hasItemParameter() bool {
	root := len(v.short) == 0
	for _, q := range v.query {
		switch {
		case q.value == "":
			if root && len(q.name) >= 6 && strings.ContainsAny(q.name, "0123456789") && !strings.ContainsAny(q.name, " ") {
				return true
			}
		case q.name == "p" || q.name == "t":
			// "p" is a post to some programs and a page to others; "t" a topic, a time or a title.
			if isDigits(q.value) && (root || len(q.value) >= 3) {
				return true
			}
		case v.rules.words["item-parameters"][q.name]:
			return true
		case strings.HasSuffix(q.name, "id") && strings.ContainsAny(q.value, "0123456789") && !v.rules.words["list-parameters"][q.name]:
			return true
		}
	}
	return false
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
