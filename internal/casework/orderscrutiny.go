package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

// ScrutinyView is what stands around the scrutiny of an order.
type ScrutinyView struct {
	OrderView
	Scrutinies []concert.Scrutiny
	Appeals    []concert.Appeal
	May        bool // the reader's authority scrutinises it
}

// ReadScrutiny is an order with its scrutinies and appeals, for whoever may read it; the
// words of a request or an intention are the authorities' and the asking party's alone.
func (s *Service) ReadScrutiny(ctx context.Context, scope concert.Scope, ref string) (ScrutinyView, error) {
	var v ScrutinyView
	var err error
	if v.OrderView, err = s.ReadOrder(ctx, scope, ref); err != nil {
		return v, err
	}
	by := scope.Actor()
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if v.Scrutinies, err = tx.Scrutinies(ctx, v.ID); err != nil {
			return err
		}
		if v.Appeals, err = tx.Appeals(ctx, v.ID); err != nil {
			return err
		}
		office, _, err := tx.Office(ctx, by.Authority)
		if err != nil {
			return err
		}
		v.May = v.MayScrutinise(by, office, concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer) == nil
		return nil
	})
	if by.Provider != "" {
		for i := range v.Scrutinies {
			v.Scrutinies[i].Intention = ""
			if v.Scrutinies[i].AskedBy != concert.RedressProvider {
				v.Scrutinies[i].Request = ""
			}
		}
	}
	return v, err
}

// AskScrutiny is the addressee's reasoned request to the authority of its state
// (Art. 4(4)).
func (s *Service) AskScrutiny(ctx context.Context, by concert.Actor, ref, request string) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, 0, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		if err := by.MayAnswerOrder(o); err != nil {
			return o, err
		}
		var until time.Time
		ds, err := tx.Deadlines(ctx, o.ID)
		if err != nil {
			return o, err
		}
		for _, d := range ds {
			if d.Term == concert.TermScrutinyAsk {
				until = d.DueAt
			}
		}
		return o, s.askScrutiny(ctx, tx, by, o, concert.RedressProvider, request, until)
	})
}

// askScrutiny records a party's request and starts the 72 hours in which it is decided.
func (s *Service) askScrutiny(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, party concert.RedressParty, request string, until time.Time) error {
	now := s.now()
	earlier, err := tx.Scrutinies(ctx, o.ID)
	if err != nil {
		return err
	}
	book, err := law.Read()
	if err != nil {
		return err
	}
	sc := concert.Scrutiny{ID: concert.ScrutinyID(identity.NewID()), AskedBy: party, ScrutinyText: concert.ScrutinyText{Request: request}}
	clock, err := s.began(book, o.ID, concert.TermScrutiny, concert.TermStart{At: now, Evidence: "request of the " + string(party)}, o.State)
	if err != nil {
		return err
	}
	sc.DueAt = clock.DueAt
	sc, e, err := o.ScrutinyAsked(by, sc, until, earlier, now)
	if err != nil {
		return err
	}
	tx.Record(e)
	if err := tx.PutScrutiny(ctx, sc); err != nil {
		return err
	}
	if party == concert.RedressProvider {
		if err := s.meet(ctx, tx, o, concert.TermScrutinyAsk, func(d concert.Deadline) (concert.Deadline, error) { return d.Met(now) }); err != nil {
			return err
		}
	}
	return s.startScrutiny(ctx, tx, o, clock)
}

// startScrutiny starts the clock of a request, unless that of an earlier one runs: the
// first is decided first. One that ended is begun anew.
func (s *Service) startScrutiny(ctx context.Context, tx *store.Tx, o concert.Order, clock concert.Deadline) error {
	ds, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.Term != concert.TermScrutiny {
			continue
		}
		if d.State == concert.DeadlineRunning || d.State == concert.DeadlineMissed && d.MetAt.IsZero() {
			return nil
		}
		clock.Version = d.Version
	}
	return s.putDeadline(ctx, tx, clock)
}

