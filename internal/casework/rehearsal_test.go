package casework_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert/internal/testkit"
)

func TestARehearsalIsToldOfAnExerciseAlone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ann, scope := h.North.Officers[0], testkit.Scope(t, h.Coordinator)
		work := drawnWork(1, 640, 480)
		first := seen(h, t, ann, testkit.Page(1), asPNG(t, work))
		copied := seen(h, t, ann, testkit.Page(2), asJPEG(t, work, 60))
		other := seen(h, t, ann, testkit.Page(3), asPNG(t, drawnWork(2, 640, 480)))
		// Nobody compares here, and the wait has an end.
		testkit.Must(t, h.AwaitRecognition(t.Context(), 10*time.Millisecond))
		got, _, err := h.ReadRehearsal(t.Context(), scope)
		testkit.Must(t, err)
		if len(got) != 0 {
			t.Errorf("before anything was compared: %v", got)
		}
		recognise(t, h)
		testkit.Must(t, h.AwaitRecognition(t.Context(), time.Minute))
		got, videos, err := h.ReadRehearsal(t.Context(), scope)
		testkit.Must(t, err)
		joined := got[first.Ref]
		if diff := cmp.Diff(map[string]string{first.Ref: joined, copied.Ref: joined, other.Ref: ""}, got); diff != "" || joined == "" || videos {
			t.Errorf("copies: %s", diff)
		}
		if _, _, err := h.ReadRehearsal(t.Context(), testkit.Scope(t, ann)); code(err) != "role.missing" {
			t.Errorf("an officer is answered: %v", err)
		}
		h.Exercise = false
		if _, _, err := h.ReadRehearsal(t.Context(), scope); code(err) != "rehearsal.live" {
			t.Errorf("a live deployment answers: %v", err)
		}
	})
}
