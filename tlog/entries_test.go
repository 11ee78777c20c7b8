package tlog_test

import (
	"bytes"
	"errors"
	"testing"

	"concert/tlog"

	"pgregory.net/rapid"
)

func TestEntryBundleIsLengthPrefixedEntries(t *testing.T) {
	t.Parallel()
	got, err := tlog.EncodeEntries([][]byte{[]byte("EXERCISE"), {}, bytes.Repeat([]byte{7}, 0x102)})
	want := "\x00\x08EXERCISE\x00\x00\x01\x02" + string(bytes.Repeat([]byte{7}, 0x102))
	if err != nil || string(got) != want {
		t.Errorf("EncodeEntries = %q, %v", got, err)
	}
}

func TestEntryBundlesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 70), 0, 256).Draw(t, "entries")
		bundle, err := tlog.EncodeEntries(entries)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tlog.DecodeEntries(bundle)
		if err != nil || len(got) != len(entries) {
			t.Fatalf("DecodeEntries: %d entries, %v", len(got), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], entries[i]) {
				t.Fatalf("entry %d changed", i)
			}
		}
	})
}

func TestEntryBundleBoundsAreHeld(t *testing.T) {
	t.Parallel()
	if _, err := tlog.EncodeEntries(make([][]byte, 257)); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("257 entries: %v", err)
	}
	if _, err := tlog.EncodeEntries([][]byte{make([]byte, 65536)}); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("entry of 65,536 bytes: %v", err)
	}
	for name, bundle := range map[string][]byte{
		"half a length": {0}, "cut entry": {0, 3, 1, 2}, "257 entries": make([]byte, 2*257),
	} {
		if _, err := tlog.DecodeEntries(bundle); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommitmentBundlesHaveTheirWidthAnd32Bytes(t *testing.T) {
	t.Parallel()
	a, b := commitment(0), commitment(1)
	bundle, err := tlog.EncodeEntries([][]byte{a[:], b[:]})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tlog.DecodeCommitments(bundle, 2); err != nil || len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("DecodeCommitments = %x, %v", got, err)
	}
	if _, err := tlog.DecodeCommitments(bundle, 3); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("wrong width: %v", err)
	}
	if _, err := tlog.DecodeCommitments([]byte{0, 1, 9}, 1); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("entry of one byte: %v", err)
	}
}

func FuzzDecodeEntries(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x00\x08EXERCISE\x00\x00"))
	f.Add([]byte{0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, bundle []byte) {
		entries, err := tlog.DecodeEntries(bundle)
		if err != nil {
			if !errors.Is(err, tlog.ErrMalformed) {
				t.Error(err)
			}
			return
		}
		if again, err := tlog.EncodeEntries(entries); err != nil || !bytes.Equal(again, bundle) {
			t.Errorf("encodes to %x, %v", again, err)
		}
	})
}
