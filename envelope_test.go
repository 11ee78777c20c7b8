package concert_test

import (
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"concert"
)

func signingKey(fill byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	key := ed25519.NewKeyFromSeed(slices.Repeat([]byte{fill}, ed25519.SeedSize))
	return key.Public().(ed25519.PublicKey), key
}

func signedEnvelope(t interface{ Fatal(...any) }) concert.Envelope {
	payload, err := concert.CanonicalJSON(concert.ReferralPayload{Type: "referral", Version: 1, Ref: "RF-1", Voluntary: concert.VoluntaryNotice, Exercise: true, Items: []concert.PayloadItem{{Ref: "IT-1", Facts: "EXERCISE"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, author := signingKey(1)
	_, carrier := signingKey(2)
	return concert.Envelope{PayloadType: concert.ReferralPayloadType, Payload: payload}.Sign("author", author).Sign("transport", carrier)
}

func TestG09AuthorAndTransportSignApart(t *testing.T) {
	t.Parallel()
	author, _ := signingKey(1)
	carrier, carrierKey := signingKey(2)
	e := signedEnvelope(t)
	for name, c := range map[string]struct {
		role string
		key  ed25519.PublicKey
		code string
	}{
		"the author authored":        {"author", author, ""},
		"the carrier carried":        {"transport", carrier, ""},
		"the carrier did not author": {"author", carrier, "envelope.unsigned"},
		"the author did not carry":   {"transport", author, "envelope.unsigned"},
		"no such role":               {"witness", author, "envelope.unsigned"},
		"half a key":                 {"author", author[:16], "envelope.key"},
	} {
		if got := code(e.Verify(c.role, c.key)); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	// Who carries cannot pass its own signature off as an author's.
	forged := e
	forged.Signatures = slices.Clone(e.Signatures)
	forged.Signatures[1].Role = "author"
	if got := code(forged.Verify("author", carrier)); got != "envelope.forged" {
		t.Errorf("a transport signature renamed to author: %q", got)
	}
	again := concert.Envelope{PayloadType: e.PayloadType, Payload: e.Payload}.Sign("transport", carrierKey)
	if got := code(again.Verify("author", author)); got != "envelope.unsigned" {
		t.Errorf("an envelope without its author: %q", got)
	}
}

func TestG09OneTamperedByteFailsBothSignatures(t *testing.T) {
	t.Parallel()
	author, _ := signingKey(1)
	carrier, _ := signingKey(2)
	rapid.Check(t, func(t *rapid.T) {
		e := signedEnvelope(t)
		flip := byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		switch rapid.SampledFrom([]string{"payload", "type", "signature"}).Draw(t, "where") {
		case "payload":
			e.Payload = slices.Clone(e.Payload)
			e.Payload[rapid.IntRange(0, len(e.Payload)-1).Draw(t, "byte")] ^= flip
		case "type":
			e.PayloadType += "x"
		case "signature":
			for i := range e.Signatures {
				e.Signatures[i].Sig = slices.Clone(e.Signatures[i].Sig)
				e.Signatures[i].Sig[rapid.IntRange(0, 63).Draw(t, "byte")] ^= flip
			}
		}
		for role, key := range map[string]ed25519.PublicKey{"author": author, "transport": carrier} {
			if got := code(e.Verify(role, key)); got != "envelope.forged" {
				t.Fatalf("%s after tampering: %q", role, got)
			}
		}
	})
}

func TestG09EnvelopeVerifiesAfterTheWire(t *testing.T) {
	t.Parallel()
	author, _ := signingKey(1)
	text, err := json.Marshal(signedEnvelope(t))
	if err != nil {
		t.Fatal(err)
	}
	var e concert.Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	if err := e.Verify("author", author); err != nil {
		t.Error(err)
	}
}
