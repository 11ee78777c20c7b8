package casework_test

import (
	"context"
	"sync"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// placing is a request that places a hold, as a door would run it.
func placing(s *casework.Service, by concert.Actor, scope concert.Scope) func(context.Context) (casework.StoredAnswer, bool) {
	return func(ctx context.Context) (casework.StoredAnswer, bool) {
		h, err := s.PlaceHold(ctx, by, casework.Holding{Location: testkit.Page(1), Contact: "EXERCISE desk", Case: "EXERCISE case"})
		if err != nil {
			return casework.StoredAnswer{Status: 409, Body: []byte(err.Error())}, false
		}
		// A door reads what it has just made.
		hs, err := s.Holds(ctx, scope, "", 10)
		if err != nil || len(hs) != 1 {
			return casework.StoredAnswer{Status: 500}, false
		}
		return casework.StoredAnswer{Status: 201, Body: []byte(h.Ref)}, true
	}
}

func holds(t *testing.T, h *testkit.House) int {
	t.Helper()
	hs, err := h.Holds(t.Context(), testkit.Scope(t, h.North.Officers[0]), "", 100)
	testkit.Must(t, err)
	return len(hs)
}

// However often a request arrives, and at whichever node, it acts once and all hear the same.
func TestRequestWithOneKeyActsOnceOnAllNodes(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		nodes := []*casework.Service{h.Service}
		if h.DB.Dialect() == "postgres" {
			nodes = append(nodes, testkit.ServiceAt(t, testkit.AddressOf(t, h.Service)))
		}
		by := h.North.Officers[0]
		var mu sync.Mutex
		heard, first := map[string]int{}, 0
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				s := nodes[i%len(nodes)]
				a, again, err := s.Once(t.Context(), by.Person, "key", []byte("EXERCISE request"), placing(s, by, testkit.Scope(t, by)))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				heard[string(a.Body)]++
				if !again {
					first++
				}
			})
		}
		wg.Wait()
		if len(heard) != 1 || first != 1 || holds(t, h) != 1 {
			t.Errorf("twelve equal requests heard %v, %d of them as the first, and there are %d holds", heard, first, holds(t, h))
		}
		if _, _, err := h.Once(t.Context(), by.Person, "key", []byte("EXERCISE another"), placing(h.Service, by, testkit.Scope(t, by))); code(err) != "idempotency.reused" {
			t.Errorf("the key with another request: %v", err)
		}
	})
}

// A node that dies after the act and before its answer has done nothing, and the repeated request does all of it.
func TestDeathBetweenActAndAnswerLeavesNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		by := h.North.Officers[0]
		request := []byte("EXERCISE request")
		ctx, die := context.WithCancel(t.Context())
		_, _, err := h.Once(ctx, by.Person, "key", request, func(ctx context.Context) (casework.StoredAnswer, bool) {
			a, keep := placing(h.Service, by, testkit.Scope(t, by))(ctx)
			die()
			return a, keep
		})
		if err == nil {
			t.Error("the request's context ended before the commit, yet it succeeded")
		}
		a, again, err := h.Once(t.Context(), by.Person, "key", request, func(ctx context.Context) (casework.StoredAnswer, bool) {
			placing(h.Service, by, testkit.Scope(t, by))(ctx)
			return casework.StoredAnswer{Status: 500}, false // the door failed
		})
		if err != nil || again || a.Status != 500 || holds(t, h) != 0 {
			t.Errorf("after a failure: %v, again %t, status %d, %d holds", err, again, a.Status, holds(t, h))
		}
		a, again, err = h.Once(t.Context(), by.Person, "key", request, placing(h.Service, by, testkit.Scope(t, by)))
		if err != nil || again || a.Status != 201 || holds(t, h) != 1 {
			t.Errorf("the repeated request: %v, again %t, status %d, %d holds", err, again, a.Status, holds(t, h))
		}
		b, again, err := h.Once(t.Context(), by.Person, "key", request, placing(h.Service, by, testkit.Scope(t, by)))
		if err != nil || !again || string(b.Body) != string(a.Body) || holds(t, h) != 1 {
			t.Errorf("once more: %v, again %t, %q instead of %q, %d holds", err, again, b.Body, a.Body, holds(t, h))
		}
	})
}

// Of two acts in one request, the one that was refused is undone alone, and a key whose answer is not kept is free again.
func TestSecondActOfARequestIsUndoneAlone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		by := h.North.Officers[0]
		request := []byte("EXERCISE request")
		_, _, err := h.Once(t.Context(), by.Person, "key", request, func(ctx context.Context) (casework.StoredAnswer, bool) {
			_, err := h.PlaceHold(ctx, by, casework.Holding{Location: testkit.Page(1), Contact: "EXERCISE desk", Case: "EXERCISE case"})
			testkit.Must(t, err)
			refused := h.DB.Update(ctx, func(tx *store.Tx) error {
				if err := tx.SetMeta(ctx, "EXERCISE", "written"); err != nil {
					return err
				}
				return concert.ErrStale
			})
			if code(refused) != "stale" {
				t.Errorf("the second act: %v", refused)
			}
			return casework.StoredAnswer{Status: 412}, false
		})
		testkit.Must(t, err)
		var written string
		testkit.Must(t, h.DB.View(t.Context(), func(tx *store.Tx) error {
			written, err = tx.Meta(t.Context(), "EXERCISE")
			return err
		}))
		if written != "" || holds(t, h) != 1 {
			t.Errorf("the refused act left %q, and there are %d holds", written, holds(t, h))
		}
		if _, again, err := h.Recall(t.Context(), by.Person, "key", request); err != nil || again {
			t.Errorf("the key is still taken: %t, %v", again, err)
		}
	})
}
