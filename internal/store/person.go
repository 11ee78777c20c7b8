package store

import (
	"context"
	"strings"
	"time"

	"concert"
)

const personCols = "p.id, p.operator, p.name, p.login, p.authority, p.provider, p.roles, p.password, p.failed, p.failed_at, p.disabled_at, p.created_at, p.version, p.waits, p.languages"

func scanPerson(r rowScanner) (concert.Person, error) { return scanPersonAnd(r) }

func scanPersonAnd(r rowScanner, more ...any) (concert.Person, error) {
	var p concert.Person
	var authority, provider *string
	var roles, languages string
	var failed, disabled, created int64
	if err := r.Scan(append([]any{&p.ID, &p.Operator, &p.Name, &p.Login, &authority, &provider, &roles, &p.Password, &p.Failed, &failed, &disabled, &created, &p.Version, &p.Waits, &languages}, more...)...); err != nil {
		return p, err
	}
	if authority != nil {
		p.Authority = concert.AuthorityID(*authority)
	}
	if provider != nil {
		p.Provider = concert.ProviderID(*provider)
	}
	for role := range strings.SplitSeq(roles, ",") {
		p.Roles = append(p.Roles, concert.Role(role))
	}
	if languages != "" {
		p.Languages = strings.Split(languages, ",")
	}
	p.FailedAt, p.DisabledAt, p.CreatedAt = concert.FromMicros(failed), concert.FromMicros(disabled), concert.FromMicros(created)
	return p, nil
}

// AddPerson writes a new person.
func (tx *Tx) AddPerson(ctx context.Context, p concert.Person) error {
	tx.touch("person")
	_, err := tx.insert(ctx, "person", "id, operator, name, login, authority, provider, roles, password, failed, failed_at, disabled_at, created_at, version, waits, languages",
		[][]any{{string(p.ID), p.Operator, p.Name, p.Login, string(p.Authority), string(p.Provider), strings.Join(strs(p.Roles), ","), p.Password, 0, 0, 0, concert.Micros(p.CreatedAt), 1, flag(p.Waits), strings.Join(p.Languages, ",")}}, "")
	return err
}

// SavePerson writes password, failures, state, roles, authority and languages back.
func (tx *Tx) SavePerson(ctx context.Context, p concert.Person) error {
	return tx.update(ctx, "person", []typed{{"password", "TEXT"}, {"failed", "BIGINT"}, {"failed_at", "BIGINT"}, {"disabled_at", "BIGINT"}, {"roles", "TEXT"}, {"authority", "TEXT"}, {"waits", "BIGINT"}, {"languages", "TEXT"}},
		[][]any{{string(p.ID), p.Version, p.Password, p.Failed, concert.Micros(p.FailedAt), concert.Micros(p.DisabledAt), strings.Join(strs(p.Roles), ","), string(p.Authority), flag(p.Waits), strings.Join(p.Languages, ",")}})
}

// Person is one, by id.
func (tx *Tx) Person(ctx context.Context, id concert.PersonID) (concert.Person, error) {
	return scanPerson(tx.row(ctx, "SELECT "+personCols+" FROM person p WHERE p.id = ?", string(id)))
}

// PersonByLogin is one, by log-in name or operator number.
func (tx *Tx) PersonByLogin(ctx context.Context, login string) (concert.Person, error) {
	return scanPerson(tx.row(ctx, "SELECT "+personCols+" FROM person p WHERE p.login = ? OR p.operator = ?", login, login))
}

// People are all of them, by log-in.
func (tx *Tx) People(ctx context.Context) ([]concert.Person, error) {
	return list(ctx, tx, scanPerson, "SELECT "+personCols+" FROM person p ORDER BY p.login")
}

// Operators are the operator numbers of these people.
func (tx *Tx) Operators(ctx context.Context, ids []concert.PersonID) (map[concert.PersonID]string, error) {
	out := map[concert.PersonID]string{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.PersonID
		var op string
		err := r.Scan(&id, &op)
		out[id] = op
		return struct{}{}, err
	}, "SELECT id, operator FROM person WHERE id IN (%s)", anys(strs(ids)))
	return out, err
}

// Credential is a session, a one-time link or an API key; only its digest is
// kept.
type Credential struct {
	Digest    [32]byte
	Kind      string // "session", "link", "key"
	Person    concert.PersonID
	Name      string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: until revoked
	UsedAt    time.Time
	SeenAt    time.Time       // of a session, to the minute
	ProvenAt  time.Time       // of a session: its second factor
	Browser   string          // of a session
	Scopes    []concert.Power // of a key
}

// AddCredential writes one.
func (tx *Tx) AddCredential(ctx context.Context, c Credential) error {
	_, err := tx.insert(ctx, "credential", "digest, kind, person, name, created_at, expires_at, used_at, seen_at, proven_at, browser, scopes",
		[][]any{{c.Digest[:], c.Kind, string(c.Person), c.Name, concert.Micros(c.CreatedAt), concert.Micros(c.ExpiresAt), 0, concert.Micros(c.SeenAt), concert.Micros(c.ProvenAt), c.Browser, strings.Join(strs(c.Scopes), ",")}}, "")
	return err
}

