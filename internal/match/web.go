package match

import (
	"slices"
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

// address is a web address in normalised parts. path starts with "/" and has no trailing slash unless it is the root; query
// and fragment come without their mark.
type address struct {
	scheme, host, port    string
	path, query, fragment string
	registrable           string
}

var urlParser = whatwg.NewParser()

// locateWeb reads what follows "http:" or "https:".
func locateWeb(scheme, rest string) (Location, *LocationError) {
	a, err := parseAddress(scheme, rest)
	if err != nil {
		return Location{}, err
	}
	if strings.HasSuffix(a.host, ".onion") {
		return locateOnion(a)
	}
	return locateAddress(a)
}

// locateAddress applies the platform rules to a normalised address until it stays as it is: a short name leads to its house,
// and the house's own rules then say what the place is. The bound is for data that would go round.
func locateAddress(a address) (Location, *LocationError) {
	cat := catalogue()
	for range 4 {
		p, sub := cat.platform(a.host)
		if p == nil || a.port != "" {
			a.dropFragment(false)
			a.dropTracking(cat, "")
			return webLocation(a, a.registrable, ""), nil
		}
		a.dropFragment(p.Fragment)
		a.dropTracking(cat, p.ID)
		m := match{}
		f := p.matchURL(&m, sub, a)
		if f == nil {
			return webLocation(p.atHome(a), p.ID, ""), nil
		}
		to := m.expand(f.to)
		if kind, text, ok := cutKind(to); ok {
			return locateText(kind, text)
		}
		b := p.rewrite(to, a)
		if b == a {
			return webLocation(a, p.ID, m.expand(f.object)), nil
		}
		a = b
	}
	return Location{}, refuse("bad_url", "the platform's rules find no one form of this address; give the platform's own address of the item")
}

// atHome writes the house's name for its host.
func (p *platform) atHome(a address) address {
	if home := p.home(a.host); home != a.host {
		a.host = home
		a.registrable = registrableDomain(home)
	}
	return a
}

func webLocation(a address, platform, object string) Location {
	canonical := a.String()
	return Location{
		Kind: Web, Canonical: canonical, Platform: platform, ObjectID: object,
		RegistrableDomain: a.registrable, Host: a.host, Display: defang(canonical),
	}
}

// String is the canonical text of the address.
func (a address) String() string {
	var b strings.Builder
	b.Grow(len(a.scheme) + len(a.host) + len(a.port) + len(a.path) + len(a.query) + len(a.fragment) + 6)
	b.WriteString(a.scheme)
	b.WriteString("://")
	b.WriteString(a.host)
	if a.port != "" {
		b.WriteByte(':')
		b.WriteString(a.port)
	}
	b.WriteString(a.path)
	if a.query != "" {
		b.WriteByte('?')
		b.WriteString(a.query)
	}
	if a.fragment != "" {
		b.WriteByte('#')
		b.WriteString(a.fragment)
	}
	return b.String()
}

// parseAddress splits and normalises. Plain addresses are split here; whatever needs more than splitting goes to the library
// of the WHATWG standard, which is several times slower. A test holds both ways together.
func parseAddress(scheme, rest string) (address, *LocationError) {
	rest = refang(rest)
	a, plain, err := splitPlain(scheme, rest)
	if err != nil {
		return a, err
	}
	if !plain {
		if a, err = splitStandard(scheme, rest); err != nil {
			return a, err
		}
	}
	if err := a.checkHost(); err != nil {
		return a, err
	}
	a.path = normalPath(a.path)
	a.query = normalQuery(a.query)
	a.fragment = normalEscapes(a.fragment, fragmentSafe)
	if len(a.String()) > MaxInput {
		return a, refuse("too_long", "the location is more than %d bytes long in its canonical form; shorten it", MaxInput)
	}
	return a, nil
}

// refang undoes [.] and (.) in the host part, as officers and feeds write addresses.
func refang(rest string) string {
	start := len(rest) - len(strings.TrimLeft(rest, "/\\"))
	end := strings.IndexAny(rest[start:], "/?#\\")
	if end < 0 {
		end = len(rest) - start
	}
	host := rest[start : start+end]
	if !strings.ContainsAny(host, "[(") {
		return rest
	}
	host = strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "(dot)", ".", "[:]", ":").Replace(host)
	return rest[:start] + host + rest[start+end:]
}

