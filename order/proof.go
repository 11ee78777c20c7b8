package order

import (
	"encoding/json"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/tlog"
)

// recorded checks that the order's issuing stands in the log: nobody can have ordered
// in secret. Under no pinned register it shows only that the file agrees with itself.
func (c *verification) recorded() *Fault {
	p := c.file.Proof
	if p == nil {
		return fault("order.proof_missing", "proof", "there is no proof that the order was issued: %s", wholeFile)
	}
	log, f := c.log(p)
	if f != nil {
		return f
	}
	switch {
	case p.Format != concert.EventProofFormat:
		return fault("order.proof", "proof.format", "the proof has the format %.100q, this program reads %q", p.Format, concert.EventProofFormat)
	case p.Earlier != nil:
		return fault("order.proof", "proof.earlier", "the proof of an order holds no earlier head: ask for the original")
	case p.Event == "":
		return fault("order.proof", "proof.event", "the proof shows an event and not what it was: ask the authority for the original")
	case p.Index < 0 || p.Index > maxExact:
		return fault("order.proof", "proof.index", "the index %d lies outside 0 to %d", p.Index, int64(maxExact))
	case c.order.Transport != p.Origin:
		return fault("order.transport", "transport", "the order is carried by %s, the proof is of the log of %.200q", c.order.Transport, p.Origin)
	}
	head, f := c.head(p, log)
	if f != nil {
		return f
	}
	if err := tlog.CheckCommitted(head, p.Index, p.Commit, p.Salt, []byte(p.Event), p.Inclusion); err != nil {
		return fault("order.proof", "proof", "the proof does not show that the order's issuing stands in the log: %v", err)
	}
	return c.issuing(p)
}

// head is the log's signed head. It is the log's signature that costs, so the pinned
// register keeps the last text that it held for.
func (c *verification) head(p *concert.EventProof, log note.Verifier) (tlog.Head, *Fault) {
	if c.known {
		if last := c.register.lastHead.Load(); last != nil && last.text == p.Checkpoint {
			return last.head, nil
		}
	}
	checkpoint, n, err := tlog.OpenCheckpoint([]byte(p.Checkpoint), p.Origin, note.VerifierList(log))
	if err != nil {
		return tlog.Head{}, fault("order.proof", "proof.checkpoint", "the log's head is not signed as the register says: %v", err)
	}
	// Another signature, which nobody here can check, would be bytes that can be changed unnoticed.
	if len(n.Sigs) != 1 || p.Checkpoint != n.Text+"\n"+signedBy+n.Sigs[0].Name+" "+n.Sigs[0].Base64+"\n" {
		return tlog.Head{}, fault("order.proof", "proof.checkpoint", "the log's head carries more than the log's own signature: ask for the original")
	}
	if c.known {
		c.register.lastHead.Store(&openedHead{p.Checkpoint, checkpoint.Head})
	}
	return checkpoint.Head, nil
}

// log is the key that the checkpoint must be signed with: the pinned register's.
func (c *verification) log(p *concert.EventProof) (note.Verifier, *Fault) {
	if c.known {
		r := c.register.edition
		switch {
		case p.Origin != r.Origin:
			return nil, fault("order.proof", "proof.origin", "the proof is of the log of %.200q, the register of %s", p.Origin, r.Origin)
		case p.LogKey != r.LogKey:
			return nil, fault("order.proof", "proof.log_key", "the proof names another key of the log than the register")
		case p.Exercise != r.Exercise:
			return nil, fault("order.proof", "proof.exercise", "of register and proof one is an exercise and the other is not")
		}
		return c.register.log, nil
	}
	log, err := tlog.NewVerifier(p.LogKey)
	if err != nil {
		return nil, fault("order.proof", "proof.log_key", "the proof's key of the log cannot be read: %v", err)
	}
	return log, nil
}

// issuing looks whether the proven event is the issuing of this order.
func (c *verification) issuing(p *concert.EventProof) *Fault {
	var e struct {
		At   string            `json:"at"` // microseconds
		Kind concert.EventKind `json:"kind"`
		Body struct {
			Ref    string `json:"ref"`
			Digest string `json:"digest"`
		} `json:"body"`
	}
	if err := json.Unmarshal([]byte(p.Event), &e); err != nil {
		return fault("order.proof", "proof.event", "the event cannot be read: ask for the original")
	}
	us, err := strconv.ParseInt(e.At, 10, 64)
	switch {
	case e.Kind != concert.EventOrderIssued:
		return fault("order.proof", "proof.event", "the event is %.60q and not the issuing of an order", e.Kind)
	case e.Body.Ref != c.order.Ref:
		return fault("order.proof", "proof.event", "the event is the issuing of the order %.60q, this is %s", e.Body.Ref, c.order.Ref)
	case e.Body.Digest != c.digest:
		return fault("order.proof", "proof.event", "the event is the issuing of another text under this reference: ask the authority which one stands")
	case err != nil:
		return fault("order.proof", "proof.event", "the event has the time %.40q, which is no number of microseconds", e.At)
	// The log's time is not the author's word: who has an old key cannot date back.
	// In an exercise it runs faster than the signer's.
	case c.known && !c.register.edition.Exercise && !c.key.holds(time.UnixMicro(us)):
		return fault("order.key_time", "proof.event", "the order was recorded at %s; the key %s holds since %s, until %s", time.UnixMicro(us).UTC().Format(concert.TimeFormat), c.key.KeyID, c.key.Since, orEver(c.key.Until))
	}
	return nil
}
