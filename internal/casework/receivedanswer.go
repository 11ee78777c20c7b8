package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"concert"
	"concert/api"
	"concert/internal/identity"
	"concert/internal/store"
)

// changeReceived lets an act change what was received, of the version that was read; 0
// for whichever it is. The act gives the answer that is to go to the hub, if any.
func (s *Service) changeReceived(ctx context.Context, by concert.Actor, ref string, version int64, act func(*store.Tx, concert.Received, []concert.ReceivedItem) (concert.Received, []concert.ReceivedItem, *concert.ReceivedPost, error)) (concert.Received, error) {
	var out concert.Received
	if err := by.MayReply(); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		r, err := tx.Received(ctx, ref)
		if err != nil {
			return err
		}
		if version != 0 && version != r.Version {
			return outdated()
		}
		items, err := tx.ReceivedItems(ctx, r.ID)
		if err != nil {
			return err
		}
		next, changed, post, err := act(tx, r, items)
		if err != nil {
			return err
		}
		if err := tx.SaveReceived(ctx, next, changed); err != nil {
			return err
		}
		out = next
		out.Version = r.Version + 1
		if post == nil {
			return nil
		}
		post.ID, post.Received, post.State, post.Person, post.CreatedAt, post.NextAt, post.Version = identity.NewID(), r.ID, concert.PostWaiting, by.Person, s.now(), s.now(), 1
		return tx.AddPost(ctx, *post)
	})
	return out, err
}

// posted is an answer as it goes to the hub.
func posted(way concert.ReceivedWay, body any) (*concert.ReceivedPost, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return &concert.ReceivedPost{Way: way, PostText: concert.PostText{Body: raw}}, nil
}

// FeedReceived is Annex II on an order that is valid: what was done, and when. What was
// removed is preserved from then (Art. 6), and the hub is told until it takes it.
func (s *Service) FeedReceived(ctx context.Context, by concert.Actor, ref string, version int64, a concert.OrderAnswer) (concert.Received, error) {
	return s.changeReceived(ctx, by, ref, version, func(tx *store.Tx, r concert.Received, items []concert.ReceivedItem) (concert.Received, []concert.ReceivedItem, *concert.ReceivedPost, error) {
		next, done, e, err := r.Fed(by, a, items, s.now())
		if err != nil {
			return r, nil, nil, err
		}
		tx.Record(e)
		refs := make([]string, len(done))
		for i, it := range done {
			refs[i] = it.Ref
			if err := s.keep(ctx, tx, r, it); err != nil {
				return r, nil, nil, err
			}
		}
		if next.Status == concert.ReceivedAnswered {
			last := a.MeasureAt
			for _, it := range items {
				if it.At.After(last) {
					last = it.At
				}
			}
			if err := s.changeHour(ctx, tx, r, func(d concert.Deadline) (concert.Deadline, error) { return d.Met(last) }); err != nil {
				return r, nil, nil, err
			}
		}
		post, err := posted(concert.WayFeedback, api.NewFeedback{Items: refs, Measure: string(a.Measure), MeasureAt: a.MeasureAt.UTC().Format(concert.TimeFormat), Person: a.Person, Email: a.Email, File: a.File})
		return next, done, post, err
	})
}

// keep enters what was removed into the register of what is preserved for six months.
func (s *Service) keep(ctx context.Context, tx *store.Tx, r concert.Received, it concert.ReceivedItem) error {
	k := concert.KeptContent{ID: identity.NewID(), Ref: identity.NewReference("KC"), Received: r.ID, Item: it.Ref, Since: it.At, Version: 1}
	if err := tx.AddKept(ctx, k); err != nil {
		return err
	}
	d, err := s.receivedTerm(ctx, tx, k.ID, concert.TermPreservation, concert.TermStart{At: it.At, Evidence: "Annex II of " + r.Ref})
	if err != nil {
		return err
	}
	return s.putReceivedDeadline(ctx, tx, d)
}