// plainSafe marks what stands for itself in a path or query of the WHATWG standard; a backslash, a quote or a brace does not.
var plainSafe = safeBytes("!$%&()*+,/:;=?@[]")

// splitPlain splits an address that the standard would leave as it is, apart from letter case of the host and a default port.
func splitPlain(scheme, rest string) (a address, plain bool, err *LocationError) {
	rest = strings.TrimPrefix(rest, "//")
	n := 0
	upper := false
	for n < len(rest) {
		c := rest[n]
		if 'A' <= c && c <= 'Z' {
			upper = true
		} else if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			break
		}
		n++
	}
	host := rest[:n]
	if n == 0 || n < len(rest) && rest[n] != '/' && rest[n] != '?' && rest[n] != '#' {
		return a, false, nil
	}
	if upper {
		host = strings.ToLower(host)
	}
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	if strings.Contains(host, "xn--") || last == "" || last[0] < 'a' {
		return a, false, nil
	}
	a = address{scheme: scheme, host: host}
	a.path = rest[n:]
	if i := strings.IndexByte(a.path, '#'); i >= 0 {
		a.path, a.fragment = a.path[:i], a.path[i+1:]
	}
	for i := range len(a.fragment) {
		if c := a.fragment[i]; c != '#' && !plainSafe[c] {
			return a, false, nil
		}
	}
	for i := range len(a.path) {
		if !plainSafe[a.path[i]] {
			return a, false, nil
		}
	}
	if i := strings.IndexByte(a.path, '?'); i >= 0 {
		a.path, a.query = a.path[:i], a.path[i+1:]
	}
	if strings.Contains(a.path, "/.") || strings.Contains(a.path, "/%2") {
		return a, false, nil
	}
	if a.path == "" {
		a.path = "/"
	}
	return a, true, nil
}

// splitStandard splits any address by the WHATWG standard.
func splitStandard(scheme, rest string) (address, *LocationError) {
	rest = strings.TrimLeft(rest, "/\\")
	if i := strings.IndexAny(rest, "/\\?#"); strings.Contains(rest[:max(i, 0)], "@") || i < 0 && strings.Contains(rest, "@") {
		return address{}, refuse("credentials", "the location carries a user name or password before the host; give the address without it")
	}
	u, err := urlParser.Parse(scheme + "://" + rest)
	if err != nil {
		return address{}, refuse("bad_url", "the location is not a web address by the WHATWG URL standard; check host, port and spelling")
	}
	a := address{scheme: scheme, host: u.Hostname(), port: u.Port(), path: u.Pathname(), query: u.Query(), fragment: u.Fragment()}
	if a.path == "" {
		a.path = "/"
	}
	return a, nil
}

// normalPath writes a path in its one form: escapes, duplicate slashes, session parameter, trailing slash.
func normalPath(p string) string {
	p = normalEscapes(p, pathSafe)
	if i := strings.Index(p, ";"); i >= 0 {
		p = dropPathSession(p, i)
	}
	if strings.Contains(p, "//") || strings.Contains(p, ":/") {
		p = collapseSlashes(p)
	}
	for len(p) > 1 && p[len(p)-1] == '/' {
		p = p[:len(p)-1]
	}
	return p
}

// collapseSlashes makes one slash of many, and exactly two behind "http:" and "https:".
func collapseSlashes(p string) string {
	var b strings.Builder
	b.Grow(len(p) + 2)
	for i := 0; i < len(p); {
		if p[i] != '/' {
			b.WriteByte(p[i])
			i++
			continue
		}
		j := i
		for j < len(p) && p[j] == '/' {
			j++
		}
		b.WriteByte('/')
		if done := b.String(); j < len(p) && (strings.HasSuffix(done, "/http:/") || strings.HasSuffix(done, "/https:/")) {
			b.WriteByte('/')
		}
		i = j
	}
	return b.String()
}

