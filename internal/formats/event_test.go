package formats_test

import (
	"strings"
	"testing"

	"concert/internal/formats"
)

func FuzzVerifyEvent(f *testing.F) {
	f.Add(`{"format":"concert-event/1","index":1,"event":"{}","salt":"AAAA","commit":"AAAA","inclusion":["AA=="],"checkpoint":"x","earlier":{"checkpoint":"y"}}`)
	f.Add(`{"format":"concert-event/2"}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := formats.VerifyEvent(strings.NewReader(text), "", nil)
		if err == nil && v.Verified {
			t.Fatalf("a proof of nothing holds: %q", text)
		}
	})
}
