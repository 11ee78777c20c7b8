package casework_test

import (
	"testing"
	"time"

	"concert"
	"concert/internal/store"
	"concert/internal/testkit"
)

// The twelve hours of a first contact end without an event, so nothing is to be looked at then: what is due at the same moment
// would wait for it.
func TestFirstContactThatIsOverIsNotDue(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		day := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		c.At(day, 1)
		o := c.Reviewed(testkit.Draft(c.Judged(testkit.Page(1))))
		o, err := c.ApproveOrder(t.Context(), c.Issuer, o.Ref, o.Version)
		testkit.Must(t, err)
		if o.Status != concert.OrderNoticed {
			t.Fatalf("the first order is %s", o.Status)
		}
		testkit.Must(t, c.DB.View(t.Context(), func(tx *store.Tx) error {
			due, err := tx.AnyDeadlineDue(t.Context(), day.Add(13*time.Hour))
			if due {
				t.Error("a legal clock is due, and there is nothing to tell")
			}
			return err
		}))
	})
}
