// Package concert holds the words and the rules of acting in concert against
// terrorist content online. Values go in, values and Events come out: no
// input, no output, no context, no clock.
//
// The law's own words win. An [Item] is one piece of suspected content at one
// place. A [Sighting] says which authority found it and when. An [Assessment]
// judges it (Regulation (EU) 2021/784 Art. 2(7), Art. 1(3)); an [Approval] by
// a second person confirms the judgement. A [Referral] asks one [Provider] to
// look at several items under its own terms: it is voluntary, and is not, and
// can never become, a removal order (which is another type, in package order).
// A [Delivery] climbs a ladder of evidence; an [Answer] is what the provider
// claims; a [Recheck] is what we observe ourselves. A [Hold] keeps others off
// without telling why. A [Remedy] takes back or corrects. An [Action] is a
// joint action of many authorities. An [Event] is what happened: the only
// history, each with a salted leaf in the transparency log.
package concert
