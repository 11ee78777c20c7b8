package concert

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

// DwellKind is what stands in a state.
type DwellKind string

// The kinds.
const (
	DwellItem      DwellKind = "item"
	DwellReferral  DwellKind = "referral"
	DwellOrder     DwellKind = "order"
	DwellComplaint DwellKind = "complaint"
)

// DwellKinds lists them.
var DwellKinds = []DwellKind{DwellItem, DwellReferral, DwellOrder, DwellComplaint}

// A complaint's two states.
const (
	ComplaintWaits = "filed"
	ComplaintOver  = "decided"
)

// DwellStates are the states in which something waits, in the order of the chain. Where
// something comes to rest, nothing is waited for and no time is counted.
func DwellStates(k DwellKind) []string {
	switch k {
	case DwellItem:
		return strs(ItemOpen, ItemAssessed, ItemApproved, ItemHeld, ItemReferred, ItemAnswered, ItemStillUp, ItemReturned)
	case DwellReferral:
		return strs(ReferralSent, ReferralAcknowledged, ReferralPartly)
	case DwellOrder:
		return strs(OrderDrafted, OrderReviewed, OrderApproved, OrderNoticed, OrderIssued, OrderReceived, OrderImpeded, OrderClarified, OrderExecuted)
	case DwellComplaint:
		return []string{ComplaintWaits}
	}
	return nil
}

func strs[T ~string](vs ...T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}

// dwellKey is under what a time in a state is counted: as things were when it began.
type dwellKey struct {
	kind      DwellKind
	state     uint32
	authority uint32
	provider  uint32
	content   uint32
	month     int32
}

// dwellTimes are the times of one key: those that ended, and when those began that go
// on.
type dwellTimes struct {
	ended map[uint32]int64 // by bucket
	open  map[int64]int64  // by when it began, seconds, to the grain of its kind
	n     int64
	most  int64 // seconds
}

type dwellFold struct {
	waits map[DwellKind][]string
	times map[dwellKey]*dwellTimes
}

func newDwellFold() *dwellFold {
	d := &dwellFold{waits: map[DwellKind][]string{}, times: map[dwellKey]*dwellTimes{}}
	for _, k := range DwellKinds {
		d.waits[k] = DwellStates(k)
	}
	return d
}

// Seconds are kept in buckets that are exact up to 256 and then within one part in 128:
// two and a half thousand of them reach over two centuries, so that a page never goes
// through the things themselves.
const dwellExact, dwellShare = 256, 7

func dwellBucket(seconds int64) uint32 {
	v := uint64(max(0, seconds))
	if v < dwellExact {
		return uint32(v)
	}
	shift := bits.Len64(v) - dwellShare - 1
	return uint32(shift<<dwellShare) + uint32(v>>shift) // the top eight bits of v, above all smaller ones
}

// dwellSeconds is the middle of a bucket.
func dwellSeconds(b uint32) int64 {
	if b < dwellExact {
		return int64(b)
	}
	shift := b>>dwellShare - 1
	low := int64(b-shift<<dwellShare) << shift
	return low + (int64(1)<<shift)/2
}

// began is when something began, in seconds: of an order to the second, of what there
// may be a million of to the minute, so that what waits is counted and not gone through.
func (k DwellKind) began(micros int64) int64 {
	s := micros / 1e6
	if k == DwellOrder {
		return s
	}
	return s - s%60
}

// move puts a thing into a state.
func (f *AuditFold) move(t *auditThing, state string, at int64) {
	n := f.words.number(state)
	if state == "" || n == t.state {
		return
	}
	f.leave(t, at)
	t.state, t.since = n, at
	if !slices.Contains(f.dwell.waits[t.kind], state) {
		return
	}
	t.entered = dwellKey{t.kind, n, t.authority, t.provider, t.content, monthOf(at)}
	d := f.dwell.times[t.entered]
	if d == nil {
		d = &dwellTimes{ended: map[uint32]int64{}, open: map[int64]int64{}}
		f.dwell.times[t.entered] = d
	}
	d.open[t.kind.began(at)]++
}

// leave ends the time of a thing in its state.
func (f *AuditFold) leave(t *auditThing, at int64) {
	d := f.dwell.times[t.entered]
	if d == nil || t.entered.kind == "" || t.entered.state != t.state {
		return
	}
	began := t.kind.began(t.since)
	if d.open[began]--; d.open[began] <= 0 {
		delete(d.open, began)
	}
	seconds := max(0, (at-t.since)/1e6)
	d.ended[dwellBucket(seconds)]++
	d.n++
	d.most = max(d.most, seconds)
	t.entered = dwellKey{}
}

// DwellQuery chooses times in states; its zero value, all.
type DwellQuery struct {
	Kind      DwellKind
	Authority AuthorityID
	Provider  ProviderID
	Content   ContentType
	From      string // month in which the state began
	Until     string
}

