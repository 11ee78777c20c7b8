package apiserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"concert"
	"concert/internal/casework"
	"concert/internal/dispatch"
)

const (
	mailTimeout    = time.Minute
	mailRecipients = 8
)

// MailDoor is the door for mail that comes in: an SMTP server, or LMTP behind a
// mail system. It takes what is for our own addresses and nothing else, bounds
// what it reads, and says 4xx where trying again helps.
func MailDoor(ctx context.Context, svc *casework.Service, log *slog.Logger, lmtp bool) *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &mailSession{log: log,
			knows: func(to string) error { return svc.KnowMailbox(ctx, to) },
			takes: func(to string, raw []byte) error { _, err := svc.ReceiveMail(ctx, to, raw); return err }}, nil
	}))
	s.LMTP = lmtp
	if svc.Mailer != nil {
		_, s.Domain, _ = strings.Cut(svc.Mailer.From(), "@")
	}
	s.MaxMessageBytes, s.MaxRecipients, s.MaxLineLength = dispatch.MailMost, mailRecipients, 4000
	s.ReadTimeout, s.WriteTimeout = mailTimeout, mailTimeout
	s.ErrorLog = mailLog{log}
	return s
}

// mailLog keeps the server's own complaints in our log, without what was said.
type mailLog struct{ log *slog.Logger }

// Printf logs one complaint.
func (l mailLog) Printf(format string, _ ...any) {
	l.log.Debug("mail door", "what", strings.TrimSpace(format))
}

// Println logs one complaint.
func (l mailLog) Println(v ...any) {
	if len(v) > 0 {
		l.log.Debug("mail door", "what", v[0])
	}
}

// mailSession is one connection. Its acts live as long as the server, since the
// protocol's library hands on no context of a command.
type mailSession struct {
	knows func(to string) error
	takes func(to string, raw []byte) error
	log   *slog.Logger
	to    []string
}

// Reset forgets the message under way.
func (s *mailSession) Reset() { s.to = nil }

// Logout ends the session.
func (*mailSession) Logout() error { return nil }

// Mail takes any sender, the empty one of reports too.
func (*mailSession) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes our own addresses only.
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.knows(to); err != nil {
		return s.refusal(err)
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the message for each of its recipients.
func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, dispatch.MailMost+1))
	if err != nil {
		return err
	}
	for _, to := range s.to {
		if err := s.takes(to, bytes.Clone(raw)); err != nil {
			return s.refusal(err)
		}
	}
	return nil
}

// refusal says for good what is for good, and for now all else.
func (s *mailSession) refusal(err error) error {
	e, ok := errors.AsType[*concert.Error](err)
	switch {
	case ok && e.Kind == concert.NotFound:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here, or no mail of ours that this answers"}
	case ok && (e.Kind == concert.Invalid || e.Kind == concert.TooLarge):
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "this cannot be read as mail"}
	}
	s.log.Error("mail was not taken in, and its sender tries again", "err", err)
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not now: try again later"}
}
