package vault

import "context"

type Identified struct{ Pseudonym, Kind, Plain string }

func (i Identified) Text() string { return i.Plain }

func OpenPseudonyms(ctx context.Context, locked []byte, shares [][]byte, secret string, wanted []string) ([]Identified, error) {
	return nil, nil
}
