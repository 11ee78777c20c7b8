package concert

import (
	"slices"
	"strings"
	"time"
)

// DeadlineState is where a deadline stands. The table deadlineMoves says what may
// happen next; docs/states.md draws it.
type DeadlineState string

// The states.
const (
	DeadlineRunning DeadlineState = "running"
	DeadlinePaused  DeadlineState = "paused"
	DeadlineMet     DeadlineState = "met"
	DeadlineMissed  DeadlineState = "missed" // it passed; what was due may come still (MetAt)
	DeadlineLapsed  DeadlineState = "lapsed" // a window that passed, as it may
	DeadlineVoid    DeadlineState = "void"   // what it was about is no more
)

// DeadlineStates lists them.
var DeadlineStates = []DeadlineState{DeadlineRunning, DeadlinePaused, DeadlineMet, DeadlineMissed, DeadlineLapsed, DeadlineVoid}

// DeadlineMove is what happens to a deadline.
type DeadlineMove string

// The moves.
const (
	MovePause   DeadlineMove = "pause"   // a ground of Annex III stands, one more or one less
	MoveResume  DeadlineMove = "resume"  // the last ground ceased
	MoveProlong DeadlineMove = "prolong" // it ends later
	MoveMeet    DeadlineMove = "meet"    // what was due was done in time, whenever we heard of it
	MoveFollow  DeadlineMove = "follow"  // what was due was done, too late
	MoveMiss    DeadlineMove = "miss"    // a duty's time is over
	MoveLapse   DeadlineMove = "lapse"   // a window's time is over
	MoveVoid    DeadlineMove = "void"
)

// DeadlineMoves lists them.
var DeadlineMoves = []DeadlineMove{MovePause, MoveResume, MoveProlong, MoveMeet, MoveFollow, MoveMiss, MoveLapse, MoveVoid}

// deadlineMoves is the state table. What it does not name is refused. A miss is not
// the last word: evidence that arrives late may show that it was met in time, or
// that a ground stood before the end.
var deadlineMoves = map[DeadlineState]map[DeadlineMove]DeadlineState{
	DeadlineRunning: {MovePause: DeadlinePaused, MoveProlong: DeadlineRunning, MoveMeet: DeadlineMet, MoveMiss: DeadlineMissed, MoveLapse: DeadlineLapsed, MoveVoid: DeadlineVoid},
	DeadlinePaused:  {MovePause: DeadlinePaused, MoveResume: DeadlineRunning, MoveMeet: DeadlineMet, MoveVoid: DeadlineVoid},
	DeadlineMissed:  {MovePause: DeadlinePaused, MoveMeet: DeadlineMet, MoveFollow: DeadlineMissed, MoveVoid: DeadlineVoid},
	DeadlineLapsed:  {MoveMeet: DeadlineMet, MoveFollow: DeadlineLapsed, MoveVoid: DeadlineVoid},
	DeadlineMet:     {},
	DeadlineVoid:    {},
}

// After is the state after the move; a move that the table does not name is a
// Conflict that says so.
func (s DeadlineState) After(m DeadlineMove) (DeadlineState, error) {
	if next, ok := deadlineMoves[s][m]; ok {
		return next, nil
	}
	return s, Refuse(Conflict, "deadline.move", "", "a deadline that is %s cannot %s: see docs/states.md", s, m)
}

// Why a duty was missed; what else stands in Deadline.Why is said there.
const (
	DeadlineSilent = "no_answer" // nothing was heard by its end
	DeadlineLate   = "late"      // what was due was done after its end
)

// Deadline is a legal clock of one order: a term with the evidence that started it.
//
// Its rules are pure and total. They compare moments as the deployment's clock and
// the documents give them, in UTC: that clock has no leap second, a smeared one is
// off by up to a second on such a day, and no tolerance is made up for it. A clock
// that is set back changes nothing that has happened: no rule undoes a state because
// now is earlier than it was.
type Deadline struct {
	Order     OrderID // "" where it is of none
	Term      TermKey
	State     DeadlineState
	StartedAt time.Time
	Evidence  string // of the start: a rung of the ladder and what proves it
	DueAt     time.Time
	PausedAt  time.Time // since when nothing has run; zero while it runs
	Why       string    // it is paused (the grounds, with a blank between), was missed or is void
	MetAt     time.Time
	Warned    int // alarms so far: at 30, 10 and 0 minutes
	Version   int64

	Least     bool   // what it holds back may come from DueAt on (Term.Least)
	Window    bool   // when it passes it lapses (Term.Window)
	Extension string // why it was prolonged; "" while it was not
}