// ImpedeReceived is Annex III: why an order cannot be carried out, or what is wrong with
// it. The hour of one that is valid stands still.
func (s *Service) ImpedeReceived(ctx context.Context, by concert.Actor, ref string, version int64, a concert.OrderAnswer) (concert.Received, error) {
	return s.changeReceived(ctx, by, ref, version, func(tx *store.Tx, r concert.Received, _ []concert.ReceivedItem) (concert.Received, []concert.ReceivedItem, *concert.ReceivedPost, error) {
		next, e, err := r.Impeded(by, a, s.now())
		if err != nil {
			return r, nil, nil, err
		}
		tx.Record(e)
		t, _, err := s.receivedLaw(ctx, tx, concert.TermRemoval)
		if err != nil {
			return r, nil, nil, err
		}
		err = s.changeHour(ctx, tx, r, func(d concert.Deadline) (concert.Deadline, error) {
			for _, why := range a.Reasons {
				if d, err = d.Paused(t, why, s.now()); err != nil {
					return d, err
				}
			}
			return d, nil
		})
		if err != nil {
			return r, nil, nil, err
		}
		reasons := make([]string, len(a.Reasons))
		for i, x := range a.Reasons {
			reasons[i] = string(x)
		}
		post, err := posted(concert.WayImpossible, api.NewImpossible{Reasons: reasons, Further: a.Further, Needed: a.Needed, Person: a.Person, Email: a.Email, File: a.File})
		return next, nil, post, err
	})
}

// ResumeReceived says that what hindered is over (Art. 3(7)): the hour runs anew.
func (s *Service) ResumeReceived(ctx context.Context, by concert.Actor, ref string, version int64, text string) (concert.Received, error) {
	return s.changeReceived(ctx, by, ref, version, func(tx *store.Tx, r concert.Received, _ []concert.ReceivedItem) (concert.Received, []concert.ReceivedItem, *concert.ReceivedPost, error) {
		next, e, err := r.Resumed(by, text, s.now())
		if err != nil {
			return r, nil, nil, err
		}
		tx.Record(e)
		if err := s.changeHour(ctx, tx, r, s.resumedHour(ctx, tx, r, "the word that the grounds ceased")); err != nil {
			return r, nil, nil, err
		}
		post, err := posted(concert.WayResumed, api.OrderReason{Reason: text})
		return next, nil, post, err
	})
}

// ReplyReceived answers some or all items of a referral.
func (s *Service) ReplyReceived(ctx context.Context, by concert.Actor, ref string, version int64, replies []concert.ReceivedReply) (concert.Received, error) {
	return s.changeReceived(ctx, by, ref, version, func(tx *store.Tx, r concert.Received, items []concert.ReceivedItem) (concert.Received, []concert.ReceivedItem, *concert.ReceivedPost, error) {
		next, done, e, err := r.Replied(by, replies, items, s.now())
		if err != nil {
			return r, nil, nil, err
		}
		tx.Record(e)
		in := api.NewAnswers{Correlation: r.Ref}
		for _, a := range replies {
			in.Answers = append(in.Answers, api.NewAnswer{Item: a.Item, Code: string(a.Code), Countries: a.Countries, Forwarded: a.Forwarded, Note: a.Note, Others: a.Others, OthersAre: string(a.OthersAre)})
		}
		post, err := posted(concert.WayReplies, in)
		return next, done, post, err
	})
}

// CheckReceived looks again at an order that was not valid, by the register as it stands
// now: an authority may have been entered since.
func (s *Service) CheckReceived(ctx context.Context, by concert.Actor, ref string) (concert.Received, error) {
	var have concert.Received
	var h concert.Hub
	var file []byte
	if err := by.MayReply(); err != nil {
		return have, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if have, err = tx.Received(ctx, ref); err != nil {
			return err
		}
		if file, err = tx.ReceivedOriginal(ctx, have.ID); err != nil {
			return err
		}
		h, err = tx.Hub(ctx, string(have.Hub))
		return err
	})
	if err != nil {
		return have, err
	}
	if have.Status != concert.ReceivedUnproven {
		return have, concert.Refuse(concert.Conflict, "received.proven", "", "%s is %s: only what was not valid is checked again", have.Ref, have.Status)
	}
	key, err := identity.Open(s.DB.Keys.Derive("keys at hubs"), h.SealedKey, []byte(h.ID))
	if err != nil {
		return have, fmt.Errorf("key at hub %s: %w", h.Ref, err)
	}
	now, _, err := s.judged(ctx, hubClient(h, string(key)), &h, have.Theirs, file)
	if err != nil {
		return have, hubRefusal(h, err)
	}
	if now.Verdict != "valid" {
		return have, concert.Refuse(concert.Conflict, "received.still", "", "it is still not valid: %s", now.Sentence)
	}
	return s.changeReceived(ctx, by, ref, 0, func(tx *store.Tx, r concert.Received, _ []concert.ReceivedItem) (concert.Received, []concert.ReceivedItem, *concert.ReceivedPost, error) {
		next, e, err := r.Proven(now.ReceivedText, s.now())
		if err != nil {
			return r, nil, nil, err
		}
		tx.Record(e)
		if err := tx.SawHub(ctx, h); err != nil {
			return r, nil, nil, err
		}
		return next, nil, nil, s.startHour(ctx, tx, next, s.now())
	})
}

