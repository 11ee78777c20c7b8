package dispatch

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"

	"concert"
)

// TLSMode is how the connection to the relay is protected.
type TLSMode string

// The modes.
const (
	TLSNone     TLSMode = "none"     // loopback and closed networks
	TLSStart    TLSMode = "starttls" // refused where the relay does not offer it
	TLSImplicit TLSMode = "tls"
)

// MailSettings say through which relay mail leaves, and whose it is. Nothing is
// sent without them.
type MailSettings struct {
	Relay    string // HOST:PORT
	TLS      TLSMode
	Roots    *tls.Config // for tests and closed networks; nil: the system's
	User     string
	Password string
	From     string // the one address; answers and reports come to it with a tag: local+r.TAG@domain
	Name     string // shown beside the address
	Selector string // of the DKIM key
	Key      crypto.Signer
	Timeout  time.Duration                       // of one message; a minute if 0
	Guard    func(network, address string) error // refuses addresses; nil refuses none, since the operator names the relay
}

// Mailer takes finished letters to the relay, signed with DKIM (RFC 6376).
type Mailer struct {
	set    MailSettings
	local  string
	domain string
}

// NewMailer checks the settings.
func NewMailer(s MailSettings) (*Mailer, error) {
	host, _, err := net.SplitHostPort(s.Relay)
	switch {
	case err != nil:
		return nil, fmt.Errorf("mail relay: %q is no HOST:PORT", s.Relay)
	case s.TLS != TLSNone && s.TLS != TLSStart && s.TLS != TLSImplicit:
		return nil, fmt.Errorf("mail relay: TLS is %s, %s or %s, not %q", TLSNone, TLSStart, TLSImplicit, s.TLS)
	case !concert.PlainMailbox(s.From) || strings.ContainsRune(s.From, '+'):
		return nil, fmt.Errorf("mail: the sender %q is no plain address such as referrals@concert.example, without a plus", s.From)
	case s.Key == nil || s.Selector == "":
		return nil, errors.New("mail: no DKIM key: make one with: concert mail dkim")
	case s.User != "" && s.TLS == TLSNone && !loopbackHost(host):
		return nil, errors.New("mail relay: a password is not sent in the clear: set TLS to starttls or tls")
	}
	if s.Timeout == 0 {
		s.Timeout = time.Minute
	}
	m := &Mailer{set: s}
	m.local, m.domain, _ = strings.Cut(s.From, "@")
	return m, nil
}

func loopbackHost(h string) bool {
	ip := net.ParseIP(h)
	return h == "localhost" || ip != nil && ip.IsLoopback()
}

// From is the one address.
func (m *Mailer) From() string { return m.set.From }

// Reply is the address that takes replies to the mail with the tag.
func (m *Mailer) Reply(tag string) string { return m.local + "+r." + tag + "@" + m.domain }

// Return is the address that takes reports on the mail with the tag (VERP).
func (m *Mailer) Return(tag string) string { return m.local + "+b." + tag + "@" + m.domain }

// MailTag makes a tag of ten random bytes that names a mail in addresses.
func MailTag(random [10]byte) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}

// Mailbox reads an address of ours: which mail it names. tag is "" for the plain
// address; ok is false for what is none of ours.
func (m *Mailer) Mailbox(address string) (tag string, ok bool) {
	local, domain, found := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	if !found || domain != strings.ToLower(m.domain) {
		return "", false
	}
	base, rest, tagged := strings.Cut(local, "+")
	if base != strings.ToLower(m.local) {
		return "", false
	}
	if !tagged {
		return "", true
	}
	kind, tag, _ := strings.Cut(rest, ".")
	return tag, (kind == "r" || kind == "b") && isTag(tag)
}

