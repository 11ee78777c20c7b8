package accesslog

import (
	"cmp"
	"slices"
	"time"
)

// Report is what a run found. Its JSON is the interface of the command; the
// fields' definitions travel with it.
type Report struct {
	Version     int                `json:"version"`
	Files       int                `json:"files"`
	Lines       int64              `json:"lines"`
	Parsed      int64              `json:"parsed"`
	Rejected    int64              `json:"rejected"`
	Blank       int64              `json:"blank"`
	Bytes       int64              `json:"bytes"`
	First       string             `json:"first"`
	Last        string             `json:"last"`
	Accesses    int64              `json:"accesses"`
	Visitors    Visitors           `json:"visitors"`
	Bots        *Bots              `json:"bots"`
	Countries   map[string]Country `json:"countries"`
	PerDay      []Day              `json:"per_day"`
	Hours       []Hour             `json:"hours"`
	Status      map[string]int64   `json:"status"`
	Methods     map[string]int64   `json:"methods"`
	TopPaths    []Count            `json:"top_paths"`
	Referrers   []Count            `json:"top_referrers"`
	Agents      []Agent            `json:"user_agents"`
	Languages   []Count            `json:"languages"`
	Campaigns   []Count            `json:"campaigns"`
	AuthUsers   *int64             `json:"auth_users"`
	Propaganda  *Propaganda        `json:"propaganda_accesses"`
	Distinct    Distinct           `json:"distinct"`
	Unreliable  *Unreliable        `json:"unreliable_networks"`
	Clock       Clock              `json:"clock"`
	Inputs      []Input            `json:"inputs"`
	Rejects     map[string]int64   `json:"rejected_by_reason"`
	Geo         *GeoInfo           `json:"geo"`
	BotRule     BotRule            `json:"bot_rule"`
	Suppressed  *Suppression       `json:"suppressed"`
	ElapsedS    float64            `json:"elapsed_s"`
	LinesPerS   float64            `json:"lines_per_s"`
	Definitions map[string]string  `json:"definitions"`
	Caveats     []string           `json:"caveats"`
}

// Range is one number with and without known bots.
type Range struct {
	WithBots    int64  `json:"with_bots"`
	WithoutBots *int64 `json:"without_bots"`
}

// Visitors are three ways of counting clients; none of them counts people.
type Visitors struct {
	IP   Range  `json:"ip"`
	IPUA *Range `json:"ip_ua"`
	IP64 Range  `json:"ip64"`
}

// Bots are the automatic clients that say so.
type Bots struct {
	Accesses int64 `json:"accesses"`
	Visitors int64 `json:"visitors"`
}

// Country counts one country, or "unknown".
type Country struct {
	Accesses            int64  `json:"accesses"`
	Visitors            int64  `json:"visitors"`
	AccessesWithoutBots *int64 `json:"accesses_without_bots"`
	VisitorsWithoutBots *int64 `json:"visitors_without_bots"`
}

// Day is one day in UTC.
type Day struct {
	Day      string `json:"day"`
	Accesses int64  `json:"accesses"`
	Bots     *int64 `json:"bots"`
	Bytes    int64  `json:"bytes"`
}

// Hour is one hour of the day in UTC, over all days.
type Hour struct {
	Hour     int   `json:"hour"`
	Accesses int64 `json:"accesses"`
}

// Count is a text and how many accesses had it.
type Count struct {
	Key      string `json:"key"`
	Accesses int64  `json:"accesses"`
}

// Agent is a family of clients.
type Agent struct {
	Family   string `json:"family"`
	Accesses int64  `json:"accesses"`
	Bots     int64  `json:"bots"`
}

// Propaganda are successful accesses to files on the list of judged files.
type Propaganda struct {
	Accesses            int64   `json:"accesses"`
	Visitors            int64   `json:"visitors"`
	AccessesWithoutBots *int64  `json:"accesses_without_bots"`
	VisitorsWithoutBots *int64  `json:"visitors_without_bots"`
	UnresolvedShare     float64 `json:"unresolved_share"`
	JudgedFiles         int     `json:"judged_files"`
}

