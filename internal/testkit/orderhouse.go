package testkit

import (
	"testing"

	"concert"
	"concert/internal/casework"
)

// Competent is a furnished house in which an authority of Spain issues removal orders, one of Ireland scrutinises, and the hooked
// provider is established in Ireland.
type Competent struct {
	*House
	Spain, Ireland           concert.Authority
	Officer, Second, Issuer  concert.Actor // of Spain: who drafts, who reviews, who issues
	IrishOfficer, IrishJudge concert.Actor
}

// FurnishCompetent furnishes the service so.
func FurnishCompetent(t testing.TB, s *casework.Service) *Competent {
	t.Helper()
	c := &Competent{House: Furnish(t, s)}
	authority := func(name, country, unit string, functions ...concert.Function) concert.Authority {
		a, err := s.AddAuthority(t.Context(), c.Admin, concert.Authority{Name: "EXERCISE Authority " + name, Country: country, Kind: concert.KindCompetent, Unit: unit, Contact: "EXERCISE desk " + name})
		Must(t, err)
		c.Office(a, functions...)
		return a
	}
	c.Spain = authority("Spain", "ES", "CAES", concert.FunctionIssue)
	c.Ireland = authority("Ireland", "IE", "CAIE", concert.FunctionIssue, concert.FunctionScrutinise)
	c.Officer = c.Person("es-officer", c.Spain.Ref, "", concert.RoleOfficer)
	c.Second = c.Person("es-reviewer", c.Spain.Ref, "", concert.RoleReviewer)
	c.Issuer = c.Person("es-issuer", c.Spain.Ref, "", concert.RoleIssuer)
	c.IrishOfficer = c.Person("ie-officer", c.Ireland.Ref, "", concert.RoleOfficer)
	c.IrishJudge = c.Person("ie-issuer", c.Ireland.Ref, "", concert.RoleIssuer)
	Must(t, s.JoinAction(t.Context(), c.Coordinator, c.Action.Ref, c.Spain.Ref, concert.PartSupport))
	Must(t, s.JoinAction(t.Context(), c.Coordinator, c.Action.Ref, c.Ireland.Ref, concert.PartSupport))
	Must(t, s.SeatProvider(t.Context(), c.Admin, c.Hooked.Ref, concert.Seat{Establishment: "IE"}))
	return c
}

// Office gives an authority its functions, by two administrators.
func (c *Competent) Office(a concert.Authority, functions ...concert.Function) {
	c.t.Helper()
	Must(c.t, c.ProposeOffice(c.t.Context(), c.Admin, a.Ref, concert.OrderOffice{Kind: concert.OrderByLawEnforcement, Functions: functions, Address: "EXERCISE Street 1", Telephone: "+000 EXERCISE", Email: "orders@authority.example"}))
	Must(c.t, c.ConfirmOffice(c.t.Context(), c.SecondAdmin, a.Ref))
}

// Draft is a sound draft about items.
func Draft(items ...string) casework.OrderDraft {
	d := casework.OrderDraft{Language: "en", OrderText: concert.OrderText{
		Statement:  "EXERCISE: the made-up video carries a made-up logo and calls, in the second minute, for an attack that nobody will make.",
		LegalBasis: []string{"Regulation (EU) 2021/784, Article 3(1)"}, Representative: "EXERCISE Representative", Post: "EXERCISE Inspector", FileNo: "EXERCISE-1/2026"}}
	for _, it := range items {
		d.Items = append(d.Items, casework.OrderDraftItem{Item: it})
	}
	return d
}

// Judged takes a place from a find of the Spanish authority to its assessment.
func (c *Competent) Judged(place string) string {
	c.t.Helper()
	return c.Assess(c.Officer, c.Submit(c.Officer, place))[0].Ref
}

// Reviewed takes a draft to its review.
func (c *Competent) Reviewed(d casework.OrderDraft) concert.Order {
	c.t.Helper()
	o, err := c.DraftOrder(c.t.Context(), c.Officer, d)
	Must(c.t, err)
	o, err = c.ReviewOrder(c.t.Context(), c.Second, o.Ref, o.Version)
	Must(c.t, err)
	return o
}

// Urgent is the draft as an emergency, which spares the twelve hours.
func Urgent(d casework.OrderDraft) casework.OrderDraft {
	d.Emergency, d.EmergencyGround = true, "EXERCISE: the attack that it calls for is announced for tonight."
	return d
}

// Issued takes a place to an order that was issued in an emergency.
func (c *Competent) Issued(place string) concert.Order {
	c.t.Helper()
	o := c.Reviewed(Urgent(Draft(c.Judged(place))))
	o, err := c.ApproveOrder(c.t.Context(), c.Issuer, o.Ref, o.Version)
	Must(c.t, err)
	return o
}
