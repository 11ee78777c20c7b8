package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// ChallengeTerm is how long a passkey may be waited for.
const ChallengeTerm = 5 * time.Minute

// ErrNoPasskeys says that the address of this deployment cannot have passkeys:
// browsers give them to names over https, and to localhost.
var ErrNoPasskeys = errors.New("passkeys need a host name over https, or localhost")

// ErrPasskey says that a passkey's answer is not good; it does not say why.
var ErrPasskey = errors.New("this passkey was not recognised: use the one that you registered here, or try again")

// Passkeys speaks WebAuthn (W3C, level 3) for one address.
type Passkeys struct{ rp *webauthn.WebAuthn }

// NewPasskeys reads the relying party from a deployment's base URL.
func NewPasskeys(baseURL string) (Passkeys, error) {
	at, err := url.Parse(baseURL)
	if err != nil {
		return Passkeys{}, fmt.Errorf("base URL: %w", err)
	}
	host := at.Hostname()
	if net.ParseIP(host) != nil || at.Scheme != "https" && host != "localhost" {
		return Passkeys{}, ErrNoPasskeys
	}
	timeout := webauthn.TimeoutConfig{Enforce: true, Timeout: ChallengeTerm, TimeoutUVD: ChallengeTerm}
	rp, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: "Concert", RPOrigins: []string{at.Scheme + "://" + at.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout}})
	if err != nil {
		return Passkeys{}, fmt.Errorf("passkeys: %w", err)
	}
	return Passkeys{rp}, nil
}

// PasskeyOwner is whose passkeys they are.
type PasskeyOwner struct {
	ID    string // the user handle: nothing that anybody knows
	Login string
	Name  string
	Kept  [][]byte // its passkeys, as Registered and Answered return them
}

// owner is a PasskeyOwner as the library asks for it.
type owner struct {
	PasskeyOwner
	creds []webauthn.Credential
}

var _ webauthn.User = owner{}

// WebAuthnID is the user handle.
func (o owner) WebAuthnID() []byte { return []byte(o.ID) }

// WebAuthnName is the log-in name.
func (o owner) WebAuthnName() string { return o.Login }

// WebAuthnDisplayName is the name.
func (o owner) WebAuthnDisplayName() string { return o.Name }

// WebAuthnCredentials are the passkeys.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.creds }

func (p PasskeyOwner) owner() (owner, error) {
	o := owner{PasskeyOwner: p}
	for _, raw := range p.Kept {
		var c webauthn.Credential
		if err := json.Unmarshal(raw, &c); err != nil {
			return o, fmt.Errorf("stored passkey: %w", err)
		}
		o.creds = append(o.creds, c)
	}
	return o, nil
}

// Passkey is a passkey as it is kept.
type Passkey struct {
	ID   []byte // the credential's, public
	Kept []byte // JSON
}

func passkeyOf(c *webauthn.Credential) (Passkey, error) {
	kept, err := json.Marshal(c)
	return Passkey{c.ID, kept}, err
}

// asked are options for the browser, and what is kept of them until its answer.
func asked(options any, s *webauthn.SessionData, err error) (forBrowser, kept []byte, _ error) {
	if err != nil {
		return nil, nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	if forBrowser, err = json.Marshal(options); err != nil {
		return nil, nil, err
	}
	kept, err = json.Marshal(s)
	return forBrowser, kept, err
}

// Register asks for a new passkey beside those that the owner has.
func (p Passkeys) Register(of PasskeyOwner) (forBrowser, kept []byte, err error) {
	o, err := of.owner()
	if err != nil {
		return nil, nil, err
	}
	options, s, err := p.rp.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.creds).CredentialDescriptors()))
	return asked(options, s, err)
}

// Registered reads the answer to Register.
func (p Passkeys) Registered(of PasskeyOwner, kept, answer []byte) (Passkey, error) {
	o, err := of.owner()
	if err != nil {
		return Passkey{}, err
	}
	s, err := keptSession(kept)
	if err != nil {
		return Passkey{}, err
	}
	said, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, ErrPasskey
	}
	c, err := p.rp.CreateCredential(o, s, said)
	if err != nil {
		return Passkey{}, ErrPasskey
	}
	return passkeyOf(c)
}

// Ask asks for one of the owner's passkeys; for anybody's where it is nil.
func (p Passkeys) Ask(of *PasskeyOwner) (forBrowser, kept []byte, err error) {
	if of == nil {
		options, s, err := p.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		return asked(options, s, err)
	}
	o, err := of.owner()
	if err != nil {
		return nil, nil, err
	}
	options, s, err := p.rp.BeginLogin(o, webauthn.WithUserVerification(protocol.VerificationRequired))
	return asked(options, s, err)
}

// Answered reads the answer to Ask of the owner's passkeys. A passkey whose
// counter went back may have been copied, and is refused.
func (p Passkeys) Answered(of PasskeyOwner, kept, answer []byte) (Passkey, error) {
	o, err := of.owner()
	if err != nil {
		return Passkey{}, err
	}
	s, said, err := keptAnswer(kept, answer)
	if err != nil {
		return Passkey{}, err
	}
	return good(p.rp.ValidateLogin(o, s, said))
}

// AnsweredBy reads the answer to Ask of anybody's passkey; find gives the owner
// of a user handle.
func (p Passkeys) AnsweredBy(find func(id string) (PasskeyOwner, error), kept, answer []byte) (id string, _ Passkey, _ error) {
	s, said, err := keptAnswer(kept, answer)
	if err != nil {
		return "", Passkey{}, err
	}
	var failed error
	who := func(_, handle []byte) (webauthn.User, error) {
		var of PasskeyOwner
		if of, failed = find(string(handle)); failed != nil {
			return nil, failed
		}
		id = of.ID
		return of.owner()
	}
	c, err := p.rp.ValidateDiscoverableLogin(who, s, said)
	if failed != nil {
		return "", Passkey{}, failed
	}
	k, err := good(c, err)
	return id, k, err
}

func good(c *webauthn.Credential, err error) (Passkey, error) {
	if err != nil || c.Authenticator.CloneWarning {
		return Passkey{}, ErrPasskey
	}
	return passkeyOf(c)
}

func keptSession(kept []byte) (s webauthn.SessionData, err error) {
	if err := json.Unmarshal(kept, &s); err != nil {
		return s, fmt.Errorf("kept challenge: %w", err)
	}
	return s, nil
}

func keptAnswer(kept, answer []byte) (webauthn.SessionData, *protocol.ParsedCredentialAssertionData, error) {
	s, err := keptSession(kept)
	if err != nil {
		return s, nil, err
	}
	said, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return s, nil, ErrPasskey
	}
	return s, said, nil
}