// Distinct are numbers of different things.
type Distinct struct {
	Paths     int64  `json:"paths"`
	URLs      *int64 `json:"urls_estimate"`
	Referrers *int64 `json:"referrers"`
}

// Unreliable are clients in networks whose country says nothing of a person.
type Unreliable struct {
	Accesses int64   `json:"accesses"`
	Visitors int64   `json:"visitors"`
	Share    float64 `json:"share"`
}

// Clock is what the log's times are worth.
type Clock struct {
	Zones       []Zone `json:"zones"`
	ZoneChanges int64  `json:"zone_changes"`
	OutOfOrder  int64  `json:"out_of_order"`
	Implausible int64  `json:"implausible"`
}

// Zone counts accesses by the zone that was written.
type Zone struct {
	Zone     string `json:"zone"`
	Accesses int64  `json:"accesses"`
}

// Input is one file, and what became of it.
type Input struct {
	File          string           `json:"file"`
	Outcome       Outcome          `json:"outcome"`
	Detail        string           `json:"detail,omitempty"`
	Compression   string           `json:"compression,omitempty"`
	Format        string           `json:"format,omitempty"`
	FormatCertain bool             `json:"format_certain"`
	Size          int64            `json:"size"`
	Lines         int64            `json:"lines"`
	Parsed        int64            `json:"parsed"`
	Rejected      int64            `json:"rejected"`
	Blank         int64            `json:"blank"`
	First         string           `json:"first"`
	Last          string           `json:"last"`
	Rejects       map[string]int64 `json:"rejected_by_reason,omitempty"`
}

// GeoInfo is which database said where addresses are.
type GeoInfo struct {
	Build  string `json:"build"`
	SHA256 string `json:"sha256"`
	Type   string `json:"type"`
}

// BotRule is by which rule bots were told apart.
type BotRule struct {
	Version string `json:"version"`
	Tokens  int    `json:"tokens"`
}

// Suppression says that small numbers were left out.
type Suppression struct {
	Below int `json:"below"`
	Cells int `json:"cells"`
}

const timeForm = "2006-01-02T15:04:05Z"

func stamp(sec int64) string {
	if sec == 0 {
		return ""
	}
	return time.Unix(sec, 0).UTC().Format(timeForm)
}

// report puts all workers' counts together.
func (c *counting) report(all []*tally, began time.Time) (*Report, error) {
	u, err := join(all, c.spools)
	if err != nil {
		return nil, err
	}
	r := &Report{Version: 1, Countries: map[string]Country{}, Status: map[string]int64{}, Methods: map[string]int64{}, Rejects: map[string]int64{},
		PerDay: []Day{}, TopPaths: counts(u.paths), BotRule: BotRule{c.bots.version, len(c.bots.tokens)}, Caveats: caveats, Definitions: definitions()}
	sum := sumTallies(all)
	c.inputReports(r, all)
	r.Accesses, r.Bytes = sum.accesses, sum.bytes
	hint := func(n int64) *int64 {
		if c.o.Brief {
			return nil
		}
		return &n
	}
	r.Visitors = Visitors{IP: Range{u.ip.all, hint(u.ip.human)}, IP64: Range{u.net.all, hint(u.net.human)}}
	r.Distinct.Paths = u.paths.distinct
	if !c.o.Brief {
		r.Visitors.IPUA = &Range{u.pair.all, &u.pair.human}
		r.Bots = &Bots{sum.bots, u.robots}
		r.Referrers, r.Campaigns, r.AuthUsers = counts(u.referrers), counts(u.campaigns), &u.users
		urls := sum.urls.estimate()
		r.Distinct.URLs, r.Distinct.Referrers = &urls, &u.referrers.distinct
		r.Agents = agentReport(all)
	}
	r.Languages = languageReport(u)
	c.placeReport(r, sum, u, hint)
	timeReport(r, sum, hint)
	for i, n := range sum.status {
		if n > 0 {
			r.Status[string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)})] = n
		}
	}
	for i, n := range sum.method {
		if n > 0 {
			r.Methods[methodNames[i]] = n
		}
	}
	if c.o.Judged != nil {
		p := &Propaganda{Accesses: sum.judged, Visitors: u.viewers.all, JudgedFiles: c.o.Judged.n, AccessesWithoutBots: hint(sum.judged - sum.judgedBots), VisitorsWithoutBots: hint(u.viewers.human)}
		if sum.success > 0 {
			p.UnresolvedShare = float64(sum.success-sum.listed) / float64(sum.success)
		}
		r.Propaganda = p
	}
	r.ElapsedS = time.Since(began).Seconds()
	if r.ElapsedS > 0 {
		r.LinesPerS = float64(r.Lines) / r.ElapsedS
	}
	return r, nil
}

