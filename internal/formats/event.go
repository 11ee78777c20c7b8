package formats

import (
	"encoding/json"
	"fmt"
	"io"

	"concert"
	"concert/tlog"
)

// ProvenEvent is what a proof of one event shows.
type ProvenEvent struct {
	Index   int64  `json:"index"`
	Kind    string `json:"kind,omitempty"` // "" of an erased one
	Subject string `json:"subject,omitempty"`
	At      string `json:"at,omitempty"`      // microseconds UTC, as the event says it
	Erased  bool   `json:"erased,omitempty"`  // only its commitment is left
	Earlier int64  `json:"earlier,omitempty"` // size of the earlier head that the log goes on from, 0 for none
}

// VerifyEvent checks a proof of one event, with no connection to anything: the
// event is what its commitment commits to, the commitment stands at its index
// under the signed head, and the log goes on from the earlier head where the
// document has one. logKey is the key the reader trusts; "" takes the
// document's own, which shows only that it is consistent with itself.
func VerifyEvent(r io.Reader, logKey string, witnessKeys []string) (Verification, error) {
	v := Verification{FirstBad: -1, SelfAttested: true}
	raw, err := io.ReadAll(io.LimitReader(r, MaxErasureProof+1))
	if err != nil {
		return v, fmt.Errorf("event proof: %w", err)
	}
	if len(raw) > MaxErasureProof {
		return v, fmt.Errorf("event proof: longer than %d bytes", MaxErasureProof)
	}
	var p concert.EventProof
	if err := json.Unmarshal(raw, &p); err != nil {
		return v, fmt.Errorf("event proof: %w; is this the document that the page of an event gave?", err)
	}
	if p.Format != concert.EventProofFormat {
		return v, fmt.Errorf("event proof: format is %q, this program reads %q", p.Format, concert.EventProofFormat)
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
	proven, problem := proveEvent(p, head)
	if problem == "" && p.Earlier != nil {
		proven.Earlier, problem = goesOn(p, head, logKey, witnessKeys)
	}
	if problem != "" {
		v.FirstBad, v.Problem = p.Index, problem
		return v, nil
	}
	v.Verified, v.Event = true, &proven
	return v, nil
}

// proveEvent says what the proof shows, or what speaks against it.
func proveEvent(p concert.EventProof, head tlog.Head) (e ProvenEvent, problem string) {
	e.Index, e.Erased = p.Index, p.Event == "" && len(p.Salt) == 0
	if err := tlog.CheckCommitted(head, p.Index, p.Commit, p.Salt, []byte(p.Event), p.Inclusion); err != nil {
		return e, err.Error()
	}
	if e.Erased {
		return e, ""
	}
	var text struct {
		At      string `json:"at"`
		Kind    string `json:"kind"`
		Subject string `json:"subject"`
	}
	if err := json.Unmarshal([]byte(p.Event), &text); err != nil {
		return e, fmt.Sprintf("the event cannot be read: %v", err)
	}
	e.At, e.Kind, e.Subject = text.At, text.Kind, text.Subject
	return e, ""
}

// goesOn says from how many events on the log was extended and nothing else.
func goesOn(p concert.EventProof, head tlog.Head, logKey string, witnessKeys []string) (size int64, problem string) {
	before, _, err := openHead(p.Earlier.Checkpoint, p.Origin, logKey, witnessKeys)
	if err != nil {
		return 0, "the earlier " + err.Error()
	}
	path, err := tlog.Hashes("consistency", p.Earlier.Consistency)
	if err != nil {
		return 0, err.Error()
	}
	if err := tlog.CheckConsistency(path, before, head); err != nil {
		return 0, err.Error()
	}
	return before.Size, ""
}
