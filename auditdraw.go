package concert

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// AuditOutcome is what became of what an authority acted upon.
type AuditOutcome string

// The outcomes. An item is removed where its provider says that the content is gone or
// limited, or where it was seen down; an order, where it was executed.
const (
	OutcomeRemoved AuditOutcome = "removed"
	OutcomeKept    AuditOutcome = "kept"    // refused, impossible, or another final answer
	OutcomeWaiting AuditOutcome = "waiting" // no final answer yet
)

// AuditOutcomes lists them.
var AuditOutcomes = []AuditOutcome{OutcomeRemoved, OutcomeKept, OutcomeWaiting}

// DrawBy is what the strata of a draw are made by.
type DrawBy string

// The strata.
const (
	DrawByNothing   DrawBy = ""
	DrawByAbout     DrawBy = "about" // referral or order
	DrawByAuthority DrawBy = "authority"
	DrawByProvider  DrawBy = "provider"
	DrawByContent   DrawBy = "content_type"
	DrawByOutcome   DrawBy = "outcome"
	DrawByMonth     DrawBy = "month" // in which it was acted upon
)

// DrawsBy lists them.
var DrawsBy = []DrawBy{DrawByNothing, DrawByAbout, DrawByAuthority, DrawByProvider, DrawByContent, DrawByOutcome, DrawByMonth}

const (
	// DrawMost bounds how many units one draw takes.
	DrawMost = 2000
	// DrawFineMost and DrawFineLeast bound the wanted margin, in thousandths.
	DrawFineLeast, DrawFineMost = 5, 500
	// drawLeast is how many a stratum gives at least, where it has them.
	drawLeast = 2
)

// DrawFrame says of what is drawn: of everything that authorities acted upon, as far
// as the filters take it. An empty one takes all. The unit is the item of a referral,
// or the order.
type DrawFrame struct {
	About     AboutKind    `json:"about,omitempty"`
	Authority AuthorityID  `json:"authority,omitempty"`
	Provider  ProviderID   `json:"provider,omitempty"`
	Content   ContentType  `json:"content_type,omitempty"`
	Outcome   AuditOutcome `json:"outcome,omitempty"`
	From      string       `json:"from,omitempty"` // first month of the act, 2026-01
	Until     string       `json:"until,omitempty"`
}

// Check refuses a frame that names what there is not.
func (f DrawFrame) Check() error {
	switch {
	case f.About != "" && f.About != AboutReferral && f.About != AboutOrder:
		return Refuse(Invalid, "draw.about", "about", "%q is drawn from nowhere: %q or %q", f.About, AboutReferral, AboutOrder)
	case f.Content != "" && !slices.Contains(ContentTypes, f.Content):
		return Refuse(Invalid, "draw.content", "content_type", "%q is no type of Art. 2(7): %v", f.Content, ContentTypes)
	case f.Outcome != "" && !slices.Contains(AuditOutcomes, f.Outcome):
		return Refuse(Invalid, "draw.outcome", "outcome", "%q is no outcome: %v", f.Outcome, AuditOutcomes)
	}
	for field, month := range map[string]string{"from": f.From, "until": f.Until} {
		if month == "" {
			continue
		}
		if at, err := time.Parse(monthForm, month); err != nil || at.Format(monthForm) != month {
			return Refuse(Invalid, "draw.month", field, "%q is no month: write it like 2026-01", month)
		}
	}
	if f.From != "" && f.Until != "" && f.Until < f.From {
		return Refuse(Invalid, "draw.months", "until", "the last month, %s, is before the first, %s: swap them", f.Until, f.From)
	}
	return nil
}

const monthForm = "2006-01"

// DrawPlan is how much is drawn of a frame, and in which strata. Exactly one of Margin
// and Size is given.
type DrawPlan struct {
	By     DrawBy `json:"by,omitempty"`
	Margin int    `json:"margin,omitempty"` // wanted precision at 95 per cent, thousandths
	Size   int    `json:"size,omitempty"`
	Equal  bool   `json:"equal,omitempty"` // as many of each stratum, and not by their sizes
}

// Check refuses a plan that cannot be carried out.
func (p DrawPlan) Check() error {
	switch {
	case !slices.Contains(DrawsBy, p.By):
		return Refuse(Invalid, "draw.by", "by", "%q makes no strata: %v", p.By, DrawsBy)
	case (p.Margin == 0) == (p.Size == 0):
		return Refuse(Invalid, "draw.size", "size", "give either the wanted precision or the number to draw")
	case p.Margin != 0 && (p.Margin < DrawFineLeast || p.Margin > DrawFineMost):
		return Refuse(Invalid, "draw.margin", "margin", "a precision of %d thousandths is none to draw for: give %d to %d", p.Margin, DrawFineLeast, DrawFineMost)
	case p.Size < 0 || p.Size > DrawMost:
		return Refuse(Invalid, "draw.size", "size", "one draw takes 1 to %d: draw again for more", DrawMost)
	}
	return nil
}

