package exercise

import (
	"fmt"
	"time"
)

// PlanOneHour is the name of the second plan: removal orders, all in one hour.
const PlanOneHour = "one-hour"

// MinOrders is the fewest issued orders with which every ending still occurs.
const MinOrders = 30

// hourLast is up to when in the hour orders are issued.
const hourLast = 58 * time.Minute

// hourStates are those of the issuing authorities and of the providers: the states of
// whose remedies law/redress.json speaks. All else of the plan is invented.
var hourStates = [10]string{"AT", "BE", "DE", "ES", "FR", "IE", "IT", "NL", "PL", "SE"}

// bareState is the state of an authority more, of whose remedies nothing is written: its
// orders are refused.
const bareState = "MT"

// bareAuthority is the index of that authority, behind those of hourStates.
const bareAuthority = len(hourStates)

// hourProviders is how many providers there are.
const hourProviders = 30

// hourPlan is one provider of the plan.
type hourPlan struct {
	key, name, kind, state, domain, host string
	conduct                              conduct
}

// hourConducts are those of the providers that are no model: by their index.
var hourConducts = map[int]conduct{
	1:  {slow: 300 * time.Millisecond},
	4:  {busy: 3 * time.Minute},
	7:  {sick: 2 * time.Minute, dead: time.Minute},
	10: {gone: true},
	13: {pull: true},
	17: {pull: true},
	23: {pull: true},
}

// hourProvider is the provider of an index: three are seated in each state.
func hourProvider(i int) hourPlan {
	kinds := [5]string{"hosting", "social", "messaging", "hosting", "cdn"}
	key := fmt.Sprintf("host%02d", i+1)
	domain := key + "-eg.example"
	return hourPlan{key: key, name: fmt.Sprintf("Host %02d (EXERCISE)", i+1), kind: kinds[i%len(kinds)], state: hourStates[i%len(hourStates)], domain: domain, host: "www." + domain, conduct: hourConducts[i]}
}

// ending is what becomes of an order.
type ending uint8

const (
	endRemoved     ending = iota // within its hour
	endDisabled                  // within its hour
	endParts                     // one place after the other, in two answers
	endLate                      // after its hour
	endForce                     // force majeure, then over, then removed
	endManifest                  // manifest errors, clarified, then removed
	endRecalled                  // manifest errors, withdrawn by its authority
	endUnclear                   // insufficient information, clarified, then removed
	endSilence                   // no answer, for good
	endEmergency                 // issued without a first contact, then removed
	endSecret                    // the content provider is not told for six weeks
	endUndone                    // removed, then withdrawn by its authority
	endRewritten                 // returned by its reviewer, written anew, then removed
	endConfirmed                 // removed, and the authority of its provider's state finds no infringement (Art. 4(3))
	endVoid                      // removed, and found to infringe: void, and reinstated (Art. 4(6))
	endDropped                   // given up before it was issued; none from here on is issued
	endHeld                      // refused: another authority asks to keep off (G07)
	endExempt                    // refused: its assessment says exempt (Art. 1(3))
	endTwice                     // refused: an order for this place stands (G08)
	endOther                     // refused: another state's authority judged the place (G08)
	endWithoutText               // refused: nothing is written about redress in its state (G15)
	endings
)

// endingNames name them in the outcome and in the table of orders.
var endingNames = [endings]string{"removed", "access_disabled", "in_two_answers", "late", "force_majeure", "manifest_errors_clarified", "manifest_errors_withdrawn", "insufficient_clarified", "silence",
	"emergency", "non_disclosure", "withdrawn_after_execution", "returned_and_rewritten", "scrutinised_and_confirmed", "scrutinised_and_void", "dropped", "refused_hold", "refused_exempt", "refused_duplicate", "refused_other_authority", "refused_no_redress"}

func (e ending) String() string { return endingNames[e] }

// issued reports whether an order with this ending leaves the house.
func (e ending) issued() bool { return e < endDropped }

// executed reports whether its provider says in the end that it was carried out.
func (e ending) executed() bool {
	return e.issued() && e != endSilence && e != endRecalled
}

// scrutinised reports whether the authority of the provider's state scrutinises the
// order of its own motion.
func (e ending) scrutinised() bool { return e == endConfirmed || e == endVoid }

// refusal is the code with which an order with this ending is refused, "" for none.
func (e ending) refusal() string {
	switch e {
	case endHeld:
		return "order.held"
	case endExempt:
		return "order.exempt"
	case endTwice:
		return "order.duplicate"
	case endOther:
		return "order.items"
	case endWithoutText:
		return "law.redress"
	}
	return ""
}

// impossible is the reason of Annex III that its provider gives first, "" for none.
func (e ending) impossible() string {
	switch e {
	case endForce:
		return "force_majeure"
	case endManifest, endRecalled:
		return "manifest_errors"
	case endUnclear:
		return "insufficient_information"
	}
	return ""
}

// status is where the order stands after the hour.
func (e ending) status() string {
	switch e {
	case endSilence:
		return "received"
	case endRecalled, endUndone:
		return "withdrawn"
	case endDropped:
		return "dropped"
	}
	return "executed"
}

// endingShares are parts of one; what is left is endRemoved.
var endingShares = []struct {
	ending ending
	share  float64
}{
	{endDisabled, .12}, {endParts, .04}, {endLate, .04}, {endForce, .02}, {endManifest, .02}, {endRecalled, .01}, {endUnclear, .02}, {endSilence, .03}, {endEmergency, .03}, {endSecret, .03}, {endUndone, .015}, {endRewritten, .02}, {endConfirmed, .02}, {endVoid, .015},
	{endDropped, .02}, {endHeld, .015}, {endExempt, .015}, {endTwice, .01}, {endOther, .01}, {endWithoutText, .01},
}
