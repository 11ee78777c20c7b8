package webui

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"concert"
	"concert/internal/httpkit"
)

const (
	// boardPause is the least time between two frames of one board.
	boardPause = 500 * time.Millisecond
	beatEvery  = 15 * time.Second
	sampleMost = 240
)

// feed renders one action's board once per change and hands the same bytes to
// every viewer on this node. It works only while somebody looks.
type feed struct {
	ref string

	mu      sync.Mutex // guards all below
	viewers int
	stop    context.CancelFunc
	frame   frameOfBoard
	fresh   chan struct{} // closed when the frame is replaced
	series  []sample
}

// frameOfBoard is one rendered board; turn counts frames, 0 for none yet.
type frameOfBoard struct {
	turn int64
	size int64 // of the log: the event's id
	html string
}

// feedOf is the action's feed; ref is its public reference.
func (u *UI) feedOf(ref string) *feed {
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.feeds[ref]
	if f == nil {
		f = &feed{ref: ref, fresh: make(chan struct{})}
		u.feeds[ref] = f
	}
	return f
}

// join counts one more viewer and sets the feed to work for the first; the
// function that it returns lets go.
func (f *feed) join(u *UI, scope concert.Scope) (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.viewers++
	if f.viewers == 1 {
		ctx, stop := context.WithCancel(context.Background())
		f.stop, f.frame.html = stop, ""
		go f.run(ctx, u, scope)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.viewers--; f.viewers == 0 {
			f.stop()
		}
	}
}

// run renders until the last viewer has left. The board holds nothing that one
// person may see and another not, so that one rendering serves all.
func (f *feed) run(ctx context.Context, u *UI, scope concert.Scope) {
	for {
		_, grown := u.hub.Size()
		b, html, err := u.renderBoard(ctx, scope, f)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			u.log.Error("board not rendered; tried again", "action", f.ref, "err", err)
		default:
			f.publish(ctx, b.Log.Size, html)
		}
		if !wait(ctx, boardPause) {
			return
		}
		if err != nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-grown:
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (f *feed) publish(ctx context.Context, size int64, html string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// A run that was stopped meanwhile must not overwrite the next one's frame.
	if ctx.Err() != nil {
		return
	}
	f.frame = frameOfBoard{f.frame.turn + 1, size, html}
	close(f.fresh)
	f.fresh = make(chan struct{})
}

// current is the newest frame and a channel that closes when there is another.
func (f *feed) current() (frameOfBoard, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.frame, f.fresh
}

// note keeps how many were referred when, for the burn-down; every second
// sample goes when there are too many.
func (f *feed) note(s sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.series); n > 0 && (f.series[n-1].referred == s.referred || !f.series[n-1].at.Before(s.at)) {
		return
	}
	f.series = append(f.series, s)
	if len(f.series) <= sampleMost {
		return
	}
	kept := make([]sample, 0, sampleMost)
	for i := 0; i < len(f.series); i += 2 {
		kept = append(kept, f.series[i])
	}
	if len(f.series)%2 == 0 {
		kept = append(kept, f.series[len(f.series)-1])
	}
	f.series = kept
}

// samples are what was noted so far; the caller does not change them.
func (f *feed) samples() []sample {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.series[:len(f.series):len(f.series)]
}

// stream sends the board's inner part whenever the log has grown, and a beat
// with the case time so that a silent board is known from a dead one.
func (u *UI) stream(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	b, err := u.svc.ReadBoard(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	s, err := httpkit.OpenStream(w)
	if err != nil {
		return err
	}
	f := u.feedOf(b.Action.Ref)
	defer f.join(u, scope)()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	var turn int64
	for {
		frame, fresh := f.current()
		if frame.html != "" && frame.turn != turn {
			turn = frame.turn
			// A viewer that went away is no failure.
			if err := s.Send("board", strconv.FormatInt(frame.size, 10), frame.html); err != nil {
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-fresh:
		case <-beat.C:
			// Whoever was logged out or disabled meanwhile sees no more.
			if _, err := u.svc.Bearer(r.Context(), v.session); err != nil {
				return nil
			}
			if err := s.Send("beat", "", machine(u.svc.Now())); err != nil {
				return nil
			}
		}
	}
}
