package exercise

import (
	"context"
	"fmt"

	"concert"
	"concert/api"
)

// scrutinise lets the authorities of the providers' states look, of their own motion and
// within the 72 hours of Art. 4(3), at the orders of others that the script names: some
// they find void, by two people, the others they confirm.
func (h *Hour) scrutinise(ctx context.Context) error {
	return h.each(ctx, func(ctx context.Context, o *office) error {
		for n := range h.script.total {
			if !h.script.ending(n).scrutinised() || h.script.scrutiniser(n) != o.index {
				continue
			}
			if err := o.scrutinise(ctx, n); err != nil {
				return fmt.Errorf("scrutiny of order %d (%s): %w", n, h.orders[n].ref, err)
			}
		}
		return nil
	})
}

func (o *office) scrutinise(ctx context.Context, n uint32) error {
	h, ref := o.hour, o.hour.orders[n].ref
	v, err := o.reviewer.Order(ctx, ref)
	if err != nil {
		return err
	}
	at := func(step string) api.Call {
		c := h.call("scrutiny-%s-%d", step, n)
		c.IfMatch = v.Version
		return c
	}
	found := api.Finding{Outcome: string(concert.ScrutinyClear), Reasons: "EXERCISE: the order rests on what the place shows, and names it; nothing of Art. 4(3) is infringed."}
	if h.script.ending(n) == endVoid {
		found = api.Finding{Outcome: string(concert.ScrutinyRegulation), Category: string(concert.RemedyProtected), Reasons: "EXERCISE: the place shows an invented news report, which Art. 1(3) protects; the infringement is manifest."}
		if v, err = o.reviewer.IntendScrutiny(ctx, at("intend"), ref, api.ScrutinyRequest{Reasons: found.Reasons}); err != nil {
			return fmt.Errorf("intend: %w", err)
		}
	}
	if _, err := o.issuer.DecideScrutiny(ctx, at("decide"), ref, found); err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	return nil
}
