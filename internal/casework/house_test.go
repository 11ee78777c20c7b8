package casework_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// Most of these tests wait for the house's own ticks, so more of them run side by side than there are processors.
func TestMain(m *testing.M) {
	testkit.ServeIfChild()
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// inHouse runs the test in a furnished deployment, on both databases.
func inHouse(t *testing.T, fn func(t *testing.T, h *testkit.House)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) { fn(t, testkit.Furnish(t, s)) })
}

// day is when case time begins where a test sets it: a Thursday noon in winter.
var day = time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	// swift lets a case day pass in a second: set once people have done their work, or what they captured is a day old before they judge by it.
	swift = 86_400
	// brisk lets an approved item's minute of waiting pass in half a second, and no reminder fall due.
	brisk  = 120
	ground = "EXERCISE: a written ground that is long enough."
)

// code is a refusal's stable code, "" where nothing was refused.
func code(err error) string {
	var e *concert.Error
	if errors.As(err, &e) && e != nil {
		return e.Code
	}
	if err != nil {
		return "internal: " + err.Error()
	}
	return ""
}

// outcomes are the outcomes of an act on many, or the codes of its refusals.
func outcomes(rs []casework.Result) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Outcome
		if r.Err != nil {
			out[i] = r.Err.Code
		}
	}
	return strings.Join(out, " ")
}

// sent waits until the item is referred and gives the referral's reference.
func sent(h *testkit.House, t *testing.T, item string) string {
	t.Helper()
	var ref string
	testkit.Await(t, "item "+item+" is referred", func() bool { ref = h.Item(item).ReferredAs; return ref != "" })
	return ref
}

// answer gives one answer to items of a referral, with the version that stands now.
func answer(h *testkit.House, t *testing.T, by concert.Actor, ref string, a concert.Answer, items ...string) []casework.Result {
	t.Helper()
	in := make([]casework.Replying, len(items))
	for i, it := range items {
		in[i] = casework.Replying{Item: it, Answer: a}
	}
	// The house's own looks move a referral on while somebody answers: who is told so reads it again, as a person does.
	var out []casework.Result
	testkit.Await(t, "the answer is taken", func() bool {
		var err error
		out, _, err = h.AnswerReferral(t.Context(), by, ref, h.Referral(ref).Version, in)
		if code(err) == concert.ErrStale.Code {
			return false
		}
		testkit.Must(t, err)
		return true
	})
	for _, r := range out {
		if r.Err != nil {
			t.Fatalf("%s: %v", r.Ref, r.Err)
		}
	}
	return out
}

// remedy takes one item back or corrects what was said of it.
func remedy(h *testkit.House, t *testing.T, by concert.Actor, item string, kind concert.RemedyKind) {
	t.Helper()
	out, err := h.RemedyItems(t.Context(), by, []casework.Remedying{{Item: item, Version: h.Item(item).Version, Kind: kind, Reason: ground}})
	testkit.Must(t, err)
	if out[0].Err != nil {
		t.Fatal(out[0].Err)
	}
}
