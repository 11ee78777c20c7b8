package apiserver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"concert/api"
	"concert/internal/formats"
	"concert/tlog"
)

func TestTheLogIsServedInTheTilesLayout(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	wantCode(t, d.raw(t, nil, "GET", "/log/checkpoint", ""), 404, "log.empty")
	for batch := range 3 {
		in := api.NewItems{}
		for n := range api.BatchLimit {
			in.Items = append(in.Items, api.NewItem{Location: place(0, batch*api.BatchLimit+n)})
		}
		must(d.officer.SubmitItems(ctx, api.Call{}, in))(t)
	}
	if err := d.svc.PublishLog(ctx); err != nil {
		t.Fatal(err)
	}
	checkpoint := d.raw(t, nil, "GET", "/log/checkpoint", "")
	if checkpoint.status != 200 || checkpoint.header.Get("Cache-Control") != "no-cache" || !strings.HasPrefix(checkpoint.header.Get("Content-Type"), "text/plain") {
		t.Fatalf("checkpoint: %d %v", checkpoint.status, checkpoint.header)
	}
	head, err := formats.Compare(checkpoint.body, d.svc.Origin, d.svc.LogKey, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if head.Size < 300 || head.Size >= 2*tlog.TileWidth {
		t.Fatalf("%d events: the test wants one full and one partial tile", head.Size)
	}
	rest := int(head.Size - tlog.TileWidth)
	full, partial := d.raw(t, nil, "GET", "/log/tile/0/000", ""), d.raw(t, nil, "GET", fmt.Sprintf("/log/tile/0/001.p/%d", rest), "")
	for name, a := range map[string]answer{"full": full, "partial": partial} {
		if a.status != 200 || a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s tile: %d, Cache-Control %q", name, a.status, a.header.Get("Cache-Control"))
		}
	}
	if len(full.body) != 32*tlog.TileWidth || len(partial.body) != 32*rest {
		t.Errorf("tiles have %d and %d bytes", len(full.body), len(partial.body))
	}
	// A narrower tile of the past is the beginning of the wider one.
	if a := d.raw(t, nil, "GET", "/log/tile/0/001.p/3", ""); a.status != 200 || a.body != partial.body[:96] {
		t.Errorf("an older partial tile: %d, %d bytes", a.status, len(a.body))
	}
	// An outsider's audit over what is served.
	auditor := tlog.NewAuditor(func(id tlog.TileID) ([]byte, error) {
		a := d.raw(t, nil, "GET", "/log/"+id.Path(), "")
		if a.status != 200 {
			return nil, fmt.Errorf("%s: %d", id.Path(), a.status)
		}
		return []byte(a.body), nil
	}, head.Head)
	for index, width := range []int{tlog.TileWidth, rest} {
		a := d.raw(t, nil, "GET", "/log/"+tlog.EntriesPath(int64(index), width), "")
		commits, err := tlog.DecodeCommitments([]byte(a.body), width)
		if err != nil {
			t.Fatalf("entries %d: %d %v", index, a.status, err)
		}
		for _, c := range commits {
			auditor.Add(c)
		}
	}
	if err := auditor.Finish().Err(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{
		"/log/tile/0/002", "/log/tile/0/001", fmt.Sprintf("/log/tile/0/001.p/%d", rest+1), "/log/tile/1/001", "/log/tile/1/000.p/2", "/log/tile/entries/002", fmt.Sprintf("/log/tile/entries/001.p/%d", rest+1),
		"/log/tile/0/1", "/log/tile/0/x000/000", "/log/tile/99/000", "/log/tile/-1/000", "/log/tile/0/001.p/0", "/log/tile/0/001.p/256", "/log/tile/entries/", "/log/tile/",
	} {
		if a := d.raw(t, nil, "GET", path, ""); a.status != 404 {
			t.Errorf("%s: %d, want 404", path, a.status)
		} else if cc := a.header.Get("Cache-Control"); cc != "no-store" {
			t.Errorf("%s: a missing tile is cached: %q", path, cc)
		}
	}
}
