package lead

import (
	"maps"
	"slices"
	"strings"

	"concert/internal/accesslog"
)

// unknown is what a report calls the country of addresses that the database does not
// know. It is counted like one, and nobody receives it.
const unknown = "unknown"

// Countries are the numbers of a report by country, not yet suppressed.
func Countries(r *accesslog.Report) map[string]Counts {
	cell := func(n *int64) Cell {
		if n == nil {
			return Cell{}
		}
		return Number(*n)
	}
	out := map[string]Counts{}
	for code, c := range r.Countries {
		out[code] = Counts{Accesses: Range{Number(c.Accesses), cell(c.AccessesWithoutBots)}, IP: Range{Number(c.Visitors), cell(c.VisitorsWithoutBots)}}
	}
	return out
}

// Suppress takes away what points to few people, from all countries of one report
// together: a country with 1 to 4 accesses or visitors loses every number, and with
// it the next smallest where the others and the report's totals would give it away
// (accesslog.Hide). Where few bots, or few but bots, are among the others, the numbers
// without bots go. Days with 1 to 4 accesses are withheld, such paths left out, and
// more with them, until neither a country's total nor the total of a day or path over
// all countries tells what is missing.
//
// Only numbers of one call protect each other: all packages of a report take theirs
// from the same one.
func Suppress(all map[string]Counts) map[string]Counts {
	codes := slices.Sorted(maps.Keys(all))
	gone, bare := hideCountries(all, codes)
	out := map[string]Counts{}
	for i, code := range codes {
		c := all[code]
		switch {
		case gone[i]:
			c.each(func(r *Range) { r.WithBots, r.WithoutBots = r.WithBots.withheld(), r.WithoutBots.withheld() })
			c.Propaganda = c.Propaganda.withheld()
		case bare[i]:
			c.each(func(r *Range) { r.WithoutBots = r.WithoutBots.withheld() })
		}
		if p := c.Propaganda; p.State == Counted && few(p.N, c.Accesses.WithBots.N-p.N) {
			c.Propaganda = p.withheld()
		}
		c.PerDay, c.TopPaths = slices.Clone(c.PerDay), slices.Clone(c.TopPaths)
		if gone[i] {
			c.PerDay, c.TopPaths = nil, nil
		}
		out[code] = c
	}
	hideRows(all, out, codes, func(c *Counts) *[]Row { return &c.PerDay })
	hideRows(all, out, codes, func(c *Counts) *[]Row { return &c.TopPaths })
	for code, c := range out {
		c.TopPaths = slices.DeleteFunc(c.TopPaths, func(r Row) bool { return r.Accesses.State != Counted })
		out[code] = c
	}
	return out
}

func few(n ...int64) bool { return slices.ContainsFunc(n, accesslog.Few) }

func (c Cell) withheld() Cell {
	if c.State == Counted {
		return Cell{State: Withheld}
	}
	return c
}

func (c *Counts) each(fn func(*Range)) {
	for _, r := range []*Range{&c.Accesses, &c.IP, &c.IPUA, &c.IP64} {
		fn(r)
	}
}

// hideCountries says which countries lose every number, and which those without bots.
func hideCountries(all map[string]Counts, codes []string) (gone, bare []bool) {
	gone, bare = make([]bool, len(codes)), make([]bool, len(codes))
	rows, shares := make([][]int64, len(codes)), make([][]int64, len(codes))
	for i, code := range codes {
		c := all[code]
		rows[i], shares[i] = []int64{c.IP.WithBots.N, c.IPUA.WithBots.N, c.IP64.WithBots.N, c.Accesses.WithBots.N}, nil
		gone[i] = few(rows[i]...)
		for _, r := range []Range{c.IP, c.IPUA, c.IP64, c.Accesses} {
			with, without := r.WithBots.N, r.WithoutBots.N
			if r.WithoutBots.State != Counted {
				with = without
			}
			gone[i] = gone[i] || few(without)
			shares[i] = append(shares[i], without, with-without)
		}
		bare[i] = few(shares[i]...)
	}
	accesslog.Hide(rows, gone)
	for i := range bare {
		bare[i] = bare[i] || gone[i]
	}
	accesslog.Hide(shares, bare)
	return gone, bare
}

// hideRows withholds rows of one table in every country. What all countries have of a
// day is in the released report, so that sums run both ways: over a country's rows,
// and over countries for one key. Countries that lost every number are hidden, too.
func hideRows(all, out map[string]Counts, codes []string, table func(*Counts) *[]Row) {
	keys := map[string]int{}
	for _, c := range all {
		for _, r := range *table(&c) {
			keys[r.Key] = 0
		}
	}
	names := slices.Sorted(maps.Keys(keys))
	for i, name := range names {
		keys[name] = i
	}
	codes = slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return code == unknown })
	g := newGrid(len(codes), len(names))
	for i, code := range codes {
		c := all[code]
		gone := out[code].Accesses.WithBots.State == Withheld
		for _, r := range *table(&c) {
			g.set(i, keys[r.Key], r.Accesses.N, gone)
		}
	}
	g.protect()
	for i, code := range codes {
		c := out[code]
		for j, r := range *table(&c) {
			if g.hidden[i][keys[r.Key]] {
				(*table(&c))[j].Accesses = r.Accesses.withheld()
			}
		}
		slices.SortStableFunc(*table(&c), func(a, b Row) int { return strings.Compare(a.Key, b.Key) })
		out[code] = c
	}
}
