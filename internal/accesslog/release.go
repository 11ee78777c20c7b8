package accesslog

import (
	"maps"
	"slices"
)

// Smallest is the least number that a released report shows of a cell; what lies
// between 0 and it could point to somebody.
const Smallest = 5

// Hide adds to hidden the rows that have to go with those that are hidden already,
// where the total of every column is known: until at least two are gone, and what is
// missing from each total is nothing, or so much that each missing number could be
// five or more. The next smallest by the first column goes first; at the end, all.
// Rows hold numbers from 0 up, as many in each. It says how many are hidden.
func Hide(rows [][]int64, hidden []bool) (n int) {
	for _, h := range hidden {
		if h {
			n++
		}
	}
	for n > 0 && !covered(rows, hidden, n) {
		next := -1
		for i, row := range rows {
			if !hidden[i] && row[0] > 0 && (next < 0 || row[0] < rows[next][0]) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		hidden[next] = true
		n++
	}
	return n
}

// covered reports whether the n hidden rows tell nothing but sums that may be told.
func covered(rows [][]int64, hidden []bool, n int) bool {
	if n < 2 {
		return false
	}
	for c := range rows[0] {
		// Where none is 0 a reader may know that, so that each of the others takes 1 away at least.
		sum, least := int64(0), int64(1)
		for i, row := range rows {
			if hidden[i] {
				sum, least = sum+row[c], min(least, row[c])
			}
		}
		if sum != 0 && sum-least*int64(n-1) < Smallest {
			return false
		}
	}
	return true
}

// Few reports whether a number is one of those that no released report shows.
func Few(n int64) bool { return n > 0 && n < Smallest }

func fewOf(row ...int64) bool { return slices.ContainsFunc(row, Few) }

// Released is the report for a reader outside the case: cells of 1 to 4 accesses
// or visitors are left out, of countries whole, so that no number can be reckoned
// back from the others of its row; others go with them where totals would give them
// away (Hide). File names go, too. The rest is as it was.
func (r *Report) Released() *Report {
	out := *r
	s := &Suppression{Below: Smallest}
	out.Suppressed = s
	fewOr := func(n *int64) bool { return n != nil && Few(*n) }
	out.Countries = r.releasedCountries(s)

	lists := func(list []Count) []Count {
		kept := slices.DeleteFunc(slices.Clone(list), func(c Count) bool { return Few(c.Accesses) })
		s.Cells += len(list) - len(kept)
		return kept
	}
	out.TopPaths, out.Referrers, out.Languages, out.Campaigns = lists(r.TopPaths), lists(r.Referrers), lists(r.Languages), lists(r.Campaigns)
	out.Agents = kept(r.Agents, s, func(a Agent) []int64 { return []int64{a.Accesses} })
	out.Hours = kept(r.Hours, s, func(h Hour) []int64 { return []int64{h.Accesses} })
	out.PerDay = kept(r.PerDay, s, func(d Day) []int64 { return []int64{d.Accesses} })
	rows, split := make([][]int64, len(out.PerDay)), make([]bool, len(out.PerDay))
	for i, d := range out.PerDay {
		rows[i] = []int64{0, 0}
		if d.Bots != nil {
			rows[i] = []int64{d.Accesses - *d.Bots, *d.Bots}
			split[i] = fewOf(rows[i]...)
		}
	}
	s.Cells += Hide(rows, split)
	for i := range out.PerDay {
		if split[i] {
			out.PerDay[i].Bots = nil
		}
	}
	if r.Propaganda != nil && (Few(r.Propaganda.Visitors) || Few(r.Propaganda.Accesses) || fewOr(r.Propaganda.VisitorsWithoutBots) || fewOr(r.Propaganda.AccessesWithoutBots)) {
		out.Propaganda = nil
		s.Cells++
	}
	if r.Unreliable != nil && Few(r.Unreliable.Visitors) {
		out.Unreliable = nil
		s.Cells++
	}
	if fewOr(r.AuthUsers) {
		out.AuthUsers = nil
		s.Cells++
	}
	out.Inputs = slices.Clone(r.Inputs)
	for i := range out.Inputs {
		out.Inputs[i].File = ""
	}
	return &out
}

// kept are the rows of a table, whose totals are known, that may be shown.
func kept[T any](list []T, s *Suppression, numbers func(T) []int64) []T {
	rows, hidden, out := make([][]int64, len(list)), make([]bool, len(list)), []T{}
	for i, x := range list {
		rows[i] = numbers(x)
		hidden[i] = fewOf(rows[i]...)
	}
	s.Cells += Hide(rows, hidden)
	for i, x := range list {
		if !hidden[i] {
			out = append(out, x)
		}
	}
	return out
}

// releasedCountries are those that may be shown, without the numbers of bots where
// those, or what they leave of the others, are few.
func (r *Report) releasedCountries(s *Suppression) map[string]Country {
	codes := slices.Sorted(maps.Keys(r.Countries))
	rows, hidden := make([][]int64, len(codes)), make([]bool, len(codes))
	shares, split := make([][]int64, len(codes)), make([]bool, len(codes))
	for i, code := range codes {
		c := r.Countries[code]
		rows[i], shares[i] = []int64{c.Visitors, c.Accesses}, []int64{0, 0, 0, 0}
		hidden[i] = fewOf(rows[i]...)
		if c.VisitorsWithoutBots != nil {
			v, a := *c.VisitorsWithoutBots, *c.AccessesWithoutBots
			// What lies between two numbers of a row is a number, too: accesses and visitors of bots.
			shares[i] = []int64{v, a, c.Visitors - v, c.Accesses - a}
			hidden[i] = hidden[i] || fewOf(v, a)
			split[i] = fewOf(shares[i]...)
		}
	}
	n := Hide(rows, hidden)
	for i, h := range hidden {
		split[i] = split[i] || h
	}
	s.Cells += n + 2*(Hide(shares, split)-n)
	out := map[string]Country{}
	for i, code := range codes {
		c := r.Countries[code]
		if hidden[i] {
			continue
		}
		if split[i] {
			c.VisitorsWithoutBots, c.AccessesWithoutBots = nil, nil
		}
		out[code] = c
	}
	return out
}