func isTag(s string) bool {
	return len(s) == 16 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// MessageID is the Message-ID of the mail with the tag, without its brackets: our
// reference, and the tag by which a reply to the plain address is known.
func (m *Mailer) MessageID(reference, tag string) string {
	return reference + "." + tag + "@" + m.domain
}

// TagIn finds the tag in a Message-ID of ours.
func (m *Mailer) TagIn(messageID string) (tag string, ok bool) {
	left, domain, found := strings.Cut(strings.Trim(strings.TrimSpace(messageID), "<>"), "@")
	i := strings.LastIndexByte(left, '.')
	if !found || i < 0 || !strings.EqualFold(domain, m.domain) || !isTag(left[i+1:]) {
		return "", false
	}
	return left[i+1:], true
}

// Letter is one mail to be sent.
type Letter struct {
	Tag       string
	Reference string // ours, for the Message-ID
	To        string // one plain address
	Subject   string
	Text      string
	Lang      string
	Date      time.Time
	Urgent    bool
	Files     []LetterFile
}

// LetterFile is an attachment.
type LetterFile struct {
	Name string
	Type string
	Data []byte
}

// Compose writes the letter as a signed message: the same letter is the same
// bytes but for its signature's time.
func (m *Mailer) Compose(l Letter) ([]byte, error) {
	if !isTag(l.Tag) || !concert.PlainMailbox(l.To) || strings.ContainsAny(l.Subject+l.Reference, "\r\n") || l.Subject == "" {
		return nil, fmt.Errorf("%w: tag, address, subject or reference cannot stand in a header", ErrMessage)
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP), mail.WithBoundary(boundary(l)))
	msg.SetMessageIDWithValue(m.MessageID(l.Reference, l.Tag))
	msg.SetDateWithValue(l.Date)
	msg.Subject(l.Subject)
	for header, value := range map[mail.Header]string{
		"Auto-Submitted":           "auto-generated", // RFC 3834: no program answers it
		"X-Auto-Response-Suppress": "OOF, AutoReply",
		"X-Concert-Reference":      l.Reference,
		"Content-Language":         l.Lang,
	} {
		msg.SetGenHeader(header, value)
	}
	if l.Urgent {
		msg.SetImportance(mail.ImportanceUrgent)
	}
	for _, set := range []error{msg.FromFormat(m.set.Name, m.set.From), msg.To(l.To), msg.ReplyTo(m.Reply(l.Tag))} {
		if set != nil {
			return nil, fmt.Errorf("%w: %w", ErrMessage, set)
		}
	}
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	for _, f := range l.Files {
		if err := msg.AttachReader(f.Name, bytes.NewReader(f.Data), mail.WithFileContentType(mail.ContentType(f.Type))); err != nil {
			return nil, fmt.Errorf("attach %s: %w", f.Name, err)
		}
	}
	var plain, signed bytes.Buffer
	if _, err := msg.WriteTo(&plain); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	err := dkim.Sign(&signed, &plain, &dkim.SignOptions{Domain: m.domain, Selector: m.set.Selector, Signer: m.set.Key, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted", "X-Concert-Reference"}})
	if err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	return signed.Bytes(), nil
}

// boundary parts the letter: from its tag, so that a second attempt has the same.
func boundary(l Letter) string {
	d := sha256.Sum256([]byte("mail boundary\x00" + l.Tag + "\x00" + l.Reference))
	return "c-" + hex.EncodeToString(d[:16])
}

// mailLanes is how many connections to the relay are open at once.
const mailLanes = 4

// Send takes the letters to the relay over a few connections and says of each
// what came of it, in their order.
func (m *Mailer) Send(ctx context.Context, letters []Letter) []Receipt {
	out := make([]Receipt, len(letters))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(mailLanes, len(letters)) {
		wg.Go(func() {
			var c *smtp.Client
			for i := range next {
				c, out[i] = m.send(ctx, c, letters[i])
			}
			if c != nil {
				_ = c.Quit() // all is said: the relay took what it took
			}
		})
	}
	for i := range letters {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

// send sends one letter, over the connection that is open or a new one, and gives
// back the connection if it can be used again.
func (m *Mailer) send(ctx context.Context, c *smtp.Client, l Letter) (*smtp.Client, Receipt) {
	started := time.Now()
	text, err := m.Compose(l)
	if err != nil {
		return c, m.receipt(started, Invalid, "not sent: "+limitText(err.Error(), 300), err)
	}
	if c == nil {
		if c, err = m.connect(ctx); err != nil {
			return nil, m.receipt(started, Retry, "no relay: "+limitText(err.Error(), 300), err)
		}
	}
	stage, answer, err := m.hand(c, l, text)
	if err != nil {
		_ = c.Close()
		outcome, code := outcomeOfSMTP(stage, err)
		r := m.receipt(started, outcome, stage+": "+plainRefusal(err), err)
		r.Status = code
		return nil, r
	}
	sum := sha256.Sum256(text)
	if strings.ContainsRune(answer, '@') {
		answer = "(its words name an address)"
	}
	r := m.receipt(started, Accepted, fmt.Sprintf("250 %s; %d bytes sha256 %s", limitText(answer, 120), len(text), hex.EncodeToString(sum[:])), nil)
	r.Status, r.AcceptedAt = 250, r.At
	return c, r
}

func (m *Mailer) receipt(started time.Time, o Outcome, evidence string, err error) Receipt {
	at := time.Now()
	return Receipt{At: at, Elapsed: at.Sub(started), Outcome: o, Evidence: evidence, Err: err}
}

func (m *Mailer) connect(ctx context.Context) (*smtp.Client, error) {
	if m.set.Guard != nil {
		if err := m.set.Guard("tcp", m.set.Relay); err != nil {
			return nil, err
		}
	}
	host, _, _ := net.SplitHostPort(m.set.Relay)
	conf := &tls.Config{}
	if m.set.Roots != nil {
		conf = m.set.Roots.Clone()
	}
	conf.ServerName, conf.MinVersion = host, tls.VersionTLS12
	d := net.Dialer{Timeout: 30 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", m.set.Relay)
	if err != nil {
		return nil, err
	}
	var c *smtp.Client
	switch m.set.TLS {
	case TLSImplicit:
		c = smtp.NewClient(tls.Client(conn, conf))
	case TLSStart:
		if c, err = smtp.NewClientStartTLS(conn, conf); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	default:
		c = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = m.set.Timeout, m.set.Timeout
	if err := c.Hello(m.domain); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if m.set.User != "" {
		if err := c.Auth(plainAuth{m.set.User, m.set.Password}); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// The stages of a letter's way into the relay, as its evidence names them.
const (
	stageFrom = "MAIL FROM"
	stageRcpt = "RCPT TO"
	stageData = "DATA"
)

func (m *Mailer) hand(c *smtp.Client, l Letter, text []byte) (stage, answer string, err error) {
	// RET=HDRS: a report need not carry the referral back through the net.
	if err := c.Mail(m.Return(l.Tag), &smtp.MailOptions{Size: int64(len(text)), Return: smtp.DSNReturnHeaders, EnvelopeID: l.Tag}); err != nil {
		return stageFrom, "", err
	}
	err = c.Rcpt(l.To, &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifySuccess, smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}, OriginalRecipientType: smtp.DSNAddressTypeRFC822, OriginalRecipient: l.To})
	if err != nil {
		return stageRcpt, "", err
	}
	w, err := c.Data()
	if err != nil {
		return stageData, "", err
	}
	if _, err := io.Copy(w, bytes.NewReader(text)); err != nil {
		return stageData, "", errors.Join(err, w.Close())
	}
	resp, err := w.CloseWithResponse()
	if err != nil {
		return stageData, "", err
	}
	return stageData, resp.StatusText, nil
}

// outcomeOfSMTP classes an error of the relay. Only a lasting refusal of the
// recipient speaks against the contact point; all else may be ours or the
// relay's fault and is tried again.
func outcomeOfSMTP(stage string, err error) (Outcome, int) {
	code := 0
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		code = e.Code
	} else if e, ok := errors.AsType[*textproto.Error](err); ok {
		code = e.Code
	}
	switch {
	case code >= 500 && stage == stageRcpt:
		return Bounced, code
	case code >= 500:
		return Refused, code
	case code == 421 || code == 450 || code == 451 || code == 452:
		return SlowDown, code
	}
	return Retry, code
}

// plainRefusal is a refusal's codes without the relay's words, which may repeat
// the address: evidence goes into the log.
func plainRefusal(err error) string {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, EnhancedCode(err)))
	}
	return limitText(err.Error(), 300)
}

// EnhancedCode is the enhanced status (RFC 3463) of a relay's refusal, "" where
// it gave none.
func EnhancedCode(err error) string {
	e, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok || e.EnhancedCode[0] < 2 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2])
}

// plainAuth is SASL PLAIN (RFC 4616).
type plainAuth struct{ user, password string }

// Start gives the mechanism and its first answer.
func (a plainAuth) Start() (mech string, ir []byte, err error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
}

// Next refuses a second question: PLAIN has none.
func (plainAuth) Next([]byte) ([]byte, error) {
	return nil, errors.New("the relay asks on after PLAIN")
}
