package casework

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/formats"
	"concert/internal/store"
)

// receivedMost bounds the inbox of a provider's own desk.
const receivedMost = 500

// alarmMailTerm bounds how long the relay may take for the mail of alarms.
const alarmMailTerm = 5 * time.Second

// NewHost makes the provider whose own desk this is and its first person, who answers and
// brings in others, once: on a database that has people it is refused.
func (s *Service) NewHost(ctx context.Context, by concert.Actor, host concert.Provider, first concert.Person) (Added, error) {
	host.Channel, host.Kind = concert.ChannelPull, cmp.Or(host.Kind, "hosting")
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		people, err := tx.People(ctx)
		if err == nil && len(people) > 0 {
			err = concert.Refuse(concert.Conflict, "person.first", "", "this deployment has people already: an administrator adds more")
		}
		return err
	})
	if err != nil {
		return Added{}, err
	}
	host, _, err = s.AddProvider(ctx, by, host, false)
	if err != nil {
		return Added{}, err
	}
	first.Roles = []concert.Role{concert.RoleProviderAnswerer, concert.RoleProviderAdmin}
	return s.AddPerson(ctx, by, first, "", host.Ref, "")
}

// ReceivedView is what came in, with its hub and its hour.
type ReceivedView struct {
	concert.Received
	From     concert.Hub
	Hour     concert.Deadline // zero where there is none
	Waiting  int              // answers that have not reached the hub
	Items    []concert.ReceivedItem
	Posts    []concert.ReceivedPost
	Kept     []KeptView
	Disputes []DisputeView
}

// ReceivedInbox is the desk's inbox: orders that bind by the time that is left, then
// orders that are not valid, then referrals that wait, oldest first, then the rest.
func (s *Service) ReceivedInbox(ctx context.Context, scope concert.Scope, status concert.ReceivedStatus) ([]ReceivedView, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.Actor().MayReceive(); err != nil {
		return nil, err
	}
	var out []ReceivedView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		all, err := tx.ReceivedList(ctx, status, receivedMost)
		if err != nil {
			return err
		}
		hours, err := tx.ReceivedDeadlines(ctx, concert.TermRemoval)
		if err != nil {
			return err
		}
		waiting, err := tx.WaitingPosts(ctx)
		if err != nil {
			return err
		}
		hubs, err := tx.Hubs(ctx)
		if err != nil {
			return err
		}
		for _, r := range all {
			v := ReceivedView{Received: r, Hour: hours[string(r.ID)], Waiting: waiting[r.ID]}
			if i := slices.IndexFunc(hubs, func(h concert.Hub) bool { return h.ID == r.Hub }); i >= 0 {
				v.From = hubs[i]
			}
			out = append(out, v)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b ReceivedView) int {
		if n := cmp.Compare(a.rank(), b.rank()); n != 0 {
			return n
		}
		switch a.rank() {
		case 0:
			return a.Hour.DueAt.Compare(b.Hour.DueAt)
		case 4:
			return b.ReceivedAt.Compare(a.ReceivedAt)
		}
		return a.ReceivedAt.Compare(b.ReceivedAt)
	})
	return out, err
}

// rank is where it stands in the inbox.
func (v ReceivedView) rank() int {
	switch {
	case v.Kind == concert.ReceivedOrder && v.Status == concert.ReceivedOpen:
		return 0
	case v.Kind == concert.ReceivedOrder && v.Status == concert.ReceivedImpeded:
		return 1
	case v.Status == concert.ReceivedUnproven:
		return 2
	case v.Status == concert.ReceivedOpen:
		return 3
	}
	return 4
}

// ReadReceived is one of them, with all that belongs to it.
func (s *Service) ReadReceived(ctx context.Context, scope concert.Scope, ref string) (ReceivedView, error) {
	var v ReceivedView
	if err := scope.Check(); err != nil {
		return v, err
	}
	if err := scope.Actor().MayReceive(); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		v = ReceivedView{}
		if v.Received, err = tx.Received(ctx, ref); err != nil {
			return err
		}
		if v.From, err = tx.Hub(ctx, string(v.Hub)); err != nil {
			return err
		}
		if v.Hour, err = tx.ReceivedDeadline(ctx, string(v.ID), concert.TermRemoval); err != nil && !errors.Is(err, concert.ErrNotFound) {
			return err
		}
		if v.Items, err = tx.ReceivedItems(ctx, v.ID); err != nil {
			return err
		}
		if v.Posts, err = tx.Posts(ctx, v.ID); err != nil {
			return err
		}
		kept, err := s.kept(ctx, tx)
		if err != nil {
			return err
		}
		v.Kept = slices.DeleteFunc(kept, func(k KeptView) bool { return k.Received != v.ID })
		disputes, err := s.disputes(ctx, tx)
		v.Disputes = slices.DeleteFunc(disputes, func(c DisputeView) bool { return c.Received != v.ID })
		return err
	})
	for _, p := range v.Posts {
		if p.State == concert.PostWaiting {
			v.Waiting++
		}
	}
	return v, err
}