// LinkBearer is the person that an unused one-time link speaks for, while it is
// good at wall time now.
func (tx *Tx) LinkBearer(ctx context.Context, digest [32]byte, now time.Time) (concert.Person, error) {
	return scanPerson(tx.row(ctx, "SELECT "+personCols+" FROM credential c JOIN person p ON p.id = c.person WHERE c.digest = ? AND c.kind = 'link' AND (c.expires_at = 0 OR c.expires_at > ?) AND c.used_at = 0 AND p.disabled_at = 0 AND p.waits = 0", digest[:], concert.Micros(now)))
}

// UseLink marks a one-time link as used; false when it was used already.
func (tx *Tx) UseLink(ctx context.Context, digest [32]byte, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE credential SET used_at = ? WHERE digest = ? AND kind = 'link' AND used_at = 0", concert.Micros(now), digest[:])
	return n == 1, err
}

// Administrators is how many people in force are administrators.
func (tx *Tx) Administrators(ctx context.Context) (int, error) {
	var n int
	return n, tx.row(ctx, "SELECT count(*) FROM person WHERE roles = ? AND disabled_at = 0 AND waits = 0", string(concert.RoleAdministrator)).Scan(&n)
}

// APIKeys are a person's keys, oldest first.
func (tx *Tx) APIKeys(ctx context.Context, p concert.PersonID) ([]Credential, error) {
	return list(ctx, tx, scanCredential, "SELECT digest, kind, person, name, created_at, expires_at, used_at, scopes FROM credential WHERE person = ? AND kind = 'key' ORDER BY created_at, digest", string(p))
}

// APIKeysBetween are the keys whose digests lie between two, both included: a
// key's public name is the first half of one.
func (tx *Tx) APIKeysBetween(ctx context.Context, from, to [32]byte) ([]Credential, error) {
	return list(ctx, tx, scanCredential, "SELECT digest, kind, person, name, created_at, expires_at, used_at, scopes FROM credential WHERE digest >= ? AND digest <= ? AND kind = 'key'", from[:], to[:])
}

func scanCredential(r rowScanner) (Credential, error) {
	var c Credential
	var digest []byte
	var created, expires, used int64
	var scopes string
	err := r.Scan(&digest, &c.Kind, &c.Person, &c.Name, &created, &expires, &used, &scopes)
	c.Scopes = scopesOf(scopes)
	c.Digest, c.CreatedAt, c.ExpiresAt, c.UsedAt = place(digest), concert.FromMicros(created), concert.FromMicros(expires), concert.FromMicros(used)
	return c, err
}

// CredentialName is the name that an unused link was made under.
func (tx *Tx) CredentialName(ctx context.Context, digest [32]byte) (string, error) {
	var name string
	return name, tx.row(ctx, "SELECT name FROM credential WHERE digest = ?", digest[:]).Scan(&name)
}

// DropCredentials ends every session, link and key of a person.
func (tx *Tx) DropCredentials(ctx context.Context, p concert.PersonID) error {
	_, err := tx.exec(ctx, "DELETE FROM credential WHERE person = ?", string(p))
	return err
}

// DropCredential ends a session, link or key.
func (tx *Tx) DropCredential(ctx context.Context, digest [32]byte) error {
	_, err := tx.exec(ctx, "DELETE FROM credential WHERE digest = ?", digest[:])
	return err
}

// StoredAnswer is what an idempotent request got the first time.
type StoredAnswer struct {
	Fingerprint [32]byte // of method, path and body
	Status      int
	Header      string // JSON of the headers to give again
	Body        []byte
	Subject     string // reference of the one item it tells of, "" for none: it is dropped when that is erased
	At          time.Time
}

// StoredAnswer is what the person's key got the first time; ErrNotFound when it is
// new.
func (tx *Tx) StoredAnswer(ctx context.Context, p concert.PersonID, name string) (StoredAnswer, error) {
	var a StoredAnswer
	var fp []byte
	var at int64
	err := tx.row(ctx, "SELECT fingerprint, status, header, body, at FROM idempotency WHERE person = ? AND name = ?", string(p), name).Scan(&fp, &a.Status, &a.Header, &a.Body, &at)
	a.Fingerprint, a.At = place(fp), concert.FromMicros(at)
	return a, err
}

// StoreAnswer keeps an answer for a repeated request: the one that was kept
// first stays.
func (tx *Tx) StoreAnswer(ctx context.Context, p concert.PersonID, name string, a StoredAnswer) error {
	_, err := tx.insert(ctx, "idempotency", "person, name, fingerprint, status, header, body, at, subject",
		[][]any{{string(p), name, a.Fingerprint[:], a.Status, a.Header, a.Body, concert.Micros(a.At), a.Subject}},
		"ON CONFLICT (person, name) DO UPDATE SET status = excluded.status, header = excluded.header, body = excluded.body, at = excluded.at, subject = excluded.subject WHERE idempotency.status = 0")
	return err
}

// ForgetAnswers drops stored answers older than the time.
func (tx *Tx) ForgetAnswers(ctx context.Context, before time.Time) error {
	_, err := tx.exec(ctx, "DELETE FROM idempotency WHERE at < ?", concert.Micros(before))
	return err
}
