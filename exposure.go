package concert

import (
	"slices"
	"strings"
	"time"
)

// What people have to look at is counted for themselves, bounded, and warned of
// before it is seen (G35). Blur alone is not shown to protect (see docs/eyes.md),
// so that the first protection is not to see: nothing is open before a click, and
// what was judged once need not be seen again.
const (
	// RevealTerm is how long an opened capture stays open without a sign that
	// somebody still looks.
	RevealTerm = 10 * time.Minute
	// RevealUnmeasured is counted where nothing measures how long it was seen: a
	// page without JavaScript, a program.
	RevealUnmeasured = 30 * time.Second
	// RevealTaken is counted on top for bytes that were downloaded: they are looked
	// at where nobody measures.
	RevealTaken = time.Minute
	// ExposureKept is how many days the ledger is kept.
	ExposureKept = 90
	// ExposureTeam is of how many people at least, the reader not among them, a
	// number of a team is made.
	ExposureTeam = 5
)

// Warning says what is in a capture before it is seen.
type Warning string

// The warnings.
const (
	WarnKilling Warning = "killing" // a killing or beheading
	WarnInjury  Warning = "injury"  // injury, torture or the dead
	WarnChild   Warning = "child"   // a child is present
	WarnSexual  Warning = "sexual"  // sexual violence
	WarnSuicide Warning = "suicide"
	WarnAudio   Warning = "audio"   // sound only
	WarnNothing Warning = "nothing" // seen, and nothing of these in it
)

// Warnings lists them, the heaviest first.
var Warnings = []Warning{WarnKilling, WarnChild, WarnSexual, WarnSuicide, WarnInjury, WarnAudio, WarnNothing}

// WarningBody is the body of the event that somebody said what is in a capture.
type WarningBody struct {
	Ref       string      `json:"ref"` // of the item
	Capture   string      `json:"capture"`
	Authority AuthorityID `json:"authority"`
	Warnings  []Warning   `json:"warnings"`
}

// warnings are what was chosen, each once, in one order.
func warnings(in []Warning) ([]Warning, error) {
	var out []Warning
	for _, w := range in {
		if !slices.Contains(Warnings, w) {
			return nil, Refuse(Invalid, "warning.unknown", "warnings", "%q is no warning; they are %v", w, Warnings)
		}
	}
	for _, w := range Warnings {
		if slices.Contains(in, w) {
			out = append(out, w)
		}
	}
	if len(out) > 1 && slices.Contains(out, WarnNothing) {
		return nil, Refuse(Invalid, "warning.nothing", "warnings", "either there is nothing to warn of, or there is: choose one")
	}
	return out, nil
}

// WarningsOf are the warnings that stand, of all that people said: "nothing" only
// where nobody said anything else.
func WarningsOf(said []Warning) []Warning {
	var out []Warning
	for _, w := range Warnings {
		if slices.Contains(said, w) && (w != WarnNothing || len(out) == 0) {
			out = append(out, w)
		}
	}
	return out
}

// Warned records what the actor says is in the capture, in place of what they said
// before: whoever captured it says so, and whoever has seen it.
func (c Capture) Warned(by Actor, it Item, seen bool, said []Warning, now time.Time) ([]Warning, Event, error) {
	if err := c.MayOpen(by); err != nil {
		return nil, Event{}, err
	}
	if c.Person != by.Person && !seen {
		return nil, Event{}, Refuse(Forbidden, "warning.unseen", "", "you have not seen capture %s: whoever captured it, or has seen it, says what is in it", c.Ref)
	}
	out, err := warnings(said)
	if err != nil {
		return nil, Event{}, err
	}
	return out, NewEvent(EventCaptureWarned, by, string(it.ID), now, WarningBody{Ref: it.Ref, Capture: c.Ref, Authority: c.Authority, Warnings: out}), nil
}

