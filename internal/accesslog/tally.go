package accesslog

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// methodNames are the methods that are told apart; the last two stand for any
// other and for what was no request.
var methodNames = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "other", "no request"}

const (
	otherMethod = 18
	noMethod    = 19
	methods     = 20
)

// Times outside these are not counted into days: before any web server wrote
// logs, or after the run.
const earliest = 631152000 // 1990-01-01

// disorder is how far a time may lie before the line above it: servers write a
// request when it ends, under the time at which it began.
const disorder = 60

// dayCount is what a day, an hour or a zone holds.
type dayCount struct{ accesses, bots, bytes int64 }

// countryCount counts by country.
type countryCount struct{ accesses, bots int64 }

// edge is how a block began and ended, so that order is judged across blocks.
type edge struct {
	file, seq           int
	first, last         int64
	firstZone, lastZone int32
}

// fileCount is what a worker saw of a file.
type fileCount struct {
	lines, parsed, rejected, blank int64
	first, last                    int64 // of plausible times; 0 for none
	byReason                       [reasons]int64
	disorder, zoneChanges          int64
}

// run is what all workers of a run share; nobody changes it but the vocabularies.
type run struct {
	hasher
	o       Options
	key     [KeySize]byte // of the pseudonyms; drawn for the run and kept nowhere, or a case's
	bots    bots
	latest  int64 // the last plausible second
	methods map[string]uint8

	vocabularies vocabularies
}

// tally is what one worker counts.
type tally struct {
	*run
	visitors   *visitors
	pairs      *numbers // visitor and agent
	users      *numbers
	paths      *texts
	referrers  *texts
	agents     *texts
	campaigns  *texts
	families   map[string]*dayCount // of agents that were put aside
	places     map[uintptr]place    // by where the country database has them
	urls       sketch
	accesses   int64
	bots       int64
	bytes      int64
	noAgent    int64 // the format has none
	status     [1000]int64
	method     [methods]int64
	country    [countries]countryCount
	unreliable int64
	success    int64
	listed     int64
	judged     int64
	judgedBots int64
	days       map[int64]*dayCount
	hours      [24]dayCount
	zones      map[int32]int64
	implaus    int64
	files      []fileCount

	file  *fileCount
	hour  int64 // first second of the hour that now counts
	zone  int32
	now   dayCount
	began bool  // a line of this block was counted
	prev  int64 // its time
	edge  edge  // of this block
	mac   hash.Hash
	rows  *coder // nil: nobody wants them
	sink  uint64 // what touched places hold, so that they are touched
}

func newTally(r *run, files int) *tally {
	t := &tally{
		run: r, visitors: newVisitors(r.hasher), pairs: newNumbers(), users: newNumbers(), paths: newTexts(r.hasher), referrers: newTexts(r.hasher),
		agents: newTexts(r.hasher), campaigns: newTexts(r.hasher), families: map[string]*dayCount{}, places: map[uintptr]place{}, days: map[int64]*dayCount{}, zones: map[int32]int64{},
		files: make([]fileCount, files), mac: hmac.New(sha256.New, r.key[:]),
	}
	if r.o.Block != nil {
		t.rows = newCoder(r)
	}
	return t
}

// prepare finds out what the tables are asked for. It refuses what names no
// client.
func (t *tally) prepare(r *record) bool {
	if ip, ok := parseV4(r.addr); ok {
		r.client, r.named = address{0, mapped | ip}, false
	} else if r.client, r.named, ok = parseAddress(r.addr, t.text); !ok {
		return false
	}
	r.clientHash = t.address(r.client)
	r.path, r.query = r.target, nil
	if i := question(r.target); i >= 0 {
		r.path, r.query = r.target[:i], r.target[i+1:]
	}
	r.path = r.path[:min(len(r.path), longestKey)]
	r.pathHash = t.text(r.path) | 1<<63
	r.from = nil
	if ref := r.referrer; len(ref) > 1 && !t.o.Brief {
		if i := question(ref); i >= 0 {
			ref = ref[:i]
		}
		r.from = ref[:min(len(ref), longestKey)]
		r.fromHash = t.text(r.from) | 1<<63
	}
	return true
}

// question is the place of the first question mark, -1 for none. Short texts are
// looked through at once, whatever their length, so that no branch waits for it.
func question(b []byte) int {
	if cap(b) >= 32 && len(b) <= 32 {
		c := (*[32]byte)(b[:32])
		if has(c[0:8], '?')|has(c[8:16], '?')|has(c[16:24], '?')|has(c[24:32], '?') == 0 {
			return -1
		}
	}
	return bytes.IndexByte(b, '?')
}

// has is other than 0 where the byte is one of the eight.
func has(b []byte, c byte) uint64 {
	w := binary.LittleEndian.Uint64(b) ^ uint64(c)*bytesOf
	return (w - bytesOf) &^ w & (0x80 * bytesOf)
}

// touch asks memory for the places of prepared accesses, all at once.
func (t *tally) touch(recs []record) {
	sink := uint64(0)
	for i := range recs {
		sink += uint64(t.visitors.touch(recs[i].clientHash))
	}
	for i := range recs {
		sink += t.paths.touch(recs[i].pathHash)
	}
	t.sink += sink
}

