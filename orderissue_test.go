package concert_test

import (
	"errors"
	"testing"
	"time"

	"concert"
)

// What stands in an order's way when it goes, each alone (G03, G04, G06, G07, G08, G10, G15). Some of it is refused before, when the order is drafted,
// and looked at again here, since the world moves on between the two.
func TestG08G10G15NothingStandsInTheWayOfAnOrderThatGoes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	sound := func() (concert.Order, concert.OrderFacts) {
		o := concert.Order{ID: "o", Ref: "RO-1", Status: concert.OrderApproved, Authority: "spain", Provider: "host", Drafter: "ana", Reviewer: "berta", Approver: "carlos"}
		f := concert.OrderFacts{Author: concert.Authority{ID: "spain", Country: "ES"}, Office: concert.OrderOffice{Functions: []concert.Function{concert.FunctionIssue}}, Provider: concert.Provider{ID: "host", Name: "EXERCISE Host"}, Seat: concert.Seat{Establishment: "IE"},
			ContactPoint: "EXERCISE", First: concert.FirstContact{NoticedAt: now.Add(-13 * time.Hour), DueAt: now.Add(-time.Hour)}, Copy: &concert.OrderContact{}, Copied: "ireland"}
		for _, p := range []concert.RedressParty{concert.RedressProvider, concert.RedressContent} {
			f.Redress = append(f.Redress, concert.OrderRedress{For: p, Body: "EXERCISE Court", Deadline: "P2M", AsOf: "2026-01-01"})
		}
		f.Subjects = []concert.OrderSubject{{Item: concert.Item{ID: "i", Ref: "IT-1", Provider: "host", Author: "spain", Assessment: "a", Status: concert.ItemAssessed}, Assessment: concert.Assessment{Type: concert.Incites, Purpose: concert.PurposeNone},
			Capture: concert.Capture{ID: "c", Item: "i", Authority: "spain", SeenAt: now.Add(-time.Hour)}}}
		return o, f
	}
	issuer := concert.Actor{Person: "carlos", Authority: "spain", Roles: []concert.Role{concert.RoleIssuer}}
	for _, c := range []struct {
		name   string
		change func(*concert.Order, *concert.OrderFacts)
		want   string
	}{
		{"nothing", func(*concert.Order, *concert.OrderFacts) {}, ""},
		{"nobody approved", func(o *concert.Order, _ *concert.OrderFacts) { o.Approver = "" }, "order.unapproved"},
		{"its author approved", func(o *concert.Order, _ *concert.OrderFacts) { o.Approver = "ana" }, "order.unapproved"},
		{"the function is gone", func(_ *concert.Order, f *concert.OrderFacts) { f.Office.Functions = nil }, "order.function"},
		{"found exempt", func(_ *concert.Order, f *concert.OrderFacts) {
			f.Subjects[0].Assessment.Purpose = concert.PurposeExempt
		}, "order.exempt"},
		{"its capture is old", func(_ *concert.Order, f *concert.OrderFacts) {
			f.Subjects[0].Capture.SeenAt = now.AddDate(0, 0, -8)
		}, "assessment.capture"},
		{"seen down", func(_ *concert.Order, f *concert.OrderFacts) { f.Subjects[0].Item.Status = concert.ItemClosed }, "order.item"},
		{"no seat", func(_ *concert.Order, f *concert.OrderFacts) { f.Seat.Establishment = "" }, "order.seat"},
		{"no contact point", func(_ *concert.Order, f *concert.OrderFacts) { f.ContactPoint = "" }, "order.contact_point"},
		{"nobody gets the copy", func(_ *concert.Order, f *concert.OrderFacts) { f.Copy = nil }, "order.copy_to"},
		{"no first contact", func(_ *concert.Order, f *concert.OrderFacts) { f.First = concert.FirstContact{} }, "order.first_contact"},
		{"eleven hours after it", func(_ *concert.Order, f *concert.OrderFacts) { f.First.DueAt = now.Add(time.Hour) }, "order.first_contact"},
		{"the same in an emergency", func(o *concert.Order, f *concert.OrderFacts) { o.Emergency, f.First.DueAt = true, now.Add(time.Hour) }, ""},
		{"no redress for the provider", func(_ *concert.Order, f *concert.OrderFacts) { f.Redress = f.Redress[1:] }, "order.redress"},
		{"no redress for the content provider", func(_ *concert.Order, f *concert.OrderFacts) { f.Redress = f.Redress[:1] }, "order.redress"},
		{"a redress without its date", func(_ *concert.Order, f *concert.OrderFacts) { f.Redress[0].AsOf = "" }, "order.redress"},
		{"another order stands", func(_ *concert.Order, f *concert.OrderFacts) {
			f.Others = []concert.Order{{ID: "other", Ref: "RO-2", Status: concert.OrderIssued}}
		}, "order.duplicate"},
		{"another was withdrawn", func(_ *concert.Order, f *concert.OrderFacts) {
			f.Others = []concert.Order{{ID: "other", Ref: "RO-2", Status: concert.OrderWithdrawn}}
		}, ""},
		{"a hold", func(_ *concert.Order, f *concert.OrderFacts) { f.Holds = []concert.Hold{{ID: "h"}} }, concert.CodeOrderHeld},
	} {
		o, f := sound()
		c.change(&o, &f)
		next, _, err := o.Issued(issuer, f, now)
		var e *concert.Error
		switch {
		case c.want == "" && (err != nil || next.Status != concert.OrderIssued):
			t.Errorf("%s: %s, %v", c.name, next.Status, err)
		case c.want != "" && (!errors.As(err, &e) || e.Code != c.want):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
