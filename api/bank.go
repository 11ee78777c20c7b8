package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// HeaderCheckpoint is from where a bank's feed goes on behind an answer, and
// HeaderMore whether there is more at once.
const (
	HeaderCheckpoint = "Concert-Checkpoint"
	HeaderMore       = "Concert-More"
)

// BankSettings are what of a bank may change.
type BankSettings struct {
	Purpose      string   `json:"purpose" maxLength:"4000" doc:"what it is for: its entries may be used for nothing else; 10 to 1000 characters"`
	LegalBasis   string   `json:"legal_basis" maxLength:"1600" doc:"the law or agreement under which it is kept"`
	Labels       []string `json:"labels,omitempty" maxItems:"64"`
	Radius       *int     `json:"radius,omitempty" doc:"how many of 256 bits may differ, 0 to 64; 31 when left out"`
	Handling     string   `json:"handling,omitempty" doc:"H0 to H3; H0 when left out"`
	OpenTo       []string `json:"open_to,omitempty" maxItems:"2" doc:"who may ask it besides its owner: tenant (other authorities), provider"`
	EnabledRatio *float64 `json:"enabled_ratio,omitempty" doc:"the share of questions that it answers, 0 to 1; 1 when left out"`
	Negative     bool     `json:"negative,omitempty" doc:"what is near an entry of it matches nothing at all"`
	ExpiresAt    string   `json:"expires_at,omitempty" maxLength:"40" doc:"RFC 3339"`
}

// NewBank opens a bank (reviewer).
type NewBank struct {
	Name   string `json:"name" maxLength:"100" doc:"capital letters, digits and underscores, at most 64"`
	Source string `json:"source,omitempty" maxLength:"200" doc:"the exchange that it is a copy of"`
	BankSettings
}

// Bank is a named list of known content.
type Bank struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Source    string `json:"source,omitempty"`
	Owner     string `json:"owner" doc:"reference of the authority that answers for it"`
	OwnerName string `json:"owner_name"`
	Mine      bool   `json:"mine" doc:"of your own authority"`
	BankSettings
	ClosedAt    string `json:"closed_at,omitempty"`
	CreatedAt   string `json:"created_at"`
	Matching    int    `json:"matching" doc:"entries that may match"`
	Quarantined int    `json:"quarantined" doc:"entries that matched too much and wait for a person"`
	Ended       int    `json:"ended"`
	Exercise    bool   `json:"exercise,omitempty"`
	Version     int64  `json:"version"`
}

// KnownHash is one hash of a known work.
type KnownHash struct {
	Kind    string       `json:"kind" maxLength:"40" doc:"pdq, vpdq, sha256, sha1, md5; sha512, tmk, tlsh and photodna are kept and not compared"`
	Value   string       `json:"value,omitempty" maxLength:"4096" doc:"hexadecimal; of vpdq left out"`
	Quality *int         `json:"quality,omitempty" doc:"of pdq, 0 to 100"`
	Frames  []KnownFrame `json:"frames,omitempty" maxItems:"4095" doc:"of vpdq"`
}

// KnownFrame is a frame of a video.
type KnownFrame struct {
	PDQ     string  `json:"pdq" maxLength:"64"`
	Quality int     `json:"quality"`
	Seconds float64 `json:"seconds" doc:"from the beginning"`
}

// NewBankEntry is a known work that goes into a bank, or that its source recalls.
type NewBankEntry struct {
	SourceID  string      `json:"source_id,omitempty" maxLength:"200" doc:"what its source calls it: known the second time"`
	Hashes    []KnownHash `json:"hashes,omitempty" maxItems:"64"`
	Name      string      `json:"name,omitempty" maxLength:"400"`
	Labels    []string    `json:"labels,omitempty" maxItems:"64"`
	Note      string      `json:"note,omitempty" maxLength:"1000" doc:"for its owner alone"`
	Handling  string      `json:"handling,omitempty" doc:"the bank's when left out"`
	Opinion   string      `json:"opinion,omitempty" doc:"positive, negative or seed; positive when left out"`
	ExpiresAt string      `json:"expires_at,omitempty" maxLength:"40" doc:"RFC 3339"`
	Gone      bool        `json:"gone,omitempty" doc:"its source recalls it"`
}

// NewBankEntries are 1 to 1000 of them.
type NewBankEntries struct {
	Entries []NewBankEntry `json:"entries" minItems:"1" maxItems:"1000"`
}