// Check refuses a query that names what there is not.
func (q DwellQuery) Check() error {
	if q.Kind != "" && !slices.Contains(DwellKinds, q.Kind) {
		return Refuse(Invalid, "dwell.kind", "kind", "%q stands in no state: %v", q.Kind, DwellKinds)
	}
	return DrawFrame{Content: q.Content, From: q.From, Until: q.Until}.Check()
}

// Dwell is how long things stood in one state. Times are whole seconds, p50 to p99
// within one part in 128 above 256 seconds; Max is exact.
type Dwell struct {
	Kind          DwellKind
	State         string
	Ended         int64 // times that ended
	P50, P90, P99 time.Duration
	Max           time.Duration
	Waiting       int64         // that still go on: the percentiles leave them out
	Oldest        time.Duration // of those, to the minute, of an order to the second
	Median        time.Duration // by Kaplan and Meier, which counts those that go on as longer than they are so far
	Reached       bool          // there is such a median: half have ended
}

// Dwells are the times in each state of the kinds that the query chooses, as of a
// moment.
func (f *AuditFold) Dwells(q DwellQuery, now time.Time) []Dwell {
	type where struct {
		kind  DwellKind
		state string
	}
	sum := map[where]*dwellTimes{}
	for k, d := range f.dwell.times {
		if !f.dwells(q, k) {
			continue
		}
		w := where{k.kind, f.words.list[k.state]}
		s := sum[w]
		if s == nil {
			s = &dwellTimes{ended: map[uint32]int64{}, open: map[int64]int64{}}
			sum[w] = s
		}
		for b, n := range d.ended {
			s.ended[b] += n
		}
		for at, n := range d.open {
			s.open[at] += n
		}
		s.n += d.n
		s.most = max(s.most, d.most)
	}
	var out []Dwell
	for _, k := range DwellKinds {
		for _, state := range f.dwell.waits[k] {
			if s := sum[where{k, state}]; s != nil {
				out = append(out, s.dwell(k, state, now))
			}
		}
	}
	return out
}

func (f *AuditFold) dwells(q DwellQuery, k dwellKey) bool {
	is := func(want string, have uint32) bool { return want == "" || f.words.list[have] == want }
	return (q.Kind == "" || q.Kind == k.kind) && is(string(q.Authority), k.authority) && is(string(q.Provider), k.provider) && is(string(q.Content), k.content) && AccessQuery{From: q.From, Until: q.Until}.within(k.month)
}

// dwellStep is some times of one length.
type dwellStep struct {
	seconds     int64
	ended, open int64
}

// dwell sums up the times of one state.
func (d *dwellTimes) dwell(kind DwellKind, state string, now time.Time) Dwell {
	out := Dwell{Kind: kind, State: state, Ended: d.n, Max: time.Duration(d.most) * time.Second}
	steps := make([]dwellStep, 0, len(d.ended)+len(d.open))
	for b, n := range d.ended {
		steps = append(steps, dwellStep{seconds: min(dwellSeconds(b), d.most), ended: n})
	}
	slices.SortFunc(steps, func(a, b dwellStep) int { return cmp.Compare(a.seconds, b.seconds) })
	out.P50, out.P90, out.P99 = percentile(steps, d.n, 50), percentile(steps, d.n, 90), percentile(steps, d.n, 99)
	at := Micros(now) / 1e6
	for began, n := range d.open {
		age := max(0, at-began)
		out.Waiting += n
		out.Oldest = max(out.Oldest, time.Duration(age)*time.Second)
		steps = append(steps, dwellStep{seconds: age, open: n})
	}
	// Of one length, what ended counts before what goes on: that is longer.
	slices.SortFunc(steps, func(a, b dwellStep) int {
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(b.ended, a.ended))
	})
	out.Median, out.Reached = productLimit(steps, d.n+out.Waiting)
	return out
}

// percentile is the smallest time that p per cent do not exceed (nearest rank).
func percentile(steps []dwellStep, n int64, p int64) time.Duration {
	rank, seen := (n*p+99)/100, int64(0)
	for _, s := range steps {
		if seen += s.ended; seen >= rank && rank > 0 {
			return time.Duration(s.seconds) * time.Second
		}
	}
	return 0
}

// productLimit is the median of Kaplan and Meier (1958): the first time by which half
// are expected to have ended; false where so few have ended that nothing says when.
func productLimit(steps []dwellStep, n int64) (time.Duration, bool) {
	left, stay := float64(n), 1.0
	for _, s := range steps {
		if s.ended > 0 && left > 0 {
			stay *= 1 - float64(s.ended)/left
			if stay <= 0.5+1e-12 {
				return time.Duration(s.seconds) * time.Second, true
			}
		}
		left -= float64(s.ended + s.open)
	}
	return 0, false
}
