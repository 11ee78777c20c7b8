package match_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"concert/internal/match"
)

// reel draws an EXERCISE film of one scene a second.
func reel(r *rand.Rand, seconds int) []match.Frame {
	list := make([]match.Frame, seconds)
	for i := range list {
		list[i] = match.Frame{Number: 25 * i, Quality: 90, Seconds: float64(i)}
		for k := range list[i].Hash {
			list[i].Hash[k] = byte(r.Uint32())
		}
	}
	return list
}

// shown is a stretch of a film from another moment on, with n bits of each frame changed.
func shown(list []match.Frame, from, to int, at float64, n int) []match.Frame {
	var out []match.Frame
	for i, f := range list[from:to] {
		f.Seconds = at + float64(i)
		for k := range n {
			f.Hash[k] ^= 1
		}
		out = append(out, f)
	}
	return out
}

func TestABankFindsVideosBothWays(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	long, clip, other := reel(r, 60), reel(r, 20), reel(r, 30)
	dark := reel(r, 10)
	for i := range dark {
		dark[i].Quality = 49
	}
	bank, err := match.NewBank(t.Context(), []match.Known{{Name: "EXERCISE long", Frames: long}, {Name: "EXERCISE clip", Frames: clip}, {Name: "EXERCISE other", Frames: other}, {Name: "EXERCISE dark", Frames: dark}, {Name: "EXERCISE short", Frames: clip[:1]}})
	if err != nil {
		t.Fatal(err)
	}
	defer bank.Close()
	// A film that has ten seconds of the long one, and behind them the whole clip.
	film := append(shown(long, 20, 30, 0, 3), shown(clip, 0, 20, 100, 31)...)
	turned := [][]match.Frame{reel(r, 5), film}
	hits, err := bank.Find(match.Sought{Frames: turned}, 31)
	if err != nil || len(hits) != 3 {
		t.Fatalf("%+v, %v", hits, err)
	}
	for i, want := range []match.Hit{
		{Entry: 0, Distance: 3, OfSought: 10. / 30, OfEntry: 10. / 60},
		{Entry: 1, Distance: 31, OfSought: 20. / 30, OfEntry: 1},
		{Entry: 4, Distance: 31, OfSought: 1. / 30, OfEntry: 1},
	} {
		h := hits[i]
		if h.Entry != want.Entry || h.By != match.HashVPDQ || h.Turn != 1 || h.Distance != want.Distance || h.OfSought != want.OfSought || h.OfEntry != want.OfEntry {
			t.Errorf("hit %d: %+v, want %+v", i, h, want)
		}
	}
	if len(hits[0].Segments) != 1 || match.SegmentText(hits[0].Segments[0]) != "0.0-9.0=20.0-29.0" || match.SegmentText(hits[1].Segments[0]) != "100.0-119.0=0.0-19.0" || len(hits[2].Segments) != 0 {
		t.Errorf("%+v", hits)
	}
	// Within fewer bits the clip is another film.
	if hits, err = bank.Find(match.Sought{Frames: turned}, 30); err != nil || len(hits) != 1 || hits[0].Entry != 0 {
		t.Errorf("%+v, %v", hits, err)
	}
	if hits, err = bank.Find(match.Sought{Frames: [][]match.Frame{dark}}, 64); err != nil || len(hits) > 0 {
		t.Errorf("dark frames match: %+v, %v", hits, err)
	}
	if turn, l, err := match.CompareTurned(turned, clip, 31); err != nil || turn != 1 || l.ShareOfB != 1 || len(l.Segments) != 1 {
		t.Errorf("turned by %d: %+v, %v", turn, l, err)
	}
	l, err := match.CompareFrames(film, clip, 32)
	if err != nil || l.ShareOfB != 1 || !match.Matches(&l) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestFramesThatSayNothingNewAreLeftOut(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	list := reel(r, 50)
	still := append(append(shown(list, 0, 1, 0, 4), list...), shown(list, 49, 50, 60, 4)...)
	still = append(still, match.Frame{Quality: 10})
	if got := match.DistinctFrames(still, 4, 100); len(got) != 50 {
		t.Errorf("%d of 50 different frames", len(got))
	}
	if got := match.DistinctFrames(still, 3, 100); len(got) != 52 {
		t.Errorf("%d of 52 different frames", len(got))
	}
	if got := match.DistinctFrames(list, 0, 10); len(got) != 10 || got[1].Number != list[5].Number {
		t.Errorf("%+v", got)
	}
}

func TestListsOfFramesAreKnownByTheirBeginning(t *testing.T) {
	t.Parallel()
	list := reel(rand.New(rand.NewPCG(6, 6)), 5)
	var lines bytes.Buffer
	if err := match.WriteFrameList(&lines, list); err != nil {
		t.Fatal(err)
	}
	text := `["` + list[0].Hash.String() + `,90,0.0"]`
	for _, s := range []string{lines.String(), text, " " + text} {
		if !match.IsFrameList([]byte(s)) {
			t.Errorf("not known: %q", s)
		}
		if got, err := match.ReadFrameList(strings.NewReader(strings.TrimSpace(s))); err != nil || got[0].Hash != list[0].Hash {
			t.Errorf("%v, %v", got, err)
		}
	}
	for _, s := range []string{"", "[", "[]", "1,2,3,4", "pdq " + list[0].Hash.String(), `{"pdq":"` + list[0].Hash.String() + `"}`, "a,b,c"} {
		if match.IsFrameList([]byte(s)) {
			t.Errorf("taken for frames: %q", s)
		}
	}
}
