package lookup

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// State is what a look at a location can say.
type State string

// The states.
const (
	Up      State = "up"      // the content was served to us
	Down    State = "down"    // proven not to be served any more, to anyone
	Partial State = "partial" // blocked for us by law or country, so likely up elsewhere
	Unknown State = "unknown" // nothing proven; look again or let a person look
)

// Reason is a stable code for why an observation says what it says.
type Reason string

// The reasons of Up.
const (
	SameBytes      Reason = "same_bytes"
	ContentMatches Reason = "content_matches"
	ContentServed  Reason = "content_served"
	MediaServed    Reason = "media_served"
)

// The reasons of Down.
const (
	NotFound          Reason = "not_found"
	GoneForGood       Reason = "gone"
	HostGone          Reason = "host_gone"
	RemovedByPlatform Reason = "removed_by_platform"
)

// The reasons of Partial.
const (
	LegalBlock Reason = "legal_block"
	GeoBlock   Reason = "geo_block"
)

// The reasons of Unknown.
const (
	BadLocation        Reason = "bad_location"
	AddressRefused     Reason = "address_refused"
	NameUnresolved     Reason = "name_unresolved"
	DNSFailed          Reason = "dns_failed"
	TimedOut           Reason = "timed_out"
	ConnectFailed      Reason = "connect_failed"
	TLSFailed          Reason = "tls_failed"
	AnswerBroken       Reason = "answer_broken"
	TooManyHops        Reason = "too_many_redirects"
	RedirectBroken     Reason = "redirect_broken"
	MovedElsewhere     Reason = "moved_elsewhere"
	RedirectedHome     Reason = "redirected_home"
	LoginWall          Reason = "login_wall"
	AgeGate            Reason = "age_gate"
	PrivateContent     Reason = "private"
	Forbidden          Reason = "forbidden"
	Challenge          Reason = "challenge"
	RateLimited        Reason = "rate_limited"
	ServerError        Reason = "server_error"
	OddStatus          Reason = "odd_status"
	EmptyAnswer        Reason = "empty_answer"
	ScriptShell        Reason = "script_shell"
	SaysRemoved        Reason = "says_removed"
	Parked             Reason = "parked"
	ContentChanged     Reason = "content_changed"
	ContentNotSeen     Reason = "content_not_seen"
	Contradiction      Reason = "contradiction"
	InfrastructurePage Reason = "infrastructure_page"
)

// Sentence says the reason to people.
func (r Reason) Sentence() string {
	if s, ok := sentences[r]; ok {
		return s
	}
	return string(r)
}

var sentences = map[Reason]string{
	SameBytes:          "The location serves the very bytes that were captured.",
	ContentMatches:     "The page answers and shows the captured title or mark.",
	ContentServed:      "The page answers with content.",
	MediaServed:        "The location serves a media file.",
	NotFound:           "The server says that there is nothing at this location (404).",
	GoneForGood:        "The server says that the content is gone for good (410).",
	HostGone:           "The domain name no longer exists in the public DNS.",
	RemovedByPlatform:  "The platform's own marker says that the content was removed.",
	LegalBlock:         "The server refuses for legal reasons (451); the content may be up elsewhere.",
	GeoBlock:           "The page says that the content is blocked in our country; it may be up elsewhere.",
	BadLocation:        "The location is no http or https URL that can be asked.",
	AddressRefused:     "The host leads to an address that may not be asked from here.",
	NameUnresolved:     "The host name has no address, but its domain exists or is not in the public DNS.",
	DNSFailed:          "The name servers gave no answer.",
	TimedOut:           "No complete answer came in time.",
	ConnectFailed:      "No connection could be made.",
	TLSFailed:          "The server's certificate or encryption failed.",
	AnswerBroken:       "The answer broke off or was not HTTP.",
	TooManyHops:        "The location redirects too many times.",
	RedirectBroken:     "The location redirects to something that cannot be asked or does not answer.",
	MovedElsewhere:     "The location now leads to another site.",
	RedirectedHome:     "The location now leads to the site's front page.",
	LoginWall:          "The page asks for a log-in.",
	AgeGate:            "The page asks for an age check.",
	PrivateContent:     "The page says that the content is private or for a circle of people.",
	Forbidden:          "The server refuses to answer us (403).",
	Challenge:          "A network in front of the site asks for a proof of being human.",
	RateLimited:        "The server asks us to slow down (429).",
	ServerError:        "The server reports its own failure.",
	OddStatus:          "The server answers with a status that says nothing about the content.",
	EmptyAnswer:        "The answer has no content.",
	ScriptShell:        "The page is a program without content of its own; a person must look.",
	SaysRemoved:        "The page says removed, but nothing proves that the platform wrote it.",
	Parked:             "The domain is parked or for sale.",
	ContentChanged:     "The location serves other bytes than those captured.",
	ContentNotSeen:     "The page answers, but the captured title or mark does not show.",
	Contradiction:      "The answer says gone and yet shows the captured content.",
	InfrastructurePage: "A server in front of the site answers, not the site.",
}