// postsMost bounds the answers that one look at a hub sends.
const postsMost = 50

// sendPosts sends the hub what waits for it. Each answer's id is its idempotency key, so
// that one which was taken before a crash is not counted twice.
func (s *Service) sendPosts(ctx context.Context, c *api.Client, h concert.Hub) error {
	var due []concert.ReceivedPost
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DuePosts(ctx, h.ID, s.now(), postsMost)
		return err
	})
	if err != nil {
		return err
	}
	var failed error
	for _, p := range due {
		var r concert.Received
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			r, err = tx.Received(ctx, string(p.Received))
			return err
		})
		if err != nil {
			return err
		}
		receipt, said, err := s.sendPost(ctx, c, r, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		state := concert.PostDelivered
		switch {
		case err != nil && !final(err):
			failed = err
			if err := s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SavePost(ctx, p.Tried(shortly(err), s.now())) }); err != nil && !errors.Is(err, concert.ErrStale) {
				return err
			}
			continue
		case err != nil:
			state, said = concert.PostRefused, shortly(err)
		}
		err = s.retryStale(ctx, func(tx *store.Tx) error {
			next, e := p.Closed(r, state, said, receipt, s.now())
			tx.Record(e)
			return tx.SavePost(ctx, next)
		})
		if err != nil && !errors.Is(err, concert.ErrStale) {
			return err
		}
	}
	return failed
}

// final reports whether the hub said no for good: what it could not do now, and what a
// new key mends, is tried again.
func final(err error) bool {
	var p *api.Problem
	if !errors.As(err, &p) || p.Status < 400 || p.Status >= 500 {
		return false
	}
	passing := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusPreconditionFailed, http.StatusPreconditionRequired}
	return !slices.Contains(passing, p.Status) && p.Code != "stale" && p.Code != "idempotency.in_flight"
}

// sendPost sends one answer. What it gives is the hub's receipt, and what the hub did not
// take of it.
func (s *Service) sendPost(ctx context.Context, c *api.Client, r concert.Received, p concert.ReceivedPost) (receipt json.RawMessage, said string, err error) {
	call := api.Call{IdempotencyKey: p.ID}
	var got any
	switch p.Way {
	case concert.WayFeedback:
		got, err = sent(p, func(in api.NewFeedback) (api.Order, error) { return c.FeedOrder(ctx, call, r.Theirs, in) })
	case concert.WayImpossible:
		got, err = sent(p, func(in api.NewImpossible) (api.Order, error) { return c.ImpedeOrder(ctx, call, r.Theirs, in) })
	case concert.WayResumed:
		got, err = sent(p, func(in api.OrderReason) (api.Order, error) { return c.ClarifyOrder(ctx, call, r.Theirs, in) })
	case concert.WayReplies:
		got, err = sent(p, func(in api.NewAnswers) (api.AnswerResults, error) {
			// Somebody may have answered at the hub's own pages meanwhile.
			now, err := c.Referral(ctx, r.Theirs)
			if err != nil {
				return api.AnswerResults{}, err
			}
			out, err := c.Answer(ctx, api.Call{IdempotencyKey: fmt.Sprintf("%s-%d", p.ID, now.Version), IfMatch: now.Version}, r.Theirs, in)
			said = refusedItems(out)
			return out, err
		})
	default:
		err = fmt.Errorf("answer %s: no way %q is known", p.ID, p.Way)
	}
	if err != nil {
		return nil, "", err
	}
	receipt, err = json.Marshal(got)
	return receipt, said, err
}

func sent[In, Out any](p concert.ReceivedPost, send func(In) (Out, error)) (Out, error) {
	var in In
	if err := json.Unmarshal(p.Body, &in); err != nil {
		var none Out
		return none, fmt.Errorf("answer %s: %w", p.ID, err)
	}
	return send(in)
}

// refusedItems says what of the answers to a referral the hub did not take.
func refusedItems(out api.AnswerResults) string {
	var lines []string
	for _, r := range out.Results {
		if r.Problem != nil {
			lines = append(lines, r.ID+": "+r.Problem.Detail)
		}
	}
	return strings.Join(lines, "; ")
}

// putOffPosts notes on what is due for a hub that could not be asked at all that it was
// tried.
func (s *Service) putOffPosts(ctx context.Context, h concert.Hub) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		due, err := tx.DuePosts(ctx, h.ID, s.now(), postsMost)
		if err != nil {
			return err
		}
		for _, p := range due {
			if err := tx.SavePost(ctx, p.Tried(h.Problem, s.now())); err != nil {
				return err
			}
		}
		return nil
	})
}
