package identity

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"
)

// The codes of RFC 6238 appendix B, whose eight digits end with our six.
func TestTOTPGivesTheStandardsOwnCodes(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := TOTPCode(secret, TOTPStep(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestTOTPIsGoodOneStepAroundAndOnce(t *testing.T) {
	t.Parallel()
	secret, now := NewTOTPSecret(), time.Unix(1_700_000_000, 0)
	step := TOTPStep(now)
	for _, c := range []struct {
		name string
		code string
		used int64
		ok   bool
	}{
		{"now", TOTPCode(secret, step), 0, true},
		{"as people type it", TOTPCode(secret, step)[:3] + " " + TOTPCode(secret, step)[3:], 0, true},
		{"a slow clock", TOTPCode(secret, step-1), 0, true},
		{"a fast clock", TOTPCode(secret, step+1), 0, true},
		{"two steps old", TOTPCode(secret, step-2), 0, false},
		{"two steps early", TOTPCode(secret, step+2), 0, false},
		{"used", TOTPCode(secret, step), step, false},
		{"older than the used one", TOTPCode(secret, step-1), step, false},
		{"empty", "", 0, false},
	} {
		if got, ok := CheckTOTP(secret, c.code, c.used, now); ok != c.ok {
			t.Errorf("%s: step %d, %v", c.name, got, ok)
		}
	}
}

func TestTOTPAddressIsReadByApps(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	got := TOTPURL("Concert EXERCISE", "a b@x", secret)
	want := "otpauth://totp/Concert%20EXERCISE:a%20b@x?algorithm=SHA1&digits=6&issuer=Concert%20EXERCISE&period=30&secret=" + base32.StdEncoding.EncodeToString(secret)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if text := TOTPText(secret); strings.ReplaceAll(text, " ", "") != base32.StdEncoding.EncodeToString(secret) || strings.Count(text, " ") != 7 {
		t.Errorf("the secret as text: %q", text)
	}
	size, path, err := QRCode(got)
	if err != nil || size < 29 || !strings.HasPrefix(path, "M4 4h7v1h-7z") {
		t.Errorf("QR code: %d, %.40s, %v", size, path, err)
	}
}

func TestRecoveryCodesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for range 50 {
		code := NewRecoveryCode()
		for _, text := range []string{code, strings.ToLower(code), " " + strings.ReplaceAll(code, "-", " "), strings.ReplaceAll(code, "-", "")} {
			if got, ok := ParseRecoveryCode(text); !ok || got != code {
				t.Fatalf("%q is read as %q, %v", text, got, ok)
			}
		}
	}
	for _, bad := range []string{"", "ABCD-EFGH", "ABCD-EFGH-JKMN-P", "ABCD-EFGH-JKM!", "UUUU-UUUU-UUUU"} {
		if got, ok := ParseRecoveryCode(bad); ok {
			t.Errorf("%q is read as %q", bad, got)
		}
	}
}

func FuzzRecoveryCode(f *testing.F) {
	f.Add("K7M3-9QXT-41WB")
	f.Add("kom3 9qxt iiii")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := ParseRecoveryCode(s)
		if !ok {
			return
		}
		if again, ok := ParseRecoveryCode(code); !ok || again != code || len(code) != 14 {
			t.Errorf("%q is read as %q, and that as %q", s, code, again)
		}
	})
}

func TestDeviceIsKnownForItsAccountAndItsTerm(t *testing.T) {
	t.Parallel()
	ring, err := NewKeyRing(make([]byte, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewKeyRing([]byte(strings.Repeat("x", KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	text := ring.NewDevice("ann", now)
	name, ok := ring.Device("ann", text, now.Add(DeviceTerm))
	if !ok || len(name) != deviceNonce {
		t.Fatalf("the device is not known: %q, %v", name, ok)
	}
	for what, known := range map[string]func() (string, bool){
		"another account":    func() (string, bool) { return ring.Device("bob", text, now) },
		"another deployment": func() (string, bool) { return other.Device("ann", text, now) },
		"too old":            func() (string, bool) { return ring.Device("ann", text, now.Add(DeviceTerm+time.Second)) },
		"changed":            func() (string, bool) { return ring.Device("ann", "A"+text[1:], now) },
		"nothing":            func() (string, bool) { return ring.Device("ann", "", now) },
	} {
		if name, ok := known(); ok && what != "changed" || ok && text[0] != 'A' {
			t.Errorf("%s is known as %q", what, name)
		}
	}
}