// Failure is why there is no answer to class; "" if there is one.
type Failure string

// The failures.
const (
	FailBadURL      Failure = "bad_url"
	FailAddress     Failure = "address"
	FailNameMissing Failure = "name_missing" // the name has no address
	FailDomainGone  Failure = "domain_gone"  // neither the name nor its registrable domain exists in the public DNS
	FailDNS         Failure = "dns"
	FailTimeout     Failure = "timeout"
	FailConnect     Failure = "connect"
	FailTLS         Failure = "tls"
	FailProtocol    Failure = "protocol"
	FailRedirects   Failure = "redirects"
	FailBadRedirect Failure = "bad_redirect"
)

var failureReasons = map[Failure]Reason{
	FailBadURL:      BadLocation,
	FailAddress:     AddressRefused,
	FailNameMissing: NameUnresolved,
	FailDNS:         DNSFailed,
	FailTimeout:     TimedOut,
	FailConnect:     ConnectFailed,
	FailTLS:         TLSFailed,
	FailProtocol:    AnswerBroken,
	FailRedirects:   TooManyHops,
	FailBadRedirect: RedirectBroken,
}

func isTLS(err error) bool {
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return record || alert || verify || unknown || host
}

// Response is a saved answer with the question: all that Classify looks at.
type Response struct {
	Requested    string // the URL asked for
	Final        string // the URL that answered
	Hops         int    // redirects between them
	Failure      Failure
	Status       int
	Header       http.Header
	Body         []byte // what was read of it, decompressed
	Truncated    bool
	SHA256       string // hex digest of Body
	Title        string
	Marks        []string
	ExpectSHA256 string
}

// Verdict is a state with its reason, and what in the answer decided.
type Verdict struct {
	State  State
	Reason Reason
	Detail string // such as "removed/de" for a text signature; "" if the status alone decided
}

// Classify says what an answer proves. It is a pure function: the same answer
// gives the same verdict.
func Classify(r *Response) Verdict {
	if r.Failure != "" {
		return classifyFailure(r)
	}
	switch s := r.Status; {
	case s == http.StatusUnavailableForLegalReasons:
		return Verdict{Partial, LegalBlock, ""}
	case challenged(r.Header):
		return Verdict{Unknown, Challenge, "header"}
	case s == http.StatusNotFound, s == http.StatusGone:
		return classifyMissing(r)
	case s == http.StatusOK, s == http.StatusNonAuthoritativeInfo:
		return classifyServed(r)
	case s == http.StatusUnauthorized, s == http.StatusProxyAuthRequired, s == http.StatusNetworkAuthenticationRequired:
		return Verdict{Unknown, LoginWall, ""}
	case s == http.StatusForbidden:
		return classifyForbidden(r)
	case s == http.StatusTooManyRequests:
		return Verdict{Unknown, RateLimited, ""}
	case s >= 500 && s < 600:
		return Verdict{Unknown, ServerError, ""}
	}
	return Verdict{Unknown, OddStatus, ""}
}