// BankEntry is a known work in a bank.
type BankEntry struct {
	ID            string         `json:"id"`
	Number        int64          `json:"number" doc:"its content id on the routes of Hasher-Matcher-Actioner"`
	SourceID      string         `json:"source_id,omitempty"`
	Hashes        []KnownHash    `json:"hashes"`
	Name          string         `json:"name,omitempty"`
	Labels        []string       `json:"labels,omitempty"`
	Note          string         `json:"note,omitempty" doc:"its owner sees it"`
	Handling      string         `json:"handling,omitempty" doc:"missing where it is the bank's"`
	Opinion       string         `json:"opinion" doc:"of all who gave one: positive, negative, seed or disputed"`
	Said          map[string]int `json:"said,omitempty" doc:"how many authorities gave which opinion, besides its source"`
	AddedAt       string         `json:"added_at"`
	ChangedAt     string         `json:"changed_at"`
	ExpiresAt     string         `json:"expires_at,omitempty"`
	QuarantinedAt string         `json:"quarantined_at,omitempty"`
	EndedAt       string         `json:"ended_at,omitempty"`
	End           string         `json:"end,omitempty" enum:"withdrawn,expired,recalled,erased"`
	Version       int64          `json:"version"`
}

// NewOpinion says what your authority thinks of an entry.
type NewOpinion struct {
	Opinion string `json:"opinion" enum:"positive,negative,seed"`
}

// BankImport is what became of a list that was sent to a bank.
type BankImport struct {
	Format   string        `json:"format"`
	Entries  int           `json:"entries" doc:"that the list says, tombstones among them"`
	Added    int           `json:"added"`
	Known    int           `json:"known" doc:"there already"`
	Recalled int           `json:"recalled" doc:"taken out, since the list says that they are gone"`
	Refused  int           `json:"refused"`
	Faults   []ImportFault `json:"faults" doc:"the first 1,000 of what was refused"`
}

// ImportFault is a line or an entry that did not go in.
type ImportFault struct {
	Line     int    `json:"line,omitempty" doc:"where it begins, of what could not be read"`
	Entry    int    `json:"entry,omitempty" doc:"which of the entries that were read, from 1"`
	SourceID string `json:"source_id,omitempty"`
	Reason   string `json:"reason"`
}

// BankHolder is who takes a bank's entries by its feed.
type BankHolder struct {
	Name    string `json:"name"`
	Entries int    `json:"entries" doc:"that it was given"`
	At      string `json:"at" doc:"the last time"`
	Behind  bool   `json:"behind" doc:"there are changes, withdrawals perhaps, that it was not given"`
}

// BankHolders are all of a bank.
type BankHolders struct {
	Holders []BankHolder `json:"holders"`
}

// Lookup asks the banks for many hashes at once.
type Lookup struct {
	Hashes       []LookupHash `json:"hashes" minItems:"1" maxItems:"1000"`
	Banks        []string     `json:"banks,omitempty" maxItems:"1000" doc:"names or references; all that answer you when left out"`
	Radius       *int         `json:"radius,omitempty" minimum:"0" maximum:"64" doc:"bits that may differ; each bank's own when left out, which is the most in any case"`
	Seed         string       `json:"seed,omitempty" maxLength:"200" doc:"banks that answer a share of questions: the same seed has the same ones answer"`
	IgnoreRatios bool         `json:"ignore_ratios,omitempty" doc:"banks that answer a share answer all the same"`
}

// LookupHash is one hash that is asked for.
type LookupHash struct {
	Kind    string   `json:"kind,omitempty" maxLength:"40" doc:"pdq, sha256, sha1 or md5; pdq when left out"`
	Value   string   `json:"value,omitempty" maxLength:"128"`
	Turned  []string `json:"turned,omitempty" maxItems:"8" doc:"of pdq: the picture as it is, turned and mirrored, one after the other as docs/hash.md lists them, in place of value"`
	Quality *int     `json:"quality,omitempty" doc:"of pdq: below 50 the outcome is low_quality"`
}

// LookupResults are the answers, one for each hash in turn.
type LookupResults struct {
	Results []LookupResult `json:"results"`
}

// LookupResult is what was found near one hash. It decides nothing.
type LookupResult struct {
	Outcome string      `json:"outcome" enum:"found,none,low_quality,invalid"`
	Reason  string      `json:"reason,omitempty" doc:"of invalid"`
	Matches []LookupHit `json:"matches,omitempty" doc:"at most 50, the nearest first"`
}

