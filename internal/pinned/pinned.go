// Package pinned fetches archives of an npm registry that are named with their
// version and digest: data and libraries that others publish, which the repository
// does not carry. It is no package manager: nothing is looked up, and nothing of an
// archive runs. What it gives is, to the byte, what was pinned.
package pinned

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// ErrUnreachable says that no registry gave an archive, as opposed to a wrong one.
var ErrUnreachable = errors.New("the registry does not give it")

const timeout = 5 * time.Minute

// Archive is one version of a package.
type Archive struct {
	Package   string // with its scope
	Version   string
	Integrity string // "sha512-" and the digest in base64, as the registry publishes it (dist.integrity)
	Most      int64  // bytes that it may have
}

// Fetch downloads the archive from a registry, the public one where it is "", and
// checks it. The error is ErrUnreachable where the registry is not there, or has no
// such archive.
func (a Archive) Fetch(ctx context.Context, registry string) ([]byte, error) {
	base := strings.TrimSuffix(cmp.Or(registry, "https://registry.npmjs.org"), "/")
	url := base + "/" + a.Package + "/-/" + a.Package[strings.IndexByte(a.Package, '/')+1:] + "-" + a.Version + ".tgz"
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s answers %s", ErrUnreachable, url, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, a.Most+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return data, a.check(data)
}

// Read takes the archive from a file that was fetched by other means, and checks it.
func (a Archive) Read(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > a.Most {
		return nil, fmt.Errorf("%s is not the archive", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return data, a.check(data)
}

func (a Archive) check(data []byte) error {
	if int64(len(data)) > a.Most {
		return errors.New("the archive is larger than it may be")
	}
	sum := sha512.Sum512(data)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != a.Integrity {
		return fmt.Errorf("the archive is not the one that is pinned: its digest is %s, must be %s; nothing was written", got, a.Integrity)
	}
	return nil
}

// Extract writes one file of an archive (.tgz), of at most so many bytes.
func Extract(archive []byte, member string, most int64, to io.Writer) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("the archive: %w", err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return fmt.Errorf("the archive has no %s: %w", member, err)
		}
		if h.Name != member {
			continue
		}
		if h.Size > most {
			return fmt.Errorf("%s has %d bytes, more than %d", member, h.Size, most)
		}
		_, err = io.Copy(to, t)
		return err
	}
}
