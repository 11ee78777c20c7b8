package casework

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
)

func officeMail(a concert.AuthorityID, kind concert.OfficeMailKind, ref string, minutes int, now time.Time) concert.OfficeMail {
	return concert.OfficeMail{ID: concert.OfficeMailID(identity.NewID()), Tag: newMailTag(), Authority: a, Kind: kind, Ref: ref, Minutes: minutes, NextAt: now, CreatedAt: now, Version: 1}
}

// officeMost bounds the mails to an office that one round sends.
const officeMost = 64

// deliverOffice sends an authority's office what waits for it. An authority without an
// office has no mailbox: what waits stays for the day on which it gets one.
func (s *Service) deliverOffice(ctx context.Context, j concert.DeliverOffice) error {
	for {
		if held, err := s.heldBack(ctx, concert.ClockOffice, string(j.Authority)); err != nil || held {
			return err
		}
		var due []concert.OfficeMail
		var office concert.OrderOffice
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			if office, _, err = tx.Office(ctx, j.Authority); err != nil {
				return err
			}
			due, err = tx.DueOfficeMails(ctx, j.Authority, s.now(), officeMost)
			return err
		})
		if err != nil || office.Email == "" {
			return err
		}
		if len(due) == 0 {
			return s.nextForOffice(ctx, j.Authority)
		}
		if s.Mailer == nil {
			s.noRelay.Do(func() {
				s.Log.Warn("mail to authorities waits: this node has no relay to send through (see docs/mail.md)", "authority", j.Authority)
			})
			return s.officeAgain(ctx, j.Authority, s.now().Add(mailerMissing))
		}
		letters := make([]dispatch.Letter, len(due))
		for i, m := range due {
			if letters[i], err = s.officeLetter(office, m); err != nil {
				return err
			}
		}
		if err := s.recordOffice(ctx, due, s.Mailer.Send(ctx, letters)); err != nil {
			return err
		}
	}
}

// nextForOffice sets the clock for what waits for a later attempt.
func (s *Service) nextForOffice(ctx context.Context, a concert.AuthorityID) error {
	var next time.Time
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		next, err = tx.NextOfficeMail(ctx, a)
		return err
	})
	if err != nil || next.IsZero() {
		return err
	}
	return s.officeAgain(ctx, a, next)
}

func (s *Service) officeAgain(ctx context.Context, a concert.AuthorityID, at time.Time) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.SetClock(concert.ClockOffice, string(a), at)
		return nil
	})
}

// officeLetter is a mail to an office: a reference and where to read on, in English,
// since an office names no language.
func (s *Service) officeLetter(o concert.OrderOffice, m concert.OfficeMail) (dispatch.Letter, error) {
	l := dispatch.Letter{Tag: m.Tag, Reference: m.Ref, To: o.Email, Lang: "en", Date: time.Now(), Urgent: true}
	n := formats.OfficeMail{Kind: m.Kind, Ref: m.Ref, Minutes: m.Minutes, Base: s.BaseURL, Exercise: s.Exercise}
	var err error
	if l.Subject, err = n.Subject(); err != nil {
		return l, err
	}
	l.Text, err = n.Text()
	return l, err
}

// recordOffice writes what came of each mail to an office.
func (s *Service) recordOffice(ctx context.Context, tried []concert.OfficeMail, receipts []dispatch.Receipt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		now := s.now()
		saved := make([]concert.OfficeMail, len(tried))
		for i, m := range tried {
			r := receipts[i]
			m.Attempts, m.Evidence, m.NextAt = m.Attempts+1, r.Evidence, time.Time{}
			if r.Outcome == dispatch.Accepted {
				m.SentAt = now
			} else if delay, giveUp := dispatch.NextAttempt(m.Attempts, r, mathrand.Float64()); !giveUp {
				m.NextAt = now.Add(delay)
			} else {
				s.Log.Error("a mail to an authority's office was given up: its people are told at their desk alone", "authority", m.Authority, "about", m.Ref, "evidence", m.Evidence)
			}
			saved[i] = m
		}
		return tx.SaveOfficeMails(ctx, saved)
	})
}

// newMailTag draws the tag of a mail.
func newMailTag() string {
	var tag [10]byte
	rand.Read(tag[:])
	return dispatch.MailTag(tag)
}
