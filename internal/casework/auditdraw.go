package casework

import (
	"context"
	"fmt"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// DrawPreview is what a plan would draw of a frame as it stands.
type DrawPreview struct {
	AuditStand
	Population int
	Wanted     int     // by the precision or the number asked for
	Drawn      int     // with at least two of each stratum
	Margin     float64 // to how much a share would be known, at worst, of a simple draw of so many
	Correction float64 // the finite population correction (N - n)/(N - 1)
	Strata     []concert.DrawStratum
	Names      map[string]string // references of authorities and providers, by id
	TooMany    bool              // more than one draw takes
}

// PlanDraw works out what a draw would take, for auditors. It draws nothing.
func (s *Service) PlanDraw(ctx context.Context, scope concert.Scope, frame concert.DrawFrame, plan concert.DrawPlan) (DrawPreview, error) {
	out := DrawPreview{Names: map[string]string{}}
	if err := frame.Check(); err != nil {
		return out, err
	}
	if err := plan.Check(); err != nil {
		return out, err
	}
	b := concert.ConsultedBody{What: concert.ReadDraws}
	err := s.auditRead(ctx, scope, &b, func(f *concert.AuditFold, stand AuditStand) error {
		out.AuditStand, out.Strata = stand, f.Strata(frame, plan.By)
		sizes := make([]int, len(out.Strata))
		for i, x := range out.Strata {
			sizes[i] = x.Population
			out.Population += x.Population
			out.Names[x.Key] = f.Party(x.Key)
		}
		for i, n := range plan.Allot(sizes) {
			out.Strata[i].Drawn = n
			out.Drawn += n
		}
		out.Wanted = plan.Wanted(out.Population)
		out.TooMany = out.Wanted > concert.DrawMost
		out.Margin, out.Correction = concert.SampleMargin(out.Population, out.Drawn), concert.FinitePopulation(out.Population, out.Drawn)
		b.Count = out.Population
		return nil
	}, nil)
	return out, err
}

// DrawSample draws, and gives the draw's reference. What is in it follows from the log
// at the draw's own event: nobody can foresee it, and everybody can draw it again.
func (s *Service) DrawSample(ctx context.Context, scope concert.Scope, frame concert.DrawFrame, plan concert.DrawPlan) (string, error) {
	if err := scope.Check(); err != nil {
		return "", err
	}
	if err := scope.Actor().MayAudit(); err != nil {
		return "", err
	}
	if err := scope.Justified(); err != nil {
		return "", err
	}
	population := 0
	err := s.withAudit(ctx, func(f *concert.AuditFold, stand AuditStand) error {
		if err := stand.Whole(); err != nil {
			return err
		}
		for _, x := range f.Strata(frame, concert.DrawByNothing) {
			population += x.Population
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	d := concert.AuditDraw{ID: concert.DrawID(identity.NewID()), Ref: identity.NewReference("DW"), Frame: frame, Plan: plan, Exercise: s.Exercise}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		head, checkpoint, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		if checkpoint != "" {
			d.HeadSize, d.HeadRoot = head.Size, fmt.Sprintf("%x", head.Root)
		}
		drawn, e, err := d.Drawn(scope, population, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddDraw(ctx, drawn); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
	return d.Ref, err
}

// DrawView is one draw with its rate.
type DrawView struct {
	*concert.AuditSample
	Stand     AuditStand
	Rate      concert.AuditRate
	Advice    []concert.AuditAdvice
	Operators map[concert.PersonID]string
	Names     map[string]string // references of authorities and providers, by id
	Mine      int               // units that the reader judged
	Left      int               // and that are left to it
	NextUnit  string            // reference of the first of those, "" for none
}

func drawView(f *concert.AuditFold, stand AuditStand, x *concert.AuditSample, by concert.PersonID) DrawView {
	v := DrawView{AuditSample: x.Copy(), Stand: stand, Advice: f.Advice(x.Ref), Names: map[string]string{}}
	v.Rate = v.AuditSample.Rate(v.Advice)
	for _, u := range v.Units {
		v.Names[string(u.Authority)], v.Names[string(u.Provider)] = f.Party(string(u.Authority)), f.Party(string(u.Provider))
		_, judged := u.By(by)
		switch {
		case judged:
			v.Mine++
		case u.ErasedAt.IsZero():
			v.Left++
		}
	}
	for _, k := range []string{string(v.Frame.Authority), string(v.Frame.Provider)} {
		v.Names[k] = f.Party(k)
	}
	for _, x := range v.Strata {
		v.Names[x.Key] = f.Party(x.Key)
	}
	if u, ok := v.AuditSample.Next(by, ""); ok {
		v.NextUnit = u.Ref
	}
	return v
}

// drawsShown bounds the draws of one list.
const drawsShown = 200

// AuditDraws are the draws, the newest first, with their rates, for auditors.
func (s *Service) AuditDraws(ctx context.Context, scope concert.Scope) ([]DrawView, AuditStand, error) {
	var out []DrawView
	var at AuditStand
	operators := map[concert.PersonID]string{}
	b := concert.ConsultedBody{What: concert.ReadDraws}
	err := s.auditRead(ctx, scope, &b, func(f *concert.AuditFold, stand AuditStand) error {
		at = stand
		all := f.Samples()
		for _, x := range all[:min(len(all), drawsShown)] {
			out = append(out, drawView(f, stand, x, scope.Actor().Person))
		}
		b.Count = len(out)
		return nil
	}, func(tx *store.Tx) (err error) {
		var ids []concert.PersonID
		for _, v := range out {
			ids = append(ids, v.Auditor)
			ids = append(ids, v.Auditors()...)
		}
		operators, err = tx.Operators(ctx, ids)
		return err
	})
	for i := range out {
		out[i].Operators = operators
	}
	return out, at, err
}

// ReadDraw is one draw for auditors. Its units are named; what was found of them by
// others is not told before the reader has judged them (Blind).
func (s *Service) ReadDraw(ctx context.Context, scope concert.Scope, ref string) (DrawView, error) {
	var v DrawView
	b := concert.ConsultedBody{What: concert.ReadDraws, Ref: ref}
	err := s.auditRead(ctx, scope, &b, func(f *concert.AuditFold, stand AuditStand) error {
		x, err := sampled(f, stand, ref)
		if err != nil {
			return err
		}
		v = drawView(f, stand, x, scope.Actor().Person)
		for _, u := range v.Units {
			b.Refs = append(b.Refs, u.Ref)
		}
		b.Refs = b.Refs[:min(len(b.Refs), concert.DrawMost)]
		b.Count = len(v.Units)
		return nil
	}, func(tx *store.Tx) (err error) {
		v.Operators, err = tx.Operators(ctx, append(v.Auditors(), v.Auditor))
		return err
	})
	return v, err
}

// BlindUnit is what an auditor is shown of a drawn unit before it has judged it, and no
// more: not the first judgement, nor whose it was, nor what became of it.
type BlindUnit struct {
	Draw     string
	Unit     concert.DrawnUnit // its reference and kind; nothing else is to be shown before Judged
	Items    []BlindItem
	Erased   bool
	Place    int // in the draw, from 1
	Of       int
	Left     int // that are left to this auditor, with this one
	Judged   bool
	Mine     concert.Reassessment   // what this auditor found, once it has
	Others   []concert.Reassessment // what others found, once it has
	Numbers  map[concert.PersonID]string
	Handed   string // reference of the recommendation that this auditor made of it
	NextUnit string
}

// BlindItem is one item of it, with the captures of what was there.
type BlindItem struct {
	BlindLook
	Captures []concert.Capture
}

// ReadUnit is a drawn unit as the auditor may see it; unit "" is the next that it has
// not judged. It is no opening of the item: the finding stays blind.
func (s *Service) ReadUnit(ctx context.Context, scope concert.Scope, draw, unit string) (BlindUnit, error) {
	var out BlindUnit
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadBlind, Ref: unit, Count: 1}
	err := s.auditRead(ctx, scope, &b, func(f *concert.AuditFold, stand AuditStand) error {
		x, err := sampled(f, stand, draw)
		if err != nil {
			return err
		}
		u, ok := x.Unit(unit)
		if unit == "" {
			u, ok = x.Next(by.Person, "")
		}
		if !ok {
			return concert.ErrNotFound
		}
		b.Ref = u.Ref
		_, judged := u.By(by.Person)
		out = BlindUnit{Draw: draw, Unit: u, Erased: !u.ErasedAt.IsZero(), Of: len(x.Units), Judged: judged}
		for i, y := range x.Units {
			if y.Ref == u.Ref {
				out.Place = i + 1
			}
			if _, mine := y.By(by.Person); !mine && y.ErasedAt.IsZero() {
				out.Left++
			}
		}
		if n, ok := x.Next(by.Person, u.Ref); ok && n.Ref != u.Ref {
			out.NextUnit = n.Ref
		}
		return nil
	}, func(tx *store.Tx) error { return blindUnit(ctx, tx, by, &out) })
	if err != nil {
		return BlindUnit{}, err
	}
	return out, nil
}

// blindUnit reads what may be seen of a unit.
func blindUnit(ctx context.Context, tx *store.Tx, by concert.Actor, out *BlindUnit) error {
	ids := []concert.ItemID{concert.ItemID(out.Unit.Subject)}
	if out.Unit.About == concert.AboutOrder {
		items, err := tx.OrderItems(ctx, concert.OrderID(out.Unit.Subject))
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, i := range items {
			ids = append(ids, i.Item)
		}
	}
	items, err := tx.ItemsByID(ctx, ids)
	if err != nil {
		return err
	}
	list, err := tx.ScopeList(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(items, func(a, b concert.Item) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	erased := 0
	for _, it := range items {
		if !it.ErasedAt.IsZero() {
			erased++
			continue
		}
		x := BlindItem{BlindLook: BlindLook{Ref: it.Ref, Location: it.Location, Type: it.Type, Outlet: list.Outlets[it.Outlet], Language: it.Language, Exercise: it.Exercise}}
		ts, err := tx.Translations(ctx, it.ID)
		if err != nil {
			return err
		}
		for _, t := range ts {
			x.Translations = append(x.Translations, concert.Translation{Ref: t.Ref, Kind: t.Kind, Source: t.Source, Target: t.Target, Text: t.Text, At: t.At})
		}
		x.Understood = concert.SecondLook{Translations: ts}.Understands(by, it)
		captures, err := tx.Captures(ctx, it.ID)
		if err != nil {
			return err
		}
		for _, c := range captures {
			c.Person, c.Authority = "", ""
			x.Captures = append(x.Captures, c)
		}
		out.Items = append(out.Items, x)
	}
	out.Erased = out.Erased || len(items) > 0 && erased == len(items)
	return findings(ctx, tx, by, out)
}

// findings reads what the auditor found, and, once it has, what others did.
func findings(ctx context.Context, tx *store.Tx, by concert.Actor, out *BlindUnit) error {
	id, err := tx.DrawID(ctx, out.Draw)
	if err != nil {
		return err
	}
	all, err := tx.FindingsOn(ctx, id, out.Unit.Subject)
	if err != nil {
		return err
	}
	out.Judged = false
	var people []concert.PersonID
	for _, f := range all {
		if f.Auditor == by.Person {
			out.Judged, out.Mine = true, f
		} else {
			out.Others = append(out.Others, f)
			people = append(people, f.Auditor)
		}
	}
	if !out.Judged {
		out.Others = nil
		out.Unit = concert.DrawnUnit{Ref: out.Unit.Ref, Subject: out.Unit.Subject, About: out.Unit.About}
		return nil
	}
	if out.Numbers, err = tx.Operators(ctx, people); err != nil {
		return err
	}
	out.Handed, err = tx.RecommendedBy(ctx, id, out.Unit.Subject, by.Person)
	return err
}
