package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

// NewShareKey makes a key that custodians give their shares to: its public form,
// age1…, and its secret one.
func NewShareKey() (public, secret string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	return id.Recipient().String(), id.String(), nil
}

// ParseLock reads the head of a locked exhibit from its bytes, whose payload must
// be the one that was written.
func ParseLock(file []byte) (Lock, error) {
	l, err := readLock(bytes.NewReader(file))
	if err != nil {
		return l, err
	}
	if int64(len(file)) != l.headSize+l.Size || hashLine(file[l.headSize:]) != l.SHA256 {
		return l, errors.New("its payload is not the one that was written: it is cut short or was changed")
	}
	return l, nil
}

// ParseShare reads a share as its custodian wrote it.
func ParseShare(raw []byte) (g GivenShare, err error) {
	if err := json.Unmarshal(raw, &g); err != nil || g.Format != ShareFormat {
		return g, errors.New("it is no share: concert evidence share makes one")
	}
	return g, nil
}

// ReadShare reads a share that a custodian gave to the holder of the secret key,
// and tries to open it: what it returns is one of this exhibit's, and whose.
func (l Lock) ReadShare(raw []byte, secret string) (custodian string, err error) {
	g, err := ParseShare(raw)
	if err != nil {
		return "", err
	}
	if g.Lock != l.ID {
		return "", fmt.Errorf("it is a share of another exhibit: ask for the one of %s", l.ID)
	}
	if !slices.Contains(l.custodians(), g.Custodian) {
		return "", errors.New("nobody of its name keeps a share of this exhibit")
	}
	ids, err := age.ParseIdentities(strings.NewReader(secret))
	if err != nil {
		return "", err
	}
	plain, err := openShare(g.Share, ids)
	if err != nil {
		return "", errors.New("it was given to another key: run concert evidence share with the key that the request names")
	}
	clear(plain)
	return g.Custodian, nil
}
