package exercise

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"time"

	"concert"
	"concert/api"
)

// pollEvery is how often a polling provider looks, in case time, but at most
// twenty times a second.
const pollEvery = 20 * time.Minute

// startPolling makes the provider read its inbox from the beginning, for good.
func (p *provider) startPolling() {
	p.mu.Lock()
	was := p.polling
	p.polling = true
	p.mu.Unlock()
	if was {
		return
	}
	go p.world.within(func(ctx context.Context) {
		every := max(p.world.cfg.Time.Wall(pollEvery), 50*time.Millisecond)
		tick := time.NewTicker(every)
		defer tick.Stop()
		cursor := ""
		for {
			var err error
			if cursor, err = p.readInbox(ctx, cursor); err != nil && ctx.Err() == nil {
				p.world.problems.add(fmt.Errorf("provider %s: read inbox: %w", p.plan.key, err))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// readInbox takes on every notice behind the cursor and returns the cursor
// behind the last.
func (p *provider) readInbox(ctx context.Context, cursor string) (string, error) {
	const page = 100
	for {
		box, err := p.desk.Inbox(ctx, cursor, page)
		if err != nil {
			return cursor, err
		}
		for _, e := range box.Entries {
			p.take(e.Type, e.Referral, e.Remedy)
		}
		if box.Cursor != "" {
			cursor = box.Cursor
		}
		if len(box.Entries) < page {
			return cursor, nil
		}
	}
}

// take takes on a notice, from whichever side it comes first. A reminder is
// noted and no more: silence stays silence.
func (p *provider) take(kind, referral, remedy string) {
	if kind == concert.NoticeTypes[concert.NoticeReminder] {
		return
	}
	name := kind + " " + referral + " " + remedy
	p.mu.Lock()
	seen := p.known[name]
	p.known[name] = true
	p.mu.Unlock()
	if seen {
		return
	}
	p.world.later(0, func(ctx context.Context) {
		do := p.read
		if kind == concert.NoticeTypes[concert.NoticeReferral] {
			do = p.open
		}
		if err := do(ctx, referral); err != nil && ctx.Err() == nil {
			p.world.problems.add(fmt.Errorf("provider %s: %s: %w", p.plan.key, kind, err))
		}
	})
}

// caseFile is what the provider keeps of a referral until it answers.
type caseFile struct {
	referral string
	version  int64
	items    []fileItem
}

type fileItem struct {
	ref string
	n   uint32
}

// enter waits for a place at the desk; leave gives it back.
func (p *provider) enter() { p.busy <- struct{}{} }
func (p *provider) leave() { <-p.busy }

func (p *provider) fetch(ctx context.Context, referral string) (api.Referral, error) {
	p.enter()
	defer p.leave()
	return p.desk.Referral(ctx, referral)
}

// open reads a referral, acknowledges it, says what it says at once, and puts
// it on the pile.
func (p *provider) open(ctx context.Context, referral string) error {
	r, err := p.fetch(ctx, referral)
	if err != nil {
		return err
	}
	f, err := p.file(r)
	if err != nil {
		return err
	}
	if err := p.acknowledge(ctx, f, r); err != nil {
		return err
	}
	s := p.world.script
	var first []api.NewAnswer
	for _, it := range f.items {
		if code := s.interim(it.n); code != "" {
			a := s.reply(it.n, code)
			a.Item = it.ref
			first = append(first, a)
		}
	}
	if err := p.post(ctx, f, "interim", first); err != nil {
		return err
	}
	if err := p.answerLate(ctx, r); err != nil {
		return err
	}
	hours := time.Duration(p.plan.conduct.thinkHours) * time.Hour
	if len(f.items) > 0 {
		hours += time.Duration(s.part(f.items[0].n, drawInterim) * float64(4*time.Hour))
	}
	p.world.later(p.world.cfg.Time.Wall(hours), func(ctx context.Context) {
		if err := p.finish(ctx, f); err != nil && ctx.Err() == nil {
			p.world.problems.add(fmt.Errorf("provider %s: answer: %w", p.plan.key, err))
		}
	})
	return nil
}

func (p *provider) acknowledge(ctx context.Context, f *caseFile, r api.Referral) error {
	if r.AckedAt != "" {
		return nil
	}
	return p.current(ctx, f, func() error {
		call := p.world.call("ack-%s-%d", f.referral, f.version)
		call.IfMatch = f.version
		acked, err := p.desk.Acknowledge(ctx, call, f.referral)
		if err == nil && acked.Version > 0 {
			f.version = acked.Version
		}
		return err
	})
}

// file keeps of the referral what is needed to answer: items without a final
// word that were not taken back. What has a final word was acted on before, by
// an earlier run.
func (p *provider) file(r api.Referral) (*caseFile, error) {
	f := &caseFile{referral: r.ID, version: r.Version}
	for _, it := range r.Items {
		n, ok := number(it.Location.Submitted)
		if !ok || n >= p.world.script.total {
			if n, ok = number(it.Location.Canonical); !ok || n >= p.world.script.total {
				return nil, fmt.Errorf("item %s of referral %s lies at a place that is none of this exercise: same database, other seed?", it.Ref, r.ID)
			}
		}
		p.checkItem(n, it.Ref, r.ID)
		switch {
		case concert.AnswerCode(it.Claimed).Final():
			p.world.markActed(n)
		case !it.Withdrawn:
			f.items = append(f.items, fileItem{it.Ref, n})
		}
	}
	return f, nil
}

// finish acts and then says so: by the time that the answer is read, the pages
// show it.
func (p *provider) finish(ctx context.Context, f *caseFile) error {
	s := p.world.script
	var final []api.NewAnswer
	for _, it := range f.items {
		o := s.outcome(it.n)
		if o == saysLate || o.answer() == "" {
			continue
		}
		p.world.markActed(it.n)
		a := s.reply(it.n, o.answer())
		a.Item = it.ref
		final = append(final, a)
	}
	parts := min(max(p.plan.conduct.parts, 1), len(final))
	for i := range parts {
		part := final[i*len(final)/parts : (i+1)*len(final)/parts]
		if err := p.post(ctx, f, fmt.Sprintf("part%d", i), part); err != nil {
			return err
		}
		if p.plan.conduct.twice {
			if err := p.post(ctx, f, fmt.Sprintf("again%d", i), part); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads a referral again: an item was withdrawn or corrected.
func (p *provider) read(ctx context.Context, referral string) error {
	r, err := p.fetch(ctx, referral)
	if err != nil {
		return err
	}
	// What is read is no longer pushed, so a referral that is first heard of by
	// its withdrawal is taken on now.
	p.take(concert.NoticeTypes[concert.NoticeReferral], referral, "")
	return p.answerLate(ctx, r)
}

// answerLate answers what the provider sees taken back, where it is one that
// does so all the same; others leave it.
func (p *provider) answerLate(ctx context.Context, r api.Referral) error {
	if !p.plan.conduct.late {
		return nil
	}
	s := p.world.script
	f := &caseFile{referral: r.ID, version: r.Version}
	var late []api.NewAnswer
	for _, it := range r.Items {
		n, ok := number(it.Location.Submitted)
		if !ok || !it.Withdrawn || s.outcome(n) != saysLate || concert.AnswerCode(it.Claimed).Final() {
			continue
		}
		p.world.markActed(n)
		a := s.reply(n, saysLate.answer())
		a.Item = it.Ref
		late = append(late, a)
	}
	return p.post(ctx, f, "late", late)
}

// post sends answers, a hundred at a time.
func (p *provider) post(ctx context.Context, f *caseFile, stage string, answers []api.NewAnswer) error {
	for from := 0; from < len(answers); from += api.BatchLimit {
		part := answers[from:min(from+api.BatchLimit, len(answers))]
		// One version of a referral can get two sets of answers under way: the
		// key tells them apart.
		mix := fnv.New64a()
		for _, a := range part {
			mix.Write([]byte(a.Item))
		}
		err := p.current(ctx, f, func() error {
			call := p.world.call("answer-%s-%s-%x-%d", f.referral, stage, mix.Sum64(), f.version)
			call.IfMatch = f.version
			out, err := p.desk.Answer(ctx, call, f.referral, api.NewAnswers{Answers: part, Correlation: stage + "-" + f.referral})
			if err != nil {
				return err
			}
			if out.Version > 0 {
				f.version = out.Version
			}
			for _, res := range out.Results {
				if res.Problem != nil {
					p.world.problems.add(fmt.Errorf("provider %s: answer %d of %s: %w", p.plan.key, res.Index, f.referral, res.Problem))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// current runs a change of the referral and, where it has moved on meanwhile
// (412), reads it again and repeats.
func (p *provider) current(ctx context.Context, f *caseFile, change func() error) error {
	p.enter()
	defer p.leave()
	for try := 0; ; try++ {
		err := change()
		var refused *api.Problem
		if !errors.As(err, &refused) || refused.Status != http.StatusPreconditionFailed || try == 9 {
			return err
		}
		r, err := p.desk.Referral(ctx, f.referral)
		if err != nil {
			return err
		}
		f.version = r.Version
	}
}
