package casework

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/tlog"
)

const (
	// auditPatience is how long one request reads the log for: a page waits no longer,
	// and says how far it is.
	auditPatience = 1500 * time.Millisecond
	// auditStep is how long the fold is kept from others at a time while it catches up.
	auditStep = 200 * time.Millisecond
)

// auditFolding is what a node keeps of the log for auditors. It is memory alone: every
// node folds the same events in the same order, and one that starts begins at the first
// event, when somebody first asks.
type auditFolding struct {
	mu       sync.Mutex // guards both; held while the log is read
	fold     *concert.AuditFold
	catching bool // somebody reads on in the background
}

// AuditStand says how far the numbers reach.
type AuditStand struct {
	Size int64     // events counted
	Head int64     // events in the signed log
	At   time.Time // of the newest event counted
}

// Behind reports whether the log is still being read: then the numbers are of its
// beginning alone.
func (a AuditStand) Behind() bool { return a.Size < a.Head }

// Whole refuses numbers that do not reach the log's head yet.
func (a AuditStand) Whole() error {
	if !a.Behind() {
		return nil
	}
	return concert.Refuse(concert.Unavailable, "audit.reading", "", "the log is still being read, %d of %d events: try again in a moment", a.Size, a.Head)
}

// sampled is the draw with the reference; where the log is still being read it may only
// not be there yet.
func sampled(f *concert.AuditFold, stand AuditStand, draw string) (*concert.AuditSample, error) {
	if x := f.Sample(draw); x != nil {
		return x, nil
	}
	if err := stand.Whole(); err != nil {
		return nil, err
	}
	return nil, concert.ErrNotFound
}

// withAudit lets read look at the fold, as far as the log is read within the patience of
// a page. What is left is read on in the background.
func (s *Service) withAudit(ctx context.Context, read func(*concert.AuditFold, AuditStand) error) error {
	if err := s.PublishLog(ctx); err != nil {
		return err
	}
	k := &s.audited
	k.mu.Lock()
	defer k.mu.Unlock()
	stand, err := s.foldOn(ctx, auditPatience)
	if err != nil {
		return err
	}
	if stand.Behind() && !k.catching {
		k.catching = true
		go s.catchUp(context.WithoutCancel(ctx))
	}
	return read(k.fold, stand)
}

// foldOn reads the log on for a span; the fold is locked.
func (s *Service) foldOn(ctx context.Context, span time.Duration) (AuditStand, error) {
	k := &s.audited
	if k.fold == nil {
		k.fold = concert.NewAuditFold()
	}
	var stand AuditStand
	end := time.Now().Add(span)
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		head, _, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		stand.Head = head.Size
		for k.fold.Size < head.Size && time.Now().Before(end) {
			upTo := min(head.Size, k.fold.Size+exportPage)
			if err := eachEventFrom(ctx, tx, k.fold.Size, upTo, k.fold.Add); err != nil {
				return err
			}
			if k.fold.Size < upTo {
				return fmt.Errorf("the log has no event %d, though its head is %d: run concert verify", k.fold.Size, head.Size)
			}
		}
		return nil
	})
	if err != nil {
		return stand, fmt.Errorf("audit: %w", err)
	}
	stand.Size, stand.At = k.fold.Size, k.fold.At
	return stand, nil
}

// catchUp reads the log to its end, in steps that let others in.
func (s *Service) catchUp(ctx context.Context) {
	k := &s.audited
	for {
		k.mu.Lock()
		stand, err := s.foldOn(ctx, auditStep)
		if err != nil || !stand.Behind() {
			k.catching = false
			k.mu.Unlock()
			if err != nil {
				s.Log.Error("the log could not be read for the audit", "error", err)
			}
			return
		}
		k.mu.Unlock()
	}
}

// auditRead lets an auditor look at the numbers: the reading is recorded before they
// are given. open reads what else is shown on one snapshot; nil for nothing.
func (s *Service) auditRead(ctx context.Context, scope concert.Scope, b *concert.ConsultedBody, read func(*concert.AuditFold, AuditStand) error, open func(*store.Tx) error) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if err := scope.Actor().MayAudit(); err != nil {
		return err
	}
	if err := scope.Justified(); err != nil {
		return err
	}
	found := s.withAudit(ctx, read)
	return s.reading(ctx, scope, b, func(tx *store.Tx) error {
		if found != nil || open == nil {
			return found
		}
		return open(tx)
	})
}

// AccessView are the numbers of accesses, with who they are by.
type AccessView struct {
	concert.Accesses
	AuditStand
	Operators map[concert.PersonID]string // numbers of people; none for the house
	Parties   map[string]string           // references of recipients, by id
}

