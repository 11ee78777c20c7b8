package accesslog

import (
	"maps"
	"slices"
)

// Smallest is the least number that a released report shows of a cell; what lies
// between 0 and it could point to somebody.
const Smallest = 5

// Released is the report for a reader outside the case: cells of 1 to 4 accesses
// or visitors are left out, of countries whole, so that no number can be reckoned
// back from the others of its row; where a single country would be left out, the
// next smallest goes with it, since totals would give it away. File names go,
// too. The rest is as it was.
func (r *Report) Released() *Report {
	out := *r
	s := &Suppression{Below: Smallest}
	out.Suppressed = s
	few := func(n int64) bool { return n > 0 && n < Smallest }
	fewOr := func(n *int64) bool { return n != nil && few(*n) }

	out.Countries = maps.Clone(r.Countries)
	hidden := 0
	for code, c := range r.Countries {
		// What lies between two numbers of a row is a number, too: accesses and visitors of bots.
		botVisitors, botAccesses := int64(0), int64(0)
		if c.VisitorsWithoutBots != nil {
			botVisitors, botAccesses = c.Visitors-*c.VisitorsWithoutBots, c.Accesses-*c.AccessesWithoutBots
		}
		if few(c.Visitors) || few(c.Accesses) || fewOr(c.VisitorsWithoutBots) || fewOr(c.AccessesWithoutBots) {
			delete(out.Countries, code)
			hidden++
		} else if few(botVisitors) || few(botAccesses) {
			c.VisitorsWithoutBots, c.AccessesWithoutBots = nil, nil
			out.Countries[code] = c
			s.Cells += 2
		}
	}
	if hidden == 1 && len(out.Countries) > 0 {
		codes := slices.SortedFunc(maps.Keys(out.Countries), func(a, b string) int {
			x, y := out.Countries[a].Visitors, out.Countries[b].Visitors
			if x != y {
				return int(min(max(x-y, -1), 1))
			}
			return slices.Compare([]byte(a), []byte(b))
		})
		delete(out.Countries, codes[0])
		hidden++
	}
	s.Cells += hidden

	lists := func(list []Count) []Count {
		kept := slices.DeleteFunc(slices.Clone(list), func(c Count) bool { return few(c.Accesses) })
		s.Cells += len(list) - len(kept)
		return kept
	}
	out.TopPaths, out.Referrers, out.Languages, out.Campaigns = lists(r.TopPaths), lists(r.Referrers), lists(r.Languages), lists(r.Campaigns)
	out.Agents = slices.DeleteFunc(slices.Clone(r.Agents), func(a Agent) bool { return few(a.Accesses) })
	s.Cells += len(r.Agents) - len(out.Agents)
	out.PerDay = slices.DeleteFunc(slices.Clone(r.PerDay), func(d Day) bool { return few(d.Accesses) })
	s.Cells += len(r.PerDay) - len(out.PerDay)
	for i, d := range out.PerDay {
		if fewOr(d.Bots) || d.Bots != nil && few(d.Accesses-*d.Bots) {
			out.PerDay[i].Bots = nil
			s.Cells++
		}
	}
	out.Hours = slices.DeleteFunc(slices.Clone(r.Hours), func(h Hour) bool { return few(h.Accesses) })
	s.Cells += len(r.Hours) - len(out.Hours)
	if r.Propaganda != nil && (few(r.Propaganda.Visitors) || few(r.Propaganda.Accesses) || fewOr(r.Propaganda.VisitorsWithoutBots) || fewOr(r.Propaganda.AccessesWithoutBots)) {
		out.Propaganda = nil
		s.Cells++
	}
	if r.Unreliable != nil && few(r.Unreliable.Visitors) {
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
