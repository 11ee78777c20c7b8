package match

import (
	"crypto/sha3"
	"encoding/base32"
	"strings"
)

// locateOnion reads an onion service address, version 3 (Tor rend-spec-v3, 6): base32 of key, checksum and version.
// Version 2 (16 characters) stopped resolving in October 2021 and names no reachable place.
func locateOnion(a address) (Location, *LocationError) {
	name := strings.TrimSuffix(a.host, ".onion")
	name = name[strings.LastIndexByte(name, '.')+1:]
	if len(name) != 56 {
		return Location{}, refuse("bad_onion", "an onion address of version 3 has 56 characters before .onion, this one has %d; copy it again", len(name))
	}
	raw, err := base32.StdEncoding.DecodeString(strings.ToUpper(name))
	if err != nil || len(raw) != 35 || raw[34] != 3 {
		return Location{}, refuse("bad_onion", "the onion address is not one of version 3; copy it again")
	}
	sum := sha3.Sum256([]byte(".onion checksum" + string(raw[:32]) + "\x03"))
	if sum[0] != raw[32] || sum[1] != raw[33] {
		return Location{}, refuse("bad_onion", "the checksum of the onion address is wrong, so a character is mistyped; copy it again")
	}
	// The service's key authenticates and encrypts already: http is the usual scheme and https the same place.
	if a.port == "" {
		a.scheme = "http"
	}
	a.dropFragment(false)
	a.dropTracking(catalogue(), "")
	l := webLocation(a, "", "")
	l.Kind = Onion
	return l, nil
}
