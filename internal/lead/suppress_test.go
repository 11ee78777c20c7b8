package lead

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"concert/internal/accesslog"
)

// invented is what a seized server of the reference's kind gives: some countries with much, most with little.
func invented(seed uint64, countries, days int) map[string]Counts {
	r := rand.New(rand.NewPCG(seed, 1))
	out := map[string]Counts{}
	for i := range countries {
		size := 1 + int64(40_000/(1+float64(i*i)*r.Float64()))
		var c Counts
		for d := range days {
			n := r.Int64N(1+2*size/int64(days)) + r.Int64N(2)
			if n > 0 {
				c.PerDay = append(c.PerDay, Row{fmt.Sprintf("2017-01-%02d", d+1), Number(n)})
			}
			c.Accesses.WithBots.N += n
		}
		visitors := 1 + c.Accesses.WithBots.N/(1+r.Int64N(5))
		bots := min(r.Int64N(8), visitors)
		c.Accesses = Range{Number(max(c.Accesses.WithBots.N, visitors)), Number(max(c.Accesses.WithBots.N, visitors) - bots)}
		c.IP = Range{Number(visitors), Number(visitors - bots)}
		c.Propaganda = Number(r.Int64N(c.Accesses.WithBots.N + 1))
		out[string([]byte{'A' + byte(i/26), 'A' + byte(i%26)})] = c
	}
	return out
}

// G34: every country's package together, beside the report's own totals, tells no number from 1 to 4.
func TestG34AllPackagesTogetherTellNoSmallNumber(t *testing.T) {
	t.Parallel()
	hidden := 0
	for seed := range uint64(30) {
		all := invented(seed, 3+int(seed)*130/30, 14)
		shown := Suppress(all)
		for _, measure := range []struct {
			name string
			of   func(Counts) Cell
		}{
			{"accesses", func(c Counts) Cell { return c.Accesses.WithBots }}, {"accesses without bots", func(c Counts) Cell { return c.Accesses.WithoutBots }},
			{"visitors", func(c Counts) Cell { return c.IP.WithBots }}, {"visitors without bots", func(c Counts) Cell { return c.IP.WithoutBots }},
		} {
			missing, sum := 0, int64(0)
			for country, c := range all {
				switch cell := measure.of(shown[country]); {
				case cell.State == Withheld:
					missing, sum = missing+1, sum+measure.of(c).N
				case cell.N != measure.of(c).N || accesslog.Few(cell.N):
					t.Errorf("seed %d: %s of %s is %v of %v", seed, measure.name, country, cell, measure.of(c))
				}
			}
			if hidden += missing; missing == 1 || accesslog.Few(sum) {
				t.Errorf("seed %d: %s: the total gives away %d in %d countries", seed, measure.name, sum, missing)
			}
		}
		for country, c := range shown {
			p := exercise()
			p.Country, p.Persons, p.Counts = "XX", nil, c
			if err := p.Check(); err != nil {
				t.Errorf("seed %d, %s: %v: %+v", seed, country, err, c)
			}
			if full := all[country]; accesslog.Few(full.IP.WithBots.N) {
				text, err := json.Marshal(c)
				must(t, err)
				if string(text) != `{"accesses":{"with_bots":null,"without_bots":null},"visitors_ip":{"with_bots":null,"without_bots":null},"propaganda_accesses":null}` {
					t.Errorf("seed %d: few visitors, and this is told: %s", seed, text)
				}
			}
		}
		for _, at := range solved(all, shown) {
			t.Errorf("seed %d: %s follows from totals", seed, at)
		}
		for line, sum := range lineSums(all, shown) {
			if sum.shown > 0 && sum.hidden > 0 && sum.hidden-(sum.n-1) < accesslog.Smallest {
				t.Errorf("seed %d: %s: its total tells that %d hidden numbers are %d together", seed, line, sum.n, sum.hidden)
			}
		}
	}
	if hidden == 0 {
		t.Error("nothing was hidden: this test saw nothing")
	}
}

// lineSum is what the total of a country's days, or of a day's countries, tells of what is hidden.
type lineSum struct{ hidden, n, shown int64 }

func lineSums(all, shown map[string]Counts) map[string]lineSum {
	out := map[string]lineSum{}
	for country, c := range all {
		gone := shown[country].PerDay == nil
		for i, d := range c.PerDay {
			for _, line := range []string{country, d.Key} {
				s := out[line]
				switch {
				case gone && line == country:
				case gone || shown[country].PerDay[i].Accesses.State == Withheld:
					s.hidden, s.n = s.hidden+d.Accesses.N, s.n+1
				default:
					s.shown++
				}
				out[line] = s
			}
		}
	}
	return out
}