// Pictured reports whether a preview of the capture shows a picture.
func (c Capture) Pictured() bool {
	return strings.HasPrefix(c.MediaType, "image/") || strings.HasPrefix(c.MediaType, "video/")
}

// Veiled reports whether the capture's bytes may hold what one sees or hears, so
// that they are given only once it was opened knowingly. Of plain text and a page's
// text it is not said.
func (c Capture) Veiled() bool { return !strings.HasPrefix(c.MediaType, "text/") }

// RevealID names a Reveal.
type RevealID string

// Reveal is one line of a person's own ledger: that they opened a capture, and
// for how long it was seen. No event tells of it and nobody but the person reads it.
type Reveal struct {
	ID        RevealID
	Person    PersonID
	Authority AuthorityID
	Capture   CaptureID // "" once its item is erased
	Warnings  []Warning // those that stood
	OpenedAt  time.Time
	BeatAt    time.Time // last sign that somebody looks
	ClosedAt  time.Time // zero while open
	Shown     time.Duration
	Measured  bool // Shown is what the page measured; else it is RevealUnmeasured
	Taken     bool // the bytes were downloaded
}

// Open reports whether the capture is open to the person by it.
func (r Reveal) Open(now time.Time, term time.Duration) bool {
	return r.ID != "" && r.ClosedAt.IsZero() && !now.Before(r.OpenedAt) && now.Sub(r.BeatAt) < term
}

// Shows refuses to give what the capture holds, or a picture of it, while it is
// not open to the person.
func (r Reveal) Shows(c Capture, now time.Time, term time.Duration) error {
	if r.Capture == c.ID && r.Open(now, term) {
		return nil
	}
	return Refuse(Forbidden, "capture.veiled", "", "capture %s is veiled until you open it knowingly: on its page, which says first what is in it, or with POST /api/v1/captures/%s/reveals", c.Ref, c.Ref)
}

// Revealed opens the capture for the actor, where their limits allow it; on says
// that they want to go on past the soft stop.
func (c Capture) Revealed(by Actor, said []Warning, l ExposureLimits, today Exposure, on bool, now time.Time) (Reveal, error) {
	if err := c.MayOpen(by); err != nil {
		return Reveal{}, err
	}
	if !c.Veiled() {
		return Reveal{}, Refuse(Conflict, "reveal.not_needed", "", "capture %s is text and stands open already", c.Ref)
	}
	if err := l.Allows(today, on); err != nil {
		return Reveal{}, err
	}
	r := Reveal{Person: by.Person, Authority: by.Authority, Capture: c.ID, Warnings: WarningsOf(said), OpenedAt: now, BeatAt: now, Shown: RevealUnmeasured}
	if !c.Pictured() {
		r.Shown, r.Measured = 0, true // nothing of it is shown here: only a download counts
	}
	return r, nil
}

// errRevealClosed refuses a sign of looking at what is closed.
func errRevealClosed() error {
	return Refuse(Conflict, "reveal.closed", "", "the capture is closed again: open it anew")
}

// Beaten counts what the page measured since the last sign, never less than
// nothing and never more than the time that passed.
func (r Reveal) Beaten(shown, passed time.Duration, closing bool, now time.Time, term time.Duration) (Reveal, error) {
	if !r.Open(now, term) {
		return r, errRevealClosed()
	}
	if !r.Measured {
		r.Shown -= min(r.Shown, RevealUnmeasured)
		r.Measured = true
	}
	r.Shown += max(0, min(shown, passed))
	r.BeatAt = now
	if closing {
		r.ClosedAt = now
	}
	return r, nil
}

// Closed closes the capture and leaves what was counted.
func (r Reveal) Closed(now time.Time, term time.Duration) (Reveal, error) {
	if !r.Open(now, term) {
		return r, errRevealClosed()
	}
	r.ClosedAt = now
	return r, nil
}

