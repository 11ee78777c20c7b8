package bucket

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// Scheme is what the name of an object begins with.
const Scheme = "s3://"

const keyMost = 1024 // bytes, as S3 has it

// Name is an object's: s3://bucket/key.
type Name struct {
	Bucket string
	Key    string
}

// String is the name as it was written.
func (n Name) String() string { return Scheme + n.Bucket + "/" + n.Key }

// ParseName reads s3://bucket/key. A key has no segment that is empty, "." or "..",
// and nothing that cannot be seen, so that a name means one thing on every server and
// in every listing.
func ParseName(text string) (Name, error) {
	n, err := split(text)
	if err != nil {
		return Name{}, err
	}
	if n.Key == "" || strings.HasSuffix(n.Key, "/") {
		return Name{}, fmt.Errorf("%.200q names a place and no object there: write s3://bucket/key", text)
	}
	return n, nil
}

// ParsePrefix reads s3://bucket or s3://bucket/prefix: how keys begin.
func ParsePrefix(text string) (Name, error) { return split(text) }

func split(text string) (Name, error) {
	rest, ok := strings.CutPrefix(text, Scheme)
	if !ok {
		return Name{}, fmt.Errorf("%.200q is no name of an object: write s3://bucket/key", text)
	}
	var n Name
	n.Bucket, n.Key, _ = strings.Cut(rest, "/")
	if strings.ContainsAny(n.Bucket, "@:") {
		// It may be a secret, which no message repeats.
		return Name{}, errors.New("a name has neither keys nor a server in it: write s3://bucket/key, name the server with -s3-endpoint, and put the keys into the environment")
	}
	if err := s3utils.CheckValidBucketNameStrict(n.Bucket); err != nil {
		return Name{}, fmt.Errorf("%.200q names no bucket: %w; write s3://bucket/key", text, err)
	}
	return n, checkKey(text, n.Key)
}

func checkKey(text, key string) error {
	bad := func(why string) error { return fmt.Errorf("%.200q: %s; name another key", text, why) }
	switch {
	case len(key) > keyMost:
		return bad(fmt.Sprintf("the key has %d bytes, more than %d", len(key), keyMost))
	case !utf8.ValidString(key):
		return bad("the key is no UTF-8")
	case strings.ContainsRune(key, '\\'):
		return bad("the key has a backslash, which servers read in different ways")
	}
	for _, r := range key {
		if !unicode.IsPrint(r) {
			return bad("the key has a character that cannot be seen")
		}
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "." || part == ".." {
			return bad("the key has a segment " + part)
		}
	}
	if strings.Contains("/"+strings.TrimSuffix(key, "/")+"/", "//") && key != "" {
		return bad("the key has an empty segment")
	}
	return nil
}
