package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

const (
	// timelineMost bounds the timeline's entries.
	timelineMost = 60
	// paceSpan is over what time the pace of work is told, in case time.
	paceSpan = time.Hour
)

// UnitPool is what lies on one unit's desk within an action, in numbers.
type UnitPool struct {
	Authority  concert.AuthorityID
	Unassigned concert.Wait // without an assessment
	Approval   concert.Wait // wait for an approval
	Analysts   int          // who assessed in the last hour
	LastHour   int          // assessments made in it
}

// AnalystPace is the work of one analyst of the reader's own authority in the
// last hour.
type AnalystPace struct {
	Operator string
	N        int
	Last     time.Time
}

// HoldHit are items of one unit that another authority's hold keeps back: how
// many, since when, and when the hold's term ends.
type HoldHit struct {
	Authority    concert.AuthorityID
	N            int
	Since, Until time.Time
}

// Moment is one entry of an action's timeline.
type Moment struct {
	At     time.Time
	Kind   concert.EventKind
	Ref    string // of a consignment, bulletin or allotment
	By     concert.PersonID
	Detail string // a code: the phase, the part, the kind
	Text   string // of an annotation, order or hand-over
}

// Command is what a coordinator runs an action from. It holds numbers, and no
// place and no content of an item.
type Command struct {
	Board
	WallFigures
	InCommand    concert.PersonID
	Units        []UnitPool
	Own          []AnalystPace
	Throttles    map[concert.ProviderID]concert.Throttle
	Hits         []HoldHit
	Freeze       concert.Freeze // zero where none stands
	Consignments []concert.Consignment
	Bulletins    []concert.Bulletin
	Allotments   []concert.Allotment
	Timeline     []Moment
	Operators    map[concert.PersonID]string
}

// ReadCommand is the coordinator's screen of an action; auditors may read it.
func (s *Service) ReadCommand(ctx context.Context, scope concert.Scope, ref string) (Command, error) {
	var c Command
	by := scope.Actor()
	if err := scope.Check(); err != nil {
		return c, err
	}
	if err := by.Need(concert.RoleCoordinator, concert.RoleAuditor); err != nil {
		return c, err
	}
	var err error
	if c.Board, err = s.ReadBoard(ctx, scope, ref); err != nil {
		return c, err
	}
	// What somebody has just done shows at once.
	s.forgetWall(c.Action.ID)
	if c.WallFigures, err = s.WallFigures(ctx, c.Board); err != nil {
		return c, err
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error { return s.readCommand(ctx, tx, by, &c) })
	return c, err
}

