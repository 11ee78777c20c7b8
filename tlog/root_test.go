package tlog_test

import (
	"errors"
	"testing"

	"concert/tlog"

	modtlog "golang.org/x/mod/sumdb/tlog"
)

// TestRootAtIsThatOfTheLogWhenItWasSmaller: read from the tiles of the log as it is now.
func TestRootAtIsThatOfTheLogWhenItWasSmaller(t *testing.T) {
	t.Parallel()
	const most = 70_000
	ref := newReference(t, most)
	head, store := grown(t, most)
	for _, size := range []int64{0, 1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 69_999, most} {
		got, err := tlog.RootAt(size, store.read)
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		want := tlog.Empty().Root
		if size > 0 {
			h, err := modtlog.TreeHash(size, ref)
			if err != nil {
				t.Fatal(err)
			}
			want = tlog.Hash(h)
		}
		if got != want {
			t.Errorf("size %d: root %x, want %x", size, got, want)
		}
	}
	if got, err := tlog.RootAt(head.Size, store.read); err != nil || got != head.Root {
		t.Errorf("the whole log: %x, %v", got, err)
	}
	if _, err := tlog.RootAt(-1, store.read); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("a size below nothing: %v", err)
	}
}
