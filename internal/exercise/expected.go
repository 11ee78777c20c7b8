package exercise

import (
	"maps"
	"math"

	"concert"
)

// floors are the numbers of Expected that are least numbers: what goes beyond
// depends on how often the server looks again, reminds and tries, and on which
// approvals it draws for a second look, which nobody can foresee.
var floors = map[concert.Metric]bool{
	concert.Acknowledged: true, concert.RecheckedN: true, concert.Down: true, concert.StillUp: true, concert.PartialN: true,
	concert.UnknownN: true, concert.HoldHits: true, concert.Referrals: true, concert.Reminders: true,
	concert.SecondLooks: true, concert.SecondAgreed: true, concert.SecondDisagreed: true,
}

// AtLeast reports whether Expected gives a least number for the metric rather
// than the number itself.
func AtLeast(metric string) bool { return floors[concert.Metric(metric)] }

// expected is what the plan foresees once everything has settled, and how many
// items each provider is sent.
func (s *script) expected() (map[string]int64, [len(providers)]int64) {
	c := map[concert.Metric]int64{
		concert.Unassessed: 0, concert.Awaiting: 0, concert.Ready: 0,
		concert.Referrals: int64(len(providers)), concert.Reminders: 1,
	}
	var sent [len(providers)]int64
	for n := range s.total {
		f := s.fate(n)
		c[concert.Unique]++
		c[concert.Duplicates] += int64(len(s.finders(n)))
		switch f {
		case toGuard:
			c[concert.Guarded]++
		case toUnscope:
			c[concert.OutOfScope]++
		case toExempt, toReject:
			c[concert.Rejected]++
		case toHold:
			c[concert.Held]++
		case toTakeBackHeld:
			c[concert.TakenBack]++
			c[concert.WithdrawnN]++
		case toTakeBackSent:
			c[concert.WithdrawnN]++
		case toCorrect:
			c[concert.Corrected]++
		}
		if f.held() {
			c[concert.HoldHits]++
		}
		if !f.referred() {
			continue
		}
		c[concert.ReferredN]++
		c[concert.UnitOf(s.kind(n))]++
		sent[s.provider(n)]++
		if f != toTakeBackSent {
			c[concert.Acknowledged]++
		}
		s.foresee(c, n)
	}
	c[concert.Submitted] = c[concert.Unique] + c[concert.Duplicates]
	c[concert.Assessed] = c[concert.Unique] - c[concert.Guarded] - c[concert.OutOfScope]
	c[concert.Approved] = c[concert.Assessed] - c[concert.Rejected]
	c[concert.SecondWaiting] = 0
	c[concert.SecondAgreed] = leastDrawn(c[concert.Approved], drawShare*(1-doubtShare))
	c[concert.SecondDisagreed] = leastDrawn(c[concert.Approved], drawShare*doubtShare)
	c[concert.SecondLooks] = c[concert.SecondAgreed] + c[concert.SecondDisagreed]
	out := make(map[string]int64, len(c))
	for m, n := range c {
		out[string(m)] = n
	}
	return out, sent
}

// drawShare is the part of approvals that the server draws for a second look.
const drawShare = .02

// leastDrawn is how many of n, each drawn with this share, come out at the very
// least: six standard deviations below their mean, one run in a billion.
func leastDrawn(n int64, share float64) int64 {
	mean := float64(n) * share
	return int64(max(0, mean-6*math.Sqrt(mean)))
}

// foresee counts what the provider says of a referred item and what its page
// then shows.
func (s *script) foresee(c map[concert.Metric]int64, n uint32) {
	o := s.outcome(n)
	switch code := concert.AnswerCode(o.answer()); {
	case code == "":
		c[concert.Silent]++
		return
	case code.Effect():
		c[concert.AnsweredN]++
		c[concert.Removed]++
	case code.Refusal():
		c[concert.AnsweredN]++
		c[concert.Refused]++
		return
	default:
		c[concert.AnsweredN]++
		c[concert.OtherAnswer]++
		if code == concert.AnswerCannotIsolate {
			c[concert.CannotIsolate]++
		}
		return
	}
	if s.kind(n) != "web" || o == saysLate {
		return
	}
	c[concert.RecheckedN]++
	switch o {
	case saysRemovedStaysUp:
		c[concert.StillUp]++
	case saysCountries:
		c[concert.PartialN]++
	case saysRestricted, saysRemovedWalled, saysRemovedSoft:
		c[concert.UnknownN]++
	case saysRemovedReturns:
		c[concert.Returned]++
	default:
		c[concert.Down]++
	}
}

// Expected is what the plan foresees once everything has settled, by metric.
// Most are exact; AtLeast names those that are least numbers.
func (w *World) Expected() map[string]int64 { return maps.Clone(w.expected) }