// Downloaded counts, once, that the bytes were taken elsewhere.
func (r Reveal) Downloaded() Reveal {
	if !r.Taken {
		r.Taken, r.Shown = true, r.Shown+RevealTaken
	}
	return r
}

// Exposure is what one person saw on one day.
type Exposure struct {
	Day      time.Time // its beginning, UTC
	Opened   int
	Shown    time.Duration
	Warnings map[Warning]int // openings by warning that stood
}

// ExposureDay is the beginning of the day that the time is counted for. It is
// UTC's for everybody: a day that each could choose would begin anew by choice.
func ExposureDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// ExposuresOf counts the ledger by days, the newest first; days without any line
// are left out.
func ExposuresOf(ledger []Reveal) []Exposure {
	var out []Exposure
	for _, r := range ledger {
		day := ExposureDay(r.OpenedAt)
		i := slices.IndexFunc(out, func(e Exposure) bool { return e.Day.Equal(day) })
		if i < 0 {
			i = len(out)
			out = append(out, Exposure{Day: day, Warnings: map[Warning]int{}})
		}
		out[i].Opened++
		out[i].Shown += r.Shown
		for _, w := range r.Warnings {
			out[i].Warnings[w]++
		}
	}
	slices.SortFunc(out, func(a, b Exposure) int { return b.Day.Compare(a.Day) })
	return out
}

// ExposureStop is which limit a day has reached.
type ExposureStop string

// The stops.
const (
	StopNone ExposureStop = ""
	StopSoft ExposureStop = "soft" // a pause is proposed
	StopHard ExposureStop = "hard" // nothing more is opened on that day
)

// ExposureLimits bound what is opened on one day, by time and by number.
type ExposureLimits struct {
	Authority  AuthorityID
	Soft, Hard time.Duration
	SoftOpened int
	HardOpened int
	SetBy      PersonID  // "" for the defaults
	SetAt      time.Time // zero for the defaults
	From       time.Time // since when they hold, or will
	Own        bool      // lowered by the person's own limit
}

// DefaultLimits hold where an authority has set none. They are a cautious
// convention: nobody has measured where harm begins (docs/eyes.md).
func DefaultLimits() ExposureLimits {
	return ExposureLimits{Soft: 45 * time.Minute, Hard: 90 * time.Minute, SoftOpened: 150, HardOpened: 300}
}

// What an authority may set at most.
const (
	ExposureMost       = 4 * time.Hour
	ExposureOpenedMost = 1000
)

// LimitsBody is the body of the event that an authority changed its limits, in
// minutes and openings.
type LimitsBody struct {
	Ref        string      `json:"ref"`
	Authority  AuthorityID `json:"authority"`
	Soft       int64       `json:"soft_minutes"`
	Hard       int64       `json:"hard_minutes"`
	SoftOpened int         `json:"soft_opened"`
	HardOpened int         `json:"hard_opened"`
	From       int64       `json:"from"` // microseconds UTC
}

// MayLeadDesk refuses whoever does not lead an authority's desk: its reviewers and
// its coordinators do.
func (a Actor) MayLeadDesk() error { return a.needAuthority(RoleReviewer, RoleCoordinator) }