// AuditAccesses counts the accesses of the six kinds of Directive (EU) 2016/680
// Art. 25 by kind, person, month, event and recipient, for auditors. operator is the
// number of who did it, "" for anybody.
func (s *Service) AuditAccesses(ctx context.Context, scope concert.Scope, q concert.AccessQuery, operator string) (AccessView, error) {
	v := AccessView{Parties: map[string]string{}}
	if err := q.Check(); err != nil {
		return v, err
	}
	b := concert.ConsultedBody{What: concert.ReadAccesses, Filter: accessFilter(q, operator)}
	err := scope.Actor().MayAudit()
	if err != nil {
		return v, err
	}
	if q.Actor, err = s.operatorAsked(ctx, operator); err != nil {
		return v, err
	}
	err = s.auditRead(ctx, scope, &b, func(f *concert.AuditFold, stand AuditStand) error {
		v.Accesses, v.AuditStand = f.Accesses(q), stand
		for _, r := range v.Recipients {
			v.Parties[r.ID] = f.Party(r.ID)
		}
		b.Count = len(v.People)
		return nil
	}, func(tx *store.Tx) (err error) {
		ids := make([]concert.PersonID, len(v.People))
		for i, p := range v.People {
			ids[i] = concert.PersonID(p.Of)
		}
		v.Operators, err = tx.Operators(ctx, ids)
		return err
	})
	return v, err
}

// operatorAsked is the person with the operator number, "" for "".
func (s *Service) operatorAsked(ctx context.Context, operator string) (concert.PersonID, error) {
	if operator == "" {
		return "", nil
	}
	if operator == concert.House.Operator {
		return concert.House.Person, nil
	}
	var id concert.PersonID
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, referenceOnly(operator))
		id = p.ID
		return err
	})
	if err != nil {
		return "", concert.Refuse(concert.Invalid, "events.operator", "operator", "there is nobody with the operator number %q: check it", operator)
	}
	return id, nil
}

func accessFilter(q concert.AccessQuery, operator string) string {
	return fmt.Sprintf("kind=%s&operator=%s&from=%s&until=%s", q.Kind, referenceOnly(operator), q.From, q.Until)
}

// AccessLine is one access behind a number.
type AccessLine struct {
	store.Access
	Kinds      []concert.AccessKind
	Ref        string // of what it was done to, as far as it says it
	Recipients []concert.Recipient
	Parties    []string // references of the recipients, "" where that is sealed
}

// AccessList is one page of accesses, newest first.
type AccessList struct {
	Lines []AccessLine
	Next  concert.EventID // from where the next page goes on, "" at the end
}

// ListAccesses are the accesses themselves: who, when, what, to whom, and why where the
// law asks for that. A kind must be named.
func (s *Service) ListAccesses(ctx context.Context, scope concert.Scope, q concert.AccessQuery, operator string, before concert.EventID, limit int) (AccessList, error) {
	var out AccessList
	if err := scope.Check(); err != nil {
		return out, err
	}
	if err := scope.Actor().MayAudit(); err != nil {
		return out, err
	}
	if err := q.Check(); err != nil {
		return out, err
	}
	if q.Kind == "" {
		return out, concert.Refuse(concert.Invalid, "access.kind", "kind", "name the kind of access: the six of Art. 25 are %v", concert.AccessKinds)
	}
	actor, err := s.operatorAsked(ctx, operator)
	if err != nil {
		return out, err
	}
	f := store.AccessFilter{Events: concert.AccessEvents(q.Kind), Actor: actor, Before: before, Limit: min(max(limit, 1), 500)}
	f.From, f.Until = q.Bounds()
	if q.Kind == concert.AccessDisclosure {
		f.Events = append(f.Events, concert.EventConsulted) // taking the bundle away
	}
	b := concert.ConsultedBody{What: concert.ReadAccesses, Filter: accessFilter(q, operator)}
	err = s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		found, next, err := tx.Accesses(ctx, scope, f)
		if err != nil {
			return err
		}
		out.Next = next
		refs, states, err := partyRefs(ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range found {
			l := AccessLine{Access: a, Kinds: concert.AccessKindsOf(a.RecordedEvent), Ref: concert.EventRef(a.Body)}
			if !slices.Contains(l.Kinds, q.Kind) {
				continue
			}
			if slices.Contains(l.Kinds, concert.AccessDisclosure) {
				l.Recipients = concert.RecipientsOf(a.RecordedEvent, func(id concert.AuthorityID) string { return states[id] })
				for _, r := range l.Recipients {
					l.Parties = append(l.Parties, refs[r.ID])
				}
			}
			out.Lines = append(out.Lines, l)
		}
		b.Count = len(out.Lines)
		return nil
	})
	return out, err
}

