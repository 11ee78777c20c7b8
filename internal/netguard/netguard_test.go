package netguard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestOnlyPublicAddressesPass(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		addr string
		ok   bool
	}{
		{"93.184.215.14", true},
		{"1.1.1.1", true},
		{"2606:4700:4700::1111", true},
		{"::ffff:1.1.1.1", true},
		{"0.0.0.0", false},
		{"10.1.2.3", false},
		{"100.64.0.1", false},
		{"100.127.255.255", false},
		{"100.128.0.1", true},
		{"127.0.0.1", false},
		{"127.255.255.254", false},
		{"169.254.169.254", false},
		{"168.63.129.16", false},
		{"172.15.255.255", true},
		{"172.16.0.1", false},
		{"172.31.255.255", false},
		{"172.32.0.1", true},
		{"192.0.0.170", false},
		{"192.168.1.1", false},
		{"198.19.0.1", false},
		{"224.0.0.1", false},
		{"239.255.255.250", false},
		{"255.255.255.255", false},
		{"::", false},
		{"::1", false},
		{"::127.0.0.1", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:10.0.0.1", false},
		{"::ffff:169.254.169.254", false},
		{"::ffff:0:127.0.0.1", false},
		{"64:ff9b::7f00:1", false},
		{"64:ff9b:1::a00:1", false},
		{"2001::1", false},
		{"2001:db8::1", false},
		{"2002:7f00:1::1", false},
		{"fc00::1", false},
		{"fd00:ec2::254", false},
		{"fe80::1", false},
		{"fe80::1%eth0", false},
		{"2606:4700:4700::1111%eth0", false},
		{"fec0::1", false},
		{"ff02::1", false},
		{"4000::1", false},
	} {
		err := Public().Check(netip.MustParseAddr(tc.addr))
		if (err == nil) != tc.ok {
			t.Errorf("Check(%s) = %v, want pass %v", tc.addr, err, tc.ok)
		}
		if err := (Guard{}).Check(netip.MustParseAddr(tc.addr)); (err == nil) != tc.ok {
			t.Errorf("the zero guard judges %s otherwise: %v", tc.addr, err)
		}
		if Only(Loopback()...).Check(netip.MustParseAddr("1.1.1.1")) == nil {
			t.Fatal("a guard for loopback only lets the world pass")
		}
	}
	if Public().Check(netip.Addr{}) == nil {
		t.Error("no address passes")
	}
}

func TestAllowedPrefixesPassAndNoMore(t *testing.T) {
	t.Parallel()
	for _, g := range []Guard{Public(Loopback()...), Only(Loopback()...)} {
		for addr, ok := range map[string]bool{"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "::2": false} {
			if err := g.Check(netip.MustParseAddr(addr)); (err == nil) != ok {
				t.Errorf("Check(%s) = %v, want pass %v", addr, err, ok)
			}
		}
	}
}

func TestDialerRefusesAfterResolution(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		addr := net.JoinHostPort(host, port)
		_, err := Public().Dialer(time.Second, nil)(t.Context(), "tcp", addr)
		if _, ok := errors.AsType[*RefusedError](err); !ok {
			t.Errorf("dial %s: %v, want a refusal", addr, err)
		}
		conn, err := Only(Loopback()...).Dialer(time.Second, nil)(t.Context(), "tcp", addr)
		if err != nil {
			t.Errorf("dial %s with loopback allowed: %v", addr, err)
			continue
		}
		conn.Close()
	}
	if _, err := Public(Loopback()...).Dialer(time.Second, nil)(t.Context(), "tcp", "no-port"); err == nil {
		t.Error("an address without port was dialled")
	}
	if err := Public().Control(context.Background(), "udp4", "1.1.1.1:53", nil); err == nil {
		t.Error("UDP passes")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("::ffff:127.0.0.1")
	f.Add("64:ff9b::a9fe:a9fe")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return
		}
		// The standard library's own predicates must agree where they refuse.
		bad := a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()
		if bad && Public().Check(a) == nil {
			t.Errorf("%s passes", a)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	g, a := Public(), netip.MustParseAddr("93.184.215.14")
	for b.Loop() {
		if g.Check(a) != nil {
			b.Fatal("refused")
		}
	}
}

func TestStagedReachesOnlyWhatIsPlayed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dial := Staged(func(host string) (string, bool) {
		switch host {
		case "clips-eg.example":
			return ln.Addr().String(), true
		case "public-eg.example":
			return "192.0.2.1:80", true
		}
		return "", false
	}).Dialer(time.Second, nil)
	c, err := dial(t.Context(), "tcp", "clips-eg.example:80")
	if err != nil {
		t.Fatalf("the stage was not reached: %v", err)
	}
	c.Close()
	for _, addr := range []string{"elsewhere.example:80", "public-eg.example:80", ln.Addr().String()} {
		var refused *RefusedError
		if _, err := dial(t.Context(), "tcp", addr); !errors.As(err, &refused) {
			t.Errorf("dialling %s: got %v, want a refusal", addr, err)
		}
	}
}