// LookupHit is an entry of a bank that is near.
type LookupHit struct {
	Bank        string   `json:"bank" doc:"its name, as you have it"`
	BankID      string   `json:"bank_id"`
	Entry       string   `json:"entry"`
	Number      int64    `json:"number"`
	Distance    int      `json:"distance" doc:"bits that differ; 0 for a digest"`
	Orientation string   `json:"orientation,omitempty" doc:"what was done to the one to get the other"`
	Opinion     string   `json:"opinion"`
	Name        string   `json:"name,omitempty"`
	Labels      []string `json:"labels,omitempty"`
}

// KnownMatch is one likeness of an item. It decides nothing.
type KnownMatch struct {
	ID          string         `json:"id"`
	By          string         `json:"by" enum:"picture,video,text,page,bytes"`
	Item        string         `json:"item,omitempty" doc:"the other item, of your own authority"`
	Bank        string         `json:"bank,omitempty"`
	BankID      string         `json:"bank_id,omitempty"`
	Entry       string         `json:"entry,omitempty"`
	EntryName   string         `json:"entry_name,omitempty"`
	Opinion     string         `json:"opinion,omitempty" doc:"on the entry"`
	Labels      []string       `json:"labels,omitempty"`
	Distance    int            `json:"distance"`
	Quality     int            `json:"quality,omitempty"`
	Orientation string         `json:"orientation,omitempty"`
	ShareHere   int            `json:"share_here,omitempty" doc:"of a text or a video, in thousandths: how much of it the other has"`
	ShareThere  int            `json:"share_there,omitempty"`
	Segments    []KnownSegment `json:"segments,omitempty"`
	Said        string         `json:"said,omitempty" enum:"same,other" doc:"what a person said of it"`
	At          string         `json:"at"`
}

// KnownSegment says which stretch of a video is which of the other.
type KnownSegment struct {
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Then   float64 `json:"then" doc:"where it begins in the other"`
	Frames int     `json:"frames"`
}

// Known is what is known of an item's content.
type Known struct {
	Matches  []KnownMatch `json:"matches"`
	Others   int          `json:"others" doc:"items of other authorities that are like it; no more is told of them"`
	Alike    []string     `json:"alike" doc:"copies of it that wait to be assessed, at most 20"`
	Waiting  int          `json:"waiting" doc:"how many those are in all"`
	Language string       `json:"language,omitempty"`
	Script   string       `json:"script,omitempty"`
	Pending  bool         `json:"pending,omitempty" doc:"a capture is not compared yet"`
}

// MatchWord says whether a match is right.
type MatchWord struct {
	Word string `json:"word" enum:"same,other"`
}

// MatchSaid is what was said of a match.
type MatchSaid struct {
	ID   string `json:"id"`
	Word string `json:"word"`
	At   string `json:"at"`
}

// Works is how many works are behind what was found.
type Works struct {
	Items int `json:"items" doc:"that were compared"`
	Works int `json:"works" doc:"distinct ones"`
}

func bankPath(id, more string) string { return "/api/v1/banks/" + url.PathEscape(id) + more }

// OpenBank opens a bank of known content.
func (c *Client) OpenBank(ctx context.Context, call Call, in NewBank) (Bank, error) {
	return post[Bank](ctx, c, "/api/v1/banks", call, in)
}

// Banks are the banks that the caller may know of.
func (c *Client) Banks(ctx context.Context) (Page[Bank], error) {
	return get[Page[Bank]](ctx, c, "/api/v1/banks", nil)
}

// Bank is one.
func (c *Client) Bank(ctx context.Context, id string) (Bank, error) {
	return get[Bank](ctx, c, bankPath(id, ""), nil)
}

// ChangeBank sets what a bank is for and how it answers.
func (c *Client) ChangeBank(ctx context.Context, call Call, id string, in BankSettings) (Bank, error) {
	var out Bank
	err := c.Do(ctx, http.MethodPut, bankPath(id, ""), call, in, &out)
	return out, err
}

// CloseBank ends a bank.
func (c *Client) CloseBank(ctx context.Context, call Call, id string) (Bank, error) {
	var out Bank
	err := c.Do(ctx, http.MethodDelete, bankPath(id, ""), call, nil, &out)
	return out, err
}

// FillBank adds entries to a bank.
func (c *Client) FillBank(ctx context.Context, call Call, id string, in NewBankEntries) (Results, error) {
	return post[Results](ctx, c, bankPath(id, "/entries"), call, in)
}

// EntryQuery narrows a list of a bank's entries.
type EntryQuery struct {
	Quarantined bool // only those in quarantine
	Ended       bool // those that ended, too
	Cursor      string
	Limit       int // at most 500
}

