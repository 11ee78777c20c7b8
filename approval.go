package concert

import "time"

// Precedent is an approval that a reviewer gave alone, on its item as it
// stands now: what approving copies of the same work together rests on. The
// zero value is none.
type Precedent struct {
	Item      ItemID
	Content   [32]byte // keyed digest of the work's bytes
	Outlet    OutletID
	Authority AuthorityID // the reviewer's
	Status    ItemStatus  // where the item stands now
}

// stands reports whether the approval still holds: its item was approved in
// the end, and has not been taken back or parked since.
func (p Precedent) stands() bool {
	switch p.Status {
	case "", ItemAssessed, ItemRejected, ItemOutOfScope, ItemWithdrawn:
		return false
	}
	return true
}

// MayFollow reports whether the item may be approved together with others: it
// is a capture of the very bytes, under the very outlet, of another item that
// a reviewer of the actor's authority approved alone; nothing stands out at
// its own place; and one approval is enough for it, which unbranded content, a
// protected place and an author under watch rule out.
func (it Item) MayFollow(by Actor, p Precedent) bool {
	return it.Content != [32]byte{} && it.Content == p.Content && it.Outlet == p.Outlet && it.ID != p.Item &&
		by.Authority != "" && by.Authority == p.Authority && p.stands() &&
		it.Guard.Verdict == GuardPass && it.Needed == 1
}

// Took is how long the reviewer had the item open before deciding, in whole
// seconds; false where it was never opened.
func (d Approval) Took() (time.Duration, bool) {
	if d.OpenedAt.IsZero() {
		return 0, false
	}
	return max(0, d.At.Sub(d.OpenedAt)).Truncate(time.Second), true
}
