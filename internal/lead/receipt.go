package lead

import (
	"errors"
	"fmt"
	"time"

	"concert/internal/vault"
)

const (
	// ReceiptFormat names the form of a receipt.
	ReceiptFormat = "concert-lead-receipt/1"
	receiptType   = "application/vnd.concert.lead-receipt+json"
)

// Receipt says that a package arrived whole, with whom and when.
type Receipt struct {
	Format  string `json:"format"`
	Package string `json:"package"` // its id
	Country string `json:"country"`
	Digest  string `json:"digest"` // Bag.Digest
	Sender  string `json:"sender"` // key that signed the package
	To      string `json:"to"`     // the authority that the package names
	By      string `json:"by"`     // the person
	At      string `json:"at"`     // RFC 3339, UTC
	Key     string `json:"key"`    // of whoever received, base64
}

// NewReceipt signs for a whole package. The key that signed the package signs no
// receipt for it: nobody receives from themselves.
func NewReceipt(v Verdict, key *vault.Key, by string, at time.Time) (Receipt, []byte, error) {
	switch {
	case !v.Whole():
		return Receipt{}, nil, errors.New("the package is not whole: verify says what is wrong with it; ask for another copy, there is no receipt for this one")
	case key.Public() == v.Key:
		return Receipt{}, nil, errors.New("this key signed the package itself: a receipt is signed with the receiver's own")
	case !plain(by, textMost):
		return Receipt{}, nil, errors.New("say who receives it, in one line")
	}
	r := Receipt{ReceiptFormat, v.Lead.ID, v.Lead.Country, v.Digest, v.Key, v.Lead.To, by, at.UTC().Format(time.RFC3339), key.Public()}
	text, err := canonical(r)
	if err != nil {
		return r, nil, err
	}
	raw, err := key.Envelope(receiptType, text)
	return r, raw, err
}

// ReadReceipt reads a receipt whose signature holds; whose key that is, Key says, and
// only somebody who knows the key can tell.
func ReadReceipt(raw []byte) (r Receipt, err error) {
	env, err := vault.ReadEnvelope(raw, receiptType)
	if err == nil {
		err = decodeCanonical(env.Payload, &r)
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("this is no receipt of a package: %w", err)
	}
	if r.Format != ReceiptFormat || !idForm.MatchString(r.Package) || !countryForm.MatchString(r.Country) || !isDigest(r.Digest) || !plain(r.By, textMost) || !plain(r.To, textMost) || !isTime(time.RFC3339, r.At) {
		return Receipt{}, errors.New("this receipt lacks something that each one has: ask for it again")
	}
	if !env.SignedBy(r.Key) {
		return Receipt{}, errors.New("the signature of this receipt does not hold: it was changed, or nobody signed it")
	}
	return r, nil
}
