package formats

import (
	"bytes"
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
	head, witnesses, err := OpenHead(p.Checkpoint, p.Origin, logKey, witnessKeys)
	if err != nil {
		v.Problem = err.Error()
		return v, nil
	}
	v.Size, v.Root, v.Witnesses, v.SelfAttested = head.Size, fmt.Sprintf("%x", head.Root), witnesses, len(witnesses) == 0
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
	e.Index = p.Index
	var commit tlog.Hash
	if len(p.Commit) != len(commit) {
		return e, fmt.Sprintf("the commitment has %d bytes instead of %d", len(p.Commit), len(commit))
	}
	copy(commit[:], p.Commit)
	switch {
	case p.Event == "" && len(p.Salt) == 0:
		e.Erased = true
	case len(p.Salt) != tlog.SaltSize:
		return e, fmt.Sprintf("the salt has %d bytes instead of %d", len(p.Salt), tlog.SaltSize)
	default:
		if made := tlog.Commit(p.Salt, []byte(p.Event)); !bytes.Equal(made[:], commit[:]) {
			return e, "the event is not what its commitment commits to: it was changed after it was recorded"
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
	}
	path, problem := hashes("inclusion", p.Inclusion)
	if problem != "" {
		return e, problem
	}
	if err := tlog.CheckInclusion(path, head.Size, head.Root, p.Index, tlog.LeafHash(commit)); err != nil {
		return e, err.Error()
	}
	return e, ""
}

// goesOn says from how many events on the log was extended and nothing else.
func goesOn(p concert.EventProof, head tlog.Head, logKey string, witnessKeys []string) (size int64, problem string) {
	before, _, err := OpenHead(p.Earlier.Checkpoint, p.Origin, logKey, witnessKeys)
	if err != nil {
		return 0, "the earlier " + err.Error()
	}
	path, problem := hashes("consistency", p.Earlier.Consistency)
	if problem != "" {
		return 0, problem
	}
	if err := tlog.CheckConsistency(path, before, head); err != nil {
		return 0, err.Error()
	}
	return before.Size, ""
}

func hashes(of string, raw [][]byte) (out []tlog.Hash, problem string) {
	out = make([]tlog.Hash, len(raw))
	for i, h := range raw {
		if len(h) != len(out[i]) {
			return nil, fmt.Sprintf("hash %d of the %s proof has %d bytes", i, of, len(h))
		}
		copy(out[i][:], h)
	}
	return out, ""
}
