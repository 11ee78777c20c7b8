// Package netguard decides which network addresses this program may dial when
// someone else chose the host: webhook endpoints of providers and locations
// under re-check. It is no firewall and looks at no content.
//
// The invariant: the check sits after name resolution, on the very address of
// the connection (net.Dialer.Control), so that a name which answers
// differently the second time (DNS rebinding) gains nothing.
package netguard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// RefusedError says that an address may not be dialled, and why.
type RefusedError struct {
	Addr   string // as asked for: an address, or host:port that is none
	Reason string // "loopback", "private", ... as in the table of this package
}

// Error names the address, the reason and the way out.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("address %s refused: %s; only public addresses may be dialled, unless the operator allows their prefix", e.Addr, e.Reason)
}

// Guard is a rule about addresses. Its zero value lets public unicast
// addresses pass and nothing else. It may be used by many goroutines.
type Guard struct {
	allow []netip.Prefix
	only  bool
	stage func(host string) (addr string, ok bool)
}

// Staged lets an exercise's invented hosts pass, and nothing else: stage says
// at which loopback address each of them is played. A host that is not on the
// stage is refused without any question to DNS.
func Staged(stage func(host string) (addr string, ok bool)) Guard {
	return Guard{allow: Loopback(), only: true, stage: stage}
}

// Public lets public addresses pass, and those in the allowed prefixes.
func Public(allow ...netip.Prefix) Guard { return Guard{allow: allow} }

// Only lets nothing pass but the given prefixes: an exercise uses it with
// Loopback, and then cannot reach the world whatever its data say.
func Only(prefixes ...netip.Prefix) Guard { return Guard{allow: prefixes, only: true} }

// Loopback is 127.0.0.0/8 and ::1.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8), netip.PrefixFrom(netip.IPv6Loopback(), 128)}
}

type block struct {
	prefix netip.Prefix
	reason string
}

// blocks are the ranges of the IANA special-purpose registries (RFC 6890 and
// the registries it opened) that are not globally reachable, and the ranges
// that carry an IPv4 address inside, since what they lead to is decided by a
// gateway which we do not know.
var blocks = []block{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private (RFC 1918)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local, cloud metadata (RFC 3927)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private (RFC 1918)"},
	{netip.MustParsePrefix("168.63.129.16/32"), "cloud metadata"},
	{netip.MustParsePrefix("192.0.0.0/24"), "IETF protocol assignments (RFC 6890)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay (RFC 7526)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private (RFC 1918)"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking (RFC 2544)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved, broadcast (RFC 1112)"},
	{netip.MustParsePrefix("::/96"), "unspecified, loopback, IPv4-compatible"},
	{netip.MustParsePrefix("::ffff:0:0:0/96"), "IPv4-translated (RFC 2765)"},
	{netip.MustParsePrefix("64:ff9b::/96"), "NAT64 (RFC 6052)"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local NAT64 (RFC 8215)"},
	{netip.MustParsePrefix("100::/64"), "discard (RFC 6666)"},
	{netip.MustParsePrefix("2001::/23"), "IETF protocol assignments, Teredo (RFC 2928)"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation (RFC 3849)"},
	{netip.MustParsePrefix("2002::/16"), "6to4 (RFC 3056)"},
	{netip.MustParsePrefix("3fff::/20"), "documentation (RFC 9637)"},
	{netip.MustParsePrefix("5f00::/16"), "segment routing (RFC 9602)"},
	{netip.MustParsePrefix("fc00::/7"), "unique local, cloud metadata (RFC 4193)"},
	{netip.MustParsePrefix("fe80::/10"), "link-local (RFC 4291)"},
	{netip.MustParsePrefix("fec0::/10"), "site-local (RFC 3879)"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

var globalUnicast6 = netip.MustParsePrefix("2000::/3")

// Check returns nil if addr may be dialled, and a *RefusedError if not. An
// IPv4-mapped IPv6 address is judged as the IPv4 address it is; a zone makes an
// address link-local and refuses it.
func (g Guard) Check(addr netip.Addr) error {
	if !addr.IsValid() {
		return &RefusedError{Addr: "(none)", Reason: "no IP address"}
	}
	plain := addr.Unmap()
	if plain.Zone() != "" {
		return &RefusedError{Addr: addr.String(), Reason: "address with a zone"}
	}
	for _, p := range g.allow {
		if p.Contains(plain) {
			return nil
		}
	}
	if g.only {
		return &RefusedError{Addr: addr.String(), Reason: "outside the only prefixes allowed here"}
	}
	for _, b := range blocks {
		if b.prefix.Contains(plain) {
			return &RefusedError{Addr: addr.String(), Reason: b.reason}
		}
	}
	if plain.Is6() && !globalUnicast6.Contains(plain) {
		return &RefusedError{Addr: addr.String(), Reason: "outside global unicast (RFC 4291)"}
	}
	return nil
}

// Control is for net.Dialer.ControlContext: it refuses the connection before
// the first packet.
func (g Guard) Control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return &RefusedError{Addr: address, Reason: "network " + network + ", only TCP is dialled"}
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Addr: address, Reason: "no IP address"}
	}
	return g.Check(ap.Addr())
}

// Dialer returns a DialContext for net/http that reaches only what g lets pass.
// A nil resolver means Go's own, whose errors tell a missing name from a failed
// question. Names are looked up as absolute, never with the machine's search
// domains.
func (g Guard) Dialer(timeout time.Duration, resolver *net.Resolver) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if resolver == nil {
		resolver = &net.Resolver{PreferGo: true}
	}
	d := &net.Dialer{
		Timeout:        timeout,
		KeepAlive:      30 * time.Second,
		Resolver:       resolver,
		ControlContext: g.Control,
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, &RefusedError{Addr: addr, Reason: "no host and port"}
		}
		if g.stage != nil {
			played, ok := g.stage(host)
			if !ok {
				return nil, &RefusedError{Addr: addr, Reason: "not on the exercise's stage"}
			}
			return d.DialContext(ctx, network, played)
		}
		// A name of one label stands only in the hosts file, which knows no
		// trailing dot.
		if _, err := netip.ParseAddr(host); err != nil && strings.Contains(host, ".") && !strings.HasSuffix(host, ".") {
			addr = net.JoinHostPort(host+".", port)
		}
		return d.DialContext(ctx, network, addr)
	}
}
