package concert

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// PatternNoteID names a PatternNote.
type PatternNoteID string

// PatternItem is what a note is made from: one referred item, with nothing that
// names a place or a person.
type PatternItem struct {
	Type       ItemType
	Kind       string // of place
	Outlet     string // its name
	Language   string
	Claimed    AnswerCode
	Observed   Observed
	SeenDown   bool
	Content    [32]byte // keyed digest of the captured bytes; zero where there are none
	FoundAt    time.Time
	ReferredAt time.Time
}

// Counted is one value and how often it stands.
type Counted struct {
	Value string `json:"value"`
	N     int    `json:"n"`
}

// Patterns is a note on the patterns of abuse that an action found at one
// provider: counts only.
type Patterns struct {
	Items     int       `json:"items"`
	Types     []Counted `json:"types"`
	Kinds     []Counted `json:"kinds"`
	Outlets   []Counted `json:"outlets"`
	Languages []Counted `json:"languages"`
	Hours     [24]int   `json:"hours"` // of finding, UTC
	Answers   []Counted `json:"answers"`

	Captured int `json:"captured"` // items whose bytes were captured: copies can be told among these only
	Works    int `json:"works"`    // distinct works among them
	Repeated int `json:"repeated"` // works that lay at more than one place
	Copies   int `json:"copies"`   // items beyond the first of each work
	MostAt   int `json:"most_at"`  // places of the work that lay at most

	Returned  int `json:"returned"`  // items seen down and up again
	Reuploads int `json:"reuploads"` // items of a work found after another item of it had been seen down or claimed removed
}

// PatternsOf makes the note's counts.
func PatternsOf(items []PatternItem) Patterns {
	p := Patterns{Items: len(items)}
	types, kinds, outlets, languages, answers := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	works := map[[32]byte][]PatternItem{}
	for _, it := range items {
		types[orNone(string(it.Type))]++
		kinds[orNone(it.Kind)]++
		outlets[orNone(it.Outlet)]++
		languages[orNone(it.Language)]++
		answers[orNone(string(it.Claimed))]++
		p.Hours[it.FoundAt.UTC().Hour()]++
		if it.SeenDown && it.Observed == ObservedUp {
			p.Returned++
		}
		if it.Content != [32]byte{} {
			p.Captured++
			works[it.Content] = append(works[it.Content], it)
		}
	}
	p.Works = len(works)
	for _, copies := range works {
		p.MostAt = max(p.MostAt, len(copies))
		if len(copies) < 2 {
			continue
		}
		p.Repeated++
		p.Copies += len(copies) - 1
		slices.SortFunc(copies, func(a, b PatternItem) int { return a.FoundAt.Compare(b.FoundAt) })
		gone := false
		for _, c := range copies {
			if gone {
				p.Reuploads++
			}
			gone = gone || c.SeenDown || c.Claimed.Effect()
		}
	}
	p.Types, p.Kinds, p.Outlets, p.Languages, p.Answers = ranked(types), ranked(kinds), ranked(outlets), ranked(languages), ranked(answers)
	return p
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// ranked is a count, largest first.
func ranked(m map[string]int) []Counted {
	out := make([]Counted, 0, len(m))
	for _, v := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Counted{v, m[v]})
	}
	slices.SortStableFunc(out, func(a, b Counted) int { return b.N - a.N })
	return out
}

// Busiest names the hour of finding with the most items, as "14" UTC; "" without
// items.
func (p Patterns) Busiest() string {
	if p.Items == 0 {
		return ""
	}
	most := 0
	for h, n := range p.Hours {
		if n > p.Hours[most] {
			most = h
		}
	}
	return strconv.Itoa(most)
}

// PatternNote is a provider's note of one action. A machine drafts it; a
// coordinator reviews it and one other person releases it, and only then does its
// provider see it.
type PatternNote struct {
	ID         PatternNoteID
	Ref        string
	Action     ActionID
	Provider   ProviderID
	Patterns   Patterns
	DraftedAt  time.Time
	ReviewedBy PersonID
	ReviewedAt time.Time
	ReleasedBy PersonID
	ReleasedAt time.Time
	Version    int64
}

// PatternsBody is the body of events on a note.
type PatternsBody struct {
	Ref      string     `json:"ref"`
	Action   ActionID   `json:"action"`
	Provider ProviderID `json:"provider"`
	Items    int        `json:"items"`
}

func (n PatternNote) event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, string(n.ID), now, PatternsBody{Ref: n.Ref, Action: n.Action, Provider: n.Provider, Items: n.Patterns.Items})
}

// Drafted is a new note of a closed action.
func (n PatternNote) Drafted(a Action, now time.Time) (PatternNote, Event, error) {
	if a.Phase != PhaseClose {
		return n, Event{}, Refuse(Conflict, "patterns.open", "", "action %s is not closed yet: its notes are drafted at its end", a.Ref)
	}
	n.Action, n.DraftedAt, n.Version = a.ID, now, 1
	return n, n.event(EventPatternsDrafted, House, now), nil
}

// Reviewed is a coordinator's word that the note may go out.
func (n PatternNote) Reviewed(by Actor, now time.Time) (PatternNote, Event, error) {
	if err := by.needAuthority(RoleCoordinator); err != nil {
		return n, Event{}, err
	}
	if !n.ReviewedAt.IsZero() {
		return n, Event{}, Refuse(Conflict, "patterns.reviewed", "", "note %s was reviewed already: a second person releases it", n.Ref)
	}
	n.ReviewedBy, n.ReviewedAt = by.Person, now
	return n, n.event(EventPatternsReviewed, by, now), nil
}

// Released sends the note, as one other person: a coordinator or a reviewer of
// any participant.
func (n PatternNote) Released(by Actor, now time.Time) (PatternNote, Event, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return n, Event{}, err
	}
	switch {
	case n.ReviewedAt.IsZero():
		return n, Event{}, Refuse(Conflict, "patterns.unreviewed", "", "a coordinator reviews note %s first: ask one", n.Ref)
	case !n.ReleasedAt.IsZero():
		return n, Event{}, Refuse(Conflict, "patterns.released", "", "note %s was released already", n.Ref)
	case n.ReviewedBy == by.Person:
		return n, Event{}, Refuse(Forbidden, "patterns.same_person", "", "you reviewed this note yourself: one other person releases it")
	}
	n.ReleasedBy, n.ReleasedAt = by.Person, now
	return n, n.event(EventPatternsReleased, by, now), nil
}
