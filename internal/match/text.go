package match

import (
	"strings"
)

// cutKind separates a canonical text of a non-web kind; ok is false for paths and addresses.
func cutKind(text string) (Kind, string, bool) {
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || strings.HasPrefix(rest, "//") || strings.HasPrefix(kind, "/") {
		return "", "", false
	}
	return Kind(kind), rest, true
}

// locateText reads what follows "channel:", "app:" and so on.
func locateText(kind Kind, rest string) (Location, *LocationError) {
	switch kind {
	case Stream:
		return locateStream(rest)
	case Newsletter:
		return locateNewsletter(rest)
	}
	certificate := ""
	if kind == App {
		var err *LocationError
		if rest, certificate, err = cutCertificate(rest); err != nil {
			return Location{}, err
		}
	}
	rest = normalEscapes(rest, idSafe)
	platform, id, ok := strings.Cut(rest, "/")
	platform = strings.ToLower(platform)
	if !ok || !isPlatformName(platform) || id == "" || len(id) > 512 || strings.HasSuffix(id, "/") || strings.Contains("/"+id, "//") {
		return Location{}, refuse("bad_identifier", "a location of this kind is written %s:platform/id", kind)
	}
	cat := catalogue()
	if name, ok := cat.aliases[platform]; ok {
		platform = name
	}
	l := Location{Kind: kind, Platform: platform, ObjectID: id, Canonical: string(kind) + ":" + platform + "/" + id}
	p := cat.byID[platform]
	if p != nil && p.hasText(kind) {
		m := match{}
		f := p.matchText(&m, kind, id)
		if f == nil {
			return Location{}, refuse("bad_identifier", "%q is no %s id of %s; check its spelling", clip(id), kind, platform)
		}
		if to := m.expand(f.to); to != "" {
			toKind, toText, _ := cutKind(to)
			if toKind != kind {
				return locateText(toKind, toText)
			}
			l.Canonical = to
			_, l.ObjectID, _ = strings.Cut(toText, "/")
		}
		l.Display = m.expand(f.view)
		l.Visibility = f.Visibility
	}
	if p != nil && len(p.Hosts) > 0 {
		l.Host = p.Hosts[0]
		l.RegistrableDomain = p.registrable
	}
	if l.Visibility == "" && (kind == Channel || kind == Message) {
		l.Visibility = "public"
	}
	if l.Display == "" {
		l.Display = l.Canonical
	}
	if certificate != "" {
		l.Canonical += "?cert=" + certificate
		l.Display += " (certificate " + certificate + ")"
	}
	l.Display = defang(l.Display)
	return l, nil
}

// idSafe keeps what platforms use in ids; a slash separates channel and message.
var idSafe = safeBytes("!$@:+=,*'()/")

func isPlatformName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || (c == '-' || c == '.') && i > 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// cutCertificate reads "?cert=<SHA-256>" behind a package id: 64 hexadecimal digits, colons and the prefix "sha256:" allowed.
func cutCertificate(rest string) (id, certificate string, err *LocationError) {
	id, query, ok := strings.Cut(rest, "?")
	if !ok || query == "" {
		return id, "", nil
	}
	value, ok := strings.CutPrefix(query, "cert=")
	value = strings.ToLower(value)
	value = strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(strings.ReplaceAll(value, "%3a", ":"), "sha256:"), ":", ""), "%20", "")
	if ok && len(value) == 64 && strings.Trim(value, "0123456789abcdef") == "" {
		return id, value, nil
	}
	return "", "", refuse("bad_identifier", "behind an app's package id only ?cert= with the SHA-256 of the signing certificate (64 hexadecimal digits) may follow; take away the rest")
}

