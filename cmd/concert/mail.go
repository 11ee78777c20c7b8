package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/emersion/go-smtp"

	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/dispatch"
	"concert/internal/durable"
)

// dkimFile is the key that signs mail (RFC 6376): RSA, since not every mail system
// knows another.
const dkimFile = "dkim.key"

const dkimBits = 2048

// mailing is how mail leaves and comes in. Without an address and a relay none
// does.
type mailing struct {
	MailFrom         string `help:"The one address that mail to providers comes from; answers and reports come to it with a tag. No mail without it." placeholder:"ADDRESS"`
	MailName         string `help:"Name shown beside it." default:"Concert"`
	MailSelector     string `help:"Selector of the DKIM key in the DNS." default:"concert"`
	SMTP             string `help:"Relay that mail leaves through." name:"smtp" placeholder:"HOST:PORT"`
	SMTPTLS          string `help:"none (loopback and closed networks), starttls or tls." name:"smtp-tls" default:"starttls"`
	SMTPUser         string `help:"User at the relay." name:"smtp-user"`
	SMTPPasswordFile string `help:"File that holds the password." name:"smtp-password-file" placeholder:"FILE"`
	MailListen       string `help:"Address on which answers and reports come in by SMTP; put your mail system before it." placeholder:"HOST:PORT"`
	MailLMTP         bool   `help:"Speak LMTP there instead." name:"mail-lmtp"`
}

// mailer is the way to the relay; nil where none is set.
func (c *mailing) mailer(dir string) (*dispatch.Mailer, error) {
	if c.MailFrom == "" && c.SMTP == "" {
		if c.MailListen != "" {
			return nil, errors.New("-mail-listen takes answers to mail that is sent: set -mail-from and -smtp too")
		}
		return nil, nil
	}
	key, err := readDKIM(dir)
	if err != nil {
		return nil, err
	}
	password := ""
	if c.SMTPPasswordFile != "" {
		text, err := os.ReadFile(c.SMTPPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password of the mail relay: %w", err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	return dispatch.NewMailer(dispatch.MailSettings{Relay: c.SMTP, TLS: dispatch.TLSMode(c.SMTPTLS), User: c.SMTPUser, Password: password, From: c.MailFrom, Name: c.MailName, Selector: c.MailSelector, Key: key})
}

// setUp gives the service its way to the relay, and lets it check signatures.
func (c *mailing) setUp(svc *casework.Service, dir string) error {
	var err error
	if svc.Mailer, err = c.mailer(dir); err != nil || svc.Mailer == nil {
		return err
	}
	svc.MailKeys = func(name string) ([]string, error) { return net.DefaultResolver.LookupTXT(context.Background(), name) }
	return nil
}

// door is the listener for mail that comes in; nil where none is set.
func (c *mailing) door(ctx context.Context, svc *casework.Service, log *slog.Logger) (*smtp.Server, net.Listener, error) {
	if c.MailListen == "" {
		return nil, nil, nil
	}
	ln, err := net.Listen("tcp", c.MailListen)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for mail on %s: %w", c.MailListen, err)
	}
	return apiserver.MailDoor(ctx, svc, log, c.MailLMTP), ln, nil
}

func readDKIM(dir string) (*rsa.PrivateKey, error) {
	text, err := os.ReadFile(filepath.Join(dir, dkimFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("mail is never sent unsigned, and there is no key yet: make one, and its DNS record, with: concert mail dkim -data %s", dir)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM", dkimFile)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: no PKCS #8 inside: %w", dkimFile, err)
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds %T, wanted is RSA", dkimFile, key)
	}
	return k, nil
}

// makeDKIM writes a new key where there is none.
func makeDKIM(dir string) (*rsa.PrivateKey, error) {
	if key, err := readDKIM(dir); err == nil {
		return key, nil
	} else if _, have := os.Stat(filepath.Join(dir, dkimFile)); !errors.Is(have, fs.ErrNotExist) {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, dkimBits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, durable.CreateExclusive(filepath.Join(dir, dkimFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

type mailCmd struct {
	DKIM mailDKIMCmd `cmd:"" name:"dkim" help:"Make the key that signs mail, if there is none, and print its DNS record."`
}

type mailDKIMCmd struct {
	place
	mailing
}

// Run makes the key and prints what goes into the DNS.
func (c *mailDKIMCmd) Run(e *env) error {
	if _, err := readKeys(c.Data); err != nil {
		return err
	}
	key, err := makeDKIM(c.Data)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	domain := "YOUR-DOMAIN"
	if _, d, ok := strings.Cut(c.MailFrom, "@"); ok {
		domain = d
	}
	record := "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	var parts []string
	for len(record) > 255 {
		parts, record = append(parts, `"`+record[:255]+`"`), record[255:]
	}
	parts = append(parts, `"`+record+`"`)
	_, err = fmt.Fprintf(e.stdout, "%s._domainkey.%s. IN TXT ( %s )\n_dmarc.%s. IN TXT \"v=DMARC1; p=reject; adkim=s\"\n", c.MailSelector, domain, strings.Join(parts, " "), domain)
	return err
}
