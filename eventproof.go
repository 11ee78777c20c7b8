package concert

import "encoding/json"

// EventProofFormat names the proof of one event, version 1
// (docs/formats/eventproof.md).
const EventProofFormat = "concert-event/1"

// EventProof shows, offline, that one event stands in the log: the event as it
// was committed to, its place, and the signed head. Of an erased event the text
// and the salt are gone; its commitment still stands where it stood.
type EventProof struct {
	Format     string        `json:"format"`
	Origin     string        `json:"origin"`
	LogKey     string        `json:"log_key"`
	Exercise   bool          `json:"exercise"`
	Index      int64         `json:"index"`
	Event      string        `json:"event,omitempty"` // canonical text (RecordedEvent.Canonical)
	Salt       []byte        `json:"salt,omitempty"`
	Commit     []byte        `json:"commit"`    // 32 bytes: the log's entry
	Inclusion  [][]byte      `json:"inclusion"` // RFC 6962 audit path
	Checkpoint string        `json:"checkpoint"`
	Earlier    *EarlierProof `json:"earlier,omitempty"`
}

// EarlierProof shows that the log goes on from a head that somebody kept from
// before.
type EarlierProof struct {
	Checkpoint  string   `json:"checkpoint"`
	Consistency [][]byte `json:"consistency"` // RFC 6962 consistency path
}

// EventRef is the public reference that an event's body names first: of what it
// happened to, "" for none.
func EventRef(body []byte) string {
	var b struct {
		Ref      string `json:"ref"`
		Referral string `json:"referral"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	if b.Ref != "" {
		return b.Ref
	}
	return b.Referral
}
