package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"concert"
)

// compareMost is how long an exercise waits, once all else is over, for its captures
// to be compared.
const compareMost = time.Minute

// compared waits until what was captured is compared, and counts what was found.
func (r *rehearsal) compared(ctx context.Context) (concert.Rehearsal, error) {
	svc, begun := r.node.svc, time.Now()
	err := r.awaited(ctx)
	if err != nil {
		return concert.Rehearsal{}, fmt.Errorf("compare captures: %w", err)
	}
	waited := time.Since(begun)
	scope, err := coordinating()
	if err != nil {
		return concert.Rehearsal{}, err
	}
	clusters, videos, err := svc.ReadRehearsal(ctx, scope)
	if err != nil {
		return concert.Rehearsal{}, err
	}
	out := r.world.Rehearse(clusters, videos)
	out.WaitedS = waited.Seconds()
	return out, nil
}

func (r *rehearsal) awaited(ctx context.Context) error {
	svc := r.node.svc
	if r.nodes == nil {
		return svc.AwaitRecognition(ctx, compareMost)
	}
	// The nodes have ended; this one does what they left.
	if svc.Printers == nil {
		return nil
	}
	if err := svc.RefreshKnown(ctx); err != nil {
		return err
	}
	return svc.RecogniseFor(ctx, compareMost)
}

// tellKnown is what was found by content, for people.
func tellKnown(w io.Writer, k concert.Rehearsal) {
	share := func(part float64, told bool) string {
		if !told {
			return "–"
		}
		return fmt.Sprintf("%.1f %%", 100*part)
	}
	fmt.Fprintf(w, "Known content: %d of %d items compared (waited %.1f s), %d works found of %d; of pairs of copies: precision %s, recall %s\n",
		k.Compared, k.Captured, k.WaitedS, k.Found, k.Works, share(k.Precision()), share(k.Recall()))
	if k.Unread > 0 {
		fmt.Fprintf(w, "  %d altered clips are not counted: no video was looked into\n", k.Unread)
	}
	for _, x := range k.Rows {
		fmt.Fprintf(w, "  %-10s %6d items  %5d of %5d found (%s)  precision %s\n", x.Alteration, x.Items, x.Found, x.Asked, share(x.Recall()), share(x.Precision()))
	}
}
