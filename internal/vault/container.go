package vault

import (
	"bytes"
	"cmp"

	"concert/internal/vault/archive"
	"concert/internal/vault/ewf"
)

// Kinds of containers.
const (
	KindEWF   = "ewf"
	KindImage = "image" // of a kind that is not read: Ex01, L01, AFF
	KindTar   = archive.Tar
	KindZip   = archive.Zip
	KindSeven = archive.Seven
	KindGzip  = archive.Gzip
	KindBzip2 = archive.Bzip2
	KindXz    = archive.Xz
	KindZstd  = archive.Zstd
)

// containerKind tells a container by its first bytes; the empty text stands for
// what is none.
func containerKind(head []byte) string {
	if _, ok, err := ewf.Kind(head); err != nil {
		return KindImage
	} else if ok {
		return KindEWF
	}
	for _, k := range [...]struct{ begins, kind string }{
		{"PK\x03\x04", KindZip}, {"PK\x05\x06", KindZip}, {"7z\xbc\xaf\x27\x1c", KindSeven}, {"\x1f\x8b\x08", KindGzip}, {"\xfd7zXZ\x00", KindXz}, {"\x28\xb5\x2f\xfd", KindZstd},
	} {
		if bytes.HasPrefix(head, []byte(k.begins)) {
			return k.kind
		}
	}
	if len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) && string(head[4:10]) == "1AY&SY" {
		return KindBzip2
	}
	if len(head) >= 512 && bytes.HasPrefix(head[257:], []byte("ustar")) {
		return KindTar
	}
	return ""
}

// Limits bound what is read of one container. The zero value of a field stands
// for its default.
type Limits struct {
	Depth   int   `json:"depth"`   // archives inside archives; 4
	Entries int64 `json:"entries"` // members of one container, with those inside; 1,000,000
	// Ratio is how many times its own size a container may give, and Floor what it may
	// give however small it is; 250 times, and 1 GiB.
	Ratio int64 `json:"ratio"`
	Floor int64 `json:"floor"`
	Name  int   `json:"name"` // bytes of one name; 4096
	File  int64 `json:"file"` // bytes of one file on a volume; 64 GiB
}

func (l Limits) orDefault() Limits {
	return Limits{cmp.Or(l.Depth, 4), cmp.Or(l.Entries, 1_000_000), cmp.Or(l.Ratio, 250), cmp.Or(l.Floor, 1<<30), cmp.Or(l.Name, 4096), cmp.Or(l.File, 64<<30)}
}