// IntendScrutiny tells the issuing authority that an infringement is to be found, and
// why, before it is (Art. 4(3), 4(4)): on the requests that are open, else on the
// authority's own motion.
func (s *Service) IntendScrutiny(ctx context.Context, by concert.Actor, ref string, version int64, reasons string) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		open, office, err := s.openScrutinies(ctx, tx, by, o)
		if err != nil {
			return o, err
		}
		for _, sc := range open {
			next, e, err := o.ScrutinyIntended(by, office, sc, reasons, s.now())
			if err != nil {
				return o, err
			}
			tx.Record(e)
			if err := tx.PutScrutiny(ctx, next); err != nil {
				return o, err
			}
		}
		o.UpdatedAt = s.now()
		return o, tx.SaveOrder(ctx, o)
	})
}

// openScrutinies are the order's open scrutinies, or one on the authority's own motion
// where there is none and its 72 hours run.
func (s *Service) openScrutinies(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order) ([]concert.Scrutiny, concert.OrderOffice, error) {
	office, _, err := tx.Office(ctx, by.Authority)
	if err != nil {
		return nil, office, err
	}
	if err := o.MayScrutinise(by, office, concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer); err != nil {
		return nil, office, err
	}
	all, err := tx.Scrutinies(ctx, o.ID)
	if err != nil {
		return nil, office, err
	}
	open := slices.DeleteFunc(all, func(sc concert.Scrutiny) bool { return !sc.Open() })
	if len(open) > 0 {
		return open, office, nil
	}
	ds, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return nil, office, err
	}
	var own concert.Deadline
	for _, d := range ds {
		if d.Term == concert.TermOwnScrutiny {
			own = d
		}
	}
	sc, err := o.ScrutinyOpened(own, s.now())
	sc.ID = concert.ScrutinyID(identity.NewID())
	return []concert.Scrutiny{sc}, office, err
}

// DecideScrutiny is the reasoned decision of the authority of the addressee's state. An
// infringement ends the order in the same transaction: status, clocks, notice to
// reinstate, entries of banks and error register are true together or not at all (G13).
func (s *Service) DecideScrutiny(ctx context.Context, by concert.Actor, ref string, version int64, f concert.Finding) (concert.Order, error) {
	if err := proven(by, concert.PowerIssue); err != nil {
		return concert.Order{}, err
	}
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		open, office, err := s.openScrutinies(ctx, tx, by, o)
		if err != nil {
			return o, err
		}
		now := s.now()
		for i, sc := range open {
			next, e, err := o.Scrutinised(by, office, sc, f, now)
			if err != nil {
				return o, err
			}
			if i == 0 && !f.Outcome.Infringes() {
				err = s.tellAddressee(ctx, tx, o, concert.NoticeScrutinised, e)
			} else {
				tx.Record(e)
			}
			if err != nil {
				return o, err
			}
			if err := tx.PutScrutiny(ctx, next); err != nil {
				return o, err
			}
		}
		for _, key := range []concert.TermKey{concert.TermOwnScrutiny, concert.TermScrutiny} {
			if err := s.meet(ctx, tx, o, key, func(d concert.Deadline) (concert.Deadline, error) {
				if d.State == concert.DeadlineMet || !d.MetAt.IsZero() || d.State == concert.DeadlineLapsed {
					return d, nil
				}
				return d.Met(now)
			}); err != nil {
				return o, err
			}
		}
		if !f.Outcome.Infringes() {
			o.UpdatedAt = now
			return o, tx.SaveOrder(ctx, o)
		}
		next, e, err := o.Voided(by, f.Reasons, now)
		if err != nil {
			return o, err
		}
		return next, s.endOrder(ctx, tx, by, next, e, concert.ErrorVoid, f.Category)
	})
}

// scrutinyPackage is what the authority that scrutinises reads, in one document: the
// order as it was signed, what was found of each place, and the digests of what was
// seen there. It carries no content.
type scrutinyPackage struct {
	Format    string                `json:"format"` // "concert/scrutiny-package/v1"
	Order     string                `json:"order"`
	Status    concert.OrderStatus   `json:"status"`
	File      json.RawMessage       `json:"file"` // docs/formats/order.md
	Places    []scrutinyPlace       `json:"places"`
	Deadlines []scrutinyDeadline    `json:"deadlines"`
	Requests  []scrutinyRequest     `json:"requests"`
	At        string                `json:"at"`
	Exercise  bool                  `json:"exercise"`
	Reasons   []concert.ContentType `json:"reasons"`
}

