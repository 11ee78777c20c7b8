package casework

import (
	"context"
	"strconv"
	"time"

	"concert"
	"concert/internal/store"
)

// orderAlarm is one alarm to be told: to the addressee, and to the issuing authority's
// office where its hour is concerned.
type orderAlarm struct {
	of     concert.Order
	term   concert.TermKey
	left   time.Duration
	missed bool
	passed bool // another one is told in its place
	event  concert.Event
}

// tellAlarms tells of alarms, each with its event. Addressees and authorities are read
// once for all of them, since ten thousand hours may end together.
func (s *Service) tellAlarms(ctx context.Context, tx *store.Tx, as []orderAlarm) error {
	now := s.now()
	providers, authorities := map[concert.ProviderID]concert.Provider{}, map[concert.AuthorityID]string{}
	ways := map[concert.ProviderID][]concert.ContactPoint{}
	var outs []store.Outgoing
	var postings []concert.Posting
	var mails []concert.OfficeMail
	for _, a := range as {
		kind, told := a.kind()
		if a.passed || !told && !a.tellsOffice() {
			tx.Record(a.event)
			continue
		}
		p, ok := providers[a.of.Provider]
		if !ok {
			var err error
			if p, err = tx.Provider(ctx, string(a.of.Provider)); err != nil {
				return err
			}
			providers[a.of.Provider] = p
			if ways[p.ID], err = tx.ContactPoints(ctx, p.ID); err != nil {
				return err
			}
		}
		if _, ok := authorities[a.of.Authority]; !ok {
			author, err := tx.Authority(ctx, string(a.of.Authority))
			if err != nil {
				return err
			}
			authorities[a.of.Authority] = author.Name
		}
		if a.tellsOffice() {
			mails = append(mails, a.office(now))
			tx.SetClock(concert.ClockOffice, string(a.of.Authority), now)
		}
		if !told {
			tx.Record(a.event)
			continue
		}
		out := s.orderNotice(p, a.of, kind, authorities[a.of.Authority], now)
		out.Remedy = strconv.Itoa(int(a.left / time.Minute))
		tx.RecordNotice(a.event, out.ID)
		if way, ok := kind.Way(ways[p.ID], true); ok {
			out.NextAt = time.Time{}
			postings = append(postings, concert.Posting{Delivery: out.ID, Contact: way.ID, DueAt: now})
			tx.SetClock(concert.ClockContact, string(way.ID), now)
		} else if !out.NextAt.IsZero() {
			tx.SetClock(concert.ClockDeliver, string(p.ID), now)
		}
		outs = append(outs, out)
	}
	if err := tx.AddDeliveries(ctx, outs); err != nil {
		return err
	}
	for _, p := range postings {
		if err := tx.AddPosting(ctx, p); err != nil {
			return err
		}
	}
	return tx.AddOfficeMails(ctx, mails)
}

// kind is what the addressee is told, if anything: that its hour ends, and that the six
// months of Art. 6 are over.
func (a orderAlarm) kind() (concert.NoticeKind, bool) {
	switch {
	case a.term == concert.TermRemoval && !a.missed:
		return concert.NoticeOrderAlarm, true
	case a.term == concert.TermPreservation && a.left == 0:
		return concert.NoticeOrderKept, true
	}
	return "", false
}

// tellsOffice reports whether the issuing authority is told by mail: before the hour's
// end, and that it was missed.
func (a orderAlarm) tellsOffice() bool {
	return a.term == concert.TermRemoval && (a.left > 0 || a.missed)
}

func (a orderAlarm) office(now time.Time) concert.OfficeMail {
	kind := concert.OfficeOrderAlarm
	if a.missed {
		kind = concert.OfficeOrderMissed
	}
	return officeMail(a.of.Authority, kind, a.of.Ref, int(a.left/time.Minute), now)
}
