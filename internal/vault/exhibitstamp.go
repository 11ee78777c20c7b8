package vault

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"

	"github.com/digitorus/timestamp"

	"concert/internal/durable"
)

// stampMost bounds a timestamp authority's answer in bytes.
const stampMost = 1 << 20

// stampedFile is what a timestamp is about: the seal's envelope, and where nobody
// signed, the manifest.
func stampedFile(bag string) string {
	if _, err := os.Lstat(filepath.Join(bag, fileSeal)); err == nil {
		return fileSeal
	}
	return fileManifest
}

// StampEvidence asks a timestamp authority (RFC 3161, over HTTP as in its 3.4) for
// a token over a bag's seal and keeps its answer in the bag. It goes through the
// client, whose time and way it is.
func StampEvidence(ctx context.Context, client *http.Client, bag, url string) error {
	path := filepath.Join(bag, fileStamp)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s has a timestamp already", bag)
	}
	text, err := readTag(bag, stampedFile(bag))
	if err != nil {
		return err
	}
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return err
	}
	ask, err := timestamp.CreateRequest(bytes.NewReader(text), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true, Nonce: nonce})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(ask))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("timestamp authority: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, stampMost))
	if err != nil {
		return fmt.Errorf("timestamp authority: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("timestamp authority %s answers %s", url, resp.Status)
	}
	token, err := parseStamp(answer, text)
	if err != nil {
		return fmt.Errorf("timestamp authority %s: %w", url, err)
	}
	if token.Nonce == nil || token.Nonce.Cmp(nonce) != 0 {
		return fmt.Errorf("timestamp authority %s answers another question: its nonce is not ours", url)
	}
	return durable.CreateExclusive(path, answer, sealedMode)
}

// parseStamp reads an authority's answer, checks its signature against the
// certificates inside and that it is about the text. Whether the certificates are
// worth anything is another question.
func parseStamp(answer, text []byte) (t *timestamp.Timestamp, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("the token cannot be read: %v", p)
		}
	}()
	t, err = timestamp.ParseResponse(answer)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	switch {
	case t.HashAlgorithm != crypto.SHA256 || !bytes.Equal(t.HashedMessage, sum[:]):
		return nil, errors.New("the token is about something else")
	case len(t.Certificates) == 0:
		return nil, errors.New("the token has no certificate, so that its signature cannot be checked")
	}
	return t, nil
}

// checkStamp judges a bag's timestamp.
func (v *BagVerdict) checkStamp(job VerifyJob, have map[string][]byte) {
	raw, ok := have[fileStamp]
	if !ok {
		v.Stamp = MarkNone
		return
	}
	text := have[fileSeal]
	if text == nil {
		text = have[fileManifest]
	}
	t, err := parseStamp(raw, text)
	if err != nil {
		v.Stamp = MarkBroken
		v.find(FoundTag, fileStamp, "%v", err)
		return
	}
	v.Stamp, v.StampAt = MarkHolds, stamp(t.Time)
	signer := signerOf(t.Certificates)
	v.StampBy = EncodeName(signer.Subject.String(), false)
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, r := range job.Roots {
		for block, rest := pem.Decode(r); block != nil; block, rest = pem.Decode(rest) {
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				roots.AddCert(c)
			}
		}
	}
	for _, c := range t.Certificates {
		between.AddCert(c)
	}
	_, err = signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	switch {
	case err == nil:
		v.Stamp = MarkTrusted
	case len(job.Roots) > 0:
		v.StampNote = "the certificates that were named do not vouch for it: " + EncodeName(err.Error(), false)
	}
}

// signerOf is the certificate that stamps among those of a token.
func signerOf(list []*x509.Certificate) *x509.Certificate {
	for _, c := range list {
		for _, use := range c.ExtKeyUsage {
			if use == x509.ExtKeyUsageTimeStamping && !c.IsCA {
				return c
			}
		}
	}
	return list[0]
}

func newSection(f *os.File, size int64) io.Reader { return io.NewSectionReader(f, 0, size) }