// partyRefs are the references of authorities and providers by id, and the authorities'
// states.
func partyRefs(ctx context.Context, tx *store.Tx) (map[string]string, map[concert.AuthorityID]string, error) {
	refs, states := map[string]string{}, map[concert.AuthorityID]string{}
	as, err := tx.Authorities(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range as {
		refs[string(a.ID)], states[a.ID] = a.Ref, a.Country
	}
	ps, err := tx.Providers(ctx)
	for _, p := range ps {
		refs[string(p.ID)] = p.Ref
	}
	return refs, states, err
}

// AuditDwell is how long things stood in each state, for auditors.
func (s *Service) AuditDwell(ctx context.Context, scope concert.Scope, q concert.DwellQuery) ([]concert.Dwell, AuditStand, error) {
	var out []concert.Dwell
	var at AuditStand
	if err := q.Check(); err != nil {
		return nil, at, err
	}
	b := concert.ConsultedBody{What: concert.ReadDwell, Filter: fmt.Sprintf("kind=%s&from=%s&until=%s", q.Kind, q.From, q.Until)}
	err := s.auditRead(ctx, scope, &b, func(f *concert.AuditFold, stand AuditStand) error {
		out, at = f.Dwells(q, s.now()), stand
		b.Count = len(out)
		return nil
	}, nil)
	return out, at, err
}

// PartiesAsked are the ids of an authority and a provider by their references, "" for
// "", for auditors. What there is none of is refused: numbers of nobody would say
// nothing.
func (s *Service) PartiesAsked(ctx context.Context, scope concert.Scope, authority, provider string) (concert.AuthorityID, concert.ProviderID, error) {
	var a concert.Authority
	var p concert.Provider
	if err := scope.Check(); err != nil {
		return "", "", err
	}
	if err := scope.Actor().MayAudit(); err != nil {
		return "", "", err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if authority != "" {
			if a, err = tx.Authority(ctx, referenceOnly(authority)); err != nil {
				return concert.Refuse(concert.Invalid, "audit.authority", "authority", "there is no authority with that reference: it is written like AU-7K3M-9QXT-4D2FH")
			}
		}
		if provider != "" {
			if p, err = tx.Provider(ctx, referenceOnly(provider)); err != nil {
				return concert.Refuse(concert.Invalid, "audit.provider", "provider", "there is no provider with that reference: it is written like PR-7K3M-9QXT-4D2FH")
			}
		}
		return nil
	})
	return a.ID, p.ID, err
}

// AuditReport is the report that leaves the workbench, for auditors: as of the newest
// event of the signed log.
func (s *Service) AuditReport(ctx context.Context, scope concert.Scope) (concert.AuditReport, error) {
	var out concert.AuditReport
	b := concert.ConsultedBody{What: concert.ReadAuditReport, Count: 1}
	err := s.auditRead(ctx, scope, &b, s.reportInto(ctx, &out), nil)
	return out, err
}

// AuditReportHere is the same for whoever runs the machine: it opens nothing sealed.
func (s *Service) AuditReportHere(ctx context.Context) (concert.AuditReport, error) {
	var out concert.AuditReport
	for {
		var left bool
		err := s.withAudit(ctx, func(f *concert.AuditFold, stand AuditStand) error {
			if left = stand.Behind(); left {
				return nil
			}
			return s.reportInto(ctx, &out)(f, stand)
		})
		if err != nil || !left {
			return out, err
		}
	}
}

func (s *Service) reportInto(ctx context.Context, out *concert.AuditReport) func(*concert.AuditFold, AuditStand) error {
	return func(f *concert.AuditFold, stand AuditStand) error {
		if err := stand.Whole(); err != nil {
			return err
		}
		*out = f.Report()
		out.Exercise = s.Exercise
		return s.DB.View(ctx, func(tx *store.Tx) error {
			root, err := tlog.RootAt(out.Size, func(id tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, id) })
			out.Root = fmt.Sprintf("%x", root)
			return err
		})
	}
}

// AuditReportFile is the report as a file: html or csv.
func AuditReportFile(r concert.AuditReport, format string) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch format {
	case "csv":
		err = formats.WriteAuditCSV(&b, r)
	case "html":
		err = formats.WriteAuditHTML(&b, r)
	default:
		return nil, concert.ErrNotFound
	}
	return b.Bytes(), err
}
