package api

import (
	"context"
	"net/url"
)

// NewReveal opens a capture knowingly.
type NewReveal struct {
	GoOn bool `json:"go_on,omitempty" doc:"past the soft stop, where a pause is proposed"`
}

// Reveal is an opened capture: its bytes and a preview are given while it is open.
type Reveal struct {
	ID       string   `json:"id"`
	Capture  string   `json:"capture"`
	OpenedAt string   `json:"opened_at"`
	Until    string   `json:"until" doc:"open until then without a sign that somebody looks"`
	Closed   bool     `json:"closed,omitempty"`
	Warnings []string `json:"warnings" doc:"that stood when it was opened"`
	Shown    int64    `json:"shown_ms" doc:"counted so far, in milliseconds: 30 seconds where nothing measures"`
	Seeing
}

// Seeing is what the asking person has seen today, and what bounds it.
type Seeing struct {
	Today  Exposure       `json:"today"`
	Limits ExposureLimits `json:"limits" doc:"that hold for you, with your own"`
	Stop   string         `json:"stop" doc:"which limit today has reached: soft, hard, or none"`
}

// Beat says for how long a capture was seen since the last sign.
type Beat struct {
	Shown int64 `json:"shown_ms" doc:"milliseconds; never more is counted than passed on the server"`
	Close bool  `json:"close,omitempty"`
}

// Exposure is what one person opened on one day.
type Exposure struct {
	Day      string         `json:"day" doc:"UTC"`
	Opened   int            `json:"opened"`
	Shown    int64          `json:"shown_ms"`
	Warnings map[string]int `json:"warnings,omitempty" doc:"openings by warning that stood"`
}

// ExposureLimits bound what is opened on one day.
type ExposureLimits struct {
	Soft       int `json:"soft_minutes"`
	Hard       int `json:"hard_minutes"`
	SoftOpened int `json:"soft_opened"`
	HardOpened int `json:"hard_opened"`
}

// SetLimits are an authority's limits with who set them.
type SetLimits struct {
	ExposureLimits
	SetBy string `json:"set_by,omitempty" doc:"operator number; missing for the defaults"`
	From  string `json:"from,omitempty" doc:"since when they hold, or will"`
}

// OwnExposure is the asking person's own ledger; nobody else's can be asked for.
type OwnExposure struct {
	Seeing
	Days      []Exposure `json:"days" doc:"the last 14, the newest first; without those on which nothing was opened"`
	Authority SetLimits  `json:"authority"`
	Later     *SetLimits `json:"later,omitempty" doc:"what is to hold for the authority"`
	Own       OwnLimit   `json:"own"`
}

// OwnLimit is a lower limit of one's own.
type OwnLimit struct {
	Minutes int `json:"minutes" doc:"0 for none"`
	Opened  int `json:"opened" doc:"0 for none"`
}

// TeamExposure is what a team saw in a whole week, the reader not among it.
type TeamExposure struct {
	From     string         `json:"from" doc:"Monday, UTC"`
	Until    string         `json:"until" doc:"the Monday after"`
	Enough   bool           `json:"enough" doc:"at least five people have a share; else there is no number"`
	People   int            `json:"people,omitempty"`
	Opened   int            `json:"opened,omitempty"`
	Shown    int64          `json:"shown_ms,omitempty"`
	Warnings map[string]int `json:"warnings,omitempty" doc:"each only where at least five people have a share in it"`
}

// DeskExposure is what somebody who leads a desk sees of it.
type DeskExposure struct {
	Weeks  []TeamExposure `json:"weeks" doc:"the last four whole ones, the newest first"`
	Limits SetLimits      `json:"limits"`
	Later  *SetLimits     `json:"later,omitempty"`
}

// Warned says what is in a capture, for whoever opens it next.
type Warned struct {
	Warnings []string `json:"warnings" maxItems:"7" doc:"killing, child, sexual, suicide, injury, audio, nothing; in place of what you said before"`
}

// SameJudged is an earlier assessment of the same content by the own authority. It
// says nothing of the purpose, Art. 1(3): that is judged anew.
type SameJudged struct {
	Found    bool   `json:"found"`
	Item     string `json:"item,omitempty"`
	At       string `json:"at,omitempty"`
	Type     string `json:"type,omitempty"`
	Severity string `json:"severity,omitempty"`
	Outlet   string `json:"outlet,omitempty"`
}

// RevealCapture opens a capture knowingly, so that its bytes and its preview are
// given.
func (c *Client) RevealCapture(ctx context.Context, id string, in NewReveal) (Reveal, error) {
	return post[Reveal](ctx, c, "/api/v1/captures/"+url.PathEscape(id)+"/reveals", Call{}, in)
}

// BeatReveal says for how long an opened capture was seen, or closes it.
func (c *Client) BeatReveal(ctx context.Context, id, reveal string, in Beat) (Reveal, error) {
	return post[Reveal](ctx, c, "/api/v1/captures/"+url.PathEscape(id)+"/reveals/"+url.PathEscape(reveal), Call{}, in)
}

// OwnExposure is the asking person's own ledger.
func (c *Client) OwnExposure(ctx context.Context) (OwnExposure, error) {
	return get[OwnExposure](ctx, c, "/api/v1/exposure", nil)
}

// SameJudged is an earlier assessment of the item's content.
func (c *Client) SameJudged(ctx context.Context, item string) (SameJudged, error) {
	return get[SameJudged](ctx, c, "/api/v1/items/"+url.PathEscape(item)+"/same", nil)
}