// sumTallies adds the plain counters of all workers into the first.
func sumTallies(all []*tally) *tally {
	s := all[0]
	for _, t := range all[1:] {
		s.accesses += t.accesses
		s.bots += t.bots
		s.bytes += t.bytes
		s.noAgent += t.noAgent
		s.unreliable += t.unreliable
		s.success += t.success
		s.listed += t.listed
		s.judged += t.judged
		s.judgedBots += t.judgedBots
		s.implaus += t.implaus
		s.urls.merge(&t.urls)
		for i := range s.status {
			s.status[i] += t.status[i]
		}
		for i := range s.method {
			s.method[i] += t.method[i]
		}
		for i := range s.country {
			s.country[i].accesses += t.country[i].accesses
			s.country[i].bots += t.country[i].bots
		}
		for day, n := range t.days {
			if s.days[day] == nil {
				s.days[day] = &dayCount{}
			}
			s.days[day].add(*n)
		}
		for i := range s.hours {
			s.hours[i].add(t.hours[i])
		}
		for z, n := range t.zones {
			s.zones[z] += n
		}
		for i, f := range t.files {
			s.files[i].merge(f)
		}
	}
	return s
}

func (f *fileCount) merge(o fileCount) {
	f.lines += o.lines
	f.parsed += o.parsed
	f.rejected += o.rejected
	f.blank += o.blank
	f.disorder += o.disorder
	f.zoneChanges += o.zoneChanges
	for i, n := range o.byReason {
		f.byReason[i] += n
	}
	if o.first != 0 && (f.first == 0 || o.first < f.first) {
		f.first = o.first
	}
	f.last = max(f.last, o.last)
}

func counts(r ranking) []Count {
	list := []Count{}
	for _, x := range r.top {
		list = append(list, Count{x.key, int64(x.n)})
	}
	return list
}

func languageReport(u *union) []Count {
	list := []Count{}
	for code, n := range u.languages {
		list = append(list, Count{code, n})
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Accesses, a.Accesses), cmp.Compare(a.Key, b.Key)) })
	return list
}

func agentReport(all []*tally) []Agent {
	sum := map[string]*dayCount{}
	for _, t := range all {
		t.foldAgents()
		for f, n := range t.families {
			if sum[f] == nil {
				sum[f] = &dayCount{}
			}
			sum[f].add(*n)
		}
	}
	list := []Agent{}
	for f, n := range sum {
		list = append(list, Agent{f, n.accesses, n.bots})
	}
	slices.SortFunc(list, func(a, b Agent) int {
		return cmp.Or(cmp.Compare(b.Accesses, a.Accesses), cmp.Compare(a.Family, b.Family))
	})
	return list
}

func (c *counting) placeReport(r *Report, sum *tally, u *union, hint func(int64) *int64) {
	if c.o.Geo != nil {
		r.Geo = c.o.Geo.info()
		for i, n := range sum.country {
			if n.accesses > 0 {
				v := u.byCountry[i]
				r.Countries[CountryCode(uint16(i))] = Country{n.accesses, v.all, hint(n.accesses - n.bots), hint(v.human)}
			}
		}
	}
	if c.o.Geo != nil || c.o.Hosting != nil {
		r.Unreliable = &Unreliable{Accesses: sum.unreliable, Visitors: u.unreliable.all}
		if sum.accesses > 0 {
			r.Unreliable.Share = float64(sum.unreliable) / float64(sum.accesses)
		}
	}
}

