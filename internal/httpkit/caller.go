package httpkit

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// DeviceCookie is the name of the cookie by which a device is known that logged
// in before; DeviceCookiePlain where the deployment is served over http.
const (
	DeviceCookie      = "__Host-concert-device"
	DeviceCookiePlain = "concert-device"
)

type networkKey struct{}

// Proxied finds out from which network a request comes where proxies of the
// deployment's own stand before it: the last address of X-Forwarded-For that is
// none of theirs. Nobody else's header is believed.
func Proxied(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := peer(r)
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && ours(proxies, at); i-- {
			before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			at = before.Unmap()
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), networkKey{}, prefix(at))))
	})
}

func ours(proxies []netip.Prefix, at netip.Addr) bool {
	for _, p := range proxies {
		if p.Contains(at) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return at.Unmap()
}

// prefix is the network of an address: a /24, or a /48 of IPv6, since one
// subscriber has that many.
func prefix(at netip.Addr) string {
	bits := 48
	if at.Is4() {
		bits = 24
	}
	p, err := at.Prefix(bits)
	if err != nil || !p.IsValid() {
		return ""
	}
	return p.String()
}

// Network is the prefix of the network that a request comes from.
func Network(r *http.Request) string {
	if n, ok := r.Context().Value(networkKey{}).(string); ok {
		return n
	}
	return prefix(peer(r))
}

// Browser is the family of the browser that asks and of its system, such as
// "Firefox, Linux"; "" for what names itself otherwise. No version is kept:
// enough to know one's own again, too little to know anybody by.
func Browser(r *http.Request) string {
	agent := r.UserAgent()
	name := first(agent, "Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := first(agent, "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	if name != "" && system != "" {
		return name + ", " + system
	}
	return name + system
}

// first is the word that stands beside the first mark found.
func first(agent string, marks ...string) string {
	for i := 0; i < len(marks); i += 2 {
		if strings.Contains(agent, marks[i]) {
			return marks[i+1]
		}
	}
	return ""
}

// Device is what the browser kept of an earlier log-in, "" for nothing.
func Device(r *http.Request) string {
	for _, name := range []string{DeviceCookie, DeviceCookiePlain} {
		if c, err := r.Cookie(name); err == nil {
			return c.Value
		}
	}
	return ""
}