func classifyFailure(r *Response) Verdict {
	switch {
	case r.Hops > 0 && r.Failure != FailRedirects && r.Failure != FailAddress:
		// What a redirect leads to may be gone while the location, which
		// redirects, is not.
		return Verdict{Unknown, RedirectBroken, string(r.Failure)}
	case r.Failure == FailDomainGone:
		return Verdict{Down, HostGone, ""}
	}
	if reason, ok := failureReasons[r.Failure]; ok {
		return Verdict{Unknown, reason, ""}
	}
	return Verdict{Unknown, AnswerBroken, ""}
}

// challenged knows the headers by which delivery networks mark an answer of
// their own.
func challenged(h http.Header) bool {
	return h.Get("Cf-Mitigated") != "" || h.Get("X-Amzn-Waf-Action") != "" || h.Get("X-Datadome") == "protected"
}

func classifyForbidden(r *Response) Verdict {
	p := scan(r)
	if s, ok := p.match(geo); ok {
		return Verdict{Partial, GeoBlock, s.detail()}
	}
	if s, ok := p.match(challenge); ok {
		return Verdict{Unknown, Challenge, s.detail()}
	}
	return Verdict{Unknown, Forbidden, ""}
}

// classifyMissing looks for anything that contradicts a 404 or 410.
func classifyMissing(r *Response) Verdict {
	if v, ok := movedVerdict(r); ok {
		return v
	}
	if sameBytes(r) {
		return Verdict{Unknown, Contradiction, "digest"}
	}
	p := scan(r)
	for _, w := range []struct {
		class  class
		state  State
		reason Reason
	}{
		{infrastructure, Unknown, InfrastructurePage},
		{challenge, Unknown, Challenge},
		{geo, Partial, GeoBlock},
		{login, Unknown, LoginWall},
		{age, Unknown, AgeGate},
		{private, Unknown, PrivateContent},
	} {
		if s, ok := p.match(w.class); ok {
			return Verdict{w.state, w.reason, s.detail()}
		}
	}
	if p.speechless() {
		// Sites that live in one program answer every address with it, many of
		// them under 404, and so do gates that let a browser in.
		return Verdict{Unknown, ScriptShell, ""}
	}
	// A removal notice may name what was removed; content shown without one
	// under a wrong status is still content.
	if s, ok := p.match(removed); !(ok && s.prominent) && p.hint() {
		return Verdict{Unknown, Contradiction, "title or mark"}
	}
	if r.Status == http.StatusGone {
		return Verdict{Down, GoneForGood, ""}
	}
	return Verdict{Down, NotFound, ""}
}

func classifyServed(r *Response) Verdict {
	if sameBytes(r) {
		return Verdict{Up, SameBytes, "digest"}
	}
	if len(r.Body) == 0 {
		return Verdict{Unknown, EmptyAnswer, ""}
	}
	kind := mediaType(r)
	switch {
	case kind == "html" || kind == "text":
		return classifyPage(r)
	case kind == "json":
		p := scan(r)
		if p.shows() {
			return Verdict{Up, ContentMatches, "title or mark"}
		}
		return Verdict{Unknown, ContentNotSeen, "json"}
	}
	if v, ok := movedVerdict(r); ok {
		return v
	}
	if r.ExpectSHA256 != "" && !r.Truncated {
		return Verdict{Unknown, ContentChanged, "digest"}
	}
	if len(r.Body) < 1<<10 {
		// A picture of this size is a platform's placeholder.
		return Verdict{Unknown, ContentNotSeen, "tiny media"}
	}
	return Verdict{Up, MediaServed, kind}
}