func (s *Service) readCommand(ctx context.Context, tx *store.Tx, by concert.Actor, c *Command) error {
	a := c.Action
	var err error
	if c.Throttles, err = tx.Throttles(ctx, a.ID); err != nil {
		return err
	}
	if c.Freeze, err = tx.Freeze(ctx, a.ID); err != nil && err != concert.ErrNotFound {
		return err
	}
	if c.Consignments, err = tx.Consignments(ctx, a.ID, 50); err != nil {
		return err
	}
	if c.Bulletins, err = tx.Bulletins(ctx, a.ID, bulletinsMost); err != nil {
		return err
	}
	if c.Allotments, err = tx.Allotments(ctx, a.ID, 50); err != nil {
		return err
	}
	hits, err := tx.HitsIn(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, h := range hits {
		c.Hits = append(c.Hits, HoldHit{h.Unit, h.N, h.Since, h.Until})
	}
	c.InCommand = a.CreatedBy
	for _, b := range slices.Backward(c.Bulletins) {
		if b.Kind == concert.BulletinHandOver && !b.EndedAt.IsZero() {
			c.InCommand = b.To
		}
	}
	if err := s.readTimeline(ctx, tx, c); err != nil {
		return err
	}
	return s.readPace(ctx, tx, by, c)
}

// readPace fills in the units' desks and, for the reader's own unit, who does
// how much: other units' people are theirs to lead.
func (s *Service) readPace(ctx context.Context, tx *store.Tx, by concert.Actor, c *Command) error {
	at := map[concert.AuthorityID]int{}
	unit := func(id concert.AuthorityID) *UnitPool {
		if _, ok := at[id]; !ok {
			at[id] = len(c.Units)
			c.Units = append(c.Units, UnitPool{Authority: id})
		}
		return &c.Units[at[id]]
	}
	for _, p := range c.Participants {
		unit(p.Authority)
	}
	for _, w := range c.Pools {
		switch u := unit(w.Unit); w.Status {
		case concert.ItemOpen:
			u.Unassigned = addWait(u.Unassigned, w.N, w.Since)
		case concert.ItemAssessed:
			u.Approval = addWait(u.Approval, w.N, w.Since)
		}
	}
	people := map[concert.PersonID]bool{c.InCommand: true, c.Freeze.By: true, c.Freeze.ThawBy: true}
	since := s.now().Add(-paceSpan)
	pace, err := tx.PaceIn(ctx, c.Action.ID, since, s.wallTime(since))
	if err != nil {
		return err
	}
	for _, p := range pace {
		u := unit(p.Unit)
		u.Analysts++
		u.LastHour += p.N
		people[p.Person] = people[p.Person] || p.Unit == by.Authority
	}
	for _, b := range c.Consignments {
		people[b.PreparedBy], people[b.ConfirmedBy], people[b.RecalledBy] = true, true, true
	}
	for _, b := range c.Bulletins {
		people[b.By], people[b.To] = true, true
	}
	for _, m := range c.Timeline {
		people[m.By] = true
	}
	var ids []concert.PersonID
	for id, is := range people {
		if is && id != "" {
			ids = append(ids, id)
		}
	}
	if c.Operators, err = tx.Operators(ctx, ids); err != nil {
		return err
	}
	for _, p := range pace {
		if p.Unit == by.Authority {
			c.Own = append(c.Own, AnalystPace{c.Operators[p.Person], p.N, p.Last})
		}
	}
	return nil
}

func (s *Service) readTimeline(ctx context.Context, tx *store.Tx, c *Command) error {
	steps, err := tx.Steps(ctx, string(c.Action.ID), timelineMost)
	if err != nil {
		return err
	}
	add := func(at time.Time, kind concert.EventKind, by concert.PersonID, ref, detail, text string) {
		if !at.IsZero() {
			c.Timeline = append(c.Timeline, Moment{at, kind, ref, by, detail, text})
		}
	}
	for _, e := range steps {
		add(e.At, e.Kind, e.By, "", e.Detail, "")
	}
	freezes, err := tx.Freezes(ctx, c.Action.ID, timelineMost)
	if err != nil {
		return err
	}
	for _, f := range freezes {
		add(f.At, concert.EventActionFrozen, f.By, "", "", f.Reason)
		add(f.ThawAt, concert.EventThawAsked, f.ThawBy, "", "", f.Grounds)
		add(f.ThawedAt, concert.EventActionThawed, f.ThawedBy, "", "", "")
	}
	for _, b := range c.Consignments {
		add(b.PreparedAt, concert.EventConsignmentPrepared, b.PreparedBy, b.Ref, "", "")
		add(b.ConfirmedAt, concert.EventConsignmentConfirmed, b.ConfirmedBy, b.Ref, "", "")
		if b.State == concert.ConsignmentRecalled {
			add(b.EndedAt, concert.EventConsignmentRecalled, b.RecalledBy, b.Ref, "", "")
		} else {
			add(b.EndedAt, concert.EventConsignmentLeft, concert.House.Person, b.Ref, "", "")
		}
	}
	for _, b := range c.Bulletins {
		add(b.At, concert.EventBulletinPosted, b.By, b.Ref, string(b.Kind), b.Text)
		kind := concert.EventBulletinTakenDown
		if b.Kind == concert.BulletinHandOver {
			kind = concert.EventCommandTaken
		}
		add(b.EndedAt, kind, b.EndedBy, b.Ref, string(b.Kind), "")
	}
	for _, l := range c.Allotments {
		add(l.At, concert.EventAllotmentProposed, l.By, l.Ref, string(l.Kind), "")
		add(l.AnsweredAt, concert.EventAllotmentAnswered, l.AnsweredBy, l.Ref, string(l.Answer), "")
	}
	for _, t := range c.Throttles {
		add(t.At, concert.EventActionThrottled, t.By, "", string(t.Provider), t.Reason)
	}
	slices.SortStableFunc(c.Timeline, func(a, b Moment) int { return b.At.Compare(a.At) })
	c.Timeline = c.Timeline[:min(len(c.Timeline), timelineMost)]
	return nil
}

// OwnPart is what of an action concerns the reader: a participant's person, or
// one who may be somebody's second.
type OwnPart struct {
	Takes        bool // the reader's authority takes part
	Reported     time.Time
	Called       bool                  // a roll call, or the hour, waits for the reader's unit
	Allotments   []concert.Allotment   // to the reader's unit, that wait for its answer
	Consignments []concert.Consignment // that the reader may confirm or recall
	Thaw         concert.Freeze        // whose end the reader may confirm; zero for none
}

// ReadOwnPart is that of an action; it is empty for whoever has none.
func (s *Service) ReadOwnPart(ctx context.Context, scope concert.Scope, b Board) (OwnPart, error) {
	var o OwnPart
	by := scope.Actor()
	if by.Authority == "" {
		return o, nil
	}
	o.Takes = slices.ContainsFunc(b.Participants, func(p concert.Participant) bool { return p.Authority == by.Authority })
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		if o.Takes {
			if err := s.ownUnit(ctx, tx, by, b, &o); err != nil {
				return err
			}
		}
		if by.Need(concert.RoleCoordinator, concert.RoleReviewer) != nil || maySecond(ctx, tx, by, b.Action.ID) != nil {
			return nil
		}
		all, err := tx.Consignments(ctx, b.Action.ID, 50)
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.State == concert.ConsignmentPrepared && x.PreparedBy != by.Person || x.State == concert.ConsignmentConfirmed {
				o.Consignments = append(o.Consignments, x)
			}
		}
		f, err := tx.Freeze(ctx, b.Action.ID)
		if err == nil && f.ThawBy != "" && f.ThawBy != by.Person {
			o.Thaw = f
		}
		if err == concert.ErrNotFound {
			err = nil
		}
		return err
	})
	return o, err
}

func (s *Service) ownUnit(ctx context.Context, tx *store.Tx, by concert.Actor, b Board, o *OwnPart) error {
	said, err := tx.Bulletins(ctx, b.Action.ID, bulletinsMost)
	if err != nil {
		return err
	}
	ms, err := s.muster(ctx, tx, b.Action.ID, b.Participants, said)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.Authority == by.Authority {
			o.Called, o.Reported = m.Missing, m.Last
		}
	}
	all, err := tx.Allotments(ctx, b.Action.ID, 50)
	if err != nil || by.Need(concert.RoleOfficer, concert.RoleReviewer) != nil {
		return err
	}
	for _, l := range all {
		if l.From == by.Authority && l.Answer == "" {
			o.Allotments = append(o.Allotments, l)
		}
	}
	return nil
}
