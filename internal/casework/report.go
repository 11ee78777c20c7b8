package casework

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

// Times are how long a provider took, over an action's referrals.
type Times struct {
	Referrals    int
	Acknowledged int
	Median       time.Duration // from referral to acknowledgement, of those acknowledged
	P90          time.Duration
}

// Report is an action's board with what takes longer to add up.
type Report struct {
	Board
	Times      map[concert.ProviderID]Times
	Approvals  Approvals
	Facts      concert.ReportFacts
	Checkpoint string // the log's signed head
	Waiting    int64  // events that were counted and have no place in the log yet
}

// ReadReport is the after-action report of an action: all of it from one
// snapshot, so that an export of the log's size recounts to the same figures.
// Who sees the board of others gets no number below five.
func (s *Service) ReadReport(ctx context.Context, scope concert.Scope, ref string) (Report, error) {
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBoard, Ref: ref, Count: 1}); err != nil {
		return Report{}, err
	}
	return s.readReport(ctx, scope, ref)
}

func (s *Service) readReport(ctx context.Context, scope concert.Scope, ref string) (Report, error) {
	var r Report
	if scope.Actor().Provider != "" {
		return r, concert.ErrNotFound
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		if err := s.readBoard(ctx, tx, scope.Actor(), ref, &r.Board); err != nil {
			return err
		}
		var err error
		if _, r.Checkpoint, err = tx.LogHead(ctx); err != nil {
			return err
		}
		if r.Waiting, _, _, err = tx.Unsequenced(ctx); err != nil {
			return err
		}
		r.Facts = concert.ReportFacts{Totals: r.Totals, Authorities: r.Authorities, Providers: r.Providers, Partner: r.Partner}
		if r.Facts.Courses, err = tx.Courses(ctx, r.Action.ID); err != nil {
			return err
		}
		if r.Facts.Chases, err = tx.Chases(ctx, r.Action.ID); err != nil {
			return err
		}
		given, err := tx.ApprovalsIn(ctx, r.Action.ID)
		r.Approvals = approvalsOf(given)
		return err
	})
	r.Times = timesOf(r.Facts.Chases)
	return r, err
}

func timesOf(chases []concert.Chase) map[concert.ProviderID]Times {
	took := map[concert.ProviderID][]time.Duration{}
	out := map[concert.ProviderID]Times{}
	for _, c := range chases {
		t := out[c.Provider]
		t.Referrals++
		if c.AckedAt.After(c.SentAt) {
			t.Acknowledged++
			took[c.Provider] = append(took[c.Provider], c.AckedAt.Sub(c.SentAt))
		}
		out[c.Provider] = t
	}
	for p, ds := range took {
		t := out[p]
		t.Median, t.P90 = concert.Quantiles(ds)
		out[p] = t
	}
	return out
}

// publishTries bounds how often a report waits for the log to hold what it
// counted.
const publishTries = 5

// SignedReport is the after-action report as a document of its own, signed with
// the deployment's key, under the log's head: an outsider checks it offline and
// recounts it from an export of that size. In the midst of work some events may
// have no place in the log yet; the document says how many.
func (s *Service) SignedReport(ctx context.Context, scope concert.Scope, ref string) (concert.Envelope, error) {
	var e concert.Envelope
	r, err := s.ReadReport(ctx, scope, ref)
	for try := 0; err == nil && r.Waiting > 0 && try < publishTries; try++ {
		if err = s.PublishLog(ctx); err == nil {
			r, err = s.readReport(ctx, scope, ref)
		}
	}
	if err != nil {
		return e, err
	}
	g, err := s.Registers(ctx)
	if err != nil {
		return e, err
	}
	a := r.Action
	p := concert.ReportPayload{Type: "report", Version: 1, Action: a.Ref, Name: a.Name, Mandate: a.Mandate, Phase: a.Phase, AsOf: r.AsOf.Format(concert.TimeFormat), Exercise: a.Exercise,
		Origin: s.Origin, Size: r.Log.Size, Root: hex.EncodeToString(r.Log.Root[:]), Head: r.Checkpoint, Waiting: r.Waiting, Method: concert.ReportMethod, Tables: r.Facts.Tables(g.NameOf)}
	text, err := concert.CanonicalJSON(p)
	if err != nil {
		return e, err
	}
	return concert.Envelope{PayloadType: concert.ReportPayloadType, Payload: text}.Sign("transport", s.Transport), nil
}

// NameOf is the reference and name of the authority or provider with the id, the
// id itself where it is neither.
func (g Registers) NameOf(id string) string {
	if a, ok := g.Authorities[concert.AuthorityID(id)]; ok {
		return a.Name + " (" + a.Ref + ")"
	}
	if p, ok := g.Providers[concert.ProviderID(id)]; ok {
		return p.Name + " (" + p.Ref + ")"
	}
	return id
}

// UnitReport is how an authority's numbers grew in a period, beyond actions: the
// same counting as on a board, which the sums that must hold apply to as well.
type UnitReport struct {
	Unit      concert.Authority
	From      time.Time // midnight UTC, case time
	Until     time.Time // midnight after the last day
	AsOf      time.Time
	Growth    concert.Counts
	Providers map[concert.ProviderID]concert.Counts
	Open      bool // the period is not over
}

