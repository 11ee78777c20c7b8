package dispatch

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"concert"
)

func settings(t testing.TB) MailSettings {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return MailSettings{Relay: "127.0.0.1:25", TLS: TLSNone, From: "referrals@concert.example", Name: "Concert", Selector: "concert", Key: key}
}

func TestMailerRefusesSettingsThatWouldSendBadly(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*MailSettings){
		"no relay":      func(s *MailSettings) { s.Relay = "relay" },
		"no tls mode":   func(s *MailSettings) { s.TLS = "maybe" },
		"no sender":     func(s *MailSettings) { s.From = "Concert <referrals@concert.example>" },
		"plus":          func(s *MailSettings) { s.From = "a+b@concert.example" },
		"no key":        func(s *MailSettings) { s.Key = nil },
		"open password": func(s *MailSettings) { s.Relay, s.User = "192.0.2.1:25", "u" },
	} {
		s := settings(t)
		spoil(&s)
		if _, err := NewMailer(s); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestMailboxesNameTheirMail(t *testing.T) {
	t.Parallel()
	m, err := NewMailer(settings(t))
	if err != nil {
		t.Fatal(err)
	}
	tag := MailTag([10]byte{1, 2, 3})
	for _, address := range []string{m.Reply(tag), m.Return(tag), strings.ToUpper(m.Reply(tag))} {
		if got, ok := m.Mailbox(address); !ok || got != tag {
			t.Errorf("%s: %q, %v", address, got, ok)
		}
	}
	if got, ok := m.TagIn("<" + m.MessageID("RF-1", tag) + ">"); !ok || got != tag {
		t.Errorf("Message-ID: %q, %v", got, ok)
	}
	for _, bad := range []string{"", "@", "referrals@evil.example", "other@concert.example", "referrals+r.x@concert.example", "referrals+r." + tag + ".x@concert.example", "referrals+" + tag + "@concert.example"} {
		if got, ok := m.Mailbox(bad); ok {
			t.Errorf("%q names %q", bad, got)
		}
	}
}

func TestLetterCannotSmuggleAHeader(t *testing.T) {
	t.Parallel()
	m, err := NewMailer(settings(t))
	if err != nil {
		t.Fatal(err)
	}
	good := Letter{Tag: MailTag([10]byte{}), Reference: "RF-1", To: "a@b.example", Subject: "[RF-1] s", Text: "t", Lang: "en", Date: time.Unix(0, 0)}
	if _, err := m.Compose(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Letter){
		"subject": func(l *Letter) { l.Subject = "x\r\nBcc: c@d.example" }, "to": func(l *Letter) { l.To = "a@b.example>\r\nRCPT TO:<c@d.example" }, "two": func(l *Letter) { l.To = "a@b.example,c@d.example" },
		"tag": func(l *Letter) { l.Tag = "x" }, "reference": func(l *Letter) { l.Reference = "x\ny" }, "empty": func(l *Letter) { l.Subject = "" },
	} {
		l := good
		spoil(&l)
		if text, err := m.Compose(l); err == nil {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// relaySession takes mail only from who logged in.
type relaySession struct {
	mu   *sync.Mutex
	got  *[]string
	auth bool
}

func (s *relaySession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *relaySession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.auth = user == "u" && password == "p"; !s.auth {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}
func (*relaySession) Reset()        {}
func (*relaySession) Logout() error { return nil }
func (s *relaySession) Mail(string, *smtp.MailOptions) error {
	if !s.auth {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (*relaySession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *relaySession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.got = append(*s.got, string(b))
	return err
}

// Through STARTTLS and implicit TLS, with a password, signed with RSA as an operator's key is.
func TestRelayIsReachedOverTLSWithAPassword(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "EXERCISE relay"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []TLSMode{TLSStart, TLSImplicit} {
		var mu sync.Mutex
		var got []string
		srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &relaySession{mu: &mu, got: &got}, nil }))
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := ln.Addr().String()
		if mode == TLSImplicit {
			ln = tls.NewListener(ln, srv.TLSConfig)
		}
		go srv.Serve(ln)
		t.Cleanup(func() { srv.Close() })
		set := settings(t)
		set.Relay, set.TLS, set.User, set.Password, set.Key, set.Roots = address, mode, "u", "p", key, &tls.Config{RootCAs: roots}
		letters := make([]Letter, 9)
		for i := range letters {
			letters[i] = Letter{Tag: MailTag([10]byte{byte(i)}), Reference: fmt.Sprintf("RF-%d", i), To: "a@b.example", Subject: "[RF] s", Text: "t\n.\nü", Lang: "en", Date: time.Now()}
		}
		m, err := NewMailer(set)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range m.Send(t.Context(), letters) {
			if r.Outcome != Accepted || r.Status != 250 {
				t.Errorf("%s, letter %d: %+v", mode, i, r)
			}
		}
		mu.Lock()
		if len(got) != len(letters) {
			t.Fatalf("%s: %d letters arrived", mode, len(got))
		}
		record := []string{"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(pub)}
		vs, err := dkim.VerifyWithOptions(strings.NewReader(got[0]), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return record, nil }})
		if err != nil || len(vs) != 1 || vs[0].Err != nil {
			t.Errorf("%s: %v %+v", mode, err, vs)
		}
		mu.Unlock()
		set.Password = "wrong"
		if m, err = NewMailer(set); err != nil {
			t.Fatal(err)
		}
		if r := m.Send(t.Context(), letters[:1])[0]; r.Outcome != Retry {
			t.Errorf("%s, a wrong password: %+v", mode, r)
		}
		set.Password, set.Roots = "p", nil
		if m, err = NewMailer(set); err != nil {
			t.Fatal(err)
		}
		if r := m.Send(t.Context(), letters[:1])[0]; r.Outcome != Retry {
			t.Errorf("%s, an unknown certificate: %+v", mode, r)
		}
	}
}

const disposition = "From: a@b.example\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=x\r\n\r\n--x\r\n\r\nread\r\n--x\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;a@b.example\r\nOriginal-Message-ID: <x@y>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n--x--\r\n"

const complaint = "From: fbl@b.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nabuse\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: F/1\r\nVersion: 1\r\n--x--\r\n"

func bounceOf(action, status string) string {
	return "From: MAILER-DAEMON@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;b\r\n\r\nFinal-Recipient: rfc822;a@b.example\r\nAction: " + action + "\r\nStatus: " + status + "\r\n--x--\r\n"
}

func TestMailThatComesInIsWhatItIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw  string
		kind concert.MessageKind
		code string
		text string
	}{
		"bounce":             {bounceOf("failed", "5.1.1 (unknown)"), concert.MessageBounced, "5.1.1", "text"},
		"bounce, no status":  {bounceOf("Failed", "x\ty"), concert.MessageBounced, "failed", "text"},
		"delivered":          {bounceOf("delivered", "2.0.0"), concert.MessageDelivered, "2.0.0", "text"},
		"relayed":            {bounceOf("relayed", "2.0.0"), concert.MessageRelayed, "2.0.0", "text"},
		"delayed":            {bounceOf("delayed", "4.4.1"), concert.MessageDelayed, "4.4.1", "text"},
		"unreadable report":  {bounceOf("exploded", "5.0.0"), concert.MessageAutomatic, "unreadable", "text"},
		"read":               {disposition, concert.MessageRead, "displayed", "read"},
		"complaint":          {complaint, concert.MessageComplaint, "abuse", "abuse"},
		"away":               {"From: a@b.example\nAuto-Submitted: auto-replied\n\naway", concert.MessageAutomatic, "", "away"},
		"not automatic":      {"From: a@b.example\nAuto-Submitted: no\n\nhello", concert.MessageReply, "", "hello"},
		"old encoding":       {"From: a@b.example\nContent-Type: text/plain; charset=windows-1251\nContent-Transfer-Encoding: base64\n\nz/Do4uXy", concert.MessageReply, "", "Привет"},
		"unknown encoding":   {"From: a@b.example\nContent-Type: text/plain; charset=x-none\n\nhello", concert.MessageReply, "", "hello"},
		"broken structure":   {"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nhello", concert.MessageReply, "", "hello"},
		"marks and controls": {"From: a@b.example\n\na\x00b\u202ec\t d", concert.MessageReply, "", "abc  d"},
	} {
		in, err := ParseMail([]byte(c.raw))
		if err != nil || in.Kind != c.kind || in.Code != c.code || in.Text != c.text {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
	in, err := ParseMail([]byte("From: a@b.example\nFrom: c@d.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nhi\n--x\nContent-Type: application/zip\nContent-Disposition: attachment; filename=evil.zip\n\nPK\n--x--\n"))
	if err != nil || in.From != "" || in.Text != "hi" || in.Dropped != "application/zip (2 bytes)" {
		t.Errorf("two senders and an attachment: %+v, %v", in, err)
	}
	for _, bad := range []string{"", "\n\n", "no header"} {
		if _, err := ParseMail([]byte(bad)); err == nil {
			t.Errorf("%q was taken for mail", bad)
		}
	}
}

func FuzzParseMail(f *testing.F) {
	for _, s := range []string{"", bounceOf("failed", "5.1.1"), disposition, complaint, "From: a@b\nSubject: =?utf-8?q?x?=\n\n<b>x", "Content-Type: text/html\n\n<script>x</script><p>y", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := ParseMail(raw)
		if err != nil {
			return
		}
		if in.Kind == "" || utf8.RuneCountInString(in.Text) > concert.MessageMost+1 || utf8.RuneCountInString(in.Subject) > 401 || len(in.Refers) > 50 || strings.ContainsAny(in.Subject+in.From+in.Code+in.MessageID, "\r\n\x00") || strings.ContainsAny(in.Text, "\r\x00\u202e") {
			t.Errorf("%+v", in)
		}
		if in.Recipient != "" && !concert.PlainMailbox(in.Recipient) {
			t.Errorf("recipient %q", in.Recipient)
		}
		SignedBy(raw, in, "a@b.example", func(string) ([]string, error) { return nil, fmt.Errorf("none") })
	})
}
