package concert_test

import (
	"testing"

	"concert"
)

func TestAHashIsFoundAtThePlaceThatTheIndexHasForIt(t *testing.T) {
	e := concert.BankEntry{Hashes: []concert.KnownHash{
		{Kind: concert.HashPDQ, Value: "first"},
		{Kind: concert.HashVPDQ, Frames: []concert.KnownFrame{{Seconds: 1}, {Seconds: 2}}},
		{Kind: concert.HashSHA256, Value: "last"},
	}}
	for place, want := range map[int]string{0: "first", 3: "last"} {
		if h, there := e.HashAt(place); !there || h.Value != want {
			t.Errorf("at %d stands %+v (%v), want %q", place, h, there, want)
		}
	}
	for place, seconds := range map[int]float64{1: 1, 2: 2} {
		if h, there := e.HashAt(place); !there || len(h.Frames) != 1 || h.Frames[0].Seconds != seconds {
			t.Errorf("at %d stands %+v (%v), want the frame at %v s alone", place, h, there, seconds)
		}
	}
	if h, there := e.HashAt(4); there {
		t.Errorf("at 4, past the last one, stands %+v", h)
	}
	if got := len(e.Hashes[1].Frames); got != 2 {
		t.Errorf("asking for a frame left %d of two in the entry", got)
	}
}
