package lake

import (
	"cmp"
	"encoding/hex"
	"errors"
	"maps"
	"math/bits"
	"slices"
	"sync"
)

const (
	// topPaths is how long the list of paths is.
	topPaths = 50
	// Bounds of what an answer may hold in memory.
	clientsMost  = 8 << 20   // different visitors
	pathsMost    = 4 << 20   // different paths or users
	setsMost     = 512 << 20 // bytes of sets of visitors
	timelineMost = 1 << 20   // accesses of one pseudonym
)

// errTooMuch says that an answer needs more memory than it may have.
var errTooMuch = errors.New("this lake holds more different things than this program counts in memory: ask a larger engine with the query's SQL (concert accesslog query DIR -list); no part of an answer is given")

// set is a set of small numbers.
type set []uint64

func (s *set) add(n int) {
	for n/64 >= len(*s) {
		*s = append(*s, make([]uint64, max(len(*s), 16))...)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s set) has(n int) bool { return n/64 < len(s) && s[n/64]>>(n%64)&1 == 1 }

func (s set) count() (n int64) {
	for _, w := range s {
		n += int64(bits.OnesCount64(w))
	}
	return n
}

// clients numbers the visitors of all parts and keeps sets of them.
type clients struct {
	mu      sync.Mutex
	numbers map[string]int32
	bytes   int
}

func newClients() *clients { return &clients{numbers: map[string]int32{}} }

// of are the numbers of a part's dictionary; the lock is held by the caller.
func (c *clients) of(dictionary []string) ([]int32, error) {
	out := make([]int32, len(dictionary))
	for i, v := range dictionary {
		n, ok := c.numbers[v]
		if !ok {
			if len(c.numbers) >= clientsMost {
				return nil, errTooMuch
			}
			n = int32(len(c.numbers))
			c.numbers[v] = n
		}
		out[i] = n
	}
	return out, nil
}

// merge adds a part's set, in the part's numbers, to one of all parts.
func (c *clients) merge(into *set, from set, numbers []int32) error {
	before := len(*into)
	for i, n := range numbers {
		if from.has(i) {
			into.add(int(n))
		}
	}
	if c.bytes += 8 * (len(*into) - before); c.bytes > setsMost {
		return errTooMuch
	}
	return nil
}

// group is what is counted of one country, day or the like.
type group struct {
	accesses, human   int64
	visitors, persons set // persons: visitors with an access by no known bot
}

// grouped counts by the texts of a column; an empty name stands for all rows.
func grouped(by string) (part func(int, *table) error, groups map[string]*group) {
	all := newClients()
	groups = map[string]*group{}
	return func(_ int, t *table) error {
		var key, visitor, bot *column
		err := errors.Join(t.load("visitor", &visitor), t.load("bot", &bot))
		if by != "" {
			err = errors.Join(err, t.load(by, &key))
		} else {
			key = &column{codes: make([]int32, t.rows), texts: []string{""}}
		}
		if err != nil {
			return err
		}
		own := make([]group, len(key.texts))
		for i, code := range key.codes {
			g := &own[code]
			g.accesses++
			g.visitors.add(int(visitor.codes[i]))
			if bot.ints[i] == 0 {
				g.human++
				g.persons.add(int(visitor.codes[i]))
			}
		}
		all.mu.Lock()
		defer all.mu.Unlock()
		numbers, err := all.of(visitor.texts)
		if err != nil {
			return err
		}
		for code, o := range own {
			g := groups[key.texts[code]]
			if g == nil {
				g = &group{}
				groups[key.texts[code]] = g
			}
			g.accesses += o.accesses
			g.human += o.human
			if err := errors.Join(all.merge(&g.visitors, o.visitors, numbers), all.merge(&g.persons, o.persons, numbers)); err != nil {
				return errTooMuch
			}
		}
		return nil
	}, groups
}

func (t *table) load(name string, into **column) (err error) {
	*into, err = t.column(name)
	return err
}

func foldDays(*Lake, string) fold {
	part, groups := grouped("day")
	return fold{part, func() (rows [][]any, err error) {
		for _, day := range slices.Sorted(maps.Keys(groups)) {
			if g := groups[day]; day != "" {
				rows = append(rows, []any{day, g.accesses, g.visitors.count()})
			}
		}
		return rows, nil
	}}
}

func foldCountries(*Lake, string) fold {
	part, groups := grouped("cc")
	return fold{part, func() (rows [][]any, err error) {
		for _, cc := range slices.Sorted(maps.Keys(groups)) {
			g := groups[cc]
			rows = append(rows, []any{cc, g.accesses, g.visitors.count(), g.human, g.persons.count()})
		}
		return rows, nil
	}}
}

func foldVisitors(*Lake, string) fold {
	part, groups := grouped("")
	users := foldUsers(nil, "")
	return fold{func(n int, t *table) error { return errors.Join(part(n, t), users.part(n, t)) }, func() ([][]any, error) {
		who, err := users.rows()
		g := groups[""]
		if g == nil {
			g = &group{}
		}
		return [][]any{{g.accesses, g.visitors.count(), g.persons.count(), int64(len(who))}}, err
	}}
}

func foldStatus(*Lake, string) fold {
	var mu sync.Mutex
	sum := map[int64]int64{}
	return fold{func(_ int, t *table) error {
		c, err := t.column("status")
		if err != nil {
			return err
		}
		own := make([]int64, len(c.dict))
		for _, code := range c.codes {
			own[code]++
		}
		mu.Lock()
		defer mu.Unlock()
		for code, n := range own {
			sum[c.dict[code]] += n
		}
		return nil
	}, func() (rows [][]any, err error) {
		for _, status := range slices.Sorted(maps.Keys(sum)) {
			rows = append(rows, []any{status, sum[status]})
		}
		return rows, nil
	}}
}

func foldPaths(*Lake, string) fold {
	var mu sync.Mutex
	sum := map[string]int64{}
	return fold{func(_ int, t *table) error {
		var path, verb *column
		if err := errors.Join(t.load("path", &path), t.load("verb", &verb)); err != nil {
			return err
		}
		own := make([]int64, len(path.texts))
		for i, code := range path.codes {
			if verb.text(i) != "" {
				own[code]++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for code, n := range own {
			if n > 0 {
				sum[path.texts[code]] += n
			}
		}
		if len(sum) > pathsMost {
			return errTooMuch
		}
		return nil
	}, func() (rows [][]any, err error) {
		order := slices.SortedFunc(maps.Keys(sum), func(a, b string) int { return cmp.Or(cmp.Compare(sum[b], sum[a]), cmp.Compare(a, b)) })
		for _, path := range order[:min(len(order), topPaths)] {
			rows = append(rows, []any{path, sum[path]})
		}
		return rows, nil
	}}
}

// span is when somebody was seen, and how often.
type span struct{ first, last, accesses int64 }

func (s *span) add(o span) {
	if s.accesses == 0 {
		*s = o
		return
	}
	*s = span{min(s.first, o.first), max(s.last, o.last), s.accesses + o.accesses}
}

func foldUsers(*Lake, string) fold {
	var mu sync.Mutex
	sum := map[string]*span{}
	return fold{func(_ int, t *table) error {
		var user, ts *column
		if err := errors.Join(t.load("usr", &user), t.load("ts", &ts)); err != nil {
			return err
		}
		own := make([]span, len(user.texts))
		for i, code := range user.codes {
			if code >= 0 {
				own[code].add(span{ts.at(i), ts.at(i), 1})
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for code, o := range own {
			s := sum[user.texts[code]]
			if s == nil {
				s = &span{}
				sum[user.texts[code]] = s
			}
			s.add(o)
		}
		if len(sum) > pathsMost {
			return errTooMuch
		}
		return nil
	}, func() (rows [][]any, err error) {
		order := slices.SortedFunc(maps.Keys(sum), func(a, b string) int {
			return cmp.Or(cmp.Compare(sum[b].accesses, sum[a].accesses), cmp.Compare(a, b))
		})
		for _, who := range order {
			s := sum[who]
			rows = append(rows, []any{hex.EncodeToString([]byte(who)), Clock(s.first), Clock(s.last), s.accesses})
		}
		return rows, nil
	}}
}

// moment is one access of a timeline.
type moment struct {
	ts, offset int64
	item       int64
	cells      []any
}

func foldTimeline(_ *Lake, pseudonym string) fold {
	var mu sync.Mutex
	var found []moment
	return fold{func(_ int, t *table) error {
		var visitor, user *column
		if err := errors.Join(t.load("visitor", &visitor), t.load("usr", &user)); err != nil {
			return err
		}
		v, u := int32(slices.Index(visitor.texts, pseudonym)), int32(slices.Index(user.texts, pseudonym))
		if v < 0 && u < 0 {
			return nil
		}
		cols := map[string]*column{}
		for _, name := range []string{"ts", "item", "off", "len", "verb", "status", "bytes", "path", "ref", "ua", "cc"} {
			c, err := t.column(name)
			if err != nil {
				return err
			}
			cols[name] = c
		}
		var own []moment
		for i := range t.rows {
			if v >= 0 && visitor.codes[i] == v || u >= 0 && user.codes[i] == u {
				n := func(name string) int64 { return cols[name].at(i) }
				s := func(name string) string { return cols[name].text(i) }
				own = append(own, moment{n("ts"), n("off"), n("item"), []any{Clock(n("ts")), n("item"), n("off"), n("len"), s("verb"), n("status"), n("bytes"), s("path"), s("ref"), s("ua"), s("cc")}})
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if found = append(found, own...); len(found) > timelineMost {
			return errTooMuch
		}
		return nil
	}, func() (rows [][]any, err error) {
		slices.SortFunc(found, func(a, b moment) int {
			return cmp.Or(cmp.Compare(a.ts, b.ts), cmp.Compare(a.item, b.item), cmp.Compare(a.offset, b.offset))
		})
		for _, m := range found {
			rows = append(rows, m.cells)
		}
		return rows, nil
	}}
}