// dropPathSession removes ";jsessionid=..." from where the first semicolon stands.
func dropPathSession(p string, from int) string {
	for i := from; i < len(p); {
		j := i + 1
		for j < len(p) && p[j] != '/' && p[j] != ';' {
			j++
		}
		if p[i] == ';' && len(p)-i > 12 && strings.EqualFold(p[i+1:i+12], "jsessionid=") {
			p = p[:i] + p[j:]
			continue
		}
		i = j
	}
	return p
}

type byteSet [256]bool

func safeBytes(extra string) *byteSet {
	var s byteSet
	for c := range 256 {
		b := byte(c)
		s[c] = isUnreserved(b) || strings.IndexByte(extra, b) >= 0
	}
	return &s
}

var (
	pathSafe     = safeBytes("!$&'()*+,;=:@/")
	querySafe    = safeBytes("!$()*+,;:@/?")
	fragmentSafe = safeBytes("!$&()*+,;=:@/?")
)

func isUnreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// normalEscapes decodes escaped unreserved characters, writes other escapes in upper case and escapes what is not safe
// (RFC 3986, 6.2.2). It does not decode twice, so it is idempotent.
func normalEscapes(s string, safe *byteSet) string {
	clean := true
	for i := range len(s) {
		if !safe[s[i]] {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); i++ {
		c, escaped := s[i], false
		if c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			c, escaped = unhex(s[i+1])<<4|unhex(s[i+2]), true
			i += 2
		}
		if isUnreserved(c) || !escaped && safe[c] {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// pair is one query parameter as written, "name=value" or "name".
type pair struct{ name, value string }

// pairs yields the parameters of a query in order.
func pairs(query string, yield func(pair) bool) {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(part, "=")
		if part != "" && !yield(pair{name, value}) {
			return
		}
	}
}

// normalQuery writes a query in its one form: escapes, "+" for space, no empty value mark, sorted by name.
func normalQuery(q string) string {
	if q == "" {
		return ""
	}
	var list [16]pair
	ps := list[:0]
	for p := range func(yield func(pair) bool) { pairs(q, yield) } {
		p.name, p.value = normalParameter(p.name), normalParameter(p.value)
		if p.name != "" || p.value != "" {
			ps = append(ps, p)
		}
	}
	return joinPairs(ps, q)
}

func normalParameter(s string) string {
	s = normalEscapes(s, querySafe)
	if strings.Contains(s, "%20") {
		s = strings.ReplaceAll(s, "%20", "+")
	}
	return s
}

// joinPairs sorts and writes parameters; it returns was unchanged where that is already the result, which saves the copy.
func joinPairs(ps []pair, was string) string {
	if len(ps) == 1 && ps[0].name != "" {
		p := ps[0]
		if p.value == "" && was == p.name || p.value != "" && len(was) == len(p.name)+len(p.value)+1 && strings.HasPrefix(was, p.name) && strings.HasSuffix(was, p.value) {
			return was
		}
	}
	slices.SortStableFunc(ps, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	b.Grow(len(was))
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		if p.value != "" {
			b.WriteByte('=')
			b.WriteString(p.value)
		}
	}
	return b.String()
}

// dropFragment keeps a fragment only where it routes.
func (a *address) dropFragment(platformRoutes bool) {
	if a.fragment == "" || platformRoutes || a.fragment[0] == '!' || a.fragment[0] == '/' {
		return
	}
	a.fragment = ""
}

// dropTracking removes parameters that say who shared the address and not which place it is.
func (a *address) dropTracking(cat *catalog, platform string) {
	if a.query == "" {
		return
	}
	found := false
	pairs(a.query, func(p pair) bool { found = cat.tracks(p.name, platform); return !found })
	if !found {
		return
	}
	var ps []pair
	pairs(a.query, func(p pair) bool {
		if !cat.tracks(p.name, platform) {
			ps = append(ps, p)
		}
		return true
	})
	a.query = joinPairs(ps, a.query)
}