type scrutinyPlace struct {
	Item       string              `json:"item"`
	Type       concert.ContentType `json:"type"`
	Purpose    concert.Purpose     `json:"purpose"`
	Evaluation string              `json:"evaluation"` // of source and information, A1 to X4
	Language   string              `json:"language"`
	Facts      string              `json:"facts"`
	Assessed   string              `json:"assessed_at"`
	Captures   []scrutinyCapture   `json:"captures"`
}

type scrutinyCapture struct {
	Ref    string `json:"ref"`
	SHA256 string `json:"sha256"`
	Media  string `json:"media"`
	Size   int64  `json:"size"`
	SeenAt string `json:"seen_at"`
}

type scrutinyDeadline struct {
	Term  concert.TermKey       `json:"term"`
	State concert.DeadlineState `json:"state"`
	DueAt string                `json:"due_at"`
}

type scrutinyRequest struct {
	AskedBy concert.RedressParty `json:"asked_by"`
	AskedAt string               `json:"asked_at"`
	DueAt   string               `json:"due_at"`
	Text    string               `json:"text"`
}

// scrutinyFormat names the form of a scrutiny package.
const scrutinyFormat = "concert/scrutiny-package/v1"

// ScrutinyPackage is what the authority of the addressee's state scrutinises by, from the
// moment of the issue on (G13): the order file, what was found of each place, and the
// digests of captures, never their bytes. The issuing authority's judgement stands in
// the order's statement; its notes stay its own.
func (s *Service) ScrutinyPackage(ctx context.Context, scope concert.Scope, ref string) ([]byte, error) {
	v, err := s.ReadScrutiny(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	if !v.May && !v.Mine(scope.Actor()) {
		return nil, concert.Refuse(concert.Forbidden, "order.scrutiny_function", "", "order %s is scrutinised by the authority that has its copy (Art. 4(1)), not by yours", ref)
	}
	file, err := s.OrderFile(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	p := scrutinyPackage{Format: scrutinyFormat, Order: v.Ref, Status: v.Status, File: file, Reasons: v.Reasons, At: writtenAt(s.now()), Exercise: v.Exercise, Places: []scrutinyPlace{}, Deadlines: []scrutinyDeadline{}, Requests: []scrutinyRequest{}}
	for _, d := range v.Deadlines {
		p.Deadlines = append(p.Deadlines, scrutinyDeadline{d.Term, d.State, writtenAt(d.DueAt)})
	}
	for _, sc := range v.Scrutinies {
		if sc.AskedBy != "" {
			p.Requests = append(p.Requests, scrutinyRequest{sc.AskedBy, writtenAt(sc.AskedAt), writtenAt(sc.DueAt), sc.Request})
		}
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		p.Places, err = s.scrutinyPlaces(ctx, tx, v.OrderView)
		return err
	})
	if err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("scrutiny package of %s: %w", ref, err)
	}
	return out, nil
}

func (s *Service) scrutinyPlaces(ctx context.Context, tx *store.Tx, v OrderView) ([]scrutinyPlace, error) {
	subjects, err := s.subjectsOf(ctx, tx, v.Order)
	if err != nil {
		return nil, err
	}
	var out []scrutinyPlace
	for _, x := range subjects {
		captures, err := tx.Captures(ctx, x.Item.ID)
		if err != nil {
			return nil, err
		}
		p := scrutinyPlace{Item: x.Item.Ref, Type: x.Assessment.Type, Purpose: x.Assessment.Purpose, Evaluation: x.Assessment.Evaluation, Language: x.Assessment.Language, Facts: x.Assessment.Facts, Assessed: writtenAt(x.Assessment.At), Captures: []scrutinyCapture{}}
		for _, c := range captures {
			if c.Authority == v.Authority {
				p.Captures = append(p.Captures, scrutinyCapture{c.Ref, c.SHA256, c.MediaType, c.Size, writtenAt(c.SeenAt)})
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// writtenAt is a moment as documents have it, "" for none.
func writtenAt(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(concert.TimeFormat)
}
