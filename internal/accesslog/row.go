package accesslog

import (
	"errors"
	"sync"
)

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

// Coded is a Row of a Block in 64 bytes, a line of the processor's cache: what
// comes again and again is a number, by which the block's Words have it. 0 is
// none, "" or nobody.
type Coded struct {
	Offset, Sec, Bytes int64
	Length             int32
	Visitor, User      uint32 // in Words.People
	Path, Referrer     uint32 // in Words.Texts, as the next two
	Agent, Campaign    uint32
	Country            uint16 // as CountryCode takes it
	Status             uint16
	Method             uint8 // in Methods
	Bot, Unreliable    bool
}

// Words are what the numbers of Coded stand for, as far as they were given when
// the block ended. They may be kept, and are not changed any more.
type Words struct {
	Table  int // blocks of one table have one number for a word, and one word for a number
	People []Pseudonym
	Texts  []string
}

// Block is a piece of a file with its accesses in the order of their lines. A
// file has the same blocks in every run, whatever the number of workers; they
// come in any order, and each of them once, whether or not it holds an access.
type Block struct {
	File  int     // index into Report.Inputs
	Seq   int     // counts the file's blocks from 0
	Rows  []Coded // good until the call returns
	Words Words
}

// Methods are the names that Coded.Method counts, from 0: those that HTTP knows,
// then "other", then "" for what was no request.
var Methods = append(append([]string{}, methodNames[:noMethod]...), "")

// Countries and Statuses bound Coded.Country and Coded.Status.
const (
	Countries = countries
	Statuses  = 1000
)

// Row is the block's access number i in words.
func (b *Block) Row(i int) Row {
	c, w := &b.Rows[i], &b.Words
	return Row{b.File, c.Offset, int(c.Length), c.Sec, int(c.Status), c.Bytes, c.Bot, CountryCode(c.Country), c.Unreliable, w.People[c.Visitor], w.People[c.User],
		Methods[c.Method], w.Texts[c.Path], w.Texts[c.Referrer], w.Texts[c.Agent], w.Texts[c.Campaign]}
}

// vocabulary numbers the people and texts of a run's rows, for all workers.
type vocabulary struct {
	mu     sync.Mutex
	words  Words
	people map[Pseudonym]uint32
	texts  map[string]uint32
}

func newVocabulary(table int) *vocabulary {
	return &vocabulary{words: Words{table, make([]Pseudonym, 1), make([]string, 1)}, people: map[Pseudonym]uint32{{}: 0}, texts: map[string]uint32{"": 0}}
}

func (v *vocabulary) person(who Pseudonym) (code uint32, fresh bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if code, ok := v.people[who]; ok {
		return code, false
	}
	code = uint32(len(v.words.People))
	v.words.People = append(v.words.People, who)
	v.people[who] = code
	return code, true
}

func (v *vocabulary) word(text string) uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if code, ok := v.texts[text]; ok {
		return code
	}
	code := uint32(len(v.words.Texts))
	v.words.Texts = append(v.words.Texts, text)
	v.texts[text] = code
	return code
}

// now are the words so far, and whether there are so many that others are to be
// begun, so that memory has a bound.
func (v *vocabulary) now() (w Words, full bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.words, len(v.words.People) > 4*rememberedMost || len(v.words.Texts) > rememberedMost
}

// vocabularies are a run's, one after another.
type vocabularies struct {
	mu  sync.Mutex
	now *vocabulary
}

// after is the vocabulary that follows, which the first worker that asks begins.
func (v *vocabularies) after(old *vocabulary) *vocabulary {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now == old {
		table := 0
		if old != nil {
			table = old.words.Table + 1
		}
		v.now = newVocabulary(table)
	}
	return v.now
}

// coder makes the rows of one worker's blocks.
type coder struct {
	namer
	words     *vocabulary
	texts     codes // paths and referrers
	families  codes // of agents
	campaigns codes
	members   map[string]uint32 // users
	block     []Coded           // of the block that is read
	// Of the access that is given next:
	visitor    uint32
	agent      uint64 // hash
	bot        bool
	country    uint16
	unreliable bool
	err        error // of telling of whom a pseudonym stands for
}