// locateNewsletter reads "list-id/sender": the List-Id of RFC 2919 and the address in From.
func locateNewsletter(rest string) (Location, *LocationError) {
	list, sender, _ := strings.Cut(strings.ToLower(rest), "/")
	list = strings.Trim(list, "<> ")
	local, domain, ok := strings.Cut(strings.Trim(sender, "<> "), "@")
	bad := refuse("bad_identifier", "a newsletter is written newsletter:list-id/sender@host.example, with the List-Id of its mails")
	if !ok || list == "" || local == "" || len(list) > 255 || len(local) > 64 || strings.ContainsAny(domain, "/?#:@\\[]% ") || strings.ContainsAny(list+local, "?#\\") {
		return Location{}, bad
	}
	a, err := parseAddress("https", "//"+domain)
	if err != nil {
		return Location{}, err
	}
	// "www." is dropped for web pages only: a mail domain is what it is.
	host := a.host
	if strings.HasPrefix(strings.ToLower(domain), "www.") && !strings.HasPrefix(host, "www.") {
		host = "www." + host
	}
	id := normalEscapes(list, mailSafe) + "/" + normalEscapes(local, mailSafe) + "@" + host
	return Location{
		Kind: Newsletter, Canonical: "newsletter:" + id, Platform: a.registrable, ObjectID: id,
		RegistrableDomain: a.registrable, Host: host, Display: defang("newsletter:" + strings.ReplaceAll(id, "@", "[@]")),
	}, nil
}

var mailSafe = safeBytes("!$&'*+=")

// locateStream reads the address of a live stream: "stream:" and any web address, or a streaming scheme alone.
func locateStream(text string) (Location, *LocationError) {
	text = strings.TrimLeft(text, "/")
	scheme, rest := splitScheme(text)
	switch scheme {
	case "rtmp", "rtmps", "rtmpt", "rtmpe", "rtsp", "rtsps", "mms", "mmsh", "srt", "icy":
	case "http", "https", "hxxp", "hxxps":
		scheme = "https"
		if text[4] == ':' {
			scheme = "http"
		}
	case "":
		scheme, rest = "https", text
	default:
		return Location{}, refuse("scheme_refused", "%q is no scheme of a stream; give rtmp, rtsp, mms, srt, icy, http or https", clip(scheme)+":")
	}
	// The standard parses unknown schemes opaquely, host included; borrowing http's rules gives streams the same host checks.
	borrowed := "http"
	if scheme == "https" || scheme != "http" && strings.Contains(rest, ":80") {
		borrowed = "https"
	}
	a, err := parseAddress(borrowed, rest)
	if err != nil {
		return Location{}, err
	}
	if scheme != "http" && scheme != "https" {
		if a.scheme = scheme; a.port == defaultStreamPort(scheme) {
			a.port = ""
		}
	}
	a.fragment = ""
	a.dropTracking(catalogue(), "")
	address := a.String()
	return Location{
		Kind: Stream, Canonical: "stream:" + address, Platform: a.registrable,
		RegistrableDomain: a.registrable, Host: a.host, Display: "stream:" + defang(address),
	}, nil
}

func defaultStreamPort(scheme string) string {
	switch scheme {
	case "rtmp", "rtmpt", "rtmpe":
		return "1935"
	case "rtsp":
		return "554"
	case "rtsps":
		return "322"
	case "rtmps":
		return "443"
	case "mms", "mmsh":
		return "1755"
	}
	return ""
}

// locateTelegramLink reads "tg://..." by writing the t.me address that means the same.
func locateTelegramLink(rest string) (Location, *LocationError) {
	verb, query, _ := strings.Cut(strings.TrimLeft(rest, "/"), "?")
	get := func(name string) (value string) {
		pairs(normalQuery(query), func(p pair) bool {
			if p.name == name {
				value = p.value
			}
			return value == ""
		})
		return value
	}
	path := ""
	switch strings.Trim(strings.ToLower(verb), "/") {
	case "resolve":
		if path = get("domain"); path != "" && get("post") != "" {
			path += "/" + get("post")
			if c := get("comment"); c != "" {
				path += "?comment=" + c
			}
		}
	case "join":
		if hash := get("invite"); hash != "" {
			path = "+" + hash
		}
	case "privatepost":
		if channel := get("channel"); channel != "" && get("post") != "" {
			path = "c/" + channel + "/" + get("post")
		}
	case "addlist":
		if slug := get("slug"); slug != "" {
			path = "addlist/" + slug
		}
	}
	if path == "" {
		return Location{}, refuse("bad_identifier", "the tg: link names no channel, message or invite; give tg://resolve?domain=name or https://t.me/name")
	}
	return locateWeb("https", "//t.me/"+path)
}