// The solver that the test rests on finds what a naive suppression leaves.
func TestSolverFindsWhatTotalsGiveAway(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(20) {
		all := invented(seed, 12, 14)
		naive := map[string]Counts{}
		for country, c := range all {
			c.PerDay = slices.Clone(c.PerDay)
			for i, d := range c.PerDay {
				if accesslog.Few(d.Accesses.N) {
					c.PerDay[i].Accesses = Cell{State: Withheld}
				}
			}
			naive[country] = c
		}
		found += len(solved(all, naive))
	}
	if found < 20 {
		t.Errorf("only %d small numbers follow where each is hidden alone", found)
	}
}

// solved are the small numbers of days that linear algebra finds (modulo a prime): unknown are the withheld cells, known the
// totals of countries that show theirs and of days that a released report shows.
func solved(all, shown map[string]Counts) (found []string) {
	const prime = 1_000_003
	type cell struct{ country, day string }
	var cells []cell
	index, equations, totals := map[cell]int{}, map[string][]int{}, map[string]int64{}
	for country, c := range all {
		for i, d := range c.PerDay {
			totals[d.Key] += d.Accesses.N
			if gone := shown[country].PerDay == nil; gone || shown[country].PerDay[i].Accesses.State == Withheld {
				at := cell{country, d.Key}
				index[at] = len(cells)
				cells = append(cells, at)
				equations[d.Key] = append(equations[d.Key], index[at])
				if !gone {
					equations[country] = append(equations[country], index[at])
				}
			}
		}
	}
	var rows [][]int64
	for _, key := range slices.Sorted(maps.Keys(equations)) {
		if accesslog.Few(totals[key]) {
			continue
		}
		row := make([]int64, len(cells))
		for _, i := range equations[key] {
			row[i] = 1
		}
		rows = append(rows, row)
	}
	inverse := func(a int64) int64 {
		out, e := int64(1), int64(prime-2)
		for ; e > 0; e >>= 1 {
			if e&1 == 1 {
				out = out * a % prime
			}
			a = a * a % prime
		}
		return out
	}
	done := 0
	for c := range cells {
		at := slices.IndexFunc(rows[done:], func(r []int64) bool { return r[c] != 0 })
		if at < 0 {
			continue
		}
		rows[done], rows[done+at] = rows[done+at], rows[done]
		inv := inverse(rows[done][c])
		for k := range cells {
			rows[done][k] = rows[done][k] * inv % prime
		}
		for i := range rows {
			if f := rows[i][c]; i != done && f != 0 {
				for k := range cells {
					rows[i][k] = (rows[i][k] + (prime-f)*rows[done][k]) % prime
				}
			}
		}
		done++
	}
	for _, row := range rows {
		var at []int
		for k, x := range row {
			if x != 0 {
				at = append(at, k)
			}
		}
		if len(at) == 1 {
			c := cells[at[0]]
			for _, d := range all[c.country].PerDay {
				if d.Key == c.day && accesslog.Few(d.Accesses.N) {
					found = append(found, fmt.Sprintf("%s on %s: %d", c.country, c.day, d.Accesses.N))
				}
			}
		}
	}
	return found
}

// What packages show and what the released report shows of countries are the same, so that neither gives the other away.
func TestG34PackagesHideWhatTheReleasedReportHides(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := &accesslog.Report{Countries: map[string]accesslog.Country{}}
		for code, c := range invented(seed, 40, 3) {
			r.Countries[code] = accesslog.Country{Accesses: c.Accesses.WithBots.N, Visitors: c.IP.WithBots.N, AccessesWithoutBots: &c.Accesses.WithoutBots.N, VisitorsWithoutBots: &c.IP.WithoutBots.N}
		}
		r.Countries[unknown] = accesslog.Country{Accesses: 9, Visitors: 2}
		released := r.Released().Countries
		for code, c := range Suppress(Countries(r)) {
			there, ok := released[code]
			if ok != (c.Accesses.WithBots.State == Counted) || ok && (there.VisitorsWithoutBots != nil) != (c.IP.WithoutBots.State == Counted) {
				t.Errorf("seed %d: %s is %+v here and %+v there", seed, code, c, there)
			}
		}
	}
}

func TestG34ACellUnderFiveIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Counts){
		"few visitors":       func(c *Counts) { c.IP.WithBots, c.IP.WithoutBots = Number(4), Cell{} },
		"few people":         func(c *Counts) { c.IP.WithoutBots = Number(1) },
		"few bots":           func(c *Counts) { c.IP.WithoutBots = Number(298) },
		"more without bots":  func(c *Counts) { c.IP.WithoutBots = Number(301) },
		"few to propaganda":  func(c *Counts) { c.Propaganda = Number(3) },
		"few to other files": func(c *Counts) { c.Propaganda = Number(1197) },
		"a small day":        func(c *Counts) { c.PerDay[0].Accesses = Number(2) },
		"a rare path":        func(c *Counts) { c.TopPaths[1].Accesses = Number(4) },
		"one day withheld":   func(c *Counts) { c.PerDay[0].Accesses = Cell{State: Withheld} },
	} {
		p := exercise()
		change(&p.Counts)
		refused(t, name, p, "lead.few")
	}
}