// TermStart is the evidence of the moment that starts a term.
type TermStart struct {
	At       time.Time
	Evidence string    // what proves it
	Issued   time.Time // before which it cannot have been, as the issue of the order is; zero for none
	Until    time.Time // an end before the law's that was decided; zero for the whole term
}

// Begin starts a deadline of the term with the evidence. A receipt that claims to
// lie before the issue is refused: one of two clocks is wrong, and a person says
// which. Nobody corrects evidence by a guess.
func Begin(order OrderID, t Term, from TermStart, cal Calendar) (Deadline, error) {
	if err := t.Check(); err != nil {
		return Deadline{}, err
	}
	if err := from.check(); err != nil {
		return Deadline{}, err
	}
	d := Deadline{Order: order, Term: t.Key, State: DeadlineRunning, Least: t.Least, Window: t.Window}
	d = d.running(t, from, cal)
	if from.Until.IsZero() {
		return d, nil
	}
	if t.Least || !from.Until.After(from.At) || from.Until.After(d.DueAt) {
		return Deadline{}, Refuse(Invalid, "deadline.until", "until", "an end that is decided lies after the start and at the latest at %s: choose another, or leave it out for the whole term", stamp(d.DueAt))
	}
	d.DueAt = from.Until
	return d, nil
}

func (f TermStart) check() error {
	switch {
	case f.At.IsZero() || strings.TrimSpace(f.Evidence) == "":
		return Refuse(Invalid, "deadline.evidence", "evidence", "a legal clock starts with a moment and what proves it: name both, for example a signed receipt")
	case f.At.Before(f.Issued):
		return Refuse(Invalid, "deadline.before_issue", "at", "the evidence says %s, which is before the order was issued at %s: find out which clock was wrong, and give the right moment with what proves it", stamp(f.At), stamp(f.Issued))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(TimeFormat) }

// running is the deadline with its term from the beginning.
func (d Deadline) running(t Term, from TermStart, cal Calendar) Deadline {
	d.StartedAt, d.Evidence, d.Warned = from.At, from.Evidence, 0
	d.DueAt = t.ends(from.At, cal)
	return d
}

// Grounds are those that stop a paused deadline, in the order in which they arose.
func (d Deadline) Grounds() []ImpossibleReason {
	if d.State != DeadlinePaused {
		return nil
	}
	var out []ImpossibleReason
	for word := range strings.FieldsSeq(d.Why) {
		out = append(out, ImpossibleReason(word))
	}
	return out
}

// Paused stops the deadline for a ground that the term names and that stands since
// at (Annex III). A ground that stood before the end stops it though we hear of it
// later, and then there was no miss: Art. 3(7) and (8) ask that the addressee tell
// without undue delay, not within the hour. Further grounds add to it.
func (d Deadline) Paused(t Term, why ImpossibleReason, at time.Time) (Deadline, error) {
	next, err := d.State.After(MovePause)
	if err != nil {
		return d, err
	}
	if t.Key != d.Term || t.pause(why) < 0 {
		return d, Refuse(Invalid, "deadline.ground", "reasons", "%s does not stop the term %s: only what the law names does", why, d.Term)
	}
	if at.IsZero() {
		return d, errNoMoment()
	}
	grounds := d.Grounds()
	switch {
	case slices.Contains(grounds, why):
		return d, nil
	case d.State != DeadlinePaused && at.After(d.DueAt):
		return d, Refuse(Conflict, "deadline.ground_late", "at", "the time was over at %s, and the ground arose later, at %s: only a ground that stood before the end stops it", stamp(d.DueAt), stamp(at))
	case d.State != DeadlinePaused:
		d.PausedAt = at
		if at.Before(d.StartedAt) {
			d.PausedAt = d.StartedAt // a ground older than the order stops it from its start
		}
		// Alarms that were given since then were of an end that was none.
		d.Warned = min(d.Warned, len(slices.DeleteFunc(slices.Clone(DeadlineAlarms), func(before time.Duration) bool { return d.PausedAt.Before(d.DueAt.Add(-before)) })))
	}
	d.State, d.Why = next, joinGrounds(append(grounds, why))
	return d, nil
}

func errNoMoment() error {
	return Refuse(Invalid, "deadline.at", "at", "give the moment at which it was: a deadline compares nothing else")
}

func joinGrounds(grounds []ImpossibleReason) string {
	words := make([]string, len(grounds))
	for i, g := range grounds {
		words[i] = string(g)
	}
	return strings.Join(words, " ")
}

// Resumed ends a ground: it ceased (Art. 3(7)), or the clarification was received
// (Art. 3(8)), at from.At. With the last ground the term runs anew from then, or on
// where the term says so. A moment before the ground arose counts as the one at which
// it did, so that clocks that differ take no time from anybody.
func (d Deadline) Resumed(t Term, why ImpossibleReason, from TermStart, cal Calendar) (Deadline, error) {
	next, err := d.State.After(MoveResume)
	if err != nil {
		return d, err
	}
	if err := from.check(); err != nil {
		return d, err
	}
	if err := t.Check(); err != nil {
		return d, err
	}
	grounds := d.Grounds()
	i := slices.Index(grounds, why)
	if i < 0 || t.Key != d.Term || t.pause(why) < 0 {
		return d, Refuse(Conflict, "deadline.no_ground", "reasons", "%s does not stop this deadline: name one of %v", why, grounds)
	}
	if from.At.Before(d.PausedAt) {
		from.At = d.PausedAt
	}
	// What the pause lasted so far is added to the end: for a term that runs on it is
	// the end, for one that runs anew it is overwritten below.
	d.DueAt = d.DueAt.Add(from.At.Sub(d.PausedAt))
	if rest := slices.Delete(grounds, i, i+1); len(rest) > 0 {
		d.Why, d.PausedAt = joinGrounds(rest), from.At
		return d, nil
	}
	d.State, d.Why, d.PausedAt = next, "", time.Time{}
	if t.Pauses[t.pause(why)].Anew {
		d = d.running(t, from, cal)
	}
	if met := d.MetAt; !met.IsZero() { // it had been missed and met before the ground was told
		d.MetAt = time.Time{}
		return d.Met(met)
	}
	return d, nil
}

// Prolonged moves the end to until, by a decision at the time, for a reason. A term
// that may be prolonged by a length is prolonged once and at most by that length,
// which a zero until stands for (Art. 11(3)); one that may be prolonged further is so
// to a moment that is named, as often as its ground stands (Art. 6(2)). What has
// ended is not prolonged.
func (d Deadline) Prolonged(t Term, at, until time.Time, reason string, cal Calendar) (Deadline, error) {
	next, err := d.State.After(MoveProlong)
	if err != nil {
		return d, err
	}
	most := t.Longer.Ends(d.DueAt, cal, t.Working)
	if until.IsZero() && !t.Further {
		until = most
	}
	switch {
	case t.Key != d.Term || !t.Further && t.Longer == Span{}:
		return d, Refuse(Invalid, "deadline.no_longer", "", "the law does not let the term %s be prolonged: it ends at %s", d.Term, stamp(d.DueAt))
	case !t.Further && d.Extension != "":
		return d, Refuse(Conflict, "deadline.prolonged", "", "the term %s was prolonged already, which the law allows once: it ends at %s", d.Term, stamp(d.DueAt))
	case at.IsZero():
		return d, errNoMoment()
	case at.After(d.DueAt):
		return d, Refuse(Conflict, "deadline.over", "", "it ended at %s: what has ended is not prolonged, a new decision begins a new term", stamp(d.DueAt))
	case !between(reason, 10, 4000):
		return d, Refuse(Invalid, "deadline.reason", "reason", "say in 10 to 4000 characters why it is prolonged")
	case !until.After(d.DueAt):
		return d, Refuse(Invalid, "deadline.longer", "until", "name an end after %s: it is prolonged, not shortened", stamp(d.DueAt))
	case !t.Further && until.After(most):
		return d, Refuse(Invalid, "deadline.longest", "until", "it is prolonged to %s at most: choose an earlier end", stamp(most))
	}
	d.State, d.DueAt, d.Extension, d.Warned = next, until, reason, 0
	return d, nil
}

// Met records that what was due was done at the moment, once. What was done in time
// meets it though we hear of it after the end; what was done too late leaves it missed
// or lapsed, with the moment. What a notice or a preservation holds back is refused
// before its time (Art. 3(2), G10; Art. 6(2), G22).
func (d Deadline) Met(at time.Time) (Deadline, error) {
	switch {
	case at.IsZero():
		return d, errNoMoment()
	case !d.MetAt.IsZero():
		return d, Refuse(Conflict, "deadline.met", "", "what was due was done at %s already: it is recorded once", stamp(d.MetAt))
	case d.Least && d.State == DeadlineRunning && at.Before(d.DueAt):
		return d, Refuse(Conflict, "deadline.too_early", "", "the term %s runs to %s: what it holds back waits until then", d.Term, stamp(d.DueAt))
	}
	fallen, _ := d.Fell(at) // as it is, where it did not
	move, why := MoveMeet, ""
	if d.State != DeadlinePaused && !d.Least && at.After(d.DueAt) {
		move, why = MoveFollow, DeadlineLate
	}
	next, err := fallen.State.After(move)
	if err != nil {
		return d, err
	}
	d.State, d.MetAt, d.Why, d.PausedAt = next, at, why, time.Time{}
	return d, nil
}

// Fell is the deadline at the time if it ran out by then: missed, where it was a
// duty, or lapsed, where it was a window; else as it was, and false. The last moment
// is in time. A node that was down finds the same as one that was up. What must last
// at least so long is never missed.
func (d Deadline) Fell(now time.Time) (Deadline, bool) {
	move, why := MoveMiss, DeadlineSilent
	if d.Window {
		move, why = MoveLapse, ""
	}
	next, err := d.State.After(move)
	if err != nil || d.Least || !now.After(d.DueAt) {
		return d, false
	}
	d.State, d.Why = next, why
	return d, true
}

// Voided ends the deadline because what it was about is no more: the order was
// withdrawn, lost its effect under Art. 4, or needs no notice in an emergency. Why is
// kept.
func (d Deadline) Voided(why string) (Deadline, error) {
	next, err := d.State.After(MoveVoid)
	if err != nil {
		return d, err
	}
	if strings.TrimSpace(why) == "" {
		return d, Refuse(Invalid, "deadline.void", "reason", "say why the deadline falls away: name the decision or the emergency")
	}
	d.State, d.Why, d.PausedAt = next, why, time.Time{}
	return d, nil
}

// Left is how long it runs yet, never more than the whole: zero while it is paused,
// since nobody knows, and after its end.
func (d Deadline) Left(now time.Time) time.Duration {
	if d.State != DeadlineRunning {
		return 0
	}
	return max(0, min(d.DueAt.Sub(now), d.DueAt.Sub(d.StartedAt)))
}

// DeadlineAlarms are how long before the end people are warned.
var DeadlineAlarms = []time.Duration{30 * time.Minute, 10 * time.Minute, 0}

// Alarms are the alarms that are due and were not given (Warned), and when the next
// will be, zero for none. A node that was down gives each once and at once, also
// after the end; a clock that is set back gives none twice.
func (d Deadline) Alarms(now time.Time) (due []time.Duration, next time.Time) {
	over := (d.State == DeadlineMissed || d.State == DeadlineLapsed) && d.MetAt.IsZero()
	if d.Least || d.State != DeadlineRunning && !over {
		return nil, time.Time{}
	}
	for _, before := range DeadlineAlarms[min(max(d.Warned, 0), len(DeadlineAlarms)):] {
		at := d.DueAt.Add(-before)
		if now.Before(at) && !over {
			return due, at
		}
		due = append(due, before)
	}
	return due, time.Time{}
}

// NextLook is when the deadline is next to be looked at: for an alarm, for its end, or,
// of what must last, when it is over; zero for never.
func (d Deadline) NextLook(now time.Time) time.Time {
	if d.State != DeadlineRunning {
		return time.Time{}
	}
	_, next := d.Alarms(now)
	switch {
	case d.Least && now.Before(d.DueAt):
		return d.DueAt
	case d.Least:
		return time.Time{}
	case next.IsZero():
		return d.DueAt.Add(time.Microsecond) // the last moment is in time
	}
	return next
}

// Alarmed is the deadline with the alarms given that are due at the time.
func (d Deadline) Alarmed(now time.Time) (Deadline, []time.Duration) {
	due, _ := d.Alarms(now)
	d.Warned = min(max(d.Warned, 0)+len(due), len(DeadlineAlarms))
	return d, due
}