// Wanted is how many the plan draws of a population.
func (p DrawPlan) Wanted(population int) int {
	if p.Size > 0 {
		return min(p.Size, population)
	}
	return SampleSize(population, float64(p.Margin)/1000)
}

// Allot says how many are drawn of each stratum, given how many it has. A stratum gives
// at least two where it has them, so that its spread can be told; the others go by the
// strata's sizes, the last of them to the largest remainders, or as many to each.
func (p DrawPlan) Allot(sizes []int) []int {
	population := 0
	for _, n := range sizes {
		population += n
	}
	out := make([]int, len(sizes))
	if population == 0 {
		return out
	}
	wanted := p.Wanted(population)
	if p.Equal {
		each := (wanted + len(sizes) - 1) / len(sizes)
		for i, n := range sizes {
			out[i] = min(n, max(each, drawLeast))
		}
		return out
	}
	spare, rest := wanted, 0
	order := make([]int, len(sizes))
	for i, n := range sizes {
		order[i], out[i] = i, min(n, drawLeast)
		spare -= out[i]
		rest += n - out[i]
	}
	if spare <= 0 || rest == 0 {
		return out
	}
	left := spare
	remainder := make([]int, len(sizes))
	for i, n := range sizes {
		share := spare * (n - out[i])
		remainder[i] = share % rest
		out[i] += share / rest
		left -= share / rest
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainder[b], remainder[a]) })
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

// DrawID, a UUID, names a draw inside.
type DrawID string

// AuditDraw is one random draw. What is in it is said nowhere and follows from the log:
// whoever has an export can draw again and gets the same.
type AuditDraw struct {
	ID       DrawID
	Ref      string
	Auditor  PersonID
	At       time.Time
	Frame    DrawFrame
	Plan     DrawPlan
	HeadSize int64  // of the log's published head when it was drawn
	HeadRoot string // its root, hex
	Exercise bool
	Why      string // sealed: the auditor's justification
}

// DrawBody is the body of the event of a draw.
type DrawBody struct {
	Ref      string    `json:"ref"`
	Frame    DrawFrame `json:"frame"`
	Plan     DrawPlan  `json:"plan"`
	HeadSize int64     `json:"head_size"`
	HeadRoot string    `json:"head_root"`
	Exercise bool      `json:"exercise,omitempty"`
}

// Drawn records that an auditor draws; population is how many the frame has. The event
// is what the lot falls by (DrawSeed): nobody knows its commitment before it is written,
// and drawing again leaves another event.
func (d AuditDraw) Drawn(s Scope, population int, now time.Time) (AuditDraw, Event, error) {
	by := s.Actor()
	if err := by.MayAudit(); err != nil {
		return d, Event{}, err
	}
	if err := s.Justified(); err != nil {
		return d, Event{}, err
	}
	if err := d.Frame.Check(); err != nil {
		return d, Event{}, err
	}
	if err := d.Plan.Check(); err != nil {
		return d, Event{}, err
	}
	switch n := d.Plan.Wanted(population); {
	case population == 0:
		return d, Event{}, Refuse(Invalid, "draw.empty", "", "there is nothing to draw of: no item was referred and no order issued that these filters take")
	case n > DrawMost:
		return d, Event{}, Refuse(Invalid, "draw.large", "margin", "that precision needs %d of %d, and one draw takes %d: ask for less, or narrow the frame", n, population, DrawMost)
	case d.HeadRoot == "":
		return d, Event{}, Refuse(Unavailable, "draw.head", "", "the log has no signed head yet to draw by: try again in a moment")
	}
	d.Auditor, d.At, d.Why = by.Person, now, s.Justification()
	b := DrawBody{Ref: d.Ref, Frame: d.Frame, Plan: d.Plan, HeadSize: d.HeadSize, HeadRoot: d.HeadRoot, Exercise: d.Exercise}
	return d, NewEvent(EventAuditDrawn, by, string(d.ID), now, b).WithSealed(GroundText{Ground: d.Why}), nil
}

// DrawSeed is what a draw's lot falls by: the root of the log's head before it, and the
// commitment of its own event, which no one can foresee (docs/audit.md).
func DrawSeed(b DrawBody, commit []byte) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "concert audit draw 1\n%d\n%s\n%x\n", b.HeadSize, b.HeadRoot, commit))
}

// lotOf is a unit's lot: of each stratum those with the smallest are drawn.
func lotOf(seed [32]byte, subject string) [32]byte {
	return sha256.Sum256(append(seed[:], subject...))
}

// drawn is a unit with its lot.
type drawnLot struct {
	lot     [32]byte
	subject string
}

func (l drawnLot) compare(o drawnLot) int { return bytes.Compare(l.lot[:], o.lot[:]) }
