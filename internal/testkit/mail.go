package testkit

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-smtp"

	"concert"
	"concert/internal/apiserver"
	"concert/internal/dispatch"
	"concert/internal/identity"
)

// Post is a real SMTP server that plays the relay and every mailbox behind it, and the way back in.
type Post struct {
	Inward string // address of our own door for mail

	t    testing.TB
	mu   sync.Mutex // guards all below
	got  []Mailed
	say  map[string]*smtp.SMTPError // by stage: MAIL, RCPT, DATA
	keys map[string]crypto.PublicKey
}

// Mailed is one message as it came in.
type Mailed struct {
	From, To string
	Notify   []smtp.DSNNotify
	Raw      []byte
	Header   mail.Header
	Text     string
	Files    map[string][]byte
}

// MailFrom is the address that a test's deployment writes from.
const MailFrom = "referrals@concert.example"

// Post starts the relay, makes the house send through it, and opens its door for mail. Before Run.
func (h *House) Post() *Post {
	h.t.Helper()
	p := &Post{t: h.t, say: map[string]*smtp.SMTPError{}, keys: map[string]crypto.PublicKey{}}
	key := identity.NewSigningKey()
	p.keys["concert._domainkey.concert.example"] = key.Public()
	relay := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &postSession{p: p}, nil }))
	relay.EnableDSN, relay.Domain, relay.MaxMessageBytes = true, "relay.example", 8<<20
	m, err := dispatch.NewMailer(dispatch.MailSettings{Relay: p.serve(relay), TLS: dispatch.TLSNone, From: MailFrom, Name: "Concert (EXERCISE)", Selector: "concert", Key: key})
	Must(h.t, err)
	h.Mailer, h.MailKeys = m, p.LookupTXT
	p.Inward = p.serve(apiserver.MailDoor(h.t.Context(), h.Service, h.Log, false))
	return p
}

func (p *Post) serve(s *smtp.Server) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	Must(p.t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	p.t.Cleanup(func() { s.Close(); <-done })
	return ln.Addr().String()
}

// Say makes the relay refuse at a stage (MAIL, RCPT, DATA); a nil error ends that.
func (p *Post) Say(stage string, err *smtp.SMTPError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.say[stage] = err
}

// Got are the messages so far.
func (p *Post) Got() []Mailed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Mailed(nil), p.got...)
}

// LookupTXT gives the keys that this test's domains publish.
func (p *Post) LookupTXT(name string) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pub, ok := p.keys[strings.TrimSuffix(name, ".")].(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("no record for %s", name)
	}
	return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)}, nil
}

// Signed is the message with a signature of the domain, whose key is published from now on.
func (p *Post) Signed(domain, message string) string {
	p.t.Helper()
	key := identity.NewSigningKey()
	p.mu.Lock()
	p.keys["mail._domainkey."+domain] = key.Public()
	p.mu.Unlock()
	var out bytes.Buffer
	Must(p.t, dkim.Sign(&out, strings.NewReader(crlf(message)), &dkim.SignOptions{Domain: domain, Selector: "mail", Signer: key, Hash: crypto.SHA256}))
	return out.String()
}

// Deliver hands a message to our own door, and gives what it says.
func (p *Post) Deliver(from, to, message string) error {
	p.t.Helper()
	c, err := smtp.Dial(p.Inward)
	Must(p.t, err)
	defer c.Close()
	return c.SendMail(from, []string{to}, strings.NewReader(crlf(message)))
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// MailContact registers a mailbox of a provider.
func (h *House) MailContact(p concert.Provider, address string, form concert.MailForm, more func(*concert.ContactPoint)) concert.ContactPoint {
	h.t.Helper()
	c := concert.ContactPoint{Purpose: concert.ForReferrals, Layer: concert.LayerPlatform, Channel: concert.ChannelMail, Address: address, Form: form, Zone: "UTC"}
	if more != nil {
		more(&c)
	}
	c, err := h.AddContactPoint(h.t.Context(), h.Admin, p.Ref, c)
	Must(h.t, err)
	return c
}

// Link is the token of the answer link in the message's text, "" where there is none.
func (m Mailed) Link() string {
	_, rest, found := strings.Cut(m.Text, "/answer/")
	if !found {
		return ""
	}
	token, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(token)
}

type postSession struct {
	p *Post
	m Mailed
}

// Reset forgets the message under way.
func (s *postSession) Reset() { s.m = Mailed{} }

// Logout ends the session.
func (*postSession) Logout() error { return nil }

func (s *postSession) refusal(stage string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if e := s.p.say[stage]; e != nil {
		return e
	}
	return nil
}

// Mail takes the sender.
func (s *postSession) Mail(from string, _ *smtp.MailOptions) error {
	s.m.From = from
	return s.refusal("MAIL")
}

// Rcpt takes the recipient.
func (s *postSession) Rcpt(to string, o *smtp.RcptOptions) error {
	s.m.To, s.m.Notify = to, o.Notify
	return s.refusal("RCPT")
}

// Data takes the message.
func (s *postSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.refusal("DATA"); err != nil {
		return err
	}
	m := s.m
	m.Raw = raw
	if err := m.read(); err != nil {
		s.p.t.Errorf("the relay got what is no mail: %v", err)
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.got = append(s.p.got, m)
	return nil
}

// read takes the message apart with the standard library, not with what wrote it.
func (m *Mailed) read() error {
	msg, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return err
	}
	m.Header, m.Files = msg.Header, map[string][]byte{}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err == nil && kind == "text/plain" {
		var h gomessage.Header
		h.Set("Content-Type", msg.Header.Get("Content-Type"))
		h.Set("Content-Transfer-Encoding", msg.Header.Get("Content-Transfer-Encoding"))
		e, err := gomessage.New(h, msg.Body)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(e.Body)
		m.Text = strings.ReplaceAll(string(data), "\r\n", "\n")
		return err
	}
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return fmt.Errorf("content type %q: %v", kind, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var h gomessage.Header
		for k, vs := range part.Header {
			for _, v := range vs {
				h.Add(k, v)
			}
		}
		e, err := gomessage.New(h, part)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(e.Body)
		if err != nil {
			return err
		}
		if name := part.FileName(); name != "" {
			m.Files[name] = data
		} else {
			m.Text = strings.ReplaceAll(string(data), "\r\n", "\n")
		}
	}
}