// Set changes an authority's limits. Lower ones hold at once; where any is higher
// than it was, all hold from the next day, so that no limit is lifted for somebody
// who has just reached it.
func (l ExposureLimits) Set(by Actor, a Authority, next ExposureLimits, now time.Time) (ExposureLimits, Event, error) {
	if err := by.MayLeadDesk(); err != nil {
		return l, Event{}, err
	}
	if by.Authority != a.ID {
		return l, Event{}, ErrNotFound
	}
	next.Soft, next.Hard = next.Soft.Truncate(time.Minute), next.Hard.Truncate(time.Minute)
	switch {
	case next.Soft < time.Minute || next.Soft > next.Hard:
		return l, Event{}, Refuse(Invalid, "exposure.limits", "soft", "the soft stop is at least one minute and not later than the hard cap")
	case next.Hard > ExposureMost:
		return l, Event{}, Refuse(Invalid, "exposure.limits", "hard", "the hard cap is at most %d minutes a day", int(ExposureMost.Minutes()))
	case next.SoftOpened < 1 || next.SoftOpened > next.HardOpened:
		return l, Event{}, Refuse(Invalid, "exposure.limits", "soft_opened", "the soft stop is at least one opening and not later than the hard cap")
	case next.HardOpened > ExposureOpenedMost:
		return l, Event{}, Refuse(Invalid, "exposure.limits", "hard_opened", "the hard cap is at most %d openings a day", ExposureOpenedMost)
	}
	next.Authority, next.SetBy, next.SetAt, next.From, next.Own = a.ID, by.Person, now, now, false
	if next.Soft > l.Soft || next.Hard > l.Hard || next.SoftOpened > l.SoftOpened || next.HardOpened > l.HardOpened {
		next.From = ExposureDay(now).AddDate(0, 0, 1)
	}
	b := LimitsBody{Ref: a.Ref, Authority: a.ID, Soft: int64(next.Soft / time.Minute), Hard: int64(next.Hard / time.Minute), SoftOpened: next.SoftOpened, HardOpened: next.HardOpened, From: Micros(next.From)}
	return next, NewEvent(EventExposureLimits, by, string(a.ID), now, b), nil
}

// OwnLimit is a lower limit that a person has set for themself; zero numbers for
// none.
type OwnLimit struct {
	Person PersonID
	Hard   time.Duration
	Opened int
	SetAt  time.Time
}

// With is what holds for a person with the own limit.
func (l ExposureLimits) With(o OwnLimit) ExposureLimits {
	if o.Hard > 0 && o.Hard < l.Hard {
		l.Hard, l.Soft, l.Own = o.Hard, min(l.Soft, o.Hard), true
	}
	if o.Opened > 0 && o.Opened < l.HardOpened {
		l.HardOpened, l.SoftOpened, l.Own = o.Opened, min(l.SoftOpened, o.Opened), true
	}
	return l
}

// Set changes a person's own limit, l being what holds for the authority. It only
// ever lowers that; and once a day has reached it, it is not lifted before the next.
func (o OwnLimit) Set(by Actor, l ExposureLimits, today Exposure, next OwnLimit, now time.Time) (OwnLimit, error) {
	if err := by.MayCapture(); err != nil {
		return o, err
	}
	next.Hard = next.Hard.Truncate(time.Minute)
	switch {
	case next.Hard < 0 || next.Hard > l.Hard:
		return o, Refuse(Invalid, "exposure.own", "minutes", "your own limit is 1 to %d minutes a day, which is your authority's; leave it empty for none", int(l.Hard.Minutes()))
	case next.Opened < 0 || next.Opened > l.HardOpened:
		return o, Refuse(Invalid, "exposure.own", "opened", "your own limit is 1 to %d openings a day, which is your authority's; leave it empty for none", l.HardOpened)
	}
	next.Person, next.SetAt = by.Person, now
	had, will := l.With(o), l.With(next)
	if had.Reached(today) == StopHard && (will.Hard > had.Hard || will.HardOpened > had.HardOpened) {
		return o, Refuse(Conflict, "exposure.own_reached", "", "you have reached your own limit of today: you lift it from tomorrow on")
	}
	return next, nil
}

// Reached is which limit the day has reached.
func (l ExposureLimits) Reached(e Exposure) ExposureStop {
	switch {
	case e.Shown >= l.Hard || e.Opened >= l.HardOpened:
		return StopHard
	case e.Shown >= l.Soft || e.Opened >= l.SoftOpened:
		return StopSoft
	}
	return StopNone
}

