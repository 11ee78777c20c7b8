package concert

import (
	"slices"
	"time"
)

const (
	// OnlineFor is how long after its last sign of life somebody counts as online.
	OnlineFor = 10 * time.Minute
	// ReportEvery is how often every unit reports while no roll call asks sooner.
	ReportEvery = time.Hour
)

// Presence is a person's sign of life within an action, in wall time: people do
// not live faster in an exercise.
type Presence struct {
	Action     ActionID
	Person     PersonID
	Authority  AuthorityID
	SeenAt     time.Time // had a page of the action open
	ReportedAt time.Time // pressed "here"; zero for never
}

// Reported is that a participant's person says "here" (PAR: personnel
// accountability report).
func (a Action) Reported(by Actor, takesPart []Participant, now time.Time) (Event, error) {
	if by.Authority == "" || !slices.ContainsFunc(takesPart, func(p Participant) bool { return p.Authority == by.Authority }) {
		return Event{}, Refuse(Forbidden, "presence.no_part", "", "your authority takes no part in action %s: ask its coordinator", a.Ref)
	}
	return NewEvent(EventActionReported, by, string(a.ID), now, ActionBody{Action: a.ID, Authority: by.Authority}), nil
}

// Muster is one unit at the roll call.
type Muster struct {
	Authority AuthorityID
	Online    int       // its people with a sign of life within OnlineFor
	Last      time.Time // anybody's last report; zero for never
	Missing   bool      // nobody has reported since the roll call, or within ReportEvery
}

// Mustered is every participating unit at the roll call of that time (zero for
// none), the missing first, then by the age of the last report.
func Mustered(takesPart []Participant, signs []Presence, call, now time.Time) []Muster {
	since := now.Add(-ReportEvery)
	if call.After(since) {
		since = call
	}
	at := map[AuthorityID]int{}
	var out []Muster
	for _, p := range takesPart {
		if _, ok := at[p.Authority]; !ok {
			at[p.Authority] = len(out)
			out = append(out, Muster{Authority: p.Authority})
		}
	}
	for _, s := range signs {
		i, ok := at[s.Authority]
		if !ok {
			continue
		}
		last := s.SeenAt
		if s.ReportedAt.After(last) {
			last = s.ReportedAt
		}
		if now.Sub(last) <= OnlineFor {
			out[i].Online++
		}
		if s.ReportedAt.After(out[i].Last) {
			out[i].Last = s.ReportedAt
		}
	}
	for i := range out {
		out[i].Missing = out[i].Last.Before(since)
	}
	slices.SortStableFunc(out, func(a, b Muster) int {
		switch {
		case a.Missing != b.Missing && a.Missing:
			return -1
		case a.Missing != b.Missing:
			return 1
		}
		return a.Last.Compare(b.Last)
	})
	return out
}
