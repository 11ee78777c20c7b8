package webui

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"concert"
	"concert/internal/design"
	"concert/internal/httpkit"
)

const (
	// boardPause is the least time between two frames of one board.
	boardPause = time.Second
	beatEvery  = 15 * time.Second
	// boardIdle is how often a board is looked at again though the log has not
	// grown: what falls due shows all the same.
	boardIdle = 10 * time.Second
)

// feedKey is what a rendering of a board depends on beside the action: nothing
// that one person may see and another not of the same kind.
type feedKey struct {
	ref      string
	language string
	partner  bool // numbers below five are not shown
	lists    bool // the reader may list what is counted
}

// feed renders one action's board once per change and hands the same bytes to
// every viewer on this node. It works only while somebody looks. A frame holds
// the panels that changed; where a viewer comes back, it holds those that changed
// since the place in the log that it saw last.
type feed struct {
	key feedKey

	mu      sync.Mutex // guards all below
	viewers int
	stop    context.CancelFunc
	turn    int64        // counts frames, 0 for none yet
	size    int64        // of the log at the last one
	begun   int64        // of the log when it began to look
	panels  []shownPanel // the newest of each
	delta   []byte       // the last frame, for who saw the one before
	fresh   chan struct{}
}

// shownPanel is a panel as it was sent last.
type shownPanel struct {
	html string
	turn int64 // of the frame in which it last changed
	size int64 // of the log then
}

func (u *UI) feedOf(key feedKey) *feed {
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.feeds[key]
	if f == nil {
		f = &feed{key: key, fresh: make(chan struct{})}
		u.feeds[key] = f
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
		f.stop, f.panels = stop, nil
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

// run renders until the last viewer has left.
func (f *feed) run(ctx context.Context, u *UI, scope concert.Scope) {
	language, _ := design.LanguageOf(f.key.language)
	ctx = design.WithReader(ctx, design.Reader{Language: language})
	for {
		_, grown := u.hub.Size()
		size, panels, err := u.renderBoard(ctx, scope, f.key)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			u.log.Error("board not rendered; tried again", "action", f.key.ref, "err", err)
		default:
			f.publish(ctx, size, panels)
		}
		if !wait(ctx, boardPause) {
			return
		}
		if err != nil {
			continue
		}
		idle := time.NewTimer(boardIdle)
		select {
		case <-ctx.Done():
			idle.Stop()
			return
		case <-idle.C:
		case <-grown:
			idle.Stop()
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

func (f *feed) publish(ctx context.Context, size int64, panels []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// A run that was stopped meanwhile must not overwrite the next one's frame.
	if ctx.Err() != nil {
		return
	}
	if len(f.panels) != len(panels) {
		f.panels, f.begun = make([]shownPanel, len(panels)), size
	}
	f.turn++
	f.size = size
	for i, html := range panels {
		if f.panels[i].html != html {
			f.panels[i] = shownPanel{html, f.turn, size}
		}
	}
	f.delta = f.frame(func(p shownPanel) bool { return p.turn == f.turn })
	close(f.fresh)
	f.fresh = make(chan struct{})
}

// frame is an event of the panels that are wanted, nil for none.
func (f *feed) frame(wanted func(shownPanel) bool) []byte {
	var b strings.Builder
	for _, p := range f.panels {
		if wanted(p) {
			b.WriteString(p.html)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return httpkit.Event("board", strconv.FormatInt(f.size, 10), b.String())
}

// since is what a viewer is yet to see: after a turn, or, at its first, after
// the place in the log that it saw on this node or another, 0 for none. What
// changed at that place is sent again, since two nodes may have looked at it at
// different moments.
func (f *feed) since(turn, place int64) (frame []byte, now int64, fresh <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.panels == nil || turn == f.turn:
	case turn > 0 && turn == f.turn-1:
		frame = f.delta
	case turn > 0:
		frame = f.frame(func(p shownPanel) bool { return p.turn > turn })
	case place > 0 && place >= f.begun:
		frame = f.frame(func(p shownPanel) bool { return p.size >= place })
	default:
		frame = f.frame(func(shownPanel) bool { return true })
	}
	if f.panels == nil {
		return nil, turn, f.fresh
	}
	return frame, f.turn, f.fresh
}

// renderBoard is the board's panels, as the stream sends them.
func (u *UI) renderBoard(ctx context.Context, scope concert.Scope, key feedKey) (size int64, panels []string, err error) {
	b, err := u.svc.WatchBoard(ctx, scope, key.ref)
	if err != nil {
		return 0, nil, err
	}
	if key.partner {
		b = b.Suppressed()
	}
	p, err := u.boardPage(ctx, b, key.lists)
	if err != nil {
		return 0, nil, err
	}
	for _, x := range p.panels() {
		var out bytes.Buffer
		if err := x.body.Render(ctx, &out); err != nil {
			return 0, nil, err
		}
		panels = append(panels, out.String())
	}
	return b.Log.Size, panels, nil
}

// streamAddress is where the page's board is streamed from.
func (p boardPage) streamAddress() string {
	if p.Partner {
		return "/actions/" + p.Ref + "/stream?view=partner"
	}
	return "/actions/" + p.Ref + "/stream"
}

// stream sends the panels that changed, at most once a second, and a beat with
// the case time so that a silent board is known from a dead one. A viewer that
// comes back with Last-Event-ID, a place in the log, gets what changed since.
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
	place, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil || place < 0 {
		place = 0
	}
	key := feedKey{b.Action.Ref, design.ReaderOf(r.Context()).Language.Code, b.Partner || asPartner(r), mayList(v.actor())}
	f := u.feedOf(key)
	defer f.join(u, scope)()
	u.svc.Present(r.Context(), v.actor(), b.Action.ID)
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	var turn int64
	for {
		frame, now, fresh := f.since(turn, place)
		turn = now
		if frame != nil {
			// A viewer that went away is no failure.
			if err := s.Write(frame); err != nil {
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
			u.svc.Present(r.Context(), v.actor(), b.Action.ID)
			if err := s.Send("beat", "", machine(u.svc.Now())); err != nil {
				return nil
			}
		}
	}
}
