package accesslog

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
)

// Lengths in bytes of a pseudonym and of the key that it is made with.
const (
	PseudonymSize = 16
	KeySize       = 32
)

// Pseudonym stands for an address, a host name or a user name: HMAC-SHA-256
// under a key that is kept apart (RFC 2104), cut to 16 bytes. The zero value
// stands for nobody.
type Pseudonym [PseudonymSize]byte

// What a pseudonym stands for.
const (
	IdentityAddress = "address"
	IdentityHost    = "host"
	IdentityUser    = "user"
	IdentityKey     = "key" // a fingerprint of a key that opened a log-in
)

// Identified is what stands behind a pseudonym. It exists for the vault alone.
type Identified struct {
	Pseudonym Pseudonym
	Kind      string // IdentityAddress, IdentityHost, IdentityUser or IdentityKey
	Plain     string // an address as RFC 5952 writes it, a host name in lower case, a user name or a fingerprint as the log has it
}

// Kinds of what is hashed, so that a user's name and a host's or a key's are not told to be
// the same.
var (
	hostKind = []byte("host\x00")
	userKind = []byte("user\x00")
	keyKind  = []byte("key\x00")
)

// PseudonymOf is the pseudonym that a run with the key gives. It refuses an
// address or a host name that is none.
func PseudonymOf(key *[KeySize]byte, kind, plain string) (p Pseudonym, ok bool) {
	mac := hmac.New(sha256.New, key[:])
	switch kind {
	case IdentityUser:
		return sum(mac, userKind, []byte(plain)), plain != ""
	case IdentityKey:
		return sum(mac, keyKind, []byte(plain)), plain != ""
	}
	a, named, ok := parseAddress([]byte(plain), func([]byte) uint64 { return 0 })
	switch {
	case !ok || named != (kind == IdentityHost):
		return p, false
	case named:
		return sum(mac, hostKind, bytes.ToLower(bareClient([]byte(plain)))), true
	}
	b := a.bytes()
	return sum(mac, b[:]), true
}

func sum(mac hash.Hash, parts ...[]byte) (p Pseudonym) {
	var s [sha256.Size]byte
	mac.Reset()
	for _, b := range parts {
		mac.Write(b)
	}
	copy(p[:], mac.Sum(s[:0]))
	return p
}

// rememberedMost bounds what is remembered of clients, users and texts.
const rememberedMost = 1 << 17

// namer makes the pseudonyms of one worker.
type namer struct {
	*run
	mac hash.Hash
}

func newNamer(r *run) namer { return namer{r, hmac.New(sha256.New, r.key[:])} }

// identify is the client that a prepared record names.
func (n namer) identify(r *record) Identified {
	if r.named {
		name := bytes.ToLower(bareClient(r.addr))
		return Identified{sum(n.mac, hostKind, name), IdentityHost, string(name)}
	}
	b := r.client.bytes()
	return Identified{sum(n.mac, b[:]), IdentityAddress, r.client.addr().String()}
}

func (n namer) member(name []byte) Identified {
	return Identified{sum(n.mac, userKind, name), IdentityUser, string(name)}
}

func (n namer) tell(who Identified) error {
	if n.o.Known == nil {
		return nil
	}
	return n.o.Known(who)
}

// names are pseudonyms and redacted texts that a finder made, remembered.
type names struct {
	namer
	clients []clientSlot
	met     int // of clients
	users   map[string]Pseudonym
	texts   map[uint64]string // redacted, by hash of the text as the log has it
}

func newNames(r *run) *names {
	return &names{namer: newNamer(r), clients: make([]clientSlot, 1<<10), users: map[string]Pseudonym{}, texts: map[uint64]string{}}
}

// redacted is a text without what names somebody, found out once.
func (g *names) redacted(hash uint64, text []byte) string {
	if s, ok := g.texts[hash]; ok {
		return s
	}
	if len(g.texts) >= rememberedMost {
		clear(g.texts)
	}
	s := Redact(string(text))
	g.texts[hash] = s
	return s
}

// clientSlot is one place of an open table, by hash of the client; it is free
// where the pseudonym is nobody's.
type clientSlot struct {
	client    address
	pseudonym Pseudonym
}

// slot is where the client stands or would stand.
func (g *names) slot(client address, hash uint64) *clientSlot {
	mask := uint64(len(g.clients) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &g.clients[i]; s.client == client || s.pseudonym == (Pseudonym{}) {
			return s
		}
	}
}

func (g *names) client(r *record) (Pseudonym, error) {
	s := g.slot(r.client, r.clientHash)
	if s.pseudonym != (Pseudonym{}) {
		return s.pseudonym, nil
	}
	who := g.identify(r)
	if g.met++; g.met > rememberedMost {
		clear(g.clients)
		g.met = 1
	} else if 2*g.met > len(g.clients) {
		old := g.clients
		g.clients = make([]clientSlot, 2*len(old))
		for _, o := range old {
			if o.pseudonym != (Pseudonym{}) {
				*g.slot(o.client, g.address(o.client)) = o
			}
		}
	}
	*g.slot(r.client, r.clientHash) = clientSlot{r.client, who.Pseudonym}
	return who.Pseudonym, g.tell(who)
}

func (g *names) user(name []byte) (Pseudonym, error) {
	if p, ok := g.users[string(name)]; ok {
		return p, nil
	}
	who := g.member(name)
	if len(g.users) >= rememberedMost {
		clear(g.users)
	}
	g.users[who.Plain] = who.Pseudonym
	return who.Pseudonym, g.tell(who)
}