// ReceivedOriginal is it as it came: an order's file, which concert order verify checks,
// or a referral with its envelope.
func (s *Service) ReceivedOriginal(ctx context.Context, scope concert.Scope, ref string) ([]byte, error) {
	v, err := s.ReadReceived(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	var raw []byte
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		raw, err = tx.ReceivedOriginal(ctx, v.ID)
		return err
	})
	return raw, err
}

// ReceivedDocument is an order as Annex I, a PDF. One that is invalid is not drawn: nobody
// is to act on what it says.
func (s *Service) ReceivedDocument(ctx context.Context, scope concert.Scope, ref, lang string) ([]byte, error) {
	v, err := s.ReadReceived(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	if v.Kind != concert.ReceivedOrder || len(v.Items) == 0 {
		return nil, concert.Refuse(concert.Conflict, "received.document", "", "%s is not drawn as a form: it is no order, or one of which nothing is to be believed", v.Ref)
	}
	file, err := s.ReceivedOriginal(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	var f concert.OrderFile
	var p concert.OrderPayload
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fmt.Errorf("file of %s: %w", v.Ref, err)
	}
	if err := json.Unmarshal(f.Envelope.Payload, &p); err != nil {
		return nil, fmt.Errorf("payload of %s: %w", v.Ref, err)
	}
	return formats.OrderPDF(lang, p, formats.AnnexOptions{File: file, Standalone: true})
}

// ReceivedStatements are drafts of a statement of reasons (DSA Art. 17) for the items of
// a referral that the provider restricted. For an order there is none: Art. 17(5) leaves
// orders out.
func (s *Service) ReceivedStatements(ctx context.Context, scope concert.Scope, ref string) ([]formats.Statement, error) {
	v, err := s.ReadReceived(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	if v.Kind != concert.ReceivedReferral {
		return nil, concert.Refuse(concert.Conflict, "received.statement", "", "%s is an order: a statement of reasons is owed for your own decisions, not for an order (Regulation (EU) 2022/2065 Art. 17(5))", v.Ref)
	}
	var out []formats.Statement
	for _, it := range v.Items {
		o := concert.OwnItem{Item: concert.Item{Ref: it.Ref, Type: it.Place.Type}, RefRef: v.Theirs}
		o.Said.Language = it.Place.Language
		if d, ok := formats.StatementOf(o, concert.Answer{Code: concert.AnswerCode(it.Code), At: it.At}, v.Author); ok {
			out = append(out, d)
		}
	}
	return out, nil
}

// mailAlarms tells the host's contact address of alarms, where mail is set up: the page
// shows them anyway.
func (s *Service) mailAlarms(ctx context.Context, alarms []receivedAlarm) {
	ctx, stop := context.WithTimeout(ctx, alarmMailTerm) // other alarms wait for it
	defer stop()
	if s.Mailer == nil || len(alarms) == 0 {
		return
	}
	var host concert.Provider
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		hosts, err := tx.Providers(ctx)
		if err == nil && len(hosts) > 0 {
			host = hosts[0]
		}
		return err
	})
	if err != nil || !concert.PlainMailbox(host.Contact) {
		return
	}
	letters := make([]dispatch.Letter, len(alarms))
	for i, a := range alarms {
		var tag [10]byte
		rand.Read(tag[:])
		text := fmt.Sprintf("%s: the term %q ends at %s; %d minutes are left.\n\n%s/received/%s\n", a.of.Ref, a.term, a.due.UTC().Format(time.RFC3339), int(a.left/time.Minute), s.BaseURL, a.of.Ref)
		letters[i] = dispatch.Letter{Tag: dispatch.MailTag(tag), Reference: a.of.Ref, To: host.Contact, Subject: fmt.Sprintf("%s: %d minutes left", a.of.Ref, int(a.left/time.Minute)), Text: text, Lang: "en", Date: time.Now(), Urgent: true}
	}
	for _, r := range s.Mailer.Send(ctx, letters) {
		if r.Err != nil {
			s.Log.Warn("an alarm could not be mailed: it stands on the page", "err", r.Err)
		}
	}
}
