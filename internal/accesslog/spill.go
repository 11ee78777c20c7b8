package accesslog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// spools are the tables of a run that outgrew their memory.
type spools struct {
	visitors, pairs, users, paths, referrers, campaigns, nets spool
}

func newSpools(to *scratch) *spools {
	s := &spools{}
	for _, p := range []*spool{&s.visitors, &s.pairs, &s.users, &s.paths, &s.referrers, &s.campaigns, &s.nets} {
		p.to = to
	}
	return s
}

// smallTable is what no table falls below: an empty one, or one with its first
// block of texts.
const smallTable = 256*visitorBytes + 1<<blockBits

// shrink puts tables aside until at most half of what the worker may hold is left,
// the largest first.
func (t *tally) shrink(s *spools) error {
	for t.size() > t.o.Memory/2 {
		sizes := []int{t.visitors.size(), t.pairs.size(), t.users.size(), t.paths.size(), t.referrers.size(), t.agents.size(), t.campaigns.size()}
		largest := slices.Max(sizes)
		if largest <= smallTable {
			return nil // nothing is left that putting it aside would make smaller
		}
		var err error
		switch slices.Index(sizes, largest) {
		case 0:
			err = t.spillVisitors(s)
		case 1:
			err = spillNumbers(&s.pairs, &t.pairs)
		case 2:
			err = spillNumbers(&s.users, &t.users)
		case 3:
			err = t.spillTexts(&s.paths, &t.paths, Redact)
		case 4:
			err = t.spillTexts(&s.referrers, &t.referrers, Redact)
		case 5:
			t.foldAgents()
		default:
			err = t.spillTexts(&s.campaigns, &t.campaigns, redactCampaign)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spillVisitors lays visitors down under their pseudonyms.
func (t *tally) spillVisitors(s *spools) error {
	s.visitors.mu.Lock()
	defer s.visitors.mu.Unlock()
	var rec [2*PseudonymSize + 3]byte
	for _, v := range t.visitors.slots {
		if v.flags&present == 0 {
			continue
		}
		p := t.pseudonym(v.address)
		copy(rec[:], p[:])
		clear(rec[PseudonymSize : 2*PseudonymSize])
		if v.flags&isNamed == 0 && !v.v4() {
			n := t.pseudonym(address{v.hi, netMark})
			copy(rec[PseudonymSize:], n[:])
		}
		binary.LittleEndian.PutUint16(rec[2*PseudonymSize:], v.country)
		rec[2*PseudonymSize+2] = v.flags
		if err := s.visitors.put(binary.LittleEndian.Uint64(p[:]), rec[:]); err != nil {
			return err
		}
	}
	t.visitors = newVisitors(t.hasher)
	return nil
}

// netMark tells the pseudonym of a /64 from that of its first address.
const netMark = 0x6e65742f3634

func spillNumbers(s *spool, n **numbers) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range (*n).slots {
		if x == 0 {
			continue
		}
		var rec [8]byte
		binary.LittleEndian.PutUint64(rec[:], x)
		if err := s.put(x>>58, rec[:]); err != nil {
			return err
		}
	}
	*n = newNumbers()
	return nil
}

// spillTexts lays texts down as they may be shown.
func (t *tally) spillTexts(s *spool, table **texts, redact func(string) string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rec []byte
	var err error
	(*table).each(func(key []byte, e *text) {
		shown := redact(string(key))
		rec = binary.LittleEndian.AppendUint64(rec[:0], e.n)
		rec = append(rec, shown[:min(len(shown), longestKey)]...)
		if err == nil {
			err = s.put(fixedHash(rec[8:])>>32, rec)
		}
	})
	*table = newTexts(t.hasher)
	return err
}

// foldAgents counts agents by family and forgets their texts.
func (t *tally) foldAgents() {
	t.agents.each(func(key []byte, e *text) {
		f := family(key, e.mark == 1)
		if t.families[f] == nil {
			t.families[f] = &dayCount{}
		}
		t.families[f].accesses += int64(e.n)
		if e.mark == 1 {
			t.families[f].bots += int64(e.n)
		}
	})
	t.agents = newTexts(t.hasher)
}

// people is a number of visitors with and without known bots.
type people struct{ all, human int64 }

func (p *people) add(flags uint8) {
	p.all++
	if flags&human != 0 {
		p.human++
	}
}

// union is what all workers saw together.
type union struct {
	ip, net, pair people
	unreliable    people
	byCountry     [countries]people
	viewers       people
	robots        int64 // clients by address with an access by a bot
	users         int64
	paths         ranking
	referrers     ranking
	campaigns     ranking
	languages     map[string]int64
}

// join puts the workers' tables together; they are used up by it.
func join(all []*tally, s *spools) (*union, error) {
	u := &union{languages: map[string]int64{}}
	if err := u.joinVisitors(all, s); err != nil {
		return nil, err
	}
	pairs, err := joinNumbers(all, &s.pairs, func(t *tally) **numbers { return &t.pairs })
	if err != nil {
		return nil, err
	}
	u.pair = pairs
	users, err := joinNumbers(all, &s.users, func(t *tally) **numbers { return &t.users })
	if err != nil {
		return nil, err
	}
	u.users = users.all
	top := all[0].o.Top
	for _, k := range []struct {
		to     *ranking
		spool  *spool
		table  func(*tally) **texts
		redact func(string) string
		langs  bool
	}{
		{&u.paths, &s.paths, func(t *tally) **texts { return &t.paths }, Redact, true},
		{&u.referrers, &s.referrers, func(t *tally) **texts { return &t.referrers }, Redact, false},
		{&u.campaigns, &s.campaigns, func(t *tally) **texts { return &t.campaigns }, redactCampaign, false},
	} {
		see := func([]byte, uint64) {}
		if k.langs {
			see = u.language
		}
		if *k.to, err = joinTexts(all, k.spool, k.table, k.redact, top, see); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (u *union) see(flags uint8, country uint16) {
	u.ip.add(flags)
	u.byCountry[country].add(flags)
	if flags&robot != 0 {
		u.robots++
	}
	if flags&unreliable != 0 {
		u.unreliable.add(flags)
	}
	if flags&(viewer|viewerBot) != 0 {
		u.viewers.all++
		if flags&viewer != 0 {
			u.viewers.human++
		}
	}
}

func (u *union) joinVisitors(all []*tally, s *spools) error {
	first := all[0]
	if !s.visitors.used {
		for _, t := range all[1:] {
			first.visitors.merge(t.visitors)
			t.visitors = nil
		}
		nets := map[uint64]uint8{}
		for _, v := range first.visitors.slots {
			switch {
			case v.flags&present == 0:
				continue
			case v.v4() || v.flags&isNamed != 0:
				u.net.add(v.flags)
			default:
				nets[v.hi] |= v.flags
			}
			u.see(v.flags, v.country)
		}
		for _, flags := range nets {
			u.net.add(flags)
		}
		first.visitors = nil
		return nil
	}
	for _, t := range all {
		if err := t.spillVisitors(s); err != nil {
			return err
		}
	}
	return u.joinSpilled(s)
}

// joinSpilled joins visitors part by part: every record of a visitor is in one.
func (u *union) joinSpilled(s *spools) error {
	type known struct {
		flags   uint8
		country uint16
		net     [PseudonymSize]byte
	}
	for part := range spoolParts {
		seen := map[[PseudonymSize]byte]known{}
		err := s.visitors.each(part, func(rec []byte) {
			k := seen[[PseudonymSize]byte(rec)]
			k.flags |= rec[2*PseudonymSize+2]
			k.country = binary.LittleEndian.Uint16(rec[2*PseudonymSize:])
			k.net = [PseudonymSize]byte(rec[PseudonymSize:])
			seen[[PseudonymSize]byte(rec)] = k
		})
		if err != nil {
			return err
		}
		for _, k := range seen {
			u.see(k.flags, k.country)
			if k.net == [PseudonymSize]byte{} {
				u.net.add(k.flags)
				continue
			}
			if err := s.nets.put(binary.LittleEndian.Uint64(k.net[:]), append(k.net[:], k.flags)); err != nil {
				return err
			}
		}
	}
	for part := range spoolParts {
		seen := map[[PseudonymSize]byte]uint8{}
		if err := s.nets.each(part, func(rec []byte) { seen[[PseudonymSize]byte(rec)] |= rec[PseudonymSize] }); err != nil {
			return err
		}
		for _, flags := range seen {
			u.net.add(flags)
		}
	}
	return nil
}

// joinNumbers counts a set over all workers; even numbers are people's.
func joinNumbers(all []*tally, s *spool, of func(*tally) **numbers) (people, error) {
	var p people
	count := func(n *numbers) {
		for _, x := range n.slots {
			if x != 0 {
				p.all++
				if x&1 == 0 {
					p.human++
				}
			}
		}
	}
	if !s.used {
		first := *of(all[0])
		for _, t := range all[1:] {
			first.merge(*of(t))
			*of(t) = nil
		}
		count(first)
		*of(all[0]) = nil
		return p, nil
	}
	for _, t := range all {
		if err := spillNumbers(s, of(t)); err != nil {
			return p, err
		}
	}
	for part := range spoolParts {
		n := newNumbers()
		if err := s.each(part, func(rec []byte) { n.add(binary.LittleEndian.Uint64(rec)) }); err != nil {
			return p, err
		}
		count(n)
	}
	return p, nil
}

// ranked is a text and how often it came.
type ranked struct {
	key string
	n   uint64
}

// ranking is the top of a table, and how much it held.
type ranking struct {
	top      []ranked
	floor    uint64 // what comes less often is not among the top
	distinct int64
}

// joinTexts ranks texts over all workers, as they may be shown: what is shown
// alike is counted together.
func joinTexts(all []*tally, s *spool, of func(*tally) **texts, redact func(string) string, top int, see func([]byte, uint64)) (ranking, error) {
	var r ranking
	take := func(t *texts) {
		t.each(func(key []byte, e *text) {
			r.distinct++
			see(key, e.n)
			r.offer(key, e.n, top)
		})
	}
	if !s.used {
		// All workers' first, so that each text is redacted once.
		raw := *of(all[0])
		for _, t := range all[1:] {
			(*of(t)).each(func(key []byte, e *text) {
				mine, _ := raw.hashed(key, e.hash)
				mine.n += e.n
			})
			*of(t) = nil
		}
		whole := newTexts(all[0].hasher)
		raw.each(func(key []byte, e *text) {
			mine, _ := whole.at(shownKey(key, redact))
			mine.n += e.n
		})
		*of(all[0]) = nil
		take(whole)
		r.sort(top)
		return r, nil
	}
	for _, t := range all {
		if err := t.spillTexts(s, of(t), redact); err != nil {
			return r, err
		}
	}
	for part := range spoolParts {
		whole := newTexts(all[0].hasher)
		err := s.each(part, func(rec []byte) {
			e, _ := whole.at(rec[8:])
			e.n += binary.LittleEndian.Uint64(rec)
		})
		if err != nil {
			return r, err
		}
		take(whole)
	}
	r.sort(top)
	return r, nil
}

func shownKey(key []byte, redact func(string) string) []byte { return []byte(redact(string(key))) }

// offer keeps at most a few times as many as will be shown.
func (r *ranking) offer(key []byte, n uint64, top int) {
	if len(r.top) >= 4*top+64 {
		r.sort(top)
	}
	if n < r.floor {
		return
	}
	r.top = append(r.top, ranked{string(key), n})
}

func (r *ranking) sort(top int) {
	slices.SortFunc(r.top, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.key, b.key)) })
	if r.top = r.top[:min(len(r.top), top)]; len(r.top) == top && top > 0 {
		r.floor = r.top[top-1].n
	}
}

// language counts a path by the first of its parts that is a language's code.
func (u *union) language(path []byte, n uint64) {
	for i := 0; i < 2 && len(path) > 1 && path[0] == '/'; i++ {
		path = path[1:]
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			return
		}
		if code := languageCode(path[:end]); code != "" {
			u.languages[code] += int64(n)
			return
		}
		path = path[end:]
	}
}

// languageCode is the ISO 639-1 code that the part of a path is, alone or with a
// region (pt-BR); empty for anything else.
func languageCode(part []byte) string {
	if len(part) == 5 && (part[2] == '-' || part[2] == '_') {
		part = part[:2]
	}
	if len(part) != 2 && len(part) != 3 {
		return ""
	}
	code := string(bytes.ToLower(part))
	if _, ok := slices.BinarySearch(languageCodes, code); ok {
		return code
	}
	return ""
}

// languageCodes are the languages that sites of this kind have been published
// in, by ISO 639-1, and by 639-3 where that has none; in order.
var languageCodes = []string{"aa", "am", "ar", "az", "ba", "bn", "bs", "ce", "ckb", "da", "de", "dv", "en", "es", "fa", "ff", "fi", "fr", "ha", "he", "hi", "hr", "id", "it", "ka", "kk", "kmr", "ku", "ky",
	"ms", "nl", "no", "pa", "pl", "prs", "ps", "pt", "ro", "ru", "rw", "sd", "so", "sq", "sr", "sv", "sw", "ta", "tg", "th", "tk", "tl", "tr", "tt", "ug", "uk", "ur", "uz", "vi", "yo", "zh"}
