package casework

import (
	"context"
	"sync"
	"time"

	"concert/internal/store"
)

// hubTick is how often a node looks for a new head of the log while someone
// watches.
const hubTick = 250 * time.Millisecond

// Hub tells watchers on this node that the log has grown, however many nodes
// write it: one look for all of them.
type Hub struct {
	s    *Service
	mu   sync.Mutex // guards size, wake
	size int64
	wake chan struct{}
}

// NewHub is a hub; run it with Run.
func NewHub(s *Service) *Hub { return &Hub{s: s, wake: make(chan struct{})} }

// Run looks for new heads until the context ends.
func (h *Hub) Run(ctx context.Context) error {
	h.s.every(ctx, hubTick, "watchers", func(ctx context.Context) error {
		var size int64
		err := h.s.DB.View(ctx, func(tx *store.Tx) error {
			head, _, err := tx.LogHead(ctx)
			size = head.Size
			return err
		})
		if err != nil {
			return err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if size != h.size {
			h.size = size
			close(h.wake)
			h.wake = make(chan struct{})
		}
		return nil
	})
	return nil
}

// Size is the log's size as last seen, and a channel that closes when it grows.
func (h *Hub) Size() (int64, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.size, h.wake
}