// BankEntries is a page of a bank's entries, the newest first.
func (c *Client) BankEntries(ctx context.Context, id string, q EntryQuery) (Page[BankEntry], error) {
	v := url.Values{}
	for name, on := range map[string]bool{"quarantined": q.Quarantined, "ended": q.Ended} {
		if on {
			v.Set(name, "true")
		}
	}
	if q.Cursor != "" {
		v.Set("cursor", q.Cursor)
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return get[Page[BankEntry]](ctx, c, bankPath(id, "/entries"), v)
}

// ImportBank sends a list to a bank; format is one of docs/banks.md, or "" to tell it
// by the list's beginning.
func (c *Client) ImportBank(ctx context.Context, id, format string, list io.Reader) (BankImport, error) {
	var out BankImport
	req, err := c.request(ctx, http.MethodPost, bankPath(id, "/import")+"?format="+url.QueryEscape(format), nil)
	if err != nil {
		return out, err
	}
	req.Body, req.ContentLength = io.NopCloser(list), -1
	req.Header.Set("Content-Type", "application/octet-stream")
	return out, c.sendOnce(req, func(r io.Reader) error { return json.NewDecoder(r).Decode(&out) })
}

// BankFeed writes a page of a bank's feed to w, behind a checkpoint that was given
// before ("" to begin), in a format of docs/banks.md. more says whether there is more
// at once.
func (c *Client) BankFeed(ctx context.Context, id, after, format string, limit int, w io.Writer) (checkpoint string, more bool, err error) {
	v := url.Values{"format": {format}}
	if after != "" {
		v.Set("after", after)
	}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	req, err := c.request(ctx, http.MethodGet, bankPath(id, "/feed")+"?"+v.Encode(), nil)
	if err != nil {
		return "", false, err
	}
	res, err := c.http().Do(req)
	if err != nil {
		return "", false, fmt.Errorf("feed of bank %s: %w", id, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return "", false, fmt.Errorf("feed of bank %s: %w", id, err)
		}
		p, err := problemOf(res, data)
		if err != nil {
			return "", false, fmt.Errorf("feed of bank %s: %w", id, err)
		}
		return "", false, p
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return "", false, fmt.Errorf("feed of bank %s: it was cut off: %w", id, err)
	}
	return res.Header.Get(HeaderCheckpoint), res.Header.Get(HeaderMore) == "true", nil
}

// BankHolders are who takes a bank's entries.
func (c *Client) BankHolders(ctx context.Context, id string) (BankHolders, error) {
	return get[BankHolders](ctx, c, bankPath(id, "/holders"), nil)
}

// BankItem enters an item's content into a bank.
func (c *Client) BankItem(ctx context.Context, call Call, bank, item string) (BankEntry, error) {
	return post[BankEntry](ctx, c, bankPath(bank, "/items/"+url.PathEscape(item)), call, nil)
}

// WithdrawEntry takes an entry out of its bank.
func (c *Client) WithdrawEntry(ctx context.Context, call Call, id string) (BankEntry, error) {
	return post[BankEntry](ctx, c, "/api/v1/entries/"+url.PathEscape(id)+"/withdraw", call, nil)
}

// JudgeEntry says what the caller's authority thinks of an entry.
func (c *Client) JudgeEntry(ctx context.Context, call Call, id string, in NewOpinion) (BankEntry, error) {
	return post[BankEntry](ctx, c, "/api/v1/entries/"+url.PathEscape(id)+"/opinion", call, in)
}

// ClearEntry lets an entry match that was in quarantine.
func (c *Client) ClearEntry(ctx context.Context, call Call, id string) (BankEntry, error) {
	return post[BankEntry](ctx, c, "/api/v1/entries/"+url.PathEscape(id)+"/clear", call, nil)
}

// LookUp asks the banks for many hashes at once.
func (c *Client) LookUp(ctx context.Context, in Lookup) (LookupResults, error) {
	return post[LookupResults](ctx, c, "/api/v1/known/lookup", Call{}, in)
}

// KnownOf is what is known of an item's content.
func (c *Client) KnownOf(ctx context.Context, item string) (Known, error) {
	return get[Known](ctx, c, "/api/v1/items/"+url.PathEscape(item)+"/known", nil)
}

// JudgeMatch says whether a match is right.
func (c *Client) JudgeMatch(ctx context.Context, call Call, id string, in MatchWord) (MatchSaid, error) {
	return post[MatchSaid](ctx, c, "/api/v1/matches/"+url.PathEscape(id)+"/word", call, in)
}

// Works is how many works are behind what was found.
func (c *Client) Works(ctx context.Context) (Works, error) {
	return get[Works](ctx, c, "/api/v1/works", nil)
}
