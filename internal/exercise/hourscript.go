package exercise

import (
	"fmt"
	"time"

	"concert"
	"concert/api"
)

// What a hash of an order is drawn for, beside those of fate.go.
const (
	drawEnding = 100 + iota
	drawHost
	drawIssuer
	drawThink
	drawPlaces
	drawReason
)

// hourScript is the plan for one seed and number of orders: what becomes of each order
// number.
type hourScript struct {
	script        // for its draws
	total  uint32 // order numbers 0 to total-1
	first  map[uint32]bool
}

// newHourScript walks the numbers until exactly so many orders are issued; the first
// numbers hold every ending and every provider.
func newHourScript(seed uint64, orders int) *hourScript {
	s := &hourScript{script: script{seed: seed}, first: map[uint32]bool{}}
	for left := orders; left > 0 || s.total < uint32(MinOrders+endings-endDropped); s.total++ {
		if s.ending(s.total).issued() {
			left--
		}
	}
	met := map[[2]int]bool{}
	for n := range s.total {
		pair := [2]int{s.authority(n), s.provider(n)}
		switch e := s.ending(n); {
		case e == endEmergency, !e.issued() && e != endHeld, met[pair]:
		default:
			met[pair], s.first[n] = true, true
		}
	}
	return s
}

// ending is what becomes of an order. The first MinOrders numbers are issued: one for
// each ending that is, and then one for each provider that is left; behind them come
// those that are not.
func (s *hourScript) ending(n uint32) ending {
	switch {
	case n < uint32(endDropped):
		return ending(n)
	case n < MinOrders:
		return endRemoved
	case n < uint32(MinOrders+endings-endDropped):
		return endDropped + ending(n-MinOrders)
	}
	at := s.part(n, drawEnding)
	for _, x := range endingShares {
		if at -= x.share; at < 0 {
			return x.ending
		}
	}
	return endRemoved
}

// provider is the index of the order's addressee.
func (s *hourScript) provider(n uint32) int {
	switch e := s.ending(n); {
	case e == endTwice || e == endOther:
		return s.provider(s.partner(n))
	case n < MinOrders:
		return (int(n) + s.pick(0, drawHost, hourProviders)) % hourProviders
	}
	return s.pick(n, drawHost, hourProviders)
}

// authority is the index of the order's author: three write to each provider, and a
// fourth in an emergency or about what another one judged.
func (s *hourScript) authority(n uint32) int {
	at := 7*s.provider(n) + 1
	switch s.ending(n) {
	case endWithoutText:
		return bareAuthority
	case endTwice:
		return s.authority(s.partner(n))
	case endOther, endEmergency:
		return (at + 1) % len(hourStates)
	}
	a := (at + 3*s.pick(n, drawIssuer, 3)) % len(hourStates)
	if a == s.scrutiniser(n) && s.ending(n).scrutinised() {
		a = (a + 3) % len(hourStates) // only orders of another state are scrutinised
	}
	return a
}

// scrutiniser is the authority of the addressee's state, which has a copy of the order
// where it did not issue it.
func (s *hourScript) scrutiniser(n uint32) int { return s.provider(n) % len(hourStates) }

// partner is the earlier order on whose place a second one is tried.
func (s *hourScript) partner(n uint32) uint32 {
	for m := n - 1; ; m-- {
		if e := s.ending(m); e == endRemoved || e == endDisabled {
			return m
		}
	}
}

// holder is the authority that asks all others to keep off the place of an order.
func (s *hourScript) holder(n uint32) int { return (s.authority(n) + 5) % len(hourStates) }

// moment is when in the hour the order is issued, or refused.
func (s *hourScript) moment(n uint32) time.Duration {
	return hourLast * time.Duration(n) / time.Duration(s.total)
}

// think is how long after its receipt the provider gives its first answer.
func (s *hourScript) think(n uint32) time.Duration {
	if s.ending(n) == endLate {
		return 63 * time.Minute
	}
	return time.Duration(3+s.pick(n, drawThink, 17)) * time.Minute
}

// places is how many items the order is about.
func (s *hourScript) places(n uint32) int {
	switch e := s.ending(n); {
	case e == endTwice || e == endOther:
		return 1
	case e == endParts:
		return 2 + s.pick(n, drawPlaces, 2)
	case s.pick(n, drawPlaces, 5) == 0:
		return 2
	}
	return 1
}

// placesMost is how many items an order has at most, so that an item's number tells its
// order's.
const placesMost = 4

// place is where an item of the order lies.
func (s *hourScript) place(n uint32, k int) string {
	if e := s.ending(n); e == endTwice || e == endOther {
		return s.place(s.partner(n), k)
	}
	return "http://" + hourProvider(s.provider(n)).host + "/e/" + token(n*placesMost+uint32(k))
}