func newCoder(r *run) *coder {
	c := &coder{namer: newNamer(r)}
	c.renew()
	return c
}

// renew begins other words.
func (c *coder) renew() {
	c.words = c.vocabularies.after(c.words)
	c.texts, c.families, c.campaigns, c.members = newCodes(), newCodes(), newCodes(), map[string]uint32{}
}

// end gives the block's rows away; renewed tells that numbers given before mean
// nothing any more.
func (c *coder) end() (rows []Coded, words Words, renewed bool) {
	rows = c.block
	c.block = rows[:0]
	if words, renewed = c.words.now(); renewed {
		c.renew()
	}
	return rows, words, renewed
}

// meet numbers a client that the worker's table has no number for.
func (c *coder) meet(r *record) uint32 { return c.person(c.identify(r)) }

func (c *coder) person(who Identified) uint32 {
	code, fresh := c.words.person(who.Pseudonym)
	if fresh {
		c.err = errors.Join(c.err, c.tell(who))
	}
	return code
}

// give adds one counted access to the block.
func (c *coder) give(r *record) error {
	row := Coded{Offset: r.offset, Sec: r.sec, Bytes: r.bytes, Length: int32(r.length), Visitor: c.visitor, Country: c.country, Status: uint16(r.status), Method: noMethod, Bot: c.bot, Unreliable: c.unreliable}
	if r.loggedIn() {
		row.User = c.user(r.user)
	}
	if r.method != nil {
		row.Method = c.method(r.method)
		row.Path = c.word(&c.texts, r.pathHash, r.path, Redact)
	}
	if r.from != nil {
		row.Referrer = c.word(&c.texts, r.fromHash, r.from, Redact)
	}
	if r.agent != nil {
		row.Agent = c.word(&c.families, c.agent, r.agent, func(agent string) string { return family([]byte(agent), c.bot) })
	}
	if r.query != nil {
		if of := campaignOf(r.query); of != nil {
			row.Campaign = c.word(&c.campaigns, c.text(of)|1<<63, of, redactCampaign)
		}
	}
	c.block = append(c.block, row)
	return c.err
}

func (c *coder) method(name []byte) uint8 {
	if string(name) == methodNames[0] { // nearly all
		return 0
	}
	if i, ok := c.methods[string(name)]; ok {
		return i
	}
	return otherMethod
}

func (c *coder) user(name []byte) uint32 {
	code, ok := c.members[string(name)]
	if !ok {
		code = c.person(c.member(name))
		c.members[string(name)] = code
	}
	return code
}

// word is the number of what becomes of a text, found out once. The hash has its
// highest bit set.
func (c *coder) word(known *codes, hash uint64, text []byte, become func(string) string) uint32 {
	s := known.slot(hash)
	if s.hash == hash {
		return s.code
	}
	code := c.words.word(become(string(text)))
	known.put(s, hash, code)
	return code
}

// codes are numbers by hash, in an open-addressing table.
type codes struct {
	slots []codeSlot
	n     int
}

type codeSlot struct {
	hash uint64 // 0: free
	code uint32
}

func newCodes() codes { return codes{slots: make([]codeSlot, 256)} }

// slot is where the hash stands or would stand.
func (t *codes) slot(hash uint64) *codeSlot {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.hash == hash || s.hash == 0 {
			return s
		}
	}
}

// put fills a free slot, which is gone afterwards.
func (t *codes) put(s *codeSlot, hash uint64, code uint32) {
	*s = codeSlot{hash, code}
	if t.n++; 2*t.n > len(t.slots) {
		old := t.slots
		t.slots = make([]codeSlot, 2*len(old))
		for _, o := range old {
			if o.hash != 0 {
				*t.slot(o.hash) = o
			}
		}
	}
}