// Allows refuses to open another capture on a day that has reached the hard cap,
// and one that has reached the soft stop unless the person wants to go on.
func (l ExposureLimits) Allows(e Exposure, on bool) error {
	switch l.Reached(e) {
	case StopHard:
		return Refuse(Conflict, "exposure.hard_cap", "", "you have opened %d captures today, for %d minutes, and that is enough for one day: nothing more opens before %s. Hand the item over, park it or skip it, without a reason; a lead cannot lift this",
			e.Opened, int(e.Shown.Minutes()), ExposureDay(e.Day).AddDate(0, 0, 1).Format(time.RFC3339))
	case StopSoft:
		if !on {
			return Refuse(Conflict, "exposure.soft_stop", "go_on", "you have opened %d captures today, for %d minutes: pause, take an item without pictures, or say that you go on", e.Opened, int(e.Shown.Minutes()))
		}
	}
	return nil
}

// PersonShare is what one person saw in a span, by the warnings that stood.
type PersonShare struct {
	Person   PersonID
	Warnings []Warning
	Opened   int
	Shown    time.Duration
}

// TeamExposure is what a team saw in one week: the only numbers of it that
// somebody else reads.
type TeamExposure struct {
	From, Until time.Time // days, UTC; Until is not part of it
	Enough      bool      // at least ExposureTeam people have a share; else all else is zero
	People      int
	Opened      int
	Shown       time.Duration
	Warnings    map[Warning]int // each only where at least ExposureTeam people have a share in it
}

// PerPerson is what one of them saw on average.
func (t TeamExposure) PerPerson() time.Duration {
	if t.People == 0 {
		return 0
	}
	return t.Shown / time.Duration(t.People)
}

// TeamExposureOf adds up a week's shares without anybody's standing out: below
// ExposureTeam people there is no number at all.
func TeamExposureOf(from, until time.Time, shares []PersonShare) TeamExposure {
	t := TeamExposure{From: from, Until: until}
	people, by, n := map[PersonID]bool{}, map[Warning]map[PersonID]bool{}, map[Warning]int{}
	for _, s := range shares {
		people[s.Person] = true
		for _, w := range s.Warnings {
			if by[w] == nil {
				by[w] = map[PersonID]bool{}
			}
			by[w][s.Person] = true
			n[w] += s.Opened
		}
	}
	if t.Enough = len(people) >= ExposureTeam; !t.Enough {
		return t
	}
	t.People, t.Warnings = len(people), map[Warning]int{}
	for _, s := range shares {
		t.Opened, t.Shown = t.Opened+s.Opened, t.Shown+s.Shown
	}
	for w, who := range by {
		if len(who) >= ExposureTeam {
			t.Warnings[w] = n[w]
		}
	}
	return t
}

// ExposureWeeks are the last n whole weeks before the time, Monday to Sunday
// UTC, the newest first. The week that runs is never among them, so that nobody's
// day is watched as it goes.
func ExposureWeeks(now time.Time, n int) [][2]time.Time {
	day := ExposureDay(now)
	end := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	out := make([][2]time.Time, n)
	for i := range out {
		out[i] = [2]time.Time{end.AddDate(0, 0, -7*(i+1)), end.AddDate(0, 0, -7*i)}
	}
	return out
}

// JudgedBefore is an earlier assessment of the same content by the reader's own
// authority. It says nothing of the purpose, Art. 1(3), which is judged anew from
// page, account and text.
type JudgedBefore struct {
	Item     string // reference
	At       time.Time
	Type     ContentType
	Severity Severity
	Outlet   OutletID
	Status   ItemStatus // of that item now
	Bytes    bool       // by equal bytes of captures, not by the item's own digest
	Alike    bool       // it looks or reads alike, and is not the very same bytes
}

// MayRest reports whether an assessment of an item in the status still stands, so
// that another may be prepared from it.
func (j JudgedBefore) MayRest() bool {
	return j.Item != "" && j.Type != "" && !slices.Contains([]ItemStatus{ItemRejected, ItemWithdrawn, ItemStopped}, j.Status)
}
