// Package exercise is the simulated world of `concert exercise`: authorities
// that find and judge, providers that answer, and the content itself, all made
// up and marked EXERCISE. It speaks the public API over HTTP and nothing else;
// what happens on the other side is the program under rehearsal.
//
// The invariant: what becomes of item number n is a pure function of (seed, n).
// The number stands in the item's invented place (its token, ex and digits), so
// that providers and pages need no memory of items but one bit: acted or not.
// Idempotency-Keys come from the seed and the numbers, so that a killed run can
// be started again over the same database.
//
// # Plan november-2019
//
// The measure is the joint referral action of 21 to 24 November 2019 at
// Europol: 12 Member States, 9 online service providers, more than 26,000
// items referred, led by a Belgian investigating judge with the Belgian Federal
// Prosecutor, supported by Eurojust; only branded propaganda was referred, and
// each provider decided under its own terms. Those figures are public. All else
// is invented: which states, all names, hosts (under .example only), outlets,
// the designating acts, the shares below and every place and text.
//
// Parties: 12 referral units with two officers and three reviewers each, a
// coordinator, an investigating judge as lead, an auditor, 9 providers. The
// scope list has eight outlets under two parents; three outlets were never
// listed and one was taken off the day before.
//
// Of the item numbers, by hash: guarded 3 % (bare domains, searches, tags),
// out of scope 3 %, exempt under Art. 1(3) 2 %, rejected by the reviewer 2 %,
// held by another authority 2 % (two fifths released and then referred, a fifth
// taken back by the author, the rest held to the end), withdrawn after sending
// 0.3 %, corrected 0.1 %; 1.5 % need two approvals: unbranded, half of them
// deposited in an invented university library. The numbers are walked until
// exactly Config.Items are destined to be referred. About 30 % of the
// submissions are of places that another unit found too, some in another
// spelling.
//
// Each item comes with a small capture: the invented bytes of its work, a text or
// a picture. Of a share of works (Config.Media) copies are drawn pictures and short
// clips, most of them altered as people alter copies; what the server finds of
// those by content is counted at the end (docs/known-alterations.md). One in a hundred was seen thirty hours ago, so that its assessment
// is refused and the capture taken anew; one in five hundred is marked as
// evidence of an atrocity, and is referred only once somebody preserves it.
//
// About ten items each are copies of one invented work, at one provider, found
// by one unit, of one outlet. A reviewer opens the first copy of a batch and
// decides on it alone, and on whatever needs several approvals; further copies
// are approved together. Of the approvals that the server draws for a blind
// second look, which no plan can foresee, one in ten is disagreed with.
//
// Of the referred: removed 78 %, disabled, suspended, restricted or gone before
// 6 %, refused 5 %, not ours, impossible, forwarded or not isolable 3 %, silent
// 4 %, said to be removed and still up 1.5 %, blocked in some countries only
// 0.5 %, behind a wall where nobody can tell 1 %, back after a day 1 %. Some
// finals come after a first in_review or need_information. The first item
// numbers are a showcase that holds every outcome at least once, so that each
// occurs from [MinItems] items up.
//
// Providers misbehave as real ones do; the table stands in plan.go. Content
// pages follow: 200 with the mark while up, then 404, 410, a platform's own
// removal notice, a soft notice that proves nothing, 451, a wall, or no change.
//
// The four days are compressed by the case clock; the work itself goes as fast
// as the server takes it.
package exercise