// periodMost bounds a period.
const periodMost = 366

// ReadUnitReport is the report of the actor's own authority; auditors name one
// by reference. From and until are days, UTC; until is the last of them.
func (s *Service) ReadUnitReport(ctx context.Context, scope concert.Scope, unit string, from, until time.Time) (UnitReport, error) {
	r := UnitReport{From: from.UTC().Truncate(24 * time.Hour), Until: until.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1), Growth: concert.Counts{}, Providers: map[concert.ProviderID]concert.Counts{}}
	by := scope.Actor()
	switch {
	case scope.Check() != nil:
		return r, scope.Check()
	case by.Has(concert.RoleAuditor):
		if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBoard, Ref: unit, Count: 1}); err != nil {
			return r, err
		}
	case by.Authority == "":
		return r, concert.Refuse(concert.Forbidden, "report.unit", "", "only people of an authority, and auditors, read a unit's report")
	default:
		unit = string(by.Authority)
	}
	if !r.From.Before(r.Until) || r.Until.Sub(r.From) > periodMost*24*time.Hour {
		return r, concert.Refuse(concert.Invalid, "report.period", "until", "a period is 1 to %d days and ends after it begins: correct the days", periodMost)
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		r.Unit, err = tx.Authority(ctx, unit)
		return err
	})
	if err != nil {
		return r, err
	}
	r.AsOf = s.now()
	r.Open = r.Until.After(r.AsOf)
	return r, s.countPeriod(ctx, &r)
}

// countPeriod adds up the days: those that are over are counted once and kept.
func (s *Service) countPeriod(ctx context.Context, r *UnitReport) error {
	var days []string
	for d := r.From; d.Before(r.Until) && d.Before(r.AsOf); d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(time.DateOnly))
	}
	var whole map[string]bool
	var sums map[string]concert.Counts
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		whole, sums, err = tx.DayTallies(ctx, days, r.Unit.ID)
		return err
	})
	if err != nil {
		return err
	}
	r.add(sums)
	days = slices.DeleteFunc(days, func(d string) bool { return whole[d] })
	if len(days) == 0 {
		return nil
	}
	counted, err := s.countDays(ctx, days)
	if err != nil {
		return err
	}
	for _, day := range days {
		r.add(counted[day])
		end, err := time.Parse(time.DateOnly, day)
		if err != nil || s.Time.Rate != 0 || r.AsOf.Before(end.AddDate(0, 0, 1).Add(time.Hour)) {
			continue // the day may still grow, or case time is not the clock's
		}
		if err := s.DB.Update(ctx, func(tx *store.Tx) error { return tx.KeepDay(ctx, day, counted[day]) }); err != nil {
			return err
		}
	}
	return nil
}

// add takes what belongs to the report's unit.
func (r *UnitReport) add(sides map[string]concert.Counts) {
	whole, part := "a:"+string(r.Unit.ID), "u:"+string(r.Unit.ID)+"/"
	for side, c := range sides {
		into := r.Growth
		switch {
		case side == whole:
		case len(side) > len(part) && side[:len(part)] == part:
			p := concert.ProviderID(side[len(part):])
			if r.Providers[p] == nil {
				r.Providers[p] = concert.Counts{}
			}
			into = r.Providers[p]
		default:
			continue
		}
		for m, n := range c {
			into[m] += n
		}
	}
}

// countDays folds the events of the days, by day and side.
func (s *Service) countDays(ctx context.Context, days []string) (map[string]map[string]concert.Counts, error) {
	first, err := time.Parse(time.DateOnly, days[0])
	if err != nil {
		return nil, err
	}
	last, err := time.Parse(time.DateOnly, days[len(days)-1])
	if err != nil {
		return nil, err
	}
	until := last.AddDate(0, 0, 1)
	if s.Time.Rate != 0 { // ids tell wall time, events case time
		first, until = time.Time{}, time.Time{}
	}
	out := map[string]map[string]concert.Counts{}
	wanted := map[string]bool{}
	for _, d := range days {
		wanted[d], out[d] = true, map[string]concert.Counts{}
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		return tx.EventsMade(ctx, first, until, func(e concert.RecordedEvent) error {
			day := concert.FromMicros(e.At).Format(time.DateOnly)
			if !wanted[day] {
				return nil
			}
			d := concert.Deltas{}
			if err := d.CountRecorded(e); err != nil {
				return err
			}
			addSides(out[day], d)
			return nil
		})
	})
	return out, err
}

// addSides adds one event's changes by side; with its authority, the provider's
// are that authority's by provider.
func addSides(into map[string]concert.Counts, d concert.Deltas) {
	authority, several := "", false
	for k := range d {
		if len(k.Side) > 2 && k.Side[0] == 'a' {
			several = several || authority != "" && authority != k.Side[2:]
			authority = k.Side[2:]
		}
	}
	for k, n := range d {
		side := k.Side
		switch {
		case len(side) < 3 || side[0] == 'o' || n == 0:
			continue
		case side[0] == 'p' && (authority == "" || several):
			continue
		case side[0] == 'p':
			side = "u:" + authority + "/" + side[2:]
		}
		if into[side] == nil {
			into[side] = concert.Counts{}
		}
		into[side][k.Metric] += n
	}
}
