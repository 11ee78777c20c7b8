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

// Row is one access with the place it was read from. It holds nothing that names
// a person: pseudonyms stand for client and user, paths are redacted (Redact),
// queries cut off, of an agent only its family is there. Its strings may be kept.
type Row struct {
	File       int   // index into Report.Inputs
	Offset     int64 // of its line in the file as it was read (decompressed)
	Length     int   // of its line, without its end
	Sec        int64 // seconds since 1970, UTC
	Status     int
	Bytes      int64
	Bot        bool
	Country    string // two letters, or "unknown"
	Unreliable bool   // its network says nothing about a country
	Visitor    Pseudonym
	User       Pseudonym // zero where nobody was logged in
	Method     string    // "other" for one that HTTP does not know, "" for what was no request
	Path       string
	Referrer   string // "" for none
	Agent      string // family; "" where the format has none
	Campaign   string // "" for none
}

// Block is a piece of a file with its accesses in the order of their lines. A
// file has the same blocks in every run, whatever the number of workers; they
// come in any order, and each of them once, whether or not it holds an access.
type Block struct {
	File int   // index into Report.Inputs
	Seq  int   // counts the file's blocks from 0
	Rows []Row // good until the call returns; the strings may be kept
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

// rowsMost bounds what rows remember of clients, users and texts.
const rowsMost = 1 << 17

// rows makes Rows for one worker, and remembers what it made of whom.
type rows struct {
	*run
	mac        hash.Hash
	clients    []clientSlot
	met        int // of clients
	users      map[string]Pseudonym
	texts      map[uint64]string // redacted, by hash of the text as the log has it
	families   map[uint64]string // of agents, by hash
	bot        bool              // of the access that is given next
	country    uint16
	unreliable bool
	block      []Row // of the block that is read
}

func newRows(r *run) *rows {
	return &rows{run: r, mac: hmac.New(sha256.New, r.key[:]), clients: make([]clientSlot, 1<<10), users: map[string]Pseudonym{}, texts: map[uint64]string{}, families: map[uint64]string{}}
}

// give hands one counted access on.
func (g *rows) give(file int, r *record) error {
	row := Row{File: file, Offset: r.offset, Length: r.length, Sec: r.sec, Status: int(r.status), Bytes: r.bytes, Bot: g.bot, Country: countryCode(g.country), Unreliable: g.unreliable}
	var err error
	if row.Visitor, err = g.client(r); err != nil {
		return err
	}
	if r.loggedIn() {
		if row.User, err = g.user(r.user); err != nil {
			return err
		}
	}
	if r.method != nil {
		row.Method = g.method(r.method)
		row.Path = remember(g.texts, r.pathHash, r.path, Redact)
	}
	if len(r.referrer) > 1 {
		from, _, _ := bytes.Cut(r.referrer, []byte("?"))
		from = from[:min(len(from), longestKey)]
		row.Referrer = remember(g.texts, g.text(from)|1<<63, from, Redact)
	}
	if r.agent != nil {
		row.Agent = remember(g.families, g.text(r.agent)|1<<63, r.agent, func(agent string) string { return family([]byte(agent), g.bot) })
	}
	if r.query != nil {
		if c := campaignOf(r.query); c != nil {
			row.Campaign = remember(g.texts, g.text(c), c, redactCampaign)
		}
	}
	if g.o.Block != nil {
		g.block = append(g.block, row)
	}
	if g.o.Row == nil {
		return nil
	}
	return g.o.Row(row)
}

// clientSlot is one place of an open table, by hash of the client; it is free
// where the pseudonym is nobody's.
type clientSlot struct {
	client    address
	pseudonym Pseudonym
}

// slot is where the client stands or would stand.
func (g *rows) slot(client address, hash uint64) *clientSlot {
	mask := uint64(len(g.clients) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &g.clients[i]; s.client == client || s.pseudonym == (Pseudonym{}) {
			return s
		}
	}
}

func (g *rows) method(name []byte) string {
	if string(name) == methodNames[0] { // nearly all
		return methodNames[0]
	}
	if i, ok := g.methods[string(name)]; ok {
		return methodNames[i]
	}
	return methodNames[otherMethod]
}

// remember is what becomes of a text, found out once.
func remember(known map[uint64]string, hash uint64, text []byte, become func(string) string) string {
	if s, ok := known[hash]; ok {
		return s
	}
	if len(known) >= rowsMost {
		clear(known)
	}
	s := become(string(text))
	known[hash] = s
	return s
}

func (g *rows) client(r *record) (Pseudonym, error) {
	s := g.slot(r.client, r.clientHash)
	if s.pseudonym != (Pseudonym{}) {
		return s.pseudonym, nil
	}
	who := Identified{Kind: IdentityAddress}
	if r.named {
		name := bytes.ToLower(bareClient(r.addr))
		who.Kind, who.Plain, who.Pseudonym = IdentityHost, string(name), sum(g.mac, hostKind, name)
	} else {
		b := r.client.bytes()
		who.Plain, who.Pseudonym = r.client.addr().String(), sum(g.mac, b[:])
	}
	if g.met++; g.met > rowsMost {
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

func (g *rows) user(name []byte) (Pseudonym, error) {
	if p, ok := g.users[string(name)]; ok {
		return p, nil
	}
	who := Identified{sum(g.mac, userKind, name), IdentityUser, string(name)}
	if len(g.users) >= rowsMost {
		clear(g.users)
	}
	g.users[who.Plain] = who.Pseudonym
	return who.Pseudonym, g.tell(who)
}

func (g *rows) tell(who Identified) error {
	if g.o.Known == nil {
		return nil
	}
	return g.o.Known(who)
}