// count takes one access in that was prepared.
func (t *tally) count(r *record) {
	bot, agentHash := t.agentOf(r.agent)
	v, fresh := t.visitors.at(r.client, r.clientHash)
	if fresh {
		t.meet(v, r.named)
	}
	if v.agent != agentHash || fresh {
		v.agent = agentHash
		pair := mix(r.clientHash^agentHash, t.k0) &^ 1
		if bot {
			pair |= 1
		}
		t.pairs.add(pair)
	}
	t.accesses++
	t.bytes += r.bytes
	c := &t.country[v.country]
	c.accesses++
	if v.flags&unreliable != 0 {
		t.unreliable++
	}
	if bot {
		t.bots++
		c.bots++
		v.flags |= robot
	} else {
		v.flags |= human
	}
	t.when(r, bot)
	t.status[uint32(r.status)%1000]++
	t.request(r, v, bot)
	if !t.o.Brief {
		t.rest(r)
	}
	if t.rows != nil {
		if v.code == 0 {
			v.code = t.rows.meet(r)
		}
		t.rows.visitor, t.rows.agent, t.rows.bot, t.rows.country, t.rows.unreliable = v.code, agentHash, bot, v.country, v.flags&unreliable != 0
	}
}

// agentOf finds out once for each agent whether it is a bot's.
func (t *tally) agentOf(agent []byte) (bot bool, hash uint64) {
	if agent == nil {
		t.noAgent++
		return false, 1
	}
	if t.o.Brief {
		return false, 1
	}
	hash = t.text(agent) | 1<<63
	e, fresh := t.agents.hashed(agent[:min(len(agent), longestKey)], hash)
	if fresh && t.run.bots.is(agent) {
		e.mark = 1
	}
	e.n++
	return e.mark == 1, hash
}

// meet is done once for each visitor of a worker.
func (t *tally) meet(v *visitor, named bool) {
	if named {
		v.flags |= isNamed
		return
	}
	var p place
	ip := v.addr()
	if t.o.Geo != nil {
		p = t.o.Geo.place(ip, t.places)
	}
	v.country = p.country
	if p.unreliable || t.o.Hosting.has(ip, p.asn) {
		v.flags |= unreliable
	}
}

// when counts the time.
func (t *tally) when(r *record, bot bool) {
	f := t.file
	if r.sec < earliest || r.sec > t.latest {
		t.implaus++
		return
	}
	if off := r.sec - t.hour; uint64(off) >= 3600 || r.zone != t.zone {
		t.turn(r)
	}
	t.now.accesses++
	t.now.bytes += r.bytes
	if bot {
		t.now.bots++
	}
	if r.sec < f.first || f.first == 0 {
		f.first = r.sec
	}
	if r.sec > f.last {
		f.last = r.sec
	}
	if !t.began {
		t.began, t.edge.first, t.edge.firstZone = true, r.sec, r.zone
	} else if r.sec+disorder < t.prev {
		f.disorder++
	}
	t.prev = r.sec
}

// turn puts the hour that ended into its day and begins another.
func (t *tally) turn(r *record) {
	if t.now.accesses > 0 {
		day := t.days[t.hour/86400]
		if day == nil {
			day = &dayCount{}
			t.days[t.hour/86400] = day
		}
		day.add(t.now)
		t.hours[t.hour/3600%24].add(t.now)
		t.zones[t.zone] += t.now.accesses
		t.now = dayCount{}
	}
	if r != nil {
		if t.began && r.zone != t.zone {
			t.file.zoneChanges++
		}
		t.hour, t.zone = r.sec-r.sec%3600, r.zone
	}
}

func (d *dayCount) add(o dayCount) {
	d.accesses += o.accesses
	d.bots += o.bots
	d.bytes += o.bytes
}

// request counts method and path.
func (t *tally) request(r *record, v *visitor, bot bool) {
	if r.method == nil {
		t.method[noMethod]++
		return
	}
	viewing := false
	switch {
	case len(r.method) == 3 && string(r.method) == "GET":
		t.method[0]++
		viewing = true
	case string(r.method) == "POST":
		t.method[2]++
		viewing = true
	default:
		if i, ok := t.methods[string(r.method)]; ok {
			t.method[i]++
		} else {
			t.method[otherMethod]++
		}
	}
	e, fresh := t.paths.hashed(r.path, r.pathHash)
	if fresh {
		e.mark = t.o.Judged.mark(r.path)
	}
	e.n++
	if viewing && r.status >= 200 && r.status < 300 {
		t.success++
		if e.mark&onList != 0 {
			t.look(e.mark, v, bot)
		}
	}
	if t.o.Brief {
		return
	}
	if len(r.path) < len(r.target) {
		t.urls.add(fixedHash(r.target))
	} else if e.mark&seenBare == 0 {
		e.mark |= seenBare
		t.urls.add(fixedHash(r.target))
	}
	if r.query != nil {
		if c := campaignOf(r.query); c != nil {
			e, _ := t.campaigns.at(c)
			e.n++
		}
	}
}

// look counts a successful access to a file on the list.
func (t *tally) look(mark uint16, v *visitor, bot bool) {
	t.listed++
	if mark&judgedMark == 0 {
		return
	}
	t.judged++
	if bot {
		t.judgedBots++
		v.flags |= viewerBot
	} else {
		v.flags |= viewer
	}
}

// rest counts referrer and user.
func (t *tally) rest(r *record) {
	if r.from != nil {
		e, _ := t.referrers.hashed(r.from, r.fromHash)
		e.n++
	}
	if r.loggedIn() {
		t.users.add(t.text(r.user))
	}
}

// pseudonym is the keyed hash of an address.
func (t *tally) pseudonym(a address) (p [PseudonymSize]byte) {
	b := a.bytes()
	var sum [sha256.Size]byte
	t.mac.Reset()
	t.mac.Write(b[:])
	copy(p[:], t.mac.Sum(sum[:0]))
	return p
}

// size is what the tables take, in bytes.
func (t *tally) size() int {
	return t.visitors.size() + t.pairs.size() + t.users.size() + t.paths.size() + t.referrers.size() + t.agents.size() + t.campaigns.size()
}
