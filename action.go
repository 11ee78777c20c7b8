package concert

import (
	"slices"
	"time"
)

// Phase is where a joint action stands.
type Phase string

// The phases, in order.
const (
	PhasePrepare    Phase = "prepare"
	PhaseCollect    Phase = "collect"
	PhaseDeconflict Phase = "deconflict"
	PhaseRefer      Phase = "refer"
	PhaseFollowUp   Phase = "follow_up"
	PhaseClose      Phase = "close"
)

// Phases lists them.
var Phases = []Phase{PhasePrepare, PhaseCollect, PhaseDeconflict, PhaseRefer, PhaseFollowUp, PhaseClose}

// Part is what a participant does in an action.
type Part string

// The parts.
const (
	PartLead       Part = "lead"
	PartCoordinate Part = "coordinate"
	PartSupport    Part = "support"
	PartJudicial   Part = "judicial"
)

// Parts lists them.
var Parts = []Part{PartLead, PartCoordinate, PartSupport, PartJudicial}

// Action is a joint action: many authorities, several days, one board.
type Action struct {
	ID        ActionID
	Ref       string
	Name      string
	Phase     Phase
	Lead      AuthorityID // lead judicial authority
	Mandate   string      // under which it acts
	StartsAt  time.Time
	EndsAt    time.Time
	Target    int // items to be referred, 0 where none is set
	Exercise  bool
	CreatedBy PersonID
	CreatedAt time.Time
	Version   int64
	Batched   bool // approved items wait for a release in consignments (Consignment)
}

// Participant is one authority's part in an action.
type Participant struct {
	Action    ActionID
	Authority AuthorityID
	Part      Part
}

// Opened checks a new action: a coordinator opens it, a lead judicial
// authority and a mandate carry it.
func (a Action) Opened(by Actor, now time.Time) (Action, Event, error) {
	if err := by.Need(RoleCoordinator); err != nil {
		return a, Event{}, err
	}
	switch {
	case len(a.Name) < 3:
		return a, Event{}, Refuse(Invalid, "action.name", "name", "a joint action needs a name")
	case a.Lead == "":
		return a, Event{}, Refuse(Invalid, "action.lead", "lead", "a joint action needs its lead judicial authority")
	case len(a.Mandate) < 5:
		return a, Event{}, Refuse(Invalid, "action.mandate", "mandate", "a joint action needs the mandate it acts under")
	case !a.EndsAt.After(a.StartsAt):
		return a, Event{}, Refuse(Invalid, "action.dates", "ends_at", "a joint action ends after it starts: correct one of the two")
	}
	a.Phase, a.CreatedBy, a.CreatedAt = PhasePrepare, by.Person, now
	return a, NewEvent(EventActionOpened, by, string(a.ID), now, RegisterBody{Ref: a.Ref, Authority: a.Lead, Phase: a.Phase, Exercise: a.Exercise}), nil
}

// Joined gives an authority its part.
func (a Action) Joined(by Actor, who AuthorityID, part Part, now time.Time) (Participant, Event, error) {
	if err := by.Need(RoleCoordinator); err != nil {
		return Participant{}, Event{}, err
	}
	if !slices.Contains(Parts, part) {
		return Participant{}, Event{}, Refuse(Invalid, "action.part", "part", "%q is no part in an action; the parts are %v", part, Parts)
	}
	return Participant{Action: a.ID, Authority: who, Part: part}, NewEvent(EventActionJoined, by, string(a.ID), now, RegisterBody{Ref: a.Ref, Authority: who, Part: part}), nil
}