// capture are the invented bytes of an item.
func (s *hourScript) capture(n uint32, k int) []byte {
	text := fmt.Sprintf("EXERCISE order work %x-%d-%d", s.seed, n, k)
	return picture(s.draw(n*placesMost+uint32(k), drawWork), text)
}

// assessment is the officer's judgement of what the order is about.
func (s *hourScript) assessment(n uint32, outlet string) api.NewAssessment {
	t := s.contentType(n)
	a := api.NewAssessment{Type: string(t), Purpose: string(concert.PurposeNone), Outlet: outlet, Mark: outlets[0].mark, MarkWhere: wheres[s.pick(n, drawLook, len(wheres))], Language: "en", Severity: string(concert.SeveritySerious), Evaluation: "A1",
		Facts: fmt.Sprintf("EXERCISE %s: %s", token(n), scenes[s.pick(n, drawText, len(scenes))]), Judgement: "EXERCISE: " + reasons[t]}
	if s.ending(n) == endExempt {
		a.Purpose = string(concert.PurposeExempt)
		a.Judgement = "EXERCISE: a made-up news report shows the scene in order to inform; Art. 1(3) protects it."
	}
	return a
}

// order is the order as its author writes it.
func (s *hourScript) order(n uint32, items []string, anew bool) api.NewOrder {
	in := api.NewOrder{Language: "en", LegalBasis: []string{"Regulation (EU) 2021/784, Article 3(1)", "EXERCISE Act (invented), section 1"},
		Statement:      fmt.Sprintf("EXERCISE order %d: %s %s The invented outlet's mark shows, and the exercise treats it as terrorist content.", n, scenes[s.pick(n, drawText, len(scenes))], reasons[s.contentType(n)]),
		Representative: "EXERCISE Representative", Post: "EXERCISE Inspector", FileNo: fmt.Sprintf("EXERCISE-%d/2026", n+1)}
	if anew {
		in.Statement += " Written anew: the place in the text is named."
	}
	for _, it := range items {
		in.Items = append(in.Items, api.NewOrderItem{Item: it, Additional: "EXERCISE: the entry with this address, not its page of comments."})
	}
	switch s.ending(n) {
	case endSecret:
		in.Silent, in.SilenceGround = true, "EXERCISE: an invented arrest is planned, and telling the content provider would warn its people."
	case endEmergency:
		in.Emergency, in.EmergencyGround = true, "EXERCISE: the invented attack that it calls for is announced for tonight."
	}
	return in
}

// foreseen are the numbers that an hour ends with, by the names of HourCounts.
func (s *hourScript) foreseen() HourCounts {
	c := HourCounts{RefusedBy: map[string]int{}, ImpossibleBy: map[string]int{}, Endings: map[string]int{}}
	for n := range s.total {
		c.add(s.ending(n))
	}
	return c
}

// add counts an order that ended as planned.
func (c *HourCounts) add(e ending) {
	c.Endings[e.String()]++
	if code := e.refusal(); code != "" {
		c.RefusedBy[code]++
	}
	switch {
	case e == endDropped:
		c.Dropped++
	case e.issued():
		c.Issued++
		c.Received++
	}
	if e.executed() {
		c.Executed++
	}
	switch {
	case e == endLate:
		c.Late++
		c.Missed++
	case e == endSilence:
		c.Missed++
	case e.executed():
		c.InTime++
	}
	if why := e.impossible(); why != "" {
		c.ImpossibleBy[why]++
		if e != endRecalled {
			c.Clarified++
		}
	}
	if e == endRecalled || e == endUndone {
		c.Withdrawn++
	}
	if e == endVoid {
		c.Void++
	}
	if e == endSecret {
		c.Lapsed++
	}
}

// HourCounts are the numbers of an hour.
type HourCounts struct {
	Issued       int            `json:"orders_issued"`
	Received     int            `json:"orders_received"`
	Executed     int            `json:"executed"`
	InTime       int            `json:"executed_in_time"` // before the hour of their receipt, or of the clarification, was over
	Late         int            `json:"executed_late"`
	Missed       int            `json:"missed"` // hours that ended without an answer: the late and the silent
	Clarified    int            `json:"clarified"`
	Withdrawn    int            `json:"withdrawn"`
	Void         int            `json:"void"`
	Dropped      int            `json:"dropped"`
	Lapsed       int            `json:"non_disclosure_lapsed"`
	RefusedBy    map[string]int `json:"refused_by_reason"`
	ImpossibleBy map[string]int `json:"annex_iii_by_reason"`
	Endings      map[string]int `json:"endings"`
}
