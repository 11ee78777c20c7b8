package match

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// checkHost normalises and judges the host: trailing dot, public address, public suffix, look-alikes, default port, "www.".
func (a *address) checkHost() *LocationError {
	if strings.HasPrefix(a.host, "[") || a.host != "" && a.host[len(a.host)-1] <= '9' && a.host[len(a.host)-1] >= '0' {
		if addr, err := netip.ParseAddr(strings.Trim(a.host, "[]")); err == nil {
			return a.checkAddr(addr)
		}
	}
	a.host = strings.TrimSuffix(a.host, ".")
	if err := checkLabels(a.host); err != nil {
		return err
	}
	if isPrivateName(a.host) {
		return refuse("private_host", "the host %q is a name of a local network and names no public place; give its public address", a.host)
	}
	if strings.Contains(a.host, "xn--") {
		if err := checkLookalike(a.host); err != nil {
			return err
		}
	}
	var err *LocationError
	if a.registrable, err = checkSuffix(a.host); err != nil {
		return err
	}
	a.normalPort()
	if a.port == "" && len(a.host) == len(a.registrable)+4 && strings.HasPrefix(a.host, "www.") {
		a.host = a.registrable
	}
	return nil
}

// normalPort drops a default port and makes http and https on their default ports one place.
func (a *address) normalPort() {
	if a.scheme == "http" && a.port == "80" || a.scheme == "https" && a.port == "443" {
		a.port = ""
	}
	if a.port == "" {
		a.scheme = "https"
	}
}

// checkAddr accepts a public IP address as host: material does lie on bare addresses, and refusing them would push officers
// to invent names. Loopback, private, link-local, shared, multicast and unspecified addresses name no public place.
func (a *address) checkAddr(addr netip.Addr) *LocationError {
	bare := addr.Unmap()
	shared := netip.MustParsePrefix("100.64.0.0/10")
	this := netip.MustParsePrefix("0.0.0.0/8")
	if bare.IsPrivate() || !bare.IsGlobalUnicast() || shared.Contains(bare) || this.Contains(bare) || bare.Is4() && bare.As4()[0] >= 240 {
		return refuse("private_host", "the host %s is a loopback, private or otherwise not public address; give its public address", addr)
	}
	a.normalPort()
	return nil
}

func checkLabels(host string) *LocationError {
	if len(host) > 253 {
		return refuse("bad_host", "the host name is longer than 253 bytes; check its spelling")
	}
	start := 0
	for i := 0; i <= len(host); i++ {
		if i < len(host) && host[i] != '.' {
			c := host[i]
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return refuse("bad_host", "the host %q has a character that host names do not have; check its spelling", clip(host))
			}
			continue
		}
		if n := i - start; n == 0 || n > 63 {
			return refuse("bad_host", "the host %q has an empty label or one longer than 63 bytes; check its spelling", clip(host))
		}
		start = i + 1
	}
	return nil
}

// isPrivateName names the special-use domains of RFC 6761, RFC 6762 and RFC 8375 and the habits of local networks.
func isPrivateName(host string) bool {
	switch host[strings.LastIndexByte(host, '.')+1:] {
	case "localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "invalid":
		return true
	}
	return strings.HasSuffix(host, ".home.arpa") || host == "home.arpa" || strings.HasSuffix(host, ".in-addr.arpa") || strings.HasSuffix(host, ".ip6.arpa")
}

// registrableDomain is eTLD+1, "" for a public suffix itself.
func registrableDomain(host string) string {
	suffix, _ := publicsuffix.PublicSuffix(host)
	return belowSuffix(host, suffix)
}

func belowSuffix(host, suffix string) string {
	if len(host) <= len(suffix)+1 {
		return ""
	}
	return host[strings.LastIndexByte(host[:len(host)-len(suffix)-1], '.')+1:]
}

// checkSuffix finds the registrable domain. Outside the public suffix list stand only names kept for exercises (RFC 2606),
// onion services and the alternative roots that services hostile to ordinary DNS use.
func checkSuffix(host string) (registrable string, err *LocationError) {
	suffix, icann := publicsuffix.PublicSuffix(host)
	registrable = belowSuffix(host, suffix)
	listed := icann || strings.IndexByte(suffix, '.') >= 0
	if !listed {
		switch suffix {
		case "example", "test", "onion", "i2p", "loki", "eth", "bit":
		default:
			return "", refuse("no_public_suffix", "the host %q ends in no public suffix; check the spelling of the name", host)
		}
	}
	// Shared hosting houses such as github.io or wordpress.com are suffixes of the list's private part, yet pages themselves.
	if registrable == "" && (icann || !listed) {
		return "", refuse("no_public_suffix", "the host %q is itself a public suffix, under which many sites stand; give the full host", host)
	}
	return registrable, nil
}

// checkLookalike judges each international label by the "highly restrictive" level of UTS 39 and by the table of letters that
// look like Latin ones.
func checkLookalike(host string) *LocationError {
	unicodeHost, err := idna.ToUnicode(host)
	if err != nil {
		return refuse("bad_host", "the international host %q is not valid by IDNA; check its spelling", clip(host))
	}
	tld := unicodeHost[strings.LastIndexByte(unicodeHost, '.')+1:]
	for label := range strings.SplitSeq(unicodeHost, ".") {
		if isASCII(label) {
			continue
		}
		look := skeleton(label)
		if mixedScripts(label) {
			return refuse("homograph", "the label %q of the host mixes scripts and looks like %q; check which site is meant, and open it by hand before reporting it", label, look)
		}
		// A name written wholly in one other script is refused only if every letter passes for a Latin one and the top-level
		// domain is not of that script: the rule of browsers.
		if isASCII(look) && isASCII(tld) {
			return refuse("homograph", "the label %q of the host looks like %q but is written in other letters; check which site is meant, and open it by hand before reporting it", label, look)
		}
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
