package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"concert/api"
	"concert/internal/formats"
	"concert/tlog"
)

// maxLogAnswer bounds one answer of a log: a full entry bundle is smaller.
const maxLogAnswer = 1 << 20

// verifyNode audits a running node from outside, as anyone can: its public
// checkpoint, tiles and entries. The events themselves stay inside; what is
// shown is that the log is whole and signed.
func (c *verifyCmd) verifyNode(ctx context.Context, earlier []string) (formats.Verification, error) {
	base := strings.TrimRight(c.Target, "/")
	hc := &http.Client{Timeout: 30 * time.Second}
	key := c.LogKey
	origin := ""
	keys, err := (&api.Client{Base: base, HTTP: hc}).Keys(ctx)
	if err != nil {
		return formats.Verification{}, err
	}
	for _, k := range keys.Keys {
		if k.Role == "log" {
			origin = k.Party
			if key == "" {
				key = k.PublicKey
			}
		}
	}
	before, err := formats.OpenEarlier(earlier, origin, key, c.Witness)
	if err != nil {
		return formats.Verification{}, err
	}
	// The newest that is cosigned first: it is never larger than the newest.
	cosigned, err := fetch(ctx, hc, base+"/log/cosigned")
	if err != nil && !errors.Is(err, errNotThere) {
		return formats.Verification{}, err
	}
	text, err := fetch(ctx, hc, base+"/log/checkpoint")
	if err != nil {
		return formats.Verification{}, err
	}
	head, err := formats.Compare(string(text), origin, key, c.Witness, before)
	if err == nil && string(cosigned) != string(text) {
		err = head.Beside(string(cosigned), origin, key, c.Witness)
	}
	if err != nil {
		return formats.Verification{Origin: origin, FirstBad: -1, SelfAttested: true, Problem: err.Error()}, nil
	}
	a := tlog.NewAuditor(func(t tlog.TileID) ([]byte, error) { return fetch(ctx, hc, base+"/log/"+t.Path()) }, head.Heads()...)
	for index := int64(0); index*tlog.TileWidth < head.Size; index++ {
		width := int(min(tlog.TileWidth, head.Size-index*tlog.TileWidth))
		bundle, err := fetch(ctx, hc, base+"/log/"+tlog.EntriesPath(index, width))
		if err != nil {
			return formats.Verification{}, err
		}
		commits, err := tlog.DecodeCommitments(bundle, width)
		if err != nil {
			return formats.Verification{Origin: origin, Size: head.Size, FirstBad: index * tlog.TileWidth, SelfAttested: true, Problem: err.Error()}, nil
		}
		for _, h := range commits {
			a.Add(h)
		}
	}
	return formats.Conclude(origin, head, a.Finish(), formats.NewEventChecker(), time.Now()), nil
}

// errNotThere is the answer 404.
var errNotThere = errors.New("there is none")

func fetch(ctx context.Context, hc *http.Client, url string) ([]byte, error) {
	return fetchAtMost(ctx, hc, url, maxLogAnswer)
}

func fetchAtMost(ctx context.Context, hc *http.Client, url string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := hc.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", url, errNotThere)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, most))
}