func timeReport(r *Report, sum *tally, hint func(int64) *int64) {
	for day, n := range sum.days {
		r.PerDay = append(r.PerDay, Day{time.Unix(day*86400, 0).UTC().Format(time.DateOnly), n.accesses, hint(n.bots), n.bytes})
	}
	slices.SortFunc(r.PerDay, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
	for i, n := range sum.hours {
		r.Hours = append(r.Hours, Hour{i, n.accesses})
	}
	r.Clock.Zones = []Zone{}
	for z, n := range sum.zones {
		r.Clock.Zones = append(r.Clock.Zones, Zone{zoneName(z), n})
	}
	slices.SortFunc(r.Clock.Zones, func(a, b Zone) int { return cmp.Or(cmp.Compare(b.Accesses, a.Accesses), cmp.Compare(a.Zone, b.Zone)) })
	r.Clock.Implausible = sum.implaus
}

// NoZone stands for the zone of times that were written without one.
const NoZone = "not written"

func zoneName(z int32) string {
	if z == zoneless {
		return NoZone
	}
	return time.Unix(0, 0).In(time.FixedZone("", int(z))).Format("-07:00")
}

// inputReports says what became of each input, and adds up lines.
func (c *counting) inputReports(r *Report, all []*tally) {
	var first, last int64
	r.Inputs = []Input{}
	for i, in := range c.inputs {
		f := all[0].files[i]
		if in.outcome == "" {
			in.outcome = Read
			if f.lines > f.blank && !in.format.known() {
				in.outcome, in.detail = Unknown, "no line of it could be read in any format that is told by itself; name the format or give its pattern with -format"
			}
		}
		switch {
		case in.outcome == Read && in.sniffed && !in.certain && in.format.known():
			in.detail = "its format was guessed and is uncertain; name it or give its pattern with -format"
		case in.outcome == Read && f.lines == 0:
			in.detail = "the file is empty"
		}
		out := Input{File: in.path, Outcome: in.outcome, Detail: in.detail, Compression: in.compression, Format: in.format.name,
			FormatCertain: in.format.known() && (in.certain || !in.sniffed), Size: max(in.size, 0), Lines: f.lines, Parsed: f.parsed, Rejected: f.rejected, Blank: f.blank,
			First: stamp(f.first), Last: stamp(f.last)}
		for why, n := range f.byReason {
			if n > 0 {
				if out.Rejects == nil {
					out.Rejects = map[string]int64{}
				}
				out.Rejects[Reason(why).String()] = n
				r.Rejects[Reason(why).String()] += n
			}
		}
		r.Inputs = append(r.Inputs, out)
		if f.lines > 0 || in.outcome == Read {
			r.Files++
		}
		r.Lines += f.lines
		r.Parsed += f.parsed
		r.Rejected += f.rejected
		r.Blank += f.blank
		if f.first != 0 && (first == 0 || f.first < first) {
			first = f.first
		}
		last = max(last, f.last)
		order, zones := in.between()
		r.Clock.OutOfOrder += f.disorder + order
		r.Clock.ZoneChanges += f.zoneChanges + zones
	}
	r.First, r.Last = stamp(first), stamp(last)
}

// between judges order and zones where one block ends and the next begins.
func (in *input) between() (disordered, zones int64) {
	slices.SortFunc(in.edges, func(a, b edge) int { return cmp.Compare(a.seq, b.seq) })
	for i := 1; i < len(in.edges); i++ {
		a, b := in.edges[i-1], in.edges[i]
		if b.first+disorder < a.last {
			disordered++
		}
		if a.lastZone != b.firstZone {
			zones++
		}
	}
	return disordered, zones
}