// Phased moves the action to another phase: one step on, or back to any
// earlier one; a closed action stays closed.
func (a Action) Phased(by Actor, to Phase, now time.Time) (Action, Event, error) {
	if err := by.Need(RoleCoordinator); err != nil {
		return a, Event{}, err
	}
	from, next := slices.Index(Phases, a.Phase), slices.Index(Phases, to)
	switch {
	case next < 0:
		return a, Event{}, Refuse(Invalid, "action.phase", "phase", "%q is no phase; the phases are %v", to, Phases)
	case a.Phase == PhaseClose:
		return a, Event{}, Refuse(Conflict, "action.closed", "phase", "action %s is closed; open a new one and link it", a.Ref)
	case next > from+1:
		return a, Event{}, Refuse(Conflict, "action.phase_skip", "phase", "the phase after %s is %s, not %s", a.Phase, Phases[from+1], to)
	case next == from:
		return a, Event{}, Refuse(Conflict, "action.phase_same", "phase", "action %s is in phase %s already", a.Ref, to)
	}
	a.Phase = to
	return a, NewEvent(EventActionPhase, by, string(a.ID), now, RegisterBody{Ref: a.Ref, Phase: to}), nil
}

// running refuses to steer an action that is over.
func (a Action) running(by Actor) error {
	if err := by.Need(RoleCoordinator); err != nil {
		return err
	}
	if a.Phase == PhaseClose {
		return Refuse(Conflict, "action.closed", "phase", "action %s is closed; open a new one and link it", a.Ref)
	}
	return nil
}

// ActionBody is the body of events that steer a joint action: codes, references
// and counts. Free text is sealed beside it.
type ActionBody struct {
	Action    ActionID      `json:"action"`
	Ref       string        `json:"ref,omitempty"` // of the consignment, bulletin or allotment
	Kind      string        `json:"kind,omitempty"`
	Authority AuthorityID   `json:"authority,omitempty"`
	To        AuthorityID   `json:"to,omitempty"`
	Person    PersonID      `json:"person,omitempty"`
	Provider  ProviderID    `json:"provider,omitempty"`
	PerHour   int           `json:"per_hour,omitempty"`
	Quiet     bool          `json:"quiet,omitempty"`
	Batched   bool          `json:"batched,omitempty"`
	Items     int           `json:"items,omitempty"`
	Refused   int           `json:"refused,omitempty"`
	Answer    AllotmentWord `json:"answer,omitempty"`
}

// actionReason is the least that tells the others something, in bytes.
const actionReason = 10

// Batching sets whether approved items wait for a release in consignments. Off is
// the rule: then they go in their provider's hours as soon as they are approved.
func (a Action) Batching(by Actor, on bool, now time.Time) (Action, Event, error) {
	if err := a.running(by); err != nil {
		return a, Event{}, err
	}
	if a.Batched == on {
		return a, Event{}, Refuse(Conflict, "action.batching_same", "batched", "releases of action %s are set so already", a.Ref)
	}
	a.Batched = on
	return a, NewEvent(EventActionBatching, by, string(a.ID), now, ActionBody{Action: a.ID, Batched: on}), nil
}

// The kinds of event of running an action.
const (
	EventActionFrozen         EventKind = "action.frozen"
	EventThawAsked            EventKind = "action.thaw_asked"
	EventActionThawed         EventKind = "action.thawed"
	EventActionThrottled      EventKind = "action.throttled"
	EventActionBatching       EventKind = "action.batching" // releases go in batches from now on, or no more
	EventActionReported       EventKind = "action.reported" // somebody said "here"
	EventConsignmentPrepared  EventKind = "consignment.prepared"
	EventConsignmentConfirmed EventKind = "consignment.confirmed"
	EventConsignmentRecalled  EventKind = "consignment.recalled"
	EventConsignmentLeft      EventKind = "consignment.left"
	EventBulletinPosted       EventKind = "bulletin.posted"
	EventBulletinTakenDown    EventKind = "bulletin.taken_down"
	EventCommandTaken         EventKind = "command.taken" // the shift's new coordinator took over
	EventAllotmentProposed    EventKind = "allotment.proposed"
	EventAllotmentAnswered    EventKind = "allotment.answered"
)
