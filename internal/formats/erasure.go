package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"concert"
	"concert/tlog"
)

// MaxErasureProof bounds a proof document in bytes: an event body of an erasure is a few
// hundred bytes.
const MaxErasureProof = 64 << 10

// canonicalEvent is a canonical event text read back (docs/formats/event.md).
type canonicalEvent struct {
	Actor   string              `json:"actor"`
	At      string              `json:"at"`
	Body    concert.ErasureBody `json:"body"`
	ID      string              `json:"id"`
	Kind    concert.EventKind   `json:"kind"`
	Sealed  string              `json:"sealed"`
	Subject string              `json:"subject"`
	Version int                 `json:"version"`
}

// FormatOf is the format that a document names in its first bytes, wherever
// among its fields; "" for none.
func FormatOf(head []byte) string {
	d := json.NewDecoder(bytes.NewReader(head))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for {
		name, err := d.Token()
		if err != nil {
			return ""
		}
		var value any
		if d.Decode(&value) != nil {
			return ""
		}
		if name == "format" {
			s, _ := value.(string)
			return s
		}
	}
}

// VerifyErasure checks a proof of erasure, with no connection to anything: the
// event is in the log under the signed head, it is the erasure of the item that
// the document names. logKey is the key the reader trusts; "" takes the
// document's own, which shows only that it is consistent with itself. The
// verification's Erased is how many events the erasure took.
func VerifyErasure(r io.Reader, logKey string, witnessKeys []string) (Verification, error) {
	v := Verification{FirstBad: -1, SelfAttested: true}
	raw, err := io.ReadAll(io.LimitReader(r, MaxErasureProof+1))
	if err != nil {
		return v, fmt.Errorf("erasure proof: %w", err)
	}
	if len(raw) > MaxErasureProof {
		return v, fmt.Errorf("erasure proof: longer than %d bytes", MaxErasureProof)
	}
	var p concert.ErasureProof
	if err := json.Unmarshal(raw, &p); err != nil {
		return v, fmt.Errorf("erasure proof: %w; is this a document that GET /items/{id}/erasure gave?", err)
	}
	if p.Format != concert.ErasureProofFormat {
		return v, fmt.Errorf("erasure proof: format is %q, this program reads %q", p.Format, concert.ErasureProofFormat)
	}
	v.Origin, v.Exercise = p.Origin, p.Exercise
	if logKey == "" {
		logKey = p.LogKey
	}
	head, cosigned, err := openHead(p.Checkpoint, p.Origin, logKey, witnessKeys)
	if err != nil {
		v.Problem = err.Error()
		return v, nil
	}
	v.Size, v.Root, v.Cosigned, v.Witnesses, v.SelfAttested = head.Size, fmt.Sprintf("%x", head.Root), cosigned, names(cosigned), len(cosigned) == 0
	e, problem := eventOf(p)
	if problem == "" {
		problem = included(p, head)
	}
	if problem != "" {
		v.FirstBad, v.Problem = p.Index, problem
		return v, nil
	}
	v.Verified, v.Erased, v.Erasure = true, int64(e.Body.Events), &Erasure{Item: e.Body.Ref, Code: e.Body.Code, At: e.At, Index: p.Index}
	return v, nil
}

// Erasure is what a proof of erasure shows.
type Erasure struct {
	Item  string              `json:"item"`
	Code  concert.ErasureCode `json:"code"`
	At    string              `json:"at"` // microseconds UTC, as the event says it
	Index int64               `json:"index"`
}

// eventOf reads the proof's event; problem says what is wrong with it.
func eventOf(p concert.ErasureProof) (e canonicalEvent, problem string) {
	if err := json.Unmarshal([]byte(p.Event), &e); err != nil {
		return e, fmt.Sprintf("the event cannot be read: %v", err)
	}
	switch {
	case e.Kind != concert.EventItemErased:
		return e, fmt.Sprintf("the event is %s, which erases nothing", e.Kind)
	case e.Body.Ref != p.Item:
		return e, fmt.Sprintf("the event erases item %s, the document says %s", e.Body.Ref, p.Item)
	case len(p.Salt) != tlog.SaltSize:
		return e, fmt.Sprintf("the salt has %d bytes instead of %d", len(p.Salt), tlog.SaltSize)
	}
	return e, ""
}

// included says what speaks against the event standing in the log at its index.
func included(p concert.ErasureProof, head tlog.Head) string {
	commit := tlog.Commit(p.Salt, []byte(p.Event))
	if err := tlog.CheckCommitted(head, p.Index, commit[:], p.Salt, []byte(p.Event), p.Inclusion); err != nil {
		return err.Error()
	}
	return ""
}
