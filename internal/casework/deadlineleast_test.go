package casework_test

import (
	"testing"
	"time"

	"concert"
	"concert/internal/testkit"
)

// What must last at least so long is never missed; that it is over is said once, and holds up no other clock.
func TestTheEndOfWhatMustLastIsSaidOnce(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		o := c.Issued(testkit.Page(1))
		readOrder(t, c, c.Answerer, o.Ref)
		_, err := c.AnswerOrder(t.Context(), c.Answerer, o.Ref, 0, concert.OrderAnswer{Measure: concert.MeasureRemoved, MeasureAt: c.Now(), Person: "EXERCISE", Email: "tco@host.example"})
		testkit.Must(t, err)
		alarms := func() (n int) {
			testkit.Must(t, testkit.Raw(t, c.Service).QueryRow("SELECT count(*) FROM event WHERE kind = 'order.alarmed' AND body LIKE '%preservation%'").Scan(&n))
			return n
		}
		begun := time.Now()
		for _, later := range []int{1, 8, 9} { // in the first month everything else falls due
			c.At(begun.AddDate(0, later, 0), 1)
			stop := testkit.Run(t, c.Service)
			if later == 8 {
				testkit.Await(t, "the end of the preservation", func() bool { return alarms() == 1 })
			}
			stop()
		}
		if n := alarms(); n != 1 {
			t.Errorf("the end was said %d times", n)
		}
	})
}