func classifyPage(r *Response) Verdict {
	p := scan(r)
	shows := p.shows()
	if s, ok := p.marker(r); ok {
		if p.hint() {
			return Verdict{Unknown, Contradiction, s.detail()}
		}
		return Verdict{Down, RemovedByPlatform, s.detail()}
	}
	for _, w := range []struct {
		class  class
		state  State
		reason Reason
	}{
		{challenge, Unknown, Challenge},
		{infrastructure, Unknown, InfrastructurePage},
		{geo, Partial, GeoBlock},
		{age, Unknown, AgeGate},
		{private, Unknown, PrivateContent},
		{removed, Unknown, SaysRemoved},
		{login, Unknown, LoginWall},
		{parked, Unknown, Parked},
	} {
		s, ok := p.match(w.class)
		// Far down a long page such words belong to a comment or to a neighbour
		// if the page shows the captured content; and where nothing was captured,
		// those by which people also speak of removals and of countries.
		spoken := (w.class == removed || w.class == geo) && len(p.hints) == 0
		if ok && (s.prominent || !shows && !spoken) {
			return Verdict{w.state, w.reason, s.detail()}
		}
	}
	if shows {
		return Verdict{Up, ContentMatches, "title or mark"}
	}
	if v, ok := movedVerdict(r); ok {
		return v
	}
	if p.secret && !p.media && len(p.own) < formText {
		return Verdict{Unknown, LoginWall, "password field"}
	}
	if p.shell() {
		return Verdict{Unknown, ScriptShell, ""}
	}
	if len(p.hints) > 0 {
		return Verdict{Unknown, ContentNotSeen, "title or mark"}
	}
	if utf8.RuneCountInString(p.own) < minOwnText && !p.media {
		return Verdict{Unknown, ContentNotSeen, "little text"}
	}
	return Verdict{Up, ContentServed, ""}
}

func sameBytes(r *Response) bool {
	return r.ExpectSHA256 != "" && !r.Truncated && len(r.Body) > 0 && strings.EqualFold(r.ExpectSHA256, r.SHA256)
}

// mediaType is "html", "text", "json" or the main type of anything else. A
// missing header is read as the sniffing standard's first guess.
func mediaType(r *Response) string {
	full, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || full == "" {
		full, _, _ = mime.ParseMediaType(http.DetectContentType(r.Body))
	}
	switch {
	case full == "text/html", full == "application/xhtml+xml":
		return "html"
	case full == "application/json", strings.HasSuffix(full, "+json"):
		return "json"
	case strings.HasPrefix(full, "text/"), strings.HasSuffix(full, "/xml"), strings.HasSuffix(full, "+xml") && full != "image/svg+xml":
		return "text"
	}
	main, _, _ := strings.Cut(full, "/")
	return main
}

// movedVerdict judges where redirects led to. Being led away proves nothing
// about the content, in either direction.
func movedVerdict(r *Response) (Verdict, bool) {
	if r.Hops == 0 {
		return Verdict{}, false
	}
	from, err1 := url.Parse(r.Requested)
	to, err2 := url.Parse(r.Final)
	if err1 != nil || err2 != nil {
		return Verdict{Unknown, RedirectBroken, ""}, true
	}
	for segment := range strings.SplitSeq(strings.ToLower(to.Path), "/") {
		if reason, ok := wallPaths[segment]; ok && !strings.Contains(strings.ToLower(from.Path), segment) {
			return Verdict{Unknown, reason, "path"}, true
		}
	}
	if !sameSite(from, to) {
		return Verdict{Unknown, MovedElsewhere, ""}, true
	}
	if strings.Trim(from.Path, "/")+from.RawQuery != "" && strings.Trim(to.Path, "/") == "" && to.RawQuery == "" {
		return Verdict{Unknown, RedirectedHome, ""}, true
	}
	return Verdict{}, false
}

var wallPaths = map[string]Reason{
	"login": LoginWall, "log-in": LoginWall, "signin": LoginWall, "sign-in": LoginWall, "signup": LoginWall,
	"auth": LoginWall, "oauth": LoginWall, "sso": LoginWall, "consent": LoginWall, "checkpoint": LoginWall,
	"age-gate": AgeGate, "agegate": AgeGate, "age-verification": AgeGate, "verify-age": AgeGate,
	"captcha": Challenge, "challenge": Challenge,
	"404": SaysRemoved, "error": SaysRemoved, "not-found": SaysRemoved, "notfound": SaysRemoved, "removed": SaysRemoved,
}

func sameSite(a, b *url.URL) bool {
	ha, hb := strings.ToLower(a.Hostname()), strings.ToLower(b.Hostname())
	if ha == hb {
		_, err := netip.ParseAddr(ha)
		// On a bare address the port is what tells sites apart.
		return err != nil || a.Port() == b.Port()
	}
	da, erra := publicsuffix.EffectiveTLDPlusOne(ha)
	db, errb := publicsuffix.EffectiveTLDPlusOne(hb)
	return erra == nil && errb == nil && da == db
}
